//! The cases of [`Outbox`].

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use domain::id::{MessageId, UserKey};
use domain::outbox::{Channel, Lane, OutboxMessage, Settled};
use domain::ports::Outbox;
use domain::time::{Lifetime, Timestamp};

use crate::sample::{at, key, message};
use crate::{Fixture, crowd, race};

/// Runs every case of [`domain::ports::Outbox`] against a fixture.
#[macro_export]
macro_rules! outbox {
    ($fixture:ident) => {
        $crate::cases!(
            outbox,
            $fixture,
            [
                messages_come_back_field_by_field,
                the_same_message_twice_is_one,
                nothing_is_claimed_before_it_is_due,
                those_due_the_longest_come_first_and_no_more_than_asked_for,
                a_claim_is_stored_before_it_is_answered,
                a_claimed_message_is_held_until_its_hold_is_over,
                a_message_kept_as_claimed_is_held,
                racing_claims_give_one_message_to_exactly_one_of_fifty,
                racing_claims_give_each_message_once,
                racing_claims_after_the_hold_give_a_message_once_more,
                a_message_that_is_done_is_gone,
                a_released_message_comes_back_when_it_is_due_and_keeps_what_is_known,
                a_late_settle_of_an_older_attempt_does_nothing,
                settling_a_message_that_is_gone_says_false,
                of_racing_settles_as_done_exactly_one_says_true,
                a_lane_gives_none_of_another,
                expired_messages_are_claimed_too,
                purge_drops_what_expired_and_nothing_else,
                purge_drops_thousands,
                an_empty_outbox_lists_one_empty_page,
                list_gives_every_message_exactly_once_page_by_page,
                list_gives_what_stays_exactly_once_while_others_come_and_go,
            ]
        );
    };
}

type Store = Fixture<dyn Outbox>;

const HOLD: Lifetime = Lifetime::from_secs(30);

fn ann() -> UserKey {
    key("Users", "ann")
}

async fn put(store: &Store, message: &OutboxMessage) {
    store.port.put(message).await.unwrap();
}

async fn claim(store: &Store, now: Timestamp) -> Vec<OutboxMessage> {
    store.port.claim(Lane::People, now, HOLD, 99).await.unwrap()
}

/// Claims, and expects exactly one.
async fn claim_one(store: &Store, now: Timestamp) -> OutboxMessage {
    let mut claimed = claim(store, now).await;
    assert_eq!(claimed.len(), 1, "{claimed:?}");
    claimed.remove(0)
}

async fn settle(store: &Store, claimed: &OutboxMessage, how: Settled) -> bool {
    store
        .port
        .settle(&claimed.id, claimed.attempts, how)
        .await
        .unwrap()
}

/// Reads every page there is; no message may come twice.
async fn listed(store: &Store, limit: usize) -> BTreeMap<MessageId, OutboxMessage> {
    let mut listed = BTreeMap::new();
    let mut after = None;
    for _page in 0..100_000 {
        let page = store.port.list(after.as_ref(), limit).await.unwrap();
        assert!(page.messages.len() <= limit.max(1));
        for message in page.messages {
            let twice = listed.insert(message.id.clone(), message);
            assert_eq!(twice, None, "it comes twice");
        }
        if page.next.is_none() {
            return listed;
        }
        after = page.next;
    }
    panic!("a listing without an end");
}

fn by_id<const N: usize>(messages: [&OutboxMessage; N]) -> BTreeMap<MessageId, OutboxMessage> {
    messages
        .map(|message| (message.id.clone(), message.clone()))
        .into()
}

pub async fn messages_come_back_field_by_field(store: &Store) {
    let plain = message(&ann(), "plain");
    let text = OutboxMessage {
        channel: Channel::Sms,
        due: at(1),
        expires: at(60),
        ..message(&key("Nörds", "Zoë 李雷\u{1f600}'\""), "a text")
    };
    let tried = OutboxMessage {
        created: Timestamp::from_millis(-1),
        due: at(2),
        attempts: 70_000,
        settled: 69_998,
        held_until: Some(at(-3)),
        ..message(&ann(), "tried")
    };
    for message in [&plain, &text, &tried] {
        put(store, message).await;
    }
    assert_eq!(listed(store, 9).await, by_id([&plain, &text, &tried]));
    let claimed = claim(store, at(5)).await;
    let expected = [plain, text, tried].map(|message| message.claimed(at(5), HOLD));
    assert_eq!(claimed, expected);
}

