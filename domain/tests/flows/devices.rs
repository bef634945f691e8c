//! Devices: remembered at the door, told of, trusted for a while.

use std::sync::Arc;

use domain::flow::login::{CodeTyped, LinkPresented, Login, LoginEvent, Terms, step};
use domain::flow::second_factor::Typed;
use domain::flow::{Effect, Step};
use domain::flow_record::FlowBody;
use domain::id::FactorId;
use domain::limits::Verdict;
use domain::message::{MailKind, Notice};
use domain::origin::Agent;
use domain::policy::SecondFactor;
use domain::secret::Token;
use domain::session::AccessToken;
use domain::time::Lifetime;
use domain::user::{Attributes, DEVICES, Device, FactorKind, User};

use crate::support::{
    APP_SECRET, NOON, Scene, ann, ann_with_app, app_secret, committed, device, elsewhere, hour, mailed,
    opened, sending, shown, story, taken, verified_ann,
};

const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0";
const MONTH: Lifetime = Lifetime::from_secs(2_592_000);

fn with_devices(user: User, devices: Vec<Device>) -> User {
    User {
        devices: Arc::new(devices),
        ..user
    }
}

/// A pool with mailed links and trusted devices; a browser that shows this token.
fn scene(token: Option<&str>) -> Scene {
    let mut scene = Scene::with(|pool| {
        pool.magic_link = true;
        pool.trust_device = Some(MONTH);
    });
    scene.origin.agent = Agent::of(FIREFOX);
    scene.origin.device = token.map(Token::presented);
    scene
}

/// Logs in with one factor.
fn log_in(scene: &mut Scene, user: &User) -> Step<Login> {
    let body = FlowBody::MagicLink {
        address: "ann@example.com".to_owned(),
        epoch: user.session_epoch,
        return_to: None,
    };
    let facts = LinkPresented {
        flow: Some(scene.record(user, "link", hour_long(), body)),
        user: Some(user.clone()),
        verdict: Verdict::Allowed,
        sending: sending(),
        terms: Terms::of(hour()),
    };
    step(
        Login::Start,
        LoginEvent::LinkPresented(Box::new(facts)),
        &mut scene.cx(),
    )
}

const fn hour_long() -> Lifetime {
    Lifetime::from_secs(3600)
}

/// Logs in with an app's code, and trusts the device.
fn trust(scene: &mut Scene, user: &User) -> (AccessToken, Vec<Effect>) {
    let facts = CodeTyped {
        pending: Some(scene.waiting(user, "flow")),
        user: Some(user.clone()),
        typed: Typed {
            kind: FactorKind::Totp,
            text: shown(APP_SECRET, scene.now),
            apps: vec![(FactorId::new("app"), app_secret(APP_SECRET))],
        },
        verdict: Verdict::Allowed,
        tries_left: Verdict::Allowed,
        taken: taken(),
        trust_device: true,
    };
    let event = LoginEvent::CodeTyped(Box::new(facts));
    opened(step(Login::Start, event, &mut scene.cx()))
}

#[test]
fn the_first_device_is_remembered_and_alarms_nobody() {
    let mut scene = scene(Some("unknown"));
    let (token, effects) = opened(log_in(&mut scene, &verified_ann()));
    assert_eq!(
        story(&effects),
        ["commit", "spend", "open session", "login.succeeded"]
    );
    let kept = &committed(&effects).devices[0];
    assert_eq!(kept.token, token.device.expect("a token").hash());
    assert_eq!(kept.name.as_deref(), Some("Firefox on Linux"));
    assert_eq!((kept.created, kept.last_used), (scene.now, scene.now));
    assert_eq!(kept.trusted_until, None);
}

#[test]
fn a_device_never_keeps_a_token_it_brought_itself() {
    let mut scene = scene(Some("planted"));
    let (token, _) = opened(log_in(&mut scene, &verified_ann()));
    assert!(token.user.device(&Token::presented("planted").hash()).is_none());
}

#[test]
fn a_new_device_beside_a_known_one_is_told_to_the_owner() {
    let mut scene = scene(Some("unknown"));
    let user = with_devices(verified_ann(), vec![device("laptop")]);
    let (token, effects) = opened(log_in(&mut scene, &user));
    assert_eq!(
        story(&effects),
        [
            "commit",
            "spend",
            "open session",
            "device.new",
            "send mail",
            "login.succeeded"
        ]
    );
    let notice = Notice::NewDevice {
        device: Some("Firefox on Linux".to_owned()),
        at: scene.now,
    };
    assert_eq!(mailed(&effects), ("ann@example.com", &MailKind::Notice(notice)));
    assert_eq!(token.user.devices.len(), 2);
}

#[test]
fn a_known_device_is_told_to_nobody_and_written_down_once_a_day() {
    let mut scene = scene(Some("laptop"));
    let user = with_devices(verified_ann(), vec![device("laptop")]);
    scene.wait(86_399);
    let (token, effects) = opened(log_in(&mut scene, &user));
    assert_eq!(story(&effects), ["spend", "open session", "login.succeeded"]);
    assert!(token.device.is_none());
    scene.wait(1);
    let (token, effects) = opened(log_in(&mut scene, &user));
    assert_eq!(story(&effects)[0], "commit");
    assert_eq!(token.user.devices[0].last_used, scene.now);
}

