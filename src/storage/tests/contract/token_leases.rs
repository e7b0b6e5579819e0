//! Contract of the leases in `storage::tokens`: of any number who want to refresh a token, one does, and nobody
//! for ever.

use ipack_domain::{ids::ConnectionKey, time::Timestamp};
use ipack_storage::{
    Database,
    tokens::{self, Failed, Refreshed, Token},
};
use ipack_testing::records::{self, add_data_key, at, key, stand_up, token, uuid};
use std::sync::Arc;
use tokio::{sync::Barrier, task::JoinSet};

on_both!(
    f10_of_many_who_want_the_lease_exactly_one_gets_it,
    f10_a_lease_that_ran_out_is_taken_over_and_the_first_holder_writes_nothing,
    a_lease_is_for_one_version_that_is_not_broken,
    a_refresh_is_written_by_the_holder_once,
    a_failure_is_written_by_the_holder_once,
    s12_a_broken_token_is_never_due_again,
    what_waits_longest_is_due_first,
    a_leased_token_is_not_due_until_its_lease_runs_out,
);

/// The token of [`key`], refreshed first at the first moment.
async fn with_token(database: &Database) -> Token {
    stand_up(database, &key()).await;
    add_data_key(database, &key().space, 1, 1).await;
    let token = token(1, &key());
    write_now!(database, db => tokens::put(db, &token));
    token
}

async fn lease(database: &Database, version: i64, owner: u128, until: i64, now: i64) -> bool {
    write_now!(database, db => tokens::lease(db, uuid(1), version, uuid(owner), at(until), at(now)))
}

async fn find(database: &Database) -> Token {
    read_now!(database, db => tokens::find(db, &key())).expect("it is there")
}

fn new_values() -> Refreshed<'static> {
    Refreshed {
        access_token: b"new access",
        refresh_token: Some(b"new refresh"),
        extra: Some(b"new extra"),
        data_key_version: 1,
        token_type: "bearer",
        granted_scope: None,
        expires_at: Some(at(500)),
        refresh_at: Some(at(400)),
    }
}

async fn refreshed(database: &Database, owner: u128, now: i64) -> bool {
    write_now!(database, db => tokens::refreshed(db, uuid(1), uuid(owner), new_values(), at(now)))
}

async fn failed(database: &Database, owner: u128, is_broken: bool, again_at: Option<Timestamp>) -> bool {
    write_now!(database, db => tokens::failed(db, uuid(1), uuid(owner), Failed { is_broken, again_at, ..records::failed("no answer") }))
}

async fn due(database: &Database, now: i64, limit: i64) -> Vec<u128> {
    let due = read_now!(database, db => tokens::due(db, at(now), None, limit));
    due.into_iter().map(|token| token.id.as_u128()).collect()
}

async fn f10_of_many_who_want_the_lease_exactly_one_gets_it(database: Database) {
    const TASKS: u128 = 24;
    with_token(&database).await;
    let barrier = Arc::new(Barrier::new(TASKS as usize));
    let mut tasks = JoinSet::new();
    for owner in 1..=TASKS {
        let (database, barrier) = (database.clone(), barrier.clone());
        tasks.spawn(async move {
            barrier.wait().await;
            lease(&database, 1, owner, 30, 0).await.then_some(owner)
        });
    }
    let winners: Vec<u128> = tasks.join_all().await.into_iter().flatten().collect();
    assert_eq!(winners.len(), 1, "{winners:?}");
    let token = find(&database).await;
    assert_eq!((token.lease_owner, token.lease_until), (Some(uuid(winners[0])), Some(at(30))));
    assert_eq!(token.version, 1, "its values are as they were");
}

async fn f10_a_lease_that_ran_out_is_taken_over_and_the_first_holder_writes_nothing(database: Database) {
    with_token(&database).await;
    assert!(lease(&database, 1, 1, 30, 0).await);
    let held = find(&database).await;
    assert!(held.is_leased(at(29)) && !held.is_leased(at(30)));
    assert!(lease(&database, 1, 1, 30, 29).await, "its holder may not know that it was given");
    assert!(!lease(&database, 1, 2, 60, 29).await);
    assert!(lease(&database, 1, 2, 60, 30).await, "the holder vanished");
    assert!(!refreshed(&database, 1, 31).await);
    assert!(!failed(&database, 1, true, None).await);
    let token = find(&database).await;
    assert_eq!((token.version, token.lease_owner, token.is_broken), (1, Some(uuid(2)), false));
    assert!(refreshed(&database, 2, 32).await);
    assert!(!lease(&database, 1, 3, 90, 33).await, "who read the old version has nothing to refresh");
    assert!(lease(&database, 2, 3, 90, 33).await);
}

