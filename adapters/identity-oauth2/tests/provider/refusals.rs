//! Everything that is not an account, each with its code.

use crate::support::{FakeProvider, NOW, TOKEN, client, code_of, json, provider, reply, response, with_code};
use domain::identity::ProviderTokens;
use domain::ports::{IdentityProvider as _, ProviderError};
use domain::secret::Secret;
use domain::time::Timestamp;
use identity_oauth2::OAuth2Config;

async fn refused(fake: &FakeProvider, params: &[(&str, &str)]) -> String {
    let error = provider(fake.generic())
        .complete(&response(params))
        .await
        .unwrap_err();
    code_of(&error).to_owned()
}

#[tokio::test]
async fn a_callback_without_a_code_asks_nobody() {
    let fake = FakeProvider::with_profile(r#"{"id":"1"}"#).await;
    for (params, code) in [
        (vec![("error", "access_denied"), ("code", "c")], "ACCESS_DENIED"),
        (vec![("error", "user_cancelled_login")], "ACCESS_DENIED"),
        (vec![("error", "redirect_uri_mismatch")], "PROVIDER_ERROR"),
        (vec![("error", "<script>")], "PROVIDER_ERROR"),
        (vec![("error_code", "1349126")], "PROVIDER_ERROR"),
        (vec![("code", "")], "CALLBACK_INVALID"),
        (vec![("state", "s")], "CALLBACK_INVALID"),
        (vec![], "CALLBACK_INVALID"),
    ] {
        assert_eq!(refused(&fake, &params).await, code, "{params:?}");
    }
    assert_eq!(fake.heard("/token").len(), 0);
}

#[tokio::test]
async fn an_answer_of_another_issuer_is_refused_where_the_issuer_is_known() {
    let fake = FakeProvider::with_profile(r#"{"id":"1"}"#).await;
    let config = OAuth2Config {
        issuer: Some("https://issuer.example".to_owned()),
        ..fake.generic()
    };
    let known = provider(config);
    for iss in ["https://evil.example", "https://issuer.example/", ""] {
        let error = known
            .complete(&response(&[("code", "c"), ("iss", iss)]))
            .await
            .unwrap_err();
        assert_eq!(code_of(&error), "RESPONSE_ISSUER_MISMATCH", "{iss}");
    }
    let same = response(&[("code", "c"), ("iss", "https://issuer.example")]);
    assert_eq!(
        known.complete(&same).await.unwrap().issuer,
        "https://issuer.example"
    );
    let guessed = response(&[("code", "c"), ("iss", "https://whoever.example")]);
    assert!(provider(fake.generic()).complete(&guessed).await.is_ok());
}

async fn token_says(answer: String) -> ProviderError {
    let fake = FakeProvider::start(move |_| answer.clone()).await;
    let error = provider(fake.generic()).complete(&with_code()).await.unwrap_err();
    assert_eq!(fake.heard("/me").len(), 0);
    error
}

#[tokio::test]
async fn a_token_endpoint_that_misbehaves_is_refused() {
    let huge = format!(r#"{{"access_token":"{}"}}"#, "a".repeat(200_000));
    let long = format!(r#"{{"access_token":"{}"}}"#, "a".repeat(20_000));
    for (answer, code) in [
        (
            json(r#"{"error":"bad_verification_code"}"#),
            "TOKEN_REQUEST_REFUSED",
        ),
        (
            reply(400, "application/json", r#"{"error":"invalid_grant"}"#),
            "TOKEN_REQUEST_REFUSED",
        ),
        (
            reply(401, "application/json", r#"{"error":"invalid_client"}"#),
            "PROVIDER_CLIENT_REFUSED",
        ),
        (reply(200, "text/html", "<html>"), "TOKEN_RESPONSE_INVALID"),
        (
            json(r#"{"access_token":"at","token_type":"mac"}"#),
            "TOKEN_RESPONSE_INVALID",
        ),
        (json(&huge), "PROVIDER_RESPONSE_INVALID"),
        (json(&long), "TOKEN_RESPONSE_INVALID"),
        (reply(500, "text/html", "<html>"), "unavailable"),
        ("not http at all\r\n\r\n".to_owned(), "unavailable"),
        (String::new(), "unavailable"),
    ] {
        let error = token_says(answer.clone()).await;
        assert_eq!(code_of(&error), code, "{answer:.200}");
        assert!(!error.to_string().contains("very-secret-code"), "{error}");
    }
}

#[tokio::test]
async fn nobody_is_redirected_with_a_code() {
    let target = FakeProvider::with_profile("{}").await;
    let location = format!("{}/token", target.base);
    let answer = format!("HTTP/1.1 307 Away\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n");
    let error = token_says(answer).await;
    assert_eq!(code_of(&error), "PROVIDER_RESPONSE_INVALID");
    assert_eq!(target.heard("/token").len(), 0);
}

#[tokio::test]
async fn a_profile_that_is_none_is_refused() {
    for (answer, code) in [
        (json("{}"), "SUBJECT_MISSING"),
        (json(r#"{"id":null,"email":"a@example.com"}"#), "SUBJECT_MISSING"),
        (json(r#"{"id":""}"#), "SUBJECT_MISSING"),
        (json(r#"{"id":1.0e300}"#), "SUBJECT_MISSING"),
        (json("[]"), "USERINFO_INVALID"),
        (json("nonsense"), "USERINFO_INVALID"),
        (reply(200, "text/html", "<html>"), "USERINFO_INVALID"),
        (
            reply(401, "application/json", r#"{"id":"1"}"#),
            "USERINFO_INVALID",
        ),
        (reply(403, "text/plain", "no"), "USERINFO_INVALID"),
        (reply(302, "text/plain", ""), "PROVIDER_RESPONSE_INVALID"),
        (reply(503, "text/plain", ""), "unavailable"),
    ] {
        let said = answer.clone();
        let fake = FakeProvider::start(move |heard| match heard.path() {
            "/token" => json(TOKEN),
            _ => said.clone(),
        })
        .await;
        assert_eq!(refused(&fake, &[("code", "c")]).await, code, "{answer}");
    }
}

#[tokio::test]
async fn every_profile_needs_a_subject() {
    let fake = FakeProvider::with_profile(r#"{"name":"Nobody","data":{"name":"Nobody"}}"#).await;
    for config in [
        OAuth2Config::facebook("v24.0", client(), vec![]),
        OAuth2Config::github(client(), vec![]),
        OAuth2Config::x(client(), vec![]),
        OAuth2Config::google_legacy(client(), vec![]),
        OAuth2Config::linkedin(client(), vec![]),
    ] {
        let config = OAuth2Config {
            emails_url: None,
            ..fake.moved(config)
        };
        let kind = config.kind;
        let error = provider(config).complete(&with_code()).await.unwrap_err();
        assert_eq!(code_of(&error), "SUBJECT_MISSING", "{kind:?}");
    }
}

#[tokio::test]
async fn a_provider_that_is_away_or_asleep_is_unavailable() {
    let fake = FakeProvider::start(|_| {
        std::thread::sleep(std::time::Duration::from_millis(1500));
        json(TOKEN)
    })
    .await;
    assert_eq!(refused(&fake, &[("code", "c")]).await, "unavailable");
    let away = OAuth2Config {
        token_url: "http://127.0.0.1:1/token".to_owned(),
        ..fake.generic()
    };
    let error = provider(away).complete(&with_code()).await.unwrap_err();
    assert_eq!(code_of(&error), "unavailable");
}

fn tokens(refresh: Option<&str>) -> ProviderTokens {
    ProviderTokens {
        access_token: Secret::new("old"),
        token_secret: None,
        refresh_token: refresh.map(Secret::new),
        token_type: "Bearer".to_owned(),
        expires: None,
        scopes: Some(vec!["kept".to_owned()]),
    }
}

#[tokio::test]
async fn a_refresh_keeps_what_the_provider_does_not_say_again() {
    let fake =
        FakeProvider::start(|_| json(r#"{"access_token":"new","token_type":"bearer","expires_in":60}"#))
            .await;
    let fresh = provider(fake.generic())
        .refresh(&tokens(Some("rt")), None, NOW)
        .await
        .unwrap();
    assert_eq!(fresh.access_token.expose(), "new");
    assert_eq!(fresh.refresh_token.unwrap().expose(), "rt");
    assert_eq!(fresh.scopes.unwrap(), ["kept"]);
    assert_eq!(fresh.expires, Some(Timestamp::from_millis(1_060_000)));
    let asked = &fake.heard("/token")[0];
    assert_eq!(asked.field("grant_type").as_deref(), Some("refresh_token"));
    assert_eq!(asked.field("refresh_token").as_deref(), Some("rt"));
}

#[tokio::test]
async fn a_refresh_takes_what_the_provider_sends_anew() {
    let body = r#"{"access_token":"new","token_type":"bearer","refresh_token":"rt2","scope":"less"}"#;
    let fake = FakeProvider::start(move |_| json(body)).await;
    let fresh = provider(fake.generic())
        .refresh(&tokens(Some("rt")), None, NOW)
        .await
        .unwrap();
    assert_eq!(fresh.refresh_token.unwrap().expose(), "rt2");
    assert_eq!(fresh.scopes.unwrap(), ["less"]);
}

#[tokio::test]
async fn a_refresh_that_fails_says_whether_it_may_be_tried_again() {
    for (status, body, code) in [
        (400, r#"{"error":"invalid_grant"}"#, "GRANT_REVOKED"),
        (401, r#"{"error":"invalid_client"}"#, "PROVIDER_CLIENT_REFUSED"),
        (503, "{}", "unavailable"),
    ] {
        let fake = FakeProvider::start(move |_| reply(status, "application/json", body)).await;
        let error = provider(fake.generic())
            .refresh(&tokens(Some("rt")), None, NOW)
            .await
            .unwrap_err();
        assert_eq!(code_of(&error), code);
    }
    let fake = FakeProvider::with_profile("{}").await;
    let error = provider(fake.generic())
        .refresh(&tokens(None), None, NOW)
        .await
        .unwrap_err();
    assert_eq!(code_of(&error), "NOT_REFRESHABLE");
}
