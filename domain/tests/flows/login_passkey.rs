//! "Log in with a passkey": as a second factor, or as the whole login.

use domain::error::Denial;
use domain::flow::Step;
use domain::flow::login::{Login, LoginEvent, PasskeyAnswered, Terms, step};
use domain::flow_record::{FlowRecord, PasskeyPurpose};
use domain::id::PoolName;
use domain::limits::Verdict;
use domain::ports::{PasskeyAssertion, PasskeyFault};
use domain::secret::Token;
use domain::session::AssuranceLevel;
use domain::user::User;

use crate::support::{
    LIMIT, NO, Scene, ann, ann_with_passkey, assert_refused, bob, committed, detail, hour, later_epoch,
    limited, opened, passkey, passkey_call, proven_in, refusal, story, taken, verified_ann, with_factors,
};

/// What the verifier says of Ann's key, one count further.
fn signed() -> PasskeyAssertion {
    PasskeyAssertion {
        credential: "credential of key".to_owned(),
        sign_count: 8,
        user_verified: true,
        backed_up: true,
        material: None,
    }
}

/// An authenticator is asked before anybody knows whose it is.
fn call(scene: &Scene, purpose: PasskeyPurpose) -> FlowRecord {
    FlowRecord {
        user: None,
        ..passkey_call(scene, purpose)
    }
}

fn whole(scene: &Scene) -> PasskeyAnswered {
    PasskeyAnswered {
        call: Some(call(scene, PasskeyPurpose::LogIn)),
        pending: None,
        user: Some(ann_with_passkey()),
        answer: Ok(signed()),
        verdict: Verdict::Allowed,
        taken: taken(),
        terms: Terms::of(hour()),
        trust_device: false,
    }
}

fn second(scene: &mut Scene) -> PasskeyAnswered {
    let pending = scene.waiting(&ann_with_passkey(), "pending");
    let purpose = PasskeyPurpose::SecondFactor { pending: pending.id };
    PasskeyAnswered {
        call: Some(call(scene, purpose)),
        pending: Some(pending),
        ..whole(scene)
    }
}

fn judge(scene: &mut Scene, facts: PasskeyAnswered) -> Step<Login> {
    let event = LoginEvent::PasskeyAnswered(Box::new(facts));
    step(Login::Start, event, &mut scene.cx())
}

/// Asserts that an answer is refused, what is done all the same, and the word the operator reads.
fn assert_not_let_in(scene: &mut Scene, facts: PasskeyAnswered, does: &[&str], word: Option<&str>) {
    let refused = refusal(judge(scene, facts));
    assert_eq!(refused.denial, Denial::LoginFailed, "{word:?}");
    assert_eq!(story(&refused.effects), does, "{word:?}");
    assert_eq!(detail(&refused.effects), word);
}

const SPENT: &[&str] = &["drop flow", "factor.failed"];
const FAILED: &[&str] = &["factor.failed"];
const UNVERIFIED: Option<&str> = Some("passkey:user_verification");
const UNKNOWN_CALL: Option<&str> = Some("passkey:unknown_call");

#[test]
fn a_passkey_that_verified_its_user_is_a_whole_login() {
    let mut scene = Scene::new();
    let facts = whole(&scene);
    let (token, effects) = opened(judge(&mut scene, facts));
    assert_eq!(
        story(&effects),
        ["commit", "spend", "open session", "give back", "login.succeeded"]
    );
    assert_eq!(proven_in(&token.session), ["mfa"]);
    assert_eq!(token.session.level(), AssuranceLevel::Aal2);
    assert_eq!(token.session.life, hour());
    assert_eq!(detail(&effects), Some("mfa"));
    let used = &committed(&effects).factors.passkeys[0];
    assert_eq!((used.sign_count, used.backed_up), (8, true));
    assert_eq!(used.last_used, Some(scene.now));
    assert_eq!(used.material, "material of key");
}

#[test]
fn the_verifiers_newer_material_is_kept_with_the_counter_of_the_key_that_signed() {
    let mut scene = Scene::new();
    let user = with_factors(ann_with_passkey(), |factors| {
        factors.passkeys.push(passkey("other"));
    });
    let facts = PasskeyAnswered {
        user: Some(user),
        answer: Ok(PasskeyAssertion {
            credential: "credential of other".to_owned(),
            material: Some("newer".to_owned()),
            ..signed()
        }),
        ..whole(&scene)
    };
    let (token, _) = opened(judge(&mut scene, facts));
    let keys = &token.user.factors.passkeys;
    assert_eq!(
        (keys[0].sign_count, keys[0].material.as_str()),
        (7, "material of key")
    );
    assert_eq!((keys[1].sign_count, keys[1].material.as_str()), (8, "newer"));
    assert_eq!(keys[0].last_used, None);
}

#[test]
fn a_passkey_that_did_not_verify_its_user_is_no_whole_login() {
    let mut scene = Scene::new();
    let facts = PasskeyAnswered {
        answer: Ok(PasskeyAssertion {
            user_verified: false,
            ..signed()
        }),
        ..whole(&scene)
    };
    assert_not_let_in(&mut scene, facts, SPENT, UNVERIFIED);
}

