//! Opening the database: from its address to a migrated [`Database`] whose settings are known to hold.

use crate::{
    Connection, Database, StorageError, Writer,
    data_keys::{self, MasterKeyRow},
    group_commit::WriteQueue,
};
use sqlx::{
    AssertSqlSafe, ConnectOptions, Connection as _, PgConnection, SqliteConnection,
    migrate::{MigrateError, Migrator},
    postgres::{PgConnectOptions, PgPoolOptions},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use std::{
    fs::{DirBuilder, File},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    str::FromStr,
    time::Duration,
};

static SQLITE: Migrator = sqlx::migrate!("../../migrations/sqlite");
static POSTGRES: Migrator = sqlx::migrate!("../../migrations/postgres");

/// Older versions can corrupt a WAL database when two connections checkpoint at once.
const SQLITE_AT_LEAST: [u32; 3] = [3, 51, 3];
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(10);
const SQLITE_READERS: u32 = 4;
const POSTGRES_CONNECTIONS: u32 = 16;

#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("{0:?} is not a database address; it starts with sqlite:// or postgres://")]
    Address(String),
    #[error("the folder of the database cannot be made: {0}")]
    Folder(#[source] std::io::Error),
    #[error("the file of the database cannot be opened: {0}")]
    File(#[source] std::io::Error),
    #[error("the lock beside the database cannot be taken: {0}")]
    Lock(#[source] std::io::Error),
    #[error("PostgreSQL at {place} cannot be reached: {why}")]
    Unreachable { place: String, why: String },
    #[error("the database cannot be opened: {0}")]
    Connect(#[from] sqlx::Error),
    #[error("the database cannot be brought up to date: {0}")]
    Migrate(#[from] MigrateError),
    #[error("waiting for the database failed: {0}")]
    Storage(#[from] StorageError),
}

/// Opens the database and brings it up to date. Two programs that start together do that one after the other.
pub async fn open(address: &str) -> Result<Database, OpenError> {
    if address.starts_with("sqlite:") {
        open_sqlite(address).await
    } else if address.starts_with("postgres:") || address.starts_with("postgresql:") {
        open_postgres(address).await
    } else {
        Err(unknown_address(address))
    }
}

/// Without what follows the scheme: there may be a password in it.
fn unknown_address(address: &str) -> OpenError {
    OpenError::Address(address.split(':').next().unwrap_or_default().to_owned())
}

async fn open_sqlite(address: &str) -> Result<Database, OpenError> {
    let options = SqliteConnectOptions::from_str(address)?
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(BUSY_TIMEOUT)
        .pragma("temp_store", "memory")
        .log_slow_statements(tracing::log::LevelFilter::Warn, Duration::from_secs(1));
    let file = options.get_filename().to_owned();
    if let Some(folder) = file.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(OpenError::Folder)?;
    }
    // sqlx takes no lock on SQLite while it migrates; closing the file gives this one back.
    let lock = take_lock(file.with_extension("lock")).await?;
    // SQLite gives the files beside the database its mode. A file that is there is let be: closing it would give back
    // the locks that SQLite has on it in this process.
    if !file.exists() {
        private_file(&file).map_err(OpenError::File)?;
    }
    let pool = |size: u32| {
        SqlitePoolOptions::new()
            .max_connections(size)
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .test_before_acquire(false)
            .idle_timeout(None)
            .max_lifetime(None)
            .after_connect(|connection, _| Box::pin(check_sqlite(connection)))
    };
    let writer = pool(1).connect_with(options.clone()).await?;
    SQLITE.run(&writer).await?;
    let readers = pool(SQLITE_READERS).connect_with(options).await?;
    drop(lock);
    let queue = WriteQueue::start(writer.clone());
    Ok(Database::Sqlite { readers, writer, queue })
}

async fn take_lock(path: PathBuf) -> Result<File, OpenError> {
    let lock = move || {
        let file = private_file(&path)?;
        file.lock()?;
        Ok(file)
    };
    tokio::task::spawn_blocking(lock).await.map_err(std::io::Error::other).flatten().map_err(OpenError::Lock)
}

/// Opens a file, which nobody else may read where it is new.
fn private_file(path: &Path) -> std::io::Result<File> {
    File::options().create(true).truncate(false).write(true).mode(0o600).open(path)
}

/// Refuses a connection whose settings are not what durability and references rest on.
async fn check_sqlite(connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    let version: String = sqlx::query_scalar("SELECT sqlite_version()").fetch_one(&mut *connection).await?;
    if !is_at_least(&version, SQLITE_AT_LEAST) {
        return Err(sqlx::Error::Configuration(format!("SQLite {version} is too old").into()));
    }
    for (pragma, expected) in
        [("journal_mode", "wal"), ("synchronous", "2"), ("foreign_keys", "1"), ("busy_timeout", "5000")]
    {
        // Pragmas answer text or an integer; all of them cast.
        let sql = format!(
            "SELECT CAST({column} AS TEXT) FROM pragma_{pragma}",
            column = if pragma == "busy_timeout" { "timeout" } else { pragma }
        );
        let actual: String = sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(&mut *connection).await?;
        if actual != expected {
            let message = format!("SQLite's {pragma} is {actual}, not {expected}");
            return Err(sqlx::Error::Configuration(message.into()));
        }
    }
    Ok(())
}

fn is_at_least(version: &str, least: [u32; 3]) -> bool {
    let mut parts = version.split('.').map(|part| part.parse::<u32>().unwrap_or(0));
    let version = [0; 3].map(|_: u32| parts.next().unwrap_or(0));
    version >= least
}

async fn open_postgres(address: &str) -> Result<Database, OpenError> {
    let options = PgConnectOptions::from_str(address)?
        .log_slow_statements(tracing::log::LevelFilter::Warn, Duration::from_secs(1));
    // The pool would try again and again, and then say only that it took too long.
    connect_postgres(&options).await?.close().await?;
    let pool = PgPoolOptions::new()
        .max_connections(POSTGRES_CONNECTIONS)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .connect_with(options)
        .await?;
    // Under an advisory lock, taken by sqlx.
    POSTGRES.run(&pool).await?;
    Ok(Database::Postgres(pool))
}

async fn connect_postgres(options: &PgConnectOptions) -> Result<PgConnection, OpenError> {
    let unreachable = |why: String| OpenError::Unreachable {
        place: format!("{}:{}", options.get_host(), options.get_port()),
        why,
    };
    match tokio::time::timeout(CONNECT_TIMEOUT, options.connect()).await {
        Ok(Ok(connection)) => Ok(connection),
        Ok(Err(error)) => Err(unreachable(error.to_string())),
        Err(_) => Err(unreachable(format!("no answer in {} seconds", CONNECT_TIMEOUT.as_secs()))),
    }
}

/// The master keys that a database knows, asked without changing anything; none where there is no database yet, or one
/// from before there were keys.
///
/// # Errors
/// Where the database is there and cannot be asked.
pub async fn known_master_keys(address: &str) -> Result<Vec<MasterKeyRow>, OpenError> {
    if address.starts_with("sqlite:") {
        let options = SqliteConnectOptions::from_str(address)?.read_only(true).busy_timeout(BUSY_TIMEOUT);
        if !options.get_filename().exists() {
            return Ok(Vec::new());
        }
        let mut connection = options.connect().await?;
        let table = "SELECT COUNT(*) FROM sqlite_schema WHERE name = 'master_keys'";
        let is_there: i64 = sqlx::query_scalar(table).fetch_one(&mut connection).await?;
        let known = match is_there {
            0 => Vec::new(),
            _ => data_keys::master_keys(Connection::Sqlite(&mut connection)).await?,
        };
        connection.close().await?;
        return Ok(known);
    }
    if !address.starts_with("postgres:") && !address.starts_with("postgresql:") {
        return Err(unknown_address(address));
    }
    let mut connection = connect_postgres(&PgConnectOptions::from_str(address)?).await?;
    let is_there: bool = sqlx::query_scalar("SELECT to_regclass('master_keys') IS NOT NULL")
        .fetch_one(&mut connection)
        .await?;
    let known = match is_there {
        false => Vec::new(),
        true => data_keys::master_keys(Connection::Postgres(&mut connection)).await?,
    };
    connection.close().await?;
    Ok(known)
}

impl Database {
    /// Whether the database can be read and written and has every migration of this program. Each call writes, and waits
    /// for the disk.
    pub async fn is_ready(&self) -> Result<bool, StorageError> {
        let sql = "SELECT COUNT(*) FROM _sqlx_migrations WHERE success";
        let (applied, expected): (i64, _) = match self {
            Self::Sqlite { readers, .. } => {
                (sqlx::query_scalar(sql).fetch_one(readers).await?, SQLITE.iter().count())
            }
            Self::Postgres(pool) => (sqlx::query_scalar(sql).fetch_one(pool).await?, POSTGRES.iter().count()),
        };
        self.write(async |mut db: Writer| match db.lend() {
            // It writes its page even where the number stays the same.
            Connection::Sqlite(executor) => {
                sqlx::raw_sql("PRAGMA user_version = 0").execute(executor).await?;
                Ok::<_, StorageError>(())
            }
            Connection::Postgres(executor) => {
                let sql = "UPDATE _sqlx_migrations SET success = success
                     WHERE version = (SELECT MAX(version) FROM _sqlx_migrations)";
                sqlx::query(sql).execute(executor).await?;
                Ok(())
            }
        })
        .await?;
        Ok(usize::try_from(applied).is_ok_and(|applied| applied >= expected))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_by_number() {
        for (version, fine) in
            [("3.51.3", true), ("3.51.2", false), ("3.60.0", true), ("3.9.9", false), ("4.0", true)]
        {
            assert_eq!(is_at_least(version, SQLITE_AT_LEAST), fine, "{version}");
        }
    }

    #[test]
    fn both_databases_have_the_same_migrations() {
        let names = |migrator: &'static Migrator| -> Vec<_> {
            migrator.iter().map(|m| (m.version, &m.description)).collect()
        };
        assert_eq!(names(&SQLITE), names(&POSTGRES));
    }

    #[tokio::test]
    async fn a_postgres_that_is_not_there_is_named_at_once() {
        let begun = std::time::Instant::now();
        let error = open("postgres://u:hush@127.0.0.1:1/db").await.expect_err("nobody listens").to_string();
        assert!(begun.elapsed() < CONNECT_TIMEOUT, "it waits for {:?}", begun.elapsed());
        assert!(error.contains("PostgreSQL at 127.0.0.1:1") && !error.contains("hush"), "{error}");
    }

    #[tokio::test]
    async fn an_unknown_address_is_named_without_its_password() {
        let error = open("mysql://u:hush@h/db").await.expect_err("unknown scheme").to_string();
        assert!(error.contains("mysql") && !error.contains("hush"), "{error}");
    }
}
