//! The program as a process.

use crate::databases::POSTGRES_VARIABLE;
use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    sync::Mutex,
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

/// The program as it serves. It is ended when this is dropped.
pub struct Server {
    child: Mutex<Child>,
    /// Host and port.
    pub address: String,
}

impl Server {
    /// Starts a command that serves, on a free port, and waits until it does. Nobody reads what it logs.
    ///
    /// # Panics
    /// Where it does not.
    pub fn start(mut serving: Command) -> Self {
        serving.env("IPACK_LISTEN", "127.0.0.1:0").stderr(Stdio::null());
        let mut child = started(serving);
        let mut lines = BufReader::new(child.stdout.take().expect("its output")).lines();
        let address = lines.find_map(|line| {
            line.expect("text").split_once("is ready at http://").map(|(_, address)| address.to_owned())
        });
        // What it says later must have somewhere to go.
        std::thread::spawn(move || lines.for_each(drop));
        Self { child: Mutex::new(child), address: address.expect("it listens") }
    }

    pub fn id(&self) -> u32 {
        self.child.lock().expect("nobody panics").id()
    }

    /// Ends it at once, in the middle of whatever it does.
    pub fn kill(&self) {
        let mut child = self.child.lock().expect("nobody panics");
        let _ = child.kill();
        let _ = child.wait();
    }

    /// The most memory that it had at once, in MiB, without the pages of its own file, of which a debug build has many.
    pub fn peak_memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.id())).expect("it runs");
        let kibibytes = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name)).expect("Linux says so");
            line.trim().trim_end_matches(" kB").parse::<u64>().expect("a number")
        };
        (kibibytes("VmHWM:") - kibibytes("RssFile:")) / 1_024
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}
