//! SQLite's connections for reading, passed on from one read to the next.
//!
//! sqlx's pool asks each connection that comes back whether it is alive: one more trip to the driver's thread, which costs
//! as much as a small read. Here a connection goes straight to the next read, and once a second back to sqlx's pool, so
//! that one that broke is replaced.

use crate::{Result, StorageError, open::ACQUIRE_TIMEOUT};
use sqlx::{Sqlite, SqliteConnection, SqlitePool, pool::PoolConnection};
use std::{
    ops::{Deref, DerefMut},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// So long a connection is passed on.
const PASSED_ON_FOR: Duration = Duration::from_secs(1);

#[derive(Debug, Clone)]
pub struct ReadPool {
    pool: SqlitePool,
    idle: Arc<Mutex<Vec<Taken>>>,
    /// As many as the pool has connections, so that none is waited for in the pool.
    turns: Arc<Semaphore>,
}

/// A connection that is out of sqlx's pool.
#[derive(Debug)]
struct Taken {
    connection: PoolConnection<Sqlite>,
    at: Instant,
}

/// A connection for one read.
#[derive(Debug)]
pub struct ReadConnection {
    /// There until it is dropped.
    taken: Option<Taken>,
    home: ReadPool,
    _turn: OwnedSemaphorePermit,
}

impl ReadPool {
    pub(crate) fn new(pool: SqlitePool) -> Self {
        let connections = usize::try_from(pool.options().get_max_connections()).unwrap_or(1);
        Self { pool, idle: Arc::default(), turns: Arc::new(Semaphore::new(connections)) }
    }

    /// # Errors
    /// `Busy` where none is free in time, or what opening one says.
    pub async fn acquire(&self) -> Result<ReadConnection> {
        let turn = tokio::time::timeout(ACQUIRE_TIMEOUT, self.turns.clone().acquire_owned()).await;
        let turn = turn.map_err(|_| StorageError::timed_out())?.map_err(|_| sqlx::Error::PoolClosed)?;
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let taken = match idle {
            Some(taken) => taken,
            None => Taken { connection: self.pool.acquire().await?, at: Instant::now() },
        };
        Ok(ReadConnection { taken: Some(taken), home: self.clone(), _turn: turn })
    }

    /// What the connections were opened with.
    pub fn sqlx_pool(&self) -> &SqlitePool {
        &self.pool
    }

    /// Waits until the last read has ended.
    pub(crate) async fn close(&self) {
        let closed = self.pool.close();
        self.turns.close();
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).clear();
        closed.await;
    }
}

impl Drop for ReadConnection {
    fn drop(&mut self) {
        let Some(taken) = self.taken.take() else { return };
        let mut idle = self.home.idle.lock().unwrap_or_else(PoisonError::into_inner);
        // Whatever is not passed on goes back to sqlx's pool here.
        if taken.at.elapsed() < PASSED_ON_FOR && !self.home.pool.is_closed() {
            idle.push(taken);
        }
    }
}

impl Deref for ReadConnection {
    type Target = SqliteConnection;

    fn deref(&self) -> &Self::Target {
        &self.taken.as_ref().expect("only dropping takes it").connection
    }
}

impl DerefMut for ReadConnection {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.taken.as_mut().expect("only dropping takes it").connection
    }
}
