//! "Add a passkey".

use domain::error::Denial;
use domain::flow::factors::{ChangeFactors, ChangeFactorsEvent, step};
use domain::flow::login::passkey::PASSKEY_CALL_LIFE;
use domain::flow::{Advanced, Effect, Step};
use domain::flow_record::{FlowBody, FlowRecord, PasskeyPurpose};
use domain::id::PoolName;
use domain::message::{MailKind, Notice};
use domain::policy::SecondFactor;
use domain::ports::{PasskeyFault, RegisteredPasskey};
use domain::secret::Token;
use domain::session::{Factor, Session};
use domain::user::{FactorKind, PASSKEYS, User};

use crate::support::{
    Scene, ann, ann_with_passkey, assert_refused, bob, changed, committed, detail, kept, later_epoch, mailed,
    passkey, passkey_call, proven_session, refusal, session, story, with_factors,
};

fn registered() -> RegisteredPasskey {
    RegisteredPasskey {
        credential: "credential of new".to_owned(),
        material: "material of new".to_owned(),
        sign_count: 3,
        user_verifying: true,
        backup_eligible: true,
        backed_up: false,
    }
}

fn register(scene: &Scene) -> FlowRecord {
    let purpose = PasskeyPurpose::Register {
        name: "Key ring".to_owned(),
        epoch: ann().session_epoch,
    };
    passkey_call(scene, purpose)
}

fn ask(scene: &mut Scene, user: &User, session: Session, name: Option<&str>) -> Step<ChangeFactors> {
    let event = ChangeFactorsEvent::PasskeyAsked {
        user: Box::new(user.clone()),
        session: Box::new(session),
        name: name.map(str::to_owned),
        state: "what the verifier keeps".to_owned(),
    };
    step(ChangeFactors::Start, event, &mut scene.cx())
}

fn add(
    scene: &mut Scene,
    user: &User,
    session: Session,
    flow: Option<FlowRecord>,
    answer: Result<RegisteredPasskey, PasskeyFault>,
) -> Step<ChangeFactors> {
    let event = ChangeFactorsEvent::PasskeyMade {
        user: Box::new(user.clone()),
        session: Box::new(session),
        flow: flow.map(Box::new),
        answer,
    };
    step(ChangeFactors::Start, event, &mut scene.cx())
}

#[test]
fn an_authenticator_is_asked_for_this_user_and_this_epoch() {
    let mut scene = Scene::new();
    for (given, called) in [(None, "Passkey"), (Some(" Key ring "), "Key ring")] {
        let Ok(Advanced {
            next: ChangeFactors::PasskeyAwaited(token),
            effects,
        }) = ask(&mut scene, &ann(), session(&ann(), 10), given)
        else {
            panic!("not asked")
        };
        assert_eq!(story(&effects), ["put flow"]);
        let flow = kept(&effects);
        assert_eq!((flow.id, &flow.user), (token.hash(), &Some(ann().key.id)));
        assert_eq!(flow.expires, scene.now.plus(PASSKEY_CALL_LIFE));
        let FlowBody::Passkey(call) = &flow.body else {
            panic!("another flow")
        };
        let purpose = PasskeyPurpose::Register {
            name: called.to_owned(),
            epoch: ann().session_epoch,
        };
        assert_eq!(call.purpose, purpose);
        assert_eq!(call.state, "what the verifier keeps");
    }
}

#[test]
fn what_the_authenticator_made_is_added_and_its_owner_is_told() {
    let mut scene = Scene::new();
    let flow = register(&scene);
    let step = add(
        &mut scene,
        &ann(),
        session(&ann(), 10),
        Some(flow.clone()),
        Ok(registered()),
    );
    let (user, effects) = changed(step);
    assert_eq!(story(&effects), ["commit", "spend", "factor.added", "send mail"]);
    assert_eq!(effects[1], Effect::Spend(flow.id));
    assert_eq!(committed(&effects), &user);
    assert_eq!(detail(&effects), Some("passkey"));
    let added = &user.factors.passkeys[0];
    assert_eq!(added.name, "Key ring");
    assert_eq!(added.credential, "credential of new");
    assert_eq!(added.material, "material of new");
    assert_eq!((added.sign_count, added.user_verifying), (3, true));
    assert_eq!((added.backup_eligible, added.backed_up), (true, false));
    assert_eq!((added.created, added.last_used), (scene.now, None));
    let notice = Notice::FactorAdded {
        factor: FactorKind::Passkey,
        name: Some("Key ring".to_owned()),
    };
    assert_eq!(mailed(&effects), ("ann@example.com", &MailKind::Notice(notice)));
}

#[test]
fn a_key_that_did_not_verify_its_user_is_kept_as_such() {
    let mut scene = Scene::new();
    let flow = register(&scene);
    let made = RegisteredPasskey {
        user_verifying: false,
        ..registered()
    };
    let (user, _) = changed(add(&mut scene, &ann(), session(&ann(), 10), Some(flow), Ok(made)));
    assert!(!user.factors.passkeys[0].user_verifying);
}

