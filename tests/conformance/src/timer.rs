//! Cases of [`Timer`].

use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::ports::Timer;
use domain::time::Lifetime;

use crate::{Fixture, race};

/// All cases of the port, as tests. `$fixture` makes a `Fixture<dyn Timer>`.
#[macro_export]
macro_rules! timer {
    ($fixture:ident) => {
        $crate::cases!(
            timer,
            $fixture,
            [
                it_sleeps_about_that_long,
                no_time_at_all_is_over_at_once,
                sleepers_do_not_wait_for_each_other,
                a_sleep_that_is_dropped_is_over,
            ]
        );
    };
}

type Timers = Fixture<dyn Timer>;

/// How late a timer may be. Generous: a loaded machine must never fail here.
const LATE: Duration = Duration::from_secs(20);

pub async fn it_sleeps_about_that_long(fixture: &Timers) {
    for millis in [1, 30, 250] {
        let begun = Instant::now();
        fixture.port.sleep(Lifetime::from_millis(millis)).await;
        let slept = begun.elapsed();
        assert!(slept >= Duration::from_millis(millis), "{slept:?} of {millis} ms");
        assert!(slept < LATE, "{slept:?} instead of {millis} ms");
    }
}

pub async fn no_time_at_all_is_over_at_once(fixture: &Timers) {
    let begun = Instant::now();
    fixture.port.sleep(Lifetime::ZERO).await;
    assert!(begun.elapsed() < LATE);
}

/// A hundred sleeps of half a second are over long before the fifty seconds they would take one after the other.
pub async fn sleepers_do_not_wait_for_each_other(fixture: &Timers) {
    let begun = Instant::now();
    race(100, |_| {
        let port = Arc::clone(&fixture.port);
        async move { port.sleep(Lifetime::from_millis(500)).await }
    })
    .await;
    assert!(begun.elapsed() < LATE, "{:?}", begun.elapsed());
}

pub async fn a_sleep_that_is_dropped_is_over(fixture: &Timers) {
    let begun = Instant::now();
    let centuries = fixture.port.sleep(Lifetime::from_millis(u64::MAX));
    let given_up = tokio::time::timeout(Duration::from_millis(30), centuries).await;
    assert!(given_up.is_err(), "the longest sleep is no short one");
    assert!(begun.elapsed() < LATE);
}
