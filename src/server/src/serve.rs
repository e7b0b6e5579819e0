//! Listening, serving, the work that is done now and then, and stopping.

use crate::{
    config::Config,
    connections::{ConnectionLimits, serve_until},
    health,
    router::router,
};
use ipack_core::Services;
use std::{net::SocketAddr, sync::Arc, time::Duration};
use tokio::net::TcpListener;

/// How often tokens that are due are looked for.
const REFRESH_EVERY: Duration = Duration::from_secs(5);
/// How long calls to identity providers that are under way may take to end: what they bring cannot be had twice.
const LAST_CALLS: Duration = Duration::from_secs(30);
/// Takes the address.
///
/// # Errors
/// With a sentence that names it.
pub async fn listen(address: SocketAddr) -> Result<TcpListener, String> {
    let taken = TcpListener::bind(address).await;
    taken.map_err(|error| {
        format!("{address} cannot be listened on ({error}); IPACK_LISTEN says which address and port to use")
    })
}

/// Serves until the process is told to stop, then lets running requests end.
pub async fn serve(services: Services, config: Arc<Config>, listener: TcpListener, started: impl FnOnce()) {
    let limits = ConnectionLimits::of_this_process();
    let app = router(services.clone(), config);
    let tidying = tokio::spawn(clean_up_periodically(services.clone()));
    let refreshing = tokio::spawn(refresh_periodically(services.clone()));
    let summing_up = tokio::spawn(health::sum_up_periodically());
    let counting = tokio::spawn(health::count_connections_periodically(services.clone()));
    started();
    serve_until(told_to_stop(), limits, listener, app).await;
    tidying.abort();
    refreshing.abort();
    summing_up.abort();
    counting.abort();
    // Tokens that are on their way are kept, and reads that were counted are written down.
    services.stopping.cancel();
    services.background.close();
    let _ = tokio::time::timeout(LAST_CALLS, services.background.wait()).await;
    if let Err(error) = services.write_uses().await {
        tracing::warn!(error = %error, "the last reads of tokens were not written down");
    }
    // A request that was left behind may hold a connection.
    let _ = tokio::time::timeout(limits.drain, services.database.close()).await;
}

async fn clean_up_periodically(services: Services) {
    let mut hourly = tokio::time::interval(Duration::from_secs(3_600));
    loop {
        hourly.tick().await;
        if let Err(error) = services.tidy().await {
            tracing::warn!(error = %error, "housekeeping failed; it is tried again in an hour");
        }
    }
}

/// Keeps tokens fresh, and writes down who read them.
async fn refresh_periodically(services: Services) {
    let mut often = tokio::time::interval(REFRESH_EVERY);
    often.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        often.tick().await;
        // On its own: a refresh goes on to its end although the server stops meanwhile, and a provider that takes its
        // time holds up nobody else. What is under way already is left alone.
        let refreshing = services.clone();
        services.background.spawn(async move {
            match refreshing.refresh_due().await {
                Ok(0) => {}
                Ok(count) => tracing::info!(count, "tokens refreshed"),
                Err(error) => tracing::warn!(error = %error, "tokens could not be looked up for refresh"),
            }
        });
        // What a server that stopped left in the queue.
        services.revoke_soon();
        if let Err(error) = services.write_uses().await {
            tracing::warn!(error = %error, "reads of tokens could not be written down; they are tried again");
        }
    }
}

async fn told_to_stop() {
    use tokio::signal::unix::{SignalKind, signal};
    let interrupt = tokio::signal::ctrl_c();
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => {
            tokio::select! {
                _ = interrupt => {}
                _ = terminate.recv() => {}
            }
        }
        Err(error) => {
            tracing::warn!(error = %error, "SIGTERM cannot be listened for");
            let _ = interrupt.await;
        }
    }
    tracing::info!("stopping: running requests may end");
}
