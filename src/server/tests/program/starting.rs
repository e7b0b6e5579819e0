//! How the server starts and stops: what it takes first, whom it waits for, and what each request leaves in the log.

use axum::{
    Router,
    body::Body,
    extract::ConnectInfo,
    http::{Request, StatusCode},
};
use ipack_server::{
    cli,
    config::{Config, DatabaseUrl},
    connections::{ConnectionLimits, serve_until},
};
use ipack_storage::{Database, admins, open::open};
use ipack_testing::world::World;
use std::{
    io,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::oneshot,
    time::timeout,
};
use tower::ServiceExt;
use tracing::instrument::WithSubscriber;

on_both!(every_request_leaves_one_line_in_the_log);

mod taken {
    on_both!(empty: a_taken_address_leaves_the_database_without_an_admin);
    use super::a_taken_address_leaves_the_database_without_an_admin;
}

const LONG: Duration = Duration::from_secs(20);

/// What tells a server to stop, and what it waits for.
fn stopping() -> (oneshot::Sender<()>, impl Future<Output = ()>) {
    let (stop, stopped) = oneshot::channel();
    let stop_told = async move {
        let _ = stopped.await;
    };
    (stop, stop_told)
}

async fn a_taken_address_leaves_the_database_without_an_admin(address: String) {
    let taken = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.expect("a free port");
    let listen = taken.local_addr().expect("an address");
    let config = Config { listen, database_url: DatabaseUrl(address.clone()), ..Config::default() };
    let error = cli::serve(Arc::new(config), None, false).await.expect_err("it is taken").to_string();
    assert!(error.contains(&listen.to_string()) && error.contains("IPACK_LISTEN"), "{error}");
    let database = open(&address).await.expect("it opens");
    assert!(!read_now!(database, db => admins::any(db)), "its password was shown to nobody");
    database.close().await;
}

