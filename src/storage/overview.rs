//! The lists that pages show: instances by name, and the lines of one instance.
//!
//! Another list is a row struct and one statement that needs no second one for each row.

use super::{Connection, Result, on_connection};
use crate::domain::{
    ids::ConnectionKey,
    time::Timestamp,
    views::{Configured, ConnectionLine, Saved},
};
use sqlx::FromRow;
use uuid::Uuid;

#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct InstanceInList {
    pub space_guid: String,
    pub space_name: String,
    pub id: String,
    pub name: String,
    pub pack_name: Option<String>,
}

/// Where a page of the list starts: after this name, Space and id.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct After {
    pub name: String,
    pub space: String,
    pub id: String,
}

macro_rules! instances {
    ($account:literal) => {
        concat!(
            "SELECT i.space_guid, s.name AS space_name, i.id, i.name, p.name AS pack_name
             FROM instances i
             JOIN spaces s ON s.guid = i.space_guid
             LEFT JOIN packs p ON p.space_guid = i.space_guid AND p.id = i.pack_id
             WHERE ",
            $account,
            " AND i.search_text LIKE $2 ESCAPE '\\' AND (i.name, i.space_guid, i.id) > ($3, $4, $5)
             ORDER BY i.name, i.space_guid, i.id LIMIT $6"
        )
    };
}

/// The instances of an account, or of all, whose name or pack's name contains `search`.
pub async fn instances(
    db: Connection<'_>,
    account: Option<&str>,
    search: &str,
    after: &After,
    limit: i64,
) -> Result<Vec<InstanceInList>> {
    // Two statements, since each has an index of its own.
    let sql = match account {
        Some(_) => instances!("i.account_id = $1"),
        None => instances!("CAST($1 AS TEXT) IS NULL"),
    };
    let pattern = like_pattern(search);
    // No name has such a part, and the question alone would be an error: PostgreSQL takes no NUL, SQLite no longer pattern.
    if pattern.contains('\0') || pattern.len() > MAX_PATTERN_BYTES {
        return Ok(Vec::new());
    }
    on_connection!(db, executor => sqlx::query_as::<_, InstanceInList>(sql)
        .bind(account)
        .bind(&pattern)
        .bind(&after.name)
        .bind(&after.space)
        .bind(&after.id)
        .bind(limit)
        .fetch_all(executor))
}

/// SQLite's limit.
const MAX_PATTERN_BYTES: usize = 50_000;

fn like_pattern(search: &str) -> String {
    let escaped = search.trim().to_lowercase().replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
    format!("%{escaped}%")
}

#[derive(FromRow)]
struct LineRow {
    environment_id: String,
    environment_name: String,
    process_id: String,
    process_name: String,
    connection_id: String,
    connection_name: String,
    uses_oauth: bool,
    complete: Option<bool>,
    saved_by: Option<String>,
    updated_at: Option<i64>,
    draft: bool,
}

macro_rules! lines {
    ($rest:literal) => {
        concat!(
            "SELECT e.id AS environment_id, e.name AS environment_name, c.process_id, p.name AS process_name,
                 c.id AS connection_id, c.name AS connection_name, c.uses_oauth, d.complete,
                 d.saved_by, d.updated_at,
                 r.updated_at IS NOT NULL AS draft
             FROM connections c
             JOIN processes p ON p.space_guid = c.space_guid AND p.instance_id = c.instance_id AND p.id = c.process_id
             JOIN attachments a ON a.space_guid = c.space_guid AND a.instance_id = c.instance_id
             JOIN environments e ON e.space_guid = a.space_guid AND e.id = a.environment_id
             LEFT JOIN connector_details d ON d.space_guid = c.space_guid AND d.instance_id = c.instance_id
                 AND d.environment_id = e.id AND d.process_id = c.process_id AND d.connection_id = c.id
             LEFT JOIN drafts r ON r.space_guid = c.space_guid AND r.instance_id = c.instance_id
                 AND r.environment_id = e.id AND r.process_id = c.process_id AND r.connection_id = c.id
                 AND r.admin_id = $3
             WHERE c.space_guid = $1 AND c.instance_id = $2 ",
            $rest
        )
    };
}

/// The OAuth connections of an instance in each of its environments.
pub async fn oauth_lines(
    db: Connection<'_>,
    space: &str,
    instance: &str,
    admin: Uuid,
    limit: i64,
) -> Result<Vec<ConnectionLine>> {
    let sql = lines!(
        "AND c.uses_oauth ORDER BY e.classification, e.name, p.name, c.name, c.process_id, c.id LIMIT $4"
    );
    let rows = on_connection!(db, executor => sqlx::query_as::<_, LineRow>(sql)
        .bind(space)
        .bind(instance)
        .bind(admin)
        .bind(limit)
        .fetch_all(executor))?;
    Ok(rows.into_iter().map(|row| line(space, instance, row)).collect())
}

/// How many lines [`oauth_lines`] would have without a limit.
pub async fn count_oauth_lines(db: Connection<'_>, space: &str, instance: &str) -> Result<i64> {
    let sql =
        "SELECT (SELECT COUNT(*) FROM connections WHERE space_guid = $1 AND instance_id = $2 AND uses_oauth)
         * (SELECT COUNT(*) FROM attachments WHERE space_guid = $1 AND instance_id = $2)";
    on_connection!(db, executor => sqlx::query_scalar(sql).bind(space).bind(instance).fetch_one(executor))
}

/// All connections of one process in one environment, after the connection `after`, by id.
pub async fn process_lines(
    db: Connection<'_>,
    place: ProcessInEnvironment<'_>,
    admin: Uuid,
    after: &str,
    limit: i64,
) -> Result<Vec<ConnectionLine>> {
    let ProcessInEnvironment { space, instance, environment, process } = place;
    let sql = lines!("AND c.process_id = $4 AND e.id = $5 AND c.id > $6 ORDER BY c.id LIMIT $7");
    let rows = on_connection!(db, executor => sqlx::query_as::<_, LineRow>(sql)
        .bind(space)
        .bind(instance)
        .bind(admin)
        .bind(process)
        .bind(environment)
        .bind(after)
        .bind(limit)
        .fetch_all(executor))?;
    Ok(rows.into_iter().map(|row| line(space, instance, row)).collect())
}

#[derive(Debug, Clone, Copy)]
pub struct ProcessInEnvironment<'a> {
    pub space: &'a str,
    pub instance: &'a str,
    pub environment: &'a str,
    pub process: &'a str,
}

fn line(space: &str, instance: &str, row: LineRow) -> ConnectionLine {
    ConnectionLine {
        key: ConnectionKey {
            space: space.to_owned(),
            instance: instance.to_owned(),
            environment: row.environment_id,
            process: row.process_id,
            connection: row.connection_id,
        },
        connection_name: row.connection_name,
        process_name: row.process_name,
        environment_name: row.environment_name,
        uses_oauth: row.uses_oauth,
        configured: match row.complete {
            None => Configured::No,
            Some(false) => Configured::Partly,
            Some(true) => Configured::Yes,
        },
        saved: row.saved_by.zip(row.updated_at).map(|(by, at)| Saved { by, at: Timestamp(at).into() }),
        draft: row.draft,
    }
}
