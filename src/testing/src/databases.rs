//! A database for one test: a SQLite file in a folder of its own, or a PostgreSQL database of its own on the server that
//! `IPACK_TEST_POSTGRES` names.
//!
//! Migrations run once: a test's database is a copy of one that was migrated, unless it is to be empty.

use crate::logs;
use ipack_domain::effects::random_bytes;
use ipack_storage::{Database, open::open};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use std::{
    env, fs,
    future::Future,
    hash::{DefaultHasher, Hash, Hasher},
    io::Write as _,
    os::unix::fs::OpenOptionsExt,
    panic::resume_unwind,
    path::Path,
    pin::Pin,
};
use tempfile::TempDir;
use tokio::sync::{OnceCell, Semaphore, SemaphorePermit};
use uuid::Uuid;

/// The address of a PostgreSQL server on which tests may make databases.
pub const POSTGRES_VARIABLE: &str = "IPACK_TEST_POSTGRES";

/// So many tests of one process use PostgreSQL at once: each may open a pool or two of 16 connections.
const POSTGRES_AT_ONCE: usize = 6;
static POSTGRES_TURN: Semaphore = Semaphore::const_new(POSTGRES_AT_ONCE);

/// The bytes of a migrated SQLite file.
static SQLITE_TEMPLATE: OnceCell<Vec<u8>> = OnceCell::const_new();
/// The name of a migrated PostgreSQL database.
static POSTGRES_TEMPLATE: OnceCell<String> = OnceCell::const_new();

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Sqlite,
    Postgres,
}

/// A database that nobody has opened yet. It is there until [`TestDatabase::remove`].
#[derive(Debug)]
pub struct TestDatabase {
    address: String,
    keeper: Keeper,
}

#[derive(Debug)]
enum Keeper {
    Folder(TempDir),
    Server { address: String, name: String, _turn: SemaphorePermit<'static> },
}

impl TestDatabase {
    /// One without any table.
    pub async fn empty(kind: Kind) -> Self {
        match kind {
            Kind::Sqlite => Self::in_a_folder(),
            Kind::Postgres => Self::on_a_server("template1").await,
        }
    }

    /// One that has every migration.
    pub async fn migrated(kind: Kind) -> Self {
        match kind {
            Kind::Sqlite => {
                let template = SQLITE_TEMPLATE.get_or_init(sqlite_template).await;
                let database = Self::in_a_folder();
                let file = fs::File::options().create_new(true).write(true).mode(0o600).open(database.file());
                file.and_then(|mut file| file.write_all(template)).expect("the template is copied");
                database
            }
            Kind::Postgres => Self::on_a_server(POSTGRES_TEMPLATE.get_or_init(postgres_template).await).await,
        }
    }

    fn in_a_folder() -> Self {
        let folder = TempDir::with_prefix("ipack-test-").expect("a temporary folder can be made");
        let file = folder.path().join("test.db");
        let address = format!("sqlite://{}", file.to_str().expect("the temporary folder's name is text"));
        Self { address, keeper: Keeper::Folder(folder) }
    }

    async fn on_a_server(template: &str) -> Self {
        let turn = POSTGRES_TURN.acquire().await.expect("the semaphore is never closed");
        let server = postgres_server();
        let name = format!("ipack_test_{}", Uuid::from_bytes(random_bytes()).simple());
        on_server(&server, &format!("CREATE DATABASE {name} TEMPLATE {template}")).await;
        let address = with_database(&server, &name);
        Self { address, keeper: Keeper::Server { address: server, name, _turn: turn } }
    }

    pub fn address(&self) -> &str {
        &self.address
    }

    fn file(&self) -> &Path {
        Path::new(self.address.trim_start_matches("sqlite://"))
    }

