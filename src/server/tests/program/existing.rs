//! A database that an earlier version of the program made is migrated when it is opened, and everything in it is there:
//! details byte for byte, drafts, sealed values, tokens, sessions.
//!
//! `fixtures/existing.sqlite.sql` and `fixtures/existing.postgres.sql` are such databases, made by the program as it was
//! with the migrations `0001` and `0002`. They are not made again, for they stand for what people have. How they were
//! made, which is how one of a later version is made beside them:
//!
//! ```text
//! end2end/with-postgres.sh cargo test -p ipack-server --test program existing::make -- --ignored
//! ```
//!
//! It needs `sqlite3` and `pg_dump`. The first line of each says what else the program that made it knew.

use ipack_core::Services;
use ipack_domain::ids::ConnectionKey;
use ipack_storage::{Database, attempts, audit_log::Kind, open::open};
use ipack_testing::api::Tenant;
use ipack_testing::databases::{Kind as DatabaseKind, on_empty};
use ipack_testing::flow::{
    SECRET, attempt, begin, encrypt, filled, form, get_token, provider_field, secrets, token, told,
};
use ipack_testing::provider::Provider;
use ipack_testing::world::{ACCOUNT, ANN, SPACE, World, in_environment, instance_page, key};
use ipack_vault::SealContext;
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, SqliteConnection, sqlite::SqliteConnectOptions};
use std::{
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
    str::FromStr,
};

on_both!(empty: an_existing_database_migrates_and_shows_what_it_holds);

const BY_API: &str = "{\"baseURL\": \"https:\\/\\/api.example.com\",  \"companyId\":\"\", \"clientId\":\"of the API\",\"authorizationParams\":{\"b\":\"é\",\"a\":\"1\"}}";
const REPLACEMENT: &str = "a better secret";
const PASSWORD: &str = "pässword of %the robot";
const TYPED: &str = "  not saved ü 🗝 ";
const FIND: &str = "query ($input: IPackInstanceOAuthConnectorDetailsInput!) {
    IPackInstanceOAuthConnectorDetails(input: $input) { oauthConnectorDetails } }";
const READ: &str = "query ($input: IPackInstanceOAuthConnectorDetailsInput!) {
    iPackInstanceOauthAccessToken(input: $input) { accessToken tokenType } }";

/// Saved through the API and never opened in a form.
fn by_api() -> ConnectionKey {
    ConnectionKey { connection: "connection of the API".into(), ..key() }
}

fn fixture(address: &str) -> PathBuf {
    let kind = if address.starts_with("sqlite:") { "sqlite" } else { "postgres" };
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/fixtures/existing.{kind}.sql"))
}

async fn restore(address: &str) -> Value {
    let text = std::fs::read_to_string(fixture(address)).expect("the fixture is there");
    let known = text.lines().next().and_then(|line| line.strip_prefix("-- ")).expect("a first line");
    let known = serde_json::from_str(known).expect("JSON");
    if address.starts_with("sqlite:") {
        let options = SqliteConnectOptions::from_str(address).expect("an address").create_if_missing(true);
        let mut connection = SqliteConnection::connect_with(&options).await.expect("SQLite opens");
        sqlx::raw_sql(AssertSqlSafe(text)).execute(&mut connection).await.expect("restored");
        connection.close().await.expect("closed");
    } else {
        let mut connection = PgConnection::connect(address).await.expect("PostgreSQL opens");
        sqlx::raw_sql(AssertSqlSafe(text)).execute(&mut connection).await.expect("restored");
        connection.close().await.expect("closed");
    }
    known
}

async fn an_existing_database_migrates_and_shows_what_it_holds(address: String) {
    let known = restore(&address).await;
    let database = open(&address).await.expect("it migrates");
    assert!(database.is_migrated().await.expect("it answers"), "every migration was run");
    if let Some(file) = address.strip_prefix("sqlite://") {
        a_backup_was_made_first(Path::new(&format!("{file}.before-migration"))).await;
    }
    let world = existing_world(database.clone()).await;
    the_details_are_what_they_were(&world, &known).await;
    the_sealed_values_open(&world, &known).await;
    the_pages_show_it(&world, &known).await;
    database.close().await;
}

