use serde_json::json;

use super::*;
use crate::test_keys::b64;

fn token(header: &Value) -> String {
    format!("{}.{}.{}", b64(header.to_string()), b64("{}"), b64("s"))
}

fn fault(token: &str) -> Option<Fault> {
    match Jws::parse(token).err()? {
        ProviderError::Refused { fault, .. } => Some(fault),
        ProviderError::Unavailable(reason) => panic!("{reason}"),
    }
}

#[test]
fn only_signatures_by_the_issuers_own_key_are_allowed() {
    for allowed in [
        "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA",
    ] {
        assert_eq!(fault(&token(&json!({ "alg": allowed }))), None, "{allowed}");
    }
    for other in [
        json!("none"),
        json!("None"),
        json!("NONE"),
        json!("HS256"),
        json!("HS384"),
        json!("HS512"),
        json!("rs256"),
        json!("RS1"),
        json!("ES256K"),
        json!("ES512"),
        json!(""),
        json!(null),
        json!(["RS256"]),
        json!("dir"),
    ] {
        assert_eq!(
            fault(&token(&json!({ "alg": other }))),
            Some(Fault::IdTokenAlgorithm),
            "{other}"
        );
    }
    assert_eq!(fault(&token(&json!({}))), Some(Fault::IdTokenAlgorithm));
}

#[test]
fn a_token_of_another_kind_is_none() {
    for header in [
        json!({"alg": "RS256", "crit": ["exp"], "exp": 1}),
        json!({"alg": "RS256", "crit": []}),
        json!({"alg": "RS256", "typ": "logout+jwt"}),
        json!({"alg": "RS256", "typ": "at+jwt"}),
        json!({"alg": "RS256", "typ": 1}),
    ] {
        assert_eq!(fault(&token(&header)), Some(Fault::IdTokenMalformed), "{header}");
    }
    assert_eq!(fault(&token(&json!({"alg": "RS256", "typ": "jwt"}))), None);
}

#[test]
fn what_is_no_token_is_malformed() {
    let header = b64(json!({"alg": "RS256"}).to_string());
    for bad in [
        String::new(),
        "garbage".to_owned(),
        "..".to_owned(),
        format!("{header}.{}", b64("{}")),
        format!("{header}.{}.!!", b64("{}")),
        format!("{header}.{}.{}=", b64("{}"), b64("s")),
        format!("{header}.{}.s", b64("[]")),
        format!("{header}.{}.c.d.e", b64("{}")),
        format!("{}.{}.s", b64("\"x\""), b64("{}")),
        format!("{header}.{}.s", b64([0xff, 0xfe])),
        format!("{header}.{}.s", b64(format!("{{\"a\":{}", "[".repeat(500)))),
        "a".repeat(LONGEST + 1),
    ] {
        assert_eq!(fault(&bad), Some(Fault::IdTokenMalformed), "{bad:.60}");
    }
}
