//! Everything a provider may say wrongly with a right signature. Each has its own fault.

use domain::ports::ProviderFault::{
    self, CallbackInvalid, SamlAudience, SamlConfirmation, SamlDestination, SamlExpired, SamlInResponseTo,
    SamlIssuer, SamlMalformed, SamlNameId, SamlRecipient, SamlStatus, SamlTime, Unsolicited,
};
use domain::ports::{IdentityProvider as _, UnsolicitedResponse};
use domain::time::Lifetime;
use identity_saml::SamlConfig;

use crate::support::{
    ACS, IDP, NOW, REQUEST, SP, answer, assertion, complete, complete_by, config, fault, fault_of, provider,
    response, response_with, sign, signed, signed_with, with,
};

/// The fault of a signed assertion with something else in it.
async fn wrong(from: &str, to: &str) -> ProviderFault {
    fault(&signed_with(from, to)).await
}

/// The fault of a signed response with something else in it.
async fn wrong_outside(from: &str, to: &str) -> ProviderFault {
    fault(&response_with(from, to)).await
}

#[tokio::test]
async fn an_answer_that_says_no_is_told_to_the_operator() {
    let denied = with(
        &response(""),
        r#"<samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"/>"#,
        r#"<samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Responder"><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:AuthnFailed"/></samlp:StatusCode>"#,
    );
    let error = complete(&denied).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "SAML_STATUS: the provider answered Responder / AuthnFailed"
    );
    // Whatever else is in it.
    let with_assertion = with(&signed(), "status:Success", "status:AuthnFailed");
    assert_eq!(fault(&with_assertion).await, SamlStatus);
    let secret = with(&signed(), "status:Success", "ann@example.com");
    assert!(!complete(&secret).await.unwrap_err().to_string().contains("ann"));
    assert_eq!(
        fault(&signed().replace("samlp:Status", "samlp:Other")).await,
        SamlMalformed
    );
}

#[tokio::test]
async fn another_issuer_is_refused_within_and_without() {
    let other = "https://other.example";
    assert_eq!(wrong(IDP, other).await, SamlIssuer);
    assert_eq!(
        wrong(
            &format!("<saml:Issuer>{IDP}</saml:Issuer>"),
            "<saml:Issuer></saml:Issuer>"
        )
        .await,
        SamlIssuer
    );
    assert_eq!(wrong_outside(IDP, other).await, SamlIssuer);
    // An unsigned response may leave its issuer out, and may not name another.
    let issuer = format!("<saml:Issuer>{IDP}</saml:Issuer>");
    let silent = with(&signed(), &issuer, "");
    assert!(complete(&silent).await.is_ok());
    assert_eq!(fault(&with(&signed(), IDP, other)).await, SamlIssuer);
    // Case counts, and so does what looks alike.
    assert_eq!(wrong(IDP, &IDP.to_uppercase()).await, SamlIssuer);
}

#[tokio::test]
async fn an_answer_to_another_address_is_refused() {
    let other = "https://other.example/acs";
    let destination = format!("Destination=\"{ACS}\"");
    assert_eq!(
        wrong_outside(&destination, &format!("Destination=\"{other}\"")).await,
        SamlDestination
    );
    assert_eq!(wrong_outside(&destination, "").await, SamlDestination);
    assert_eq!(
        fault(&with(
            &signed(),
            &destination,
            &format!("Destination=\"{other}\"")
        ))
        .await,
        SamlDestination
    );
    let recipient = format!("Recipient=\"{ACS}\"");
    assert_eq!(
        wrong(&recipient, &format!("Recipient=\"{other}\"")).await,
        SamlRecipient
    );
    assert_eq!(
        wrong(&recipient, &format!("Recipient=\"{ACS}/\"")).await,
        SamlRecipient
    );
    assert_eq!(wrong(&recipient, "").await, SamlRecipient);
}

#[tokio::test]
async fn an_answer_to_another_request_is_refused() {
    let given = format!("InResponseTo=\"{REQUEST}\"");
    for other in ["InResponseTo=\"_other\"", "InResponseTo=\"\"", ""] {
        assert_eq!(wrong(&given, other).await, SamlInResponseTo, "{other}");
        assert_eq!(wrong_outside(&given, other).await, SamlInResponseTo, "{other}");
    }
}

