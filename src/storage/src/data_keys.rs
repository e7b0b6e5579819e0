//! Which master keys the database knows, and the data keys that they wrap; and what a rotation goes through.
//!
//! Another table with sealed columns is a [`SealedTable`] in [`SEALED`]; everything else about a rotation stays as it is.

use crate::{Connection, Result, StorageError, columns::Column, execute, on_connection};
use ipack_domain::time::Timestamp;
use sqlx::{AssertSqlSafe, FromRow};
use uuid::Uuid;

/// The scope of what belongs to no Space.
pub const INSTALLATION: &str = "";

#[derive(Debug, Clone, FromRow)]
pub struct MasterKeyRow {
    #[sqlx(try_from = "Column<u32>")]
    pub version: u32,
    /// Opens with the right key only.
    pub check_value: Vec<u8>,
}

pub async fn master_keys(db: Connection<'_>) -> Result<Vec<MasterKeyRow>> {
    let sql = "SELECT version, check_value FROM master_keys ORDER BY version";
    on_connection!(db, executor => sqlx::query_as::<_, MasterKeyRow>(sql).fetch_all(executor))
}

/// Makes a master key known. One that is there stays as it is.
pub async fn add_master_key(db: Connection<'_>, version: u32, check: &[u8], now: Timestamp) -> Result<()> {
    let sql = "INSERT INTO master_keys (version, check_value, created_at) VALUES ($1, $2, $3)
         ON CONFLICT (version) DO NOTHING";
    execute!(db, sql, i64::from(version), check, now.0)?;
    Ok(())
}

/// Forgets a master key.
///
/// # Errors
/// `Reference` where it still wraps a data key.
pub async fn remove_master_key(db: Connection<'_>, version: u32) -> Result<bool> {
    Ok(execute!(db, "DELETE FROM master_keys WHERE version = $1", i64::from(version))? == 1)
}

#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct DataKeyRow {
    pub scope: String,
    #[sqlx(try_from = "Column<u32>")]
    pub version: u32,
    #[sqlx(try_from = "Column<u32>")]
    pub master_version: u32,
    pub wrapped: Vec<u8>,
}

/// The data key that a scope's values are sealed with now.
pub async fn current(db: Connection<'_>, scope: &str) -> Result<Option<DataKeyRow>> {
    let sql = "SELECT scope, version, master_version, wrapped FROM data_keys
         WHERE scope = $1 ORDER BY version DESC LIMIT 1";
    on_connection!(db, executor => sqlx::query_as::<_, DataKeyRow>(sql).bind(scope).fetch_optional(executor))
}

pub async fn find(db: Connection<'_>, scope: &str, version: u32) -> Result<Option<DataKeyRow>> {
    let sql =
        "SELECT scope, version, master_version, wrapped FROM data_keys WHERE scope = $1 AND version = $2";
    on_connection!(db, executor => sqlx::query_as::<_, DataKeyRow>(sql)
        .bind(scope)
        .bind(i64::from(version))
        .fetch_optional(executor))
}

pub async fn list(db: Connection<'_>) -> Result<Vec<DataKeyRow>> {
    let sql = "SELECT scope, version, master_version, wrapped FROM data_keys ORDER BY scope, version";
    on_connection!(db, executor => sqlx::query_as::<_, DataKeyRow>(sql).fetch_all(executor))
}

/// Adds a data key, unless another replica was first with this version; whoever adds reads afterwards.
///
/// # Errors
/// `Reference` where the master key is not known.
pub async fn add(db: Connection<'_>, key: &DataKeyRow, now: Timestamp) -> Result<()> {
    let sql = "INSERT INTO data_keys (scope, version, master_version, wrapped, created_at)
         VALUES ($1, $2, $3, $4, $5) ON CONFLICT (scope, version) DO NOTHING";
    execute!(
        db,
        sql,
        &key.scope,
        i64::from(key.version),
        i64::from(key.master_version),
        &key.wrapped,
        now.0
    )?;
    Ok(())
}

/// Forgets the scope's data keys before `version`.
///
/// # Errors
/// `Reference` where something is still sealed with one of them.
pub async fn remove_before(db: Connection<'_>, scope: &str, version: u32) -> Result<u64> {
    execute!(db, "DELETE FROM data_keys WHERE scope = $1 AND version < $2", scope, i64::from(version))
}

