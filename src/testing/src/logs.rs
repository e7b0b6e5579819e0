//! The most verbose log of one test, to look for what must not be in it.
//!
//! A database driver logs on threads of its own, so a log of everything is one of the whole process. Therefore a test with
//! such a log is a process of its own (`on_both!(alone: …)`).

use std::{
    env, io,
    process::{Command, Stdio},
    sync::{Arc, Mutex, PoisonError},
};
use tracing_subscriber::{filter::LevelFilter, fmt};

/// Looks like a name, so that it can stand anywhere in a query.
pub const CANARY: &str = "canary_9f4c1e7a_secret";

/// Names the test that has this process to itself.
const ALONE: &str = "IPACK_TEST_ALONE";

/// The lines of one test.
#[derive(Debug, Clone, Default)]
pub struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Log {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
    }

    /// Holds that there were lines, statements on the connector details among them, and none with [`CANARY`].
    pub fn assert_clean(&self) {
        let text = self.text();
        assert!(text.contains("connector_details"), "the statements are not in the log");
        let found: Vec<&str> = text.lines().filter(|line| line.contains(CANARY)).collect();
        assert!(found.is_empty(), "the log has the secret in it: {found:?}");
    }
}

/// From now on every line of every level goes into the log that this answers.
///
/// # Panics
/// Where the test does not run alone: others' lines would be in it.
pub fn watch() -> Log {
    assert!(env::var_os(ALONE).is_some(), "on_both!(alone: …) gives a test a log of its own");
    let log = Log::default();
    let writer = log.clone();
    let subscriber =
        fmt::Subscriber::builder().with_max_level(LevelFilter::TRACE).with_writer(move || writer.clone());
    tracing::subscriber::set_global_default(subscriber.finish()).expect("a test has one log");
    log
}

/// Runs a test, given by its path in its crate, in a process of its own.
pub fn alone(name: &str, test: impl FnOnce()) {
    if env::var_os(ALONE).is_some_and(|alone| alone == *name) {
        return test();
    }
    let (_crate, path) = name.split_once("::").expect("a test is in a module");
    let program = env::current_exe().expect("the test's program is known");
    let output = Command::new(program)
        .args(["--exact", path, "--nocapture"])
        .env(ALONE, name)
        .stdin(Stdio::null())
        .output()
        .expect("the test's program starts");
    let text =
        [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    assert!(output.status.success() && text.contains("1 passed"), "{path}, alone: {text}");
}
