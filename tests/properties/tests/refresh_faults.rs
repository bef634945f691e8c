//! Renewals that are cut off in the middle, and renewals that meet: whatever store fails at whatever moment, before or after it did
//! what it was asked, and whoever comes in between.
#![cfg(test)]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use async_trait::async_trait;
use domain::audit::{AuditEvent, AuditKind, AuditPage, AuditQuery};
use domain::credential::Password;
use domain::error::{Denial, DomainError};
use domain::flow::login::Terms;
use domain::flow::sign_up::NewUser;
use domain::flow_record::{FlowKind, FlowRecord};
use domain::id::{PoolName, SessionId, UserKey};
use domain::limits::ClientAddress;
use domain::origin::Origin;
use domain::policy::{AccessPolicy, Limits, Policy, PoolPolicy};
use domain::ports::{AuditLog, FlowStore, PageMark, PortError, SessionPage, SessionStore};
use domain::secret::{MacKey, Token, TokenHash};
use domain::service::{Authenticated, Authentication, Credentials, LoginName, Services};
use domain::session::{AccessToken, Session, TokenLife};
use domain::time::{Lifetime, Timestamp};
use properties::world::{World, run};

/// More port calls than any renewal or end of a chain makes.
const CALLS: usize = 40;

/// The world, with a fault at one call to its stores of sessions and flows or to its audit log.
struct Faulty {
    world: Arc<World>,
    calls_to_wait: AtomicUsize,
    /// Whether the call does what it was asked before its answer is lost.
    after: AtomicBool,
}

impl Faulty {
    async fn meet<T>(&self, call: impl Future<Output = Result<T, PortError>> + Send) -> Result<T, PortError> {
        // Where several are at it, somebody else may come in between.
        std::thread::yield_now();
        if self.calls_to_wait.fetch_sub(1, Ordering::SeqCst) != 0 {
            return call.await;
        }
        if self.after.load(Ordering::SeqCst) {
            call.await?;
        }
        Err(PortError::unavailable("the line broke"))
    }

    /// Has the call fail that follows `calls_to_wait` others.
    fn break_at(&self, calls_to_wait: usize, after: bool) {
        self.after.store(after, Ordering::SeqCst);
        self.calls_to_wait.store(calls_to_wait, Ordering::SeqCst);
    }

    fn mend(&self) {
        self.break_at(usize::MAX, false);
    }
}

#[async_trait]
impl SessionStore for Faulty {
    async fn open(&self, session: &Session) -> Result<(), PortError> {
        self.meet(self.world.open(session)).await
    }

    async fn find(&self, token: &TokenHash) -> Result<Option<Session>, PortError> {
        self.meet(SessionStore::find(&*self.world, token)).await
    }

    async fn end(&self, token: &TokenHash) -> Result<bool, PortError> {
        self.meet(self.world.end(token)).await
    }

    async fn end_all(&self, user: &UserKey, spare: Option<&SessionId>) -> Result<u64, PortError> {
        self.meet(SessionStore::end_all(&*self.world, user, spare)).await
    }

    async fn touch(&self, token: &TokenHash, at: Timestamp) -> Result<(), PortError> {
        self.meet(self.world.touch(token, at)).await
    }

    async fn list(
        &self,
        of: Option<&UserKey>,
        after: Option<&PageMark>,
        limit: usize,
    ) -> Result<SessionPage, PortError> {
        self.meet(SessionStore::list(&*self.world, of, after, limit))
            .await
    }

    async fn purge(&self, now: Timestamp) -> Result<u64, PortError> {
        SessionStore::purge(&*self.world, now).await
    }
}

#[async_trait]
impl FlowStore for Faulty {
    async fn put(&self, flow: &FlowRecord) -> Result<(), PortError> {
        self.meet(FlowStore::put(&*self.world, flow)).await
    }

    async fn replace(&self, flow: &FlowRecord) -> Result<bool, PortError> {
        self.meet(self.world.replace(flow)).await
    }

    async fn find(&self, id: &TokenHash) -> Result<Option<FlowRecord>, PortError> {
        self.meet(FlowStore::find(&*self.world, id)).await
    }

    async fn take(&self, id: &TokenHash) -> Result<Option<FlowRecord>, PortError> {
        self.meet(FlowStore::take(&*self.world, id)).await
    }

