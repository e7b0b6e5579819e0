//! The disk takes what is written and fails to make it lasting, or takes its time: a system-call tracer lets every sync
//! of the real program fail, or last longer, for a while.

use crate::faults::server::{details, find_variables, save_variables};
use crate::faults::{not_run, program};
use base64::{Engine, engine::general_purpose::STANDARD};
use ipack_testing::databases::{Kind, on_empty};
use ipack_testing::process::started;
use ipack_testing::sample::{ACCOUNT, FIND, SAVE, SPACE};
use ipack_vault::Keyring;
use serde_json::{Value, json};
use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};
use tempfile::TempDir;

const SOON: Duration = Duration::from_secs(10);

/// The program, serving, and a client of it.
struct Program {
    child: Child,
    address: String,
    jwt: String,
}

/// Runs a command of the program to its end; what it wrote.
fn perform(address: &str, keyring: &Path, arguments: &[&str]) -> String {
    let output = started(program(address, keyring, arguments)).wait_with_output().expect("it ends");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    text
}

impl Program {
    fn start(database: &str, keyring: &Path) -> Self {
        Keyring::create(keyring).expect("a keyring");
        perform(
            database,
            keyring,
            &["space", "create", "--account", ACCOUNT, "--guid", SPACE, "--name", "S"],
        );
        let made = perform(database, keyring, &["token", "create", "--account", ACCOUNT, "--name", "ci"]);
        let token = made.lines().find_map(|line| serde_json::from_str::<Value>(line).ok()).expect("a token");
        let mut serving = program(database, keyring, &["serve"]);
        // Nobody reads what it logs.
        serving.env("IPACK_LISTEN", "127.0.0.1:0").env("IPACK_RATE_LIMIT", "off").stderr(Stdio::null());
        let mut child = started(serving);
        let mut lines = BufReader::new(child.stdout.take().expect("its output")).lines();
        let ready = lines.find_map(|line| {
            line.expect("text").split_once("is ready at http://").map(|(_, address)| address.to_owned())
        });
        thread::spawn(move || lines.for_each(drop));
        let mut program = Self { child, address: ready.expect("it listens"), jwt: String::new() };
        let basic = |field: &str| token[field].as_str().expect("text").to_owned();
        let basic = STANDARD.encode(format!("{}:{}", basic("username"), basic("token")));
        let path = format!("GET /auth/jwt/generate/{ACCOUNT}");
        let (status, jwt) = program.ask(&path, &format!("authorization: Basic {basic}\r\n"), "");
        assert_eq!(status, 200, "{jwt}");
        program.jwt = jwt.trim().to_owned();
        program
    }

