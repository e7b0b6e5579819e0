//! Without JavaScript, a session that ended while the form was open: what was typed goes through signing in.

use ipack_server::config::Config;
use ipack_storage::Database;
use ipack_testing::browser::{Browser, Form};
use ipack_testing::world::{ANN, BEN, EVE, PASSWORD, World, key, open};

on_both!(
    what_was_typed_is_the_draft_after_signing_in,
    it_survives_a_wrong_password,
    a_row_that_was_added_or_deleted_is_there_too,
    nothing_is_put_into_effect_by_signing_in,
    carried_by_somebody_elses_admin_it_is_nothing,
    a_colleague_gets_it_as_their_own_draft,
    only_changes_are_carried_over_what_is_kept,
    a_long_form_of_long_characters_can_be_carried,
    s36_carrying_is_no_way_around_the_door,
    a_large_form_waits_in_the_database,
    no_secret_waits_with_it,
    so_many_forms_of_an_admin_wait,
    a_stranger_leaves_nothing_to_wait,
    beyond_the_limit_is_413,
);

/// Types into the form, loses the session, presses the button: the sign-in page that comes back.
async fn lose_session(world: &World, browser: &mut Browser, form: &Form, intent: &str) -> Form {
    world.advance(1_800);
    let page = browser.press(form, intent).await;
    assert_eq!(page.status, 401);
    page.assert_shows("Your session ended. Sign in to go on; what you typed is kept.");
    page.form("/login")
}

async fn what_was_typed_is_the_draft_after_signing_in(database: Database) {
    let world = World::new(database).await;
    let mut browser = world.browser(ANN).await;
    let odd = "ü 🗝 & = + % \" ' < >\u{2028}";
    let form =
        open(&mut browser).await.connector().content("client_id", odd).row("access_token", 0, odd, "v");
    let login = lose_session(&world, &mut browser, &form, "save").await;
    let page = browser.press(&login.with("email", ANN).with("password", PASSWORD), "").await;
    assert_eq!(page.path, key().form_path());
    let form = page.connector();
    assert_eq!(form.value("content[client_id]"), odd);
    assert_eq!(form.rows("access_token"), [format!("{odd}=v")]);
    assert!(page.has_button("discard"));
}

async fn it_survives_a_wrong_password(database: Database) {
    let world = World::new(database).await;
    let mut browser = world.browser(ANN).await;
    let form = open(&mut browser).await.connector().content("client_id", "typed");
    let mut login = lose_session(&world, &mut browser, &form, "keep").await;
    for _ in 0..10 {
        let page = browser.press(&login.with("email", ANN).with("password", "wrong"), "").await;
        assert_eq!(page.status, 401);
        login = page.form("/login");
    }
    let page = browser.press(&login.with("email", ANN).with("password", PASSWORD), "").await;
    assert_eq!(page.status, 429, "too many, and still kept");
    world.advance(60);
    let page = browser.press(&page.form("/login").with("password", PASSWORD), "").await;
    assert_eq!(page.connector().value("content[client_id]"), "typed");
}

