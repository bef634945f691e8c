//! "Add an authenticator app".

use domain::credential::TotpSecret;
use domain::error::Denial;
use domain::flow::factors::{ChangeFactors, ChangeFactorsEvent, TotpDraft, enrolled, step};
use domain::flow::{Advanced, Effect, Step};
use domain::flow_record::{FlowBody, FlowRecord};
use domain::id::FactorId;
use domain::limits::Verdict;
use domain::message::{MailKind, Notice};
use domain::policy::SecondFactor;
use domain::secret::Secret;
use domain::session::{Factor, Session};
use domain::user::{FactorKind, TOTP_APPS, User};

use crate::support::{
    APP_SECRET, LIMIT, NO, OTHER_SECRET, Scene, ann, ann_with_factor, app, app_secret, assert_refused, bob,
    changed, committed, detail, kept, later_epoch, limited, mailed, proven_session, refusal, sealed, session,
    shown, story, totp_step, with_factors,
};

fn ask(scene: &mut Scene, user: &User, session: Session, name: Option<&str>) -> Step<ChangeFactors> {
    let event = ChangeFactorsEvent::TotpAsked {
        user: Box::new(user.clone()),
        session: Box::new(session),
        name: name.map(str::to_owned),
    };
    step(ChangeFactors::Start, event, &mut scene.cx())
}

fn drafted(step: Step<ChangeFactors>) -> Box<TotpDraft> {
    match step {
        Ok(Advanced {
            next: ChangeFactors::SealTotp(draft),
            effects,
        }) if effects.is_empty() => draft,
        other => panic!("nothing to seal: {other:?}"),
    }
}

/// An enrolment of Ann's, begun now, of the app whose secret is [`APP_SECRET`].
fn enrolment(scene: &Scene) -> FlowRecord {
    let body = FlowBody::EnrolTotp {
        factor: FactorId::new("app"),
        name: "Phone".to_owned(),
        secret: sealed("secret"),
        epoch: ann().session_epoch,
    };
    scene.record(&ann(), "enrolment", domain::time::Lifetime::from_secs(900), body)
}

struct Confirmation {
    user: User,
    session: Session,
    flow: Option<FlowRecord>,
    secret: Option<TotpSecret>,
    typed: Secret,
    verdict: Verdict,
}

/// Everything as it should be.
fn right(scene: &Scene) -> Confirmation {
    Confirmation {
        user: ann(),
        session: session(&ann(), 10),
        flow: Some(enrolment(scene)),
        secret: Some(app_secret(APP_SECRET)),
        typed: shown(APP_SECRET, scene.now),
        verdict: Verdict::Allowed,
    }
}

fn confirm(scene: &mut Scene, facts: Confirmation) -> Step<ChangeFactors> {
    let event = ChangeFactorsEvent::TotpTyped {
        user: Box::new(facts.user),
        session: Box::new(facts.session),
        flow: facts.flow.map(Box::new),
        secret: facts.secret,
        typed: facts.typed,
        verdict: facts.verdict,
    };
    step(ChangeFactors::Start, event, &mut scene.cx())
}

#[test]
fn a_new_secret_is_drawn_for_its_owner_and_kept_nowhere_yet() {
    let mut scene = Scene::new();
    let first = drafted(ask(&mut scene, &ann(), session(&ann(), 10), None));
    let uri = first.uri.clone().expect("a picture");
    for part in ["otpauth://totp/", "Example", "ann"] {
        assert!(uri.expose().contains(part), "{part}");
    }
    let second = drafted(ask(&mut scene, &ann(), session(&ann(), 10), None));
    assert_ne!(first.secret.expose().expose(), second.secret.expose().expose());
    assert_ne!(first.id, second.id);
}

#[test]
fn only_the_sealed_secret_is_kept_until_a_code_confirms_it() {
    let mut scene = Scene::new();
    let draft = drafted(ask(&mut scene, &ann(), session(&ann(), 10), Some(" My phone ")));
    let id = draft.id.clone();
    let event = ChangeFactorsEvent::TotpSealed(sealed("secret"));
    let Ok(Advanced {
        next: ChangeFactors::TotpAwaited(token),
        effects,
    }) = step(ChangeFactors::SealTotp(draft), event, &mut scene.cx())
    else {
        panic!("nothing awaited")
    };
    assert_eq!(story(&effects), ["put flow"]);
    let flow = kept(&effects);
    assert_eq!(flow.id, token.hash());
    assert_eq!(flow.user, Some(ann().key.id));
    assert_eq!(flow.expires.since(scene.now).as_millis(), 900_000);
    assert_eq!(enrolled(flow), Some((&id, &sealed("secret"))));
    let FlowBody::EnrolTotp { name, epoch, .. } = &flow.body else {
        panic!("another flow")
    };
    assert_eq!((name.as_str(), *epoch), ("My phone", ann().session_epoch));
}

