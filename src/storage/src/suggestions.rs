//! Values that an account has used before, offered again in the form.

use crate::{BATCH, Connection, Result, TwoTexts, columns::to_json, execute, on_connection};
use ipack_domain::{
    suggestions::{Suggestion, SuggestionField},
    time::Timestamp,
};
use serde::Serialize;
use sqlx::FromRow;
use std::sync::LazyLock;

/// Longer values help nobody in a list, and would not fit an index entry.
pub const MAX_VALUE_BYTES: usize = 300;
/// How many values housekeeping leaves of each field.
const KEPT_PER_FIELD: i64 = 200;

/// A value that stands in a field.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
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

/// The statement that records the values of a JSON array, its parameter `values`, but for those that were recorded since.
/// Each is looked up by its key: as an anti-join PostgreSQL would read all that the account ever used. Sorted, so that of two
/// transactions with the same ones only one waits for the other. `only_beside` joins what has a row where anything is recorded.
pub(crate) fn recording(parameters: &Parameters, only_beside: &TwoTexts) -> TwoTexts {
    let Parameters { account, now, values, since } = parameters;
    let with = |used: String, join: &str| {
        format!(
            "INSERT INTO suggestions (account_id, used_at, field, value)
             SELECT DISTINCT {account}, {now}, used.field, used.value FROM {used} {join}
             WHERE COALESCE((
                 SELECT s.used_at FROM suggestions s WHERE s.account_id = {account} AND s.field = used.field
                     AND s.value = used.value), -1) < {since}
             ORDER BY used.field, used.value
             ON CONFLICT (account_id, field, value) DO UPDATE SET used_at = excluded.used_at"
        )
    };
    let pairs = "SELECT value ->> 'field' AS field, value ->> 'value' AS value";
    TwoTexts {
        sqlite: with(format!("({pairs} FROM json_each({values})) AS used"), &only_beside.sqlite),
        postgres: with(
            format!("({pairs} FROM jsonb_array_elements({values}::jsonb)) AS used"),
            &only_beside.postgres,
        ),
    }
}

/// The parameters of [`recording`].
pub(crate) struct Parameters {
    pub account: &'static str,
    pub now: &'static str,
    pub values: &'static str,
    pub since: &'static str,
}

/// Remembers the use of values, but of those whose use was recorded since a moment.
///
/// # Errors
/// `Reference` where the account is unknown.
pub async fn record(
    db: Connection<'_>,
    account: &str,
    values: &[UsedValue],
    since: Timestamp,
    now: Timestamp,
) -> Result<()> {
    static SQL: LazyLock<TwoTexts> = LazyLock::new(|| {
        let parameters = Parameters { account: "$1", now: "$2", values: "$3", since: "$4" };
        recording(&parameters, &TwoTexts::default())
    });
    if !values.is_empty() {
        let sql = SQL.on(&db);
        execute!(db, sql, account, now.0, to_json(values), since.0)?;
    }
    Ok(())
}

/// In each statement that is to be answered by `suggestions_by_use`, and in no other: its index has this condition.
macro_rules! by_use {
    () => {
        "account_id = $1 AND used_at >= 0"
    };
}

/// The latest values of each field, from the index: a scan would read all that an account ever used.
static LATEST: LazyLock<String> = LazyLock::new(|| {
    let of_field = |field: SuggestionField| {
        format!(
            "SELECT * FROM (SELECT field, value FROM suggestions WHERE {by_use} AND field = '{name}'
             ORDER BY used_at DESC LIMIT 12) AS {name}",
            by_use = by_use!(),
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
    let sql = concat!(
        "DELETE FROM suggestions WHERE ",
        by_use!(),
        " AND field = $2
         AND used_at < (
             SELECT used_at FROM suggestions WHERE ",
        by_use!(),
        " AND field = $2
             ORDER BY used_at DESC LIMIT 1 OFFSET $3)
         AND used_at <= COALESCE((
             SELECT used_at FROM suggestions WHERE ",
        by_use!(),
        " AND field = $2
             ORDER BY used_at LIMIT 1 OFFSET $4), 9223372036854775807)"
    );
    execute!(db, sql, account, field, KEPT_PER_FIELD - 1, BATCH - 1)
}
