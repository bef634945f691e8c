//! "Log in with a code by text message".

use domain::error::Denial;
use domain::flow::login::{CodeAskedAgain, CodeTyped, Login, LoginEvent, step};
use domain::flow::{Advanced, Effect, Step};
use domain::flow_record::{FlowBody, FlowRecord};
use domain::limits::Verdict;
use domain::secret::Secret;
use domain::user::{FactorKind, Phone, User};

use crate::support::{
    LIMIT, NO, NUMBER, Scene, ann, ann_with_factor, assert_refused, bob, committed, elsewhere, hour,
    judge_code, kept, limited, opened, story, texted, typed_as,
};

fn typed(pending: Option<FlowRecord>, user: Option<User>, digits: &Secret) -> CodeTyped {
    typed_as(FactorKind::Sms, pending, user, digits)
}

const FAILED: &[&str] = &["code.failed"];

#[test]
fn a_right_code_spends_its_pending_login_and_opens_the_session_it_announced() {
    let mut scene = Scene::new();
    let user = ann_with_factor();
    let (flow, digits) = scene.pending(&user, "flow");
    let (token, effects) = opened(judge_code(
        &mut scene,
        typed(Some(flow.clone()), Some(user), &digits),
    ));
    assert_eq!(
        story(&effects),
        ["spend", "open session", "give back", "login.succeeded"]
    );
    assert_eq!(effects[0], Effect::Spend(flow.id));
    assert_eq!(token.session.id.as_str(), "session-of-flow");
    assert_eq!(token.session.life, hour());
    let factors: Vec<&str> = token.session.factors.iter().map(|factor| factor.name()).collect();
    assert_eq!(factors, ["pwd", "sms"]);
}

#[test]
fn whatever_is_wrong_with_a_code_the_answer_is_the_same() {
    let mut scene = Scene::new();
    let user = ann_with_factor();
    let (flow, digits) = scene.pending(&user, "flow");
    let (other, others) = scene.pending(&user, "other");
    let blank = Secret::new(format!("{} ", digits.expose()));
    let voided = User {
        session_epoch: domain::user::SessionEpoch::new(5),
        ..user.clone()
    };
    let confirmation = scene.record(
        &user,
        "flow",
        scene.pool.code_life,
        FlowBody::ResetPassword {
            epoch: user.session_epoch,
        },
    );
    let wrong = [
        typed(Some(flow.clone()), Some(user.clone()), &Secret::new("000000")),
        typed(Some(flow.clone()), Some(user.clone()), &Secret::new("")),
        typed(Some(flow.clone()), Some(user.clone()), &blank),
        typed(Some(flow.clone()), Some(user.clone()), &others),
        typed(Some(other), Some(user.clone()), &digits),
        typed(Some(flow.clone()), Some(bob()), &digits),
        typed(Some(flow.clone()), Some(voided), &digits),
        typed(Some(flow), None, &digits),
        typed(Some(confirmation), Some(user.clone()), &digits),
        typed(None, Some(user), &digits),
        typed(None, None, &digits),
    ];
    for facts in wrong {
        assert_refused(judge_code(&mut scene, facts), &Denial::LoginFailed, FAILED);
    }
}

#[test]
fn a_code_dies_after_its_minute_and_not_before() {
    let mut scene = Scene::new();
    let user = ann_with_factor();
    let (flow, digits) = scene.pending(&user, "flow");
    scene.wait(59);
    opened(judge_code(
        &mut scene,
        typed(Some(flow.clone()), Some(user.clone()), &digits),
    ));
    scene.wait(1);
    assert_refused(
        judge_code(&mut scene, typed(Some(flow), Some(user), &digits)),
        &Denial::LoginFailed,
        FAILED,
    );
}

#[test]
fn a_pending_login_dies_after_its_ten_minutes_whatever_its_code() {
    let mut scene = Scene::with(|pool| pool.code_life = domain::time::Lifetime::from_secs(3600));
    let user = ann_with_factor();
    let (flow, digits) = scene.pending(&user, "flow");
    scene.wait(600);
    assert_refused(
        judge_code(&mut scene, typed(Some(flow), Some(user), &digits)),
        &Denial::LoginFailed,
        FAILED,
    );
}

#[test]
fn a_right_code_is_refused_once_its_tries_are_used_up() {
    let mut scene = Scene::new();
    let user = ann_with_factor();
    let (flow, digits) = scene.pending(&user, "flow");
    let facts = CodeTyped {
        tries_left: NO,
        ..typed(Some(flow), Some(user), &digits)
    };
    assert_refused(judge_code(&mut scene, facts), &Denial::LoginFailed, FAILED);
}

#[test]
fn a_limit_refuses_before_a_code_is_judged() {
    let mut scene = Scene::new();
    let user = ann_with_factor();
    let (flow, digits) = scene.pending(&user, "flow");
    let facts = CodeTyped {
        verdict: NO,
        ..typed(Some(flow), Some(user), &digits)
    };
    assert_refused(judge_code(&mut scene, facts), &limited(), &[LIMIT]);
}

#[test]
fn the_first_code_that_comes_back_proves_its_number() {
    let mut scene = Scene::new();
    let user = User {
        phone: Phone::parse(NUMBER),
        ..ann()
    };
    let (flow, digits) = scene.pending(&user, "flow");
    let (token, effects) = opened(judge_code(&mut scene, typed(Some(flow), Some(user), &digits)));
    assert_eq!(
        story(&effects),
        [
            "commit",
            "spend",
            "phone.confirmed",
            "open session",
            "give back",
            "login.succeeded"
        ]
    );
    assert_eq!(committed(&effects).factor_phone, Phone::parse(NUMBER));
    assert!(token.user.phone_is_confirmed());
}