async fn a_backup_was_made_first(file: &Path) {
    let mode = std::fs::metadata(file).expect("it is there").permissions().mode() & 0o777;
    assert_eq!(mode, 0o600);
    let pending = ipack_storage::backup::check(file).await.expect("it is whole");
    assert!(pending > 0, "it is from before the migrations");
}

async fn existing_world(database: Database) -> World {
    World::builder(database).empty().oauth(|oauth| oauth.allowed.password_grant = true).build().await
}

/// Through the API, with the API token that the account had.
async fn the_details_are_what_they_were(world: &World, known: &Value) {
    let (username, token) = (text(&known["username"]), text(&known["token"]));
    let jwt = world.services.generate_jwt(ACCOUNT, &username, &token).await.expect("a JWT");
    let earlier = Tenant { space: SPACE.into(), username, token, jwt: text(&known["jwt"]) };
    let tenant = Tenant { jwt, ..earlier.clone() };
    for (key, details) in [(by_api(), BY_API.to_owned()), (key(), text(&known["details"]))] {
        let input = json!({"integrationPackInstanceId": key.instance, "envId": key.environment,
            "processId": key.process, "connectionId": key.connection, "catalogGuid": key.space});
        // The key that signs JWTs is the one that it was.
        for tenant in [&tenant, &earlier] {
            let reply = world.ask(tenant, FIND, json!({"input": input})).await;
            let found = reply.data("IPackInstanceOAuthConnectorDetails");
            assert_eq!(found["oauthConnectorDetails"], details);
        }
        if key.connection == "connection-1" {
            let reply = world.ask(&tenant, READ, json!({"input": input})).await;
            let read = reply.data("iPackInstanceOauthAccessToken");
            assert_eq!(
                (&read["accessToken"], &read["tokenType"]),
                (&known["access_token"], &json!("Bearer"))
            );
        }
    }
}

async fn the_sealed_values_open(world: &World, known: &Value) {
    let services = &world.services;
    let mut opened = Vec::new();
    for key in [key(), in_environment("env-2")] {
        for secret in secrets(world, &key).await {
            let place = SealContext { table: "client_secrets", row: secret.id.as_bytes(), column: "sealed" };
            opened.push(open_value(services, secret.data_key_version, place, &secret.sealed).await);
        }
    }
    opened.sort();
    let mut expected = [SECRET, SECRET, REPLACEMENT, PASSWORD];
    expected.sort_unstable();
    assert_eq!(opened, expected);
    let token = token(world, &key()).await.expect("a token");
    let place = SealContext { table: "tokens", row: token.id.as_bytes(), column: "refresh_token" };
    let refresh = token.refresh_token.expect("it has one");
    assert_eq!(open_value(services, token.data_key_version, place, &refresh).await, known["refresh_token"]);
    let attempt = read_now!(world.database, db => attempts::latest(db, &key())).expect("it was under way");
    let place = SealContext { table: "attempts", row: attempt.id.as_bytes(), column: "sealed" };
    let version = attempt.data_key_version.expect("it is sealed");
    let begun = open_value(services, version, place, &attempt.sealed.expect("it is sealed")).await;
    assert!(begun.contains(ANN), "{begun}");
}

async fn open_value(services: &Services, version: u32, place: SealContext<'_>, sealed: &[u8]) -> String {
    let mut reader = services.database.reader().await.expect("a connection is free");
    let opened = services.data_keys.open(reader.connection(), SPACE, version, place, sealed).await;
    opened.expect("it opens").expose_secret().to_owned()
}

/// In the browser that was signed in.
async fn the_pages_show_it(world: &World, known: &Value) {
    let mut browser = world.stranger();
    let cookies = known["cookies"].as_object().expect("cookies");
    browser.cookies = cookies.iter().map(|(name, value)| (name.clone(), text(value))).collect();
    let page = browser.get(&key().form_path()).await;
    for shown in [&format!("Saved by {ANN} "), &format!("{ANN} encrypted a replacement "), "got a token"] {
        page.assert_shows(shown);
    }
    assert_eq!(page.connector().rows("authorization"), ["audience=é"]);
    let suggested = page.elements().iter().any(|one| one.is("option", "value", "client-1"));
    assert!(suggested, "the client id was used before: {}", page.text());
    let page = browser.get(&in_environment("env-2").form_path()).await;
    assert_eq!(page.connector().value("content[client_id]"), TYPED);
    browser.get(&by_api().form_path()).await.assert_shows("API token runtime");
    let page = browser.get(&text(&known["attempt"])).await;
    assert!(page.header("refresh").is_some_and(|to| to.contains("/authorize?")), "{}", page.text());
    for list in ["/".to_owned(), instance_page()] {
        let page = browser.get(&list).await;
        for shown in ["connection-1", "Changed", "connection of the API", "No token"] {
            page.assert_shows(shown);
        }
    }
    browser.get("/").await.assert_shows("Draft");
    assert_eq!(attempt(world, &key()).await.map(|(status, _)| status).as_deref(), Some("opened"));
    assert_eq!(told(world, &key(), Kind::TokenExchanged).await.len(), 1);
}

