//! Contract of `storage::accounts`: tenants and their Spaces.

use ipack_storage::{
    Database,
    accounts::{self, Space},
};
use ipack_testing::records::at;

on_both!(
    an_account_is_added_once,
    a_space_comes_back_as_it_was_added,
    a_guid_is_taken_once_over_all_accounts,
    a_space_needs_its_account,
);

async fn an_account_is_added_once(database: Database) {
    assert!(!read_now!(database, db => accounts::any(db)));
    assert!(!read_now!(database, db => accounts::exists(db, "a")));
    assert!(write_now!(database, db => accounts::ensure(db, "a", at(0))));
    assert!(!write_now!(database, db => accounts::ensure(db, "a", at(1))), "it is there already");
    assert!(read_now!(database, db => accounts::any(db)));
    assert!(read_now!(database, db => accounts::exists(db, "a")));
    assert!(!read_now!(database, db => accounts::exists(db, "A")), "ids are told apart by case");
}

fn space(guid: &str, account: &str, name: &str) -> Space {
    Space { guid: guid.to_owned(), account_id: account.to_owned(), name: name.to_owned() }
}

async fn a_space_comes_back_as_it_was_added(database: Database) {
    let added = space("796eeeb4-1b2f-4965-898a-7e443", "a", "Zürich 🏔 ‘main’");
    write_now!(database, db => accounts::ensure(db, "a", at(0)));
    write_now!(database, db => accounts::add_space(db, &added, at(0)));
    write_now!(database, db => accounts::add_space(db, &space("other", "a", "Other"), at(0)));
    assert_eq!(read_now!(database, db => accounts::find_space(db, &added.guid)), Some(added));
    assert_eq!(read_now!(database, db => accounts::find_space(db, "nowhere")), None);
}

async fn a_guid_is_taken_once_over_all_accounts(database: Database) {
    let first = space("g", "a", "First");
    write_now!(database, db => accounts::ensure(db, "a", at(0)));
    write_now!(database, db => accounts::ensure(db, "b", at(0)));
    write_now!(database, db => accounts::add_space(db, &first, at(0)));
    for account in ["a", "b"] {
        let second = space("g", account, "Second");
        assert_refused!(database, Exists, db => accounts::add_space(db, &second, at(1)));
    }
    assert_eq!(read_now!(database, db => accounts::find_space(db, "g")), Some(first));
}

async fn a_space_needs_its_account(database: Database) {
    let orphan = space("g", "nobody", "Orphan");
    assert_refused!(database, Reference, db => accounts::add_space(db, &orphan, at(0)));
    assert_eq!(read_now!(database, db => accounts::find_space(db, "g")), None);
}
