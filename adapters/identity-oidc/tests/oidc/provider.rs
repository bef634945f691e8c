//! The whole way, against a provider that does as it is told.

use crate::idp::keys::TestKey;
use crate::idp::{Idp, Reply, token_response};
use crate::login::{self, NOW, config, fault, provider, request, response, with};
use domain::identity::ProviderClient;
use domain::ports::{IdentityProvider as _, ProviderFault as Fault};
use domain::secret::Secret;
use identity_oidc::{OidcConfig, TokenAuth, UserInfo};
use serde_json::json;

#[tokio::test]
async fn somebody_logs_in() {
    let idp = Idp::start().await;
    let provider = provider(config(&idp));
    let start = provider.begin(&request()).await.unwrap();
    assert!(start.url.starts_with(&format!(
        "{}/authorize?response_type=code&client_id=web&",
        idp.issuer
    )));
    assert!(start.handle.is_none() && start.carry.is_none());

    idp.hand_out(&idp.key.sign(&login::claims(&idp)));
    let info = json!({"sub": "ann", "email": "ann@example.com", "email_verified": true, "name": "Ann"});
    idp.reply("/userinfo", Reply::json(&info));
    let arrival = provider.complete(&response(&[("code", "c-1")])).await.unwrap();
    assert_eq!(
        (arrival.issuer.as_str(), arrival.subject.as_str()),
        (idp.issuer.as_str(), "ann")
    );
    assert_eq!(
        arrival.profile.vouched_email(false).unwrap().as_str(),
        "ann@example.com"
    );
    assert_eq!(arrival.profile.display_name.as_deref(), Some("Ann"));
    assert_eq!(
        (arrival.raw["name"].as_str(), arrival.raw["nonce"].as_str()),
        (Some("Ann"), Some("nonce-1"))
    );
    let tokens = arrival.tokens.unwrap();
    assert_eq!(
        (
            tokens.access_token.expose(),
            tokens.refresh_token.unwrap().expose()
        ),
        ("at-1", "rt-1")
    );

    let asked = &idp.heard("/token")[0];
    for part in [
        "grant_type=authorization_code",
        "code=c-1",
        "redirect_uri=https%3A%2F%2Fapp.example%2Fcb",
    ] {
        assert!(asked.body.contains(part), "{}", asked.body);
    }
    assert!(asked.body.contains(&format!("code_verifier={}", login::VERIFIER)));
    assert!(
        asked.head.contains("authorization: Basic d2ViOndlYi1zZWNyZXQ="),
        "{}",
        asked.head
    );
    assert!(
        idp.heard("/userinfo")[0]
            .head
            .contains("authorization: Bearer at-1")
    );
}

#[tokio::test]
async fn an_id_token_that_says_it_all_is_enough() {
    let idp = Idp::start_at("/realm", TestKey::rsa("r")).await;
    let full = with(
        &crate::login::claims(&idp),
        &json!({"email": "ann@example.com", "name": "Ann"}),
    );
    idp.hand_out(&idp.key.sign(&full));
    let provider = provider(OidcConfig {
        userinfo: UserInfo::IfMissing,
        ..config(&idp)
    });
    provider.complete(&response(&[("code", "c")])).await.unwrap();
    assert!(idp.heard("/userinfo").is_empty());
}

#[tokio::test]
async fn the_response_is_judged_before_the_code_is_spent() {
    let idp = Idp::start().await;
    let mut document = idp.document();
    document["authorization_response_iss_parameter_supported"] = json!(true);
    idp.reply("/.well-known/openid-configuration", Reply::json(&document));
    let provider = provider(config(&idp));
    let iss = idp.issuer.as_str();
    let evil = "https://evil.example";
    let slash = format!("{iss}/");
    for (params, expected) in [
        (vec![("code", "c")], Fault::ResponseIssuer),
        (vec![("code", "c"), ("iss", evil)], Fault::ResponseIssuer),
        (
            vec![("code", "c"), ("iss", slash.as_str())],
            Fault::ResponseIssuer,
        ),
        (vec![("code", "c"), ("iss", "")], Fault::ResponseIssuer),
        (
            vec![("error", "access_denied"), ("iss", evil)],
            Fault::ResponseIssuer,
        ),
        (
            vec![("error", "access_denied"), ("iss", iss)],
            Fault::AccessDenied,
        ),
        (vec![("error", "access_denied")], Fault::AccessDenied),
        (vec![("error", "user_cancelled_login")], Fault::AccessDenied),
        (
            vec![("error", "<script>"), ("code", "c")],
            Fault::AuthorizationError,
        ),
        (vec![("error", "")], Fault::AuthorizationError),
        (vec![("iss", iss)], Fault::CallbackInvalid),
        (vec![("code", ""), ("iss", iss)], Fault::CallbackInvalid),
    ] {
        let refused = provider.complete(&response(&params)).await.unwrap_err();
        assert!(!refused.to_string().contains("script"), "{refused}");
        assert_eq!(fault(&refused), expected, "{params:?}");
    }
    assert!(idp.heard("/token").is_empty());
    idp.hand_out(&idp.key.sign(&login::claims(&idp)));
    idp.reply("/userinfo", Reply::json(&json!({"sub": "ann"})));
    provider
        .complete(&response(&[("code", "c"), ("iss", iss)]))
        .await
        .unwrap();
}

