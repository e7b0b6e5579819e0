//! Group commit on SQLite: writes that wait share one transaction and its sync.
//!
//! One task has the writing connection. It lends the connection to one write after the other, for as long as any wait,
//! commits, and tells all of them. So none is acknowledged before the sync, and one that comes alone is committed at
//! once. Each write has a savepoint: what a constraint refuses, and what is given up half-way, is undone alone. After
//! any other error SQLite may have rolled back everything; the connection is closed, and the writes of the batch begin
//! again in transactions of their own.

use crate::{
    Result, StorageError,
    write::{Transaction, WriteConnection, WriteError, Writer},
};
use sqlx::SqlitePool;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};

/// How many writes share a transaction at most, so that the first of them does not wait for long.
const MOST: usize = 64;

/// How long a write waits for its turn before the database is called busy.
const PATIENCE: Duration = Duration::from_secs(5);

/// Where writes wait for their turn.
#[derive(Debug, Clone)]
pub struct WriteQueue(mpsc::UnboundedSender<Waiting>);

/// With whom a write shares its transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Share {
    Others,
    Nobody,
}

#[derive(Debug)]
struct Waiting {
    share: Share,
    turn: oneshot::Sender<Result<Turn>>,
}

/// The turn of a write.
#[derive(Debug)]
struct Turn {
    writer: Writer,
    verdict: oneshot::Sender<Verdict>,
    end: oneshot::Receiver<End>,
}

/// What is to become of what a write did. One that is given up says nothing, and is undone.
#[derive(Debug, Clone, Copy)]
enum Verdict {
    Keep,
    Undo,
    /// Nobody knows what is left of the transaction.
    Lost,
}

impl Verdict {
    fn of<T, E: WriteError>(outcome: &std::result::Result<T, E>) -> Self {
        match outcome.as_ref().map_err(WriteError::as_storage) {
            Ok(_) => Self::Keep,
            Err(Some(error)) if !leaves_transaction(error) => Self::Lost,
            Err(_) => Self::Undo,
        }
    }
}

/// Whether the transaction is what it was before the statement with this error.
fn leaves_transaction(error: &StorageError) -> bool {
    match error {
        StorageError::Exists | StorageError::Reference | StorageError::Corrupt(_) => true,
        StorageError::Database(sqlx::Error::Database(error)) => {
            error.is_check_violation() || matches!(error.kind(), sqlx::error::ErrorKind::NotNullViolation)
        }
        _ => false,
    }
}

/// How a write's transaction ended.
#[derive(Debug)]
enum End {
    /// As the write's verdict has it.
    Over,
    /// Nothing of it was kept; the write begins again alone.
    Again,
    Failed(StorageError),
}

impl WriteQueue {
    /// Begins to serve the writes on the pool's one connection, until the last queue is dropped.
    pub(crate) fn start(pool: SqlitePool) -> Self {
        let (queue, mut waiting) = mpsc::unbounded_channel::<Waiting>();
        tokio::spawn(async move {
            while let Some(first) = waiting.recv().await {
                let mut next = Some(first);
                while let Some(first) = next {
                    // Whoever gave up waiting does not keep the next one from its turn.
                    next = match first.turn.is_closed() {
                        true => None,
                        false => serve(&pool, first, &mut waiting).await,
                    };
                }
            }
        });
        Self(queue)
    }

    /// Runs a write when it is its turn. `None` where others made the transaction fail, which [`Share::Nobody`] excludes.
    pub(crate) async fn perform<T, E, F>(
        &self,
        share: Share,
        work: impl FnOnce(Writer) -> F,
    ) -> Option<std::result::Result<T, E>>
    where
        E: WriteError,
        F: Future<Output = std::result::Result<T, E>>,
    {
        let Turn { writer, verdict, end } = match self.turn(share).await {
            Ok(turn) => turn,
            Err(error) => return Some(Err(error.into())),
        };
        let outcome = work(writer).await;
        // Where the task is gone, the end says so too.
        let _ = verdict.send(Verdict::of(&outcome));
        match end.await {
            Ok(End::Over) => Some(outcome),
            Ok(End::Again) => None,
            Ok(End::Failed(error)) => Some(Err(error.into())),
            Err(_) => Some(Err(gone().into())),
        }
    }