fn text(value: &Value) -> String {
    value.as_str().expect("text").to_owned()
}

/// Fills a database by both doors; what a test cannot read from it is the answer.
async fn fill(world: &World) -> Value {
    let tenant = ipack_testing::flow::tenant(world, ACCOUNT, SPACE, true).await;
    let provider = Provider::start().await;
    let mut browser = world.browser(ANN).await;
    get_token(&mut browser, &key(), &provider).await;
    let saved = form(&mut browser, &key()).await;
    let page = browser.press(&saved, "add-authorization").await;
    browser.press(&page.connector().row("authorization", 0, "audience", "é"), "save").await;
    let changed = form(&mut browser, &key()).await;
    encrypt(&mut browser, changed, REPLACEMENT).await.assert_shows("encrypted a replacement");
    let began = begin(&mut browser, &key()).await;

    let other = in_environment("env-2");
    world.place(ACCOUNT, &other).await;
    let of_password = filled(form(&mut browser, &other).await, &provider);
    let of_password =
        provider_field(provider_field(of_password, "grant", "password"), "subject", "robot@example.com");
    let page = encrypt(&mut browser, of_password, SECRET).await;
    let page = browser.press(&page.connector().with("user_password", PASSWORD), "encrypt-password").await;
    browser.press(&page.connector().content("client_id", TYPED), "keep").await;

    let input = json!({"integrationPackInstanceId": by_api().instance, "envId": by_api().environment,
        "processId": by_api().process, "connectionId": by_api().connection, "catalogGuid": SPACE,
        "isTokenGenerated": false, "oauthConnectorDetails": BY_API, "clientId": "of the API",
        "clientSecret": "dummyClientSecret"});
    let save = "mutation ($input: SaveIPackInstanceOauthConnectorDetailsInput!) {
        saveIPackInstanceOauthConnectorDetails(input: $input) { isTokenGenerated } }";
    world.ask(&tenant, save, json!({"input": input})).await.data("saveIPackInstanceOauthConnectorDetails");
    let (details, _) = world.api_read(&key()).await.expect("saved");
    json!({"username": tenant.username, "token": tenant.token, "jwt": tenant.jwt, "details": details,
        "access_token": "access-2", "refresh_token": "refresh-2", "attempt": began.path,
        "cookies": browser.cookies})
}

async fn make_fixture(address: String) {
    let database = open(&address).await.expect("an empty database opens");
    let world = World::builder(database.clone()).ticking();
    let world = world.oauth(|oauth| oauth.allowed.password_grant = true).build().await;
    let known = fill(&world).await;
    database.close().await;
    let mut dump = match address.strip_prefix("sqlite://") {
        Some(file) => {
            let mut command = Command::new("sqlite3");
            command.args([file, ".dump"]);
            command
        }
        None => {
            let mut command = Command::new("pg_dump");
            command.args(["--inserts", "--no-owner", "--no-privileges", &address]);
            command
        }
    };
    let output = dump.output().expect("it runs");
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout).expect("text");
    // What only psql understands.
    let lines =
        text.lines().filter(|line| !line.starts_with("\\restrict") && !line.starts_with("\\unrestrict"));
    let lines: Vec<&str> = lines.collect();
    std::fs::write(fixture(&address), format!("-- {known}\n{}\n", lines.join("\n"))).expect("written");
}

#[test]
#[ignore = "writes the fixtures"]
fn make_sqlite() {
    on_empty("make_sqlite", DatabaseKind::Sqlite, |address| Box::pin(make_fixture(address)));
}

#[test]
#[ignore = "writes the fixtures"]
fn make_postgres() {
    on_empty("make_postgres", DatabaseKind::Postgres, |address| Box::pin(make_fixture(address)));
}
