//! F10: replicas that want the same token refreshed, against a provider that revokes the whole family when a refresh
//! token is used twice.
//!
//! Each replica opens the database for itself, so they share nothing but its rows.

use futures::future::join_all;
use ipack_core::tokens::access_token::Wanted;
use ipack_domain::effects::new_id;
use ipack_oauth::outbound::Outbound;
use ipack_storage::{open::open, tokens};
use ipack_testing::databases::{Kind, on_empty};
use ipack_testing::flow::{get_token, read, runtime, token};
use ipack_testing::hostile::Reply;
use ipack_testing::network::Network;
use ipack_testing::provider::{Provider, field};
use ipack_testing::world::{ANN, World, key};
use std::{collections::HashSet, time::Duration};

on_both!(
    empty: f10_replicas_make_one_call_however_many_ask,
    f10_a_holder_that_vanished_is_replaced_once_its_lease_has_run_out,
    f10_an_answer_that_was_lost_with_its_holder_is_asked_for_once_more,
);

/// Tasks of each replica that ask at once.
const TASKS: usize = 12;

/// Two replicas, each with its way to one database, and a provider that gave a token; the first is a whole world.
async fn start(address: &str, of_second: &str) -> (World, World, Provider) {
    let world = ipack_testing::flow::world(open(address).await.expect("it opens")).await;
    let second = World::empty(open(of_second).await.expect("it opens twice")).await;
    let provider = Provider::start().await;
    let mut browser = world.browser(ANN).await;
    get_token(&mut browser, &key(), &provider).await;
    (world, second, provider)
}

fn refreshes(provider: &Provider) -> Vec<String> {
    provider.token_calls().iter().filter_map(|call| field(call, "refresh_token")).collect()
}

async fn stop(world: World, second: World) {
    world.database.close().await;
    second.database.close().await;
}

async fn f10_replicas_make_one_call_however_many_ask(address: String) {
    let (world, second, provider) = start(&address, &address).await;
    // Long enough for everybody to come in between.
    provider.rules(|rules| rules.slow = Duration::from_millis(400));
    world.advance(3_590);
    second.advance(3_590);
    let client = runtime(&world).await;
    let mut asking = Vec::new();
    for _ in 0..TASKS {
        for services in [&world.services, &second.services] {
            let (services, client) = (services.clone(), client.clone());
            asking.push(tokio::spawn(async move {
                let found = services.access_token(&client, Some("space-1"), &key(), &Wanted::default()).await;
                found.map(|token| secrecy::ExposeSecret::expose_secret(&token.token).to_owned())
            }));
        }
    }
    let looking = [world.services.clone(), second.services.clone()]
        .map(|services| tokio::spawn(async move { services.refresh_due().await }));
    let mut got = HashSet::new();
    for answer in join_all(asking).await {
        got.insert(answer.expect("no panic").expect("a token"));
    }
    for looked in join_all(looking).await {
        assert!(looked.expect("no panic").expect("looked") <= 1);
    }
    assert_eq!(refreshes(&provider), ["refresh-2"], "one call");
    assert_eq!(got, HashSet::from(["access-3".to_owned()]), "everybody got the new one");
    assert_eq!(provider.revoked_families(), 0);
    let row = token(&world, &key()).await.expect("a token");
    assert_eq!((row.version, row.is_broken, row.lease_owner), (2, false, None));

    // Whoever used the old one again would have been noticed.
    let form = [("grant_type", "refresh_token"), ("refresh_token", "refresh-2")];
    let outbound: &Outbound = &world.services.oauth.outbound;
    let endpoint = provider.at("/token").parse().expect("an address");
    assert_eq!(outbound.post_form(&endpoint, None, &form).await.expect("an answer").status, 400);
    assert_eq!(provider.revoked_families(), 1);
    world.advance(3_590);
    world.services.refresh_due().await.expect("looked");
    assert!(token(&world, &key()).await.expect("a token").is_broken);
    stop(world, second).await;
}

