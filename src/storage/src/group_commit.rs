//! Group commit on SQLite: writes that wait share one transaction and its sync.
//!
//! One task has the writing connection. It lends the connection to one write after the other, for as long as any wait,
//! commits, and tells all of them. So none is acknowledged before the sync, and one that comes alone is committed at
//! once. Each write has a savepoint: what a constraint refuses, and what is given up half-way, is undone alone. After
//! any other error SQLite may have rolled back everything; the connection is closed, and the writes of the batch begin
//! again in transactions of their own.
//!
//! A write that is one statement is not lent the connection: the task runs it, for each time that the connection goes from
//! one task to another costs more than the statement. It undoes itself what it does not finish.

use crate::{
    Connection, Result, StorageError,
    write::{Transaction, WriteConnection, WriteError, Writer},
};
use futures::{FutureExt, future::BoxFuture};
use sqlx::SqlitePool;
use std::{
    panic::AssertUnwindSafe,
    sync::{Arc, Mutex, PoisonError, Weak},
    time::Duration,
};
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

enum Waiting {
    Write { share: Share, turn: oneshot::Sender<Result<Turn>> },
    Statement { statement: Weak<Mutex<Option<Statement>>>, end: oneshot::Sender<End> },
}

/// Tells its caller what came of it, and the task what is to become of it. It is its caller's until it is run: who gives
/// up leaves nothing large in the queue.
type Statement = Box<dyn for<'c> FnOnce(Connection<'c>) -> BoxFuture<'c, Verdict> + Send>;

impl Waiting {
    fn is_given_up(&self) -> bool {
        match self {
            Self::Write { turn, .. } => turn.is_closed(),
            Self::Statement { end, .. } => end.is_closed(),
        }
    }

    /// Whether it begins a transaction that is for it alone.
    fn is_alone(&self) -> bool {
        matches!(self, Self::Write { share: Share::Nobody, .. })
    }

    /// There is no transaction for it. Where nobody waits for it any more, nobody is told.
    fn refuse(self, error: StorageError) {
        match self {
            Self::Write { turn, .. } => drop(turn.send(Err(error))),
            Self::Statement { end, .. } => drop(end.send(End::Failed(error))),
        }
    }
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
                    next = match first.is_given_up() {
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

    /// Runs a statement when it is its turn. `None` where the transaction failed under others, or the statement panicked.
    pub(crate) async fn perform_statement<T, F>(&self, statement: F) -> Option<Result<T>>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(Connection<'c>) -> BoxFuture<'c, Result<T>> + Send + 'static,
    {
        let (told, outcome) = oneshot::channel();
        let (end, mut ended) = oneshot::channel();
        let statement: Statement = Box::new(|db| {
            Box::pin(async {
                let outcome = statement(db).await;
                let verdict = match &outcome {
                    // Its answer is not read to the end, so nobody knows how far it went.
                    Err(StorageError::Corrupt(_)) => Verdict::Lost,
                    outcome => Verdict::of(outcome),
                };
                let _ = told.send(outcome);
                verdict
            })
        });
        let statement = Arc::new(Mutex::new(Some(statement)));
        let waiting = Waiting::Statement { statement: Arc::downgrade(&statement), end };
        if self.0.send(waiting).is_err() {
            return Some(Err(gone()));
        }
        let end = match tokio::time::timeout(PATIENCE, &mut ended).await {
            Ok(end) => end,
            Err(_) if take(&statement).is_some() => return Some(Err(StorageError::timed_out())),
            // It has had its turn.
            Err(_) => ended.await,
        };
        match end {
            Ok(End::Over) => outcome.await.ok(),
            Ok(End::Again) => None,
            Ok(End::Failed(error)) => Some(Err(error)),
            Err(_) => Some(Err(gone())),
        }
    }

    async fn turn(&self, share: Share) -> Result<Turn> {
        let (turn, is_turn) = oneshot::channel();
        self.0.send(Waiting::Write { share, turn }).map_err(|_| gone())?;
        let is_turn = tokio::time::timeout(PATIENCE, is_turn).await.map_err(|_| StorageError::timed_out())?;
        is_turn.map_err(|_| gone())?
    }
}

fn take(statement: &Mutex<Option<Statement>>) -> Option<Statement> {
    statement.lock().unwrap_or_else(PoisonError::into_inner).take()
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
            first.refuse(error);
            return None;
        }
    };
    let mut batch = Batch {
        transaction: Some(transaction),
        ends: Vec::new(),
        has_kept: false,
        is_savepoint_behind: false,
    };
    let is_shared = !first.is_alone();
    let mut waiting = first;
    let next = loop {
        if let Waiting::Write { .. } = waiting
            && let Err(error) = batch.move_savepoint().await
        {
            batch.fail(Some(error));
            return Some(waiting);
        }
        if batch.perform(waiting).await.is_err() {
            batch.fail(None);
            return None;
        }
        if !is_shared || batch.ends.len() >= MOST {
            break None;
        }
        match queue.try_recv() {
            Ok(next) if !next.is_alone() => waiting = next,
            Ok(next) => break Some(next),
            Err(_) => break None,
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
    /// Something was kept since the savepoint was set.
    is_savepoint_behind: bool,
}

impl Batch {
    /// Sets the savepoint behind all that is kept.
    async fn move_savepoint(&mut self) -> Result<()> {
        if let Some(transaction) = self.transaction.as_mut().filter(|_| self.is_savepoint_behind) {
            transaction.keep().await?;
            self.is_savepoint_behind = false;
        }
        Ok(())
    }

    async fn perform(&mut self, waiting: Waiting) -> std::result::Result<(), Lost> {
        match waiting {
            Waiting::Write { turn, .. } => self.lend(turn).await,
            Waiting::Statement { statement, end } => {
                match statement.upgrade().and_then(|statement| take(&statement)) {
                    Some(statement) => self.run(statement, end).await,
                    // Nobody waits for it any more.
                    None => Ok(()),
                }
            }
        }
    }

    async fn run(
        &mut self,
        statement: Statement,
        end: oneshot::Sender<End>,
    ) -> std::result::Result<(), Lost> {
        self.ends.push(end);
        let transaction = self.transaction.as_mut().ok_or(Lost)?;
        // Whoever panics in here would take the task along, and with it the way to write.
        let running = AssertUnwindSafe(statement(transaction.connection())).catch_unwind();
        match running.await.unwrap_or(Verdict::Lost) {
            Verdict::Keep => (self.has_kept, self.is_savepoint_behind) = (true, true),
            Verdict::Undo => transaction.undo_statement().await.map_err(|_| Lost)?,
            Verdict::Lost => return Err(Lost),
        }
        Ok(())
    }

    async fn lend(&mut self, turn: oneshot::Sender<Result<Turn>>) -> std::result::Result<(), Lost> {
        let (writer, given_back) = Writer::new(self.transaction.take().ok_or(Lost)?);
        let (verdict, decided) = oneshot::channel();
        let (end, ended) = oneshot::channel();
        self.ends.push(end);
        // Where nobody waits for it any more, it comes back at once, and nothing is decided.
        drop(turn.send(Ok(Turn { writer, verdict, end: ended })));
        let mut transaction = given_back.await.map_err(|_| Lost)?;
        match decided.await.unwrap_or(Verdict::Undo) {
            Verdict::Keep => (self.has_kept, self.is_savepoint_behind) = (true, true),
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
            tracing::debug!(writes = self.ends.len(), "a transaction failed, and its writes begin again");
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
