//! A PostgreSQL server: what is set on each connection, so that nobody waits for ever and a commit is durable.

use super::{ACQUIRE_TIMEOUT, OpenError, SLOW_STATEMENT};
use crate::{Database, StorageError};
use sqlx::{
    ConnectOptions, Connection as _, PgConnection, PgPool, Postgres,
    migrate::Migrator,
    pool::PoolConnection,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use std::{io, str::FromStr, time::Duration};
use tokio::time::timeout;

pub(crate) static MIGRATIONS: Migrator = sqlx::migrate!("../../migrations/postgres");

pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Whether a connection still answers is waited for so long, before it is lent and when it is given back.
const TEST_TIMEOUT: Duration = Duration::from_secs(1);
/// One that answered so long ago is taken to be alive.
const ALIVE_FOR: Duration = Duration::from_secs(1);

/// A lock that somebody holds is waited for (a write may meet two), a statement worked on, and a transaction left idle (by
/// a replica that stalls in the middle of one) for so long and no longer. PostgreSQL closes the connections of a machine
/// that is gone without a word.
const LIMITS: &str = "SET lock_timeout = '2s'; SET statement_timeout = '5s';
     SET idle_in_transaction_session_timeout = '10s';
     SET tcp_keepalives_idle = 30; SET tcp_keepalives_interval = 10; SET tcp_keepalives_count = 3";

/// A connection of the pool, lent to whoever reads or writes.
#[derive(Debug)]
pub struct Pooled {
    connection: PoolConnection<Postgres>,
    is_closing: bool,
}

impl Pooled {
    pub(crate) async fn acquire(pool: &PgPool) -> crate::Result<Self> {
        let connection = pool.acquire().await.map_err(StorageError::from)?;
        Ok(Self { connection, is_closing: false })
    }

    pub(crate) fn connection(&mut self) -> &mut PgConnection {
        &mut self.connection
    }

    pub(crate) fn close_on_drop(&mut self) {
        self.is_closing = true;
        self.connection.close_on_drop();
    }
}

impl Drop for Pooled {
    /// The pool takes a connection back once it has answered, however long that takes: one whose statement the network
    /// swallowed would be missing for ever. So it has its time, and is closed after that.
    fn drop(&mut self) {
        if !self.is_closing {
            tokio::spawn(timeout(TEST_TIMEOUT, self.connection.return_to_pool()));
        }
    }
}

/// # Errors
/// Where the connection does not answer in time, or is broken.
async fn answers(connection: &mut PgConnection) -> Result<bool, sqlx::Error> {
    match timeout(TEST_TIMEOUT, connection.ping()).await {
        Ok(answered) => answered.map(|()| true),
        Err(_) => Err(io::Error::from(io::ErrorKind::TimedOut).into()),
    }
}

pub(super) async fn open(address: &str, connections: u32) -> Result<Database, OpenError> {
    let options = PgConnectOptions::from_str(address)?
        .log_slow_statements(tracing::log::LevelFilter::Warn, SLOW_STATEMENT);
    // The pool would try again and again, and then say only that it took too long.
    let mut first = connect(&options).await?;
    check(&mut first).await?;
    examine(&options, &mut first).await?;
    first.close().await?;
    // Under an advisory lock, taken by sqlx, and without the limits: replicas that start together wait for each other.
    let migrating = PgPoolOptions::new().max_connections(1).connect_with(options.clone()).await?;
    MIGRATIONS.run(&migrating).await?;
    migrating.close().await;
    let pool = PgPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        // In place of the pool's own test, which waits for ever where the network swallows the question.
        .test_before_acquire(false)
        .before_acquire(|connection, about| {
            Box::pin(async move { Ok(about.idle_for < ALIVE_FOR || answers(connection).await?) })
        })
        .after_connect(|connection, _| {
            Box::pin(async {
                sqlx::raw_sql(LIMITS).execute(&mut *connection).await?;
                check(connection).await
            })
        })
        .connect_with(options)
        .await?;
    Ok(Database::Postgres(pool))
}

/// Refuses a database that is not this program's; the value is how many migrations it lacks.
pub(super) async fn examine(
    options: &PgConnectOptions,
    connection: &mut PgConnection,
) -> Result<usize, OpenError> {
    let place = || format!("the database {} of PostgreSQL", options.get_database().unwrap_or_default());
    let examined = super::examine::postgres(connection, &MIGRATIONS).await;
    examined.map_err(|why| OpenError::Unusable { place: place(), why })
}

/// Refuses a connection on which a commit is answered before it is on the disk.
async fn check(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    let synchronous: String =
        sqlx::query_scalar("SELECT current_setting('synchronous_commit')").fetch_one(connection).await?;
    if synchronous == "off" {
        let message = "PostgreSQL's synchronous_commit is off for this user or database: a save that was answered \
             could be lost; switch it on";
        return Err(sqlx::Error::Configuration(message.into()));
    }
    Ok(())
}

pub(super) async fn connect(options: &PgConnectOptions) -> Result<PgConnection, OpenError> {
    let unreachable = |why: String| OpenError::Unreachable {
        place: format!("{}:{}", options.get_host(), options.get_port()),
        why,
    };
    match timeout(CONNECT_TIMEOUT, options.connect()).await {
        Ok(Ok(connection)) => Ok(connection),
        Ok(Err(error)) => Err(unreachable(error.to_string())),
        Err(_) => Err(unreachable(format!("no answer in {} seconds", CONNECT_TIMEOUT.as_secs()))),
    }
}
