//! Recovery codes made anew; factors named and removed; devices forgotten.

use std::sync::Arc;

use domain::error::Denial;
use domain::flow::factors::{ChangeFactors, ChangeFactorsEvent, step};
use domain::flow::{Advanced, Effect, Step};
use domain::flow_record::FlowKind;
use domain::id::{FactorId, ProviderName, SessionId};
use domain::message::{MailKind, Notice};
use domain::policy::SecondFactor;
use domain::secret::Secret;
use domain::session::{Factor, Session};
use domain::user::{Device, FactorKind, SessionEpoch, User};

use crate::support::{
    NOON, Scene, ann, ann_with_app, ann_with_factor, ann_with_passkey, app, assert_refused, changed,
    committed, detail, device, linked, mailed, passkey, proven_session, refusal, session, story,
    verified_ann, with_codes, with_factors,
};

/// A session in which everything was proven just now.
fn proven(user: &User) -> Session {
    proven_session(user, &[Factor::Password, Factor::Totp], 10)
}

fn run(scene: &mut Scene, event: ChangeFactorsEvent) -> Step<ChangeFactors> {
    step(ChangeFactors::Start, event, &mut scene.cx())
}

fn make_codes(scene: &mut Scene, user: &User, session: Session) -> Step<ChangeFactors> {
    let event = ChangeFactorsEvent::CodesAsked {
        user: Box::new(user.clone()),
        session: Box::new(session),
    };
    run(scene, event)
}

fn rename(scene: &mut Scene, user: &User, factor: &str, name: &str) -> Step<ChangeFactors> {
    let event = ChangeFactorsEvent::RenameAsked {
        user: Box::new(user.clone()),
        session: Box::new(proven(user)),
        factor: FactorId::new(factor),
        name: name.to_owned(),
    };
    run(scene, event)
}

fn remove(scene: &mut Scene, user: &User, factor: &str, doors: &[&str]) -> Step<ChangeFactors> {
    let event = ChangeFactorsEvent::RemovalAsked {
        user: Box::new(user.clone()),
        session: Box::new(proven(user)),
        factor: FactorId::new(factor),
        doors: doors.iter().map(|name| ProviderName::new(*name)).collect(),
    };
    run(scene, event)
}

fn shown_once(step: Step<ChangeFactors>) -> (Vec<Secret>, Vec<Effect>) {
    match step {
        Ok(Advanced {
            next: ChangeFactors::Codes(codes),
            effects,
        }) => (codes, effects),
        other => panic!("no codes: {other:?}"),
    }
}

/// Ann without a password, with a passkey alone.
fn only_a_passkey() -> User {
    User {
        password: None,
        ..ann_with_passkey()
    }
}

#[test]
fn new_codes_void_the_former_and_are_shown_once() {
    let mut scene = Scene::new();
    let (user, former) = with_codes(ann_with_app());
    let (codes, effects) = shown_once(make_codes(&mut scene, &user, proven(&user)));
    assert_eq!(
        story(&effects),
        ["commit", "factor.recovery_codes_made", "send mail"]
    );
    assert_eq!(codes.len(), 10);
    let kept = committed(&effects).factors.recovery.clone().expect("codes");
    assert_eq!((kept.left.len(), kept.created), (10, scene.now));
    assert!(codes.iter().all(|code| kept.without(code.expose()).is_some()));
    assert!(former.iter().all(|code| kept.without(code.expose()).is_none()));
    let notice = Notice::FactorAdded {
        factor: FactorKind::Recovery,
        name: None,
    };
    assert_eq!(mailed(&effects), ("ann@example.com", &MailKind::Notice(notice)));
}

#[test]
fn without_a_factor_there_is_nothing_to_recover() {
    let mut scene = Scene::new();
    for user in [ann(), with_codes(ann()).0] {
        let step = make_codes(&mut scene, &user, proven(&user));
        assert_refused(step, &Denial::FactorNotOffered, &[]);
    }
}

#[test]
fn codes_are_made_only_where_they_are_offered() {
    for mut scene in [
        Scene::with(|pool| pool.factor_kinds = vec![FactorKind::Totp]),
        Scene::with(|pool| pool.second_factor = SecondFactor::Off),
    ] {
        let step = make_codes(&mut scene, &ann_with_app(), proven(&ann_with_app()));
        assert_refused(step, &Denial::FactorNotOffered, &[]);
    }
}

#[test]
fn codes_are_made_only_by_who_proved_the_factor_they_stand_in_for() {
    let mut scene = Scene::new();
    let (user, _) = with_codes(ann_with_app());
    let denial = Denial::StepUpRequired {
        methods: vec!["totp", "recovery"],
    };
    for session in [
        session(&user, 10),
        proven_session(&user, &[Factor::Password, Factor::Totp], 301),
    ] {
        let step = make_codes(&mut scene, &user, session);
        assert_refused(step, &denial, &["session.step_up_asked"]);
    }
}

