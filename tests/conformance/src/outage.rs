//! What every adapter behind a network must do while its server cannot be reached, and after.
//!
//! An adapter's `tests/conformance.rs` puts a [`Link`](crate::link::Link) between the adapter and its server and says what the
//! adapter plays:
//!
//! ```text
//! async fn severed() -> Fixture<Severed> {
//!     let link = Link::to("127.0.0.1:5432").await;
//!     let database = Database::fresh();                       // reached directly, not over the link
//!     let store = Arc::new(PostgresStore::open(config_for(link.address(), &database)).await.unwrap());
//!     let ready = Arc::clone(&store);
//!     let severed = Severed::new(link, Roles::of_store(&store)).with_ready(move || {
//!         let store = Arc::clone(&ready);
//!         async move { store.ready().await }
//!     });
//!     Fixture::new(Arc::new(severed)).guarded_by(database)
//! }
//! conformance::outage!(severed);
//! ```
//!
//! `Roles::of_sessions` is for adapters that keep sessions, flows and counters alone, `Severed::whose_limits_go_on` for those whose
//! limiter has a second, durable tier that is not behind the link: its limits are then asserted to hold *during* the outage.
//! An adapter that learns other addresses from its server (a cluster, a replica set) must be told to keep to the one it is given.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use domain::audit::{AuditKind, AuditQuery};
use domain::flow_record::{FlowKind, FlowRecord};
use domain::limits::{LimitKey, Verdict};
use domain::ports::{FlowStore, LookupKey, PortError, RateLimiter, SessionStore, UserStore};
use domain::secret::TokenHash;
use domain::session::Session;
use domain::user::User;

use crate::Fixture;
use crate::sample::{application, at, flow, full_user, key, message, session, token, with_email};
pub use crate::severed::Severed;
use crate::severed::{
    AT_ONCE, FROM_MEMORY, HEALS_WITHIN, QUOTA, event, in_time, is_unavailable, stone, timed,
};

/// Runs every case of an adapter whose server may be out of reach, against a `Fixture<Severed>`.
#[macro_export]
macro_rules! outage {
    ($fixture:ident) => {
        $crate::cases!(
            outage,
            $fixture,
            [
                while_the_link_is_cut_every_call_says_so_and_most_at_once,
                while_the_link_is_silent_every_call_says_so_in_time,
                a_silent_link_is_known_after_the_first_wait,
                a_crowd_on_a_silent_link_is_answered_in_time,
                a_slow_link_is_no_outage,
                readiness_tells_of_an_outage_and_of_its_end,
                connections_lost_while_idle_are_replaced,
                what_was_acknowledged_is_there_after_a_cut,
                what_was_acknowledged_is_there_after_a_silence,
                a_commit_whose_answer_was_lost_is_done_or_not_and_a_retry_tells,
                a_commit_cut_at_any_moment_is_done_or_not_and_a_retry_tells,
                a_flow_whose_taking_was_cut_off_is_given_once_at_most,
                a_session_whose_end_was_cut_off_is_ended_by_a_retry,
                a_tombstone_whose_burial_was_cut_off_is_there_after_a_retry,
                no_limit_is_lifted_by_an_outage,
                nothing_acknowledged_is_lost_and_nothing_spent_twice_while_the_link_comes_and_goes,
            ]
        );
    };
}

type Store = Fixture<Severed>;

/// Calls everything, one after another; gives how many calls were not answered at once, and of how many.
async fn call_each(store: &Severed) -> (usize, usize) {
    let calls = store.calls();
    let mut waited = 0;
    for call in &calls {
        let began = Instant::now();
        let answer = timed(call).await;
        assert!(call.is_right(&answer), "{}: {answer:?}", call.name);
        waited += usize::from(began.elapsed() > AT_ONCE);
    }
    (waited, calls.len())
}

pub async fn while_the_link_is_cut_every_call_says_so_and_most_at_once(store: &Store) {
    let store = &*store.port;
    store.ann().await;
    store.link.cut().await;
    tokio::time::sleep(FROM_MEMORY).await;
    for _round in 0..3 {
        let (waited, calls) = call_each(store).await;
        assert!(waited * 4 <= calls, "{waited} of {calls} calls waited");
    }
    store.heal().await;
}

pub async fn while_the_link_is_silent_every_call_says_so_in_time(store: &Store) {
    let store = &*store.port;
    store.ann().await;
    store.link.stall().await;
    tokio::time::sleep(FROM_MEMORY).await;
    let asked = store.calls().into_iter().map(|call| {
        tokio::spawn(async move {
            let answer = timed(&call).await;
            assert!(call.is_right(&answer), "{}: {answer:?}", call.name);
        })
    });
    for call in asked.collect::<Vec<_>>() {
        call.await.expect("the call says so in time");
    }
    store.heal().await;
}

