//! What the linter says, and what it lets pass.

use super::*;

#[test]
fn a_file_that_is_no_json_is_told_by_line_and_column() {
    assert_eq!(
        read("{\n  \"a\": {},\n}").errors,
        ["line 3, column 1: trailing comma"]
    );
    assert_eq!(
        read("[]").errors,
        ["must hold one object with an entry per key, but holds a list"]
    );
    assert_eq!(
        read("{\"a\": 1}").errors,
        ["entry `a`: must be an object, but is a number"]
    );
    assert_eq!(read("").errors.len(), 1);
    assert_eq!(read("\u{feff}{}").errors, Vec::<String>::new());
}

#[test]
fn a_name_that_stands_twice_is_told() {
    assert_eq!(
        read("{\"a\": {},\n \"a\": {}}").errors,
        ["line 2, column 4: `a` stands here for the second time"]
    );
    let twice = format!("{{\"e\": {}}}", github(r#", "clientID": "other""#));
    assert!(read(&twice).errors[0].contains("`clientID` stands here for the second time"));
}

#[test]
fn an_unknown_key_hears_its_neighbour() {
    refused(
        &github(r#", "callbackUri": "/x""#),
        "`callbackUri` is no key of an entry: did you mean `callbackURL`?",
    );
    refused(
        &github(r#", "clientid": "/x""#),
        "`clientid` is no key of an entry: did you mean `clientID`?",
    );
    refused_for(
        &github(r#", "frobnicate": 1"#),
        "docs/PROVIDERS.md lists all keys",
    );
}

#[test]
fn a_key_of_another_kind_of_entry_is_warned_of() {
    warned_of(
        &github(r#", "consumerKey": "x", "authScheme": "oAuth 2.0""#),
        "`consumerKey` means nothing to an entry for GitHub: take it out",
    );
    warned_of(
        &github(r#", "failureFlash": true"#),
        "`failureFlash` does nothing",
    );
}

#[test]
fn plain_http_never_leaves_the_machine() {
    refused_for(
        &github(r#", "callbackURL": "http://login.example.com/auth/e/callback""#),
        "`callbackURL` is `http://login.example.com/auth/e/callback`: plain http shows the code to the network",
    );
    refused_for(
        &github(r#", "tokenURL": "http://github.example.com/token""#),
        "`tokenURL` is `http://github.example.com/token`: plain http shows codes, tokens and secrets",
    );
    refused_for(
        &github(r#", "successRedirect": "http://app.example.com/in""#),
        "`successRedirect` is `http://app.example.com/in`: plain http",
    );
    one(&github(r#", "tokenURL": "http://127.0.0.1:19060/github/token""#));
}

#[test]
fn places_that_are_none_are_refused() {
    for wrong in [
        "javascript:alert(1)",
        "//evil.example",
        "account",
        "/\\\\evil.example",
    ] {
        refused_for(
            &github(&format!(r#", "successRedirect": "{wrong}""#)),
            "`successRedirect`",
        );
    }
    refused_for(&github(r#", "authPath": "auth/x""#), "begins with one `/`");
    refused_for(&github(r#", "authPath": "/auth/:name""#), "must be a plain path");
    refused_for(&github(r#", "authPath": "/auth/../x""#), "must be a plain path");
}

#[test]
fn our_own_paths_are_taken() {
    for own in [
        "/login",
        "/Login/",
        "/api/Users",
        "/healthz",
        "/auth/check",
        "/account/x",
        "/login.html",
        "/link/account",
        "/two-factor/resend",
        "/join",
        "/",
    ] {
        refused_for(
            &github(&format!(r#", "authPath": "{own}""#)),
            "is this server's own",
        );
    }
    let named = format!("{{\"check\": {}}}", github(""));
    assert_eq!(
        read(&named).errors,
        [
            "entry `check`: `authPath` is `/auth/check`, but `/auth/check` is this server's own: choose another path \
          (by default)",
            "entry `check`: `callbackPath` is `/auth/check/callback`, but `/auth/check` is this server's own: \
          choose another path (by default)"
        ]
    );
}

#[test]
fn two_entries_never_share_a_path_or_a_callback() {
    let pair = |first: &str, second: &str| {
        read(&format!(
            "{{\"a\": {}, \"b\": {}}}",
            github(first),
            github(second)
        ))
        .errors
    };
    assert_eq!(
        pair(r#", "authPath": "/auth/x""#, r#", "authPath": "/auth/X/""#),
        ["entry `b`: `authPath` is /auth/X/, which is also `authPath` of entry `a`: give each its own path"]
    );
    let same = r#", "callbackURL": "http://localhost:3000/auth/a/callback""#;
    let errors = pair("", same);
    assert_eq!(
        errors,
        [
            "entry `b`: `callbackURL` is http://localhost:3000/auth/a/callback, which is also that of entry `a`: give each \
          its own"
        ]
    );
    let own = pair(r#", "callbackPath": "/auth/a""#, "");
    assert!(
        own[0].contains("which is also `authPath` of entry `a`"),
        "{own:?}"
    );
}

#[test]
fn a_callback_that_leads_elsewhere_is_warned_of() {
    warned_of(
        &github(r#", "callbackURL": "https://login.example.com/auth/e/callback""#),
        "`callbackURL` leads to https://login.example.com, but people reach this server by http://localhost:3000",
    );
    warned_of(
        &github(r#", "callbackURL": "/auth/other""#),
        "leads to /auth/other, but `callbackPath` is /auth/e/callback",
    );
}

#[test]
fn a_missing_client_is_told_with_what_to_do() {
    refused(
        r#"{"module": "passport-github", "clientID": "id"}"#,
        "`clientSecret` is missing: give it, or `clientSecret_file` with the name of a file",
    );
    refused_for(
        r#"{"module": "passport-github", "authScheme": "oAuth 2.0", "clientSecret": "abc"}"#,
        "`clientID` is missing",
    );
    refused_for(
        r#"{"module": "passport-twitter", "consumerKey": "k"}"#,
        "`consumerSecret` is missing",
    );
    refused_for(
        &github("").replace("\"s3cr3t-of-github\"", "\"\""),
        "must be text and not empty",
    );
    refused_for(
        &github("").replace("\"s3cr3t-of-github\"", "null"),
        "`clientSecret` is missing",
    );
}

#[test]
fn a_public_client_says_so() {
    let entry = one(r#"{"module": "passport-twitter-oauth2", "clientID": "id", "clientSecret": null}"#);
    assert_eq!(entry.remote.unwrap().1.client_secret, None);
}

#[test]
fn placeholders_are_warned_of_and_taken() {
    for placeholder in [
        "{client-secret}",
        "<secret>",
        "xxx-xxxxxx",
        "your-client-secret",
        "CHANGEME",
    ] {
        let entry = github("").replace("s3cr3t-of-github", placeholder);
        warned_of(&entry, "`clientSecret` is a placeholder");
    }
}

#[test]
fn what_guards_a_login_cannot_be_switched_off() {
    refused_for(&github(r#", "state": false"#), "`state` cannot be switched off");
    refused_for(&github(r#", "state": "fixed""#), "`state` cannot be a fixed text");
    refused_for(&github(r#", "pkce": false"#), "`pkce` can be nothing but `S256`");
    refused_for(
        &github(r#", "pkce": "plain""#),
        "`pkce` can be nothing but `S256`",
    );
    refused_for(
        &github(r#", "skipUserProfile": true"#),
        "the profile alone says who came",
    );
    one(&github(r#", "state": true, "pkce": "S256""#));
    one(&github(r#", "pkce": true"#));
}

#[test]
fn what_is_code_or_unsafe_is_refused() {
    for (key, why) in crate::providers::keys::REFUSED {
        refused(&github(&format!(r#", "{key}": "x""#)), &format!("`{key}` {why}"));
    }
    for (key, why) in crate::providers::keys::IDLE {
        warned_of(
            &github(&format!(r#", "{key}": "x""#)),
            &format!("`{key}` does nothing: {why}"),
        );
    }
}

#[test]
fn a_wrong_type_is_told() {
    refused(
        &github(r#", "link": "yes""#),
        "`link` must be true or false, but is text",
    );
    refused(
        &github(r#", "label": 1"#),
        "`label` must be text, but is a number",
    );
    refused_for(&github(r#", "scope": 1"#), "must be text or a list of texts");
    refused_for(
        &github(r#", "authOptions": []"#),
        "must be an object, but is a list",
    );
    refused_for(&github(r#", "label": "a\u0007""#), "control characters");
    refused_for(
        &github(r#", "pool": "Nobody""#),
        "is `Nobody`, but the pools are Users, Employees",
    );
    refused_for(
        &github(r#", "callbackHTTPMethod": "put""#),
        "must be `get` or `post`",
    );
}

#[test]
fn a_login_without_session_or_json_needs_its_client() {
    warned_of(
        &github(r#", "session": false"#),
        "must begin with `code_challenge`",
    );
    let both = read(&format!(
        "{{\"e\": {}}}",
        github(r#", "session": false, "json": true"#)
    ));
    assert_eq!(both.warnings, Vec::<String>::new());
}

#[test]
fn two_names_for_one_provider_are_warned_of() {
    let google = |further: &str| {
        format!(r#"{{"module": "passport-google-oauth20", "clientID": "i", "clientSecret": "abc"{further}}}"#)
    };
    let text = format!(
        r#"{{"google-login": {}, "google-link": {}}}"#,
        google(""),
        google(r#", "link": true"#)
    );
    let warnings = read(&text).warnings;
    assert!(
        warnings.len() == 1 && warnings[0].contains("one account will be two identities"),
        "{warnings:?}"
    );
}

#[test]
fn several_faults_are_told_at_once() {
    let text = format!(
        r#"{{"a": {}, "b": {{"module": "passport-saml"}}}}"#,
        github(r#", "link": 1, "frobnicate": 2"#)
    );
    assert_eq!(read(&text).errors.len(), 3);
}

#[test]
fn scopes_that_a_provider_has_ended_are_warned_of() {
    let linkedin = r#"{"module": "passport-linkedin-oauth2", "clientID": "i", "clientSecret": "abc", "scope": ["r_liteprofile"]}"#;
    warned_of(linkedin, "has `r_liteprofile`: LinkedIn ended it");
}
