//! What is done now and then so that nothing grows for ever. Every replica does it; doing it twice does no harm.
//!
//! Something else to forget is a [`Leftover`], whose batches are removed one after the other.

use crate::{access, error::Result, services::Services, tokens::attempt};
use ipack_domain::{effects::new_id, time::Timestamp};
use ipack_storage::{
    BATCH, Writer, accounts,
    attempts::{self, Status},
    audit_log::{self, Event, Kind},
    carried_forms, sessions, suggestions,
};
use std::time::Duration;

/// How long the audit log remembers.
const AUDIT_LOG_KEPT: Duration = Duration::from_secs(400 * 24 * 3_600);

/// How long a form can still say how its last attempt went.
const ATTEMPTS_KEPT: Duration = Duration::from_secs(30 * 24 * 3_600);

#[derive(Clone, Copy)]
enum Leftover<'a> {
    Sessions(Timestamp),
    CarriedForms(Timestamp),
    AuditLog(Timestamp),
    Attempts(Timestamp),
    Suggestions { account: &'a str, field: &'a str },
}

impl Services {
    /// Forgets expired sessions and forms that waited for them, old audit log entries and values that nobody used for long.
    pub async fn tidy(&self) -> Result<()> {
        let now = self.clock.now();
        self.forget(Leftover::Sessions(now)).await?;
        self.forget(Leftover::CarriedForms(now)).await?;
        while self.end_overdue_attempts(now).await? >= BATCH.unsigned_abs() {}
        self.forget(Leftover::AuditLog(now.minus(AUDIT_LOG_KEPT))).await?;
        self.forget(Leftover::Attempts(now.minus(ATTEMPTS_KEPT))).await?;
        let mut reader = self.database.reader().await?;
        let overfull = suggestions::overfull(reader.connection()).await?;
        drop(reader);
        for (account, field) in &overfull {
            self.forget(Leftover::Suggestions { account, field }).await?;
        }
        Ok(())
    }

    /// Ends attempts that ran out, which forgets what they were begun with; answers how many.
    async fn end_overdue_attempts(&self, now: Timestamp) -> Result<u64> {
        let mut reader = self.database.reader().await?;
        let overdue = attempts::overdue(reader.connection(), now).await?;
        drop(reader);
        for attempt in &overdue {
            self.database.write(|db| self.end_overdue(db, attempt, now)).await?;
        }
        Ok(overdue.len() as u64)
    }

    async fn end_overdue(&self, mut db: Writer, attempt: &attempts::Attempt, now: Timestamp) -> Result<()> {
        let Some(why) = attempt::overdue(attempt.status) else {
            return Ok(());
        };
        let (id, status) = (attempt.id, Status::Failed);
        if attempts::finish(db.lend(), id, status, Some(&why), None).await? {
            let space = accounts::find_space(db.lend(), &attempt.key.space).await?;
            let event = Event {
                account: space.as_ref().map(|space| space.account_id.as_str()).unwrap_or_default(),
                key: &attempt.key,
                kind: Kind::TokenFailed,
                actor: access::PROGRAM,
                changed: &[],
                detail: Some("the attempt ran out"),
            };
            audit_log::add(db.lend(), new_id(now), event, now).await?;
        }
        Ok(())
    }

    /// Batch after batch, and others may write between two of them.
    async fn forget(&self, leftover: Leftover<'_>) -> Result<()> {
        while self.database.write(|db| self.forget_batch(db, leftover)).await? >= BATCH.unsigned_abs() {
            tokio::task::yield_now().await;
        }
        Ok(())
    }

    async fn forget_batch(&self, mut db: Writer, leftover: Leftover<'_>) -> Result<u64> {
        Ok(match leftover {
            Leftover::Sessions(now) => sessions::remove_expired(db.lend(), now).await?,
            Leftover::CarriedForms(now) => carried_forms::remove_expired(db.lend(), now).await?,
            Leftover::AuditLog(moment) => audit_log::remove_before(db.lend(), moment).await?,
            Leftover::Attempts(moment) => attempts::remove_before(db.lend(), moment).await?,
            Leftover::Suggestions { account, field } => suggestions::prune(db.lend(), account, field).await?,
        })
    }
}
