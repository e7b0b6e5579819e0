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

/// Remembers a value's use; blank, overlong and unprintable ones are passed over.
pub async fn record(
    db: Connection<'_>,
    account: &str,
    field: SuggestionField,
    value: &str,
    now: Timestamp,
) -> Result<()> {
    if value.trim().is_empty() || value.len() > MAX_VALUE_BYTES || value.chars().any(char::is_control) {
        return Ok(());
    }
    let sql = "INSERT INTO suggestions (account_id, field, value, used_at) VALUES ($1, $2, $3, $4)
         ON CONFLICT (account_id, field, value) DO UPDATE SET used_at = excluded.used_at";
    execute!(db, sql, account, field.name(), value, now.0)?;
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

/// Removes values of one account's field that are older than the last of those that stay, up to a batch; answers how
/// many.
pub async fn prune(db: Connection<'_>, account: &str, field: &str) -> Result<u64> {
    let sql = "DELETE FROM suggestions WHERE account_id = $1 AND field = $2 AND value IN (
             SELECT value FROM suggestions WHERE account_id = $1 AND field = $2 AND used_at < (
                 SELECT used_at FROM suggestions WHERE account_id = $1 AND field = $2
                 ORDER BY used_at DESC LIMIT 1 OFFSET $3)
             LIMIT $4)";
    execute!(db, sql, account, field, KEPT_PER_FIELD - 1, BATCH)
}