#[test]
fn a_passkey_that_lost_its_right_to_be_a_whole_login_never_gets_it_back_by_verifying() {
    let mut scene = Scene::new();
    let facts = PasskeyAnswered {
        user: Some(with_factors(ann_with_passkey(), |factors| {
            factors.passkeys[0].user_verifying = false;
        })),
        ..whole(&scene)
    };
    assert_not_let_in(&mut scene, facts, SPENT, UNVERIFIED);
}

#[test]
fn a_pool_without_passkey_logins_takes_passkeys_as_second_factors_alone() {
    let mut scene = Scene::with(|pool| pool.passkey_login = false);
    let facts = whole(&scene);
    assert_not_let_in(&mut scene, facts, SPENT, UNVERIFIED);
    let facts = second(&mut scene);
    opened(judge(&mut scene, facts));
}

#[test]
fn a_counter_that_does_not_rise_betrays_a_copy() {
    for (kept, given, opens) in [
        (7, 8, true),
        (7, 4_000_000_000, true),
        (7, 7, false),
        (7, 6, false),
        (7, 0, false),
        (0, 1, true),
        (0, 0, true),
    ] {
        let mut scene = Scene::new();
        let user = with_factors(ann_with_passkey(), |factors| {
            factors.passkeys[0].sign_count = kept;
        });
        let answer = PasskeyAssertion {
            sign_count: given,
            ..signed()
        };
        for facts in [whole(&scene), second(&mut scene)] {
            let facts = PasskeyAnswered {
                user: Some(user.clone()),
                answer: Ok(answer.clone()),
                ..facts
            };
            if opens {
                opened(judge(&mut scene, facts));
            } else {
                let does = ["drop flow", "factor.passkey_counter_fell"];
                assert_not_let_in(&mut scene, facts, &does, None);
            }
        }
    }
}

#[test]
fn an_answer_that_comes_twice_at_one_moment_betrays_no_copy_and_leaves_the_call_to_the_first() {
    let mut scene = Scene::new();
    let now = scene.now;
    let user = with_factors(ann_with_passkey(), |factors| {
        factors.passkeys[0].sign_count = signed().sign_count;
        factors.passkeys[0].last_used = Some(now);
    });
    for facts in [whole(&scene), second(&mut scene)] {
        let facts = PasskeyAnswered {
            user: Some(user.clone()),
            ..facts
        };
        assert_not_let_in(&mut scene, facts, &["factor.failed"], Some("passkey:repeated"));
    }
}

#[test]
fn every_fault_of_an_answer_is_one_answer_and_spends_the_challenge() {
    for (fault, word) in [
        (PasskeyFault::Malformed, "passkey:malformed"),
        (PasskeyFault::Challenge, "passkey:challenge"),
        (PasskeyFault::Origin, "passkey:origin"),
        (PasskeyFault::Signature, "passkey:signature"),
        (PasskeyFault::UserVerification, "passkey:user_verification"),
        (PasskeyFault::UnknownKey, "passkey:unknown_key"),
        (PasskeyFault::Refused, "passkey:refused"),
    ] {
        let mut scene = Scene::new();
        for facts in [whole(&scene), second(&mut scene)] {
            let facts = PasskeyAnswered {
                answer: Err(fault),
                ..facts
            };
            assert_not_let_in(&mut scene, facts, SPENT, Some(word));
        }
    }
}

#[test]
fn a_key_that_its_user_does_not_have_proves_nobody() {
    let mut scene = Scene::new();
    for stranger in [ann(), bob()] {
        let facts = PasskeyAnswered {
            user: Some(stranger),
            ..whole(&scene)
        };
        assert_not_let_in(&mut scene, facts, SPENT, Some("passkey:unknown_key"));
    }
}

#[test]
fn an_answer_to_no_live_call_is_refused() {
    let mut scene = Scene::new();
    let good = whole(&scene);
    let record = good.call.clone().expect("a call");
    let other_pool = FlowRecord {
        pool: PoolName::new("Staff"),
        ..record.clone()
    };
    let other_flow = scene.waiting(&ann_with_passkey(), "call");
    let expired = FlowRecord {
        expires: scene.now,
        ..record
    };
    for call in [None, Some(other_pool), Some(other_flow), Some(expired)] {
        let facts = PasskeyAnswered { call, ..good.clone() };
        assert_not_let_in(&mut scene, facts, FAILED, UNKNOWN_CALL);
    }
    let nobody = PasskeyAnswered { user: None, ..good };
    assert_not_let_in(&mut scene, nobody, FAILED, UNKNOWN_CALL);
}

#[test]
fn a_call_waits_five_minutes_and_no_longer() {
    let mut scene = Scene::new();
    let facts = whole(&scene);
    scene.wait(299);
    opened(judge(&mut scene, facts.clone()));
    scene.wait(1);
    assert_not_let_in(&mut scene, facts, FAILED, UNKNOWN_CALL);
}

