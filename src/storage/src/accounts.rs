//! Accounts (tenants) and their Spaces.

use crate::{Connection, Result, execute, on_connection};
use ipack_domain::time::Timestamp;
use sqlx::FromRow;

#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Space {
    pub guid: String,
    pub account_id: String,
    pub name: String,
}

/// Adds an account unless it is there.
pub async fn ensure(db: Connection<'_>, account: &str, now: Timestamp) -> Result<bool> {
    let sql = "INSERT INTO accounts (id, created_at) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING";
    Ok(execute!(db, sql, account, now.0)? == 1)
}

pub async fn exists(db: Connection<'_>, account: &str) -> Result<bool> {
    let sql = "SELECT EXISTS (SELECT 1 FROM accounts WHERE id = $1)";
    on_connection!(db, executor => sqlx::query_scalar(sql).bind(account).fetch_one(executor))
}

/// Whether there is any account at all.
pub async fn any(db: Connection<'_>) -> Result<bool> {
    let sql = "SELECT EXISTS (SELECT 1 FROM accounts)";
    on_connection!(db, executor => sqlx::query_scalar(sql).fetch_one(executor))
}

/// # Errors
/// `Exists` where any account has a Space with this guid; `Reference` where the account is unknown.
pub async fn add_space(db: Connection<'_>, space: &Space, now: Timestamp) -> Result<()> {
    let sql = "INSERT INTO spaces (guid, account_id, name, created_at) VALUES ($1, $2, $3, $4)";
    execute!(db, sql, &space.guid, &space.account_id, &space.name, now.0)?;
    Ok(())
}

pub async fn find_space(db: Connection<'_>, guid: &str) -> Result<Option<Space>> {
    let sql = "SELECT guid, account_id, name FROM spaces WHERE guid = $1";
    on_connection!(db, executor => sqlx::query_as::<_, Space>(sql).bind(guid).fetch_optional(executor))
}
