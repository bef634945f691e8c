//! What each key means.

use super::*;

fn core(entry: &str) -> domain::identity::ProviderEntry {
    one(entry).remote.unwrap().0
}

fn remote(entry: &str) -> crate::providers::remote::Remote {
    one(entry).remote.unwrap().1
}

#[test]
fn what_is_left_out_is_as_the_component_had_it() {
    let entry = one(r#"{"module": "passport-github", "clientID": "id", "clientSecret": "abc"}"#);
    let web = &entry.web;
    assert_eq!(web.auth_path, "/auth/e");
    assert_eq!(web.callback_path.as_deref(), Some("/auth/e/callback"));
    assert_eq!(web.success_redirect.as_deref(), Some("/auth/account"));
    assert_eq!(web.failure_redirect, None);
    assert!(web.session && web.auto_login && !web.json && !web.link && !web.failure_query_string);
    assert_eq!((web.pool.as_str(), web.label.as_str()), ("Users", "GitHub"));
    let core = &entry.remote.as_ref().unwrap().0;
    assert_eq!(
        (core.provider.as_str(), core.auth_scheme.as_str()),
        ("e", "oAuth 2.0")
    );
    assert_eq!(core.callback_url, "http://localhost:3000/auth/e/callback");
    assert!(core.email_optional && core.mapping.is_empty());

    let link = one(&github(r#", "link": true"#)).web;
    assert_eq!(link.auth_path, "/link/e");
    assert_eq!(link.callback_path.as_deref(), Some("/link/e/callback"));
    assert_eq!(link.success_redirect.as_deref(), Some("/link/account"));
}

#[test]
fn a_callback_path_follows_the_entry_and_not_its_auth_path() {
    let web = one(&github(r#", "authPath": "/in/github""#)).web;
    assert_eq!(web.callback_path.as_deref(), Some("/auth/e/callback"));
}

#[test]
fn how_an_entry_answers_can_be_said() {
    let web = one(&github(
        r#", "session": false, "json": true, "autoLogin": false, "failureRedirect": "/sorry", "failureQueryString": true,
           "successRedirect": "https://app.example.com/in", "pool": "employees", "label": "Octocat""#,
    ))
    .web;
    assert!(!web.session && web.json && !web.auto_login && web.failure_query_string);
    assert_eq!(web.failure_redirect.as_deref(), Some("/sorry"));
    assert_eq!(
        web.success_redirect.as_deref(),
        Some("https://app.example.com/in")
    );
    assert_eq!((web.pool.as_str(), web.label.as_str()), ("Employees", "Octocat"));
}

#[test]
fn scopes_are_a_list_or_a_text() {
    let scopes = |scope: &str| remote(&github(&format!(r#", "scope": {scope}"#))).scopes;
    assert_eq!(scopes(r#"["user:email", "repo"]"#), ["user:email", "repo"]);
    assert_eq!(scopes(r#""user:email,repo""#), ["user:email", "repo"]);
    assert_eq!(scopes(r#""user:email repo repo""#), ["user:email", "repo"]);
    let generic = |scope: &str| {
        remote(&format!(
            r#"{{"module": "passport-oauth2", "clientID": "i", "clientSecret": "abc", "authorizationURL": "https://a.example/a",
                "tokenURL": "https://a.example/t", "userProfileURL": "https://a.example/u", "scope": {scope}}}"#
        ))
        .scopes
    };
    assert_eq!(
        generic(r#""a,b c""#),
        ["a,b", "c"],
        "a comma may be part of a scope"
    );
}

#[test]
fn callbacks_may_be_absolute_relative_or_absent() {
    let callback = |key: &str| core(&github(&format!(r#", "authPath": "/auth/github"{key}"#))).callback_url;
    assert_eq!(callback(""), "http://localhost:3000/auth/e/callback");
    let relative = r#", "callbackURL": "/auth/github/back", "callbackPath": "/auth/github/back""#;
    assert_eq!(callback(relative), "http://localhost:3000/auth/github/back");
    let near = r#", "callbackURL": "back", "callbackPath": "/auth/back""#;
    assert_eq!(callback(near), "http://localhost:3000/auth/back");
    let absolute = r#", "callbackURL": "http://localhost:3000/auth/e/callback/""#;
    assert_eq!(
        callback(absolute),
        "http://localhost:3000/auth/e/callback/",
        "letter by letter"
    );
}

#[test]
fn options_of_the_authorization_are_handed_on() {
    let params = remote(&github(
        r#", "authOptions": {"prompt": "consent", "accessType": "offline", "max_age": 60, "allow_signup": false}"#,
    ))
    .params;
    let params: Vec<_> = params
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    assert_eq!(
        params,
        [
            ("prompt", "consent"),
            ("access_type", "offline"),
            ("max_age", "60"),
            ("allow_signup", "false")
        ]
    );
    warned_of(
        &github(r#", "authOptions": {"scope": ["repo"]}"#),
        "authOptions.scope",
    );
    warned_of(
        &github(r#", "authOptions": {"session": false}"#),
        "authOptions.session",
    );
    refused_for(
        &github(r#", "authOptions": {"state": "x"}"#),
        "`authOptions.state` belongs",
    );
    refused_for(
        &github(r#", "authOptions": {"redirect_uri": "x"}"#),
        "belongs to the protocol",
    );
    refused_for(&github(r#", "authOptions": {"prompt": []}"#), "must be text");
}

#[test]
fn a_profile_is_mapped_by_paths() {
    let mapping = core(&github(
        r#", "profileMapping": [{"userField": "email", "providerField": "emails[0].value"}]"#,
    ))
    .mapping;
    assert_eq!(mapping[0].user_field, "email");
    assert_eq!(mapping[0].provider_field, "emails[0].value");
    let says = |line: &str, part: &str| refused_for(&github(&format!(r#", "profileMapping": {line}"#)), part);
    says(r#"[{"userField": "email"}]"#, "`profileMapping[0]` needs both");
    says(
        r#"[{"userField": "a", "providerField": "x["}]"#,
        "no path such as `emails[0].value`",
    );
    says(
        r#"[{"userField": "password", "providerField": "id"}]"#,
        "would let the provider set `password`",
    );
    says(
        r#"[{"userField": "emailVerified", "providerField": "x"}]"#,
        "would let the provider set",
    );
    says(r#"{"email": "x"}"#, "must be a list of objects");
}

#[test]
fn an_address_can_be_needed_or_believed() {
    assert!(!core(&github(r#", "emailOptional": false"#)).email_optional);
    assert_eq!(
        remote(&github(r#", "emailVerified": true"#)).email_verified,
        Some(true)
    );
    warned_of(&github(r#", "emailVerified": true"#), "counts as proven");
}

#[test]
fn headers_are_handed_on_unless_they_belong_to_the_call() {
    let headers = remote(&github(r#", "customHeaders": {"X-Team": "blue"}"#)).headers;
    assert_eq!(headers, [("X-Team".to_owned(), "blue".to_owned())]);
    refused_for(
        &github(r#", "customHeaders": {"Authorization": "x"}"#),
        "belongs to the call itself",
    );
    refused_for(
        &github(r#", "customHeaders": {"a b": "x"}"#),
        "is no name of a header",
    );
    refused_for(&github(r#", "customHeaders": {"X-A": "a\nb"}"#), "visible ASCII");
}

#[test]
fn variables_stand_anywhere_in_a_value() {
    let text = format!(
        r#"{{"e": {}}}"#,
        github(r#", "callbackURL": "${PUBLIC}/auth/e/callback", "authOptions": {"hd": "${DOMAIN}"}"#)
    );
    let read = read_at(
        "https://login.example.com",
        &text,
        &[("PUBLIC", "https://login.example.com"), ("DOMAIN", "example.com")],
    );
    assert_eq!(read.errors, Vec::<String>::new());
    let (core, remote) = read.entries[0].remote.as_ref().unwrap();
    assert_eq!(core.callback_url, "https://login.example.com/auth/e/callback");
    assert_eq!(remote.params, [("hd".to_owned(), "example.com".to_owned())]);
}

#[test]
fn a_variable_that_is_missing_is_named_with_its_key() {
    let entry = github("").replace("s3cr3t-of-github", "${GITHUB_SECRET}");
    refused(
        &entry,
        "`clientSecret` names the environment variable GITHUB_SECRET, which is not set",
    );
    let empty = read_at(PUBLIC, &format!("{{\"e\": {entry}}}"), &[("GITHUB_SECRET", "")]);
    assert_eq!(empty.errors.len(), 1);
    refused_for(
        &github(r#", "label": "a${b""#),
        "not followed by the name of a variable",
    );
    refused_for(
        &github(r#", "label": "${1A}""#),
        "not followed by the name of a variable",
    );
}

#[test]
fn a_secret_may_stand_in_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("secret");
    std::fs::write(&file, "from-a-file\n").unwrap();
    for key in ["clientSecret_file", "clientSecretFile"] {
        let entry = format!(
            r#"{{"module": "passport-github", "clientID": "i", "{key}": "{}"}}"#,
            file.display()
        );
        assert_eq!(
            remote(&entry).client_secret.unwrap().expose(),
            "from-a-file",
            "{key}"
        );
    }
    refused_for(
        &github(r#", "clientSecret_file": "/nowhere""#),
        "`clientSecret_file` and `clientSecret` mean the same",
    );
    refused_for(
        r#"{"module": "passport-github", "clientID": "i", "clientSecret_file": "/nowhere"}"#,
        "`clientSecret_file` names /nowhere, which cannot be read",
    );
}

#[test]
fn remarks_and_nulls_change_nothing() {
    let entry = one(&github(
        r#", "//": "ours", "_note": 1, "comment": "x", "label": null"#,
    ));
    assert_eq!(entry.web.label, "GitHub");
}

#[test]
fn no_secret_shows_in_debug_or_in_sentences() {
    let entry = one(&github(r#", "customHeaders": {"X-Key": "s3cr3t-header"}"#));
    let shown = format!("{entry:?}");
    assert!(!shown.contains("s3cr3t"), "{shown}");
    let Read { errors, warnings, .. } = read(&format!(
        r#"{{"e": {}}}"#,
        github(r#", "clientSecrett": "s3cr3t", "scope": {"s3cr3t": 1}, "state": "s3cr3t""#)
    ));
    assert!(!format!("{errors:?}{warnings:?}").contains("s3cr3t"));
}
