//! Contract of group commit: writes that wait on SQLite share a transaction, and each stands or falls for itself.

use ipack_domain::{effects::new_id, fields::TextField, ids::ConnectionKey, suggestions::SuggestionField};
use ipack_storage::{
    Database, Result, StorageError, Writer, accounts,
    details::StoredDetails,
    environments, on_connection,
    saves::{self, Save},
    suggestions::UsedValue,
};
use ipack_testing::{
    databases::{Kind, on_open},
    records::{ACCOUNT, at, key, new_details, stand_up},
    tables,
};
use std::{
    fs,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};
use tokio::sync::Notify;

macro_rules! on_sqlite {
    ($($name:ident),+ $(,)?) => {
        mod sqlite {$(
            #[test]
            fn $name() {
                let name = concat!(module_path!(), "::", stringify!($name));
                super::on_open(name, super::Kind::Sqlite, |database| Box::pin(super::$name(database)));
            }
        )+}
    };
}

on_sqlite!(
    writes_that_wait_share_a_commit,
    a_write_that_comes_alone_is_a_commit,
    none_is_acknowledged_before_the_commit,
    what_a_constraint_refuses_fails_alone,
    what_is_given_up_half_way_fails_alone,
    any_other_error_lets_the_others_begin_again_on_a_new_connection,
    a_commit_that_fails_is_tried_again_for_each_alone,
    statements_and_writes_share_a_commit_and_fail_alone,
    a_statement_that_panics_lets_the_others_begin_again,
    a_statement_that_nobody_waits_for_is_passed_over,
);

/// How many transactions stand in the write-ahead log: the last frame of each holds the size of the database.
async fn commits(database: &Database) -> usize {
    let Database::Sqlite { readers, .. } = database else { panic!("{database:?} is no SQLite") };
    let file = "SELECT file FROM pragma_database_list WHERE name = 'main'";
    let mut reader = readers.acquire().await.expect("a connection is free");
    let file: String = sqlx::query_scalar(file).fetch_one(&mut *reader).await.expect("it has a file");
    let log = fs::read(format!("{file}-wal")).expect("it has a log");
    let number = |at: usize| u32::from_be_bytes(log[at..at + 4].try_into().expect("four bytes"));
    let page = usize::try_from(number(8)).expect("a size");
    (32..log.len()).step_by(24 + page).filter(|frame| number(frame + 4) != 0).count()
}

/// Adds an account, and counts how often it is begun.
async fn add(database: &Database, account: &str, begun: &AtomicU32) -> Result<bool> {
    let write = async |mut db: Writer| {
        begun.fetch_add(1, Ordering::Relaxed);
        accounts::ensure(db.lend(), account, at(0)).await
    };
    database.write(write).await
}

/// Has the connection until everything behind it waits.
async fn hold(database: &Database) {
    let write = async |_: Writer| {
        tokio::time::sleep(Duration::from_millis(20)).await;
        Ok::<_, StorageError>(())
    };
    database.write(write).await.expect("nothing is written");
}

/// Has the connection in a task of its own, which ends by itself.
async fn begin_to_hold(database: &Database) -> tokio::task::JoinHandle<()> {
    let database = database.clone();
    let holding = tokio::spawn(async move { hold(&database).await });
    tokio::task::yield_now().await;
    holding
}

async fn is_there(database: &Database, account: &str) -> bool {
    read_now!(database, db => accounts::exists(db, account))
}

async fn writes_that_wait_share_a_commit(database: Database) {
    assert!(add(&database, "first", &AtomicU32::new(0)).await.expect("it is written"));
    let before = commits(&database).await;
    let holding = begin_to_hold(&database).await;
    let mut writes = tokio::task::JoinSet::new();
    for number in 0..150 {
        let database = database.clone();
        writes.spawn(async move { add(&database, &format!("{number}"), &AtomicU32::new(0)).await });
    }
    for written in writes.join_all().await {
        assert!(written.expect("it is written"));
    }
    holding.await.expect("no panic");
    let commits = commits(&database).await - before;
    // As many as may share one, and what came while the first were on their way.
    assert!((3..=10).contains(&commits), "{commits} commits");
    for number in 0..150 {
        assert!(is_there(&database, &number.to_string()).await);
    }
}

async fn a_write_that_comes_alone_is_a_commit(database: Database) {
    let begun = AtomicU32::new(0);
    assert!(add(&database, "first", &begun).await.expect("it is written"));
    let before = commits(&database).await;
    for account in ["a", "b", "c"] {
        assert!(add(&database, account, &begun).await.expect("it is written"));
    }
    assert_eq!((commits(&database).await - before, begun.into_inner()), (3, 4));
}

