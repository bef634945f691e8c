//! After the provider's page: the carried request token, signed for with the verifier.

use domain::identity::{ProfileEmail, ProviderTokens};
use domain::ports::{AuthorizationResponse, IdentityProvider as _};
use domain::secret::Secret;
use domain::time::Timestamp;
use identity_oauth1::{OAuth1Config, SignatureMethod};

use crate::support::{ACCESS_TOKEN, FakeProvider, code_of, json, provider, reply, response, verified};

const ALICE: &str = r#"{"id":38895958,"id_str":"38895958","name":"Alice Example","screen_name":"alice",
    "email":"alice@example.com","verified":false,"profile_image_url_https":"https://example.com/a.jpg"}"#;

fn email(value: &str, verified: bool) -> ProfileEmail {
    ProfileEmail {
        value: value.to_owned(),
        verified,
    }
}

#[tokio::test]
async fn x_tells_who_somebody_is() {
    let fake = FakeProvider::with_profile(ALICE).await;
    let arrival = provider(fake.twitter()).complete(&verified()).await.unwrap();
    assert_eq!(
        (arrival.issuer.as_str(), arrival.subject.as_str()),
        ("https://x.com", "38895958")
    );
    assert_eq!(arrival.profile.username.as_deref(), Some("alice"));
    assert_eq!(arrival.profile.display_name.as_deref(), Some("Alice Example"));
    assert_eq!(arrival.profile.emails, [email("alice@example.com", true)]);
    assert_eq!(arrival.profile.photos, ["https://example.com/a.jpg"]);
    let tokens = ProviderTokens {
        access_token: Secret::new("at"),
        token_secret: Some(Secret::new("as")),
        refresh_token: None,
        token_type: "OAuth".to_owned(),
        expires: None,
        scopes: None,
    };
    assert_eq!(arrival.tokens, Some(tokens));

    let bought = &fake.heard("/access_token")[0];
    assert_eq!(bought.method, "POST");
    assert_eq!(bought.oauth("oauth_token").as_deref(), Some("rt"));
    assert_eq!(
        bought.oauth("oauth_verifier").as_deref(),
        Some("very-secret-verifier")
    );
    assert_eq!(bought.oauth("oauth_timestamp").as_deref(), Some("1795287972"));
    let me = &fake.heard("/me")[0];
    assert_eq!(me.oauth("oauth_token").as_deref(), Some("at"));
    assert_eq!(me.query("include_email").as_deref(), Some("true"));
    assert_eq!(me.query("skip_status").as_deref(), Some("true"));
}

#[tokio::test]
async fn another_server_is_read_by_the_usual_names() {
    let body = r#"{"id":9007199254740993,"username":"ann","email":"ann@example.com"}"#;
    let fake = FakeProvider::with_profile(body).await;
    let config = OAuth1Config {
        signature_method: SignatureMethod::HmacSha256,
        ..fake.generic()
    };
    let arrival = provider(config).complete(&verified()).await.unwrap();
    assert_eq!(
        (arrival.issuer, arrival.subject.as_str()),
        (fake.base.clone(), "9007199254740993")
    );
    assert_eq!(arrival.profile.emails, [email("ann@example.com", false)]);
    let me = &fake.heard("/me")[0];
    assert_eq!(me.target, "/me");
    assert_eq!(me.oauth("oauth_signature_method").as_deref(), Some("HMAC-SHA256"));
    assert_eq!(me.oauth("oauth_signature").unwrap().len(), 44);
}

#[tokio::test]
async fn an_operator_need_not_take_the_providers_word_on_addresses() {
    let body = r#"{"id":"7","email":"ann@example.com","email_verified":true}"#;
    let fake = FakeProvider::with_profile(body).await;
    let arrival = provider(fake.generic()).complete(&verified()).await.unwrap();
    assert_eq!(arrival.profile.emails, [email("ann@example.com", true)]);
    let distrusting = OAuth1Config {
        email_distrusted: true,
        ..fake.generic()
    };
    let arrival = provider(distrusting).complete(&verified()).await.unwrap();
    assert_eq!(arrival.profile.emails, [email("ann@example.com", false)]);
}

