//! Which module is which provider.

use super::*;
use crate::providers::remote::Dialect;

const CLIENT: &str = r#""clientID": "id", "clientSecret": "abc""#;

fn dialect(keys: &str) -> Dialect {
    one(&format!("{{{keys}}}")).remote.unwrap().1.dialect
}

#[test]
fn known_modules_are_ready() {
    let of = |module: &str| dialect(&format!(r#""module": "{module}", {CLIENT}"#));
    assert_eq!(of("passport-facebook"), Dialect::Facebook);
    assert_eq!(of("passport-google-oauth20"), Dialect::Google);
    assert_eq!(of("passport-google-oauth2"), Dialect::Google);
    assert_eq!(of("passport-github"), Dialect::GitHub);
    assert_eq!(of("passport-github2"), Dialect::GitHub);
    assert_eq!(of("passport-twitter-oauth2"), Dialect::X);
    assert_eq!(of("@superfaceai/passport-twitter-oauth2"), Dialect::X);
    assert_eq!(of("passport-linkedin-oauth2"), Dialect::LinkedIn);
    assert_eq!(of("passport-linkedin-openid"), Dialect::LinkedIn);
    assert_eq!(of("passport-azure-ad"), Dialect::Microsoft);
    assert_eq!(of("passport-azure-ad-oauth2"), Dialect::Microsoft);
    assert_eq!(of("passport-microsoft"), Dialect::Microsoft);
    let twitter = r#""module": "passport-twitter", "consumerKey": "k", "consumerSecret": "abc""#;
    assert_eq!(dialect(twitter), Dialect::Twitter);
    let strategy = format!(r#""module": "passport-google-oauth", "strategy": "OAuth2Strategy", {CLIENT}"#);
    assert_eq!(dialect(&strategy), Dialect::Google);
}

#[test]
fn dead_strategies_say_what_to_write() {
    refused_for(
        &format!(r#"{{"module": "passport-google-oauth", {CLIENT}}}"#),
        "write `\"strategy\": \"OAuth2Strategy\"`",
    );
    refused_for(
        &format!(r#"{{"module": "passport-azure-ad", "strategy": "BearerStrategy", {CLIENT}}}"#),
        "OIDCStrategy",
    );
    refused_for(
        r#"{"module": "passport-linkedin", "consumerKey": "k", "consumerSecret": "abc"}"#,
        "passport-linkedin-oauth2",
    );
}

#[test]
fn a_scheme_must_exist_and_fit() {
    refused_for(
        &github(r#", "authScheme": "oath""#),
        "`authScheme` is `oath`, which is no protocol",
    );
    refused_for(
        &github(r#", "authScheme": "oauth""#),
        "`authScheme` is `oauth`, but passport-github2 speaks OAuth 2.0",
    );
    let scheme = |written: &str| {
        let entry = one(&github(&format!(r#", "authScheme": "{written}""#)));
        entry.remote.unwrap().0.auth_scheme
    };
    assert_eq!(scheme("OAuth 2.0"), "OAuth 2.0", "kept as it is written");
    assert_eq!(scheme("openid connect"), "openid connect");
}

#[test]
fn an_unknown_module_is_told_by_its_addresses() {
    let urls = r#""authorizationURL": "https://a.example/a", "tokenURL": "https://a.example/t""#;
    let generic = format!(
        r#"{{"module": "passport-slack", {CLIENT}, {urls}, "userProfileURL": "https://a.example/u"}}"#
    );
    warned_of(
        &generic,
        "`module` is `passport-slack`, which is unknown here: the entry is taken for plain OAuth 2.0",
    );
    let oidc = format!(r#"{{"module": "passport-okta", {CLIENT}, "issuer": "https://a.example"}}"#);
    warned_of(&oidc, "is taken for plain OpenID Connect");
    let oauth1 = r#"{"module": "passport-trello", "consumerKey": "k", "consumerSecret": "abc",
        "requestTokenURL": "https://a.example/r", "accessTokenURL": "https://a.example/a",
        "userAuthorizationURL": "https://a.example/u", "userProfileURL": "https://a.example/p"}"#;
    warned_of(oauth1, "is taken for plain OAuth 1.0a");
    refused_for(
        &format!(r#"{{"module": "passport-gitub", {CLIENT}}}"#),
        "did you mean `passport-github`?",
    );
    refused_for(
        &format!(r#"{{"module": "x", {CLIENT}}}"#),
        "give `issuer`, or `authorizationURL`",
    );
    refused_for(&format!("{{{CLIENT}}}"), "`module` is missing");
}

#[test]
fn a_provider_of_no_module_needs_its_addresses() {
    let errors = read(&format!(r#"{{"e": {{"module": "passport-oauth2", {CLIENT}}}}}"#)).errors;
    assert_eq!(errors.len(), 3, "{errors:?}");
    assert!(errors[2].contains("`userProfileURL` is missing"));
    refused_for(
        &format!(r#"{{"module": "passport-openidconnect", {CLIENT}}}"#),
        "`issuer` is missing",
    );
    let oauth = r#""module": "passport-oauth", "requestTokenURL": "https://a.example/r", "userProfileURL": "https://a.example/p",
        "accessTokenURL": "https://a.example/a", "userAuthorizationURL": "https://a.example/u""#;
    assert_eq!(
        dialect(&format!(
            r#"{oauth}, "consumerKey": "k", "consumerSecret": "abc""#
        )),
        Dialect::OAuth1
    );
}

#[test]
fn own_addresses_without_an_issuer_mean_the_old_dialect() {
    let google =
        format!(r#""module": "passport-google-oauth20", {CLIENT}, "tokenURL": "http://127.0.0.1:1/token""#);
    assert_eq!(dialect(&google), Dialect::GoogleLegacy);
    let issuer = format!(r#"{google}, "issuer": "http://127.0.0.1:1""#);
    assert_eq!(dialect(&issuer), Dialect::Google);
    let linkedin = format!(
        r#""module": "passport-linkedin-oauth2", {CLIENT}, "userProfileURL": "http://127.0.0.1:1/me""#
    );
    assert_eq!(dialect(&linkedin), Dialect::LinkedInLegacy);
}

#[test]
fn an_issuer_is_given_or_told_by_its_discovery() {
    let issuer = |keys: &str| {
        let entry = one(&format!(
            r#"{{"module": "passport-openidconnect", {CLIENT}, {keys}}}"#
        ));
        entry.remote.unwrap().1.issuer.unwrap()
    };
    assert_eq!(issuer(r#""issuer": "https://a.example/""#), "https://a.example/");
    let discovery = r#""discovery": "https://a.example/x/.well-known/openid-configuration""#;
    assert_eq!(issuer(discovery), "https://a.example/x");
    let azure = one(&format!(
        r#"{{"module": "passport-azure-ad", {CLIENT}, "redirectUrl": "/auth/e/callback",
            "identityMetadata": "https://login.microsoftonline.com/common/v2.0/.well-known/openid-configuration"}}"#
    ));
    assert_eq!(
        azure.remote.unwrap().1.issuer.as_deref(),
        Some("https://login.microsoftonline.com/common/v2.0")
    );
    refused_for(
        &format!(r#"{{"module": "passport-openidconnect", {CLIENT}, "discovery": "https://a.example/x"}}"#),
        "must be the issuer with",
    );
    refused_for(
        &format!(
            r#"{{"module": "passport-openidconnect", {CLIENT}, "issuer": "https://b.example", {discovery}}}"#
        ),
        "is not below the issuer",
    );
}

#[test]
fn facebook_has_versions_and_fields() {
    let facebook = |further: &str| format!(r#"{{"module": "passport-facebook", {CLIENT}{further}}}"#);
    let remote = one(&facebook(
        r#", "graphAPIVersion": "v21.0", "profileFields": ["id", "emails"], "enableProof": true"#,
    ))
    .remote
    .unwrap()
    .1;
    assert_eq!(remote.graph_version.as_deref(), Some("v21.0"));
    assert_eq!(remote.profile_fields, ["id", "emails"]);
    refused_for(
        &facebook(r#", "graphAPIVersion": "21""#),
        "must look like `v24.0`",
    );
    warned_of(&facebook(r#", "enableProof": false"#), "is always on");
}

#[test]
fn microsoft_has_tenants() {
    let microsoft = |further: &str| format!(r#"{{"module": "passport-microsoft", {CLIENT}{further}}}"#);
    let tenant = one(&microsoft(r#", "tenant": "contoso.example""#))
        .remote
        .unwrap()
        .1
        .tenant;
    assert_eq!(tenant.as_deref(), Some("contoso.example"));
    refused_for(&microsoft(r#", "tenant": "a/b""#), "must be an id, a domain");
    refused_for(
        &microsoft(r#", "validateIssuer": false"#),
        "tokens of every tenant would log in",
    );
}

#[test]
fn apple_signs_with_a_key() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("key.p8");
    std::fs::write(
        &file,
        "-----BEGIN PRIVATE KEY-----\nx\n-----END PRIVATE KEY-----\n",
    )
    .unwrap();
    let file = file.display();
    let apple =
        |further: &str| format!(r#"{{"module": "passport-apple", "clientID": "com.example.web"{further}}}"#);
    let whole = apple(&format!(
        r#", "teamID": "TEAM", "keyID": "KEY", "privateKeyLocation": "{file}""#
    ));
    let key = one(&whole).remote.unwrap().1.apple.unwrap();
    warned_of(&whole, "Apple takes nothing but https");
    assert_eq!((key.team_id.as_str(), key.key_id.as_str()), ("TEAM", "KEY"));
    assert!(key.private_key.expose().ends_with("END PRIVATE KEY-----"));
    let errors = read(&format!("{{\"e\": {}}}", apple(""))).errors;
    assert_eq!(errors.len(), 3, "{errors:?}");
}
