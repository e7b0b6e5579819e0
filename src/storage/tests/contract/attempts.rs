//! Contract of `storage::attempts`: attempts that end once, and states that serve once. Keys are held apart by
//! `isolation`.

use ipack_domain::{ids::ConnectionKey, time::Timestamp};
use ipack_storage::{
    BATCH, Database, Writer,
    attempts::{self, Attempt, Status},
    columns::JsonText,
};
use ipack_testing::records::{add_admin, add_data_key, at, attempt_of, key, stand_up, uuid};
use std::sync::Arc;
use tokio::{sync::Barrier, task::JoinSet};
use uuid::Uuid;

on_both!(
    an_attempt_comes_back_as_it_was_added,
    the_attempt_begun_last_is_the_latest,
    an_attempt_needs_what_it_refers_to,
    s01_a_state_is_taken_out_once,
    s01_of_many_who_take_a_state_exactly_one_gets_it,
    s01_a_state_that_ran_out_is_nobodys,
    a_state_belongs_to_its_attempt,
    an_attempt_returns_once,
    an_attempt_ends_once,
    a_new_attempt_ends_the_open_ones,
    the_attempts_of_a_key_are_forgotten_together,
    what_ran_out_without_an_end_is_overdue,
    what_ran_out_is_forgotten_batch_by_batch,
);

#[test]
fn statuses_keep_their_names() {
    for (status, name) in [
        (Status::Opened, "opened"),
        (Status::Returned, "returned"),
        (Status::Succeeded, "succeeded"),
        (Status::Failed, "failed"),
    ] {
        assert_eq!(status.name(), name);
    }
}

async fn ready(database: &Database) -> Uuid {
    stand_up(database, &key()).await;
    add_data_key(database, &key().space, 1, 1).await;
    add_admin(database, 1).await
}

async fn begun(database: &Database, number: u128) -> Attempt {
    let attempt = attempt_of(number, &key(), uuid(1));
    write_now!(database, db => attempts::add(db, &attempt));
    attempt
}

async fn find(database: &Database, number: u128) -> Option<Attempt> {
    read_now!(database, db => attempts::find(db, uuid(number)))
}

async fn an_attempt_comes_back_as_it_was_added(database: Database) {
    let admin = ready(&database).await;
    assert_eq!(find(&database, 1).await, None);
    let plain = begun(&database, 1).await;
    let bare = Attempt {
        is_in_window: true,
        status: Status::Returned,
        browser: (0..=255).collect(),
        sealed: None,
        data_key_version: None,
        begun_at: at(7),
        expires_at: Timestamp(i64::MAX),
        ..attempt_of(2, &key(), admin)
    };
    write_now!(database, db => attempts::add(db, &bare));
    assert_eq!(find(&database, 1).await, Some(plain));
    assert_eq!(find(&database, 2).await.as_ref(), Some(&bare));
    assert_eq!(bare.key, key());
}

async fn the_attempt_begun_last_is_the_latest(database: Database) {
    let admin = ready(&database).await;
    assert_eq!(read_now!(database, db => attempts::latest(db, &key())), None);
    for (number, begun_at) in [(1, 2), (2, 9), (3, 9), (4, 5)] {
        let new = Attempt { begun_at: at(begun_at), ..attempt_of(number, &key(), admin) };
        write_now!(database, db => attempts::add(db, &new));
    }
    let latest = read_now!(database, db => attempts::latest(db, &key())).expect("it is there");
    assert_eq!(latest.id, uuid(3), "of one moment, the one with the greater id");
}

async fn an_attempt_needs_what_it_refers_to(database: Database) {
    let admin = ready(&database).await;
    let fine = attempt_of(1, &key(), admin);
    for wrong in [
        Attempt { key: ConnectionKey { connection: "unknown".to_owned(), ..key() }, ..fine.clone() },
        Attempt { key: ConnectionKey { environment: "unknown".to_owned(), ..key() }, ..fine.clone() },
        Attempt { admin_id: uuid(2), ..fine.clone() },
        Attempt { data_key_version: Some(2), ..fine.clone() },
    ] {
        assert_refused!(database, Reference, db => attempts::add(db, &wrong));
    }
    write_now!(database, db => attempts::add(db, &fine));
    assert_refused!(database, Exists, db => attempts::add(db, &fine));
    let unknown = uuid(2);
    assert_refused!(database, Reference, db => attempts::add_state(db, b"digest", unknown, at(60)));
    write_now!(database, db => attempts::add_state(db, b"digest", fine.id, at(60)));
    assert_refused!(database, Exists, db => attempts::add_state(db, b"digest", fine.id, at(60)));
}

