//! Accounts (tenants) and their Spaces.

use crate::{Connection, Result, columns::Column, execute, on_connection};
use ipack_domain::time::Timestamp;
use sqlx::FromRow;

#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Space {
    pub guid: String,
    pub account_id: String,
    pub name: String,
    #[sqlx(try_from = "Column<Timestamp>")]
    pub created_at: Timestamp,
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
pub async fn add_space(db: Connection<'_>, space: &Space) -> Result<()> {
    let sql = "INSERT INTO spaces (guid, account_id, name, created_at) VALUES ($1, $2, $3, $4)";
    execute!(db, sql, &space.guid, &space.account_id, &space.name, space.created_at.0)?;
    Ok(())
}

macro_rules! select {
    ($rest:literal) => {
        concat!("SELECT s.guid, s.account_id, s.name, s.created_at FROM spaces s ", $rest)
    };
}

pub async fn find_space(db: Connection<'_>, guid: &str) -> Result<Option<Space>> {
    let sql = select!("WHERE s.guid = $1");
    on_connection!(db, executor => sqlx::query_as::<_, Space>(sql).bind(guid).fetch_optional(executor))
}

/// The Spaces of an account after `after`, by guid.
pub async fn spaces(db: Connection<'_>, account: &str, after: &str, limit: i64) -> Result<Vec<Space>> {
    let sql = select!("WHERE s.account_id = $1 AND s.guid > $2 ORDER BY s.guid LIMIT $3");
    on_connection!(db, executor => sqlx::query_as::<_, Space>(sql)
        .bind(account)
        .bind(after)
        .bind(limit)
        .fetch_all(executor))
}

/// The Spaces of an account that have this pack; two at most, for whoever looks for the only one.
pub async fn spaces_with_pack(db: Connection<'_>, account: &str, pack: &str) -> Result<Vec<Space>> {
    let sql = select!(
        "JOIN packs p ON p.space_guid = s.guid WHERE s.account_id = $1 AND p.id = $2 ORDER BY s.guid LIMIT 2"
    );
    on_connection!(db, executor => sqlx::query_as::<_, Space>(sql).bind(account).bind(pack).fetch_all(executor))
}

/// The Spaces of an account that have this instance; two at most, for whoever looks for the only one.
pub async fn spaces_with_instance(db: Connection<'_>, account: &str, instance: &str) -> Result<Vec<Space>> {
    let sql = select!(
        "JOIN instances i ON i.space_guid = s.guid WHERE s.account_id = $1 AND i.id = $2 ORDER BY s.guid LIMIT 2"
    );
    on_connection!(db, executor => sqlx::query_as::<_, Space>(sql).bind(account).bind(instance).fetch_all(executor))
}
