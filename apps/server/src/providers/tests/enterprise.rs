//! Entries that speak LDAP, SAML 2.0, Kerberos or OpenID 2.0, and roles.

use domain::id::RoleName;
use domain::identity::{ProviderEntry, RoleRule, RoleSource};
use http_warp::{CredentialFields, EntryKind};

use super::*;
use crate::providers::remote::{Dialect, Remote};

const LDAP: &str = r#"{"provider": "corp", "authScheme": "ldap", "module": "passport-ldapauth", "authPath": "/auth/ldap",
    "server": {"url": "ldaps://ldap.example.com", "bindDn": "cn=reader,dc=example,dc=com", "bindCredentials": "s3cr3t",
               "searchBase": "dc=example,dc=com", "searchFilter": "(uid={{username}})"}}"#;
const SAML: &str = r#"{"provider": "corp", "authScheme": "saml", "module": "passport-saml", "callbackHTTPMethod": "post",
    "entryPoint": "https://idp.example.com/sso", "issuer": "portcullis", "cert": "MIIB", "idpIssuer": "https://idp.example.com"}"#;
const KERBEROS: &str = r#"{"provider": "corp", "authScheme": "kerberos", "realm": "EXAMPLE.COM", "service": "HTTP/login.example.com",
    "keytab": "/etc/portcullis.keytab", "passwords": true}"#;
const OPENID: &str = r#"{"provider": "old", "authScheme": "openid", "module": "passport-openid", "realm": "http://localhost:3000",
    "returnURL": "http://localhost:3000/auth/e/callback", "providerURL": "https://openid.example.com/", "profile": true}"#;

fn remote(entry: &str) -> (ProviderEntry, Remote) {
    one(entry).remote.unwrap()
}

/// The entry with one more key.
fn with(entry: &str, key: &str) -> String {
    format!("{}, {key}}}", entry.strip_suffix('}').unwrap())
}

