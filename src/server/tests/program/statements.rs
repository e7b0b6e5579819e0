//! How many statements each kind of save is, those that are only read before it included, and an access token.

use ipack_core::connector::submission::Submission;
use ipack_domain::{
    button::Button,
    form::FormContent,
    ids::ConnectionKey,
    post::{Base, Choices},
};
use ipack_storage::{Database, tokens};
use ipack_testing::{
    flow,
    logs::{self, Log},
    provider::Provider,
    records::{add_data_key, token},
    world::{ANN, World, key},
};

on_both!(alone: each_kind_of_save_is_as_many_statements_as_it_needs, an_access_token_is_two_statements);

const DETAILS: &str = r#"{"baseURL":"https://b","companyId":"c","clientId":"A","authParams":{"key":"value"},
    "accessTokenParams":{"key":"value"}}"#;

/// The first words of the statements that a piece of work is, sorted.
async fn statements(log: &Log, work: impl Future<Output = ()>) -> String {
    // A driver's thread writes its line after it has answered.
    let all_written = || tokio::time::sleep(std::time::Duration::from_millis(50));
    all_written().await;
    let before = log.text().len();
    work.await;
    all_written().await;
    let text = log.text()[before..].to_owned();
    let of_line = |line: &str| {
        // The summary is the first text of its line.
        let (_, statement) = line.contains("sqlx::query").then(|| line.split_once('"'))??;
        let ends = statement.contains("COMMIT").then_some("COMMIT");
        Some(ends.or_else(|| statement.split([' ', ';', '"']).next())?.to_owned())
    };
    let mut words: Vec<String> = text.lines().filter_map(of_line).collect();
    words.sort();
    words.join(" ")
}

async fn each_kind_of_save_is_as_many_statements_as_it_needs(database: Database) {
    let world = World::new(database.clone()).await;
    // A connection is checked when it is opened, which here is before anything is counted.
    let mut readers = Vec::new();
    for _ in 0..4 {
        readers.push(database.reader().await.expect("a connection is free"));
    }
    drop(readers);
    let log = logs::watch();
    let connection = |name: &str| ConnectionKey { connection: name.into(), ..key() };
    let elsewhere = ConnectionKey {
        instance: "new".into(),
        environment: "new".into(),
        process: "new".into(),
        ..connection("new")
    };
    let save = async |key: &ConnectionKey, details: &str| {
        let saving = world.api_save(key, details, "A");
        statements(&log, saving).await
    };
    // A save with its connection, its entry in the audit log and its values is one statement: on PostgreSQL also its own
    // transaction, on SQLite one text in a savepoint.
    let is_postgres = matches!(database, Database::Postgres(_));
    let written = |registered: usize, read: usize| {
        let transaction: &[_] = if is_postgres && registered == 0 { &[] } else { &["BEGIN", "COMMIT"] };
        let mut words = transaction.to_vec();
        words.extend(["INSERT"].repeat(registered));
        words.push(if is_postgres { "WITH" } else { "SAVEPOINT" });
        words.extend(["SELECT"].repeat(read));
        words.sort_unstable();
        words.join(" ")
    };
    // The details, and the account of the Space with what is registered.
    assert_eq!(save(&connection("first"), DETAILS).await, written(0, 2));
    assert_eq!(save(&connection("second"), DETAILS).await, written(0, 2), "known values");
    // The environment, the instance, the attachment and the process beside.
    assert_eq!(save(&elsewhere, DETAILS).await, written(4, 2));
    // The details.
    assert_eq!(save(&elsewhere, &DETAILS.replace("\"A\"", "\"B\"")).await, written(0, 1));
    assert_eq!(save(&elsewhere, DETAILS).await, written(0, 1), "a known value");
    let without = DETAILS.replace("value", "");
    assert_eq!(save(&elsewhere, &without).await, written(0, 1), "no new value");
    assert_eq!(save(&elsewhere, &without).await, "SELECT", "nothing is changed");
    // What a token failed by may be put right.
    add_data_key(&database, &elsewhere.space, 1, 1).await;
    write_now!(database, db => tokens::put(db, &token(1, &elsewhere)));
    let save_word = if is_postgres { "WITH" } else { "SAVEPOINT" };
    let mut expected = ["BEGIN", "COMMIT", save_word, "SELECT", "UPDATE"];
    expected.sort_unstable();
    assert_eq!(save(&elsewhere, DETAILS).await, expected.join(" "), "with a token");
    // The Space, the place, the details and the draft; PostgreSQL locks the connection. Then the draft; or the details,
    // the audit log, the new value, and a token whose refresh may work now.
    let lock = if is_postgres { " SELECT" } else { "" };
    let (services, ann) = (&world.services, world.admin(ANN).await);
    let submit = async |button: Button| {
        let record = services.connector(&ann, &key()).await.expect("the form");
        let content = FormContent { client_id: format!("{button:?}"), ..record.shown().clone() };
        let base =
            Base { version: record.base_version(), content: record.shown().clone(), ..Base::default() };
        let submission = Submission { button, choices: Choices::default(), base, content };
        statements(&log, async { drop(services.submit(&ann, &key(), submission).await.expect("submitted")) })
            .await
    };
    assert_eq!(submit(Button::Keep).await, format!("BEGIN COMMIT INSERT{lock} SELECT SELECT SELECT SELECT"));
    assert_eq!(
        submit(Button::Save).await,
        format!("BEGIN COMMIT DELETE INSERT INSERT INSERT{lock} SELECT SELECT SELECT SELECT UPDATE")
    );
}

async fn an_access_token_is_two_statements(database: Database) {
    let world = flow::world(database).await;
    let provider = Provider::start().await;
    flow::get_token(&mut world.browser(ANN).await, &key(), &provider).await;
    let runtime = flow::runtime(&world).await;
    let log = logs::watch();
    let read = async || {
        let read = async { drop(flow::read(&world, &runtime, &key()).await.expect("it is handed out")) };
        statements(&log, read).await
    };
    // The token with the account of its Space, what the API token may still do, and the key that opens the token.
    assert_eq!(read().await, "SELECT SELECT SELECT");
    assert_eq!(read().await, "SELECT SELECT", "it is open");
}
