//! "Log in with a link by mail".

use domain::error::Denial;
use domain::flow::Step;
use domain::flow::login::pending::Waits;
use domain::flow::login::{CodeTyped, LinkPresented, Login, LoginEvent, Sending, Terms, step};
use domain::flow::second_factor::Typed;
use domain::flow_record::{FlowBody, FlowRecord};
use domain::limits::Verdict;
use domain::policy::SecondFactor;
use domain::secret::Secret;
use domain::session::{AssuranceLevel, Factor};
use domain::user::{Email, FactorKind, User};

use crate::support::{
    LIMIT, NO, Scene, ann, ann_with_factor, assert_refused, awaiting, bob, detail, hour, kept, later_epoch,
    limited, opened, proven_in, sending, story, taken, texted, verified_ann,
};

fn scene() -> Scene {
    Scene::with(|pool| pool.magic_link = true)
}

fn link(scene: &Scene, user: &User, address: &str) -> FlowRecord {
    let body = FlowBody::MagicLink {
        address: address.to_owned(),
        epoch: user.session_epoch,
        return_to: Some("/welcome".to_owned()),
    };
    scene.record(user, "link", scene.pool.magic_link_life, body)
}

fn presented(scene: &Scene, user: User) -> LinkPresented {
    LinkPresented {
        flow: Some(link(scene, &user, "ann@example.com")),
        user: Some(user),
        verdict: Verdict::Allowed,
        sending: sending(),
        terms: Terms::of(hour()),
    }
}

fn judge(scene: &mut Scene, facts: LinkPresented) -> Step<Login> {
    let event = LoginEvent::LinkPresented(Box::new(facts));
    step(Login::Start, event, &mut scene.cx())
}

fn assert_void(scene: &mut Scene, facts: LinkPresented) {
    assert_eq!(facts.waits(&scene.cx()), Waits::No);
    assert_refused(judge(scene, facts), &Denial::TokenRefused, &["token.refused"]);
}

#[test]
fn a_link_opens_a_session_of_one_factor() {
    let mut scene = scene();
    let facts = presented(&scene, verified_ann());
    let (token, effects) = opened(judge(&mut scene, facts));
    assert_eq!(story(&effects), ["spend", "open session", "login.succeeded"]);
    assert_eq!(proven_in(&token.session), ["email"]);
    assert_eq!(token.session.level(), AssuranceLevel::Aal1);
    assert_eq!(token.session.life, hour());
    assert_eq!(detail(&effects), Some("email"));
}

#[test]
fn a_link_opens_nothing_where_nobody_proved_the_address() {
    // Somebody else may have signed up with it and know the password: the door would be open to both.
    for required in [false, true] {
        let mut scene = scene();
        scene.pool.email_verification_required = required;
        let facts = presented(&scene, ann());
        assert_void(&mut scene, facts);
    }
}

#[test]
fn where_links_are_off_one_that_was_mailed_before_opens_nothing() {
    let mut scene = scene();
    let facts = presented(&scene, verified_ann());
    scene.pool.magic_link = false;
    assert_void(&mut scene, facts);
}

#[test]
fn whatever_is_wrong_with_a_link_the_answer_is_the_same() {
    let mut scene = scene();
    let user = verified_ann();
    let good = presented(&scene, user.clone());
    let with = |flow: Option<FlowRecord>, user: Option<User>| LinkPresented {
        flow,
        user,
        ..good.clone()
    };
    let reset = scene.record(
        &user,
        "link",
        scene.pool.magic_link_life,
        FlowBody::ResetPassword {
            epoch: user.session_epoch,
        },
    );
    let moved = User {
        email: Email::parse("ann@other.example", false),
        ..user.clone()
    };
    let nowhere = User {
        email: None,
        ..user.clone()
    };
    let wrong = [
        with(None, Some(user.clone())),
        with(good.flow.clone(), None),
        with(None, None),
        with(good.flow.clone(), Some(bob())),
        with(good.flow.clone(), Some(later_epoch(&user))),
        with(good.flow.clone(), Some(moved)),
        with(good.flow.clone(), Some(nowhere)),
        with(Some(link(&scene, &user, "Ann@example.com")), Some(user.clone())),
        with(Some(link(&scene, &bob(), "ann@example.com")), Some(user.clone())),
        with(Some(reset), Some(user)),
    ];
    for facts in wrong {
        assert_void(&mut scene, facts);
    }
}

#[test]
fn a_link_dies_after_its_ten_minutes() {
    let mut scene = scene();
    let facts = presented(&scene, verified_ann());
    scene.wait(599);
    opened(judge(&mut scene, facts.clone()));
    scene.wait(1);
    assert_void(&mut scene, facts);
}

#[test]
fn a_limit_refuses_before_a_link_is_judged() {
    let mut scene = scene();
    let facts = LinkPresented {
        verdict: NO,
        ..presented(&scene, verified_ann())
    };
    assert_refused(judge(&mut scene, facts), &limited(), &[LIMIT]);
}

#[test]
fn a_link_is_one_factor_and_a_second_one_is_due_as_ever() {
    let mut scene = scene();
    let user = User {
        email_verified: true,
        ..ann_with_factor()
    };
    let facts = presented(&scene, user.clone());
    assert_eq!(facts.waits(&scene.cx()), Waits::WithCode);
    let (requested, effects) = awaiting(judge(&mut scene, facts));
    assert_eq!(
        story(&effects),
        ["spend", "put flow", "send sms", "give back", "code.sent"]
    );
    assert_eq!(requested.methods, [FactorKind::Sms]);
    let FlowBody::PendingLogin(login) = &kept(&effects).body else {
        panic!("another flow")
    };
    assert_eq!(login.first, Factor::Email);
    let completed = CodeTyped {
        pending: Some(kept(&effects).clone()),
        user: Some(user),
        typed: Typed {
            kind: FactorKind::Sms,
            text: Secret::new(texted(&effects).0),
            apps: Vec::new(),
        },
        verdict: Verdict::Allowed,
        tries_left: Verdict::Allowed,
        taken: taken(),
        trust_device: false,
    };
    let event = LoginEvent::CodeTyped(Box::new(completed));
    let (token, _) = opened(step(Login::Start, event, &mut scene.cx()));
    assert_eq!(proven_in(&token.session), ["email", "sms"]);
    assert_eq!(token.session.life, hour());
}

#[test]
fn where_a_factor_is_required_and_no_code_can_be_sent_the_link_is_not_spent() {
    let mut scene = scene();
    scene.pool.second_factor = SecondFactor::Required;
    scene.pool.factor_kinds = [FactorKind::Sms].into();
    let facts = presented(&scene, verified_ann());
    assert_refused(judge(&mut scene, facts), &Denial::PhoneRequired, &["give back"]);
    let busy = LinkPresented {
        sending: Sending {
            verdict: NO,
            ..sending()
        },
        ..presented(
            &scene,
            User {
                email_verified: true,
                ..ann_with_factor()
            },
        )
    };
    assert_refused(judge(&mut scene, busy), &limited(), &[LIMIT, "give back"]);
}

#[test]
fn a_link_is_presented_at_the_start_or_not_at_all() {
    let mut scene = scene();
    let facts = presented(&scene, verified_ann());
    let (token, _) = opened(judge(&mut scene, facts.clone()));
    let event = LoginEvent::LinkPresented(Box::new(facts));
    let state = Login::Opened(Box::new(token));
    assert_refused(step(state, event, &mut scene.cx()), &Denial::Unexpected, &[]);
}
