//! Somebody else holds the database's write lock: reading goes on, what would write is answered in a bounded time, and
//! nothing that was typed is lost.

use crate::faults::server::{find_variables, save_variables};
use axum::{
    body::Body,
    http::{Method, StatusCode},
};
use ipack_domain::ids::ConnectionKey;
use ipack_storage::open::open;
use ipack_testing::{
    browser::{Browser, Page, call, encode, get},
    databases,
    sample::{FIND, SAVE},
    world::{ANN, BEN, PASSWORD, World, key},
};
use sqlx::{Connection, PgConnection, SqliteConnection};
use std::time::{Duration, Instant};

on_both!(empty: f05_while_somebody_holds_the_lock_reading_goes_on_and_a_write_ends_in_503);

/// What a write may take while the lock is held: what it waits, and a slow machine.
const BOUNDED: Duration = Duration::from_secs(8);

/// Holds what every write needs until it is dropped; reading is free.
enum Lock {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

impl Lock {
    async fn take(address: &str) -> Self {
        if address.starts_with("sqlite") {
            let mut connection = SqliteConnection::connect(address).await.expect("it opens");
            sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut connection).await.expect("nobody else has it");
            return Self::Sqlite(connection);
        }
        let mut connection = PgConnection::connect(address).await.expect("it opens");
        let lock = "BEGIN; LOCK TABLE sessions, drafts, connections, connector_details, timeline,
                 _sqlx_migrations IN SHARE MODE";
        sqlx::raw_sql(lock).execute(&mut connection).await.expect("nobody else has it");
        Self::Postgres(connection)
    }

    async fn give_back(self) {
        match self {
            Self::Sqlite(connection) => connection.close().await.expect("it closes"),
            Self::Postgres(connection) => connection.close().await.expect("it closes"),
        }
    }
}

fn assert_unavailable(page: &Page) {
    assert_eq!(page.status, StatusCode::SERVICE_UNAVAILABLE, "{}", page.text());
    assert_eq!(page.header("retry-after"), Some("5"));
}

