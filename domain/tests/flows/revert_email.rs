//! "That was not me": the old address sets a change back.

use domain::error::Denial;
use domain::flow::change_profile::{
    ChangeProfile, ChangeProfileEvent, Field, Mails, ProfileChange, step as change,
};
use domain::flow::revert_email::{RevertEmail, RevertEmailEvent, step};
use domain::flow::{Advanced, Effect, Step};
use domain::flow_record::{FlowBody, FlowKind, FlowRecord};
use domain::limits::Verdict;
use domain::message::{MailKind, Notice};
use domain::secret::Token;
use domain::user::{Device, Email, SessionEpoch, User};

use crate::support::{
    LIMIT, NO, NOON, Scene, ann, assert_refused, bob, committed, detail, kept, later_epoch, limited, mailed,
    mailed_link, session, story, verified_ann,
};

/// Ann, whose address somebody changed.
fn moved() -> User {
    User {
        email: Email::parse("mallory@example.com", false),
        email_verified: false,
        ..ann()
    }
}

fn undo(scene: &Scene, address: &str, verified: bool) -> FlowRecord {
    let body = FlowBody::RevertEmail {
        address: address.to_owned(),
        verified,
    };
    scene.record(&ann(), "undo", scene.pool.revert_email_life, body)
}

fn present(
    scene: &mut Scene,
    flow: Option<FlowRecord>,
    user: Option<User>,
    verdict: Verdict,
) -> Step<RevertEmail> {
    let event = RevertEmailEvent::TokenPresented {
        flow: flow.map(Box::new),
        user: user.map(Box::new),
        ways_back: Vec::new(),
        verdict,
    };
    step(event, &mut scene.cx())
}

fn reverted(step: Step<RevertEmail>) -> (User, Vec<Effect>) {
    let Advanced {
        next: RevertEmail::Reverted(user),
        effects,
    } = step.expect("reverted");
    (*user, effects)
}

fn change_address(scene: &mut Scene, user: &User, to: &str) -> Vec<Effect> {
    let event = ChangeProfileEvent::Asked {
        user: Box::new(user.clone()),
        session: Box::new(session(user, 10)),
        change: Box::new(ProfileChange {
            email: Field::Set(to.to_owned()),
            ..ProfileChange::default()
        }),
        mail: Mails {
            verify: Verdict::Allowed,
            tell: Verdict::Allowed,
        },
    };
    change(ChangeProfile::Start, event, &mut scene.cx())
        .expect("changed")
        .effects
}

#[test]
fn the_old_address_is_set_back_and_everybody_is_out() {
    let mut scene = Scene::new();
    let flow = undo(&scene, "ann@example.com", true);
    let (user, effects) = reverted(present(
        &mut scene,
        Some(flow.clone()),
        Some(moved()),
        Verdict::Allowed,
    ));
    let told = story(&effects);
    assert_eq!(told[..2], ["commit", "spend"]);
    assert_eq!(told[told.len() - 2..], ["clear sessions", "email.reverted"]);
    assert!(told[2..told.len() - 2].iter().all(|word| *word == "drop flows"));
    assert_eq!(effects[1], Effect::Spend(flow.id));
    assert_eq!(committed(&effects), &user);
    assert_eq!(user.email, Email::parse("ann@example.com", false));
    assert!(user.email_verified);
    assert_eq!(user.session_epoch, SessionEpoch::new(5));
    assert_eq!(user.spared_session, None, "not even the one that asks");
    assert!(effects.contains(&Effect::ClearSessions {
        user: ann().key,
        spare: None
    }));
}

#[test]
fn whatever_was_begun_under_the_new_address_is_void() {
    let mut scene = Scene::new();
    let flow = undo(&scene, "ann@example.com", true);
    let (_, effects) = reverted(present(&mut scene, Some(flow), Some(moved()), Verdict::Allowed));
    for kind in [
        FlowKind::PendingLogin,
        FlowKind::ResetPassword,
        FlowKind::ConfirmEmail,
        FlowKind::ConfirmPhone,
        FlowKind::MagicLink,
        FlowKind::Exchange,
    ] {
        let gone = Effect::DropFlows(ann().key, kind);
        assert!(effects.contains(&gone), "{kind:?}");
    }
}

#[test]
fn an_address_that_was_never_proven_comes_back_unproven() {
    let mut scene = Scene::new();
    let flow = undo(&scene, "ann@example.com", false);
    let proven = User {
        email_verified: true,
        ..moved()
    };
    let (user, _) = reverted(present(&mut scene, Some(flow), Some(proven), Verdict::Allowed));
    assert!(!user.email_verified);
}

