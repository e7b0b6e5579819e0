//! Taking connections and serving them, so that a stranger's costs little: there are so many at once, a request's head
//! arrives within its time and has a size, whoever does not read their answer is hung up on, and what does not end in time
//! is left behind when the server stops.
//!
//! `axum::serve` has none of these bounds, so the loop is written here, on hyper's connections.

mod client_stream;

use axum::{Router, body::Body, extract::ConnectInfo};
use client_stream::ClientStream;
use hyper::{Request, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::{io, net::SocketAddr, pin::pin, sync::Arc, time::Duration};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::ServiceExt;

/// Connections at once: with a request's head that is not whole, each costs some 20 KiB.
const CONNECTIONS: u64 = 4_096;
/// Files that are left for the database, for calls to providers and for the log.
const OWN_FILES: u64 = 256;
/// The largest head of a request, in bytes, and the most that is read at once of its body.
const BUFFER: usize = 32 * 1_024;
/// How long to wait where the machine has no connection to give.
const ACCEPT_AGAIN: Duration = Duration::from_secs(1);

/// What connections may take.
#[derive(Debug, Clone, Copy)]
pub struct ConnectionLimits {
    /// Connections at once; who comes then waits.
    pub at_once: usize,
    /// Until a request's head is whole, and how long a connection may be idle.
    pub head: Duration,
    /// How long a client may take no byte of its answer.
    pub write: Duration,
    /// How long requests have to end once the server is to stop.
    pub drain: Duration,
}

impl Default for ConnectionLimits {
    fn default() -> Self {
        let at_once = usize::try_from(CONNECTIONS).unwrap_or(usize::MAX);
        Self {
            at_once,
            head: Duration::from_secs(15),
            write: Duration::from_secs(30),
            drain: Duration::from_secs(10),
        }
    }
}

impl ConnectionLimits {
    /// The defaults, with as many connections as the process may have files open. That is raised first, where the machine
    /// allows it.
    pub fn of_this_process() -> Self {
        let files = getrlimit(Resource::Nofile);
        let wanted = CONNECTIONS + OWN_FILES;
        let allowed = files.maximum.map_or(wanted, |maximum| maximum.min(wanted));
        let current = files.current.unwrap_or(u64::MAX);
        let raised = Rlimit { current: Some(allowed), ..files };
        let is_raised = current < allowed && setrlimit(Resource::Nofile, raised).is_ok();
        let files = if is_raised { allowed } else { current };
        let at_once = files.saturating_sub(OWN_FILES).clamp(files.div_ceil(2).min(CONNECTIONS), CONNECTIONS);
        if at_once < CONNECTIONS {
            tracing::warn!(
                at_once,
                files,
                "few files may be open at once, so there are few connections (ulimit -n)"
            );
        }
        Self { at_once: usize::try_from(at_once).unwrap_or(usize::MAX), ..Self::default() }
    }
}

/// Serves until `stop` ends. Then requests have so long to end; those that do not, and clients that never finish what
/// they began to send, are left behind.
pub async fn serve_until(
    stop: impl Future<Output = ()>,
    limits: ConnectionLimits,
    listener: TcpListener,
    app: Router,
) {
    let slots = Arc::new(Semaphore::new(limits.at_once));
    let connections = TaskTracker::new();
    let stopping = CancellationToken::new();
    let mut stop = pin!(stop);
    loop {
        let (stream, peer, slot) = tokio::select! {
            () = &mut stop => break,
            accepted = accept(&listener, &slots) => accepted,
        };
        let (app, stopping) = (app.clone(), stopping.clone());
        connections.spawn(async move {
            let _slot = slot;
            if let Err(error) = serve_connection(stream, peer, app, limits, stopping).await {
                tracing::debug!(%peer, %error, "a connection ended early");
            }
        });
    }
    // Nobody else is taken.
    drop(listener);
    stopping.cancel();
    connections.close();
    if tokio::time::timeout(limits.drain, connections.wait()).await.is_err() {
        tracing::warn!("some requests have not ended; they are left behind");
    }
}

async fn accept(
    listener: &TcpListener,
    slots: &Arc<Semaphore>,
) -> (TcpStream, SocketAddr, OwnedSemaphorePermit) {
    let slot = slots.clone().acquire_owned().await.expect("the semaphore is never closed");
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                // The end of a long page would wait for the client's word that it has the beginning: 40 ms.
                if let Err(error) = stream.set_nodelay(true) {
                    tracing::debug!(%error, "a connection is over before it was taken");
                }
                return (stream, peer, slot);
            }
            Err(error) if is_of_one_connection(&error) => {}
            Err(error) => {
                tracing::error!(%error, "no connection can be taken at the moment");
                tokio::time::sleep(ACCEPT_AGAIN).await;
            }
        }
    }
}

/// It was over before it was taken, and the next one may do.
fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

async fn serve_connection(
    stream: TcpStream,
    peer: SocketAddr,
    app: Router,
    limits: ConnectionLimits,
    stopping: CancellationToken,
) -> hyper::Result<()> {
    let service = service_fn(move |request: Request<Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(ConnectInfo(peer));
        app.clone().oneshot(request)
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(limits.head)
        .max_header_size(BUFFER)
        .max_buf_size(BUFFER);
    let stream = TokioIo::new(ClientStream::new(stream, limits.write));
    let mut connection = pin!(http.serve_connection(stream, service));
    tokio::select! {
        served = connection.as_mut() => served,
        () = stopping.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    }
}
