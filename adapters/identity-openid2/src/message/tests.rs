use domain::secret::Secret;
use proptest::prelude::*;

use super::*;

const CALLBACK: &str = "https://www.example.com/auth/openid/callback";
/// 2027-01-15T08:00:00Z.
const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);
const AGE: Lifetime = Lifetime::from_secs(300);
const SIGNED: &str =
    "op_endpoint,return_to,response_nonce,assoc_handle,claimed_id,identity,ns.sreg,sreg.email";

fn good() -> AuthorizationResponse {
    let params = [
        ("state", "s t"),
        ("nonce", "n"),
        ("openid.ns", NS),
        ("openid.mode", "id_res"),
        ("openid.op_endpoint", "https://op.example/server"),
        (
            "openid.return_to",
            "https://www.example.com/auth/openid/callback?state=s+t&nonce=n",
        ),
        ("openid.response_nonce", "2027-01-15T08:00:00Zabc"),
        ("openid.assoc_handle", "{h}"),
        ("openid.claimed_id", "https://op.example/ann#2"),
        ("openid.identity", "https://op.example/ann"),
        ("openid.ns.sreg", "http://openid.net/extensions/sreg/1.1"),
        ("openid.sreg.email", "ann@example.com"),
        ("openid.sreg.nickname", "not-signed"),
        ("openid.signed", SIGNED),
        ("openid.sig", "c2ln"),
    ];
    AuthorizationResponse {
        params: params
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
        redirect_uri: CALLBACK.to_owned(),
        nonce: Secret::new("n"),
        code_verifier: Secret::new("v"),
        carry: None,
        client: None,
        now: NOW,
    }
}

fn with(name: &str, value: &str) -> AuthorizationResponse {
    let mut response = good();
    response.params.retain(|(given, _)| given != name);
    response.params.push((name.to_owned(), value.to_owned()));
    response
}

fn without(names: &[&str]) -> AuthorizationResponse {
    let mut response = good();
    response
        .params
        .retain(|(given, _)| !names.contains(&given.as_str()));
    response
}

fn code(response: &AuthorizationResponse) -> &'static str {
    match Assertion::judge(response, AGE) {
        Ok(_) => "fine",
        Err(ProviderError::Refused { fault, .. }) => fault.code(),
        Err(ProviderError::Unavailable(_)) => "unavailable",
    }
}

#[test]
fn a_whole_assertion_is_read() {
    let response = good();
    let assertion = Assertion::judge(&response, AGE).unwrap();
    assert_eq!(assertion.claimed.as_str(), "https://op.example/ann#2");
    assert_eq!(assertion.signed("sreg.email"), Some("ann@example.com"));
    assert_eq!(assertion.signed("sreg.nickname"), None);
    assert_eq!(
        assertion.alias("http://openid.net/extensions/sreg/1.1"),
        Some("sreg")
    );
    let asked = assertion.to_check();
    assert!(asked.contains("openid.mode=check_authentication") && !asked.contains("id_res"));
    assert!(asked.contains("openid.sreg.nickname=not-signed") && !asked.contains("&state="));
}

#[test]
fn an_answer_that_is_no_yes_says_what_it_is() {
    for (mode, expected) in [
        ("cancel", "ACCESS_DENIED"),
        ("setup_needed", "PROVIDER_ERROR"),
        ("error", "PROVIDER_ERROR"),
        ("checkid_setup", "CALLBACK_INVALID"),
        ("ID_RES", "CALLBACK_INVALID"),
        ("", "CALLBACK_INVALID"),
    ] {
        assert_eq!(code(&with("openid.mode", mode)), expected, "{mode}");
    }
    assert_eq!(code(&without(&["openid.mode"])), "CALLBACK_INVALID");
}

#[test]
fn an_answer_of_an_older_protocol_is_refused() {
    assert_eq!(code(&without(&["openid.ns"])), "CALLBACK_INVALID");
    assert_eq!(
        code(&with("openid.ns", "http://openid.net/signon/1.1")),
        "CALLBACK_INVALID"
    );
}

#[test]
fn an_answer_for_another_address_is_refused() {
    for wrong in [
        "",
        "https://www.example.com/auth/openid/callback",
        "https://www.example.com/auth/openid/callback?state=s+t",
        "https://www.example.com/auth/openid/callback?state=other&nonce=n",
        "https://www.example.com/auth/openid/callback?state=s+t&nonce=other",
        "https://www.example.com/auth/openid/callback?state=s+t&nonce=n&more=1",
        "https://www.example.com/auth/openid/callback?nonce=n&state=s+t",
        "https://www.example.com/auth/openid/callback?state=s%20t&nonce=n",
        "https://www.example.com/auth/openid/callback?state=s+t&nonce=n#x",
        "https://WWW.example.com/auth/openid/callback?state=s+t&nonce=n",
        "https://evil.example/auth/openid/callback?state=s+t&nonce=n",
        "http://www.example.com/auth/openid/callback?state=s+t&nonce=n",
    ] {
        assert_eq!(
            code(&with("openid.return_to", wrong)),
            "OPENID_RETURN_TO",
            "{wrong}"
        );
    }
    assert_eq!(code(&with("nonce", "other")), "OPENID_RETURN_TO");
    assert_eq!(code(&without(&["nonce"])), "OPENID_RETURN_TO");
    assert_eq!(code(&with("state", "other")), "OPENID_RETURN_TO");
    assert_eq!(code(&without(&["state"])), "CALLBACK_INVALID");
    let elsewhere = AuthorizationResponse {
        redirect_uri: format!("{CALLBACK}/more"),
        ..good()
    };
    assert_eq!(code(&elsewhere), "OPENID_RETURN_TO");
}

