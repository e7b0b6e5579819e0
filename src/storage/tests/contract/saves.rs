//! Contract of `storage::saves`: a save with its entry in the audit log and its values, or none of them.

use ipack_domain::{fields::TextField, ids::ConnectionKey, suggestions::SuggestionField};
use ipack_storage::{
    Database, StorageError, Writer,
    audit_log::{self, Kind},
    details::{self, StoredDetails},
    instances,
    saves::{self, Save},
    suggestions::{self, UsedValue},
};
use ipack_testing::{
    records::{ACCOUNT, at, key, new_details, stand_up, uuid},
    tables,
};
use std::{
    sync::{
        Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

on_both!(
    each_kind_of_save_brings_its_entry_and_its_values,
    what_saves_nothing_leaves_no_entry_and_no_value,
    what_is_refused_leaves_nothing,
    a_first_save_registers_its_connection,
    a_save_is_a_write_of_its_own,
    a_first_save_locks_in_the_order_of_the_forms,
);

fn used(value: &str) -> Vec<UsedValue> {
    UsedValue::new(SuggestionField::Text(TextField::BaseUrl), value).into_iter().collect()
}

fn save<'a>(key: &'a ConnectionKey, text: &'a str, entry: u128, used: &'a [UsedValue]) -> Save<'a> {
    Save {
        account: ACCOUNT,
        key,
        new: new_details(text, "saver"),
        entry: uuid(entry),
        changed: &["Base URL", "Company ID"],
        used,
        used_since: at(0),
    }
}

/// Entries of the audit log, and values.
async fn beside(database: &Database) -> [i64; 2] {
    [tables::count(database, "timeline").await, tables::count(database, "suggestions").await]
}

async fn saved(database: &Database) -> Option<StoredDetails> {
    read_now!(database, db => details::find(db, &key()))
}

async fn each_kind_of_save_brings_its_entry_and_its_values(database: Database) {
    stand_up(&database, &key()).await;
    let values: Vec<_> = ["one", "two", "three"].into_iter().map(used).collect();
    let (key, new) = (key(), |number: usize| format!("text {number}"));
    let texts: Vec<_> = (0..3).map(new).collect();
    let save = |number: usize| save(&key, &texts[number], number as u128, &values[number]);
    let first = write_now!(database, db => saves::insert_first(db, uuid(9), save(0), at(1)));
    let second = write_now!(database, db => saves::replace_version(db, 1, save(1), at(2)));
    let third = write_now!(database, db => saves::upsert(db, uuid(8), save(2), at(3)));
    for (number, stored) in [first, second, Some(third)].into_iter().enumerate() {
        let stored = stored.expect("it is saved");
        assert_eq!((stored.id, stored.version), (uuid(9), number as i64 + 1));
        assert_eq!((stored.oauth_connector_details, stored.updated_at), (new(number), at(number as i64 + 1)));
    }
    let entries = read_now!(database, db => audit_log::latest(db, &key, 10));
    assert_eq!(entries.len(), 3);
    for (entry, second) in entries.iter().zip([3, 2, 1]) {
        assert_eq!((entry.kind, entry.at), (Some(Kind::DetailsSaved), at(second)));
        assert_eq!(
            (&*entry.actor, &*entry.changed),
            ("saver", &["Base URL".to_owned(), "Company ID".to_owned()][..])
        );
        assert_eq!(entry.detail, None);
    }
    let offered = read_now!(database, db => suggestions::latest(db, ACCOUNT));
    let offered: Vec<_> = offered.into_iter().map(|one| one.value).collect();
    assert_eq!(offered, ["three", "two", "one"]);
}

async fn what_saves_nothing_leaves_no_entry_and_no_value(database: Database) {
    stand_up(&database, &key()).await;
    let (key, used) = (key(), used("value"));
    let save = |entry| save(&key, "late", entry, &used);
    assert_eq!(
        write_now!(database, db => saves::replace_version(db, 1, save(1), at(1))),
        None,
        "nothing is there"
    );
    write_now!(database, db => details::upsert(db, uuid(9), &key, new_details("there", "a"), at(1)));
    let before = saved(&database).await;
    for stale in [-1, 0, 2] {
        assert_eq!(
            write_now!(database, db => saves::replace_version(db, stale, save(1), at(2))),
            None,
            "{stale}"
        );
    }
    assert_eq!(write_now!(database, db => saves::insert_first(db, uuid(8), save(1), at(2))), None);
    assert_eq!((saved(&database).await, beside(&database).await), (before, [0, 0]));
}

