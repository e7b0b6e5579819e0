//! One of two replicas on PostgreSQL stalls in the middle of a write, with its locks: the other goes on, whatever is asked
//! of it in a bounded time, and the stalled one joins in again when it wakes.

use crate::faults::{
    figures,
    program::{Installation, Ledger, Program, SOON},
    rounds,
};
use ipack_domain::effects::random_bytes;
use ipack_testing::databases::{Kind, on_empty};
use sqlx::{Connection, PgConnection};
use std::{
    process::Command,
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

/// What `docs/operating.md` says of any request: the wait for two locks, and a slow machine.
const BOUNDED: Duration = Duration::from_secs(8);
/// PostgreSQL ends the stalled transaction after ten seconds.
const RELEASED: Duration = Duration::from_secs(20);
const STALLED: &str = "SELECT COUNT(*) FROM pg_stat_activity
     WHERE datname = current_database() AND state LIKE 'idle in transaction%' AND backend_xid IS NOT NULL";

#[test]
fn f06_a_replica_that_stalls_in_a_write_holds_up_the_other_briefly() {
    let name = "f06_a_replica_that_stalls_in_a_write_holds_up_the_other_briefly";
    on_empty(name, Kind::Postgres, |address| {
        Box::pin(async move {
            let connection = PgConnection::connect(&address).await.expect("it opens");
            tokio::task::spawn_blocking(move || stall(&address, connection)).await.expect("no panic");
        })
    });
}

fn signal(program: &Program, signal: &str) {
    let process = program.server.id().to_string();
    let told = Command::new("kill").args([signal, &process]).status().expect("kill is there");
    assert!(told.success());
}

/// How many transactions that wrote something wait for their client.
fn stalled(connection: &mut PgConnection) -> i64 {
    let asked = sqlx::query_scalar(STALLED).fetch_one(connection);
    tokio::runtime::Handle::current().block_on(asked).expect("PostgreSQL answers")
}

fn stall(address: &str, mut connection: PgConnection) {
    let installation = Installation::new(address);
    let (stalling, other) = (installation.start(), installation.start());
    let ledger = Ledger::default();
    for _ in 0..rounds(1, 10) {
        let (end, ended) = mpsc::channel::<()>();
        thread::scope(|scope| {
            let (ledger, stalling) = (&ledger, &stalling);
            let saving = scope.spawn(move || {
                while ended.try_recv() == Err(mpsc::TryRecvError::Empty) {
                    ledger.save(stalling);
                }
            });
            // Stopped again and again, until that is in the middle of a write.
            let begun = Instant::now();
            loop {
                let [moment] = random_bytes::<1>();
                thread::sleep(Duration::from_millis(u64::from(moment) / 4));
                signal(stalling, "-STOP");
                // What PostgreSQL is at comes to its end.
                thread::sleep(Duration::from_millis(50));
                if stalled(&mut connection) > 0 {
                    break;
                }
                signal(stalling, "-CONT");
                assert!(begun.elapsed() < Duration::from_secs(60), "it is never in the middle of a write");
            }
            // The one that it is at too.
            let held = ledger.next().saturating_sub(2)..ledger.next() + 1;
            let begun = Instant::now();
            loop {
                let asked = Instant::now();
                let refused = held.clone().filter(|number| !other.save(*number)).count();
                let most = BOUNDED * (1 + u32::try_from(refused).expect("few"));
                assert!(asked.elapsed() < most, "{refused} were refused in {:?}", asked.elapsed());
                if refused == 0 {
                    break;
                }
                assert!(begun.elapsed() < RELEASED, "{refused} are still refused");
            }
            assert!(ledger.save(&other), "the others are saved meanwhile");
            assert_eq!(other.ask("GET /readyz", "", "").expect("an answer").0, 200);
            signal(stalling, "-CONT");
            drop(end);
            saving.join().expect("no panic");
        });
        let begun = Instant::now();
        while !ledger.save(&stalling) {
            assert!(begun.elapsed() < SOON, "it does not join in again");
        }
        ledger.acknowledged().into_iter().for_each(|number| stalling.assert_kept(number));
    }
    let kept = ledger.acknowledged().len();
    figures("F06", &format!("{} times a replica stalls in a write, all of {kept} saves kept", rounds(1, 10)));
}
