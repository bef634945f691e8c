//! Handing messages to their carriers, beside all requests: what waits in the outbox is tried when somebody rings, and each second.
//!
//! Whoever takes a message takes one: a claim holds for a while only, and a message must not wait behind another until its own claim is
//! over. One pair of hands looks whether there is anything; as long as there is, more come to help.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use domain::error::DomainError;
use domain::outbox::Lane;
use domain::service::Services;
use tokio::sync::{Notify, oneshot};
use tokio::task::{JoinError, JoinHandle, JoinSet};
use tokio::time::MissedTickBehavior;

/// How often the outbox is looked into when nobody rings: for what is due again, and for what other nodes left behind.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Most messages on their way at once. A carrier that is slow holds up one of them.
const HANDS: usize = 8;

/// How long the end waits at least for what is on its way: as long as a text message may take by its port's contract, and a moment to
/// write down what came of it. A code that is cut off would be given up, since nobody could tell whether it was sent. A mail may take
/// longer than that: one that is cut off is sent again under its Message-ID by whoever finds it when its claim is over.
const LAST_ATTEMPTS: Duration = Duration::from_secs(10 + 2);

/// What is rung when a message was put into the outbox.
#[derive(Clone, Debug, Default)]
pub struct Bell(Arc<Notify>);

impl Bell {
    /// What rings it.
    pub fn ringer(&self) -> Arc<dyn Fn() + Send + Sync> {
        let bell = Arc::clone(&self.0);
        Arc::new(move || bell.notify_one())
    }
}

/// A delivery that runs.
#[derive(Debug)]
pub struct Delivery {
    stop: Option<oneshot::Sender<()>>,
    running: JoinHandle<()>,
}

impl Delivery {
    /// Begins to deliver what is put into a lane of the outbox of these services. Once [stopped](Self::stop) it waits for what is on its way as
    /// long as requests are waited for, and never less than a text message may take.
    pub fn begin(services: Services, lane: Lane, bell: &Bell, drain_timeout: Duration) -> Self {
        let deliver = move || {
            let services = services.clone();
            async move { services.deliver(lane, 1).await }
        };
        Self::of(bell, drain_timeout.max(LAST_ATTEMPTS), deliver)
    }

