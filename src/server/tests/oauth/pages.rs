//! What a browser gets to see on the way: strangers' texts as text, answers that nobody stores, and addresses of this
//! site alone.

use axum::body::Body;
use ipack_storage::{Database, audit_log::Kind};
use ipack_testing::browser::{Browser, Page, get};
use ipack_testing::flow::{and, begin, come_back, form, generate, set_up, told};
use ipack_testing::hostile::Reply;
use ipack_testing::provider::Provider;
use ipack_testing::world::{ANN, World, key};
use serde_json::json;

on_both!(
    s14_html_of_the_provider_is_shown_as_capped_text,
    s14_html_of_the_token_endpoint_is_shown_as_capped_text,
    s15_pages_of_the_way_are_stored_nowhere_and_name_nobody,
    s16_browsers_are_sent_to_this_site_alone_and_input_is_not_echoed,
    the_messages_come_in_their_order_and_stay,
    a_window_is_told_that_it_can_be_closed,
);

const MARKUP: &str = "<script>alert(1)</script><img src=x onerror=alert(2)>\u{202e}\u{7}";

async fn start(database: Database) -> (World, Provider, Browser) {
    let world = ipack_testing::flow::world(database).await;
    let provider = Provider::start().await;
    let mut browser = world.browser(ANN).await;
    set_up(&mut browser, &key(), &provider).await;
    (world, provider, browser)
}

fn long_markup() -> String {
    format!("{MARKUP}{}", "long ".repeat(1_000))
}

/// The markup is on the page, as text, with nothing after the cap. The parser finds elements that slipped out.
#[track_caller]
fn assert_tame(page: &Page) {
    page.assert_shows("<script>alert(1)</script><img src=x onerror=alert(2)>");
    let alive = |one: &ipack_testing::html::Element| {
        (one.name == "script" && one.text.contains("alert(")) || one.attribute("onerror").is_some()
    };
    assert!(!page.elements().iter().any(alive), "{}", page.text());
    assert!(!page.text().contains(['\u{202e}', '\u{7}']) && !page.text().contains(&"long ".repeat(80)));
}

async fn s14_html_of_the_provider_is_shown_as_capped_text(database: Database) {
    let (world, provider, mut browser) = start(database).await;
    let began = begin(&mut browser, &key()).await;
    let page = come_back(&mut browser, &provider.refuse(&began.url, "access_denied", &long_markup())).await;
    page.assert_shows(
        "Error attempting to retrieve OAuth Access token. Authorization Code not received. ERROR: access_denied",
    );
    assert_tame(&page);
    let failed = told(&world, &key(), Kind::TokenFailed).await;
    assert!(
        failed.len() == 1 && failed[0].contains("<script>") && failed[0].chars().count() < 400,
        "{failed:?}"
    );

    // The error's code itself, seen in the attempt's own page.
    let windowed = and(form(&mut browser, &key()).await, "in_window", "true");
    let page = browser.press(&windowed, "generate").await;
    let url = page
        .header("refresh")
        .and_then(|to| to.strip_prefix("0; url="))
        .expect("an address")
        .parse()
        .expect("a URL");
    let page = come_back(&mut browser, &provider.refuse(&url, &long_markup(), "")).await;
    assert!(page.path.starts_with("/oauth/attempts/"), "{}", page.path);
    assert_tame(&page);
    assert_eq!(provider.token_calls().len(), 0);
}

async fn s14_html_of_the_token_endpoint_is_shown_as_capped_text(database: Database) {
    let (world, provider, mut browser) = start(database).await;
    provider.answers_next(Reply::json(
        400,
        &json!({"error": "invalid_client", "error_description": long_markup()}),
    ));
    let page = generate(&mut browser, &key(), &provider).await;
    page.assert_shows(
        "Error attempting to retrieve OAuth Access token. ERROR: 127.0.0.1 answered HTTP 400: invalid_client",
    );
    page.assert_shows("The provider does not know this client");
    assert_tame(&page);
    assert_eq!(told(&world, &key(), Kind::TokenFailed).await.len(), 1);
}

/// One request, no redirect followed.
async fn send(browser: &mut Browser, path: &str) -> Page {
    browser
        .send(get(path).header("sec-fetch-site", "cross-site").body(Body::empty()).expect("a request"))
        .await
}

#[track_caller]
fn assert_private(page: &Page) {
    let about = format!("{} ({})", page.path, page.status);
    assert!(page.header("cache-control").is_some_and(|value| value.contains("no-store")), "{about}");
    assert_eq!(page.header("referrer-policy"), Some("no-referrer"), "{about}");
    assert_eq!(page.headers.get_all("referrer-policy").iter().count(), 1, "{about}");
    assert_eq!(page.header("x-content-type-options"), Some("nosniff"), "{about}");
    let policy = page.header("content-security-policy").unwrap_or_else(|| panic!("no policy: {about}"));
    assert!(policy.contains("frame-ancestors 'none'") && !policy.contains("http"), "{about}: {policy}");
    // Nothing is fetched from anybody else.
    for element in page.elements() {
        let fetched = match element.name.as_str() {
            "script" | "img" | "iframe" => element.attribute("src"),
            "link" => element.attribute("href"),
            "form" => element.attribute("action"),
            _ => None,
        };
        assert!(fetched.is_none_or(|address| address.starts_with('/')), "{about}: {fetched:?}");
    }
}

