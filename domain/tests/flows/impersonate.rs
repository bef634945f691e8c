//! An administrator acts as a user.

use domain::access::{ADMIN, AccessState, Role, RoleMapping, default_rules};
use domain::audit::Actor;
use domain::error::Denial;
use domain::flow::impersonate::{Doing, ImpersonateEvent, Impersonated, LONGEST, OPEN, admit, stands, step};
use domain::flow::log_out::{self, LogOutEvent};
use domain::flow::{Advanced, Effect, Step};
use domain::id::{PoolName, RoleId, RoleMappingId, RoleName, UserId, UserKey};
use domain::session::{AccessToken, AssuranceLevel, Impersonator, Session, TokenLife};
use domain::time::{Lifetime, Timestamp};
use domain::user::User;

use crate::support::{NOON, Scene, ann, ann_with_factor, assert_refused, bob, session, story};

const REASON: &str = "ticket 4711";

/// The role `admin`, and nothing else.
fn roles() -> AccessState {
    let role = Role {
        id: RoleId::new("r1"),
        name: RoleName::new(ADMIN),
        description: None,
        mappings: Vec::new(),
        created: NOON,
        modified: NOON,
    };
    AccessState::default().with_role(role).expect("a role")
}

fn with_admin(user: User) -> User {
    let mapping = RoleMapping {
        id: RoleMappingId::new("m1"),
        role: RoleId::new("r1"),
        created: NOON,
    };
    User {
        mappings: vec![mapping].into(),
        ..user
    }
}

fn boss() -> User {
    with_admin(User {
        key: UserKey::new(PoolName::new("Users"), UserId::new("boss")),
        ..ann()
    })
}

struct Ask {
    administrator: User,
    session: Session,
    user: User,
    reason: &'static str,
    ttl: Option<f64>,
}

impl Ask {
    fn usual() -> Self {
        Self {
            administrator: boss(),
            session: session(&boss(), 60),
            user: bob(),
            reason: REASON,
            ttl: None,
        }
    }

    fn step(self, scene: &mut Scene) -> Step<Impersonated> {
        let event = ImpersonateEvent::Asked {
            administrator: Box::new(self.administrator),
            session: Box::new(self.session),
            user: Box::new(self.user),
            access: roles(),
            reason: self.reason.to_owned(),
            ttl: self.ttl,
        };
        step(event, &mut scene.cx())
    }

    fn begun(self) -> (AccessToken, Vec<Effect>) {
        let Advanced {
            next: Impersonated::Begun(token),
            effects,
        } = self.step(&mut Scene::new()).expect("begun");
        (*token, effects)
    }

    fn refused_as(self, denial: &Denial) {
        assert_refused(self.step(&mut Scene::new()), denial, &[]);
    }
}

fn impersonated() -> Session {
    Ask::usual().begun().0.session
}

#[test]
fn an_administrator_gets_a_session_of_the_user_and_it_is_written_down() {
    let (token, effects) = Ask::usual().begun();
    assert_eq!(story(&effects), ["open session", "impersonation.begun"]);
    let session = &token.session;
    assert_eq!(session.user, bob().key);
    assert_eq!(session.epoch, bob().session_epoch);
    assert_eq!(session.token, token.secret.hash());
    let by = session.impersonator.as_deref().expect("who it is");
    assert_eq!((&by.user, by.session.as_str()), (&boss().key, "mine"));
    assert_eq!(by.epoch, boss().session_epoch);
    let Some(Effect::Audit(event)) = effects.last() else {
        panic!("no audit line");
    };
    assert_eq!(event.actor, Actor::User(boss().key));
    assert_eq!(event.user, Some(bob().key));
    assert_eq!(event.detail.as_deref(), Some(REASON));
    assert!(event.network.is_some());
}

#[test]
fn nobody_proved_to_be_the_user_and_nothing_renews_the_session() {
    let (token, _) = Ask::usual().begun();
    let session = &token.session;
    assert!(session.factors.is_empty());
    assert_eq!(session.level(), AssuranceLevel::Aal1);
    assert!(!session.is_fresh(Lifetime::from_secs(86_400), NOON));
    assert!(token.refresh.is_none() && token.device.is_none() && session.refresh.is_none());
}

#[test]
fn it_lives_an_hour_at_most_whatever_is_asked_for() {
    let life = |ttl| Ask { ttl, ..Ask::usual() }.begun().0.session.life;
    assert_eq!(life(None), TokenLife::Finite(LONGEST));
    assert_eq!(life(Some(600.0)), TokenLife::Finite(Lifetime::from_secs(600)));
    assert_eq!(life(Some(86_400.0)), TokenLife::Finite(LONGEST));
    let ask = Ask {
        ttl: Some(-1.0),
        ..Ask::usual()
    };
    let mut eternal = Scene::with(|pool| pool.allow_eternal_tokens = true);
    let Impersonated::Begun(token) = ask.step(&mut eternal).expect("begun").next;
    assert_eq!(token.session.life, TokenLife::Finite(LONGEST));
    for odd in [-1.0, -5.0, f64::NAN] {
        let ask = Ask {
            ttl: Some(odd),
            ..Ask::usual()
        };
        ask.refused_as(&Denial::InvalidTtl);
    }
}

#[test]
fn the_idle_time_of_the_pool_holds() {
    let mut scene = Scene::with(|pool| pool.idle_timeout = Some(Lifetime::from_secs(300)));
    let Impersonated::Begun(token) = Ask::usual().step(&mut scene).expect("begun").next;
    assert_eq!(token.session.idle, Some(Lifetime::from_secs(300)));
}

