//! The network between the program and PostgreSQL swallows what is sent, and tells nobody: connections stay open, and no
//! answer comes. Whoever asks is answered in a bounded time, and all is well again once the network is, although the
//! connections of before never answer.

use crate::faults::{figures, rounds, server::Server};
use axum::http::StatusCode;
use ipack_storage::open::open;
use ipack_testing::{
    databases::{Kind, on_empty},
    network::Network,
};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::task::JoinSet;

/// A statement's time, the time to get a connection, and a slow machine.
const BOUNDED: Duration = Duration::from_secs(14);
/// More than the pool has connections.
const MANY: u32 = 40;

#[test]
fn f06_a_network_that_swallows_everything_is_waited_for_briefly() {
    let name = "f06_a_network_that_swallows_everything_is_waited_for_briefly";
    on_empty(name, Kind::Postgres, |address| Box::pin(swallow(address)));
}

async fn swallow(address: String) {
    let network = Network::to(&address).await;
    let server = Arc::new(Server::new(open(network.address()).await.expect("it opens")).await);
    for round in 0..rounds(1, 10) {
        let first = u32::try_from(round).expect("few") * 1_000;
        assert!(save_many(&server, first).await.iter().all(|status| *status == 200), "the pool is full");
        let begun = Instant::now();
        // Some are in the middle of a save, and some of those hang up.
        let mut hanging_up = JoinSet::new();
        for number in 0..MANY {
            let server = server.clone();
            hanging_up.spawn(async move { server.save(first + 100 + number).await.status.as_u16() });
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
        network.silence();
        tokio::time::sleep(Duration::from_millis(200)).await;
        hanging_up.abort_all();
        let refused = save_many(&server, first + 200).await;
        assert!(refused.iter().all(|status| *status == 503), "{refused:?}");
        assert!(begun.elapsed() < BOUNDED, "it took {:?}", begun.elapsed());
        let begun = Instant::now();
        assert_eq!(server.readiness().await, StatusCode::SERVICE_UNAVAILABLE);
        assert!(begun.elapsed() < BOUNDED, "it took {:?}", begun.elapsed());
        network.bring_up();
        server.assert_soon(StatusCode::OK).await;
        let begun = Instant::now();
        let saved = save_many(&server, first + 300).await;
        assert!(saved.iter().all(|status| *status == 200), "every connection is there again: {saved:?}");
        assert!(begun.elapsed() < BOUNDED, "it took {:?}", begun.elapsed());
        assert!(server.assert_all_kept().await >= 2 * usize::try_from(MANY).expect("few") * (round + 1));
    }
    let times = rounds(1, 10);
    figures("F06", &format!("{times} times a network that swallows everything, {MANY} saves at once"));
    server.world.database.close().await;
}

/// So many saves at once; the status of each.
async fn save_many(server: &Arc<Server>, first: u32) -> Vec<u16> {
    let mut saving = JoinSet::new();
    for number in 0..MANY {
        let server = server.clone();
        saving.spawn(async move { server.save(first + number).await.status.as_u16() });
    }
    saving.join_all().await
}
