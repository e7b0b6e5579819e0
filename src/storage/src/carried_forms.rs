//! Forms that were posted after the session had ended and wait for somebody to sign in: what the page of the browser that
//! posted one knows it by is its key.

use crate::{BATCH, Connection, Result, execute, on_connection};
use ipack_domain::time::Timestamp;
use uuid::Uuid;

/// Adds a form, as JSON.
///
/// # Errors
/// `Reference` where the admin is not there.
pub async fn add(
    db: Connection<'_>,
    id: &[u8],
    admin: Uuid,
    form: &str,
    expires_at: Timestamp,
) -> Result<()> {
    let sql = "INSERT INTO carried_forms (id, admin_id, form, expires_at) VALUES ($1, $2, $3, $4)";
    execute!(db, sql, id, admin, form, expires_at.0)?;
    Ok(())
}

/// Removes all but the last forms of an admin's browsers.
pub async fn keep_last(db: Connection<'_>, admin: Uuid, count: i64) -> Result<()> {
    let sql = "DELETE FROM carried_forms WHERE admin_id = $1 AND id NOT IN
                   (SELECT id FROM carried_forms WHERE admin_id = $1 ORDER BY expires_at DESC, id LIMIT $2)";
    execute!(db, sql, admin, count)?;
    Ok(())
}

/// A form that still waits.
pub async fn find(db: Connection<'_>, id: &[u8], now: Timestamp) -> Result<Option<String>> {
    let sql = "SELECT form FROM carried_forms WHERE id = $1 AND expires_at > $2";
    on_connection!(db, executor => sqlx::query_scalar(sql).bind(id).bind(now.0).fetch_optional(executor))
}

pub async fn remove(db: Connection<'_>, id: &[u8]) -> Result<()> {
    execute!(db, "DELETE FROM carried_forms WHERE id = $1", id)?;
    Ok(())
}

/// Removes forms that nobody signed in for, up to a batch; answers how many.
pub async fn remove_expired(db: Connection<'_>, now: Timestamp) -> Result<u64> {
    let sql = "DELETE FROM carried_forms WHERE id IN
                   (SELECT id FROM carried_forms WHERE expires_at <= $1 LIMIT $2)";
    execute!(db, sql, now.0, BATCH)
}
