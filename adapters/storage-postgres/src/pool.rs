//! The pool of connections.
//!
//! Of our own, since three things matter here that the driver's does otherwise: a connection is given back without another round
//! trip, one that failed in any way is never given back, and a call that is dropped does not cost its connection, because the
//! work goes on in a task until it is done.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use sqlx::Connection as _;
use sqlx::postgres::PgConnection;
use store_guard::Breaker;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::time::timeout;

use crate::breaker;
use crate::config::PostgresConfig;
use crate::connection::{self, Refusal, Refused};
use crate::error::{Answer, Fault, OpenError, Said, busy, outage};
use crate::statement::Job;
use crate::url::Place;

/// A connection that rested longer is asked for a sign of life before it is used: it may have been cut unnoticed.
const TRUSTED_FOR: Duration = Duration::from_secs(1);
/// How long it has to give one.
const SIGN_OF_LIFE: Duration = Duration::from_millis(500);
/// Rest after which a connection is closed.
const IDLE_FOR: Duration = Duration::from_mins(10);
/// Age at which a connection is replaced, so that a name that leads elsewhere now is noticed.
const LIVES_FOR: Duration = Duration::from_mins(30);
/// How much longer than the server the client waits for a statement: the server's own word on it is the better one.
const GRACE: Duration = Duration::from_millis(250);
/// Tries of a call that collides with others.
const TRIES: u32 = 6;

/// A connection and its age.
pub(crate) struct Kept {
    connection: PgConnection,
    born: Instant,
    rests_since: Instant,
}

impl Kept {
    /// A new connection.
    pub fn new(connection: PgConnection) -> Self {
        let now = Instant::now();
        Self {
            connection,
            born: now,
            rests_since: now,
        }
    }
}

/// Whether work whose fate is unknown may simply be done again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Repeat {
    /// It only reads.
    Freely,
    /// It writes.
    Never,
}

/// Connections to the database, at most so many.
pub(crate) struct Pool {
    places: Vec<Place>,
    /// The place that took us last.
    preferred: AtomicUsize,
    config: PostgresConfig,
    permits: Arc<Semaphore>,
    waiting: AtomicUsize,
    resting: Mutex<VecDeque<Kept>>,
    /// Connections that rest since before this moment are asked for a sign of life: another one broke.
    suspect: Mutex<Option<Instant>>,
    closed: AtomicBool,
    pub breaker: Breaker,
}

impl Pool {
    pub fn new(config: &PostgresConfig) -> Result<Self, OpenError> {
        Ok(Self {
            places: connection::prepared(config.places()?, config),
            preferred: AtomicUsize::new(0),
            config: config.clone(),
            permits: Arc::new(Semaphore::new(config.max_connections.max(1) as usize)),
            waiting: AtomicUsize::new(0),
            resting: Mutex::default(),
            suspect: Mutex::default(),
            closed: AtomicBool::new(false),
            breaker: Breaker::default(),
        })
    }

    /// Does a piece of work, within the time a call may take. Safe to drop: the work is then done all the same, or was not begun.
    pub async fn perform<J: Job>(self: &Arc<Self>, job: J, repeat: Repeat) -> Answer<J::Done> {
        let job = Arc::new(job);
        let deadline = Instant::now() + self.config.call_timeout;
        let mut tries = 0;
        loop {
            tries += 1;
            let answer = self.try_once(&job, deadline).await;
            let again = match &answer {
                Err(Fault::Conflict(_)) => tries < TRIES,
                Err(Fault::Broken(_)) => repeat == Repeat::Freely && tries < 2,
                _ => false,
            };
            if !again || Instant::now() >= deadline {
                return answer;
            }
        }
    }

    async fn try_once<J: Job>(self: &Arc<Self>, job: &Arc<J>, deadline: Instant) -> Answer<J::Done> {
        self.check()?;
        let permit = self.permit(deadline).await?;
        // Things may have changed while we stood in line.
        self.check()?;
        let (caller, answer) = oneshot::channel();
        tokio::spawn(Arc::clone(self).serve(permit, Arc::clone(job), deadline, caller));
        answer
            .await
            .unwrap_or_else(|_| Err(outage("the server is going down")))
    }

    /// Connects, if it must, and works, in a task of its own: callers who give up by the hundred must not leave the server with
    /// hundreds of connections that were broken off half made.
    async fn serve<J: Job>(
        self: Arc<Self>,
        permit: OwnedSemaphorePermit,
        job: Arc<J>,
        deadline: Instant,
        caller: oneshot::Sender<Answer<J::Done>>,
    ) {
        let answer = match self.connection(deadline).await {
            // Nobody waits any more, and nothing was begun.
            Ok(kept) if caller.is_closed() => return self.keep(kept),
            Ok(kept) => self.work(kept, &*job, deadline).await,
            Err(fault) => Err(fault),
        };
        drop(permit);
        let _heard = caller.send(answer).is_ok();
    }

    /// A connection to work on.
    async fn connection(self: &Arc<Self>, deadline: Instant) -> Answer<Kept> {
        match self.rested().await {
            Ok(Some(kept)) => Ok(kept),
            Ok(None) => self.fresh(deadline).await,
            Err(silent) => {
                breaker::trip(self, &silent);
                Err(outage(silent.0))
            }
        }
    }

