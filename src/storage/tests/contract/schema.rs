//! The two schemas are one: the same migrations, tables, columns, keys and indexes; and helpers for tests that look
//! into tables themselves.
//!
//! To hold more of the schemas together: a query for each database that gives comparable lines, and `same`.

use ipack_storage::{Connection, Database, on_connection, open::open};
use ipack_testing::databases::{Kind, TestDatabase};
use std::{collections::BTreeSet, fs, path::Path};

/// The first column of what a query answers; one text for each database.
async fn lines(database: &Database, sqlite: &'static str, postgres: &'static str) -> Vec<String> {
    let mut reader = database.reader().await.expect("a connection is free");
    let sql = match reader.connection() {
        Connection::Sqlite(_) => sqlite,
        Connection::Postgres(_) => postgres,
    };
    on_connection!(reader.connection(), executor => sqlx::query_scalar(sql).fetch_all(executor))
        .expect("lines")
}

/// Every table of the program, by name.
pub async fn tables(database: &Database) -> Vec<String> {
    lines(
        database,
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT IN ('_sqlx_migrations') ORDER BY name",
        "SELECT table_name::text FROM information_schema.tables
         WHERE table_schema = 'public' AND table_name <> '_sqlx_migrations' ORDER BY table_name::text COLLATE \"C\"",
    )
    .await
}

/// The tables that have a column of this name.
pub async fn tables_with(database: &Database, column: &str) -> Vec<String> {
    let all = columns(database).await;
    let mut found = Vec::new();
    for table in tables(database).await {
        if all.iter().any(|line| line.starts_with(&format!("{table}.{column} "))) {
            found.push(table);
        }
    }
    found
}

/// `table.column TYPE null|not null`, in SQLite's words for the types.
async fn columns(database: &Database) -> Vec<String> {
    lines(
        database,
        "SELECT s.name || '.' || c.name || ' ' || c.type || iif(c.\"notnull\", ' not null', ' null')
         FROM sqlite_schema s JOIN pragma_table_info(s.name) c
         WHERE s.type = 'table' AND s.name <> '_sqlx_migrations'",
        "SELECT table_name || '.' || column_name
             || CASE data_type WHEN 'text' THEN ' TEXT' WHEN 'bigint' THEN ' INTEGER' WHEN 'boolean' THEN ' INTEGER'
                    WHEN 'uuid' THEN ' BLOB' WHEN 'bytea' THEN ' BLOB' ELSE ' ' || data_type END
             || CASE is_nullable WHEN 'NO' THEN ' not null' ELSE ' null' END
         FROM information_schema.columns WHERE table_schema = 'public' AND table_name <> '_sqlx_migrations'",
    )
    .await
}

/// `table (columns)` of primary keys and unique constraints.
async fn keys(database: &Database) -> Vec<String> {
    lines(
        database,
        // A primary key that is one INTEGER has no index of its own.
        "SELECT s.name || ' pk ' || group_concat(c.name, ',' ORDER BY c.pk)
         FROM sqlite_schema s JOIN pragma_table_info(s.name) c
         WHERE s.type = 'table' AND s.name <> '_sqlx_migrations' AND c.pk > 0 GROUP BY s.name
         UNION ALL
         SELECT s.name || ' u ' || (SELECT group_concat(i.name, ',' ORDER BY i.seqno) FROM pragma_index_info(l.name) i)
         FROM sqlite_schema s JOIN pragma_index_list(s.name) l
         WHERE s.type = 'table' AND s.name <> '_sqlx_migrations' AND l.origin = 'u'",
        "SELECT c.conrelid::regclass || CASE c.contype WHEN 'p' THEN ' pk ' ELSE ' u ' END
             || (SELECT string_agg(a.attname::text, ',' ORDER BY k.at) FROM unnest(c.conkey) WITH ORDINALITY k (number, at)
                 JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.number)
         FROM pg_constraint c WHERE c.contype IN ('p', 'u') AND c.connamespace = 'public'::regnamespace
             AND c.conrelid <> '_sqlx_migrations'::regclass",
    )
    .await
}

