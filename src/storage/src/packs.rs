//! Packs of a Space: what can be installed.
//!
//! What a pack has more of is a table, a `put` here, and a statement in `instances::adopt_pack`.

use crate::{
    Connection, Result,
    columns::{Column, read_by_name, stored_by_name, to_json},
    execute, on_connection,
};
use ipack_domain::{provider::ProviderChoice, time::Timestamp};
use sqlx::FromRow;

/// How often an account can install a pack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InstallationType {
    Single,
    Multi,
}

stored_by_name!(InstallationType { Single = "SINGLE", Multi = "MULTI" });
read_by_name!(InstallationType);

#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Pack {
    pub id: String,
    pub name: String,
    pub description: String,
    #[sqlx(try_from = "Column<InstallationType>")]
    pub installation_type: InstallationType,
}

/// Adds a pack, or gives the one that is there these words.
pub async fn put(db: Connection<'_>, space: &str, pack: &Pack, now: Timestamp) -> Result<()> {
    let sql = "INSERT INTO packs (space_guid, id, name, description, installation_type, created_at)
         VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (space_guid, id) DO UPDATE SET name = excluded.name, description = excluded.description,
             installation_type = excluded.installation_type";
    execute!(db, sql, space, &pack.id, &pack.name, &pack.description, pack.installation_type.name(), now.0)?;
    Ok(())
}

pub async fn find(db: Connection<'_>, space: &str, id: &str) -> Result<Option<Pack>> {
    let sql = "SELECT id, name, description, installation_type FROM packs WHERE space_guid = $1 AND id = $2";
    on_connection!(db, executor => sqlx::query_as::<_, Pack>(sql).bind(space).bind(id).fetch_optional(executor))
}

/// A pack of one of several Spaces.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct PackOfSpace {
    pub space_guid: String,
    #[sqlx(flatten)]
    pub pack: Pack,
}

/// The packs of an account's Spaces from `first` to `last`, by Space and id.
pub async fn of_spaces(
    db: Connection<'_>,
    account: &str,
    first: &str,
    last: &str,
) -> Result<Vec<PackOfSpace>> {
    let sql = "SELECT p.space_guid, p.id, p.name, p.description, p.installation_type FROM packs p
         JOIN spaces s ON s.guid = p.space_guid
         WHERE s.account_id = $1 AND s.guid BETWEEN $2 AND $3 ORDER BY p.space_guid, p.id";
    on_connection!(db, executor => sqlx::query_as::<_, PackOfSpace>(sql)
        .bind(account)
        .bind(first)
        .bind(last)
        .fetch_all(executor))
}

pub async fn put_process(db: Connection<'_>, space: &str, pack: &str, id: &str, name: &str) -> Result<()> {
    let sql = "INSERT INTO pack_processes (space_guid, pack_id, id, name) VALUES ($1, $2, $3, $4)
         ON CONFLICT (space_guid, pack_id, id) DO UPDATE SET name = excluded.name";
    execute!(db, sql, space, pack, id, name)?;
    Ok(())
}

/// A connection of a pack's process.
#[derive(Debug, Clone, Copy)]
pub struct PackConnection<'a> {
    pub process: &'a str,
    pub id: &'a str,
    pub name: &'a str,
    pub uses_oauth: bool,
    /// Shaped like `oauthConnectorDetails`.
    pub defaults: Option<&'a str>,
    pub provider: Option<&'a ProviderChoice>,
}

pub async fn put_connection(
    db: Connection<'_>,
    space: &str,
    pack: &str,
    connection: PackConnection<'_>,
) -> Result<()> {
    let sql = "INSERT INTO pack_connections (space_guid, pack_id, process_id, id, name, uses_oauth, defaults, provider)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
         ON CONFLICT (space_guid, pack_id, process_id, id) DO UPDATE
         SET name = excluded.name, uses_oauth = excluded.uses_oauth, defaults = excluded.defaults,
             provider = excluded.provider";
    let PackConnection { process, id, name, uses_oauth, defaults, provider } = connection;
    execute!(db, sql, space, pack, process, id, name, uses_oauth, defaults, provider.map(to_json))?;
    Ok(())
}