pub async fn the_same_message_twice_is_one(store: &Store) {
    let waiting = message(&ann(), "a");
    put(store, &waiting).await;
    put(store, &waiting).await;
    assert_eq!(listed(store, 9).await, by_id([&waiting]));
    let claimed = claim_one(store, at(0)).await;
    assert!(settle(store, &claimed, Settled::Done).await);
    assert!(listed(store, 9).await.is_empty());
}

pub async fn nothing_is_claimed_before_it_is_due(store: &Store) {
    assert_eq!(claim(store, at(9)).await, []);
    put(store, &message(&ann(), "a")).await;
    let before = Timestamp::from_millis(at(0).as_millis() - 1);
    assert_eq!(claim(store, before).await, []);
    assert_eq!(claim(store, at(0)).await.len(), 1, "not a moment late");
}

pub async fn those_due_the_longest_come_first_and_no_more_than_asked_for(store: &Store) {
    for due in [30, 10, 40, 20, 50] {
        let waiting = OutboxMessage {
            due: at(due),
            // Neither their age nor their ids are in that order.
            created: at(-due),
            ..message(&ann(), &format!("{}", 90 - due))
        };
        put(store, &waiting).await;
    }
    let dues = |claimed: Vec<OutboxMessage>| claimed.into_iter().map(|message| message.due);
    assert_eq!(store.port.claim(Lane::People, at(40), HOLD, 0).await.unwrap(), []);
    let two = store.port.claim(Lane::People, at(40), HOLD, 2).await.unwrap();
    assert!(dues(two).eq([at(10), at(20)]));
    let rest = store
        .port
        .claim(Lane::People, at(40), HOLD, usize::MAX)
        .await
        .unwrap();
    assert!(dues(rest).eq([at(30), at(40)]));
    assert_eq!(claim(store, at(40)).await, [], "the last is not due");
}

pub async fn a_claim_is_stored_before_it_is_answered(store: &Store) {
    let waiting = message(&ann(), "a");
    put(store, &waiting).await;
    let claimed = claim_one(store, at(7)).await;
    assert_eq!(claimed, waiting.claimed(at(7), HOLD));
    assert_eq!(listed(store, 9).await, by_id([&claimed]));
}

pub async fn a_claimed_message_is_held_until_its_hold_is_over(store: &Store) {
    put(store, &message(&ann(), "a")).await;
    let first = claim_one(store, at(0)).await;
    assert!(!first.is_in_doubt());
    let before = Timestamp::from_millis(at(30).as_millis() - 1);
    assert_eq!(claim(store, before).await, []);
    let second = claim_one(store, at(30)).await;
    assert_eq!(second, first.claimed(at(30), HOLD));
    assert!(
        second.is_in_doubt(),
        "nobody knows what became of the first attempt"
    );
    assert_eq!(claim(store, at(59)).await, []);
    assert_eq!(claim_one(store, at(60)).await.attempts, 3);
}

pub async fn a_message_kept_as_claimed_is_held(store: &Store) {
    let claimed = message(&ann(), "a").claimed(at(0), HOLD);
    put(store, &claimed).await;
    assert_eq!(claim(store, at(29)).await, []);
    assert!(settle(store, &claimed, Settled::Done).await);
    assert_eq!(claim(store, at(99)).await, []);
    let abandoned = message(&ann(), "b").claimed(at(0), HOLD);
    put(store, &abandoned).await;
    assert_eq!(claim_one(store, at(30)).await, abandoned.claimed(at(30), HOLD));
}

pub async fn racing_claims_give_one_message_to_exactly_one_of_fifty(store: &Store) {
    for round in 0..5 {
        put(store, &message(&ann(), &round.to_string())).await;
        let claimed = race(50, |_| {
            let port = Arc::clone(&store.port);
            async move { port.claim(Lane::People, at(0), HOLD, 9).await.unwrap() }
        })
        .await;
        let got: Vec<OutboxMessage> = claimed.into_iter().flatten().collect();
        assert_eq!(got.len(), 1, "round {round}");
    }
}

/// Sixteen claim until nothing is left; says who was given how often.
async fn claimed_by_sixteen(store: &Store, now: Timestamp) -> BTreeMap<MessageId, u32> {
    let claimed = race(16, |_| {
        let port = Arc::clone(&store.port);
        async move {
            let mut mine = Vec::new();
            loop {
                let some = port.claim(Lane::People, now, HOLD, 7).await.unwrap();
                if some.is_empty() {
                    return mine;
                }
                mine.extend(some);
            }
        }
    })
    .await;
    let mut given = BTreeMap::new();
    // Whoever loses a race may leave with empty hands.
    let left = store.port.claim(Lane::People, now, HOLD, 999).await.unwrap();
    for message in claimed.into_iter().flatten().chain(left) {
        *given.entry(message.id).or_default() += 1;
    }
    given
}