async fn none_is_acknowledged_before_the_commit(database: Database) {
    let begun = AtomicU32::new(0);
    let is_last = Notify::new();
    let last = async |_: Writer| {
        is_last.notify_one();
        tokio::time::sleep(Duration::from_millis(50)).await;
        Ok::<_, StorageError>(())
    };
    let acknowledged = async {
        assert!(add(&database, "a", &begun).await.expect("it is written"));
        assert!(is_there(&database, "a").await);
        false
    };
    let looked = async {
        is_last.notified().await;
        assert!(!is_there(&database, "a").await, "it shares the transaction of the one that is at work");
        tokio::time::sleep(Duration::from_millis(20)).await;
        true
    };
    let first_to_end = async {
        tokio::select! { end = acknowledged => end, end = looked => end }
    };
    let ((), is_unacknowledged, last) = tokio::join!(hold(&database), first_to_end, database.write(last));
    last.expect("nothing is written");
    assert!(is_unacknowledged, "it was acknowledged while the transaction was open");
}

async fn what_a_constraint_refuses_fails_alone(database: Database) {
    let refused = database.write(async |mut db: Writer| {
        accounts::ensure(db.lend(), "half", at(0)).await?;
        environments::register(db.lend(), "nowhere", "e", at(0)).await
    });
    let checked = database.write(async |mut db: Writer| {
        accounts::ensure(db.lend(), "half", at(0)).await?;
        let sql = "INSERT INTO connections VALUES ('s', 'i', 'p', 'c', 'C', 2, NULL, 0, NULL)";
        on_connection!(db.lend(), executor => async { sqlx::query(sql).execute(executor).await.map(drop) })
    });
    let (a, b) = others_beside(&database, async { tokio::join!(refused, checked) }, |(refused, checked)| {
        assert!(matches!(refused, Err(StorageError::Reference)), "{refused:?}");
        assert!(matches!(checked, Err(StorageError::Database(_))), "{checked:?}");
    })
    .await;
    assert_eq!((a, b), (1, 1), "the others are not begun again");
}

async fn what_is_given_up_half_way_fails_alone(database: Database) {
    let given_up = tokio::time::timeout(
        Duration::from_millis(60),
        database.write(async |mut db: Writer| {
            accounts::ensure(db.lend(), "half", at(0)).await?;
            std::future::pending::<Result<()>>().await
        }),
    );
    let (a, b) = others_beside(&database, given_up, |given_up| assert!(given_up.is_err())).await;
    assert_eq!((a, b), (1, 1), "the others are not begun again");
}

async fn any_other_error_lets_the_others_begin_again_on_a_new_connection(database: Database) {
    ipack_testing::tables::execute(&database, "CREATE TEMP TABLE mark (x)").await;
    let failing = database.write(async |mut db: Writer| {
        accounts::ensure(db.lend(), "half", at(0)).await?;
        let sql = "SELECT nonsense";
        on_connection!(db.lend(), executor => async { sqlx::query(sql).execute(executor).await.map(drop) })
    });
    let (a, b) = others_beside(&database, failing, |failing| {
        assert!(matches!(failing, Err(StorageError::Database(_))), "{failing:?}");
    })
    .await;
    assert_eq!(a, 2, "what was before it is begun again");
    assert!(b <= 2);
    let Database::Sqlite { writer, .. } = &database else { panic!("{database:?} is no SQLite") };
    let marks: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM sqlite_temp_schema")
        .fetch_one(writer)
        .await
        .expect("it runs");
    assert_eq!(marks, 0, "the connection was closed");
}

async fn a_commit_that_fails_is_tried_again_for_each_alone(database: Database) {
    let deferred = database.write(async |mut db: Writer| {
        let sql = "PRAGMA defer_foreign_keys = ON";
        on_connection!(db.lend(), executor => async { sqlx::query(sql).execute(executor).await.map(drop) })?;
        accounts::ensure(db.lend(), "half", at(0)).await?;
        environments::register(db.lend(), "nowhere", "e", at(0)).await
    });
    let (a, b) = others_beside(&database, deferred, |deferred| {
        assert!(matches!(deferred, Err(StorageError::Reference)), "{deferred:?}");
    })
    .await;
    assert_eq!((a, b), (2, 2), "all of them are begun again");
}

