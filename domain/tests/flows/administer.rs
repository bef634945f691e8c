//! What administrators do to users.

use domain::audit::Actor;
use domain::error::Denial;
use domain::flow::administer::{Act, AdministerEvent, Administered, step};
use domain::flow::login::{Login, Terms, Wanted};
use domain::flow::recover::{Recover, RecoverEvent};
use domain::flow::sign_up::NewUser;
use domain::flow::verify_contact::VerifyContactEvent;
use domain::flow::{Advanced, Effect};
use domain::id::UserKey;
use domain::limits::Verdict;
use domain::time::Timestamp;
use domain::user::User;

use crate::support::{
    Scene, ann, ann_with_factor, assert_refused, bob, by_password, committed, hour, kept, refusal, sending,
    session, story,
};

fn wish() -> Wanted {
    Wanted::SessionOrCode(Terms::of(hour()))
}

fn boss() -> Actor {
    Actor::User(UserKey::new(ann().key.pool, domain::id::UserId::new("boss")))
}

fn acted(scene: &mut Scene, user: User, act: Act) -> (User, Vec<Effect>) {
    let event = AdministerEvent::Asked {
        user: Box::new(user),
        act,
        by: boss(),
    };
    match step(event, &mut scene.cx()) {
        Ok(Advanced {
            next: Administered::Changed(user),
            effects,
        }) => (*user, effects),
        other => panic!("not changed: {other:?}"),
    }
}

fn wanted(email: Option<&str>, invite: bool, verified: bool) -> AdministerEvent {
    AdministerEvent::Wanted {
        form: Box::new(NewUser {
            email: email.map(str::to_owned),
            username: Some("carol".to_owned()),
            ..NewUser::default()
        }),
        verified,
        invite,
        by: Actor::Operator,
    }
}

#[test]
fn who_is_disabled_has_no_session_and_no_login_left() {
    let mut scene = Scene::new();
    let before = ann();
    let (next, effects) = acted(&mut scene, before.clone(), Act::Disable);
    assert_eq!(
        story(&effects),
        ["commit", "drop flows", "clear sessions", "user.disabled"]
    );
    assert_eq!(committed(&effects), &next);
    assert_eq!(next.disabled, Some(scene.now));
    let mine = session(&before, 60);
    assert!(before.honours(mine.epoch, &mine.id));
    assert!(!next.honours(mine.epoch, &mine.id));
    // Not even one that somebody slipped in afterwards.
    assert!(!next.honours(next.session_epoch, &mine.id));
}

#[test]
fn the_right_password_of_the_disabled_is_a_wrong_one() {
    for user in [ann(), ann_with_factor()] {
        let mut scene = Scene::new();
        let (disabled, _) = acted(&mut scene, user, Act::Disable);
        assert_refused(
            by_password(&mut scene, disabled, wish(), sending()),
            &Denial::LoginFailed,
            &["login.failed"],
        );
    }
}

#[test]
fn who_is_let_in_again_logs_in_again() {
    let mut scene = Scene::new();
    let (disabled, _) = acted(&mut scene, ann(), Act::Disable);
    let (enabled, effects) = acted(&mut scene, disabled, Act::Enable);
    assert_eq!(story(&effects), ["commit", "user.enabled"]);
    let former = session(&ann(), 60);
    assert!(!enabled.honours(former.epoch, &former.id), "ended stays ended");
    let opened = by_password(&mut scene, enabled, wish(), sending());
    assert!(opened.is_ok_and(|advanced| matches!(advanced.next, Login::Opened(_))));
}

#[test]
fn what_is_so_already_changes_nothing() {
    let mut scene = Scene::new();
    let (_, effects) = acted(&mut scene, ann(), Act::Enable);
    assert_eq!(story(&effects), Vec::<&str>::new());
    let (disabled, _) = acted(&mut scene, ann(), Act::Disable);
    scene.wait(60);
    let (again, effects) = acted(&mut scene, disabled.clone(), Act::Disable);
    assert_eq!((again, effects.len()), (disabled, 0));
}

#[test]
fn all_sessions_end_at_once() {
    let (next, effects) = acted(&mut Scene::new(), ann(), Act::EndSessions);
    assert_eq!(
        story(&effects),
        ["commit", "drop flows", "clear sessions", "session.all_ended"]
    );
    assert!(!next.honours(ann().session_epoch, &session(&ann(), 60).id));
    assert_eq!(next.disabled, None);
}

