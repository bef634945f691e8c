//! The pages about second factors, passkeys and mailed links.

use super::super::super::view::{
    ConfirmView, FactorView, FieldErrors, LinkAskView, LinkOpenView, PasskeyAddView, PasskeyView, QrView,
    RecoveryCodesView, RevertEmailView, SecurityView, SessionView, TotpEnrolView, TwoFactorView,
};
use super::{Pages, Rendered, attribute, pages, tags};

/// Every way to prove a second step.
const WAYS: [&str; 5] = ["sms", "totp", "recovery", "passkey", "enrol"];

fn passkey(value: &str) -> PasskeyView {
    PasskeyView {
        ceremony: value.to_owned(),
        options: format!("{{\"challenge\":\"{value}\"}}"),
    }
}

fn two_factor(value: &str, method: &'static str, errors: FieldErrors) -> TwoFactorView {
    TwoFactorView {
        csrf: format!("csrf-{value}"),
        return_to: Some(value.to_owned()),
        method,
        others: WAYS.into_iter().filter(|other| *other != method).collect(),
        passkey: (method == "passkey").then(|| passkey(value)),
        sent_to: Some(value.to_owned()),
        lifetime_seconds: Some(60),
        trust_days: Some(30),
        errors,
        notice: Some(value.to_owned()),
    }
}

fn factor(value: &str) -> FactorView {
    FactorView {
        id: value.to_owned(),
        name: value.to_owned(),
        since: "1 January 2026".to_owned(),
        last_used: Some("2 January 2026".to_owned()),
        note: Some("On several of your devices."),
    }
}

fn session(value: &str, current: bool) -> SessionView {
    SessionView {
        id: value.to_owned(),
        device: value.to_owned(),
        place: Some(value.to_owned()),
        since: "1 January 2026".to_owned(),
        last_used: Some("2 January 2026, 07:45 UTC".to_owned()),
        current,
    }
}

fn security(value: &str, errors: FieldErrors) -> SecurityView {
    SecurityView {
        csrf: format!("csrf-{value}"),
        apps: vec![factor(value), factor(value)],
        passkeys: vec![factor(value), factor(value)],
        codes_left: 7,
        phone: Some(value.to_owned()),
        trusted_devices: 2,
        trust_days: Some(30),
        sessions: vec![session(value, true), session(value, false)],
        offers_totp: true,
        offers_passkeys: true,
        offers_recovery: true,
        errors,
        notice: Some(value.to_owned()),
    }
}

