//! Each way to answer wrongly has its own fault, and nothing of the answer gets into it.

use std::time::Duration;

use domain::ports::{IdentityProvider as _, ProviderError, ProviderFault as Fault};
use identity_oidc::OidcConfig;
use serde_json::{Value, json};

use crate::idp::keys::{TestKey, b64};
use crate::idp::{Idp, Reply, token_response};
use crate::login::{self, config, fault, provider, request, response, with};

async fn refused(idp: &Idp) -> ProviderError {
    let provider = provider(config(idp));
    let outcome = provider.complete(&response(&[("code", "secret-code")])).await;
    let error = outcome.expect_err("it should be refused");
    let told = format!("{error} {error:?}");
    for hidden in ["secret", "at-1", "rt-1", "eyJ", "nonce-1", "victim"] {
        assert!(!told.contains(hidden), "{told}");
    }
    error
}

fn is_unavailable(error: &ProviderError) -> bool {
    matches!(error, ProviderError::Unavailable(_))
}

#[tokio::test]
async fn a_wrong_claim_is_refused() {
    let idp = Idp::start().await;
    let now = login::NOW.as_millis() / 1000;
    for (changes, expected) in [
        (json!({"iss": "https://evil.example"}), Fault::IdTokenIssuer),
        (json!({"iss": format!("{}/", idp.issuer)}), Fault::IdTokenIssuer),
        (json!({"aud": "another-client"}), Fault::IdTokenAudience),
        (
            json!({"aud": ["web", "another-client"]}),
            Fault::IdTokenAuthorizedParty,
        ),
        (
            json!({"exp": now - 7200, "iat": now - 10_800}),
            Fault::IdTokenExpired,
        ),
        (json!({"exp": null}), Fault::IdTokenExpired),
        (json!({"nbf": now + 7200}), Fault::IdTokenTime),
        (json!({"iat": now + 7200}), Fault::IdTokenTime),
        (json!({"iat": now - 86_400 * 30}), Fault::IdTokenTime),
        (json!({"nonce": "not-the-nonce"}), Fault::IdTokenNonce),
        (json!({"nonce": null}), Fault::IdTokenNonce),
        (json!({"sub": null}), Fault::SubjectMissing),
        (json!({"sub": ""}), Fault::SubjectMissing),
        (
            json!({"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"}),
            Fault::IdTokenAccessTokenHash,
        ),
    ] {
        idp.hand_out(&idp.key.sign(&with(&login::claims(&idp), &changes)));
        assert_eq!(fault(&refused(&idp).await), expected, "{changes}");
    }
    assert!(
        idp.heard("/userinfo").is_empty(),
        "nothing is asked about a refused account"
    );
}

#[tokio::test]
async fn a_forged_token_is_refused() {
    let idp = Idp::start().await;
    let rogue = TestKey::p256("k1");
    let claims = login::claims(&idp);
    let good = idp.key.sign(&claims);
    let (signed, signature) = good.rsplit_once('.').unwrap();
    let (head, _) = signed.split_once('.').unwrap();
    let unsigned = |header: Value| format!("{}.{}.", b64(header.to_string()), b64(claims.to_string()));
    let jwk = json!({"alg": "ES256", "kid": "rogue", "jwk": rogue.jwk()});
    let jku = json!({"alg": "ES256", "kid": "rogue", "jku": format!("{}/rogue", idp.issuer)});
    let crit = json!({"alg": "ES256", "kid": "k1", "crit": ["exp"]});
    for (token, expected) in [
        (unsigned(json!({"alg": "none"})), Fault::IdTokenAlgorithm),
        (
            unsigned(json!({"alg": "None", "kid": "k1"})),
            Fault::IdTokenAlgorithm,
        ),
        (
            idp.key.sign_as(&json!({"alg": "HS256", "kid": "k1"}), &claims),
            Fault::IdTokenAlgorithm,
        ),
        (rogue.sign(&claims), Fault::IdTokenSignature),
        (format!("{signed}."), Fault::IdTokenSignature),
        (
            format!("{head}.{}.{signature}", b64(claims.to_string() + " ")),
            Fault::IdTokenSignature,
        ),
        (TestKey::p256("nobody-knows").sign(&claims), Fault::IdTokenKey),
        (rogue.sign_as(&jwk, &claims), Fault::IdTokenKey),
        (rogue.sign_as(&jku, &claims), Fault::IdTokenKey),
        (idp.key.sign_as(&crit, &claims), Fault::IdTokenMalformed),
        ("garbage".to_owned(), Fault::IdTokenMalformed),
    ] {
        idp.hand_out(&token);
        assert_eq!(fault(&refused(&idp).await), expected, "{token:.40}");
    }
    assert!(
        idp.heard("/rogue").is_empty(),
        "no address inside a token is asked"
    );
}