pub async fn a_silent_link_is_known_after_the_first_wait(store: &Store) {
    let store = &*store.port;
    store.ann().await;
    store.link.stall().await;
    tokio::time::sleep(FROM_MEMORY).await;
    for call in store.calls().iter().take(2) {
        let answer = timed(call).await;
        assert!(call.is_right(&answer), "{}: {answer:?}", call.name);
    }
    let (waited, calls) = call_each(store).await;
    assert!(waited * 4 <= calls, "{waited} of {calls} calls waited");
    store.heal().await;
}

pub async fn a_crowd_on_a_silent_link_is_answered_in_time(store: &Store) {
    let store = &*store.port;
    store.ann().await;
    store.link.stall().await;
    let crowd = (0..12).flat_map(|_| store.calls()).map(|call| {
        tokio::spawn(async move {
            let _whatever = timed(&call).await;
        })
    });
    for call in crowd.collect::<Vec<_>>() {
        call.await.expect("everybody is answered in time");
    }
    store.heal().await;
}

pub async fn a_slow_link_is_no_outage(store: &Store) {
    let store = &*store.port;
    store.ann().await;
    store.link.slow(Duration::from_millis(20)).await;
    for call in store.calls() {
        let answer = timed(&call).await;
        assert!(!is_unavailable(&answer), "{}: {answer:?}", call.name);
    }
}

