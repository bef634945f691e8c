use serde_json::json;

use super::*;
use crate::test_keys::{TestKey, b64};

fn set(keys: &[Value]) -> KeySet {
    KeySet::read(&json!({ "keys": keys })).unwrap()
}

fn verified(keys: &KeySet, token: &str) -> Result<Option<Signed>, Fault> {
    let token = Jws::parse(token).unwrap();
    keys.verify(&token).map_err(fault)
}

fn fault(error: ProviderError) -> Fault {
    match error {
        ProviderError::Refused { fault, .. } => fault,
        ProviderError::Unavailable(reason) => panic!("{reason}"),
    }
}

#[test]
fn every_allowed_algorithm_verifies() {
    let rsa = TestKey::rsa("r");
    let keys = set(&[rsa.jwk()]);
    for algorithm in ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"] {
        let token = rsa.sign_as(&json!({"alg": algorithm, "kid": "r"}), &json!({"sub": algorithm}));
        let signed = verified(&keys, &token).unwrap().unwrap();
        assert_eq!(signed.claims.shown("sub"), Some(algorithm));
    }
    for key in [TestKey::p256("k"), TestKey::p384("k"), TestKey::ed25519("k")] {
        let signed = verified(&set(&[key.jwk()]), &key.sign(&json!({"sub": "ann"})));
        assert!(signed.unwrap().is_some(), "{}", key.algorithm());
    }
}

#[test]
fn a_signature_of_another_key_is_wrong() {
    for (ours, rogue) in [
        (TestKey::rsa("k"), TestKey::rsa("k")),
        (TestKey::p256("k"), TestKey::p256("k")),
        (TestKey::ed25519("k"), TestKey::ed25519("k")),
    ] {
        let keys = set(&[ours.jwk()]);
        let forged = rogue.sign(&json!({"sub": "ann"}));
        assert_eq!(verified(&keys, &forged).unwrap_err(), Fault::IdTokenSignature);
        let good = ours.sign(&json!({"sub": "ann"}));
        let (signed, _) = good.rsplit_once('.').unwrap();
        assert_eq!(
            verified(&keys, &format!("{signed}.")).unwrap_err(),
            Fault::IdTokenSignature
        );
        let (header, _) = signed.split_once('.').unwrap();
        let signature = good.rsplit_once('.').unwrap().1;
        let swapped = format!("{header}.{}.{signature}", b64(r#"{"sub":"admin"}"#));
        assert_eq!(verified(&keys, &swapped).unwrap_err(), Fault::IdTokenSignature);
    }
}

#[test]
fn a_key_inside_the_token_is_not_looked_at() {
    let (ours, rogue) = (TestKey::p256("k"), TestKey::p256("rogue"));
    let keys = set(&[ours.jwk()]);
    let header = json!({
        "alg": "ES256", "kid": "rogue", "jwk": rogue.jwk(), "jku": "https://evil.example/jwks",
        "x5u": "https://evil.example/x", "x5c": ["AA=="],
    });
    assert!(
        verified(&keys, &rogue.sign_as(&header, &json!({})))
            .unwrap()
            .is_none()
    );
    let mut header = header;
    header["kid"] = json!("k");
    let fault = verified(&keys, &rogue.sign_as(&header, &json!({}))).unwrap_err();
    assert_eq!(fault, Fault::IdTokenSignature);
}

#[test]
fn a_key_is_for_its_own_algorithm() {
    let (ec, rsa) = (TestKey::p256("k"), TestKey::rsa("k"));
    let as_rsa = ec.sign_as(&json!({"alg": "RS256", "kid": "k"}), &json!({}));
    assert_eq!(
        verified(&set(&[ec.jwk()]), &as_rsa).unwrap_err(),
        Fault::IdTokenAlgorithm
    );
    let mut jwk = rsa.jwk();
    jwk["alg"] = json!("RS512");
    assert_eq!(
        verified(&set(&[jwk]), &rsa.sign(&json!({}))).unwrap_err(),
        Fault::IdTokenAlgorithm
    );
    let mut jwk = rsa.jwk();
    jwk["use"] = json!("enc");
    assert_eq!(
        verified(&set(&[jwk]), &rsa.sign(&json!({}))).unwrap_err(),
        Fault::IdTokenAlgorithm
    );
}

#[test]
fn a_token_that_names_no_key_must_leave_no_choice() {
    let (one, two) = (TestKey::p256("1"), TestKey::p256("2"));
    let token = one.sign_as(&json!({"alg": "ES256"}), &json!({}));
    assert!(verified(&set(&[one.jwk()]), &token).unwrap().is_some());
    assert!(
        verified(&set(&[one.jwk(), TestKey::ed25519("3").jwk()]), &token)
            .unwrap()
            .is_some()
    );
    assert!(verified(&set(&[one.jwk(), two.jwk()]), &token).unwrap().is_none());
}

#[test]
fn keys_that_are_weak_secret_or_strange_are_left_out() {
    let good = TestKey::p256("good");
    let mut weak = TestKey::rsa("weak").jwk();
    weak["n"] = json!(b64([0xff; 128]));
    let mut padded = weak.clone();
    padded["n"] = json!(b64([[0; 255].as_slice(), &[1]].concat()));
    let mut even = weak.clone();
    even["n"] = json!(b64([0xfe; 256]));
    let strange = [
        weak,
        padded,
        even,
        json!({"kty": "oct", "kid": "s", "k": b64("secret")}),
        json!({"kty": "RSA", "kid": "n"}),
        json!({"kty": "EC", "kid": "c", "crv": "P-256", "x": "", "y": ""}),
        json!({"kty": 1}),
        json!("key"),
        good.jwk(),
    ];
    let keys = set(&strange);
    assert!(verified(&keys, &good.sign(&json!({}))).unwrap().is_some());
    for kid in ["weak", "s", "n"] {
        let token = good.sign_as(&json!({"alg": "RS256", "kid": kid}), &json!({}));
        assert!(verified(&keys, &token).unwrap().is_none(), "{kid}");
    }
    let token = good.sign_as(&json!({"alg": "ES256", "kid": "c"}), &json!({}));
    assert_eq!(verified(&keys, &token).unwrap_err(), Fault::IdTokenAlgorithm);
    for bad in [json!({}), json!([]), json!({"keys": {}})] {
        assert_eq!(fault(KeySet::read(&bad).unwrap_err()), Fault::DiscoveryInvalid);
    }
}

#[test]
fn at_hash_binds_the_access_token() {
    let key = TestKey::p256("k");
    let keys = set(&[key.jwk()]);
    // OpenID Connect Core, appendix A.3, gives this hash for this token.
    let token = "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y";
    let signed = |at_hash: Value| {
        let token = key.sign(&json!({ "at_hash": at_hash }));
        verified(&keys, &token).unwrap().unwrap()
    };
    assert!(
        signed(json!("77QmUPtjPfzWtF2AnpK9RQ"))
            .judge_access_token(token)
            .is_ok()
    );
    assert!(signed(json!(null)).judge_access_token(token).is_ok());
    for wrong in ["77QmUPtjPfzWtF2AnpK9RR", "", "AAAAAAAAAAAAAAAAAAAAAA"] {
        let refused = signed(json!(wrong)).judge_access_token(token).unwrap_err();
        assert_eq!(fault(refused), Fault::IdTokenAccessTokenHash, "{wrong}");
    }
    assert!(signed(json!(1)).judge_access_token(token).is_err());
}