#[tokio::test]
async fn an_applications_own_client_is_whom_the_token_must_be_for() {
    let idp = Idp::start().await;
    let config = OidcConfig {
        userinfo: UserInfo::Never,
        token_auth: TokenAuth::Post,
        ..config(&idp)
    };
    let provider = provider(config);
    let mut response = response(&[("code", "c")]);
    response.client = Some(ProviderClient {
        client_id: "app".to_owned(),
        client_secret: Some(Secret::new("app-secret")),
    });
    idp.hand_out(&idp.key.sign(&login::claims(&idp)));
    let refused = provider.complete(&response).await.unwrap_err();
    assert_eq!(fault(&refused), Fault::IdTokenAudience);
    idp.hand_out(&idp.key.sign(&with(&login::claims(&idp), &json!({"aud": "app"}))));
    provider.complete(&response).await.unwrap();
    let body = &idp.heard("/token")[1].body;
    assert!(
        body.contains("client_id=app&client_secret=app-secret") && !body.contains("web"),
        "{body}"
    );
}

#[tokio::test]
async fn a_signed_userinfo_is_verified() {
    let idp = Idp::start().await;
    let provider = provider(config(&idp));
    idp.hand_out(&idp.key.sign(&login::claims(&idp)));
    let info = json!({"sub": "ann", "iss": idp.issuer, "aud": "web", "name": "Ann"});
    let answer = |token: &str| Reply::text(200, "application/jwt", token);
    idp.reply("/userinfo", answer(&idp.key.sign(&info)));
    let arrival = provider.complete(&response(&[("code", "c")])).await.unwrap();
    assert_eq!(arrival.profile.display_name.as_deref(), Some("Ann"));

    let rogue = TestKey::p256("k1");
    for (token, expected) in [
        (rogue.sign(&info), Fault::UserInfoInvalid),
        (
            idp.key.sign(&with(&info, &json!({"aud": "other"}))),
            Fault::UserInfoInvalid,
        ),
        (
            idp.key
                .sign(&with(&info, &json!({"iss": "https://evil.example"}))),
            Fault::UserInfoInvalid,
        ),
        (
            idp.key.sign(&with(&info, &json!({"sub": "bob"}))),
            Fault::UserInfoSubject,
        ),
        ("a.b.c.d.e".to_owned(), Fault::UserInfoInvalid),
    ] {
        idp.reply("/userinfo", answer(&token));
        let refused = provider.complete(&response(&[("code", "c")])).await.unwrap_err();
        assert_eq!(fault(&refused), expected, "{token:.30}");
    }
}

#[tokio::test]
async fn a_refreshed_grant_keeps_what_the_provider_omits() {
    let idp = Idp::start().await;
    let provider = provider(config(&idp));
    let mut grant = login::grant("rt-1");
    let fresh = json!({"access_token": "at-2", "token_type": "bearer", "expires_in": 60, "id_token": "not-looked-at"});
    idp.reply("/token", Reply::json(&fresh));
    let renewed = provider.refresh(&grant, None, NOW).await.unwrap();
    assert_eq!(renewed.access_token.expose(), "at-2");
    assert_eq!(renewed.refresh_token.unwrap().expose(), "rt-1");
    assert_eq!(renewed.scopes, grant.scopes);
    let body = &idp.heard("/token")[0].body;
    assert_eq!(body, "grant_type=refresh_token&refresh_token=rt-1");

    idp.reply("/token", Reply::json(&token_response("x")));
    grant.refresh_token = Some(Secret::new("rt-0"));
    let renewed = provider.refresh(&grant, None, NOW).await.unwrap();
    assert_eq!(renewed.refresh_token.unwrap().expose(), "rt-1");

    for (status, error, expected) in [
        (400, "invalid_grant", Fault::GrantRevoked),
        (401, "invalid_client", Fault::ClientRefused),
        (400, "invalid_scope", Fault::TokenRefused),
    ] {
        let body = json!({ "error": error }).to_string();
        idp.reply("/token", Reply::text(status, "application/json", &body));
        let refused = provider.refresh(&grant, None, NOW).await.unwrap_err();
        assert_eq!(fault(&refused), expected);
    }
    grant.refresh_token = None;
    let refused = provider.refresh(&grant, None, NOW).await.unwrap_err();
    assert_eq!(fault(&refused), Fault::NotRefreshable);
}

#[test]
fn a_configuration_that_cannot_work_is_told() {
    let base = || OidcConfig::generic("https://issuer.example", "web");
    let param = |name: &str, value: &str| OidcConfig {
        authorization_params: vec![(name.to_owned(), value.to_owned())],
        ..base()
    };
    let secret = |text: &str| OidcConfig {
        client_secret: identity_oidc::ClientSecret::Fixed(Secret::new(text)),
        ..base()
    };
    for (config, told) in [
        (OidcConfig::generic("http://issuer.example", "web"), "issuer"),
        (OidcConfig::generic("https://issuer.example?a", "web"), "issuer"),
        (OidcConfig::generic("issuer.example", "web"), "issuer"),
        (OidcConfig::generic("https://issuer.example", " "), "client id"),
        (
            OidcConfig {
                token_endpoint: Some("http://a.example".to_owned()),
                ..base()
            },
            "token endpoint",
        ),
        (
            OidcConfig {
                jwks_uri: Some("/jwks".to_owned()),
                ..base()
            },
            "jwks",
        ),
        (OidcConfig::microsoft("", "web"), "issuer"),
        (param("state", "fixed"), "state"),
        (param("request_uri", "https://a.example"), "request_uri"),
        (param("max_age", "soon"), "max_age"),
        (secret(""), "client secret"),
    ] {
        let error = identity_oidc::OidcProvider::new(config, login::outbound()).unwrap_err();
        assert!(
            error.to_string().starts_with(told) || error.to_string().contains(told),
            "{error}"
        );
    }
    assert!(!format!("{:?}", secret("very-secret")).contains("very-secret"));
}
