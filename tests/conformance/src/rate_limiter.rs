//! The cases of [`RateLimiter`].

use std::sync::Arc;

use domain::limits::{Bucket, LimitKey, Quota, Verdict};
use domain::ports::RateLimiter;
use domain::time::{Lifetime, Timestamp};

use crate::sample::at;
use crate::{Fixture, race};

/// Runs every case of [`domain::ports::RateLimiter`] against a fixture.
#[macro_export]
macro_rules! rate_limiter {
    ($fixture:ident) => {
        $crate::cases!(
            rate_limiter,
            $fixture,
            [
                a_rate_allows_its_burst_and_then_one_at_a_time,
                a_lockout_waits_and_doubles,
                of_sixty_racing_tries_no_more_than_the_burst_are_allowed,
                of_sixty_racing_tries_no_more_than_the_free_ones_are_allowed,
                racing_tries_at_two_counters_never_exceed_either,
                nothing_is_taken_when_one_counter_denies,
                a_denial_answers_with_the_longest_wait,
                counters_do_not_share_tries,
                asking_nothing_is_allowed,
                give_back_frees_one_try,
                give_back_never_fills_above_the_quota,
                give_back_to_an_unknown_counter_gives_nothing,
                purge_drops_what_is_forgotten_and_nothing_else,
            ]
        );
    };
}

type Limiter = Fixture<dyn RateLimiter>;

const RATE: Quota = Quota::Rate {
    burst: 5,
    per: Lifetime::from_secs(50),
};
const LOCKOUT: Quota = Quota::Lockout {
    free: 3,
    wait: Lifetime::from_secs(10),
    max_wait: Lifetime::from_secs(60),
    forget: Lifetime::from_secs(600),
    pardons: false,
};

fn counter(whom: &str) -> LimitKey {
    LimitKey::new("login", &[whom])
}

fn denied(seconds: u64) -> Verdict {
    Verdict::denied(Lifetime::from_secs(seconds))
}

async fn take(limiter: &Limiter, whom: &str, quota: Quota, now: Timestamp) -> Verdict {
    limiter.port.take(&[(counter(whom), quota)], now).await.unwrap()
}

async fn give_back(limiter: &Limiter, whom: &str, quota: Quota) {
    limiter
        .port
        .give_back(&[(counter(whom), quota)], at(0))
        .await
        .unwrap();
}

/// How many of `tries` tries in a row are allowed.
async fn allowed(limiter: &Limiter, whom: &str, quota: Quota, tries: usize) -> usize {
    let mut count = 0;
    for _ in 0..tries {
        if take(limiter, whom, quota, at(0)).await == Verdict::Allowed {
            count += 1;
        }
    }
    count
}

pub async fn a_rate_allows_its_burst_and_then_one_at_a_time(limiter: &Limiter) {
    assert_eq!(allowed(limiter, "ann", RATE, 9).await, 5);
    let almost = Timestamp::from_millis(at(10).as_millis() - 1);
    let early = take(limiter, "ann", RATE, almost).await;
    assert_eq!(early, Verdict::denied(Lifetime::from_millis(1)));
    assert_eq!(take(limiter, "ann", RATE, at(10)).await, Verdict::Allowed);
    assert_eq!(take(limiter, "ann", RATE, at(10)).await, denied(10));
}

pub async fn a_lockout_waits_and_doubles(limiter: &Limiter) {
    assert_eq!(allowed(limiter, "ann", LOCKOUT, 9).await, 3);
    assert_eq!(take(limiter, "ann", LOCKOUT, at(0)).await, denied(10));
    assert_eq!(take(limiter, "ann", LOCKOUT, at(10)).await, Verdict::Allowed);
    assert_eq!(take(limiter, "ann", LOCKOUT, at(10)).await, denied(20));
    assert_eq!(take(limiter, "ann", LOCKOUT, at(700)).await, Verdict::Allowed);
}

/// How many of sixty tries at one instant are allowed.
async fn allowed_of_sixty(limiter: &Limiter, asked: &[(LimitKey, Quota)]) -> usize {
    let verdicts = race(60, |_| {
        let (port, asked) = (Arc::clone(&limiter.port), asked.to_vec());
        async move { port.take(&asked, at(0)).await.unwrap() }
    })
    .await;
    verdicts
        .iter()
        .filter(|verdict| **verdict == Verdict::Allowed)
        .count()
}

pub async fn of_sixty_racing_tries_no_more_than_the_burst_are_allowed(limiter: &Limiter) {
    for whom in ["ann", "bob", "cem"] {
        assert_eq!(allowed_of_sixty(limiter, &[(counter(whom), RATE)]).await, 5);
    }
}

pub async fn of_sixty_racing_tries_no_more_than_the_free_ones_are_allowed(limiter: &Limiter) {
    for whom in ["ann", "bob", "cem"] {
        assert_eq!(allowed_of_sixty(limiter, &[(counter(whom), LOCKOUT)]).await, 3);
    }
}

