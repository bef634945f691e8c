//! What a provider may say.

use std::process::Command;

use domain::ports::{Once, ProviderFault};
use domain::time::Timestamp;
use identity_saml::SamlConfig;
use serde_json::json;

use crate::support::{
    EMAIL_FORMAT, IDP, NOW, OTHER_KEY, RSA_SHA256, SHA256, Signing, assertion, complete, complete_by, config,
    fault_of, response, rsa, sign, signed, signed_with, with,
};

#[tokio::test]
async fn somebody_arrives_by_a_signed_assertion() {
    let arrival = complete(&signed()).await.unwrap();
    assert_eq!(
        (arrival.issuer.as_str(), arrival.subject.as_str()),
        (IDP, "ann@example.com")
    );
    assert_eq!(arrival.groups, ["staff", "admins"]);
    assert_eq!(arrival.profile.name.given_name.as_deref(), Some("Ann"));
    let email = &arrival.profile.emails[0];
    assert_eq!((email.value.as_str(), email.verified), ("ann@example.com", false));
    assert_eq!(arrival.raw["nameID"], "ann@example.com");
    assert_eq!(arrival.raw["nameIDFormat"], EMAIL_FORMAT);
    assert_eq!(arrival.raw["givenName"], "Ann");
    assert_eq!(arrival.raw["groups"], json!(["staff", "admins"]));
    let session = arrival.session.unwrap();
    assert_eq!(session.index, "_session1");
    // The earlier end, and the minute that clocks may be off.
    let until = Timestamp::from_millis(NOW.as_millis() + 6 * 60_000);
    let id = "_assertion1".to_owned();
    assert_eq!(arrival.once, Some(Once { id, until }));
}

#[tokio::test]
async fn a_signed_response_or_both_signatures_will_do() {
    let whole = complete(&sign(&response(&assertion()))).await.unwrap();
    assert_eq!(whole.subject, "ann@example.com");
    let both = complete(&sign(&response(&sign(&assertion())))).await.unwrap();
    assert_eq!(both, whole);
}

#[tokio::test]
async fn of_two_signatures_both_must_hold() {
    let other = Signing {
        key: &OTHER_KEY,
        ..Signing::default()
    };
    let outer_wrong = other.sign(&response(&sign(&assertion())), "_response1");
    assert_eq!(
        fault_of(complete(&outer_wrong).await),
        ProviderFault::SamlSignature
    );
    let inner_wrong = sign(&response(&other.sign(&assertion(), "_assertion1")));
    assert_eq!(
        fault_of(complete(&inner_wrong).await),
        ProviderFault::SamlSignature
    );
}

#[tokio::test]
async fn what_the_entry_wants_signed_must_be_signed() {
    let assertions = || SamlConfig {
        want_assertions_signed: true,
        ..config()
    };
    let whole = sign(&response(&assertion()));
    assert!(complete_by(assertions(), &signed()).await.is_ok());
    let refused = fault_of(complete_by(assertions(), &whole).await);
    assert_eq!(refused, ProviderFault::SamlSignatureMissing);
    let responses = || SamlConfig {
        want_response_signed: true,
        ..config()
    };
    assert!(complete_by(responses(), &whole).await.is_ok());
    let refused = fault_of(complete_by(responses(), &signed()).await);
    assert_eq!(refused, ProviderFault::SamlSignatureMissing);
}

#[tokio::test]
async fn rsa_and_the_next_certificate_count_too() {
    let next = rsa();
    let mut both = config();
    both.certificates.push(next.certificate.clone());
    for (method, digest) in [
        (RSA_SHA256, SHA256),
        (
            "http://www.w3.org/2001/04/xmldsig-more#rsa-sha512",
            "http://www.w3.org/2001/04/xmlenc#sha512",
        ),
        ("http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1", SHA256),
    ] {
        let signing = Signing {
            key: &next,
            method,
            digest,
            ..Signing::default()
        };
        let by_next = response(&signing.sign(&assertion(), "_assertion1"));
        assert!(complete_by(both.clone(), &by_next).await.is_ok(), "{method}");
        assert_eq!(fault_of(complete(&by_next).await), ProviderFault::SamlSignature);
    }
    assert!(complete_by(both, &signed()).await.is_ok());
}

#[tokio::test]
async fn an_address_counts_as_vouched_for_where_the_operator_says_so() {
    let trusted = SamlConfig {
        email_trusted: Some(true),
        ..config()
    };
    let arrival = complete_by(trusted, &signed()).await.unwrap();
    assert!(arrival.profile.emails[0].verified);
}

#[tokio::test]
async fn an_attribute_may_be_the_subject_where_names_are_transient() {
    let transient = signed_with(
        EMAIL_FORMAT,
        "urn:oasis:names:tc:SAML:2.0:nameid-format:transient",
    );
    assert_eq!(fault_of(complete(&transient).await), ProviderFault::SamlNameId);
    let by = |attribute: &str| SamlConfig {
        subject_attribute: Some(attribute.to_owned()),
        ..config()
    };
    let arrival = complete_by(by("urn:oid:2.5.4.42"), &transient).await.unwrap();
    assert_eq!(arrival.subject, "Ann");
    // Several values name nobody.
    let refused = complete_by(by("groups"), &transient).await;
    assert_eq!(fault_of(refused), ProviderFault::SubjectMissing);
}

#[tokio::test]
async fn nobody_changes_what_the_protocol_says_by_an_attribute_of_that_name() {
    let xml = signed_with("Name=\"groups\"", "Name=\"nameID\"");
    let arrival = complete(&xml).await.unwrap();
    assert_eq!(arrival.raw["nameID"], "ann@example.com");
}

#[tokio::test]
async fn what_the_c_library_signs_is_read_as_what_ours_signs() {
    let key = rsa();
    let signing = Signing {
        key: &key,
        method: RSA_SHA256,
        ..Signing::default()
    };
    let template = signing.template("#_assertion1");
    // With what canonicalization has to get right: references, sections, quotes, white space and foreign letters.
    let odd = with(
        &assertion(),
        "Ann<",
        "A&amp;n\u{e9}&#xD;<![CDATA[<n>]]>\t\"'\u{1f600} <",
    );
    let odd = with(
        &odd,
        "ID=\"_assertion1\"",
        "ID='_assertion1' xmlns:unused='urn:x'",
    );
    let xml = response(&with(
        &odd,
        "</saml:Issuer>",
        &format!("</saml:Issuer>{template}"),
    ));
    let folder = tempfile::tempdir().unwrap();
    let (message, private) = (folder.path().join("message.xml"), folder.path().join("key.pem"));
    std::fs::write(&message, xml).unwrap();
    std::fs::write(&private, &key.private).unwrap();
    let signed = Command::new("xmlsec1")
        .args(["--sign", "--id-attr:ID", "Assertion", "--privkey-pem"])
        .arg(&private)
        .arg(&message)
        .output()
        .expect("xmlsec1: run bash tests/setup");
    assert!(
        signed.status.success(),
        "{}",
        String::from_utf8_lossy(&signed.stderr)
    );
    let xml = String::from_utf8(signed.stdout).unwrap();
    let mut believing = config();
    believing.certificates = vec![key.certificate.clone()];
    let arrival = complete_by(believing, &xml).await.unwrap();
    assert_eq!(arrival.raw["givenName"], "A&n\u{e9}\r<n>\t\"'\u{1f600} ");
    assert_eq!(fault_of(complete(&xml).await), ProviderFault::SamlSignature);
}