#[tokio::test]
async fn a_token_endpoint_may_answer_anything() {
    let idp = Idp::start().await;
    let token = idp.key.sign(&login::claims(&idp));
    let mut absent = token_response(&token);
    absent.as_object_mut().unwrap().remove("id_token");
    let mac = {
        let mut response = token_response(&token);
        response["token_type"] = json!("mac");
        response
    };
    let mut redirected = Reply::text(302, "text/html", "");
    redirected.headers = format!("location: {}/elsewhere\r\n", idp.issuer);
    let huge = Reply::text(200, "application/json", &" ".repeat(2 * 1024 * 1024));
    let error = json!({"error": "bad_verification_code", "error_description": "victim"});
    for (reply, expected) in [
        (Reply::json(&absent), Fault::IdTokenMissing),
        (Reply::json(&token_response("")), Fault::IdTokenMissing),
        (Reply::json(&mac), Fault::TokenResponseInvalid),
        (Reply::json(&error), Fault::TokenRefused),
        (
            Reply::text(400, "application/json", &error.to_string()),
            Fault::TokenRefused,
        ),
        (Reply::text(403, "text/html", "<p>victim"), Fault::TokenRefused),
        (
            Reply::text(200, "text/html", "<p>victim"),
            Fault::TokenResponseInvalid,
        ),
        (redirected, Fault::ResponseInvalid),
        (huge, Fault::ResponseInvalid),
    ] {
        idp.reply("/token", reply);
        assert_eq!(fault(&refused(&idp).await), expected);
    }
    assert!(idp.heard("/elsewhere").is_empty());
    for status in [500, 503, 429] {
        idp.reply("/token", Reply::text(status, "application/json", "{}"));
        assert!(is_unavailable(&refused(&idp).await));
    }
    let mut slow = Reply::json(&token_response(&token));
    slow.delay = Duration::from_secs(30);
    idp.reply("/token", slow);
    assert!(is_unavailable(&refused(&idp).await));
}

#[tokio::test]
async fn a_userinfo_endpoint_may_answer_anything() {
    let idp = Idp::start().await;
    idp.hand_out(&idp.key.sign(&login::claims(&idp)));
    let other = json!({"sub": "someone-else", "email": "victim@example.com"});
    for (reply, expected) in [
        (Reply::json(&other), Fault::UserInfoSubject),
        (
            Reply::json(&json!({"email": "victim@example.com"})),
            Fault::UserInfoSubject,
        ),
        (Reply::text(401, "application/json", "{}"), Fault::UserInfoInvalid),
        (Reply::text(200, "text/html", "<p>"), Fault::UserInfoInvalid),
        (Reply::text(307, "text/html", ""), Fault::ResponseInvalid),
    ] {
        idp.reply("/userinfo", reply);
        assert_eq!(fault(&refused(&idp).await), expected);
    }
    idp.reply("/userinfo", Reply::text(502, "text/html", ""));
    assert!(is_unavailable(&refused(&idp).await));
}

#[tokio::test]
async fn a_discovery_document_may_say_anything() {
    let idp = Idp::start().await;
    let document = |name: &str, value: Value| Reply::json(&with(&idp.document(), &json!({ name: value })));
    for reply in [
        document("issuer", json!("https://evil.example")),
        document("issuer", json!(format!("{}/", idp.issuer))),
        document("token_endpoint", json!("http://192.0.2.1/token")),
        document("jwks_uri", json!(null)),
        Reply::text(200, "text/html", "<p>"),
        Reply::text(404, "text/html", "<p>"),
    ] {
        idp.reply("/.well-known/openid-configuration", reply);
        assert_eq!(fault(&refused(&idp).await), Fault::DiscoveryInvalid);
        let begun = provider(config(&idp)).begin(&request()).await;
        assert_eq!(fault(&begun.unwrap_err()), Fault::DiscoveryInvalid);
    }
    idp.reply(
        "/.well-known/openid-configuration",
        Reply::text(301, "text/html", ""),
    );
    assert_eq!(fault(&refused(&idp).await), Fault::ResponseInvalid);
    assert!(
        idp.heard("/token").is_empty(),
        "no code is sent to an unknown place"
    );
}

#[tokio::test]
async fn keys_may_be_out_of_reach() {
    let idp = Idp::start().await;
    idp.hand_out(&idp.key.sign(&login::claims(&idp)));
    idp.reply("/jwks", Reply::text(500, "application/json", "{}"));
    assert!(is_unavailable(&refused(&idp).await));
    idp.reply("/jwks", Reply::json(&json!({"keys": "none"})));
    assert_eq!(fault(&refused(&idp).await), Fault::DiscoveryInvalid);
    idp.publish(&[]);
    assert_eq!(fault(&refused(&idp).await), Fault::IdTokenKey);
}

#[tokio::test]
async fn nobody_there_is_an_outage() {
    let config = OidcConfig::generic("http://127.0.0.1:1", "web");
    let provider = provider(config);
    assert!(is_unavailable(&provider.begin(&request()).await.unwrap_err()));
    let grant = login::grant("rt");
    assert!(is_unavailable(
        &provider.refresh(&grant, None, login::NOW).await.unwrap_err()
    ));
}

#[tokio::test]
async fn a_connection_that_ends_without_a_word_is_an_outage() {
    let idp = Idp::start().await;
    idp.answer_by(|heard| (heard.path == "/token").then(|| Reply::nothing(Duration::ZERO)));
    assert!(is_unavailable(&refused(&idp).await));
    assert_eq!(idp.heard("/token").len(), 1, "a code is not sent twice");
}
