//! "Prove an address, prove a number".

use domain::credential::SmsCode;
use domain::error::Denial;
use domain::flow::verify_contact::{VerifyContact, VerifyContactEvent, step, would_send_mail};
use domain::flow::{Advanced, Effect, Step};
use domain::flow_record::{FlowBody, FlowKind, FlowRecord};
use domain::id::UserId;
use domain::limits::Verdict;
use domain::secret::{Secret, Token};
use domain::time::Lifetime;
use domain::user::{Email, Phone, User};

use crate::support::{
    LIMIT, NO, NUMBER, Scene, ann, ann_with_factor, assert_refused, bob, committed, kept, limited,
    mailed_link, story, texted,
};

fn ask_email(scene: &mut Scene, user: Option<User>, mail: Verdict) -> Vec<Effect> {
    let event = VerifyContactEvent::EmailAsked {
        user: user.map(Box::new),
        mail,
    };
    match step(event, &mut scene.cx()) {
        Ok(Advanced {
            next: VerifyContact::Sent,
            effects,
        }) => effects,
        other => panic!("the answer is the same for everybody: {other:?}"),
    }
}

#[test]
fn a_verification_mail_goes_to_an_unverified_address() {
    let mut scene = Scene::new();
    let effects = ask_email(&mut scene, Some(ann()), Verdict::Allowed);
    assert_eq!(
        story(&effects),
        ["drop flows", "put flow", "send mail", "email.verification_sent"]
    );
    assert_eq!(
        effects[0],
        Effect::DropFlows(ann().key, FlowKind::ConfirmEmail),
        "a newer link voids the older"
    );
    let (path, token) = mailed_link(&effects)
        .split_once("token=")
        .expect("a link with a token");
    assert_eq!(path, "https://login.example/verify?pool=Users&uid=ann&");
    let record = kept(&effects);
    assert_eq!(record.id, Token::presented(token).hash());
    assert_eq!(record.expires, scene.now.plus(scene.pool.verify_token_ttl));
}

#[test]
fn nothing_is_sent_to_nobody_to_the_verified_or_beyond_the_budget() {
    let verified = User {
        email_verified: true,
        ..ann()
    };
    let silent = [
        (None, Verdict::Allowed),
        (Some(verified), Verdict::Allowed),
        (Some(ann()), NO),
        (Some(User { email: None, ..ann() }), Verdict::Allowed),
    ];
    for (user, mail) in silent {
        assert!(ask_email(&mut Scene::new(), user, mail).is_empty());
    }
}

#[test]
fn only_who_would_get_a_mail_has_a_budget_at_stake() {
    let verified = User {
        email_verified: true,
        ..ann()
    };
    assert!(would_send_mail(&ann()));
    assert!(!would_send_mail(&verified));
    assert!(!would_send_mail(&User { email: None, ..ann() }));
}

fn link(scene: &Scene, user: &User, address: &str) -> FlowRecord {
    let body = FlowBody::ConfirmEmail {
        address: address.to_owned(),
    };
    scene.record(user, "link", scene.pool.verify_token_ttl, body)
}

fn confirm_email(
    scene: &mut Scene,
    flow: Option<FlowRecord>,
    uid: &str,
    user: Option<User>,
    verdict: Verdict,
) -> Step<VerifyContact> {
    let event = VerifyContactEvent::EmailConfirmed {
        flow: flow.map(Box::new),
        uid: UserId::new(uid),
        user: user.map(Box::new),
        verdict,
    };
    step(event, &mut scene.cx())
}

fn proven(step: Step<VerifyContact>) -> (User, Vec<Effect>) {
    match step {
        Ok(Advanced {
            next: VerifyContact::Proven(user),
            effects,
        }) => (*user, effects),
        other => panic!("not proven: {other:?}"),
    }
}