async fn s01_a_state_is_taken_out_once(database: Database) {
    ready(&database).await;
    for number in [1, 2] {
        begun(&database, number).await;
        write_now!(database, db => attempts::add_state(db, &[number as u8; 32], uuid(number), at(60)));
    }
    assert_eq!(write_now!(database, db => attempts::take_state(db, &[3; 32], at(0))), None, "nobody made it");
    assert_eq!(write_now!(database, db => attempts::take_state(db, &[1; 32], at(59))), Some(uuid(1)));
    assert_eq!(write_now!(database, db => attempts::take_state(db, &[1; 32], at(59))), None, "replayed");
    assert_eq!(write_now!(database, db => attempts::take_state(db, &[2; 32], at(59))), Some(uuid(2)));
}

async fn s01_of_many_who_take_a_state_exactly_one_gets_it(database: Database) {
    const TASKS: usize = 24;
    ready(&database).await;
    begun(&database, 1).await;
    write_now!(database, db => attempts::add_state(db, b"digest", uuid(1), at(60)));
    let barrier = Arc::new(Barrier::new(TASKS));
    let mut tasks = JoinSet::new();
    for _ in 0..TASKS {
        let (database, barrier) = (database.clone(), barrier.clone());
        tasks.spawn(async move {
            barrier.wait().await;
            write_now!(database, db => attempts::take_state(db, b"digest", at(0)))
        });
    }
    let taken: Vec<Uuid> = tasks.join_all().await.into_iter().flatten().collect();
    assert_eq!(taken, [uuid(1)]);
}

async fn s01_a_state_that_ran_out_is_nobodys(database: Database) {
    ready(&database).await;
    begun(&database, 1).await;
    write_now!(database, db => attempts::add_state(db, b"digest", uuid(1), at(60)));
    assert_eq!(write_now!(database, db => attempts::take_state(db, b"digest", at(60))), None);
    assert_eq!(write_now!(database, db => attempts::take_state(db, b"digest", at(0))), None, "it is gone");
    assert_eq!(ipack_testing::tables::count(&database, "oauth_states").await, 0);
}

async fn a_state_belongs_to_its_attempt(database: Database) {
    ready(&database).await;
    begun(&database, 1).await;
    write_now!(database, db => attempts::add_state(db, b"digest", uuid(1), at(60)));
    ipack_testing::tables::execute(&database, "DELETE FROM attempts").await;
    assert_eq!(write_now!(database, db => attempts::take_state(db, b"digest", at(0))), None);
}

async fn an_attempt_returns_once(database: Database) {
    ready(&database).await;
    let opened = begun(&database, 1).await;
    assert!(!write_now!(database, db => attempts::returned(db, uuid(2))), "there is none");
    assert!(write_now!(database, db => attempts::returned(db, uuid(1))));
    assert!(!write_now!(database, db => attempts::returned(db, uuid(1))), "only once");
    let expected = Attempt { status: Status::Returned, ..opened };
    assert_eq!(find(&database, 1).await, Some(expected));
}

async fn finish(database: &Database, number: u128, status: Status, message: &str) -> bool {
    let advice = JsonText::of(&"advice ü").expect("JSON");
    write_now!(database, db => attempts::finish(db, uuid(number), status, Some(message), Some(&advice)))
}

async fn an_attempt_ends_once(database: Database) {
    ready(&database).await;
    let opened = begun(&database, 1).await;
    begun(&database, 2).await;
    assert!(finish(&database, 1, Status::Failed, "first").await, "an open one");
    assert!(write_now!(database, db => attempts::returned(db, uuid(2))));
    assert!(finish(&database, 2, Status::Succeeded, "first").await, "one that returned");
    for (number, status) in [(1, "failed"), (2, "succeeded")] {
        for late in [Status::Failed, Status::Succeeded] {
            assert!(!finish(&database, number, late, "late").await);
        }
        assert!(!write_now!(database, db => attempts::returned(db, uuid(number))));
        let ended = find(&database, number).await.expect("it is there");
        assert_eq!((ended.status.name(), ended.message.as_deref()), (status, Some("first")));
        assert_eq!(ended.advice.as_deref(), Some("\"advice ü\""));
        assert_eq!(
            (ended.sealed, ended.data_key_version),
            (None, None),
            "what it was begun with is forgotten"
        );
        assert_eq!((ended.begun_at, ended.expires_at), (opened.begun_at, opened.expires_at));
    }
}

