//! "Change or delete one's own record".

use domain::credential::Password;
use domain::error::Denial;
use domain::flow::change_profile::{
    ChangeProfile, ChangeProfileEvent, Draft, Field, Mails, ProfileChange, step,
};
use domain::flow::{Advanced, Effect, Step};
use domain::flow_record::FlowKind;
use domain::id::SessionId;
use domain::limits::Verdict;
use domain::ports::{UniqueKey, Verified};
use domain::user::{Attributes, Email, Phone, User, Username};
use serde_json::json;

/// The counters for mails allow all of them.
const MAILS: Mails = Mails {
    verify: Verdict::Allowed,
    tell: Verdict::Allowed,
};

use crate::support::{
    LIMIT, NO, NUMBER, Scene, ann, ann_with_factor, assert_refused, committed, limited, new_hash,
    new_password, refusal, session, story, taken,
};

/// Long ago, so that the session proves nothing.
const STALE: i64 = 3_000;

fn set(text: &str) -> Field {
    Field::Set(text.to_owned())
}

fn ask(scene: &mut Scene, user: &User, age: i64, change: ProfileChange) -> Step<ChangeProfile> {
    let event = ChangeProfileEvent::Asked {
        user: Box::new(user.clone()),
        session: Box::new(session(user, age)),
        change: Box::new(change),
        mail: MAILS,
    };
    step(ChangeProfile::Start, event, &mut scene.cx())
}

fn done(step: Step<ChangeProfile>) -> (User, Vec<Effect>) {
    match step {
        Ok(Advanced {
            next: ChangeProfile::Done(user),
            effects,
        }) => (*user, effects),
        other => panic!("not done: {other:?}"),
    }
}

fn to_be_proven(step: Step<ChangeProfile>) -> Box<Draft> {
    match step {
        Ok(Advanced {
            next: ChangeProfile::CheckProof(draft),
            effects,
        }) if effects.is_empty() => draft,
        other => panic!("no proof asked for: {other:?}"),
    }
}

fn prove(scene: &mut Scene, draft: Box<Draft>, verified: Verified, verdict: Verdict) -> Step<ChangeProfile> {
    let event = ChangeProfileEvent::ProofChecked {
        verdict,
        verified,
        taken: taken(),
    };
    step(ChangeProfile::CheckProof(draft), event, &mut scene.cx())
}

fn current(change: ProfileChange) -> ProfileChange {
    ProfileChange {
        current_password: Some(Password::typed("the current one")),
        ..change
    }
}

fn email(text: &str) -> ProfileChange {
    ProfileChange {
        email: set(text),
        ..ProfileChange::default()
    }
}

fn phone(field: Field) -> ProfileChange {
    ProfileChange {
        phone: field,
        ..ProfileChange::default()
    }
}

fn password() -> ProfileChange {
    ProfileChange {
        password: Some(new_password()),
        ..ProfileChange::default()
    }
}

fn replacement() -> ProfileChange {
    ProfileChange {
        replace: true,
        email: set("ann@example.com"),
        password: Some(Password::typed("the current one")),
        ..ProfileChange::default()
    }
}

#[test]
fn attributes_and_username_change_on_the_word_of_the_session() {
    let change = ProfileChange {
        username: set("ann"),
        attributes: [("colour".to_owned(), json!("red"))].into_iter().collect(),
        ..ProfileChange::default()
    };
    let (user, effects) = done(ask(&mut Scene::new(), &ann(), STALE, change));
    assert_eq!(story(&effects), ["commit", "user.changed"]);
    assert_eq!(user.username, Username::parse("ann"));
    assert_eq!(user.attributes.as_map().get("colour"), Some(&json!("red")));
    assert_eq!(
        user.session_epoch,
        ann().session_epoch,
        "nobody is logged out by it"
    );
    assert_eq!(committed(&effects).modified, Scene::new().now);
}