#[test]
fn an_app_and_a_passkey_get_other_names_and_nothing_else_changes() {
    let mut scene = Scene::new();
    let user = with_factors(ann_with_app(), |factors| factors.passkeys.push(passkey("key")));
    let (renamed, effects) = changed(rename(&mut scene, &user, "app", " Old phone "));
    assert_eq!(story(&effects), ["commit", "factor.renamed"]);
    assert_eq!(committed(&effects), &renamed);
    assert_eq!(renamed.factors.totp[0].name, "Old phone");
    assert_eq!(renamed.factors.passkeys, user.factors.passkeys);
    assert_eq!(renamed.session_epoch, user.session_epoch);
    let (renamed, _) = changed(rename(&mut scene, &user, "id of key", "Key ring"));
    assert_eq!(renamed.factors.passkeys[0].name, "Key ring");
    assert_eq!(renamed.factors.totp, user.factors.totp);
}

#[test]
fn what_is_not_there_is_neither_named_nor_removed() {
    let mut scene = Scene::new();
    let (user, _) = with_codes(ann_with_app());
    for unknown in ["", "other", "recovery", "sms", "name of app"] {
        let denial = Denial::FactorUnknown;
        assert_refused(rename(&mut scene, &user, unknown, "Name"), &denial, &[]);
        assert_refused(remove(&mut scene, &user, unknown, &[]), &denial, &[]);
    }
}

#[test]
fn a_name_that_will_not_do_changes_nothing() {
    let mut scene = Scene::new();
    let long = "x".repeat(65);
    for bad in ["", "  ", "a\tb", long.as_str()] {
        let refused = refusal(rename(&mut scene, &ann_with_app(), "app", bad));
        assert!(matches!(refused.denial, Denial::Invalid(_)), "{bad:?}");
        assert!(refused.effects.is_empty());
    }
}

#[test]
fn whoever_held_a_removed_factor_is_out_and_its_owner_is_told() {
    let mut scene = Scene::new();
    let user = with_factors(ann_with_app(), |factors| factors.totp.push(app("spare")));
    let (next, effects) = changed(remove(&mut scene, &user, "app", &[]));
    assert_eq!(
        story(&effects),
        [
            "commit",
            "drop flows",
            "drop flows",
            "clear sessions",
            "factor.removed",
            "send mail"
        ]
    );
    assert_eq!(committed(&effects), &next);
    let left: Vec<&str> = next.factors.totp.iter().map(|app| app.id.as_str()).collect();
    assert_eq!(left, ["spare"]);
    assert_eq!(next.session_epoch, SessionEpoch::new(5));
    assert_eq!(next.spared_session, Some(SessionId::new("mine")));
    assert_eq!(
        effects[1],
        Effect::DropFlows(user.key.clone(), FlowKind::PendingLogin)
    );
    assert_eq!(
        effects[2],
        Effect::DropFlows(user.key.clone(), FlowKind::Exchange)
    );
    let clear = Effect::ClearSessions {
        user: user.key,
        spare: Some(SessionId::new("mine")),
    };
    assert_eq!(effects[3], clear);
    assert_eq!(detail(&effects), Some("totp"));
    let notice = Notice::FactorRemoved {
        factor: FactorKind::Totp,
        name: Some("name of app".to_owned()),
    };
    assert_eq!(mailed(&effects), ("ann@example.com", &MailKind::Notice(notice)));
}

#[test]
fn the_last_factor_stays_where_one_is_required() {
    let mut scene = Scene::with(|pool| pool.second_factor = SecondFactor::Required);
    let (app_alone, _) = with_codes(ann_with_app());
    assert_refused(
        remove(&mut scene, &app_alone, "app", &[]),
        &Denial::LastFactor,
        &[],
    );
    assert_refused(
        remove(&mut scene, &ann_with_passkey(), "id of key", &[]),
        &Denial::LastFactor,
        &[],
    );
    let with_number = User {
        factor_phone: ann_with_factor().factor_phone,
        ..ann_with_app()
    };
    changed(remove(&mut scene, &with_number, "app", &[]));
}

#[test]
fn the_last_way_in_stays() {
    let mut scene = Scene::new();
    let step = remove(&mut scene, &only_a_passkey(), "id of key", &["google"]);
    assert_refused(step, &Denial::LastWayIn, &[]);
    let (gone, _) = changed(remove(&mut scene, &ann_with_passkey(), "id of key", &[]));
    assert!(gone.factors.passkeys.is_empty(), "a password is a way in");
}

#[test]
fn a_linked_account_is_a_way_in_only_where_its_provider_is_a_door() {
    let mut scene = Scene::new();
    let user = linked(only_a_passkey(), &["7"]);
    for doors in [&[][..], &["github"]] {
        let step = remove(&mut scene, &user, "id of key", doors);
        assert_refused(step, &Denial::LastWayIn, &[]);
    }
    changed(remove(&mut scene, &user, "id of key", &["github", "google"]));
}

