//! A token's life after it was got: refreshed, refused, put off; and what its scopes say.
//!
//! What a provider may answer to a refresh is tried here; who refreshes, where several could, in `replicas`.

use crate::states::state_in_header;
use ipack_storage::{Database, audit_log::Kind};
use ipack_testing::browser::{Browser, Page};
use ipack_testing::flow::{
    SECRET, encrypt, filled, form, generate, get_token, provider_field, read, runtime, token, told,
};
use ipack_testing::hostile::Reply;
use ipack_testing::provider::{Provider, field};
use ipack_testing::world::{ANN, World, key};
use serde_json::json;

on_both!(
    s12_a_rotated_refresh_token_is_the_one_used_next,
    s12_an_answer_without_a_refresh_token_keeps_the_old_one,
    s12_invalid_grant_marks_the_token_broken_and_stops,
    s12_transient_errors_back_off_and_are_tried_again,
    a_token_without_refresh_token_or_expiry_is_left_alone,
    scopes_that_were_not_granted_are_told,
    the_providers_company_fills_an_empty_company_id_and_warns_where_it_differs,
);

async fn start(database: Database) -> (World, Provider, Browser) {
    let world = ipack_testing::flow::world(database).await;
    let provider = Provider::start().await;
    let browser = world.browser(ANN).await;
    (world, provider, browser)
}

/// The refresh tokens that were sent, in order.
fn sent(provider: &Provider) -> Vec<String> {
    provider.token_calls().iter().filter_map(|call| field(call, "refresh_token")).collect()
}

async fn s12_a_rotated_refresh_token_is_the_one_used_next(database: Database) {
    let (world, provider, mut browser) = start(database).await;
    get_token(&mut browser, &key(), &provider).await;
    assert_eq!(world.services.refresh_due().await.expect("looked"), 0, "it is not due yet");
    for _ in 0..3 {
        world.advance(3_301);
        assert_eq!(world.services.refresh_due().await.expect("looked"), 1);
    }
    assert_eq!(sent(&provider), ["refresh-2", "refresh-3", "refresh-4"]);
    assert_eq!(provider.revoked_families(), 0);
    let client = runtime(&world).await;
    assert_eq!(read(&world, &client, &key()).await, Ok("access-5".into()));
    assert_eq!(told(&world, &key(), Kind::TokenRefreshed).await.len(), 3);
}

async fn s12_an_answer_without_a_refresh_token_keeps_the_old_one(database: Database) {
    let (world, provider, mut browser) = start(database).await;
    get_token(&mut browser, &key(), &provider).await;
    provider.rules(|rules| rules.rotates = false);
    for _ in 0..2 {
        world.advance(3_301);
        assert_eq!(world.services.refresh_due().await.expect("looked"), 1);
    }
    assert_eq!(sent(&provider), ["refresh-2", "refresh-2"]);
    assert_eq!(read(&world, &runtime(&world).await, &key()).await, Ok("access-4".into()));
}

async fn s12_invalid_grant_marks_the_token_broken_and_stops(database: Database) {
    let (world, provider, mut browser) = start(database).await;
    get_token(&mut browser, &key(), &provider).await;
    provider
        .answers_next(Reply::json(400, &json!({"error": "invalid_grant", "error_description": "withdrawn"})));
    world.advance(3_301);
    assert_eq!(world.services.refresh_due().await.expect("looked"), 0);
    assert!(token(&world, &key()).await.expect("a token").is_broken);
    let client = runtime(&world).await;
    for _ in 0..3 {
        world.advance(10_000);
        assert_eq!(world.services.refresh_due().await.expect("looked"), 0);
        let refused = read(&world, &client, &key()).await.expect_err("it has run out");
        assert!(refused.contains("invalid_grant") && refused.contains("withdrawn"), "{refused}");
    }
    assert_eq!(provider.token_calls().len(), 2, "nobody asks again");
    let failed = told(&world, &key(), Kind::TokenFailed).await;
    assert!(failed.len() == 1 && failed[0].contains("invalid_grant (withdrawn)"), "{failed:?}");
    let mut browser = world.browser(ANN).await;
    let page = browser.get(&key().form_path()).await;
    page.assert_shows("invalid_grant (withdrawn)");
    assert_eq!(state_in_header(&page), "Broken");
    // Generating again mends it.
    generate(&mut browser, &key(), &provider).await.assert_shows("Access Token generation successful");
    assert!(!token(&world, &key()).await.expect("a token").is_broken);
}

