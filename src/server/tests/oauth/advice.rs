//! What a page says of a failure: the likely causes in order, each with the way to its field, and what the provider said
//! once. What is likely for which code is held by `ipack_oauth::causes`.

use ipack_storage::Database;
use ipack_testing::browser::{Browser, Page};
use ipack_testing::flow::{
    SECRET, and, begin, come_back, encrypt, filled, form, generate, get_token, press_generate,
    provider_field, set_up, token,
};
use ipack_testing::hostile::Reply;
use ipack_testing::provider::Provider;
use ipack_testing::tables::execute;
use ipack_testing::world::{ANN, World, key};
use serde_json::json;

on_both!(
    a_failed_exchange_leads_to_the_fields_that_may_be_wrong,
    a_refused_authorization_leads_to_its_field,
    a_known_provider_is_told_of_in_its_own_words,
    where_nobody_can_be_asked_it_leads_to_the_address,
    a_failed_refresh_is_said_once,
    a_master_key_that_is_missing_for_a_moment_passes,
    what_an_earlier_version_advised_is_shown,
);

async fn start(database: Database) -> (World, Provider, Browser) {
    let world = ipack_testing::flow::world(database).await;
    let provider = Provider::start().await;
    let browser = world.browser(ANN).await;
    (world, provider, browser)
}

/// Where the page leads to: fields of the form.
fn fields(page: &Page) -> Vec<String> {
    let elements = page.elements();
    let advice = elements
        .iter()
        .filter(|one| one.name == "a" && one.path.iter().any(|name| name == "ol" || name == "p"));
    let links =
        advice.filter_map(|link| link.attribute("href")).filter_map(|address| address.split_once('#'));
    links.map(|(_, id)| id.to_owned()).filter(|id| id != "main" && id != "token").collect()
}

fn times(page: &Page, words: &str) -> usize {
    page.text().matches(words).count()
}

async fn a_failed_exchange_leads_to_the_fields_that_may_be_wrong(database: Database) {
    let (_world, provider, mut browser) = start(database).await;
    let body = json!({"error": "invalid_client", "error_description": "No such shop"});
    provider.answers_next(Reply::json(401, &body));
    set_up(&mut browser, &key(), &provider).await;
    let page = generate(&mut browser, &key(), &provider).await;
    assert_eq!(
        fields(&page),
        ["client_secret", "client_id", "provider-clientAuthentication", "provider-withoutPkce"]
    );
    let ids: Vec<_> =
        page.elements().iter().filter_map(|one| one.attribute("id").map(str::to_owned)).collect();
    for field in fields(&page) {
        assert!(ids.contains(&field), "nothing on the form is called {field}");
    }
    assert_eq!(times(&page, "No such shop"), 2, "beside the button, and in the history: {}", page.text());
    // A grant that needs nobody has nothing to do with PKCE.
    let form =
        provider_field(filled(form(&mut browser, &key()).await, &provider), "grant", "client_credentials");
    encrypt(&mut browser, form, SECRET).await;
    provider.answers_next(Reply::json(401, &body));
    let page = press_generate(&mut browser, &key()).await;
    assert_eq!(fields(&page), ["client_secret", "client_id", "provider-clientAuthentication"]);
}

async fn a_refused_authorization_leads_to_its_field(database: Database) {
    let (_world, provider, mut browser) = start(database).await;
    set_up(&mut browser, &key(), &provider).await;
    for (error, expected) in [
        ("invalid_scope", &["provider-scopes"][..]),
        ("redirect_uri_mismatch", &["redirect-uri"]),
        ("unsupported_response_type", &["provider-grant"]),
        ("login_required", &["authorization-add"]),
        ("access_denied", &[]),
    ] {
        let began = begin(&mut browser, &key()).await;
        let page = come_back(&mut browser, &provider.refuse(&began.url, error, "Said but once")).await;
        assert_eq!(fields(&page), expected, "{error}");
        page.assert_shows(&format!("ERROR: {error}"));
        // In the history with its code.
        let in_history = times(&page, "(Said but once)");
        assert_eq!(times(&page, "Said but once"), 1 + in_history, "{error}: {}", page.text());
    }
    // The window of an attempt leads to the same fields, on the form.
    let windowed = and(form(&mut browser, &key()).await, "in_window", "true");
    let page = browser.press(&windowed, "generate").await;
    let url = page.header("refresh").and_then(|to| to.strip_prefix("0; url=")).expect("an address");
    let callback = provider.refuse(&url.parse().expect("a URL"), "invalid_scope", "");
    let page = come_back(&mut browser, &callback).await;
    assert!(page.links().contains(&format!("{}#provider-scopes", key().form_path())), "{:?}", page.links());
}

