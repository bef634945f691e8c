//! Making one of an account elsewhere and a user here, after proof of both.

use std::sync::Arc;

use domain::credential::PasswordHash;
use domain::error::Denial;
use domain::flow::link::join::{JOIN_CODE_LIFE, JoinFacts, Joining, JoiningEvent, step};
use domain::flow::login::external::{self, Exchanged, External, ExternalEvent, JOIN_LIFE, Opening};
use domain::flow::login::pending::Waits;
use domain::flow::login::{CodeTyped, Login, LoginEvent, Sending};
use domain::flow::second_factor::Typed;
use domain::flow::{Advanced, Effect, Step};
use domain::flow_record::{FlowBody, FlowRecord, Join, PendingLink};
use domain::id::EntryName;
use domain::limits::Verdict;
use domain::message::MailKind;
use domain::ports::Verified;
use domain::secret::Secret;
use domain::session::{AccessToken, Factor};
use domain::user::{FactorKind, Phone, User};

use crate::login_external::{VERIFIER, challenge};
use crate::support::{
    LIMIT, NO, NUMBER, Scene, ann, ann_with_factor, assert_refused, bob, committed, grant, identity, kept,
    limited, linked, mailed, sealed, sending, story, subjects, taken, verified_ann,
};

/// An offer to a user, made now.
fn offer(scene: &Scene, user: &User) -> FlowRecord {
    let identity = identity("7");
    let body = FlowBody::Join(Box::new(Join {
        link: PendingLink {
            credential: Some(grant(&identity, "google")),
            identity,
            session: None,
        },
        epoch: user.session_epoch,
        code: None,
        entry: EntryName::new("google"),
        return_to: Some("/welcome".to_owned()),
        code_challenge: None,
    }));
    scene.record(user, "join", JOIN_LIFE, body)
}

fn facts(flow: Option<FlowRecord>, user: Option<User>) -> Box<JoinFacts> {
    Box::new(JoinFacts {
        flow,
        user,
        verdict: Verdict::Allowed,
        taken: taken(),
    })
}

fn joined(step: Step<Joining>, scene: &mut Scene, ready: Sending) -> Step<Joining> {
    let Advanced { next, effects } = step?;
    assert!(effects.is_empty(), "nothing happens before the door");
    step_on(next, JoiningEvent::Ready(ready), scene)
}

fn step_on(state: Joining, event: JoiningEvent, scene: &mut Scene) -> Step<Joining> {
    step(state, event, &mut scene.cx())
}

fn by_password(scene: &mut Scene, facts: Box<JoinFacts>, verified: Verified) -> Step<Joining> {
    let Advanced { next, effects } = step_on(Joining::Start, JoiningEvent::PasswordGiven(facts), scene)?;
    assert!(effects.is_empty());
    let checked = step_on(next, JoiningEvent::PasswordChecked(verified), scene);
    joined(checked, scene, sending())
}

/// Mails a code; returns the offer as it stands then, and the digits.
fn code_sent(scene: &mut Scene, user: &User) -> (FlowRecord, Secret) {
    let event = JoiningEvent::CodeAsked {
        flow: Some(offer(scene, user)),
        user: Some(Box::new(user.clone())),
        mail: Verdict::Allowed,
    };
    let Ok(Advanced {
        next: Joining::CodeSent,
        effects,
    }) = step_on(Joining::Start, event, scene)
    else {
        panic!("no code sent")
    };
    assert_eq!(
        story(&effects),
        ["replace flow", "send mail", "identity.join_code_sent"]
    );
    let (to, kind) = mailed(&effects);
    assert_eq!(to, user.email.as_ref().expect("an address").as_str());
    let MailKind::JoinCode { code, provider, life } = kind else {
        panic!("another mail")
    };
    assert_eq!((provider.as_str(), *life), ("google", JOIN_CODE_LIFE));
    (kept(&effects).clone(), code.clone())
}

