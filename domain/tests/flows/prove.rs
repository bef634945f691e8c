//! Proven in one request: passwords for directories, tickets, answers nobody asked for.

use domain::error::Denial;
use domain::flow::authorize::Failure;
use domain::flow::login::directory::Typed;
use domain::flow::prove::{Judging, Prove, ProveEvent, Shown, step};
use domain::flow::{Advanced, Effect, Step};
use domain::flow_record::Purpose;
use domain::limits::Verdict;
use domain::policy::unjudged;
use domain::ports::{Arrival, ProviderFault};
use domain::secret::Secret;
use domain::user::User;

use crate::support::{
    ISSUER, NO, Scene, ann, assert_refused, bob, detail, entry, limited, profile, refusal, session, story,
    taken,
};

const REFUSED: &[&str] = &["provider.refused"];

fn shown(by: &str) -> Shown {
    Shown {
        entry: entry(by),
        caller: None,
        verdict: Verdict::Allowed,
        taken: taken(),
    }
}

fn typed(name: &str, password: &str) -> Typed {
    Typed {
        name: name.to_owned(),
        password: Secret::new(password),
    }
}

fn give(scene: &mut Scene, shown: Shown, typed: Typed) -> Step<Prove> {
    let event = ProveEvent::PasswordGiven {
        shown: Box::new(shown),
        typed,
    };
    step(Prove::Start, event, &mut scene.cx())
}

fn show(scene: &mut Scene, shown: Shown) -> Step<Prove> {
    step(
        Prove::Start,
        ProveEvent::ProofShown(Box::new(shown)),
        &mut scene.cx(),
    )
}

fn judging(step: Step<Prove>) -> Box<Judging> {
    match step {
        Ok(Advanced {
            next: Prove::Judge(judging),
            effects,
        }) if effects.is_empty() => judging,
        other => panic!("not to be judged: {other:?}"),
    }
}

/// A password that a directory is asked about.
fn asked(scene: &mut Scene) -> Prove {
    Prove::Judge(judging(give(scene, shown("ldap"), typed("ann", "secret"))))
}

fn answer(scene: &mut Scene, state: Prove, once: Verdict) -> Step<Prove> {
    let arrival = Arrival::new(ISSUER, "7", profile("ann@example.com", false));
    let event = ProveEvent::Arrived {
        arrival: Box::new(arrival),
        once,
    };
    step(state, event, &mut scene.cx())
}

fn fail(scene: &mut Scene, state: Prove, failure: Failure) -> Step<Prove> {
    step(state, ProveEvent::Failed(failure), &mut scene.cx())
}

fn linking(user: &User, proven_ago: i64) -> Shown {
    Shown {
        caller: Some((user.clone(), session(user, proven_ago))),
        ..shown("ldap-link")
    }
}

#[test]
fn a_right_password_proves_the_account_and_gives_its_try_back() {
    let mut scene = Scene::new();
    let state = asked(&mut scene);
    let Ok(Advanced {
        next: Prove::Proven { proven, purpose },
        effects,
    }) = answer(&mut scene, state, Verdict::Allowed)
    else {
        panic!("not proven");
    };
    assert_eq!((proven.key.subject.as_str(), purpose), ("7", Purpose::LogIn));
    assert_eq!(effects, [Effect::GiveBack(taken())]);
}

#[test]
fn what_is_shown_to_a_directory_is_what_was_typed_without_blanks_around_the_name() {
    let mut scene = Scene::new();
    let judging = judging(give(&mut scene, shown("ldap"), typed(" ann ", " secret ")));
    let shown = judging.typed.expect("something to show");
    assert_eq!(
        (shown.name.as_str(), shown.password.expose()),
        ("ann", " secret ")
    );
}

#[test]
fn no_password_is_shown_to_a_directory_that_it_could_take_for_none() {
    for password in ["", "  ", "\0", "\0secret"] {
        let mut scene = Scene::new();
        let refused = refusal(give(&mut scene, shown("ldap"), typed("ann", password)));
        assert_eq!(refused.denial, Denial::LoginFailed, "{password:?}");
        // The try stays taken.
        assert_eq!(story(&refused.effects), REFUSED);
        assert_eq!(detail(&refused.effects), Some("ldap DIRECTORY_PASSWORD"));
    }
}

#[test]
fn whoever_tries_too_often_is_not_judged() {
    let mut scene = Scene::new();
    for by in ["ldap", "kerberos"] {
        let shown = Shown {
            verdict: NO,
            ..shown(by)
        };
        assert_refused(show(&mut scene, shown), &limited(), &["limit.reached"]);
    }
}

