//! Strangers cost the program little, and leave others their answers: each test is what many of them do at once to the
//! program itself, its largest memory, and `/healthz` meanwhile.

use ipack_server::connections::ConnectionLimits;
use ipack_testing::process::{Server, program};
use ipack_vault::Keyring;
use std::{
    io::{Read, Write},
    net::TcpStream,
    thread,
    time::{Duration, Instant},
};
use tempfile::TempDir;

/// The most memory, in MiB.
const MOST: u64 = 150;
/// How long `/healthz` may take on a busy machine.
const QUICK: Duration = Duration::from_secs(2);

fn serve(folder: &TempDir) -> Server {
    // As many connections as the test needs on its own side.
    ConnectionLimits::of_this_process();
    let keyring = folder.path().join("master.key");
    Keyring::create(&keyring).expect("a keyring");
    let database = format!("sqlite://{}", folder.path().join("test.db").display());
    let mut command = program(env!("CARGO_BIN_EXE_ipack-connect"), &database, &keyring, &["serve"]);
    // Each stranger comes from an address of their own, so that what is counted by address hides nothing.
    command.env("IPACK_TRUSTED_PROXIES", "127.0.0.1").env("IPACK_ADMIN_PASSWORD", "correct horse battery");
    Server::start(command)
}

impl Stranger<'_> {
    fn sign_in(&self, password: &str) -> Vec<u8> {
        let Self { server, number } = self;
        let body = format!("email={number}%40example.com&password={password}");
        let (address, length) = (&server.address, body.len());
        let (two, one) = (number / 256, number % 256);
        format!(
            "POST /login HTTP/1.1\r\nhost: {address}\r\norigin: http://{address}\r\naccept: text/html\r\n\
             x-forwarded-for: 203.0.{two}.{one}\r\ncontent-type: application/x-www-form-urlencoded\r\n\
             content-length: {length}\r\n\r\n{body}"
        )
        .into_bytes()
    }

    /// Sends what the server takes of it; it may hang up before it has all.
    fn send(&self, bytes: &[u8]) -> TcpStream {
        let mut stream = TcpStream::connect(&self.server.address).expect("it listens");
        let _ = stream.write_all(bytes);
        stream
    }
}

struct Stranger<'a> {
    server: &'a Server,
    number: usize,
}

/// Asks for `/healthz` while this goes on, and a while after it, and holds that every answer is quick.
fn assert_healthy_meanwhile(server: &Server, work: impl FnOnce() + Send) {
    thread::scope(|scope| {
        let working = scope.spawn(work);
        let mut rest = 5;
        while rest > 0 {
            let begun = Instant::now();
            let mut stream = TcpStream::connect(&server.address).expect("it listens");
            stream.set_read_timeout(Some(10 * QUICK)).expect("set");
            let request =
                format!("GET /healthz HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n\r\n", server.address);
            stream.write_all(request.as_bytes()).expect("sent");
            let mut answer = String::new();
            stream.read_to_string(&mut answer).expect("an answer");
            assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
            assert!(begun.elapsed() < QUICK, "/healthz took {:?}", begun.elapsed());
            rest -= usize::from(working.is_finished());
            thread::sleep(Duration::from_millis(50));
        }
        working.join().expect("no panic");
    });
    let most = server.peak_memory();
    assert!(most < MOST, "{most} MiB");
    println!("{most} MiB at most");
}

#[test]
fn five_hundred_sign_ins_that_hang_up_take_little_memory() {
    let folder = TempDir::new().expect("a folder");
    let server = serve(&folder);
    assert_healthy_meanwhile(&server, || {
        for _ in 0..2 {
            let strangers = (0..250).map(|number| Stranger { server: &server, number });
            let sent: Vec<TcpStream> =
                strangers.map(|stranger| stranger.send(&stranger.sign_in("wrong"))).collect();
            // Until those that may begin have begun.
            thread::sleep(Duration::from_millis(100));
            drop(sent);
        }
    });
}

#[test]
fn forty_sign_ins_of_seven_megabytes_take_little_memory() {
    let folder = TempDir::new().expect("a folder");
    let server = serve(&folder);
    let long = "x".repeat(7_000_000);
    assert_healthy_meanwhile(&server, || {
        thread::scope(|scope| {
            for number in 0..40 {
                let (server, long) = (&server, &long);
                scope.spawn(move || {
                    let stranger = Stranger { server, number };
                    let mut stream = stranger.send(&stranger.sign_in(long));
                    stream.set_read_timeout(Some(10 * QUICK)).expect("set");
                    let mut answer = [0; 12];
                    // Hung up on in the middle of sending, the answer may be lost.
                    if stream.read_exact(&mut answer).is_ok() {
                        assert_eq!(&answer, b"HTTP/1.1 413");
                    }
                });
            }
        });
    });
}

#[test]
fn fifteen_hundred_half_heads_take_little_memory() {
    let folder = TempDir::new().expect("a folder");
    let server = serve(&folder);
    let half = format!("GET /login HTTP/1.1\r\nhost: x\r\nx-filler: {}", "x".repeat(4_000));
    assert_healthy_meanwhile(&server, || {
        let strangers = (0..1_500).map(|number| Stranger { server: &server, number });
        let sent: Vec<TcpStream> = strangers.map(|stranger| stranger.send(half.as_bytes())).collect();
        thread::sleep(Duration::from_millis(500));
        drop(sent);
    });
}
