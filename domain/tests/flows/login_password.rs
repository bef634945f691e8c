//! "Log in with a password".

use domain::credential::PasswordHash;
use domain::error::Denial;
use domain::flow::login::Terms;
use domain::flow::login::pending::Waits;
use domain::flow::login::{
    Candidate, CodeRequested, Identified, Login, LoginEvent, PasswordChecked, Sending, Wanted, step,
};
use domain::flow::{Advanced, Effect, Step};
use domain::flow_record::{FlowBody, FlowRecord};
use domain::limits::Verdict;
use domain::policy::SecondFactor;
use domain::ports::Verified;
use domain::user::{Phone, User};

use crate::support::{
    LIMIT, NO, NUMBER, Scene, ann, ann_with_factor, assert_refused, awaiting, committed, detail, elsewhere,
    home, hour, kept, limited, opened, refusal, sending, story, taken, texted,
};

fn identified(user: Option<User>, wanted: Wanted, verdict: Verdict) -> LoginEvent {
    LoginEvent::Identified(Box::new(Identified {
        user,
        verdict,
        taken: taken(),
        wanted,
    }))
}

fn checked(verified: Verified) -> PasswordChecked {
    PasswordChecked {
        verified,
        sending: sending(),
    }
}

fn candidate(scene: &mut Scene, user: Option<User>, wanted: Wanted) -> Box<Candidate> {
    let event = identified(user, wanted, Verdict::Allowed);
    match step(Login::Start, event, &mut scene.cx()) {
        Ok(Advanced {
            next: Login::CheckPassword(candidate),
            effects,
        }) if effects.is_empty() => candidate,
        other => panic!("{other:?}"),
    }
}

/// Both steps of a login.
fn log_in(scene: &mut Scene, user: Option<User>, wanted: Wanted, facts: PasswordChecked) -> Step<Login> {
    let candidate = candidate(scene, user, wanted);
    let event = LoginEvent::PasswordChecked(Box::new(facts));
    step(Login::CheckPassword(candidate), event, &mut scene.cx())
}

const SESSION: fn() -> Wanted = || Wanted::Session(Terms::of(hour()));
const CODE: fn() -> Wanted = || Wanted::Code(Terms::of(hour()), None);
const EITHER: fn() -> Wanted = || Wanted::SessionOrCode(Terms::of(hour()));

#[test]
fn a_limit_refuses_before_anything_is_compared() {
    for user in [Some(ann()), None] {
        let event = identified(user, SESSION(), NO);
        let refused = refusal(step(Login::Start, event, &mut Scene::new().cx()));
        assert_eq!(refused.denial, limited());
        assert_eq!(story(&refused.effects), [LIMIT]);
        assert_eq!(
            detail(&refused.effects),
            Some("login-account"),
            "which limit it was"
        );
    }
}

#[test]
fn an_unknown_name_goes_on_to_the_hasher_like_a_known_one() {
    let candidate = candidate(&mut Scene::new(), None, SESSION());
    assert!(candidate.user.is_none());
}

#[test]
fn there_are_no_codes_where_there_is_no_second_factor() {
    let mut scene = Scene::with(|pool| pool.second_factor = SecondFactor::Off);
    let event = identified(Some(ann()), CODE(), Verdict::Allowed);
    assert_refused(
        step(Login::Start, event, &mut scene.cx()),
        &Denial::AuthorizationRequired,
        &[],
    );
}

#[test]
fn unknown_and_wrong_are_one_answer_with_the_same_effects() {
    for wanted in [SESSION(), CODE(), EITHER()] {
        let unknown = log_in(&mut Scene::new(), None, wanted, checked(Verified::Wrong));
        assert_refused(unknown, &Denial::LoginFailed, &["login.failed"]);
        let wrong = log_in(&mut Scene::new(), Some(ann()), wanted, checked(Verified::Wrong));
        assert_refused(wrong, &Denial::LoginFailed, &["login.failed"]);
    }
}

