//! The one key that all replicas sign their JWTs with, sealed.
//!
//! A key for another purpose is a row of its own: a word for it in the table's check, and as an argument here.

use crate::{Connection, Result, columns::Column, execute, on_connection};
use ipack_domain::time::Timestamp;
use sqlx::FromRow;
use std::fmt;

#[derive(Clone, PartialEq, Eq, FromRow)]
pub struct SigningKeyRow {
    pub secret: Vec<u8>,
    /// `None` where an earlier version of the program left it unsealed.
    #[sqlx(try_from = "Column<Option<u32>>")]
    pub data_key_version: Option<u32>,
}

/// The secret may not be sealed yet, so it does not show itself.
impl fmt::Debug for SigningKeyRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKeyRow")
    }
}

pub async fn find(db: Connection<'_>) -> Result<Option<SigningKeyRow>> {
    let sql = "SELECT secret, data_key_version FROM signing_keys WHERE purpose = 'jwt'";
    on_connection!(db, executor => sqlx::query_as::<_, SigningKeyRow>(sql).fetch_optional(executor))
}

/// Makes this the key, unless there is one. Whoever adds reads afterwards which one it is.
pub async fn add(db: Connection<'_>, sealed: &[u8], data_key_version: u32, now: Timestamp) -> Result<()> {
    let sql =
        "INSERT INTO signing_keys (purpose, secret, data_key_version, created_at) VALUES ('jwt', $1, $2, $3)
         ON CONFLICT (purpose) DO NOTHING";
    execute!(db, sql, sealed, i64::from(data_key_version), now.0)?;
    Ok(())
}

/// Seals the key anew, unless somebody did so since it was read.
pub async fn reseal(db: Connection<'_>, old: &[u8], sealed: &[u8], data_key_version: u32) -> Result<bool> {
    let sql =
        "UPDATE signing_keys SET secret = $2, data_key_version = $3 WHERE purpose = 'jwt' AND secret = $1";
    Ok(execute!(db, sql, old, sealed, i64::from(data_key_version))? == 1)
}
