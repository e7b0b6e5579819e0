//! Values that an account has used before, offered again in the form.

use crate::{BATCH, Connection, Result, execute, on_connection};
use ipack_domain::{
    suggestions::{Suggestion, SuggestionField},
    time::Timestamp,
};
use sqlx::FromRow;
use std::sync::LazyLock;

/// Longer values help nobody in a list, and would not fit an index entry.
pub const MAX_VALUE_BYTES: usize = 300;
/// How many values housekeeping leaves of each field.
const KEPT_PER_FIELD: i64 = 200;

/// A value that stands in a field.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, FromRow)]
pub struct UsedValue {
    field: String,
    value: String,
}

impl UsedValue {
    /// `None` for a value that is not offered: blank, overlong or unprintable.
    pub fn new(field: SuggestionField, value: &str) -> Option<Self> {
        let is_offered = !value.trim().is_empty()
            && value.len() <= MAX_VALUE_BYTES
            && !value.chars().any(char::is_control);
        is_offered.then(|| Self { field: field.name(), value: value.to_owned() })
    }
}

/// How many values one statement is about. Where there are fewer, the last one stands for the rest.
const AT_ONCE: usize = 8;

/// Of the values of a statement each once, as a table `used`; they are the parameters from `$3` on.
static USED: LazyLock<String> = LazyLock::new(|| {
    let values = (0..AT_ONCE).map(|number| {
        let (field, value) = (2 * number + 3, 2 * number + 4);
        format!("SELECT ${field} AS field, ${value} AS value")
    });
    format!("({}) AS used", values.collect::<Vec<_>>().join(" UNION "))
});

/// Binds the parameters of [`USED`].
macro_rules! bind_used {
    ($query:expr, $values:expr) => {{
        let values: &[UsedValue] = $values;
        let mut query = $query;
        for used in values.iter().chain(values.last().into_iter().cycle()).take(AT_ONCE) {
            query = query.bind(&used.field).bind(&used.value);
        }
        query
    }};
}

/// Those of the values whose use was not recorded since a moment. Each is looked up by its key: as an anti-join PostgreSQL
/// would read all that the account ever used.
pub async fn unrecorded(
    mut db: Connection<'_>,
    account: &str,
    values: &[UsedValue],
    since: Timestamp,
) -> Result<Vec<UsedValue>> {
    static SQL: LazyLock<String> = LazyLock::new(|| {
        format!(
            "SELECT used.field, used.value FROM {} WHERE COALESCE((
                 SELECT s.used_at FROM suggestions s WHERE s.account_id = $1 AND s.field = used.field
                     AND s.value = used.value), -1) < $2
             ORDER BY used.field, used.value",
            *USED
        )
    });
    let sql = SQL.as_str();
    let mut found = Vec::new();
    for values in values.chunks(AT_ONCE) {
        let rows = on_connection!(db.lend(), executor => {
            let query = sqlx::query_as::<_, UsedValue>(sql).bind(account).bind(since.0);
            bind_used!(query, values).fetch_all(executor)
        })?;
        found.extend(rows);
    }
    Ok(found)
}

/// Remembers the use of values. Sorted, so that two transactions with the same ones do not wait for each other.
///
/// # Errors
/// `Reference` where the account is unknown.
pub async fn record(
    mut db: Connection<'_>,
    account: &str,
    values: &[UsedValue],
    now: Timestamp,
) -> Result<()> {
    static SQL: LazyLock<String> = LazyLock::new(|| {
        format!(
            "INSERT INTO suggestions (account_id, used_at, field, value)
             SELECT $1, $2, used.field, used.value FROM {} WHERE TRUE ORDER BY used.field, used.value
             ON CONFLICT (account_id, field, value) DO UPDATE SET used_at = excluded.used_at",
            *USED
        )
    });
    let sql = SQL.as_str();
    for values in values.chunks(AT_ONCE) {
        on_connection!(db.lend(), executor => async {
            let query = sqlx::query(sql).bind(account).bind(now.0);
            bind_used!(query, values).execute(executor).await.map(drop)
        })?;
    }
    Ok(())
}

/// The latest values of each field, from the index: a scan would read all that an account ever used.
static LATEST: LazyLock<String> = LazyLock::new(|| {
    let of_field = |field: SuggestionField| {
        format!(
            "SELECT * FROM (SELECT field, value FROM suggestions WHERE account_id = $1 AND field = '{name}'
             ORDER BY used_at DESC LIMIT 12) AS {name}",
            name = field.name()
        )
    };
    SuggestionField::all().map(of_field).collect::<Vec<_>>().join(" UNION ALL ")
});

/// The latest values of every field.
pub async fn latest(db: Connection<'_>, account: &str) -> Result<Vec<Suggestion>> {
    #[derive(FromRow)]
    struct Row {
        field: String,
        value: String,
    }
    let sql = LATEST.as_str();
    let rows = on_connection!(
        db,
        executor => sqlx::query_as::<_, Row>(sql).bind(account).fetch_all(executor)
    )?;
    let known = |name: &str| SuggestionField::all().find(|field| field.name() == name);
    Ok(rows
        .into_iter()
        .filter_map(|row| Some(Suggestion { field: known(&row.field)?, value: row.value }))
        .collect())
}

/// The fields, each with its account, that have more values than are kept.
pub async fn overfull(db: Connection<'_>) -> Result<Vec<(String, String)>> {
    let sql = "SELECT account_id, field FROM suggestions GROUP BY account_id, field HAVING COUNT(*) > $1
         ORDER BY account_id, field";
    on_connection!(db, executor => sqlx::query_as(sql).bind(KEPT_PER_FIELD).fetch_all(executor))
}

/// Removes values of one account's field that are older than the last of those that stay, up to a batch of the oldest and
/// those of the same moment; answers how many. By moments alone: of a choice by value PostgreSQL compares each with each.
pub async fn prune(db: Connection<'_>, account: &str, field: &str) -> Result<u64> {
    let sql = "DELETE FROM suggestions WHERE account_id = $1 AND field = $2
         AND used_at < (
             SELECT used_at FROM suggestions WHERE account_id = $1 AND field = $2
             ORDER BY used_at DESC LIMIT 1 OFFSET $3)
         AND used_at <= COALESCE((
             SELECT used_at FROM suggestions WHERE account_id = $1 AND field = $2
             ORDER BY used_at LIMIT 1 OFFSET $4), 9223372036854775807)";
    execute!(db, sql, account, field, KEPT_PER_FIELD - 1, BATCH - 1)
}
