//! Sessions that live by refresh tokens, and sessions that lie idle: beside the real services runs a model that knows only who was
//! answered what, and when.
#![cfg(test)]

use std::sync::Arc;

use domain::credential::Password;
use domain::error::{Denial, DomainError};
use domain::flow::login::Terms;
use domain::flow::sign_up::NewUser;
use domain::id::{PoolName, SessionId};
use domain::limits::ClientAddress;
use domain::origin::Origin;
use domain::policy::{AccessPolicy, Policy, PoolPolicy};
use domain::secret::{MacKey, Token};
use domain::service::{Authenticated, Authentication, Credentials, LoginName, Services};
use domain::session::{AccessToken, TokenLife};
use domain::time::Lifetime;
use properties::cases;
use properties::system::unlimited;
use properties::world::{World, run};
use proptest::prelude::*;

const EMAIL: &str = "ann@example.com";
const PASSWORD: &str = "gate of the old town";
const MINUTE: i64 = 60_000;
const DAY: i64 = 1440 * MINUTE;

fn pool(change: impl FnOnce(&mut PoolPolicy)) -> PoolPolicy {
    let mut pool = PoolPolicy::new(PoolName::new("Users"), "User");
    change(&mut pool);
    pool
}

fn home() -> Origin {
    ClientAddress::of([192, 0, 2, 1].into()).into()
}

/// Ann, who signed up and logs in.
struct Ann {
    world: Arc<World>,
    services: Services,
    pool: PoolPolicy,
}

impl Ann {
    fn new(pool: PoolPolicy) -> Self {
        let world = World::new(1, true);
        let limits = unlimited();
        let policy = Policy {
            pools: [(pool.name.clone(), pool.clone())].into(),
            limits,
            public_url: "http://localhost:3000".to_owned(),
            service_name: "Portcullis".to_owned(),
            language: "en".to_owned(),
            audit_life: Lifetime::from_secs(86_400),
            access: AccessPolicy::default(),
        };
        let services = Services::new(world.ports(), policy, MacKey::new([7; 32]));
        let form = NewUser {
            email: Some(EMAIL.to_owned()),
            password: Some(Password::typed(PASSWORD)),
            ..NewUser::default()
        };
        run(services.sign_up(&pool, form, &home())).expect("signed up");
        Self {
            world,
            services,
            pool,
        }
    }

    fn log_in(&self, refresh: bool) -> AccessToken {
        let credentials = Credentials {
            realm: None,
            name: LoginName::Email(EMAIL.to_owned()),
            password: Password::typed(PASSWORD),
        };
        let terms = Terms {
            life: TokenLife::Finite(self.pool.ttl),
            refresh,
        };
        run(self.services.login(&self.pool, &credentials, terms, &home())).expect("logged in")
    }

    fn refresh(&self, token: &Token) -> Option<AccessToken> {
        match run(self.services.refresh_session(&self.pool, token, &home())) {
            Ok(answer) => Some(answer),
            Err(DomainError::Denied(Denial::RefreshRefused)) => None,
            Err(other) => panic!("{other}"),
        }
    }

    /// Checks a token, by one of both ways there are.
    fn caller(&self, token: &Token, by_proxy: bool) -> Option<Authenticated> {
        let check = if by_proxy {
            run(self.services.check_token(token, None))
        } else {
            run(self.services.authenticate(token, None))
        };
        match check.expect("every port answers") {
            Authentication::Live(caller) => Some(*caller),
            Authentication::Anonymous | Authentication::Expired => None,
        }
    }

    fn now(&self) -> i64 {
        self.world.contents().elapsed
    }
}

/// What a chain is to those who hold its tokens.
#[derive(Default)]
struct Chain {
    dead: bool,
    links: Vec<Link>,
}

/// One refresh token and the access token that came with it.
struct Link {
    refresh: Token,
    access: Token,
    /// When its access token was made, and whether the store has noticed that it is over.
    opened: i64,
    dropped: bool,
    /// When the refresh token is void, and whether the store has forgotten it.
    expires: i64,
    forgotten: bool,
    /// When it was last answered while the answer may not have arrived.
    answered: Option<i64>,
    /// Whether one of its two tokens was used.
    arrived: bool,
}

