//! What is typed is a draft that outlives the page, the session and the server's process, until it is saved or
//! discarded.

use ipack_domain::rights::Rights;
use ipack_server::config::Config;
use ipack_storage::Database;
use ipack_testing::world::{ANN, BEN, ROOT, World, in_environment, key, open};

on_both!(
    a_draft_outlives_page_session_and_server,
    a_draft_is_its_admins_alone,
    discarding_goes_back_to_what_is_saved,
    an_untouched_form_leaves_no_draft,
    typing_it_all_back_leaves_no_draft,
    a_refused_save_keeps_everything_and_says_what_is_wrong,
    other_environments_have_drafts_of_their_own,
    what_no_database_can_hold_is_left_out,
    a_draft_shows_in_the_lists,
    an_uninstalled_instance_takes_its_drafts_along,
);

async fn a_draft_outlives_page_session_and_server(database: Database) {
    let world = World::new(database).await;
    let mut browser = world.browser(ANN).await;
    let form = open(&mut browser).await.connector();
    let typed =
        form.content("base_url", "not finis").content("client_id", "  ü 🗝 ").row("authorization", 0, "k", "");
    let page = browser.press(&typed, "keep").await;
    page.assert_shows("Kept as your draft. Save puts it into effect.");
    assert!(!page.shows("things to put right") && !page.shows("thing to put right"), "nothing is judged yet");
    let holds = |page: &ipack_testing::browser::Page| {
        let form = page.connector();
        assert_eq!(form.value("content[base_url]"), "not finis");
        assert_eq!(form.value("content[client_id]"), "  ü 🗝 ");
        assert_eq!(form.rows("authorization"), ["k="]);
    };
    holds(&open(&mut browser).await);
    // Another session, after the first has ended.
    world.advance(43_200);
    holds(&open(&mut world.browser(ANN).await).await);
    // Another process over the same database.
    let router = world.another_router(Config::default());
    let mut elsewhere = ipack_testing::browser::Browser::new(router);
    elsewhere.sign_in(ANN, ipack_testing::world::PASSWORD).await;
    holds(&open(&mut elsewhere).await);
    assert_eq!(world.api_read(&key()).await, None, "nothing is in effect");
}

async fn a_draft_is_its_admins_alone(database: Database) {
    let world = World::new(database).await;
    let (mut ann, mut ben, mut root) =
        (world.browser(ANN).await, world.browser(BEN).await, world.browser(ROOT).await);
    let form = open(&mut ann).await.connector().content("client_id", "ann's");
    ann.press(&form, "keep").await;
    for other in [&mut ben, &mut root] {
        let page = open(other).await;
        assert_eq!(page.connector().value("content[client_id]"), "");
        assert!(!page.shows("Draft") && !page.has_button("discard"));
    }
    let form = open(&mut ben).await.connector().content("client_id", "ben's");
    ben.press(&form, "keep").await;
    assert_eq!(open(&mut ann).await.connector().value("content[client_id]"), "ann's");
}

