//! One connection, driven by hyper under one timer.

use std::fmt::Display;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};

use hyper_util::server::graceful::GracefulConnection;
use tokio::sync::watch;
use tokio::time::{Instant, Sleep, sleep, sleep_until};

use super::activity::{Activity, Fault, LATE_CALLER, What};

/// How a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// By HTTP: both sides were done.
    Well,
    /// By the client's fault or absence, as hyper saw it.
    Broken,
    /// After resting for as long as it may.
    Rested,
    /// By us.
    Cut(Fault),
}

/// Runs a connection to its end.
///
/// The timer is moved only when something is due *earlier* than it rings. Requests push what is due into the
/// future, so a busy connection leaves it alone, and when it rings it merely looks again.
pub(super) async fn drive<C>(connection: C, activity: &Activity, drain: watch::Receiver<bool>) -> Ended
where
    C: GracefulConnection<Error: Display>,
{
    let mut connection = pin!(connection);
    let mut alarm = pin!(sleep_until(activity.due().at));
    let mut farewell = pin!(farewell(activity, drain));
    let mut draining = false;
    let mut rested = false;
    poll_fn(move |cx| {
        if !draining && farewell.as_mut().poll(cx).is_ready() {
            draining = true;
            connection.as_mut().graceful_shutdown();
        }
        loop {
            if let Poll::Ready(end) = connection.as_mut().poll(cx) {
                return Poll::Ready(ended(end, rested));
            }
            match ready!(poll_due(activity, alarm.as_mut(), cx)) {
                What::Look => {}
                What::Cut(fault) if rested => return Poll::Ready(rested_or(fault)),
                What::Cut(fault) => return Poll::Ready(Ended::Cut(fault)),
                What::Close => {
                    rested = true;
                    activity.closing();
                    connection.as_mut().graceful_shutdown();
                }
            }
        }
    })
    .await
}

/// Waits until the drain concerns this connection. hyper, told to shut down before the first byte came, hangs up without a
/// word, so a fresh connection gets a moment more; its answers announce the close themselves (see `http.rs`).
async fn farewell(activity: &Activity, mut drain: watch::Receiver<bool>) {
    // A sender that is gone means the end as well.
    let _ = drain.wait_for(|begun| *begun).await;
    if activity.fresh() {
        sleep(LATE_CALLER).await;
    }
}

/// Waits until something is due.
fn poll_due(activity: &Activity, mut alarm: Pin<&mut Sleep>, cx: &mut Context<'_>) -> Poll<What> {
    loop {
        let due = activity.due();
        if due.at < alarm.deadline() {
            alarm.as_mut().reset(due.at);
        }
        ready!(alarm.as_mut().poll(cx));
        let late = due.at <= Instant::now();
        // Armed anew in both cases: a timer that rang is silent for ever.
        alarm.as_mut().reset(activity.due().at);
        if late {
            return Poll::Ready(due.what);
        }
    }
}

fn ended<E: Display>(end: Result<(), E>, rested: bool) -> Ended {
    match end {
        // Whatever the client makes of our goodbye.
        _ if rested => Ended::Rested,
        Ok(()) => Ended::Well,
        Err(error) => {
            tracing::debug!(%error, "connection ended early");
            Ended::Broken
        }
    }
}

/// A client that does not hang up after the goodbye has done nothing wrong.
fn rested_or(fault: Fault) -> Ended {
    match fault {
        Fault::Lingering => Ended::Rested,
        Fault::Header | Fault::Stalled => Ended::Cut(fault),
    }
}