#[test]
fn an_answer_for_another_purpose_opens_nothing() {
    let mut scene = Scene::new();
    let register = PasskeyPurpose::Register {
        name: "New".to_owned(),
        epoch: ann().session_epoch,
    };
    let step_up = PasskeyPurpose::StepUp {
        session: Token::presented("my token").hash(),
    };
    for purpose in [register, step_up] {
        let facts = PasskeyAnswered {
            call: Some(call(&scene, purpose)),
            ..whole(&scene)
        };
        assert_not_let_in(&mut scene, facts, FAILED, Some("passkey:other_purpose"));
    }
}

#[test]
fn an_unproven_address_is_not_logged_in_where_proof_is_required() {
    let mut scene = Scene::with(|pool| pool.email_verification_required = true);
    let facts = whole(&scene);
    assert_refused(
        judge(&mut scene, facts.clone()),
        &Denial::EmailNotVerified { user: ann().key.id },
        &["drop flow", "give back", "login.refused_unverified"],
    );
    for proven in [
        User {
            factors: ann_with_passkey().factors,
            ..verified_ann()
        },
        User {
            email: None,
            ..ann_with_passkey()
        },
    ] {
        let facts = PasskeyAnswered {
            user: Some(proven),
            ..facts.clone()
        };
        opened(judge(&mut scene, facts));
    }
}

#[test]
fn a_limit_refuses_before_an_answer_is_judged() {
    let mut scene = Scene::new();
    for user in [Some(ann_with_passkey()), None] {
        let facts = PasskeyAnswered {
            user,
            verdict: NO,
            ..whole(&scene)
        };
        assert_refused(judge(&mut scene, facts), &limited(), &[LIMIT]);
    }
}

#[test]
fn as_a_second_factor_it_spends_the_pending_login_and_its_own_call() {
    let mut scene = Scene::new();
    for (user_verified, name) in [(true, "mfa"), (false, "pop")] {
        let facts = PasskeyAnswered {
            answer: Ok(PasskeyAssertion {
                user_verified,
                ..signed()
            }),
            ..second(&mut scene)
        };
        let (token, effects) = opened(judge(&mut scene, facts));
        assert_eq!(
            story(&effects),
            [
                "commit",
                "spend",
                "spend",
                "open session",
                "give back",
                "login.succeeded"
            ]
        );
        assert_eq!(proven_in(&token.session), ["pwd", name]);
        assert_eq!(token.session.level(), AssuranceLevel::Aal2);
        assert_eq!(token.session.id.as_str(), "session-of-pending");
        assert_eq!(committed(&effects).factors.passkeys[0].sign_count, 8);
    }
}

#[test]
fn a_passkey_that_may_be_no_whole_login_stays_a_second_factor() {
    let mut scene = Scene::new();
    let user = with_factors(ann_with_passkey(), |factors| {
        factors.passkeys[0].user_verifying = false;
    });
    let facts = PasskeyAnswered {
        user: Some(user),
        ..second(&mut scene)
    };
    opened(judge(&mut scene, facts));
}

#[test]
fn a_second_factor_completes_the_pending_login_it_was_asked_for_and_no_other() {
    let mut scene = Scene::new();
    let good = second(&mut scene);
    let other = scene.waiting(&ann_with_passkey(), "other");
    let foreign = FlowRecord {
        id: good.pending.clone().expect("pending").id,
        ..scene.waiting(&bob(), "pending")
    };
    let void = PasskeyAnswered {
        user: Some(later_epoch(&ann_with_passkey())),
        ..good.clone()
    };
    let wrong = [
        PasskeyAnswered {
            pending: None,
            ..good.clone()
        },
        PasskeyAnswered {
            pending: Some(other),
            ..good.clone()
        },
        PasskeyAnswered {
            pending: Some(foreign),
            ..good.clone()
        },
        void,
    ];
    for facts in wrong {
        assert_not_let_in(&mut scene, facts, SPENT, Some("passkey:no_pending_login"));
    }
    opened(judge(&mut scene, good));
}

#[test]
fn a_pending_login_that_is_over_is_completed_by_no_passkey() {
    let mut scene = Scene::new();
    let pending = scene.waiting(&ann_with_passkey(), "pending");
    scene.wait(600);
    let purpose = PasskeyPurpose::SecondFactor { pending: pending.id };
    let facts = PasskeyAnswered {
        call: Some(call(&scene, purpose)),
        pending: Some(pending),
        ..whole(&scene)
    };
    assert_not_let_in(&mut scene, facts, SPENT, Some("passkey:no_pending_login"));
}

#[test]
fn an_authenticator_answers_at_the_start_or_not_at_all() {
    let mut scene = Scene::new();
    let facts = whole(&scene);
    let (token, _) = opened(judge(&mut scene, facts.clone()));
    let event = LoginEvent::PasskeyAnswered(Box::new(facts));
    let state = Login::Opened(Box::new(token));
    assert_refused(step(state, event, &mut scene.cx()), &Denial::Unexpected, &[]);
}
