//! The program itself as a client meets it over the network, on a database that outlives it; and that client's ledger of
//! what was acknowledged.

use crate::faults::server::{details, find_variables, save_variables};
use base64::{Engine, engine::general_purpose::STANDARD};
use ipack_testing::process::{self, Server};
use ipack_testing::sample::{ACCOUNT, FIND, SAVE, SPACE};
use ipack_vault::Keyring;
use serde_json::{Value, json};
use std::{
    io::{self, Read, Write},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::{
        Mutex,
        atomic::{AtomicU32, Ordering},
    },
    thread,
    time::{Duration, Instant},
};
use tempfile::TempDir;

/// How long a fault may be felt after it is over, or may go unseen.
pub const SOON: Duration = Duration::from_secs(10);

/// A database with a Space and an API token, on which the program is started again and again.
pub struct Installation {
    pub address: String,
    keyring: PathBuf,
    basic: String,
    folder: TempDir,
}

impl Installation {
    /// A keyring, for a database that may not be one.
    pub fn without_database(address: &str) -> Self {
        let folder = TempDir::with_prefix("ipack-keys-").expect("a temporary folder can be made");
        let keyring = folder.path().join("master.key");
        Keyring::create(&keyring).expect("a keyring");
        Self { address: address.to_owned(), keyring, basic: String::new(), folder }
    }

    pub fn new(address: &str) -> Self {
        let mut new = Self::without_database(address);
        new.perform(&["space", "create", "--account", ACCOUNT, "--guid", SPACE, "--name", "S"]);
        let made = new.perform(&["token", "create", "--account", ACCOUNT, "--name", "ci"]);
        let token = made.lines().find_map(|line| serde_json::from_str::<Value>(line).ok()).expect("a token");
        let text = |field: &str| token[field].as_str().expect("text").to_owned();
        new.basic = STANDARD.encode(format!("{}:{}", text("username"), text("token")));
        new
    }

    pub fn keyring(&self) -> &Path {
        &self.keyring
    }

    /// Where the keys are.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The same keys on another database.
    pub fn on(mut self, address: &str) -> Self {
        self.address = address.to_owned();
        self
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let executable = env!("CARGO_BIN_EXE_ipack-connect");
        let mut command = process::program(executable, &self.address, &self.keyring, arguments);
        command.env("IPACK_RATE_LIMIT", "off").env("IPACK_LISTEN", "127.0.0.1:0");
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().expect("it runs")
    }

    /// Runs a command that succeeds; what it wrote.
    pub fn perform(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
        text
    }

    pub fn start(&self) -> Program {
        let server = Server::start(self.command(&["serve"]));
        let mut program = Program { server, jwt: String::new() };
        let authorization = format!("authorization: Basic {}\r\n", self.basic);
        let path = format!("GET /auth/jwt/generate/{ACCOUNT}");
        let (status, jwt) = program.ask(&path, &authorization, "").expect("an answer");
        assert_eq!(status, 200, "{jwt}");
        program.jwt = jwt.trim().to_owned();
        program
    }
}

/// The program, serving, and a client of it. It is killed when this is dropped.
pub struct Program {
    pub server: Server,
    jwt: String,
}

impl Program {
    /// One request on a connection of its own: status and body.
    pub fn ask(&self, what: &str, headers: &str, body: &str) -> io::Result<(u16, String)> {
        let (address, length) = (&self.server.address, body.len());
        let mut stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(SOON))?;
        let request = format!(
            "{what} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n{headers}content-length: {length}\r\n\r\n{body}"
        );
        stream.write_all(request.as_bytes())?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        let (head, body) = answer.split_once("\r\n\r\n").ok_or(io::ErrorKind::UnexpectedEof)?;
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        if length.is_some_and(|length| length.parse() != Ok(body.len())) {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok((head[9..12].parse().expect("a status"), body.to_owned()))
    }

    pub fn graphql(&self, query: &str, variables: &Value) -> io::Result<(u16, String)> {
        let jwt = &self.jwt;
        let headers = format!(
            "authorization: Bearer {jwt}\r\nspace_guid: {SPACE}\r\naccept: application/json\r\ncontent-type: application/json\r\n"
        );
        self.ask("POST /graphql", &headers, &json!({"query": query, "variables": variables}).to_string())
    }

    /// Whether a save is acknowledged: a whole answer with status 200.
    pub fn save(&self, number: u32) -> bool {
        let Ok((status, answer)) = self.graphql(SAVE, &save_variables(number)) else { return false };
        let is_acknowledged = !answer.contains("\"errors\"");
        assert_eq!(is_acknowledged, status == 200, "{status} {answer}");
        is_acknowledged
    }

    /// Holds that an acknowledged save is there, whole.
    pub fn assert_kept(&self, number: u32) {
        let (_, answer) = self.graphql(FIND, &find_variables(number)).expect("an answer");
        assert!(answer.contains(&json!(details(number)).to_string()), "{number} was acknowledged: {answer}");
    }

    pub fn assert_ready_soon(&self, expected: u16) {
        let begun = Instant::now();
        loop {
            let (status, text) = self.ask("GET /readyz", "", "").expect("an answer");
            if status == expected {
                return;
            }
            assert!(begun.elapsed() < SOON, "/readyz still answers {status}: {text}");
            thread::sleep(Duration::from_millis(100));
        }
    }
}

/// Saves that were acknowledged, and the numbers of those to come.
#[derive(Default)]
pub struct Ledger {
    acknowledged: Mutex<Vec<u32>>,
    next: AtomicU32,
}

impl Ledger {
    /// A new one, whose numbers this one does not have.
    pub fn continued(&self) -> Self {
        Self { next: AtomicU32::new(self.next.load(Ordering::Relaxed)), ..Self::default() }
    }

    pub fn acknowledged(&self) -> Vec<u32> {
        self.acknowledged.lock().expect("nobody panics").clone()
    }

    /// The number of the next save.
    pub fn next(&self) -> u32 {
        self.next.load(Ordering::Relaxed)
    }

    /// One save of a number that no other has; whether it was acknowledged.
    pub fn save(&self, program: &Program) -> bool {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let is_acknowledged = program.save(number);
        if is_acknowledged {
            self.acknowledged.lock().expect("nobody panics").push(number);
        }
        is_acknowledged
    }

    /// Several clients save, each until a save is not acknowledged, while something else goes on.
    pub fn save_meanwhile<T>(&self, program: &Program, work: impl FnOnce() -> T) -> T {
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| while self.save(program) {});
            }
            let begun = (Instant::now(), self.acknowledged().len());
            while self.acknowledged().len() == begun.1 {
                assert!(begun.0.elapsed() < SOON, "no save is acknowledged");
                thread::sleep(Duration::from_millis(1));
            }
            let done = work();
            program.server.kill();
            done
        })
    }
}
