//! What adapters of several nodes on one store must do together.
//!
//! An adapter's `tests/conformance.rs` opens two of itself on one database:
//!
//! ```text
//! async fn neighbours() -> Fixture<Neighbours> {
//!     let database = Database::fresh();
//!     let here = Arc::new(PostgresStore::open(config_for(&database)).await.unwrap());
//!     let there = Arc::new(PostgresStore::open(config_for(&database)).await.unwrap());
//!     let neighbours = Neighbours { here: Roles::of_store(&here), there: Roles::of_store(&there) };
//!     Fixture::new(Arc::new(neighbours)).guarded_by(database)
//! }
//! conformance::several_nodes!(neighbours);
//! ```

use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::flow_record::FlowKind;
use domain::limits::{LimitKey, Quota, Verdict};
use domain::outbox::{Lane, Settled};
use domain::ports::{LookupKey, PortError, SessionStore, UserStore};
use domain::session::Session;
use domain::time::Lifetime;
use domain::user::User;

use crate::roles::Roles;
use crate::sample::{at, flow, identity, key, linked, message, session, token, with_email};
use crate::{Fixture, race};

/// Runs every case of two nodes on one store, against a `Fixture<Neighbours>`.
#[macro_export]
macro_rules! several_nodes {
    ($fixture:ident) => {
        $crate::cases!(
            several_nodes,
            $fixture,
            [
                what_one_node_writes_the_other_finds_at_once,
                a_recent_find_is_no_older_than_it_may_be,
                of_racing_creates_of_one_email_exactly_one_wins,
                of_racing_links_of_one_identity_exactly_one_wins,
                of_racing_commits_of_one_revision_exactly_one_wins,
                a_session_is_found_everywhere_at_once,
                a_session_ended_at_one_node_is_gone_everywhere_within_a_second,
                sessions_ended_together_at_one_node_are_gone_everywhere_within_a_second,
                end_says_true_to_exactly_one_of_fifty,
                take_gives_to_exactly_one_of_fifty,
                a_taken_flow_comes_back_nowhere,
                bury_says_true_to_exactly_one_of_fifty,
                racing_tries_share_one_limit,
                racing_claims_give_each_message_once,
                an_attempt_abandoned_at_one_node_is_known_at_the_other,
                touches_at_both_nodes_leave_the_latest,
            ]
        );
    };
}

/// How long a claim of a message holds.
const HOLD: Lifetime = Lifetime::from_secs(30);

/// Two adapters on one store, as two nodes have them.
pub struct Neighbours {
    /// The adapter of one node.
    pub here: Roles,
    /// The adapter of another.
    pub there: Roles,
}

type Nodes = Fixture<Neighbours>;

/// How long a session that was ended may be found elsewhere (the port's word).
const WITHIN: Duration = Duration::from_secs(1);

/// The same port of both nodes.
macro_rules! both {
    ($nodes:ident, $port:ident) => {
        match (&$nodes.port.here.$port, &$nodes.port.there.$port) {
            (Some(here), Some(there)) => [Arc::clone(here), Arc::clone(there)],
            _ => return,
        }
    };
}

/// The owner of records, made where users are kept.
async fn ann(nodes: &Nodes) -> User {
    let ann = with_email("ann", "ann@example.com");
    if let Some(users) = &nodes.port.here.users {
        users.create(&ann).await.unwrap();
    }
    ann
}

pub async fn what_one_node_writes_the_other_finds_at_once(nodes: &Nodes) {
    let [here, there] = both!(nodes, users);
    let email = LookupKey::Email("ann@example.com".to_owned());
    let mut ann = with_email("ann", "ann@example.com");
    assert_eq!(there.find(&ann.key).await.unwrap(), None);
    here.create(&ann).await.unwrap();
    for round in 0..20 {
        let (writes, reads) = if round % 2 == 0 {
            (&here, &there)
        } else {
            (&there, &here)
        };
        assert_eq!(reads.find(&ann.key).await.unwrap().as_ref(), Some(&ann));
        let found = reads.find_by(&ann.key.pool, &email).await.unwrap();
        assert_eq!(found.as_ref(), Some(&ann));
        let next = ann.changed(at(round));
        writes.commit(&next, ann.revision).await.unwrap();
        ann = next;
    }
    here.delete(&ann.key, ann.revision).await.unwrap();
    assert_eq!(there.find(&ann.key).await.unwrap(), None);
    assert_eq!(there.find_by(&ann.key.pool, &email).await.unwrap(), None);
}

