//! The key that all replicas sign their JWTs with.

use super::{Connection, Result, execute, on_connection};
use crate::domain::time::Timestamp;
use uuid::Uuid;

/// The key in force: the oldest, so that replicas which start together agree.
pub async fn find(db: Connection<'_>) -> Result<Option<Vec<u8>>> {
    let sql = "SELECT secret FROM signing_keys ORDER BY created_at, id LIMIT 1";
    on_connection!(db, executor => sqlx::query_scalar(sql).fetch_optional(executor))
}

pub async fn add(db: Connection<'_>, id: Uuid, secret: &[u8], now: Timestamp) -> Result<()> {
    execute!(db, "INSERT INTO signing_keys (id, secret, created_at) VALUES ($1, $2, $3)", id, secret, now.0)?;
    Ok(())
}
