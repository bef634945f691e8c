//! The entries that LoopBack's own introduction shows, word by word.

use domain::id::ProviderName;
use domain::identity::SubjectScope;

use super::*;
use crate::providers::remote::Dialect;

const ARTICLE: &str = r#"{
 "facebook-login": {
   "provider": "facebook",
   "module": "passport-facebook",
   "clientID": "{facebook-client-id-1}",
   "clientSecret": "{facebook-client-secret-1}",
   "callbackURL": "http://localhost:3000/auth/facebook/callback",
   "authPath": "/auth/facebook",
   "callbackPath": "/auth/facebook/callback",
   "successRedirect": "/auth/account",
   "scope": ["email"]
 },
 "google-link": {
   "provider": "google",
   "module": "passport-google-oauth",
   "strategy": "OAuth2Strategy",
   "clientID": "{google-client-id-2}",
   "clientSecret": "{google-client-secret-2}",
   "callbackURL": "http://localhost:3000/link/google/callback",
   "authPath": "/link/google",
   "callbackPath": "/link/google/callback",
   "successRedirect": "/link/account",
   "scope": ["email", "profile"],
   "link": true
 },
 "twitter-login": {
   "provider": "twitter",
   "authScheme": "oauth",
   "module": "passport-twitter",
   "callbackURL": "http://localhost:3000/auth/twitter/callback",
   "authPath": "/auth/twitter",
   "callbackPath": "/auth/twitter/callback",
   "successRedirect": "/auth/account",
   "consumerKey": "{twitter-consumer-key}",
   "consumerSecret": "{twitter-consumer-secret}"
 }
}"#;

#[test]
fn the_three_entries_of_the_article_work_as_they_stand() {
    let Read {
        entries,
        errors,
        warnings,
    } = read(ARTICLE);
    assert_eq!(errors, Vec::<String>::new());
    assert_eq!(warnings.len(), 6, "{warnings:?}");
    assert!(
        warnings
            .iter()
            .all(|warning| warning.contains("is a placeholder")),
        "{warnings:?}"
    );
    let told: Vec<_> = entries
        .iter()
        .map(|entry| {
            let (core, remote) = entry.remote.as_ref().unwrap();
            (
                core.name.as_str(),
                core.provider.as_str(),
                core.auth_scheme.as_str(),
                remote.dialect,
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            ("facebook-login", "facebook", "oAuth 2.0", Dialect::Facebook),
            ("google-link", "google", "oAuth 2.0", Dialect::Google),
            ("twitter-login", "twitter", "oauth", Dialect::Twitter),
        ]
    );
}

#[test]
fn every_key_of_the_article_keeps_its_meaning() {
    let entries = read(ARTICLE).entries;
    let (facebook, google, twitter) = (&entries[0], &entries[1], &entries[2]);
    assert_eq!(facebook.web.auth_path, "/auth/facebook");
    assert_eq!(
        facebook.web.callback_path.as_deref(),
        Some("/auth/facebook/callback")
    );
    assert_eq!(facebook.web.success_redirect.as_deref(), Some("/auth/account"));
    assert!(facebook.web.session && facebook.web.auto_login && !facebook.web.json && !facebook.web.link);
    let (core, remote) = facebook.remote.as_ref().unwrap();
    assert_eq!(core.callback_url, "http://localhost:3000/auth/facebook/callback");
    assert_eq!(core.scopes, ["email"]);
    assert_eq!(core.subjects, SubjectScope::Client);
    assert!(core.email_optional);
    assert_eq!(
        remote.client_secret.as_ref().unwrap().expose(),
        "{facebook-client-secret-1}"
    );
    assert!(google.web.link);
    let (core, remote) = google.remote.as_ref().unwrap();
    assert_eq!(core.subjects, SubjectScope::Issuer);
    assert_eq!(remote.scopes, ["email", "profile"]);
    assert_eq!(
        twitter.remote.as_ref().unwrap().1.client_id,
        "{twitter-consumer-key}"
    );
    assert_eq!(twitter.web.label, "Twitter");
}

#[test]
fn a_login_and_a_link_of_one_provider_share_its_name() {
    let both = ARTICLE
        .replace("google-link\"", "google-login\"")
        .replace("\"link\": true", "\"link\": false");
    let login = read(&both).entries;
    let link = read(ARTICLE).entries;
    let provider = |entries: &[Entry]| entries[1].remote.as_ref().unwrap().0.provider.clone();
    assert_eq!(provider(&login), ProviderName::new("google"));
    assert_eq!(provider(&login), provider(&link));
}

/// The template that the example application carries: relative callbacks, flash messages, a local entry.
#[test]
fn the_template_of_the_example_application_works() {
    let text = r#"{
      "local": {
        "provider": "local", "module": "passport-local", "usernameField": "username", "passwordField": "password",
        "authPath": "/auth/local", "successRedirect": "/auth/account", "failureRedirect": "/local", "failureFlash": true
      },
      "google-login": {
        "provider": "google", "module": "passport-google-oauth", "strategy": "OAuth2Strategy",
        "clientID": "1.apps.googleusercontent.com", "clientSecret": "GOCSPX-1", "callbackURL": "/auth/google/callback",
        "authPath": "/auth/google", "callbackPath": "/auth/google/callback", "successRedirect": "/auth/account",
        "failureRedirect": "/login", "scope": ["email", "profile"], "failureFlash": true
      }
    }"#;
    let Read {
        entries,
        errors,
        warnings,
    } = read_at("https://login.example.com", text, &[]);
    assert_eq!(errors, Vec::<String>::new());
    assert!(
        warnings
            .iter()
            .all(|warning| warning.contains("`failureFlash` does nothing")),
        "{warnings:?}"
    );
    assert_eq!(
        entries[1].remote.as_ref().unwrap().0.callback_url,
        "https://login.example.com/auth/google/callback"
    );
    assert_eq!(entries[1].web.failure_redirect.as_deref(), Some("/login"));
}
