//! A fresh proof for a sensitive act.

use domain::error::Denial;
use domain::flow::authorize::{Asking, Authorize, AuthorizeEvent, step as authorize};
use domain::flow::link::detach::{Detach, DetachEvent, step as detach};
use domain::flow::second_factor::Typed;
use domain::flow::step_up::{StepUp, StepUpEvent, methods, step};
use domain::flow::{Effect, Refused, Step};
use domain::flow_record::{FlowBody, FlowRecord, PasskeyPurpose};
use domain::id::FactorId;
use domain::limits::Verdict;
use domain::ports::{PasskeyAssertion, PasskeyFault, Verified};
use domain::secret::{Secret, Token};
use domain::session::{AccessToken, Factor, Session};
use domain::user::{FactorKind, Phone, User};

use crate::support::{
    APP_SECRET, LIMIT, NO, NUMBER, Scene, ann, ann_with_app, ann_with_factor, ann_with_passkey, app_secret,
    assert_refused, bob, committed, detail, entry, kept, limited, linked, passkey_call, proven_session,
    refusal, session, shown, story, taken, texted, totp_step, with_codes,
};

fn run(scene: &mut Scene, user: &User, event: StepUpEvent) -> Step<StepUp> {
    step(user, &session(user, 1000), event, &mut scene.cx())
}

fn proven(step: Step<StepUp>) -> (AccessToken, Vec<Effect>) {
    let advanced = step.expect("proven");
    match advanced.next {
        StepUp::Proven(token) => (*token, advanced.effects),
        other => panic!("not proven: {other:?}"),
    }
}

fn by_password(verified: Verified, verdict: Verdict) -> StepUpEvent {
    StepUpEvent::PasswordChecked {
        verdict,
        verified,
        taken: taken(),
    }
}

fn by_code(kind: FactorKind, text: &Secret, flow: Option<FlowRecord>) -> StepUpEvent {
    StepUpEvent::CodeTyped {
        flow: flow.map(Box::new),
        typed: Box::new(Typed {
            kind,
            text: text.clone(),
            apps: vec![(FactorId::new("app"), app_secret(APP_SECRET))],
        }),
        verdict: Verdict::Allowed,
        taken: taken(),
    }
}

fn mine() -> PasskeyPurpose {
    PasskeyPurpose::StepUp {
        session: session(&ann(), 0).token,
    }
}

fn by_passkey(flow: Option<FlowRecord>, answer: Result<PasskeyAssertion, PasskeyFault>) -> StepUpEvent {
    StepUpEvent::PasskeyAnswered {
        flow: flow.map(Box::new),
        answer,
        verdict: Verdict::Allowed,
        taken: taken(),
    }
}

fn signed(sign_count: u32) -> PasskeyAssertion {
    PasskeyAssertion {
        credential: "credential of key".to_owned(),
        sign_count,
        user_verified: false,
        backed_up: false,
        material: None,
    }
}

#[test]
fn the_token_rotates_while_the_life_of_the_session_goes_on() {
    let mut scene = Scene::new();
    let before = session(&ann(), 1000);
    let (token, effects) = proven(run(
        &mut scene,
        &ann(),
        by_password(Verified::Right, Verdict::Allowed),
    ));
    assert_eq!(
        story(&effects),
        ["open session", "end session", "give back", "session.stepped_up"]
    );
    assert_eq!(token.session.token, token.secret.hash());
    assert_ne!(token.session.token, before.token);
    assert_eq!(effects[0], Effect::OpenSession(Box::new(token.session.clone())));
    assert_eq!(effects[1], Effect::EndSession(before.token));
    let expected = Session {
        token: token.session.token,
        proven: scene.now,
        last_used: Some(scene.now),
        ..before
    };
    assert_eq!(token.session, expected, "no factor twice, no longer life");
    assert_eq!(detail(&effects), Some("pwd"));
}

#[test]
fn a_password_is_no_proof_for_who_has_a_factor_or_none_to_compare() {
    let mut scene = Scene::new();
    let without = User {
        password: None,
        ..ann()
    };
    for (user, verified) in [
        (ann(), Verified::Wrong),
        (without, Verified::Right),
        (ann_with_factor(), Verified::Right),
        (ann_with_app(), Verified::Right),
        (ann_with_passkey(), Verified::Right),
    ] {
        let step = run(&mut scene, &user, by_password(verified, Verdict::Allowed));
        assert_refused(step, &Denial::LoginFailed, &["password.proof_failed"]);
    }
}

#[test]
fn a_limit_refuses_before_a_proof_is_judged() {
    let mut scene = Scene::new();
    let user = ann_with_factor();
    for event in [
        by_password(Verified::Right, NO),
        StepUpEvent::CodeAsked { send: NO },
    ] {
        assert_refused(run(&mut scene, &user, event), &limited(), &[LIMIT]);
    }
}

