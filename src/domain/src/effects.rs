//! Time and chance, handed in, so that tests decide them. Nothing else in the program reads a clock or draws a
//! random number (`.clippy.toml` forbids the direct calls).

use crate::time::Timestamp;
use rand::TryRng;
#[expect(clippy::disallowed_types, reason = "this is the one place that draws random numbers")]
use rand::rngs::SysRng;
use std::{
    fmt,
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};
use uuid::Uuid;

/// Tells the time in whole microseconds, which both databases keep.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> Timestamp + Send + Sync>);

impl Clock {
    pub fn system() -> Self {
        #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the clock")]
        Self::new(|| {
            let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            Timestamp(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
        })
    }

    pub fn new(tell: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self(Arc::new(tell))
    }

    pub fn now(&self) -> Timestamp {
        (self.0)()
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clock")
    }
}

/// 16 or 32 bytes from the operating system's random source.
///
/// # Panics
/// Where the operating system has no randomness to give; nothing in here would be safe without it.
pub fn random_bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    SysRng.try_fill_bytes(&mut bytes).expect("the operating system gives random bytes");
    bytes
}

/// A UUID of version 7: sorts by the moment it was made.
pub fn new_id(now: Timestamp) -> Uuid {
    let millis = u64::try_from(now.0 / 1_000).unwrap_or_default();
    uuid::Builder::from_unix_timestamp_millis(millis, &random_bytes::<10>()).into_uuid()
}
