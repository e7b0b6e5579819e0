//! Contract of `storage::data_keys`: master keys by their versions, data keys by scope and version, and the walk over
//! what is sealed.

use crate::schema;
use ipack_storage::{
    Database, attempts,
    client_secrets::{self, Slot},
    data_keys::{self, DataKeyRow, INSTALLATION, SEALED, SealedCount, SealedRow, SealedTable},
    revocations, tokens,
};
use ipack_testing::records::{
    SPACE, add_admin, add_data_key, at, attempt_of, key, revocation_of, secret, stand_up, token, uuid,
};
use tokio::task::JoinSet;
use uuid::Uuid;

on_both!(
    a_master_key_stays_as_it_was_first,
    a_master_key_stays_while_it_wraps_something,
    the_newest_data_key_of_a_scope_is_current,
    a_data_key_needs_its_master_key,
    of_many_first_data_keys_one_is_everybodys,
    s25_a_data_key_stays_while_something_is_sealed_with_it,
    every_table_with_a_data_key_is_walked_over,
    a_walk_goes_batch_by_batch_through_one_space,
    a_row_that_was_changed_meanwhile_is_not_sealed_over,
    what_is_sealed_is_counted_by_space_and_key,
);

async fn masters(database: &Database) -> Vec<(u32, Vec<u8>)> {
    let rows = read_now!(database, db => data_keys::master_keys(db));
    rows.into_iter().map(|row| (row.version, row.check_value)).collect()
}

async fn a_master_key_stays_as_it_was_first(database: Database) {
    assert_eq!(masters(&database).await, []);
    let check: Vec<u8> = (0..=255).collect();
    for (version, value) in [(2, b"two".to_vec()), (1, check.clone()), (2, b"again".to_vec())] {
        write_now!(database, db => data_keys::add_master_key(db, version, &value, at(version.into())));
    }
    assert_eq!(masters(&database).await, [(1, check), (2, b"two".to_vec())], "by version");
}

async fn a_master_key_stays_while_it_wraps_something(database: Database) {
    add_data_key(&database, SPACE, 1, 1).await;
    assert!(!write_now!(database, db => data_keys::remove_master_key(db, 2)), "there is none");
    assert_refused!(database, Reference, db => data_keys::remove_master_key(db, 1));
    add_data_key(&database, SPACE, 2, 2).await;
    write_now!(database, db => data_keys::remove_before(db, SPACE, 2));
    assert!(write_now!(database, db => data_keys::remove_master_key(db, 1)));
    assert_eq!(masters(&database).await.len(), 1);
}

async fn the_newest_data_key_of_a_scope_is_current(database: Database) {
    assert_eq!(read_now!(database, db => data_keys::current(db, SPACE)), None);
    let mut all = Vec::new();
    for (scope, version) in [(SPACE, 2), (SPACE, 10), (SPACE, 1), ("space-2", 3), (INSTALLATION, 1)] {
        all.push(add_data_key(&database, scope, version, 1).await);
    }
    assert_eq!(read_now!(database, db => data_keys::current(db, SPACE)).as_ref(), Some(&all[1]));
    assert_eq!(read_now!(database, db => data_keys::current(db, INSTALLATION)).as_ref(), Some(&all[4]));
    assert_eq!(read_now!(database, db => data_keys::find(db, SPACE, 2)).as_ref(), Some(&all[0]));
    for (scope, version) in [(SPACE, 3), ("space-3", 1), (INSTALLATION, 2)] {
        assert_eq!(read_now!(database, db => data_keys::find(db, scope, version)), None);
    }
    all.sort_by(|a, b| (&a.scope, a.version).cmp(&(&b.scope, b.version)));
    assert_eq!(read_now!(database, db => data_keys::list(db)), all);
    assert_eq!(write_now!(database, db => data_keys::remove_before(db, SPACE, 10)), 2);
    let left: Vec<_> = read_now!(database, db => data_keys::list(db)).iter().map(|row| row.version).collect();
    assert_eq!(left, [1, 10, 3], "the current one and the other scopes' stay");
}

async fn a_data_key_needs_its_master_key(database: Database) {
    let row = DataKeyRow { scope: SPACE.to_owned(), version: 1, master_version: 1, wrapped: vec![1] };
    assert_refused!(database, Reference, db => data_keys::add(db, &row, at(0)));
}

async fn of_many_first_data_keys_one_is_everybodys(database: Database) {
    write_now!(database, db => data_keys::add_master_key(db, 1, b"check", at(0)));
    let mut tasks = JoinSet::new();
    for number in 0..16 {
        let database = database.clone();
        tasks.spawn(async move {
            let row =
                DataKeyRow { scope: SPACE.to_owned(), version: 1, master_version: 1, wrapped: vec![number] };
            write_now!(database, db => data_keys::add(db, &row, at(0)));
            read_now!(database, db => data_keys::current(db, SPACE)).expect("it is there").wrapped
        });
    }
    let seen = tasks.join_all().await;
    assert!(seen.iter().all(|wrapped| *wrapped == seen[0]), "{seen:?}");
}

/// A row for each sealed table of the Space, with the number as id.
async fn seal_one_in_each_table(database: &Database, number: u128) {
    let mut key = key();
    key.connection = format!("connection-{number}");
    stand_up(database, &key).await;
    add_data_key(database, &key.space, 1, 1).await;
    let admin = uuid(1);
    write_now!(database, db => client_secrets::put(db, &key, Slot::Current, &secret(number, Slot::Current)));
    write_now!(database, db => tokens::put(db, &token(number, &key)));
    write_now!(database, db => attempts::add(db, &attempt_of(number, &key, admin)));
    write_now!(database, db => revocations::add(db, &revocation_of(number, &key, at(0))));
}

