use super::*;

fn answer(status: u16, media: &str, body: &str) -> Response<Vec<u8>> {
    let response = Response::builder().status(status).header(CONTENT_TYPE, media);
    response.body(body.as_bytes().to_vec()).unwrap()
}

fn judged(kind: ProfileKind, purpose: Purpose, status: u16, body: &str) -> Result<Value, String> {
    let media = match body.as_bytes().first() {
        Some(b'{' | b'[') => "application/json; charset=utf-8",
        Some(b'<') => "text/html",
        _ => "application/x-www-form-urlencoded; charset=utf-8",
    };
    judge(kind, purpose, &answer(status, media, body)).map_err(|error| match error {
        ProviderError::Refused { fault, .. } => fault.code().to_owned(),
        ProviderError::Unavailable(_) => "unavailable".to_owned(),
    })
}

fn bought(status: u16, body: &str) -> Result<Value, String> {
    judged(ProfileKind::Generic, Purpose::Code, status, body)
}

const GOOD: &str = r#"{"access_token":"a","token_type":"Bearer"}"#;

#[test]
fn json_and_forms_say_the_same() {
    let json = bought(
        200,
        r#"{"access_token":"a","token_type":"bearer","expires_in":"3600","refresh_token":"r","scope":"x,y z"}"#,
    );
    let form = bought(
        200,
        "access_token=a&token_type=BEARER&expires_in=3600&refresh_token=r&scope=x%2Cy+z",
    );
    assert_eq!(json, form);
    let plain = json.unwrap();
    assert_eq!(plain["expires_in"], 3600);
    assert_eq!(plain["scope"], "x y z");
}

#[test]
fn what_is_no_token_answer_is_refused() {
    for body in [
        "<html>over capacity</html>",
        "[]",
        "{}",
        "",
        r#"{"access_token":"","token_type":"bearer"}"#,
        r#"{"access_token":null,"token_type":"bearer"}"#,
        r#"{"access_token":["a"],"token_type":"bearer"}"#,
        r#"{"access_token":"a","token_type":"mac"}"#,
        r#"{"access_token":"a","token_type":7}"#,
        r#"{"access_token":"a","expires_in":-1}"#,
        r#"{"access_token":"a","expires_in":"soon"}"#,
        r#"{"access_token":"a","expires_in":[1]}"#,
        "access_token=a&access_token=b",
    ] {
        assert_eq!(
            bought(200, body),
            Err("TOKEN_RESPONSE_INVALID".to_owned()),
            "{body}"
        );
    }
}

#[test]
fn a_missing_type_is_forgiven_only_where_it_is_known_to_be_missing() {
    let body = r#"{"access_token":"a"}"#;
    for kind in [ProfileKind::Facebook, ProfileKind::GitHub, ProfileKind::Generic] {
        assert!(judged(kind, Purpose::Code, 200, body).is_ok(), "{kind:?}");
    }
    for kind in [ProfileKind::X, ProfileKind::Google, ProfileKind::LinkedIn] {
        let refused = Err("TOKEN_RESPONSE_INVALID".to_owned());
        assert_eq!(judged(kind, Purpose::Code, 200, body), refused, "{kind:?}");
    }
}

#[test]
fn an_error_is_one_whatever_the_status() {
    for status in [200, 400, 401, 403] {
        for (error, code) in [
            ("invalid_grant", "TOKEN_REQUEST_REFUSED"),
            ("bad_verification_code", "TOKEN_REQUEST_REFUSED"),
            ("invalid_request", "TOKEN_REQUEST_REFUSED"),
            ("invalid_client", "PROVIDER_CLIENT_REFUSED"),
            ("incorrect_client_credentials", "PROVIDER_CLIENT_REFUSED"),
            ("temporarily_unavailable", "unavailable"),
        ] {
            let body = format!(r#"{{"error":"{error}","access_token":"a"}}"#);
            assert_eq!(bought(status, &body), Err(code.to_owned()), "{status} {error}");
        }
    }
    assert_eq!(
        bought(200, "error=bad_verification_code&error_description=x"),
        Err("TOKEN_REQUEST_REFUSED".to_owned())
    );
}

#[test]
fn a_refresh_token_that_is_dead_revokes_the_grant() {
    let refused = |kind, error: &str| {
        judged(kind, Purpose::Refresh, 400, &format!(r#"{{"error":"{error}"}}"#)).unwrap_err()
    };
    assert_eq!(refused(ProfileKind::Generic, "invalid_grant"), "GRANT_REVOKED");
    assert_eq!(refused(ProfileKind::GitHub, "bad_refresh_token"), "GRANT_REVOKED");
    assert_eq!(refused(ProfileKind::X, "invalid_request"), "GRANT_REVOKED");
    assert_eq!(
        refused(ProfileKind::Generic, "invalid_request"),
        "TOKEN_REQUEST_REFUSED"
    );
    assert_eq!(
        refused(ProfileKind::Generic, "invalid_client"),
        "PROVIDER_CLIENT_REFUSED"
    );
}

#[test]
fn statuses_speak_for_themselves() {
    for (status, code) in [
        (302, "PROVIDER_RESPONSE_INVALID"),
        (307, "PROVIDER_RESPONSE_INVALID"),
        (304, "PROVIDER_RESPONSE_INVALID"),
        (500, "unavailable"),
        (503, "unavailable"),
        (429, "unavailable"),
        (400, "TOKEN_REQUEST_REFUSED"),
        (401, "PROVIDER_CLIENT_REFUSED"),
    ] {
        assert_eq!(bought(status, GOOD), Err(code.to_owned()), "{status}");
    }
    assert_eq!(bought(401, "<html>"), Err("PROVIDER_CLIENT_REFUSED".to_owned()));
    assert_eq!(bought(400, "<html>"), Err("TOKEN_RESPONSE_INVALID".to_owned()));
    assert!(bought(200, GOOD).is_ok());
}

#[test]
fn the_graphs_errors_are_told_by_number() {
    for (code, told) in [
        (1, "PROVIDER_CLIENT_REFUSED"),
        (101, "PROVIDER_CLIENT_REFUSED"),
        (100, "TOKEN_REQUEST_REFUSED"),
        (190, "TOKEN_REQUEST_REFUSED"),
        (2, "unavailable"),
        (4, "unavailable"),
    ] {
        let body = format!(r#"{{"error":{{"message":"x","type":"OAuthException","code":{code}}}}}"#);
        let judged = judged(ProfileKind::Facebook, Purpose::Code, 400, &body);
        assert_eq!(judged, Err(told.to_owned()), "{code}");
    }
}

#[test]
fn zero_and_nothing_are_no_lifetime() {
    for body in [
        r#"{"access_token":"a","expires_in":0}"#,
        r#"{"access_token":"a","expires_in":null}"#,
        r#"{"access_token":"a","expires_in":""}"#,
        r#"{"access_token":"a"}"#,
    ] {
        assert_eq!(bought(200, body).unwrap()["expires_in"], Value::Null, "{body}");
    }
}

#[test]
fn nothing_received_is_repeated() {
    let body = r#"{"error":"<script>alert(1)</script>"}"#;
    let error = judge(
        ProfileKind::Generic,
        Purpose::Code,
        &answer(400, "application/json", body),
    )
    .unwrap_err();
    assert!(!error.to_string().contains("script"), "{error}");
}
