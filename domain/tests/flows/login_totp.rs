//! "Log in with a code of an authenticator app".

use domain::error::Denial;
use domain::flow::login::pending::{Reach, Waits, ways_of};
use domain::flow::login::{
    CodeAskedAgain, CodeTyped, Identified, Login, LoginEvent, Sending, Terms, Wanted, step,
};
use domain::flow::second_factor::{Typed, kind_of};
use domain::flow_record::{FlowBody, FlowRecord};
use domain::id::FactorId;
use domain::limits::Verdict;
use domain::policy::SecondFactor;
use domain::secret::Secret;
use domain::user::{FactorKind, Phone, User};

use crate::support::{
    APP_SECRET, NUMBER, OTHER_SECRET, Scene, ann, ann_with_app, ann_with_factor, ann_with_passkey, app,
    app_secret, assert_limits_hold, assert_refused, awaiting, bob, by_password, committed, detail, hour,
    judge_code, kept, later_epoch, opened, proven_in, refusal, sending, shown, story, taken, texted,
    totp_step, typed_as, with_codes, with_factors,
};

const FAILED: &[&str] = &["code.failed"];

/// Ann with an app and a confirmed number.
fn ann_with_both() -> User {
    User {
        phone: Phone::parse(NUMBER),
        factor_phone: Phone::parse(NUMBER),
        ..ann_with_app()
    }
}

fn typed(pending: Option<FlowRecord>, user: Option<User>, digits: &Secret) -> CodeTyped {
    typed_as(FactorKind::Totp, pending, user, digits)
}

#[test]
fn a_right_code_opens_the_session_and_uses_its_step_up_in_the_same_commit() {
    let mut scene = Scene::new();
    let user = ann_with_app();
    let flow = scene.waiting(&user, "flow");
    let code = shown(APP_SECRET, scene.now);
    let (token, effects) = opened(judge_code(&mut scene, typed(Some(flow), Some(user), &code)));
    assert_eq!(
        story(&effects),
        ["commit", "spend", "open session", "give back", "login.succeeded"]
    );
    let kept = &committed(&effects).factors.totp[0];
    assert_eq!(kept.last_step, totp_step(scene.now));
    assert_eq!(kept.last_used, Some(scene.now));
    assert_eq!(token.user, *committed(&effects));
    assert_eq!(token.session.id.as_str(), "session-of-flow");
    assert_eq!(token.session.life, hour());
    assert_eq!(proven_in(&token.session), ["pwd", "otp"]);
    assert_eq!(token.session.proven, scene.now);
    assert_eq!(detail(&effects), Some("pwd+otp"));
    assert!(token.refresh.is_none() && token.device.is_none());
}

#[test]
fn whatever_is_wrong_with_a_code_the_answer_is_the_same() {
    let mut scene = Scene::new();
    let user = ann_with_app();
    let flow = scene.waiting(&user, "flow");
    let code = shown(APP_SECRET, scene.now);
    let none_at_hand = |facts: CodeTyped| CodeTyped {
        typed: Typed {
            apps: Vec::new(),
            ..facts.typed.clone()
        },
        ..facts
    };
    let removed = with_factors(user.clone(), |factors| factors.totp.clear());
    let reset = scene.record(
        &user,
        "flow",
        scene.pool.pending_login_life,
        FlowBody::ResetPassword {
            epoch: user.session_epoch,
        },
    );
    let wrong = [
        typed(Some(flow.clone()), Some(user.clone()), &Secret::new("000000")),
        typed(Some(flow.clone()), Some(user.clone()), &Secret::new("")),
        typed(
            Some(flow.clone()),
            Some(user.clone()),
            &shown(OTHER_SECRET, scene.now),
        ),
        none_at_hand(typed(Some(flow.clone()), Some(user.clone()), &code)),
        typed(Some(flow.clone()), Some(removed), &code),
        typed(Some(flow.clone()), Some(bob()), &code),
        typed(Some(flow.clone()), Some(later_epoch(&user)), &code),
        typed(Some(flow), None, &code),
        typed(Some(reset), Some(user.clone()), &code),
        typed(None, Some(user), &code),
        typed(None, None, &code),
    ];
    for facts in wrong {
        let refused = refusal(judge_code(&mut scene, facts));
        assert_eq!(refused.denial, Denial::LoginFailed);
        assert_eq!(story(&refused.effects), FAILED);
        assert_eq!(detail(&refused.effects), Some("totp"));
    }
}

