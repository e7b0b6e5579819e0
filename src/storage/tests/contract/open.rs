//! Contract of `storage::open`: from an address to a migrated database whose settings hold on every connection.

use crate::schema;
use ipack_storage::{
    Database, details,
    open::{open, open_with},
};
use ipack_testing::databases::{Kind, on_empty};
use ipack_testing::records::{at, key, new_details, stand_up, uuid};
use sqlx::{AssertSqlSafe, Connection, PgConnection, Row, SqliteConnection};
use std::time::Duration;
use tokio::task::JoinSet;

on_both!(
    empty: programs_that_start_together_all_open_one_empty_database,
    what_was_saved_is_there_after_opening_again,
    opening_again_migrates_nothing,
    a_database_without_a_migration_is_not_ready,
);

fn migration_count() -> i64 {
    i64::try_from(schema::migrations("sqlite").len()).expect("a small number")
}

async fn programs_that_start_together_all_open_one_empty_database(address: String) {
    let mut opening = JoinSet::new();
    for _ in 0..4 {
        let address = address.clone();
        opening.spawn(async move { open(&address).await });
    }
    for database in opening.join_all().await {
        let database = database.expect("each of them opens it");
        assert!(database.is_migrated().await.expect("it answers"));
        assert_eq!(ipack_testing::tables::count(&database, "_sqlx_migrations").await, migration_count());
        database.close().await;
    }
}

async fn what_was_saved_is_there_after_opening_again(address: String) {
    let database = open(&address).await.expect("an empty database opens");
    stand_up(&database, &key()).await;
    let new = new_details("{\"a\":\"é\"}", "saver");
    let saved = write_now!(database, db => details::upsert(db, uuid(1), &key(), new, at(0)));
    database.close().await;
    let database = open(&address).await.expect("it opens again");
    assert_eq!(read_now!(database, db => details::find(db, &key())), Some(saved));
    database.close().await;
}

async fn opening_again_migrates_nothing(address: String) {
    for _ in 0..2 {
        let database = open(&address).await.expect("it opens");
        assert!(database.is_migrated().await.expect("it answers"));
        assert_eq!(
            ipack_testing::tables::count(&database, "_sqlx_migrations WHERE success").await,
            migration_count()
        );
        database.close().await;
    }
}

async fn a_database_without_a_migration_is_not_ready(address: String) {
    let database = open(&address).await.expect("an empty database opens");
    assert!(database.is_migrated().await.expect("it answers"));
    ipack_testing::tables::execute(&database, "UPDATE _sqlx_migrations SET success = FALSE").await;
    assert!(!database.is_migrated().await.expect("it answers"), "a migration that failed");
    ipack_testing::tables::execute(&database, "DELETE FROM _sqlx_migrations").await;
    assert!(!database.is_migrated().await.expect("it answers"), "none was run");
    ipack_testing::tables::execute(&database, "DROP TABLE _sqlx_migrations").await;
    assert!(database.is_migrated().await.is_err(), "nobody knows");
    database.close().await;
}

/// What one connection says of itself.
async fn settings(connection: &mut SqliteConnection) -> (String, String, i64, i64, i64) {
    let row = sqlx::query(
        "SELECT sqlite_version(), (SELECT journal_mode FROM pragma_journal_mode),
             (SELECT synchronous FROM pragma_synchronous), (SELECT foreign_keys FROM pragma_foreign_keys),
             (SELECT timeout FROM pragma_busy_timeout)",
    )
    .fetch_one(connection)
    .await
    .expect("the connection tells its settings");
    (row.get(0), row.get(1), row.get(2), row.get(3), row.get(4))
}

/// Whether a version of three numbers is at least 3.51.3, before which two checkpoints at once can corrupt a file.
fn is_recent(version: &str) -> bool {
    let numbers: Vec<u32> = version.split('.').map(|part| part.parse().expect("a number")).collect();
    assert_eq!(numbers.len(), 3, "{version}");
    numbers >= vec![3, 51, 3]
}

#[test]
fn every_connection_of_both_pools_is_durable() {
    on_empty("every_connection_of_both_pools_is_durable", Kind::Sqlite, |address| {
        Box::pin(async move {
            let database = open(&address).await.expect("an empty database opens");
            let Database::Sqlite { readers, writer, .. } = &database else {
                panic!("{database:?} is no SQLite")
            };
            assert_eq!(writer.options().get_max_connections(), 1, "SQLite has one writer");
            assert!(
                readers.sqlx_pool().options().get_max_connections() > 1,
                "readers do not wait for each other"
            );
            for pool in [readers.sqlx_pool(), writer] {
                // Held together, so that each is another one.
                let mut held = Vec::new();
                for _ in 0..pool.options().get_max_connections() {
                    held.push(pool.acquire().await.expect("a connection is free"));
                }
                for connection in &mut held {
                    let (version, journal, synchronous, foreign_keys, timeout) = settings(connection).await;
                    assert!(is_recent(&version), "{version}");
                    assert_eq!((journal.as_str(), synchronous, foreign_keys, timeout), ("wal", 2, 1, 5_000));
                }
            }
            database.close().await;
        })
    });
}

