//! API tokens: what an account's programs prove themselves with. Only a digest is stored.

use crate::{Connection, Result, columns::Column, execute, on_connection};
use ipack_domain::time::Timestamp;
use sqlx::FromRow;
use uuid::Uuid;

#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct ApiToken {
    pub id: Uuid,
    pub account_id: String,
    pub name: String,
    /// `BOOMI_TOKEN.…`
    pub username: String,
    /// SHA-256 of the token.
    pub digest: Vec<u8>,
    #[sqlx(try_from = "Column<Option<Timestamp>>")]
    pub revoked_at: Option<Timestamp>,
    /// May ask for access tokens.
    pub reads_access_tokens: bool,
}

/// # Errors
/// `Reference` where the account is unknown.
pub async fn add(db: Connection<'_>, token: &ApiToken, now: Timestamp) -> Result<()> {
    let sql =
        "INSERT INTO api_tokens (id, account_id, name, username, digest, reads_access_tokens, created_at)
               VALUES ($1, $2, $3, $4, $5, $6, $7)";
    execute!(
        db,
        sql,
        token.id,
        &token.account_id,
        &token.name,
        &token.username,
        &token.digest,
        token.reads_access_tokens,
        now.0
    )?;
    Ok(())
}

pub async fn find(db: Connection<'_>, username: &str) -> Result<Option<ApiToken>> {
    let sql = "SELECT id, account_id, name, username, digest, revoked_at, reads_access_tokens
         FROM api_tokens WHERE username = $1";
    on_connection!(db, executor => sqlx::query_as::<_, ApiToken>(sql).bind(username).fetch_optional(executor))
}

/// Whether there was such a token in force.
pub async fn revoke(db: Connection<'_>, account: &str, username: &str, now: Timestamp) -> Result<bool> {
    let sql = "UPDATE api_tokens SET revoked_at = $3 WHERE account_id = $1 AND username = $2 AND revoked_at IS NULL";
    Ok(execute!(db, sql, account, username, now.0)? == 1)
}