#[test]
fn a_used_step_and_every_older_one_are_void() {
    let mut scene = Scene::new();
    let flow = scene.waiting(&ann_with_app(), "flow");
    let code = shown(APP_SECRET, scene.now);
    for (last_step, opens) in [
        (totp_step(scene.now) - 1, true),
        (totp_step(scene.now), false),
        (totp_step(scene.now) + 1, false),
    ] {
        let user = with_factors(ann_with_app(), |factors| factors.totp[0].last_step = last_step);
        let step = judge_code(&mut scene, typed(Some(flow.clone()), Some(user), &code));
        assert_eq!(step.is_ok(), opens, "{last_step}");
    }
}

#[test]
fn a_code_that_opened_one_login_opens_no_other() {
    let mut scene = Scene::new();
    let user = ann_with_app();
    let (first, second) = (scene.waiting(&user, "first"), scene.waiting(&user, "second"));
    let code = shown(APP_SECRET, scene.now);
    let (token, _) = opened(judge_code(&mut scene, typed(Some(first), Some(user), &code)));
    let again = typed(Some(second.clone()), Some(token.user.clone()), &code);
    assert_refused(judge_code(&mut scene, again), &Denial::LoginFailed, FAILED);
    scene.wait(30);
    let newer = shown(APP_SECRET, scene.now);
    opened(judge_code(
        &mut scene,
        typed(Some(second), Some(token.user), &newer),
    ));
}

#[test]
fn a_clock_may_be_off_by_one_step_and_not_by_two() {
    let mut scene = Scene::new();
    let user = ann_with_app();
    let code = shown(APP_SECRET, scene.now);
    scene.wait(60);
    let flow = scene.waiting(&user, "flow");
    scene.now = crate::support::NOON.plus(domain::time::Lifetime::from_secs(59));
    opened(judge_code(
        &mut scene,
        typed(Some(flow.clone()), Some(user.clone()), &code),
    ));
    scene.wait(1);
    let late = typed(Some(flow), Some(user), &code);
    assert_refused(judge_code(&mut scene, late), &Denial::LoginFailed, FAILED);
}

#[test]
fn a_code_of_one_method_is_none_of_another() {
    let mut scene = Scene::new();
    let user = ann_with_both();
    let (with_code, digits) = scene.pending(&user, "flow");
    let without = scene.waiting(&user, "other");
    let code = shown(APP_SECRET, scene.now);
    let as_kind = |kind, flow: &FlowRecord, text: &Secret| {
        let facts = typed(Some(flow.clone()), Some(user.clone()), text);
        CodeTyped {
            typed: Typed { kind, ..facts.typed },
            ..facts
        }
    };
    let wrong = [
        as_kind(FactorKind::Totp, &with_code, &digits),
        as_kind(FactorKind::Sms, &with_code, &code),
        as_kind(FactorKind::Sms, &without, &digits),
        as_kind(FactorKind::Recovery, &with_code, &code),
        as_kind(FactorKind::Passkey, &with_code, &digits),
        as_kind(FactorKind::Passkey, &with_code, &code),
    ];
    for facts in wrong {
        let kind = facts.typed.kind.name();
        let refused = refusal(judge_code(&mut scene, facts));
        assert_eq!(refused.denial, Denial::LoginFailed);
        assert_eq!(story(&refused.effects), FAILED);
        assert_eq!(detail(&refused.effects), Some(kind));
    }
    opened(judge_code(
        &mut scene,
        as_kind(FactorKind::Totp, &with_code, &code),
    ));
    opened(judge_code(
        &mut scene,
        as_kind(FactorKind::Sms, &with_code, &digits),
    ));
}

#[test]
fn either_of_two_apps_opens_and_only_its_own_step_moves() {
    let mut scene = Scene::new();
    let user = with_factors(ann_with_app(), |factors| factors.totp.push(app("spare")));
    let flow = scene.waiting(&user, "flow");
    let mut facts = typed(Some(flow), Some(user), &shown(OTHER_SECRET, scene.now));
    facts
        .typed
        .apps
        .push((FactorId::new("spare"), app_secret(OTHER_SECRET)));
    let (token, _) = opened(judge_code(&mut scene, facts));
    let steps: Vec<u64> = token.user.factors.totp.iter().map(|app| app.last_step).collect();
    assert_eq!(steps, [0, totp_step(scene.now)]);
}

