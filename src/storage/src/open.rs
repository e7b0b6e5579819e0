//! Opening the database: from its address to a migrated [`Database`] whose settings are known to hold.

pub mod examine;
pub(crate) mod postgres;
pub(crate) mod sqlite;

use crate::{
    Connection, Database, StorageError,
    data_keys::{self, MasterKeyRow},
};
use examine::Unusable;
use sqlx::{
    ConnectOptions, Connection as _, PgConnection, migrate::MigrateError, postgres::PgConnectOptions,
    sqlite::SqliteConnectOptions,
};
use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    str::FromStr,
    time::Duration,
};

/// Whoever asks waits for so long for a connection.
pub(crate) const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);
const SLOW_STATEMENT: Duration = Duration::from_secs(1);
/// So many connections a server has to PostgreSQL, unless it is told otherwise.
pub const POSTGRES_CONNECTIONS: u32 = 16;

#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("{0:?} is not a database address; it starts with sqlite:// or postgres://")]
    Address(String),
    #[error("the folder of the database cannot be made: {0}")]
    Folder(#[source] std::io::Error),
    #[error("the file of the database cannot be opened: {0}")]
    File(#[source] std::io::Error),
    #[error("{place} is not opened: {why}. Nothing was changed.")]
    Unusable { place: String, why: Unusable },
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
    open_with(address, POSTGRES_CONNECTIONS).await
}

/// As [`open`], with another number of connections to PostgreSQL.
pub async fn open_with(address: &str, postgres_connections: u32) -> Result<Database, OpenError> {
    if address.starts_with("sqlite:") {
        sqlite::open(address).await
    } else if address.starts_with("postgres:") || address.starts_with("postgresql:") {
        postgres::open(address, postgres_connections).await
    } else {
        Err(unknown_address(address))
    }
}

/// The file's name with something behind it.
pub(crate) fn beside(file: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(file);
    name.push(suffix);
    name.into()
}

/// Without what follows the scheme: there may be a password in it.
fn unknown_address(address: &str) -> OpenError {
    OpenError::Address(address.split(':').next().unwrap_or_default().to_owned())
}

/// The master keys that a database knows, asked without changing anything; none where there is no database yet, or one
/// from before there were keys.
///
/// # Errors
/// Where the database is there and cannot be asked.
pub async fn known_master_keys(address: &str) -> Result<Vec<MasterKeyRow>, OpenError> {
    if address.starts_with("sqlite:") {
        let options =
            SqliteConnectOptions::from_str(address)?.read_only(true).busy_timeout(sqlite::BUSY_TIMEOUT);
        if !options.get_filename().exists() {
            return Ok(Vec::new());
        }
        sqlite::examine(options.get_filename()).await?;
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
    let (mut connection, _) = examined_postgres(address).await?;
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

/// How many migrations the database at an address lacks, asked without changing anything; all of them where there is none.
///
/// # Errors
/// Where it cannot be reached, or is not this program's.
pub async fn pending_migrations(address: &str) -> Result<usize, OpenError> {
    if address.starts_with("sqlite:") {
        let options = SqliteConnectOptions::from_str(address)?;
        return match options.get_filename() {
            file if file.exists() => sqlite::examine(file).await,
            _ => Ok(sqlite::MIGRATIONS.iter().count()),
        };
    }
    let (connection, pending) = examined_postgres(address).await?;
    connection.close().await?;
    Ok(pending)
}

/// A connection to PostgreSQL's database at an address, and how many migrations that lacks.
async fn examined_postgres(address: &str) -> Result<(PgConnection, usize), OpenError> {
    if !address.starts_with("postgres:") && !address.starts_with("postgresql:") {
        return Err(unknown_address(address));
    }
    let options = PgConnectOptions::from_str(address)?;
    let mut connection = postgres::connect(&options).await?;
    let pending = postgres::examine(&options, &mut connection).await?;
    Ok((connection, pending))
}

#[cfg(test)]
mod tests {
    use super::*;
    use sqlx::migrate::Migrator;

    #[test]
    fn both_databases_have_the_same_migrations() {
        let names = |migrator: &'static Migrator| -> Vec<_> {
            migrator.iter().map(|m| (m.version, &m.description)).collect()
        };
        assert_eq!(names(&sqlite::MIGRATIONS), names(&postgres::MIGRATIONS));
    }

    #[tokio::test]
    async fn a_postgres_that_is_not_there_is_named_at_once() {
        let begun = std::time::Instant::now();
        let error = open("postgres://u:hush@127.0.0.1:1/db").await.expect_err("nobody listens").to_string();
        assert!(begun.elapsed() < postgres::CONNECT_TIMEOUT, "it waits for {:?}", begun.elapsed());
        assert!(error.contains("PostgreSQL at 127.0.0.1:1") && !error.contains("hush"), "{error}");
    }

    #[tokio::test]
    async fn an_unknown_address_is_named_without_its_password() {
        let error = open("mysql://u:hush@h/db").await.expect_err("unknown scheme").to_string();
        assert!(error.contains("mysql") && !error.contains("hush"), "{error}");
    }
}