#[test]
fn a_code_goes_to_the_confirmed_number_and_to_no_other() {
    let mut scene = Scene::new();
    let send = || StepUpEvent::CodeAsked {
        send: Verdict::Allowed,
    };
    let given = User {
        phone: Phone::parse(NUMBER),
        ..ann()
    };
    assert_refused(run(&mut scene, &given, send()), &Denial::PhoneRequired, &[]);
    let moved = User {
        phone: Phone::parse("+491709999999"),
        ..ann_with_factor()
    };
    let advanced = run(&mut scene, &moved, send()).expect("sent");
    assert_eq!(
        story(&advanced.effects),
        ["drop flows", "put flow", "send sms", "code.sent"]
    );
    assert_eq!(texted(&advanced.effects).1, Some(NUMBER));
    assert!(matches!(advanced.next, StepUp::CodeSent(masked) if masked == "•••• 67"));
}

#[test]
fn a_code_that_was_sent_is_spent_with_the_proof() {
    let mut scene = Scene::new();
    let user = ann_with_factor();
    let asked = StepUpEvent::CodeAsked {
        send: Verdict::Allowed,
    };
    let sent = run(&mut scene, &user, asked).expect("sent").effects;
    let (flow, digits) = (kept(&sent).clone(), Secret::new(texted(&sent).0));
    let event = by_code(FactorKind::Sms, &digits, Some(flow.clone()));
    let (token, effects) = proven(run(&mut scene, &user, event));
    assert_eq!(
        story(&effects),
        [
            "spend",
            "open session",
            "end session",
            "give back",
            "session.stepped_up"
        ]
    );
    assert_eq!(effects[0], Effect::Spend(flow.id));
    assert_eq!(token.session.factors, [Factor::Password, Factor::Sms]);
    let refused = ["code.failed"];
    for (who, flow, typed) in [
        (user.clone(), None, digits.clone()),
        (bob(), Some(flow.clone()), digits.clone()),
        (ann(), Some(flow.clone()), digits.clone()),
        (user.clone(), Some(flow.clone()), Secret::new("000000")),
        (
            user.clone(),
            Some(scene.pending(&user, "login").0),
            digits.clone(),
        ),
    ] {
        let event = by_code(FactorKind::Sms, &typed, flow);
        assert_refused(run(&mut scene, &who, event), &Denial::LoginFailed, &refused);
    }
    scene.wait(60);
    let late = by_code(FactorKind::Sms, &digits, Some(flow));
    assert_refused(run(&mut scene, &user, late), &Denial::LoginFailed, &refused);
}

#[test]
fn an_app_proves_once_per_step() {
    let mut scene = Scene::new();
    let code = shown(APP_SECRET, scene.now);
    let event = || by_code(FactorKind::Totp, &code, None);
    let (token, effects) = proven(run(&mut scene, &ann_with_app(), event()));
    assert_eq!(
        story(&effects),
        [
            "commit",
            "open session",
            "end session",
            "give back",
            "session.stepped_up"
        ]
    );
    assert_eq!(
        committed(&effects).factors.totp[0].last_step,
        totp_step(scene.now)
    );
    let step = run(&mut scene, &token.user, event());
    assert_refused(step, &Denial::LoginFailed, &["code.failed"]);
}

#[test]
fn a_recovery_code_proves_once_and_its_owner_is_told() {
    let mut scene = Scene::new();
    let (user, codes) = with_codes(ann_with_app());
    let event = || by_code(FactorKind::Recovery, &codes[0], None);
    let (token, effects) = proven(run(&mut scene, &user, event()));
    assert_eq!(
        story(&effects),
        [
            "commit",
            "open session",
            "end session",
            "give back",
            "factor.recovery_code_used",
            "send mail",
            "session.stepped_up"
        ]
    );
    let step = run(&mut scene, &token.user, event());
    assert_refused(step, &Denial::LoginFailed, &["code.failed"]);
    let (orphaned, codes) = with_codes(ann());
    let event = by_code(FactorKind::Recovery, &codes[0], None);
    let step = run(&mut scene, &orphaned, event);
    assert_refused(step, &Denial::LoginFailed, &["code.failed"]);
}

#[test]
fn a_passkey_is_asked_for_this_session_and_proves_this_one_alone() {
    let mut scene = Scene::new();
    let user = ann_with_passkey();
    let asked = StepUpEvent::PasskeyAsked {
        state: "kept".to_owned(),
    };
    let sent = run(&mut scene, &user, asked).expect("asked");
    assert_eq!(story(&sent.effects), ["put flow"]);
    let flow = kept(&sent.effects).clone();
    let FlowBody::Passkey(kept_call) = &flow.body else {
        panic!("another flow")
    };
    assert_eq!(kept_call.purpose, mine());
    let event = by_passkey(Some(flow.clone()), Ok(signed(8)));
    let (token, effects) = proven(run(&mut scene, &user, event));
    assert_eq!(
        story(&effects),
        [
            "commit",
            "spend",
            "open session",
            "end session",
            "give back",
            "session.stepped_up"
        ]
    );
    assert_eq!(effects[1], Effect::Spend(flow.id));
    assert_eq!(committed(&effects).factors.passkeys[0].sign_count, 8);
    assert_eq!(token.session.factors, [Factor::Password, Factor::Passkey]);
}

