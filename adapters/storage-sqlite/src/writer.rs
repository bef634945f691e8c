//! The one thread that writes, and its group commits.
//!
//! A commit costs one sync of the disk, however much it holds. So the writer takes every job that waits, runs them in one
//! transaction, and syncs once for all; while it syncs, the next jobs gather. Each job has a savepoint of its own: one that
//! fails undoes its own work and no other's. Nobody hears an answer before the commit.

use std::sync::Arc;

use domain::ports::PortError;
use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use crate::cache::{Caches, Touched};
use crate::crew::{Crew, gone};
use crate::error::{Answer, NotKept};
use crate::files::Claim;

/// Most jobs in one transaction: bounds how long the first of them waits for its answer.
const BATCH: usize = 256;

/// A piece of work that writes, and somebody who waits for its answer.
pub(crate) trait Job: Send {
    /// Does the work; `false` when it failed and its traces must go.
    fn run(&mut self, connection: &Connection, touched: &mut Touched) -> bool;
    /// Tells the outcome, now that the batch was kept or not.
    fn answer(self: Box<Self>, kept: &Result<(), NotKept>);
}

struct Pending<T, F> {
    work: Option<F>,
    outcome: Option<Answer<T>>,
    caller: oneshot::Sender<Result<T, PortError>>,
}

impl<T, F> Job for Pending<T, F>
where
    T: Send,
    F: FnOnce(&Connection, &mut Touched) -> Answer<T> + Send,
{
    fn run(&mut self, connection: &Connection, touched: &mut Touched) -> bool {
        self.outcome = self.work.take().map(|work| work(connection, touched));
        matches!(self.outcome, Some(Ok(_)))
    }

    fn answer(self: Box<Self>, kept: &Result<(), NotKept>) {
        // A job that failed was judged on what the others in its batch did; if that was not kept, its judgement is void too.
        let answer = match (kept, self.outcome) {
            (Ok(()), Some(outcome)) => outcome.map_err(PortError::from),
            (Ok(()), None) => Err(gone()),
            (Err(why), _) => Err(why.clone().into()),
        };
        // The caller may have gone away; what was decided stays decided.
        let _heard = caller_hears(self.caller, answer);
    }
}

fn caller_hears<T>(caller: oneshot::Sender<Result<T, PortError>>, answer: Result<T, PortError>) -> bool {
    caller.send(answer).is_ok()
}

/// Runs a piece of work in the next transaction and answers once it is on disk. A caller that stops waiting leaves all of its
/// effect or none.
pub(crate) async fn write<T, F>(crew: &Crew<Box<dyn Job>>, work: F) -> Result<T, PortError>
where
    T: Send + 'static,
    F: FnOnce(&Connection, &mut Touched) -> Answer<T> + Send + 'static,
{
    let (caller, answer) = oneshot::channel();
    crew.submit(Box::new(Pending {
        work: Some(work),
        outcome: None,
        caller,
    }))?;
    answer.await.unwrap_or_else(|_| Err(gone()))
}

/// What the thread owns.
pub(crate) struct Writer {
    pub connection: Connection,
    pub caches: Arc<Caches>,
    pub claim: Claim,
}

impl Writer {
    /// Serves the queue until every sender is gone, then folds the log into the file and lets go of it.
    pub fn serve(self, mut queue: mpsc::Receiver<Box<dyn Job>>) {
        let mut disk_failed = false;
        let mut batch = Vec::with_capacity(BATCH);
        while queue.blocking_recv_many(&mut batch, BATCH) > 0 {
            let kept = if disk_failed {
                Err(NotKept::Stopped)
            } else {
                self.commit_together(&mut batch)
            };
            if let Err(why) = &kept {
                tracing::error!(%why, jobs = batch.len(), "a transaction was not kept");
                disk_failed |= why.is_disk_failure();
            }
            for job in batch.drain(..) {
                job.answer(&kept);
            }
        }
        self.close();
    }

    fn commit_together(&self, batch: &mut [Box<dyn Job>]) -> Result<(), NotKept> {
        let mut touched = Touched::default();
        let kept = self.transaction(batch, &mut touched);
        if kept.is_err() && !self.connection.is_autocommit() {
            let undone = self.connection.execute_batch("ROLLBACK");
            tracing::debug!(?undone, "rolled back");
        }
        // Also when nothing was kept: forgetting too much costs a read, forgetting too little a break-in.
        self.caches.forget(&touched);
        kept
    }

    fn transaction(&self, batch: &mut [Box<dyn Job>], touched: &mut Touched) -> Result<(), NotKept> {
        self.say("BEGIN IMMEDIATE")?;
        for job in batch {
            self.say("SAVEPOINT job")?;
            let is_well = job.run(&self.connection, touched);
            if self.connection.is_autocommit() {
                return Err(NotKept::RolledBack);
            }
            if !is_well {
                self.say("ROLLBACK TO job")?;
            }
            self.say("RELEASE job")?;
        }
        self.say("COMMIT")
    }

    fn say(&self, sql: &'static str) -> Result<(), NotKept> {
        let said = self
            .connection
            .prepare_cached(sql)
            .and_then(|mut statement| statement.execute([]));
        said.map(drop).map_err(|error| NotKept::Refused(Arc::new(error)))
    }

    fn close(self) {
        let Self {
            connection, claim, ..
        } = self;
        let folded = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, i64>(0));
        if !matches!(folded, Ok(0)) {
            tracing::warn!(?folded, "the write-ahead log stays until the next start");
        }
        if let Err((_, error)) = connection.close() {
            tracing::warn!(%error, "the database did not close cleanly");
        }
        // Last: whoever opens the file next finds it at rest.
        drop(claim);
    }
}