    async fn turn(&self, share: Share) -> Result<Turn> {
        let (turn, is_turn) = oneshot::channel();
        self.0.send(Waiting { share, turn }).map_err(|_| gone())?;
        let is_turn = tokio::time::timeout(PATIENCE, is_turn).await.map_err(|_| StorageError::timed_out())?;
        is_turn.map_err(|_| gone())?
    }
}

/// The task ended with its runtime.
fn gone() -> StorageError {
    StorageError::Database(sqlx::Error::WorkerCrashed)
}

/// Performs the first write and those that wait behind it in one transaction. Answers the one that is to begin the next
/// one, where it was taken from the queue already.
async fn serve(
    pool: &SqlitePool,
    first: Waiting,
    queue: &mut mpsc::UnboundedReceiver<Waiting>,
) -> Option<Waiting> {
    let begun = async { Transaction::begin(WriteConnection::Sqlite(pool.acquire().await?)).await };
    let transaction = match begun.await {
        Ok(transaction) => transaction,
        Err(error) => {
            // Where nobody waits for it any more, nobody is told.
            let _ = first.turn.send(Err(error));
            return None;
        }
    };
    let mut batch = Batch { transaction: Some(transaction), ends: Vec::new(), has_kept: false };
    let is_shared = first.share == Share::Others;
    let mut waiting = first;
    let next = loop {
        if batch.perform(waiting).await.is_err() {
            batch.fail(None);
            return None;
        }
        if !is_shared || batch.ends.len() >= MOST {
            break None;
        }
        match queue.try_recv() {
            Ok(next) if next.share == Share::Others => waiting = next,
            Ok(next) => break Some(next),
            Err(_) => break None,
        }
        if let Some(transaction) = &mut batch.transaction
            && let Err(error) = transaction.keep().await
        {
            batch.fail(Some(error));
            return Some(waiting);
        }
    };
    batch.commit().await;
    next
}

/// The transaction is not there any more.
struct Lost;

/// Writes in one transaction.
struct Batch {
    /// There unless a write has it, or lost it.
    transaction: Option<Transaction>,
    ends: Vec<oneshot::Sender<End>>,
    /// There is something to commit.
    has_kept: bool,
}

impl Batch {
    async fn perform(&mut self, waiting: Waiting) -> std::result::Result<(), Lost> {
        let (writer, given_back) = Writer::new(self.transaction.take().ok_or(Lost)?);
        let (verdict, decided) = oneshot::channel();
        let (end, ended) = oneshot::channel();
        self.ends.push(end);
        // Where nobody waits for it any more, it comes back at once, and nothing is decided.
        drop(waiting.turn.send(Ok(Turn { writer, verdict, end: ended })));
        let mut transaction = given_back.await.map_err(|_| Lost)?;
        match decided.await.unwrap_or(Verdict::Undo) {
            Verdict::Keep => self.has_kept = true,
            Verdict::Undo => transaction.undo().await.map_err(|_| Lost)?,
            Verdict::Lost => return Err(Lost),
        }
        self.transaction = Some(transaction);
        Ok(())
    }

    async fn commit(mut self) {
        let Some(transaction) = self.transaction.take() else { return self.fail(None) };
        if !self.has_kept {
            transaction.roll_back().await;
        } else if let Err(error) = transaction.commit().await {
            return self.fail(Some(error));
        }
        self.tell(|| End::Over);
    }

    /// With an error of the transaction, or without one where the last write lost it and knows why.
    fn fail(self, error: Option<StorageError>) {
        if self.ends.len() > 1 {
            tracing::debug!(
                writes = self.ends.len(),
                "a transaction failed, and its writes begin again alone"
            );
            return self.tell(|| End::Again);
        }
        let mut error = error;
        self.tell(|| error.take().map_or(End::Over, End::Failed));
    }

    fn tell(self, mut end: impl FnMut() -> End) {
        for told in self.ends {
            // Where nobody waits for it any more, nobody is told.
            let _ = told.send(end());
        }
    }
}