pub async fn a_recent_find_is_no_older_than_it_may_be(nodes: &Nodes) {
    const AT_MOST: Lifetime = Lifetime::from_millis(300);
    let [here, there] = both!(nodes, users);
    let mut ann = ann(nodes).await;
    for _round in 0..5 {
        assert!(there.find_recent(&ann.key, AT_MOST).await.unwrap().is_some());
        let next = ann.changed(at(1));
        here.commit(&next, ann.revision).await.unwrap();
        let committed = Instant::now();
        let at_once = there.find_recent(&ann.key, Lifetime::ZERO).await.unwrap();
        assert_eq!(at_once.as_ref(), Some(&next), "no older than no time at all");
        while committed.elapsed() <= AT_MOST.into() {
            let found = there.find_recent(&ann.key, AT_MOST).await.unwrap().unwrap();
            assert!(found == ann || found == next);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let found = there.find_recent(&ann.key, AT_MOST).await.unwrap();
        assert_eq!(found.as_ref(), Some(&next));
        ann = next;
    }
    assert!(there.find_recent(&ann.key, AT_MOST).await.unwrap().is_some());
    here.delete(&ann.key, ann.revision).await.unwrap();
    tokio::time::sleep(Duration::from(AT_MOST) + Duration::from_millis(20)).await;
    assert_eq!(there.find_recent(&ann.key, AT_MOST).await.unwrap(), None);
}

/// Sixteen calls at once, half of them at each node; gives how many were acknowledged.
async fn winners<F>(
    users: &[Arc<dyn UserStore>; 2],
    call: impl Fn(Arc<dyn UserStore>, usize) -> F,
) -> (usize, Vec<PortError>)
where
    F: Future<Output = Result<(), PortError>> + Send + 'static,
{
    let answers = race(16, |number| call(Arc::clone(&users[number % 2]), number)).await;
    let refused: Vec<PortError> = answers.into_iter().filter_map(Result::err).collect();
    (16 - refused.len(), refused)
}

pub async fn of_racing_creates_of_one_email_exactly_one_wins(nodes: &Nodes) {
    let users = both!(nodes, users);
    for round in 0..5 {
        let (won, refused) = winners(&users, |port, number| async move {
            let address = format!("ann{round}@example.com");
            port.create(&with_email(&format!("{round}-{number}"), &address))
                .await
        })
        .await;
        assert_eq!(won, 1, "{refused:?}");
        let duplicates = refused
            .iter()
            .all(|error| matches!(error, PortError::Duplicate(_)));
        assert!(duplicates, "{refused:?}");
    }
}

pub async fn of_racing_links_of_one_identity_exactly_one_wins(nodes: &Nodes) {
    let users = both!(nodes, users);
    for round in 0..5 {
        for number in 0..16 {
            let user = linked(&format!("{round}-{number}"), Vec::new());
            users[number % 2].create(&user).await.unwrap();
        }
        let (won, refused) = winners(&users, |port, number| async move {
            let user = linked(&format!("{round}-{number}"), Vec::new());
            let next = User {
                identities: Arc::new(vec![identity("google", &round.to_string())]),
                ..user.changed(at(1))
            };
            port.commit(&next, user.revision).await
        })
        .await;
        assert_eq!(won, 1, "{refused:?}");
    }
}

pub async fn of_racing_commits_of_one_revision_exactly_one_wins(nodes: &Nodes) {
    let users = both!(nodes, users);
    let mut ann = ann(nodes).await;
    for _round in 0..5 {
        let before = ann.clone();
        let (won, refused) = winners(&users, |port, number| {
            let before = before.clone();
            async move {
                let next = User {
                    realm: Some(number.to_string()),
                    ..before.changed(at(1))
                };
                port.commit(&next, before.revision).await
            }
        })
        .await;
        assert_eq!(won, 1);
        let stale = refused.iter().all(|error| matches!(error, PortError::Stale));
        assert!(stale, "{refused:?}");
        ann = users[0].find(&ann.key).await.unwrap().unwrap();
        assert_eq!(users[1].find(&ann.key).await.unwrap().as_ref(), Some(&ann));
    }
}

pub async fn a_session_is_found_everywhere_at_once(nodes: &Nodes) {
    let [here, there] = both!(nodes, sessions);
    let ann = ann(nodes).await;
    for round in 0..20 {
        let open = session(&ann.key, &round.to_string());
        // What is not there yet must not be remembered as absent.
        assert_eq!(there.find(&open.token).await.unwrap(), None);
        here.open(&open).await.unwrap();
        assert_eq!(there.find(&open.token).await.unwrap(), Some(open));
    }
}

/// Waits until a session is gone at a node, which it must be soon, and stay.
async fn gone_in_time(store: &dyn SessionStore, ended: Instant, open: &Session) {
    while store.find(&open.token).await.unwrap().is_some() {
        assert!(
            ended.elapsed() < WITHIN,
            "found {:?} after its end",
            ended.elapsed()
        );
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    tokio::time::sleep(WITHIN.saturating_sub(ended.elapsed())).await;
    assert_eq!(store.find(&open.token).await.unwrap(), None, "found again");
}

pub async fn a_session_ended_at_one_node_is_gone_everywhere_within_a_second(nodes: &Nodes) {
    let [here, there] = both!(nodes, sessions);
    let ann = ann(nodes).await;
    for round in 0..3 {
        let open = session(&ann.key, &round.to_string());
        here.open(&open).await.unwrap();
        for _ in 0..5 {
            assert!(there.find(&open.token).await.unwrap().is_some());
        }
        assert!(here.end(&open.token).await.unwrap());
        assert_eq!(here.find(&open.token).await.unwrap(), None, "at once here");
        gone_in_time(&*there, Instant::now(), &open).await;
        assert!(!there.end(&open.token).await.unwrap());
    }
}

pub async fn sessions_ended_together_at_one_node_are_gone_everywhere_within_a_second(nodes: &Nodes) {
    let [here, there] = both!(nodes, sessions);
    let ann = ann(nodes).await;
    let open: Vec<Session> = (0..20).map(|n| session(&ann.key, &n.to_string())).collect();
    for (number, open) in open.iter().enumerate() {
        let opens = if number % 2 == 0 { &here } else { &there };
        opens.open(open).await.unwrap();
        assert!(there.find(&open.token).await.unwrap().is_some());
    }
    let spare = &open[0];
    assert_eq!(here.end_all(&ann.key, Some(&spare.id)).await.unwrap(), 19);
    let ended = Instant::now();
    for open in &open[1..] {
        assert_eq!(here.find(&open.token).await.unwrap(), None, "at once here");
    }
    for open in &open[1..] {
        gone_in_time(&*there, ended, open).await;
    }
    assert_eq!(there.find(&spare.token).await.unwrap().as_ref(), Some(spare));
}

pub async fn end_says_true_to_exactly_one_of_fifty(nodes: &Nodes) {
    let sessions = both!(nodes, sessions);
    let ann = ann(nodes).await;
    for round in 0..5 {
        let open = session(&ann.key, &round.to_string());
        sessions[0].open(&open).await.unwrap();
        let answers = race(50, |number| {
            let (port, token) = (Arc::clone(&sessions[number % 2]), open.token);
            async move { port.end(&token).await.unwrap() }
        })
        .await;
        assert_eq!(answers.iter().filter(|ended| **ended).count(), 1);
    }
}

pub async fn take_gives_to_exactly_one_of_fifty(nodes: &Nodes) {
    let flows = both!(nodes, flows);
    let ann = ann(nodes).await;
    for round in 0..5 {
        let begun = flow(&ann.key, FlowKind::ResetPassword, &round.to_string());
        flows[0].put(&begun).await.unwrap();
        let taken = race(50, |number| {
            let (port, id) = (Arc::clone(&flows[number % 2]), begun.id);
            async move { port.take(&id).await.unwrap() }
        })
        .await;
        let got: Vec<_> = taken.into_iter().flatten().collect();
        assert_eq!(got, [begun]);
    }
}

pub async fn a_taken_flow_comes_back_nowhere(nodes: &Nodes) {
    let [here, there] = both!(nodes, flows);
    let ann = ann(nodes).await;
    let begun = flow(&ann.key, FlowKind::PendingLogin, "a");
    here.put(&begun).await.unwrap();
    assert_eq!(there.find(&begun.id).await.unwrap().as_ref(), Some(&begun));
    assert_eq!(there.take(&begun.id).await.unwrap().as_ref(), Some(&begun));
    for node in [here, there] {
        assert_eq!(node.find(&begun.id).await.unwrap(), None);
        assert_eq!(node.take(&begun.id).await.unwrap(), None);
        assert!(!node.replace(&begun).await.unwrap());
        let listed = node.list(&ann.key, FlowKind::PendingLogin).await.unwrap();
        assert_eq!(listed, []);
    }
}

pub async fn bury_says_true_to_exactly_one_of_fifty(nodes: &Nodes) {
    let tombstones = both!(nodes, tombstones);
    for round in 0..5 {
        let spent = crate::severed::stone(&round.to_string());
        let answers = race(50, |number| {
            let port = Arc::clone(&tombstones[number % 2]);
            async move { port.bury(&spent).await.unwrap() }
        })
        .await;
        assert_eq!(answers.iter().filter(|made| **made).count(), 1);
        for node in &tombstones {
            assert!(node.is_buried(&token(&round.to_string())).await.unwrap());
        }
    }
}

pub async fn racing_tries_share_one_limit(nodes: &Nodes) {
    let limiters = both!(nodes, limiter);
    let owner = key("Users", "ann");
    let quota = Quota::Rate {
        burst: 5,
        per: Lifetime::from_secs(50),
    };
    for round in 0..3 {
        let asked = [(
            LimitKey::new("login", &[owner.id.as_str(), &round.to_string()]),
            quota,
        )];
        let verdicts = race(60, |number| {
            let (port, asked) = (Arc::clone(&limiters[number % 2]), asked.clone());
            async move { port.take(&asked, at(0)).await.unwrap() }
        })
        .await;
        let allowed = verdicts
            .iter()
            .filter(|verdict| **verdict == Verdict::Allowed)
            .count();
        assert_eq!(allowed, 5);
    }
}

pub async fn racing_claims_give_each_message_once(nodes: &Nodes) {
    let outboxes = both!(nodes, outbox);
    for number in 0..60 {
        let waiting = message(&key("Users", "ann"), &number.to_string());
        outboxes[number % 2].put(&waiting).await.unwrap();
    }
    let claimed = race(20, |number| {
        let port = Arc::clone(&outboxes[number % 2]);
        async move { port.claim(Lane::People, at(0), HOLD, 5).await.unwrap() }
    })
    .await;
    let left = outboxes[0].claim(Lane::People, at(0), HOLD, 99).await.unwrap();
    let ids = claimed.iter().flatten().chain(&left).map(|message| &message.id);
    let mut ids: Vec<_> = ids.collect();
    assert_eq!(ids.len(), 60);
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 60, "each once");
}

pub async fn an_attempt_abandoned_at_one_node_is_known_at_the_other(nodes: &Nodes) {
    let [here, there] = both!(nodes, outbox);
    here.put(&message(&key("Users", "ann"), "a")).await.unwrap();
    let first = here.claim(Lane::People, at(0), HOLD, 9).await.unwrap();
    assert_eq!(there.claim(Lane::People, at(29), HOLD, 9).await.unwrap(), []);
    let second = there.claim(Lane::People, at(30), HOLD, 9).await.unwrap();
    assert!(second[0].is_in_doubt());
    assert!(!here.settle(&first[0].id, 1, Settled::Done).await.unwrap());
    assert!(there.settle(&first[0].id, 2, Settled::Done).await.unwrap());
    assert_eq!(here.claim(Lane::People, at(99), HOLD, 9).await.unwrap(), []);
}

pub async fn touches_at_both_nodes_leave_the_latest(nodes: &Nodes) {
    let sessions = both!(nodes, sessions);
    let ann = ann(nodes).await;
    let open = session(&ann.key, "a");
    sessions[0].open(&open).await.unwrap();
    race(16, |number| {
        let (port, token) = (Arc::clone(&sessions[number % 2]), open.token);
        let second = 100 + i64::try_from((number + 1) * 7 % 16).unwrap();
        async move { port.touch(&token, at(second)).await.unwrap() }
    })
    .await;
    for node in sessions {
        let listed = node.list(Some(&ann.key), None, 9).await.unwrap();
        let touched = Session {
            last_used: Some(at(115)),
            ..open.clone()
        };
        assert_eq!(listed.sessions, [touched]);
    }
}
