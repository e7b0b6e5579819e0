//! What happens when the machine below fails: a full disk, a sync that does not reach it, a database that restarts, a
//! request that is given up in the middle of a write. What was acknowledged stays, and the next save works as soon as
//! the fault is over.
//!
//! Another fault gets a file here, with its number in the names of its tests. One that this machine does not let a
//! test provoke says so through [`not_run`]; how long a test goes on is told by [`rounds`].

mod backups;
mod backups_of_postgres;
mod clock;
mod damage;
mod full_disk;
mod held_lock;
mod kills;
mod postgres_restart;
mod program;
mod server;
mod silent_network;
mod stalled_replica;
mod sync_errors;
mod sync_order;
mod tracer;
mod transactions;
mod unusable;

use std::{env, io::Write};

/// Says that a test did nothing, past what the test runner keeps to itself; `make test` repeats it at the end. Where
/// everything is to be run (`.ci/run`), that is a failure.
fn not_run(test: &str, why: &str) {
    writeln!(std::io::stderr(), "NOT RUN: {test}: {why}").expect("standard error is open");
    assert!(env::var_os("CI").is_none(), "this fault has to be provoked here: {why}");
}

/// How often a fault comes: a few times in `make test`, many in `make faults`.
fn rounds(short: usize, long: usize) -> usize {
    if env::var_os("IPACK_LONG_FAULTS").is_some() { long } else { short }
}

/// Says how much was done, past what the test runner keeps to itself: `make faults` has it in its line about the fault.
fn figures(fault: &str, what: &str) {
    if env::var_os("IPACK_LONG_FAULTS").is_some() {
        writeln!(std::io::stderr(), "FIGURES: {fault} {what}").expect("standard error is open");
    }
}
