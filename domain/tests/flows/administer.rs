//! What administrators do to users.

use domain::access::{ADMIN, AccessState, Role, RoleMapping};
use domain::audit::Actor;
use domain::error::Denial;
use domain::flow::administer::{Act, AdministerEvent, Administered, Correction, step};
use domain::flow::change_profile::Field;
use domain::flow::login::{Login, Terms, Wanted};
use domain::flow::recover::{Recover, RecoverEvent};
use domain::flow::sign_up::NewUser;
use domain::flow::verify_contact::VerifyContactEvent;
use domain::flow::{Advanced, Effect};
use domain::id::{RoleId, RoleMappingId, RoleName, UserKey};
use domain::limits::Verdict;
use domain::policy::SecondFactor;
use domain::time::Timestamp;
use domain::user::User;

use crate::support::{
    NOON, Scene, ann, ann_with_factor, assert_refused, bob, by_password, committed, hour, kept, refusal,
    sending, session, story,
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

fn root() -> (User, AccessState) {
    let role = Role {
        id: RoleId::new("r1"),
        name: RoleName::new(ADMIN),
        description: None,
        mappings: Vec::new(),
        created: NOON,
        modified: NOON,
    };
    (
        with_admin(User {
            key: UserKey::new(ann().key.pool, domain::id::UserId::new("boss")),
            ..ann()
        }),
        AccessState::default().with_role(role).expect("a role"),
    )
}

fn with_admin(user: User) -> User {
    let mapping = RoleMapping {
        id: RoleMappingId::new("m1"),
        role: RoleId::new("r1"),
        created: NOON,
    };
    User {
        mappings: vec![mapping].into(),
        ..user
    }
}

fn corrected(
    scene: &mut Scene,
    user: User,
    correction: Correction,
    seconds_ago: i64,
) -> domain::flow::Step<Administered> {
    let (administrator, access) = root();
    let event = AdministerEvent::Corrected {
        user: Box::new(user),
        correction: Box::new(correction),
        session: Box::new(session(&administrator, seconds_ago)),
        administrator: Box::new(administrator),
        access,
    };
    step(event, &mut scene.cx())
}

fn to(address: &str) -> Correction {
    Correction {
        email: Field::Set(address.to_owned()),
        ..Correction::default()
    }
}

#[test]
fn an_address_is_corrected_by_a_fresh_administrator_and_its_owner_is_told() {
    let mut scene = Scene::new();
    let advanced = corrected(&mut scene, ann(), to("anna@example.com"), 60).expect("corrected");
    assert_eq!(
        story(&advanced.effects),
        [
            "commit",
            "user.changed",
            "drop flows",
            "drop flows",
            "drop flows",
            "clear sessions",
            "put flow",
            "send mail",
            "send mail"
        ]
    );
    let next = committed(&advanced.effects);
    assert!(!next.email_verified);
    let mine = session(&ann(), 60);
    assert!(!next.honours(mine.epoch, &mine.id), "no session is spared");
    let by_boss = |effect: &&Effect| matches!(effect, Effect::Audit(event) if event.actor == boss());
    assert_eq!(advanced.effects.iter().filter(by_boss).count(), 1);
    let stale = corrected(&mut scene, ann(), to("anna@example.com"), 86_400);
    let methods = vec!["password"];
    assert_refused(
        stale,
        &Denial::StepUpRequired { methods },
        &["session.step_up_asked"],
    );
}

#[test]
fn an_administrator_may_vouch_for_an_address_or_withdraw_it() {
    let mut scene = Scene::with(|pool| pool.email_verification_required = true);
    let vouched = Correction {
        email_verified: Some(true),
        ..to("anna@example.com")
    };
    let advanced = corrected(&mut scene, ann(), vouched, 60).expect("corrected");
    assert!(committed(&advanced.effects).email_verified);
    let links = kept_kinds(&advanced.effects);
    assert_eq!(links, ["revert_email"], "no link to prove what is vouched for");
    let withdrawn = Correction {
        email_verified: Some(false),
        ..Correction::default()
    };
    let verified = User {
        email_verified: true,
        ..ann()
    };
    let advanced = corrected(&mut scene, verified, withdrawn, 86_400).expect("corrected");
    assert!(!committed(&advanced.effects).email_verified);
    assert_eq!(story(&advanced.effects), ["commit", "user.changed"]);
}

fn kept_kinds(effects: &[Effect]) -> Vec<&'static str> {
    let kept = effects.iter().filter_map(|effect| match effect {
        Effect::PutFlow(flow) => Some(flow.kind().name()),
        _ => None,
    });
    kept.collect()
}

#[test]
fn a_lost_number_is_removed_although_it_was_the_last_factor() {
    let mut scene = Scene::with(|pool| pool.second_factor = SecondFactor::Required);
    let removal = Correction {
        removes_phone: true,
        ..Correction::default()
    };
    let advanced = corrected(&mut scene, ann_with_factor(), removal, 86_400).expect("removed");
    let next = committed(&advanced.effects);
    assert_eq!((&next.phone, &next.factor_phone), (&None, &None));
    assert!(
        story(&advanced.effects).contains(&"send mail"),
        "its owner is told"
    );
    assert!(!next.honours(ann().session_epoch, &session(&ann(), 60).id));
}

#[test]
fn faults_are_told_as_at_an_owners_change() {
    let mut scene = Scene::new();
    for (correction, property) in [
        (to("no address"), "email"),
        (
            Correction {
                email: Field::Clear,
                ..Correction::default()
            },
            "email",
        ),
        (
            Correction {
                username: Field::Set("x@example.com".to_owned()),
                ..Correction::default()
            },
            "username",
        ),
    ] {
        let refused = corrected(&mut scene, ann(), correction, 60).expect_err("refused");
        assert!(
            matches!(&refused.denial, Denial::Invalid(faults) if faults[0].property == property),
            "{refused:?}"
        );
    }
}

#[test]
fn an_administrators_address_is_theirs_alone() {
    let mut scene = Scene::new();
    let peer = with_admin(bob());
    let vouched = Correction {
        email_verified: Some(true),
        ..Correction::default()
    };
    for correction in [to("evil@example.com"), vouched] {
        let refused = corrected(&mut scene, peer.clone(), correction, 60).expect_err("refused");
        assert!(
            matches!(&refused.denial, Denial::Invalid(faults) if faults[0].code == "custom.administrator")
        );
    }
    let name = Correction {
        username: Field::Set("bobby".to_owned()),
        ..Correction::default()
    };
    assert!(corrected(&mut scene, peer, name, 60).is_ok());
}

#[test]
fn who_is_no_administrator_corrects_nobody() {
    let event = AdministerEvent::Corrected {
        user: Box::new(bob()),
        correction: Box::new(to("evil@example.com")),
        administrator: Box::new(ann()),
        session: Box::new(session(&ann(), 60)),
        access: root().1,
    };
    assert_refused(
        step(event, &mut Scene::new().cx()),
        &Denial::AuthorizationRequired,
        &[],
    );
}
