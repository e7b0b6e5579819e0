//! API tokens: what an account's programs prove themselves with. Only a digest is stored.

use crate::{
    Connection, Result,
    columns::{Column, FromColumn, as_fields},
    execute, on_connection,
};
use ipack_domain::{
    rights::{Right, Rights},
    time::Timestamp,
};
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
    #[sqlx(try_from = "Column<Rights>")]
    pub rights: Rights,
    #[sqlx(try_from = "Column<Timestamp>")]
    pub created_at: Timestamp,
    #[sqlx(try_from = "Column<Option<Timestamp>>")]
    pub revoked_at: Option<Timestamp>,
    /// From then on it is not in force.
    #[sqlx(try_from = "Column<Option<Timestamp>>")]
    pub expires_at: Option<Timestamp>,
    /// When it last made a JWT, give or take a minute.
    #[sqlx(try_from = "Column<Option<Timestamp>>")]
    pub used_at: Option<Timestamp>,
}

impl ApiToken {
    pub fn is_in_force(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|at| at > now)
    }
}

impl FromColumn for Rights {
    type Stored = String;

    fn from_column(names: String) -> std::result::Result<Self, sqlx::error::BoxDynError> {
        Ok(Self::of_known(&names))
    }
}
as_fields!(Rights);

/// # Errors
/// `Reference` where the account is unknown.
pub async fn add(db: Connection<'_>, token: &ApiToken) -> Result<()> {
    let sql = "INSERT INTO api_tokens (id, account_id, name, username, digest, rights, reads_access_tokens, created_at,
             expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    execute!(
        db,
        sql,
        token.id,
        &token.account_id,
        &token.name,
        &token.username,
        &token.digest,
        token.rights.to_string(),
        // What the version before asks for.
        token.rights.has(Right::TokensRead),
        token.created_at.0,
        token.expires_at.map(|at| at.0)
    )?;
    Ok(())
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT id, account_id, name, username, digest, created_at, revoked_at, expires_at, used_at,
                 COALESCE(rights, CASE WHEN reads_access_tokens
                     THEN 'details:read,details:write,tokens:read,tokens:manage,catalogue:write'
                     ELSE 'details:read,details:write,tokens:manage,catalogue:write' END) AS rights
             FROM api_tokens ",
            $rest
        )
    };
}

pub async fn find(db: Connection<'_>, username: &str) -> Result<Option<ApiToken>> {
    let sql = select!("WHERE username = $1");
    on_connection!(db, executor => sqlx::query_as::<_, ApiToken>(sql).bind(username).fetch_optional(executor))
}

/// The tokens of an account after `after`, by username.
pub async fn list(db: Connection<'_>, account: &str, after: &str, limit: i64) -> Result<Vec<ApiToken>> {
    let sql = select!("WHERE account_id = $1 AND username > $2 ORDER BY username LIMIT $3");
    on_connection!(db, executor => sqlx::query_as::<_, ApiToken>(sql)
        .bind(account)
        .bind(after)
        .bind(limit)
        .fetch_all(executor))
}

/// Gives a token these rights; whether the account has such a token.
pub async fn set_rights(db: Connection<'_>, account: &str, username: &str, rights: &Rights) -> Result<bool> {
    let sql =
        "UPDATE api_tokens SET rights = $3, reads_access_tokens = $4 WHERE account_id = $1 AND username = $2";
    let reads = rights.has(Right::TokensRead);
    Ok(execute!(db, sql, account, username, rights.to_string(), reads)? == 1)
}

/// Notes that a token was used; one that another replica noted later stays.
pub async fn used(db: Connection<'_>, id: Uuid, now: Timestamp) -> Result<()> {
    let sql = "UPDATE api_tokens SET used_at = $2 WHERE id = $1 AND (used_at IS NULL OR used_at < $2)";
    execute!(db, sql, id, now.0)?;
    Ok(())
}

/// Whether there was such a token that was not revoked.
pub async fn revoke(db: Connection<'_>, account: &str, username: &str, now: Timestamp) -> Result<bool> {
    let sql = "UPDATE api_tokens SET revoked_at = $3 WHERE account_id = $1 AND username = $2 AND revoked_at IS NULL";
    Ok(execute!(db, sql, account, username, now.0)? == 1)
}