#[test]
fn a_user_without_a_password_has_none_that_is_right() {
    let user = User {
        password: None,
        ..ann()
    };
    let step = log_in(&mut Scene::new(), Some(user), SESSION(), checked(Verified::Right));
    assert_refused(step, &Denial::LoginFailed, &["login.failed"]);
}

#[test]
fn a_right_password_opens_a_session_and_gives_its_try_back() {
    let (token, effects) = opened(log_in(
        &mut Scene::new(),
        Some(ann()),
        SESSION(),
        checked(Verified::Right),
    ));
    assert_eq!(story(&effects), ["open session", "give back", "login.succeeded"]);
    assert!(effects.contains(&Effect::GiveBack(taken())));
    assert!(effects.contains(&Effect::OpenSession(Box::new(token.session.clone()))));
    assert_eq!(token.session.token, token.secret.hash());
    assert_eq!(token.session.user, ann().key);
    assert_eq!(token.session.epoch, ann().session_epoch);
    assert_eq!(token.session.life, hour());
    let factors: Vec<&str> = token.session.factors.iter().map(|factor| factor.name()).collect();
    assert_eq!(factors, ["pwd"]);
}

#[test]
fn two_logins_get_two_tokens_and_two_sessions() {
    let mut scene = Scene::new();
    let (first, _) = opened(log_in(
        &mut scene,
        Some(ann()),
        SESSION(),
        checked(Verified::Right),
    ));
    let (second, _) = opened(log_in(
        &mut scene,
        Some(ann()),
        SESSION(),
        checked(Verified::Right),
    ));
    assert_ne!(first.secret, second.secret);
    assert_ne!(first.session.id, second.session.id);
}

#[test]
fn a_stronger_hash_is_committed_before_the_session_opens() {
    let stronger = PasswordHash::new("stronger");
    let verified = Verified::RightAndRehashed(stronger.clone());
    let (token, effects) = opened(log_in(
        &mut Scene::new(),
        Some(ann()),
        SESSION(),
        checked(verified),
    ));
    assert_eq!(
        story(&effects),
        [
            "commit",
            "password.rehashed",
            "open session",
            "give back",
            "login.succeeded"
        ]
    );
    assert_eq!(committed(&effects).password, Some(stronger));
    assert_eq!(
        committed(&effects).session_epoch,
        ann().session_epoch,
        "nobody is logged out by it"
    );
    assert_eq!(token.user.revision, ann().revision.next());
}

#[test]
fn an_unverified_address_is_told_only_after_a_right_password() {
    let mut scene = Scene::with(|pool| pool.email_verification_required = true);
    let wrong = log_in(&mut scene, Some(ann()), SESSION(), checked(Verified::Wrong));
    assert_refused(wrong, &Denial::LoginFailed, &["login.failed"]);
    let right = log_in(&mut scene, Some(ann()), SESSION(), checked(Verified::Right));
    let denial = Denial::EmailNotVerified { user: ann().key.id };
    assert_refused(right, &denial, &["give back", "login.refused_unverified"]);
}

#[test]
fn an_unverified_address_is_not_told_where_takings_are_hidden() {
    let mut scene = Scene::with(|pool| {
        pool.email_verification_required = true;
        pool.hide_existing = true;
    });
    let right = log_in(&mut scene, Some(ann()), SESSION(), checked(Verified::Right));
    assert_refused(right, &Denial::LoginFailed, &["login.failed"]);
}

#[test]
fn a_verified_address_logs_in_where_verification_is_required() {
    let mut scene = Scene::with(|pool| pool.email_verification_required = true);
    let user = User {
        email_verified: true,
        ..ann()
    };
    let (token, _) = opened(log_in(
        &mut scene,
        Some(user),
        SESSION(),
        checked(Verified::Right),
    ));
    assert!(token.user.email_verified);
}

