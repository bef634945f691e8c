//! Client applications and what administrators do to users, through the services: what opens, for whom, until when.
#![cfg(test)]

use std::sync::Arc;

use domain::application::{ApplicationDetails, ApplicationKeys, KeyType};
use domain::audit::Actor;
use domain::error::{Denial, DomainError};
use domain::flow::administer::Act;
use domain::flow::login::Terms;
use domain::flow::sign_up::NewUser;
use domain::id::{ApplicationId, PoolName};
use domain::limits::Quota;
use domain::policy::{AccessPolicy, Limits, Policy, PoolPolicy};
use domain::secret::{MacKey, Secret, Token};
use domain::service::{Administrator, ApplicationChange, Authentication, Credentials, LoginName, Services};
use domain::session::TokenLife;
use domain::time::Lifetime;
use domain::user::User;
use properties::system::{origin, typed_password, unlimited};
use properties::world::{World, run};
use serde_json::json;

struct Office {
    _world: Arc<World>,
    services: Services,
    pool: PoolPolicy,
}

fn office(limits: Limits) -> Office {
    let pool = PoolPolicy::new(PoolName::new("Users"), "User");
    let policy = Policy {
        pools: [(pool.name.clone(), pool.clone())].into(),
        limits,
        public_url: "http://localhost:3000".to_owned(),
        service_name: "Example".to_owned(),
        language: "en".to_owned(),
        audit_life: Lifetime::from_secs(86_400),
        access: AccessPolicy::default(),
    };
    let world = World::new(5, true);
    let services = Services::new(world.ports(), policy, MacKey::new([7; 32]));
    Office {
        _world: world,
        services,
        pool,
    }
}

impl Office {
    fn app(&self) -> (ApplicationId, ApplicationKeys) {
        let made =
            self.services
                .create_application(" shop ", ApplicationDetails::default(), &Actor::Operator);
        let (application, keys) = run(made).expect("made");
        assert_eq!(application.name, "shop");
        (application.id, keys)
    }

    fn opens(&self, id: &ApplicationId, key: &Secret) -> Result<KeyType, Denial> {
        let key = Token::presented(key.expose());
        match run(self.services.authenticate_application(id, &key, &origin(0))) {
            Ok((_, kind)) => Ok(kind),
            Err(DomainError::Denied(denial)) => Err(denial),
            Err(DomainError::Port(error)) => panic!("{error}"),
        }
    }

    fn enable(&self, id: &ApplicationId, enabled: bool) {
        let change = ApplicationChange {
            enabled: Some(enabled),
            ..ApplicationChange::default()
        };
        let changed = run(self.services.change_application(id, &change, &Actor::Operator));
        assert!(changed.expect("the stores answer").is_some());
    }

    fn signed_up(&self) -> User {
        let form = NewUser {
            email: Some("ann@example.com".to_owned()),
            password: Some(typed_password(0)),
            ..NewUser::default()
        };
        run(self.services.sign_up(&self.pool, form, &origin(0))).expect("signed up")
    }

    fn log_in(&self, password: usize) -> Result<Token, Denial> {
        let credentials = Credentials {
            realm: None,
            name: LoginName::Email("ann@example.com".to_owned()),
            password: typed_password(password),
        };
        let terms = Terms::of(TokenLife::Finite(Lifetime::from_secs(3600)));
        let from = origin(0);
        match run(self.services.login(&self.pool, &credentials, terms, &from)) {
            Ok(opened) => Ok(opened.secret),
            Err(DomainError::Denied(denial)) => Err(denial),
            Err(DomainError::Port(error)) => panic!("{error}"),
        }
    }

    fn is_live(&self, token: &Token) -> bool {
        let found = run(self.services.authenticate(token, None)).expect("the stores answer");
        matches!(found, Authentication::Live(_))
    }

    fn act(&self, user: &User, act: Act) -> Option<User> {
        let (actor, origin) = (Actor::Operator, origin(0));
        let by = Administrator {
            actor: &actor,
            origin: &origin,
        };
        let acted = self.services.administer_user(&self.pool, &user.key.id, act, by);
        run(acted).expect("the stores answer")
    }
}

#[test]
fn each_key_opens_by_its_name_until_the_keys_are_reset() {
    let office = office(unlimited());
    let (id, keys) = office.app();
    for (kind, key) in keys.each() {
        assert_eq!(office.opens(&id, key), Ok(kind));
    }
    let reset = run(office.services.reset_application_keys(&id, &Actor::Operator));
    let (_, fresh) = reset.expect("the stores answer").expect("it is there");
    for (kind, key) in fresh.each() {
        assert_eq!(office.opens(&id, key), Ok(kind));
    }
    for (_, key) in keys.each() {
        assert_eq!(office.opens(&id, key), Err(Denial::ApplicationRefused));
    }
}

#[test]
fn a_disabled_application_opens_nothing_until_it_is_enabled() {
    let office = office(unlimited());
    let (id, keys) = office.app();
    office.enable(&id, false);
    for (_, key) in keys.each() {
        assert_eq!(office.opens(&id, key), Err(Denial::ApplicationRefused));
    }
    office.enable(&id, true);
    assert!(keys.each().all(|(kind, key)| office.opens(&id, key) == Ok(kind)));
}

