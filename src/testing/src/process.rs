//! The program as a process.

use crate::databases::POSTGRES_VARIABLE;
use std::{
    path::Path,
    process::{Child, Command, Stdio},
};

/// The program with these arguments, on a database and a keyring. A test knows it as `CARGO_BIN_EXE_ipack-connect`.
pub fn program(executable: &str, address: &str, keyring: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(executable);
    command
        .args(arguments)
        .env("IPACK_DATABASE_URL", address)
        .env("IPACK_MASTER_KEY_FILE", keyring)
        .env_remove("IPACK_MASTER_KEY")
        .env_remove(POSTGRES_VARIABLE)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

pub fn started(mut program: Command) -> Child {
    program.spawn().expect("it starts")
}
