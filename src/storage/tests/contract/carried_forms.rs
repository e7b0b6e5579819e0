//! Contract of `storage::carried_forms`: forms that wait for somebody to sign in.

use ipack_storage::{Database, carried_forms};
use ipack_testing::records::{add_admin, at, uuid};

on_both!(
    a_form_waits_until_the_moment_it_expires_or_is_removed,
    the_last_forms_of_an_admin_are_kept,
    housekeeping_removes_forms_that_have_expired,
    a_form_needs_its_admin,
);

async fn a_form_waits_until_the_moment_it_expires_or_is_removed(database: Database) {
    let admin = add_admin(&database, 1).await;
    let form = r#"{"text":"\u0000 ü 🗝"}"#;
    write_now!(database, db => carried_forms::add(db, b"id", admin, form, at(10)));
    assert_eq!(read_now!(database, db => carried_forms::find(db, b"id", at(9))).as_deref(), Some(form));
    assert_eq!(read_now!(database, db => carried_forms::find(db, b"id", at(10))), None);
    assert_eq!(read_now!(database, db => carried_forms::find(db, b"i", at(9))), None);
    assert_refused!(database, Exists, db => carried_forms::add(db, b"id", admin, "{}", at(10)));
    write_now!(database, db => carried_forms::remove(db, b"id"));
    write_now!(database, db => carried_forms::remove(db, b"id"));
    assert_eq!(read_now!(database, db => carried_forms::find(db, b"id", at(9))), None);
}

async fn the_last_forms_of_an_admin_are_kept(database: Database) {
    let (one, other) = (add_admin(&database, 1).await, add_admin(&database, 2).await);
    for (id, admin, expiry) in [(b"a", one, 10), (b"b", one, 30), (b"c", one, 20), (b"d", other, 1)] {
        write_now!(database, db => carried_forms::add(db, id, admin, "{}", at(expiry)));
    }
    write_now!(database, db => carried_forms::keep_last(db, one, 2));
    for (id, is_kept) in [(b"a", false), (b"b", true), (b"c", true), (b"d", true)] {
        let found = read_now!(database, db => carried_forms::find(db, id, at(0)));
        assert_eq!(found.is_some(), is_kept, "{id:?}");
    }
}

async fn housekeeping_removes_forms_that_have_expired(database: Database) {
    let admin = add_admin(&database, 1).await;
    for (id, expiry) in [(b"a", 10), (b"b", 11)] {
        write_now!(database, db => carried_forms::add(db, id, admin, "{}", at(expiry)));
    }
    assert_eq!(write_now!(database, db => carried_forms::remove_expired(db, at(10))), 1);
    assert!(read_now!(database, db => carried_forms::find(db, b"b", at(0))).is_some());
}

async fn a_form_needs_its_admin(database: Database) {
    let nobody = uuid(404);
    assert_refused!(database, Reference, db => carried_forms::add(db, b"id", nobody, "{}", at(10)));
}