fn by_code(scene: &mut Scene, facts: Box<JoinFacts>, typed: &Secret, tries_left: Verdict) -> Step<Joining> {
    let event = JoiningEvent::CodeTyped {
        facts,
        typed: typed.clone(),
        tries_left,
    };
    let step = step_on(Joining::Start, event, scene);
    joined(step, scene, sending())
}

fn logged_in(step: Step<Joining>) -> (AccessToken, Vec<Effect>) {
    match step {
        Ok(Advanced {
            next: Joining::Done(Opening::LoggedIn(token)),
            effects,
        }) => (*token, effects),
        other => panic!("not logged in: {other:?}"),
    }
}

const FAILED: &[&str] = &["identity.join_failed"];

#[test]
fn the_password_makes_them_one() {
    let mut scene = Scene::new();
    let flow = offer(&scene, &ann());
    let facts = facts(Some(flow.clone()), Some(ann()));
    let (token, effects) = logged_in(by_password(&mut scene, facts, Verified::Right));
    assert_eq!(
        story(&effects),
        [
            "commit",
            "spend",
            "identity.linked",
            "open session",
            "login.succeeded",
            "give back"
        ]
    );
    assert_eq!(effects[1], Effect::Spend(flow.id));
    assert_eq!(committed(&effects), &token.user);
    assert_eq!(subjects(&token.user), ["7"]);
    assert_eq!(token.user.credentials.len(), 1);
    assert_eq!(
        (token.user.password, token.user.email_verified),
        (ann().password, false)
    );
    assert_eq!(token.session.factors, [Factor::Password]);
}

#[test]
fn where_addresses_must_be_proven_a_password_joins_no_unproven_one() {
    let mut scene = Scene::with(|pool| pool.email_verification_required = true);
    let flow = offer(&scene, &ann());
    let step = by_password(&mut scene, facts(Some(flow), Some(ann())), Verified::Right);
    let denial = Denial::EmailNotVerified { user: ann().key.id };
    assert_refused(step, &denial, &["give back", "login.refused_unverified"]);
    // The code proves the address too.
    let (flow, code) = code_sent(&mut scene, &ann());
    let step = by_code(
        &mut scene,
        facts(Some(flow), Some(ann())),
        &code,
        Verdict::Allowed,
    );
    assert!(logged_in(step).0.user.email_verified);
}

#[test]
fn a_stronger_hash_comes_along() {
    let mut scene = Scene::new();
    let facts = facts(Some(offer(&scene, &ann())), Some(ann()));
    let stronger = PasswordHash::new("stronger");
    let step = by_password(&mut scene, facts, Verified::RightAndRehashed(stronger.clone()));
    let (_, effects) = logged_in(step);
    let next = committed(&effects);
    assert_eq!(
        (next.password.as_ref(), subjects(next)),
        (Some(&stronger), vec!["7"])
    );
}

#[test]
fn a_wrong_password_joins_nothing() {
    let mut scene = Scene::new();
    let wrong = facts(Some(offer(&scene, &ann())), Some(ann()));
    assert_refused(
        by_password(&mut scene, wrong, Verified::Wrong),
        &Denial::LoginFailed,
        FAILED,
    );
    let without = facts(Some(offer(&scene, &bob())), Some(bob()));
    assert_refused(
        by_password(&mut scene, without, Verified::Right),
        &Denial::LoginFailed,
        FAILED,
    );
}