#[derive(Clone, Debug)]
enum Act {
    /// Somebody presents one of the tokens they ever saw.
    Present(prop::sample::Index),
    /// Somebody presents the newest.
    PresentNewest,
    /// An access token is used.
    Use(prop::sample::Index, bool),
    /// The newest is.
    UseNewest,
    Wait(i64),
    Purge,
    /// An access token is logged out with.
    LogOut(prop::sample::Index),
    /// The login is ended from another one's list.
    EndFromList,
}

fn wait() -> impl Strategy<Value = i64> {
    prop_oneof![
        4 => 0..30_000_i64,
        4 => 25_000..40_000_i64,
        4 => 10 * MINUTE..20 * MINUTE,
        2 => 0..DAY,
        2 => 0..40 * DAY,
        1 => -20 * MINUTE..0,
        1 => -40 * DAY..0,
    ]
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        4 => any::<prop::sample::Index>().prop_map(Act::Present),
        6 => Just(Act::PresentNewest),
        2 => (any::<prop::sample::Index>(), any::<bool>()).prop_map(|(link, proxy)| Act::Use(link, proxy)),
        4 => Just(Act::UseNewest),
        6 => wait().prop_map(Act::Wait),
        1 => Just(Act::Purge),
    ]
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let ends = prop_oneof![
        20 => act(),
        1 => any::<prop::sample::Index>().prop_map(Act::LogOut),
        1 => Just(Act::EndFromList),
    ];
    prop::collection::vec(ends, 1..60)
}

/// What presenting a token should come to.
#[derive(Debug, PartialEq)]
enum Expected {
    Refused,
    /// The answer of that link, new or as it is.
    Answer(usize),
    /// As it is, but with another access token.
    OtherAccess(usize),
}

impl Chain {
    fn access_is_live(&self, link: usize, now: i64, pool: &PoolPolicy) -> bool {
        let link = &self.links[link];
        !self.dead && !link.dropped && now < link.opened + millis(pool.access_token_ttl)
    }

    fn good_for(now: i64, pool: &PoolPolicy) -> i64 {
        (now + millis(pool.refresh_token_ttl)).min(millis(pool.refresh_token_max_ttl))
    }

    /// Judges a presentation, and notes what it does to the links there are.
    fn present(&mut self, at: usize, now: i64, pool: &PoolPolicy) -> Expected {
        let link = &self.links[at];
        let over = now >= link.expires || now >= millis(pool.refresh_token_max_ttl);
        if self.dead || link.forgotten || over {
            return Expected::Refused;
        }
        let good_for = Self::good_for(now, pool);
        let Some(answered) = link.answered else {
            self.links[at].arrived = true;
            self.links[at].answered = Some(now);
            self.links[at].expires = good_for;
            return Expected::Answer(at + 1);
        };
        let next = at + 1;
        if self.links[next].forgotten {
            return Expected::Refused;
        }
        let arrived = self.links[next].arrived;
        if arrived && (now - answered).abs() >= millis(pool.refresh_grace) {
            self.dead = true;
            return Expected::Refused;
        }
        let live = self.access_is_live(next, now, pool);
        if !live {
            self.links[next].expires = good_for;
        }
        if !arrived {
            self.links[at].answered = Some(now);
            self.links[at].expires = self.links[next].expires;
        }
        if live {
            Expected::Answer(next)
        } else {
            Expected::OtherAccess(next)
        }
    }

    fn purge(&mut self, now: i64, pool: &PoolPolicy) {
        for link in &mut self.links {
            link.forgotten |= now >= link.expires;
            link.dropped |= now >= link.opened + millis(pool.access_token_ttl);
        }
    }

    fn add(&mut self, answer: AccessToken, now: i64, pool: &PoolPolicy) {
        self.links.push(Link {
            refresh: answer.refresh.expect("a refresh token"),
            access: answer.secret,
            opened: now,
            dropped: false,
            expires: Self::good_for(now, pool),
            forgotten: false,
            answered: None,
            arrived: false,
        });
    }
}

#[expect(clippy::cast_possible_wrap, reason = "lifetimes of a test")]
const fn millis(life: Lifetime) -> i64 {
    life.as_millis() as i64
}

/// The services and the model, side by side.
struct Both {
    ann: Ann,
    chain: Chain,
}

impl Both {
    fn new() -> Self {
        let ann = Ann::new(pool(|_| {}));
        let mut chain = Chain::default();
        chain.add(ann.log_in(true), ann.now(), &ann.pool);
        Self { ann, chain }
    }

