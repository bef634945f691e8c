//! An adapter whose link to its server can be severed, and everything that can be asked of it.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::audit::{Actor, AuditEvent, AuditKind, AuditQuery};
use domain::flow_record::{FlowKind, FlowRecord};
use domain::id::UserKey;
use domain::limits::{LimitKey, Quota};
use domain::outbox::{Lane, OutboxMessage, Settled};
use domain::ports::{
    ApplicationStore, AuditLog, FlowStore, LookupKey, Outbox, PortError, RateLimiter, SessionStore,
    Tombstones, UserStore,
};
use domain::secret::TokenHash;
use domain::session::Session;
use domain::time::Lifetime;
use domain::tombstone::Tombstone;
use domain::user::User;

use crate::link::Link;
use crate::roles::Roles;
use crate::sample::{application, at, flow, key, message, pool, session, token, with_email};

/// No call may take longer, whatever happens to the network.
pub(crate) const WITHIN: Duration = Duration::from_secs(5);
/// How long an adapter may take to work again once its server can be reached.
pub(crate) const HEALS_WITHIN: Duration = Duration::from_secs(5);
/// What counts as an answer at once.
pub(crate) const AT_ONCE: Duration = Duration::from_millis(500);
/// How long an answer may come from memory (the port's word on sessions that were ended elsewhere).
pub(crate) const FROM_MEMORY: Duration = Duration::from_secs(1);

/// A counter of five.
pub(crate) const QUOTA: Quota = Quota::Rate {
    burst: 5,
    per: Lifetime::from_secs(50),
};

type Answer<T> = Pin<Box<dyn Future<Output = Result<T, PortError>> + Send>>;
type Ask<T> = Box<dyn Fn() -> Answer<T> + Send + Sync>;

/// What the cases of [`crate::outage`] run against: an adapter that reaches its server over a [`Link`].
pub struct Severed {
    /// The only way between the adapter and its server.
    pub link: Link,
    /// What the adapter plays.
    pub roles: Roles,
    /// Whether limits are kept while the server is gone.
    pub(crate) limits_go_on: bool,
    pub(crate) ready: Option<Ask<()>>,
}

impl Severed {
    /// An adapter that plays `roles` and reaches its server by [`Link::address`] alone.
    pub fn new(link: Link, roles: Roles) -> Self {
        Self {
            link,
            roles,
            limits_go_on: false,
            ready: None,
        }
    }

    /// Declares that the limiter has a second, durable tier, reached by another way: limits are kept throughout an outage.
    #[must_use]
    pub fn whose_limits_go_on(self) -> Self {
        Self {
            limits_go_on: true,
            ..self
        }
    }