#[test]
fn an_enrolment_is_told_from_every_other_flow() {
    let mut scene = Scene::new();
    let pending = scene.waiting(&ann(), "flow");
    assert_eq!(enrolled(&pending), None);
}

#[test]
fn the_first_code_adds_the_app_and_its_owner_is_told() {
    let mut scene = Scene::new();
    let facts = right(&scene);
    let (user, effects) = changed(confirm(&mut scene, facts));
    assert_eq!(story(&effects), ["commit", "spend", "factor.added", "send mail"]);
    assert_eq!(effects[1], Effect::Spend(enrolment(&scene).id));
    assert_eq!(committed(&effects), &user);
    assert_eq!(detail(&effects), Some("totp"));
    let added = &user.factors.totp[0];
    assert_eq!((&added.id, added.name.as_str()), (&FactorId::new("app"), "Phone"));
    assert_eq!(added.secret, sealed("secret"));
    assert_eq!((added.created, added.last_used), (scene.now, None));
    assert_eq!(
        added.last_step,
        totp_step(scene.now),
        "the code that confirmed it opens no login"
    );
    assert_eq!(user.session_epoch, ann().session_epoch, "nobody is logged out");
    let notice = Notice::FactorAdded {
        factor: FactorKind::Totp,
        name: Some("Phone".to_owned()),
    };
    assert_eq!(mailed(&effects), ("ann@example.com", &MailKind::Notice(notice)));
}

#[test]
fn a_pool_without_notices_adds_it_silently() {
    let mut scene = Scene::with(|pool| pool.notices = false);
    let facts = right(&scene);
    let (_, effects) = changed(confirm(&mut scene, facts));
    assert_eq!(story(&effects), ["commit", "spend", "factor.added"]);
}

#[test]
fn a_wrong_first_code_may_be_typed_again() {
    let mut scene = Scene::new();
    for typed in [
        shown(OTHER_SECRET, scene.now),
        shown(APP_SECRET, scene.now.minus(domain::time::Lifetime::from_secs(60))),
        Secret::new("000000"),
        Secret::new(""),
    ] {
        let facts = Confirmation {
            typed,
            ..right(&scene)
        };
        let refused = refusal(confirm(&mut scene, facts));
        assert_eq!(refused.denial, Denial::CodeRefused);
        assert_eq!(story(&refused.effects), ["factor.failed"], "the enrolment stays");
        assert_eq!(detail(&refused.effects), Some("totp:enrolment"));
    }
    let facts = right(&scene);
    changed(confirm(&mut scene, facts));
}

#[test]
fn an_enrolment_of_somebody_else_of_another_epoch_or_kind_is_no_enrolment() {
    let mut scene = Scene::new();
    let foreign = FlowRecord {
        user: Some(bob().key.id),
        ..enrolment(&scene)
    };
    let other = scene.waiting(&ann(), "enrolment");
    let wrong = [
        Confirmation {
            flow: None,
            ..right(&scene)
        },
        Confirmation {
            secret: None,
            ..right(&scene)
        },
        Confirmation {
            flow: Some(foreign),
            ..right(&scene)
        },
        Confirmation {
            flow: Some(other),
            ..right(&scene)
        },
        Confirmation {
            user: later_epoch(&ann()),
            ..right(&scene)
        },
    ];
    for facts in wrong {
        assert_refused(
            confirm(&mut scene, facts),
            &Denial::TokenRefused,
            &["token.refused"],
        );
    }
}

#[test]
fn the_session_that_was_spared_goes_on_with_its_enrolment() {
    let mut scene = Scene::new();
    let mut user = ann();
    user.end_sessions(Some(session(&ann(), 10).id));
    let facts = Confirmation {
        user,
        ..right(&scene)
    };
    changed(confirm(&mut scene, facts));
}

