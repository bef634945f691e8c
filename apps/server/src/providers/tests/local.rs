//! Entries for our own users' names and passwords.

use http_warp::EntryKind;

use super::*;

const LOCAL: &str = r#"{"provider": "local", "module": "passport-local""#;

#[test]
fn a_local_entry_asks_for_name_and_password_at_its_own_path() {
    let entry = one(&format!("{LOCAL}}}"));
    let web = &entry.web;
    assert_eq!(
        web.kind,
        EntryKind::Local {
            username_field: "username".to_owned(),
            password_field: "password".to_owned(),
            set_access_token: false,
        }
    );
    assert_eq!((web.auth_path.as_str(), &web.callback_path), ("/auth/e", &None));
    assert_eq!((&web.success_redirect, &web.failure_redirect), (&None, &None));
    assert!(entry.remote.is_none());
}

#[test]
fn its_fields_and_its_token_can_be_chosen() {
    let entry = one(&format!(
        r#"{LOCAL}, "authPath": "/sign-in", "usernameField": "email", "passwordField": "pw", "setAccessToken": true,
            "successReturnToOrRedirect": "/home", "failureRedirect": "/sorry"}}"#
    ));
    assert_eq!(
        entry.web.kind,
        EntryKind::Local {
            username_field: "email".to_owned(),
            password_field: "pw".to_owned(),
            set_access_token: true,
        }
    );
    assert_eq!(entry.web.success_redirect.as_deref(), Some("/home"));
}

#[test]
fn a_local_entry_is_also_known_by_its_scheme() {
    assert!(one(r#"{"authScheme": "local"}"#).remote.is_none());
}

#[test]
fn a_local_entry_links_nothing() {
    refused_for(
        &format!(r#"{LOCAL}, "link": true}}"#),
        "`link` cannot be true here",
    );
    refused_for(
        &format!(r#"{LOCAL}, "passwordField": "username"}}"#),
        "must not be the same as `usernameField`",
    );
    refused_for(
        &format!(r#"{LOCAL}, "successRedirect": "/a", "successReturnToOrRedirect": "/b"}}"#),
        "mean the same: keep one of them",
    );
}

#[test]
fn keys_of_providers_mean_nothing_to_a_local_entry() {
    warned_of(
        &format!(r#"{LOCAL}, "clientID": "x"}}"#),
        "`clientID` means nothing to a local entry",
    );
}
