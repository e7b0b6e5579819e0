//! The overview: instances by name, a page at a time, and what is shown with all of a page in one statement each.

use crate::{Connection, Result, columns::Column, environments::EnvironmentRow, on_connection};
use sqlx::{AssertSqlSafe, FromRow};
use std::sync::LazyLock;

/// So many instances are asked about in one statement, at most.
pub const PAGE: usize = 20;

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

/// A condition that holds for the instances that [`bind_instances`] binds, from this parameter on. The text is the same
/// for every page, so that a database prepares it once.
pub(crate) fn in_instances(columns: &str, first: usize) -> String {
    let pairs: Vec<String> =
        (0..PAGE).map(|number| format!("(${}, ${})", first + 2 * number, first + 2 * number + 1)).collect();
    format!("({columns}) IN (VALUES {})", pairs.join(", "))
}

/// Binds a page of instances, whose last one fills what is left of the [`PAGE`].
macro_rules! bind_instances {
    ($query:expr, $instances:expr) => {{
        let instances: &[$crate::overview::InstanceInList] = $instances;
        let mut query = $query;
        for number in 0..$crate::overview::PAGE {
            let instance = &instances[number.min(instances.len() - 1)];
            query = query.bind(&instance.space_guid).bind(&instance.id);
        }
        query
    }};
}
pub(crate) use bind_instances;

/// An environment that one of several instances is attached to.
#[derive(Debug, Clone, FromRow)]
pub struct EnvironmentOfInstance {
    pub space_guid: String,
    pub instance_id: String,
    #[sqlx(flatten)]
    pub environment: EnvironmentRow,
}

/// The environments that these instances are attached to, by name.
pub async fn environments(
    db: Connection<'_>,
    instances: &[InstanceInList],
) -> Result<Vec<EnvironmentOfInstance>> {
    static SQL: LazyLock<String> = LazyLock::new(|| {
        let instances = in_instances("a.space_guid, a.instance_id", 1);
        format!(
            "SELECT a.space_guid, a.instance_id, e.id, e.name, e.classification FROM attachments a
             JOIN environments e ON e.space_guid = a.space_guid AND e.id = a.environment_id
             WHERE {instances} ORDER BY a.space_guid, a.instance_id, e.name, e.id"
        )
    });
    if instances.is_empty() {
        return Ok(Vec::new());
    }
    on_connection!(db, executor =>
        bind_instances!(sqlx::query_as::<_, EnvironmentOfInstance>(AssertSqlSafe(SQL.as_str())), instances).fetch_all(executor))
}

/// How many OAuth connections an instance has, in each of its environments.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct OauthConnections {
    pub space_guid: String,
    pub instance_id: String,
    #[sqlx(try_from = "Column<u32>")]
    pub count: u32,
}

/// How many OAuth connections each of these instances has; one that has none is left out.
pub async fn count_oauth_connections(
    db: Connection<'_>,
    instances: &[InstanceInList],
) -> Result<Vec<OauthConnections>> {
    static SQL: LazyLock<String> = LazyLock::new(|| {
        let instances = in_instances("space_guid, instance_id", 1);
        format!(
            "SELECT space_guid, instance_id, COUNT(*) AS count FROM connections
             WHERE {instances} AND uses_oauth GROUP BY space_guid, instance_id"
        )
    });
    if instances.is_empty() {
        return Ok(Vec::new());
    }
    on_connection!(db, executor =>
        bind_instances!(sqlx::query_as::<_, OauthConnections>(AssertSqlSafe(SQL.as_str())), instances).fetch_all(executor))
}
