//! Contract of `storage::accounts`: tenants and their Spaces.

use ipack_storage::{
    Database,
    accounts::{self, Space},
    packs::{self, InstallationType, Pack},
};
use ipack_testing::records::{ACCOUNT, add_instance, add_space, at};

on_both!(
    an_account_is_added_once,
    a_space_comes_back_as_it_was_added,
    a_guid_is_taken_once_over_all_accounts,
    a_space_needs_its_account,
    spaces_are_paged_and_found_by_what_they_have,
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
    let (guid, account_id, name) = (guid.to_owned(), account.to_owned(), name.to_owned());
    Space { guid, account_id, name, created_at: at(5) }
}

async fn a_space_comes_back_as_it_was_added(database: Database) {
    let added = space("796eeeb4-1b2f-4965-898a-7e443", "a", "Zürich 🏔 ‘main’");
    write_now!(database, db => accounts::ensure(db, "a", at(0)));
    write_now!(database, db => accounts::add_space(db, &added));
    write_now!(database, db => accounts::add_space(db, &space("other", "a", "Other")));
    assert_eq!(read_now!(database, db => accounts::find_space(db, &added.guid)), Some(added));
    assert_eq!(read_now!(database, db => accounts::find_space(db, "nowhere")), None);
}

async fn a_guid_is_taken_once_over_all_accounts(database: Database) {
    let first = space("g", "a", "First");
    write_now!(database, db => accounts::ensure(db, "a", at(0)));
    write_now!(database, db => accounts::ensure(db, "b", at(0)));
    write_now!(database, db => accounts::add_space(db, &first));
    for account in ["a", "b"] {
        let second = space("g", account, "Second");
        assert_refused!(database, Exists, db => accounts::add_space(db, &second));
    }
    assert_eq!(read_now!(database, db => accounts::find_space(db, "g")), Some(first));
}

async fn a_space_needs_its_account(database: Database) {
    let orphan = space("g", "nobody", "Orphan");
    assert_refused!(database, Reference, db => accounts::add_space(db, &orphan));
    assert_eq!(read_now!(database, db => accounts::find_space(db, "g")), None);
}

async fn spaces_are_paged_and_found_by_what_they_have(database: Database) {
    for (account, guid) in [(ACCOUNT, "s-2"), (ACCOUNT, "s-3"), (ACCOUNT, "s-1"), ("account-2", "s-4")] {
        add_space(&database, account, guid).await;
    }
    let guids = |spaces: Vec<Space>| spaces.into_iter().map(|space| space.guid).collect::<Vec<_>>();
    for (after, limit, expected) in
        [("", 10, &["s-1", "s-2", "s-3"][..]), ("", 2, &["s-1", "s-2"]), ("s-2", 2, &["s-3"])]
    {
        let page = read_now!(database, db => accounts::spaces(db, ACCOUNT, after, limit));
        assert_eq!(guids(page), expected, "{after} {limit}");
    }
    let with_pack =
        async || guids(read_now!(database, db => accounts::spaces_with_pack(db, ACCOUNT, "pack")));
    let with_instance =
        async || guids(read_now!(database, db => accounts::spaces_with_instance(db, ACCOUNT, "i")));
    let (description, installation_type) = (String::new(), InstallationType::Single);
    let pack = Pack { id: "pack".to_owned(), name: "Pack".to_owned(), description, installation_type };
    for (guid, expected) in
        [("s-4", &[][..]), ("s-2", &["s-2"]), ("s-1", &["s-1", "s-2"]), ("s-3", &["s-1", "s-2"])]
    {
        write_now!(database, db => packs::put(db, guid, &pack, at(0)));
        add_instance(&database, guid, "i", "Instance").await;
        assert_eq!(with_pack().await, expected, "{guid}");
        assert_eq!(with_instance().await, expected, "{guid}");
    }
}