#[test]
fn a_due_second_factor_opens_nothing_and_names_the_way() {
    let factor = (SecondFactor::Optional, ann_with_factor());
    let number = User {
        phone: Phone::parse(NUMBER),
        ..ann()
    };
    let required = (SecondFactor::Required, number);
    let nothing = (SecondFactor::Required, ann());
    let cases = [
        (factor, vec!["sms"], vec![]),
        (required, vec!["sms"], vec!["totp"]),
        (nothing, vec![], vec!["totp"]),
    ];
    for ((rule, user), methods, enrols) in cases {
        let mut scene = Scene::with(|pool| pool.second_factor = rule);
        let step = log_in(&mut scene, Some(user), SESSION(), checked(Verified::Right));
        let denial = Denial::SecondFactorRequired {
            methods,
            enrols,
            challenge: None,
        };
        assert_refused(step, &denial, &["give back", "login.second_factor_due"]);
    }
}

#[test]
fn a_number_that_was_only_given_makes_no_factor_due() {
    let user = User {
        phone: Phone::parse(NUMBER),
        ..ann()
    };
    opened(log_in(
        &mut Scene::new(),
        Some(user),
        SESSION(),
        checked(Verified::Right),
    ));
}

#[test]
fn a_switched_off_second_factor_is_never_due() {
    let mut scene = Scene::with(|pool| pool.second_factor = SecondFactor::Off);
    opened(log_in(
        &mut scene,
        Some(ann_with_factor()),
        EITHER(),
        checked(Verified::Right),
    ));
}

#[test]
fn a_requested_code_goes_to_the_confirmed_number() {
    let user = User {
        phone: Phone::parse("+491709999999"),
        ..ann_with_factor()
    };
    let step = log_in(&mut Scene::new(), Some(user), CODE(), checked(Verified::Right));
    let (requested, effects) = awaiting(step);
    assert_eq!(
        story(&effects),
        ["put flow", "send sms", "give back", "code.sent"]
    );
    assert_eq!(texted(&effects).1, Some(NUMBER));
    assert_eq!(requested.sent_to.as_deref(), Some("•••• 67"));
    assert_eq!(requested.at, Scene::new().now);
}

#[test]
fn a_code_goes_to_the_given_number_where_none_is_confirmed() {
    let user = User {
        phone: Phone::parse(NUMBER),
        ..ann()
    };
    let (_, effects) = awaiting(log_in(
        &mut Scene::new(),
        Some(user),
        CODE(),
        checked(Verified::Right),
    ));
    assert_eq!(texted(&effects).1, Some(NUMBER));
}

#[test]
fn a_pending_login_remembers_what_the_session_will_need() {
    let mut scene = Scene::new();
    let (requested, effects) = awaiting(log_in(
        &mut scene,
        Some(ann_with_factor()),
        CODE(),
        checked(Verified::Right),
    ));
    let flow = kept(&effects);
    let challenge = requested.challenge.expect("a challenge is handed out");
    assert_eq!(flow.id, challenge.hash());
    assert_eq!((flow.user_key(), flow.created), (Some(ann().key), scene.now));
    assert_eq!(flow.expires, scene.now.plus(scene.pool.pending_login_life));
    let FlowBody::PendingLogin(login) = &flow.body else {
        panic!("{flow:?}")
    };
    assert_eq!(
        (&login.address, login.epoch, login.life),
        (&home(), ann().session_epoch, hour())
    );
    let (digits, _) = texted(&effects);
    assert!(
        login
            .code
            .as_ref()
            .is_some_and(|code| code.accepts(digits, &flow.id, scene.now, &scene.key))
    );
}

#[test]
fn the_login_page_gets_a_code_only_where_one_is_due() {
    opened(log_in(
        &mut Scene::new(),
        Some(ann()),
        EITHER(),
        checked(Verified::Right),
    ));
    awaiting(log_in(
        &mut Scene::new(),
        Some(ann_with_factor()),
        EITHER(),
        checked(Verified::Right),
    ));
}

#[test]
fn without_a_number_a_code_needs_a_sender_that_needs_none() {
    let step = log_in(&mut Scene::new(), Some(ann()), CODE(), checked(Verified::Right));
    assert_refused(step, &Denial::PhoneRequired, &["give back"]);
    let console = PasswordChecked {
        sending: Sending {
            reaches_without_number: true,
            ..sending()
        },
        ..checked(Verified::Right)
    };
    let (requested, effects) = awaiting(log_in(&mut Scene::new(), Some(ann()), CODE(), console));
    assert_eq!(texted(&effects).1, None);
    assert_eq!(requested.sent_to, None);
}