pub async fn readiness_tells_of_an_outage_and_of_its_end(store: &Store) {
    let store = &*store.port;
    let Some(ready) = &store.ready else {
        return;
    };
    in_time("ready", ready()).await.expect("ready at first");
    for silent in [false, true] {
        if silent {
            store.link.stall().await;
        } else {
            store.link.cut().await;
        }
        tokio::time::sleep(FROM_MEMORY).await;
        let said = in_time("ready", ready()).await;
        assert!(is_unavailable(&said), "{said:?}");
        store.link.heal().await;
        let healed = Instant::now();
        while let Err(still) = in_time("ready", ready()).await {
            assert!(healed.elapsed() < HEALS_WITHIN, "not ready: {still:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

pub async fn connections_lost_while_idle_are_replaced(store: &Store) {
    let store = &*store.port;
    store.ann().await;
    for _round in 0..3 {
        store.link.cut().await;
        store.heal().await;
    }
}

/// Writes something through every port, for [`find_everything`] to look for.
async fn write_everything(store: &Severed) -> User {
    let ann = store.ann().await;
    let roles = &store.roles;
    let next = User {
        key: ann.key.clone(),
        revision: ann.revision.next(),
        ..full_user(&ann.key)
    };
    if let Some(users) = &roles.users {
        users.commit(&next, ann.revision).await.unwrap();
    }
    if let Some(sessions) = &roles.sessions {
        sessions.open(&session(&ann.key, "kept")).await.unwrap();
        sessions.open(&session(&ann.key, "ended")).await.unwrap();
        assert!(sessions.end(&token("ended")).await.unwrap());
    }
    if let Some(flows) = &roles.flows {
        let kept = flow(&ann.key, FlowKind::ResetPassword, "kept");
        let taken = flow(&ann.key, FlowKind::ResetPassword, "taken");
        flows.put(&kept).await.unwrap();
        flows.put(&taken).await.unwrap();
        assert_eq!(flows.take(&taken.id).await.unwrap(), Some(taken));
    }
    if let Some(audit) = &roles.audit {
        audit.append(&event(AuditKind::LoggedIn)).await.unwrap();
    }
    if let Some(applications) = &roles.applications {
        applications
            .create_application(&application("kept"))
            .await
            .unwrap();
    }
    if let Some(tombstones) = &roles.tombstones {
        assert!(tombstones.bury(&stone("buried")).await.unwrap());
    }
    if let Some(outbox) = &roles.outbox {
        outbox.put(&message(&ann.key, "kept")).await.unwrap();
    }
    next
}

async fn find_everything(store: &Severed, ann: &User) {
    let roles = &store.roles;
    if let Some(users) = &roles.users {
        assert_eq!(users.find(&ann.key).await.unwrap().as_ref(), Some(ann));
        let email = LookupKey::Email(ann.email_key().unwrap());
        let found = users.find_by(&ann.key.pool, &email).await.unwrap();
        assert_eq!(found.as_ref(), Some(ann));
    }
    if let Some(sessions) = &roles.sessions {
        let kept = session(&ann.key, "kept");
        assert_eq!(sessions.find(&kept.token).await.unwrap(), Some(kept));
        assert_eq!(sessions.find(&token("ended")).await.unwrap(), None);
    }
    if let Some(flows) = &roles.flows {
        let kept = flow(&ann.key, FlowKind::ResetPassword, "kept");
        assert_eq!(flows.take(&token("taken")).await.unwrap(), None);
        assert_eq!(flows.take(&kept.id).await.unwrap(), Some(kept));
    }
    if let Some(audit) = &roles.audit {
        let page = audit.find(&AuditQuery::default(), None, 99).await.unwrap();
        assert!(page.events.contains(&event(AuditKind::LoggedIn)));
    }
    if let Some(applications) = &roles.applications {
        let kept = application("kept");
        let found = applications.find_application(&kept.id).await.unwrap();
        assert_eq!(found, Some(kept));
    }
    if let Some(tombstones) = &roles.tombstones {
        assert!(tombstones.is_buried(&token("buried")).await.unwrap());
    }
    if let Some(outbox) = &roles.outbox {
        let page = outbox.list(None, 99).await.unwrap();
        assert!(page.messages.contains(&message(&ann.key, "kept")));
    }
}

pub async fn what_was_acknowledged_is_there_after_a_cut(store: &Store) {
    let store = &*store.port;
    let ann = write_everything(store).await;
    store.link.cut().await;
    call_each(store).await;
    store.heal().await;
    find_everything(store, &ann).await;
}

pub async fn what_was_acknowledged_is_there_after_a_silence(store: &Store) {
    let store = &*store.port;
    let ann = write_everything(store).await;
    store.link.stall().await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    store.heal().await;
    find_everything(store, &ann).await;
}

/// Commits once more what was cut off: it is done afterwards, by whichever of the two.
async fn commit_again(users: &dyn UserStore, before: &User, next: &User) {
    let again = users.commit(next, before.revision).await;
    assert!(matches!(again, Ok(()) | Err(PortError::Stale)), "{again:?}");
    assert_eq!(users.find(&next.key).await.unwrap().as_ref(), Some(next));
    let third = users.commit(next, before.revision).await;
    assert!(matches!(third, Err(PortError::Stale)), "never twice: {third:?}");
}

fn renamed(user: &User, realm: &str) -> User {
    User {
        realm: Some(realm.to_owned()),
        ..user.changed(at(1))
    }
}

pub async fn a_commit_whose_answer_was_lost_is_done_or_not_and_a_retry_tells(store: &Store) {
    let store = &*store.port;
    let Some(users) = &store.roles.users else {
        return;
    };
    let mut ann = store.ann().await;
    for round in 0..3 {
        let next = renamed(&ann, &round.to_string());
        store.link.hold_answers().await;
        let (port, committed, expected) = (Arc::clone(users), next.clone(), ann.revision);
        let commit = tokio::spawn(async move { port.commit(&committed, expected).await });
        tokio::time::sleep(Duration::from_millis(100)).await;
        store.link.cut().await;
        let said = in_time("commit", commit).await.unwrap();
        assert!(is_unavailable(&said), "nobody can know: {said:?}");
        store.heal().await;
        commit_again(&**users, &ann, &next).await;
        ann = next;
    }
}

pub async fn a_commit_cut_at_any_moment_is_done_or_not_and_a_retry_tells(store: &Store) {
    let store = &*store.port;
    let Some(users) = &store.roles.users else {
        return;
    };
    let mut ann = store.ann().await;
    for round in 0..8_u64 {
        let next = renamed(&ann, &round.to_string());
        let (port, committed, expected) = (Arc::clone(users), next.clone(), ann.revision);
        let commit = tokio::spawn(async move { port.commit(&committed, expected).await });
        tokio::time::sleep(Duration::from_micros(700 * round)).await;
        store.link.cut().await;
        let said = in_time("commit", commit).await.unwrap();
        store.heal().await;
        if said.is_ok() {
            assert_eq!(users.find(&next.key).await.unwrap().as_ref(), Some(&next));
        } else {
            assert!(is_unavailable(&said), "{said:?}");
        }
        commit_again(&**users, &ann, &next).await;
        ann = next;
    }
}

pub async fn a_flow_whose_taking_was_cut_off_is_given_once_at_most(store: &Store) {
    let store = &*store.port;
    let Some(flows) = &store.roles.flows else {
        return;
    };
    let ann = store.ann().await;
    for round in 0..4 {
        let spent = flow(&ann.key, FlowKind::ResetPassword, &round.to_string());
        flows.put(&spent).await.unwrap();
        store.link.hold_answers().await;
        let (port, id) = (Arc::clone(flows), spent.id);
        let take = tokio::spawn(async move { port.take(&id).await });
        tokio::time::sleep(Duration::from_millis(40 * round)).await;
        store.link.cut().await;
        let first = in_time("take", take).await.unwrap();
        store.heal().await;
        let second = flows.take(&spent.id).await.unwrap();
        let given = [first.ok().flatten(), second];
        assert!(given.iter().flatten().count() <= 1, "given twice");
        assert!(given.iter().flatten().all(|given| *given == spent));
        assert_eq!(flows.take(&spent.id).await.unwrap(), None);
    }
}

pub async fn a_session_whose_end_was_cut_off_is_ended_by_a_retry(store: &Store) {
    let store = &*store.port;
    let Some(sessions) = &store.roles.sessions else {
        return;
    };
    let ann = store.ann().await;
    for round in 0..4 {
        let open = session(&ann.key, &round.to_string());
        sessions.open(&open).await.unwrap();
        store.link.hold_answers().await;
        let (port, token) = (Arc::clone(sessions), open.token);
        let end = tokio::spawn(async move { port.end(&token).await });
        tokio::time::sleep(Duration::from_millis(40 * round)).await;
        store.link.cut().await;
        let said = in_time("end", end).await.unwrap();
        assert!(is_unavailable(&said), "nobody can know: {said:?}");
        store.heal().await;
        let _which = sessions.end(&open.token).await.unwrap();
        assert_eq!(sessions.find(&open.token).await.unwrap(), None);
        assert!(!sessions.end(&open.token).await.unwrap());
    }
}

pub async fn a_tombstone_whose_burial_was_cut_off_is_there_after_a_retry(store: &Store) {
    let store = &*store.port;
    let Some(tombstones) = &store.roles.tombstones else {
        return;
    };
    for round in 0..4 {
        let spent = stone(&round.to_string());
        store.link.hold_answers().await;
        let port = Arc::clone(tombstones);
        let bury = tokio::spawn(async move { port.bury(&spent).await });
        tokio::time::sleep(Duration::from_millis(40 * round)).await;
        store.link.cut().await;
        let said = in_time("bury", bury).await.unwrap();
        assert!(is_unavailable(&said), "nobody can know: {said:?}");
        store.heal().await;
        let _which = tombstones.bury(&spent).await.unwrap();
        assert!(tombstones.is_buried(&spent.token).await.unwrap());
        assert!(!tombstones.bury(&spent).await.unwrap());
    }
}

/// How many of `tries` tries are allowed; a try that was not judged is none.
async fn allowed(limiter: &dyn RateLimiter, tries: usize) -> usize {
    let asked = [(LimitKey::new("login", &["ann"]), QUOTA)];
    let mut allowed = 0;
    for _ in 0..tries {
        let verdict = in_time("take", limiter.take(&asked, at(0))).await;
        allowed += usize::from(matches!(verdict, Ok(Verdict::Allowed)));
    }
    allowed
}

pub async fn no_limit_is_lifted_by_an_outage(store: &Store) {
    let store = &*store.port;
    let Some(limiter) = &store.roles.limiter else {
        return;
    };
    store.ann().await;
    assert_eq!(allowed(&**limiter, 3).await, 3);
    store.link.cut().await;
    let during = allowed(&**limiter, 6).await;
    let expected = if store.limits_go_on { 2 } else { 0 };
    assert_eq!(during, expected, "of the two that are left");
    store.heal().await;
    let after = allowed(&**limiter, 6).await;
    assert_eq!(during + after, 2, "of the two that are left");
}

/// What one worker saw of its own records.
#[derive(Default)]
struct Diary {
    users: Vec<(User, bool)>,
    opened: Vec<(Session, bool)>,
    put: Vec<FlowRecord>,
}

async fn work(store: Arc<Severed>, worker: usize, stop: Arc<AtomicBool>) -> Diary {
    let mut diary = Diary::default();
    let mut number = 0;
    while !stop.load(Ordering::SeqCst) {
        number += 1;
        let name = format!("{worker}-{number}");
        let mut failed = false;
        if let Some(users) = &store.roles.users {
            let user = with_email(&name, &format!("{name}@example.com"));
            let said = in_time("create", users.create(&user)).await;
            failed |= said.is_err();
            diary.users.push((user, said.is_ok()));
        }
        if let Some(sessions) = &store.roles.sessions {
            let open = session(&key("Users", "ann"), &name);
            let said = in_time("open", sessions.open(&open)).await;
            failed |= said.is_err();
            diary.opened.push((open, said.is_ok()));
        }
        if let Some(flows) = &store.roles.flows {
            let begun = flow(&key("Users", "ann"), FlowKind::ResetPassword, &name);
            let said = in_time("put", flows.put(&begun)).await;
            failed |= said.is_err();
            diary.put.extend(said.ok().map(|()| begun));
        }
        // Nobody tries again at once while the server is gone.
        let pause = if failed { 20 } else { 1 };
        tokio::time::sleep(Duration::from_millis(pause)).await;
    }
    diary
}

/// How many flows are hunted for.
const TARGETS: usize = 40;

/// A flow of the first worker's.
fn target(number: usize) -> TokenHash {
    token(&format!("0-{number}"))
}

/// Tries to take the targets, again and again, and gives those it was given.
async fn spend(store: Arc<Severed>, stop: Arc<AtomicBool>) -> Vec<TokenHash> {
    let mut given = Vec::new();
    let Some(flows) = &store.roles.flows else {
        return given;
    };
    while !stop.load(Ordering::SeqCst) {
        for number in 0..TARGETS {
            let said = in_time("take", flows.take(&target(number))).await;
            given.extend(said.ok().flatten().map(|flow| flow.id));
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
    given
}

async fn trouble(store: &Severed) {
    for round in 0..6 {
        tokio::time::sleep(Duration::from_millis(300)).await;
        match round % 3 {
            0 => store.link.cut().await,
            1 => store.link.stall().await,
            _ => {
                store.link.hold_answers().await;
                tokio::time::sleep(Duration::from_millis(20)).await;
                store.link.cut().await;
            }
        }
        tokio::time::sleep(Duration::from_millis(300)).await;
        store.link.heal().await;
    }
}

async fn users_are_whole(users: &dyn UserStore, diary: &[(User, bool)]) {
    for (user, acknowledged) in diary {
        let found = users.find(&user.key).await.unwrap();
        let email = LookupKey::Email(user.email_key().unwrap());
        let by_email = users.find_by(&user.key.pool, &email).await.unwrap();
        assert_eq!(found, by_email, "all of a user or nothing");
        assert!(
            !acknowledged || found.as_ref() == Some(user),
            "lost: {}",
            user.key
        );
        if found.is_none() {
            users.create(user).await.unwrap();
        }
    }
}

async fn sessions_are_there(sessions: &dyn SessionStore, diary: &[(Session, bool)]) {
    for (open, acknowledged) in diary {
        let found = sessions.find(&open.token).await.unwrap();
        assert!(!acknowledged || found.as_ref() == Some(open), "lost: {}", open.id);
    }
}

async fn flows_are_there(
    flows: &dyn FlowStore,
    put: &[FlowRecord],
    spent: &BTreeSet<domain::secret::TokenHash>,
) {
    for begun in put {
        let found = flows.find(&begun.id).await.unwrap();
        assert!(
            found.is_none() || !spent.contains(&begun.id),
            "spent and still there"
        );
    }
}

pub async fn nothing_acknowledged_is_lost_and_nothing_spent_twice_while_the_link_comes_and_goes(
    store: &Store,
) {
    store.port.ann().await;
    let stop = Arc::new(AtomicBool::new(false));
    let begin = |worker| tokio::spawn(work(Arc::clone(&store.port), worker, Arc::clone(&stop)));
    let workers: Vec<_> = (0..6).map(begin).collect();
    let spenders: Vec<_> = (0..2)
        .map(|_| tokio::spawn(spend(Arc::clone(&store.port), Arc::clone(&stop))))
        .collect();
    trouble(&store.port).await;
    stop.store(true, Ordering::SeqCst);
    let mut given = Vec::new();
    for spender in spenders {
        given.extend(spender.await.expect("every call is answered in time"));
    }
    let spent: BTreeSet<_> = given.iter().copied().collect();
    assert_eq!(given.len(), spent.len(), "spent twice");
    let mut diaries = Vec::new();
    for worker in workers {
        diaries.push(worker.await.expect("every call is answered in time"));
    }
    store.port.heal().await;
    let roles = &store.port.roles;
    for diary in diaries {
        if let Some(users) = &roles.users {
            users_are_whole(&**users, &diary.users).await;
        }
        if let Some(sessions) = &roles.sessions {
            sessions_are_there(&**sessions, &diary.opened).await;
        }
        if let Some(flows) = &roles.flows {
            flows_are_there(&**flows, &diary.put, &spent).await;
        }
    }
}