async fn listener() -> (TcpListener, SocketAddr) {
    let listener = ipack_server::serve::listen(([127, 0, 0, 1], 0).into()).await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    (listener, address)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_that_never_ends_keeps_nobody_from_stopping() {
    for (drain, half) in
        [(50, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nhalf"), (50, "GET / HT")]
    {
        let (listener, address) = listener().await;
        let (stop, stop_told) = stopping();
        let reads = Router::new().fallback(|body: String| async move { body });
        let limits = ConnectionLimits { drain: Duration::from_millis(drain), ..ConnectionLimits::default() };
        let serving = tokio::spawn(serve_until(stop_told, limits, listener, reads));
        let client = TcpStream::connect(address).await.expect("it listens");
        client.writable().await.expect("connected");
        client.try_write(half.as_bytes()).expect("sent");
        // Until the server has it; where it has not yet, it stops all the more.
        tokio::time::sleep(Duration::from_millis(100)).await;
        stop.send(()).expect("it runs");
        timeout(LONG, serving).await.expect("it stops").expect("no panic");
        drop(client);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_under_way_ends_before_the_server_stops() {
    let (listener, address) = listener().await;
    let (stop, stop_told) = stopping();
    let (begun, has_begun) = oneshot::channel::<()>();
    let begun = Arc::new(Mutex::new(Some(begun)));
    let slow = Router::new().fallback(move || {
        let begun = begun.clone();
        async move {
            if let Some(begun) = begun.lock().expect("nobody panics").take() {
                let _ = begun.send(());
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
            "done"
        }
    });
    let limits = ConnectionLimits { drain: LONG, ..ConnectionLimits::default() };
    let serving = tokio::spawn(serve_until(stop_told, limits, listener, slow));
    let client = TcpStream::connect(address).await.expect("it listens");
    client.writable().await.expect("connected");
    client.try_write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").expect("sent");
    has_begun.await.expect("the request has begun");
    stop.send(()).expect("it runs");
    timeout(LONG / 2, serving).await.expect("long before its time is up").expect("no panic");
    let mut answer = [0; 1_024];
    client.readable().await.expect("an answer");
    let length = client.try_read(&mut answer).expect("an answer");
    assert!(String::from_utf8_lossy(&answer[..length]).ends_with("done"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_without_a_whole_head_is_closed_and_makes_room() {
    let (listener, address) = listener().await;
    let limits =
        ConnectionLimits { at_once: 3, head: Duration::from_millis(300), ..ConnectionLimits::default() };
    let hello = Router::new().fallback(async |ConnectInfo(peer): ConnectInfo<SocketAddr>| peer.to_string());
    let serving = tokio::spawn(serve_until(std::future::pending(), limits, listener, hello));
    let mut halves = Vec::new();
    for half in ["", "GET / HT", "GET / HTTP/1.1\r\nhost: x\r\n"] {
        let mut stream = TcpStream::connect(address).await.expect("it listens");
        stream.write_all(half.as_bytes()).await.expect("sent");
        halves.push(stream);
    }
    // There is no room for it until one of them is closed.
    let mut next = TcpStream::connect(address).await.expect("it listens");
    let request = "GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    next.write_all(request.as_bytes()).await.expect("sent");
    let mut answer = String::new();
    let early = timeout(Duration::from_millis(100), next.read_to_string(&mut answer)).await;
    early.expect_err("it waits");
    timeout(LONG, next.read_to_string(&mut answer)).await.expect("it has its turn").expect("an answer");
    let peer = next.local_addr().expect("an address").to_string();
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with(&peer), "{answer}");
    for mut half in halves {
        let mut rest = Vec::new();
        timeout(LONG, half.read_to_end(&mut rest)).await.expect("it is closed").expect("the end");
    }
    serving.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_does_not_read_their_answer_is_hung_up_on_and_makes_room() {
    let (listener, address) = listener().await;
    let (stop, stop_told) = stopping();
    let limits =
        ConnectionLimits { at_once: 2, write: Duration::from_millis(300), ..ConnectionLimits::default() };
    // More than what the sockets of both sides take.
    let large = Router::new().fallback(async || vec![7_u8; 64 << 20]);
    let serving = tokio::spawn(serve_until(stop_told, limits, listener, large));
    let request = b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    let mut idle = Vec::new();
    for _ in 0..2 {
        let mut stream = TcpStream::connect(address).await.expect("it listens");
        stream.write_all(request).await.expect("sent");
        idle.push(stream);
    }
    // There is room for it only once one of them is closed. It takes its time, and gets everything.
    let mut slow = TcpStream::connect(address).await.expect("it listens");
    slow.write_all(request).await.expect("sent");
    let mut read = 0;
    let mut buffer = vec![0; 8 << 20];
    let reading = async {
        loop {
            match slow.read(&mut buffer).await.expect("an answer") {
                0 => break,
                length => read += length,
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(LONG, reading).await.expect("it has its turn");
    assert!(read > 64 << 20, "{read} bytes");
    for mut stream in idle {
        let mut answer = Vec::new();
        let ended = timeout(LONG, stream.read_to_end(&mut answer)).await.expect("it is closed");
        assert!(ended.is_err() || answer.len() < 64 << 20, "it was sent all of it");
    }
    // Somebody else who does not read keeps nobody from stopping.
    let mut stream = TcpStream::connect(address).await.expect("it listens");
    stream.write_all(request).await.expect("sent");
    tokio::time::sleep(Duration::from_millis(50)).await;
    stop.send(()).expect("it runs");
    timeout(LONG, serving).await.expect("it stops").expect("no panic");
}

/// As a proxy does it that reads an answer only once it has passed the body on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refusal_before_the_body_was_read_arrives_all_the_same() {
    let (listener, address) = listener().await;
    let (stop, stop_told) = stopping();
    let refusing = Router::new().fallback(async || (StatusCode::UNAUTHORIZED, "who are you?"));
    let serving = tokio::spawn(serve_until(stop_told, ConnectionLimits::default(), listener, refusing));
    // From what the sockets take at once to what they do not.
    for kib in [1, 40, 100, 300, 900, 4_000, 12_000] {
        let mut stream = TcpStream::connect(address).await.expect("it listens");
        let head = format!("POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n\r\n", kib * 1_024);
        stream.write_all(head.as_bytes()).await.expect("sent");
        for _ in 0..kib {
            stream.write_all(&[b'x'; 1_024]).await.unwrap_or_else(|error| panic!("{kib} KiB: {error}"));
            tokio::task::yield_now().await;
        }
        let mut answer = String::new();
        let read = timeout(LONG, stream.read_to_string(&mut answer)).await.expect("it is closed");
        read.unwrap_or_else(|error| panic!("{kib} KiB: {error}"));
        assert!(
            answer.starts_with("HTTP/1.1 401") && answer.ends_with("who are you?"),
            "{kib} KiB: {answer}"
        );
    }
    // Who goes on and on is left alone after a while.
    let mut stream = TcpStream::connect(address).await.expect("it listens");
    let head = format!("POST / HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n\r\n", u64::MAX / 2);
    stream.write_all(head.as_bytes()).await.expect("sent");
    let sending = async {
        while stream.write_all(&[b'x'; 1_024]).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    timeout(LONG, sending).await.expect("it is hung up on");
    stop.send(()).expect("it runs");
    timeout(LONG, serving).await.expect("it stops").expect("no panic");
}

#[tokio::test]
async fn a_head_beyond_its_size_is_refused() {
    let (listener, address) = listener().await;
    let serving = serve_until(std::future::pending(), ConnectionLimits::default(), listener, Router::new());
    let serving = tokio::spawn(serving);
    let mut stream = TcpStream::connect(address).await.expect("it listens");
    let long = format!("GET /{} HTTP/1.1\r\nhost: x\r\n\r\n", "x".repeat(40_000));
    let _ = stream.write_all(long.as_bytes()).await;
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).await.expect("an answer");
    assert_eq!(&answer, b"HTTP/1.1 431");
    serving.abort();
}

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("nobody panics").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

async fn every_request_leaves_one_line_in_the_log(database: Database) {
    let world = World::new(database).await;
    let lines = Lines::default();
    let writer = lines.clone();
    let log = tracing_subscriber::fmt()
        .json()
        .with_max_level(tracing::Level::INFO)
        .with_writer(move || writer.clone())
        .finish();
    let request = Request::get("/login?next=/hush").header("x-request-id", "request-of-a-test");
    let request = request.body(Body::empty()).expect("a request");
    let answer = world.router().oneshot(request).with_subscriber(log).await.expect("an answer");
    assert_eq!(answer.status(), StatusCode::OK);
    let text = String::from_utf8(lines.0.lock().expect("nobody panics").clone()).expect("text");
    assert!(!text.contains("hush"), "{text}");
    let answered: Vec<serde_json::Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .filter(|line: &serde_json::Value| line["fields"]["message"] == "answered")
        .collect();
    assert_eq!(answered.len(), 1, "{text}");
    let (fields, span) = (&answered[0]["fields"], &answered[0]["span"]);
    assert_eq!(fields["status"], 200);
    assert!(fields["milliseconds"].is_number());
    assert_eq!(span["method"], "GET");
    assert_eq!(span["path"], "/login");
    assert_eq!(span["request_id"], "request-of-a-test");
}
