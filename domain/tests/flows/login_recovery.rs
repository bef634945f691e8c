//! "Log in with a recovery code".

use domain::error::Denial;
use domain::flow::Effect;
use domain::flow::login::CodeTyped;
use domain::flow::second_factor::Typed;
use domain::flow_record::FlowRecord;
use domain::message::{MailKind, Notice};
use domain::policy::SecondFactor;
use domain::secret::Secret;
use domain::user::{FactorKind, Phone, User};

use crate::support::{
    NUMBER, Scene, ann, ann_with_app, ann_with_factor, ann_with_passkey, assert_limits_hold, assert_refused,
    bob, committed, detail, judge_code, later_epoch, mailed, opened, proven_in, refusal, story, typed_as,
    with_codes, with_factors,
};

const FAILED: &[&str] = &["code.failed"];

fn typed(pending: Option<FlowRecord>, user: Option<User>, text: &Secret) -> CodeTyped {
    typed_as(FactorKind::Recovery, pending, user, text)
}

#[test]
fn a_recovery_code_opens_once_and_its_owner_is_told() {
    let mut scene = Scene::new();
    let (user, codes) = with_codes(ann_with_factor());
    let (flow, _) = scene.pending(&user, "flow");
    let (token, effects) = opened(judge_code(&mut scene, typed(Some(flow), Some(user), &codes[4])));
    assert_eq!(
        story(&effects),
        [
            "commit",
            "spend",
            "factor.recovery_code_used",
            "send mail",
            "open session",
            "give back",
            "login.succeeded"
        ]
    );
    assert_eq!(committed(&effects).factors.recovery_codes_left(), 9);
    assert_eq!(
        mailed(&effects),
        (
            "ann@example.com",
            &MailKind::Notice(Notice::RecoveryCodeUsed { left: 9 })
        )
    );
    assert_eq!(proven_in(&token.session), ["pwd", "recovery"]);
    assert_eq!(detail(&effects), Some("pwd+recovery"));
    let left = effects.iter().find_map(|effect| match effect {
        Effect::Audit(event) if event.kind.name() == "factor.recovery_code_used" => event.detail.as_deref(),
        _ => None,
    });
    assert_eq!(left, Some("9 left"));
    let flow = scene.waiting(&token.user, "next");
    let again = typed(Some(flow.clone()), Some(token.user.clone()), &codes[4]);
    assert_refused(judge_code(&mut scene, again), &Denial::LoginFailed, FAILED);
    opened(judge_code(
        &mut scene,
        typed(Some(flow), Some(token.user), &codes[5]),
    ));
}

#[test]
fn no_mail_is_sent_where_a_pool_sends_none() {
    let mut scene = Scene::with(|pool| pool.notices = false);
    let (user, codes) = with_codes(ann_with_app());
    let flow = scene.waiting(&user, "flow");
    let (_, effects) = opened(judge_code(&mut scene, typed(Some(flow), Some(user), &codes[0])));
    assert_eq!(
        story(&effects),
        [
            "commit",
            "spend",
            "factor.recovery_code_used",
            "open session",
            "give back",
            "login.succeeded"
        ]
    );
}

#[test]
fn a_recovery_code_stands_in_for_every_kind_of_second_factor() {
    for owner in [ann_with_factor(), ann_with_app(), ann_with_passkey()] {
        let mut scene = Scene::new();
        let (user, codes) = with_codes(owner);
        let flow = scene.waiting(&user, "flow");
        opened(judge_code(&mut scene, typed(Some(flow), Some(user), &codes[9])));
    }
}

#[test]
fn without_a_factor_there_is_nothing_a_recovery_code_stands_in_for() {
    let mut scene = Scene::with(|pool| pool.second_factor = SecondFactor::Required);
    let (user, codes) = with_codes(User {
        phone: Phone::parse(NUMBER),
        ..ann()
    });
    let (flow, digits) = scene.pending(&user, "flow");
    let refused = refusal(judge_code(
        &mut scene,
        typed(Some(flow.clone()), Some(user.clone()), &codes[0]),
    ));
    assert_eq!(refused.denial, Denial::LoginFailed);
    assert_eq!(story(&refused.effects), FAILED);
    assert_eq!(detail(&refused.effects), Some("recovery"));
    let facts = typed(Some(flow), Some(user), &digits);
    let by_message = CodeTyped {
        typed: Typed {
            kind: FactorKind::Sms,
            ..facts.typed
        },
        ..facts
    };
    opened(judge_code(&mut scene, by_message));
}