async fn what_is_refused_leaves_nothing(database: Database) {
    stand_up(&database, &key()).await;
    let (there, used) = (key(), used("value"));
    let elsewhere =
        ConnectionKey { connection: "new".to_owned(), environment: "not attached".to_owned(), ..key() };
    let unregistered = save(&elsewhere, "text", 1, &used);
    assert_refused!(database, Reference, db => saves::upsert(db, uuid(9), unregistered, at(1)));
    assert_refused!(database, Reference, db => saves::insert_first(db, uuid(9), unregistered, at(1)));
    assert_refused!(database, Reference, db => saves::insert_with_connection(db, uuid(9), unregistered, at(1)));
    // The last of the three parts alone is refused.
    let nobodys = Save { account: "nobody", ..save(&there, "text", 1, &used) };
    assert_refused!(database, Reference, db => saves::upsert(db, uuid(9), nobodys, at(1)));
    assert_eq!((saved(&database).await, beside(&database).await), (None, [0, 0]));
    assert_eq!(tables::count(&database, "connections WHERE id = 'new'").await, 0);
}

async fn a_first_save_registers_its_connection(database: Database) {
    stand_up(&database, &key()).await;
    let (key, used) = (ConnectionKey { connection: "new".to_owned(), ..key() }, used("value"));
    for entry in [1, 2] {
        let saved = write_now!(database, db => saves::insert_with_connection(db, uuid(9), save(&key, "text", entry, &used), at(1)));
        assert_eq!(saved.map(|saved| saved.version), (entry == 1).then_some(1));
    }
    let place = read_now!(database, db => instances::connection(db, &key)).expect("it is registered");
    assert!(place.uses_oauth && !place.every_environment, "{place:?}");
    assert_eq!(beside(&database).await, [1, 1]);
}

async fn a_save_is_a_write_of_its_own(database: Database) {
    stand_up(&database, &key()).await;
    let write = async |account: &'static str, entry: u128| {
        let statement = database.write_statement(move |db| {
            Box::pin(async move {
                let (key, used) = (key(), used("value"));
                let save = Save { account, ..save(&key, "text", entry, &used) };
                saves::upsert(db, uuid(entry), save, at(1)).await
            })
        });
        statement.await.map(|saved| saved.expect("nobody else writes").version)
    };
    assert_eq!(write(ACCOUNT, 1).await.expect("it is saved"), 1);
    assert!(matches!(write("nobody", 2).await, Err(StorageError::Reference)));
    assert_eq!(write(ACCOUNT, 3).await.expect("it is saved"), 2, "the refused one left nothing behind");
    assert_eq!(beside(&database).await, [2, 1]);
}

/// Who locks the connection first, as saves of the form do, is not waited for by a save that already wrote.
async fn a_first_save_locks_in_the_order_of_the_forms(database: Database) {
    if matches!(database, Database::Sqlite { .. }) {
        return;
    }
    stand_up(&database, &key()).await;
    let begun = AtomicU32::new(0);
    let saving = Mutex::new(None);
    let write = async |mut db: Writer| {
        begun.fetch_add(1, Ordering::Relaxed);
        instances::lock_connection(db.lend(), &key()).await?;
        let database = database.clone();
        let late = tokio::spawn(async move {
            let statement = database.write_statement(|db| {
                Box::pin(async {
                    let (key, used) = (key(), used("value"));
                    saves::insert_with_connection(db, uuid(2), save(&key, "late", 1, &used), at(1)).await
                })
            });
            statement.await
        });
        *saving.lock().expect("nobody panics") = Some(late);
        tokio::time::sleep(Duration::from_millis(200)).await;
        details::insert_first(db.lend(), uuid(1), &key(), new_details("form", "a"), at(1)).await
    };
    let form = database.write(write).await.expect("it is saved").expect("nothing was there");
    assert_eq!((form.id, begun.into_inner()), (uuid(1), 1), "it began once");
    let late = saving.into_inner().expect("nobody panics").expect("it began");
    assert!(matches!(late.await.expect("no panic"), Ok(Some(None))), "it finds the form's");
}
