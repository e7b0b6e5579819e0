//! Rows of the parameter tables, added and deleted by submit buttons.

use ipack_storage::Database;
use ipack_testing::world::{ANN, World, key, open};

on_both!(
    adding_keeps_what_was_typed_and_shows_one_row_more,
    deleting_takes_the_row_that_the_page_showed,
    deleting_the_last_row_leaves_a_blank_one,
    a_stale_tab_deletes_what_it_showed,
    blank_rows_vanish_on_save,
    a_dozen_rows_keep_their_order,
    a_row_that_is_not_there_is_not_deleted,
    line_breaks_from_the_api_survive_an_edit_beside_them,
);

async fn adding_keeps_what_was_typed_and_shows_one_row_more(database: Database) {
    let world = World::new(database).await;
    let mut browser = world.browser(ANN).await;
    let form =
        open(&mut browser).await.connector().content("client_id", "typed").row("access_token", 0, "a", "1");
    let page = browser.press(&form, "add-access-token").await;
    assert!(page.path.ends_with("#access-token-add"), "{}", page.path);
    assert_eq!(page.connector().rows("access_token"), ["a=1", "="]);
    assert_eq!(page.connector().value("content[client_id]"), "typed");
    let page = browser.press(&page.connector(), "add-access-token").await;
    assert_eq!(page.connector().rows("access_token"), ["a=1", "=", "="]);
    let page = browser.press(&page.connector(), "add-authorization").await;
    assert_eq!(page.connector().rows("authorization"), ["=", "="]);
    assert_eq!(open(&mut browser).await.connector().rows("access_token"), ["a=1", "=", "="]);
}

async fn deleting_takes_the_row_that_the_page_showed(database: Database) {
    let world = World::new(database).await;
    world.api_save(&key(), r#"{"authParams":{"a":"1","b":"2","c":"3"}}"#, "x").await;
    let mut browser = world.browser(ANN).await;
    let form = open(&mut browser).await.connector().row("authorization", 2, "c", "typed");
    let page = browser.press(&form, "delete-authorization-1").await;
    assert!(page.path.ends_with("#authorization-add"), "{}", page.path);
    assert_eq!(page.connector().rows("authorization"), ["a=1", "c=typed"]);
    for intent in ["delete-authorization-0", "delete-authorization-1"] {
        assert!(page.has_button(intent), "{intent}");
    }
    let page = browser.press(&page.connector(), "delete-authorization-0").await;
    assert_eq!(page.connector().rows("authorization"), ["c=typed"]);
    browser.press(&page.connector(), "save").await;
    assert!(world.api_read(&key()).await.expect("saved").0.contains(r#""authParams":{"c":"typed"}"#));
}

async fn deleting_the_last_row_leaves_a_blank_one(database: Database) {
    let world = World::new(database).await;
    world.api_save(&key(), r#"{"authParams":{"a":"1"}}"#, "x").await;
    let mut browser = world.browser(ANN).await;
    let form = open(&mut browser).await.connector();
    let page = browser.press(&form, "delete-authorization-0").await;
    assert_eq!(page.connector().rows("authorization"), ["="]);
    assert!(page.has_button("discard"), "that is a change");
    let page = browser.press(&page.connector(), "delete-authorization-0").await;
    assert_eq!(page.connector().rows("authorization"), ["="]);
    browser.press(&page.connector(), "save").await;
    assert!(world.api_read(&key()).await.expect("saved").0.contains(r#""authParams":{}"#));
}

async fn a_stale_tab_deletes_what_it_showed(database: Database) {
    let world = World::new(database).await;
    world.api_save(&key(), r#"{"authParams":{"a":"1","b":"2","c":"3"}}"#, "x").await;
    let mut browser = world.browser(ANN).await;
    let stale = open(&mut browser).await.connector();
    browser.press(&stale, "delete-authorization-0").await;
    // It still shows all three; the second of them is `b`, whatever the draft's second is by now.
    let page = browser.press(&stale, "delete-authorization-1").await;
    let rows = page.connector().rows("authorization");
    assert!(!rows.contains(&"b=2".to_owned()) && rows.contains(&"c=3".to_owned()), "{rows:?}");
}

async fn blank_rows_vanish_on_save(database: Database) {
    let world = World::new(database).await;
    let mut browser = world.browser(ANN).await;
    let mut page = open(&mut browser).await;
    for _ in 0..3 {
        page = browser.press(&page.connector(), "add-authorization").await;
    }
    assert_eq!(page.connector().rows("authorization").len(), 4);
    let form = page.connector().row("authorization", 1, " a ", " 1 ").row("authorization", 2, "  ", " ");
    let page = browser.press(&form.row("authorization", 3, "flag", ""), "save").await;
    assert_eq!(
        page.connector().rows("authorization"),
        ["a= 1 ", "flag="],
        "keys are trimmed, values are not"
    );
    assert!(world.api_read(&key()).await.expect("saved").0.contains(r#""authParams":{"a":" 1 ","flag":""}"#));
}

async fn a_dozen_rows_keep_their_order(database: Database) {
    let world = World::new(database).await;
    let inner: Vec<String> = (0..14).map(|row| format!(r#""k{row}":"{row}""#)).collect();
    world.api_save(&key(), &format!(r#"{{"authParams":{{{}}}}}"#, inner.join(",")), "x").await;
    let mut browser = world.browser(ANN).await;
    let form = open(&mut browser).await.connector().row("authorization", 13, "k13", "changed");
    let page = browser.press(&form, "add-authorization").await;
    let rows = page.connector().rows("authorization");
    let expected: Vec<String> = (0..13).map(|row| format!("k{row}={row}")).collect();
    assert_eq!(rows[..13], expected);
    assert_eq!(rows[13..], ["k13=changed", "="]);
}

async fn a_row_that_is_not_there_is_not_deleted(database: Database) {
    let world = World::new(database).await;
    world.api_save(&key(), r#"{"authParams":{"a":"1"}}"#, "x").await;
    let mut browser = world.browser(ANN).await;
    for index in ["1", "4294967295", "18446744073709551615"] {
        let form = open(&mut browser).await.connector();
        let page = browser.press(&form, &format!("delete-authorization-{index}")).await;
        assert_eq!(page.connector().rows("authorization"), ["a=1"], "{index}");
    }
}

async fn line_breaks_from_the_api_survive_an_edit_beside_them(database: Database) {
    let world = World::new(database).await;
    world.api_save(&key(), r#"{"authParams":{"long":"one\ntwo","b":"2","c":"3"}}"#, "x").await;
    let mut browser = world.browser(ANN).await;
    let form = open(&mut browser).await.connector();
    assert_eq!(form.rows("authorization")[0], "long=onetwo", "as an input shows it");
    let page = browser.press(&form.row("authorization", 1, "b", "typed"), "keep").await;
    let page = browser.press(&page.connector(), "delete-authorization-2").await;
    browser.press(&page.connector(), "save").await;
    let expected = r#"{"authParams":{"long":"one\ntwo","b":"typed"}}"#;
    assert_eq!(world.api_read(&key()).await.expect("saved").0, expected);
}
