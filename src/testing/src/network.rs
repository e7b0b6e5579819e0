//! The way to a PostgreSQL server, which a test cuts: between a COMMIT and its answer, or altogether for a while, with
//! or without anybody being told.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::watch,
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Up,
    Down,
    Silent,
}

/// A way that is there until this is dropped.
pub struct Network {
    address: String,
    state: Arc<watch::Sender<State>>,
    commits: Arc<AtomicUsize>,
}

impl Network {
    /// Another way to the database of a `postgres://` address.
    pub async fn to(address: &str) -> Self {
        let (scheme, rest) = address.split_once("://").expect("an address");
        let (host, database) = rest.split_once('/').expect("a database");
        let (user, server) = host.rsplit_once('@').expect("a user");
        let server: SocketAddr = server.parse().expect("a server by its number");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let here = listener.local_addr().expect("an address");
        let state = Arc::new(watch::channel(State::Up).0);
        let commits = Arc::new(AtomicUsize::new(0));
        let (watched, counted) = (state.clone(), commits.clone());
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                if *watched.borrow() != State::Down {
                    tokio::spawn(carry(client, server, watched.subscribe(), counted.clone()));
                }
            }
        });
        Self { address: format!("{scheme}://{user}@{here}/{database}"), state, commits }
    }

    pub fn address(&self) -> &str {
        &self.address
    }

    /// The connection whose COMMIT is the `nth` from now breaks once the server has carried it out, and before its answer
    /// comes back.
    pub fn cut_at_commit(&self, nth: usize) {
        self.commits.store(nth, Ordering::SeqCst);
    }

    /// Whether the COMMIT that was to be cut has been.
    pub fn has_cut(&self) -> bool {
        self.commits.load(Ordering::SeqCst) == 0
    }

    /// Breaks every connection, and lets none through.
    pub fn take_down(&self) {
        self.state.send_replace(State::Down);
    }

    /// Swallows all that is sent, on connections that stay open, and on new ones. Those of now stay so for ever.
    pub fn silence(&self) {
        self.state.send_replace(State::Silent);
    }

    pub fn bring_up(&self) {
        self.state.send_replace(State::Up);
    }
}

fn holds(bytes: &[u8], word: &[u8]) -> bool {
    bytes.windows(word.len()).any(|window| window == word)
}

/// Reads nothing of a connection and answers nothing, until the way goes down or is gone.
async fn keep_open(client: TcpStream, mut state: watch::Receiver<State>) {
    let _ = state.wait_for(|state| *state == State::Down).await;
    drop(client);
}

async fn carry(
    mut client: TcpStream,
    server: SocketAddr,
    mut state: watch::Receiver<State>,
    commits: Arc<AtomicUsize>,
) {
    if *state.borrow_and_update() == State::Silent {
        return keep_open(client, state).await;
    }
    let Ok(mut server) = TcpStream::connect(server).await else { return };
    let (mut asked, mut answered) = (vec![0; 65_536], vec![0; 65_536]);
    let mut is_cut = false;
    loop {
        tokio::select! {
            changed = state.changed() => {
                if changed.is_ok() && *state.borrow() == State::Silent {
                    keep_open(client, state).await;
                }
                return;
            }
            read = client.read(&mut asked) => {
                let Ok(length @ 1..) = read else { return };
                let bytes = &asked[..length];
                if holds(bytes, b"COMMIT") {
                    let counted = commits.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
                    is_cut = counted == Ok(1);
                }
                if server.write_all(bytes).await.is_err() {
                    return;
                }
            }
            read = server.read(&mut answered) => {
                let Ok(length @ 1..) = read else { return };
                let bytes = &answered[..length];
                if is_cut {
                    if holds(bytes, b"COMMIT") {
                        return;
                    }
                } else if client.write_all(bytes).await.is_err() {
                    return;
                }
            }
        }
    }
}