#[test]
fn parameters_of_the_callback_itself_must_come_back_too() {
    let mut response = AuthorizationResponse {
        redirect_uri: format!("{CALLBACK}?pool=a%26b"),
        ..with(
            "openid.return_to",
            &format!("{CALLBACK}?pool=a%26b&state=s+t&nonce=n"),
        )
    };
    assert_eq!(code(&response), "OPENID_RETURN_TO");
    response.params.push(("pool".to_owned(), "a&b".to_owned()));
    assert_eq!(code(&response), "fine");
}

#[test]
fn an_answer_counts_for_five_minutes_either_way() {
    for (nonce, expected) in [
        ("2027-01-15T07:55:01Zx", "fine"),
        ("2027-01-15T08:05:00Zx", "fine"),
        ("2027-01-15T07:55:00Zx", "OPENID_NONCE"),
        ("2027-01-15T08:05:01Zx", "OPENID_NONCE"),
        ("2005-05-15T17:11:51ZUNIQUE", "OPENID_NONCE"),
        ("9999-12-31T23:59:59Zx", "OPENID_NONCE"),
        ("x", "OPENID_NONCE"),
        ("", "OPENID_NONCE"),
    ] {
        assert_eq!(code(&with("openid.response_nonce", nonce)), expected, "{nonce}");
    }
    assert_eq!(code(&without(&["openid.response_nonce"])), "OPENID_NONCE");
}

#[test]
fn what_must_be_signed_is_signed() {
    for field in MUST_BE_SIGNED {
        let rest: Vec<&str> = SIGNED.split(',').filter(|name| *name != field).collect();
        assert_eq!(
            code(&with("openid.signed", &rest.join(","))),
            "OPENID_SIGNATURE",
            "{field}"
        );
    }
    for wrong in [
        String::new(),
        format!("{SIGNED},"),
        format!("{SIGNED},identity"),
        format!("{SIGNED},not.there"),
        SIGNED.replace(',', ", "),
        SIGNED.to_uppercase(),
        format!("{SIGNED},a:b"),
    ] {
        assert_eq!(
            code(&with("openid.signed", &wrong)),
            "OPENID_SIGNATURE",
            "{wrong}"
        );
    }
    for missing in ["openid.signed", "openid.sig", "openid.assoc_handle"] {
        assert_eq!(code(&without(&[missing])), "OPENID_SIGNATURE", "{missing}");
        assert_eq!(code(&with(missing, "")), "OPENID_SIGNATURE", "{missing}");
    }
}

#[test]
fn a_value_with_a_line_of_its_own_is_refused() {
    let smuggled = "ann\nsreg.email:admin@example.com";
    assert_eq!(code(&with("openid.sreg.email", smuggled)), "OPENID_SIGNATURE");
}

#[test]
fn an_answer_about_nobody_is_refused() {
    let mut nobody = without(&["openid.claimed_id", "openid.identity", "openid.signed"]);
    nobody.params.push((
        "openid.signed".to_owned(),
        "op_endpoint,return_to,response_nonce,assoc_handle".to_owned(),
    ));
    assert_eq!(code(&nobody), "SUBJECT_MISSING");
    assert_eq!(
        code(&with("openid.claimed_id", IDENTIFIER_SELECT)),
        "SUBJECT_MISSING"
    );
    assert_eq!(
        code(&with("openid.identity", IDENTIFIER_SELECT)),
        "SUBJECT_MISSING"
    );
    assert_eq!(code(&with("openid.claimed_id", "")), "OPENID_CLAIM");
    assert_eq!(code(&with("openid.identity", "")), "OPENID_CLAIM");
    for bad in ["=ann", "javascript:alert(1)", "https://a@b/", "ann"] {
        assert_eq!(code(&with("openid.claimed_id", bad)), "OPENID_CLAIM", "{bad}");
    }
    assert_eq!(code(&with("openid.op_endpoint", "")), "OPENID_CLAIM");
}

#[test]
fn an_extension_that_could_be_another_one_is_none() {
    const SREG: &str = "http://openid.net/extensions/sreg/1.1";
    let unsigned = with("openid.signed", &SIGNED.replace(",ns.sreg", ""));
    assert_eq!(Assertion::judge(&unsigned, AGE).unwrap().alias(SREG), None);
    let twice = with("openid.ns.other", SREG);
    assert_eq!(Assertion::judge(&twice, AGE).unwrap().alias(SREG), None);
    let odd = with("openid.ns.sreg", "urn:other");
    assert_eq!(Assertion::judge(&odd, AGE).unwrap().alias(SREG), None);
}

#[test]
fn more_than_any_provider_sends_is_refused() {
    let mut response = good();
    response
        .params
        .extend((0..MOST).map(|number| (format!("openid.x{number}"), String::new())));
    assert_eq!(code(&response), "CALLBACK_INVALID");
}

proptest! {
    #[test]
    fn whatever_comes_is_judged(which in 0_usize..15, value in ".{0,200}") {
        let mut response = good();
        if let Some(pair) = response.params.get_mut(which) {
            pair.1 = value;
        }
        let _ = Assertion::judge(&response, AGE);
    }

    #[test]
    fn a_state_of_any_letters_comes_back(state in "[^\u{0}]{1,60}", nonce in ".{1,60}") {
        let mut response = with("openid.return_to", &return_to(CALLBACK, &state, &nonce));
        response.nonce = Secret::new(nonce.clone());
        for (name, value) in &mut response.params {
            if name == "state" { value.clone_from(&state); }
            if name == "nonce" { value.clone_from(&nonce); }
        }
        prop_assert_eq!(code(&response), "fine");
    }
}
