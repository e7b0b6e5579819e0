//! Writes that must not be lost.

use crate::error::{Result, ServiceError};
use ipack_storage::StorageError;
use std::time::{Duration, Instant};

/// From one try to the next: doubling.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LAST_PAUSE: Duration = Duration::from_secs(5);

/// An error that is no outage is waited for so long at most: somebody may put right what it comes from.
const OTHER_ERRORS: Duration = Duration::from_secs(540);

/// What a provider gave is held for so long: an outage that is longer loses it. The rows say whose it is by then, so it may
/// be long; what is nobody's any more is revoked by the same write.
pub const LONGEST_OUTAGE: Duration = Duration::from_secs(24 * 3_600);

/// Runs a write whose loss cannot be made good, again and again until it ends or `deadline` has passed: what a provider
/// gave once is gone for ever if it is not written. So a database that is busy, full or away is waited for. A write
/// whose COMMIT was not answered may have happened: begun again, it looks for what it wrote before.
pub async fn persist_with_backoff<T, F>(deadline: Instant, mut write: impl FnMut() -> F) -> Result<T>
where
    F: Future<Output = Result<T>>,
{
    let mut pause = FIRST_PAUSE;
    let others = deadline.min(Instant::now() + OTHER_ERRORS);
    loop {
        match write().await {
            Err(ServiceError::Storage(error))
                if may_work(&error)
                    && Instant::now() + pause < if error.is_unavailable() { deadline } else { others } =>
            {
                tracing::warn!(error = %error, "what must not be lost is written again");
                tokio::time::sleep(pause).await;
                pause = LAST_PAUSE.min(pause * 2);
            }
            done => return done,
        }
    }
}

/// What the rows themselves do not allow, no waiting mends.
fn may_work(error: &StorageError) -> bool {
    !matches!(error, StorageError::Exists | StorageError::Reference | StorageError::Corrupt(_))
}
