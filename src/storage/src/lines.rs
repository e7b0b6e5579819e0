//! Lines of lists: the connections of instances in their environments, each with what its state depends on.
//!
//! What a connection's state depends on is a column of [`Line`].

use crate::{
    Connection, Result,
    columns::{Column, JsonText, bind_key},
    on_connection,
    overview::{InstanceInList, bind_instances, in_instances},
};
use ipack_domain::{
    catalogue::Classification, connection_state::EXPIRING_SECONDS, ids::ConnectionKey,
    provider::ProviderChoice, time::Timestamp,
};
use sqlx::{AssertSqlSafe, FromRow};
use std::sync::LazyLock;
use uuid::Uuid;

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

macro_rules! columns {
    () => {
        "e.id AS environment_id, e.name AS environment_name, e.classification, c.process_id,
             p.name AS process_name, c.id AS connection_id, c.name AS connection_name, c.uses_oauth, d.complete,
             d.saved_by, d.updated_at, r.updated_at IS NOT NULL AS draft,
             CASE WHEN t.id IS NOT NULL OR NOT d.complete THEN d.oauth_connector_details END
                 AS oauth_connector_details,
             COALESCE(d.provider, c.provider) AS provider, t.obtained_at, t.refreshed_at, t.expires_at,
             t.refresh_at, t.failure, t.is_broken, t.requested_scope, t.granted_scope, t.configuration,
             t.company_id, s.destination AS secret, n.destination AS replacement, w.destination AS password"
    };
}

/// Parameter 1 is the admin whose drafts are meant.
macro_rules! tables {
    () => {
        concat!(
            " FROM connections c
             JOIN processes p ON p.space_guid = c.space_guid AND p.instance_id = c.instance_id AND p.id = c.process_id
             JOIN attachments a ON a.space_guid = c.space_guid AND a.instance_id = c.instance_id
             JOIN environments e ON e.space_guid = a.space_guid AND e.id = a.environment_id
             LEFT JOIN connector_details d ON d.space_guid = c.space_guid AND d.instance_id = c.instance_id
                 AND d.environment_id = e.id AND d.process_id = c.process_id AND d.connection_id = c.id
             LEFT JOIN drafts r ON r.space_guid = c.space_guid AND r.instance_id = c.instance_id
                 AND r.environment_id = e.id AND r.process_id = c.process_id AND r.connection_id = c.id
                 AND r.admin_id = $1
             LEFT JOIN tokens t ON t.space_guid = c.space_guid AND t.instance_id = c.instance_id
                 AND t.environment_id = e.id AND t.process_id = c.process_id AND t.connection_id = c.id ",
            secret!("s", "current"),
            secret!("n", "replacement"),
            secret!("w", "password"),
        )
    };
}

/// Those that need somebody come first, as far as columns alone can tell, in the order of
/// [`ConnectionState`](ipack_domain::connection_state::ConnectionState): a limit cuts off those that need nobody. What
/// was saved after its token was got, or was granted other scopes than it asked for, may have changed; only the details
/// themselves tell whether it did.
/// Parameter 2 is now, parameter 3 the end of what is about to expire.
macro_rules! urgency {
    () => {
        "CASE
             WHEN NOT c.uses_oauth THEN 6
             WHEN t.id IS NULL THEN CASE WHEN d.complete THEN 3 ELSE 5 END
             WHEN t.is_broken OR (t.refresh_at IS NULL AND t.expires_at <= $2) THEN 0
             WHEN t.failure IS NOT NULL THEN 1
             WHEN t.refresh_at IS NULL AND t.expires_at <= $3 THEN 2
             WHEN d.updated_at >= t.obtained_at OR t.granted_scope <> t.requested_scope THEN 4
             ELSE 6 END"
    };
}

/// A line of one of several instances.
#[derive(Debug, Clone, FromRow)]
pub struct LineOfInstance {
    pub space_guid: String,
    pub instance_id: String,
    #[sqlx(flatten)]
    pub line: Line,
}

impl LineOfInstance {
    pub fn key(self) -> ConnectionKey {
        ConnectionKey {
            space: self.space_guid,
            instance: self.instance_id,
            environment: self.line.environment_id,
            process: self.line.process_id,
            connection: self.line.connection_id,
        }
    }
}

/// The OAuth connections of all Spaces in each of their environments after that of `after`, a batch of them; of nobody's
/// drafts.
pub async fn all_oauth_lines(
    db: Connection<'_>,
    after: Option<&ConnectionKey>,
    limit: i64,
) -> Result<Vec<LineOfInstance>> {
    // The first condition lets an index begin where the batch does.
    let sql = concat!(
        "SELECT c.space_guid, c.instance_id, ",
        columns!(),
        tables!(),
        "WHERE c.uses_oauth AND (c.space_guid, c.instance_id) >= ($2, $3)
             AND (c.space_guid, c.instance_id, c.process_id, c.id, a.environment_id) > ($2, $3, $4, $5, $6)
         ORDER BY c.space_guid, c.instance_id, c.process_id, c.id, a.environment_id LIMIT $7"
    );
    let part = |part: fn(&ConnectionKey) -> &String| after.map(part).map_or("", String::as_str);
    on_connection!(db, executor => sqlx::query_as::<_, LineOfInstance>(sql)
        .bind(Uuid::nil())
        .bind(part(|key| &key.space))
        .bind(part(|key| &key.instance))
        .bind(part(|key| &key.process))
        .bind(part(|key| &key.connection))
        .bind(part(|key| &key.environment))
        .bind(limit)
        .fetch_all(executor))
}

