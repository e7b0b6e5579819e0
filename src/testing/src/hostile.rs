//! An identity provider that misbehaves, on a raw socket: it writes bytes that no HTTP library would.
//!
//! It is also the scripted server of other tests: [`Behaviour::Script`] answers each request with what a closure
//! makes of it, and [`Hostile::requests`] tells what was asked.

use flate2::{Compress, Compression, FlushCompress};
use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};
use url::Url;

/// What was asked. Names of headers are in lower case.
#[derive(Debug, Clone)]
pub struct Request {
    pub method: String,
    /// With the query.
    pub path: String,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Request {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }

    /// The fields of a posted form, in order.
    pub fn form(&self) -> Vec<(String, String)> {
        url::form_urlencoded::parse(self.body.as_bytes()).into_owned().collect()
    }
}

/// One proper answer.
#[derive(Debug, Clone)]
pub struct Reply {
    pub status: u16,
    pub content_type: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Reply {
    pub fn new(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        Self { status, content_type: content_type.to_owned(), headers: Vec::new(), body: body.into() }
    }

    pub fn json(status: u16, body: &serde_json::Value) -> Self {
        Self::new(status, "application/json", body.to_string())
    }

    pub fn redirect(to: &str) -> Self {
        let headers = vec![("Location".to_owned(), to.to_owned())];
        Self { headers, ..Self::new(302, "text/plain", "") }
    }
}

type Script = Box<dyn Fn(&Request) -> Reply + Send + Sync>;

pub enum Behaviour {
    /// Behaves.
    Script(Script),
    /// Takes the connection and says nothing.
    Silent,
    /// A byte of the body now and then, for ever.
    Drip(Duration),
    /// A byte of the head now and then, for ever.
    DripHead(Duration),
    EndlessBody,
    /// An endless body of zeros, packed a thousandfold.
    GzipBomb,
    /// Begins to pack, and says no more.
    SilentGzip,
    /// Says gzip and sends something else.
    BadGzip,
    /// Header after header.
    EndlessHeaders,
    /// One header line that does not end.
    EndlessHeader,
    /// "Continue", for ever.
    EndlessContinue,
    /// Announces a terabyte, and sends little of it.
    LyingLength,
    /// Hangs up in the middle of the body.
    BreaksOff,
    /// Hangs up in the middle of the head.
    BreaksOffEarly,
    Garbage,
}

impl Behaviour {
    pub fn script(script: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        Self::Script(Box::new(script))
    }

    /// Answers everything with this JSON.
    pub fn json(body: serde_json::Value) -> Self {
        Self::script(move |_| Reply::json(200, &body))
    }
}

#[derive(Debug, Default)]
struct Counters {
    connections: AtomicUsize,
    sent: AtomicU64,
    requests: Mutex<Vec<Request>>,
}

/// A running server; it stops when dropped.
#[derive(Debug)]
pub struct Hostile {
    pub addr: SocketAddr,
    counters: Arc<Counters>,
    accepting: JoinHandle<()>,
}

impl Drop for Hostile {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl Hostile {
    pub async fn start(behaviour: Behaviour) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let addr = listener.local_addr().expect("an address");
        let counters = Arc::new(Counters::default());
        let behaviour = Arc::new(behaviour);
        let counted = Arc::clone(&counters);
        let accepting = tokio::spawn(async move {
            // Its tasks end with it.
            let mut connections = tokio::task::JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                counted.connections.fetch_add(1, Ordering::SeqCst);
                let (behaviour, counters) = (Arc::clone(&behaviour), Arc::clone(&counted));
                connections.spawn(async move {
                    // The client hanging up is how most of these end.
                    let _ = serve(stream, &behaviour, &counters).await;
                });
            }
        });
        Self { addr, counters, accepting }
    }

    /// `http://127.0.0.1:…` and the path.
    pub fn url(&self, path: &str) -> Url {
        Url::parse(&format!("http://{}{path}", self.addr)).expect("an address")
    }

    pub fn connections(&self) -> usize {
        self.counters.connections.load(Ordering::SeqCst)
    }

    /// Bytes that the client's side took, most of which may wait in the socket's buffers.
    pub fn sent(&self) -> u64 {
        self.counters.sent.load(Ordering::SeqCst)
    }

