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

#[cfg(test)]
mod tests {
    use std::sync::mpsc as blocking;
    use std::time::Duration;

    use super::*;
    use crate::{SqliteConfig, SqliteStore};
    use conformance::sample::{at, blank, identity, key, linked};
    use domain::ports::{LookupKey, UserStore as _};

    fn store() -> (Arc<SqliteStore>, tempfile::TempDir) {
        let directory = tempfile::tempdir().unwrap();
        let config = SqliteConfig::new(directory.path().join("a.db"));
        (Arc::new(SqliteStore::open(&config).unwrap()), directory)
    }

    /// A write that keeps the writer busy until it is let go: whatever is asked for meanwhile meets in the next batch.
    fn hold_up(store: &Arc<SqliteStore>) -> (blocking::Sender<()>, tokio::task::JoinHandle<()>) {
        let (go, wait) = blocking::channel::<()>();
        let store = Arc::clone(store);
        let held = tokio::spawn(async move {
            let done = store.write(move |_, _| Ok(wait.recv().is_ok())).await;
            assert!(done.unwrap());
        });
        (go, held)
    }

    async fn moment() {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }

    #[test]
    fn nobody_hears_of_a_write_before_its_batch_is_committed() {
        conformance::run(async {
            let (store, _directory) = store();
            let (go, first) = hold_up(&store);
            moment().await;
            let writing = Arc::clone(&store);
            let early =
                tokio::spawn(async move { writing.create(&blank(&key("Users", "1"))).await.unwrap() });
            moment().await;
            // Queued behind the create, so in its batch: the create is done but not committed while this one waits.
            let (go_on, last) = hold_up(&store);
            moment().await;
            go.send(()).unwrap();
            first.await.unwrap();
            moment().await;
            assert!(!early.is_finished());
            assert_eq!(store.find(&key("Users", "1")).await.unwrap(), None);
            go_on.send(()).unwrap();
            early.await.unwrap();
            last.await.unwrap();
            assert!(store.find(&key("Users", "1")).await.unwrap().is_some());
        });
    }

    #[test]
    fn a_job_that_fails_undoes_its_own_work_and_no_others() {
        conformance::run(async {
            let (store, _directory) = store();
            let (go, first) = hold_up(&store);
            moment().await;
            let insert = |id: &'static str, then: Result<(), PortError>| {
                let store = Arc::clone(&store);
                tokio::spawn(async move {
                    store
                        .write(move |connection, _| {
                            connection.execute(
                                "INSERT INTO counters (key, mark, tries, forgotten) VALUES (?1, 0, 0, 0)",
                                [id],
                            )?;
                            Ok(then?)
                        })
                        .await
                })
            };
            let answers = [
                insert("a", Ok(())),
                insert("b", Err(PortError::Stale)),
                insert("c", Ok(())),
            ];
            moment().await;
            go.send(()).unwrap();
            first.await.unwrap();
            let mut well = Vec::new();
            for answer in answers {
                well.push(answer.await.unwrap().is_ok());
            }
            assert_eq!(well, [true, false, true]);
            let kept = store
                .read(|connection| {
                    Ok(
                        connection.query_row("SELECT group_concat(key) FROM counters", [], |row| {
                            row.get::<_, String>(0)
                        })?,
                    )
                })
                .await;
            assert_eq!(kept.unwrap(), "a,c");
        });
    }

    #[test]
    fn of_links_to_one_account_in_one_batch_the_first_wins_and_undoes_no_others() {
        conformance::run(async {
            let (store, _directory) = store();
            let users = ["1", "2", "3"].map(|id| linked(id, Vec::new()));
            for user in &users {
                store.create(user).await.unwrap();
            }
            let (go, first) = hold_up(&store);
            moment().await;
            let mut answers = Vec::new();
            for (user, subjects) in users.iter().zip([&["a"][..], &["b", "a"], &["c"]]) {
                let mut next = user.changed(at(1));
                next.identities = Arc::new(subjects.iter().map(|subject| identity("x", subject)).collect());
                let (store, expected) = (Arc::clone(&store), user.revision);
                answers.push(tokio::spawn(async move { store.commit(&next, expected).await }));
                // One after the other into the queue.
                moment().await;
            }
            go.send(()).unwrap();
            first.await.unwrap();
            let mut well = Vec::new();
            for answer in answers {
                well.push(answer.await.unwrap().is_ok());
            }
            assert_eq!(well, [true, false, true]);
            let mut holders = Vec::new();
            for subject in ["a", "b", "c"] {
                let text = LookupKey::Identity(identity("x", subject).key.to_text());
                let found = store.find_by(&users[0].key.pool, &text).await.unwrap();
                holders.push(found.map(|user| user.key.id.as_str().to_owned()));
            }
            let expected = [Some("1"), None, Some("3")].map(|id| id.map(str::to_owned));
            assert_eq!(holders, expected);
            let loser = store.find(&users[1].key).await.unwrap();
            assert_eq!(loser.as_ref(), Some(&users[1]));
        });
    }

    #[test]
    fn a_full_disk_is_an_outage_and_heals() {
        conformance::run(async {
            let (store, _directory) = store();
            let limit = |pages: i64| {
                let store = Arc::clone(&store);
                async move {
                    let set = move |connection: &Connection, _: &mut Touched| {
                        let sql = format!("PRAGMA max_page_count = {pages}");
                        Ok(connection.query_row(&sql, [], |row| row.get::<_, i64>(0))?)
                    };
                    store.write(set).await.unwrap()
                }
            };
            limit(1).await;
            let mut large = blank(&key("Users", "large"));
            large.realm = Some("x".repeat(100_000));
            let refused = store.create(&large).await;
            assert!(
                matches!(refused, Err(PortError::Unavailable { retry: true, .. })),
                "{refused:?}"
            );
            assert_eq!(store.find(&large.key).await.unwrap(), None);
            limit(1_000_000).await;
            store.create(&large).await.unwrap();
            assert_eq!(store.find(&large.key).await.unwrap(), Some(large));
        });
    }
}
