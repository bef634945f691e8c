use serde_json::json;

use super::*;
use crate::IssuerRule;

const NOW: i64 = 1_800_000_000;
const ISSUER: &str = "https://issuer.example";

fn good() -> Value {
    json!({
        "iss": ISSUER, "sub": "ann", "aud": "web", "exp": NOW + 300, "iat": NOW, "nonce": "n-1",
    })
}

fn judged(claims: Value, change: impl FnOnce(&mut Expected<'_>)) -> Result<String, Fault> {
    let Value::Object(claims) = claims else {
        unreachable!()
    };
    let issuers = Issuers::new(ISSUER, &IssuerRule::Exact).unwrap();
    let mut expected = Expected {
        issuers: &issuers,
        tenant: None,
        client_id: "web",
        nonce: "n-1",
        nonce_required: true,
        hosted_domain: None,
        max_age: None,
        now: NOW,
    };
    change(&mut expected);
    judge(&Claims(claims), &expected).map_err(fault)
}

fn fault(error: ProviderError) -> Fault {
    match error {
        ProviderError::Refused { fault, .. } => fault,
        ProviderError::Unavailable(reason) => panic!("{reason}"),
    }
}

/// The good claims with some replaced; `null` takes one away.
fn with(changes: Value) -> Value {
    let mut claims = good();
    let (Value::Object(claims_map), Value::Object(changes)) = (&mut claims, changes) else {
        unreachable!()
    };
    for (name, value) in changes {
        if value.is_null() {
            claims_map.remove(&name);
        } else {
            claims_map.insert(name, value);
        }
    }
    claims
}

#[test]
fn claims_meant_for_us_are_believed() {
    for claims in [
        good(),
        with(json!({"aud": ["web"]})),
        with(json!({"aud": ["web", "other"], "azp": "web"})),
        with(json!({"azp": "web"})),
        with(json!({"exp": NOW - 59})),
        with(json!({"iat": NOW + 60, "nbf": NOW + 60})),
        with(json!({"iat": NOW - 660, "exp": 1_800_000_000.5})),
    ] {
        assert_eq!(judged(claims.clone(), |_| {}), Ok(ISSUER.to_owned()), "{claims}");
    }
}

#[test]
fn each_wrong_claim_has_its_own_fault() {
    let cases = [
        (json!({"iss": null}), Fault::IdTokenIssuer),
        (json!({"iss": "https://evil.example"}), Fault::IdTokenIssuer),
        (json!({"iss": "https://issuer.example/"}), Fault::IdTokenIssuer),
        (json!({"iss": "HTTPS://issuer.example"}), Fault::IdTokenIssuer),
        (json!({"iss": 1}), Fault::IdTokenMalformed),
        (json!({"aud": null}), Fault::IdTokenAudience),
        (json!({"aud": "other"}), Fault::IdTokenAudience),
        (json!({"aud": "WEB"}), Fault::IdTokenAudience),
        (json!({"aud": []}), Fault::IdTokenAudience),
        (json!({"aud": {"web": true}}), Fault::IdTokenAudience),
        (json!({"aud": ["web", "other"]}), Fault::IdTokenAuthorizedParty),
        (
            json!({"aud": ["web", "other"], "azp": "other"}),
            Fault::IdTokenAuthorizedParty,
        ),
        (json!({"azp": "other"}), Fault::IdTokenAuthorizedParty),
        (json!({"azp": 1}), Fault::IdTokenMalformed),
        (json!({"exp": null}), Fault::IdTokenExpired),
        (json!({"exp": NOW - 60}), Fault::IdTokenExpired),
        (
            json!({"exp": NOW - 7200, "iat": NOW - 10_800}),
            Fault::IdTokenExpired,
        ),
        (json!({"exp": (NOW + 300).to_string()}), Fault::IdTokenMalformed),
        (json!({"exp": 1e300}), Fault::IdTokenMalformed),
        (json!({"nbf": NOW + 61}), Fault::IdTokenTime),
        (json!({"iat": null}), Fault::IdTokenTime),
        (json!({"iat": NOW + 61}), Fault::IdTokenTime),
        (json!({"iat": NOW - 661}), Fault::IdTokenTime),
        (json!({"iat": i64::MIN}), Fault::IdTokenTime),
        (json!({"nonce": null}), Fault::IdTokenNonce),
        (json!({"nonce": "n-2"}), Fault::IdTokenNonce),
        (json!({"nonce": ""}), Fault::IdTokenNonce),
        (json!({"nonce": ["n-1"]}), Fault::IdTokenMalformed),
    ];
    for (change, expected) in cases {
        assert_eq!(judged(with(change.clone()), |_| {}), Err(expected), "{change}");
    }
}

#[test]
fn a_nonce_that_need_not_come_back_must_still_be_ours() {
    let lax = |expected: &mut Expected<'_>| expected.nonce_required = false;
    assert!(judged(with(json!({"nonce": null})), lax).is_ok());
    assert_eq!(
        judged(with(json!({"nonce": "n-2"})), lax),
        Err(Fault::IdTokenNonce)
    );
}

#[test]
fn what_was_asked_for_is_demanded() {
    let hosted = |domain| move |expected: &mut Expected<'_>| expected.hosted_domain = Some(domain);
    let of = |domain: &str| with(json!({"hd": domain}));
    assert!(judged(of("work.example"), hosted("work.example")).is_ok());
    assert!(judged(of("work.example"), hosted("*")).is_ok());
    for (claims, domain) in [
        (good(), "*"),
        (good(), "work.example"),
        (of("evil.example"), "work.example"),
    ] {
        assert_eq!(judged(claims, hosted(domain)), Err(Fault::TenantRefused));
    }
    let aged = |expected: &mut Expected<'_>| expected.max_age = Some(300);
    assert!(judged(with(json!({"auth_time": NOW - 300})), aged).is_ok());
    for claims in [good(), with(json!({"auth_time": NOW - 361}))] {
        assert_eq!(judged(claims, aged), Err(Fault::IdTokenTime));
    }
}

#[test]
fn an_account_without_an_id_is_nobody() {
    let subject = |claims: Value, rule| {
        let Value::Object(claims) = claims else {
            unreachable!()
        };
        subject_of(&Claims(claims), rule)
            .map(str::to_owned)
            .map_err(fault)
    };
    assert_eq!(subject(good(), SubjectRule::Sub), Ok("ann".to_owned()));
    for sub in [json!(null), json!(""), json!(" \t")] {
        assert_eq!(
            subject(with(json!({ "sub": sub })), SubjectRule::Sub),
            Err(Fault::SubjectMissing)
        );
    }
    assert_eq!(
        subject(with(json!({"sub": 12})), SubjectRule::Sub),
        Err(Fault::IdTokenMalformed)
    );
    assert_eq!(subject(good(), SubjectRule::TidOid), Err(Fault::SubjectMissing));
    assert_eq!(
        subject(with(json!({"oid": "o-1"})), SubjectRule::TidOid),
        Ok("o-1".to_owned())
    );
}

#[test]
fn only_true_is_true() {
    let told = |value: Value| Claims(Map::from_iter([("it".to_owned(), value)])).is_true("it");
    assert!(told(json!(true)) && told(json!("true")));
    for no in [
        json!(false),
        json!("false"),
        json!("TRUE"),
        json!("1"),
        json!(1),
        json!([true]),
        json!(null),
    ] {
        assert!(!told(no.clone()), "{no}");
    }
}