fn confirm(value: &str, methods: &[&'static str], sms_sent: bool, errors: FieldErrors) -> ConfirmView {
    ConfirmView {
        csrf: format!("csrf-{value}"),
        pool: value.to_owned(),
        return_to: Some(value.to_owned()),
        methods: methods.to_vec(),
        fields: methods
            .iter()
            .filter_map(|method| match *method {
                "password" => Some("current_password"),
                "sms" => sms_sent.then_some("sms"),
                "totp" | "recovery" => Some(*method),
                _ => None,
            })
            .collect(),
        passkey: methods.contains(&"passkey").then(|| passkey(value)),
        sms_sent,
        email: value.to_owned(),
        errors,
        notice: Some(value.to_owned()),
    }
}

fn enrol(value: &str, errors: FieldErrors) -> TotpEnrolView {
    let first = errors.is_empty();
    TotpEnrolView {
        csrf: format!("csrf-{value}"),
        enrolment: Some(value.to_owned()),
        return_to: None,
        trust_days: None,
        secret: first.then(|| value.to_owned()),
        qr: first.then(|| QrView {
            size: 29,
            path: "M4 4h1v1h-1z".to_owned(),
        }),
        errors,
    }
}

/// Each of them in every state.
pub fn gallery(pages: &Pages, value: &str, errors: &dyn Fn(&[&'static str]) -> FieldErrors) -> Rendered {
    let mut shown: Rendered = WAYS
        .into_iter()
        .map(|way| {
            let fields: &[&'static str] = if way == "passkey" { &[] } else { &["code"] };
            (
                "two-factor",
                pages.two_factor(&two_factor(value, way, errors(fields))),
            )
        })
        .collect();
    let proof = confirm(
        value,
        &["passkey", "totp", "sms", "recovery"],
        true,
        errors(&["totp", "sms", "recovery"]),
    );
    let by_password = confirm(value, &["password"], false, errors(&["current_password"]));
    shown.extend([
        ("security", pages.security(&security(value, errors(&[])))),
        (
            "security of nobody",
            pages.security(&SecurityView {
                csrf: format!("csrf-{value}"),
                ..SecurityView::default()
            }),
        ),
        ("confirm", pages.confirm(&proof)),
        ("confirm by password", pages.confirm(&by_password)),
        (
            "confirm unsent",
            pages.confirm(&confirm(value, &["sms"], false, FieldErrors::none())),
        ),
        (
            "confirm by log-in",
            pages.confirm(&confirm(value, &["login"], false, FieldErrors::none())),
        ),
    ]);
    shown.extend(alone(pages, value, errors));
    shown
}

/// Those with one form, or none.
fn alone(pages: &Pages, value: &str, errors: &dyn Fn(&[&'static str]) -> FieldErrors) -> Rendered {
    vec![
        ("app", pages.totp_enrol(&enrol(value, errors(&["code"])))),
        (
            "app on the way in",
            pages.totp_enrol(&TotpEnrolView {
                enrolment: None,
                return_to: Some(value.to_owned()),
                trust_days: Some(30),
                ..enrol(value, errors(&["code"]))
            }),
        ),
        (
            "recovery codes",
            pages.recovery_codes(&RecoveryCodesView {
                codes: vec![value.to_owned()],
            }),
        ),
        (
            "passkey",
            pages.passkey_add(&PasskeyAddView {
                csrf: format!("csrf-{value}"),
                passkey: passkey(value),
            }),
        ),
        (
            "revert",
            pages.revert_email(&RevertEmailView {
                csrf: format!("csrf-{value}"),
                token: value.to_owned(),
                pool: value.to_owned(),
            }),
        ),
        (
            "link",
            pages.login_link(&LinkAskView {
                csrf: format!("csrf-{value}"),
                pool: value.to_owned(),
                return_to: Some(value.to_owned()),
                realm: Some(value.to_owned()),
                identifier: value.to_owned(),
                errors: errors(&["identifier"]),
                notice: Some(value.to_owned()),
            }),
        ),
        (
            "link opened",
            pages.login_link_open(&LinkOpenView {
                csrf: format!("csrf-{value}"),
                token: value.to_owned(),
                pool: value.to_owned(),
            }),
        ),
    ]
}

#[test]
fn every_way_is_offered_beside_the_one_that_is_asked_for() {
    let page = pages()
        .two_factor(&two_factor("/there", "totp", FieldErrors::none()))
        .unwrap();
    assert!(page.contains(r#"href="/two-factor?method=recovery&amp;return_to=%2Fthere""#));
    assert!(page.contains("Send me a text message") && page.contains("Use a passkey"));
    assert!(page.contains("Trust this device for 30 days"));
    let code = tags(&page, "input")
        .into_iter()
        .find(|tag| attribute(tag, "name") == Some("code"))
        .unwrap();
    assert_eq!(attribute(code, "autocomplete"), Some("one-time-code"));
}

#[test]
fn what_an_authenticator_is_asked_survives_the_page() {
    let page = pages()
        .two_factor(&two_factor("x", "passkey", FieldErrors::none()))
        .unwrap();
    let form = tags(&page, "form")
        .into_iter()
        .find(|tag| attribute(tag, "data-passkey") == Some("get"))
        .unwrap();
    let options = attribute(form, "data-options")
        .unwrap()
        .replace("&quot;", "\"")
        .replace("&#x2f;", "/");
    assert_eq!(
        serde_json::from_str::<serde_json::Value>(&options).unwrap()["challenge"],
        "x"
    );
}

#[test]
fn one_session_has_nothing_to_end_and_devices_nobody_trusts_are_not_spoken_of() {
    let view = SecurityView {
        sessions: vec![session("alice", true)],
        ..SecurityView::default()
    };
    let page = pages().security(&view).unwrap();
    assert!(!page.contains("Log out everywhere else") && !page.contains("aria-label=\"Log out"));
    assert!(!page.contains("Trusted devices") && !page.contains("Add an app"));
}