#[tokio::test]
async fn an_assertion_for_somebody_else_is_refused() {
    let audience = format!("<saml:Audience>{SP}</saml:Audience>");
    let restriction = format!("<saml:AudienceRestriction>{audience}</saml:AudienceRestriction>");
    let other = "<saml:Audience>https://other.example</saml:Audience>";
    assert_eq!(wrong(&audience, other).await, SamlAudience);
    assert_eq!(wrong(&audience, "").await, SamlAudience);
    assert_eq!(wrong(&restriction, "").await, SamlAudience);
    assert_eq!(wrong(SP, &format!("{SP}.evil.example")).await, SamlRecipient);
    assert_eq!(
        wrong(&audience, &format!("<saml:Audience>{SP}.evil</saml:Audience>")).await,
        SamlAudience
    );
    // Each restriction has to name us; within one, any audience.
    let second = format!("{restriction}<saml:AudienceRestriction>{other}</saml:AudienceRestriction>");
    assert_eq!(wrong(&restriction, &second).await, SamlAudience);
    assert!(
        complete(&signed_with(&audience, &format!("{other}{audience}")))
            .await
            .is_ok()
    );
    let all = "</saml:Subject><saml:Conditions NotBefore=\"2026-11-22T11:59:50Z\" NotOnOrAfter=\"2026-11-22T12:06:00Z\">";
    let none = with(
        &assertion(),
        &format!("{all}{restriction}</saml:Conditions>"),
        "</saml:Subject>",
    );
    assert_eq!(fault(&response(&sign(&none))).await, SamlAudience);
    let named = SamlConfig {
        audience: Some("https://other.example".to_owned()),
        ..config()
    };
    assert!(complete_by(named, &signed_with(&audience, other)).await.is_ok());
}

#[tokio::test]
async fn only_a_bearer_is_confirmed() {
    for method in ["holder-of-key", "sender-vouches", ""] {
        assert_eq!(
            wrong("cm:bearer", &format!("cm:{method}")).await,
            SamlConfirmation,
            "{method}"
        );
    }
    assert_eq!(
        wrong("NotOnOrAfter", "NotBefore=\"2026-11-22T11:00:00Z\" NotOnOrAfter").await,
        SamlConfirmation
    );
    let plain = "<saml:SubjectConfirmation Method=\"urn:oasis:names:tc:SAML:2.0:cm:bearer\"/></saml:Subject>";
    let whole = assertion();
    let data =
        &whole[whole.find("<saml:SubjectConfirmation ").unwrap()..whole.find("<saml:Conditions").unwrap()];
    assert_eq!(wrong(data, plain).await, SamlConfirmation);
    assert_eq!(wrong(data, "</saml:Subject>").await, SamlConfirmation);
    // One that holds is enough.
    let two = format!("<saml:SubjectConfirmation Method=\"urn:oasis:names:tc:SAML:2.0:cm:bearer\"/>{data}");
    assert!(complete(&signed_with(data, &two)).await.is_ok());
}

#[tokio::test]
async fn what_is_over_is_over() {
    let end = "NotOnOrAfter=\"2026-11-22T12:05:00Z\"";
    assert_eq!(wrong(end, "").await, SamlExpired);
    assert_eq!(wrong(end, "NotOnOrAfter=\"soon\"").await, SamlExpired);
    assert_eq!(
        wrong(end, "NotOnOrAfter=\"2026-11-22T11:59:00Z\"").await,
        SamlExpired
    );
    assert!(
        complete(&signed_with(end, "NotOnOrAfter=\"2026-11-22T11:59:01Z\""))
            .await
            .is_ok()
    );
    assert_eq!(
        wrong(
            "NotOnOrAfter=\"2026-11-22T12:06:00Z\"",
            "NotOnOrAfter=\"2026-11-22T11:58:00Z\""
        )
        .await,
        SamlExpired
    );
    assert_eq!(
        wrong(
            "SessionNotOnOrAfter=\"2026-11-22T20",
            "SessionNotOnOrAfter=\"2026-11-22T11"
        )
        .await,
        SamlExpired
    );
    let mut late = answer(&signed());
    late.now = NOW.plus(Lifetime::from_secs(365 * 24 * 3600));
    assert_eq!(fault_of(provider(config()).complete(&late).await), SamlTime);
}