#[test]
fn the_folder_of_a_sqlite_database_is_made() {
    on_empty("the_folder_of_a_sqlite_database_is_made", Kind::Sqlite, |address| {
        Box::pin(async move {
            let address = address.replace("test.db", "not/there yet/test.db");
            let database = open(&address).await.expect("the folders are made");
            assert!(database.is_migrated().await.expect("it answers"));
            database.close().await;
        })
    });
}

#[test]
fn nobody_else_may_read_the_files_of_a_sqlite_database() {
    use std::os::unix::fs::PermissionsExt;
    on_empty("nobody_else_may_read_the_files_of_a_sqlite_database", Kind::Sqlite, |address| {
        Box::pin(async move {
            let address = address.replace("test.db", "made/here/test.db");
            let database = open(&address).await.expect("an empty database opens");
            ipack_testing::tables::execute(&database, "INSERT INTO accounts VALUES ('a', 0)").await;
            let file = std::path::PathBuf::from(address.trim_start_matches("sqlite://"));
            let mode = |path: &std::path::Path| {
                std::fs::metadata(path).expect("it is there").permissions().mode() & 0o777
            };
            let folder = file.parent().expect("a folder");
            assert_eq!(mode(folder), 0o700);
            let mut names = Vec::new();
            for entry in std::fs::read_dir(folder).expect("a folder") {
                let path = entry.expect("an entry").path();
                assert_eq!(mode(&path), 0o600, "{path:?}");
                names.push(path.file_name().expect("a name").to_string_lossy().into_owned());
            }
            names.sort();
            assert_eq!(names, ["test.db", "test.db-shm", "test.db-wal", "test.lock"]);
            database.close().await;
        })
    });
}

#[test]
fn every_connection_to_postgres_waits_for_nobody_for_ever() {
    on_empty("every_connection_to_postgres_waits_for_nobody_for_ever", Kind::Postgres, |address| {
        Box::pin(async move {
            let database = open_with(&address, 4).await.expect("an empty database opens");
            let Database::Postgres(pool) = &database else { panic!("{database:?} is no PostgreSQL") };
            assert_eq!(pool.options().get_max_connections(), 4);
            let mut held = Vec::new();
            for _ in 0..4 {
                held.push(pool.acquire().await.expect("a connection is free"));
            }
            let settings = "SELECT string_agg(current_setting(name), ' ' ORDER BY at)
                 FROM unnest(ARRAY['lock_timeout', 'statement_timeout', 'idle_in_transaction_session_timeout',
                     'synchronous_commit']) WITH ORDINALITY AS names (name, at)";
            for connection in &mut held {
                let told: String =
                    sqlx::query_scalar(settings).fetch_one(&mut **connection).await.expect("told");
                assert_eq!(told, "2s 5s 10s on");
            }
            drop(held);
            database.close().await;
        })
    });
}

#[test]
fn a_postgres_that_answers_commits_too_early_is_refused() {
    on_empty("a_postgres_that_answers_commits_too_early_is_refused", Kind::Postgres, |address| {
        Box::pin(async move {
            let mut connection = PgConnection::connect(&address).await.expect("it opens");
            let name = sqlx::query_scalar("SELECT current_database()").fetch_one(&mut connection).await;
            let name: String = name.expect("a name");
            let sql = format!("ALTER DATABASE {name} SET synchronous_commit = off");
            sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await.expect("it is set");
            connection.close().await.expect("it closes");
            let error = open(&address).await.expect_err("a save could be lost").to_string();
            assert!(error.contains("synchronous_commit is off"), "{error}");
        })
    });
}

#[test]
fn connections_for_reading_are_passed_on_and_closed() {
    on_empty("connections_for_reading_are_passed_on_and_closed", Kind::Sqlite, |address| {
        Box::pin(async move {
            let database = open(&address).await.expect("an empty database opens");
            let Database::Sqlite { readers, .. } = &database else { panic!("{database:?} is no SQLite") };
            let most = usize::try_from(readers.sqlx_pool().options().get_max_connections()).expect("a few");
            let held = async || {
                let mut held = Vec::new();
                for _ in 0..most {
                    held.push(database.reader().await.expect("a connection is free"));
                }
                held
            };
            let all = held().await;
            let waiting = tokio::time::timeout(Duration::from_millis(50), database.reader()).await;
            assert!(waiting.is_err(), "there is no other connection");
            drop(all);
            for _ in 0..3 {
                assert!(database.is_migrated().await.expect("it answers"));
            }
            // All are there again, though one did what it was asked three times.
            drop(held().await);
            // What is idle does not keep the database from closing.
            tokio::time::timeout(Duration::from_secs(5), database.close()).await.expect("it closes");
            assert!(database.reader().await.is_err(), "nothing is read any more");
        })
    });
}
