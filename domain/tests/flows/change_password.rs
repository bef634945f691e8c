//! "Change the password".

use domain::credential::{Password, PasswordFault};
use domain::error::Denial;
use domain::flow::change_password::{ChangePassword, ChangePasswordEvent, step};
use domain::flow::{Advanced, Effect, Step};
use domain::flow_record::FlowKind;
use domain::id::SessionId;
use domain::limits::Verdict;
use domain::ports::Verified;
use domain::user::User;

use crate::support::{
    LIMIT, NO, Scene, ann, assert_refused, committed, limited, new_hash, new_password, refusal, story, taken,
};

fn asked(new: Password, verdict: Verdict) -> ChangePasswordEvent {
    ChangePasswordEvent::Asked {
        user: Box::new(ann()),
        new,
        verdict,
        taken: taken(),
    }
}

fn checked(verified: Verified) -> ChangePasswordEvent {
    ChangePasswordEvent::CurrentChecked {
        user: Box::new(ann()),
        verified,
    }
}

fn hashed() -> ChangePasswordEvent {
    ChangePasswordEvent::NewHashed {
        user: Box::new(ann()),
        session: SessionId::new("mine"),
        hash: new_hash(),
    }
}

fn run(state: ChangePassword, event: ChangePasswordEvent) -> Step<ChangePassword> {
    step(state, event, &mut Scene::new().cx())
}

#[test]
fn a_limit_refuses_before_the_current_password_is_compared() {
    assert_refused(
        run(ChangePassword::Start, asked(new_password(), NO)),
        &limited(),
        &[LIMIT],
    );
}

#[test]
fn a_password_nobody_may_choose_is_no_guess_at_the_current_one() {
    let refused = refusal(run(
        ChangePassword::Start,
        asked(Password::typed("short"), Verdict::Allowed),
    ));
    assert!(
        matches!(
            refused.denial,
            Denial::PasswordRefused {
                fault: PasswordFault::TooShort,
                ..
            }
        ),
        "{:?}",
        refused.denial
    );
    assert_eq!(story(&refused.effects), ["give back"]);
}

#[test]
fn a_password_that_may_be_chosen_waits_for_the_proof() {
    let advanced = run(ChangePassword::Start, asked(new_password(), Verdict::Allowed)).expect("admitted");
    assert!(matches!(advanced.next, ChangePassword::CheckCurrent(counters) if counters == taken()));
    assert!(advanced.effects.is_empty());
}

#[test]
fn a_wrong_current_password_is_refused_and_stays_counted() {
    let step = run(ChangePassword::CheckCurrent(taken()), checked(Verified::Wrong));
    assert_refused(step, &Denial::CurrentPasswordWrong, &["password.proof_failed"]);
}

#[test]
fn a_right_current_password_gives_its_try_back() {
    use domain::credential::PasswordHash;
    for verified in [
        Verified::Right,
        Verified::RightAndRehashed(PasswordHash::new("x")),
    ] {
        let advanced = run(ChangePassword::CheckCurrent(taken()), checked(verified)).expect("proven");
        assert!(matches!(advanced.next, ChangePassword::HashNew));
        assert_eq!(advanced.effects, [Effect::GiveBack(taken())]);
    }
}

fn done() -> (User, Vec<Effect>) {
    match run(ChangePassword::HashNew, hashed()) {
        Ok(Advanced {
            next: ChangePassword::Done(user),
            effects,
        }) => (*user, effects),
        other => panic!("not done: {other:?}"),
    }
}

#[test]
fn a_new_password_ends_everything_the_old_one_opened_or_began() {
    let (user, effects) = done();
    assert_eq!(
        story(&effects),
        [
            "commit",
            "drop flows",
            "drop flows",
            "drop flows",
            "clear sessions",
            "password.changed",
            "send mail"
        ]
    );
    assert_eq!(user.password, Some(new_hash()));
    for kind in [
        FlowKind::PendingLogin,
        FlowKind::ResetPassword,
        FlowKind::ConfirmPhone,
    ] {
        assert!(effects.contains(&Effect::DropFlows(ann().key, kind)), "{kind:?}");
    }
    assert!(!effects.contains(&Effect::DropFlows(ann().key, FlowKind::ConfirmEmail)));
}

#[test]
fn the_session_that_changed_the_password_lives_on_and_no_other() {
    let (_, effects) = done();
    let next = committed(&effects);
    assert!(next.honours(ann().session_epoch, &SessionId::new("mine")));
    assert!(!next.honours(ann().session_epoch, &SessionId::new("another")));
    let cleared = Effect::ClearSessions {
        user: ann().key,
        spare: Some(SessionId::new("mine")),
    };
    assert!(effects.contains(&cleared));
}

#[test]
fn nothing_but_the_password_changes() {
    let (_, effects) = done();
    let next = committed(&effects);
    assert_eq!(
        (&next.email, &next.phone, &next.attributes),
        (&ann().email, &ann().phone, &ann().attributes)
    );
}

#[test]
fn no_step_is_skipped() {
    let pairs = [
        (ChangePassword::Start, checked(Verified::Right)),
        (ChangePassword::Start, hashed()),
        (ChangePassword::CheckCurrent(taken()), hashed()),
        (ChangePassword::HashNew, checked(Verified::Right)),
        (
            ChangePassword::Done(Box::new(ann())),
            asked(new_password(), Verdict::Allowed),
        ),
    ];
    for (state, event) in pairs {
        assert_refused(run(state, event), &Denial::Unexpected, &[]);
    }
}
