//! A commit reaches the disk before its answer leaves: the order of the real program's system calls tells.

use crate::faults::{
    figures, not_run,
    program::{Installation, Ledger},
    rounds,
    tracer::Tracer,
};
use ipack_testing::databases::{Kind, on_empty};
use std::fs;
use tempfile::NamedTempFile;

#[test]
fn f02_a_commit_is_synced_before_its_answer_leaves() {
    on_empty("f02_a_commit_is_synced_before_its_answer_leaves", Kind::Sqlite, |address| {
        Box::pin(async move {
            tokio::task::spawn_blocking(move || synced_before_answers(&address)).await.expect("no panic");
        })
    });
}

fn synced_before_answers(database: &str) {
    let program = Installation::new(database).start();
    let ledger = Ledger::default();
    let output = NamedTempFile::new().expect("a temporary file can be made");
    let calls = ["-y", "-s", "16", "-e", "trace=pwrite64,fsync,fdatasync,write,writev,sendto,sendmsg"];
    let Some(tracer) = Tracer::attach(&program.server, output.path(), &calls) else {
        return not_run("f02 order of syncs", "this process may not trace another one; root with strace may");
    };
    let saves = rounds(5, 200);
    for _ in 0..saves {
        assert!(ledger.save(&program));
    }
    tracer.stop();
    let trace = fs::read_to_string(output.path()).expect("the trace");
    assert_eq!(answers_after_syncs(&trace), Ok(saves), "{trace}");
    figures("F02", &format!("{saves} answers, each after its sync"));
}

/// How many answers there are, each after a sync of all that was written to the log.
///
/// # Errors
/// The line of an answer that left before.
fn answers_after_syncs(trace: &str) -> Result<usize, String> {
    let (mut answers, mut is_synced, mut syncing) = (0, false, None);
    for line in trace.lines() {
        let (thread, call) = line.split_once(' ').unwrap_or_default();
        let call = call.trim_start();
        let is_of_log = call.contains("-wal>");
        if call.starts_with("pwrite64(") && is_of_log {
            (is_synced, syncing) = (false, None);
        } else if (call.starts_with("fdatasync(") || call.starts_with("fsync(")) && is_of_log {
            if call.ends_with("= 0") { is_synced = true } else { syncing = Some(thread) }
        } else if call.contains("sync resumed>") && syncing == Some(thread) && call.ends_with("= 0") {
            (is_synced, syncing) = (true, None);
        } else if call.contains("\"HTTP/1.1 200") {
            if !is_synced {
                return Err(line.to_owned());
            }
            answers += 1;
            is_synced = false;
        }
    }
    Ok(answers)
}

#[test]
fn f02_a_trace_in_another_order_is_told_apart() {
    let write = "7 pwrite64(9</d/t.db-wal>, \"x\"..., 24, 32) = 24";
    let sync = "7 fdatasync(9</d/t.db-wal>) = 0";
    let begun = "7 fdatasync(9</d/t.db-wal> <unfinished ...>";
    let ended = "7 <... fdatasync resumed>) = 0";
    let failed = "7 fdatasync(9</d/t.db-wal>) = -1 EIO (Input/output error) (INJECTED)";
    let answer = "8 writev(4<TCP:[1]>, [{iov_base=\"HTTP/1.1 200 OK\\r\"..., iov_len=90}], 1) = 90";
    for (trace, expected) in [
        (vec![write, sync, answer], Some(1)),
        (vec![write, begun, "8 write(2</l>, \"x\", 1) = 1", ended, answer], Some(1)),
        (vec![write, sync, answer, write, sync, answer], Some(2)),
        (vec![write, answer, sync], None),
        (vec![write, begun, answer, ended], None),
        (vec![write, failed, answer], None),
        (vec![write, sync, write, answer], None),
        (vec![write, sync, answer, answer], None),
    ] {
        assert_eq!(answers_after_syncs(&trace.join("\n")).ok(), expected, "{trace:?}");
    }
}