    /// Removes the database, whoever is still connected to it.
    pub async fn remove(self) {
        match self.keeper {
            Keeper::Folder(folder) => folder.close().expect("the temporary folder can be removed"),
            Keeper::Server { address, name, .. } => {
                on_server(&address, &format!("DROP DATABASE {name} WITH (FORCE)")).await;
            }
        }
    }
}

async fn migrate(address: &str) {
    open(address).await.expect("an empty database opens").close().await;
}

async fn sqlite_template() -> Vec<u8> {
    let database = TestDatabase::in_a_folder();
    migrate(database.address()).await;
    assert!(!database.file().with_extension("db-wal").exists(), "closing writes everything into the file");
    let bytes = fs::read(database.file()).expect("the file can be read");
    database.remove().await;
    bytes
}

/// The template stays on its server, so that a run of many processes migrates once. Its name has the migrations'
/// checksums in it.
async fn postgres_template() -> String {
    let server = postgres_server();
    let name = format!("ipack_template_{}", migrations_checksum());
    let mut connection = connect(&server).await;
    let is_there = "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)";
    let is_there: bool =
        sqlx::query_scalar(is_there).bind(&name).fetch_one(&mut connection).await.expect("it is known");
    connection.close().await.expect("the connection to the server closes");
    if !is_there {
        // Made under another name, so that nobody copies half of it.
        let making = format!("ipack_making_{}", Uuid::from_bytes(random_bytes()).simple());
        on_server(&server, &format!("CREATE DATABASE {making}")).await;
        migrate(&with_database(&server, &making)).await;
        if let Err(error) = try_on_server(&server, &format!("ALTER DATABASE {making} RENAME TO {name}")).await
        {
            // Another process was first.
            let code = error.as_database_error().and_then(|error| error.code().map(|code| code.into_owned()));
            assert_eq!(code.as_deref(), Some("42P04"), "{error}");
            on_server(&server, &format!("DROP DATABASE {making} WITH (FORCE)")).await;
        }
    }
    name
}

fn migrations_checksum() -> String {
    let mut hasher = DefaultHasher::new();
    for migration in sqlx::migrate!("../../migrations/postgres").iter() {
        migration.checksum.hash(&mut hasher);
    }
    format!("{:016x}", hasher.finish())
}

fn postgres_server() -> String {
    env::var(POSTGRES_VARIABLE).unwrap_or_else(|_| {
        panic!("{POSTGRES_VARIABLE} is not set. `make test` starts a PostgreSQL server and sets it.")
    })
}

async fn connect(address: &str) -> PgConnection {
    PgConnection::connect(address)
        .await
        .unwrap_or_else(|error| panic!("{POSTGRES_VARIABLE} names no server that answers: {error}"))
}

async fn try_on_server(address: &str, sql: &str) -> Result<(), sqlx::Error> {
    let mut connection = connect(address).await;
    let done = sqlx::query(AssertSqlSafe(sql.to_owned())).execute(&mut connection).await;
    connection.close().await.expect("the connection to the server closes");
    done.map(drop)
}

async fn on_server(address: &str, sql: &str) {
    try_on_server(address, sql).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
}

/// The same server's address with another database in it.
fn with_database(server: &str, name: &str) -> String {
    let (address, options) = server.split_once('?').map_or((server, None), |(a, o)| (a, Some(o)));
    let scheme_end = address.find("://").map_or(0, |at| at + 3);
    let host_end = address[scheme_end..].find('/').map_or(address.len(), |at| scheme_end + at);
    let host = &address[..host_end];
    options.map_or_else(|| format!("{host}/{name}"), |options| format!("{host}/{name}?{options}"))
}

type Test = Pin<Box<dyn Future<Output = ()> + Send>>;

/// On threads that are named after the test, so that a panic tells whose it is.
fn block_on(name: &str, work: impl Future<Output = ()>) {
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = runtime.worker_threads(2).thread_name(name).enable_all().build();
    runtime.expect("a runtime starts").block_on(work);
}

/// Runs a test on a migrated database, and closes and removes it however the test ends.
pub fn on_open(name: &str, kind: Kind, test: fn(Database) -> Test) {
    block_on(name, async {
        let made = TestDatabase::migrated(kind).await;
        let database = open(made.address()).await.expect("a migrated database opens");
        let outcome = tokio::spawn(test(database.clone())).await;
        if outcome.is_ok() {
            database.close().await;
        }
        made.remove().await;
        if let Err(error) = outcome {
            resume_unwind(error.into_panic());
        }
    });
}

/// As [`on_open`], in a process of its own.
pub fn on_open_alone(name: &str, kind: Kind, test: fn(Database) -> Test) {
    logs::alone(name, || on_open(name, kind, test));
}

/// Runs a test on the address of an empty database, and removes that however the test ends.
pub fn on_empty(name: &str, kind: Kind, test: fn(String) -> Test) {
    block_on(name, async {
        let made = TestDatabase::empty(kind).await;
        let outcome = tokio::spawn(test(made.address().to_owned())).await;
        made.remove().await;
        if let Err(error) = outcome {
            resume_unwind(error.into_panic());
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