#[test]
fn a_code_of_an_app_confirms_no_number() {
    let mut scene = Scene::new();
    let user = User {
        phone: Phone::parse(NUMBER),
        ..ann_with_app()
    };
    let (flow, _) = scene.pending(&user, "flow");
    let code = shown(APP_SECRET, scene.now);
    let (token, _) = opened(judge_code(&mut scene, typed(Some(flow), Some(user), &code)));
    assert_eq!(token.user.factor_phone, None);
}

#[test]
fn limits_hold_for_apps_as_for_messages() {
    let mut scene = Scene::new();
    let user = ann_with_app();
    let flow = scene.waiting(&user, "flow");
    let code = shown(APP_SECRET, scene.now);
    let facts = typed(Some(flow), Some(user), &code);
    assert_limits_hold(&mut scene, facts);
}

#[test]
fn a_pending_login_dies_after_its_ten_minutes() {
    let mut scene = Scene::new();
    let user = ann_with_app();
    let flow = scene.waiting(&user, "flow");
    scene.wait(599);
    let code = shown(APP_SECRET, scene.now);
    opened(judge_code(
        &mut scene,
        typed(Some(flow.clone()), Some(user.clone()), &code),
    ));
    scene.wait(1);
    let code = shown(APP_SECRET, scene.now);
    assert_refused(
        judge_code(&mut scene, typed(Some(flow), Some(user), &code)),
        &Denial::LoginFailed,
        FAILED,
    );
}

#[test]
fn a_right_password_waits_for_an_app_without_sending_anything() {
    let mut scene = Scene::new();
    let wanted = Wanted::SessionOrCode(Terms::of(hour()));
    let busy = Sending {
        reaches_without_number: false,
        ..sending()
    };
    let (requested, effects) = awaiting(by_password(&mut scene, ann_with_app(), wanted, busy));
    assert_eq!(
        story(&effects),
        ["put flow", "give back", "login.second_factor_due"]
    );
    assert_eq!(requested.methods, [FactorKind::Totp]);
    assert_eq!(requested.sent_to, None);
    let challenge = requested.challenge.expect("a challenge");
    let flow = kept(&effects);
    assert_eq!(flow.id, challenge.hash());
    let FlowBody::PendingLogin(login) = &flow.body else {
        panic!("another flow: {flow:?}")
    };
    assert!(login.code.is_none() && login.phone.is_none());
}

#[test]
fn a_session_that_was_asked_for_outright_names_the_methods_that_are_due() {
    let (user, _) = with_codes(ann_with_both());
    let wanted = Wanted::Session(Terms::of(hour()));
    let step = by_password(&mut Scene::new(), user, wanted, sending());
    let denial = Denial::SecondFactorRequired {
        methods: vec!["totp", "sms", "recovery"],
        enrols: Vec::new(),
        challenge: None,
    };
    assert_refused(step, &denial, &["give back", "login.second_factor_due"]);
}

#[test]
fn who_asks_for_a_message_gets_one_although_there_is_an_app() {
    let mut scene = Scene::new();
    let terms = Terms::of(hour());
    let wanted = Wanted::Code(terms, Some(FactorKind::Sms));
    let (requested, effects) = awaiting(by_password(&mut scene, ann_with_both(), wanted, sending()));
    assert_eq!(
        story(&effects),
        ["put flow", "send sms", "give back", "code.sent"]
    );
    assert_eq!(texted(&effects).1, Some(NUMBER));
    assert_eq!(requested.methods, [FactorKind::Totp, FactorKind::Sms]);
    let wanted = Wanted::Code(terms, Some(FactorKind::Recovery));
    let (_, effects) = awaiting(by_password(&mut scene, ann_with_both(), wanted, sending()));
    assert_eq!(
        story(&effects),
        ["put flow", "give back", "login.second_factor_due"]
    );
}

