//! The cases of [`SessionStore`].

use std::collections::BTreeMap;
use std::future::{Future, poll_fn};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;
use std::time::{Duration, Instant};

use domain::id::UserKey;
use domain::ports::SessionStore;
use domain::secret::TokenHash;
use domain::session::{Session, TokenLife};
use domain::time::Lifetime;

use crate::sample::{at, plain_session, session, token};
use crate::{Fixture, crowd, race};

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
                a_short_life_is_kept_to_its_end,
                an_empty_store_lists_one_empty_page,
                list_gives_every_session_page_by_page,
                list_gives_expired_sessions_too,
                list_misses_nothing_that_stays_while_others_come_and_go,
                list_of_one_user_gives_theirs_alone_page_by_page,
                list_of_one_user_knows_who_ended,
                touch_moves_the_last_use_forward_and_never_back,
                touch_leaves_everything_else_as_it_is,
                touch_brings_no_ended_session_back,
                racing_touches_leave_the_latest,
                a_touch_that_races_with_the_end_brings_nothing_back,
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
    let terse = plain_session(&ann, "terse");
    for session in [plain, eternal, unproven, odd, longest, terse] {
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
    assert_eq!(store.port.purge(at(0)).await.unwrap(), store.purged(1));
    assert_eq!(found(store, &old).await.is_some(), store.forgets_by_itself());
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
    assert_eq!(store.port.purge(between).await.unwrap(), store.purged(1));
    // By the store's own clock, where that counts, it lives for another hour.
    let lives_on = store.forgets_by_itself();
    assert_eq!(found(store, &dead).await.is_some(), lives_on);
    assert_eq!(store.port.end(&dead.token).await.unwrap(), lives_on);
    for session in [live, eternal, longest] {
        assert_eq!(found(store, &session).await, Some(session));
    }
}

pub async fn purge_drops_thousands(store: &Store) {
    let ann = store.owner("Users", "ann").await;
    let (port, owner) = (Arc::clone(&store.port), ann.clone());
    crowd(2_500, 64, move |number| {
        let (port, open) = (Arc::clone(&port), session(&owner, &number.to_string()));
        async move { port.open(&open).await.unwrap() }
    })
    .await;
    let live = Session {
        created: at(9_000),
        ..session(&ann, "live")
    };
    store.port.open(&live).await.unwrap();
    assert_eq!(store.port.purge(at(8_000)).await.unwrap(), store.purged(2_500));
    let dead = found(store, &session(&ann, "33")).await;
    assert_eq!(dead.is_some(), store.forgets_by_itself());
    assert_eq!(found(store, &live).await, Some(live));
}

pub async fn a_short_life_is_kept_to_its_end(store: &Store) {
    const LIFE: Lifetime = Lifetime::from_millis(1_500);
    let ann = store.owner("Users", "ann").await;
    let short = Session {
        life: TokenLife::Finite(LIFE),
        ..session(&ann, "short")
    };
    let long = session(&ann, "long");
    let eternal = Session {
        life: TokenLife::Eternal,
        ..session(&ann, "eternal")
    };
    let written = Instant::now();
    for open in [&short, &long, &eternal] {
        store.port.open(open).await.unwrap();
    }
    store
        .watch(written, LIFE.into(), async || {
            found(store, &short).await.is_some()
        })
        .await;
    assert_eq!(store.port.purge(at(1)).await.unwrap(), 0, "not a moment early");
    assert_eq!(store.port.purge(at(2)).await.unwrap(), store.purged(1));
    assert_eq!(found(store, &short).await, None);
    assert!(!store.port.end(&short.token).await.unwrap());
    for open in [long, eternal] {
        assert_eq!(found(store, &open).await, Some(open));
    }
    assert_eq!(store.port.end_all(&ann, None).await.unwrap(), 2);
}

/// Reads every page there is, and gives the sessions by their tokens.
async fn listed(store: &Store, limit: usize) -> BTreeMap<TokenHash, Session> {
    listed_of(store, None, limit).await
}

/// The same for the sessions of one user, or of all.
async fn listed_of(store: &Store, of: Option<&UserKey>, limit: usize) -> BTreeMap<TokenHash, Session> {
    let mut listed = BTreeMap::new();
    let mut after = None;
    for _page in 0..100_000 {
        let page = store.port.list(of, after.as_ref(), limit).await.unwrap();
        let by_token = |session: Session| (session.token, session);
        listed.extend(page.sessions.into_iter().map(by_token));
        if page.next.is_none() {
            return listed;
        }
        after = page.next;
    }
    panic!("a listing without an end");
}