async fn f10_a_holder_that_vanished_is_replaced_once_its_lease_has_run_out(address: String) {
    let (world, second, provider) = start(&address, &address).await;
    world.advance(3_400);
    second.advance(3_400);
    let now = world.services.clock.now();
    let row = token(&world, &key()).await.expect("a token");
    let client = runtime(&world).await;
    // A replica takes the lease and is killed.
    let (owner, until) = (new_id(now), now.plus_seconds(40));
    assert!(write_now!(world.database, db => tokens::lease(db, row.id, row.version, owner, until, now)));
    for services in [&world.services, &second.services] {
        assert_eq!(services.refresh_due().await.expect("looked"), 0);
        // The old one is good for a while yet, and is handed out.
        let found = services
            .access_token(&client, Some("space-1"), &key(), &Wanted::default())
            .await
            .expect("a token");
        assert_eq!(secrecy::ExposeSecret::expose_secret(&found.token), "access-2");
    }
    assert_eq!(refreshes(&provider).len(), 0);
    world.advance(41);
    second.advance(41);
    provider.answers_next(Reply::new(503, "text/plain", ""));
    let (one, two) = tokio::join!(world.services.refresh_due(), second.services.refresh_due());
    assert_eq!((one.expect("looked"), two.expect("looked")), (0, 0));
    assert_eq!(refreshes(&provider).len(), 1, "one of them took over");
    world.advance(60);
    second.advance(60);
    let (one, two) = tokio::join!(world.services.refresh_due(), second.services.refresh_due());
    assert_eq!(one.expect("looked") + two.expect("looked"), 1);
    assert_eq!(refreshes(&provider), ["refresh-2", "refresh-2"], "the first was never used up");
    // Whoever comes back with a lease that is lost writes nothing.
    let refreshed = tokens::Refreshed {
        access_token: b"late",
        refresh_token: None,
        extra: None,
        data_key_version: 1,
        token_type: "Bearer",
        granted_scope: None,
        expires_at: None,
        refresh_at: None,
    };
    assert!(!write_now!(world.database, db => tokens::refreshed(db, row.id, owner, refreshed, now)));
    assert_eq!(read(&world, &client, &key()).await, Ok("access-3".into()));
    assert_eq!(provider.revoked_families(), 0);
    stop(world, second).await;
}

async fn f10_an_answer_that_was_lost_with_its_holder_is_asked_for_once_more(address: String) {
    let (world, second, provider) = start(&address, &address).await;
    world.advance(3_400);
    second.advance(3_400);
    let now = world.services.clock.now();
    let row = token(&world, &key()).await.expect("a token");
    // A replica takes the lease, sends the refresh token, and is killed before it can write what came.
    let (owner, until) = (new_id(now), now.plus_seconds(600));
    assert!(write_now!(world.database, db => tokens::lease(db, row.id, row.version, owner, until, now)));
    let sent = [("grant_type", "refresh_token"), ("refresh_token", "refresh-2")];
    let endpoint = provider.at("/token").parse().expect("an address");
    let answer = world.services.oauth.outbound.post_form(&endpoint, None, &sent).await;
    assert_eq!(answer.expect("an answer").status, 200);
    for services in [&world.services, &second.services] {
        assert_eq!(services.refresh_due().await.expect("looked"), 0);
    }
    world.advance(599);
    second.advance(599);
    assert_eq!(second.services.refresh_due().await.expect("looked"), 0);
    assert_eq!(refreshes(&provider).len(), 1, "its holder may still write");
    world.advance(2);
    second.advance(2);
    let (one, two) = tokio::join!(world.services.refresh_due(), second.services.refresh_due());
    assert_eq!((one.expect("looked"), two.expect("looked")), (0, 0));
    assert_eq!(refreshes(&provider).len(), 2, "it is asked for once more");
    let row = token(&world, &key()).await.expect("a token");
    let why = row.failure.expect("why");
    assert!(row.is_broken && why.contains("a server stopped before it could keep"), "{why}");
    world.advance(10_000);
    assert_eq!(world.services.refresh_due().await.expect("looked"), 0);
    assert_eq!(refreshes(&provider).len(), 2);
    stop(world, second).await;
}

