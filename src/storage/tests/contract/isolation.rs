//! Each of the five parts of a connection key sets what is filed under it apart, alone and together with any others.

use ipack_domain::{form::FormContent, ids::ConnectionKey};
use ipack_storage::{
    Database,
    attempts::{self, Status},
    audit_log::{self, Event, Kind},
    client_secrets::{self, Slot},
    details,
    drafts::{self, Draft},
    tokens,
};
use ipack_testing::records::{
    add_admin, add_data_key, at, attempt_of, key, new_details, secret, stand_up, token, uuid,
};

on_both!(
    details_of_neighbouring_keys_stay_apart,
    drafts_of_neighbouring_keys_stay_apart,
    drafts_of_two_admins_stay_apart,
    histories_of_neighbouring_keys_stay_apart,
    secrets_of_neighbouring_keys_stay_apart,
    tokens_of_neighbouring_keys_stay_apart,
    attempts_of_neighbouring_keys_stay_apart,
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
        let version = match number % 2 {
            0 => write_now!(database, db => details::upsert(db, uuid(99), key, new, at(1))).version,
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
        let event =
            Event { account: "a", key, kind: Kind::DetailsSaved, actor: &actor, changed: &[], detail: None };
        write_now!(database, db => audit_log::add(db, uuid(number as u128), event, at(0)));
    }
    for (number, key) in keys.iter().enumerate() {
        let entries = read_now!(database, db => audit_log::latest(db, key, 10));
        let actors: Vec<_> = entries.iter().map(|entry| entry.actor.as_str()).collect();
        assert_eq!(actors, [format!("actor {number}")], "{key:?}");
    }
}

async fn all_have_data_keys(database: &Database) -> Vec<ConnectionKey> {
    let keys = all_stand_up(database).await;
    for key in &keys {
        add_data_key(database, &key.space, 1, 1).await;
    }
    keys
}

async fn secrets_of_neighbouring_keys_stay_apart(database: Database) {
    let keys = all_have_data_keys(&database).await;
    let of = |key: ConnectionKey| {
        let database = database.clone();
        async move {
            let found = read_now!(database, db => client_secrets::of_connection(db, &key));
            found.into_iter().map(|secret| (secret.id, secret.slot)).collect::<Vec<_>>()
        }
    };
    for (number, key) in keys.iter().enumerate() {
        assert_eq!(of(key.clone()).await, [], "{key:?}");
        for (offset, slot) in [(0, Slot::Current), (100, Slot::Replacement)] {
            let new = secret(number as u128 + offset, slot);
            write_now!(database, db => client_secrets::put(db, key, slot, &new));
        }
    }
    for (number, key) in keys.iter().enumerate() {
        let stranger = &keys[(number + 1) % keys.len()];
        let id = uuid(number as u128 + 100);
        assert!(read_now!(database, db => client_secrets::find(db, stranger, id)).is_none(), "{key:?}");
        assert!(!write_now!(database, db => client_secrets::promote(db, stranger, id)), "{key:?}");
        assert!(write_now!(database, db => client_secrets::remove(db, key, Slot::Replacement)), "{key:?}");
    }
    for (number, key) in keys.iter().enumerate() {
        assert_eq!(of(key.clone()).await, [(uuid(number as u128), Slot::Current)], "{key:?}");
        assert_eq!(write_now!(database, db => client_secrets::remove_all(db, key)), 1, "{key:?}");
    }
}

async fn tokens_of_neighbouring_keys_stay_apart(database: Database) {
    let keys = all_have_data_keys(&database).await;
    for (number, key) in keys.iter().enumerate() {
        assert!(!read_now!(database, db => tokens::exists(db, key)), "{key:?}");
        write_now!(database, db => tokens::put(db, &token(number as u128, key)));
    }
    for (number, key) in keys.iter().enumerate() {
        let found = read_now!(database, db => tokens::find(db, key)).expect("it is there");
        assert_eq!((found.id, &found.key), (uuid(number as u128), key));
        let taken = write_now!(database, db => tokens::take(db, key)).expect("it is there");
        assert_eq!((taken.id, &taken.key), (found.id, key));
        assert!(!read_now!(database, db => tokens::exists(db, key)), "{key:?}");
        let left = ipack_testing::tables::count(&database, "tokens").await;
        assert_eq!(left, (keys.len() - number - 1) as i64, "{key:?}");
    }
}

async fn attempts_of_neighbouring_keys_stay_apart(database: Database) {
    let admin = add_admin(&database, 1).await;
    let keys = all_have_data_keys(&database).await;
    for (number, key) in keys.iter().enumerate() {
        assert_eq!(read_now!(database, db => attempts::latest(db, key)), None, "{key:?}");
        let new = attempt_of(number as u128, key, admin);
        write_now!(database, db => attempts::add(db, &new));
        assert_eq!(read_now!(database, db => attempts::latest(db, key)), Some(new), "{key:?}");
    }
    for (number, key) in keys.iter().enumerate() {
        let still = read_now!(database, db => attempts::latest(db, key)).expect("it is there");
        assert_eq!((still.id, still.status), (uuid(number as u128), Status::Opened), "{key:?}");
        assert_eq!(write_now!(database, db => attempts::abandon(db, key, "another")), 1, "{key:?}");
    }
}
