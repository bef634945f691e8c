//! The first administrator.

use domain::audit::Actor;
use domain::credential::{Password, PasswordFault};
use domain::error::Denial;
use domain::flow::Effect;
use domain::flow::login::Terms;
use domain::flow::set_up::{Draft, LIFE, Offer, SetUp, SetUpEvent, check, newest, step};
use domain::flow::sign_up::NewUser;
use domain::flow_record::{FlowBody, FlowRecord};
use domain::id::{PoolName, RoleId};
use domain::limits::Verdict;
use domain::policy::SecondFactor;
use domain::ports::UniqueKey;
use domain::secret::Token;

use crate::support::{NO, Scene, WAIT, assert_refused, hour, new_hash, new_password, story};

/// The two records of a link, and its token.
fn offered(scene: &mut Scene) -> (Offer, Token) {
    let event = SetUpEvent::Started { is_empty: true };
    let advanced = step(SetUp::Start, event, &mut scene.cx()).expect("offered");
    let SetUp::Offered(Some(link)) = advanced.next else {
        panic!("no link");
    };
    let (site, token) = link.expose().split_once("?token=").expect("a token");
    assert_eq!(site, "https://login.example/setup");
    let kept: Vec<FlowRecord> = advanced
        .effects
        .into_iter()
        .map(|effect| match effect {
            Effect::PutFlow(flow) => *flow,
            other => panic!("{other:?}"),
        })
        .collect();
    let offer = Offer {
        presented: kept.first().cloned(),
        newest: kept.get(1).cloned(),
        administrators: 0,
    };
    (offer, Token::presented(token))
}

fn form() -> NewUser {
    NewUser {
        email: Some("root@example.com".to_owned()),
        password: Some(new_password()),
        ..NewUser::default()
    }
}

fn presented(scene: &mut Scene, form: NewUser, offer: Offer) -> domain::flow::Step<SetUp> {
    let event = SetUpEvent::Presented {
        form: Box::new(form),
        offer: Box::new(offer),
        verdict: Verdict::Allowed,
    };
    step(SetUp::Start, event, &mut scene.cx())
}

fn drafted(scene: &mut Scene) -> Box<Draft> {
    let (offer, _) = offered(scene);
    match presented(scene, form(), offer).expect("good").next {
        SetUp::HashPassword(draft) => draft,
        other => panic!("{other:?}"),
    }
}

fn claimed(scene: &mut Scene) -> SetUp {
    let state = SetUp::HashPassword(drafted(scene));
    let event = SetUpEvent::PasswordHashed {
        hash: new_hash(),
        taken: Vec::new(),
    };
    step(state, event, &mut scene.cx()).expect("claimed").next
}

fn role_found() -> SetUpEvent {
    SetUpEvent::RoleFound {
        role: RoleId::new("r1"),
        terms: Terms::of(hour()),
    }
}

#[test]
fn a_link_is_kept_as_hashes_and_names_itself_the_newest() {
    let mut scene = Scene::new();
    let (offer, token) = offered(&mut scene);
    let (kept, latest) = (offer.presented.expect("kept"), offer.newest.expect("kept"));
    assert_eq!((kept.id, latest.id), (token.hash(), newest()));
    for flow in [kept, latest] {
        assert_eq!(flow.body, FlowBody::SetUp { token: token.hash() });
        assert_eq!((flow.user, flow.expires), (None, scene.now.plus(LIFE)));
    }
}

#[test]
fn where_somebody_is_there_no_link_is_made() {
    let event = SetUpEvent::Started { is_empty: false };
    let advanced = step(SetUp::Start, event, &mut Scene::new().cx()).expect("nothing to do");
    assert!(matches!(advanced.next, SetUp::Offered(None)) && advanced.effects.is_empty());
}

#[test]
fn a_link_is_the_newest_in_time_and_while_nobody_administers() {
    let mut scene = Scene::new();
    let (good, token) = offered(&mut scene);
    assert_eq!(check(&good, &scene.cx()), Ok(token.hash()));
    let (newer, _) = offered(&mut scene);
    let elsewhere = good.presented.clone().map(|flow| FlowRecord {
        pool: PoolName::new("Employees"),
        ..flow
    });
    let another_kind = good.presented.clone().map(|flow| FlowRecord {
        body: FlowBody::ConfirmEmail {
            address: "root@example.com".to_owned(),
        },
        ..flow
    });
    for bad in [
        Offer {
            presented: None,
            ..good.clone()
        },
        Offer {
            newest: None,
            ..good.clone()
        },
        Offer {
            newest: newer.newest,
            ..good.clone()
        },
        Offer {
            presented: elsewhere,
            ..good.clone()
        },
        Offer {
            presented: another_kind,
            ..good.clone()
        },
        Offer {
            administrators: 1,
            ..good.clone()
        },
    ] {
        assert_eq!(check(&bad, &scene.cx()), Err(Denial::TokenRefused), "{bad:?}");
        // Not even its faults are told, in whatever is wrong with the form.
        assert_refused(
            presented(&mut scene, NewUser::default(), bad),
            &Denial::TokenRefused,
            &["token.refused"],
        );
    }
    scene.wait(3_599);
    assert!(check(&good, &scene.cx()).is_ok());
    scene.wait(1);
    assert_eq!(check(&good, &scene.cx()), Err(Denial::TokenRefused));
}