#[test]
fn the_mailed_token_verifies_the_address_and_is_spent() {
    let mut scene = Scene::new();
    let flow = link(&scene, &ann(), "ann@example.com");
    let step = confirm_email(
        &mut scene,
        Some(flow.clone()),
        "ann",
        Some(ann()),
        Verdict::Allowed,
    );
    let (user, effects) = proven(step);
    assert_eq!(story(&effects), ["commit", "spend", "email.verified"]);
    assert_eq!(effects[1], Effect::Spend(flow.id));
    assert!(user.email_verified && committed(&effects).email_verified);
    assert_eq!(
        user.session_epoch,
        ann().session_epoch,
        "nobody is logged out by it"
    );
}

#[test]
fn whatever_is_wrong_with_a_token_the_answer_is_the_same() {
    let mut scene = Scene::new();
    let good = link(&scene, &ann(), "ann@example.com");
    let moved = User {
        email: Email::parse("other@example.com", false),
        ..ann()
    };
    let verified = User {
        email_verified: true,
        ..ann()
    };
    let reset = FlowBody::ResetPassword {
        epoch: ann().session_epoch,
    };
    let reset = scene.record(&ann(), "link", scene.pool.verify_token_ttl, reset);
    let wrong = [
        (None, "ann", Some(ann())),
        (Some(good.clone()), "ann", None),
        (Some(good.clone()), "bob", Some(ann())),
        (Some(good.clone()), "bob", Some(bob())),
        (Some(good.clone()), "ann", Some(moved)),
        (Some(good.clone()), "ann", Some(verified)),
        (Some(good.clone()), "ann", Some(User { email: None, ..ann() })),
        (Some(reset), "ann", Some(ann())),
    ];
    for (flow, uid, user) in wrong {
        let step = confirm_email(&mut scene, flow, uid, user, Verdict::Allowed);
        assert_refused(step, &Denial::TokenRefused, &["token.refused"]);
    }
    scene.wait(86_400);
    let late = confirm_email(&mut scene, Some(good), "ann", Some(ann()), Verdict::Allowed);
    assert_refused(late, &Denial::TokenRefused, &["token.refused"]);
}

#[test]
fn a_limit_refuses_before_a_token_is_judged() {
    let mut scene = Scene::new();
    let flow = link(&scene, &ann(), "ann@example.com");
    assert_refused(
        confirm_email(&mut scene, Some(flow), "ann", Some(ann()), NO),
        &limited(),
        &[LIMIT],
    );
}

fn with_number() -> User {
    User {
        phone: Phone::parse(NUMBER),
        ..ann()
    }
}

fn ask_phone(scene: &mut Scene, user: User, send: Verdict) -> Step<VerifyContact> {
    let event = VerifyContactEvent::PhoneAsked {
        user: Box::new(user),
        send,
    };
    step(event, &mut scene.cx())
}

#[test]
fn a_code_goes_to_the_given_number_under_a_token_of_its_own() {
    let mut scene = Scene::new();
    let Ok(Advanced {
        next: VerifyContact::CodeSent(token),
        effects,
    }) = ask_phone(&mut scene, with_number(), Verdict::Allowed)
    else {
        panic!("no code sent")
    };
    assert_eq!(
        story(&effects),
        ["drop flows", "put flow", "send sms", "code.sent"]
    );
    assert_eq!(effects[0], Effect::DropFlows(ann().key, FlowKind::ConfirmPhone));
    let (digits, to) = texted(&effects);
    assert_eq!(to, Some(NUMBER));
    let record = kept(&effects);
    assert_eq!(record.id, token.hash());
    let FlowBody::ConfirmPhone { phone, code } = &record.body else {
        panic!("{record:?}")
    };
    assert_eq!(phone.as_str(), NUMBER);
    assert!(code.accepts(digits, &record.id, scene.now, &scene.key));
    assert_eq!(code.expires(), scene.now.plus(scene.pool.code_life));
}

#[test]
fn there_is_nothing_to_confirm_without_a_new_number() {
    for user in [ann(), ann_with_factor()] {
        assert_refused(
            ask_phone(&mut Scene::new(), user, Verdict::Allowed),
            &Denial::PhoneRequired,
            &[],
        );
    }
}

#[test]
fn a_limit_on_messages_holds_for_numbers_too() {
    assert_refused(
        ask_phone(&mut Scene::new(), with_number(), NO),
        &limited(),
        &[LIMIT],
    );
}