#[test]
fn an_enrolment_waits_a_quarter_of_an_hour() {
    let mut scene = Scene::new();
    scene.pool.fresh_login = domain::time::Lifetime::from_secs(3600);
    let flow = enrolment(&scene);
    for (wait, good) in [(899, true), (1, false)] {
        scene.wait(wait);
        let facts = Confirmation {
            flow: Some(flow.clone()),
            ..right(&scene)
        };
        let step = confirm(&mut scene, facts);
        if good {
            changed(step);
        } else {
            assert_refused(step, &Denial::TokenRefused, &["token.refused"]);
        }
    }
}

#[test]
fn a_limit_refuses_before_a_code_is_judged() {
    let mut scene = Scene::new();
    let facts = Confirmation {
        verdict: NO,
        ..right(&scene)
    };
    assert_refused(confirm(&mut scene, facts), &limited(), &[LIMIT]);
}

#[test]
fn what_a_pool_does_not_offer_is_neither_begun_nor_finished() {
    for mut scene in [
        Scene::with(|pool| pool.factor_kinds = vec![FactorKind::Passkey]),
        Scene::with(|pool| pool.second_factor = SecondFactor::Off),
    ] {
        let asked = ask(&mut scene, &ann(), session(&ann(), 10), None);
        assert_refused(asked, &Denial::FactorNotOffered, &[]);
        let facts = right(&scene);
        assert_refused(confirm(&mut scene, facts), &Denial::FactorNotOffered, &[]);
    }
}

#[test]
fn of_five_apps_there_is_no_sixth() {
    let mut scene = Scene::new();
    let with = |count: usize| {
        with_factors(ann(), |factors| {
            factors.totp = (0..count).map(|number| app(&format!("app {number}"))).collect();
        })
    };
    let proven = |user: &User| proven_session(user, &[Factor::Password, Factor::Totp], 10);
    let full = with(TOTP_APPS);
    let asked = ask(&mut scene, &full, proven(&full), None);
    assert_refused(asked, &Denial::TooManyFactors, &[]);
    let facts = Confirmation {
        session: proven(&full),
        user: full,
        ..right(&scene)
    };
    assert_refused(confirm(&mut scene, facts), &Denial::TooManyFactors, &[]);
    let room = with(TOTP_APPS - 1);
    drafted(ask(&mut scene, &room, proven(&room), None));
}

#[test]
fn a_stale_session_neither_begins_nor_finishes_it() {
    let mut scene = Scene::new();
    let denial = Denial::StepUpRequired {
        methods: vec!["password"],
    };
    let asked = ask(&mut scene, &ann(), session(&ann(), 301), None);
    assert_refused(asked, &denial, &["session.step_up_asked"]);
    let facts = Confirmation {
        session: session(&ann(), 301),
        ..right(&scene)
    };
    assert_refused(confirm(&mut scene, facts), &denial, &["session.step_up_asked"]);
    drafted(ask(&mut scene, &ann(), session(&ann(), 300), None));
}

#[test]
fn who_has_a_factor_adds_another_only_by_proving_it() {
    let mut scene = Scene::new();
    let user = ann_with_factor();
    let by_password = session(&user, 10);
    let denial = Denial::StepUpRequired { methods: vec!["sms"] };
    let refused = refusal(ask(&mut scene, &user, by_password, None));
    assert_eq!(refused.denial, denial);
    assert_eq!(detail(&refused.effects), Some("factors"));
    let by_both = proven_session(&user, &[Factor::Password, Factor::Sms], 10);
    drafted(ask(&mut scene, &user, by_both, None));
}

#[test]
fn a_name_is_short_visible_and_not_empty() {
    let mut scene = Scene::new();
    let long = "x".repeat(64);
    for good in ["Phone", "手机", long.as_str()] {
        drafted(ask(&mut scene, &ann(), session(&ann(), 10), Some(good)));
    }
    let longer = "x".repeat(65);
    for bad in ["", "   ", "a\u{7}b", longer.as_str()] {
        let refused = refusal(ask(&mut scene, &ann(), session(&ann(), 10), Some(bad)));
        let Denial::Invalid(faults) = &refused.denial else {
            panic!("{bad:?}: {refused:?}")
        };
        assert_eq!((faults[0].property, faults[0].code), ("name", "custom.name"));
        assert!(refused.effects.is_empty());
    }
}

#[test]
fn a_secret_is_sealed_only_where_one_was_drawn() {
    let mut scene = Scene::new();
    let event = ChangeFactorsEvent::TotpSealed(sealed("secret"));
    let step = step(ChangeFactors::Start, event, &mut scene.cx());
    assert_refused(step, &Denial::Unexpected, &[]);
}
