//! Writing: a write is one closure that runs in a transaction, handed to [`Database::write`], or one statement, handed to
//! [`Database::write_statement`].
//!
//! The closure gets a [`Writer`] and answers a value, for which everything is committed, or an error, for which
//! everything is rolled back. Because it may run again, it keeps to the database: what is to be done once goes after
//! the write. On SQLite, writes that wait share a transaction: see [`group_commit`](crate::group_commit).
//!
//! A connection goes back into its pool only where its transaction is known to be over. Where BEGIN, COMMIT or ROLLBACK
//! failed, or a write on PostgreSQL was given up half-way, nobody knows what state it is in: it is closed, which rolls
//! back, and the pool opens another one in its place.

use crate::{
    Connection, Database, Result, StorageError, group_commit::Share, on_connection, open::postgres::Pooled,
};
use futures::future::BoxFuture;
use ipack_domain::effects::random_bytes;
use sqlx::{Sqlite, pool::PoolConnection};
use std::time::Duration;
use tokio::sync::oneshot;

/// How often a write that met another begins, at most.
const ATTEMPTS: u32 = 4;

/// What goes around the texts of a write of [`Database::write_statement`] on SQLite, so that it can be undone alone.
pub(crate) const BEGIN_STATEMENT: &str = "SAVEPOINT statement";
pub(crate) const END_STATEMENT: &str = "RELEASE statement";

/// What a write can end with: it can be an error of storage.
pub trait WriteError: From<StorageError> {
    fn as_storage(&self) -> Option<&StorageError>;
}

impl WriteError for StorageError {
    fn as_storage(&self) -> Option<&StorageError> {
        Some(self)
    }
}

impl Database {
    /// Runs a write, and begins it again where it met another that came first: undone by the database, second with the
    /// same key, or on something that was removed meanwhile. Begun again it sees what the other left, and says so if
    /// that is in its way.
    ///
    /// # Errors
    /// What the closure answers, or what the database says to BEGIN and COMMIT. Nothing is written then; only where the
    /// connection broke off during the COMMIT, nobody knows.
    pub async fn write<T, E, F>(&self, mut work: impl FnMut(Writer) -> F) -> std::result::Result<T, E>
    where
        E: WriteError,
        F: Future<Output = std::result::Result<T, E>>,
    {
        for _ in 1..ATTEMPTS {
            match self.write_shared(&mut work).await {
                Err(error) => match error.as_storage() {
                    Some(StorageError::Undone(_)) => {
                        // Not in step with the other, or they meet again.
                        let [chance] = random_bytes::<1>();
                        tokio::time::sleep(Duration::from_micros(u64::from(chance) * 100)).await;
                    }
                    Some(StorageError::Exists | StorageError::Reference) => {}
                    _ => return Err(error),
                },
                done => return done,
            }
        }
        self.write_shared(&mut work).await
    }

    /// On SQLite in a transaction that others share, and alone where that one failed.
    async fn write_shared<T, E, F>(&self, work: &mut impl FnMut(Writer) -> F) -> std::result::Result<T, E>
    where
        E: WriteError,
        F: Future<Output = std::result::Result<T, E>>,
    {
        if let Self::Sqlite { queue, .. } = self
            && let Some(outcome) = queue.perform(Share::Others, &mut *work).await
        {
            return outcome;
        }
        self.write_once(work).await
    }

    /// Runs a write that is one statement, and does not begin it again. On SQLite its text may be several, between
    /// [`BEGIN_STATEMENT`] and [`END_STATEMENT`]. Once begun it may be written although its caller gave up. `None` where
    /// nothing of it was written, for others made it fail.
    ///
    /// # Errors
    /// What the statement answers, or what the database says. Nothing is written then; only where the connection broke off
    /// or the answer took too long, nobody knows.
    pub async fn write_statement<T, F>(&self, statement: F) -> Result<Option<T>>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(Connection<'c>) -> BoxFuture<'c, Result<T>> + Send + 'static,
    {
        match self {
            Self::Sqlite { queue, .. } => queue.perform_statement(statement).await.transpose(),
            Self::Postgres(pool) => {
                let connection = WriteConnection::Postgres(Pooled::acquire(pool).await?);
                // Given up half-way it is closed as any other, so that it is nobody's at once.
                let mut transaction = Transaction { connection, is_over: false };
                let answered = statement(transaction.connection()).await;
                transaction.is_over = true;
                answered.map(Some)
            }
        }
    }

    /// As [`Database::write`], in a transaction of its own and without beginning again.
    pub async fn write_once<T, E, F>(&self, work: impl FnOnce(Writer) -> F) -> std::result::Result<T, E>
    where
        E: WriteError,
        F: Future<Output = std::result::Result<T, E>>,
    {
        let pool = match self {
            Self::Sqlite { queue, .. } => {
                let outcome = queue.perform(Share::Nobody, work).await;
                return outcome
                    .unwrap_or_else(|| Err(StorageError::Database(sqlx::Error::WorkerCrashed).into()));
            }
            Self::Postgres(pool) => pool,
        };
        let connection = Pooled::acquire(pool).await?;
        let transaction = Transaction::begin(WriteConnection::Postgres(connection)).await?;
        let (writer, given_back) = Writer::new(transaction);
        let outcome = work(writer).await;
        let transaction = given_back.await.map_err(|_| StorageError::Database(sqlx::Error::WorkerCrashed))?;
        match outcome {
            Ok(value) => {
                transaction.commit().await?;
                Ok(value)
            }
            Err(error) => {
                // A connection that broke, or swallows what is sent, takes no ROLLBACK: it is closed.
                if !matches!(error.as_storage(), Some(StorageError::Failing(_))) {
                    transaction.roll_back().await;
                }
                Err(error)
            }
        }
    }
}

/// The connection of a write, its closure's own until it is dropped: of a closure that borrowed it the compiler could
/// not see that what it does may move to another thread.
#[derive(Debug)]
pub struct Writer {
    /// There until it is dropped.
    transaction: Option<Transaction>,
    give_back: Option<oneshot::Sender<Transaction>>,
}

impl Writer {
    /// The writer, and who gets the transaction when it is dropped.
    pub(crate) fn new(transaction: Transaction) -> (Self, oneshot::Receiver<Transaction>) {
        let (give_back, given_back) = oneshot::channel();
        (Self { transaction: Some(transaction), give_back: Some(give_back) }, given_back)
    }

