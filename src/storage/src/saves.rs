//! A save of connector details together with what belongs to it: its connection, where that is new, its entry in the audit
//! log, and the values that are offered again. All of it is one trip to the database: for as long as a save lasts it keeps others from SQLite's only
//! writer. PostgreSQL takes it as one statement, SQLite's driver as several in one text. So each can be a write of its own:
//! [`Database::write_statement`](crate::Database::write_statement).

use crate::{
    Connection, Result, StorageError, TwoTexts,
    audit_log::{self, Kind},
    columns::{bind_key, to_json},
    details::{self, NewDetails, StoredDetails, bind_new},
    instances::REGISTER_CONNECTION,
    on_connection,
    suggestions::{self, UsedValue},
    write::{BEGIN_STATEMENT, END_STATEMENT},
};
use ipack_domain::{ids::ConnectionKey, time::Timestamp};
use std::sync::LazyLock;
use uuid::Uuid;

/// A save, and what belongs to it.
#[derive(Debug, Clone, Copy)]
pub struct Save<'a> {
    pub account: &'a str,
    pub key: &'a ConnectionKey,
    pub new: NewDetails<'a>,
    /// The id of its entry in the audit log.
    pub entry: Uuid,
    /// Labels of the parts that it changes.
    pub changed: &'a [&'a str],
    /// Values that are to be offered again.
    pub used: &'a [UsedValue],
    /// Values whose use was recorded since keep their place among those that are offered.
    pub used_since: Timestamp,
}

/// A statement that saves, with its entry in the audit log and its values, where it saved anything. `before` goes before it.
fn with_entry_and_values(before: Option<&str>, save: &str) -> TwoTexts {
    let saved = TwoTexts {
        // How many rows the statement before it changed.
        sqlite: "(SELECT 1 WHERE changes() > 0) AS saved".to_owned(),
        postgres: "saved".to_owned(),
    };
    let entry = |saved: &str| {
        format!(
            "INSERT INTO timeline ({})
             SELECT $1, $2, $3, $4, $5, $14, $15, $11, $10, '{}', $16, NULL FROM {saved}",
            audit_log::COLUMNS,
            Kind::DetailsSaved.name(),
        )
    };
    let parameters = suggestions::Parameters { account: "$15", now: "$11", values: "$17", since: "$18" };
    let joined = |saved: &str| format!("CROSS JOIN {saved}");
    let joined = TwoTexts { sqlite: joined(&saved.sqlite), postgres: joined(&saved.postgres) };
    let values = suggestions::recording(&parameters, &joined);
    let texts = [before, Some(save), Some(&*entry(&saved.sqlite)), Some(&*values.sqlite)];
    let texts: Vec<_> = texts.into_iter().flatten().collect();
    // PostgreSQL runs what the main query asks for first. So it asks, and locks are taken in the order of the forms' saves.
    let (before, is_done) = match before {
        Some(before) => {
            (format!("before AS ({before} RETURNING 1), "), "WHERE (SELECT COUNT(*) FROM before) >= 0")
        }
        None => (String::new(), ""),
    };
    TwoTexts {
        sqlite: format!("{BEGIN_STATEMENT}; {}; {END_STATEMENT}", texts.join("; ")),
        postgres: format!(
            "WITH {before} saved AS ({save}), entered AS ({}), recorded AS ({}) SELECT * FROM saved {is_done}",
            entry(&saved.postgres),
            values.postgres
        ),
    }
}

/// Runs a statement of [`with_entry_and_values`]; `$13` is its own.
macro_rules! save {
    ($db:expr, $statement:expr, $own:expr, $save:expr, $now:expr) => {{
        let (db, now) = ($db, $now);
        let Save { account, key, new, entry, changed, used, used_since } = $save;
        let sql = $statement.on(&db);
        let (changed, used) = (to_json(changed), to_json(used));
        let saved = on_connection!(db, executor => bind_new(bind_key!(sqlx::query_as::<_, StoredDetails>(sql), key), new, now)
            .bind($own)
            .bind(entry)
            .bind(account)
            .bind(&changed)
            .bind(&used)
            .bind(used_since.0)
            // Not the first alone: the driver would leave out the statements after it.
            .fetch_all(executor));
        saved.map(|saved| saved.into_iter().next())
    }};
}

/// As [`details::replace_version`].
pub async fn replace_version(
    db: Connection<'_>,
    expected: i64,
    save: Save<'_>,
    now: Timestamp,
) -> Result<Option<StoredDetails>> {
    static SQL: LazyLock<TwoTexts> = LazyLock::new(|| with_entry_and_values(None, details::REPLACE));
    save!(db, SQL, expected, save, now)
}

/// As [`details::insert_first`].
pub async fn insert_first(
    db: Connection<'_>,
    id: Uuid,
    save: Save<'_>,
    now: Timestamp,
) -> Result<Option<StoredDetails>> {
    static SQL: LazyLock<TwoTexts> = LazyLock::new(|| with_entry_and_values(None, details::INSERT_FIRST));
    save!(db, SQL, id, save, now)
}

/// As [`insert_first`], of a connection that may not be registered yet.
pub async fn insert_with_connection(
    db: Connection<'_>,
    id: Uuid,
    save: Save<'_>,
    now: Timestamp,
) -> Result<Option<StoredDetails>> {
    static SQL: LazyLock<TwoTexts> =
        LazyLock::new(|| with_entry_and_values(Some(REGISTER_CONNECTION), details::INSERT_FIRST));
    save!(db, SQL, id, save, now)
}

/// As [`details::upsert`].
pub async fn upsert(db: Connection<'_>, id: Uuid, save: Save<'_>, now: Timestamp) -> Result<StoredDetails> {
    static SQL: LazyLock<TwoTexts> = LazyLock::new(|| with_entry_and_values(None, details::UPSERT));
    let saved = save!(db, SQL, id, save, now);
    saved.and_then(|saved| saved.ok_or(StorageError::Database(sqlx::Error::RowNotFound)))
}