/// The OAuth connections of these instances in each of their environments: of each instance at most `limit`, those that
/// need somebody first.
pub async fn oauth_lines(
    db: Connection<'_>,
    instances: &[InstanceInList],
    admin: Uuid,
    now: Timestamp,
    limit: i64,
) -> Result<Vec<LineOfInstance>> {
    static SQL: LazyLock<String> = LazyLock::new(|| {
        let columns = columns!();
        let (tables, urgency, instances) =
            (tables!(), urgency!(), in_instances("c.space_guid, c.instance_id", 5));
        format!(
            "SELECT * FROM (
                 SELECT c.space_guid, c.instance_id, {columns},
                     ROW_NUMBER() OVER (PARTITION BY c.space_guid, c.instance_id ORDER BY {urgency},
                         e.classification, e.name, e.id, p.name, c.name, c.process_id, c.id) AS place
                 {tables} WHERE {instances} AND c.uses_oauth
             ) AS ranked WHERE place <= $4 ORDER BY space_guid, instance_id, place"
        )
    });
    if instances.is_empty() {
        return Ok(Vec::new());
    }
    on_connection!(db, executor => bind_instances!(
        sqlx::query_as::<_, LineOfInstance>(AssertSqlSafe(SQL.as_str()))
            .bind(admin)
            .bind(now.0)
            .bind(now.plus_seconds(EXPIRING_SECONDS).0)
            .bind(limit),
        instances
    )
    .fetch_all(executor))
}

/// A line of a process, with its place in the order.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct LineOfProcess {
    pub urgency: i64,
    #[sqlx(flatten)]
    pub line: Line,
}

/// The last line of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AfterLine {
    pub urgency: i64,
    pub name: String,
    pub connection: String,
}

/// The connections of one process in one environment, those that need somebody first; a page of them.
pub async fn process_lines(
    db: Connection<'_>,
    place: ProcessInEnvironment<'_>,
    admin: Uuid,
    now: Timestamp,
    after: Option<&AfterLine>,
    limit: i64,
) -> Result<Vec<LineOfProcess>> {
    let ProcessInEnvironment { space, instance, environment, process } = place;
    let (urgency, name, connection) =
        after.map_or((-1, "", ""), |after| (after.urgency, &*after.name, &*after.connection));
    let sql = concat!(
        "SELECT * FROM (SELECT ",
        columns!(),
        ", CAST(",
        urgency!(),
        " AS BIGINT) AS urgency",
        tables!(),
        "WHERE c.space_guid = $4 AND c.instance_id = $5 AND c.process_id = $6 AND e.id = $7) AS of_process
         WHERE (urgency, connection_name, connection_id) > ($8, $9, $10)
         ORDER BY urgency, connection_name, connection_id LIMIT $11"
    );
    on_connection!(db, executor => sqlx::query_as::<_, LineOfProcess>(sql)
        .bind(admin)
        .bind(now.0)
        .bind(now.plus_seconds(EXPIRING_SECONDS).0)
        .bind(space)
        .bind(instance)
        .bind(process)
        .bind(environment)
        .bind(urgency)
        .bind(name)
        .bind(connection)
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

/// A connection that uses OAuth in one environment of its instance, for programs.
#[derive(Debug, Clone, FromRow)]
pub struct StatusLine {
    pub instance_id: String,
    #[sqlx(flatten)]
    pub line: Line,
    /// When a program last read the token that there is.
    #[sqlx(try_from = "Column<Option<Timestamp>>")]
    pub read_at: Option<Timestamp>,
}

/// Parameter 1 is nobody's id: these lines are of no admin's drafts.
macro_rules! status {
    ($rest:literal) => {
        concat!(
            "SELECT c.instance_id, ",
            columns!(),
            ", CASE WHEN t.id IS NOT NULL THEN (
                 SELECT l.at FROM timeline l WHERE l.space_guid = t.space_guid AND l.instance_id = t.instance_id
                     AND l.environment_id = t.environment_id AND l.process_id = t.process_id
                     AND l.connection_id = t.connection_id AND l.kind = 'token_read'
                 ORDER BY l.at DESC LIMIT 1) END AS read_at",
            tables!(),
            "WHERE c.space_guid = $2 AND c.uses_oauth AND ",
            $rest
        )
    };
}

/// The line of one connection.
pub async fn status_line(db: Connection<'_>, key: &ConnectionKey) -> Result<Option<StatusLine>> {
    let sql = status!("c.instance_id = $3 AND a.environment_id = $4 AND c.process_id = $5 AND c.id = $6");
    let nobody = Uuid::nil();
    on_connection!(db, executor => bind_key!(sqlx::query_as::<_, StatusLine>(sql).bind(nobody), key)
        .fetch_optional(executor))
}

/// The lines of a Space after that of `after`, by instance, process, connection and environment.
pub async fn status_lines(
    db: Connection<'_>,
    space: &str,
    after: Option<&ConnectionKey>,
    limit: i64,
) -> Result<Vec<StatusLine>> {
    // The first condition lets an index begin where the page does.
    let sql = status!(
        "c.instance_id >= $3 AND (c.instance_id, c.process_id, c.id, a.environment_id) > ($3, $4, $5, $6)
         ORDER BY c.instance_id, c.process_id, c.id, a.environment_id LIMIT $7"
    );
    let part = |part: fn(&ConnectionKey) -> &String| after.map(part).map_or("", String::as_str);
    on_connection!(db, executor => sqlx::query_as::<_, StatusLine>(sql)
        .bind(Uuid::nil())
        .bind(space)
        .bind(part(|key| &key.instance))
        .bind(part(|key| &key.process))
        .bind(part(|key| &key.connection))
        .bind(part(|key| &key.environment))
        .bind(limit)
        .fetch_all(executor))
}