#[test]
fn of_too_many_devices_the_one_unseen_for_longest_gives_way() {
    let mut scene = scene(Some("unknown"));
    let mut devices: Vec<Device> = (0..DEVICES).map(|number| device(&number.to_string())).collect();
    devices[5].last_used = NOON.minus(Lifetime::from_secs(9));
    scene.wait(10);
    let (token, _) = opened(log_in(&mut scene, &with_devices(verified_ann(), devices)));
    assert_eq!(token.user.devices.len(), DEVICES);
    assert!(token.user.device(&Token::presented("5").hash()).is_none());
    assert!(token.user.device(&Token::presented("6").hash()).is_some());
    assert!(
        token
            .user
            .device(&token.device.expect("a token").hash())
            .is_some()
    );
}

#[test]
fn a_client_without_a_token_is_known_by_its_name_and_network_and_given_none() {
    let mut scene = scene(None);
    let (first, _) = opened(log_in(&mut scene, &verified_ann()));
    assert!(first.device.is_none());
    assert_eq!(first.user.devices.len(), 1);
    scene.origin.address = elsewhere();
    let (second, effects) = opened(log_in(&mut scene, &first.user));
    assert_eq!(story(&effects), ["spend", "open session", "login.succeeded"]);
    scene.origin.agent = Agent::of("curl/8.5.0");
    let (_, effects) = opened(log_in(&mut scene, &second.user));
    assert!(story(&effects).contains(&"device.new"));
}

#[test]
fn a_client_that_says_nothing_of_itself_is_not_remembered() {
    let mut scene = scene(None);
    scene.origin.agent = None;
    let (token, effects) = opened(log_in(&mut scene, &verified_ann()));
    assert_eq!(story(&effects), ["spend", "open session", "login.succeeded"]);
    assert!(token.user.devices.is_empty());
}

#[test]
fn a_device_is_trusted_by_its_new_token_after_a_second_factor() {
    let mut scene = scene(Some("unknown"));
    let (token, effects) = trust(&mut scene, &ann_with_app());
    assert_eq!(
        story(&effects),
        [
            "commit",
            "spend",
            "open session",
            "device.trusted",
            "give back",
            "login.succeeded"
        ]
    );
    let secret = token.device.expect("a token");
    let kept = token.user.device(&secret.hash()).expect("remembered");
    assert_eq!(kept.trusted_until, Some(scene.now.plus(MONTH)));
}

#[test]
fn neither_a_pool_without_trust_nor_a_client_without_a_token_trusts_a_device() {
    let mut untrusting = scene(Some("unknown"));
    untrusting.pool.trust_device = None;
    for mut scene in [untrusting, scene(None)] {
        let (token, effects) = trust(&mut scene, &ann_with_app());
        assert!(!story(&effects).contains(&"device.trusted"));
        assert!(token.user.devices.iter().all(|kept| kept.trusted_until.is_none()));
    }
}

#[test]
fn a_trusted_device_skips_the_factor_only_in_time_and_only_with_its_token() {
    let trusted = Device {
        trusted_until: Some(NOON.plus(MONTH)),
        ..device("laptop")
    };
    let user = with_devices(ann_with_app(), vec![trusted, device("phone")]);
    let is_due = |scene: &mut Scene, user: &User| scene.cx().second_factor_is_due(user);
    let mut known = scene(Some("laptop"));
    assert!(!is_due(&mut known, &user));
    for other in [Some("phone"), Some("unknown"), Some(""), None] {
        assert!(is_due(&mut scene(other), &user), "{other:?}");
    }
    let mut out = user.clone();
    out.end_sessions(None);
    assert!(is_due(&mut known, &out), "not once everybody was sent out");
    known.wait(2_591_999);
    assert!(!is_due(&mut known, &user));
    known.wait(1);
    assert!(is_due(&mut known, &user));
    let mut untrusting = scene(Some("laptop"));
    untrusting.pool.trust_device = None;
    assert!(is_due(&mut untrusting, &user));
}

#[test]
fn a_trusted_device_stands_in_for_no_factor_that_is_still_to_be_set_up() {
    let trusted = Device {
        trusted_until: Some(NOON.plus(MONTH)),
        ..device("laptop")
    };
    let user = with_devices(ann(), vec![trusted]);
    let mut scene = scene(Some("laptop"));
    assert!(!scene.cx().second_factor_is_due(&user));
    scene.pool.second_factor = SecondFactor::Required;
    assert!(scene.cx().second_factor_is_due(&user));
}

#[test]
fn people_are_written_to_as_they_chose_else_as_they_ask_else_as_the_service_does() {
    let mut scene = Scene::new();
    let choosing = |language: &str| {
        let chosen = serde_json::json!({ "language": language });
        let chosen = chosen.as_object().expect("an object").clone();
        User {
            attributes: Attributes::from_client(chosen).expect("attributes"),
            ..ann()
        }
    };
    assert_eq!(scene.cx().language_of(&ann()), "en");
    scene.origin.languages = vec!["es".to_owned(), "zh".to_owned()];
    assert_eq!(scene.cx().language_of(&ann()), "es");
    for (chosen, written) in [
        ("de", "de"),
        ("DE-AT", "de"),
        ("zh_CN", "zh"),
        ("", "es"),
        ("germanic", "es"),
        ("d3", "es"),
    ] {
        assert_eq!(scene.cx().language_of(&choosing(chosen)), written, "{chosen:?}");
    }
}
