//! The one key that all replicas sign their JWTs with.
//!
//! A key for another purpose is a row of its own: a word for it in the table's check, and as an argument here.

use super::{Connection, Result, execute, on_connection};
use crate::domain::time::Timestamp;

pub async fn find(db: Connection<'_>) -> Result<Option<Vec<u8>>> {
    let sql = "SELECT secret FROM signing_keys WHERE purpose = 'jwt'";
    on_connection!(db, executor => sqlx::query_scalar(sql).fetch_optional(executor))
}

/// Makes this the key, unless there is one. Whoever adds reads afterwards which one it is.
pub async fn add(db: Connection<'_>, secret: &[u8], now: Timestamp) -> Result<()> {
    let sql = "INSERT INTO signing_keys (purpose, secret, created_at) VALUES ('jwt', $1, $2)
         ON CONFLICT (purpose) DO NOTHING";
    execute!(db, sql, secret, now.0)?;
    Ok(())
}
