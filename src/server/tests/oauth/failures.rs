//! Refreshes that fail: refused for good, misconfigured, or passing; how each is told, and when it is tried again. The
//! words that providers use are tried one by one in `ipack_oauth::failure`.

use crate::states::state_in_header;
use ipack_storage::Database;
use ipack_testing::browser::Browser;
use ipack_testing::flow::{
    SECRET, encrypt, filled, form, get_token, press_generate, provider_field, read, runtime, token,
};
use ipack_testing::hostile::Reply;
use ipack_testing::provider::{Provider, field};
use ipack_testing::world::{ANN, World, key};
use serde_json::json;

on_both!(
    what_passes_is_over_within_minutes,
    a_provider_names_when_it_wants_to_be_asked_again,
    nothing_waits_for_six_hours,
    a_dead_refresh_token_is_broken_at_once_whatever_its_name,
    what_is_misconfigured_names_its_field_and_is_tried_hourly_and_on_save,
    a_direct_grant_asks_with_itself_where_its_refresh_token_died,
    a_token_is_refreshed_at_once_also_while_a_failure_waits,
);

async fn start(database: Database) -> (World, Provider, Browser) {
    let world = ipack_testing::flow::world(database).await;
    let provider = Provider::start().await;
    let browser = world.browser(ANN).await;
    (world, provider, browser)
}

/// Seconds until the next try, after one that fails.
async fn wait_after(world: &World, provider: &Provider, reply: Reply) -> Option<i64> {
    provider.answers_next(reply);
    assert_eq!(world.services.refresh_due().await.expect("looked"), 0);
    let now = world.services.clock.now();
    let row = token(world, &key()).await.expect("a token");
    assert!(row.failures > 0, "it failed");
    row.refresh_at.map(|at| at.seconds() - now.seconds())
}

async fn what_passes_is_over_within_minutes(database: Database) {
    let (world, provider, mut browser) = start(database).await;
    get_token(&mut browser, &key(), &provider).await;
    let client = runtime(&world).await;
    for reply in [
        Reply::new(200, "text/html", "<h1>Sign in to the network</h1>"),
        Reply::new(403, "text/html", "<h1>Blocked</h1>"),
        Reply::json(403, &json!({"message": "Forbidden"})),
        Reply::redirect("https://portal.example.com/"),
        Reply::new(404, "text/plain", "no such page"),
        Reply::json(
            400,
            &json!({"error": "invalid_request", "error_description": "The token is not expired"}),
        ),
    ] {
        world.advance(3_600);
        let wait = wait_after(&world, &provider, reply.clone()).await.expect("it is tried again");
        assert!((14..=20).contains(&wait), "{wait} s after {reply:?}");
        world.advance(wait + 1);
        assert_eq!(world.services.refresh_due().await.expect("looked"), 1);
        read(&world, &client, &key()).await.expect("a token");
    }
}

async fn a_provider_names_when_it_wants_to_be_asked_again(database: Database) {
    let (world, provider, mut browser) = start(database).await;
    get_token(&mut browser, &key(), &provider).await;
    world.advance(3_301);
    for (named, status, expected) in [("120", 429, 120), ("7", 503, 7), ("999999", 429, 5 * 3_600)] {
        let mut reply = Reply::json(status, &json!({"error": "slow_down"}));
        reply.headers.push(("Retry-After".to_owned(), named.to_owned()));
        let wait = wait_after(&world, &provider, reply).await.expect("it is tried again");
        assert!((expected - 2..=expected).contains(&wait), "{named}: {wait}");
        world.advance(expected + 1);
    }
}

async fn nothing_waits_for_six_hours(database: Database) {
    let (world, provider, mut browser) = start(database).await;
    get_token(&mut browser, &key(), &provider).await;
    world.advance(3_301);
    for number in 0..12 {
        let wait =
            wait_after(&world, &provider, Reply::new(200, "text/html", "")).await.expect("it is tried again");
        assert!(wait <= 2_160, "try {number}: {wait} s");
        world.advance(wait + 1);
    }
}