#[test]
fn a_message_may_be_asked_for_in_the_place_of_an_app_by_who_has_a_confirmed_number() {
    let mut scene = Scene::new();
    let user = ann_with_both();
    let flow = scene.waiting(&user, "flow");
    let again = |pending: &FlowRecord, user: &User| {
        LoginEvent::CodeAskedAgain(Box::new(CodeAskedAgain {
            pending: Some(pending.clone()),
            user: Some(user.clone()),
            send: Verdict::Allowed,
            reaches_without_number: false,
        }))
    };
    let (requested, effects) = awaiting(step(Login::Start, again(&flow, &user), &mut scene.cx()));
    assert_eq!(story(&effects), ["replace flow", "send sms", "code.sent"]);
    assert_eq!(requested.sent_to.as_deref(), Some("•••• 67"));
    let given = User {
        phone: Phone::parse(NUMBER),
        ..ann_with_app()
    };
    let flow = scene.waiting(&given, "flow");
    assert_refused(
        step(Login::Start, again(&flow, &given), &mut scene.cx()),
        &Denial::LoginFailed,
        &[],
    );
}

#[test]
fn a_login_waits_for_what_was_asked_for_else_for_an_app_else_for_a_message() {
    use FactorKind::{Passkey, Recovery, Sms, Totp};
    let key_and_app = with_factors(ann_with_passkey(), |factors| factors.totp.push(app("app")));
    let all = with_codes(User {
        factor_phone: Phone::parse(NUMBER),
        ..key_and_app
    });
    let scene = Scene::new();
    let ways = |user: &User| ways_of(user, &scene.pool, Reach::Anybody);
    let cases = [
        (ann(), None, true),
        (ann(), Some(Totp), true),
        (ann_with_factor(), None, true),
        (ann_with_app(), None, false),
        (ann_with_app(), Some(Sms), false),
        (ann_with_passkey(), None, false),
        (ann_with_passkey(), Some(Sms), false),
        (ann_with_both(), None, false),
        (ann_with_both(), Some(Sms), true),
        (all.0.clone(), None, false),
        (all.0.clone(), Some(Passkey), false),
        (all.0.clone(), Some(Recovery), false),
    ];
    for (user, asked, sends) in cases {
        assert_eq!(ways(&user).sends_for(asked), sends, "{asked:?}");
    }
    assert_eq!(ways(&all.0).methods, [Passkey, Totp, Sms, Recovery]);
    assert_eq!(ways(&ann()).methods, [Sms]);
    assert_eq!(ways(&with_codes(ann()).0).methods, [Sms]);
}

#[test]
fn a_code_is_judged_as_what_it_is_called_else_as_what_it_looks_like() {
    use FactorKind::{Recovery, Sms, Totp};
    let digits = Secret::new("123456");
    let letters = Secret::new("ABCDEF-GHJKMN-PQRSTV-WXYZ01");
    for (named, text, was_sent, kind) in [
        (None, &digits, true, Sms),
        (None, &digits, false, Totp),
        (None, &letters, true, Recovery),
        (None, &letters, false, Recovery),
        (Some(Totp), &digits, true, Totp),
        (Some(Sms), &digits, false, Sms),
        (Some(Totp), &letters, true, Totp),
        (Some(Recovery), &digits, true, Recovery),
    ] {
        assert_eq!(kind_of(named, text, was_sent), kind, "{named:?} {was_sent}");
    }
}

#[test]
fn messages_are_counted_only_for_who_would_get_one() {
    let mut scene = Scene::with(|pool| pool.second_factor = SecondFactor::Required);
    for (user, waits) in [
        (ann_with_app(), Waits::WithoutCode),
        (ann_with_passkey(), Waits::WithoutCode),
        (ann_with_factor(), Waits::WithCode),
        (ann(), Waits::WithCode),
    ] {
        let identified = Identified {
            user: Some(user),
            verdict: Verdict::Allowed,
            taken: taken(),
            wanted: Wanted::SessionOrCode(Terms::of(hour())),
        };
        let event = LoginEvent::Identified(Box::new(identified));
        let named = step(Login::Start, event, &mut scene.cx()).expect("named");
        let Login::CheckPassword(candidate) = named.next else {
            panic!("nobody named")
        };
        assert_eq!(candidate.waits(&scene.cx()), waits);
    }
}
