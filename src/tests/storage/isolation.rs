//! Each of the five parts of a connection key sets details and drafts apart, alone and together with any others.
//!
//! What else is filed under a connection key gets a test here that goes through [`neighbours`].

use super::world::{add_admin, at, key, new_details, stand_up, uuid};
use crate::{
    domain::{form::FormContent, ids::ConnectionKey},
    storage::{
        Database, details,
        drafts::{self, Draft},
        timeline::{self, Event, Kind},
    },
};

on_both!(
    details_of_neighbouring_keys_stay_apart,
    drafts_of_neighbouring_keys_stay_apart,
    drafts_of_two_admins_stay_apart,
    histories_of_neighbouring_keys_stay_apart,
);

/// All 32 keys whose parts are each one of two values: any two differ in at least one part, and for each part
/// there are two that differ in it alone. The second values are such that joined parts would collide.
fn neighbours() -> Vec<ConnectionKey> {
    let pick = |number: usize, bit: usize, own: &str| {
        if number >> bit & 1 == 0 { own.to_owned() } else { format!("{own}/{own}") }
    };
    (0..32)
        .map(|number| ConnectionKey {
            space: pick(number, 0, "x"),
            instance: pick(number, 1, "x"),
            environment: pick(number, 2, "x"),
            process: pick(number, 3, "x"),
            connection: pick(number, 4, "x"),
        })
        .collect()
}

async fn all_stand_up(database: &Database) -> Vec<ConnectionKey> {
    let keys = neighbours();
    for key in &keys {
        stand_up(database, key).await;
    }
    keys
}

async fn details_of_neighbouring_keys_stay_apart(database: Database) {
    let keys = all_stand_up(&database).await;
    for (number, key) in keys.iter().enumerate() {
        assert_eq!(read_now!(database, db => details::find(db, key)), None, "{key:?}");
        let (id, text) = (uuid(number as u128), format!("first {number}"));
        let new = new_details(&text, "saver");
        let saved = write_now!(database, db => details::upsert(db, id, key, new, at(0)));
        assert_eq!(saved.version, 1, "{key:?}");
    }
    // Each way to write over one leaves the rest as they were.
    for (number, key) in keys.iter().enumerate() {
        let text = format!("second {number}");
        let new = new_details(&text, "saver");
        let version = match number % 3 {
            0 => write_now!(database, db => details::upsert(db, uuid(99), key, new, at(1))).version,
            1 => write_now!(database, db => details::replace(db, key, new, at(1))).expect("saved").version,
            _ => {
                write_now!(database, db => details::replace_version(db, key, 1, new, at(1)))
                    .expect("saved")
                    .version
            }
        };
        assert_eq!(version, 2, "{key:?}");
    }
    for (number, key) in keys.iter().enumerate() {
        let found = read_now!(database, db => details::find(db, key)).expect("it is saved");
        assert_eq!((found.id, found.version), (uuid(number as u128), 2), "{key:?}");
        assert_eq!(found.oauth_connector_details, format!("second {number}"), "{key:?}");
    }
}

fn draft(words: &str) -> Draft {
    let content = FormContent { base_url: words.to_owned(), ..FormContent::default() };
    Draft { base_version: 0, base: FormContent::default(), content, attempted: false, updated_at: at(0) }
}

async fn drafts_of_neighbouring_keys_stay_apart(database: Database) {
    let admin = add_admin(&database, 1).await;
    let keys = all_stand_up(&database).await;
    for (number, key) in keys.iter().enumerate() {
        assert_eq!(read_now!(database, db => drafts::find(db, key, admin)), None, "{key:?}");
        let draft = draft(&format!("draft {number}"));
        write_now!(database, db => drafts::keep(db, key, admin, &draft));
    }
    for (number, key) in keys.iter().enumerate() {
        let expected = draft(&format!("draft {number}"));
        assert_eq!(read_now!(database, db => drafts::find(db, key, admin)), Some(expected), "{key:?}");
        assert!(write_now!(database, db => drafts::remove(db, key, admin)), "{key:?}");
        assert_eq!(read_now!(database, db => drafts::find(db, key, admin)), None, "{key:?}");
    }
}

async fn drafts_of_two_admins_stay_apart(database: Database) {
    let (one, two) = (add_admin(&database, 1).await, add_admin(&database, 2).await);
    stand_up(&database, &key()).await;
    write_now!(database, db => drafts::keep(db, &key(), one, &draft("one's")));
    assert_eq!(read_now!(database, db => drafts::find(db, &key(), two)), None);
    write_now!(database, db => drafts::keep(db, &key(), two, &draft("two's")));
    assert_eq!(read_now!(database, db => drafts::find(db, &key(), one)), Some(draft("one's")));
    assert!(write_now!(database, db => drafts::remove(db, &key(), one)));
    assert_eq!(read_now!(database, db => drafts::find(db, &key(), two)), Some(draft("two's")));
}

async fn histories_of_neighbouring_keys_stay_apart(database: Database) {
    let keys = neighbours();
    for (number, key) in keys.iter().enumerate() {
        let actor = format!("actor {number}");
        let event = Event { account: "a", key, kind: Kind::DetailsSaved, actor: &actor, changed: &[] };
        write_now!(database, db => timeline::add(db, uuid(number as u128), event, at(0)));
    }
    for (number, key) in keys.iter().enumerate() {
        let entries = read_now!(database, db => timeline::latest(db, key, 10));
        let actors: Vec<_> = entries.iter().map(|entry| entry.actor.as_str()).collect();
        assert_eq!(actors, [format!("actor {number}")], "{key:?}");
    }
}