#[tokio::test]
async fn a_callback_that_is_not_ours_asks_nobody() {
    let fake = FakeProvider::with_profile(ALICE).await;
    let twitter = provider(fake.twitter());
    for (params, code) in [
        (vec![("denied", "rt")], "ACCESS_DENIED"),
        (
            vec![("oauth_problem", "user_refused"), ("oauth_token", "rt")],
            "ACCESS_DENIED",
        ),
        (
            vec![("oauth_problem", "token_expired"), ("oauth_token", "rt")],
            "PROVIDER_ERROR",
        ),
        (
            vec![("oauth_token", "other"), ("oauth_verifier", "v")],
            "CALLBACK_INVALID",
        ),
        (
            vec![("oauth_token", ""), ("oauth_verifier", "v")],
            "CALLBACK_INVALID",
        ),
        (vec![("oauth_verifier", "v")], "CALLBACK_INVALID"),
        (
            vec![("oauth_token", "rt"), ("oauth_verifier", "")],
            "CALLBACK_INVALID",
        ),
        (vec![("oauth_token", "rt")], "CALLBACK_INVALID"),
        (vec![], "CALLBACK_INVALID"),
    ] {
        let error = twitter.complete(&response(&params)).await.unwrap_err();
        assert_eq!(code_of(&error), code, "{params:?}");
    }
    for carry in [None, Some(Secret::new("")), Some(Secret::new("oauth_token=rt"))] {
        let lost = AuthorizationResponse { carry, ..verified() };
        let error = twitter.complete(&lost).await.unwrap_err();
        assert_eq!(code_of(&error), "CALLBACK_INVALID");
    }
    assert_eq!(fake.heard("/access_token").len(), 0);
}

#[tokio::test]
async fn an_access_token_that_is_none_is_refused() {
    for (status, body, code) in [
        (401, "", "TOKEN_REQUEST_REFUSED"),
        (403, "", "TOKEN_REQUEST_REFUSED"),
        (200, "<html>", "TOKEN_RESPONSE_INVALID"),
        (200, "oauth_token=at", "TOKEN_RESPONSE_INVALID"),
        (
            200,
            "oauth_token=at&oauth_token=b&oauth_token_secret=s",
            "TOKEN_RESPONSE_INVALID",
        ),
        (307, "", "PROVIDER_RESPONSE_INVALID"),
        (500, "", "unavailable"),
    ] {
        let fake = FakeProvider::start(move |_| reply(status, "text/html", body)).await;
        let error = provider(fake.twitter()).complete(&verified()).await.unwrap_err();
        assert_eq!(code_of(&error), code, "{status} {body}");
        assert!(!error.to_string().contains("very-secret-verifier"), "{error}");
        assert_eq!(fake.heard("/me").len(), 0);
    }
}

#[tokio::test]
async fn a_profile_that_is_none_is_refused() {
    let huge = format!(r#"{{"id_str":"{}"}}"#, "1".repeat(200_000));
    for (answer, code) in [
        (json("{}"), "SUBJECT_MISSING"),
        (json(r#"{"id_str":null,"id":null}"#), "SUBJECT_MISSING"),
        (json(r#"{"id_str":"someone-else"}"#), "USERINFO_SUBJECT"),
        (json("[]"), "USERINFO_INVALID"),
        (json("<html>"), "USERINFO_INVALID"),
        (reply(401, "application/json", ALICE), "USERINFO_INVALID"),
        (json(&huge), "PROVIDER_RESPONSE_INVALID"),
        (reply(502, "text/html", ""), "unavailable"),
    ] {
        let said = answer.clone();
        let fake = FakeProvider::start(move |heard| match heard.path() {
            "/access_token" => reply(200, "text/html", ACCESS_TOKEN),
            _ => said.clone(),
        })
        .await;
        let error = provider(fake.twitter()).complete(&verified()).await.unwrap_err();
        assert_eq!(code_of(&error), code, "{answer:.200}");
    }
}

#[tokio::test]
async fn a_server_that_is_away_is_unavailable() {
    let fake = FakeProvider::with_profile(ALICE).await;
    let config = OAuth1Config {
        access_token_url: "http://127.0.0.1:1/access_token".to_owned(),
        ..fake.twitter()
    };
    let error = provider(config).complete(&verified()).await.unwrap_err();
    assert_eq!(code_of(&error), "unavailable");
}

#[tokio::test]
async fn there_is_nothing_to_refresh() {
    let fake = FakeProvider::with_profile(ALICE).await;
    let twitter = provider(fake.twitter());
    let tokens = twitter.complete(&verified()).await.unwrap().tokens.unwrap();
    let error = twitter
        .refresh(&tokens, None, Timestamp::from_millis(0))
        .await
        .unwrap_err();
    assert_eq!(code_of(&error), "NOT_REFRESHABLE");
}
