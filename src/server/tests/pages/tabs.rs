//! Several pages of one admin: each applies only what was changed on it.

use ipack_storage::Database;
use ipack_testing::world::{ANN, BEN, World, key, open};

on_both!(
    two_tabs_never_undo_each_others_fields,
    tabs_that_post_at_the_same_moment_lose_nothing,
    a_blank_row_that_another_tab_showed_undoes_nothing,
    the_same_field_in_two_tabs_holds_the_later,
    a_tab_from_before_a_discard_brings_back_only_its_own,
    a_save_in_one_tab_puts_both_tabs_typing_into_effect,
    s40_a_tab_older_than_the_draft_overwrites_nothing_silently,
    a_page_that_posts_no_base_loses_nothing_and_overwrites_nothing_silently,
    rows_that_two_tabs_added_stand_in_one_order,
);

async fn two_tabs_never_undo_each_others_fields(database: Database) {
    let world = World::new(database).await;
    world.api_save(&key(), r#"{"clientId":"c","authParams":{"a":"1"}}"#, "c").await;
    let mut browser = world.browser(ANN).await;
    let (one, two) = (open(&mut browser).await.connector(), open(&mut browser).await.connector());
    browser.press(&one.clone().content("base_url", "https://one.example"), "keep").await;
    browser.press(&two.clone().content("company_id", "two"), "keep").await;
    browser
        .press(&one.content("base_url", "https://one.example").row("authorization", 0, "a", "one"), "keep")
        .await;
    browser.press(&two.content("company_id", "two").row("access_token", 0, "t", "two"), "keep").await;
    let form = open(&mut browser).await.connector();
    assert_eq!(form.value("content[base_url]"), "https://one.example");
    assert_eq!((form.value("content[company_id]"), form.value("content[client_id]")), ("two", "c"));
    assert_eq!(form.rows("authorization"), ["a=one"]);
    assert_eq!(form.rows("access_token"), ["t=two"]);
}

async fn tabs_that_post_at_the_same_moment_lose_nothing(database: Database) {
    let world = World::new(database).await;
    let mut browser = world.browser(ANN).await;
    for round in 0..10 {
        let value = format!("https://{round}");
        let form = open(&mut browser).await.connector();
        let posts = ["base_url", "company_id", "client_id"].map(|part| {
            let (mut tab, form) = (browser.clone(), form.clone().content(part, &value));
            tokio::spawn(async move { tab.press_only(&form, "keep").await.status })
        });
        for post in posts {
            assert_eq!(post.await.expect("no panic"), 302);
        }
        let form = open(&mut browser).await.connector();
        for part in ["base_url", "company_id", "client_id"] {
            assert_eq!(form.value(&format!("content[{part}]")), value, "{part}");
        }
    }
}

async fn a_blank_row_that_another_tab_showed_undoes_nothing(database: Database) {
    let world = World::new(database).await;
    let mut browser = world.browser(ANN).await;
    let form = open(&mut browser).await.connector().content("company_id", "typed");
    let page = browser.press(&form, "add-authorization").await;
    assert_eq!(page.connector().rows("authorization"), ["=", "="]);
    let two = browser.press(&page.connector(), "delete-authorization-0").await.connector();
    assert_eq!(two.rows("authorization"), ["="]);
    let one = open(&mut browser).await.connector().row("authorization", 0, "k", "v");
    browser.press(&one, "keep").await;
    let page = browser.press(&two.content("base_url", "https://x"), "keep").await;
    assert_eq!(page.connector().rows("authorization"), ["k=v"]);
}

async fn the_same_field_in_two_tabs_holds_the_later(database: Database) {
    let world = World::new(database).await;
    let mut browser = world.browser(ANN).await;
    let (one, two) = (open(&mut browser).await.connector(), open(&mut browser).await.connector());
    browser.press(&one.content("client_id", "one"), "keep").await;
    let page = browser.press(&two.content("client_id", "two"), "keep").await;
    assert_eq!(page.connector().value("content[client_id]"), "two");
    assert!(!page.has_button("resolve"), "nobody else saved");
}

async fn a_tab_from_before_a_discard_brings_back_only_its_own(database: Database) {
    let world = World::new(database).await;
    let mut browser = world.browser(ANN).await;
    let first = open(&mut browser).await.connector().content("client_id", "discarded");
    let stale = browser.press(&first, "keep").await.connector();
    browser.press(&stale, "discard").await;
    let page = browser.press(&stale.content("company_id", "typed after"), "keep").await;
    let form = page.connector();
    assert_eq!((form.value("content[client_id]"), form.value("content[company_id]")), ("", "typed after"));
}

async fn a_save_in_one_tab_puts_both_tabs_typing_into_effect(database: Database) {
    let world = World::new(database).await;
    let mut browser = world.browser(ANN).await;
    let (one, two) = (open(&mut browser).await.connector(), open(&mut browser).await.connector());
    browser.press(&one.content("base_url", "https://one.example"), "keep").await;
    let page = browser.press(&two.content("client_id", "two"), "save").await;
    assert!(!page.has_button("discard"));
    let (details, _) = world.api_read(&key()).await.expect("saved");
    assert!(details.contains("https://one.example") && details.contains("two"), "{details}");
}

async fn s40_a_tab_older_than_the_draft_overwrites_nothing_silently(database: Database) {
    let world = World::new(database).await;
    world.api_save(&key(), r#"{"companyId":"old","clientId":"c"}"#, "c").await;
    let (mut ann, mut ben) = (world.browser(ANN).await, world.browser(BEN).await);
    let old_tab = open(&mut ann).await.connector();
    let form = open(&mut ben).await.connector().content("company_id", "ben's");
    ben.press(&form, "save").await;
    let new_tab = open(&mut ann).await.connector().content("base_url", "https://ann.example");
    ann.press(&new_tab, "keep").await;
    // The old tab never showed what Ben saved.
    let page = ann.press(&old_tab.content("company_id", "ann's"), "save").await;
    assert!(page.has_button("resolve"), "{}", page.text());
    assert!(world.api_read(&key()).await.expect("saved").0.contains("ben's"));
    let form = page.connector();
    assert_eq!(form.value("choices[company_id]"), "mine");
    assert_eq!(form.value("choices[base_url]"), "mine");
    let page = ann.press(&form.with("choices[company_id]", "saved"), "resolve").await;
    assert!(!page.has_button("resolve") && !page.has_button("discard"));
    let (details, _) = world.api_read(&key()).await.expect("saved");
    assert!(details.contains("ben's") && details.contains("https://ann.example"), "{details}");
}

/// A page that was open while the program was exchanged by a later one.
async fn a_page_that_posts_no_base_loses_nothing_and_overwrites_nothing_silently(database: Database) {
    let world = World::new(database).await;
    world.api_save(&key(), r#"{"companyId":"old","clientId":"c","authParams":{"a":"1"}}"#, "c").await;
    for base in [None, Some(""), Some("{"), Some(r#"{"content":{"provider":{"later":1}}}"#)] {
        let mut ann = world.browser(ANN).await;
        let mut form = open(&mut ann).await.connector();
        form.fields.retain(|(name, _)| name != "base");
        form.fields.push(("seen[client_id]".into(), "0123456789abcdef".into()));
        form.fields.extend(base.map(|base| ("base".into(), base.into())));
        let typed = form.content("company_id", "typed").row("authorization", 0, "a", "typed");
        let page = ann.press(&typed, "keep").await;
        let kept = page.connector();
        assert_eq!((kept.value("content[company_id]"), kept.value("content[client_id]")), ("typed", "c"));
        assert_eq!(kept.rows("authorization"), ["a=typed"]);
        // Posted again, as a page does that cannot read the answer.
        let page = ann.press(&typed, "save").await;
        assert!(page.has_button("resolve"), "{base:?}: {}", page.text());
        assert_eq!(page.connector().rows("authorization"), ["a=typed"]);
        let (details, _) = world.api_read(&key()).await.expect("saved");
        assert!(!details.contains("typed"), "{details}");
        ann.press(&page.connector(), "discard").await;
    }
}

async fn rows_that_two_tabs_added_stand_in_one_order(database: Database) {
    let world = World::new(database).await;
    world.api_save(&key(), r#"{"authParams":{"a":"1"}}"#, "c").await;
    let mut browser = world.browser(ANN).await;
    let page = open(&mut browser).await;
    let page = browser.press(&page.connector(), "add-authorization").await;
    let tab = |key: &str| page.connector().row("authorization", 1, key, "x");
    for order in [["d", "c"], ["c", "d"]] {
        for key in order {
            browser.press(&tab(key), "keep").await;
        }
        let form = open(&mut browser).await.connector();
        assert_eq!(form.rows("authorization"), ["a=1", "c=x", "d=x"]);
        browser.press(&form, "discard").await;
        let form = open(&mut browser).await.connector();
        browser.press(&form, "add-authorization").await;
    }
}