    async fn list(&self, user: &UserKey, kind: FlowKind) -> Result<Vec<FlowRecord>, PortError> {
        self.meet(FlowStore::list(&*self.world, user, kind)).await
    }

    async fn end_all(&self, user: &UserKey, kind: FlowKind) -> Result<(), PortError> {
        self.meet(FlowStore::end_all(&*self.world, user, kind)).await
    }

    async fn purge(&self, now: Timestamp) -> Result<u64, PortError> {
        FlowStore::purge(&*self.world, now).await
    }
}

#[async_trait]
impl AuditLog for Faulty {
    async fn append(&self, event: &AuditEvent) -> Result<(), PortError> {
        self.meet(self.world.append(event)).await
    }

    async fn find(
        &self,
        query: &AuditQuery,
        after: Option<&PageMark>,
        limit: usize,
    ) -> Result<AuditPage, PortError> {
        AuditLog::find(&*self.world, query, after, limit).await
    }

    async fn purge(&self, before: Timestamp) -> Result<u64, PortError> {
        AuditLog::purge(&*self.world, before).await
    }
}

/// Ann, logged in with a refresh token.
struct Ann {
    world: Arc<World>,
    stores: Arc<Faulty>,
    client: Client,
    held: AccessToken,
}

/// Whoever calls the services.
#[derive(Clone)]
struct Client {
    services: Services,
    pool: PoolPolicy,
}

fn home() -> Origin {
    ClientAddress::of([192, 0, 2, 1].into()).into()
}

impl Ann {
    fn new() -> Self {
        let world = World::new(1, true);
        let stores = Arc::new(Faulty {
            world: Arc::clone(&world),
            calls_to_wait: AtomicUsize::new(usize::MAX),
            after: AtomicBool::new(false),
        });
        let mut ports = world.ports();
        (ports.sessions, ports.flows, ports.audit) = (stores.clone(), stores.clone(), stores.clone());
        let pool = PoolPolicy::new(PoolName::new("Users"), "User");
        let policy = Policy {
            pools: [(pool.name.clone(), pool.clone())].into(),
            limits: Limits::default(),
            public_url: "http://localhost:3000".to_owned(),
            service_name: "Portcullis".to_owned(),
            language: "en".to_owned(),
            audit_life: Lifetime::from_secs(86_400),
            access: AccessPolicy::default(),
        };
        let services = Services::new(ports, policy, MacKey::new([7; 32]));
        let form = NewUser {
            email: Some("ann@example.com".to_owned()),
            password: Some(Password::typed("gate of the old town")),
            ..NewUser::default()
        };
        run(services.sign_up(&pool, form, &home())).expect("signed up");
        let client = Client { services, pool };
        let held = client.log_in();
        Self {
            world,
            stores,
            client,
            held,
        }
    }

    fn audited(&self, kind: AuditKind) -> usize {
        let contents = self.world.contents();
        contents.audit.iter().filter(|event| event.kind == kind).count()
    }

    /// Whether any of these tokens still opens anything.
    fn is_in(&self, tokens: &[&AccessToken]) -> bool {
        let refresh = |token: &AccessToken| self.client.refresh(&refresh_of(token));
        let live = |token: &AccessToken| self.client.caller(&token.secret).is_some();
        tokens
            .iter()
            .any(|token| live(token) || matches!(refresh(token), Ok(_) | Err(DomainError::Port(_))))
    }
}

impl Client {
    fn log_in(&self) -> AccessToken {
        let credentials = Credentials {
            realm: None,
            name: LoginName::Email("ann@example.com".to_owned()),
            password: Password::typed("gate of the old town"),
        };
        let terms = Terms {
            life: TokenLife::Finite(self.pool.ttl),
            refresh: true,
        };
        run(self.services.login(&self.pool, &credentials, terms, &home())).expect("logged in")
    }

    fn refresh(&self, token: &Token) -> Result<AccessToken, DomainError> {
        run(self.services.refresh_session(&self.pool, token, &home()))
    }

    fn caller(&self, token: &Token) -> Option<Authenticated> {
        match run(self.services.authenticate(token, None)) {
            Ok(Authentication::Live(caller)) => Some(*caller),
            _ => None,
        }
    }

