//! A database that is not this program's, or not whole: every command refuses it with the cause, and leaves it as it is.

use crate::faults::program::Installation;
use ipack_storage::open::open;
use ipack_testing::databases::{Kind, on_empty};
use sqlx::{AssertSqlSafe, Connection, PgConnection, SqliteConnection};
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

const NEWER: &str = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
     VALUES (9999, 'later', TRUE, ";
const FOREIGN: &str = "CREATE TABLE customers (id INTEGER)";

async fn execute_sqlite(file: &Path, sql: &str) {
    let address = format!("sqlite://{}?mode=rwc", file.display());
    let mut connection = SqliteConnection::connect(&address).await.expect("it opens");
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut connection).await.expect("it runs");
    connection.close().await.expect("it closes");
}

/// The files of a folder, but for the lock that whoever opens a database takes.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let paths = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    let paths = paths.filter(|path| path.extension().is_none_or(|extension| extension != "lock"));
    paths.map(|path| (path.clone(), fs::read(path).expect("readable"))).collect()
}

#[test]
fn f11_a_file_that_is_no_whole_database_of_ours_is_refused_and_left_alone() {
    on_empty("f11_a_file_that_is_no_whole_database_of_ours_is_refused", Kind::Sqlite, |address| {
        Box::pin(refuse_files(address))
    });
}

async fn refuse_files(address: String) {
    open(&address).await.expect("an empty folder is a first start").close().await;
    let whole = PathBuf::from(address.trim_start_matches("sqlite://"));
    let bytes = fs::read(&whole).expect("readable");
    let folder = whole.parent().expect("a folder").join("refused");
    for (what, reason) in [
        ("empty", "it is empty"),
        ("cut off", "cut off or damaged"),
        ("text", "it is no SQLite database"),
        ("short", "it is no SQLite database"),
        ("foreign", "tables of another program"),
        ("newer", "a newer version of this program"),
    ] {
        fs::create_dir(&folder).expect("a folder");
        let file = folder.join("given.db");
        match what {
            "empty" => fs::write(&file, []),
            "cut off" => fs::write(&file, &bytes[..bytes.len() / 2]),
            "text" => fs::write(&file, "no database at all\n".repeat(100)),
            "short" => fs::write(&file, "SQLite"),
            "newer" => fs::write(&file, &bytes),
            _ => Ok(()),
        }
        .expect("written");
        match what {
            "foreign" => execute_sqlite(&file, FOREIGN).await,
            "newer" => execute_sqlite(&file, &format!("{NEWER}x'00', 0)")).await,
            _ => {}
        }
        let before = files(&folder);
        let address = format!("sqlite://{}", file.display());
        assert_refused(&address, what, &["given.db", reason]);
        assert!(files(&folder) == before, "{what}: files were changed");
        fs::remove_dir_all(&folder).expect("removed");
    }
}

#[test]
fn f11_a_database_of_postgres_that_is_not_ours_is_refused_and_left_alone() {
    on_empty("f11_a_database_of_postgres_that_is_not_ours_is_refused", Kind::Postgres, |address| {
        Box::pin(async move {
            let mut connection = PgConnection::connect(&address).await.expect("it opens");
            let tables = "SELECT string_agg(tablename, ' ' ORDER BY tablename) FROM pg_tables
                 WHERE schemaname = 'public'";
            sqlx::raw_sql(FOREIGN).execute(&mut connection).await.expect("it runs");
            assert_refused(&address, "foreign", &["tables of another program"]);
            let left: String = sqlx::query_scalar(tables).fetch_one(&mut connection).await.expect("tables");
            assert_eq!(left, "customers");
            sqlx::raw_sql("DROP TABLE customers").execute(&mut connection).await.expect("it runs");
            open(&address).await.expect("an empty one is a first start").close().await;
            let newer = AssertSqlSafe(format!("{NEWER}'\\x00', 0)"));
            sqlx::raw_sql(newer).execute(&mut connection).await.expect("it runs");
            assert_refused(&address, "newer", &["a newer version of this program"]);
            connection.close().await.expect("it closes");
        })
    });
}

/// Each command that opens a database refuses this one, with these words.
fn assert_refused(address: &str, what: &str, words: &[&str]) {
    let installation = Installation::without_database(address);
    for command in [&["serve"][..], &["migrate"], &["keys", "status"]] {
        let output = installation.run(command);
        let why = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success(), "{what}: {command:?}");
        assert!(words.iter().all(|word| why.contains(word)), "{what}: {command:?}: {why}");
    }
}
