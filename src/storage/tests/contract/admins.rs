//! Contract of `storage::admins`: the people who sign in.

use ipack_storage::{
    Database, accounts,
    admins::{self, Admin},
};
use ipack_testing::records::{ACCOUNT, at, uuid};

on_both!(
    an_admin_is_found_by_email_and_by_id,
    an_email_is_taken_once,
    an_admin_of_an_account_needs_that_account,
    a_new_password_reaches_one_admin,
);

fn admin(number: u128, email: &str, account: Option<&str>) -> Admin {
    Admin {
        id: uuid(number),
        email: email.to_owned(),
        account_id: account.map(str::to_owned),
        password_hash: format!("$argon2id$v=19$m=19456,t=2,p=1$salt${number}"),
        password_changed_at: at(0),
    }
}

async fn an_admin_is_found_by_email_and_by_id(database: Database) {
    assert!(!read_now!(database, db => admins::any(db)));
    write_now!(database, db => accounts::ensure(db, ACCOUNT, at(0)));
    let of_all = admin(1, "all@example.com", None);
    let of_one = admin(2, "jürgen@example.com", Some(ACCOUNT));
    write_now!(database, db => admins::add(db, &of_all, at(5)));
    write_now!(database, db => admins::add(db, &of_one, at(5)));
    assert!(read_now!(database, db => admins::any(db)));
    for expected in [of_all, of_one] {
        assert_eq!(read_now!(database, db => admins::find(db, expected.id)), Some(expected.clone()));
        assert_eq!(read_now!(database, db => admins::find_by_email(db, &expected.email)), Some(expected));
    }
    assert_eq!(read_now!(database, db => admins::find(db, uuid(3))), None);
    assert_eq!(
        read_now!(database, db => admins::find_by_email(db, "ALL@example.com")),
        None,
        "kept in lower case"
    );
}

async fn an_email_is_taken_once(database: Database) {
    let first = admin(1, "a@example.com", None);
    write_now!(database, db => admins::add(db, &first, at(0)));
    assert_refused!(database, Exists, db => admins::add(db, &admin(2, "a@example.com", None), at(1)));
    assert_eq!(read_now!(database, db => admins::find_by_email(db, "a@example.com")), Some(first));
    assert_eq!(read_now!(database, db => admins::find(db, uuid(2))), None);
}

async fn an_admin_of_an_account_needs_that_account(database: Database) {
    assert_refused!(database, Reference, db => admins::add(db, &admin(1, "a@example.com", Some("nobody")), at(0)));
    assert!(!read_now!(database, db => admins::any(db)));
}

async fn a_new_password_reaches_one_admin(database: Database) {
    let (changing, staying) = (admin(1, "a@example.com", None), admin(2, "b@example.com", None));
    write_now!(database, db => admins::add(db, &changing, at(0)));
    write_now!(database, db => admins::add(db, &staying, at(0)));
    assert!(write_now!(database, db => admins::change_password(db, changing.id, "new hash", at(9))));
    let expected =
        Admin { password_hash: "new hash".to_owned(), password_changed_at: at(9), ..changing.clone() };
    assert_eq!(read_now!(database, db => admins::find(db, changing.id)), Some(expected));
    assert_eq!(read_now!(database, db => admins::find(db, staying.id)), Some(staying));
    assert!(!write_now!(database, db => admins::change_password(db, uuid(3), "new hash", at(9))), "nobody");
}
