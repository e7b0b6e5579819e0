//! What is done now and then so that nothing grows for ever. Every replica does it; doing it twice does no harm.

use super::{Result, Services};
use crate::storage::{sessions, suggestions, timeline};

/// How long the timeline remembers.
const TIMELINE_SECONDS: i64 = 400 * 24 * 3_600;

impl Services {
    /// Forgets expired sessions, old timeline entries and values that nobody used for long.
    pub async fn tidy(&self) -> Result<()> {
        let now = self.clock.now();
        let mut writer = self.database.writer().await?;
        sessions::remove_expired(writer.connection(), now).await?;
        timeline::remove_before(writer.connection(), now.plus_seconds(-TIMELINE_SECONDS)).await?;
        suggestions::prune(writer.connection()).await?;
        Ok(writer.commit().await?)
    }
}
