//! Signature wrapping: the eight published shapes (Somorovsky et al., USENIX Security 2012), and others. A signature that holds is
//! always there; what it covers is not what would be read.

use domain::ports::ProviderFault::{SamlMalformed, SamlSignature, SamlSignatureMissing};

use e2e::wrapping::{Captured, OF_ASSERTIONS, OF_RESPONSES, Shape};

use crate::support::{
    DSIG, Signing, assertion, complete, fault, fault_of, response, sign, signature_in, signed, with,
};

/// The assertion that the attacker would like to be read.
fn evil() -> String {
    let evil = with(&assertion(), "ann@example.com", "admin@example.com");
    with(&evil, "_assertion1", "_evil1")
}

/// Puts something behind the first issuer.
fn behind_issuer(xml: &str, what: &str) -> String {
    with(xml, "</saml:Issuer>", &format!("</saml:Issuer>{what}"))
}

/// Makes such a document of a signed one that holds.
async fn is_refused(signed: &str, shape: Shape) {
    complete(signed).await.unwrap();
    let captured = Captured::new(signed, |xml| with(xml, "ann@example.com", "admin@example.com"));
    let xml = shape(&captured);
    for mark in ["ann@example.com", "admin@example.com", "SignatureValue"] {
        assert!(xml.contains(mark), "{mark} is not in {xml}");
    }
    assert_eq!(fault(&xml).await, SamlMalformed);
}

fn signed_response() -> String {
    sign(&response(&assertion()))
}

#[tokio::test]
async fn shape_1_the_signed_response_within_the_signature_of_another() {
    is_refused(&signed_response(), OF_RESPONSES[0].1).await;
}

#[tokio::test]
async fn shape_2_the_signed_response_beside_its_signature_in_another() {
    is_refused(&signed_response(), OF_RESPONSES[1].1).await;
}

#[tokio::test]
async fn shape_3_another_assertion_before_the_signed_one() {
    is_refused(&signed(), OF_ASSERTIONS[0].1).await;
    let behind = format!("{}{}", sign(&assertion()), evil());
    assert_eq!(fault(&response(&behind)).await, SamlMalformed);
}

#[tokio::test]
async fn shape_4_the_signed_assertion_within_another() {
    is_refused(&signed(), OF_ASSERTIONS[1].1).await;
}

#[tokio::test]
async fn shape_5_the_signature_in_another_assertion_and_the_signed_one_behind() {
    is_refused(&signed(), OF_ASSERTIONS[2].1).await;
}

#[tokio::test]
async fn shape_6_the_signed_assertion_within_the_signature_of_another() {
    is_refused(&signed(), OF_ASSERTIONS[3].1).await;
}

#[tokio::test]
async fn shape_7_another_assertion_among_the_extensions() {
    is_refused(&signed(), OF_ASSERTIONS[4].1).await;
}

#[tokio::test]
async fn shape_8_the_signed_assertion_in_an_object_of_the_signature() {
    is_refused(&signed(), OF_ASSERTIONS[5].1).await;
}

#[tokio::test]
async fn an_assertion_in_disguise_of_another_namespace_is_one_too_many() {
    let disguised = evil().replace("urn:oasis:names:tc:SAML:2.0:assertion", "urn:evil");
    for inner in [
        format!("{disguised}{}", sign(&assertion())),
        format!("{}{disguised}", sign(&assertion())),
    ] {
        assert_eq!(fault(&response(&inner)).await, SamlMalformed);
    }
    // Alone, it is none.
    assert_eq!(fault(&response(&disguised)).await, SamlMalformed);
}

#[tokio::test]
async fn the_same_id_twice_is_refused() {
    let twin = with(&evil(), "_evil1", "_assertion1");
    let wrapped = format!(
        "<samlp:Extensions>{}</samlp:Extensions>",
        twin.replace("Assertion", "Other")
    );
    assert_eq!(fault(&behind_issuer(&signed(), &wrapped)).await, SamlMalformed);
    let disguised = behind_issuer(
        &signed(),
        "<samlp:Extensions><x Id='_assertion1'/></samlp:Extensions>",
    );
    assert_eq!(fault(&disguised).await, SamlMalformed);
}

#[tokio::test]
async fn a_signature_stands_in_what_it_covers_and_nowhere_else() {
    let original = sign(&assertion());
    let signature = signature_in(&original);
    let bare = original.replace(signature, "");
    // Beside the assertion, in the response.
    let beside = response(&format!("{signature}{bare}"));
    assert_eq!(fault(&beside).await, SamlSignature);
    // Among the extensions, in the subject.
    let extensions = format!("<samlp:Extensions>{signature}</samlp:Extensions>");
    assert_eq!(
        fault(&behind_issuer(&response(&bare), &extensions)).await,
        SamlSignature
    );
    let deep = with(&bare, "<saml:Subject>", &format!("<saml:Subject>{signature}"));
    assert_eq!(fault(&response(&deep)).await, SamlSignature);
    // In a response whose own ID it does not name.
    assert_eq!(
        fault(&behind_issuer(&response(&bare), signature)).await,
        SamlSignature
    );
}

#[tokio::test]
async fn a_signature_over_another_element_is_no_signature() {
    let pointed = |id: &str| {
        let template = Signing::default().template(&format!("#{id}"));
        let inner = behind_issuer(&evil(), &template);
        Signing::default().fill(&response(&inner))
    };
    // It holds, over the response around it.
    assert_eq!(fault(&pointed("_response1")).await, SamlSignature);
    let whole = Signing::default().template("");
    let xml = Signing::default().fill(&response(&behind_issuer(&evil(), &whole)));
    assert_eq!(fault(&xml).await, SamlSignature);
}

#[tokio::test]
async fn without_a_signature_nobody_is_anybody() {
    assert_eq!(fault(&response(&assertion())).await, SamlSignatureMissing);
    let xml = signed();
    let stripped = xml.replace(signature_in(&xml), "");
    assert_eq!(fault(&stripped).await, SamlSignatureMissing);
    let whole = sign(&response(&assertion()));
    let stripped = whole.replace(signature_in(&whole), "");
    assert_eq!(fault(&stripped).await, SamlSignatureMissing);
}

#[tokio::test]
async fn a_signed_response_with_another_assertion_added_does_not_hold() {
    let whole = sign(&response(&assertion()));
    let added = with(
        &whole,
        "</samlp:Response>",
        &format!("{}</samlp:Response>", evil()),
    );
    assert_eq!(fault(&added).await, SamlMalformed);
    let replaced = with(&whole, "ann@example.com", "admin@example.com");
    assert_eq!(fault(&replaced).await, SamlSignature);
}

#[tokio::test]
async fn a_signature_of_another_namespace_or_case_is_in_the_way() {
    let original = sign(&assertion());
    let foreign = signature_in(&original).replace(DSIG, "urn:evil");
    let xml = response(&original.replace(signature_in(&original), &foreign));
    assert_eq!(fault(&xml).await, SamlSignature);
}

#[tokio::test]
async fn what_is_signed_by_the_provider_is_no_answer_by_itself() {
    // A signed assertion that is not in a response, and signed metadata.
    assert_eq!(fault(&sign(&assertion())).await, SamlMalformed);
    let outcome = complete("<md:EntityDescriptor xmlns:md='urn:oasis:names:tc:SAML:2.0:metadata'/>").await;
    assert_eq!(fault_of(outcome), SamlMalformed);
}