#[test]
fn every_offer_that_does_not_stand_is_the_same() {
    let mut scene = Scene::new();
    let good = offer(&scene, &ann());
    let mut ended = ann();
    ended.end_sessions(None);
    let disabled = User {
        disabled: Some(scene.now),
        ..ann()
    };
    let (pending, _) = scene.pending(&ann(), "pending");
    let cases = [
        facts(None, None),
        facts(Some(good.clone()), None),
        facts(Some(good.clone()), Some(bob())),
        facts(Some(good.clone()), Some(ended)),
        facts(Some(good.clone()), Some(disabled)),
        facts(Some(pending), Some(ann())),
    ];
    for facts in cases {
        assert_refused(
            by_password(&mut scene, facts.clone(), Verified::Right),
            &Denial::LoginFailed,
            FAILED,
        );
        let typed = Secret::new("123456");
        let step = by_code(&mut scene, facts.clone(), &typed, Verdict::Allowed);
        assert_refused(step, &Denial::LoginFailed, FAILED);
        let step = step_on(Joining::Start, declined(facts, true), &mut scene);
        assert_refused(step, &Denial::LoginFailed, FAILED);
    }
    scene.wait(900);
    let late = facts(Some(good), Some(ann()));
    assert_refused(
        by_password(&mut scene, late, Verified::Right),
        &Denial::LoginFailed,
        FAILED,
    );
}

#[test]
fn over_the_limit_nothing_is_compared() {
    let mut scene = Scene::new();
    let mut facts = facts(Some(offer(&scene, &ann())), Some(ann()));
    facts.verdict = NO;
    let step = step_on(Joining::Start, JoiningEvent::PasswordGiven(facts), &mut scene);
    assert_refused(step, &limited(), &[LIMIT]);
}

#[test]
fn a_mailed_code_makes_them_one_and_proves_the_address() {
    let mut scene = Scene::new();
    let user = verified_ann();
    let (flow, digits) = code_sent(&mut scene, &user);
    let step = by_code(
        &mut scene,
        facts(Some(flow), Some(user.clone())),
        &digits,
        Verdict::Allowed,
    );
    let (token, effects) = logged_in(step);
    assert_eq!(story(&effects)[..2], ["commit", "spend"]);
    assert_eq!(token.session.factors, [Factor::Email]);
    let next = committed(&effects);
    assert_eq!(
        (subjects(next), next.password.as_ref()),
        (vec!["7"], user.password.as_ref())
    );
    assert_eq!(next.session_epoch, user.session_epoch);
}

#[test]
fn the_owner_of_an_address_nobody_had_proven_takes_the_account_from_whoever_made_it() {
    let mut scene = Scene::new();
    let mut squatter = linked(ann(), &["trojan"]);
    squatter.phone = Phone::parse(NUMBER);
    squatter.credentials = Arc::new(vec![grant(&squatter.identities[0], "google")]);
    let (flow, digits) = code_sent(&mut scene, &squatter);
    let step = by_code(
        &mut scene,
        facts(Some(flow), Some(squatter.clone())),
        &digits,
        Verdict::Allowed,
    );
    let (token, effects) = logged_in(step);
    let next = committed(&effects);
    assert_eq!((next.password.as_ref(), next.email_verified), (None, true));
    assert_eq!((next.phone.as_ref(), next.factor_phone.as_ref()), (None, None));
    assert_eq!(subjects(next), ["7"]);
    assert_eq!(next.credentials.len(), 1);
    assert_ne!(next.session_epoch, squatter.session_epoch);
    assert_eq!(token.session.epoch, next.session_epoch);
    assert!(story(&effects).contains(&"clear sessions"));
    assert!(story(&effects).contains(&"identity.account_reclaimed"));
}

#[test]
fn a_code_that_is_wrong_old_or_tried_too_often_joins_nothing() {
    let mut scene = Scene::new();
    let (flow, digits) = code_sent(&mut scene, &ann());
    let known = || facts(Some(flow.clone()), Some(ann()));
    let wrong = Secret::new(if digits.expose() == "000000" {
        "000001"
    } else {
        "000000"
    });
    for (typed, tries) in [(&wrong, Verdict::Allowed), (&digits, NO)] {
        let step = by_code(&mut scene, known(), typed, tries);
        assert_refused(step, &Denial::LoginFailed, FAILED);
    }
    let never_sent = facts(Some(offer(&scene, &ann())), Some(ann()));
    let step = by_code(&mut scene, never_sent, &digits, Verdict::Allowed);
    assert_refused(step, &Denial::LoginFailed, FAILED);
    scene.wait(600);
    let step = by_code(&mut scene, known(), &digits, Verdict::Allowed);
    assert_refused(step, &Denial::LoginFailed, FAILED);
}