async fn put_many(store: &Store, count: usize) {
    let port = Arc::clone(&store.port);
    crowd(count, 32, move |number| {
        let (port, waiting) = (Arc::clone(&port), message(&ann(), &number.to_string()));
        async move { port.put(&waiting).await.unwrap() }
    })
    .await;
}

pub async fn racing_claims_give_each_message_once(store: &Store) {
    put_many(store, 200).await;
    let given = claimed_by_sixteen(store, at(0)).await;
    assert_eq!(given.len(), 200);
    assert!(given.values().all(|times| *times == 1), "{given:?}");
}

pub async fn racing_claims_after_the_hold_give_a_message_once_more(store: &Store) {
    put_many(store, 20).await;
    for (round, now) in [(1, at(0)), (2, at(30)), (3, at(60))] {
        let given = claimed_by_sixteen(store, now).await;
        assert_eq!(given.len(), 20);
        assert!(given.values().all(|times| *times == 1), "{given:?}");
        let all = listed(store, 99).await;
        assert!(all.values().all(|message| message.attempts == round));
    }
}

pub async fn a_message_that_is_done_is_gone(store: &Store) {
    let other = OutboxMessage {
        due: at(500),
        ..message(&ann(), "other")
    };
    put(store, &message(&ann(), "a")).await;
    put(store, &other).await;
    let claimed = claim_one(store, at(0)).await;
    assert!(settle(store, &claimed, Settled::Done).await);
    assert_eq!(listed(store, 9).await, by_id([&other]));
    assert_eq!(claim(store, at(99)).await, []);
}

pub async fn a_released_message_comes_back_when_it_is_due_and_keeps_what_is_known(store: &Store) {
    put(store, &message(&ann(), "a")).await;
    let first = claim_one(store, at(0)).await;
    let again = Settled::Again { due: at(5) };
    assert!(settle(store, &first, again).await);
    let released = first.released(at(5));
    assert_eq!(listed(store, 9).await, by_id([&released]));
    assert_eq!(claim(store, at(4)).await, []);
    let second = claim_one(store, at(5)).await;
    assert_eq!(second, released.claimed(at(5), HOLD));
    assert!(!second.is_in_doubt(), "the carrier did not take the first");
}

pub async fn a_late_settle_of_an_older_attempt_does_nothing(store: &Store) {
    put(store, &message(&ann(), "a")).await;
    let first = claim_one(store, at(0)).await;
    let second = claim_one(store, at(30)).await;
    for how in [Settled::Done, Settled::Again { due: at(0) }] {
        assert!(!settle(store, &first, how).await);
        assert_eq!(listed(store, 9).await, by_id([&second]), "{how:?}");
    }
    assert_eq!(claim(store, at(31)).await, [], "it is still held");
    assert!(settle(store, &second, Settled::Done).await);
    assert!(listed(store, 9).await.is_empty());
}

pub async fn settling_a_message_that_is_gone_says_false(store: &Store) {
    let never = message(&ann(), "never").claimed(at(0), HOLD);
    put(store, &message(&ann(), "a")).await;
    let claimed = claim_one(store, at(0)).await;
    assert!(settle(store, &claimed, Settled::Done).await);
    for gone in [&never, &claimed] {
        for how in [Settled::Done, Settled::Again { due: at(0) }] {
            assert!(!settle(store, gone, how).await);
        }
    }
    assert!(listed(store, 9).await.is_empty(), "nothing came back");
}

pub async fn of_racing_settles_as_done_exactly_one_says_true(store: &Store) {
    for round in 0..5 {
        put(store, &message(&ann(), &round.to_string())).await;
        let claimed = claim_one(store, at(0)).await;
        let answers = race(16, |_| {
            let (port, id) = (Arc::clone(&store.port), claimed.id.clone());
            async move { port.settle(&id, 1, Settled::Done).await.unwrap() }
        })
        .await;
        assert_eq!(answers.iter().filter(|settled| **settled).count(), 1);
    }
}

