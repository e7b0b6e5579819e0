//! Where everything is written: one file per aggregate, each statement written once for SQLite and PostgreSQL.
//!
//! A repository function takes a [`Connection`], which is one of the two drivers', and runs its statement
//! through [`on_connection!`]. The same SQL text and the same row struct serve both: `$1` parameters,
//! `ON CONFLICT … DO UPDATE`, `RETURNING`; a `TwoTexts` where that cannot be. Reads borrow a [`Reader`]; a write is a
//! closure that [`Database::write`] runs in a transaction, or a statement that [`Database::write_statement`] runs alone.
//! What a column is in the program (a moment, a variant, JSON) is its field's
//! type, read as [`columns`] has it.
//!
//! To add an aggregate: a migration with the same file name for both databases (`migrations/README.md` has the policy), a
//! file here with its functions, and its contract in `tests/contract`, which runs on both.

pub mod accounts;
pub mod admins;
pub mod api_tokens;
pub mod attempts;
pub mod audit_log;
pub mod backup;
pub mod carried_forms;
pub mod client_secrets;
pub mod columns;
pub mod data_keys;
pub mod details;
pub mod drafts;
pub mod environments;
pub mod group_commit;
pub mod instances;
pub mod lines;
pub mod open;
pub mod overview;
pub mod packs;
pub mod read_pool;
mod readiness;
pub mod revocations;
pub mod saves;
pub mod sessions;
pub mod signing_keys;
pub mod suggestions;
pub mod tokens;
pub mod write;

pub use write::Writer;

use group_commit::WriteQueue;
use open::postgres::Pooled;
use read_pool::{ReadConnection, ReadPool};
use sqlx::{
    PgConnection, PgPool, SqliteConnection, SqlitePool, postgres::PgDatabaseError, sqlite::SqliteError,
};
use std::time::Duration;

/// The database, open and migrated.
#[derive(Debug, Clone)]
pub enum Database {
    /// SQLite has one writer; readers do not wait for it.
    Sqlite {
        readers: ReadPool,
        writer: SqlitePool,
        queue: WriteQueue,
    },
    Postgres(PgPool),
}

/// A connection for reading.
#[derive(Debug)]
pub enum Reader {
    Sqlite(ReadConnection),
    Postgres(Pooled),
}

/// What a repository function runs its statement on.
#[derive(Debug)]
pub enum Connection<'c> {
    Sqlite(&'c mut SqliteConnection),
    Postgres(&'c mut PgConnection),
}

impl Connection<'_> {
    /// Lends the connection for one statement.
    pub fn lend(&mut self) -> Connection<'_> {
        match self {
            Self::Sqlite(connection) => Connection::Sqlite(connection),
            Self::Postgres(connection) => Connection::Postgres(connection),
        }
    }
}

/// A statement that the two databases do not understand in the same words.
#[derive(Debug, Default)]
pub(crate) struct TwoTexts {
    pub sqlite: String,
    pub postgres: String,
}

impl TwoTexts {
    pub(crate) fn on(&'static self, connection: &Connection<'_>) -> &'static str {
        match connection {
            Connection::Sqlite(_) => &self.sqlite,
            Connection::Postgres(_) => &self.postgres,
        }
    }
}