#[test]
fn a_refused_registration_spends_its_challenge() {
    for (fault, word) in [
        (PasskeyFault::Malformed, "passkey:malformed"),
        (PasskeyFault::Challenge, "passkey:challenge"),
        (PasskeyFault::Origin, "passkey:origin"),
        (PasskeyFault::Signature, "passkey:signature"),
        (PasskeyFault::Refused, "passkey:refused"),
    ] {
        let mut scene = Scene::new();
        let flow = register(&scene);
        let step = add(
            &mut scene,
            &ann(),
            session(&ann(), 10),
            Some(flow.clone()),
            Err(fault),
        );
        let refused = refusal(step);
        assert_eq!(refused.denial, Denial::PasskeyRefused);
        assert_eq!(story(&refused.effects), ["drop flow", "factor.failed"]);
        assert_eq!(refused.effects[0], Effect::DropFlow(flow.id));
        assert_eq!(detail(&refused.effects), Some(word));
    }
}

#[test]
fn no_key_is_added_twice() {
    let mut scene = Scene::new();
    let user = ann_with_passkey();
    let proven = proven_session(&user, &[Factor::VerifiedPasskey], 10);
    let flow = register(&scene);
    let made = RegisteredPasskey {
        credential: passkey("key").credential,
        ..registered()
    };
    let refused = refusal(add(&mut scene, &user, proven, Some(flow), Ok(made)));
    assert_eq!(refused.denial, Denial::PasskeyRefused);
    assert_eq!(story(&refused.effects), ["drop flow", "factor.failed"]);
    assert_eq!(detail(&refused.effects), Some("passkey:known_already"));
}

#[test]
fn a_ceremony_of_another_purpose_user_pool_or_epoch_registers_nothing() {
    let mut scene = Scene::new();
    let good = register(&scene);
    let step_up = PasskeyPurpose::StepUp {
        session: Token::presented("my token").hash(),
    };
    let second = PasskeyPurpose::SecondFactor { pending: good.id };
    let wrong = [
        None,
        Some(passkey_call(&scene, PasskeyPurpose::LogIn)),
        Some(passkey_call(&scene, step_up)),
        Some(passkey_call(&scene, second)),
        Some(FlowRecord {
            user: Some(bob().key.id),
            ..good.clone()
        }),
        Some(FlowRecord {
            user: None,
            ..good.clone()
        }),
        Some(FlowRecord {
            pool: PoolName::new("Staff"),
            ..good.clone()
        }),
        Some(FlowRecord {
            expires: scene.now,
            ..good.clone()
        }),
        Some(scene.waiting(&ann(), "call")),
    ];
    let refused = ["token.refused"];
    for flow in wrong {
        let step = add(&mut scene, &ann(), session(&ann(), 10), flow, Ok(registered()));
        assert_refused(step, &Denial::TokenRefused, &refused);
    }
    let later = later_epoch(&ann());
    let step = add(
        &mut scene,
        &later,
        session(&ann(), 10),
        Some(good.clone()),
        Ok(registered()),
    );
    assert_refused(step, &Denial::TokenRefused, &refused);
    let mut spared = ann();
    spared.end_sessions(Some(session(&ann(), 10).id));
    changed(add(
        &mut scene,
        &spared,
        session(&ann(), 10),
        Some(good),
        Ok(registered()),
    ));
}

#[test]
fn what_a_pool_does_not_offer_is_neither_begun_nor_finished() {
    for mut scene in [
        Scene::with(|pool| pool.factor_kinds = vec![FactorKind::Totp]),
        Scene::with(|pool| pool.second_factor = SecondFactor::Off),
    ] {
        let flow = register(&scene);
        let denial = Denial::FactorNotOffered;
        assert_refused(ask(&mut scene, &ann(), session(&ann(), 10), None), &denial, &[]);
        let step = add(
            &mut scene,
            &ann(),
            session(&ann(), 10),
            Some(flow),
            Ok(registered()),
        );
        assert_refused(step, &denial, &[]);
    }
}

#[test]
fn of_twenty_passkeys_there_is_no_further_one() {
    let mut scene = Scene::new();
    let full = with_factors(ann(), |factors| {
        factors.passkeys = (0..PASSKEYS).map(|number| passkey(&number.to_string())).collect();
    });
    let proven = proven_session(&full, &[Factor::VerifiedPasskey], 10);
    let flow = register(&scene);
    let denial = Denial::TooManyFactors;
    assert_refused(ask(&mut scene, &full, proven.clone(), None), &denial, &[]);
    let step = add(&mut scene, &full, proven, Some(flow), Ok(registered()));
    assert_refused(step, &denial, &[]);
}

#[test]
fn a_stale_session_neither_begins_nor_finishes_it() {
    let mut scene = Scene::new();
    let flow = register(&scene);
    let denial = Denial::StepUpRequired {
        methods: vec!["password"],
    };
    let does = ["session.step_up_asked"];
    let stale = session(&ann(), 301);
    assert_refused(ask(&mut scene, &ann(), stale.clone(), None), &denial, &does);
    let step = add(&mut scene, &ann(), stale, Some(flow), Ok(registered()));
    assert_refused(step, &denial, &does);
}

#[test]
fn a_name_nobody_could_read_is_refused() {
    let mut scene = Scene::new();
    let refused = refusal(ask(&mut scene, &ann(), session(&ann(), 10), Some("a\nb")));
    assert!(matches!(refused.denial, Denial::Invalid(_)), "{refused:?}");
}