/// Writes one account before and one after what fails, in one transaction unless that is lost; answers how often each
/// was begun. Nothing is left of what fails.
async fn others_beside<T>(
    database: &Database,
    failing: impl Future<Output = T>,
    check: impl FnOnce(T),
) -> (u32, u32) {
    assert!(add(database, "first", &AtomicU32::new(0)).await.expect("it is written"));
    let before = commits(database).await;
    let (a, b) = (AtomicU32::new(0), AtomicU32::new(0));
    // In this order they come to the queue.
    let ((), written_a, failed, written_b) =
        tokio::join!(hold(database), add(database, "a", &a), failing, add(database, "b", &b));
    assert!(written_a.expect("it is written") && written_b.expect("it is written"));
    check(failed);
    assert!(
        is_there(database, "a").await && is_there(database, "b").await && !is_there(database, "half").await
    );
    let begun = (a.into_inner(), b.into_inner());
    let transactions = commits(database).await - before;
    assert_eq!(transactions == 1, begun == (1, 1), "{transactions} transactions");
    begun
}

/// The first save of a connection of this name, in one statement.
async fn save(database: &Database, account: &'static str, name: String) -> Result<Option<StoredDetails>> {
    let statement = database.write_statement(move |db| {
        Box::pin(async move {
            let key = ConnectionKey { connection: name, ..key() };
            let (new, id) = (new_details("{}", "saver"), new_id(at(1)));
            let save =
                Save { account, key: &key, new, entry: id, changed: &[], used: &used(), used_since: at(0) };
            saves::insert_with_connection(db, id, save, at(1)).await
        })
    });
    Ok(statement.await?.flatten())
}

fn used() -> Vec<UsedValue> {
    UsedValue::new(SuggestionField::Text(TextField::BaseUrl), "value").into_iter().collect()
}

async fn statements_and_writes_share_a_commit_and_fail_alone(database: Database) {
    stand_up(&database, &key()).await;
    let before = commits(&database).await;
    let holding = begin_to_hold(&database).await;
    let mut writes = tokio::task::JoinSet::new();
    for number in 0..60 {
        let database = database.clone();
        writes.spawn(async move {
            let begun = AtomicU32::new(0);
            let name = number.to_string();
            match number % 4 {
                0 => assert!(add(&database, &name, &begun).await.expect("it is written")),
                1 => {
                    // Its second half is refused, by nobody's fault but its own.
                    let write = async |mut db: Writer| {
                        accounts::ensure(db.lend(), &name, at(0)).await?;
                        Err::<(), _>(StorageError::Corrupt("it".to_owned()))
                    };
                    database.write(write).await.expect_err("it is refused");
                }
                2 => assert!(save(&database, ACCOUNT, name).await.expect("it is saved").is_some()),
                // The last of its parts is refused.
                _ => assert!(matches!(save(&database, "nobody", name).await, Err(StorageError::Reference))),
            }
        });
    }
    writes.join_all().await;
    holding.await.expect("no panic");
    let commits = commits(&database).await - before;
    assert!((1..=5).contains(&commits), "{commits} commits");
    for number in 0..60 {
        let (name, kind) = (number.to_string(), number % 4);
        assert_eq!(is_there(&database, &name).await, kind == 0, "{number}");
        for table in
            ["connections WHERE id", "connector_details WHERE connection_id", "timeline WHERE connection_id"]
        {
            let count = tables::count(&database, &format!("{table} = '{name}'")).await;
            assert_eq!(count, i64::from(kind == 2), "{table} {number}");
        }
    }
}

async fn a_statement_that_panics_lets_the_others_begin_again(database: Database) {
    stand_up(&database, &key()).await;
    let panicking = database.write_statement(|_| Box::pin(async { panic!("in the middle of a statement") }));
    let begun = AtomicU32::new(0);
    let (_, panicked, saved, added) = tokio::join!(
        hold(&database),
        panicking,
        save(&database, ACCOUNT, "saved".to_owned()),
        add(&database, "added", &begun)
    );
    assert!(matches!(panicked, Ok(None::<()>)), "{panicked:?}");
    // Either behind the one that panicked, or it failed with it and its caller is told to begin again.
    drop(saved.expect("no error"));
    assert!(added.expect("it is written"));
    assert!(save(&database, ACCOUNT, "later".to_owned()).await.expect("it is saved").is_some());
}

async fn a_statement_that_nobody_waits_for_is_passed_over(database: Database) {
    stand_up(&database, &key()).await;
    let given_up = async {
        let saving = save(&database, ACCOUNT, "given up".to_owned());
        tokio::time::timeout(Duration::from_millis(5), saving).await.expect_err("it waits for its turn");
    };
    tokio::join!(hold(&database), given_up);
    assert!(save(&database, ACCOUNT, "next".to_owned()).await.expect("it is saved").is_some());
    let there = tables::count(&database, "connector_details").await;
    assert_eq!(there, 1, "only the one that somebody waited for");
}