/// The database is away for one replica right after the provider has answered it, and there for the other.
#[test]
fn f10_while_the_holder_cannot_write_nobody_else_sends_the_token() {
    let name = "f10_while_the_holder_cannot_write_nobody_else_sends_the_token";
    on_empty(name, Kind::Postgres, |address| Box::pin(write_is_delayed(address)));
}

async fn write_is_delayed(address: String) {
    let network = Network::to(&address).await;
    let (world, second, provider) = start(network.address(), &address).await;
    provider.rules(|rules| rules.slow = Duration::from_millis(300));
    world.advance(3_400);
    second.advance(3_400);
    let holder = world.services.clone();
    let holding = tokio::spawn(async move { holder.refresh_due().await });
    eventually!((refreshes(&provider).len() == 1).then_some(()));
    network.take_down();
    let (away, steps) = match std::env::var_os("IPACK_LONG_FAULTS") {
        Some(_) => (Duration::from_secs(50), 50),
        None => (Duration::from_secs(2), 10),
    };
    for _ in 0..steps {
        tokio::time::sleep(away / steps).await;
        second.advance(50 / i64::from(steps));
        assert_eq!(second.services.refresh_due().await.expect("looked"), 0);
    }
    network.bring_up();
    assert_eq!(holding.await.expect("no panic").expect("it is written"), 1);
    assert_eq!(refreshes(&provider), ["refresh-2"], "one call");
    assert_eq!((provider.revoked_families(), provider.revocations().len()), (0, 0));
    let client = runtime(&second).await;
    assert_eq!(read(&second, &client, &key()).await, Ok("access-3".into()));
    stop(world, second).await;
}

/// The database comes back for the holder only when its lease has run out.
#[test]
fn f10_an_outage_longer_than_the_lease_leaves_no_token_behind() {
    let name = "f10_an_outage_longer_than_the_lease_leaves_no_token_behind";
    on_empty(name, Kind::Postgres, |address| Box::pin(outlast_the_lease(address)));
}

async fn outlast_the_lease(address: String) {
    let network = Network::to(&address).await;
    let (world, second, provider) = start(network.address(), &address).await;
    provider.rules(|rules| rules.slow = Duration::from_millis(300));
    let advance = |seconds| {
        world.advance(seconds);
        second.advance(seconds);
    };
    for (round, is_taken_over) in [(1, false), (2, true)] {
        advance(3_400);
        let holder = world.services.clone();
        let holding = tokio::spawn(async move { holder.refresh_due().await });
        eventually!((refreshes(&provider).len() == round).then_some(()));
        network.take_down();
        advance(599);
        assert_eq!(second.services.refresh_due().await.expect("looked"), 0, "it is its holder's");
        advance(2);
        if is_taken_over {
            assert_eq!(second.services.refresh_due().await.expect("looked"), 0);
            assert_eq!(provider.revoked_families(), 1);
            assert!(token(&second, &key()).await.expect("a token").is_broken);
        }
        // The provider's other tokens wait for a minute of it.
        let is_long = std::env::var_os("IPACK_LONG_FAULTS").is_some();
        if is_long {
            assert_eq!(holding.await.expect("no panic").expect("looked"), 0, "it goes on in the background");
            network.bring_up();
        } else {
            network.bring_up();
            let refreshed = holding.await.expect("no panic").expect("it is written");
            assert_eq!(refreshed, usize::from(!is_taken_over));
        }
        if !is_taken_over {
            // Kept, where nobody else asked meanwhile.
            eventually!(token(&second, &key()).await.filter(|row| row.version == 2));
        }
    }
    let client = runtime(&second).await;
    read(&second, &client, &key()).await.expect_err("it stays broken");
    let revoked = eventually!(provider.revocations().first().cloned());
    assert_eq!(field(&revoked, "token").as_deref(), Some("refresh-4"), "what the holder got");
    eventually!((world.count("revocations").await == 0).then_some(()));
    stop(world, second).await;
}
