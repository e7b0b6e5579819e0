//! Contract of `storage::audit_log`: who did what, when. Keys are held apart by `isolation`.

use ipack_domain::{ids::ConnectionKey, time::Timestamp};
use ipack_storage::{
    Database,
    audit_log::{self, AuditSubject, Counted, Entry, Event, Kind},
};
use ipack_testing::records::{ACCOUNT, SPACE, at, key, uuid};
use tokio::task::JoinSet;

on_both!(
    an_entry_comes_back_as_it_was_added,
    the_latest_come_first,
    what_happened_to_an_instance_is_forgotten_with_it,
    what_is_old_is_forgotten,
    what_happened_elsewhere_is_in_no_connection_s_history,
    what_happens_often_is_one_entry_that_counts,
    many_counts_of_one_entry_are_all_in_it,
    what_is_told_of_an_account_is_stored,
);

#[test]
fn kinds_keep_their_names() {
    for (kind, name) in [
        (Kind::DetailsSaved, "details_saved"),
        (Kind::InstanceInstalled, "instance_installed"),
        (Kind::InstanceUninstalled, "instance_uninstalled"),
        (Kind::EnvironmentAttached, "environment_attached"),
        (Kind::EnvironmentUnattached, "environment_unattached"),
        (Kind::SignedIn, "signed_in"),
        (Kind::SignInRefused, "sign_in_refused"),
        (Kind::SignedOut, "signed_out"),
        (Kind::PkceSwitched, "pkce_switched"),
        (Kind::SecretEncrypted, "secret_encrypted"),
        (Kind::SecretReplaced, "secret_replaced"),
        (Kind::SecretReset, "secret_reset"),
        (Kind::AuthorizationStarted, "authorization_started"),
        (Kind::AuthorizationReturned, "authorization_returned"),
        (Kind::TokenExchanged, "token_exchanged"),
        (Kind::TokenRefreshed, "token_refreshed"),
        (Kind::TokenFailed, "token_failed"),
        (Kind::TokenRevoked, "token_revoked"),
        (Kind::TokenRead, "token_read"),
        (Kind::SpaceCreated, "space_created"),
        (Kind::ApiTokenCreated, "api_token_created"),
        (Kind::ApiTokenChanged, "api_token_changed"),
        (Kind::ApiTokenRevoked, "api_token_revoked"),
        (Kind::AdminCreated, "admin_created"),
        (Kind::PasswordChanged, "password_changed"),
        (Kind::CatalogueImported, "catalogue_imported"),
        (Kind::KeyAdded, "key_added"),
        (Kind::KeysRotated, "keys_rotated"),
        (Kind::KeyRetired, "key_retired"),
        (Kind::DatabaseMigrated, "database_migrated"),
        (Kind::ApiTokenRefused, "api_token_refused"),
        (Kind::JwtRefused, "jwt_refused"),
        (Kind::ApiDenied, "api_denied"),
    ] {
        assert_eq!(kind.name(), name);
    }
}

fn saved<'a>(key: &'a ConnectionKey, actor: &'a str) -> Event<'a> {
    Event { account: ACCOUNT, key, kind: Kind::DetailsSaved, actor, changed: &["Base URL"], detail: None }
}

async fn actors(database: &Database, key: &ConnectionKey, limit: i64) -> Vec<String> {
    let entries = read_now!(database, db => audit_log::latest(db, key, limit));
    entries.into_iter().map(|entry| entry.actor).collect()
}

async fn count(database: &Database) -> i64 {
    ipack_testing::tables::count(database, "timeline").await
}

async fn an_entry_comes_back_as_it_was_added(database: Database) {
    let changed = ["Base URL", "“Client ID” 😀"];
    let key = key();
    let event = Event { changed: &changed, ..saved(&key, "jürgen@example.com") };
    write_now!(database, db => audit_log::add(db, uuid(1), event, at(3)));
    let expected = Entry {
        at: at(3),
        actor: "jürgen@example.com".to_owned(),
        kind: Some(Kind::DetailsSaved),
        changed: changed.map(str::to_owned).to_vec(),
        detail: None,
        times: None,
    };
    assert_eq!(read_now!(database, db => audit_log::latest(db, &key, 10)), [expected]);
    let told =
        Event {
            kind: Kind::TokenFailed, detail: Some("the provider said “no” 😀"), ..saved(&key, "a")
        };
    write_now!(database, db => audit_log::add(db, uuid(2), told, at(4)));
    let latest = read_now!(database, db => audit_log::latest(db, &key, 1));
    assert_eq!((latest[0].kind, latest[0].detail.as_deref()), (Some(Kind::TokenFailed), told.detail));
}

async fn the_latest_come_first(database: Database) {
    // Of one moment, the one with the greater id comes first; ids compare byte by byte.
    let entries = [
        (1 << 120, at(2), "third"),
        (uuid(0x80 << 120).as_u128(), at(5), "first"),
        (uuid(0x7f << 120).as_u128(), at(5), "second"),
        (9, Timestamp(at(2).0 - 1), "fourth"),
        (8, at(1), "fifth"),
    ];
    for (id, moment, actor) in entries {
        write_now!(database, db => audit_log::add(db, uuid(id), saved(&key(), actor), moment));
    }
    assert_eq!(actors(&database, &key(), 10).await, ["first", "second", "third", "fourth", "fifth"]);
    assert_eq!(actors(&database, &key(), 2).await, ["first", "second"]);
}

