//! Contract of `storage` itself: transactions, and what a refusal of the database is called.

use ipack_storage::{
    Connection, Database, Reader, StorageError, Writer, accounts, details, environments, on_connection,
    open::open,
    packs::{self, InstallationType, Pack},
};
use ipack_testing::databases::{Kind, on_empty};
use ipack_testing::records::{ACCOUNT, SPACE, add_space, at, key, new_details, stand_up, uuid};

on_both!(
    what_is_not_committed_is_rolled_back,
    a_refused_statement_takes_the_whole_transaction_with_it,
    a_transaction_sees_its_own_writes,
    a_connection_is_lent_for_one_statement_after_the_other,
    a_value_that_a_table_does_not_allow_is_the_database_s_error,
    a_stored_value_that_cannot_be_read_is_named_by_its_column,
    a_closed_database_answers_an_error,
);

async fn what_is_not_committed_is_rolled_back(database: Database) {
    stand_up(&database, &key()).await;
    let new = new_details("{}", "saver");
    let write = async |mut db: Writer| {
        details::upsert(db.lend(), uuid(1), &key(), new, at(0)).await.expect("the write succeeds");
        accounts::ensure(db.lend(), "new", at(0)).await.expect("the write succeeds");
        Err::<(), _>(StorageError::Corrupt("thought".to_owned()))
    };
    let outcome = database.write(write).await;
    assert!(matches!(outcome, Err(StorageError::Corrupt(_))), "{outcome:?}");
    // The next transaction begins and finds nothing of the one before.
    assert!(write_now!(database, db => accounts::ensure(db, "new", at(0))));
    assert_eq!(read_now!(database, db => details::find(db, &key())), None);
}

async fn a_refused_statement_takes_the_whole_transaction_with_it(database: Database) {
    let write = async |mut db: Writer| {
        accounts::ensure(db.lend(), "new", at(0)).await.expect("the write succeeds");
        environments::register(db.lend(), "nowhere", "e", at(0)).await
    };
    let refused = database.write(write).await;
    assert!(matches!(refused, Err(StorageError::Reference)), "{refused:?}");
    assert!(!read_now!(database, db => accounts::exists(db, "new")));
}

async fn a_transaction_sees_its_own_writes(database: Database) {
    let write = async |mut db: Writer| {
        accounts::ensure(db.lend(), "new", at(0)).await?;
        assert!(accounts::exists(db.lend(), "new").await?);
        assert!(!read_now!(database, db => accounts::exists(db, "new")), "nobody else does");
        Ok::<_, StorageError>(())
    };
    database.write(write).await.expect("the transaction commits");
    assert!(read_now!(database, db => accounts::exists(db, "new")));
}

async fn a_connection_is_lent_for_one_statement_after_the_other(database: Database) {
    let write = async |mut db: Writer| {
        let mut connection: Connection<'_> = db.lend();
        for account in ["a", "b"] {
            assert!(accounts::ensure(connection.lend(), account, at(0)).await?);
        }
        assert!(accounts::exists(connection, "a").await?);
        Ok::<_, StorageError>(())
    };
    database.write(write).await.expect("the transaction commits");
    let mut reader: Reader = database.reader().await.expect("a connection is free");
    let mut connection = reader.connection();
    assert!(accounts::exists(connection.lend(), "a").await.expect("the read succeeds"));
    assert!(accounts::exists(connection, "b").await.expect("the read succeeds"));
}

async fn a_value_that_a_table_does_not_allow_is_the_database_s_error(database: Database) {
    add_space(&database, ACCOUNT, SPACE).await;
    let pack = Pack {
        id: "p".to_owned(),
        name: "P".to_owned(),
        description: String::new(),
        installation_type: InstallationType::Multi,
    };
    write_now!(database, db => packs::put(db, SPACE, &pack, at(0)));
    let twice = "UPDATE packs SET installation_type = 'TWICE'";
    let outcome = attempt!(database, db => async {
        on_connection!(db, executor => async { sqlx::query(twice).execute(executor).await.map(drop) })
    });
    assert!(matches!(outcome, Err(StorageError::Database(_))), "{outcome:?}");
    // The placeholder is all that may stand where a secret was sent.
    stand_up(&database, &key()).await;
    write_now!(database, db => details::upsert(db, uuid(1), &key(), new_details("{}", "saver"), at(0)));
    let dummies = format!("connector_details WHERE client_secret = '{}'", details::DUMMY_CLIENT_SECRET);
    assert_eq!(ipack_testing::tables::count(&database, &dummies).await, 1);
}

async fn a_stored_value_that_cannot_be_read_is_named_by_its_column(database: Database) {
    stand_up(&database, &key()).await;
    write_now!(database, db => details::upsert(db, uuid(1), &key(), new_details("{}", "saver"), at(0)));
    ipack_testing::tables::execute(&database, "UPDATE connector_details SET provider = '{'").await;
    let mut reader: Reader = database.reader().await.expect("a connection is free");
    let outcome = details::find(reader.connection(), &key()).await;
    assert!(matches!(&outcome, Err(StorageError::Corrupt(name)) if name == "provider"), "{outcome:?}");
}

async fn a_closed_database_answers_an_error(database: Database) {
    database.close().await;
    assert!(matches!(database.reader().await, Err(StorageError::Failing(sqlx::Error::PoolClosed))));
    let outcome = attempt!(database, db => accounts::ensure(db, "new", at(0)));
    assert!(matches!(outcome, Err(StorageError::Failing(sqlx::Error::PoolClosed))), "{outcome:?}");
    database.is_migrated().await.expect_err("it cannot be read");
    database.probe_write().await.expect_err("it cannot be written to");
}

#[test]
fn a_pool_without_a_free_connection_is_busy() {
    assert!(matches!(StorageError::from(sqlx::Error::PoolTimedOut), StorageError::Busy(_)));
    assert!(matches!(StorageError::from(sqlx::Error::RowNotFound), StorageError::Database(_)));
}

/// Two programs on one file: while one writes, the other is told that the database is busy.
#[test]
fn a_locked_sqlite_is_busy() {
    on_empty("a_locked_sqlite_is_busy", Kind::Sqlite, |address| {
        Box::pin(async move {
            let (writing, waiting) =
                (open(&address).await.expect("opens"), open(&address).await.expect("opens"));
            let Database::Sqlite { writer: pool, .. } = &waiting else { panic!("{waiting:?} is no SQLite") };
            // The pool has one connection; without this the test would take the five seconds that it waits.
            sqlx::query("PRAGMA busy_timeout = 0").execute(pool).await.expect("the pragma runs");
            let held = async |_db: Writer| {
                let outcome = attempt!(waiting, db => accounts::ensure(db, "new", at(0)));
                assert!(matches!(outcome, Err(StorageError::Busy(_))), "{outcome:?}");
                Ok::<_, StorageError>(())
            };
            writing.write(held).await.expect("it writes");
            writing.close().await;
            assert!(write_now!(waiting, db => accounts::ensure(db, "new", at(0))));
            waiting.close().await;
        })
    });
}
