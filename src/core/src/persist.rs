//! Writes that must not be lost.

use crate::error::{Result, ServiceError};
use std::time::Duration;

/// From one try of [`persist_with_backoff`] to the next; together less than a lease has left after a call.
const PAUSES: [Duration; 7] = [
    Duration::from_millis(100),
    Duration::from_millis(250),
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(4),
    Duration::from_secs(5),
];

/// Runs a write whose loss cannot be made good: what a provider gave once is gone for ever if it is not written. So
/// that a busy or restarting database is waited for, within reason.
pub async fn persist_with_backoff<T, F>(mut write: impl FnMut() -> F) -> Result<T>
where
    F: Future<Output = Result<T>>,
{
    for pause in PAUSES {
        match write().await {
            Err(ServiceError::Storage(error)) => {
                tracing::warn!(error = %error, "what must not be lost is written again");
                tokio::time::sleep(pause).await;
            }
            done => return done,
        }
    }
    write().await
}
