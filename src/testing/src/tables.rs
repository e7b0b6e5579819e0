//! Tables as they are, past every repository function.

use crate::write_now;
use ipack_storage::{Database, on_connection};
use sqlx::AssertSqlSafe;

/// How many rows of a table there are; the table may bring its `WHERE`.
pub async fn count(database: &Database, table: &str) -> i64 {
    let mut reader = database.reader().await.expect("a connection is free");
    let sql = AssertSqlSafe(format!("SELECT COUNT(*) FROM {table}"));
    on_connection!(reader.connection(), executor => sqlx::query_scalar(sql).fetch_one(executor))
        .expect("a count")
}

/// Runs a statement that no repository function runs, and commits it.
pub async fn execute(database: &Database, sql: &str) {
    let sql = AssertSqlSafe(sql.to_owned());
    write_now!(database, db => async {
        on_connection!(db, executor => async { sqlx::query(sql).execute(executor).await.map(|_| ()) })
    });
}