async fn what_happened_to_an_instance_is_forgotten_with_it(database: Database) {
    let mut keys = [key(), key(), key(), key()];
    keys[1].connection = "connection-2".to_owned();
    keys[2].instance = "instance-2".to_owned();
    keys[3].space = "space-2".to_owned();
    for (number, key) in keys.iter().enumerate() {
        write_now!(database, db => audit_log::add(db, uuid(number as u128), saved(key, "someone"), at(0)));
    }
    let place = AuditSubject { account: Some(ACCOUNT), space: Some(SPACE), ..AuditSubject::default() };
    let of_instance = AuditSubject { instance: Some(&keys[0].instance), ..place };
    for (id, place) in [(uuid(10), of_instance), (uuid(11), place), (uuid(12), AuditSubject::default())] {
        write_now!(database, db => audit_log::add_at(db, id, place, Kind::InstanceInstalled, "someone", at(0)));
    }
    let removed = write_now!(database, db => audit_log::remove_of_instance(db, SPACE, &keys[0].instance));
    assert_eq!(removed, 3, "two connections' entries and the instance's own");
    for (key, left) in keys.iter().zip([0, 0, 1, 1]) {
        assert_eq!(actors(&database, key, 10).await.len(), left, "{key:?}");
    }
    assert_eq!(count(&database).await, 4);
}

async fn what_is_old_is_forgotten(database: Database) {
    for (id, moment) in [(1, Timestamp(at(5).0 - 1)), (2, at(5)), (3, at(6))] {
        write_now!(database, db => audit_log::add(db, uuid(id), saved(&key(), &id.to_string()), moment));
    }
    let kind = Kind::SignedIn;
    write_now!(database, db => audit_log::add_at(db, uuid(4), AuditSubject::default(), kind, "someone", at(0)));
    assert_eq!(write_now!(database, db => audit_log::remove_before(db, at(5))), 2);
    assert_eq!(write_now!(database, db => audit_log::remove_before(db, at(5))), 0);
    assert_eq!(actors(&database, &key(), 10).await, ["3", "2"]);
    assert_eq!(count(&database).await, 2);
}

async fn what_happened_elsewhere_is_in_no_connection_s_history(database: Database) {
    let key = key();
    let whole = AuditSubject {
        account: Some(ACCOUNT),
        space: Some(&key.space),
        instance: Some(&key.instance),
        environment: Some(&key.environment),
        ..AuditSubject::default()
    };
    for (id, place) in [(1, whole), (2, AuditSubject::default())] {
        let kind = Kind::EnvironmentAttached;
        write_now!(database, db => audit_log::add_at(db, uuid(id), place, kind, "someone", at(0)));
    }
    assert_eq!(actors(&database, &key, 10).await, [""; 0]);
    assert_eq!(count(&database).await, 2);
}

fn read<'a>(key: &'a ConnectionKey, actor: &'a str, times: u32) -> Counted<'a> {
    let subject = AuditSubject { account: Some(ACCOUNT), ..AuditSubject::of_connection(key) };
    Counted { subject, kind: Kind::TokenRead, actor, detail: Some("one of them"), times }
}

async fn what_happens_often_is_one_entry_that_counts(database: Database) {
    let key = key();
    for (id, actor, times, moment) in [(1, "one", 3, at(1)), (2, "two", 1, at(2)), (1, "one", 4, at(9))] {
        write_now!(database, db => audit_log::count(db, uuid(id), read(&key, actor, times), moment));
    }
    let entries = read_now!(database, db => audit_log::latest(db, &key, 10));
    let seen: Vec<_> = entries.iter().map(|entry| (entry.actor.as_str(), entry.times, entry.at)).collect();
    assert_eq!(seen, [("one", Some(7), at(9)), ("two", Some(1), at(2))]);
    assert!(entries.iter().all(|entry| entry.kind == Some(Kind::TokenRead) && entry.changed.is_empty()));
    assert!(entries.iter().all(|entry| entry.detail.as_deref() == Some("one of them")));
}

async fn many_counts_of_one_entry_are_all_in_it(database: Database) {
    let mut tasks = JoinSet::new();
    for times in 1..=20 {
        let database = database.clone();
        tasks.spawn(async move {
            write_now!(database, db => audit_log::count(db, uuid(1), read(&key(), "one", times), at(1)));
        });
    }
    tasks.join_all().await;
    let entries = read_now!(database, db => audit_log::latest(db, &key(), 10));
    assert_eq!(entries.iter().map(|entry| entry.times).collect::<Vec<_>>(), [Some((1..=20).sum())]);
}

async fn what_is_told_of_an_account_is_stored(database: Database) {
    let (place, kind) =
        (AuditSubject { account: Some(ACCOUNT), ..AuditSubject::default() }, Kind::TokenRevoked);
    write_now!(database, db => audit_log::add_told(db, uuid(1), place, kind, "one", Some("a sentence"), at(0)));
    let as_told = "timeline WHERE kind = 'token_revoked' AND detail = 'a sentence' AND times IS NULL";
    assert_eq!(ipack_testing::tables::count(&database, as_told).await, 1);
}