#[test]
fn a_patch_lays_over_and_a_replacement_replaces() {
    let red = json!({"colour": "red", "size": 4});
    let given = red.as_object().cloned().unwrap_or_default();
    let user = User {
        username: Username::parse("ann"),
        attributes: Attributes::from_client(given).expect("within bounds"),
        ..ann()
    };
    let blue = || [("colour".to_owned(), json!("blue"))].into_iter().collect();
    let patch = ProfileChange {
        attributes: blue(),
        ..ProfileChange::default()
    };
    let (patched, _) = done(ask(&mut Scene::new(), &user, STALE, patch));
    assert_eq!(patched.attributes.as_map().len(), 2);
    assert!(patched.username.is_some());
    let replace = ProfileChange {
        attributes: blue(),
        username: Field::Clear,
        ..replacement()
    };
    let mut scene = Scene::new();
    let draft = to_be_proven(ask(&mut scene, &user, STALE, replace));
    let (replaced, _) = done(prove(&mut scene, draft, Verified::Right, Verdict::Allowed));
    assert_eq!(replaced.attributes.as_map().len(), 1);
    assert!(replaced.username.is_none());
}

#[test]
fn faults_are_reported_at_once_and_an_address_cannot_go() {
    let change = ProfileChange {
        replace: true,
        email: Field::Clear,
        username: set(" "),
        phone: set("123"),
        ..ProfileChange::default()
    };
    let Denial::Invalid(faults) = refusal(ask(&mut Scene::new(), &ann(), 0, change)).denial else {
        panic!("not invalid")
    };
    let properties: Vec<&str> = faults.iter().map(|fault| fault.property).collect();
    assert_eq!(properties, ["email", "username", "phone", "password"]);
}

#[test]
fn a_fresh_login_stands_for_a_proof_of_contacts_for_five_minutes() {
    for change in [email("new@example.com"), phone(set(NUMBER))] {
        done(ask(&mut Scene::new(), &ann(), 300, change.clone()));
        assert_refused(
            ask(&mut Scene::new(), &ann(), 301, change),
            &Denial::ProofRequired,
            &[],
        );
    }
}

#[test]
fn with_a_second_factor_no_session_is_fresh_enough() {
    for change in [
        email("new@example.com"),
        phone(set("+491709999999")),
        phone(Field::Clear),
    ] {
        let step = ask(&mut Scene::new(), &ann_with_factor(), 0, change);
        assert_refused(step, &Denial::CurrentPasswordRequired, &[]);
    }
}

#[test]
fn a_contact_that_stays_the_same_needs_no_proof() {
    let same = ProfileChange {
        email: set("ANN@example.com"),
        phone: set("+49 170 1234567"),
        ..ProfileChange::default()
    };
    let (user, effects) = done(ask(&mut Scene::new(), &ann_with_factor(), STALE, same));
    assert_eq!(story(&effects), ["commit", "user.changed"]);
    assert_eq!(user.factor_phone, ann_with_factor().factor_phone);
}

#[test]
fn a_password_never_changes_on_the_word_of_a_session() {
    let step = ask(&mut Scene::new(), &ann(), 0, password());
    assert_refused(step, &Denial::PasswordChangeNotAllowed, &[]);
}

#[test]
fn a_password_nobody_may_choose_is_refused_before_the_proof() {
    let change = ProfileChange {
        password: Some(Password::typed("short")),
        ..current(ProfileChange::default())
    };
    let refused = refusal(ask(&mut Scene::new(), &ann(), 0, change));
    assert!(
        matches!(refused.denial, Denial::PasswordRefused { .. }),
        "{:?}",
        refused.denial
    );
}

#[test]
fn a_limit_refuses_before_the_proof_is_judged() {
    let mut scene = Scene::new();
    let draft = to_be_proven(ask(&mut scene, &ann(), STALE, current(email("new@example.com"))));
    let step = prove(&mut scene, draft, Verified::Right, NO);
    assert_refused(step, &limited(), &[LIMIT]);
}

#[test]
fn a_wrong_proof_is_refused_and_stays_counted() {
    let mut scene = Scene::new();
    let draft = to_be_proven(ask(&mut scene, &ann(), 0, current(email("new@example.com"))));
    let step = prove(&mut scene, draft, Verified::Wrong, Verdict::Allowed);
    assert_refused(step, &Denial::CurrentPasswordWrong, &["password.proof_failed"]);
}

