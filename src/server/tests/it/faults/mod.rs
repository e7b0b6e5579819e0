//! What happens when the machine below fails: a full disk, a sync that does not reach it, a database that restarts, a
//! request that is given up in the middle of a write. What was acknowledged stays, and the next save works as soon as
//! the fault is over.
//!
//! Another fault gets a file here, with its number in the names of its tests. One that this machine does not let a
//! test provoke says so through [`not_run`].

mod full_disk;
mod postgres_restart;
mod sync_errors;
mod transactions;
mod world;

use std::io::Write;

/// Says that a test did nothing, past what the test runner keeps to itself; `make test` repeats it at the end.
fn not_run(test: &str, why: &str) {
    writeln!(std::io::stderr(), "NOT RUN: {test}: {why}").expect("standard error is open");
}
