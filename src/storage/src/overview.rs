//! The lists that pages show: instances by name, and the lines of one instance.
//!
//! What a connection's state depends on is a column of [`Line`].

use crate::{
    Connection, Result,
    columns::{Column, JsonText},
    on_connection,
};
use ipack_domain::{
    catalogue::Classification, connection_state::EXPIRING_SECONDS, provider::ProviderChoice, time::Timestamp,
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

/// One connection in one environment, with what its state depends on.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Line {
    pub environment_id: String,
    pub environment_name: String,
    #[sqlx(try_from = "Column<Classification>")]
    pub classification: Classification,
    pub process_id: String,
    pub process_name: String,
    pub connection_id: String,
    pub connection_name: String,
    pub uses_oauth: bool,
    /// `None` where nothing is saved.
    pub complete: Option<bool>,
    pub saved_by: Option<String>,
    #[sqlx(try_from = "Column<Option<Timestamp>>")]
    pub updated_at: Option<Timestamp>,
    pub draft: bool,
    /// Only where the state depends on it: beside a token, or where something is missing.
    pub oauth_connector_details: Option<String>,
    /// As saved, else as the connection has it.
    #[sqlx(try_from = "Column<Option<ProviderChoice>>")]
    pub provider: Option<ProviderChoice>,
    /// `None` where there is no token; so are the token's other columns then.
    #[sqlx(try_from = "Column<Option<Timestamp>>")]
    pub obtained_at: Option<Timestamp>,
    #[sqlx(try_from = "Column<Option<Timestamp>>")]
    pub refreshed_at: Option<Timestamp>,
    #[sqlx(try_from = "Column<Option<Timestamp>>")]
    pub expires_at: Option<Timestamp>,
    #[sqlx(try_from = "Column<Option<Timestamp>>")]
    pub refresh_at: Option<Timestamp>,
    pub failure: Option<String>,
    pub is_broken: Option<bool>,
    pub requested_scope: Option<String>,
    pub granted_scope: Option<String>,
    #[sqlx(try_from = "Column<Option<JsonText>>")]
    pub configuration: Option<JsonText>,
    pub company_id: Option<String>,
    /// Where the secrets may be sent; only beside a token.
    #[sqlx(try_from = "Column<Option<JsonText>>")]
    pub secret: Option<JsonText>,
    #[sqlx(try_from = "Column<Option<JsonText>>")]
    pub replacement: Option<JsonText>,
    #[sqlx(try_from = "Column<Option<JsonText>>")]
    pub password: Option<JsonText>,
}

/// Through the token's own columns: where there is none, nothing is looked up.
macro_rules! secret {
    ($alias:literal, $slot:literal) => {
        concat!(
            "LEFT JOIN client_secrets ",
            $alias,
            " ON ",
            $alias,
            ".space_guid = t.space_guid AND ",
            $alias,
            ".instance_id = t.instance_id AND ",
            $alias,
            ".environment_id = t.environment_id AND ",
            $alias,
            ".process_id = t.process_id AND ",
            $alias,
            ".connection_id = t.connection_id AND ",
            $alias,
            ".slot = '",
            $slot,
            "' "
        )
    };
}