#[test]
fn a_deleted_application_is_nobody() {
    let office = office(unlimited());
    let (id, keys) = office.app();
    let delete = || run(office.services.delete_application(&id, &Actor::Operator));
    assert_eq!(delete().ok(), Some(true));
    assert_eq!(delete().ok(), Some(false));
    assert!(
        keys.each()
            .all(|(_, key)| office.opens(&id, key) == Err(Denial::ApplicationRefused))
    );
    let change =
        run(office
            .services
            .change_application(&id, &ApplicationChange::default(), &Actor::Operator));
    assert!(change.expect("the stores answer").is_none());
}

#[test]
fn a_change_names_what_it_changes_and_a_replacement_everything() {
    let office = office(unlimited());
    let (id, keys) = office.app();
    let said = |details: serde_json::Value, replaces| {
        let change = ApplicationChange {
            details: details.as_object().cloned().unwrap_or_default(),
            replaces,
            ..ApplicationChange::default()
        };
        let changed = run(office.services.change_application(&id, &change, &Actor::Operator));
        changed.expect("sound").expect("there").details
    };
    said(json!({"owner": "7", "url": "https://a.example"}), false);
    let patched = said(json!({"url": "https://b.example", "masterKey": "chosen"}), false);
    assert_eq!(
        (patched.owner.as_deref(), patched.url.as_deref()),
        (Some("7"), Some("https://b.example"))
    );
    let replaced = said(json!({"realm": "r"}), true);
    assert_eq!((replaced.owner, replaced.realm.as_deref()), (None, Some("r")));
    assert!(keys.each().all(|(kind, key)| office.opens(&id, key) == Ok(kind)));
}

#[test]
fn a_busy_application_is_asked_to_wait_and_no_other_is() {
    let office = office(Limits {
        calls_per_application: Quota::Rate {
            burst: 3,
            per: Lifetime::from_secs(3600),
        },
        ..Limits::default()
    });
    let ((busy, keys), (idle, others)) = (office.app(), office.app());
    let (_, key) = keys.each().next().expect("a key");
    for _ in 0..3 {
        assert!(office.opens(&busy, key).is_ok());
    }
    assert!(matches!(office.opens(&busy, key), Err(Denial::Limited { .. })));
    let (_, other) = others.each().next().expect("a key");
    assert!(office.opens(&idle, other).is_ok());
}

#[test]
fn who_is_disabled_loses_every_session_and_gets_none() {
    let office = office(unlimited());
    let user = office.signed_up();
    let token = office.log_in(0).expect("logged in");
    assert!(office.is_live(&token));
    office.act(&user, Act::Disable);
    assert!(!office.is_live(&token));
    assert_eq!(office.log_in(0).err(), Some(Denial::LoginFailed));
    assert_eq!(office.log_in(1).err(), Some(Denial::LoginFailed));
    office.act(&user, Act::Enable);
    assert!(!office.is_live(&token), "ended stays ended");
    assert!(office.log_in(0).is_ok());
}

#[test]
fn an_unlocked_account_lets_its_owner_in_at_once() {
    let office = office(Limits::default());
    let user = office.signed_up();
    let tries = (0..60).take_while(|_| office.log_in(1).err() == Some(Denial::LoginFailed));
    assert!(tries.count() < 60, "no limit was reached");
    assert!(matches!(office.log_in(0), Err(Denial::Limited { .. })));
    let (actor, origin) = (Actor::Operator, origin(0));
    let by = Administrator {
        actor: &actor,
        origin: &origin,
    };
    let unlocked = run(office.services.unlock_user(&office.pool, &user.key.id, by));
    assert_eq!(unlocked.ok(), Some(true));
    assert!(office.log_in(0).is_ok());
}

#[test]
fn a_session_is_ended_for_somebody_and_the_others_live() {
    let office = office(unlimited());
    let user = office.signed_up();
    let (first, second) = (office.log_in(0).expect("in"), office.log_in(0).expect("in"));
    let sessions = run(office.services.sessions_of_user(&office.pool, &user)).expect("listed");
    assert_eq!(sessions.len(), 2);
    let of_first = sessions.iter().find(|session| session.token == first.hash());
    let id = of_first.expect("it is listed").id.clone();
    let (actor, origin) = (Actor::Operator, origin(0));
    let by = Administrator {
        actor: &actor,
        origin: &origin,
    };
    let end = || run(office.services.end_session_of_user(&office.pool, &user, &id, by)).ok();
    assert_eq!((end(), end()), (Some(true), Some(false)));
    assert!(!office.is_live(&first) && office.is_live(&second));
}

#[test]
fn who_is_made_by_an_administrator_has_no_password_and_a_taken_address_is_told() {
    let office = office(unlimited());
    office.signed_up();
    let make = |email: &str| {
        let (actor, origin) = (Actor::Operator, origin(0));
        let by = Administrator {
            actor: &actor,
            origin: &origin,
        };
        let form = NewUser {
            email: Some(email.to_owned()),
            ..NewUser::default()
        };
        run(office.services.make_user(&office.pool, form, true, true, by))
    };
    let bob = make("bob@example.com").expect("made");
    assert!(bob.password.is_none() && bob.email_verified);
    assert!(matches!(
        make("ANN@example.com"),
        Err(DomainError::Denied(Denial::Invalid(_)))
    ));
    let listed = run(office.services.list_users(&office.pool, None, 10)).expect("listed");
    assert_eq!(listed.len(), 2);
}