async fn s12_transient_errors_back_off_and_are_tried_again(database: Database) {
    let (world, provider, mut browser) = start(database).await;
    get_token(&mut browser, &key(), &provider).await;
    for reply in [
        Reply::json(503, &json!({"error": "temporarily_unavailable"})),
        Reply::new(502, "text/html", "<h1>Bad gateway</h1>"),
        Reply::new(429, "text/plain", "slow down"),
    ] {
        provider.answers_next(reply);
    }
    world.advance(3_301);
    let mut waits = Vec::new();
    for failures in 1..=3 {
        assert_eq!(world.services.refresh_due().await.expect("looked"), 0);
        // At once it is not tried again, however often one looks.
        assert_eq!(world.services.refresh_due().await.expect("looked"), 0);
        assert_eq!(provider.token_calls().len(), 1 + failures);
        let now = world.services.clock.now().0;
        let row = token(&world, &key()).await.expect("a token");
        assert!(!row.is_broken && row.failures == u32::try_from(failures).expect("small"));
        let wait = row.refresh_at.expect("it is tried again").0 - now;
        waits.push(wait);
        world.advance(wait / 1_000_000 + 1);
    }
    assert!(waits[0] < waits[1] && waits[1] < waits[2], "{waits:?}");
    let page = world.browser(ANN).await.get(&key().form_path()).await;
    assert_eq!(state_in_header(&page), "Refresh failing");
    assert_eq!(world.services.refresh_due().await.expect("looked"), 1);
    let row = token(&world, &key()).await.expect("a token");
    assert_eq!((row.failures, row.failure), (0, None));
    assert_eq!(sent(&provider), ["refresh-2"; 4]);
}

async fn a_token_without_refresh_token_or_expiry_is_left_alone(database: Database) {
    let (world, provider, mut browser) = start(database).await;
    provider.rules(|rules| (rules.gives_refresh_tokens, rules.expires_in) = (false, None));
    let page = get_token(&mut browser, &key(), &provider).await;
    page.assert_shows("The provider names none");
    page.assert_shows("Not possible: the provider gave no refresh token");
    world.advance(1_000_000);
    assert_eq!(world.services.refresh_due().await.expect("looked"), 0);
    assert_eq!(read(&world, &runtime(&world).await, &key()).await, Ok("access-2".into()));
    assert_eq!(provider.token_calls().len(), 1);
}

async fn scopes_that_were_not_granted_are_told(database: Database) {
    let (world, provider, mut browser) = start(database).await;
    provider.rules(|rules| rules.scope = Some("read write".into()));
    let form = filled(form(&mut browser, &key()).await, &provider);
    encrypt(&mut browser, provider_field(form, "scopes", "read  write admin"), SECRET).await;
    let began = ipack_testing::flow::begin(&mut browser, &key()).await;
    assert_eq!(began.parameter("scope").as_deref(), Some("read write admin"));
    let page = ipack_testing::flow::come_back(&mut browser, &provider.agree(&began.url)).await;
    page.assert_shows("The provider granted less than was asked for. Not granted: admin");
    let row = token(&world, &key()).await.expect("a token");
    assert_eq!(
        (row.requested_scope.as_str(), row.granted_scope.as_deref()),
        ("read write admin", Some("read write"))
    );
    // All of them: nothing to warn of.
    provider.rules(|rules| rules.scope = Some("admin read write".into()));
    let page = generate(&mut browser, &key(), &provider).await;
    assert!(!page.shows("granted less"), "{}", page.text());
}

async fn the_providers_company_fills_an_empty_company_id_and_warns_where_it_differs(database: Database) {
    let (world, provider, mut browser) = start(database).await;
    // A preset whose endpoints are under the Base URL, and whose redirect names a company.
    let form = filled(form(&mut browser, &key()).await, &provider);
    encrypt(&mut browser, provider_field(form, "provider", "shopify"), SECRET).await;
    let page = back_with(&mut browser, &provider, "one.example").await;
    page.assert_shows("Access Token generation successful");
    assert_eq!(page.connector().value("content[company_id]"), "one.example");
    assert!(world.api_read(&key()).await.expect("saved").0.contains(r#""companyId":"one.example""#));
    assert!(
        told(&world, &key(), Kind::DetailsSaved)
            .await
            .contains(&"as the identity provider named it".to_owned())
    );
    let page = back_with(&mut browser, &provider, "two.example").await;
    page.assert_shows(
        "The provider says that the token is for company two.example; the form says another one.",
    );
    assert_eq!(page.connector().value("content[company_id]"), "one.example");
}

async fn back_with(browser: &mut Browser, provider: &Provider, company: &str) -> Page {
    let began = ipack_testing::flow::begin(browser, &key()).await;
    assert_eq!(began.url.path(), "/admin/oauth/authorize");
    ipack_testing::flow::come_back(browser, &format!("{}&shop={company}", provider.agree(&began.url))).await
}
