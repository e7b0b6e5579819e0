//! PostgreSQL restarts under a running server: a PostgreSQL of this test's own, beside the one of the other tests.

use crate::faults::{figures, rounds, server::Server};
use axum::http::StatusCode;
use ipack_storage::open::open;
use ipack_testing::databases::POSTGRES_VARIABLE;
use std::{
    io::{BufRead, BufReader, Lines, Write},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::Duration,
};
use tokio::task::JoinSet;

/// Says where the server is, then does with it what each line of its input says, and answers `done`.
const OPERATOR: &str = r#"
    echo "$IPACK_TEST_POSTGRES"
    data=$IPACK_TEST_POSTGRES_DATA
    cd "$data/.."
    owner=$(stat --format=%U "$data")
    options=$(cut -d ' ' -f 2- "$data/postmaster.opts")
    as=(runuser -u "$owner" --)
    [ "$(id -un)" != "$owner" ] || as=()
    while read -r what mode; do
        "${as[@]}" "$IPACK_POSTGRES_BIN/pg_ctl" "$what" --mode="$mode" --silent --wait --pgdata="$data" \
            --options="$options" --log=/dev/null >&2 </dev/null
        echo done
    done
"#;

/// A PostgreSQL server that is gone when this is dropped.
struct OwnPostgres {
    child: Child,
    input: Option<ChildStdin>,
    output: Lines<BufReader<ChildStdout>>,
}

impl OwnPostgres {
    fn start() -> (Self, String) {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../end2end/with-postgres.sh");
        let mut child = Command::new(script)
            .args(["bash", "-euc", OPERATOR])
            .env_remove(POSTGRES_VARIABLE)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("it starts");
        let input = child.stdin.take();
        let output = BufReader::new(child.stdout.take().expect("its output")).lines();
        let mut server = Self { child, input, output };
        let address = server.line();
        (server, address)
    }

    fn line(&mut self) -> String {
        self.output.next().expect("it runs").expect("text")
    }

    /// Has `pg_ctl` do this with the server.
    fn control(&mut self, what: &str) {
        let input = self.input.as_mut().expect("open until the end");
        writeln!(input, "{what}").expect("it listens");
        assert_eq!(self.line(), "done");
    }
}

impl Drop for OwnPostgres {
    fn drop(&mut self) {
        // At the end of its input the script removes the server.
        self.input = None;
        let _ = self.child.wait();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f06_postgres_restarts_under_two_replicas_and_no_acknowledged_save_is_lost() {
    let (mut postgres, address) = OwnPostgres::start();
    let database = open(&address).await.expect("it opens");
    let server = Arc::new(Server::new(database.clone()).await);
    let second = open(&address).await.expect("it opens twice");
    let replica = Arc::new(server.replica(second.clone()).await);
    assert_eq!(server.save(0).await.json().get("errors"), None);
    assert_eq!(server.readiness().await, StatusCode::OK);
    let (is_over, numbers) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU32::new(1)));
    let mut savers = JoinSet::new();
    for server in [&server, &replica].into_iter().cycle().take(8) {
        let (server, is_over, numbers) = (server.clone(), is_over.clone(), numbers.clone());
        savers.spawn(async move {
            let mut refused = 0;
            while !is_over.load(Ordering::Relaxed) {
                let reply = server.save(numbers.fetch_add(1, Ordering::Relaxed)).await;
                refused += usize::from(reply.json().get("errors").is_some());
            }
            refused
        });
    }
    let mut postgres = tokio::task::spawn_blocking(move || {
        for mode in ["immediate", "fast"].into_iter().cycle().take(rounds(2, 20)) {
            std::thread::sleep(Duration::from_millis(500));
            postgres.control(&format!("restart {mode}"));
        }
        std::thread::sleep(Duration::from_millis(500));
        postgres
    })
    .await
    .expect("it restarts");
    is_over.store(true, Ordering::Relaxed);
    let refused: usize = savers.join_all().await.into_iter().sum();
    assert!(refused > 0, "it was not in the middle of saves");
    for server in [&server, &replica] {
        let reply = server.save(numbers.fetch_add(1, Ordering::Relaxed)).await;
        assert_eq!(reply.json().get("errors"), None, "the next save works: {}", reply.text);
    }
    let kept = server.assert_all_kept().await;
    assert!(kept > 2);
    let times = rounds(2, 20);
    figures("F06", &format!("{times} restarts of PostgreSQL, all of {kept} saves kept, {refused} refused"));
    // While it is away for longer, that shows.
    postgres = tokio::task::spawn_blocking(move || {
        postgres.control("stop fast");
        postgres
    })
    .await
    .expect("it stops");
    server.assert_soon(StatusCode::SERVICE_UNAVAILABLE).await;
    postgres = tokio::task::spawn_blocking(move || {
        postgres.control("start fast");
        postgres
    })
    .await
    .expect("it starts");
    server.assert_soon(StatusCode::OK).await;
    database.close().await;
    second.close().await;
    drop(postgres);
}
