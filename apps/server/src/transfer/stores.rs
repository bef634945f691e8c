//! What is moved out of or into, and the patience to do so.

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::ports::{
    AccessStore, ApplicationStore, Clock, Outbox, PortError, SessionStore, Tombstones, UserStore,
};

/// Records on their way at once, each with calls of its own.
pub(super) const AT_ONCE: usize = 32;
/// How long a store may be away before it is given up: a restart, or another server taking its place.
const PATIENCE: Duration = Duration::from_mins(1);
/// The first pause before asking again; each is twice the one before.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// The longest.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// One side of a move.
pub struct Stores {
    /// Users.
    pub users: Arc<dyn UserStore>,
    /// Roles and access rules.
    pub access: Arc<dyn AccessStore>,
    /// Client applications.
    pub applications: Arc<dyn ApplicationStore>,
    /// Sessions; none where they live in the memory of a server and cannot be reached.
    pub sessions: Option<Arc<dyn SessionStore>>,
    /// Messages that wait for their carrier.
    pub outbox: Arc<dyn Outbox>,
    /// What was ended or handed over.
    pub tombstones: Arc<dyn Tombstones>,
    /// Tells what has expired.
    pub clock: Arc<dyn Clock>,
}

/// Asks a store until it answers: what is busy or away for a moment ends no move that takes hours. Only for calls that may be made
/// twice, because whoever makes them looks at what is there afterwards.
pub(super) async fn persist<T, F>(mut call: impl FnMut() -> F) -> Result<T, PortError>
where
    F: Future<Output = Result<T, PortError>>,
{
    let begun = Instant::now();
    let mut pause = FIRST_PAUSE;
    loop {
        let wait = match call().await {
            Err(PortError::Busy { retry_after }) if begun.elapsed() < PATIENCE => {
                pause.max(Duration::from(retry_after).min(LONGEST_PAUSE))
            }
            Err(PortError::Unavailable { retry: true, .. }) if begun.elapsed() < PATIENCE => pause,
            answer => return answer,
        };
        tokio::time::sleep(wait).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}