async fn s25_a_data_key_stays_while_something_is_sealed_with_it(database: Database) {
    add_admin(&database, 1).await;
    seal_one_in_each_table(&database, 1).await;
    add_data_key(&database, SPACE, 2, 1).await;
    for table in SEALED {
        assert_refused!(database, Reference, db => data_keys::remove_before(db, SPACE, 2));
        ipack_testing::tables::execute(&database, &format!("DELETE FROM {}", table.name)).await;
    }
    assert_eq!(write_now!(database, db => data_keys::remove_before(db, SPACE, 2)), 1);
}

async fn every_table_with_a_data_key_is_walked_over(database: Database) {
    // The signing key is no Space's, and sealed anew by a function of its own.
    let mut known: Vec<_> = SEALED.iter().map(|table| table.name).chain(["signing_keys"]).collect();
    known.sort_unstable();
    assert_eq!(schema::tables_with(&database, "data_key_version").await, known);
}

async fn before(
    database: &Database,
    table: SealedTable,
    version: u32,
    after: Uuid,
    limit: i64,
) -> Vec<SealedRow> {
    read_now!(database, db => data_keys::sealed_before(db, table, SPACE, version, after, limit))
}

/// Another value for each column that the table has.
fn values(table: SealedTable, who: &str) -> [Option<Vec<u8>>; 3] {
    let value = |at: usize| table.columns.get(at).map(|column| format!("{who} {column}").into_bytes());
    [value(0), value(1), value(2)]
}

fn ids(rows: &[SealedRow]) -> Vec<u128> {
    rows.iter().map(|row| row.id.as_u128()).collect()
}

async fn a_walk_goes_batch_by_batch_through_one_space(database: Database) {
    add_admin(&database, 1).await;
    for number in [3, 1, 5, 2, 4] {
        seal_one_in_each_table(&database, number).await;
    }
    let elsewhere = ipack_domain::ids::ConnectionKey { space: "space-2".to_owned(), ..key() };
    stand_up(&database, &elsewhere).await;
    add_data_key(&database, "space-2", 1, 1).await;
    write_now!(database, db => tokens::put(db, &token(6, &elsewhere)));
    add_data_key(&database, SPACE, 2, 1).await;
    for table in SEALED {
        assert_eq!(ids(&before(&database, table, 1, Uuid::nil(), 9).await), [0; 0], "{}", table.name);
        let first = before(&database, table, 2, Uuid::nil(), 2).await;
        assert_eq!(ids(&first), [1, 2], "{}", table.name);
        assert_eq!(ids(&before(&database, table, 2, uuid(2), 2).await), [3, 4], "{}", table.name);
        for row in &first {
            let filled = row.values.iter().filter(|value| value.is_some()).count();
            assert_eq!(filled, table.columns.len(), "{}", table.name);
            let new = values(table, "new");
            assert!(write_now!(database, db => data_keys::reseal(db, table, row, 2, &new)), "{}", table.name);
        }
        // What is done is not walked over again.
        assert_eq!(ids(&before(&database, table, 2, Uuid::nil(), 9).await), [3, 4, 5], "{}", table.name);
        let anew = before(&database, table, 3, Uuid::nil(), 1).await;
        assert_eq!((anew[0].data_key_version, &anew[0].values), (2, &values(table, "new")), "{}", table.name);
    }
    let ended = attempts::finish;
    let status = attempts::Status::Succeeded;
    assert!(write_now!(database, db => ended(db, uuid(3), status, None, None)));
    assert_eq!(
        ids(&before(&database, SEALED[2], 2, Uuid::nil(), 9).await),
        [4, 5],
        "nothing is sealed there"
    );
}

async fn a_row_that_was_changed_meanwhile_is_not_sealed_over(database: Database) {
    add_admin(&database, 1).await;
    seal_one_in_each_table(&database, 1).await;
    add_data_key(&database, SPACE, 2, 1).await;
    for table in SEALED {
        let read = before(&database, table, 2, Uuid::nil(), 1).await.remove(0);
        let [theirs, mine] = ["theirs", "mine"].map(|who| values(table, who));
        assert!(
            write_now!(database, db => data_keys::reseal(db, table, &read, 2, &theirs)),
            "{}",
            table.name
        );
        assert!(!write_now!(database, db => data_keys::reseal(db, table, &read, 2, &mine)), "{}", table.name);
        let now = before(&database, table, 3, Uuid::nil(), 1).await.remove(0);
        assert_eq!(now.values, theirs, "{}", table.name);
    }
}

async fn what_is_sealed_is_counted_by_space_and_key(database: Database) {
    add_admin(&database, 1).await;
    for number in 1..=3 {
        seal_one_in_each_table(&database, number).await;
    }
    add_data_key(&database, SPACE, 2, 1).await;
    for table in SEALED {
        let row = before(&database, table, 2, Uuid::nil(), 1).await.remove(0);
        write_now!(database, db => data_keys::reseal(db, table, &row, 2, &values(table, "new")));
        let counts = read_now!(database, db => data_keys::count_sealed(db, table));
        let count =
            |data_key_version, rows| SealedCount { space_guid: SPACE.to_owned(), data_key_version, rows };
        assert_eq!(counts, [count(1, 2), count(2, 1)], "{}", table.name);
    }
}