    fn log_out(&self, token: &Token) -> Result<(), DomainError> {
        let caller = self.caller(token);
        run(self.services.log_out(&self.pool, caller.as_ref(), &home()))
    }
}

fn refresh_of(token: &AccessToken) -> Token {
    token.refresh.clone().expect("a refresh token")
}

/// Every fault there can be.
fn faults() -> impl Iterator<Item = (usize, bool)> {
    (0..CALLS).flat_map(|at| [(at, false), (at, true)])
}

#[test]
fn a_fault_in_the_middle_of_a_renewal_logs_nobody_out() {
    let mut met = 0;
    // Later, so that nothing is taken for two requests that crossed; and so late that every access token is over.
    for ((at, after), pause) in faults().flat_map(|fault| [(fault, 600_000), (fault, 7_200_000)]) {
        let ann = Ann::new();
        let first = refresh_of(&ann.held);
        ann.stores.break_at(at, after);
        let broken = ann.client.refresh(&first);
        ann.stores.mend();
        if let Err(error) = &broken {
            assert!(matches!(error, DomainError::Port(_)), "{error} at {at}");
            met += 1;
        }
        ann.world.wait(pause);
        let answer = ann.client.refresh(&first).expect("the same call works again");
        if let Ok(broken) = broken {
            assert_eq!(broken.refresh, answer.refresh);
        }
        assert!(ann.client.caller(&answer.secret).is_some());
        ann.world.wait(600_000);
        let next = ann
            .client
            .refresh(&refresh_of(&answer))
            .expect("and so it goes on");
        assert!(ann.client.caller(&next.secret).is_some());
    }
    assert!(met > 8, "the faults were met: {met}");
}

#[test]
fn a_fault_while_a_theft_comes_to_light_leaves_it_to_the_next_call() {
    for (at, after) in faults() {
        let ann = Ann::new();
        let first = refresh_of(&ann.held);
        let owners = ann.client.refresh(&first).expect("renewed");
        assert!(ann.client.caller(&owners.secret).is_some());
        ann.world.wait(60_000);
        ann.stores.break_at(at, after);
        assert!(
            ann.client.refresh(&first).is_err(),
            "a stolen token opens nothing"
        );
        ann.stores.mend();
        assert!(ann.client.refresh(&first).is_err());
        assert!(!ann.is_in(&[&ann.held, &owners]), "broken at {at}");
    }
}

#[test]
fn a_fault_in_the_middle_of_logging_out_leaves_it_to_the_next_call() {
    let mut met = 0;
    for (at, after) in faults() {
        let ann = Ann::new();
        let renewed = ann.client.refresh(&refresh_of(&ann.held)).expect("renewed");
        let caller = ann.client.caller(&renewed.secret).expect("logged in");
        ann.stores.break_at(at, after);
        let broken = run(ann
            .client
            .services
            .log_out(&ann.client.pool, Some(&caller), &home()));
        ann.stores.mend();
        if broken.is_err() {
            met += 1;
            // Whoever cannot ask again because the token is dead is logged out already.
            let _ = ann.client.log_out(&renewed.secret);
        }
        assert!(!ann.is_in(&[&ann.held, &renewed]), "broken at {at}");
    }
    assert!(met > 8, "the faults were met: {met}");
}

#[test]
fn a_fault_while_a_use_is_noted_is_nobodys_business() {
    for (at, after) in faults().skip(2).take(8) {
        let ann = Ann::new();
        let first = refresh_of(&ann.held);
        let renewed = ann.client.refresh(&first).expect("renewed");
        ann.stores.break_at(at, after);
        assert!(ann.client.caller(&renewed.secret).is_some(), "broken at {at}");
        ann.stores.mend();
        // What was missed is noted with the next use.
        assert!(ann.client.caller(&renewed.secret).is_some());
        ann.world.wait(3_600_000);
        assert!(
            ann.client.refresh(&first).is_err(),
            "the answer is known to have arrived"
        );
        assert_eq!(ann.audited(AuditKind::RefreshReused), 1, "broken at {at}");
    }
}

