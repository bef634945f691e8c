use serde_json::json;

use super::*;

fn claims(value: Value) -> Claims {
    match value {
        Value::Object(map) => Claims(map),
        other => panic!("{other}"),
    }
}

fn merged(token: Value, info: Value) -> Value {
    Value::Object(merge(claims(token), claims(info)).unwrap().0)
}

fn fault(error: ProviderError) -> Fault {
    match error {
        ProviderError::Refused { fault, .. } => fault,
        ProviderError::Unavailable(reason) => panic!("{reason}"),
    }
}

#[test]
fn what_the_id_token_says_stands() {
    let both = merged(
        json!({"sub": "ann", "name": "Ann", "iss": "i"}),
        json!({"sub": "ann", "name": "Admin", "iss": "evil", "locale": "de", "zoneinfo": null}),
    );
    assert_eq!(
        both,
        json!({"sub": "ann", "name": "Ann", "iss": "i", "locale": "de"})
    );
}

#[test]
fn an_address_and_its_proof_come_from_the_same_side() {
    let both = merged(
        json!({"sub": "ann", "email": "ann@a.example"}),
        json!({"sub": "ann", "email": "victim@b.example", "email_verified": true}),
    );
    assert_eq!(both, json!({"sub": "ann", "email": "ann@a.example"}));
    let both = merged(
        json!({"sub": "ann", "email_verified": true}),
        json!({"sub": "ann", "email": "victim@b.example"}),
    );
    assert_eq!(both, json!({"sub": "ann", "email": "victim@b.example"}));
    let both = merged(
        json!({"sub": "ann", "email": "ann@a.example"}),
        json!({"sub": "ann", "email": "ann@a.example", "email_verified": true}),
    );
    assert_eq!(both["email_verified"], json!(true));
    let both = merged(
        json!({"sub": "ann", "email": "ann@a.example", "email_verified": false}),
        json!({"sub": "ann", "email": "ann@a.example", "email_verified": true}),
    );
    assert_eq!(both["email_verified"], json!(false));
}

#[test]
fn another_account_is_refused() {
    for info in [
        json!({"sub": "bob"}),
        json!({}),
        json!({"sub": "ANN"}),
        json!({"sub": 1}),
        json!({"sub": null}),
    ] {
        let refused = merge(claims(json!({"sub": "ann"})), claims(info.clone())).unwrap_err();
        assert_eq!(fault(refused), Fault::UserInfoSubject, "{info}");
    }
}

#[test]
fn it_is_asked_when_something_is_missing() {
    let full = claims(json!({"email": "a@b.example", "given_name": "Ann"}));
    let nameless = claims(json!({"email": "a@b.example"}));
    let silent = claims(json!({"name": "Ann"}));
    assert!(is_needed(UserInfo::Always, &full));
    assert!(!is_needed(UserInfo::IfMissing, &full));
    assert!(is_needed(UserInfo::IfMissing, &nameless) && is_needed(UserInfo::IfMissing, &silent));
    assert!(!is_needed(UserInfo::Never, &silent));
}

#[test]
fn an_answer_that_is_none_is_refused() {
    let read_as = |status: u16, kind: &str, body: &str| {
        let response = Response::builder().status(status).header("content-type", kind);
        read(response.body(body.as_bytes().to_vec()).unwrap()).map_err(fault)
    };
    for (status, kind, body) in [
        (401, "application/json", r#"{"sub":"ann"}"#),
        (204, "application/json", ""),
        (200, "text/html", "<p>"),
        (200, "application/json", "[]"),
        (200, "application/json", r#""ann""#),
    ] {
        assert_eq!(
            read_as(status, kind, body).err(),
            Some(Fault::UserInfoInvalid),
            "{status} {body}"
        );
    }
    assert!(matches!(
        read_as(200, "application/json; charset=utf-8", "{}"),
        Ok(Form::Plain(_))
    ));
    assert!(matches!(
        read_as(200, "Application/JWT; charset=utf-8", "a.b.c"),
        Ok(Form::Token(_))
    ));
}
