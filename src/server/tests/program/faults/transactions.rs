//! Writes that are given up or fail half-way, on both databases: the next one finds nothing of them, and no connection
//! that is still in a transaction.

use futures::{FutureExt, future::pending};
use ipack_domain::time::Timestamp;
use ipack_storage::{Connection, Database, StorageError, Writer, accounts};
use std::{
    panic::AssertUnwindSafe,
    time::{Duration, Instant},
};

on_both!(
    a_write_that_is_dropped_half_way_leaves_nothing,
    a_write_that_panics_leaves_nothing,
    a_failed_statement_that_was_overlooked_is_not_committed,
    a_transaction_that_somebody_ended_inside_costs_only_its_connection,
    a_value_is_answered_only_once_it_is_committed,
);

/// More than a pool has connections.
const ROUNDS: i64 = 20;

const NOW: Timestamp = Timestamp(0);

async fn add(database: &Database, account: &str) -> Result<bool, StorageError> {
    database.write(async |mut db: Writer| accounts::ensure(db.lend(), account, NOW).await).await
}

async fn assert_next_works(database: &Database, number: i64) {
    let begun = Instant::now();
    assert!(add(database, &format!("account {number}")).await.expect("the next write works"));
    assert!(begun.elapsed() < Duration::from_secs(3), "it waited for {:?}", begun.elapsed());
    assert!(!read_now!(database, db => accounts::exists(db, "half")));
}

async fn a_write_that_is_dropped_half_way_leaves_nothing(database: Database) {
    for number in 0..ROUNDS {
        let half = database.write(async |mut db: Writer| {
            accounts::ensure(db.lend(), "half", NOW).await?;
            pending::<Result<(), StorageError>>().await
        });
        // At another moment each time: before the connection, in BEGIN, in the statement, after it.
        let moment = Duration::from_micros(u64::try_from(number * number).expect("small") * 100);
        tokio::time::timeout(moment, half).await.expect_err("it never ends");
        assert_next_works(&database, number).await;
    }
}

async fn a_write_that_panics_leaves_nothing(database: Database) {
    for number in 0..ROUNDS {
        let half = database.write(async |mut db: Writer| {
            accounts::ensure(db.lend(), "half", NOW).await?;
            if accounts::exists(db.lend(), "half").await? {
                panic!("on purpose");
            }
            Ok::<_, StorageError>(())
        });
        AssertUnwindSafe(half).catch_unwind().await.expect_err("it panics");
        assert_next_works(&database, number).await;
    }
}

/// PostgreSQL rolls such a transaction back, whoever says COMMIT; SQLite goes on without the statement.
async fn a_failed_statement_that_was_overlooked_is_not_committed(database: Database) {
    let is_postgres = matches!(database, Database::Postgres(_));
    for number in 0..ROUNDS {
        let account = format!("overlooked {number}");
        let written = database.write(async |mut db: Writer| {
            accounts::ensure(db.lend(), &account, NOW).await?;
            run(db.lend(), "SELECT nonsense").await.expect_err("there is no such column");
            Ok::<_, StorageError>(())
        });
        let is_written = written.await.is_ok();
        assert_eq!(is_written, !is_postgres);
        assert_eq!(read_now!(database, db => accounts::exists(db, &account)), is_written, "as was said");
        assert_next_works(&database, number).await;
    }
}

/// As SQLite does by itself on a full disk.
async fn a_transaction_that_somebody_ended_inside_costs_only_its_connection(database: Database) {
    for number in 0..ROUNDS {
        let failed = database.write(async |mut db: Writer| {
            accounts::ensure(db.lend(), "half", NOW).await?;
            run(db.lend(), "ROLLBACK").await?;
            Err::<(), _>(StorageError::Corrupt("thought".to_owned()))
        });
        let failed = failed.await;
        assert!(matches!(failed, Err(StorageError::Corrupt(_))), "{failed:?}");
        assert_next_works(&database, number).await;
    }
}

async fn a_value_is_answered_only_once_it_is_committed(database: Database) {
    for number in 0..ROUNDS {
        let account = format!("value {number}");
        assert!(add(&database, &account).await.expect("it is written"));
        assert!(read_now!(database, db => accounts::exists(db, &account)));
        assert!(!add(&database, &account).await.expect("it is there"));
    }
}

async fn run(db: Connection<'_>, sql: &'static str) -> Result<(), sqlx::Error> {
    match db {
        Connection::Sqlite(executor) => sqlx::raw_sql(sql).execute(executor).await.map(drop),
        Connection::Postgres(executor) => sqlx::raw_sql(sql).execute(executor).await.map(drop),
    }
}
