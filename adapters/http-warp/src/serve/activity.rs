//! When a connection has been slow or silent for too long.
//!
//! One small record per connection, written by whoever sees something happen on it (the wire, the service)
//! and read by the one timer in `drive.rs`. hyper's own header timer is not enough: it cannot tell a resting
//! connection from a dripping head, knows nothing of HTTP/2 and never looks at a client that stops reading.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::config::ServeConfig;

/// How long a caller let in just before a shutdown may take to make itself understood: its first bytes are on the way, and it
/// cannot know that it came too late.
pub(super) const LATE_CALLER: Duration = Duration::from_millis(500);
/// How long a client may take to hang up after a close was announced to it.
pub(super) const CLOSING_GRACE: Duration = Duration::from_secs(5);
/// How long unread request bytes are discarded after the last answer (see `wire.rs`).
pub(super) const LINGER: Duration = Duration::from_secs(1);

/// What a connection is granted.
#[derive(Clone, Copy, Debug)]
pub(super) struct Grants {
    header: Duration,
    idle: Duration,
    write: Duration,
}

impl From<&ServeConfig> for Grants {
    fn from(config: &ServeConfig) -> Self {
        Self {
            header: config.header_timeout,
            idle: config.idle_timeout,
            write: config.write_timeout,
        }
    }
}

/// The record of one connection.
#[derive(Debug)]
pub(super) struct Activity {
    grants: Grants,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// Requests the service has not answered yet.
    running: usize,
    /// No request has been seen yet.
    fresh: bool,
    /// The last time something useful ended: a request, a write.
    quiet_since: Instant,
    head_since: Option<Instant>,
    stalled_since: Option<Instant>,
    closing_since: Option<Instant>,
    lingering_since: Option<Instant>,
}

/// What the timer shall do, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Due {
    pub(super) at: Instant,
    pub(super) what: What,
}

/// What is due once nothing happens until then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    /// Nothing; look again.
    Look,
    /// Say goodbye: the connection rested long enough.
    Close,
    /// Cut the connection off.
    Cut(Fault),
}

/// Why a connection is cut off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// A request head did not come in time.
    Header,
    /// The client does not take its answer.
    Stalled,
    /// The close was announced and ignored.
    Lingering,
}

/// A request on its way through the service; over when dropped, answered or not.
#[derive(Debug)]
pub(super) struct Running(Arc<Activity>);

impl Activity {
    pub(super) fn new(grants: Grants) -> Arc<Self> {
        let state = State {
            running: 0,
            fresh: true,
            quiet_since: Instant::now(),
            head_since: None,
            stalled_since: None,
            closing_since: None,
            lingering_since: None,
        };
        Arc::new(Self {
            grants,
            state: Mutex::new(state),
        })
    }

    /// A request reached the service.
    pub(super) fn begin(self: &Arc<Self>) -> Running {
        let mut state = self.lock();
        state.running += 1;
        state.fresh = false;
        Running(Arc::clone(self))
    }

    /// Whether the first request of this connection is still to come.
    pub(super) fn fresh(&self) -> bool {
        self.lock().fresh
    }

    /// Part of an answer went out.
    pub(super) fn progress(&self) {
        self.lock().quiet_since = Instant::now();
    }

    /// A request head is open, or is no longer.
    pub(super) fn head(&self, open: bool) {
        self.lock().head_since = open.then(Instant::now);
    }

    /// The client takes no more bytes, or takes them again.
    pub(super) fn stalled(&self, stalled: bool) {
        self.lock().stalled_since = stalled.then(Instant::now);
    }

    /// The client was told that this connection ends.
    pub(super) fn closing(&self) {
        self.lock().closing_since.get_or_insert_with(Instant::now);
    }

    /// Everything is answered; what still arrives is discarded.
    pub(super) fn lingering(&self) {
        self.lock().lingering_since.get_or_insert_with(Instant::now);
    }

    /// What comes next if nothing happens.
    pub(super) fn due(&self) -> Due {
        let state = self.lock();
        let Grants { header, idle, write } = self.grants;
        let quiet = state.quiet_since;
        let cut = |since: Instant, granted, fault| Due {
            at: since + granted,
            what: What::Cut(fault),
        };
        if let Some(since) = state.lingering_since {
            cut(since, LINGER, Fault::Lingering)
        } else if let Some(since) = state.stalled_since {
            cut(since, write, Fault::Stalled)
        } else if state.running > 0 {
            // The service bounds its own time; the body has its own deadline.
            Due {
                at: Instant::now() + idle.max(LINGER),
                what: What::Look,
            }
        } else if let Some(since) = state.closing_since {
            cut(since.max(quiet), CLOSING_GRACE, Fault::Lingering)
        } else if let Some(since) = state.head_since {
            cut(since.max(quiet), header, Fault::Header)
        } else if state.fresh {
            cut(quiet, header, Fault::Header)
        } else {
            Due {
                at: quiet + idle,
                what: What::Close,
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing in here can panic half-way through a change.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.running = state.running.saturating_sub(1);
        state.quiet_since = Instant::now();
    }
}

#[cfg(test)]
mod tests {
    use super::{Activity, CLOSING_GRACE, Due, Fault, Grants, LINGER, What};
    use std::sync::Arc;
    use std::time::Duration;
    use tokio::time::Instant;

    const GRANTS: Grants = Grants {
        header: Duration::from_secs(10),
        idle: Duration::from_secs(75),
        write: Duration::from_secs(30),
    };

    fn rested() -> Arc<Activity> {
        let activity = Activity::new(GRANTS);
        drop(activity.begin());
        activity
    }

    fn within(due: Due, granted: Duration) -> bool {
        let left = due.at - Instant::now();
        left <= granted && left + Duration::from_secs(5) > granted
    }

    #[test]
    fn a_fresh_connection_owes_a_head() {
        let due = Activity::new(GRANTS).due();
        assert!(within(due, GRANTS.header));
        assert_eq!(due.what, What::Cut(Fault::Header));
    }

    #[test]
    fn a_rested_connection_is_closed_and_a_begun_head_is_cut() {
        let activity = rested();
        assert_eq!(activity.due().what, What::Close);
        activity.head(true);
        assert!(within(activity.due(), GRANTS.header));
        activity.head(false);
        assert!(within(activity.due(), GRANTS.idle));
    }

    #[test]
    fn a_running_request_is_left_alone_even_with_the_next_head_begun() {
        let activity = rested();
        activity.head(true);
        let running = activity.begin();
        assert_eq!(activity.due().what, What::Look);
        drop(running);
        assert!(
            within(activity.due(), GRANTS.header),
            "the head's time begins when its turn comes"
        );
    }

    #[test]
    fn a_client_that_takes_nothing_is_cut_even_while_a_request_runs() {
        let activity = rested();
        let _running = activity.begin();
        activity.stalled(true);
        assert_eq!(activity.due().what, What::Cut(Fault::Stalled));
        activity.stalled(false);
        assert_eq!(activity.due().what, What::Look);
    }

    #[test]
    fn a_goodbye_and_a_linger_have_short_ends() {
        let activity = rested();
        activity.closing();
        assert!(within(activity.due(), CLOSING_GRACE));
        activity.lingering();
        assert!(within(activity.due(), LINGER));
    }
}