#[test]
fn a_changed_address_is_unverified_and_ends_what_the_old_one_opened() {
    let mut scene = Scene::new();
    let verified = User {
        email_verified: true,
        ..ann()
    };
    let draft = to_be_proven(ask(
        &mut scene,
        &verified,
        STALE,
        current(email("new@example.com")),
    ));
    let (user, effects) = done(prove(&mut scene, draft, Verified::Right, Verdict::Allowed));
    assert_eq!(
        story(&effects),
        [
            "commit",
            "user.changed",
            "drop flows",
            "drop flows",
            "drop flows",
            "clear sessions",
            "put flow",
            "send mail",
            "send mail",
            "give back"
        ]
    );
    assert!(!user.email_verified);
    assert_eq!(user.email.as_ref().map(Email::as_str), Some("new@example.com"));
    assert!(user.honours(ann().session_epoch, &SessionId::new("mine")));
    assert!(!user.honours(ann().session_epoch, &SessionId::new("another")));
    for kind in [
        FlowKind::PendingLogin,
        FlowKind::ResetPassword,
        FlowKind::ConfirmPhone,
    ] {
        assert!(effects.contains(&Effect::DropFlows(ann().key, kind)), "{kind:?}");
    }
}

#[test]
fn a_changed_address_gets_its_verification_mail_within_the_budget() {
    let mut scene = Scene::with(|pool| pool.email_verification_required = true);
    let (_, effects) = done(ask(&mut scene, &ann(), 0, email("new@example.com")));
    assert!(story(&effects).ends_with(&[
        "put flow",
        "send mail",
        "email.verification_sent",
        "put flow",
        "send mail"
    ]));
    let event = ChangeProfileEvent::Asked {
        user: Box::new(ann()),
        session: Box::new(session(&ann(), 0)),
        change: Box::new(email("new@example.com")),
        mail: Mails { verify: NO, tell: NO },
    };
    let (_, effects) = done(step(ChangeProfile::Start, event, &mut scene.cx()));
    assert!(!story(&effects).contains(&"send mail"));
}

#[test]
fn only_a_new_address_where_verification_is_required_costs_a_mail() {
    let mut required = Scene::with(|pool| pool.email_verification_required = true);
    let new = email("new@example.com");
    assert!(new.would_send_mail(&ann(), &required.cx()));
    assert!(!new.would_send_mail(&ann(), &Scene::new().cx()));
    for change in [email("ann@example.com"), email("no address"), phone(set(NUMBER))] {
        assert!(!change.would_send_mail(&ann(), &required.cx()));
    }
}

#[test]
fn a_changed_number_is_no_factor_until_it_is_confirmed() {
    let mut scene = Scene::new();
    let change = current(phone(set("+491709999999")));
    let draft = to_be_proven(ask(&mut scene, &ann_with_factor(), STALE, change));
    let (user, _) = done(prove(&mut scene, draft, Verified::Right, Verdict::Allowed));
    assert_eq!(
        user.factor_phone,
        Phone::parse(NUMBER),
        "the old one still takes the codes"
    );
    assert!(!user.phone_is_confirmed());
}

#[test]
fn a_removed_number_is_no_factor_any_more() {
    let mut scene = Scene::new();
    let draft = to_be_proven(ask(
        &mut scene,
        &ann_with_factor(),
        STALE,
        current(phone(Field::Clear)),
    ));
    let (user, _) = done(prove(&mut scene, draft, Verified::Right, Verdict::Allowed));
    assert!(user.phone.is_none() && user.factor_phone.is_none());
}

#[test]
fn a_proven_new_password_is_hashed_and_ends_the_other_sessions() {
    let mut scene = Scene::new();
    let draft = to_be_proven(ask(&mut scene, &ann(), STALE, current(password())));
    let advanced = prove(&mut scene, draft, Verified::Right, Verdict::Allowed).expect("proven");
    assert_eq!(advanced.effects, [Effect::GiveBack(taken())]);
    assert!(matches!(advanced.next, ChangeProfile::HashNew(_)));
    let (user, effects) = done(step(
        advanced.next,
        ChangeProfileEvent::NewHashed(new_hash()),
        &mut scene.cx(),
    ));
    assert_eq!(
        story(&effects)[..3],
        ["commit", "user.changed", "password.changed"]
    );
    assert_eq!(user.password, Some(new_hash()));
    assert!(!user.honours(ann().session_epoch, &SessionId::new("another")));
}

