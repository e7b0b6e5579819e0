//! What happens while a provider is asked for a token: a token belongs to the secret it was made with, and what comes to
//! nobody is revoked, with nothing added to the history of what is gone.

use futures::future::join;
use ipack_storage::{Database, audit_log::Kind};
use ipack_testing::{
    api::Tenant,
    browser::Browser,
    flow::{
        Began, SECRET, attempt, begin, come_back, encrypt, form, get_token, secrets, set_up, tenant, token,
        told,
    },
    provider::{Provider, field},
    world::{ACCOUNT, ANN, SPACE, World, key},
};
use serde_json::json;
use std::time::Duration;

on_both!(
    a_token_of_a_secret_that_was_discarded_during_the_call_is_revoked,
    a_token_of_a_secret_that_was_reset_during_the_call_is_revoked,
    a_token_that_comes_after_the_uninstall_is_revoked_and_leaves_no_history,
    a_refresh_that_comes_after_the_uninstall_is_revoked_too,
    a_revocation_outlives_the_server_that_queued_it,
);

/// Longer than what happens meanwhile, shorter than the callback waits.
const SLOW: Duration = Duration::from_millis(500);
const UNINSTALL: &str = "mutation ($id: ID!) { integrationPackInstanceUninstall(id: $id) }";

async fn start(database: Database) -> (World, Provider, Browser) {
    let world = ipack_testing::flow::world(database).await;
    let browser = world.browser(ANN).await;
    (world, Provider::start().await, browser)
}

/// Comes back from the provider, and does something else once the token is asked for.
async fn meanwhile(browser: &Browser, provider: &Provider, began: &Began, work: impl Future<Output = ()>) {
    provider.rules(|rules| rules.slow = SLOW);
    let (callback, calls) = (provider.agree(&began.url), provider.token_calls().len());
    let mut returning = browser.clone();
    let asked = async {
        eventually!((provider.token_calls().len() > calls).then_some(()));
        work.await;
    };
    join(come_back(&mut returning, &callback), asked).await;
    provider.rules(|rules| rules.slow = Duration::ZERO);
}

async fn uninstall(world: &World, tenant: &Tenant) {
    let reply = world.ask(tenant, UNINSTALL, json!({"id": "instance-1"})).await;
    assert_eq!(reply.data("integrationPackInstanceUninstall"), "instance-1");
}

fn revoked(provider: &Provider) -> Vec<String> {
    provider.revocations().iter().filter_map(|call| field(call, "token")).collect()
}

async fn assert_revoked(provider: &Provider, tokens: &[&str]) {
    eventually!((provider.revocations().len() >= tokens.len()).then_some(()));
    let mut revoked = revoked(provider);
    revoked.sort_unstable();
    assert_eq!(revoked, tokens);
}

async fn a_token_of_a_secret_that_was_discarded_during_the_call_is_revoked(database: Database) {
    let (world, provider, mut browser) = start(database).await;
    get_token(&mut browser, &key(), &provider).await;
    let page = form(&mut browser, &key()).await;
    encrypt(&mut browser, page, "another secret").await;
    let began = begin(&mut browser, &key()).await;
    let mut other = browser.clone();
    meanwhile(&browser, &provider, &began, async {
        let page = form(&mut other, &key()).await;
        other.press(&page, "discard-replacement").await;
    })
    .await;
    let (status, message) = attempt(&world, &key()).await.expect("an attempt");
    assert!(status == "failed" && message.contains("the secret that this began with"), "{message}");
    assert_revoked(&provider, &["refresh-4"]).await;
    // The one before, and its secret, go on.
    let row = token(&world, &key()).await.expect("a token");
    assert_eq!(secrets(&world, &key()).await.len(), 1);
    world.advance(3_400);
    assert_eq!(world.services.refresh_due().await.expect("looked"), 1);
    assert_eq!(token(&world, &key()).await.map(|now| now.id), Some(row.id));
}

async fn a_token_of_a_secret_that_was_reset_during_the_call_is_revoked(database: Database) {
    let (world, provider, mut browser) = start(database).await;
    set_up(&mut browser, &key(), &provider).await;
    let began = begin(&mut browser, &key()).await;
    let mut other = browser.clone();
    meanwhile(&browser, &provider, &began, async {
        let page = form(&mut other, &key()).await;
        other.press(&page, "reset-secret").await;
        let page = form(&mut other, &key()).await;
        encrypt(&mut other, page, SECRET).await;
    })
    .await;
    assert!(token(&world, &key()).await.is_none(), "it was made with the secret from before");
    assert_revoked(&provider, &["refresh-2"]).await;
    eventually!(told(&world, &key(), Kind::TokenRevoked).await.pop());
}

async fn a_token_that_comes_after_the_uninstall_is_revoked_and_leaves_no_history(database: Database) {
    let (world, provider, mut browser) = start(database).await;
    set_up(&mut browser, &key(), &provider).await;
    let began = begin(&mut browser, &key()).await;
    let caller = tenant(&world, ACCOUNT, SPACE, false).await;
    meanwhile(&browser, &provider, &began, uninstall(&world, &caller)).await;
    assert_revoked(&provider, &["refresh-2"]).await;
    assert_only_the_uninstall_is_told(&world).await;
}

async fn a_refresh_that_comes_after_the_uninstall_is_revoked_too(database: Database) {
    let (world, provider, mut browser) = start(database).await;
    get_token(&mut browser, &key(), &provider).await;
    world.advance(3_400);
    let caller = tenant(&world, ACCOUNT, SPACE, false).await;
    provider.rules(|rules| rules.slow = SLOW);
    let asked = async {
        eventually!((provider.token_calls().len() > 1).then_some(()));
        uninstall(&world, &caller).await;
    };
    let (refreshed, ()) = join(world.services.refresh_due(), asked).await;
    assert_eq!(refreshed.expect("looked"), 0);
    assert_revoked(&provider, &["refresh-2", "refresh-3"]).await;
    assert_only_the_uninstall_is_told(&world).await;
}

/// Of the instance there is one entry left; what became of its tokens stands with the account.
async fn assert_only_the_uninstall_is_told(world: &World) {
    eventually!((world.count("revocations").await == 0).then_some(()));
    assert_eq!(world.count("timeline WHERE instance_id = 'instance-1'").await, 1);
    assert!(world.count("timeline WHERE kind = 'token_revoked' AND account_id = 'account-1'").await > 0);
    assert_eq!(world.count("tokens").await, 0);
}

async fn a_revocation_outlives_the_server_that_queued_it(database: Database) {
    let (world, provider, mut browser) = start(database).await;
    get_token(&mut browser, &key(), &provider).await;
    // A server that is about to stop begins no call.
    world.services.stopping.cancel();
    let page = form(&mut browser, &key()).await;
    browser.press(&page, "revoke-confirmed").await;
    assert!(token(&world, &key()).await.is_none());
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(provider.revocations().is_empty());
    assert_eq!(world.count("revocations").await, 1);
    let next = World::empty(world.database.clone()).await;
    next.advance(60);
    next.services.revoke_soon();
    assert_revoked(&provider, &["refresh-2"]).await;
    eventually!((world.count("revocations").await == 0).then_some(()));
    eventually!(told(&world, &key(), Kind::TokenRevoked).await.pop());
}
