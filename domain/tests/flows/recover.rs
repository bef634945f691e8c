//! "Recover a forgotten password".

use domain::credential::{Password, PasswordFault};
use domain::error::Denial;
use domain::flow::recover::{Recover, RecoverEvent, step};
use domain::flow::{Advanced, Effect, Step};
use domain::flow_record::{FlowBody, FlowKind, FlowRecord};
use domain::id::{PoolName, SessionId};
use domain::limits::Verdict;
use domain::secret::Token;
use domain::user::{SessionEpoch, User};

use crate::support::{
    LIMIT, NO, Scene, ann, assert_refused, bob, committed, kept, limited, mailed_link, new_hash,
    new_password, refusal, story,
};

fn ask(scene: &mut Scene, user: Option<User>, mail: Verdict) -> Vec<Effect> {
    let event = RecoverEvent::Asked {
        user: user.map(Box::new),
        mail,
    };
    match step(Recover::Start, event, &mut scene.cx()) {
        Ok(Advanced {
            next: Recover::Sent,
            effects,
        }) => effects,
        other => panic!("the answer is the same for everybody: {other:?}"),
    }
}

fn flow(scene: &Scene, user: &User) -> FlowRecord {
    let body = FlowBody::ResetPassword {
        epoch: user.session_epoch,
    };
    scene.record(user, "link", scene.pool.reset_password_token_ttl, body)
}

fn presented(
    flow: Option<FlowRecord>,
    user: Option<User>,
    password: Password,
    verdict: Verdict,
) -> RecoverEvent {
    RecoverEvent::TokenPresented {
        flow: flow.map(Box::new),
        user: user.map(Box::new),
        password,
        verdict,
    }
}

fn hashed(flow: Option<FlowRecord>, user: Option<User>) -> RecoverEvent {
    RecoverEvent::PasswordHashed {
        flow: flow.map(Box::new),
        user: user.map(Box::new),
        hash: new_hash(),
    }
}

#[test]
fn a_reset_mail_goes_to_the_address_with_a_link_made_of_the_configured_one() {
    let mut scene = Scene::new();
    let effects = ask(&mut scene, Some(ann()), Verdict::Allowed);
    assert_eq!(
        story(&effects),
        ["drop flows", "put flow", "send mail", "password.reset_sent"]
    );
    assert_eq!(
        effects[0],
        Effect::DropFlows(ann().key, FlowKind::ResetPassword),
        "a newer link voids the older"
    );
    let (path, token) = mailed_link(&effects)
        .split_once("token=")
        .expect("a link with a token");
    assert_eq!(path, "https://login.example/reset?pool=Users&");
    let record = kept(&effects);
    assert_eq!(record.id, Token::presented(token).hash());
    assert_eq!(
        record.expires,
        scene.now.plus(scene.pool.reset_password_token_ttl)
    );
    let epoch = ann().session_epoch;
    assert_eq!(record.body, FlowBody::ResetPassword { epoch });
}

#[test]
fn nothing_is_sent_to_nobody_beyond_the_budget_or_without_an_address() {
    let silent = [
        (None, Verdict::Allowed),
        (Some(ann()), NO),
        (Some(User { email: None, ..ann() }), Verdict::Allowed),
    ];
    for (user, mail) in silent {
        assert!(ask(&mut Scene::new(), user, mail).is_empty());
    }
}

#[test]
fn an_unverified_address_gets_no_reset_where_verification_is_required() {
    let mut scene = Scene::with(|pool| pool.email_verification_required = true);
    assert!(ask(&mut scene, Some(ann()), Verdict::Allowed).is_empty());
    let verified = User {
        email_verified: true,
        ..ann()
    };
    assert!(!ask(&mut scene, Some(verified), Verdict::Allowed).is_empty());
}

#[test]
fn a_good_token_and_password_go_on_to_the_hasher() {
    let mut scene = Scene::new();
    let event = presented(
        Some(flow(&scene, &ann())),
        Some(ann()),
        new_password(),
        Verdict::Allowed,
    );
    let advanced = step(Recover::Start, event, &mut scene.cx()).expect("good");
    assert!(matches!(advanced.next, Recover::SetPassword) && advanced.effects.is_empty());
}

#[test]
fn a_limit_refuses_before_a_token_is_judged() {
    let mut scene = Scene::new();
    let event = presented(Some(flow(&scene, &ann())), Some(ann()), new_password(), NO);
    assert_refused(step(Recover::Start, event, &mut scene.cx()), &limited(), &[LIMIT]);
}

/// Tokens that are wrong in every way they can be.
fn void(scene: &Scene) -> Vec<(Option<FlowRecord>, Option<User>)> {
    let good = flow(scene, &ann());
    let changed = User {
        session_epoch: SessionEpoch::new(5),
        ..ann()
    };
    let mut abroad = ann();
    abroad.key.pool = PoolName::new("Employees");
    let verification = FlowBody::ConfirmEmail {
        address: "ann@example.com".to_owned(),
    };
    vec![
        (None, None),
        (Some(good.clone()), None),
        (Some(good.clone()), Some(bob())),
        (Some(good), Some(changed)),
        (Some(flow(scene, &abroad)), Some(abroad)),
        (
            Some(scene.record(&ann(), "link", scene.pool.verify_token_ttl, verification)),
            Some(ann()),
        ),
    ]
}

