//! An empty database for one test: a SQLite file in a folder of its own, or a PostgreSQL database of its own on
//! the server that `IPACK_TEST_POSTGRES` names.

use ipack_domain::effects::random_bytes;
use ipack_storage::{Database, open::open};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use std::{env, future::Future, panic::resume_unwind};
use tempfile::TempDir;
use uuid::Uuid;

/// The address of a PostgreSQL server on which tests may make databases.
pub const POSTGRES_VARIABLE: &str = "IPACK_TEST_POSTGRES";

/// A database that nobody has opened yet. It is there until [`Empty::remove`].
#[derive(Debug)]
pub struct Empty {
    address: String,
    keeper: Keeper,
}

#[derive(Debug)]
enum Keeper {
    Folder(TempDir),
    Server { address: String, name: String },
}

impl Empty {
    pub fn sqlite() -> Self {
        let folder = TempDir::with_prefix("ipack-test-").expect("a temporary folder can be made");
        let file = folder.path().join("test.db");
        let address = format!("sqlite://{}", file.to_str().expect("the temporary folder's name is text"));
        Self { address, keeper: Keeper::Folder(folder) }
    }

    /// # Panics
    /// Where no server is named, or the one named takes no new database.
    pub async fn postgres() -> Self {
        let server = env::var(POSTGRES_VARIABLE).unwrap_or_else(|_| {
            panic!("{POSTGRES_VARIABLE} is not set. `make test` starts a PostgreSQL server and sets it.")
        });
        let name = format!("ipack_test_{}", Uuid::from_bytes(random_bytes()).simple());
        on_server(&server, &format!("CREATE DATABASE {name}")).await;
        Self { address: with_database(&server, &name), keeper: Keeper::Server { address: server, name } }
    }

    pub fn address(&self) -> &str {
        &self.address
    }

    /// Removes the database, whoever is still connected to it.
    pub async fn remove(self) {
        match self.keeper {
            Keeper::Folder(folder) => folder.close().expect("the temporary folder can be removed"),
            Keeper::Server { address, name } => {
                on_server(&address, &format!("DROP DATABASE {name} WITH (FORCE)")).await;
            }
        }
    }
}

async fn on_server(address: &str, sql: &str) {
    let mut connection = PgConnection::connect(address)
        .await
        .unwrap_or_else(|error| panic!("{POSTGRES_VARIABLE} names no server that answers: {error}"));
    sqlx::query(AssertSqlSafe(sql.to_owned()))
        .execute(&mut connection)
        .await
        .unwrap_or_else(|error| panic!("{sql}: {error}"));
    connection.close().await.expect("the connection to the server closes");
}

/// The same server's address with another database in it.
fn with_database(server: &str, name: &str) -> String {
    let (address, options) = server.split_once('?').map_or((server, None), |(a, o)| (a, Some(o)));
    let scheme_end = address.find("://").map_or(0, |at| at + 3);
    let host_end = address[scheme_end..].find('/').map_or(address.len(), |at| scheme_end + at);
    let host = &address[..host_end];
    options.map_or_else(|| format!("{host}/{name}"), |options| format!("{host}/{name}?{options}"))
}

/// Runs a test on a database's address, and removes the database however the test ends.
pub async fn run<T>(empty: Empty, test: impl FnOnce(String) -> T)
where
    T: Future<Output = ()> + Send + 'static,
{
    let outcome = tokio::spawn(test(empty.address().to_owned())).await;
    empty.remove().await;
    if let Err(error) = outcome {
        resume_unwind(error.into_panic());
    }
}

/// Runs a test on an open database, and closes and removes it however the test ends.
pub async fn run_open<T>(empty: Empty, test: impl FnOnce(Database) -> T)
where
    T: Future<Output = ()> + Send + 'static,
{
    let database = open(empty.address()).await.expect("an empty database opens");
    let outcome = tokio::spawn(test(database.clone())).await;
    if outcome.is_ok() {
        database.close().await;
    }
    empty.remove().await;
    if let Err(error) = outcome {
        resume_unwind(error.into_panic());
    }
}

#[test]
fn another_database_of_the_same_server() {
    for (server, expected) in [
        ("postgres://me@127.0.0.1:5499/postgres", "postgres://me@127.0.0.1:5499/new"),
        ("postgres://127.0.0.1", "postgres://127.0.0.1/new"),
        ("postgresql://me:pw@h/a?sslmode=disable", "postgresql://me:pw@h/new?sslmode=disable"),
    ] {
        assert_eq!(with_database(server, "new"), expected);
    }
}
