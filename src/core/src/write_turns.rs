//! Whose turn it is to write to a connection.
//!
//! On PostgreSQL a write that waits for a row which somebody holds has one of the server's connections meanwhile. Only a
//! few writes to one connection may have one, so that the others keep theirs.

use crate::{
    error::{Result, ServiceError},
    services::Services,
};
use futures::future::BoxFuture;
use ipack_domain::ids::ConnectionKey;
use ipack_storage::{Connection, Database, StorageError, Writer};
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
        let _turn = self.turn(key).await?;
        self.database.write(work).await
    }

    /// Runs a write to one connection that is one statement, as [`Database::write_statement`] does; `None` where it
    /// answers none, or another write came first.
    ///
    /// # Errors
    /// As [`Services::write_to`].
    pub(crate) async fn write_statement_to<T, F>(
        &self,
        key: &ConnectionKey,
        statement: F,
    ) -> Result<Option<T>>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(Connection<'c>) -> BoxFuture<'c, ipack_storage::Result<Option<T>>> + Send + 'static,
    {
        let _turn = self.turn(key).await?;
        match self.database.write_statement(statement).await {
            Ok(answered) => Ok(answered.flatten()),
            Err(StorageError::Undone(_) | StorageError::Exists | StorageError::Reference) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    async fn turn(&self, key: &ConnectionKey) -> Result<Option<OwnedSemaphorePermit>> {
        match &self.database {
            Database::Postgres(_) => self.write_turns.take(key).await.map(Some),
            // There is one writer anyway.
            Database::Sqlite { .. } => Ok(None),
        }
    }
}