pub async fn an_empty_store_lists_one_empty_page(store: &Store) {
    assert!(listed(store, 9).await.is_empty());
    let ann = store.owner("Users", "ann").await;
    store.port.open(&session(&ann, "a")).await.unwrap();
    store.port.end(&token("a")).await.unwrap();
    assert!(listed(store, 9).await.is_empty(), "after the only one ended");
}

pub async fn list_gives_every_session_page_by_page(store: &Store) {
    let owners = [
        store.owner("Users", "Zoë").await,
        store.owner("Employees", "Zoë").await,
    ];
    let mut expected = BTreeMap::new();
    for number in 0..300 {
        let open = session(&owners[number % 2], &number.to_string());
        store.port.open(&open).await.unwrap();
        expected.insert(open.token, open);
    }
    for limit in [7, 100, 300, 5_000] {
        assert_eq!(listed(store, limit).await, expected, "{limit} at a time");
    }
}

pub async fn list_gives_expired_sessions_too(store: &Store) {
    let ann = store.owner("Users", "ann").await;
    let old = Session {
        created: at(-1_000_000_000),
        ..session(&ann, "old")
    };
    let eternal = Session {
        life: TokenLife::Eternal,
        ..session(&ann, "eternal")
    };
    for open in [&old, &eternal] {
        store.port.open(open).await.unwrap();
    }
    let listed = listed(store, 9).await;
    assert!(
        listed
            .values()
            .eq(BTreeMap::from([(old.token, &old), (eternal.token, &eternal)]).into_values())
    );
}

pub async fn list_misses_nothing_that_stays_while_others_come_and_go(store: &Store) {
    let ann = store.owner("Users", "ann").await;
    let staying: Vec<Session> = (0..200)
        .map(|number| session(&ann, &format!("staying {number}")))
        .collect();
    for open in &staying {
        store.port.open(open).await.unwrap();
    }
    let stop = Arc::new(AtomicBool::new(false));
    let (port, stopped) = (Arc::clone(&store.port), Arc::clone(&stop));
    let traffic = tokio::spawn(async move {
        let mut number = 0;
        while !stopped.load(Ordering::SeqCst) {
            let open = session(&ann, &format!("passing {number}"));
            port.open(&open).await.unwrap();
            if number % 3 > 0 {
                assert!(port.end(&open.token).await.unwrap());
            }
            number += 1;
        }
    });
    for limit in [5, 33] {
        let listed = listed(store, limit).await;
        for open in &staying {
            assert_eq!(listed.get(&open.token), Some(open));
        }
    }
    stop.store(true, Ordering::SeqCst);
    traffic.await.unwrap();
}

pub async fn list_of_one_user_gives_theirs_alone_page_by_page(store: &Store) {
    let mut kept = BTreeMap::new();
    let mut owners = vec![store.owner("Users", "nobody's").await];
    for (pool, id) in [
        ("Users", "ann"),
        ("Employees", "ann"),
        ("Users", "Ann"),
        ("Users", "ann2"),
    ] {
        owners.push(store.owner(pool, id).await);
    }
    for number in 0..120 {
        let owner = &owners[1 + number % 4];
        let open = session(owner, &number.to_string());
        store.port.open(&open).await.unwrap();
        kept.insert(open.token, open);
    }
    for owner in &owners {
        let theirs = kept.iter().filter(|(_, open)| open.user == *owner);
        let theirs: BTreeMap<_, _> = theirs.map(|(token, open)| (*token, open.clone())).collect();
        for limit in [1, 7, 30, 5_000] {
            let listed = listed_of(store, Some(owner), limit).await;
            assert_eq!(listed, theirs, "{limit} at a time of {owner}");
        }
    }
    assert_eq!(listed(store, 50).await, kept, "and all there are");
}

pub async fn list_of_one_user_knows_who_ended(store: &Store) {
    let ann = store.owner("Users", "ann").await;
    let old = Session {
        created: at(-1_000_000_000),
        ..session(&ann, "old")
    };
    let (mine, ended) = (session(&ann, "mine"), session(&ann, "ended"));
    for open in [&old, &mine, &ended] {
        store.port.open(open).await.unwrap();
    }
    store.port.end(&ended.token).await.unwrap();
    let listed = listed_of(store, Some(&ann), 9).await;
    assert_eq!(listed, BTreeMap::from([(old.token, old), (mine.token, mine)]));
    store.port.end_all(&ann, None).await.unwrap();
    assert!(listed_of(store, Some(&ann), 9).await.is_empty());
}

