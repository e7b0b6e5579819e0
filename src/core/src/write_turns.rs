//! Whose turn it is to write to a connection.
//!
//! On PostgreSQL a write that waits for a row which somebody holds has one of the server's connections meanwhile. Only a
//! few writes to one connection may have one, so that the others keep theirs.

use crate::{
    error::{Result, ServiceError},
    services::Services,
};
use ipack_domain::ids::ConnectionKey;
use ipack_storage::{Database, StorageError, Writer};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

/// One that writes, and one that is about to.
const AT_ONCE: usize = 2;
const PATIENCE: Duration = Duration::from_secs(5);

#[derive(Debug, Clone, Default)]
pub(crate) struct WriteTurns(Arc<Mutex<HashMap<ConnectionKey, Arc<Semaphore>>>>);

impl WriteTurns {
    async fn take(&self, key: &ConnectionKey) -> Result<OwnedSemaphorePermit> {
        let turns = {
            let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            // Those that nobody has or waits for.
            all.retain(|_, turns| Arc::strong_count(turns) > 1);
            all.entry(key.clone()).or_insert_with(|| Arc::new(Semaphore::new(AT_ONCE))).clone()
        };
        let turn = timeout(PATIENCE, turns.acquire_owned()).await.map_err(|_| StorageError::timed_out())?;
        turn.map_err(|_| ServiceError::Internal("a semaphore that nobody closes is closed"))
    }
}

impl Services {
    /// Runs a write to one connection, as [`Database::write`] does.
    ///
    /// # Errors
    /// What the closure answers, or what the database says; `Busy` where others have their turn for too long.
    pub(crate) async fn write_to<T, F>(&self, key: &ConnectionKey, work: impl FnMut(Writer) -> F) -> Result<T>
    where
        F: Future<Output = Result<T>>,
    {
        let _turn = match &self.database {
            Database::Postgres(_) => Some(self.write_turns.take(key).await?),
            // There is one writer anyway.
            Database::Sqlite { .. } => None,
        };
        self.database.write(work).await
    }
}
