//! Two admins, one form: a stale save never overwrites, and nobody's typing is lost.

use ipack_storage::Database;
use ipack_testing::browser::Form;
use ipack_testing::world::{ANN, BEN, World, key, open};

on_both!(
    s40_a_stale_save_is_a_conflict_and_loses_neither,
    s40_a_page_from_before_somebody_elses_first_save,
    s40_a_save_through_the_api_in_between,
    s40_a_field_that_somebody_emptied_is_not_filled_silently,
    s40_a_page_without_a_draft_yet_is_stale_too,
    a_save_of_the_same_is_no_conflict,
    a_conflict_can_be_discarded,
    a_conflict_is_kept_while_one_goes_on_typing,
);

/// Ann and Ben open the form; Ben saves. Ann's form, as it was before.
async fn ben_saves(world: &World, change: impl Fn(Form) -> Form) -> (ipack_testing::browser::Browser, Form) {
    let (mut ann, mut ben) = (world.browser(ANN).await, world.browser(BEN).await);
    let (anns, bens) = (open(&mut ann).await.connector(), open(&mut ben).await.connector());
    let page = ben.press(&change(bens), "save").await;
    assert!(!page.has_button("discard"), "{}", page.text());
    (ann, anns)
}

async fn s40_a_stale_save_is_a_conflict_and_loses_neither(database: Database) {
    let world = World::new(database).await;
    world.api_save(&key(), r#"{"companyId":"old","clientId":"old"}"#, "old").await;
    let (mut ann, form) = ben_saves(&world, |form| form.content("client_id", "ben's")).await;
    let page = ann
        .press(&form.content("client_id", "ann's").content("base_url", "https://ann.example"), "save")
        .await;
    assert!(page.path.ends_with("#conflict"), "{}", page.path);
    page.assert_shows("Somebody else saved this connection");
    page.assert_shows(&format!("{BEN} saved it "));
    for value in ["ben's", "ann's", "https://ann.example", "Keep saved", "Use mine"] {
        page.assert_shows(value);
    }
    assert!(world.api_read(&key()).await.expect("saved").0.contains("ben's"));
    let form = page.connector();
    assert_eq!(form.value("content[client_id]"), "ann's", "the form still holds what she typed");
    assert!(
        !form.fields.iter().any(|(name, _)| name == "choices[company_id]"),
        "what is the same is not asked"
    );
    // It is still there after a refresh, and a plain save does not get past it.
    let page = ann.press(&open(&mut ann.clone()).await.connector(), "save").await;
    assert!(page.has_button("resolve"));
    assert!(world.api_read(&key()).await.expect("saved").0.contains("ben's"));
}

async fn s40_a_page_from_before_somebody_elses_first_save(database: Database) {
    let world = World::new(database).await;
    let (mut ann, form) = ben_saves(&world, |form| form.content("client_id", "ben's")).await;
    let page = ann.press(&form.content("client_id", "ann's"), "save").await;
    assert!(page.has_button("resolve"), "{}", page.text());
    assert_eq!(page.connector().value("choices[client_id]"), "mine");
    assert!(world.api_read(&key()).await.expect("saved").0.contains("ben's"));
    let page = ann.press(&page.connector(), "resolve").await;
    assert!(!page.has_button("resolve"));
    assert!(world.api_read(&key()).await.expect("saved").0.contains("ann's"));
}

async fn s40_a_save_through_the_api_in_between(database: Database) {
    let world = World::new(database).await;
    let mut ann = world.browser(ANN).await;
    let form = open(&mut ann).await.connector().content("client_id", "ann's");
    let kept = ann.press(&form, "keep").await.connector();
    world.api_save(&key(), r#"{"clientId":"api's","x":1}"#, "api's").await;
    let page = ann.press(&kept, "save").await;
    page.assert_shows("API token ci saved it ");
    let page = ann.press(&page.connector(), "resolve").await;
    assert!(!page.has_button("resolve"));
    let (details, client_id) = world.api_read(&key()).await.expect("saved");
    assert!(details.contains("ann's") && details.contains(r#""x":1"#), "{details}");
    assert_eq!(client_id, "ann's");
}

async fn s40_a_field_that_somebody_emptied_is_not_filled_silently(database: Database) {
    let world = World::new(database).await;
    let before = r#"{"companyId":"old","clientId":"c","authParams":{"a":"1"},"accessTokenParams":{"t":"1"}}"#;
    world.api_save(&key(), before, "c").await;
    let emptied = |form: Form| form.content("company_id", "").row("authorization", 0, "", "");
    let (mut ann, form) = ben_saves(&world, emptied).await;
    let form = form.content("company_id", "ann's").row("authorization", 0, "a", "ann's");
    let page = ann.press(&form, "save").await;
    assert!(page.has_button("resolve"), "{}", page.text());
    let form = page.connector();
    for part in ["company_id", "authorization"] {
        assert_eq!(form.value(&format!("choices[{part}]")), "mine");
    }
    let (details, _) = world.api_read(&key()).await.expect("saved");
    assert!(!details.contains("ann's"), "{details}");
}

async fn s40_a_page_without_a_draft_yet_is_stale_too(database: Database) {
    let world = World::new(database).await;
    world.api_save(&key(), r#"{"companyId":"old","clientId":"old"}"#, "old").await;
    let (mut ann, form) = ben_saves(&world, |form| form.content("client_id", "ben's")).await;
    // She typed into another field, so nothing of hers is against his.
    let page = ann.press(&form.content("company_id", "ann's"), "save").await;
    if page.has_button("resolve") {
        assert_eq!(page.connector().value("choices[client_id]"), "saved", "she never touched it");
        assert_eq!(page.connector().value("choices[company_id]"), "mine");
        ann.press(&page.connector(), "resolve").await;
    }
    let (details, _) = world.api_read(&key()).await.expect("saved");
    assert_eq!(details, r#"{"companyId":"ann's","clientId":"ben's"}"#);
    // And a form that she never touched at all changes nothing.
    let (mut ann, form) = ben_saves(&world, |form| form.content("client_id", "ben's second")).await;
    let page = ann.press(&form, "keep").await;
    assert!(!page.has_button("resolve") || page.connector().value("choices[client_id]") == "saved");
    ann.press(&form, "save").await;
    assert!(world.api_read(&key()).await.expect("saved").0.contains("ben's second"));
}

async fn a_save_of_the_same_is_no_conflict(database: Database) {
    let world = World::new(database).await;
    let (mut ann, form) = ben_saves(&world, |form| form.content("client_id", "the same")).await;
    let page = ann.press(&form.content("client_id", "the same"), "save").await;
    assert!(!page.has_button("resolve") && !page.has_button("discard"), "{}", page.text());
}

async fn a_conflict_can_be_discarded(database: Database) {
    let world = World::new(database).await;
    let (mut ann, form) = ben_saves(&world, |form| form.content("client_id", "ben's")).await;
    let page = ann.press(&form.content("client_id", "ann's"), "save").await;
    let page = ann.press(&page.connector(), "discard").await;
    assert!(!page.has_button("resolve"));
    assert_eq!(page.connector().value("content[client_id]"), "ben's");
}

async fn a_conflict_is_kept_while_one_goes_on_typing(database: Database) {
    let world = World::new(database).await;
    let (mut ann, form) = ben_saves(&world, |form| form.content("client_id", "ben's")).await;
    let page = ann.press(&form.content("client_id", "ann's"), "keep").await;
    assert!(page.has_button("resolve"), "it shows as soon as there is one");
    let page = ann.press(&page.connector().content("company_id", "typed"), "keep").await;
    assert!(page.has_button("resolve"));
    assert_eq!(page.connector().value("content[company_id]"), "typed");
    let page = ann.press(&page.connector(), "add-authorization").await;
    assert!(page.has_button("resolve"));
    assert_eq!(page.connector().rows("authorization").len(), 2);
}
