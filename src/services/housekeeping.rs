//! What is done now and then so that nothing grows for ever. Every replica does it; doing it twice does no harm.
//!
//! Something else to forget is a [`Leftover`], whose batches are removed one after the other.

use super::{Result, Services, retrying};
use crate::{
    domain::time::Timestamp,
    storage::{BATCH, attempts, sessions, suggestions, timeline},
};

/// How long the timeline remembers.
const TIMELINE_SECONDS: i64 = 400 * 24 * 3_600;

/// How long a form can still say how its last attempt went.
const ATTEMPTS_SECONDS: i64 = 30 * 24 * 3_600;

#[derive(Clone, Copy)]
enum Leftover<'a> {
    Sessions(Timestamp),
    Timeline(Timestamp),
    Attempts(Timestamp),
    Suggestions { account: &'a str, field: &'a str },
}

impl Services {
    /// Forgets expired sessions, old timeline entries and values that nobody used for long.
    pub async fn tidy(&self) -> Result<()> {
        let now = self.clock.now();
        self.forget(Leftover::Sessions(now)).await?;
        self.forget(Leftover::Timeline(now.plus_seconds(-TIMELINE_SECONDS))).await?;
        self.forget(Leftover::Attempts(now.plus_seconds(-ATTEMPTS_SECONDS))).await?;
        let mut reader = self.database.reader().await?;
        let overfull = suggestions::overfull(reader.connection()).await?;
        drop(reader);
        for (account, field) in &overfull {
            self.forget(Leftover::Suggestions { account, field }).await?;
        }
        Ok(())
    }

    /// Batch after batch, and others may write between two of them.
    async fn forget(&self, leftover: Leftover<'_>) -> Result<()> {
        while retrying(|| self.forget_batch(leftover)).await? >= BATCH.unsigned_abs() {
            tokio::task::yield_now().await;
        }
        Ok(())
    }

    async fn forget_batch(&self, leftover: Leftover<'_>) -> Result<u64> {
        let mut writer = self.database.writer().await?;
        let db = writer.connection();
        let removed = match leftover {
            Leftover::Sessions(now) => sessions::remove_expired(db, now).await?,
            Leftover::Timeline(moment) => timeline::remove_before(db, moment).await?,
            Leftover::Attempts(moment) => attempts::remove_before(db, moment).await?,
            Leftover::Suggestions { account, field } => suggestions::prune(db, account, field).await?,
        };
        writer.commit().await?;
        Ok(removed)
    }
}
