//! Ending a conflict: each way for each field, and what happens when the choices are about something else by now.

use ipack_storage::Database;
use ipack_testing::browser::{Browser, Form, Page};
use ipack_testing::world::{ANN, BEN, World, key, open};

on_both!(
    every_field_can_go_either_way,
    all_saved_leaves_what_is_saved,
    choices_about_an_outdated_version_do_not_count,
    choices_of_a_page_that_did_not_show_the_draft_do_not_count,
    what_is_typed_beside_the_choices_is_saved_too,
    choices_that_do_not_validate_are_kept,
);

const SAVED: &str = r#"{"baseURL":"https://old","companyId":"old","clientId":"old","authParams":{"k":"old"},"accessTokenParams":{"k":"old"}}"#;
const PARTS: [&str; 5] = ["base_url", "company_id", "client_id", "authorization", "access_token"];

fn all(form: Form, who: &str) -> Form {
    form.content("base_url", &format!("https://{who}"))
        .content("company_id", who)
        .content("client_id", who)
        .row("authorization", 0, "k", who)
        .row("access_token", 0, "k", who)
}

/// Ben saved all fields after Ann had opened the form; her save of all fields shows the conflict.
async fn conflict(world: &World) -> (Browser, Page) {
    world.api_save(&key(), SAVED, "old").await;
    let (mut ann, mut ben) = (world.browser(ANN).await, world.browser(BEN).await);
    let form = open(&mut ann).await.connector();
    let bens = all(open(&mut ben).await.connector(), "ben");
    ben.press(&bens, "save").await;
    let page = ann.press(&all(form, "ann"), "save").await;
    assert!(page.has_button("resolve"), "{}", page.text());
    (ann, page)
}

async fn details(world: &World) -> String {
    world.api_read(&key()).await.expect("saved").0
}

async fn every_field_can_go_either_way(database: Database) {
    let world = World::new(database).await;
    for mine in 0..PARTS.len() {
        let (mut ann, page) = conflict(&world).await;
        let mut form = page.connector();
        for (index, part) in PARTS.into_iter().enumerate() {
            assert_eq!(form.value(&format!("choices[{part}]")), "mine", "{part}");
            let choice = if index == mine { "mine" } else { "saved" };
            form = form.with(&format!("choices[{part}]"), choice);
        }
        let page = ann.press(&form, "resolve").await;
        assert!(!page.has_button("resolve") && !page.has_button("discard"), "{}", page.text());
        let who = |index: usize| if index == mine { "ann" } else { "ben" };
        let expected = format!(
            r#"{{"baseURL":"https://{}","companyId":"{}","clientId":"{}","authParams":{{"k":"{}"}},"accessTokenParams":{{"k":"{}"}}}}"#,
            who(0),
            who(1),
            who(2),
            who(3),
            who(4)
        );
        assert_eq!(details(&world).await, expected);
    }
}

async fn all_saved_leaves_what_is_saved(database: Database) {
    let world = World::new(database).await;
    let (mut ann, page) = conflict(&world).await;
    let before = details(&world).await;
    let mut form = page.connector();
    for part in PARTS {
        form = form.with(&format!("choices[{part}]"), "saved");
    }
    let page = ann.press(&form, "resolve").await;
    assert!(!page.has_button("resolve") && !page.has_button("discard"));
    assert_eq!(details(&world).await, before);
    assert_eq!(world.count("drafts").await, 0);
}

async fn choices_about_an_outdated_version_do_not_count(database: Database) {
    let world = World::new(database).await;
    let (mut ann, page) = conflict(&world).await;
    let mut ben = world.browser(BEN).await;
    let form = open(&mut ben).await.connector().content("client_id", "ben again");
    ben.press(&form, "save").await;
    let page = ann.press(&page.connector(), "resolve").await;
    assert!(page.has_button("resolve"), "{}", page.text());
    page.assert_shows("ben again");
    assert!(details(&world).await.contains("ben again"));
    assert_eq!(page.connector().value("content[client_id]"), "ann", "nothing of hers is lost");
    ann.press(&page.connector(), "resolve").await;
    assert!(!details(&world).await.contains("ben"));
}

async fn choices_of_a_page_that_did_not_show_the_draft_do_not_count(database: Database) {
    let world = World::new(database).await;
    world.api_save(&key(), r#"{"companyId":"old","clientId":"old"}"#, "old").await;
    let (mut ann, mut ben) = (world.browser(ANN).await, world.browser(BEN).await);
    let form = open(&mut ann).await.connector();
    let bens = open(&mut ben).await.connector().content("client_id", "ben's");
    ben.press(&bens, "save").await;
    let panel = ann.press(&form.content("client_id", "ann's"), "save").await.connector();
    // In another tab she goes on; the panel of the first knows nothing of it.
    let other = open(&mut ann).await.connector().content("company_id", "typed elsewhere");
    ann.press(&other, "keep").await;
    let page = ann.press(&panel.with("choices[client_id]", "saved"), "resolve").await;
    assert_eq!(page.connector().value("content[company_id]"), "typed elsewhere");
    assert!(page.has_button("resolve"));
    let page = ann.press(&page.connector().with("choices[client_id]", "saved"), "resolve").await;
    assert!(!page.has_button("resolve"));
    assert_eq!(details(&world).await, r#"{"companyId":"typed elsewhere","clientId":"ben's"}"#);
}

async fn what_is_typed_beside_the_choices_is_saved_too(database: Database) {
    let world = World::new(database).await;
    world.api_save(&key(), r#"{"companyId":"old","clientId":"old"}"#, "old").await;
    let (mut ann, mut ben) = (world.browser(ANN).await, world.browser(BEN).await);
    let form = open(&mut ann).await.connector();
    let bens = open(&mut ben).await.connector().content("client_id", "ben's");
    ben.press(&bens, "save").await;
    let panel = ann.press(&form.content("client_id", "ann's"), "save").await.connector();
    let form = panel.with("choices[client_id]", "saved").content("company_id", "typed beside");
    let form = form.row("authorization", 0, "k", "typed beside");
    let page = ann.press(&form, "resolve").await;
    assert!(!page.has_button("resolve"), "{}", page.text());
    let expected = r#"{"companyId":"typed beside","clientId":"ben's","authParams":{"k":"typed beside"}}"#;
    assert_eq!(details(&world).await, expected);
}

async fn choices_that_do_not_validate_are_kept(database: Database) {
    let world = World::new(database).await;
    let (mut ann, page) = conflict(&world).await;
    let form = page.connector().content("base_url", "ftp://wrong").with("choices[company_id]", "saved");
    let page = ann.press(&form, "resolve").await;
    page.assert_shows("Enter a URL that starts with https:// or http://");
    let form = page.connector();
    assert_eq!(form.value("content[base_url]"), "ftp://wrong");
    assert_eq!((form.value("content[client_id]"), form.value("content[company_id]")), ("ann", "ben"));
    let page = ann.press(&form.content("base_url", "https://right"), "save").await;
    assert!(!page.has_button("discard"), "the choices are made: {}", page.text());
    assert!(
        details(&world).await.starts_with(r#"{"baseURL":"https://right","companyId":"ben","clientId":"ann""#)
    );
}