#[test]
fn each_protocol_is_told_by_its_module_its_scheme_or_its_keys() {
    let known = [
        (LDAP, Dialect::Ldap),
        (SAML, Dialect::Saml),
        (KERBEROS, Dialect::Kerberos),
        (OPENID, Dialect::OpenId2),
        (
            r#"{"server": {"url": "ldaps://l", "searchBase": "dc=x", "searchFilter": "(uid={{username}})"}}"#,
            Dialect::Ldap,
        ),
        (
            r#"{"issuer": "us", "metadataUrl": "https://idp.example.com/metadata"}"#,
            Dialect::Saml,
        ),
        (
            r#"{"module": "passport-steam", "returnURL": "http://localhost:3000/auth/e/callback", "realm": "http://localhost:3000"}"#,
            Dialect::Steam,
        ),
    ];
    for (entry, dialect) in known {
        assert_eq!(remote(entry).1.dialect, dialect, "{entry}");
    }
    let scheme = |entry: &str| remote(entry).0.auth_scheme;
    assert_eq!(
        scheme(r#"{"issuer": "us", "metadataUrl": "https://x.example"}"#),
        "saml"
    );
    assert_eq!(scheme(LDAP), "ldap");
}

#[test]
fn a_directory_has_a_form_and_nobody_comes_back_from_it() {
    let web = one(&with(
        LDAP,
        r#""usernameField": "login", "passwordField": "pass""#,
    ))
    .web;
    let fields = CredentialFields {
        username: "login".to_owned(),
        password: "pass".to_owned(),
    };
    assert_eq!(web.kind, EntryKind::Directory(fields));
    assert_eq!((web.auth_path.as_str(), web.callback_path), ("/auth/ldap", None));
    let web = one(KERBEROS).web;
    assert!(matches!(web.kind, EntryKind::Tickets { passwords: Some(_) }));
}

#[test]
fn saml_has_its_further_doors() {
    let web = one(SAML).web;
    assert_eq!(web.callback_path.as_deref(), Some("/auth/e/callback"));
    assert_eq!(web.logout_path.as_deref(), Some("/auth/e/logout"));
    assert_eq!(web.metadata_path.as_deref(), Some("/auth/e/metadata"));
    let other = one(&with(SAML, r#""logoutPath": "/bye""#)).web;
    assert_eq!(other.logout_path.as_deref(), Some("/bye"));
}

#[test]
fn people_whom_nobody_sent_away_are_taken_on_purpose_only() {
    let unsolicited = |entry: &str| {
        let (core, remote) = remote(entry);
        assert_eq!(core.unsolicited, remote.unsolicited);
        core.unsolicited
    };
    assert!(unsolicited(&with(SAML, r#""allowUnsolicited": true"#)));
    assert!(!unsolicited(SAML));
}

#[test]
fn what_a_server_is_told_is_kept_by_its_first_name() {
    let entry = LDAP
        .replace("bindDn", "adminDn")
        .replace("bindCredentials", "adminPassword");
    let settings = remote(&entry).1.settings;
    assert_eq!(
        settings.text("bindDn").as_deref(),
        Some("cn=reader,dc=example,dc=com")
    );
    assert_eq!(
        settings
            .get::<domain::secret::Secret>("bindCredentials")
            .unwrap()
            .expose(),
        "s3cr3t"
    );
    assert_eq!(settings.texts("url").unwrap(), ["ldaps://ldap.example.com"]);
}

#[test]
fn what_is_wrong_in_a_server_is_told_by_its_full_name() {
    refused_for(
        &LDAP.replace("searchBase", "serchBase"),
        "`server.serchBase` is no key here: did you mean `searchBase`?",
    );
    refused_for(
        &LDAP.replace(
            r#""bindCredentials""#,
            r#""tlsOptions": {"rejectUnauthorized": false}, "bindCredentials""#,
        ),
        "`server.tlsOptions.rejectUnauthorized` cannot be false",
    );
    refused_for(
        &LDAP.replace(r#""ldaps://ldap.example.com""#, "7"),
        "`server.url` must be text or a list of texts",
    );
    refused_for(r#"{"module": "passport-ldapauth"}"#, "`server` is missing");
    warned_of(
        &LDAP.replace(r#""bindCredentials""#, r#""reconnect": true, "bindCredentials""#),
        "`server.reconnect` does nothing",
    );
}

#[test]
fn a_directory_may_have_several_entries() {
    let linking = LDAP
        .replacen('{', r#"{"link": true, "#, 1)
        .replace("/auth/ldap", "/link/ldap");
    let both = format!("{{\"ldap\": {LDAP}, \"ldap-link\": {linking}}}");
    assert_eq!(super::read(&both).errors, [""; 0]);
}

#[test]
fn a_name_of_our_own_is_needed_at_a_saml_provider() {
    refused_for(
        r#"{"module": "passport-saml", "entryPoint": "https://idp.example.com/sso"}"#,
        "`issuer` is missing",
    );
}

#[test]
fn modules_of_ended_and_other_protocols_say_what_to_write() {
    for (module, write) in [
        ("passport-yahoo", "passport-openidconnect"),
        ("passport-google-openid", "passport-google-oauth20"),
        ("passport-ldap", "passport-ldapauth"),
        ("passport-activedirectory", "passport-ldapauth"),
        ("passport-wsfed-saml2", "passport-saml"),
    ] {
        refused_for(&format!(r#"{{"module": "{module}"}}"#), write);
    }
}

#[test]
fn roles_are_given_for_groups_and_for_values() {
    let mapping = r#""roleMapping": [{"group": "admins", "role": "admin"},
        {"attribute": "_json.department", "value": "Sales", "role": "sales"},
        {"claim": "_json.staff", "value": true, "role": "staff"}], "onlyKnownUsers": true"#;
    let rule = |source, role: &str| RoleRule {
        source,
        role: RoleName::new(role),
    };
    let value = |path: &str, value: &str| RoleSource::Value {
        path: path.to_owned(),
        value: value.to_owned(),
    };
    let expected = vec![
        rule(RoleSource::Group("admins".to_owned()), "admin"),
        rule(value("_json.department", "Sales"), "sales"),
        rule(value("_json.staff", "true"), "staff"),
    ];
    for entry in [LDAP.to_owned(), SAML.to_owned(), github("")] {
        let (core, _) = remote(&with(&entry, mapping));
        assert_eq!(core.roles, expected);
        assert!(core.only_known_users);
    }
    assert!(!remote(LDAP).0.only_known_users);
}

#[test]
fn a_role_that_follows_from_the_request_is_given_to_nobody() {
    let lines = [
        (r#"{"group": "a", "role": "$owner"}"#, "begins with `$`"),
        (r#"{"group": "a", "role": " "}"#, "empty, too long"),
        (r#"{"group": "a"}"#, "needs a `role`"),
        (r#"{"role": "a"}"#, "needs `group`, or `claim` and `value`"),
        (
            r#"{"group": "a", "claim": "b", "value": "c", "role": "d"}"#,
            "and not both",
        ),
        (r#"{"claim": "b..c", "value": "c", "role": "d"}"#, "no path"),
        (r#"{"gruop": "a", "role": "b"}"#, "`gruop` will not do"),
    ];
    for (line, part) in lines {
        let entry = github(&format!(r#", "roleMapping": [{line}]"#));
        refused_for(&entry, part);
    }
}