    fn make(&mut self, act: &Act) {
        let newest = self.chain.links.len() - 1;
        match act {
            Act::Present(link) => self.present(link.index(newest + 1)),
            Act::PresentNewest => self.present(newest),
            Act::Use(link, by_proxy) => drop(self.use_access(link.index(newest + 1), *by_proxy)),
            Act::UseNewest => drop(self.use_access(newest, false)),
            Act::Wait(millis) => self.ann.world.wait(*millis),
            Act::Purge => {
                run(self.ann.services.purge()).expect("purged");
                self.chain.purge(self.ann.now(), &self.ann.pool);
            }
            Act::LogOut(link) => self.log_out(link.index(newest + 1)),
            Act::EndFromList => self.end_from_list(),
        }
    }

    fn present(&mut self, at: usize) {
        let (now, pool) = (self.ann.now(), &self.ann.pool);
        let answer = self.ann.refresh(&self.chain.links[at].refresh);
        let expected = self.chain.present(at, now, pool);
        let Some(answer) = answer else {
            assert_eq!(expected, Expected::Refused, "presented {at} at {now}");
            return;
        };
        match expected {
            Expected::Refused => panic!("presented {at} at {now} and was answered"),
            Expected::Answer(link) if link == self.chain.links.len() => self.chain.add(answer, now, pool),
            Expected::Answer(link) => {
                let link = &self.chain.links[link];
                assert_eq!(Some(&link.refresh), answer.refresh.as_ref());
                assert_eq!(link.access, answer.secret);
            }
            Expected::OtherAccess(link) => {
                let link = &mut self.chain.links[link];
                assert_eq!(Some(&link.refresh), answer.refresh.as_ref());
                assert_ne!(link.access, answer.secret);
                assert!(
                    self.ann.caller(&link.access, false).is_none(),
                    "the former one is over"
                );
                (link.access, link.opened, link.dropped) = (answer.secret, now, false);
            }
        }
    }

    fn use_access(&mut self, at: usize, by_proxy: bool) -> bool {
        let now = self.ann.now();
        let live = self.chain.access_is_live(at, now, &self.ann.pool);
        let caller = self.ann.caller(&self.chain.links[at].access, by_proxy);
        assert_eq!(caller.is_some(), live, "used {at} at {now}");
        self.chain.links[at].arrived |= live;
        self.chain.links[at].dropped |= !live;
        live
    }

    fn log_out(&mut self, at: usize) {
        if self.use_access(at, false) {
            let caller = self.ann.caller(&self.chain.links[at].access, false);
            run(self
                .ann
                .services
                .log_out(&self.ann.pool, caller.as_ref(), &home()))
            .expect("logged out");
            self.chain.dead = true;
        }
    }

    fn end_from_list(&mut self) {
        let other = self.ann.log_in(false);
        let caller = self.ann.caller(&other.secret, false).expect("just logged in");
        let listed = run(self.ann.services.own_sessions(&self.ann.pool, &caller)).expect("listed");
        let chosen = listed.iter().filter(|session| session.refresh.is_some());
        let ids: Vec<_> = chosen.map(|session| session.id.clone()).collect();
        assert!(ids.len() <= 1, "one login is shown once: {ids:?}");
        let newest = &self.chain.links[self.chain.links.len() - 1];
        let good = !newest.forgotten && self.ann.now() < newest.expires;
        assert!(
            !ids.is_empty() || self.chain.dead || !good,
            "whoever can still come in is listed"
        );
        for id in ids {
            let (services, pool) = (&self.ann.services, &self.ann.pool);
            run(services.end_own_session(pool, &caller, &id, &home())).expect("ended");
            self.chain.dead = true;
        }
        assert!(
            self.ann.caller(&other.secret, false).is_some(),
            "the one who asked stays"
        );
    }
}