async fn a_dead_refresh_token_is_broken_at_once_whatever_its_name(database: Database) {
    let (world, provider, _) = start(database).await;
    for (status, body) in [
        (200, json!({"error": "bad_refresh_token"})),
        (400, json!({"status": "BAD_REFRESH_TOKEN", "message": "missing or unknown"})),
        (200, json!({"ok": false, "error": "invalid_refresh_token"})),
        (400, json!({"errors": [{"errorType": "invalid_grant", "message": "dead"}]})),
        (400, json!({"error": "invalid_request", "error_description": "refresh token expired"})),
    ] {
        let mut browser = world.browser(ANN).await;
        get_token(&mut browser, &key(), &provider).await;
        world.advance(3_301);
        assert_eq!(wait_after(&world, &provider, Reply::json(status, &body)).await, None, "{body}");
        assert!(token(&world, &key()).await.expect("a token").is_broken, "{body}");
        let page = world.browser(ANN).await.get(&key().form_path()).await;
        assert_eq!(state_in_header(&page), "Broken", "{body}");
    }
}

async fn what_is_misconfigured_names_its_field_and_is_tried_hourly_and_on_save(database: Database) {
    let (world, provider, mut browser) = start(database).await;
    get_token(&mut browser, &key(), &provider).await;
    for (error, label) in [("invalid_client", "Client Secret"), ("invalid_scope", "Scopes")] {
        world.advance(3_601);
        let reply = Reply::json(401, &json!({ "error": error }));
        let wait = wait_after(&world, &provider, reply).await.expect("it is tried again");
        assert!((3_598..=3_600).contains(&wait), "{wait}");
        let page = world.browser(ANN).await.get(&key().form_path()).await;
        assert_eq!(state_in_header(&page), "Refresh failing");
        page.assert_shows(&format!("Check {label}."));
        let fields: Vec<_> = page.links().into_iter().filter(|link| link.starts_with('#')).collect();
        let expected: &[&str] = match error {
            "invalid_client" => &["#client_secret", "#client_id", "#provider-clientAuthentication"],
            _ => &["#provider-scopes"],
        };
        assert!(fields.windows(expected.len()).any(|some| some == expected), "{fields:?}");
    }
    assert_eq!(world.services.refresh_due().await.expect("looked"), 0, "not before the hour is over");
    let mut browser = world.browser(ANN).await;
    let form = form(&mut browser, &key()).await;
    browser.press(&form, "save").await;
    assert_eq!(world.services.refresh_due().await.expect("looked"), 1);
    assert_eq!(token(&world, &key()).await.expect("a token").failures, 0);
}

async fn a_direct_grant_asks_with_itself_where_its_refresh_token_died(database: Database) {
    let (world, provider, mut browser) = start(database).await;
    let form =
        provider_field(filled(form(&mut browser, &key()).await, &provider), "grant", "client_credentials");
    encrypt(&mut browser, form, SECRET).await;
    provider.answers_next(Reply::json(
        200,
        &json!({"access_token": "a", "refresh_token": "r", "expires_in": 3_600}),
    ));
    press_generate(&mut browser, &key()).await.assert_shows("Access Token generation successful");
    world.advance(3_301);
    assert_eq!(world.services.refresh_due().await.expect("looked"), 1);
    let grants: Vec<_> = provider.token_calls().iter().filter_map(|call| field(call, "grant_type")).collect();
    assert_eq!(grants, ["client_credentials", "refresh_token", "client_credentials"]);
    let row = token(&world, &key()).await.expect("a token");
    assert!(!row.is_broken && row.refresh_token.is_none() && row.refresh_at.is_some());
    // What passes is not asked for twice.
    world.advance(3_301);
    assert!(wait_after(&world, &provider, Reply::new(502, "text/plain", "")).await.is_some());
}

async fn a_token_is_refreshed_at_once_also_while_a_failure_waits(database: Database) {
    let (world, provider, mut browser) = start(database).await;
    let page = get_token(&mut browser, &key(), &provider).await;
    assert!(page.has_button("refresh-token"));
    let client = runtime(&world).await;
    // Long before it is due.
    browser.press(&page.connector(), "refresh-token").await;
    assert_eq!(read(&world, &client, &key()).await, Ok("access-3".to_owned()));
    world.advance(3_301);
    wait_after(&world, &provider, Reply::json(401, &json!({"error": "invalid_client"})))
        .await
        .expect("an hour");
    let mut browser = world.browser(ANN).await;
    let form = form(&mut browser, &key()).await;
    browser.press(&form, "refresh-token").await;
    let row = token(&world, &key()).await.expect("a token");
    assert_eq!((row.failures, row.version), (0, 3));
    assert_eq!(read(&world, &client, &key()).await, Ok("access-4".to_owned()));
}