#[tokio::test]
async fn what_is_not_yet_or_was_long_ago_is_refused() {
    assert_eq!(
        wrong(
            "NotBefore=\"2026-11-22T11:59:50Z\"",
            "NotBefore=\"2026-11-22T12:01:01Z\""
        )
        .await,
        SamlTime
    );
    assert!(
        complete(&signed_with(
            "NotBefore=\"2026-11-22T11:59:50Z\"",
            "NotBefore=\"2026-11-22T12:01:00Z\""
        ))
        .await
        .is_ok()
    );
    for (instant, wrongly) in [
        ("12:01:01", true),
        ("12:01:00", false),
        ("11:49:00", true),
        ("11:49:01", false),
    ] {
        let to = format!("IssueInstant=\"2026-11-22T{instant}Z\"");
        let within = complete(&signed_with("IssueInstant=\"2026-11-22T11:59:58Z\"", &to)).await;
        let without = complete(&response_with("IssueInstant=\"2026-11-22T11:59:59Z\"", &to)).await;
        for outcome in [within, without] {
            if wrongly {
                assert_eq!(fault_of(outcome), SamlTime, "{instant}");
            } else {
                assert!(outcome.is_ok(), "{instant}");
            }
        }
    }
    assert_eq!(
        wrong(
            "AuthnInstant=\"2026-11-22T11:59:58Z\"",
            "AuthnInstant=\"2026-11-22T12:02:00Z\""
        )
        .await,
        SamlTime
    );
    assert_eq!(
        wrong("IssueInstant=\"2026-11-22T11:59:58Z\"", "").await,
        SamlMalformed
    );
    assert_eq!(wrong("2026-11-22T11:59:50Z", "never").await, SamlMalformed);
}

#[tokio::test]
async fn somebody_must_have_logged_in_there() {
    let whole = assertion();
    let statement =
        &whole[whole.find("<saml:AuthnStatement").unwrap()..whole.find("<saml:AttributeStatement").unwrap()];
    assert_eq!(wrong(statement, "").await, SamlConfirmation);
}

#[tokio::test]
async fn the_way_of_logging_in_is_the_one_that_was_asked_for() {
    let asked = |class: &str| SamlConfig {
        authn_context: vec![class.to_owned()],
        ..config()
    };
    let mfa = "https://refeds.org/profile/mfa";
    assert_eq!(fault_of(complete_by(asked(mfa), &signed()).await), SamlStatus);
    let password = "urn:oasis:names:tc:SAML:2.0:ac:classes:Password";
    assert!(complete_by(asked(password), &signed()).await.is_ok());
    let minimum = SamlConfig {
        authn_context_comparison: "minimum".to_owned(),
        ..asked(mfa)
    };
    assert!(complete_by(minimum, &signed()).await.is_ok());
}

#[tokio::test]
async fn whoever_must_log_in_anew_did_so_lately() {
    let forced = || SamlConfig {
        force_authn: true,
        ..config()
    };
    assert!(complete_by(forced(), &signed()).await.is_ok());
    let stale = signed_with(
        "AuthnInstant=\"2026-11-22T11:59:58Z\"",
        "AuthnInstant=\"2026-11-22T09:00:00Z\"",
    );
    assert!(complete(&stale).await.is_ok());
    assert_eq!(fault_of(complete_by(forced(), &stale).await), SamlTime);
}

#[tokio::test]
async fn a_proof_is_remembered_while_any_of_its_confirmations_holds() {
    let whole = assertion();
    let data =
        &whole[whole.find("<saml:SubjectConfirmation ").unwrap()..whole.find("</saml:Subject>").unwrap()];
    let brief = data.replace("12:05:00Z", "12:00:30Z");
    let xml = signed_with(data, &format!("{brief}{data}"));
    let once = complete(&xml).await.unwrap().once.unwrap();
    assert_eq!(once.until.to_iso8601(), "2026-11-22T12:06:00.000Z");
    // Longer than we take it by ourselves, it need not be remembered.
    let long = xml_that_lasts();
    let once = complete(&long).await.unwrap().once.unwrap();
    assert_eq!(once.until.to_iso8601(), "2026-11-22T12:10:58.000Z");
    let mut then = answer(&long);
    then.now = once.until;
    assert_eq!(fault_of(provider(config()).complete(&then).await), SamlTime);
}