/// A session that was not used yet.
fn unused(owner: &UserKey, text: &str) -> Session {
    Session {
        last_used: None,
        ..session(owner, text)
    }
}

pub async fn touch_moves_the_last_use_forward_and_never_back(store: &Store) {
    let ann = store.owner("Users", "ann").await;
    let open = unused(&ann, "a");
    store.port.open(&open).await.unwrap();
    for (touched, then) in [(60, 60), (59, 60), (61, 61), (-9, 61), (3_000, 3_000), (0, 3_000)] {
        store.port.touch(&open.token, at(touched)).await.unwrap();
        let found = found(store, &open).await.unwrap();
        assert_eq!(found.last_used, Some(at(then)), "touched at {touched}");
        let listed = listed_of(store, Some(&ann), 9).await;
        assert_eq!(listed.get(&open.token), Some(&found), "and listed so");
    }
}

pub async fn touch_leaves_everything_else_as_it_is(store: &Store) {
    let ann = store.owner("Users", "Zoë").await;
    let full = session(&ann, "full");
    let terse = plain_session(&ann, "terse");
    let eternal = Session {
        life: TokenLife::Eternal,
        ..plain_session(&ann, "eternal")
    };
    let other = session(&ann, "other");
    for open in [&full, &terse, &eternal, &other] {
        store.port.open(open).await.unwrap();
    }
    for open in [full, terse, eternal] {
        store.port.touch(&open.token, at(99)).await.unwrap();
        let touched = Session {
            last_used: Some(at(99)),
            ..open
        };
        assert_eq!(found(store, &touched).await, Some(touched));
    }
    assert_eq!(found(store, &other).await, Some(other), "nobody touched it");
    assert_eq!(
        store.port.purge(at(3_599)).await.unwrap(),
        0,
        "lives are what they were"
    );
    assert_eq!(store.port.purge(at(3_602)).await.unwrap(), store.purged(3));
}

pub async fn touch_brings_no_ended_session_back(store: &Store) {
    let ann = store.owner("Users", "ann").await;
    let open = unused(&ann, "a");
    store.port.touch(&open.token, at(1)).await.unwrap();
    assert_eq!(found(store, &open).await, None, "never opened");
    store.port.open(&open).await.unwrap();
    assert!(found(store, &open).await.is_some());
    assert!(store.port.end(&open.token).await.unwrap());
    store.port.touch(&open.token, at(2)).await.unwrap();
    assert_eq!(found(store, &open).await, None);
    assert!(!store.port.end(&open.token).await.unwrap());
    assert!(listed(store, 9).await.is_empty());
}

pub async fn racing_touches_leave_the_latest(store: &Store) {
    let ann = store.owner("Users", "ann").await;
    for round in 0..5 {
        let open = unused(&ann, &round.to_string());
        store.port.open(&open).await.unwrap();
        race(16, |number| {
            let (port, token) = (Arc::clone(&store.port), open.token);
            // Neither rising nor falling: 7 is prime to 16.
            let second = i64::try_from((number + 1) * 7 % 16).unwrap();
            async move {
                port.touch(&token, at(second)).await.unwrap();
                let found = port.find(&token).await.unwrap().unwrap();
                assert!(found.last_used >= Some(at(second)), "{found:?}");
            }
        })
        .await;
        let found = found(store, &open).await.unwrap();
        assert_eq!(found.last_used, Some(at(15)));
    }
}

pub async fn a_touch_that_races_with_the_end_brings_nothing_back(store: &Store) {
    let ann = store.owner("Users", "ann").await;
    for round in 0..20 {
        let open = unused(&ann, &round.to_string());
        store.port.open(&open).await.unwrap();
        race(8, |number| {
            let (port, token) = (Arc::clone(&store.port), open.token);
            async move {
                if number == 3 {
                    assert!(port.end(&token).await.unwrap());
                    assert_eq!(port.find(&token).await.unwrap(), None);
                } else {
                    port.touch(&token, at(number.try_into().unwrap())).await.unwrap();
                }
            }
        })
        .await;
        assert_eq!(found(store, &open).await, None, "round {round}");
        assert!(listed_of(store, Some(&ann), 9).await.is_empty(), "round {round}");
    }
}