async fn a_lease_is_for_one_version_that_is_not_broken(database: Database) {
    with_token(&database).await;
    for version in [0, 2] {
        assert!(!lease(&database, version, 1, 30, 0).await, "{version}");
    }
    let nobody = write_now!(database, db => tokens::lease(db, uuid(2), 1, uuid(1), at(30), at(0)));
    assert!(!nobody, "there is no such token");
    assert!(lease(&database, 1, 1, 30, 0).await);
    assert!(failed(&database, 1, true, None).await);
    assert!(!lease(&database, 1, 1, 60, 40).await, "nothing will mend it");
}

async fn a_refresh_is_written_by_the_holder_once(database: Database) {
    let before = with_token(&database).await;
    assert!(lease(&database, 1, 1, 30, 0).await);
    assert!(failed(&database, 1, false, Some(at(5))).await);
    assert!(!refreshed(&database, 1, 6).await, "the lease was given back");
    assert!(lease(&database, 1, 1, 40, 6).await);
    assert!(refreshed(&database, 1, 7).await);
    assert!(!refreshed(&database, 1, 8).await, "the lease was given back");
    let after = find(&database).await;
    assert_eq!((after.version, after.refreshed_at), (2, Some(at(7))));
    assert_eq!(after.access_token, b"new access");
    assert_eq!(after.refresh_token.as_deref(), Some(b"new refresh".as_slice()));
    assert_eq!((after.token_type.as_str(), after.granted_scope), ("bearer", before.granted_scope));
    assert_eq!((after.expires_at, after.refresh_at), (Some(at(500)), Some(at(400))));
    assert_eq!((after.failures, after.failure, after.lease_owner, after.lease_until), (0, None, None, None));
    assert_eq!((after.obtained_at, after.origin, after.id), (before.obtained_at, before.origin, before.id));

    assert!(lease(&database, 2, 2, 90, 50).await);
    let narrower = Refreshed { granted_scope: Some("b"), refresh_token: None, ..new_values() };
    assert!(write_now!(database, db => tokens::refreshed(db, uuid(1), uuid(2), narrower, at(51))));
    let after = find(&database).await;
    assert_eq!((after.version, after.granted_scope.as_deref(), after.refresh_token), (3, Some("b"), None));
}

async fn a_failure_is_written_by_the_holder_once(database: Database) {
    let before = with_token(&database).await;
    assert!(!failed(&database, 1, false, Some(at(5))).await, "nobody holds the lease");
    for failures in 1..=3 {
        assert!(lease(&database, 1, 1, 30, 0).await);
        assert!(!failed(&database, 2, true, None).await, "not its lease");
        assert!(failed(&database, 1, false, Some(at(5 * i64::from(failures)))).await);
        let after = find(&database).await;
        assert_eq!((after.failures, after.failure.as_deref()), (failures, Some("no answer")));
        assert_eq!((after.refresh_at, after.is_broken), (Some(at(5 * i64::from(failures))), false));
        assert_eq!((after.lease_owner, after.lease_until), (None, None));
        assert_eq!((after.version, after.access_token), (1, before.access_token.clone()));
    }
}

async fn s12_a_broken_token_is_never_due_again(database: Database) {
    with_token(&database).await;
    assert!(lease(&database, 1, 1, 30, 0).await);
    assert!(failed(&database, 1, true, None).await);
    let token = find(&database).await;
    assert_eq!((token.is_broken, token.refresh_at), (true, None));
    assert_eq!(due(&database, 1_000_000, 10).await, [0; 0]);
}

async fn what_waits_longest_is_due_first(database: Database) {
    for (number, refresh_at) in [(1, Some(3)), (2, Some(1)), (3, None), (4, Some(2)), (5, Some(4))] {
        let key = ConnectionKey { connection: format!("connection-{number}"), ..key() };
        stand_up(&database, &key).await;
        add_data_key(&database, &key.space, 1, 1).await;
        let refresh_at = refresh_at.map(at);
        let token = Token { refresh_at, ..token(number, &key) };
        write_now!(database, db => tokens::put(db, &token));
    }
    assert_eq!(due(&database, 0, 10).await, [0; 0]);
    assert_eq!(due(&database, 3, 10).await, [2, 4, 1]);
    assert_eq!(due(&database, 3, 2).await, [2, 4]);
    assert_eq!(due(&database, 1_000, 10).await, [2, 4, 1, 5]);
}

async fn a_leased_token_is_not_due_until_its_lease_runs_out(database: Database) {
    with_token(&database).await;
    assert_eq!(due(&database, 0, 10).await, [1]);
    assert!(lease(&database, 1, 1, 30, 0).await);
    assert_eq!(due(&database, 29, 10).await, [0; 0]);
    assert_eq!(due(&database, 30, 10).await, [1]);
}