#[test]
fn a_ceremony_of_another_purpose_session_or_user_proves_nothing() {
    let mut scene = Scene::new();
    let good = passkey_call(&scene, mine());
    let other = PasskeyPurpose::StepUp {
        session: Token::presented("other").hash(),
    };
    let second = PasskeyPurpose::SecondFactor { pending: good.id };
    for flow in [
        None,
        Some(passkey_call(&scene, PasskeyPurpose::LogIn)),
        Some(passkey_call(&scene, other)),
        Some(passkey_call(&scene, second)),
        Some(FlowRecord {
            user: Some(bob().key.id),
            ..good.clone()
        }),
        Some(FlowRecord {
            expires: scene.now,
            ..good.clone()
        }),
    ] {
        let event = by_passkey(flow, Ok(signed(8)));
        let refused = refusal(run(&mut scene, &ann_with_passkey(), event));
        assert_eq!(refused.denial, Denial::LoginFailed);
        assert_eq!(story(&refused.effects), ["factor.failed"]);
        assert_eq!(detail(&refused.effects), Some("passkey:unknown_call"));
    }
}

#[test]
fn a_fallen_counter_or_a_bad_signature_spends_the_call() {
    let mut scene = Scene::new();
    for (answer, audit) in [
        (Ok(signed(7)), "factor.passkey_counter_fell"),
        (Err(PasskeyFault::Signature), "factor.failed"),
    ] {
        let event = by_passkey(Some(passkey_call(&scene, mine())), answer);
        let step = run(&mut scene, &ann_with_passkey(), event);
        assert_refused(step, &Denial::LoginFailed, &["drop flow", audit]);
    }
}

#[test]
fn a_proof_is_a_factor_where_there_is_one_else_a_password_else_another_login() {
    let all = with_codes(ann_with_app()).0;
    let nothing = User {
        password: None,
        ..ann()
    };
    for (user, named) in [
        (all, vec!["totp", "recovery"]),
        (ann_with_passkey(), vec!["passkey"]),
        (ann(), vec!["password"]),
        (with_codes(ann()).0, vec!["password"]),
        (nothing, vec!["login"]),
    ] {
        assert_eq!(methods(&user), named);
    }
}

fn link(scene: &mut Scene, user: &User, session: &Session) -> Result<(), Refused> {
    let entry = entry("google-link");
    let asking = Asking {
        redirect_uri: entry.callback_url.clone(),
        entry,
        caller: Some((user.clone(), session.clone())),
        application: None,
        return_to: None,
        code_challenge: None,
        verdict: Verdict::Allowed,
    };
    let event = AuthorizeEvent::Asked(Box::new(asking));
    authorize(Authorize::Start, event, &mut scene.cx()).map(|_| ())
}

fn unlink(scene: &mut Scene, user: &User, session: &Session) -> Result<(), Refused> {
    let event = DetachEvent::UnlinkAsked {
        user: Box::new(user.clone()),
        session: Box::new(session.clone()),
        identity: user.identities[0].id.clone(),
        doors: Vec::new(),
    };
    detach(Detach::Start, event, &mut scene.cx()).map(|_| ())
}

#[test]
fn an_act_passes_freshly_proven_at_the_level_of_its_user_or_where_no_proof_is_wanted() {
    let with_app = linked(ann_with_app(), &["7"]);
    let plain = linked(ann(), &["7"]);
    let both = [Factor::Password, Factor::Totp];
    for act in [link, unlink] {
        for (user, factors, age, passes) in [
            (&plain, &both[..1], 300, true),
            (&plain, &both[..1], 301, false),
            (&with_app, &both[..], 300, true),
            (&with_app, &both[..], 301, false),
            (&with_app, &both[..1], 0, false),
        ] {
            let session = proven_session(user, factors, age);
            let answer = act(&mut Scene::new(), user, &session);
            assert_eq!(answer.is_ok(), passes, "{age} {factors:?}");
            if let Err(refused) = answer {
                assert!(matches!(refused.denial, Denial::StepUpRequired { .. }));
                assert_eq!(story(&refused.effects), ["session.step_up_asked"]);
            }
            let mut off = Scene::with(|pool| pool.step_up = Vec::new());
            act(&mut off, user, &session).expect("no proof is wanted");
        }
    }
}