    async fn work<J: Job>(self: &Arc<Self>, mut kept: Kept, job: &J, deadline: Instant) -> Answer<J::Done> {
        let whole = self.patience();
        let patience = left(deadline).min(whole);
        let answer = timeout(patience, job.run(&mut kept.connection)).await;
        // Who came late to a connection waits too short for a silence to mean anything.
        let silent = answer.is_err() && patience == whole;
        let answer = answer.unwrap_or_else(|_| Err(Fault::Broken(Said::new("no answer in time"))));
        job.settle(answer.as_ref().ok());
        if let Err(Fault::Broken(said)) = &answer {
            tracing::warn!(reason = %said, "a connection to PostgreSQL broke");
            self.suspect();
            if silent {
                breaker::trip(self, said);
            }
        } else {
            self.keep(kept);
        }
        answer
    }

    fn check(&self) -> Answer<()> {
        if self.is_closed() {
            return Err(outage("the store is closed"));
        }
        Ok(self.breaker.check()?)
    }

    async fn permit(&self, deadline: Instant) -> Answer<OwnedSemaphorePermit> {
        if let Ok(permit) = Arc::clone(&self.permits).try_acquire_owned() {
            return Ok(permit);
        }
        let _place_in_line = InLine::join(&self.waiting, self.config.queue).ok_or_else(busy)?;
        let patience = left(deadline).min(self.config.acquire_timeout);
        match timeout(patience, Arc::clone(&self.permits).acquire_owned()).await {
            Ok(Ok(permit)) => Ok(permit),
            Ok(Err(_)) => Err(outage("the store is closed")),
            Err(_) => Err(busy()),
        }
    }

    /// The connection that rested last, if it is alive. An error when one does not say whether it is.
    async fn rested(&self) -> Result<Option<Kept>, Said> {
        loop {
            let Some(mut kept) = self.resting().pop_back() else {
                return Ok(None);
            };
            if kept.born.elapsed() > LIVES_FOR {
                continue;
            }
            if !self.is_doubtful(&kept) {
                return Ok(Some(kept));
            }
            match timeout(SIGN_OF_LIFE, kept.connection.ping()).await {
                Ok(Ok(())) => return Ok(Some(kept)),
                // Whatever cut this one cut those that rest for longer.
                Ok(Err(_)) => self.forget_resting(),
                Err(_) => {
                    self.forget_resting();
                    return Err(Said::new("no sign of life"));
                }
            }
        }
    }

    fn is_doubtful(&self, kept: &Kept) -> bool {
        let suspect = *self.suspect.lock().unwrap_or_else(PoisonError::into_inner);
        kept.rests_since.elapsed() > TRUSTED_FOR || suspect.is_some_and(|since| kept.rests_since <= since)
    }

    async fn fresh(self: &Arc<Self>, deadline: Instant) -> Answer<Kept> {
        let patience = left(deadline);
        let refused = match timeout(patience, self.connect()).await {
            Ok(Ok(kept)) => return Ok(kept),
            Ok(Err(refused)) => refused,
            Err(_) => Refused {
                said: Said::new("no answer in time"),
                kind: Refusal::Passes,
            },
        };
        // A server without a free place is there all the same: whoever holds a connection may go on.
        if refused.kind != Refusal::Full {
            breaker::trip(self, &refused.said);
        }
        Err(outage(refused.said.0))
    }

    /// Connects to the first place that takes writes, beginning with the one that did last.
    pub async fn connect(&self) -> Result<Kept, Refused> {
        let first = self.preferred.load(Ordering::Relaxed);
        let opened = connection::open_any(&self.places, first, self.config.acquire_timeout).await;
        let (number, connection) = opened?;
        self.preferred.store(number, Ordering::Relaxed);
        Ok(Kept::new(connection))
    }

    /// How long a statement is waited for.
    fn patience(&self) -> Duration {
        let statement = self.config.statement_timeout + GRACE;
        statement.min(self.config.call_timeout.mul_f64(0.9))
    }

    /// Lets a sound connection rest until it is needed.
    pub fn keep(&self, mut kept: Kept) {
        if self.is_closed() {
            return;
        }
        kept.rests_since = Instant::now();
        let mut resting = self.resting();
        if resting.len() < self.config.max_connections.max(1) as usize {
            resting.push_back(kept);
        }
        // Those at the front are used the least.
        while resting
            .front()
            .is_some_and(|kept| kept.rests_since.elapsed() > IDLE_FOR)
        {
            resting.pop_front();
        }
    }

    /// Looks at all resting connections with other eyes: one of their kind broke.
    fn suspect(&self) {
        *self.suspect.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    fn forget_resting(&self) {
        let gone = std::mem::take(&mut *self.resting());
        drop(gone);
    }

    /// Lets what is under way come to its end, then lets go of all connections. Calls that come later are refused.
    pub async fn close(&self) {
        self.closed.store(true, Ordering::SeqCst);
        let all = self.config.max_connections.max(1);
        let _finished = timeout(self.config.call_timeout, self.permits.acquire_many(all)).await;
        self.permits.close();
        let resting = std::mem::take(&mut *self.resting());
        for kept in resting {
            let _said_goodbye = timeout(SIGN_OF_LIFE, kept.connection.close()).await;
        }
    }

    pub fn is_closed(&self) -> bool {
        self.closed.load(Ordering::SeqCst)
    }

    fn resting(&self) -> MutexGuard<'_, VecDeque<Kept>> {
        self.resting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The time that is left.
fn left(deadline: Instant) -> Duration {
    deadline.saturating_duration_since(Instant::now())
}

/// A place in the line of those who wait for a connection.
struct InLine<'a>(&'a AtomicUsize);

impl<'a> InLine<'a> {
    fn join(waiting: &'a AtomicUsize, most: usize) -> Option<Self> {
        let place = Self(waiting);
        (waiting.fetch_add(1, Ordering::SeqCst) < most).then_some(place)
    }
}

impl Drop for InLine<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}
