//! The most verbose log of the whole test program, watched for one word that no line may have in it.
//!
//! It is one subscriber for all threads, because a database driver logs on threads of its own.

use std::{
    io,
    sync::{
        Mutex, Once,
        atomic::{AtomicUsize, Ordering},
    },
};
use tracing_subscriber::{filter::LevelFilter, fmt};

/// Looks like a name, so that it can stand anywhere in a query.
pub const CANARY: &str = "canary_9f4c1e7a_secret";

static LINES: AtomicUsize = AtomicUsize::new(0);
static SAVES: AtomicUsize = AtomicUsize::new(0);
static FOUND: Mutex<Vec<String>> = Mutex::new(Vec::new());
static ONCE: Once = Once::new();

struct Watcher;

impl io::Write for Watcher {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        LINES.fetch_add(1, Ordering::Relaxed);
        let text = String::from_utf8_lossy(bytes);
        if text.contains("connector_details") {
            SAVES.fetch_add(1, Ordering::Relaxed);
        }
        if text.contains(CANARY) {
            FOUND.lock().expect("nobody panics while holding it").push(text.into_owned());
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// From now on every line of every level is watched.
pub fn watch() {
    ONCE.call_once(|| {
        let subscriber =
            fmt::Subscriber::builder().with_max_level(LevelFilter::TRACE).with_writer(|| Watcher).finish();
        tracing::subscriber::set_global_default(subscriber).expect("no other test sets one");
    });
}

/// Holds that there were lines, statements on the connector details among them, and none with [`CANARY`].
pub fn assert_clean() {
    tracing::trace!("the log is watched");
    assert!(LINES.load(Ordering::Relaxed) > 0, "nothing was logged");
    assert!(SAVES.load(Ordering::Relaxed) > 0, "the statements are not in the log");
    let found = FOUND.lock().expect("nobody panics while holding it");
    assert!(found.is_empty(), "the log has the secret in it: {found:?}");
}