#[test]
fn a_pool_may_refuse_every_password_change_here() {
    let mut scene = Scene::with(|pool| pool.reject_password_changes_via_patch_or_replace = true);
    let step = ask(&mut scene, &ann(), 0, current(password()));
    assert_refused(step, &Denial::PasswordChangeNotAllowed, &[]);
    to_be_proven(ask(&mut scene, &ann(), 0, replacement()));
}

#[test]
fn a_replacement_that_repeats_the_password_changes_none_and_logs_nobody_out() {
    let mut scene = Scene::new();
    let draft = to_be_proven(ask(&mut scene, &ann(), STALE, replacement()));
    let (user, effects) = done(prove(&mut scene, draft, Verified::Right, Verdict::Allowed));
    assert_eq!(story(&effects), ["commit", "user.changed", "give back"]);
    assert_eq!(
        (user.password, user.session_epoch),
        (ann().password, ann().session_epoch)
    );
}

#[test]
fn a_replacement_with_another_password_is_a_change_without_a_proof() {
    let mut scene = Scene::new();
    let draft = to_be_proven(ask(&mut scene, &ann(), 0, replacement()));
    let step = prove(&mut scene, draft, Verified::Wrong, Verdict::Allowed);
    assert_refused(
        step,
        &Denial::PasswordChangeNotAllowed,
        &["password.proof_failed"],
    );
}

#[test]
fn a_replacement_by_a_client_that_knows_no_number_keeps_a_confirmed_one() {
    let mut scene = Scene::new();
    let draft = to_be_proven(ask(&mut scene, &ann_with_factor(), STALE, replacement()));
    let (user, _) = done(prove(&mut scene, draft, Verified::Right, Verdict::Allowed));
    assert!(user.phone_is_confirmed());
    let given = User {
        factor_phone: None,
        ..ann_with_factor()
    };
    let draft = to_be_proven(ask(&mut scene, &given, STALE, replacement()));
    let (user, _) = done(prove(&mut scene, draft, Verified::Right, Verdict::Allowed));
    assert!(user.phone.is_none());
}

#[test]
fn a_taken_key_is_told_as_at_sign_up() {
    let state = ChangeProfile::Done(Box::new(ann()));
    let step = step(
        state,
        ChangeProfileEvent::KeyTaken(UniqueKey::Email),
        &mut Scene::new().cx(),
    );
    let Denial::Invalid(faults) = refusal(step).denial else {
        panic!("not invalid")
    };
    assert_eq!((faults[0].property, faults[0].code), ("email", "uniqueness"));
}

#[test]
fn a_deletion_names_the_revision_it_was_asked_on() {
    let event = ChangeProfileEvent::DeletionAsked {
        user: Box::new(ann()),
    };
    let advanced = step(ChangeProfile::Start, event, &mut Scene::new().cx()).expect("deleted");
    assert!(matches!(advanced.next, ChangeProfile::Deleted));
    assert_eq!(story(&advanced.effects), ["delete", "user.deleted"]);
    let gone = Effect::Delete {
        user: ann().key,
        expected: ann().revision,
    };
    assert_eq!(advanced.effects[0], gone);
}

#[test]
fn no_step_is_skipped() {
    let mut scene = Scene::new();
    let draft = to_be_proven(ask(&mut scene, &ann(), STALE, current(password())));
    let pairs = [
        (ChangeProfile::Start, ChangeProfileEvent::NewHashed(new_hash())),
        (
            ChangeProfile::CheckProof(draft),
            ChangeProfileEvent::NewHashed(new_hash()),
        ),
        (
            ChangeProfile::Start,
            ChangeProfileEvent::KeyTaken(UniqueKey::Email),
        ),
        (ChangeProfile::Deleted, ChangeProfileEvent::NewHashed(new_hash())),
    ];
    for (state, event) in pairs {
        assert_refused(step(state, event, &mut scene.cx()), &Denial::Unexpected, &[]);
    }
}