/// What storage can answer beside rows.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// The database is there but did not take the work in time: locked, or no connection free.
    #[error("the database is busy: {0}")]
    Busy(#[source] sqlx::Error),
    /// The database undid the transaction for the sake of another (deadlock, serialization): it can begin again.
    #[error("undone for the sake of another: {0}")]
    Undone(#[source] sqlx::Error),
    /// A row with this key exists already.
    #[error("already there")]
    Exists,
    /// A row that this one refers to does not exist, or one that refers to it still does.
    #[error("a reference does not hold")]
    Reference,
    /// The database cannot write or be reached: a full disk, an I/O error, a server that stopped.
    #[error("the database fails: {0}")]
    Failing(#[source] sqlx::Error),
    #[error(transparent)]
    Database(sqlx::Error),
    /// A stored value that no version of this program writes.
    #[error("a stored {0} cannot be read")]
    Corrupt(String),
}

impl From<sqlx::Error> for StorageError {
    fn from(error: sqlx::Error) -> Self {
        let inner = match &error {
            sqlx::Error::PoolTimedOut => return Self::Busy(error),
            sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed => return Self::Failing(error),
            sqlx::Error::ColumnDecode { index, .. } => return Self::Corrupt(index.replace('"', "")),
            sqlx::Error::Database(inner) => inner,
            _ => return Self::Database(error),
        };
        if inner.is_unique_violation() {
            return Self::Exists;
        }
        if inner.is_foreign_key_violation() {
            return Self::Reference;
        }
        if let Some(postgres) = inner.try_downcast_ref::<PgDatabaseError>() {
            return match postgres.code().as_bytes() {
                b"40P01" | b"40001" => Self::Undone(error),
                // Waited for a lock, or worked, for longer than `open` lets it.
                b"55P03" | b"57014" => Self::Busy(error),
                // The connection broke, or was ended for being idle in a transaction; a standby that only reads.
                [b'0', b'8', ..] | b"25P03" | b"25006" => Self::Failing(error),
                // Out of disk, memory or connections; an I/O error; shutting down.
                [b'5', b'3' | b'8', ..] | b"57P01" | b"57P02" | b"57P03" => Self::Failing(error),
                _ => Self::Database(error),
            };
        }
        let code = inner.try_downcast_ref::<SqliteError>().and_then(|_| inner.code()?.parse::<i32>().ok());
        // The lowest byte of an extended code is the code that it extends.
        match code.map(|code| code & 0xff) {
            // BUSY, LOCKED, PROTOCOL (another process keeps changing the WAL)
            Some(5 | 6 | 15) => Self::Busy(error),
            // READONLY, IOERR, FULL, CANTOPEN
            Some(8 | 10 | 13 | 14) => Self::Failing(error),
            _ => Self::Database(error),
        }
    }
}

impl StorageError {
    /// Others had their turn for too long.
    pub fn timed_out() -> Self {
        Self::Busy(sqlx::Error::PoolTimedOut)
    }

    /// Nothing is wrong with what was asked: the same may work once the database is free, has room, or is back.
    pub fn is_unavailable(&self) -> bool {
        matches!(self, Self::Busy(_) | Self::Undone(_) | Self::Failing(_))
    }
}

/// How long one statement waits for PostgreSQL's answer: longer than PostgreSQL itself works on it (`open`), so that
/// only what a network swallowed ends here.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(6);

/// A statement's result, or `Failing` where no answer came.
///
/// # Errors
/// What the database says.
pub async fn answered<T>(statement: impl Future<Output = std::result::Result<T, sqlx::Error>>) -> Result<T> {
    match tokio::time::timeout(ANSWER_TIMEOUT, statement).await {
        Ok(answer) => Ok(answer?),
        Err(_) => Err(StorageError::Failing(std::io::Error::from(std::io::ErrorKind::TimedOut).into())),
    }
}

/// How many rows housekeeping removes in one transaction, so that nobody waits for it for long.
pub const BATCH: i64 = 1_000;

pub type Result<T> = std::result::Result<T, StorageError>;

impl Database {
    pub async fn reader(&self) -> Result<Reader> {
        Ok(match self {
            Self::Sqlite { readers, .. } => Reader::Sqlite(readers.acquire().await?),
            Self::Postgres(pool) => Reader::Postgres(Pooled::acquire(pool).await?),
        })
    }

    /// Waits for running statements and closes every connection; SQLite folds its WAL away.
    pub async fn close(&self) {
        match self {
            Self::Sqlite { readers, writer, .. } => {
                readers.close().await;
                writer.close().await;
            }
            Self::Postgres(pool) => pool.close().await,
        }
    }
}

impl Reader {
    pub fn connection(&mut self) -> Connection<'_> {
        match self {
            Self::Sqlite(connection) => Connection::Sqlite(connection),
            Self::Postgres(pooled) => Connection::Postgres(pooled.connection()),
        }
    }
}

/// Runs one expression on whichever driver the connection is of. The expression is compiled for each.
#[macro_export]
macro_rules! on_connection {
    ($connection:expr, $executor:ident => $query:expr) => {
        match $connection {
            $crate::Connection::Sqlite($executor) => $query.await.map_err($crate::StorageError::from),
            $crate::Connection::Postgres($executor) => $crate::answered($query).await,
        }
    };
}

/// Runs a statement that answers no rows; the value is how many rows it touched. With `key;` in front of the values
/// the first five parameters are the parts of a connection key.
macro_rules! execute {
    ($connection:expr, $sql:expr, $key:expr; $($value:expr),* $(,)?) => {
        $crate::on_connection!($connection, executor => async {
            let done = $crate::columns::bind_key!(sqlx::query($sql), $key) $(.bind($value))* .execute(executor).await?;
            Ok::<u64, sqlx::Error>(done.rows_affected())
        })
    };
    ($connection:expr, $sql:expr $(, $value:expr)* $(,)?) => {
        $crate::on_connection!($connection, executor => async {
            let done = sqlx::query($sql) $(.bind($value))* .execute(executor).await?;
            Ok::<u64, sqlx::Error>(done.rows_affected())
        })
    };
}
pub(crate) use execute;