async fn discarding_goes_back_to_what_is_saved(database: Database) {
    let world = World::new(database).await;
    world.api_save(&key(), r#"{"clientId":"saved","authParams":{"a":"1"}}"#, "saved").await;
    let mut browser = world.browser(ANN).await;
    let page = open(&mut browser).await;
    assert!(!page.has_button("discard"), "there is nothing to discard yet");
    let form = page.connector().content("client_id", "typed").row("authorization", 0, "b", "2");
    let page = browser.press(&form, "keep").await;
    assert!(page.has_button("discard"));
    let page = browser.press(&page.connector().content("company_id", "typed too"), "discard").await;
    let form = page.connector();
    assert_eq!((form.value("content[client_id]"), form.value("content[company_id]")), ("saved", ""));
    assert_eq!(form.rows("authorization"), ["a=1"]);
    assert!(!page.has_button("discard") && !page.shows("Draft"));
    assert_eq!(world.count("drafts").await, 0);
}

async fn an_untouched_form_leaves_no_draft(database: Database) {
    let world = World::new(database).await;
    let mut browser = world.browser(ANN).await;
    let odd = r#"{"clientId":" two\nlines\r\n","companyId":"nul\u0000","authParams":{"":"","k\n":"v\n"},"accessTokenParams":{"":""}}"#;
    for saved in [None, Some(r#"{"clientId":"saved","accessTokenParams":{"a":"1"}}"#), Some(odd)] {
        if let Some(details) = saved {
            world.api_save(&key(), details, "saved").await;
        }
        let page = open(&mut browser).await;
        if saved == Some(odd) {
            // What a browser makes of a NUL.
            let form = page.connector();
            let company = form.value("content[company_id]").replace('\0', "\u{FFFD}");
            browser.press(&form.content("company_id", &company), "keep").await;
        } else {
            browser.press(&page.connector(), "keep").await;
        }
        assert_eq!(world.count("drafts").await, 0, "{saved:?}");
    }
    // Neither does a save of it write anything.
    let page = open(&mut browser).await;
    let form = page.connector();
    let company = form.value("content[company_id]").replace('\0', "\u{FFFD}");
    browser
        .press(&form.content("company_id", &company).content("base_url", "https://new.example"), "save")
        .await;
    let (details, _) = world.api_read(&key()).await.expect("saved");
    assert!(details.contains(r#""companyId":"nul\u0000""#), "{details}");
    assert!(details.contains("https://new.example"), "{details}");
}

async fn typing_it_all_back_leaves_no_draft(database: Database) {
    let world = World::new(database).await;
    world.api_save(&key(), r#"{"clientId":"saved"}"#, "saved").await;
    let mut browser = world.browser(ANN).await;
    let form = open(&mut browser).await.connector().content("client_id", "typed");
    let page = browser.press(&form, "keep").await;
    let page = browser.press(&page.connector().content("client_id", "saved"), "keep").await;
    assert!(!page.has_button("discard"));
    let page = browser.press(&page.connector(), "add-authorization").await;
    let page = browser.press(&page.connector(), "delete-authorization-1").await;
    assert_eq!(page.connector().rows("authorization"), ["="], "an empty table shows one blank row");
    assert!(!page.has_button("discard"), "which is no change");
    assert_eq!(world.count("drafts").await, 0);
}

async fn a_refused_save_keeps_everything_and_says_what_is_wrong(database: Database) {
    let world = World::new(database).await;
    world.api_save(&key(), r#"{"authParams":{"a":"1","b":"2","c":"3"}}"#, "x").await;
    let mut browser = world.browser(ANN).await;
    let form = open(&mut browser).await.connector();
    let form = form
        .content("base_url", "ftp://x")
        .content("company_id", "kept")
        .row("authorization", 1, "a", "twice")
        .row("authorization", 2, "", "no key");
    let page = browser.press(&form, "save").await;
    assert!(page.path.ends_with("#errors"), "{}", page.path);
    for message in [
        "3 things to put right before saving",
        "Enter a URL that starts with https:// or http://",
        "This key stands twice in this table",
        "This value has no key",
    ] {
        page.assert_shows(message);
    }
    let kept = page.connector();
    assert_eq!((kept.value("content[base_url]"), kept.value("content[company_id]")), ("ftp://x", "kept"));
    assert_eq!(kept.rows("authorization"), ["a=1", "a=twice", "=no key"]);
    // Each message belongs to its field, and each line of the summary leads to one.
    let elements = page.elements();
    let ids: Vec<&str> = elements.iter().filter_map(|one| one.attribute("id")).collect();
    let invalid: Vec<_> = elements.iter().filter(|one| one.is("input", "aria-invalid", "true")).collect();
    assert_eq!(invalid.len(), 3);
    for input in invalid {
        let described = input.attribute("aria-describedby").expect("a description");
        assert!(described.split(' ').all(|id| ids.contains(&id)), "{described}");
    }
    let links: Vec<_> = page.links().into_iter().filter(|link| link.starts_with('#')).collect();
    assert!(links.iter().all(|link| ids.contains(&&link[1..])), "{links:?}");
    // Nothing is in effect, and the errors are still there after a refresh.
    assert_eq!(world.api_read(&key()).await.expect("saved").0, r#"{"authParams":{"a":"1","b":"2","c":"3"}}"#);
    open(&mut browser).await.assert_shows("This value has no key");
    let form = kept.content("base_url", "https://x").row("authorization", 1, "b", "2").row(
        "authorization",
        2,
        "",
        "",
    );
    let page = browser.press(&form, "save").await;
    assert!(!page.has_button("discard"), "{}", page.text());
}

async fn other_environments_have_drafts_of_their_own(database: Database) {
    let world = World::new(database).await;
    world.place("account-1", &in_environment("env-2")).await;
    let mut browser = world.browser(ANN).await;
    let form = open(&mut browser).await.connector().content("client_id", "first");
    browser.press(&form, "keep").await;
    let page = browser.get(&in_environment("env-2").form_path()).await;
    assert_eq!(page.connector().value("content[client_id]"), "");
}

async fn what_no_database_can_hold_is_left_out(database: Database) {
    let world = World::new(database).await;
    let mut browser = world.browser(ANN).await;
    let form = open(&mut browser).await.connector();
    let form = form
        .content("client_id", "a\0b")
        .row("access_token", 0, "k\0", "v\0")
        .content("base_url", "https://x\0");
    let page = browser.press(&form, "keep").await;
    assert_eq!(page.connector().value("content[client_id]"), "ab");
    let page = browser.press(&form, "save").await;
    assert_eq!(page.status, 200);
    let (details, client_id) = world.api_read(&key()).await.expect("saved");
    assert_eq!(client_id, "ab");
    assert!(details.contains(r#""k":"v""#), "{details}");
}

async fn a_draft_shows_in_the_lists(database: Database) {
    let world = World::new(database).await;
    let mut browser = world.browser(ANN).await;
    let lists = ["/".to_owned(), ipack_testing::world::instance_page()];
    for path in &lists {
        assert!(!browser.get(path).await.shows("Draft"), "{path}");
    }
    let form = open(&mut browser).await.connector().content("client_id", "typed");
    browser.press(&form, "keep").await;
    for path in &lists {
        browser.get(path).await.assert_shows("Draft");
        assert!(!world.browser(BEN).await.get(path).await.shows("Draft"), "{path}");
    }
}

async fn an_uninstalled_instance_takes_its_drafts_along(database: Database) {
    let world = World::new(database).await;
    let mut browser = world.browser(ANN).await;
    let form = open(&mut browser).await.connector().content("client_id", "typed");
    browser.press(&form, "keep").await;
    let client = ipack_core::access::Client {
        account: "account-1".into(),
        name: "c".into(),
        username: "c".into(),
        rights: Rights::all(),
    };
    world
        .services
        .uninstall(&client, Some(ipack_testing::world::SPACE), "instance-1")
        .await
        .expect("uninstalled");
    assert_eq!(world.count("drafts").await, 0);
    assert_eq!(browser.get(&key().form_path()).await.status, 404);
    // Without JavaScript the answer leads back to where the form was.
    assert_eq!(browser.press(&form, "save").await.status, 404);
}