#[test]
fn a_way_back_outlives_every_later_epoch() {
    let mut scene = Scene::new();
    let flow = undo(&scene, "ann@example.com", true);
    let (user, _) = reverted(present(
        &mut scene,
        Some(flow),
        Some(later_epoch(&later_epoch(&moved()))),
        Verdict::Allowed,
    ));
    assert_eq!(user.email, Email::parse("ann@example.com", false));
}

#[test]
fn trusted_devices_are_asked_again_after_it() {
    let mut scene = Scene::new();
    let flow = undo(&scene, "ann@example.com", true);
    let mut user = moved();
    user.devices = std::sync::Arc::new(vec![Device {
        id: domain::id::DeviceId::new("device"),
        token: Token::presented("device").hash(),
        name: None,
        created: NOON,
        last_used: NOON,
        trusted_until: Some(NOON.plus(domain::time::Lifetime::from_secs(9_999_999))),
    }]);
    let (user, _) = reverted(present(&mut scene, Some(flow), Some(user), Verdict::Allowed));
    assert_eq!(user.devices[0].trusted_until, None);
}

#[test]
fn whatever_is_wrong_with_the_token_the_answer_is_the_same() {
    let mut scene = Scene::new();
    let good = undo(&scene, "ann@example.com", true);
    let of_bob = FlowRecord {
        user: Some(bob().key.id),
        ..good.clone()
    };
    let reset = scene.record(
        &ann(),
        "undo",
        scene.pool.revert_email_life,
        FlowBody::ResetPassword {
            epoch: ann().session_epoch,
        },
    );
    let senseless = undo(&scene, "no address", true);
    for (flow, user) in [
        (None, Some(moved())),
        (Some(good.clone()), None),
        (Some(good.clone()), Some(bob())),
        (Some(of_bob), Some(moved())),
        (Some(reset), Some(moved())),
        (Some(senseless), Some(moved())),
    ] {
        assert_refused(
            present(&mut scene, flow, user, Verdict::Allowed),
            &Denial::TokenRefused,
            &["token.refused"],
        );
    }
}

#[test]
fn a_week_is_all_there_is() {
    let mut scene = Scene::new();
    let flow = undo(&scene, "ann@example.com", true);
    scene.wait(604_799);
    reverted(present(
        &mut scene,
        Some(flow.clone()),
        Some(moved()),
        Verdict::Allowed,
    ));
    scene.wait(1);
    assert_refused(
        present(&mut scene, Some(flow), Some(moved()), Verdict::Allowed),
        &Denial::TokenRefused,
        &["token.refused"],
    );
}

#[test]
fn a_limit_refuses_before_the_token_is_judged() {
    let mut scene = Scene::new();
    let flow = undo(&scene, "ann@example.com", true);
    assert_refused(
        present(&mut scene, Some(flow), Some(moved()), NO),
        &limited(),
        &[LIMIT],
    );
}

#[test]
fn the_link_in_the_mail_to_the_old_address_is_what_sets_it_back() {
    let mut scene = Scene::new();
    let effects = change_address(&mut scene, &verified_ann(), "new@example.com");
    let (to, kind) = mailed(&effects);
    assert_eq!(to, "ann@example.com");
    let MailKind::Notice(Notice::EmailChanged { to: shown, life, .. }) = kind else {
        panic!("another mail: {kind:?}")
    };
    assert_eq!(shown, "n•••@example.com", "enough to know it, not to read it");
    assert_eq!(*life, scene.pool.revert_email_life);
    let link = mailed_link(&effects);
    assert!(
        link.starts_with("https://login.example/email/revert?pool=Users&token="),
        "{link}"
    );
    let (_, token) = link.rsplit_once('=').expect("a token");
    let flow = kept(&effects).clone();
    assert_eq!(flow.id, Token::presented(token).hash());
    let changed = committed(&effects).clone();
    let (user, _) = reverted(present(&mut scene, Some(flow), Some(changed), Verdict::Allowed));
    assert_eq!(user.email, verified_ann().email);
    assert!(user.email_verified);
}

#[test]
fn a_pool_without_notices_has_no_way_back() {
    let mut scene = Scene::with(|pool| pool.notices = false);
    let effects = change_address(&mut scene, &verified_ann(), "new@example.com");
    assert!(!story(&effects).contains(&"send mail"));
    assert!(!story(&effects).contains(&"put flow"));
    assert_eq!(detail(&effects), None);
}