async fn s15_pages_of_the_way_are_stored_nowhere_and_name_nobody(database: Database) {
    let (_world, provider, mut browser) = start(database).await;
    let began = begin(&mut browser, &key()).await;
    assert_private(&began.page);
    let callback = provider.agree(&began.url);
    let sent_on = send(&mut browser, &callback).await;
    assert!(sent_on.status.is_redirection(), "{}", sent_on.status);
    assert_eq!(sent_on.header("location"), Some(began.path.as_str()), "neither code nor state are in it");
    assert_private(&sent_on);
    assert!(!sent_on.text().contains("code-1"));
    let page = come_back(&mut browser, &began.path).await;
    page.assert_shows("Access Token generation successful");
    assert!(
        !page.text().contains("code-1") && !page.text().contains(&began.parameter("state").expect("a state"))
    );
    let ended = send(&mut browser, &began.path).await;
    assert!(ended.status.is_redirection());
    assert_private(&ended);
    for lost in [callback.as_str(), "/oauth/callback/a/b", "/oauth/attempts/none"] {
        let page = send(&mut browser, lost).await;
        assert_eq!(page.status, 400, "{lost}");
        assert_private(&page);
    }
}

async fn s16_browsers_are_sent_to_this_site_alone_and_input_is_not_echoed(database: Database) {
    let (_world, provider, mut browser) = start(database).await;
    let evil = "&next=https%3A%2F%2Fevil.example%2F&return_to=%2F%2Fevil.example&redirect_uri=https%3A%2F%2Fevil.example";
    let began = begin(&mut browser, &key()).await;
    let sent_on = send(&mut browser, &format!("{}{evil}", provider.agree(&began.url))).await;
    assert_eq!(sent_on.header("location"), Some(began.path.as_str()));
    let attempt = format!("{}?next=https://evil.example/", began.path);
    let page = come_back(&mut browser, &began.path).await;
    page.assert_shows("Access Token generation successful");
    let ended = send(&mut browser, &attempt).await;
    assert_eq!(ended.header("location"), Some(format!("{}#token", key().form_path()).as_str()));
    for path in [
        format!("/oauth/callback/canary-path/canary-slug?state=canary-state&code=canary-code{evil}"),
        format!(
            "/oauth/callback/%2F%2Fevil.example/x?state=canary&error=canary&error_description=canary{evil}"
        ),
        format!("/oauth/attempts/canary?next=canary{evil}"),
    ] {
        let page = send(&mut browser, &path).await;
        assert_eq!(page.status, 400, "{path}");
        assert!(page.header("location").is_none() && page.header("refresh").is_none(), "{path}");
        assert!(!page.text().contains("canary") && !page.text().contains("evil.example"), "{}", page.text());
    }
}

async fn the_messages_come_in_their_order_and_stay(database: Database) {
    let (world, provider, mut browser) = start(database).await;
    let began = begin(&mut browser, &key()).await;
    began.page.assert_shows("Opening Access Token");
    provider.rules(|rules| rules.slow = std::time::Duration::from_secs(2));
    let sent_on = send(&mut browser, &provider.agree(&began.url)).await;
    let page = browser.get(sent_on.header("location").expect("an address")).await;
    page.assert_shows("Initializing OAuth Token");
    assert_eq!(page.header("refresh"), Some("1"));
    come_back(&mut browser, &began.path).await.assert_shows("Access Token generation successful");
    for _ in 0..2 {
        let page = world.browser(ANN).await.get(&key().form_path()).await;
        page.assert_shows("Access Token generation successful");
        page.assert_shows("Regenerate Token");
    }
}

async fn a_window_is_told_that_it_can_be_closed(database: Database) {
    let (_world, provider, mut browser) = start(database).await;
    let windowed = and(form(&mut browser, &key()).await, "in_window", "true");
    let page = browser.press(&windowed, "generate").await;
    let url = page
        .header("refresh")
        .and_then(|to| to.strip_prefix("0; url="))
        .expect("an address")
        .parse()
        .expect("a URL");
    let page = come_back(&mut browser, &provider.agree(&url)).await;
    assert!(page.path.starts_with("/oauth/attempts/"), "{}", page.path);
    page.assert_shows("Access Token generation successful");
    page.assert_shows("You can close this window; the form knows already.");
    assert_private(&page);
}
