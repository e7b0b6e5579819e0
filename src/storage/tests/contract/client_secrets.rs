//! Contract of `storage::client_secrets`: one sealed secret for each slot of a connection key. Keys are held apart by
//! `isolation`.

use ipack_domain::ids::ConnectionKey;
use ipack_storage::{
    Database,
    client_secrets::{self, ClientSecret, Slot},
};
use ipack_testing::records::{add_data_key, add_space, at, json, key, secret, stand_up, uuid};
use uuid::Uuid;

on_both!(
    every_slot_holds_one,
    every_byte_comes_back,
    a_replacement_is_promoted_once,
    a_replacement_without_a_current_one_is_promoted_too,
    nothing_but_a_replacement_is_promoted,
    secrets_are_forgotten_slot_by_slot_and_all_at_once,
    a_secret_needs_its_connection_attachment_and_data_key,
);

const SLOTS: [(Slot, &str); 3] =
    [(Slot::Current, "current"), (Slot::Replacement, "replacement"), (Slot::Password, "password")];

async fn ready(database: &Database) {
    stand_up(database, &key()).await;
    add_data_key(database, &key().space, 1, 1).await;
}

async fn put(database: &Database, number: u128, slot: Slot) {
    write_now!(database, db => client_secrets::put(db, &key(), slot, &secret(number, slot)));
}

/// Slots and ids of what is there, by slot.
async fn there(database: &Database) -> Vec<(&'static str, Uuid)> {
    let found = read_now!(database, db => client_secrets::of_connection(db, &key()));
    let mut found: Vec<_> = found.into_iter().map(|secret| (secret.slot.name(), secret.id)).collect();
    found.sort();
    found
}

fn are(expected: &[(&'static str, u128)]) -> Vec<(&'static str, Uuid)> {
    expected.iter().map(|(slot, number)| (*slot, uuid(*number))).collect()
}

async fn every_slot_holds_one(database: Database) {
    ready(&database).await;
    for (number, (slot, name)) in SLOTS.into_iter().enumerate() {
        assert_eq!(slot.name(), name);
        put(&database, number as u128, slot).await;
    }
    assert_eq!(there(&database).await, are(&[("current", 0), ("password", 2), ("replacement", 1)]));
    // Another takes the place of what is there, with an id of its own: the place that it is sealed for.
    put(&database, 7, Slot::Current).await;
    assert_eq!(there(&database).await, are(&[("current", 7), ("password", 2), ("replacement", 1)]));
    assert!(read_now!(database, db => client_secrets::find(db, &key(), uuid(0))).is_none());
}

async fn every_byte_comes_back(database: Database) {
    ready(&database).await;
    add_data_key(&database, &key().space, 2, 1).await;
    let new = ClientSecret {
        sealed: (0..=255).collect(),
        data_key_version: 2,
        destination: json(r#"{"tokenEndpoint":"https://example.com/ü","clientId":"क्लाइंट 🗝"}"#),
        sealed_by: "API token “ops”".to_owned(),
        sealed_at: at(9),
        ..secret(1, Slot::Current)
    };
    write_now!(database, db => client_secrets::put(db, &key(), Slot::Current, &new));
    let found = read_now!(database, db => client_secrets::find(db, &key(), uuid(1))).expect("it is there");
    assert_eq!((found.sealed_at, found.id, found.slot), (at(9), new.id, new.slot));
    assert_eq!((found.sealed, found.data_key_version), (new.sealed, new.data_key_version));
    assert_eq!((found.destination, found.sealed_by), (new.destination, new.sealed_by));
}

async fn promote(database: &Database, key: &ConnectionKey, number: u128) -> bool {
    write_now!(database, db => client_secrets::promote(db, key, uuid(number)))
}

async fn a_replacement_is_promoted_once(database: Database) {
    ready(&database).await;
    for (number, (slot, _)) in SLOTS.into_iter().enumerate() {
        put(&database, number as u128, slot).await;
    }
    assert!(promote(&database, &key(), 1).await);
    assert_eq!(there(&database).await, are(&[("current", 1), ("password", 2)]));
    assert!(!promote(&database, &key(), 1).await, "it is the current one now");
    assert_eq!(there(&database).await, are(&[("current", 1), ("password", 2)]));
}

async fn a_replacement_without_a_current_one_is_promoted_too(database: Database) {
    ready(&database).await;
    put(&database, 1, Slot::Replacement).await;
    assert!(promote(&database, &key(), 1).await);
    assert_eq!(there(&database).await, are(&[("current", 1)]));
}

async fn nothing_but_a_replacement_is_promoted(database: Database) {
    ready(&database).await;
    put(&database, 1, Slot::Current).await;
    put(&database, 2, Slot::Password).await;
    for number in [1, 2, 3] {
        assert!(!promote(&database, &key(), number).await, "{number}");
    }
    // A replacement that another has taken the place of meanwhile.
    put(&database, 4, Slot::Replacement).await;
    put(&database, 5, Slot::Replacement).await;
    assert!(!promote(&database, &key(), 4).await);
    assert_eq!(there(&database).await, are(&[("current", 1), ("password", 2), ("replacement", 5)]));
}

async fn secrets_are_forgotten_slot_by_slot_and_all_at_once(database: Database) {
    ready(&database).await;
    for (number, (slot, _)) in SLOTS.into_iter().enumerate() {
        put(&database, number as u128, slot).await;
    }
    assert!(write_now!(database, db => client_secrets::remove(db, &key(), Slot::Replacement)));
    assert!(!write_now!(database, db => client_secrets::remove(db, &key(), Slot::Replacement)));
    assert_eq!(there(&database).await, are(&[("current", 0), ("password", 2)]));
    assert_eq!(write_now!(database, db => client_secrets::remove_all(db, &key())), 2);
    assert_eq!(there(&database).await, []);
    assert_eq!(write_now!(database, db => client_secrets::remove_all(db, &key())), 0);
}

async fn a_secret_needs_its_connection_attachment_and_data_key(database: Database) {
    stand_up(&database, &key()).await;
    add_space(&database, ipack_testing::records::ACCOUNT, "space-2").await;
    add_data_key(&database, "space-2", 1, 1).await;
    let new = secret(1, Slot::Current);
    assert_refused!(database, Reference, db => client_secrets::put(db, &key(), Slot::Current, &new));
    add_data_key(&database, &key().space, 1, 1).await;
    for wrong in [
        ConnectionKey { connection: "unknown".to_owned(), ..key() },
        ConnectionKey { environment: "unknown".to_owned(), ..key() },
        ConnectionKey { space: "space-2".to_owned(), ..key() },
    ] {
        assert_refused!(database, Reference, db => client_secrets::put(db, &wrong, Slot::Current, &new));
    }
    let unknown = ClientSecret { data_key_version: 2, ..new.clone() };
    assert_refused!(database, Reference, db => client_secrets::put(db, &key(), Slot::Current, &unknown));
    write_now!(database, db => client_secrets::put(db, &key(), Slot::Current, &new));
}
