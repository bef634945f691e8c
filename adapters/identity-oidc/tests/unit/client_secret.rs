use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, KeyPair as _, UnparsedPublicKey};
use serde_json::Value;

use super::*;

fn pem_of(der: &[u8]) -> Secret {
    Secret::new(format!(
        "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
        STANDARD.encode(der)
    ))
}

#[test]
fn a_signed_secret_says_who_asks_whom_and_for_how_long() {
    let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
    let pem = pem_of(pair.to_pkcs8v1().unwrap().as_ref());
    let apple = Signer::new("TEAM", "KEY", &pem).unwrap();
    let secret = apple.sign("web", "https://appleid.apple.com", 1000).unwrap();

    let (signed, signature) = secret.expose().rsplit_once('.').unwrap();
    let public = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, pair.public_key());
    let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    public.verify(signed.as_bytes(), &signature).unwrap();
    let parts: Vec<Value> = signed
        .split('.')
        .map(|part| serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap())
        .collect();
    assert_eq!(parts[0], json!({"alg": "ES256", "kid": "KEY"}));
    let claims = json!({
        "iss": "TEAM", "iat": 1000, "exp": 1300, "aud": "https://appleid.apple.com", "sub": "web",
    });
    assert_eq!(parts[1], claims);
}

#[test]
fn a_key_that_will_not_do_is_refused_unseen() {
    let rsa_or_garbage = pem_of(b"very-private");
    for (team, key, pem) in [
        ("TEAM", "KEY", rsa_or_garbage),
        ("TEAM", "KEY", Secret::new("")),
        (
            "TEAM",
            "KEY",
            Secret::new("-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----"),
        ),
        ("", "KEY", Secret::new("")),
        ("TEAM", "", Secret::new("")),
    ] {
        let error = Signer::new(team, key, &pem).unwrap_err();
        assert!(!error.to_string().contains("AAAA"));
    }
}
