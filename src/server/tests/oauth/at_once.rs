//! How many calls for new tokens one provider gets at once, and that one that hangs delays nobody else's tokens.

use ipack_domain::ids::ConnectionKey;
use ipack_storage::Database;
use ipack_testing::{
    flow::{get_token, read, runtime},
    provider::Provider,
    world::{ACCOUNT, ANN, key},
};
use std::time::Duration;

on_both!(a_provider_that_hangs_is_called_so_often_and_delays_nobody_else);

/// Tokens of the provider that hangs.
const TOKENS: usize = 10;
const MOMENT: Duration = Duration::from_millis(300);

async fn a_provider_that_hangs_is_called_so_often_and_delays_nobody_else(database: Database) {
    let world = ipack_testing::flow::world(database).await;
    let (hanging, other) = (Provider::start().await, Provider::start().await);
    let mut browser = world.browser(ANN).await;
    let keys: Vec<ConnectionKey> = (0..TOKENS)
        .map(|number| ConnectionKey { connection: format!("connection-{number}"), ..key() })
        .collect();
    for key in &keys {
        world.place(ACCOUNT, key).await;
        get_token(&mut browser, key, &hanging).await;
    }
    let later = ConnectionKey { connection: "later".into(), ..key() };
    world.place(ACCOUNT, &later).await;
    other.rules(|rules| rules.expires_in = Some(3_700));
    get_token(&mut browser, &later, &other).await;
    hanging.rules(|rules| rules.slow = Duration::from_secs(3));
    world.advance(3_301);
    let (calls, services) = (hanging.token_calls().len(), world.services.clone());
    let first = tokio::spawn(async move { services.refresh_due().await });
    tokio::time::sleep(MOMENT).await;
    assert_eq!(hanging.token_calls().len() - calls, 8);
    // The next look, and a client that asks for one of them, come to no further call; the other provider's token is
    // refreshed meanwhile.
    world.advance(100);
    let look = tokio::time::timeout(MOMENT * 4, world.services.refresh_due()).await;
    assert_eq!(look.expect("it does not wait for the other").expect("looked"), 1);
    world.advance(400);
    let client = runtime(&world).await;
    let asked = tokio::time::timeout(MOMENT, read(&world, &client, &keys[TOKENS - 1])).await;
    asked.expect_err("it waits its turn");
    assert_eq!(hanging.token_calls().len() - calls, 8);
    // The one that the client asked for may be refreshed for it.
    assert!(first.await.expect("no panic").expect("looked") >= TOKENS - 1);
    eventually!((hanging.token_calls().len() - calls == TOKENS).then_some(()));
}
