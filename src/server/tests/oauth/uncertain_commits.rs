//! F06: the way to PostgreSQL breaks between a COMMIT and its answer. Begun again, a write finds what it wrote before,
//! and takes it for its own.

use ipack_storage::{audit_log::Kind, open::open};
use ipack_testing::{
    databases,
    flow::{begin, come_back, get_token, read, runtime, set_up, token, told},
    network::Network,
    provider::{Provider, field},
    world::{ANN, World, key},
};

async fn start(network: &Network) -> (World, Provider) {
    let world = ipack_testing::flow::world(open(network.address()).await.expect("it opens")).await;
    (world, Provider::start().await)
}

/// Nothing that was kept is given back.
async fn assert_nothing_revoked(world: &World, provider: &Provider) {
    assert_eq!(world.count("revocations").await, 0);
    assert!(provider.revocations().is_empty() && provider.revoked_families() == 0);
}

#[test]
fn f06_a_refresh_whose_commit_was_not_answered_is_its_own() {
    let name = "f06_a_refresh_whose_commit_was_not_answered_is_its_own";
    databases::on_empty(name, databases::Kind::Postgres, |address| {
        Box::pin(async move {
            let network = Network::to(&address).await;
            let (world, provider) = start(&network).await;
            let mut browser = world.browser(ANN).await;
            get_token(&mut browser, &key(), &provider).await;
            let client = runtime(&world).await;
            // First the COMMIT of the lease, then that of what the provider answered.
            for (number, nth) in [(1, 1), (2, 2)] {
                world.advance(3_400);
                network.cut_at_commit(nth);
                assert_eq!(world.services.refresh_due().await.expect("looked"), 1);
                assert!(network.has_cut());
                let row = token(&world, &key()).await.expect("a token");
                assert_eq!((row.version, row.failures, row.lease_owner), (1 + number, 0, None));
                assert_eq!(read(&world, &client, &key()).await, Ok(format!("access-{}", 2 + number)));
            }
            let sent: Vec<_> =
                provider.token_calls().iter().filter_map(|call| field(call, "refresh_token")).collect();
            assert_eq!(sent, ["refresh-2", "refresh-3"], "each was sent once");
            assert_eq!(told(&world, &key(), Kind::TokenRefreshed).await.len(), 2);
            assert_nothing_revoked(&world, &provider).await;
            world.database.close().await;
        })
    });
}

#[test]
fn f06_a_token_whose_commit_was_not_answered_is_kept() {
    let name = "f06_a_token_whose_commit_was_not_answered_is_kept";
    databases::on_empty(name, databases::Kind::Postgres, |address| {
        Box::pin(async move {
            let network = Network::to(&address).await;
            let (world, provider) = start(&network).await;
            let mut browser = world.browser(ANN).await;
            set_up(&mut browser, &key(), &provider).await;
            let began = begin(&mut browser, &key()).await;
            let callback = provider.agree(&began.url);
            // After that of the state that is used up.
            network.cut_at_commit(2);
            let page = come_back(&mut browser, &callback).await;
            assert!(network.has_cut());
            page.assert_shows("Access Token generation successful");
            assert_eq!(read(&world, &runtime(&world).await, &key()).await, Ok("access-2".into()));
            assert_eq!(told(&world, &key(), Kind::TokenExchanged).await.len(), 1);
            assert_nothing_revoked(&world, &provider).await;
            world.database.close().await;
        })
    });
}
