//! Contract of `storage::tokens`: one token for each connection key. Keys are held apart by `isolation`, leases by
//! `token_leases`.

use ipack_domain::ids::ConnectionKey;
use ipack_storage::{
    Database,
    tokens::{self, Token},
};
use ipack_testing::records::{ACCOUNT, add_data_key, add_space, at, failed, key, stand_up, token, uuid};

on_both!(
    every_field_comes_back,
    a_new_token_takes_the_old_one_s_place_and_state,
    a_token_needs_its_connection_attachment_and_data_key,
    a_token_is_removed_once,
    the_tokens_of_an_instance_are_taken_together,
);

async fn ready(database: &Database) {
    stand_up(database, &key()).await;
    add_data_key(database, &key().space, 1, 1).await;
}

async fn find(database: &Database) -> Token {
    read_now!(database, db => tokens::find(db, &key())).expect("it is there")
}

/// Two tokens that differ in every field that is written.
fn contrasting() -> [Token; 2] {
    let one = Token { access_token: (0..=255).collect(), ..token(1, &key()) };
    let two = Token {
        version: 7,
        refresh_token: None,
        extra: None,
        data_key_version: 2,
        token_type: "DPoP".to_owned(),
        requested_scope: String::new(),
        granted_scope: None,
        company_id: None,
        obtained_at: at(9),
        expires_at: None,
        refresh_at: None,
        ..token(2, &key())
    };
    [one, two]
}

fn assert_same(found: &Token, expected: &Token) {
    assert_eq!(found.key, expected.key);
    assert_eq!((found.id, found.version), (expected.id, expected.version));
    assert_eq!(found.access_token, expected.access_token);
    assert_eq!((&found.refresh_token, &found.extra), (&expected.refresh_token, &expected.extra));
    assert_eq!(found.data_key_version, expected.data_key_version);
    assert_eq!(found.token_type, expected.token_type);
    assert_eq!(found.requested_scope, expected.requested_scope);
    assert_eq!(found.granted_scope, expected.granted_scope);
    assert_eq!((&found.origin, &found.configuration), (&expected.origin, &expected.configuration));
    assert_eq!(found.company_id, expected.company_id);
    assert_eq!((&found.obtained_by, found.obtained_at), (&expected.obtained_by, expected.obtained_at));
    assert_eq!((found.expires_at, found.refresh_at), (expected.expires_at, expected.refresh_at));
    assert_eq!((found.refreshed_at, found.failures, &found.failure, &found.advice), (None, 0, &None, &None));
    assert_eq!((found.is_broken, found.lease_owner, found.lease_until), (false, None, None));
}

async fn every_field_comes_back(database: Database) {
    ready(&database).await;
    add_data_key(&database, &key().space, 2, 1).await;
    assert!(read_now!(database, db => tokens::find(db, &key())).is_none());
    assert!(read_now!(database, db => tokens::find_owned(db, &key())).is_none());
    for new in contrasting().into_iter().chain(contrasting()) {
        write_now!(database, db => tokens::put(db, &new));
        assert_same(&find(&database).await, &new);
        let owned = read_now!(database, db => tokens::find_owned(db, &key())).expect("it is there");
        assert_same(&owned.token, &new);
        assert_eq!(owned.account_id, ACCOUNT);
    }
}

async fn a_new_token_takes_the_old_one_s_place_and_state(database: Database) {
    ready(&database).await;
    let [one, _] = contrasting();
    write_now!(database, db => tokens::put(db, &one));
    let (owner, until) = (uuid(5), at(30));
    assert!(write_now!(database, db => tokens::lease(db, one.id, 1, owner, until, at(0))));
    assert!(write_now!(database, db => tokens::failed(db, one.id, owner, failed("no"))));
    let old = find(&database).await;
    assert_eq!((old.failures, old.failure.as_deref(), old.is_broken), (1, Some("no"), true));
    let new = Token { id: uuid(2), ..one };
    write_now!(database, db => tokens::put(db, &new));
    assert_same(&find(&database).await, &new);
    assert_eq!(ipack_testing::tables::count(&database, "tokens").await, 1);
    // Who was refreshing the old one writes nothing into the new one.
    assert!(!write_now!(database, db => tokens::failed(db, uuid(1), owner, failed("late"))));
    assert_same(&find(&database).await, &new);
}

async fn a_token_needs_its_connection_attachment_and_data_key(database: Database) {
    stand_up(&database, &key()).await;
    add_space(&database, ACCOUNT, "space-2").await;
    add_data_key(&database, "space-2", 1, 1).await;
    assert_refused!(database, Reference, db => tokens::put(db, &token(1, &key())));
    add_data_key(&database, &key().space, 1, 1).await;
    for wrong in [
        ConnectionKey { connection: "unknown".to_owned(), ..key() },
        ConnectionKey { environment: "unknown".to_owned(), ..key() },
        ConnectionKey { space: "space-2".to_owned(), ..key() },
    ] {
        assert_refused!(database, Reference, db => tokens::put(db, &token(1, &wrong)));
    }
    let unknown = Token { data_key_version: 2, ..token(1, &key()) };
    assert_refused!(database, Reference, db => tokens::put(db, &unknown));
    assert!(!read_now!(database, db => tokens::exists(db, &key())));
}

async fn a_token_is_removed_once(database: Database) {
    ready(&database).await;
    let take = async || write_now!(database, db => tokens::take(db, &key())).map(|token| token.id);
    assert_eq!(take().await, None);
    write_now!(database, db => tokens::put(db, &token(1, &key())));
    assert!(read_now!(database, db => tokens::exists(db, &key())));
    assert_eq!(take().await, Some(uuid(1)));
    assert_eq!(take().await, None);
    assert!(!read_now!(database, db => tokens::exists(db, &key())));
}

async fn the_tokens_of_an_instance_are_taken_together(database: Database) {
    let connection = |name: &str| ConnectionKey { connection: name.to_owned(), ..key() };
    let elsewhere = ConnectionKey { instance: "instance-2".to_owned(), ..key() };
    for (number, key) in [(3, connection("a")), (1, connection("b")), (2, elsewhere)] {
        stand_up(&database, &key).await;
        add_data_key(&database, &key.space, 1, 1).await;
        write_now!(database, db => tokens::put(db, &token(number, &key)));
    }
    let take = async |environment: Option<&str>| {
        let take = attempt!(database, db => tokens::take_of_instance(db, &key().space, &key().instance, environment));
        let mut taken: Vec<_> = take.expect("taken").iter().map(|token| token.id.as_u128()).collect();
        taken.sort_unstable();
        taken
    };
    assert!(take(Some("elsewhere")).await.is_empty());
    assert_eq!(take(Some(&key().environment)).await, [1, 3]);
    write_now!(database, db => tokens::put(db, &token(1, &connection("b"))));
    assert_eq!(take(None).await, [1]);
    assert_eq!(ipack_testing::tables::count(&database, "tokens").await, 1);
}
