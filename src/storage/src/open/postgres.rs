//! A PostgreSQL server: what is set on each connection, so that nobody waits for ever and a commit is durable.

use super::{ACQUIRE_TIMEOUT, OpenError, SLOW_STATEMENT};
use crate::Database;
use sqlx::{
    ConnectOptions, Connection as _, PgConnection,
    migrate::Migrator,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use std::{str::FromStr, time::Duration};

pub(crate) static MIGRATIONS: Migrator = sqlx::migrate!("../../migrations/postgres");

pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// A lock that somebody holds is waited for (a write may meet two), a statement worked on, and a transaction left idle (by
/// a replica that stalls in the middle of one) for so long and no longer.
const LIMITS: &str = "SET lock_timeout = '2s'; SET statement_timeout = '5s';
     SET idle_in_transaction_session_timeout = '10s'";

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

/// Refuses a database that is not this program's.
pub(super) async fn examine(
    options: &PgConnectOptions,
    connection: &mut PgConnection,
) -> Result<(), OpenError> {
    let place = || format!("the database {} of PostgreSQL", options.get_database().unwrap_or_default());
    match super::examine::postgres(connection, &MIGRATIONS).await {
        Ok(_) => Ok(()),
        Err(why) => Err(OpenError::Unusable { place: place(), why }),
    }
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
    match tokio::time::timeout(CONNECT_TIMEOUT, options.connect()).await {
        Ok(Ok(connection)) => Ok(connection),
        Ok(Err(error)) => Err(unreachable(error.to_string())),
        Err(_) => Err(unreachable(format!("no answer in {} seconds", CONNECT_TIMEOUT.as_secs()))),
    }
}