#[test]
fn what_may_be_said_without_the_right_password_is_told_to_the_operator_alone() {
    let faults = [
        ProviderFault::DirectoryPassword,
        ProviderFault::DirectoryLocked,
        ProviderFault::DirectoryAmbiguous,
    ];
    for fault in faults {
        let mut scene = Scene::new();
        let state = asked(&mut scene);
        let refused = refusal(fail(&mut scene, state, Failure::Refused(fault)));
        assert_eq!(refused.denial, Denial::LoginFailed);
        assert_eq!(story(&refused.effects), REFUSED);
        assert_eq!(
            detail(&refused.effects),
            Some(format!("ldap {}", fault.code()).as_str())
        );
    }
}

#[test]
fn what_is_said_of_the_right_password_alone_is_told_to_whoever_gave_it() {
    for fault in ProviderFault::ALL.iter().filter(|fault| fault.may_be_told()) {
        let mut scene = Scene::new();
        let state = asked(&mut scene);
        let denial = Denial::ProviderRefused { fault: *fault };
        assert_refused(
            fail(&mut scene, state, Failure::Refused(*fault)),
            &denial,
            REFUSED,
        );
    }
}

#[test]
fn a_directory_that_judged_nothing_costs_nobody_a_try() {
    for failure in [
        Failure::Unavailable,
        Failure::Refused(ProviderFault::DirectoryRefused),
    ] {
        let mut scene = Scene::new();
        let state = asked(&mut scene);
        let refused = refusal(fail(&mut scene, state, failure));
        assert_eq!(refused.denial, Denial::ProviderUnavailable);
        assert_eq!(
            refused.effects.last(),
            Some(&Effect::GiveBack(unjudged(&taken())))
        );
    }
}

#[test]
fn a_ticket_that_will_not_do_is_told_by_its_code() {
    for fault in [
        ProviderFault::NtlmRefused,
        ProviderFault::TicketRefused,
        ProviderFault::RealmRefused,
    ] {
        let mut scene = Scene::new();
        let state = Prove::Judge(judging(show(&mut scene, shown("kerberos"))));
        let denial = Denial::ProviderRefused { fault };
        assert_refused(fail(&mut scene, state, Failure::Refused(fault)), &denial, REFUSED);
    }
}

#[test]
fn a_proof_that_was_shown_before_proves_nothing() {
    let mut scene = Scene::new();
    let state = Prove::Judge(judging(show(&mut scene, shown("kerberos"))));
    let denial = Denial::ProviderRefused {
        fault: ProviderFault::Replayed,
    };
    assert_refused(answer(&mut scene, state, NO), &denial, REFUSED);
}

#[test]
fn who_links_is_logged_in_and_proved_it_lately() {
    let mut scene = Scene::new();
    assert_refused(
        give(&mut scene, shown("ldap-link"), typed("ann", "secret")),
        &Denial::AuthorizationRequired,
        &[],
    );
    let judged = judging(give(&mut scene, linking(&ann(), 10), typed("ann", "secret")));
    let Ok(Advanced {
        next: Prove::Proven { purpose, .. },
        ..
    }) = answer(&mut scene, Prove::Judge(judged), Verdict::Allowed)
    else {
        panic!("not proven");
    };
    let session = session(&ann(), 10);
    assert_eq!(
        purpose,
        Purpose::Link {
            user: ann().key.id,
            session: session.token,
        }
    );
    let stale = linking(&ann(), 86_400);
    let refused = refusal(give(&mut scene, stale, typed("ann", "secret")));
    assert!(
        matches!(refused.denial, Denial::StepUpRequired { .. }),
        "{refused:?}"
    );
}

#[test]
fn a_user_of_another_pool_links_nothing() {
    let mut scene = Scene::with(|pool| pool.name = domain::id::PoolName::new("Employees"));
    assert_refused(
        show(&mut scene, linking(&bob(), 10)),
        &Denial::AuthorizationRequired,
        &[],
    );
}

#[test]
fn an_event_that_does_not_belong_there_changes_nothing() {
    let mut scene = Scene::new();
    let out_of_place = [
        ProveEvent::Failed(Failure::Unavailable),
        ProveEvent::Arrived {
            arrival: Box::new(Arrival::new(ISSUER, "7", profile("ann@example.com", false))),
            once: Verdict::Allowed,
        },
    ];
    for event in out_of_place {
        assert_refused(
            step(Prove::Start, event, &mut scene.cx()),
            &Denial::Unexpected,
            &[],
        );
    }
}