#[test]
fn a_code_proves_no_number_but_the_one_it_went_to() {
    let mut scene = Scene::new();
    let user = User {
        phone: Phone::parse(NUMBER),
        ..ann()
    };
    let (flow, digits) = scene.pending(&user, "flow");
    let moved = User {
        phone: Phone::parse("+491709999999"),
        ..user
    };
    let (token, effects) = opened(judge_code(&mut scene, typed(Some(flow), Some(moved), &digits)));
    assert!(token.user.factor_phone.is_none());
    assert_eq!(story(&effects)[0], "spend");
}

#[test]
fn a_code_on_the_console_proves_no_number() {
    let mut scene = Scene::new();
    let (flow, digits) = scene.pending(&ann(), "flow");
    let (token, effects) = opened(judge_code(&mut scene, typed(Some(flow), Some(ann()), &digits)));
    assert!(token.user.factor_phone.is_none());
    assert_eq!(story(&effects)[0], "spend");
}

fn again(scene: &mut Scene, pending: Option<FlowRecord>, user: Option<User>, send: Verdict) -> Step<Login> {
    let facts = CodeAskedAgain {
        pending,
        user,
        send,
        reaches_without_number: false,
    };
    step(
        Login::Start,
        LoginEvent::CodeAskedAgain(Box::new(facts)),
        &mut scene.cx(),
    )
}

#[test]
fn a_code_sent_again_voids_the_former_and_hands_out_no_second_challenge() {
    let mut scene = Scene::new();
    let user = ann_with_factor();
    let (flow, former) = scene.pending(&user, "flow");
    scene.wait(30);
    let Ok(Advanced {
        next: Login::AwaitingCode(requested),
        effects,
    }) = again(
        &mut scene,
        Some(flow.clone()),
        Some(user.clone()),
        Verdict::Allowed,
    )
    else {
        panic!("no code awaited")
    };
    assert_eq!(story(&effects), ["replace flow", "send sms", "code.sent"]);
    assert!(requested.challenge.is_none());
    assert_eq!(requested.sent_to.as_deref(), Some("•••• 67"));
    let next = kept(&effects).clone();
    assert_eq!(
        (next.id, next.created, next.expires),
        (flow.id, flow.created, flow.expires)
    );
    let newer = Secret::new(texted(&effects).0);
    assert_refused(
        judge_code(&mut scene, typed(Some(next.clone()), Some(user.clone()), &former)),
        &Denial::LoginFailed,
        FAILED,
    );
    opened(judge_code(&mut scene, typed(Some(next), Some(user), &newer)));
}

#[test]
fn a_new_code_lives_a_minute_of_its_own() {
    let mut scene = Scene::new();
    let user = ann_with_factor();
    let (flow, _) = scene.pending(&user, "flow");
    scene.wait(120);
    let advanced =
        again(&mut scene, Some(flow), Some(user.clone()), Verdict::Allowed).expect("still pending");
    let (next, newer) = (
        kept(&advanced.effects).clone(),
        Secret::new(texted(&advanced.effects).0),
    );
    scene.wait(59);
    opened(judge_code(&mut scene, typed(Some(next), Some(user), &newer)));
}

#[test]
fn no_code_is_sent_again_for_what_is_void() {
    let mut scene = Scene::new();
    let user = ann_with_factor();
    let (flow, _) = scene.pending(&user, "flow");
    let voided = User {
        session_epoch: domain::user::SessionEpoch::new(9),
        ..user.clone()
    };
    let void = [
        (None, Some(user.clone())),
        (Some(flow.clone()), None),
        (Some(flow.clone()), Some(bob())),
        (Some(flow.clone()), Some(voided)),
    ];
    for (pending, user) in void {
        assert_refused(
            again(&mut scene, pending, user, Verdict::Allowed),
            &Denial::LoginFailed,
            &[],
        );
    }
    scene.wait(600);
    assert_refused(
        again(&mut scene, Some(flow), Some(user), Verdict::Allowed),
        &Denial::LoginFailed,
        &[],
    );
}

#[test]
fn a_limit_on_messages_holds_for_codes_sent_again() {
    let mut scene = Scene::new();
    let user = ann_with_factor();
    let (flow, _) = scene.pending(&user, "flow");
    assert_refused(
        again(&mut scene, Some(flow), Some(user), NO),
        &limited(),
        &[LIMIT],
    );
}

#[test]
fn a_code_may_come_from_another_place_than_its_password() {
    let mut scene = Scene::new();
    let user = ann_with_factor();
    let (flow, digits) = scene.pending(&user, "flow");
    scene.origin.address = elsewhere();
    opened(judge_code(&mut scene, typed(Some(flow), Some(user), &digits)));
}

#[test]
fn a_code_is_typed_at_the_start_or_not_at_all() {
    let mut scene = Scene::new();
    let user = ann_with_factor();
    let (flow, digits) = scene.pending(&user, "flow");
    let (token, _) = opened(judge_code(
        &mut scene,
        typed(Some(flow.clone()), Some(user.clone()), &digits),
    ));
    let event = LoginEvent::CodeTyped(Box::new(typed(Some(flow), Some(user), &digits)));
    let state = Login::Opened(Box::new(token));
    assert_refused(step(state, event, &mut scene.cx()), &Denial::Unexpected, &[]);
}