/// Those that need somebody come first, as far as columns alone can tell, in the order of
/// [`ConnectionState`](ipack_domain::connection_state::ConnectionState): a limit cuts off those that need nobody. What
/// was saved after its token was got, or was granted other scopes than it asked for, may have changed; only the details
/// themselves tell whether it did.
macro_rules! lines {
    ($rest:literal, $limit:literal) => {
        concat!(
            "SELECT e.id AS environment_id, e.name AS environment_name, e.classification, c.process_id,
                 p.name AS process_name, c.id AS connection_id, c.name AS connection_name, c.uses_oauth, d.complete,
                 d.saved_by, d.updated_at, r.updated_at IS NOT NULL AS draft,
                 CASE WHEN t.id IS NOT NULL OR NOT d.complete THEN d.oauth_connector_details END
                     AS oauth_connector_details,
                 COALESCE(d.provider, c.provider) AS provider, t.obtained_at, t.refreshed_at, t.expires_at,
                 t.refresh_at, t.failure, t.is_broken, t.requested_scope, t.granted_scope, t.configuration,
                 t.company_id, s.destination AS secret, n.destination AS replacement, w.destination AS password
             FROM connections c
             JOIN processes p ON p.space_guid = c.space_guid AND p.instance_id = c.instance_id AND p.id = c.process_id
             JOIN attachments a ON a.space_guid = c.space_guid AND a.instance_id = c.instance_id
             JOIN environments e ON e.space_guid = a.space_guid AND e.id = a.environment_id
             LEFT JOIN connector_details d ON d.space_guid = c.space_guid AND d.instance_id = c.instance_id
                 AND d.environment_id = e.id AND d.process_id = c.process_id AND d.connection_id = c.id
             LEFT JOIN drafts r ON r.space_guid = c.space_guid AND r.instance_id = c.instance_id
                 AND r.environment_id = e.id AND r.process_id = c.process_id AND r.connection_id = c.id
                 AND r.admin_id = $3
             LEFT JOIN tokens t ON t.space_guid = c.space_guid AND t.instance_id = c.instance_id
                 AND t.environment_id = e.id AND t.process_id = c.process_id AND t.connection_id = c.id ",
            secret!("s", "current"),
            secret!("n", "replacement"),
            secret!("w", "password"),
            "WHERE c.space_guid = $1 AND c.instance_id = $2 ",
            $rest,
            " ORDER BY CASE
                 WHEN NOT c.uses_oauth THEN 6
                 WHEN t.id IS NULL THEN CASE WHEN d.complete THEN 3 ELSE 5 END
                 WHEN t.is_broken OR (t.refresh_at IS NULL AND t.expires_at <= $4) THEN 0
                 WHEN t.failure IS NOT NULL THEN 1
                 WHEN t.refresh_at IS NULL AND t.expires_at <= $5 THEN 2
                 WHEN d.updated_at >= t.obtained_at OR t.granted_scope <> t.requested_scope THEN 4
                 ELSE 6 END,
                 e.classification, e.name, e.id, p.name, c.name, c.process_id, c.id LIMIT ",
            $limit
        )
    };
}

/// The OAuth connections of an instance in each of its environments, those that need somebody first.
pub async fn oauth_lines(
    db: Connection<'_>,
    space: &str,
    instance: &str,
    admin: Uuid,
    now: Timestamp,
    limit: i64,
) -> Result<Vec<Line>> {
    let sql = lines!("AND c.uses_oauth", "$6");
    on_connection!(db, executor => sqlx::query_as::<_, Line>(sql)
        .bind(space)
        .bind(instance)
        .bind(admin)
        .bind(now.0)
        .bind(now.plus_seconds(EXPIRING_SECONDS).0)
        .bind(limit)
        .fetch_all(executor))
}

/// How many lines [`oauth_lines`] would have without a limit.
pub async fn count_oauth_lines(db: Connection<'_>, space: &str, instance: &str) -> Result<i64> {
    let sql =
        "SELECT (SELECT COUNT(*) FROM connections WHERE space_guid = $1 AND instance_id = $2 AND uses_oauth)
         * (SELECT COUNT(*) FROM attachments WHERE space_guid = $1 AND instance_id = $2)";
    on_connection!(db, executor => sqlx::query_scalar(sql).bind(space).bind(instance).fetch_one(executor))
}

/// All connections of one process in one environment, those that need somebody first.
pub async fn process_lines(
    db: Connection<'_>,
    place: ProcessInEnvironment<'_>,
    admin: Uuid,
    now: Timestamp,
    limit: i64,
) -> Result<Vec<Line>> {
    let ProcessInEnvironment { space, instance, environment, process } = place;
    let sql = lines!("AND c.process_id = $6 AND e.id = $7", "$8");
    on_connection!(db, executor => sqlx::query_as::<_, Line>(sql)
        .bind(space)
        .bind(instance)
        .bind(admin)
        .bind(now.0)
        .bind(now.plus_seconds(EXPIRING_SECONDS).0)
        .bind(process)
        .bind(environment)
        .bind(limit)
        .fetch_all(executor))
}

#[derive(Debug, Clone, Copy)]
pub struct ProcessInEnvironment<'a> {
    pub space: &'a str,
    pub instance: &'a str,
    pub environment: &'a str,
    pub process: &'a str,
}