/// Valid for days, by its own words.
fn xml_that_lasts() -> String {
    let long = assertion().replace("2026-11-22T12:0", "2026-11-25T12:0");
    response(&sign(&long))
}

#[tokio::test]
async fn parts_that_are_doubled_missing_or_unknown_are_refused() {
    let whole = assertion();
    let subject = &whole[whole.find("<saml:Subject>").unwrap()..whole.find("<saml:Conditions").unwrap()];
    let name = &whole[whole.find("<saml:NameID").unwrap()..whole.find("<saml:SubjectConfirmation ").unwrap()];
    assert_eq!(
        wrong(subject, &format!("{subject}{subject}")).await,
        SamlMalformed
    );
    assert_eq!(wrong(name, &format!("{name}{name}")).await, SamlMalformed);
    assert_eq!(wrong(subject, "").await, SamlNameId);
    assert_eq!(
        wrong(
            "<saml:AudienceRestriction>",
            "<saml:Condition/><saml:AudienceRestriction>"
        )
        .await,
        SamlMalformed
    );
    assert_eq!(wrong("Version=\"2.0\"", "Version=\"1.1\"").await, SamlMalformed);
    assert_eq!(
        wrong_outside("Version=\"2.0\"", "Version=\"1.1\"").await,
        SamlMalformed
    );
    assert_eq!(wrong(" Name=\"groups\"", "").await, SamlMalformed);
    assert_eq!(fault(&response("")).await, SamlMalformed);
    let one = "<saml:Attribute Name=\"#\"><saml:AttributeValue/></saml:Attribute>";
    let many: String = (0..300)
        .map(|number| one.replace('#', &number.to_string()))
        .collect();
    assert_eq!(
        wrong(
            "<saml:AttributeStatement>",
            &format!("<saml:AttributeStatement>{many}")
        )
        .await,
        SamlMalformed
    );
}

#[tokio::test]
async fn an_answer_nobody_asked_for_needs_the_operators_word() {
    let unsolicited = |xml: &str| UnsolicitedResponse {
        params: answer(xml).params,
        redirect_uri: ACS.to_owned(),
        now: NOW,
    };
    let in_response_to = format!(" InResponseTo=\"{REQUEST}\"");
    let xml = response(&sign(&assertion().replace(&in_response_to, ""))).replace(&in_response_to, "");
    let closed = provider(config()).unsolicited(&unsolicited(&xml)).await;
    assert_eq!(fault_of(closed), Unsolicited);
    let open = provider(SamlConfig {
        allow_unsolicited: true,
        ..config()
    });
    let arrival = open.unsolicited(&unsolicited(&xml)).await.unwrap();
    assert!(arrival.once.is_some());
    // What answers a request is not unsolicited, neither within nor without; and the other way round.
    assert_eq!(
        fault_of(open.unsolicited(&unsolicited(&signed())).await),
        SamlInResponseTo
    );
    let within = response(&sign(&assertion())).replacen(&in_response_to, "", 1);
    assert_eq!(
        fault_of(open.unsolicited(&unsolicited(&within)).await),
        SamlInResponseTo
    );
    assert_eq!(fault_of(open.complete(&answer(&xml)).await), SamlInResponseTo);
}

#[tokio::test]
async fn an_answer_is_there_once() {
    let mut none = answer("");
    none.params.clear();
    assert_eq!(
        fault_of(provider(config()).complete(&none).await),
        CallbackInvalid
    );
    let mut two = answer(&signed());
    two.params.push(two.params[0].clone());
    assert_eq!(fault_of(provider(config()).complete(&two).await), CallbackInvalid);
}

#[tokio::test]
async fn nothing_personal_gets_into_an_error() {
    for xml in [
        signed_with("ann@example.com", "ann\u{200b}@example.com"),
        signed_with("cm:bearer", "cm:other"),
        with(&signed(), "ann@example.com", "eve@example.com"),
    ] {
        let error = complete(&xml).await.unwrap_err();
        for text in [error.to_string(), format!("{error:?}")] {
            assert!(!text.contains("example.com") && !text.contains("ann"), "{text}");
        }
    }
}
