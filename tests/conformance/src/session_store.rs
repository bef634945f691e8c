//! The cases of [`SessionStore`].

use std::future::{Future, poll_fn};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;
use std::time::Duration;

use domain::ports::SessionStore;
use domain::session::{Session, TokenLife};
use domain::time::Lifetime;

use crate::sample::{at, session, token};
use crate::{Fixture, race};

/// Runs every case of [`domain::ports::SessionStore`] against a fixture.
#[macro_export]
macro_rules! session_store {
    ($fixture:ident) => {
        $crate::cases!(
            session_store,
            $fixture,
            [
                find_returns_what_was_stored_field_by_field,
                an_unknown_token_finds_nothing,
                an_opened_session_is_found_by_every_later_find,
                an_expired_session_is_found_until_it_is_purged,
                end_says_true_once,
                end_says_true_to_exactly_one_of_sixteen,
                an_ended_session_is_never_found_again_by_racing_finds,
                a_find_that_began_before_the_end_does_not_answer_with_it,
                end_all_ends_all_and_counts_them,
                end_all_spares_the_one_it_is_told_to,
                end_all_leaves_other_users_and_the_same_id_in_another_pool_alone,
                a_find_that_began_before_end_all_does_not_answer_with_it,
                purge_drops_what_expired_and_nothing_else,
                purge_drops_thousands,
            ]
        );
    };
}

type Store = Fixture<dyn SessionStore>;

async fn found(store: &Store, session: &Session) -> Option<Session> {
    store.port.find(&session.token).await.unwrap()
}

pub async fn find_returns_what_was_stored_field_by_field(store: &Store) {
    let ann = store.owner("Users", "Zoë").await;
    let plain = session(&ann, "plain");
    let eternal = Session {
        life: TokenLife::Eternal,
        ..session(&ann, "eternal")
    };
    let unproven = Session {
        factors: Vec::new(),
        ..session(&ann, "unproven")
    };
    let odd = Session {
        life: TokenLife::Finite(Lifetime::from_millis(1_501)),
        created: at(-1),
        ..session(&ann, "odd")
    };
    let longest = Session {
        life: TokenLife::Finite(Lifetime::from_millis(u64::MAX)),
        ..session(&ann, "longest")
    };
    for session in [plain, eternal, unproven, odd, longest] {
        store.port.open(&session).await.unwrap();
        assert_eq!(found(store, &session).await.as_ref(), Some(&session));
        assert_eq!(found(store, &session).await, Some(session), "the second time");
    }
}

pub async fn an_unknown_token_finds_nothing(store: &Store) {
    let ann = store.owner("Users", "ann").await;
    store.port.open(&session(&ann, "a")).await.unwrap();
    assert_eq!(store.port.find(&token("b")).await.unwrap(), None);
    assert_eq!(store.port.find(&token("")).await.unwrap(), None);
}

pub async fn an_opened_session_is_found_by_every_later_find(store: &Store) {
    let ann = store.owner("Users", "ann").await;
    let sessions: Vec<Session> = (0..200)
        .map(|number| session(&ann, &number.to_string()))
        .collect();
    let opened = sessions.clone();
    race(200, |number| {
        let (port, session) = (Arc::clone(&store.port), opened[number].clone());
        async move {
            assert_eq!(port.find(&session.token).await.unwrap(), None);
            port.open(&session).await.unwrap();
            assert_eq!(port.find(&session.token).await.unwrap(), Some(session));
        }
    })
    .await;
    for session in sessions {
        assert_eq!(found(store, &session).await, Some(session));
    }
}

pub async fn an_expired_session_is_found_until_it_is_purged(store: &Store) {
    let ann = store.owner("Users", "ann").await;
    let old = Session {
        created: at(-1_000_000_000),
        ..session(&ann, "old")
    };
    store.port.open(&old).await.unwrap();
    assert_eq!(found(store, &old).await.as_ref(), Some(&old));
    assert_eq!(store.port.purge(at(0)).await.unwrap(), 1);
    assert_eq!(found(store, &old).await, None);
}