#[test]
fn whatever_is_wrong_with_a_token_the_answer_is_the_same() {
    let mut scene = Scene::new();
    for (flow, user) in void(&scene) {
        let event = presented(flow, user, new_password(), Verdict::Allowed);
        assert_refused(
            step(Recover::Start, event, &mut scene.cx()),
            &Denial::TokenRefused,
            &["token.refused"],
        );
    }
    let late = flow(&scene, &ann());
    scene.wait(900);
    let event = presented(Some(late), Some(ann()), new_password(), Verdict::Allowed);
    assert_refused(
        step(Recover::Start, event, &mut scene.cx()),
        &Denial::TokenRefused,
        &["token.refused"],
    );
}

#[test]
fn a_wrong_token_hears_nothing_about_its_password() {
    let mut scene = Scene::new();
    let event = presented(None, None, Password::typed("short"), Verdict::Allowed);
    assert_refused(
        step(Recover::Start, event, &mut scene.cx()),
        &Denial::TokenRefused,
        &["token.refused"],
    );
}

#[test]
fn a_refused_password_leaves_the_token_good() {
    let mut scene = Scene::new();
    let good = flow(&scene, &ann());
    let event = presented(
        Some(good),
        Some(ann()),
        Password::typed("password"),
        Verdict::Allowed,
    );
    let refused = refusal(step(Recover::Start, event, &mut scene.cx()));
    assert!(
        matches!(
            refused.denial,
            Denial::PasswordRefused {
                fault: PasswordFault::Common,
                ..
            }
        ),
        "{:?}",
        refused.denial
    );
    assert!(refused.effects.is_empty());
}

fn done(step: Step<Recover>) -> (User, Vec<Effect>) {
    match step {
        Ok(Advanced {
            next: Recover::Done(user),
            effects,
        }) => (*user, effects),
        other => panic!("not done: {other:?}"),
    }
}

#[test]
fn a_recovered_account_is_its_owners_alone() {
    let mut scene = Scene::new();
    let good = flow(&scene, &ann());
    let (user, effects) = done(step(
        Recover::SetPassword,
        hashed(Some(good), Some(ann())),
        &mut scene.cx(),
    ));
    assert_eq!(
        story(&effects),
        [
            "commit",
            "drop flow",
            "drop flows",
            "drop flows",
            "clear sessions",
            "password.reset",
            "send mail"
        ]
    );
    let next = committed(&effects);
    assert_eq!(next.password, Some(new_hash()));
    assert!(
        !next.honours(ann().session_epoch, &SessionId::new("any")),
        "no session is spared"
    );
    for kind in [FlowKind::PendingLogin, FlowKind::ConfirmPhone] {
        assert!(effects.contains(&Effect::DropFlows(ann().key, kind)), "{kind:?}");
    }
    assert!(user.email_verified, "the link was read there");
}

#[test]
fn a_second_factor_outlives_a_reset() {
    let mut scene = Scene::new();
    let user = crate::support::ann_with_factor();
    let good = flow(&scene, &user);
    let (next, _) = done(step(
        Recover::SetPassword,
        hashed(Some(good), Some(user.clone())),
        &mut scene.cx(),
    ));
    assert_eq!(next.factor_phone, user.factor_phone);
}

#[test]
fn of_two_resets_the_second_finds_its_link_void() {
    let mut scene = Scene::new();
    let good = flow(&scene, &ann());
    let (next, _) = done(step(
        Recover::SetPassword,
        hashed(Some(good.clone()), Some(ann())),
        &mut scene.cx(),
    ));
    let second = step(
        Recover::SetPassword,
        hashed(Some(good), Some(next)),
        &mut scene.cx(),
    );
    assert_refused(second, &Denial::TokenRefused, &["token.refused"]);
}

#[test]
fn a_token_is_judged_again_after_the_hash() {
    let mut scene = Scene::new();
    for (flow, user) in void(&scene) {
        let step = step(Recover::SetPassword, hashed(flow, user), &mut scene.cx());
        assert_refused(step, &Denial::TokenRefused, &["token.refused"]);
    }
}

#[test]
fn no_step_is_skipped() {
    let mut scene = Scene::new();
    let pairs = [
        (Recover::Start, hashed(None, None)),
        (
            Recover::Sent,
            presented(None, None, new_password(), Verdict::Allowed),
        ),
        (
            Recover::SetPassword,
            presented(None, None, new_password(), Verdict::Allowed),
        ),
        (Recover::Done(Box::new(ann())), hashed(None, None)),
    ];
    for (state, event) in pairs {
        assert_refused(step(state, event, &mut scene.cx()), &Denial::Unexpected, &[]);
    }
}