#[test]
fn tries_are_counted_before_anything_is_judged() {
    let mut scene = Scene::new();
    let (offer, _) = offered(&mut scene);
    let event = SetUpEvent::Presented {
        form: Box::new(form()),
        offer: Box::new(offer),
        verdict: NO,
    };
    assert_refused(
        step(SetUp::Start, event, &mut scene.cx()),
        &Denial::Limited { retry_after: WAIT },
        &["limit.reached"],
    );
}

#[test]
fn the_rules_of_the_pool_hold_for_the_first_administrator_too() {
    let mut scene = Scene::new();
    let (offer, _) = offered(&mut scene);
    let nobody = presented(&mut scene, NewUser::default(), offer.clone()).expect_err("refused");
    assert!(
        matches!(&nobody.denial, Denial::Invalid(faults) if faults.len() == 2),
        "{nobody:?}"
    );
    assert!(nobody.effects.is_empty(), "the link stays good");
    let short = NewUser {
        password: Some(Password::typed("short")),
        ..form()
    };
    let rules = scene.pool.password;
    assert_refused(
        presented(&mut scene, short, offer),
        &Denial::PasswordRefused {
            fault: PasswordFault::TooShort,
            rules,
        },
        &[],
    );
}

#[test]
fn the_link_is_spent_once_the_names_are_known_to_be_free() {
    let mut scene = Scene::new();
    let draft = drafted(&mut scene);
    assert!(draft.user.email_verified, "whoever runs the server vouches");
    let hashed = |taken| SetUpEvent::PasswordHashed {
        hash: new_hash(),
        taken,
    };
    let state = SetUp::HashPassword(draft);
    let taken = step(state.clone(), hashed(vec![UniqueKey::Email]), &mut scene.cx()).expect_err("taken");
    assert!(taken.effects.is_empty());
    assert!(matches!(taken.denial, Denial::Invalid(_)));
    let advanced = step(state, hashed(Vec::new()), &mut scene.cx()).expect("spent");
    assert_eq!(story(&advanced.effects), ["spend"]);
}

#[test]
fn the_administrator_is_made_with_the_role_in_one_write_and_logged_in() {
    let mut scene = Scene::new();
    let state = claimed(&mut scene);
    let advanced = step(state, role_found(), &mut scene.cx()).expect("made");
    assert_eq!(
        story(&advanced.effects),
        [
            "create",
            "open session",
            "login.succeeded",
            "user.signed_up",
            "role.given"
        ]
    );
    let Some(Effect::Create(user)) = advanced.effects.first() else {
        panic!("nobody made");
    };
    assert_eq!(user.password, Some(new_hash()));
    assert_eq!(user.mappings.len(), 1);
    assert_eq!(user.mappings[0].role, RoleId::new("r1"));
    let SetUp::Done(_, Some(token)) = advanced.next else {
        panic!("not logged in");
    };
    assert_eq!(token.session.user, user.key);
    let operators = advanced.effects.iter().filter(
        |effect| matches!(effect, Effect::Audit(event) if event.actor == Actor::Operator && event.user.as_ref() == Some(&user.key)),
    );
    assert_eq!(operators.count(), 2);
}

#[test]
fn where_a_second_factor_is_required_they_log_in_by_themselves() {
    let mut scene = Scene::with(|pool| pool.second_factor = SecondFactor::Required);
    let state = claimed(&mut scene);
    let advanced = step(state, role_found(), &mut scene.cx()).expect("made");
    assert_eq!(
        story(&advanced.effects),
        ["create", "user.signed_up", "role.given"]
    );
    assert!(matches!(advanced.next, SetUp::Done(_, None)));
}

#[test]
fn what_does_not_belong_together_does_nothing() {
    let mut scene = Scene::new();
    for (state, event) in [
        (SetUp::Start, role_found()),
        (SetUp::Offered(None), SetUpEvent::Started { is_empty: true }),
        (SetUp::HashPassword(drafted(&mut scene)), role_found()),
    ] {
        assert_refused(step(state, event, &mut scene.cx()), &Denial::Unexpected, &[]);
    }
}