/// A table with sealed columns. All of a row's are sealed with one data key.
#[derive(Debug, Clone, Copy)]
pub struct SealedTable {
    pub name: &'static str,
    /// At most three. The first is not NULL where there is a data key, and is another after each change of the row.
    pub columns: &'static [&'static str],
}

/// Every table that has a Space's sealed values.
pub const SEALED: [SealedTable; 4] = [
    SealedTable { name: "client_secrets", columns: &["sealed"] },
    SealedTable { name: "tokens", columns: &["access_token", "refresh_token", "extra"] },
    SealedTable { name: "attempts", columns: &["sealed"] },
    SealedTable { name: "revocations", columns: &["sealed"] },
];

/// The sealed values of one row, in the order of the table's columns; NULL where it has fewer.
#[derive(Debug, Clone)]
pub struct SealedRow {
    pub id: Uuid,
    pub data_key_version: u32,
    pub values: [Option<Vec<u8>>; 3],
}

/// Rows of a Space that are sealed with an older data key than `version`, after `after`, by id.
pub async fn sealed_before(
    db: Connection<'_>,
    table: SealedTable,
    space: &str,
    version: u32,
    after: Uuid,
    limit: i64,
) -> Result<Vec<SealedRow>> {
    type Row = (Uuid, i64, Option<Vec<u8>>, Option<Vec<u8>>, Option<Vec<u8>>);
    // An untyped NULL would be text on PostgreSQL; SQLite takes any name of a type.
    let column = |at: usize| table.columns.get(at).copied().unwrap_or("CAST(NULL AS BYTEA)");
    let sql = format!(
        "SELECT id, data_key_version, {}, {}, {} FROM {}
         WHERE space_guid = $1 AND data_key_version < $2 AND id > $3 ORDER BY id LIMIT $4",
        column(0),
        column(1),
        column(2),
        table.name
    );
    let rows: Vec<Row> = on_connection!(db, executor => sqlx::query_as(AssertSqlSafe(sql.clone()))
        .bind(space)
        .bind(i64::from(version))
        .bind(after)
        .bind(limit)
        .fetch_all(executor))?;
    let row = |(id, version, first, second, third): Row| {
        let data_key_version =
            u32::try_from(version).map_err(|_| StorageError::Corrupt("data_key_version".to_owned()))?;
        Ok(SealedRow { id, data_key_version, values: [first, second, third] })
    };
    rows.into_iter().map(row).collect()
}

/// Puts newly sealed values, in the order of the table's columns, in the place of `old`; `false` where somebody else
/// changed the row since it was read.
pub async fn reseal(
    db: Connection<'_>,
    table: SealedTable,
    old: &SealedRow,
    version: u32,
    new: &[Option<Vec<u8>>; 3],
) -> Result<bool> {
    let columns = table.columns.iter().zip(4..).map(|(column, at)| format!(", {column} = ${at}"));
    let sql = format!(
        "UPDATE {} SET data_key_version = $3{} WHERE id = $1 AND {} = $2",
        table.name,
        columns.collect::<String>(),
        table.columns[0]
    );
    let [before, ..] = &old.values;
    let version = i64::from(version);
    let rows = on_connection!(db, executor => async {
        let mut query = sqlx::query(AssertSqlSafe(sql.clone())).bind(old.id).bind(before).bind(version);
        for value in new.iter().take(table.columns.len()) {
            query = query.bind(value);
        }
        Ok::<u64, sqlx::Error>(query.execute(executor).await?.rows_affected())
    })?;
    Ok(rows == 1)
}

/// How many rows of a table are sealed with each data key.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct SealedCount {
    pub space_guid: String,
    #[sqlx(try_from = "Column<u32>")]
    pub data_key_version: u32,
    #[sqlx(try_from = "Column<u32>")]
    pub rows: u32,
}

pub async fn count_sealed(db: Connection<'_>, table: SealedTable) -> Result<Vec<SealedCount>> {
    let sql = format!(
        "SELECT space_guid, data_key_version, COUNT(*) AS rows FROM {}
         WHERE data_key_version IS NOT NULL GROUP BY space_guid, data_key_version
         ORDER BY space_guid, data_key_version",
        table.name
    );
    on_connection!(db, executor => sqlx::query_as::<_, SealedCount>(AssertSqlSafe(sql.clone())).fetch_all(executor))
}
