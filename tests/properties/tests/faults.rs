//! What becomes of a call when something outside fails in the middle of it: mocks inject the fault, the rest is the world.
#![cfg(test)]

use std::future::ready;
use std::sync::Arc;

use domain::credential::Password;
use domain::error::{Denial, DomainError};
use domain::flow::sign_up::NewUser;
use domain::id::PoolName;
use domain::limits::ClientAddress;
use domain::origin::Origin;
use domain::policy::{AccessPolicy, Limits, Policy, PoolPolicy};
use domain::ports::{MockAuditLog, MockMailer, MockPasswordHasher, MockSessionStore, PortError};
use domain::secret::{MacKey, Token};
use domain::service::{Credentials, LoginName, Ports, Services};
use domain::time::Lifetime;
use futures_util::FutureExt as _;
use properties::world::World;

const EMAIL: &str = "ann@example.com";
const PASSWORD: &str = "gate of the old town";

fn busy() -> PortError {
    PortError::Busy {
        retry_after: Lifetime::from_secs(1),
    }
}

fn pool() -> PoolPolicy {
    PoolPolicy::new(PoolName::new("Users"), "User")
}

/// Services over the world's ports, with some of them replaced.
fn services(world: &Arc<World>, replace: impl FnOnce(&mut Ports)) -> Services {
    let mut ports = world.ports();
    replace(&mut ports);
    let policy = Policy {
        pools: [(pool().name, pool())].into(),
        limits: Limits::default(),
        public_url: "http://localhost:3000".to_owned(),
        service_name: "Example".to_owned(),
        language: "en".to_owned(),
        audit_life: Lifetime::from_secs(86_400),
        access: AccessPolicy::default(),
    };
    Services::new(ports, policy, MacKey::new([7; 32]))
}

fn home() -> Origin {
    ClientAddress::of([192, 0, 2, 1].into()).into()
}

fn log_in(services: &Services, password: &str) -> Result<Token, DomainError> {
    let credentials = Credentials {
        realm: None,
        name: LoginName::Email(EMAIL.to_owned()),
        password: Password::typed(password),
    };
    let life = pool().session_life(None).unwrap();
    let token = services
        .login(
            &pool(),
            &credentials,
            domain::flow::login::Terms::of(life),
            &home(),
        )
        .now_or_never()
        .expect("the world answers at once");
    token.map(|token| token.secret)
}

/// A world in which Ann signed up.
fn with_ann() -> Arc<World> {
    let world = World::new(1, true);
    let form = NewUser {
        email: Some(EMAIL.to_owned()),
        password: Some(Password::typed(PASSWORD)),
        ..NewUser::default()
    };
    let made = services(&world, |_| {})
        .sign_up(&pool(), form, &home())
        .now_or_never();
    made.expect("the world answers at once").unwrap();
    world
}

#[test]
fn a_busy_hasher_is_nobodys_wrong_password() {
    let world = with_ann();
    let swamped = services(&world, |ports| {
        let mut hasher = MockPasswordHasher::new();
        hasher
            .expect_verify()
            .returning(|_, _| Box::pin(ready(Err(busy()))));
        ports.hasher = Arc::new(hasher);
    });
    for _ in 0..100 {
        assert!(matches!(
            log_in(&swamped, PASSWORD),
            Err(DomainError::Port(PortError::Busy { .. }))
        ));
    }
    log_in(&services(&world, |_| {}), PASSWORD).unwrap();
}

#[test]
fn a_busy_hasher_pardons_nobody() {
    let world = with_ann();
    let well = services(&world, |_| {});
    for _ in 0..8 {
        assert!(matches!(
            log_in(&well, "not the password"),
            Err(DomainError::Denied(Denial::LoginFailed))
        ));
    }
    let swamped = services(&world, |ports| {
        let mut hasher = MockPasswordHasher::new();
        hasher
            .expect_verify()
            .returning(|_, _| Box::pin(ready(Err(busy()))));
        ports.hasher = Arc::new(hasher);
    });
    let _ = log_in(&swamped, "another guess");
    assert!(matches!(
        log_in(&well, "another guess"),
        Err(DomainError::Denied(Denial::Limited { .. }))
    ));
}

#[test]
fn a_session_that_cannot_be_kept_is_not_handed_out() {
    let world = with_ann();
    let failing = services(&world, |ports| {
        let mut sessions = MockSessionStore::new();
        sessions
            .expect_open()
            .returning(|_| Box::pin(ready(Err(PortError::unavailable("disk full")))));
        ports.sessions = Arc::new(sessions);
    });
    assert!(matches!(
        log_in(&failing, PASSWORD),
        Err(DomainError::Port(PortError::Unavailable { .. }))
    ));
}

#[test]
fn what_cannot_be_written_down_is_not_done_in_silence() {
    let world = with_ann();
    let failing = services(&world, |ports| {
        let mut audit = MockAuditLog::new();
        audit
            .expect_append()
            .returning(|_| Box::pin(ready(Err(PortError::unavailable("disk full")))));
        ports.audit = Arc::new(audit);
    });
    assert!(matches!(
        log_in(&failing, "not the password"),
        Err(DomainError::Port(PortError::Unavailable { .. }))
    ));
}

#[test]
fn a_mail_that_cannot_be_sent_is_said_and_the_next_one_works() {
    let world = with_ann();
    let failing = services(&world, |ports| {
        let mut mailer = MockMailer::new();
        mailer.expect_is_local().return_const(true);
        mailer
            .expect_send()
            .times(1)
            .returning(|_, _| Box::pin(ready(Err(PortError::unavailable("no route")))));
        ports.mailer = Arc::new(mailer);
    });
    let reset = |services: &Services| {
        services
            .request_reset(&pool(), None, EMAIL, &home())
            .now_or_never()
            .expect("the world answers at once")
    };
    assert!(matches!(
        reset(&failing),
        Err(DomainError::Port(PortError::Unavailable { .. }))
    ));
    reset(&services(&world, |_| {})).unwrap();
    assert_eq!(world.contents().mails.len(), 1);
}