    pub fn requests(&self) -> Vec<Request> {
        self.counters.requests.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

async fn serve(mut stream: TcpStream, behaviour: &Behaviour, counters: &Counters) -> std::io::Result<()> {
    let mut unread = Vec::new();
    while let Some(request) = read_request(&mut stream, &mut unread).await? {
        counters.requests.lock().unwrap_or_else(PoisonError::into_inner).push(request.clone());
        let Behaviour::Script(script) = behaviour else {
            return misbehave(&mut stream, behaviour, counters).await;
        };
        let reply = script(&request);
        let mut head = format!(
            "HTTP/1.1 {} Whatever\r\nContent-Type: {}\r\nContent-Length: {}\r\n",
            reply.status,
            reply.content_type,
            reply.body.len()
        );
        for (name, value) in &reply.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str("\r\n");
        send(&mut stream, head.as_bytes(), counters).await?;
        send(&mut stream, &reply.body, counters).await?;
    }
    Ok(())
}

/// The next request of a connection; `None` when the client is done.
async fn read_request(stream: &mut TcpStream, unread: &mut Vec<u8>) -> std::io::Result<Option<Request>> {
    let head_end = loop {
        if let Some(at) = unread.windows(4).position(|window| window == b"\r\n\r\n") {
            break at + 4;
        }
        if stream.read_buf(unread).await? == 0 {
            return Ok(None);
        }
    };
    let head = String::from_utf8_lossy(&unread[..head_end]).into_owned();
    let mut lines = head.lines();
    let mut first = lines.next().unwrap_or_default().split(' ').map(str::to_owned);
    let (method, path) = (first.next().unwrap_or_default(), first.next().unwrap_or_default());
    let headers: Vec<_> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let length = length.map_or(0, |(_, length)| length.parse().expect("a length"));
    while unread.len() < head_end + length {
        if stream.read_buf(unread).await? == 0 {
            return Ok(None);
        }
    }
    let body = String::from_utf8_lossy(&unread[head_end..head_end + length]).into_owned();
    unread.drain(..head_end + length);
    Ok(Some(Request { method, path, headers, body }))
}

async fn send(stream: &mut TcpStream, bytes: &[u8], counters: &Counters) -> std::io::Result<()> {
    stream.write_all(bytes).await?;
    counters.sent.fetch_add(bytes.len() as u64, Ordering::SeqCst);
    Ok(())
}

const JSON_HEAD: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n";

async fn misbehave(
    stream: &mut TcpStream,
    behaviour: &Behaviour,
    counters: &Counters,
) -> std::io::Result<()> {
    let kibibyte = vec![b' '; 1024];
    // Sent once, then again and again after each pause.
    let (first, again, pause): (&[u8], Vec<u8>, Duration) = match behaviour {
        Behaviour::Script(_) => return Ok(()),
        Behaviour::Silent => (b"", Vec::new(), Duration::from_secs(1)),
        Behaviour::Drip(pause) => (b"\r\n", vec![b' '], *pause),
        Behaviour::DripHead(pause) => (b"X-Slow: ", vec![b'x'], *pause),
        Behaviour::EndlessBody => (b"\r\n", kibibyte, Duration::ZERO),
        Behaviour::GzipBomb => (b"Content-Encoding: gzip\r\n\r\n", zeros(), Duration::ZERO),
        Behaviour::SilentGzip => (b"Content-Encoding: gzip\r\n\r\n", Vec::new(), Duration::from_secs(1)),
        Behaviour::BadGzip => (b"Content-Encoding: gzip\r\n\r\n", kibibyte, Duration::ZERO),
        Behaviour::EndlessHeaders => (b"", b"X-More: more\r\n".to_vec(), Duration::ZERO),
        Behaviour::EndlessHeader => (b"X-Long: ", kibibyte, Duration::ZERO),
        Behaviour::EndlessContinue => (b"", b"HTTP/1.1 100 Continue\r\n\r\n".to_vec(), Duration::ZERO),
        Behaviour::LyingLength => {
            (b"Content-Length: 1099511627776\r\n\r\n{\"a\":1}", Vec::new(), Duration::from_secs(1))
        }
        Behaviour::BreaksOff => {
            return send(stream, &[JSON_HEAD, b"Content-Length: 100\r\n\r\n{\"a\":"].concat(), counters)
                .await;
        }
        Behaviour::BreaksOffEarly => return send(stream, JSON_HEAD, counters).await,
        Behaviour::Garbage => return send(stream, b"\x00\xffSSH-2.0-something\r\n\r\n", counters).await,
    };
    if !matches!(behaviour, Behaviour::Silent | Behaviour::EndlessContinue) {
        send(stream, JSON_HEAD, counters).await?;
        send(stream, first, counters).await?;
    }
    if matches!(behaviour, Behaviour::GzipBomb | Behaviour::SilentGzip) {
        send(stream, GZIP_HEAD, counters).await?;
    }
    loop {
        send(stream, &again, counters).await?;
        if !pause.is_zero() {
            tokio::time::sleep(pause).await;
        }
    }
}

/// RFC 1952: magic, deflate, no flags, no time, no extra flags, unknown system.
const GZIP_HEAD: &[u8] = &[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];

/// A mebibyte of zeros, deflated so that it can follow itself without end (RFC 1951).
fn zeros() -> Vec<u8> {
    let mut deflate = Compress::new(Compression::best(), false);
    let mut packed = Vec::with_capacity(64 * 1024);
    deflate.compress_vec(&vec![0; 1 << 20], &mut packed, FlushCompress::Full).expect("room enough");
    packed
}