#[test]
fn of_fifty_who_ask_at_once_all_get_the_same_answer() {
    // For the first time, and again when the first answer was lost and its access token is over.
    for was_lost in [false, true] {
        let ann = Ann::new();
        let first = refresh_of(&ann.held);
        if was_lost {
            ann.client.refresh(&first).expect("renewed");
            ann.world.wait(3_600_000);
            run(ann.client.services.purge()).expect("purged");
        }
        let answers: Vec<AccessToken> = std::thread::scope(|scope| {
            let ask = || ann.client.refresh(&first).expect("renewed");
            let threads: Vec<_> = (0..50).map(|_| scope.spawn(ask)).collect();
            let answers = threads.into_iter().map(std::thread::ScopedJoinHandle::join);
            answers.map(|answer| answer.expect("an answer")).collect()
        });
        for answer in &answers {
            assert_eq!(answer.secret, answers[0].secret);
            assert_eq!(answer.refresh, answers[0].refresh);
        }
        run(ann.client.services.purge()).expect("purged");
        let contents = ann.world.contents().clone();
        let tokens = contents.flows_of(&ann.held.user.key, FlowKind::Refresh);
        assert_eq!(tokens.len(), 2, "the one that was used and its one successor");
        let live = if was_lost { 1 } else { 2 };
        assert_eq!(
            contents.sessions.len(),
            live,
            "one successor, beside the first while it lives"
        );
        let next = ann
            .client
            .refresh(&refresh_of(&answers[0]))
            .expect("the chain goes on");
        assert!(ann.client.caller(&next.secret).is_some());
    }
}

#[test]
fn whoever_renews_in_the_middle_of_the_same_renewal_leaves_one_chain() {
    for at in 0..CALLS {
        let ann = Ann::new();
        let first = refresh_of(&ann.held);
        let (other, token) = (ann.client.clone(), first.clone());
        // The quicker one even goes on, and uses what it got.
        ann.world.intrude(at, move || {
            let answer = other.refresh(&token).expect("renewed");
            assert!(other.caller(&answer.secret).is_some());
            other.refresh(&refresh_of(&answer)).expect("renewed again");
        });
        let answer = ann
            .client
            .refresh(&first)
            .expect("two requests of one client crossed");
        if ann.world.is_intruder_left() {
            continue;
        }
        assert!(ann.client.caller(&answer.secret).is_some(), "overtaken at {at}");
        let next = ann
            .client
            .refresh(&refresh_of(&answer))
            .expect("the chain goes on");
        ann.world.wait(60_000);
        let last = ann.client.refresh(&refresh_of(&next)).expect("and on");
        assert!(ann.client.caller(&last.secret).is_some());
        // What was overwritten on the way is known all the same: the first token has had its time.
        assert!(ann.client.refresh(&first).is_err());
        assert!(!ann.is_in(&[&last, &next, &answer]), "overtaken at {at}");
    }
}

#[test]
fn what_a_slow_renewal_overwrites_is_known_all_the_same() {
    for at in 0..CALLS {
        let ann = Ann::new();
        let first = refresh_of(&ann.held);
        let (other, token) = (ann.client.clone(), first.clone());
        ann.world.intrude(at, move || {
            let answer = other.refresh(&token).expect("renewed");
            other.refresh(&refresh_of(&answer)).expect("renewed again");
        });
        let answer = ann
            .client
            .refresh(&first)
            .expect("two requests of one client crossed");
        if ann.world.is_intruder_left() {
            continue;
        }
        // Nobody used an access token, and the record of the next one may read as if it were new. The one behind it is there.
        ann.world.wait(60_000);
        assert!(ann.client.refresh(&first).is_err(), "overtaken at {at}");
        assert!(!ann.is_in(&[&ann.held, &answer]), "overtaken at {at}");
    }
}

#[test]
fn nothing_outlives_a_logout_in_the_middle_of_a_renewal() {
    for at in 0..CALLS {
        let ann = Ann::new();
        let first = refresh_of(&ann.held);
        let (other, access) = (ann.client.clone(), ann.held.secret.clone());
        ann.world
            .intrude(at, move || other.log_out(&access).expect("logged out"));
        let answer = ann.client.refresh(&first);
        if ann.world.is_intruder_left() {
            continue;
        }
        assert!(!ann.is_in(&[&ann.held]), "logged out at {at}");
        match answer {
            Ok(answer) => assert!(!ann.is_in(&[&answer]), "logged out at {at}"),
            Err(error) => assert!(
                matches!(error, DomainError::Denied(Denial::RefreshRefused)),
                "{error} at {at}"
            ),
        }
    }
}

