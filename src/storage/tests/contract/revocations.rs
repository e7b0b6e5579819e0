//! Contract of `storage::revocations`: of any number who look, one takes each, and nothing is lost with whoever took it.

use ipack_storage::{
    Database,
    revocations::{self, Revocation},
};
use ipack_testing::records::{add_data_key, at, key, revocation_of, stand_up, uuid};

on_both!(
    what_is_queued_comes_back_as_it_was_once_it_is_due,
    one_of_several_takes_a_revocation_and_whoever_stops_leaves_it_to_another,
    a_revocation_needs_its_data_key_and_outlives_its_connection,
);

fn revocation(number: u128, due: i64) -> Revocation {
    revocation_of(number, &key(), at(due))
}

async fn ready(database: &Database) {
    stand_up(database, &key()).await;
    add_data_key(database, &key().space, 1, 1).await;
}

async fn due(database: &Database, now: i64) -> Vec<Revocation> {
    read_now!(database, db => revocations::due(db, at(now), 10))
}

async fn what_is_queued_comes_back_as_it_was_once_it_is_due(database: Database) {
    ready(&database).await;
    for one in [revocation(2, 20), revocation(1, 10)] {
        write_now!(database, db => revocations::add(db, &one));
        // Whoever does not know whether it is queued queues it again.
        write_now!(database, db => revocations::add(db, &one));
    }
    assert_eq!(due(&database, 9).await, []);
    assert_eq!(due(&database, 10).await, [revocation(1, 10)]);
    assert_eq!(due(&database, 20).await, [revocation(1, 10), revocation(2, 20)]);
    assert!(write_now!(database, db => revocations::remove(db, uuid(1))));
    assert!(!write_now!(database, db => revocations::remove(db, uuid(1))));
    assert_eq!(due(&database, 20).await, [revocation(2, 20)]);
}

async fn one_of_several_takes_a_revocation_and_whoever_stops_leaves_it_to_another(database: Database) {
    ready(&database).await;
    let one = revocation(1, 10);
    write_now!(database, db => revocations::add(db, &one));
    assert!(write_now!(database, db => revocations::claim(db, &one, at(50))));
    assert!(!write_now!(database, db => revocations::claim(db, &one, at(50))));
    assert_eq!(due(&database, 49).await, []);
    assert_eq!(due(&database, 50).await, [revocation(1, 50)]);
}

async fn a_revocation_needs_its_data_key_and_outlives_its_connection(database: Database) {
    ready(&database).await;
    let unknown = Revocation { data_key_version: 2, ..revocation(1, 10) };
    assert_refused!(database, Reference, db => revocations::add(db, &unknown));
    write_now!(database, db => revocations::add(db, &revocation(1, 10)));
    ipack_testing::tables::execute(&database, "DELETE FROM instances").await;
    assert_eq!(due(&database, 10).await.len(), 1);
}