#[test]
fn a_limit_on_messages_gives_the_password_its_try_back() {
    let busy = PasswordChecked {
        sending: Sending {
            verdict: NO,
            ..sending()
        },
        ..checked(Verified::Right)
    };
    let step = log_in(&mut Scene::new(), Some(ann_with_factor()), CODE(), busy);
    assert_refused(step, &limited(), &[LIMIT, "give back"]);
}

#[test]
fn a_stronger_hash_is_committed_before_a_code_is_sent() {
    let verified = Verified::RightAndRehashed(PasswordHash::new("stronger"));
    let (_, effects) = awaiting(log_in(
        &mut Scene::new(),
        Some(ann_with_factor()),
        CODE(),
        checked(verified),
    ));
    assert_eq!(
        story(&effects),
        ["commit", "put flow", "send sms", "give back", "code.sent"]
    );
}

/// Pending logins from these places, oldest first.
fn pending_from(scene: &mut Scene, places: &[bool]) -> Vec<FlowRecord> {
    let user = ann_with_factor();
    let mut pending = Vec::new();
    for (number, at_home) in places.iter().enumerate() {
        scene.origin.address = if *at_home { home() } else { elsewhere() };
        pending.push(scene.pending(&user, &format!("flow {number}")).0);
        scene.wait(1);
    }
    scene.origin.address = home();
    pending
}

fn dropped(places: &[bool]) -> Vec<usize> {
    let mut scene = Scene::new();
    let pending = pending_from(&mut scene, places);
    let ids: Vec<_> = pending.iter().map(|flow| flow.id).collect();
    let facts = PasswordChecked {
        sending: Sending { pending, ..sending() },
        ..checked(Verified::Right)
    };
    let (_, effects) = awaiting(log_in(&mut scene, Some(ann_with_factor()), CODE(), facts));
    let gone = effects.iter().filter_map(|effect| match effect {
        Effect::DropFlow(id) => ids.iter().position(|known| known == id),
        _ => None,
    });
    let mut gone: Vec<usize> = gone.collect();
    gone.sort_unstable();
    gone
}

#[test]
fn a_newer_code_voids_the_older_from_the_same_place_only() {
    assert_eq!(dropped(&[true, false]), [0]);
    assert_eq!(dropped(&[false, false]), Vec::<usize>::new());
}

#[test]
fn of_four_pending_logins_the_oldest_gives_way() {
    assert_eq!(dropped(&[false, false, false]), [0]);
    assert_eq!(dropped(&[false, true, false, false]), [0, 1]);
}

#[test]
fn messages_are_counted_only_when_one_would_go_out() {
    let mut scene = Scene::with(|pool| pool.email_verification_required = true);
    let verified = User {
        email_verified: true,
        ..ann_with_factor()
    };
    let cases = [
        (Some(verified.clone()), CODE(), true),
        (Some(verified.clone()), EITHER(), true),
        (Some(verified), SESSION(), false),
        (Some(ann_with_factor()), CODE(), false),
        (None, CODE(), false),
    ];
    for (user, wanted, sends) in cases {
        let candidate = candidate(&mut scene, user, wanted);
        assert_eq!(
            candidate.waits(&scene.cx()) == Waits::WithCode,
            sends,
            "{wanted:?}"
        );
    }
}

#[test]
fn a_password_is_compared_only_after_somebody_was_named() {
    for state in [Login::Start, Login::AwaitingCode(code_requested())] {
        let event = LoginEvent::PasswordChecked(Box::new(checked(Verified::Right)));
        assert_refused(
            step(state, event, &mut Scene::new().cx()),
            &Denial::Unexpected,
            &[],
        );
    }
}

fn code_requested() -> CodeRequested {
    CodeRequested {
        at: Scene::new().now,
        challenge: None,
        sent_to: None,
        methods: Vec::new(),
        enrols: Vec::new(),
    }
}