proptest! {
    #![proptest_config(cases(400))]

    /// Whoever presents whatever, whenever: they are answered exactly what the model says, and a chain that is dead stays dead.
    #[test]
    fn a_chain_is_what_the_model_says(acts in acts()) {
        let mut both = Both::new();
        for act in &acts {
            both.make(act);
        }
        if both.chain.dead {
            for link in &both.chain.links {
                prop_assert!(both.ann.refresh(&link.refresh).is_none());
                prop_assert!(both.ann.caller(&link.access, false).is_none());
            }
        }
    }

    /// A client that goes by what it heard, however much of that gets lost on the way, is never logged out.
    #[test]
    fn an_honest_client_that_loses_answers_is_never_logged_out(
        moves in prop::collection::vec((prop::bool::weighted(0.5), 0..DAY, any::<bool>(), 1..4_usize), 1..25),
    ) {
        let ann = Ann::new(pool(|_| {}));
        let mut held = ann.log_in(true);
        for (lost, pause, purge, times) in moves {
            ann.world.wait(pause);
            if purge {
                run(ann.services.purge()).expect("purged");
            }
            let token = held.refresh.clone().expect("a refresh token");
            let answers: Vec<_> = (0..times).map(|_| ann.refresh(&token).expect("answered")).collect();
            for answer in &answers {
                prop_assert_eq!(&answer.secret, &answers[0].secret);
                prop_assert_eq!(&answer.refresh, &answers[0].refresh);
            }
            if !lost {
                held = answers.into_iter().next().expect("an answer");
                let caller = ann.caller(&held.secret, false).expect("logged in");
                prop_assert_eq!(&caller.session.id, &held.session.id);
            }
        }
    }

    /// Two who hold the same token cannot both go on: each time one comes after the other used what they got, the chain dies.
    #[test]
    fn a_thief_and_an_owner_cannot_both_go_on(
        before in 0..5_usize,
        turns in prop::collection::vec((any::<bool>(), any::<bool>(), 31_000..DAY), 1..12),
    ) {
        let ann = Ann::new(pool(|_| {}));
        let mut token = ann.log_in(true).refresh.expect("a refresh token");
        for _ in 0..before {
            token = ann.refresh(&token).expect("answered").refresh.expect("a refresh token");
        }
        // The owner and the thief, each with the newest token they have and the access token beside it.
        let mut held = [(token.clone(), None), (token, None)];
        for (thief, uses, pause) in turns {
            let at = usize::from(thief);
            let Some(answer) = ann.refresh(&held[at].0) else { break };
            if uses {
                prop_assert!(ann.caller(&answer.secret, false).is_some());
            }
            held[at] = (answer.refresh.expect("a refresh token"), Some(answer.secret));
            ann.world.wait(pause);
        }
        // However it went: the one goes on, then the other comes, and neither is in.
        for at in [0, 1, 0, 1] {
            if let Some(answer) = ann.refresh(&held[at].0) {
                prop_assert!(ann.caller(&answer.secret, false).is_some());
                held[at] = (answer.refresh.expect("a refresh token"), Some(answer.secret));
            }
            ann.world.wait(31_000);
        }
        for (refresh, access) in held {
            prop_assert!(ann.refresh(&refresh).is_none());
            prop_assert!(access.is_none_or(|access| ann.caller(&access, false).is_none()));
        }
    }

    /// A session that lay unused for its idle time is dead at the next use and for good, and one that was used in time is not.
    #[test]
    fn an_idle_session_dies_in_time_and_no_clock_revives_it(
        idle in 1..100_000_i64,
        moves in prop::collection::vec((-150_000..250_000_i64, any::<bool>()), 1..40),
    ) {
        let ann = Ann::new(pool(|pool| {
            pool.idle_timeout = Some(Lifetime::from_millis(idle.unsigned_abs()));
        }));
        let token = ann.log_in(false).secret;
        // The latest moment at which it was used, by any clock; the same by a clock that never went back, if it did not.
        let (mut latest, mut dead, mut jumped) = (ann.now(), false, false);
        for (pause, by_proxy) in moves {
            let pause = pause * idle / 100_000;
            ann.world.wait(pause);
            jumped |= pause < 0;
            let now = ann.now();
            let live = ann.caller(&token, by_proxy).is_some();
            prop_assert!(!live || !dead, "revived at {now}");
            prop_assert!(!live || now - latest < idle, "used at {latest}, and again at {now}");
            prop_assert!(live || dead || jumped || now - latest > idle * 7 / 8 - 2, "idle since {latest} at {now}");
            dead |= !live;
            latest = latest.max(now);
        }
    }
}

#[test]
fn a_login_ends_when_its_time_is_over_however_often_it_is_renewed() {
    let ann = Ann::new(pool(|pool| {
        pool.refresh_token_max_ttl = Lifetime::from_secs(3 * 86_400);
    }));
    let mut held = ann.log_in(true);
    for _ in 0..3 {
        ann.world.wait(DAY - 1);
        held = ann
            .refresh(held.refresh.as_ref().expect("a refresh token"))
            .expect("answered");
    }
    assert!(
        ann.caller(&held.secret, false).is_some(),
        "the last access token lives for what is left"
    );
    ann.world.wait(3);
    assert!(ann.caller(&held.secret, false).is_none());
    assert!(
        ann.refresh(held.refresh.as_ref().expect("a refresh token"))
            .is_none()
    );
}

