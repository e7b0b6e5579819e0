//! What happens when the machine below fails: a full disk, a sync that does not reach it, a database that restarts, a
//! request that is given up in the middle of a write. What was acknowledged stays, and the next save works as soon as
//! the fault is over.
//!
//! Another fault gets a file here, with its number in the names of its tests. One that this machine does not let a
//! test provoke says so through [`not_run`].

mod full_disk;
mod held_lock;
mod postgres_restart;
mod server;
mod sync_errors;
mod transactions;

use std::{io::Write, path::Path, process::Command};

/// Says that a test did nothing, past what the test runner keeps to itself; `make test` repeats it at the end.
fn not_run(test: &str, why: &str) {
    writeln!(std::io::stderr(), "NOT RUN: {test}: {why}").expect("standard error is open");
}

/// The program with these arguments, on a database and a keyring.
fn program(address: &str, keyring: &Path, arguments: &[&str]) -> Command {
    ipack_testing::process::program(env!("CARGO_BIN_EXE_ipack-connect"), address, keyring, arguments)
}