    fn of<F>(bell: &Bell, last_attempts: Duration, deliver: impl Fn() -> F + Send + 'static) -> Self
    where
        F: Future<Output = Result<usize, DomainError>> + Send + 'static,
    {
        let (stop, stopped) = oneshot::channel();
        let running = tokio::spawn(run(deliver, Arc::clone(&bell.0), stopped, last_attempts));
        let stop = Some(stop);
        Self { stop, running }
    }

    /// Takes no message any more. What the last requests still put into the outbox is for the next start, or for another node.
    pub fn stop(&mut self) {
        if let Some(stop) = self.stop.take() {
            // It is not there any more only if it ended before.
            let _ = stop.send(());
        }
    }

    /// Waits for what was on its way when it was stopped, which it is now if it was not.
    pub async fn end(mut self) {
        self.stop();
        let _ = self.running.await;
    }
}

async fn run<F>(
    deliver: impl Fn() -> F,
    bell: Arc<Notify>,
    mut stopped: oneshot::Receiver<()>,
    last_attempts: Duration,
) where
    F: Future<Output = Result<usize, DomainError>> + Send + 'static,
{
    let mut hands = JoinSet::new();
    let mut trouble = Trouble::default();
    let mut ticks = tokio::time::interval(LOOK_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let wanted = tokio::select! {
            _ = &mut stopped => break,
            // There may be more: go on, and bring somebody along.
            Some(done) = hands.join_next() => if trouble.judge(done) { 2 } else { 0 },
            () = bell.notified() => 1,
            _ = ticks.tick() => 1,
        };
        for _ in 0..wanted.min(HANDS.saturating_sub(hands.len())) {
            hands.spawn(deliver());
        }
    }
    let rest = async { while hands.join_next().await.is_some() {} };
    if tokio::time::timeout(last_attempts, rest).await.is_err() {
        tracing::warn!("somebody holds a message up: it is sent again by whoever finds it");
    }
}

/// What does not work is told once, and that it works again.
#[derive(Debug, Default)]
struct Trouble(bool);

impl Trouble {
    /// Whether a message was taken.
    fn judge(&mut self, done: Result<Result<usize, DomainError>, JoinError>) -> bool {
        match done {
            Ok(Ok(count)) => {
                if std::mem::take(&mut self.0) {
                    tracing::info!("messages are delivered again");
                }
                return count > 0;
            }
            Ok(Err(DomainError::Port(error))) if !self.0 => {
                tracing::warn!(%error, "messages cannot be delivered; trying again each second");
            }
            Ok(Err(_)) => {}
            Err(error) => tracing::error!(%error, "a delivery came to grief; the next goes on"),
        }
        self.0 = true;
        false
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Instant;

    use domain::ports::PortError;

    use super::*;

    /// An outbox with so many messages, each of which takes a while.
    struct Outbox {
        left: AtomicUsize,
        now: AtomicUsize,
        most: AtomicUsize,
        done: AtomicUsize,
        takes: Duration,
    }

    impl Outbox {
        fn holding(count: usize, takes: Duration) -> Arc<Self> {
            Arc::new(Self {
                left: AtomicUsize::new(count),
                now: AtomicUsize::new(0),
                most: AtomicUsize::new(0),
                done: AtomicUsize::new(0),
                takes,
            })
        }

        async fn deliver(self: Arc<Self>) -> Result<usize, DomainError> {
            let taken = |left: usize| left.checked_sub(1);
            if self
                .left
                .fetch_update(Ordering::SeqCst, Ordering::SeqCst, taken)
                .is_err()
            {
                return Ok(0);
            }
            let now = self.now.fetch_add(1, Ordering::SeqCst) + 1;
            self.most.fetch_max(now, Ordering::SeqCst);
            tokio::time::sleep(self.takes).await;
            self.now.fetch_sub(1, Ordering::SeqCst);
            self.done.fetch_add(1, Ordering::SeqCst);
            Ok(1)
        }

        fn begin(self: &Arc<Self>, bell: &Bell) -> Delivery {
            let outbox = Arc::clone(self);
            Delivery::of(bell, LAST_ATTEMPTS, move || Arc::clone(&outbox).deliver())
        }

        fn done(&self) -> usize {
            self.done.load(Ordering::SeqCst)
        }
    }

    async fn until(what: impl Fn() -> bool) {
        let begun = Instant::now();
        while !what() {
            assert!(begun.elapsed() < Duration::from_secs(20), "it does not come");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    #[tokio::test]
    async fn many_messages_get_more_hands_and_not_too_many() {
        let outbox = Outbox::holding(60, Duration::from_millis(30));
        let delivery = outbox.begin(&Bell::default());
        until(|| outbox.done() == 60).await;
        assert_eq!(outbox.most.load(Ordering::SeqCst), HANDS);
        delivery.end().await;
    }

    #[tokio::test]
    async fn a_bell_is_answered_at_once_and_the_clock_without_any() {
        let bell = Bell::default();
        let outbox = Outbox::holding(1, Duration::ZERO);
        let delivery = outbox.begin(&bell);
        until(|| outbox.done() == 1).await;
        outbox.left.store(1, Ordering::SeqCst);
        let begun = Instant::now();
        bell.ringer()();
        until(|| outbox.done() == 2).await;
        assert!(begun.elapsed() < LOOK_EVERY / 2, "{:?}", begun.elapsed());
        outbox.left.store(1, Ordering::SeqCst);
        until(|| outbox.done() == 3).await;
        delivery.end().await;
    }

    #[tokio::test]
    async fn the_end_waits_for_what_is_on_its_way_and_begins_nothing() {
        let outbox = Outbox::holding(99, Duration::from_millis(300));
        let delivery = outbox.begin(&Bell::default());
        until(|| outbox.now.load(Ordering::SeqCst) > 0).await;
        delivery.end().await;
        let done = outbox.done();
        assert!(done > 0 && outbox.now.load(Ordering::SeqCst) == 0);
        tokio::time::sleep(Duration::from_millis(400)).await;
        assert_eq!(outbox.done(), done);
    }

    #[tokio::test]
    async fn a_carrier_that_never_answers_is_left_alone_in_the_end() {
        let (begun, alive) = (Arc::new(Notify::new()), Arc::new(()));
        let (told, held) = (Arc::clone(&begun), Arc::clone(&alive));
        let delivery = Delivery::of(&Bell::default(), Duration::ZERO, move || {
            let (told, held) = (Arc::clone(&told), Arc::clone(&held));
            async move {
                told.notify_one();
                std::future::pending::<()>().await;
                drop(held);
                Ok(1)
            }
        });
        begun.notified().await;
        delivery.end().await;
        until(|| Arc::strong_count(&alive) == 1).await;
    }

    #[tokio::test]
    async fn what_is_put_there_after_the_stop_waits_for_the_next_start() {
        let (bell, outbox) = (Bell::default(), Outbox::holding(0, Duration::ZERO));
        let mut delivery = outbox.begin(&bell);
        delivery.stop();
        until(|| delivery.running.is_finished()).await;
        outbox.left.store(1, Ordering::SeqCst);
        bell.ringer()();
        delivery.end().await;
        assert_eq!(outbox.done(), 0);
    }

    #[tokio::test]
    async fn neither_an_outage_nor_a_panic_ends_it() {
        let calls = Arc::new(AtomicUsize::new(0));
        let (counted, bell) = (Arc::clone(&calls), Bell::default());
        let delivery = Delivery::of(&bell, LAST_ATTEMPTS, move || {
            let call = counted.fetch_add(1, Ordering::SeqCst);
            async move {
                match call {
                    0 => Err(PortError::unavailable("no store").into()),
                    1 => panic!("a fault of ours"),
                    _ => Ok(0),
                }
            }
        });
        for expected in 1..=3 {
            until(|| calls.load(Ordering::SeqCst) >= expected).await;
            bell.ringer()();
        }
        delivery.end().await;
    }
}
