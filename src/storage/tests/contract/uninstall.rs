//! Uninstalling removes all that an instance held, in every table that names an instance, and nothing else.
//!
//! The tables come from the schema: a new one with an `instance_id` fails here until [`fill`] puts a row into it.

use crate::schema;
use ipack_domain::{form::FormContent, ids::ConnectionKey};
use ipack_storage::{
    Database, attempts,
    audit_log::{self, Event, Kind},
    client_secrets::{self, Slot},
    details,
    drafts::{self, Draft},
    instances, tokens,
};
use ipack_testing::records::{
    ACCOUNT, add_admin, add_data_key, at, attempt_of, key, new_details, secret, stand_up, token, uuid,
};
use uuid::Uuid;

on_both!(uninstalling_removes_everything_and_nothing_else, an_instance_is_removed_once);

/// Keys of the instance that goes: more than one environment, process and connection.
fn going() -> Vec<ConnectionKey> {
    let mut keys = vec![key(), key(), key(), key()];
    keys[1].environment = "environment-2".to_owned();
    keys[2].process = "process-2".to_owned();
    keys[3].connection = "connection-2".to_owned();
    keys
}

/// Keys of instances that stay: a neighbour, and a namesake in another Space.
fn staying() -> Vec<ConnectionKey> {
    let mut keys = vec![key(), key()];
    keys[0].instance = "instance-2".to_owned();
    keys[1].space = "space-2".to_owned();
    keys
}

/// Puts rows of a key into every table that names an instance.
async fn fill(database: &Database, key: &ConnectionKey, admin: Uuid, number: u128) {
    stand_up(database, key).await;
    let new = new_details("{}", "saver");
    write_now!(database, db => details::upsert(db, uuid(number), key, new, at(0)));
    let content = FormContent::default();
    let draft =
        Draft { base_version: 1, base: content.clone(), content, attempted: false, updated_at: at(0) };
    write_now!(database, db => drafts::keep(db, key, admin, &draft));
    let kind = Kind::DetailsSaved;
    let event = Event { account: ACCOUNT, key, kind, actor: "saver", changed: &[], detail: None };
    write_now!(database, db => audit_log::add(db, uuid(number), event, at(0)));
    add_data_key(database, &key.space, 1, 1).await;
    for (place, slot) in [Slot::Current, Slot::Replacement, Slot::Password].into_iter().enumerate() {
        let id = 1_000 + number * 10 + place as u128;
        write_now!(database, db => client_secrets::put(db, key, slot, &secret(id, slot)));
    }
    write_now!(database, db => tokens::put(db, &token(number, key)));
    write_now!(database, db => attempts::add(db, &attempt_of(number, key, admin)));
    write_now!(database, db => attempts::add_state(db, &number.to_be_bytes(), uuid(number), at(60)));
}

/// How many rows of an instance each table has.
async fn rows(database: &Database, of: &ConnectionKey) -> Vec<(String, i64)> {
    let place = |id: &str| format!("space_guid = '{}' AND {id} = '{}'", of.space, of.instance);
    let mut rows = Vec::new();
    let mut tables = schema::tables_with(database, "instance_id").await;
    // What is still to be done for an instance that is gone.
    tables.retain(|table| table != "revocations");
    for table in tables {
        let found =
            ipack_testing::tables::count(database, &format!("{table} WHERE {}", place("instance_id"))).await;
        rows.push((table, found));
    }
    let found = ipack_testing::tables::count(database, &format!("instances WHERE {}", place("id"))).await;
    rows.push(("instances".to_owned(), found));
    rows
}

async fn uninstalling_removes_everything_and_nothing_else(database: Database) {
    let admin = add_admin(&database, 1).await;
    for (number, key) in going().iter().chain(&staying()).enumerate() {
        fill(&database, key, admin, number as u128).await;
    }
    let before = rows(&database, &key()).await;
    let names: Vec<_> = before.iter().map(|(table, _)| table.as_str()).collect();
    for known in ["attachments", "connections", "connector_details", "drafts", "processes", "timeline"]
        .into_iter()
        .chain(["client_secrets", "tokens", "attempts"])
    {
        assert!(names.contains(&known), "{known} names no instance any more: {names:?}");
    }
    for (table, found) in &before {
        assert!(*found > 0, "nothing in {table}: this test shows nothing there");
    }
    let mut others = Vec::new();
    for key in staying() {
        others.push(rows(&database, &key).await);
    }
    let all_before = totals(&database).await;

    assert!(write_now!(database, db => instances::remove(db, &key().space, &key().instance)));
    for (table, found) in rows(&database, &key()).await {
        // The audit log refers to nothing, so that it can tell of what is gone: it is cleared by its own function.
        assert_eq!(found > 0, table == "timeline", "{found} rows in {table}");
    }
    assert_eq!(read_now!(database, db => audit_log::latest(db, &key(), 10)).len(), 1);
    write_now!(database, db => audit_log::remove_of_instance(db, &key().space, &key().instance));
    for (table, found) in rows(&database, &key()).await {
        assert_eq!(found, 0, "{table}");
    }

    for (key, expected) in staying().iter().zip(others) {
        assert_eq!(rows(&database, key).await, expected, "{key:?}");
        assert!(read_now!(database, db => details::find(db, key)).is_some());
        assert!(read_now!(database, db => drafts::find(db, key, admin)).is_some());
        assert_eq!(read_now!(database, db => client_secrets::of_connection(db, key)).len(), 3);
        assert!(read_now!(database, db => tokens::find(db, key)).is_some());
        assert!(read_now!(database, db => attempts::latest(db, key)).is_some());
    }
    // Every other table is as it was, and these lost what the instance had, no more.
    for ((table, was), (_, is)) in all_before.into_iter().zip(totals(&database).await) {
        // A state belongs to its attempt.
        let of = if table == "oauth_states" { "attempts" } else { &table };
        let lost = before.iter().find(|(name, _)| name == of).map_or(0, |(_, found)| *found);
        assert_eq!(was - is, lost, "{table}");
    }
}

async fn totals(database: &Database) -> Vec<(String, i64)> {
    let mut totals = Vec::new();
    for table in schema::tables(database).await {
        let found = ipack_testing::tables::count(database, &table).await;
        totals.push((table, found));
    }
    totals
}

async fn an_instance_is_removed_once(database: Database) {
    stand_up(&database, &key()).await;
    assert!(!write_now!(database, db => instances::remove(db, &key().space, "unknown")));
    assert!(!write_now!(database, db => instances::remove(db, "unknown", &key().instance)));
    assert!(read_now!(database, db => instances::find(db, &key().space, &key().instance)).is_some());
    assert!(write_now!(database, db => instances::remove(db, &key().space, &key().instance)));
    assert!(!write_now!(database, db => instances::remove(db, &key().space, &key().instance)));
    // Installed anew it starts with nothing.
    stand_up(&database, &key()).await;
    assert_eq!(read_now!(database, db => details::find(db, &key())), None);
}
