//! Threads that hash, and the queue before them. Never the runtime's own: hashing is work, not waiting.

mod lines;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use domain::ports::PortError;
use domain::time::Lifetime;
use tokio::sync::oneshot;

use crate::config::HashConfig;
use crate::memory::Memory;
use crate::priority;
pub use lines::Kind;
use lines::Lines;

/// How long a worker waits for work before it ends and gives its memory back.
const IDLE: Duration = Duration::from_secs(30);
/// What one job is taken to last before any was measured.
const ASSUMED_PACE: Duration = Duration::from_millis(50);
/// The shortest wait ever asked for: callers that come back at once would only fill the queue again.
const SHORTEST_WAIT: Lifetime = Lifetime::from_secs(1);

/// How much is done and kept at once.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Most threads.
    pub workers: usize,
    /// Most jobs that wait while all threads work.
    pub queue: usize,
    /// Blocks of memory each thread keeps.
    pub blocks: usize,
    /// How long a thread stays without work.
    pub idle: Duration,
}

impl Bounds {
    /// The bounds of a configuration whose hashes take `blocks`.
    pub const fn of(config: HashConfig, blocks: usize) -> Self {
        Self {
            workers: config.workers,
            queue: config.queue,
            blocks,
            idle: IDLE,
        }
    }
}

/// A bounded pool of threads. Dropping it drops what waits; what is being done ends unheard.
pub struct Pool(Arc<Shared>);

struct Shared {
    bounds: Bounds,
    state: Mutex<State>,
    wake: Condvar,
}

#[derive(Default)]
struct State {
    waiting: Lines,
    /// Threads alive. Those that are not busy look at `waiting` before they do anything else.
    threads: usize,
    /// Threads at work.
    busy: usize,
    pace: Option<Duration>,
    closed: bool,
}

/// Work with somebody waiting for it.
trait Job: Send {
    /// Whether nobody waits any more.
    fn is_abandoned(&self) -> bool;
    /// Does the work, ends `at_work`, answers. In this order: who has an answer shall find the thread free.
    fn run(self: Box<Self>, memory: &mut Memory, at_work: AtWork<'_>);
}

/// A thread counted as busy, until this is dropped, be it by a panic.
struct AtWork<'a> {
    shared: &'a Shared,
    since: Instant,
}

impl Drop for AtWork<'_> {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.busy -= 1;
        state.measure(self.since.elapsed());
    }
}

struct Asked<T, W> {
    work: W,
    answer: oneshot::Sender<T>,
}

impl<T: Send, W: FnOnce(&mut Memory) -> T + Send> Job for Asked<T, W> {
    fn is_abandoned(&self) -> bool {
        self.answer.is_closed()
    }

    fn run(self: Box<Self>, memory: &mut Memory, at_work: AtWork<'_>) {
        let result = (self.work)(memory);
        drop(at_work);
        // The caller may have gone away meanwhile; then the answer is nobody's.
        drop(self.answer.send(result));
    }
}

impl Pool {
    /// A pool without a single thread yet.
    pub fn new(bounds: Bounds) -> Self {
        Self(Arc::new(Shared {
            bounds,
            state: Mutex::default(),
            wake: Condvar::new(),
        }))
    }

    /// Has `work` done by one of the threads.
    ///
    /// # Errors
    /// `Busy` at once when all places for its kind are taken, `Unavailable` when the system gives no thread or the work panicked.
    pub async fn run<T, W>(&self, kind: Kind, work: W) -> Result<T, PortError>
    where
        T: Send + 'static,
        W: FnOnce(&mut Memory) -> T + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        self.admit(kind, Box::new(Asked { work, answer }))?;
        answered
            .await
            .map_err(|_| PortError::unavailable("the hashing thread gave no answer"))
    }

    fn admit(&self, kind: Kind, job: Box<dyn Job>) -> Result<(), PortError> {
        let bounds = self.0.bounds;
        let mut state = self.0.lock();
        if state.is_full(kind, bounds) {
            state.waiting.drop_abandoned();
        }
        if state.is_full(kind, bounds) {
            let retry_after = state.wait(kind, bounds.workers);
            return Err(PortError::Busy { retry_after });
        }
        state.waiting.push(kind, job);
        if state.waiting.len() > state.threads - state.busy && state.threads < bounds.workers {
            self.0.hire(kind, &mut state)?;
        }
        self.0.wake.notify_one();
        Ok(())
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.closed = true;
        state.waiting.clear();
        self.0.wake.notify_all();
    }
}

impl State {
    /// Whether no further job of this kind is taken. A thread not at work counts as a place, hired or not: a burst finds the same
    /// room whether or not threads woke yet.
    fn is_full(&self, kind: Kind, bounds: Bounds) -> bool {
        let free = bounds.workers.saturating_sub(self.busy);
        self.waiting.are_full(kind, bounds.queue, free)
    }

    /// When a place is likely to be free for everyone of this kind who is refused now: the time the jobs before them need at the
    /// measured pace.
    fn wait(&self, kind: Kind, workers: usize) -> Lifetime {
        let rounds = (self.waiting.ahead(kind) + self.busy).div_ceil(workers.max(1));
        let rounds = u32::try_from(rounds).unwrap_or(u32::MAX);
        let whole = self.pace.unwrap_or(ASSUMED_PACE).saturating_mul(rounds);
        SHORTEST_WAIT.max(Lifetime::from_millis(
            u64::try_from(whole.as_millis()).unwrap_or(u64::MAX),
        ))
    }

    /// Takes one measurement into the moving mean, as an eighth of it.
    fn measure(&mut self, took: Duration) {
        self.pace = Some(self.pace.map_or(took, |mean| (mean * 7 + took) / 8));
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it holds the lock, and if it did, counters of work are no reason to stop working.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts one more thread. Failing that, the threads there are must do, and with none the newest job, of this kind, is given up.
    fn hire(self: &Arc<Self>, kind: Kind, state: &mut State) -> Result<(), PortError> {
        let shared = Arc::clone(self);
        match thread::Builder::new()
            .name("hash-password".into())
            .spawn(move || shared.work())
        {
            Ok(_) => state.threads += 1,
            Err(error) if state.threads == 0 => {
                state.waiting.give_up_newest(kind);
                return Err(PortError::unavailable(error));
            }
            Err(_) => {}
        }
        Ok(())
    }

    /// The life of one thread.
    fn work(&self) {
        priority::step_back();
        let mut memory = Memory::new(self.bounds.blocks);
        while let Some((job, at_work)) = self.next() {
            // A panic costs one caller an answer, never the pool a thread. Memory is written before it is read, always.
            drop(catch_unwind(AssertUnwindSafe(|| job.run(&mut memory, at_work))));
        }
    }

    /// The next job somebody still waits for; `None` when the thread shall end, which is then counted already.
    fn next(&self) -> Option<(Box<dyn Job>, AtWork<'_>)> {
        let mut state = self.lock();
        loop {
            if let Some(job) = state.waiting.take() {
                state.busy += 1;
                let since = Instant::now();
                return Some((job, AtWork { shared: self, since }));
            }
            if state.closed {
                state.threads -= 1;
                return None;
            }
            let (woken, waited) = self
                .wake
                .wait_timeout(state, self.bounds.idle)
                .unwrap_or_else(PoisonError::into_inner);
            state = woken;
            if waited.timed_out() && state.waiting.is_empty() {
                state.threads -= 1;
                return None;
            }
        }
    }
}

#[cfg(test)]
mod tests;
