//! Contract of `overview::instances` as a search: a part of the instance's or the pack's name, in any case of any
//! alphabet, and no character with a meaning of its own.
//!
//! What a search must find is a line of `searches_find_what_they_say`.

use ipack_storage::{
    Database,
    instances::{self, NewInstance},
    overview::{self, After},
};
use ipack_testing::records::{ACCOUNT, SPACE, add_instance, add_space, at, new_instance};

on_both!(
    searches_find_what_they_say,
    a_search_is_paged_and_kept_to_its_account,
    any_text_can_be_searched_for
);

/// The ids found, in order of the names.
async fn found(database: &Database, account: Option<&str>, search: &str) -> Vec<String> {
    let all = read_now!(database, db => overview::instances(db, account, search, &After::default(), 1_000));
    all.into_iter().map(|instance| instance.id).collect()
}

async fn searches_find_what_they_say(database: Database) {
    add_space(&database, ACCOUNT, SPACE).await;
    let names = [
        ("percent", "100% done"),
        ("number", "1000 done"),
        ("underscore", "a_b"),
        ("letter", "axb"),
        ("backslash", r"back\slash"),
        ("forward", "back/slash"),
        ("both", r"odd \% end"),
        ("umlaut", "Zürich Ärger"),
        ("cyrillic", "Заказы"),
        ("greek", "Έργο"),
        ("astral", "Deseret 𐐀 😀"),
        ("quote", "It's; --"),
        ("blanks", "two  blanks"),
    ];
    for (id, name) in names {
        add_instance(&database, SPACE, id, name).await;
    }
    let packed = NewInstance { pack_name: "Großes PAKET", ..new_instance(SPACE, "packed", "Plain") };
    write_now!(database, db => instances::add(db, packed, at(0)));
    let searches: &[(&str, &[&str])] = &[
        ("100", &["percent", "number"]),
        ("100%", &["percent"]),
        ("%", &["percent", "both"]),
        ("100% ", &["percent"]),
        ("%done", &[]),
        ("a_b", &["underscore"]),
        ("_", &["underscore"]),
        ("A_B", &["underscore"]),
        (r"\", &["backslash", "both"]),
        (r"back\slash", &["backslash"]),
        (r"\%", &["both"]),
        (r"\\", &[]),
        (r"\_", &[]),
        ("DONE", &["percent", "number"]),
        ("zürich", &["umlaut"]),
        ("ZÜRICH ÄR", &["umlaut"]),
        ("zurich", &[]),
        ("ЗАКАЗ", &["cyrillic"]),
        ("ΈΡΓ", &["greek"]),
        ("𐐨", &["astral"]),
        ("😀", &["astral"]),
        ("it's; --", &["quote"]),
        ("two  b", &["blanks"]),
        ("two b", &[]),
        ("  Zürich\t", &["umlaut"]),
        ("großes paket", &["packed"]),
        ("plain", &["packed"]),
        ("nothing of the kind", &[]),
    ];
    for (search, expected) in searches {
        let mut expected: Vec<_> = expected.iter().map(|id| (*id).to_owned()).collect();
        expected.sort();
        for account in [None, Some(ACCOUNT)] {
            let mut found = found(&database, account, search).await;
            found.sort();
            assert_eq!(found, expected, "{search:?} {account:?}");
        }
    }
    for search in ["", "   "] {
        assert_eq!(found(&database, None, search).await.len(), names.len() + 1, "{search:?}");
    }
}

async fn a_search_is_paged_and_kept_to_its_account(database: Database) {
    add_space(&database, ACCOUNT, SPACE).await;
    add_space(&database, "account-2", "space-2").await;
    for number in 0..9 {
        let name = if number % 2 == 0 { format!("Even {number}") } else { format!("Odd {number}") };
        add_instance(&database, SPACE, &format!("{number}"), &name).await;
    }
    let elsewhere = NewInstance { account: "account-2", ..new_instance("space-2", "two's", "Even more") };
    write_now!(database, db => instances::add(db, elsewhere, at(0)));
    for (account, expected) in [
        (Some(ACCOUNT), &["0", "2", "4", "6", "8"][..]),
        (Some("account-2"), &["two's"]),
        (None, &["0", "2", "4", "6", "8", "two's"]),
    ] {
        let (mut seen, mut after) = (Vec::new(), After::default());
        loop {
            let page = read_now!(database, db => overview::instances(db, account, "even", &after, 2));
            let Some(last) = page.last().cloned() else { break };
            after = After { name: last.name, space: last.space_guid, id: last.id };
            seen.extend(page.into_iter().map(|instance| instance.id));
            assert!(seen.len() <= expected.len(), "again and again: {seen:?}");
        }
        assert_eq!(seen, expected, "{account:?}");
    }
}

async fn any_text_can_be_searched_for(database: Database) {
    add_space(&database, ACCOUNT, SPACE).await;
    add_instance(&database, SPACE, "1", "Name").await;
    // PostgreSQL takes no NUL in a text; SQLite no pattern of more than 50,000 bytes.
    for search in
        ["na\0me".to_owned(), "%".repeat(60_000), "é".repeat(60_000), "\u{202e}\u{1}\n\r".to_owned()]
    {
        for account in [None, Some(ACCOUNT)] {
            assert_eq!(found(&database, account, &search).await, [""; 0], "{:.20?}", search);
        }
    }
}