/// `table (columns) parent (columns) what happens on deletion`.
async fn references(database: &Database) -> Vec<String> {
    lines(
        database,
        "SELECT s.name || ' ' || group_concat(f.\"from\", ',' ORDER BY f.seq) || ' > ' || f.\"table\" || ' '
             || group_concat(f.\"to\", ',' ORDER BY f.seq) || ' ' || f.on_delete
         FROM sqlite_schema s JOIN pragma_foreign_key_list(s.name) f WHERE s.type = 'table' GROUP BY s.name, f.id",
        "SELECT c.conrelid::regclass || ' ' || (SELECT string_agg(a.attname::text, ',' ORDER BY k.at)
                 FROM unnest(c.conkey) WITH ORDINALITY k (number, at)
                 JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.number)
             || ' > ' || c.confrelid::regclass || ' ' || (SELECT string_agg(a.attname::text, ',' ORDER BY k.at)
                 FROM unnest(c.confkey) WITH ORDINALITY k (number, at)
                 JOIN pg_attribute a ON a.attrelid = c.confrelid AND a.attnum = k.number)
             || CASE c.confdeltype WHEN 'c' THEN ' CASCADE' WHEN 'a' THEN ' NO ACTION' ELSE ' other' END
         FROM pg_constraint c WHERE c.contype = 'f' AND c.connamespace = 'public'::regnamespace",
    )
    .await
}

/// `index table columns` of the indexes that no constraint brings.
async fn indexes(database: &Database) -> Vec<String> {
    lines(
        database,
        "SELECT l.name || ' ' || s.name || ' ' || (SELECT group_concat(i.name, ',' ORDER BY i.seqno) FROM pragma_index_info(l.name) i)
         FROM sqlite_schema s JOIN pragma_index_list(s.name) l WHERE s.type = 'table' AND l.origin = 'c'",
        "SELECT x.indexrelid::regclass || ' ' || x.indrelid::regclass || ' ' || (SELECT string_agg(a.attname::text, ',' ORDER BY k.at)
                 FROM unnest(x.indkey) WITH ORDINALITY k (number, at)
                 JOIN pg_attribute a ON a.attrelid = x.indrelid AND a.attnum = k.number)
         FROM pg_index x JOIN pg_class t ON t.oid = x.indrelid
         WHERE t.relnamespace = 'public'::regnamespace
             AND NOT EXISTS (SELECT 1 FROM pg_constraint c WHERE c.conindid = x.indexrelid)",
    )
    .await
}

fn same(what: &str, sqlite: Vec<String>, postgres: Vec<String>) {
    assert!(!sqlite.is_empty(), "SQLite has no {what}");
    let sets = [sqlite, postgres].map(BTreeSet::from_iter);
    let only = |a: &BTreeSet<String>, b: &BTreeSet<String>| a.difference(b).cloned().collect::<Vec<_>>();
    let apart = (only(&sets[0], &sets[1]), only(&sets[1], &sets[0]));
    assert!(apart == (vec![], vec![]), "{what} of SQLite alone, of PostgreSQL alone: {apart:#?}");
}

/// Needs both at once, so it is one test and not two.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sqlite_and_postgres_have_the_same_tables_columns_keys_and_indexes() {
    let (on_sqlite, on_postgres) =
        (TestDatabase::empty(Kind::Sqlite).await, TestDatabase::empty(Kind::Postgres).await);
    let sqlite = open(on_sqlite.address()).await.expect("SQLite opens");
    let postgres = open(on_postgres.address()).await.expect("PostgreSQL opens");
    let found = [
        ("tables", tables(&sqlite).await, tables(&postgres).await),
        ("columns", columns(&sqlite).await, columns(&postgres).await),
        ("keys", keys(&sqlite).await, keys(&postgres).await),
        ("references", references(&sqlite).await, references(&postgres).await),
        ("indexes", indexes(&sqlite).await, indexes(&postgres).await),
    ];
    sqlite.close().await;
    postgres.close().await;
    on_sqlite.remove().await;
    on_postgres.remove().await;
    for (what, sqlite, postgres) in found {
        same(what, sqlite, postgres);
    }
}

/// The file names of a database's migrations.
pub fn migrations(database: &str) -> BTreeSet<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../migrations").join(database);
    let files = fs::read_dir(&folder).expect("the migrations' folder can be read");
    files.map(|file| file.expect("a file").file_name().to_string_lossy().into_owned()).collect()
}

#[test]
fn both_databases_have_the_same_migration_files() {
    assert!(!migrations("sqlite").is_empty());
    assert_eq!(migrations("sqlite"), migrations("postgres"));
}