    /// Lends the connection for one statement.
    pub fn lend(&mut self) -> Connection<'_> {
        self.transaction.as_mut().expect("only dropping takes it").connection()
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        if let (Some(transaction), Some(give_back)) = (self.transaction.take(), self.give_back.take()) {
            // Where nobody waits for it any more, it is dropped in the middle.
            let _ = give_back.send(transaction);
        }
    }
}

/// A connection out of the pool of those that write.
#[derive(Debug)]
pub(crate) enum WriteConnection {
    Sqlite(PoolConnection<Sqlite>),
    Postgres(Pooled),
}

impl WriteConnection {
    fn connection(&mut self) -> Connection<'_> {
        match self {
            Self::Sqlite(connection) => Connection::Sqlite(connection),
            Self::Postgres(pooled) => Connection::Postgres(pooled.connection()),
        }
    }
}

/// A connection with a transaction on it. Dropped before the transaction is over, the connection is closed.
#[derive(Debug)]
pub(crate) struct Transaction {
    connection: WriteConnection,
    is_over: bool,
}

impl Transaction {
    /// On SQLite with a savepoint in it, to which [`Transaction::undo`] goes back.
    pub(crate) async fn begin(connection: WriteConnection) -> Result<Self> {
        let mut begun = Self { connection, is_over: false };
        // SQLite's write lock is taken at once, so that it never has to be upgraded half-way.
        begun.run("BEGIN IMMEDIATE; SAVEPOINT write", "BEGIN").await?;
        Ok(begun)
    }

    /// Sets the savepoint after what was written so far.
    pub(crate) async fn keep(&mut self) -> Result<()> {
        let sql = "RELEASE write; SAVEPOINT write";
        self.run(sql, sql).await
    }

    /// Undoes what was written since the savepoint was set.
    pub(crate) async fn undo(&mut self) -> Result<()> {
        let sql = "ROLLBACK TO write";
        self.run(sql, sql).await
    }

    /// Undoes what a statement began and did not end.
    pub(crate) async fn undo_statement(&mut self) -> Result<()> {
        let sql = "ROLLBACK TO statement; RELEASE statement";
        self.run(sql, sql).await
    }

    pub(crate) fn connection(&mut self) -> Connection<'_> {
        self.connection.connection()
    }

    pub(crate) async fn commit(mut self) -> Result<()> {
        // To COMMIT alone PostgreSQL answers no error where a statement failed before it, and rolls back.
        self.run("COMMIT", "SELECT 1; COMMIT").await?;
        self.is_over = true;
        Ok(())
    }

    pub(crate) async fn roll_back(mut self) {
        // SQLite may have rolled back by itself, and then refuses: one more connection to close.
        match self.run("ROLLBACK", "ROLLBACK").await {
            Ok(()) => self.is_over = true,
            Err(error) => tracing::debug!(error = %error, "a connection that did not roll back is closed"),
        }
    }

    async fn run(&mut self, sqlite: &'static str, postgres: &'static str) -> Result<()> {
        let sql = match &self.connection {
            WriteConnection::Sqlite(_) => sqlite,
            WriteConnection::Postgres(_) => postgres,
        };
        on_connection!(self.connection.connection(), executor => async {
            sqlx::raw_sql(sql).execute(executor).await.map(drop)
        })
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        if self.is_over {
            return;
        }
        match &mut self.connection {
            WriteConnection::Sqlite(connection) => connection.close_on_drop(),
            WriteConnection::Postgres(pooled) => pooled.close_on_drop(),
        }
    }
}
