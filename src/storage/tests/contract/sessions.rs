//! Contract of `storage::sessions`: signed-in browsers, and when they no longer are.

use ipack_domain::time::Timestamp;
use ipack_storage::{
    Database,
    sessions::{self, SessionRow},
};
use ipack_testing::records::{add_admin, at, uuid};

on_both!(
    a_session_comes_back_until_the_moment_it_expires,
    a_session_is_written_over_while_it_is_there,
    a_session_is_removed_alone,
    signing_an_admin_out_everywhere_leaves_the_others,
    housekeeping_removes_what_has_expired,
    a_session_needs_its_admin,
);

fn row(data: &str, expires_at: Timestamp) -> SessionRow {
    SessionRow { data: data.to_owned(), expires_at }
}

async fn a_session_comes_back_until_the_moment_it_expires(database: Database) {
    let id: Vec<u8> = (0..32).map(|byte| byte * 8).collect();
    let data = r#"{"admin":"ü 🗝","list":[1,2]}"#;
    write_now!(database, db => sessions::put(db, &id, None, data, at(10)));
    let mut last = at(10);
    last.0 -= 1;
    for now in [at(0), last] {
        assert_eq!(read_now!(database, db => sessions::find(db, &id, now)), Some(row(data, at(10))));
    }
    for now in [at(10), at(11)] {
        assert_eq!(read_now!(database, db => sessions::find(db, &id, now)), None);
    }
    assert_eq!(read_now!(database, db => sessions::find(db, &id[..31], at(0))), None);
}

async fn a_session_is_written_over_while_it_is_there(database: Database) {
    let admin = add_admin(&database, 1).await;
    assert!(!write_now!(database, db => sessions::replace(db, b"id", None, "{}", at(10))), "it is not there");
    assert_eq!(read_now!(database, db => sessions::find(db, b"id", at(0))), None);
    write_now!(database, db => sessions::put(db, b"id", None, "{}", at(10)));
    assert_refused!(database, Exists, db => sessions::put(db, b"id", None, "{}", at(10)));
    let data = r#"{"a":1}"#;
    assert!(write_now!(database, db => sessions::replace(db, b"id", Some(admin), data, at(20))));
    assert_eq!(read_now!(database, db => sessions::find(db, b"id", at(15))), Some(row(data, at(20))));
    assert_eq!(write_now!(database, db => sessions::remove_of_admin(db, admin)), 1, "it became the admin's");
    assert!(!write_now!(database, db => sessions::replace(db, b"id", Some(admin), data, at(20))), "it ended");
    assert_eq!(read_now!(database, db => sessions::find(db, b"id", at(15))), None);
    write_now!(database, db => sessions::put(db, b"id", Some(admin), "{}", at(20)));
    write_now!(database, db => sessions::replace(db, b"id", None, "{}", at(20)));
    assert_eq!(write_now!(database, db => sessions::remove_of_admin(db, admin)), 0, "it is nobody's again");
}

async fn a_session_is_removed_alone(database: Database) {
    for id in [b"one", b"two"] {
        write_now!(database, db => sessions::put(db, id, None, "{}", at(10)));
    }
    write_now!(database, db => sessions::remove(db, b"one"));
    write_now!(database, db => sessions::remove(db, b"one"));
    assert_eq!(read_now!(database, db => sessions::find(db, b"one", at(0))), None);
    assert_eq!(read_now!(database, db => sessions::find(db, b"two", at(0))), Some(row("{}", at(10))));
}

async fn signing_an_admin_out_everywhere_leaves_the_others(database: Database) {
    let (leaving, staying) = (add_admin(&database, 1).await, add_admin(&database, 2).await);
    for (id, admin) in [(b"1", Some(leaving)), (b"2", Some(staying)), (b"3", None), (b"4", Some(leaving))] {
        write_now!(database, db => sessions::put(db, id, admin, "{}", at(10)));
    }
    assert_eq!(write_now!(database, db => sessions::remove_of_admin(db, leaving)), 2);
    for (id, there) in [(b"1", false), (b"2", true), (b"3", true), (b"4", false)] {
        assert_eq!(read_now!(database, db => sessions::find(db, id, at(0))).is_some(), there, "{id:?}");
    }
}

async fn housekeeping_removes_what_has_expired(database: Database) {
    for (id, expires) in [(b"1", 9), (b"2", 10), (b"3", 11)] {
        write_now!(database, db => sessions::put(db, id, None, "{}", at(expires)));
    }
    assert_eq!(write_now!(database, db => sessions::remove_expired(db, at(10))), 2);
    assert_eq!(write_now!(database, db => sessions::remove_expired(db, at(10))), 0);
    for (id, there) in [(b"1", false), (b"2", false), (b"3", true)] {
        assert_eq!(read_now!(database, db => sessions::find(db, id, at(0))).is_some(), there, "{id:?}");
    }
}

async fn a_session_needs_its_admin(database: Database) {
    assert_refused!(database, Reference, db => sessions::put(db, b"id", Some(uuid(1)), "{}", at(10)));
    assert_eq!(read_now!(database, db => sessions::find(db, b"id", at(0))), None);
}