async fn a_row_that_was_added_or_deleted_is_there_too(database: Database) {
    let world = World::new(database).await;
    world.api_save(&key(), r#"{"authParams":{"a":"1","b":"2"}}"#, "c").await;
    let mut browser = world.browser(ANN).await;
    let form = open(&mut browser).await.connector().row("access_token", 0, "t", "typed");
    let login = lose_session(&world, &mut browser, &form, "add-access-token").await;
    let page = browser.press(&login.with("email", ANN).with("password", PASSWORD), "").await;
    assert_eq!(page.connector().rows("access_token"), ["t=typed", "="]);
    let login = lose_session(&world, &mut browser, &page.connector(), "delete-authorization-0").await;
    let page = browser.press(&login.with("email", ANN).with("password", PASSWORD), "").await;
    assert_eq!(page.connector().rows("authorization"), ["b=2"]);
    assert_eq!(page.connector().rows("access_token"), ["t=typed", "="]);
}

async fn nothing_is_put_into_effect_by_signing_in(database: Database) {
    let world = World::new(database).await;
    world.api_save(&key(), r#"{"clientId":"saved"}"#, "saved").await;
    for intent in ["save", "discard", "resolve", "nonsense"] {
        let mut browser = world.browser(ANN).await;
        let form = open(&mut browser).await.connector().content("client_id", intent);
        let login = lose_session(&world, &mut browser, &form, intent).await;
        let page = browser.press(&login.with("email", ANN).with("password", PASSWORD), "").await;
        assert_eq!(page.connector().value("content[client_id]"), intent);
        assert_eq!(world.api_read(&key()).await.expect("saved").1, "saved", "{intent}");
    }
}

async fn carried_by_somebody_elses_admin_it_is_nothing(database: Database) {
    let world = World::new(database).await;
    let mut browser = world.browser(ANN).await;
    let form = open(&mut browser).await.connector().content("client_id", "ann's");
    let login = lose_session(&world, &mut browser, &form, "save").await;
    let page = browser.press(&login.with("email", EVE).with("password", PASSWORD), "").await;
    assert_eq!((page.status.as_u16(), page.path.clone()), (404, key().form_path()));
    assert!(!page.text().contains("ann's"));
    assert_eq!(world.count("drafts").await, 0);
}

async fn a_colleague_gets_it_as_their_own_draft(database: Database) {
    let world = World::new(database).await;
    let mut browser = world.browser(ANN).await;
    let form = open(&mut browser).await.connector().content("client_id", "typed");
    let login = lose_session(&world, &mut browser, &form, "save").await;
    let page = browser.press(&login.with("email", BEN).with("password", PASSWORD), "").await;
    assert_eq!(page.connector().value("content[client_id]"), "typed");
    assert_eq!(open(&mut world.browser(ANN).await).await.connector().value("content[client_id]"), "");
}

async fn only_changes_are_carried_over_what_is_kept(database: Database) {
    let world = World::new(database).await;
    let mut browser = world.browser(ANN).await;
    let (one, two) = (open(&mut browser).await.connector(), open(&mut browser).await.connector());
    browser.press(&one.content("base_url", "https://kept.example"), "keep").await;
    let login = lose_session(&world, &mut browser, &two.content("client_id", "carried"), "save").await;
    let page = browser.press(&login.with("email", ANN).with("password", PASSWORD), "").await;
    let form = page.connector();
    assert_eq!(form.value("content[base_url]"), "https://kept.example");
    assert_eq!(form.value("content[client_id]"), "carried");
}

async fn a_long_form_of_long_characters_can_be_carried(database: Database) {
    let world =
        World::builder(database).config(Config { body_limit: 20_000, ..Config::default() }).build().await;
    let mut browser = world.browser(ANN).await;
    // As much as the API would take, in characters that a form escapes threefold and a form in a form fivefold.
    for (character, count) in [("漢", 6_000), ("%", 18_000), ("\"", 18_000)] {
        let long = character.repeat(count);
        let form = open(&mut browser).await.connector().content("company_id", &long);
        let login = lose_session(&world, &mut browser, &form, "save").await;
        let page = browser.press(&login.with("email", ANN).with("password", PASSWORD), "").await;
        assert_eq!(page.status, 200, "{character}");
        assert_eq!(page.connector().value("content[company_id]"), long);
    }
}

const LARGE: usize = 40_000;

async fn a_large_form_waits_in_the_database(database: Database) {
    let world = World::new(database).await;
    let mut browser = world.browser(ANN).await;
    let long = "ü".repeat(LARGE);
    let form =
        open(&mut browser).await.connector().content("company_id", &long).content("client_id", "typed");
    let login = lose_session(&world, &mut browser, &form, "add-authorization").await;
    assert!(login.value("carried").len() < 100, "{}", login.value("carried"));
    let wrong = browser.press(&login.with("email", ANN).with("password", "wrong"), "").await;
    assert_eq!(wrong.status, 401);
    let login = wrong.form("/login");
    let page = browser.press(&login.clone().with("email", BEN).with("password", PASSWORD), "").await;
    let form = page.connector();
    assert_eq!((form.value("content[company_id]"), form.value("content[client_id]")), (&*long, "typed"));
    assert_eq!(form.rows("authorization").len(), 2, "what the button did to it, too");
    assert_eq!(world.count("carried_forms").await, 0);
    // The page's form once more: there is nothing left to keep, and somebody signs in.
    let page = browser.press(&login.with("email", ANN).with("password", PASSWORD), "").await;
    assert_eq!((page.status.as_u16(), page.connector().value("content[client_id]")), (200, ""));
}

async fn no_secret_waits_with_it(database: Database) {
    let world = World::new(database).await;
    let mut browser = world.browser(ANN).await;
    let form = open(&mut browser).await.connector().content("company_id", &"x".repeat(LARGE));
    let form = form.row("authorization", 0, "client_secret", "canary").with("client_secret", "canary");
    world.advance(1_800);
    let page = browser.press(&form, "save").await;
    page.assert_shows("Your session ended. Sign in to go on; what you typed is kept, but for the secret.");
    assert_eq!(world.count("carried_forms").await, 1);
    assert_eq!(world.count("carried_forms WHERE form LIKE '%canary%'").await, 0);
}

async fn so_many_forms_of_an_admin_wait(database: Database) {
    let world = World::new(database).await;
    let mut browser = world.browser(ANN).await;
    let form = open(&mut browser).await.connector().content("company_id", &"x".repeat(LARGE));
    for _ in 0..10 {
        world.advance(1_800);
        browser.press(&form, "save").await;
    }
    assert_eq!(world.count("carried_forms").await, 8);
    world.advance(7 * 24 * 3_600);
    world.services.tidy().await.expect("tidied");
    assert_eq!(world.count("carried_forms").await, 0);
}

async fn a_stranger_leaves_nothing_to_wait(database: Database) {
    let world = World::new(database).await;
    let mut browser = world.browser(ANN).await;
    let form = open(&mut browser).await.connector();
    let mut stranger = world.stranger();
    for cookie in ["", "x", "a.b.c"] {
        stranger.cookies.insert("ipack_browser".into(), cookie.into());
        let large = form.clone().content("company_id", &"x".repeat(LARGE));
        assert_eq!(stranger.press(&large, "save").await.status, 413, "{cookie:?}");
        // What is small costs nothing, whoever posts it.
        let page = stranger.press(&form, "save").await;
        assert_eq!(page.status, 401);
        page.form("/login").value("carried");
    }
    assert_eq!(world.count("carried_forms").await, 0);
}

async fn s36_carrying_is_no_way_around_the_door(database: Database) {
    let world = World::new(database).await;
    let before = world.footprint().await;
    let mut stranger = world.stranger();
    let login = stranger.get("/login").await.form("/login");
    let carried = "key[space]=space-1&key[instance]=instance-1&key[environment]=env-1&key[process]=process-1\
                   &key[connection]=connection-1&intent=save&content[client_id]=planted";
    let mut form = login.with("email", ANN).with("password", "wrong");
    form.fields.push(("carried".into(), carried.into()));
    assert_eq!(stranger.press(&form, "").await.status, 401);
    assert_eq!(world.count("drafts").await, 0);
    for junk in [
        "key=1",
        "&&&",
        "key[space]=a",
        "%00=%00",
        "key[space]=%00&key[instance]=..&key[environment]=&key[process]=&key[connection]=",
    ] {
        let mut browser = world.stranger();
        let mut form =
            browser.get("/login").await.form("/login").with("email", ANN).with("password", PASSWORD);
        form.fields.push(("carried".into(), junk.into()));
        let page = browser.press(&form, "").await;
        assert_eq!((page.status.as_u16(), page.path.as_str()), (200, "/"), "{junk}");
    }
    assert_eq!(world.footprint().await[..3], before[..3]);
}

async fn beyond_the_limit_is_413(database: Database) {
    let world =
        World::builder(database).config(Config { body_limit: 5_000, ..Config::default() }).build().await;
    let mut browser = world.browser(ANN).await;
    let long = "x".repeat(60_000);
    let form = open(&mut browser).await.connector().content("company_id", &long);
    let page = browser.press(&form, "save").await;
    assert_eq!(page.status, 413);
    page.assert_shows("The form is too large to be kept.");
    let mut stranger = world.stranger();
    assert_eq!(stranger.press(&form, "save").await.status, 413, "without a session too");
    let login = stranger.get("/login").await.form("/login").with("email", &long.repeat(3));
    assert_eq!(stranger.press(&login, "").await.status, 413);
    let request = ipack_testing::browser::call(axum::http::Method::POST, "/api/connector");
    let body = ipack_testing::browser::encode(&form.fields);
    let page = browser.send(request.body(axum::body::Body::from(body)).expect("a request")).await;
    assert_eq!(page.status, 413);
    assert!(page.text().contains("BAD_USER_INPUT"), "{}", page.text());
    assert_eq!(world.count("drafts").await, 0);
}
