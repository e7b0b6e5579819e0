//! The disk takes what is written and fails to make it lasting: every sync of the real program fails for a while.

use crate::faults::{
    figures, not_run,
    program::{Installation, Ledger},
    rounds,
    tracer::Tracer,
};
use ipack_testing::databases::{Kind, on_empty};
use std::path::Path;

#[test]
fn f03_after_failed_syncs_the_next_save_works() {
    on_empty("f03_after_failed_syncs_the_next_save_works", Kind::Sqlite, |address| {
        Box::pin(async move {
            tokio::task::spawn_blocking(move || after_failed_syncs(&address)).await.expect("no panic");
        })
    });
}

fn after_failed_syncs(database: &str) {
    let program = Installation::new(database).start();
    let ledger = Ledger::default();
    assert!(ledger.save(&program));
    program.assert_ready_soon(200);
    let failing = ["-e", "trace=fsync,fdatasync", "-e", "inject=fsync,fdatasync:error=EIO"];
    for _ in 0..rounds(2, 20) {
        let Some(tracer) = Tracer::attach(&program.server, Path::new("/dev/null"), &failing) else {
            return not_run(
                "f03 failed syncs",
                "this process may not trace another one; root with strace may",
            );
        };
        for _ in 0..3 {
            assert!(!ledger.save(&program), "nothing is acknowledged that is not synced");
        }
        program.assert_ready_soon(503);
        assert_eq!(program.ask("GET /healthz", "", "").expect("an answer").0, 200, "it lives");
        program.assert_ready_soon(503);
        let (status, text) = program.ask("GET /readyz/read", "", "").expect("an answer");
        assert_eq!(status, 200, "reads go on: {text}");
        program.assert_kept(0);
        tracer.stop();
        assert!(ledger.save(&program), "the next save works");
        program.assert_ready_soon(200);
    }
    ledger.acknowledged().into_iter().for_each(|number| program.assert_kept(number));
    figures("F03", &format!("{} times syncs fail, and work again", rounds(2, 20)));
}
