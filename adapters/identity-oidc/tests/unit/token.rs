use serde_json::json;

use super::*;
use crate::config::OidcConfig;

const NOW: Timestamp = Timestamp::from_millis(1_000_000);

fn answer(status: u16, body: &str) -> Response<Vec<u8>> {
    Response::builder()
        .status(status)
        .body(body.as_bytes().to_vec())
        .unwrap()
}

fn fault(error: ProviderError) -> Fault {
    match error {
        ProviderError::Refused { fault, detail } => {
            assert!(!detail.contains("secret"), "{detail}");
            fault
        }
        ProviderError::Unavailable(reason) => panic!("{reason}"),
    }
}

fn read_ok(body: &Value) -> Result<Answer, Fault> {
    read(&answer(200, &body.to_string()), Spending::Code, true, NOW).map_err(fault)
}

#[test]
fn tokens_are_read_as_providers_write_them() {
    let read = read_ok(&json!({
        "access_token": "at", "token_type": "bearer", "expires_in": "3600", "refresh_token": "rt", "id_token": "it",
        "scope": "email,openid  profile",
    }));
    let Answer { tokens, id_token } = read.unwrap();
    assert_eq!(
        (tokens.access_token.expose(), tokens.token_type.as_str()),
        ("at", "Bearer")
    );
    assert_eq!(tokens.expires, Some(NOW.plus(Lifetime::from_secs(3600))));
    assert_eq!(tokens.scopes.unwrap(), ["email", "openid", "profile"]);
    assert_eq!(tokens.refresh_token.unwrap().expose(), "rt");
    assert_eq!(id_token.unwrap().expose(), "it");

    let bare = read_ok(&json!({"access_token": "at", "token_type": "BEARER", "expires_in": null})).unwrap();
    assert_eq!(
        (bare.tokens.expires, bare.tokens.scopes, bare.tokens.refresh_token),
        (None, None, None)
    );
    assert!(bare.id_token.is_none());
}

#[test]
fn what_is_no_token_response_is_told_as_such() {
    for body in [
        json!({"token_type": "Bearer"}),
        json!({"access_token": "", "token_type": "Bearer"}),
        json!({"access_token": 1, "token_type": "Bearer"}),
        json!({"access_token": "a b", "token_type": "Bearer"}),
        json!({"access_token": "a\nb", "token_type": "Bearer"}),
        json!({"access_token": "x".repeat(20_000), "token_type": "Bearer"}),
        json!({"access_token": "at"}),
        json!({"access_token": "at", "token_type": "mac"}),
        json!({"access_token": "at", "token_type": null}),
        json!({"access_token": "at", "token_type": "Bearer", "expires_in": "soon"}),
        json!({"access_token": "at", "token_type": "Bearer", "expires_in": -1}),
        json!({"access_token": "at", "token_type": "Bearer", "expires_in": [1]}),
        json!([]),
        json!("secret"),
    ] {
        assert_eq!(
            read_ok(&body).unwrap_err(),
            Fault::TokenResponseInvalid,
            "{body:.80}"
        );
    }
    for body in ["<html>secret</html>", "", "access_token=secret&token_type=bearer"] {
        let error = read(&answer(200, body), Spending::Code, true, NOW).unwrap_err();
        assert_eq!(fault(error), Fault::TokenResponseInvalid);
    }
}

#[test]
fn a_provider_may_be_known_to_omit_the_type() {
    let body = json!({"access_token": "at"}).to_string();
    assert!(read(&answer(200, &body), Spending::Code, false, NOW).is_ok());
    let body = json!({"access_token": "at", "token_type": "mac"}).to_string();
    assert!(read(&answer(200, &body), Spending::Code, false, NOW).is_err());
}

#[test]
fn a_refusal_says_what_is_over() {
    let cases = [
        (400, "invalid_grant", Fault::TokenRefused, Fault::GrantRevoked),
        (401, "invalid_client", Fault::TokenRefused, Fault::ClientRefused),
        (
            400,
            "unauthorized_client",
            Fault::TokenRefused,
            Fault::ClientRefused,
        ),
        (400, "invalid_request", Fault::TokenRefused, Fault::TokenRefused),
        (
            200,
            "bad_verification_code=secret",
            Fault::TokenRefused,
            Fault::TokenRefused,
        ),
    ];
    for (status, error, code, refresh) in cases {
        let body =
            json!({"error": error, "error_description": "secret", "access_token": "secret"}).to_string();
        let of = |spending| fault(read(&answer(status, &body), spending, true, NOW).unwrap_err());
        assert_eq!(
            (of(Spending::Code), of(Spending::RefreshToken)),
            (code, refresh),
            "{error}"
        );
    }
    let of =
        |status, body| fault(read(&answer(status, body), Spending::RefreshToken, true, NOW).unwrap_err());
    assert_eq!(of(401, "<html>"), Fault::ClientRefused);
    assert_eq!(of(403, ""), Fault::TokenRefused);
    assert_eq!(of(200, r#"{"error":{"message":"secret"}}"#), Fault::TokenRefused);
}

fn client(secret: Option<&str>) -> ProviderClient {
    ProviderClient {
        client_id: "we:b".to_owned(),
        client_secret: secret.map(Secret::new),
    }
}

#[test]
fn the_client_proves_itself_where_the_provider_wants_it() {
    let metadata = |secret_in_body| Metadata {
        token: "https://issuer.example/token".to_owned(),
        secret_in_body,
        ..Metadata::default()
    };
    let sent = |auth, in_body, secret| {
        let request = request(&metadata(in_body), auth, &client(secret), &[("code", "c&d")]).unwrap();
        let basic = request
            .headers()
            .get("authorization")
            .map(|value| value.to_str().unwrap().to_owned());
        (basic, String::from_utf8(request.into_body()).unwrap())
    };
    let basic = Some(format!("Basic {}", STANDARD.encode("we%3Ab:s%20%26~")));
    let body = "code=c%26d&client_id=we%3Ab&client_secret=s+%26%7E";
    assert_eq!(
        sent(TokenAuth::Basic, true, Some("s &~")),
        (basic.clone(), "code=c%26d".to_owned())
    );
    assert_eq!(
        sent(TokenAuth::Announced, false, Some("s &~")),
        (basic, "code=c%26d".to_owned())
    );
    assert_eq!(
        sent(TokenAuth::Announced, true, Some("s &~")),
        (None, body.to_owned())
    );
    assert_eq!(
        sent(TokenAuth::Post, false, Some("s &~")),
        (None, body.to_owned())
    );
    assert_eq!(
        sent(TokenAuth::Basic, false, None),
        (None, "code=c%26d&client_id=we%3Ab".to_owned())
    );
}

#[test]
fn an_applications_client_never_borrows_the_entrys_secret() {
    let settled = Settled::new(OidcConfig {
        client_secret: ClientSecret::Fixed(Secret::new("ours")),
        ..OidcConfig::generic("https://issuer.example", "web")
    });
    let settled = settled.unwrap();
    let own = client_of(&settled, None, 0).unwrap();
    assert_eq!(
        (own.client_id.as_str(), own.client_secret.unwrap().expose()),
        ("web", "ours")
    );
    let with = client_of(&settled, Some(&client(Some("theirs"))), 0).unwrap();
    assert_eq!(
        (with.client_id.as_str(), with.client_secret.unwrap().expose()),
        ("we:b", "theirs")
    );
    assert!(
        client_of(&settled, Some(&client(None)), 0)
            .unwrap()
            .client_secret
            .is_none()
    );
}