#[test]
fn nothing_outlives_a_logout_that_is_met_by_renewals() {
    for (at, renewals) in (0..CALLS).flat_map(|at| [(at, 1), (at, 3)]) {
        let ann = Ann::new();
        let caller = ann.client.caller(&ann.held.secret).expect("logged in");
        let (other, mut token) = (ann.client.clone(), refresh_of(&ann.held));
        let (answers, heard) = std::sync::mpsc::channel();
        ann.world.intrude(at, move || {
            for _ in 0..renewals {
                let Ok(answer) = other.refresh(&token) else { return };
                token = refresh_of(&answer);
                answers.send(answer).expect("heard");
            }
        });
        run(ann
            .client
            .services
            .log_out(&ann.client.pool, Some(&caller), &home()))
        .expect("logged out");
        if ann.world.is_intruder_left() {
            continue;
        }
        let answers: Vec<AccessToken> = heard.iter().collect();
        assert!(!ann.is_in(&[&ann.held]));
        assert!(!ann.is_in(&answers.iter().collect::<Vec<_>>()), "renewed at {at}");
    }
}

#[test]
fn of_a_logout_among_many_renewals_nothing_is_left() {
    for _ in 0..100 {
        let ann = Ann::new();
        let caller = ann.client.caller(&ann.held.secret).expect("logged in");
        let renew = || {
            let mut answers = vec![ann.held.clone()];
            while let Some(Ok(answer)) = answers.last().map(|last| ann.client.refresh(&refresh_of(last))) {
                answers.push(answer);
            }
            answers
        };
        let answers: Vec<AccessToken> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..3).map(|_| scope.spawn(renew)).collect();
            while run(ann
                .client
                .services
                .log_out(&ann.client.pool, Some(&caller), &home()))
            .is_err()
            {}
            let answers = threads.into_iter().map(|thread| thread.join().expect("heard"));
            answers.flatten().collect()
        });
        assert!(!ann.is_in(&answers.iter().collect::<Vec<_>>()));
    }
}

#[test]
fn a_logout_in_the_middle_of_a_logout_is_one() {
    for at in 0..CALLS {
        let ann = Ann::new();
        let renewed = ann.client.refresh(&refresh_of(&ann.held)).expect("renewed");
        let caller = ann.client.caller(&renewed.secret).expect("logged in");
        let (other, access) = (ann.client.clone(), ann.held.secret.clone());
        ann.world.intrude(at, move || {
            let _ = other.log_out(&access);
        });
        run(ann
            .client
            .services
            .log_out(&ann.client.pool, Some(&caller), &home()))
        .expect("logged out");
        let _ = ann.world.is_intruder_left();
        assert!(!ann.is_in(&[&ann.held, &renewed]));
    }
}

#[test]
fn a_chain_ends_without_touching_another_login() {
    let ann = Ann::new();
    let other = ann.client.log_in();
    ann.client.log_out(&ann.held.secret).expect("logged out");
    assert!(!ann.is_in(&[&ann.held]));
    assert!(ann.client.caller(&other.secret).is_some());
    let caller = ann.client.caller(&other.secret).expect("logged in");
    ann.client.refresh(&refresh_of(&other)).expect("renewed");
    // The epoch ends what is not spared, refresh tokens included.
    let third = ann.client.log_in();
    run(ann
        .client
        .services
        .end_other_sessions(&ann.client.pool, &caller, &home()))
    .expect("ended");
    assert!(!ann.is_in(&[&third]));
    assert!(ann.client.caller(&other.secret).is_some());
}

#[test]
fn wrong_tokens_are_counted_and_right_ones_are_not() {
    let ann = Ann::new();
    let mut held = ann.held.clone();
    for _ in 0..200 {
        held = ann.client.refresh(&refresh_of(&held)).expect("renewed");
    }
    let wrong = Token::presented("nobody's");
    let is_limited = |answer| matches!(answer, Err(DomainError::Denied(Denial::Limited { .. })));
    let refused = (0..100)
        .take_while(|_| !is_limited(ann.client.refresh(&wrong)))
        .count();
    assert_eq!(refused, 60);
    assert!(
        is_limited(ann.client.refresh(&refresh_of(&held))),
        "nothing is judged any more"
    );
}