#[test]
fn whatever_is_wrong_with_a_recovery_code_the_answer_is_the_same() {
    let mut scene = Scene::new();
    let (user, codes) = with_codes(ann_with_app());
    let flow = scene.waiting(&user, "flow");
    let none = with_factors(user.clone(), |factors| factors.recovery = None);
    let long = Secret::new(format!("{}0", codes[0].expose()));
    let short = Secret::new(&codes[0].expose()[1..]);
    let other = Secret::new("000000-000000-000000-000000");
    let wrong = [
        typed(Some(flow.clone()), Some(user.clone()), &other),
        typed(Some(flow.clone()), Some(user.clone()), &long),
        typed(Some(flow.clone()), Some(user.clone()), &short),
        typed(Some(flow.clone()), Some(user.clone()), &Secret::new("")),
        typed(Some(flow.clone()), Some(none), &codes[0]),
        typed(Some(flow.clone()), Some(bob()), &codes[0]),
        typed(Some(flow.clone()), Some(later_epoch(&user)), &codes[0]),
        typed(Some(flow), None, &codes[0]),
        typed(None, Some(user), &codes[0]),
    ];
    for facts in wrong {
        assert_refused(judge_code(&mut scene, facts), &Denial::LoginFailed, FAILED);
    }
}

#[test]
fn a_recovery_code_is_taken_as_people_write_it_and_only_as_what_it_is() {
    let mut scene = Scene::new();
    let (user, codes) = with_codes(ann_with_app());
    let flow = scene.waiting(&user, "flow");
    let handwritten = Secret::new(codes[2].expose().to_lowercase().replace('-', " "));
    for kind in [FactorKind::Sms, FactorKind::Totp, FactorKind::Passkey] {
        let facts = typed(Some(flow.clone()), Some(user.clone()), &codes[2]);
        let named = CodeTyped {
            typed: Typed { kind, ..facts.typed },
            ..facts
        };
        assert_refused(judge_code(&mut scene, named), &Denial::LoginFailed, FAILED);
    }
    opened(judge_code(
        &mut scene,
        typed(Some(flow), Some(user), &handwritten),
    ));
}

#[test]
fn the_last_code_of_a_set_opens_and_leaves_the_method_behind() {
    let mut scene = Scene::new();
    let (user, codes) = with_codes(ann_with_app());
    let user = with_factors(user, |factors| {
        let recovery = factors.recovery.as_mut().expect("codes");
        recovery.left.truncate(1);
    });
    assert_eq!(user.second_factors(), [FactorKind::Totp, FactorKind::Recovery]);
    let flow = scene.waiting(&user, "flow");
    let (token, effects) = opened(judge_code(&mut scene, typed(Some(flow), Some(user), &codes[0])));
    assert_eq!(
        mailed(&effects).1,
        &MailKind::Notice(Notice::RecoveryCodeUsed { left: 0 })
    );
    assert_eq!(token.user.second_factors(), [FactorKind::Totp]);
}

#[test]
fn a_recovery_code_confirms_no_number() {
    let mut scene = Scene::new();
    let (user, codes) = with_codes(User {
        phone: Phone::parse(NUMBER),
        ..ann_with_app()
    });
    let (flow, _) = scene.pending(&user, "flow");
    let (token, _) = opened(judge_code(&mut scene, typed(Some(flow), Some(user), &codes[0])));
    assert_eq!(token.user.factor_phone, None);
}

#[test]
fn limits_hold_for_recovery_codes() {
    let mut scene = Scene::new();
    let (user, codes) = with_codes(ann_with_app());
    let flow = scene.waiting(&user, "flow");
    let facts = typed(Some(flow), Some(user), &codes[0]);
    assert_limits_hold(&mut scene, facts);
}

#[test]
fn a_recovery_code_dies_with_its_pending_login() {
    let mut scene = Scene::new();
    let (user, codes) = with_codes(ann_with_app());
    let flow = scene.waiting(&user, "flow");
    scene.wait(600);
    let facts = typed(Some(flow), Some(user), &codes[0]);
    assert_refused(judge_code(&mut scene, facts), &Denial::LoginFailed, FAILED);
}