pub async fn a_lane_gives_none_of_another(store: &Store) {
    let of = |id, channel| OutboxMessage {
        channel,
        ..message(&ann(), id)
    };
    let (text, mail) = (of("a", Channel::Sms), of("b", Channel::Mail));
    let hook = of("c", Channel::Webhook);
    for message in [&hook, &text, &mail] {
        put(store, message).await;
    }
    let claim = async |lane| store.port.claim(lane, at(0), HOLD, 99).await.unwrap();
    let claimed = claim(Lane::Services).await;
    assert_eq!(claimed, [hook.clone().claimed(at(0), HOLD)]);
    assert_eq!(claim(Lane::Services).await, []);
    let claimed = claim(Lane::People).await;
    assert_eq!(claimed, [text, mail].map(|message| message.claimed(at(0), HOLD)));
    let again = store.port.claim(Lane::Services, at(30), HOLD, 99).await.unwrap();
    assert_eq!(again.len(), 1, "its hold is over");
    assert!(settle(store, &again[0], Settled::Again { due: at(60) }).await);
    let late = store.port.claim(Lane::People, at(99), HOLD, 99).await.unwrap();
    assert!(late.iter().all(|message| message.channel != Channel::Webhook));
    let late = store.port.claim(Lane::Services, at(99), HOLD, 99).await.unwrap();
    assert_eq!(late.len(), 1);
}

pub async fn expired_messages_are_claimed_too(store: &Store) {
    let old = OutboxMessage {
        expires: at(20),
        ..message(&ann(), "old")
    };
    put(store, &old).await;
    assert_eq!(claim_one(store, at(9_999)).await, old.claimed(at(9_999), HOLD));
}

pub async fn purge_drops_what_expired_and_nothing_else(store: &Store) {
    let until = |id: &str, expires| OutboxMessage {
        expires,
        ..message(&ann(), id)
    };
    let (old, held) = (until("old", at(600)), until("held", at(600)).claimed(at(0), HOLD));
    let (edge, late) = (until("edge", at(601)), until("late", at(9_999)));
    for message in [&old, &held, &edge, &late] {
        put(store, message).await;
    }
    assert_eq!(store.port.purge(at(600)).await.unwrap(), 0, "not a moment early");
    assert_eq!(store.port.purge(at(601)).await.unwrap(), store.purged(2));
    if store.forgets_by_itself() {
        assert!(listed(store, 9).await.len() >= 2, "never before its time");
    } else {
        assert_eq!(listed(store, 9).await, by_id([&edge, &late]));
    }
}

pub async fn purge_drops_thousands(store: &Store) {
    put_many(store, 1_500).await;
    let late = OutboxMessage {
        expires: at(999_999),
        ..message(&ann(), "late")
    };
    put(store, &late).await;
    assert_eq!(store.port.purge(at(90_000)).await.unwrap(), store.purged(1_500));
    assert!(listed(store, 999).await.contains_key(&late.id));
}

pub async fn an_empty_outbox_lists_one_empty_page(store: &Store) {
    let page = store.port.list(None, 9).await.unwrap();
    assert_eq!((page.messages, page.next), (Vec::new(), None));
}

pub async fn list_gives_every_message_exactly_once_page_by_page(store: &Store) {
    put_many(store, 150).await;
    for limit in [1, 7, 150, 5_000] {
        let listed = listed(store, limit).await;
        assert_eq!(listed.len(), 150, "{limit} at a time");
        for message in listed.values() {
            assert_eq!(*message, crate::sample::message(&ann(), message.id.as_str()));
        }
    }
}

pub async fn list_gives_what_stays_exactly_once_while_others_come_and_go(store: &Store) {
    put_many(store, 100).await;
    let stop = Arc::new(AtomicBool::new(false));
    let (port, stopped) = (Arc::clone(&store.port), Arc::clone(&stop));
    let traffic = tokio::spawn(async move {
        let mut number = 0;
        while !stopped.load(Ordering::SeqCst) {
            let passing = message(&ann(), &format!("passing {number}")).claimed(at(0), HOLD);
            port.put(&passing).await.unwrap();
            if number % 3 > 0 {
                assert!(port.settle(&passing.id, 1, Settled::Done).await.unwrap());
            }
            number += 1;
        }
    });
    for limit in [3, 33] {
        let listed = listed(store, limit).await;
        for number in 0..100 {
            let staying = MessageId::new(number.to_string());
            assert!(listed.contains_key(&staying), "{number}");
        }
    }
    stop.store(true, Ordering::SeqCst);
    traffic.await.unwrap();
}