pub async fn end_says_true_once(store: &Store) {
    let ann = store.owner("Users", "ann").await;
    let open = session(&ann, "a");
    assert!(!store.port.end(&open.token).await.unwrap(), "never opened");
    store.port.open(&open).await.unwrap();
    assert!(store.port.end(&open.token).await.unwrap());
    assert!(!store.port.end(&open.token).await.unwrap(), "already ended");
    assert_eq!(found(store, &open).await, None);
}

pub async fn end_says_true_to_exactly_one_of_sixteen(store: &Store) {
    let ann = store.owner("Users", "ann").await;
    for round in 0..5 {
        let open = session(&ann, &round.to_string());
        store.port.open(&open).await.unwrap();
        let answers = race(16, |_| {
            let (port, token) = (Arc::clone(&store.port), open.token);
            async move { port.end(&token).await.unwrap() }
        })
        .await;
        assert_eq!(answers.iter().filter(|ended| **ended).count(), 1);
    }
}

pub async fn an_ended_session_is_never_found_again_by_racing_finds(store: &Store) {
    let ann = store.owner("Users", "ann").await;
    for round in 0..60 {
        let open = session(&ann, &round.to_string());
        store.port.open(&open).await.unwrap();
        let ended = Arc::new(AtomicBool::new(false));
        let finders: Vec<_> = (0..4)
            .map(|_| {
                let (port, token, ended) = (Arc::clone(&store.port), open.token, Arc::clone(&ended));
                tokio::spawn(async move {
                    loop {
                        let began_after_the_end = ended.load(Ordering::SeqCst);
                        let answer = port.find(&token).await.unwrap();
                        if began_after_the_end {
                            return answer;
                        }
                        tokio::task::yield_now().await;
                    }
                })
            })
            .collect();
        tokio::task::yield_now().await;
        assert!(store.port.end(&open.token).await.unwrap());
        ended.store(true, Ordering::SeqCst);
        for finder in finders {
            assert_eq!(finder.await.unwrap(), None, "round {round}");
        }
        assert_eq!(found(store, &open).await, None, "left behind in round {round}");
    }
}

/// Begins a find, lets it get as far as it gets by itself, runs `end`, and only then takes the answer.
async fn slow_find(store: &Store, session: &Session, end: impl Future<Output = ()>) {
    let mut find = store.port.find(&session.token);
    let first = poll_fn(|cx| Poll::Ready(find.as_mut().poll(cx))).await;
    if first.is_ready() {
        // It was answered before the end, which is as good.
        return end.await;
    }
    tokio::time::sleep(Duration::from_millis(30)).await;
    end.await;
    assert_eq!(find.await.unwrap(), None);
    assert_eq!(found(store, session).await, None, "and left nothing behind");
}

pub async fn a_find_that_began_before_the_end_does_not_answer_with_it(store: &Store) {
    let ann = store.owner("Users", "ann").await;
    for round in 0..5 {
        let open = session(&ann, &round.to_string());
        store.port.open(&open).await.unwrap();
        slow_find(store, &open, async {
            assert!(store.port.end(&open.token).await.unwrap());
        })
        .await;
    }
}

pub async fn a_find_that_began_before_end_all_does_not_answer_with_it(store: &Store) {
    let ann = store.owner("Users", "ann").await;
    for round in 0..5 {
        let open = session(&ann, &round.to_string());
        store.port.open(&open).await.unwrap();
        slow_find(store, &open, async {
            assert_eq!(store.port.end_all(&ann, None).await.unwrap(), 1);
        })
        .await;
    }
}

