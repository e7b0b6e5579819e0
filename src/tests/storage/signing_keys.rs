//! Contract of `storage::signing_keys`: the key that all replicas sign with.
//!
//! A new function there gets a test here, named in `on_both!`.

use super::world::{at, uuid};
use crate::storage::{Database, signing_keys};

on_both!(the_oldest_key_is_in_force, of_keys_made_at_once_all_replicas_take_the_same, any_bytes_make_a_key);

async fn the_oldest_key_is_in_force(database: Database) {
    assert_eq!(read_now!(database, db => signing_keys::find(db)), None);
    write_now!(database, db => signing_keys::add(db, uuid(1), b"younger", at(5)));
    assert_eq!(read_now!(database, db => signing_keys::find(db)), Some(b"younger".to_vec()));
    write_now!(database, db => signing_keys::add(db, uuid(2), b"older", at(4)));
    write_now!(database, db => signing_keys::add(db, uuid(3), b"youngest", at(6)));
    assert_eq!(read_now!(database, db => signing_keys::find(db)), Some(b"older".to_vec()));
}

async fn of_keys_made_at_once_all_replicas_take_the_same(database: Database) {
    // The first byte above 0x7f tells a comparison of bytes from one of signed numbers.
    let (low, high) = (uuid(0x7f << 120), uuid(0x80 << 120));
    write_now!(database, db => signing_keys::add(db, high, b"high", at(0)));
    write_now!(database, db => signing_keys::add(db, low, b"low", at(0)));
    assert_eq!(read_now!(database, db => signing_keys::find(db)), Some(b"low".to_vec()));
}

async fn any_bytes_make_a_key(database: Database) {
    let secret: Vec<u8> = (0..=255).collect();
    write_now!(database, db => signing_keys::add(db, uuid(1), &secret, at(0)));
    assert_eq!(read_now!(database, db => signing_keys::find(db)), Some(secret));
}