    /// One request on a connection of its own.
    fn ask(&self, what: &str, headers: &str, body: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(&self.address).expect("it listens");
        stream.set_read_timeout(Some(SOON)).expect("set");
        let (address, length) = (&self.address, body.len());
        let request = format!(
            "{what} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n{headers}content-length: {length}\r\n\r\n{body}"
        );
        stream.write_all(request.as_bytes()).expect("sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
        (head[9..12].parse().expect("a status"), body.to_owned())
    }

    fn graphql(&self, query: &str, variables: &Value) -> String {
        let jwt = &self.jwt;
        let headers = format!(
            "authorization: Bearer {jwt}\r\nspace_guid: {SPACE}\r\naccept: application/json\r\ncontent-type: application/json\r\n"
        );
        let body = json!({"query": query, "variables": variables}).to_string();
        self.ask("POST /graphql", &headers, &body).1
    }

    /// Whether a save is acknowledged.
    fn save(&self, number: u32) -> bool {
        let answer = self.graphql(SAVE, &save_variables(number));
        let is_acknowledged = !answer.contains("\"errors\"");
        assert_eq!(is_acknowledged, answer.contains("integrationPackInstanceId"), "{answer}");
        is_acknowledged
    }

    fn assert_ready_soon(&self, expected: u16) {
        let begun = Instant::now();
        loop {
            let (status, text) = self.ask("GET /readyz", "", "");
            if status == expected {
                return;
            }
            assert!(begun.elapsed() < SOON, "/readyz still answers {status}: {text}");
            thread::sleep(Duration::from_millis(100));
        }
    }

    /// Lets something happen to every sync of the program; `None` where this process may not trace it.
    fn trace_syncs(&self, what: &str) -> Option<Tracer> {
        let process = self.child.id();
        let mut tracer = Command::new("strace");
        tracer.args(["-f", "-qq", "-o", "/dev/null", "-p", &process.to_string()]);
        tracer.args(["-e", "trace=fsync,fdatasync", "-e", &format!("inject=fsync,fdatasync:{what}")]);
        let mut tracer = tracer.stdin(Stdio::null()).spawn().expect("strace is installed");
        while !is_traced(process) {
            if tracer.try_wait().expect("waited for").is_some() {
                return None;
            }
            thread::sleep(Duration::from_millis(10));
        }
        Some(Tracer(tracer))
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Whether every thread of a process is traced.
fn is_traced(process: u32) -> bool {
    let threads = fs::read_dir(format!("/proc/{process}/task")).expect("it runs");
    threads.flatten().all(|thread| {
        // One that has ended meanwhile needs no tracer.
        fs::read_to_string(thread.path().join("status"))
            .map_or(true, |status| !status.lines().any(|line| line == "TracerPid:\t0"))
    })
}

struct Tracer(Child);

impl Tracer {
    /// Lets syncs work again.
    fn stop(mut self) {
        // Told, and not killed, it lets go of the program between two of its calls.
        let told = Command::new("kill").arg(self.0.id().to_string()).status().expect("kill is there");
        assert!(told.success());
        self.0.wait().expect("it ends");
    }
}

#[test]
fn f03_after_failed_syncs_the_next_save_works() {
    on_empty("f03_after_failed_syncs_the_next_save_works", Kind::Sqlite, |address| {
        Box::pin(async move {
            tokio::task::spawn_blocking(move || after_failed_syncs(&address)).await.expect("no panic");
        })
    });
}

fn after_failed_syncs(database: &str) {
    let folder = TempDir::with_prefix("ipack-keys-").expect("a temporary folder can be made");
    let program = Program::start(database, &folder.path().join("master.key"));
    assert!(program.save(0));
    program.assert_ready_soon(200);
    let mut acknowledged = vec![0];
    for round in 1..=2 {
        let Some(tracer) = program.trace_syncs("error=EIO") else {
            return not_run("f03 failed syncs", "this process may not trace another one; root may");
        };
        for number in 1..=3 {
            assert!(!program.save(100 * round + number), "nothing is acknowledged that is not synced");
        }
        program.assert_ready_soon(503);
        assert_eq!(program.ask("GET /healthz", "", "").0, 200, "it lives");
        assert!(program.graphql(FIND, &find_variables(0)).contains("0 0 0"), "reads go on");
        tracer.stop();
        assert!(program.save(round), "the next save works");
        acknowledged.push(round);
        program.assert_ready_soon(200);
    }
    for number in acknowledged {
        let answer = program.graphql(FIND, &find_variables(number));
        let expected = json!(details(number)).to_string();
        assert!(answer.contains(&expected), "{number} was acknowledged: {answer}");
    }
}

/// So many saves at once take as long as a few syncs, not as many as there are saves.
#[test]
fn saves_that_wait_for_a_slow_disk_share_its_syncs() {
    on_empty("saves_that_wait_for_a_slow_disk_share_its_syncs", Kind::Sqlite, |address| {
        Box::pin(async move {
            tokio::task::spawn_blocking(move || on_a_slow_disk(&address)).await.expect("no panic");
        })
    });
}

fn on_a_slow_disk(database: &str) {
    const SAVES: u32 = 64;
    const SYNC: Duration = Duration::from_millis(100);
    let folder = TempDir::with_prefix("ipack-keys-").expect("a temporary folder can be made");
    let program = Program::start(database, &folder.path().join("master.key"));
    assert!(program.save(0));
    let Some(tracer) = program.trace_syncs(&format!("delay_exit={}", SYNC.as_micros())) else {
        return not_run("slow disk", "this process may not trace another one; root may");
    };
    let begun = Instant::now();
    assert!(program.save(1));
    assert!(begun.elapsed() >= SYNC, "a save is acknowledged after its sync");
    let begun = Instant::now();
    thread::scope(|threads| {
        for number in 0..SAVES {
            let program = &program;
            threads.spawn(move || assert!(program.save(100 + number)));
        }
    });
    let took = begun.elapsed();
    assert!(took < SYNC * SAVES / 2, "{SAVES} saves took {took:?}");
    tracer.stop();
}