#[test]
fn a_mailed_link_is_a_way_in_only_to_a_proven_address() {
    let proven_address = User {
        factors: ann_with_passkey().factors,
        password: None,
        ..verified_ann()
    };
    let mut scene = Scene::with(|pool| pool.magic_link = true);
    changed(remove(&mut scene, &proven_address, "id of key", &[]));
    let step = remove(&mut scene, &only_a_passkey(), "id of key", &[]);
    assert_refused(step, &Denial::LastWayIn, &[]);
    let step = remove(&mut Scene::new(), &proven_address, "id of key", &[]);
    assert_refused(step, &Denial::LastWayIn, &[]);
}

#[test]
fn another_passkey_is_a_way_in_only_if_it_may_be_a_whole_login() {
    let two = with_factors(only_a_passkey(), |factors| {
        factors.passkeys.push(passkey("other"));
    });
    changed(remove(&mut Scene::new(), &two, "id of key", &[]));
    let mut scene = Scene::with(|pool| pool.passkey_login = false);
    let step = remove(&mut scene, &two, "id of key", &[]);
    assert_refused(step, &Denial::LastWayIn, &[]);
    let weak = with_factors(two, |factors| factors.passkeys[1].user_verifying = false);
    let step = remove(&mut Scene::new(), &weak, "id of key", &[]);
    assert_refused(step, &Denial::LastWayIn, &[]);
}

#[test]
fn recovery_codes_go_with_the_last_factor_and_not_before() {
    let mut scene = Scene::new();
    let (two, _) = with_codes(with_factors(ann_with_app(), |factors| {
        factors.passkeys.push(passkey("key"));
    }));
    let (one, _) = changed(remove(&mut scene, &two, "id of key", &[]));
    assert_eq!(one.factors.recovery_codes_left(), 10);
    let (none, effects) = changed(remove(&mut scene, &one, "app", &[]));
    assert!(none.factors.is_empty());
    assert!(committed(&effects).factors.recovery.is_none());
    let (with_number, _) = with_codes(User {
        factor_phone: ann_with_factor().factor_phone,
        ..ann_with_app()
    });
    let (next, _) = changed(remove(&mut scene, &with_number, "app", &[]));
    assert_eq!(next.factors.recovery_codes_left(), 10);
}

#[test]
fn neither_naming_nor_removing_goes_without_a_fresh_proof() {
    let mut scene = Scene::new();
    let user = ann_with_app();
    let denial = Denial::StepUpRequired {
        methods: vec!["totp"],
    };
    let named = ChangeFactorsEvent::RenameAsked {
        user: Box::new(user.clone()),
        session: Box::new(session(&user, 10)),
        factor: FactorId::new("app"),
        name: "Name".to_owned(),
    };
    assert_refused(run(&mut scene, named), &denial, &["session.step_up_asked"]);
    let removed = ChangeFactorsEvent::RemovalAsked {
        user: Box::new(user.clone()),
        session: Box::new(session(&user, 10)),
        factor: FactorId::new("app"),
        doors: Vec::new(),
    };
    assert_refused(run(&mut scene, removed), &denial, &["session.step_up_asked"]);
}

#[test]
fn a_removed_factor_leaves_no_device_trusted() {
    let mut scene = Scene::new();
    let mut user = ann_with_app();
    user.devices = Arc::new(vec![trusted("laptop")]);
    let (next, _) = changed(remove(&mut scene, &user, "app", &[]));
    assert_eq!(next.devices[0].trusted_until, None);
}

/// A device that is trusted for an hour.
fn trusted(text: &str) -> Device {
    Device {
        trusted_until: Some(NOON.plus(domain::time::Lifetime::from_secs(3600))),
        ..device(text)
    }
}

#[test]
fn forgotten_devices_are_all_gone_and_nobody_is_logged_out() {
    let mut scene = Scene::new();
    let mut user = ann_with_app();
    user.devices = Arc::new(vec![trusted("laptop"), trusted("phone")]);
    let event = ChangeFactorsEvent::DevicesForgotten {
        user: Box::new(user.clone()),
    };
    let (next, effects) = changed(run(&mut scene, event));
    assert_eq!(story(&effects), ["commit", "device.forgotten"]);
    assert!(committed(&effects).devices.is_empty());
    assert_eq!(next.session_epoch, user.session_epoch);
}

#[test]
fn a_change_begins_at_the_start_or_not_at_all() {
    let mut scene = Scene::new();
    let event = ChangeFactorsEvent::DevicesForgotten {
        user: Box::new(ann()),
    };
    let state = ChangeFactors::Done(Box::new(ann()));
    assert_refused(step(state, event, &mut scene.cx()), &Denial::Unexpected, &[]);
}
