//! Tokens that are to be revoked at their provider, sealed with what that takes. A row is written in the transaction
//! that forgets the token, and removed in the one that notes what the provider said.

use crate::{
    Connection, Result,
    columns::{Column, KeyColumns, key_columns},
    execute, on_connection,
};
use ipack_domain::{ids::ConnectionKey, time::Timestamp};
use sqlx::FromRow;
use uuid::Uuid;

#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Revocation {
    pub id: Uuid,
    /// The connection that the token was for; it may be gone.
    #[sqlx(flatten, try_from = "KeyColumns")]
    pub key: ConnectionKey,
    pub account_id: String,
    /// Who made it be forgotten.
    pub actor: String,
    pub sealed: Vec<u8>,
    #[sqlx(try_from = "Column<u32>")]
    pub data_key_version: u32,
    #[sqlx(try_from = "Column<Timestamp>")]
    pub due_at: Timestamp,
}

/// Adds one, unless one with its id is there.
///
/// # Errors
/// `Reference` where the data key is not there.
pub async fn add(db: Connection<'_>, revocation: &Revocation) -> Result<()> {
    let sql = concat!(
        "INSERT INTO revocations (",
        key_columns!(),
        ", id, account_id, actor, sealed, data_key_version, due_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT (id) DO NOTHING"
    );
    execute!(
        db, sql, &revocation.key; revocation.id, &revocation.account_id, &revocation.actor, &revocation.sealed,
        i64::from(revocation.data_key_version), revocation.due_at.0
    )?;
    Ok(())
}

/// Those that are due, the oldest first.
pub async fn due(db: Connection<'_>, now: Timestamp, limit: i64) -> Result<Vec<Revocation>> {
    let sql = concat!(
        "SELECT id, ",
        key_columns!(),
        ", account_id, actor, sealed, data_key_version, due_at
         FROM revocations WHERE due_at <= $1 ORDER BY due_at, id LIMIT $2 + 0"
    );
    on_connection!(db, executor => sqlx::query_as::<_, Revocation>(sql).bind(now.0).bind(limit).fetch_all(executor))
}

/// Moves one on to `until`, so that nobody else takes it before; `false` where somebody else was first.
pub async fn claim(db: Connection<'_>, revocation: &Revocation, until: Timestamp) -> Result<bool> {
    let sql = "UPDATE revocations SET due_at = $3 WHERE id = $1 AND due_at = $2";
    Ok(execute!(db, sql, revocation.id, revocation.due_at.0, until.0)? == 1)
}

pub async fn remove(db: Connection<'_>, id: Uuid) -> Result<bool> {
    Ok(execute!(db, "DELETE FROM revocations WHERE id = $1", id)? == 1)
}