#[test]
fn a_code_goes_only_to_an_address_and_within_the_budget() {
    let mut scene = Scene::new();
    let ask = |scene: &mut Scene, user: User, mail| {
        let event = JoiningEvent::CodeAsked {
            flow: Some(offer(scene, &user)),
            user: Some(Box::new(user)),
            mail,
        };
        step_on(Joining::Start, event, scene)
    };
    let nowhere = User { email: None, ..ann() };
    assert_refused(
        ask(&mut scene, nowhere, Verdict::Allowed),
        &Denial::LoginFailed,
        FAILED,
    );
    assert_refused(ask(&mut scene, ann(), NO), &limited(), &[LIMIT]);
    let event = JoiningEvent::CodeAsked {
        flow: None,
        user: None,
        mail: Verdict::Allowed,
    };
    assert_refused(
        step_on(Joining::Start, event, &mut scene),
        &Denial::LoginFailed,
        FAILED,
    );
}

#[test]
fn a_mailbox_alone_strips_no_account_of_its_second_factor() {
    let mut scene = Scene::new();
    let user = linked(ann_with_factor(), &["3"]);
    assert!(!user.email_verified);
    let (flow, digits) = code_sent(&mut scene, &user);
    let step = by_code(
        &mut scene,
        facts(Some(flow), Some(user.clone())),
        &digits,
        Verdict::Allowed,
    );
    let Ok(Advanced {
        next: Joining::Done(Opening::AwaitingCode(_)),
        effects,
    }) = step
    else {
        panic!("no code: {step:?}")
    };
    assert_eq!(
        story(&effects),
        ["spend", "put flow", "send sms", "give back", "code.sent"]
    );
    assert_eq!(crate::support::texted(&effects).1, Some(NUMBER));
}

#[test]
fn a_due_second_factor_comes_before_they_are_one_for_a_waiting_client_too() {
    let mut scene = Scene::new();
    let user = ann_with_factor();
    let mut flow = offer(&scene, &user);
    if let FlowBody::Join(join) = &mut flow.body {
        join.code_challenge = Some(challenge(VERIFIER));
    }
    let step = by_password(&mut scene, facts(Some(flow), Some(user.clone())), Verified::Right);
    let Ok(Advanced {
        next: Joining::Done(Opening::Exchange(_)),
        effects,
    }) = step
    else {
        panic!("no exchange: {step:?}")
    };
    assert_eq!(story(&effects), ["spend", "put flow", "give back"]);
    // The client fetches; only the code attaches what waited all along.
    let exchanged = Exchanged {
        flow: Some(kept(&effects).clone()),
        user: Some(user.clone()),
        code_verifier: VERIFIER.to_owned(),
        verdict: Verdict::Allowed,
        taken: taken(),
    };
    let event = ExternalEvent::Exchanged(Box::new(exchanged));
    let fetched = external::step(External::Start, event, &mut scene.cx()).expect("fetched");
    let step = external::step(fetched.next, ExternalEvent::Ready(sending()), &mut scene.cx());
    let effects = step.expect("a code is sent").effects;
    let FlowBody::PendingLogin(pending) = &kept(&effects).body else {
        panic!("no pending login")
    };
    let waiting = pending
        .link
        .as_ref()
        .map(|link| link.identity.key.subject.as_str());
    assert_eq!(waiting, Some("7"));
    assert!(!story(&effects).contains(&"commit"));
}

