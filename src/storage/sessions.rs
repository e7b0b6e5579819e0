//! Sessions of signed-in browsers, as rows; `auth::session_store` makes them what tower-sessions expects.

use super::{Connection, Result, execute, on_connection};
use crate::domain::time::Timestamp;
use sqlx::FromRow;
use uuid::Uuid;

#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct SessionRow {
    /// JSON.
    pub data: String,
    /// Microseconds since 1970.
    pub expires_at: i64,
}

pub async fn put(
    db: Connection<'_>,
    id: &[u8],
    admin: Option<Uuid>,
    data: &str,
    expires_at: Timestamp,
) -> Result<()> {
    let sql = "INSERT INTO sessions (id, admin_id, data, expires_at) VALUES ($1, $2, $3, $4)
         ON CONFLICT (id) DO UPDATE
         SET admin_id = excluded.admin_id, data = excluded.data, expires_at = excluded.expires_at";
    execute!(db, sql, id, admin, data, expires_at.0)?;
    Ok(())
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

pub async fn remove_expired(db: Connection<'_>, now: Timestamp) -> Result<u64> {
    execute!(db, "DELETE FROM sessions WHERE expires_at <= $1", now.0)
}