fn sent(scene: &mut Scene, user: &User) -> (FlowRecord, Secret) {
    let id = Token::presented("phone").hash();
    let (code, digits) = SmsCode::draw(
        &id,
        scene.pool.code_life,
        scene.now,
        &scene.key,
        &mut scene.entropy,
    );
    let phone = user.phone.clone().expect("a number was given");
    let body = FlowBody::ConfirmPhone { phone, code };
    (
        scene.record(user, "phone", Lifetime::from_secs(600), body),
        digits,
    )
}

struct Typed {
    flow: Option<FlowRecord>,
    user: User,
    digits: Secret,
    verdict: Verdict,
    tries_left: Verdict,
}

fn typed(flow: Option<FlowRecord>, user: User, digits: &Secret) -> Typed {
    Typed {
        flow,
        user,
        digits: digits.clone(),
        verdict: Verdict::Allowed,
        tries_left: Verdict::Allowed,
    }
}

fn confirm_phone(scene: &mut Scene, typed: Typed) -> Step<VerifyContact> {
    let event = VerifyContactEvent::PhoneCodeTyped {
        flow: typed.flow.map(Box::new),
        user: Box::new(typed.user),
        typed: typed.digits,
        verdict: typed.verdict,
        tries_left: typed.tries_left,
    };
    step(event, &mut scene.cx())
}

#[test]
fn the_code_that_came_back_makes_its_number_the_second_factor() {
    let mut scene = Scene::new();
    let (flow, digits) = sent(&mut scene, &with_number());
    let (user, effects) = proven(confirm_phone(
        &mut scene,
        typed(Some(flow.clone()), with_number(), &digits),
    ));
    assert_eq!(story(&effects), ["commit", "spend", "phone.confirmed"]);
    assert_eq!(effects[1], Effect::Spend(flow.id));
    assert!(user.phone_is_confirmed());
}

#[test]
fn a_new_number_replaces_the_factor_only_once_it_is_confirmed() {
    let mut scene = Scene::new();
    let moving = User {
        phone: Phone::parse("+491709999999"),
        ..ann_with_factor()
    };
    assert_eq!(moving.code_phone().map(Phone::as_str), Some(NUMBER));
    let (flow, digits) = sent(&mut scene, &moving);
    let (user, _) = proven(confirm_phone(&mut scene, typed(Some(flow), moving, &digits)));
    assert_eq!(user.code_phone().map(Phone::as_str), Some("+491709999999"));
}

#[test]
fn whatever_is_wrong_with_a_number_code_the_answer_is_the_same() {
    let mut scene = Scene::new();
    let (flow, digits) = sent(&mut scene, &with_number());
    let moved = User {
        phone: Phone::parse("+491709999999"),
        ..ann()
    };
    let (login, login_digits) = scene.pending(&with_number(), "phone");
    let used_up = Typed {
        tries_left: NO,
        ..typed(Some(flow.clone()), with_number(), &digits)
    };
    let wrong = [
        typed(None, with_number(), &digits),
        typed(Some(flow.clone()), with_number(), &Secret::new("000000")),
        typed(Some(flow.clone()), moved, &digits),
        typed(Some(flow.clone()), ann(), &digits),
        typed(
            Some(flow.clone()),
            User {
                phone: Phone::parse(NUMBER),
                ..bob()
            },
            &digits,
        ),
        typed(Some(login), with_number(), &login_digits),
        used_up,
    ];
    for facts in wrong {
        assert_refused(
            confirm_phone(&mut scene, facts),
            &Denial::TokenRefused,
            &["code.failed"],
        );
    }
    scene.wait(60);
    let late = confirm_phone(&mut scene, typed(Some(flow), with_number(), &digits));
    assert_refused(late, &Denial::TokenRefused, &["code.failed"]);
}

#[test]
fn a_limit_refuses_before_a_number_code_is_judged() {
    let mut scene = Scene::new();
    let (flow, digits) = sent(&mut scene, &with_number());
    let facts = Typed {
        verdict: NO,
        ..typed(Some(flow), with_number(), &digits)
    };
    assert_refused(confirm_phone(&mut scene, facts), &limited(), &[LIMIT]);
}