#[test]
fn a_due_second_factor_comes_before_they_are_one() {
    let mut scene = Scene::new();
    let user = ann_with_factor();
    let flow = offer(&scene, &user);
    let step = by_password(&mut scene, facts(Some(flow), Some(user.clone())), Verified::Right);
    let Ok(Advanced {
        next: Joining::Done(Opening::AwaitingCode(requested)),
        effects,
    }) = step
    else {
        panic!("no code: {step:?}")
    };
    assert_eq!(story(&effects)[..3], ["spend", "put flow", "send sms"]);
    let pending = kept(&effects).clone();
    assert_eq!(
        requested.challenge.map(|challenge| challenge.hash()),
        Some(pending.id)
    );
    let (digits, number) = crate::support::texted(&effects);
    assert_eq!(number, Some(NUMBER));
    // Then the code attaches what waited for it.
    let typed = CodeTyped {
        pending: Some(pending),
        user: Some(user),
        typed: Typed {
            kind: FactorKind::Sms,
            text: Secret::new(digits),
            apps: Vec::new(),
        },
        trust_device: false,
        verdict: Verdict::Allowed,
        tries_left: Verdict::Allowed,
        taken: taken(),
    };
    let event = LoginEvent::CodeTyped(Box::new(typed));
    let step = domain::flow::login::step(Login::Start, event, &mut scene.cx());
    let Ok(Advanced {
        next: Login::Opened(token),
        effects,
    }) = step
    else {
        panic!("not opened: {step:?}")
    };
    assert_eq!(
        story(&effects),
        [
            "commit",
            "spend",
            "identity.linked",
            "open session",
            "give back",
            "login.succeeded"
        ]
    );
    assert_eq!(subjects(committed(&effects)), ["7"]);
    assert_eq!(token.session.factors, [Factor::Password, Factor::Sms]);
}

fn declined(facts: Box<JoinFacts>, newcomers: bool) -> JoiningEvent {
    JoiningEvent::Declined { facts, newcomers }
}

#[test]
fn where_only_known_users_come_in_nobody_becomes_one_by_declining() {
    let mut scene = Scene::new();
    let flow = offer(&scene, &ann());
    let event = declined(facts(Some(flow), Some(ann())), false);
    let step = step_on(Joining::Start, event, &mut scene);
    assert_refused(step, &Denial::UserUnknown, &["provider.refused"]);
}

#[test]
fn whoever_declines_becomes_a_user_of_their_own() {
    let mut scene = Scene::new();
    let flow = offer(&scene, &ann());
    let event = declined(facts(Some(flow.clone()), Some(ann())), true);
    let Ok(Advanced {
        next: Joining::Seal(separate),
        ..
    }) = step_on(Joining::Start, event, &mut scene)
    else {
        panic!("not declined")
    };
    assert_eq!(separate.sealed_for, ann().key);
    assert!(separate.waits(&scene.cx()) == Waits::No);
    let event = JoiningEvent::Sealed {
        sealed: Some(sealed("for the new one")),
        sending: sending(),
    };
    let (token, effects) = logged_in(step_on(Joining::Seal(separate), event, &mut scene));
    assert_eq!(story(&effects)[..2], ["create", "spend"]);
    let user = token.user;
    assert_ne!(user.key, ann().key);
    assert_eq!((user.email, user.username, user.password), (None, None, None));
    let identity = &user.identities[0];
    assert_ne!(identity.id, crate::support::identity("7").id);
    assert_eq!(user.credentials[0].identity, identity.id);
    assert_eq!(user.credentials[0].tokens, sealed("for the new one"));
}

#[test]
fn answers_out_of_turn_mean_nothing() {
    let mut scene = Scene::new();
    for event in [
        JoiningEvent::PasswordChecked(Verified::Right),
        JoiningEvent::Ready(sending()),
        JoiningEvent::Sealed {
            sealed: None,
            sending: sending(),
        },
    ] {
        assert_refused(
            step_on(Joining::Start, event, &mut scene),
            &Denial::Unexpected,
            &[],
        );
    }
    assert!(Phone::parse(NUMBER).is_some());
}