pub async fn end_all_ends_all_and_counts_them(store: &Store) {
    let ann = store.owner("Users", "ann").await;
    assert_eq!(store.port.end_all(&ann, None).await.unwrap(), 0);
    let sessions: Vec<Session> = (0..30).map(|n| session(&ann, &n.to_string())).collect();
    for session in &sessions {
        store.port.open(session).await.unwrap();
        assert!(found(store, session).await.is_some());
    }
    assert_eq!(store.port.end_all(&ann, None).await.unwrap(), 30);
    for session in &sessions {
        assert_eq!(found(store, session).await, None);
        assert!(!store.port.end(&session.token).await.unwrap());
    }
}

pub async fn end_all_spares_the_one_it_is_told_to(store: &Store) {
    let ann = store.owner("Users", "ann").await;
    let (mine, other) = (session(&ann, "mine"), session(&ann, "other"));
    store.port.open(&mine).await.unwrap();
    store.port.open(&other).await.unwrap();
    assert_eq!(store.port.end_all(&ann, Some(&mine.id)).await.unwrap(), 1);
    assert_eq!(found(store, &mine).await.as_ref(), Some(&mine));
    assert_eq!(found(store, &other).await, None);
    assert_eq!(store.port.end_all(&ann, Some(&other.id)).await.unwrap(), 1);
    assert_eq!(found(store, &mine).await, None, "an ended session spares nobody");
}

pub async fn end_all_leaves_other_users_and_the_same_id_in_another_pool_alone(store: &Store) {
    let mut others = Vec::new();
    for (pool, id) in [("Users", "bob"), ("Employees", "ann"), ("Users", "Ann")] {
        let owner = store.owner(pool, id).await;
        let open = session(&owner, &format!("{pool}-{id}"));
        store.port.open(&open).await.unwrap();
        others.push(open);
    }
    let ann = store.owner("Users", "ann").await;
    store.port.open(&session(&ann, "hers")).await.unwrap();
    assert_eq!(store.port.end_all(&ann, None).await.unwrap(), 1);
    for open in others {
        assert_eq!(found(store, &open).await, Some(open));
    }
}

pub async fn purge_drops_what_expired_and_nothing_else(store: &Store) {
    let ann = store.owner("Users", "ann").await;
    let dead = session(&ann, "dead");
    let live = Session {
        created: at(1),
        ..session(&ann, "live")
    };
    let eternal = Session {
        created: at(-1_000_000),
        life: TokenLife::Eternal,
        ..session(&ann, "eternal")
    };
    let longest = Session {
        life: TokenLife::Finite(Lifetime::from_millis(u64::MAX)),
        ..session(&ann, "longest")
    };
    for session in [&dead, &live, &eternal, &longest] {
        store.port.open(session).await.unwrap();
        assert!(found(store, session).await.is_some());
    }
    // `dead` is over at 3600, `live` at 3601.
    assert_eq!(store.port.purge(at(3599)).await.unwrap(), 0);
    assert!(found(store, &dead).await.is_some(), "not a moment early");
    let between = at(3600).plus(Lifetime::from_millis(500));
    assert_eq!(store.port.purge(between).await.unwrap(), 1);
    assert_eq!(found(store, &dead).await, None);
    assert!(!store.port.end(&dead.token).await.unwrap());
    for session in [live, eternal, longest] {
        assert_eq!(found(store, &session).await, Some(session));
    }
}

pub async fn purge_drops_thousands(store: &Store) {
    let ann = store.owner("Users", "ann").await;
    for chunk in 0..25 {
        race(100, |number| {
            let (port, open) = (
                Arc::clone(&store.port),
                session(&ann, &format!("{chunk}-{number}")),
            );
            async move { port.open(&open).await.unwrap() }
        })
        .await;
    }
    let live = Session {
        created: at(9_000),
        ..session(&ann, "live")
    };
    store.port.open(&live).await.unwrap();
    assert_eq!(store.port.purge(at(8_000)).await.unwrap(), 2_500);
    assert_eq!(found(store, &session(&ann, "3-3")).await, None);
    assert_eq!(found(store, &live).await, Some(live));
}