#[test]
fn nobody_acts_as_themselves_as_the_disabled_as_another_administrator_or_in_another_pool() {
    let elsewhere = User {
        key: UserKey::new(PoolName::new("Employees"), UserId::new("bob")),
        ..bob()
    };
    let disabled = User {
        disabled: Some(NOON),
        ..bob()
    };
    for user in [boss(), disabled, with_admin(bob()), elsewhere] {
        Ask { user, ..Ask::usual() }.refused_as(&Denial::ImpersonationRefused);
    }
}

#[test]
fn nobody_else_acts_as_anybody() {
    let ask = Ask {
        administrator: ann(),
        session: session(&ann(), 60),
        ..Ask::usual()
    };
    ask.refused_as(&Denial::AuthorizationRequired);
    let nested = Ask {
        session: Session {
            impersonator: impersonated().impersonator,
            ..session(&boss(), 60)
        },
        ..Ask::usual()
    };
    nested.refused_as(&Denial::Impersonation);
}

#[test]
fn a_reason_is_one_short_line() {
    for (reason, code) in [
        ("", "presence"),
        ("  \t ", "presence"),
        ("two\nlines", "length.max"),
        (Box::leak("x".repeat(201).into_boxed_str()), "length.max"),
    ] {
        let refused = Ask {
            reason,
            ..Ask::usual()
        }
        .step(&mut Scene::new());
        let Err(refused) = refused else {
            panic!("taken: {reason:?}");
        };
        assert!(
            matches!(&refused.denial, Denial::Invalid(faults) if faults[0].property == "reason" && faults[0].code == code),
            "{refused:?}"
        );
    }
    let (_, effects) = Ask {
        reason: "  spaces around ",
        ..Ask::usual()
    }
    .begun();
    assert!(
        matches!(effects.last(), Some(Effect::Audit(event)) if event.detail.as_deref() == Some("spaces around"))
    );
}

#[test]
fn the_administrators_session_must_be_proven_lately_whatever_the_pool_says() {
    let stale = |administrator: User| Ask {
        session: session(&administrator, 86_400),
        administrator,
        ..Ask::usual()
    };
    let mut scene = Scene::with(|pool| pool.step_up = Vec::new());
    let password = Denial::StepUpRequired {
        methods: vec!["password"],
    };
    assert_refused(
        stale(boss()).step(&mut scene),
        &password,
        &["session.step_up_asked"],
    );
    // With a second factor, a fresh password alone is not enough.
    let guarded = with_admin(User {
        key: boss().key,
        ..ann_with_factor()
    });
    let ask = Ask {
        session: session(&guarded, 60),
        administrator: guarded,
        ..Ask::usual()
    };
    let sms = Denial::StepUpRequired { methods: vec!["sms"] };
    assert_refused(ask.step(&mut scene), &sms, &["session.step_up_asked"]);
}

#[test]
fn such_a_session_looks_and_leaves_and_does_nothing_else() {
    let (theirs, own) = (impersonated(), session(&bob(), 60));
    for doing in [Doing::Look, Doing::Leave] {
        assert_eq!(admit(&theirs, doing), Ok(()));
    }
    for method in OPEN {
        assert_eq!(admit(&theirs, Doing::Call(method)), Ok(()), "{method}");
    }
    assert_eq!(admit(&theirs, Doing::Act), Err(Denial::Impersonation));
    // Whatever else the rules of a pool open to anybody, or a later version adds.
    let rules = default_rules("User");
    let all = rules.iter().flat_map(|rule| rule.properties.iter());
    let closed: Vec<&str> = all
        .map(String::as_str)
        .chain(["added later"])
        .filter(|method| !OPEN.contains(method))
        .collect();
    assert!(closed.len() > 40, "the methods were found");
    for method in closed {
        let doing = Doing::Call(method);
        assert_eq!(admit(&theirs, doing), Err(Denial::Impersonation), "{method}");
        assert_eq!(admit(&own, doing), Ok(()), "{method}");
    }
}

#[test]
fn it_ends_with_the_administrator_and_where_the_user_becomes_one() {
    let by = |epoch: &User| Impersonator {
        user: boss().key,
        session: session(&boss(), 60).id,
        epoch: epoch.session_epoch,
    };
    let by = by(&boss());
    let stands = |administrator: Option<&User>, user: &User| stands(&by, administrator, user, &roles());
    assert!(stands(Some(&boss()), &bob()));
    assert!(!stands(None, &bob()), "deleted");
    let disabled = User {
        disabled: Some(Timestamp::from_millis(1)),
        ..boss()
    };
    assert!(!stands(Some(&disabled), &bob()));
    let degraded = User {
        mappings: ann().mappings,
        ..boss()
    };
    assert!(!stands(Some(&degraded), &bob()), "without the role");
    assert!(!stands(Some(&with_admin(bob())), &bob()), "somebody else");
    assert!(!stands(Some(&boss()), &with_admin(bob())));
    let mut left = boss();
    left.end_sessions(None);
    assert!(!stands(Some(&left), &bob()), "all their sessions ended");
    let mut spared = boss();
    spared.end_sessions(Some(by.session.clone()));
    assert!(
        stands(Some(&spared), &bob()),
        "their own session lives on, and so does this"
    );
}

#[test]
fn stopping_is_written_down_as_the_administrators_doing() {
    let session = impersonated();
    let event = LogOutEvent::Asked {
        session: Some(Box::new(session.clone())),
    };
    let advanced = log_out::step(event, &mut Scene::new().cx()).expect("left");
    assert_eq!(story(&advanced.effects), ["end session", "impersonation.ended"]);
    let Some(Effect::Audit(event)) = advanced.effects.last() else {
        panic!("no audit line");
    };
    assert_eq!(
        (&event.actor, &event.user),
        (&Actor::User(boss().key), &Some(bob().key))
    );
}
