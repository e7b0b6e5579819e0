//! Whether the database can be read, and whether it can be written to: found out by trying, once a second at most,
//! however many ask.

use crate::services::Services;
use ipack_storage::{Database, StorageError};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{sync::Mutex, time::timeout};

/// For how long an answer is given again.
const ANSWER_LASTS: Duration = Duration::from_secs(1);

/// How long the database may take, with others in front.
const PATIENCE: Duration = Duration::from_secs(5);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Health {
    Good,
    /// A migration of this program is missing.
    NotMigrated,
    /// It cannot be read: away, or no connection is free.
    Unreadable,
    /// Somebody holds it, or it takes too long.
    Busy,
    /// It can be read and fails to write: full, or broken.
    Unwritable,
}

/// What was last found out, and when.
#[derive(Debug, Clone, Default)]
pub(crate) struct Probe(Arc<Mutex<Option<(Instant, Health)>>>);

impl Probe {
    /// In a task of its own, because whoever asked may hang up in the middle.
    async fn ask<F>(&self, ask: impl FnOnce() -> F + Send + 'static) -> Health
    where
        F: Future<Output = Health> + Send,
    {
        let last = self.0.clone();
        let asking = tokio::spawn(async move {
            let mut last = last.lock().await;
            if let Some((asked_at, health)) = *last
                && asked_at.elapsed() < ANSWER_LASTS
            {
                return health;
            }
            let health = ask().await;
            *last = Some((Instant::now(), health));
            health
        });
        asking.await.unwrap_or(Health::Unreadable)
    }
}

impl Services {
    /// Whether the database can be read and written to, and is migrated. A small write tells.
    pub async fn health(&self) -> Health {
        let database = self.database.clone();
        self.writing
            .ask(|| async move {
                match reading(&database).await {
                    Health::Good => writing(&database).await,
                    other => other,
                }
            })
            .await
    }

    /// Whether the database can be read, and is migrated.
    pub async fn reading_health(&self) -> Health {
        let database = self.database.clone();
        self.reading.ask(|| async move { reading(&database).await }).await
    }
}

async fn reading(database: &Database) -> Health {
    match timeout(PATIENCE, database.is_migrated()).await {
        Ok(Ok(true)) => Health::Good,
        Ok(Ok(false)) => Health::NotMigrated,
        Ok(Err(error)) => {
            tracing::warn!(error = %error, "the database cannot be read");
            Health::Unreadable
        }
        Err(_) => Health::Unreadable,
    }
}

async fn writing(database: &Database) -> Health {
    match timeout(PATIENCE, database.probe_write()).await {
        Ok(Ok(())) => Health::Good,
        Ok(Err(error)) => {
            tracing::warn!(error = %error, "the database cannot be written to");
            let is_busy = matches!(error, StorageError::Busy(_) | StorageError::Undone(_));
            if is_busy { Health::Busy } else { Health::Unwritable }
        }
        Err(_) => Health::Busy,
    }
}