async fn a_new_attempt_ends_the_open_ones(database: Database) {
    ready(&database).await;
    for number in 1..=4 {
        begun(&database, number).await;
    }
    write_now!(database, db => attempts::returned(db, uuid(2)));
    assert!(finish(&database, 3, Status::Succeeded, "done").await);
    assert!(finish(&database, 4, Status::Failed, "refused").await);
    let elsewhere = ConnectionKey { connection: "unknown".to_owned(), ..key() };
    assert_eq!(write_now!(database, db => attempts::abandon(db, &elsewhere, "another one")), 0);
    assert_eq!(write_now!(database, db => attempts::abandon(db, &key(), "another one")), 2);
    assert_eq!(write_now!(database, db => attempts::abandon(db, &key(), "yet another")), 0);
    for (number, status, message) in [
        (1, "failed", "another one"),
        (2, "failed", "another one"),
        (3, "succeeded", "done"),
        (4, "failed", "refused"),
    ] {
        let attempt = find(&database, number).await.expect("it is there");
        assert_eq!((attempt.status.name(), attempt.message.as_deref()), (status, Some(message)), "{number}");
        assert_eq!((attempt.sealed, attempt.data_key_version), (None, None), "{number}");
    }
}

async fn what_ran_out_is_forgotten_batch_by_batch(database: Database) {
    let admin = ready(&database).await;
    let later = Attempt { expires_at: at(61), ..attempt_of(1 << 100, &key(), admin) };
    let write = async |mut db: Writer| {
        for number in 1..=u128::from(BATCH.unsigned_abs()) + 1 {
            attempts::add(db.lend(), &attempt_of(number, &key(), admin)).await?;
        }
        attempts::add(db.lend(), &later).await
    };
    database.write(write).await.expect("added");
    let moment = at(61);
    assert_eq!(write_now!(database, db => attempts::remove_before(db, at(60))), 0, "not yet");
    assert_eq!(write_now!(database, db => attempts::remove_before(db, moment)), BATCH.unsigned_abs());
    assert_eq!(write_now!(database, db => attempts::remove_before(db, moment)), 1);
    assert_eq!(write_now!(database, db => attempts::remove_before(db, moment)), 0);
    assert_eq!(find(&database, 1 << 100).await, Some(later));
}

async fn the_attempts_of_a_key_are_forgotten_together(database: Database) {
    let admin = ready(&database).await;
    let neighbour = ConnectionKey { connection: "connection-2".to_owned(), ..key() };
    stand_up(&database, &neighbour).await;
    for number in 1..=3 {
        begun(&database, number).await;
    }
    write_now!(database, db => attempts::add(db, &attempt_of(4, &neighbour, admin)));
    write_now!(database, db => attempts::add_state(db, b"digest", uuid(1), at(60)));
    assert!(finish(&database, 2, Status::Succeeded, "done").await);
    assert_eq!(write_now!(database, db => attempts::remove(db, &key())), 3);
    assert_eq!(write_now!(database, db => attempts::remove(db, &key())), 0);
    assert!(find(&database, 4).await.is_some(), "the neighbour's stays");
    assert_eq!(write_now!(database, db => attempts::take_state(db, b"digest", at(0))), None);
    assert!(!finish(&database, 1, Status::Succeeded, "late").await, "one under way finds nothing to end");
}

async fn what_ran_out_without_an_end_is_overdue(database: Database) {
    ready(&database).await;
    for number in 1..=4 {
        begun(&database, number).await;
    }
    assert!(write_now!(database, db => attempts::returned(db, uuid(2))));
    assert!(finish(&database, 3, Status::Succeeded, "done").await);
    assert!(finish(&database, 4, Status::Failed, "refused").await);
    assert_eq!(read_now!(database, db => attempts::overdue(db, at(59))), []);
    let overdue = read_now!(database, db => attempts::overdue(db, at(60)));
    let mut ids: Vec<_> = overdue.iter().map(|attempt| attempt.id.as_u128()).collect();
    ids.sort_unstable();
    assert_eq!(ids, [1, 2]);
}