pub async fn racing_tries_at_two_counters_never_exceed_either(limiter: &Limiter) {
    let asked = [(counter("ann"), RATE), (counter("address"), LOCKOUT)];
    assert_eq!(allowed_of_sixty(limiter, &asked).await, 3);
    let left = allowed(limiter, "ann", RATE, 9).await;
    assert_eq!(left, 2, "the denied took nothing from the wider counter");
}

pub async fn nothing_is_taken_when_one_counter_denies(limiter: &Limiter) {
    assert_eq!(allowed(limiter, "full", RATE, 5).await, 5);
    for order in [
        [(counter("fresh"), RATE), (counter("full"), RATE)],
        [(counter("full"), RATE), (counter("fresh"), RATE)],
    ] {
        for _ in 0..3 {
            assert_eq!(limiter.port.take(&order, at(0)).await.unwrap(), denied(10));
        }
    }
    assert_eq!(allowed(limiter, "fresh", RATE, 9).await, 5);
}

pub async fn a_denial_answers_with_the_longest_wait(limiter: &Limiter) {
    let slow = Quota::Rate {
        burst: 1,
        per: Lifetime::from_secs(300),
    };
    assert_eq!(allowed(limiter, "quick", RATE, 5).await, 5);
    let number = || LimitKey::new(Bucket::CodeSendNumber.name(), &["slow"]);
    let first = limiter.port.take(&[(number(), slow)], at(0)).await.unwrap();
    assert_eq!(first, Verdict::Allowed);
    let longest = Verdict::Denied {
        retry_after: Lifetime::from_secs(300),
        by: Some(Bucket::CodeSendNumber),
    };
    let mut asked = [
        (counter("quick"), RATE),
        (number(), slow),
        (counter("fresh"), RATE),
    ];
    assert_eq!(limiter.port.take(&asked, at(0)).await.unwrap(), longest);
    asked.reverse();
    assert_eq!(limiter.port.take(&asked, at(0)).await.unwrap(), longest);
}

pub async fn counters_do_not_share_tries(limiter: &Limiter) {
    assert_eq!(allowed(limiter, "ann", RATE, 9).await, 5);
    assert_eq!(allowed(limiter, "bob", RATE, 9).await, 5);
    let other = LimitKey::new("code", &["ann"]);
    let verdict = limiter.port.take(&[(other, RATE)], at(0)).await.unwrap();
    assert_eq!(verdict, Verdict::Allowed);
}

pub async fn asking_nothing_is_allowed(limiter: &Limiter) {
    assert_eq!(limiter.port.take(&[], at(0)).await.unwrap(), Verdict::Allowed);
    limiter.port.give_back(&[], at(0)).await.unwrap();
}

pub async fn give_back_frees_one_try(limiter: &Limiter) {
    for (whom, quota, full) in [("ann", RATE, 5), ("bob", LOCKOUT, 3)] {
        assert_eq!(allowed(limiter, whom, quota, 9).await, full);
        give_back(limiter, whom, quota).await;
        assert_eq!(allowed(limiter, whom, quota, 9).await, 1, "{whom}");
    }
}

pub async fn give_back_never_fills_above_the_quota(limiter: &Limiter) {
    for (whom, quota, full) in [("ann", RATE, 5), ("bob", LOCKOUT, 3)] {
        assert_eq!(allowed(limiter, whom, quota, 2).await, 2);
        for _ in 0..20 {
            give_back(limiter, whom, quota).await;
        }
        assert_eq!(allowed(limiter, whom, quota, 30).await, full, "{whom}");
    }
}

pub async fn give_back_to_an_unknown_counter_gives_nothing(limiter: &Limiter) {
    for (whom, quota, full) in [("ann", RATE, 5), ("bob", LOCKOUT, 3)] {
        give_back(limiter, whom, quota).await;
        assert_eq!(allowed(limiter, whom, quota, 30).await, full, "{whom}");
    }
}

pub async fn purge_drops_what_is_forgotten_and_nothing_else(limiter: &Limiter) {
    assert_eq!(allowed(limiter, "ann", RATE, 5).await, 5);
    assert_eq!(allowed(limiter, "bob", LOCKOUT, 3).await, 3);
    // The bucket is full again at 50, the lockout is forgotten at 600.
    assert_eq!(limiter.port.purge(at(49)).await.unwrap(), 0);
    assert_eq!(take(limiter, "ann", RATE, at(0)).await, denied(10));
    assert_eq!(limiter.port.purge(at(51)).await.unwrap(), limiter.purged(1));
    assert_eq!(limiter.port.purge(at(599)).await.unwrap(), 0);
    assert_eq!(take(limiter, "bob", LOCKOUT, at(0)).await, denied(10));
    assert_eq!(limiter.port.purge(at(601)).await.unwrap(), limiter.purged(1));
    assert_eq!(limiter.port.purge(at(9_000)).await.unwrap(), 0);
}
