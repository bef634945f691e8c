//! The cases of [`Tombstones`].

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use domain::ports::Tombstones;
use domain::time::{Lifetime, Timestamp};
use domain::tombstone::Tombstone;

use crate::sample::{at, token};
use crate::{Fixture, crowd, race};

/// Runs every case of [`domain::ports::Tombstones`] against a fixture.
#[macro_export]
macro_rules! tombstones {
    ($fixture:ident) => {
        $crate::cases!(
            tombstones,
            $fixture,
            [
                a_buried_token_is_buried,
                bury_says_true_once,
                bury_says_true_to_exactly_one_of_fifty,
                a_question_that_begins_after_the_burial_is_told,
                a_second_burial_changes_nothing,
                purge_drops_what_is_over_and_nothing_else,
                an_eternal_tombstone_stays,
                purge_drops_thousands,
            ]
        );
    };
}

type Stones = Fixture<dyn Tombstones>;

fn stone(text: &str, until: Option<Timestamp>) -> Tombstone {
    Tombstone {
        token: token(text),
        until,
    }
}

async fn is_buried(stones: &Stones, text: &str) -> bool {
    stones.port.is_buried(&token(text)).await.unwrap()
}

pub async fn a_buried_token_is_buried(stones: &Stones) {
    let untils = [
        None,
        Some(at(600)),
        Some(at(-600)),
        Some(Timestamp::from_millis(-1)),
        Some(at(4_000_000_000)),
    ];
    for (number, until) in untils.into_iter().enumerate() {
        let name = number.to_string();
        assert!(!is_buried(stones, &name).await);
        assert!(stones.port.bury(&stone(&name, until)).await.unwrap());
        assert!(is_buried(stones, &name).await, "until {until:?}");
        assert!(is_buried(stones, &name).await, "the second time");
    }
    assert!(!is_buried(stones, "another").await);
    assert!(!is_buried(stones, "").await);
}

pub async fn bury_says_true_once(stones: &Stones) {
    for (name, until) in [("a", Some(at(600))), ("b", None)] {
        assert!(stones.port.bury(&stone(name, until)).await.unwrap());
        for _ in 0..3 {
            assert!(!stones.port.bury(&stone(name, until)).await.unwrap());
        }
    }
}

pub async fn bury_says_true_to_exactly_one_of_fifty(stones: &Stones) {
    for round in 0..5 {
        let spent = stone(&round.to_string(), Some(at(600)));
        let answers = race(50, |_| {
            let port = Arc::clone(&stones.port);
            async move { port.bury(&spent).await.unwrap() }
        })
        .await;
        assert_eq!(answers.iter().filter(|made| **made).count(), 1, "round {round}");
        assert!(is_buried(stones, &round.to_string()).await);
    }
}

pub async fn a_question_that_begins_after_the_burial_is_told(stones: &Stones) {
    for round in 0..40 {
        let spent = stone(&round.to_string(), Some(at(600)));
        let buried = Arc::new(AtomicBool::new(false));
        let askers: Vec<_> = (0..4)
            .map(|_| {
                let (port, buried) = (Arc::clone(&stones.port), Arc::clone(&buried));
                tokio::spawn(async move {
                    loop {
                        let began_after = buried.load(Ordering::SeqCst);
                        let answer = port.is_buried(&spent.token).await.unwrap();
                        if began_after {
                            return answer;
                        }
                        tokio::task::yield_now().await;
                    }
                })
            })
            .collect();
        tokio::task::yield_now().await;
        assert!(stones.port.bury(&spent).await.unwrap());
        buried.store(true, Ordering::SeqCst);
        for asker in askers {
            assert!(asker.await.unwrap(), "round {round}");
        }
    }
}

pub async fn a_second_burial_changes_nothing(stones: &Stones) {
    for (name, until) in [("eternal", None), ("long", Some(at(600)))] {
        assert!(stones.port.bury(&stone(name, until)).await.unwrap());
        assert!(!stones.port.bury(&stone(name, Some(at(1)))).await.unwrap());
    }
    assert_eq!(stones.port.purge(at(2)).await.unwrap(), 0);
    assert!(is_buried(stones, "eternal").await);
    assert!(is_buried(stones, "long").await);
}

pub async fn purge_drops_what_is_over_and_nothing_else(stones: &Stones) {
    for (name, until) in [("over", at(600)), ("needed", at(601))] {
        stones.port.bury(&stone(name, Some(until))).await.unwrap();
    }
    for moment in [at(599), at(600)] {
        assert_eq!(stones.port.purge(moment).await.unwrap(), 0);
        assert!(is_buried(stones, "over").await, "not a moment early");
    }
    let after = at(600).plus(Lifetime::from_millis(1));
    assert_eq!(stones.port.purge(after).await.unwrap(), 1);
    assert!(!is_buried(stones, "over").await);
    assert!(is_buried(stones, "needed").await);
    assert_eq!(stones.port.purge(after).await.unwrap(), 0);
}

pub async fn an_eternal_tombstone_stays(stones: &Stones) {
    stones.port.bury(&stone("eternal", None)).await.unwrap();
    assert_eq!(stones.port.purge(at(4_000_000_000)).await.unwrap(), 0);
    assert!(is_buried(stones, "eternal").await);
}

pub async fn purge_drops_thousands(stones: &Stones) {
    let port = Arc::clone(&stones.port);
    crowd(2_500, 64, move |number| {
        let port = Arc::clone(&port);
        async move {
            let spent = stone(&number.to_string(), Some(at(600)));
            assert!(port.bury(&spent).await.unwrap());
        }
    })
    .await;
    stones.port.bury(&stone("needed", Some(at(9_000)))).await.unwrap();
    assert_eq!(stones.port.purge(at(8_000)).await.unwrap(), 2_500);
    assert!(!is_buried(stones, "33").await);
    assert!(is_buried(stones, "needed").await);
}