async fn a_known_provider_is_told_of_in_its_own_words(database: Database) {
    let (_world, provider, mut browser) = start(database).await;
    let form = filled(form(&mut browser, &key()).await, &provider);
    let form = provider_field(provider_field(form, "provider", "shopify"), "grant", "client_credentials");
    encrypt(&mut browser, form, SECRET).await;
    provider.answers_next(Reply::json(401, &json!({"error": "invalid_client"})));
    let page = press_generate(&mut browser, &key()).await;
    let preset = ipack_oauth::presets::find("shopify").expect("it is there");
    page.assert_shows(&format!("{} does not know this client", preset.name));
    let registration = preset.registration.as_ref().expect("it has a page");
    assert!(page.links().contains(&registration.page), "{:?}", page.links());
}

async fn where_nobody_can_be_asked_it_leads_to_the_address(database: Database) {
    let (_world, provider, mut browser) = start(database).await;
    let nothing_there = provider.at("/nothing");
    for (issuer, base_url, expected) in
        [("", "http://127.0.0.1:1", "base_url"), (&*nothing_there, "http://127.0.0.1:1", "provider-issuer")]
    {
        let filled = filled(form(&mut browser, &key()).await, &provider).content("base_url", base_url);
        encrypt(&mut browser, provider_field(filled, "issuer", issuer), SECRET).await;
        let page = press_generate(&mut browser, &key()).await;
        assert_eq!(fields(&page), [expected, "provider-provider"]);
    }
}

async fn a_failed_refresh_is_said_once(database: Database) {
    let (world, provider, mut browser) = start(database).await;
    get_token(&mut browser, &key(), &provider).await;
    for (error, state) in [("invalid_client", "Refresh failing"), ("invalid_grant", "Broken")] {
        world.advance(3_601);
        let body = json!({"error": error, "error_description": "Said but once"});
        provider.answers_next(Reply::json(400, &body));
        assert_eq!(world.services.refresh_due().await.expect("looked"), 0);
        let page = world.browser(ANN).await.get(&key().form_path()).await;
        assert_eq!(crate::states::state_in_header(&page), state);
        let said = format!("{error} (Said but once)");
        let in_history = told(&world).await.iter().filter(|detail| detail.contains(&said)).count();
        assert_eq!(times(&page, &said), 1 + in_history, "{}", page.text());
    }
}

async fn told(world: &World) -> Vec<String> {
    ipack_testing::flow::told(world, &key(), ipack_storage::audit_log::Kind::TokenFailed).await
}

async fn a_master_key_that_is_missing_for_a_moment_passes(database: Database) {
    let (world, provider, mut browser) = start(database).await;
    get_token(&mut browser, &key(), &provider).await;
    world.advance(3_301);
    // Sealed for another place, it does not open, as with another key.
    let swap = "UPDATE tokens SET refresh_token = access_token, access_token = refresh_token";
    execute(&world.database, swap).await;
    assert_eq!(world.services.refresh_due().await.expect("looked"), 0);
    let row = token(&world, &key()).await.expect("a token");
    let wait = row.refresh_at.expect("it is tried again").seconds() - world.services.clock.now().seconds();
    assert!(!row.is_broken && (14..=20).contains(&wait), "{wait}");
    assert_eq!(provider.token_calls().len(), 1, "nobody was asked with something else");
    execute(&world.database, swap).await;
    world.advance(wait + 1);
    assert_eq!(world.services.refresh_due().await.expect("looked"), 1);
}

async fn what_an_earlier_version_advised_is_shown(database: Database) {
    let (world, provider, mut browser) = start(database).await;
    set_up(&mut browser, &key(), &provider).await;
    let began = begin(&mut browser, &key()).await;
    come_back(&mut browser, &provider.refuse(&began.url, "access_denied", "")).await;
    execute(&world.database, "UPDATE attempts SET advice = 'Do as it was said then.'").await;
    browser.get(&key().form_path()).await.assert_shows("Do as it was said then.");
}
