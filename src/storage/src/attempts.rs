//! Attempts to get a token, and the states that an identity provider must bring back.
//!
//! A state is taken out by one `DELETE … RETURNING`, so that it serves once.

use crate::{
    BATCH, Connection, Result,
    columns::{Column, JsonText, KeyColumns, bind_key, key_columns, of_key, read_by_name, stored_by_name},
    execute, on_connection,
};
use ipack_domain::{ids::ConnectionKey, time::Timestamp};
use sqlx::FromRow;
use uuid::Uuid;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// The person is at the identity provider, or on the way there.
    Opened,
    /// The provider answered; a token is being asked for.
    Returned,
    Succeeded,
    Failed,
}

stored_by_name!(Status { Opened = "opened", Returned = "returned", Succeeded = "succeeded", Failed = "failed" });
read_by_name!(Status);

#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Attempt {
    pub id: Uuid,
    #[sqlx(flatten, try_from = "KeyColumns")]
    pub key: ConnectionKey,
    pub admin_id: Uuid,
    /// SHA-256 of the cookie of the browser that began it.
    pub browser: Vec<u8>,
    pub is_in_window: bool,
    #[sqlx(try_from = "Column<Status>")]
    pub status: Status,
    pub message: Option<String>,
    pub advice: Option<String>,
    pub sealed: Option<Vec<u8>>,
    #[sqlx(try_from = "Column<Option<u32>>")]
    pub data_key_version: Option<u32>,
    #[sqlx(try_from = "Column<Timestamp>")]
    pub begun_at: Timestamp,
    #[sqlx(try_from = "Column<Timestamp>")]
    pub expires_at: Timestamp,
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT id, ",
            key_columns!(),
            ", admin_id, browser, is_in_window, status, message, advice, sealed, data_key_version, begun_at, expires_at
             FROM attempts ",
            $rest
        )
    };
}

/// # Errors
/// `Reference` where the connection, the environment's attachment, the admin or the data key is not there.
pub async fn add(db: Connection<'_>, attempt: &Attempt) -> Result<()> {
    let sql = concat!(
        "INSERT INTO attempts (",
        key_columns!(),
        ", id, admin_id, browser, is_in_window, status, sealed, data_key_version, begun_at, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)"
    );
    execute!(
        db, sql, &attempt.key; attempt.id, attempt.admin_id, &attempt.browser, attempt.is_in_window,
        attempt.status.name(), &attempt.sealed, attempt.data_key_version.map(i64::from), attempt.begun_at.0, attempt.expires_at.0
    )?;
    Ok(())
}

pub async fn find(db: Connection<'_>, id: Uuid) -> Result<Option<Attempt>> {
    let sql = select!("WHERE id = $1");
    on_connection!(db, executor => sqlx::query_as::<_, Attempt>(sql).bind(id).fetch_optional(executor))
}

/// The latest attempt of a connection key.
pub async fn latest(db: Connection<'_>, key: &ConnectionKey) -> Result<Option<Attempt>> {
    let sql = of_key!(select!(""), "ORDER BY begun_at DESC, id DESC LIMIT 1");
    on_connection!(db, executor => bind_key!(sqlx::query_as::<_, Attempt>(sql), key).fetch_optional(executor))
}

/// Adds what the identity provider must bring back for an attempt.
pub async fn add_state(
    db: Connection<'_>,
    digest: &[u8],
    attempt: Uuid,
    expires_at: Timestamp,
) -> Result<()> {
    let sql = "INSERT INTO oauth_states (digest, attempt_id, expires_at) VALUES ($1, $2, $3)";
    execute!(db, sql, digest, attempt, expires_at.0)?;
    Ok(())
}

/// Takes a state out, once; the attempt it was made for, unless it has run out.
pub async fn take_state(db: Connection<'_>, digest: &[u8], now: Timestamp) -> Result<Option<Uuid>> {
    let sql = "DELETE FROM oauth_states WHERE digest = $1 RETURNING attempt_id, expires_at";
    let row: Option<(Uuid, Column<Timestamp>)> =
        on_connection!(db, executor => sqlx::query_as(sql).bind(digest).fetch_optional(executor))?;
    Ok(row.filter(|(_, expires_at)| *expires_at.get() > now).map(|(attempt, _)| attempt))
}

/// The provider answered. `false` where the attempt was not open any more.
pub async fn returned(db: Connection<'_>, id: Uuid) -> Result<bool> {
    let sql = "UPDATE attempts SET status = 'returned' WHERE id = $1 AND status = 'opened'";
    Ok(execute!(db, sql, id)? == 1)
}

/// Ends an attempt that has not ended, and forgets what it was begun with.
pub async fn finish(
    db: Connection<'_>,
    id: Uuid,
    status: Status,
    message: Option<&str>,
    advice: Option<&JsonText>,
) -> Result<bool> {
    let sql =
        "UPDATE attempts SET status = $2, message = $3, advice = $4, sealed = NULL, data_key_version = NULL
         WHERE id = $1 AND status IN ('opened', 'returned')";
    Ok(execute!(db, sql, id, status.name(), message, advice.map(JsonText::as_str))? == 1)
}

/// Ends the attempts of a connection key that are still open: a new one takes their place, or the secret is gone.
pub async fn abandon(db: Connection<'_>, key: &ConnectionKey, message: &str) -> Result<u64> {
    let sql = of_key!(
        "UPDATE attempts SET status = 'failed', message = $6, sealed = NULL, data_key_version = NULL",
        "AND status IN ('opened', 'returned')"
    );
    execute!(db, sql, key; message)
}

/// Forgets the attempts of a connection key; one that is under way finds nothing to end.
pub async fn remove(db: Connection<'_>, key: &ConnectionKey) -> Result<u64> {
    execute!(db, of_key!("DELETE FROM attempts"), key;)
}

/// Attempts that ran out and have not ended, up to a batch.
pub async fn overdue(db: Connection<'_>, now: Timestamp) -> Result<Vec<Attempt>> {
    let sql = select!("WHERE status IN ('opened', 'returned') AND expires_at <= $1 LIMIT $2 + 0");
    on_connection!(db, executor => sqlx::query_as::<_, Attempt>(sql).bind(now.0).bind(BATCH).fetch_all(executor))
}

/// Forgets attempts that ran out before `moment`, up to a batch; answers how many.
pub async fn remove_before(db: Connection<'_>, moment: Timestamp) -> Result<u64> {
    let sql = "DELETE FROM attempts WHERE id IN (SELECT id FROM attempts WHERE expires_at < $1 LIMIT $2)";
    execute!(db, sql, moment.0, BATCH)
}