#[test]
fn a_password_link_comes_unproven_and_lives_as_long_as_a_verification() {
    let mut scene = Scene::with(|pool| pool.email_verification_required = true);
    let (_, effects) = acted(&mut scene, bob(), Act::MailPasswordLink);
    assert_eq!(
        story(&effects),
        ["drop flows", "put flow", "send mail", "password.reset_sent"]
    );
    assert_eq!(
        kept(&effects).expires,
        scene.now.plus(scene.pool.verify_token_ttl)
    );
}

#[test]
fn no_link_goes_to_the_disabled_or_to_nowhere() {
    let mut scene = Scene::new();
    let (disabled, _) = acted(&mut scene, bob(), Act::Disable);
    let nowhere = User { email: None, ..bob() };
    for (user, property) in [(disabled, "disabled"), (nowhere, "email")] {
        let event = AdministerEvent::Asked {
            user: Box::new(user),
            act: Act::MailPasswordLink,
            by: boss(),
        };
        let refused = refusal(step(event, &mut scene.cx()));
        assert!(refused.effects.is_empty());
        let Denial::Invalid(faults) = refused.denial else {
            panic!("{:?}", refused.denial)
        };
        assert_eq!(faults[0].property, property);
    }
}

#[test]
fn the_deleted_are_gone_with_the_revision_that_was_seen() {
    let event = AdministerEvent::Asked {
        user: Box::new(ann()),
        act: Act::Delete,
        by: boss(),
    };
    let advanced = step(event, &mut Scene::new().cx()).expect("gone");
    assert!(matches!(advanced.next, Administered::Gone));
    assert_eq!(story(&advanced.effects), ["delete", "user.deleted"]);
}

#[test]
fn who_is_made_has_no_password_and_is_invited() {
    let mut scene = Scene::new();
    for (verified, invite) in [(true, true), (false, true), (true, false)] {
        let event = wanted(Some("carol@example.com"), invite, verified);
        let advanced = step(event, &mut scene.cx()).expect("made");
        let Administered::Made(user) = advanced.next else {
            panic!("nobody was made")
        };
        assert_eq!((user.password, user.email_verified), (None, verified));
        let told = story(&advanced.effects);
        assert_eq!(told[..2], ["create", "user.signed_up"]);
        assert_eq!(told.contains(&"send mail"), invite);
        let who = advanced.effects.iter().find_map(|effect| match effect {
            Effect::Audit(event) => Some((event.actor.clone(), event.network.clone())),
            _ => None,
        });
        assert_eq!(who, Some((Actor::Operator, None)));
    }
}

#[test]
fn all_faults_of_a_new_user_are_told_at_once() {
    let event = AdministerEvent::Wanted {
        form: Box::new(NewUser {
            email: Some("nobody".to_owned()),
            phone: Some("x".to_owned()),
            ..NewUser::default()
        }),
        verified: true,
        invite: true,
        by: boss(),
    };
    let Denial::Invalid(faults) = refusal(step(event, &mut Scene::new().cx())).denial else {
        panic!("taken")
    };
    assert_eq!(faults.len(), 2);
}

#[test]
fn an_administrators_act_says_who_did_it_and_from_where() {
    let (_, effects) = acted(&mut Scene::new(), ann(), Act::Disable);
    let event = effects.iter().find_map(|effect| match effect {
        Effect::Audit(event) => Some(event.clone()),
        _ => None,
    });
    let event = event.expect("written down");
    assert_eq!((event.actor, event.user), (boss(), Some(ann().key)));
    assert!(event.network.is_some());
    assert!(event.at > Timestamp::from_millis(0));
}

#[test]
fn nothing_is_sent_to_the_disabled_whoever_asks() {
    let mut scene = Scene::with(|pool| pool.magic_link = true);
    let (disabled, _) = acted(&mut scene, ann(), Act::Disable);
    let user = || Some(Box::new(disabled.clone()));
    let verify = VerifyContactEvent::EmailAsked {
        user: user(),
        mail: Verdict::Allowed,
    };
    let verified = domain::flow::verify_contact::step(verify, &mut scene.cx()).expect("the usual answer");
    assert_eq!(story(&verified.effects), Vec::<&str>::new());
    let reset = RecoverEvent::Asked {
        user: user(),
        mail: Verdict::Allowed,
    };
    let reset =
        domain::flow::recover::step(Recover::Start, reset, &mut scene.cx()).expect("the usual answer");
    assert_eq!(story(&reset.effects), Vec::<&str>::new());
}