async fn f05_while_somebody_holds_the_lock_reading_goes_on_and_a_write_ends_in_503(address: String) {
    let world = World::new(open(&address).await.expect("it opens")).await;
    let tenant = world.another_token("account-1", "space-1").await;
    let mut browser = world.browser(ANN).await;
    let form = browser.get(&key().form_path()).await.connector();
    let lock = Lock::take(&address).await;
    // Late enough that the session's last use is to be written.
    world.advance(60);

    let begun = Instant::now();
    let page = browser.get(&key().form_path()).await;
    assert_eq!(page.status, 200, "{}", page.text());
    assert_eq!(browser.get("/").await.heading(), "Installed integrations");
    assert_eq!(world.generate_jwt("account-1", &tenant.username, &tenant.token).await.status, 200);
    let mut variables = find_variables(0);
    variables["input"]["catalogGuid"] = "space-1".into();
    assert_eq!(world.ask(&tenant, FIND, variables).await.status, 200);
    assert!(begun.elapsed() < Duration::from_secs(4), "reading took {:?}", begun.elapsed());
    assert_eq!(plain(&mut browser, "/readyz/read").await.status, 200);

    let begun = Instant::now();
    let typed = form.content("base_url", "https://typed.example").with("client_secret", "canary");
    let typed = typed.row("authorization", 0, "typed-key", "typed & value");
    let (mut posting, mut calling) = (browser.clone(), browser.clone());
    let (mut signing_in, mut asking) = (world.stranger(), world.stranger());
    let mut keep = typed.fields.clone();
    keep.push(("intent".into(), "keep".into()));
    let call = call(Method::POST, "/api/connector").body(Body::from(encode(&keep))).expect("a request");
    let mut variables = save_variables(0);
    variables["input"]["catalogGuid"] = "space-1".into();
    let (page, called, signed_in, saved, ready) = tokio::join!(
        posting.press_only(&typed, "save"),
        calling.send(call),
        signing_in.sign_in(BEN, PASSWORD),
        world.ask(&tenant, SAVE, variables.clone()),
        plain(&mut asking, "/readyz"),
    );
    assert!(begun.elapsed() < BOUNDED, "it took {:?}", begun.elapsed());

    assert_unavailable(&page);
    assert_eq!(page.heading(), "Not saved");
    let again = page.connector();
    assert_eq!(again.value("content[base_url]"), "https://typed.example");
    assert_eq!(again.rows("authorization"), ["typed-key=typed & value"]);
    assert_eq!((again.value("intent"), again.value("client_secret")), ("save", ""));
    assert!(!page.text().contains("canary"));
    // It shows what was typed, and the secret that is missing; what is empty goes along unseen.
    let labels: Vec<String> =
        page.elements().into_iter().filter(|one| one.name == "label").map(|one| one.text).collect();
    assert_eq!(
        labels,
        ["Base URL", "Authorization Parameters key 1", "Authorization Parameters value 1", "Client Secret"]
    );
    page.assert_shows("What you typed is on this page and nowhere else, but for the secret: enter it again.");
    assert!(page.text().contains("rel=\"stylesheet\""), "it looks like every other page");
    assert!(
        typed
            .fields
            .iter()
            .filter(|(name, _)| name != "client_secret")
            .all(|field| again.fields.contains(field))
    );

    assert_unavailable(&called);
    assert!(called.text().contains("TEMPORARILY_UNAVAILABLE"), "{}", called.text());

    assert_unavailable(&signed_in);
    assert_eq!(signed_in.form("/login").value("email"), BEN);
    assert!(!signed_in.text().contains(PASSWORD));

    assert_eq!(
        (saved.status, saved.code()),
        (StatusCode::SERVICE_UNAVAILABLE, "TEMPORARILY_UNAVAILABLE".into())
    );

    assert_unavailable(&ready);
    assert!(ready.text().contains("cannot be written to: somebody holds it"), "{}", ready.text());
    assert_eq!(plain(&mut asking, "/healthz").await.status, 200);

    lock.give_back().await;
    let page = posting.press(&again, "").await;
    assert_eq!(
        (page.status, page.connector().value("content[base_url]")),
        (StatusCode::OK, "https://typed.example")
    );
    assert_eq!(world.ask(&tenant, SAVE, variables).await.json().get("errors"), None);
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(plain(&mut asking, "/readyz").await.status, 200);
    assert_eq!(signing_in.sign_in(BEN, PASSWORD).await.heading(), "Installed integrations");
    world.database.close().await;
}

#[test]
fn f05_a_row_that_somebody_holds_takes_no_other_connector_down() {
    let name = "f05_a_row_that_somebody_holds_takes_no_other_connector_down";
    databases::on_empty(name, databases::Kind::Postgres, |address| Box::pin(hold_a_row(address)));
}

async fn hold_a_row(address: String) {
    let world = World::new(open(&address).await.expect("it opens")).await;
    let (held, free) = (key(), ConnectionKey { connection: "connection-2".into(), ..key() });
    for key in [&held, &free] {
        world.api_save(key, "{}", "first").await;
    }
    let mut holder = PgConnection::connect(&address).await.expect("it opens");
    let hold = "BEGIN; SELECT 1 FROM connector_details WHERE connection_id = 'connection-1' FOR UPDATE";
    sqlx::raw_sql(hold).execute(&mut holder).await.expect("nobody else has it");
    // More than there are connections.
    let waiting = futures::future::join_all((0..40).map(|_| world.api_save(&held, "{}", "second")));
    let others = async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        let begun = Instant::now();
        for number in 0..10 {
            world.api_save(&free, "{}", &format!("save {number}")).await;
        }
        assert!(begun.elapsed() < Duration::from_secs(2), "they waited for {:?}", begun.elapsed());
        holder.close().await.expect("it closes");
    };
    futures::future::join(waiting, others).await;
    world.database.close().await;
}

/// As a load balancer asks.
async fn plain(browser: &mut Browser, path: &str) -> Page {
    browser.send(get(path).body(Body::empty()).expect("a request")).await
}
