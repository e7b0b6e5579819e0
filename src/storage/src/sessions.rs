//! Sessions of signed-in browsers, as rows; `server::session_store` makes them what tower-sessions expects.
//!
//! What has to be looked up without opening the JSON gets a column of its own.

use crate::{BATCH, Connection, Result, columns::Column, execute, on_connection};
use ipack_domain::time::Timestamp;
use sqlx::FromRow;
use uuid::Uuid;

#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct SessionRow {
    /// JSON.
    pub data: String,
    #[sqlx(try_from = "Column<Timestamp>")]
    pub expires_at: Timestamp,
}

/// Adds a session.
///
/// # Errors
/// `Exists` where the id is taken; `Reference` where the admin is not there.
pub async fn put(
    db: Connection<'_>,
    id: &[u8],
    admin: Option<Uuid>,
    data: &str,
    expires_at: Timestamp,
) -> Result<()> {
    let sql = "INSERT INTO sessions (id, admin_id, data, expires_at) VALUES ($1, $2, $3, $4)";
    execute!(db, sql, id, admin, data, expires_at.0)?;
    Ok(())
}

/// Writes over a session; `false`, and nothing is written, where it has ended.
pub async fn replace(
    db: Connection<'_>,
    id: &[u8],
    admin: Option<Uuid>,
    data: &str,
    expires_at: Timestamp,
) -> Result<bool> {
    let sql = "UPDATE sessions SET admin_id = $2, data = $3, expires_at = $4 WHERE id = $1";
    Ok(execute!(db, sql, id, admin, data, expires_at.0)? == 1)
}

/// A session that has not expired.
pub async fn find(db: Connection<'_>, id: &[u8], now: Timestamp) -> Result<Option<SessionRow>> {
    let sql = "SELECT data, expires_at FROM sessions WHERE id = $1 AND expires_at > $2";
    on_connection!(db, executor => sqlx::query_as::<_, SessionRow>(sql).bind(id).bind(now.0).fetch_optional(executor))
}

pub async fn remove(db: Connection<'_>, id: &[u8]) -> Result<()> {
    execute!(db, "DELETE FROM sessions WHERE id = $1", id)?;
    Ok(())
}

pub async fn remove_of_admin(db: Connection<'_>, admin: Uuid) -> Result<u64> {
    execute!(db, "DELETE FROM sessions WHERE admin_id = $1", admin)
}

/// Removes sessions that have expired, up to a batch; answers how many.
pub async fn remove_expired(db: Connection<'_>, now: Timestamp) -> Result<u64> {
    let sql = "DELETE FROM sessions WHERE id IN (SELECT id FROM sessions WHERE expires_at <= $1 LIMIT $2)";
    execute!(db, sql, now.0, BATCH)
}