#[test]
fn ones_own_logins_are_listed_once_each_the_one_used_last_first() {
    let ann = Ann::new(pool(|_| {}));
    let (desk, phone, gone) = (ann.log_in(false), ann.log_in(true), ann.log_in(false));
    let caller = ann.caller(&desk.secret, false).expect("logged in");
    run(ann
        .services
        .log_out(&ann.pool, ann.caller(&gone.secret, false).as_ref(), &home()))
    .expect("logged out");
    let listed = || {
        let listed = run(ann.services.own_sessions(&ann.pool, &caller)).expect("listed");
        listed.into_iter().map(|session| session.id).collect::<Vec<_>>()
    };
    ann.world.wait(10 * MINUTE);
    let renewed = ann
        .refresh(phone.refresh.as_ref().expect("a refresh token"))
        .expect("renewed");
    assert!(ann.caller(&renewed.secret, false).is_some());
    assert_eq!(listed(), [phone.session.id.clone(), desk.session.id.clone()]);
    ann.world.wait(10 * MINUTE);
    assert!(ann.caller(&desk.secret, false).is_some());
    assert_eq!(listed(), [desk.session.id.clone(), phone.session.id.clone()]);
    // The phone sleeps: its access tokens are over, its login is not.
    ann.world.wait(DAY);
    run(ann.services.purge()).expect("purged");
    assert_eq!(listed(), [desk.session.id.clone(), phone.session.id.clone()]);
    ann.world.wait(31 * DAY);
    assert!(
        !listed().contains(&phone.session.id),
        "nothing renews it any more"
    );
}

#[test]
fn a_list_of_logins_has_an_end() {
    let ann = Ann::new(pool(|_| {}));
    let logins: Vec<_> = (0..205)
        .map(|_| {
            ann.world.wait(1000);
            ann.log_in(false)
        })
        .collect();
    let caller = ann.caller(&logins[0].secret, false).expect("logged in");
    let listed = run(ann.services.own_sessions(&ann.pool, &caller)).expect("listed");
    assert_eq!(listed.len(), 200);
    let mine = listed.iter().find(|session| session.id == caller.session.id);
    assert!(mine.is_some(), "it was used just now");
}

#[test]
fn one_may_end_a_login_of_ones_own_and_nobody_elses() {
    let ann = Ann::new(pool(|_| {}));
    let (mine, other) = (ann.log_in(true), ann.log_in(true));
    let caller = ann.caller(&mine.secret, false).expect("logged in");
    let end = |id: &SessionId| {
        let origin = home();
        run(ann.services.end_own_session(&ann.pool, &caller, id, &origin))
    };
    let unknown = end(&SessionId::new("somebody else's"));
    assert!(matches!(
        unknown,
        Err(DomainError::Denied(Denial::SessionUnknown))
    ));
    end(&other.session.id).expect("ended");
    assert!(ann.caller(&other.secret, false).is_none());
    assert!(
        ann.refresh(other.refresh.as_ref().expect("a refresh token"))
            .is_none()
    );
    let again = end(&other.session.id);
    assert!(matches!(again, Err(DomainError::Denied(Denial::SessionUnknown))));
    end(&mine.session.id).expect("one's own, too");
    assert!(ann.caller(&mine.secret, false).is_none());
    assert!(
        ann.refresh(mine.refresh.as_ref().expect("a refresh token"))
            .is_none()
    );
}

#[test]
fn a_use_is_written_down_now_and_then_and_not_each_time() {
    let ann = Ann::new(pool(|_| {}));
    let token = ann.log_in(false);
    let used = || ann.world.contents().sessions[&token.session.token].last_used;
    assert_eq!(used(), None);
    assert!(ann.caller(&token.secret, true).is_some());
    let first = used().expect("the first use is noted");
    ann.world.wait(4 * MINUTE);
    assert!(ann.caller(&token.secret, false).is_some());
    assert_eq!(used(), Some(first));
    ann.world.wait(MINUTE);
    assert!(ann.caller(&token.secret, true).is_some());
    assert_eq!(used(), Some(first.plus(Lifetime::from_secs(300))));
}