    /// The adapter's own check of its readiness.
    #[must_use]
    pub fn with_ready<F>(self, ready: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<(), PortError>> + Send + 'static,
    {
        Self {
            ready: Some(Box::new(move || Box::pin(ready()))),
            ..self
        }
    }

    /// The user whom the samples belong to, made where users are kept.
    pub(crate) async fn ann(&self) -> User {
        let ann = with_email("ann", "ann@example.com");
        if let Some(users) = &self.roles.users {
            users.create(&ann).await.expect("ann is made");
        }
        ann
    }

    /// Heals the link and waits until every call is served again, which it must be soon.
    pub(crate) async fn heal(&self) {
        self.link.heal().await;
        let healed = Instant::now();
        for call in self.calls() {
            loop {
                let said = timed(&call).await;
                if !is_unavailable(&said) && !matches!(said, Err(PortError::Busy { .. })) {
                    break;
                }
                assert!(
                    healed.elapsed() < HEALS_WITHIN,
                    "{} after {:?}: {said:?}",
                    call.name,
                    healed.elapsed()
                );
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
    }

    /// Every method of every port, harmless to the samples that are looked for later.
    pub(crate) fn calls(&self) -> Vec<Call> {
        let mut calls = Vec::new();
        let roles = &self.roles;
        calls.extend(roles.users.iter().flat_map(of_users));
        calls.extend(roles.sessions.iter().flat_map(of_sessions));
        calls.extend(roles.flows.iter().flat_map(of_flows));
        calls.extend(roles.audit.iter().flat_map(of_audit));
        calls.extend(roles.applications.iter().flat_map(of_applications));
        calls.extend(roles.tombstones.iter().flat_map(of_tombstones));
        calls.extend(roles.outbox.iter().flat_map(of_outbox));
        let said = if self.limits_go_on {
            Said::AsEver
        } else {
            Said::Unavailable
        };
        calls.extend(roles.limiter.iter().flat_map(|port| of_limiter(port, said)));
        calls
    }
}

/// What a call must say during an outage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Said {
    /// That the server is unavailable.
    Unavailable,
    /// The same, or that there was nothing to do.
    UnavailableOrNothing,
    /// What it always says.
    AsEver,
}

/// One call of one port. What it answers is how much it found to do, where that is a number.
pub(crate) struct Call {
    pub name: &'static str,
    pub said: Said,
    pub ask: Ask<u64>,
}

impl Call {
    /// Whether an answer is right while the server is gone.
    pub fn is_right(&self, answer: &Result<u64, PortError>) -> bool {
        match self.said {
            Said::Unavailable => is_unavailable(answer),
            Said::UnavailableOrNothing => is_unavailable(answer) || matches!(answer, Ok(0)),
            Said::AsEver => answer.is_ok(),
        }
    }
}

/// Whether an answer says that the server is unavailable for the moment.
pub(crate) fn is_unavailable<T>(answer: &Result<T, PortError>) -> bool {
    matches!(answer, Err(PortError::Unavailable { retry: true, .. }))
}

/// Calls, and fails when that takes too long.
pub(crate) async fn timed(call: &Call) -> Result<u64, PortError> {
    in_time(call.name, (call.ask)()).await
}

/// Waits for an answer, and fails when it takes too long.
pub(crate) async fn in_time<T>(name: &str, answer: impl Future<Output = T>) -> T {
    let answer = tokio::time::timeout(WITHIN, answer).await;
    answer.unwrap_or_else(|_| panic!("{name} hangs for more than {WITHIN:?}"))
}

/// A call of a port: its name, what it says during an outage, and the call with what it needs.
macro_rules! call {
    ($port:ident, $said:expr, $name:literal, |$on:ident| $call:expr) => {{
        let port = Arc::clone($port);
        Call {
            name: $name,
            said: $said,
            ask: Box::new(move || {
                let $on = Arc::clone(&port);
                Box::pin(async move { $call.await.map(Counted::counted) })
            }),
        }
    }};
}

/// An answer as a number, where it is one.
trait Counted {
    fn counted(self) -> u64;
}

impl Counted for u64 {
    fn counted(self) -> u64 {
        self
    }
}

macro_rules! uncounted {
    ($($answer:ty),+ $(,)?) => {
        $(impl Counted for $answer {
            fn counted(self) -> u64 {
                1
            }
        })+
    };
}

uncounted!(
    (),
    bool,
    Option<User>,
    Vec<User>,
    Option<Session>,
    domain::ports::SessionPage,
    Option<FlowRecord>,
    Vec<FlowRecord>,
    domain::audit::AuditPage,
    Vec<OutboxMessage>,
    domain::outbox::OutboxPage,
    Option<domain::application::Application>,
    Vec<domain::application::Application>,
    domain::limits::Verdict,
);

fn ann() -> UserKey {
    key("Users", "ann")
}

fn stranger() -> TokenHash {
    token("a stranger's")
}

fn of_users(port: &Arc<dyn UserStore>) -> Vec<Call> {
    let no = Said::Unavailable;
    let extra = || with_email("extra", "extra@example.com");
    let elsewhere = || LookupKey::Identity("google/1".to_owned());
    let by_email = || LookupKey::Email("ann@example.com".to_owned());
    vec![
        call!(port, no, "UserStore::create", |users| users.create(&extra())),
        call!(port, no, "UserStore::find", |users| users.find(&ann())),
        call!(port, no, "UserStore::find_recent", |users| users
            .find_recent(&ann(), Lifetime::ZERO)),
        call!(port, no, "UserStore::find_by e-mail", |users| users
            .find_by(&pool("Users"), &by_email())),
        call!(port, no, "UserStore::find_by identity", |users| users
            .find_by(&pool("Users"), &elsewhere())),
        call!(port, no, "UserStore::commit", |users| users
            .commit(&extra(), extra().revision.next())),
        call!(port, no, "UserStore::delete", |users| users
            .delete(&extra().key, extra().revision.next())),
        call!(port, no, "UserStore::list", |users| users.list(
            &pool("Users"),
            None,
            9
        )),
    ]
}

fn of_sessions(port: &Arc<dyn SessionStore>) -> Vec<Call> {
    let (no, idle) = (Said::Unavailable, Said::UnavailableOrNothing);
    let bob = || key("Users", "bob");
    let open = || session(&ann(), "extra");
    vec![
        call!(port, no, "SessionStore::open", |sessions| sessions.open(&open())),
        call!(port, no, "SessionStore::find", |sessions| sessions
            .find(&open().token)),
        call!(port, no, "SessionStore::end", |sessions| sessions
            .end(&stranger())),
        call!(port, no, "SessionStore::end_all", |sessions| sessions
            .end_all(&bob(), None)),
        call!(port, no, "SessionStore::list", |sessions| sessions
            .list(None, None, 9)),
        call!(port, no, "SessionStore::list of one user", |sessions| sessions
            .list(Some(&ann()), None, 9)),
        call!(port, no, "SessionStore::touch", |sessions| sessions
            .touch(&open().token, at(1))),
        call!(port, idle, "SessionStore::purge", |sessions| sessions
            .purge(at(-9_999))),
    ]
}

fn of_flows(port: &Arc<dyn FlowStore>) -> Vec<Call> {
    const KIND: FlowKind = FlowKind::ConfirmEmail;
    let (no, idle) = (Said::Unavailable, Said::UnavailableOrNothing);
    let begun = || flow(&ann(), KIND, "extra");
    let spent = || flow(&ann(), KIND, "a stranger's");
    vec![
        call!(port, no, "FlowStore::put", |flows| flows.put(&begun())),
        call!(port, no, "FlowStore::replace", |flows| flows.replace(&spent())),
        call!(port, no, "FlowStore::find", |flows| flows.find(&begun().id)),
        call!(port, no, "FlowStore::take", |flows| flows.take(&stranger())),
        call!(port, no, "FlowStore::list", |flows| flows.list(&ann(), KIND)),
        call!(port, no, "FlowStore::end_all", |flows| flows
            .end_all(&ann(), KIND)),
        call!(port, idle, "FlowStore::purge", |flows| flows.purge(at(-9_999))),
    ]
}

fn of_audit(port: &Arc<dyn AuditLog>) -> Vec<Call> {
    let (no, idle) = (Said::Unavailable, Said::UnavailableOrNothing);
    let extra = || event(AuditKind::LoginFailed);
    vec![
        call!(port, no, "AuditLog::append", |audit| audit.append(&extra())),
        call!(port, no, "AuditLog::find", |audit| audit.find(
            &AuditQuery::default(),
            None,
            9
        )),
        call!(port, idle, "AuditLog::purge", |audit| audit.purge(at(-9_999))),
    ]
}

fn of_applications(port: &Arc<dyn ApplicationStore>) -> Vec<Call> {
    let no = Said::Unavailable;
    let extra = || application("extra");
    let late = || application("extra").revision.next();
    vec![
        call!(port, no, "ApplicationStore::create_application", |kept| kept
            .create_application(&extra())),
        call!(port, no, "ApplicationStore::find_application", |kept| kept
            .find_application(&extra().id)),
        call!(port, no, "ApplicationStore::commit_application", |kept| kept
            .commit_application(&extra(), late())),
        call!(port, no, "ApplicationStore::delete_application", |kept| kept
            .delete_application(&extra().id, late())),
        call!(port, no, "ApplicationStore::list_applications", |kept| kept
            .list_applications(None, 9)),
    ]
}

fn of_tombstones(port: &Arc<dyn Tombstones>) -> Vec<Call> {
    let (no, idle) = (Said::Unavailable, Said::UnavailableOrNothing);
    let extra = || stone("extra");
    vec![
        call!(port, no, "Tombstones::bury", |stones| stones.bury(&extra())),
        call!(port, no, "Tombstones::is_buried", |stones| stones
            .is_buried(&stranger())),
        call!(port, idle, "Tombstones::purge", |stones| stones.purge(at(-9_999))),
    ]
}

fn of_outbox(port: &Arc<dyn Outbox>) -> Vec<Call> {
    const HOLD: Lifetime = Lifetime::from_secs(30);
    let (no, idle) = (Said::Unavailable, Said::UnavailableOrNothing);
    let extra = || message(&ann(), "extra");
    vec![
        call!(port, no, "Outbox::put", |outbox| outbox.put(&extra())),
        // Nothing is due so early.
        call!(port, no, "Outbox::claim", |outbox| outbox.claim(
            Lane::People,
            at(-9_999),
            HOLD,
            9
        )),
        call!(port, no, "Outbox::settle", |outbox| outbox.settle(
            &extra().id,
            9,
            Settled::Done
        )),
        call!(port, no, "Outbox::list", |outbox| outbox.list(None, 9)),
        call!(port, idle, "Outbox::purge", |outbox| outbox.purge(at(-9_999))),
    ]
}

fn of_limiter(port: &Arc<dyn RateLimiter>, said: Said) -> Vec<Call> {
    let asked = || [(LimitKey::new("login", &["extra"]), QUOTA)];
    let idle = if said == Said::AsEver {
        said
    } else {
        Said::UnavailableOrNothing
    };
    vec![
        call!(port, said, "RateLimiter::take", |limiter| limiter
            .take(&asked(), at(0))),
        call!(port, said, "RateLimiter::give_back", |limiter| limiter
            .give_back(&asked(), at(0))),
        call!(port, idle, "RateLimiter::purge", |limiter| limiter
            .purge(at(-9_999))),
    ]
}

/// An event about ann.
pub(crate) fn event(kind: AuditKind) -> AuditEvent {
    AuditEvent {
        at: at(0),
        kind,
        user: Some(ann()),
        actor: Actor::Server,
        network: None,
        request: None,
        detail: None,
    }
}

/// A tombstone that nobody needs ten minutes after the samples were made.
pub(crate) fn stone(text: &str) -> Tombstone {
    Tombstone {
        token: token(text),
        until: Some(at(600)),
    }
}
