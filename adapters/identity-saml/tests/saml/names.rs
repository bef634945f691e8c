//! The name of a person: whole, or refused.

use domain::ports::ProviderFault::{SamlMalformed, SamlNameId};
use identity_saml::SamlConfig;

use crate::support::{
    EMAIL_FORMAT, SP, assertion, complete, complete_by, config, fault, response, sign, signed, signed_with,
    with,
};

#[tokio::test]
async fn a_comment_does_not_cut_a_name_short() {
    // Signed for admin@example.com.evil.example; the comment is no part of what is signed.
    let xml = signed_with("ann@example.com", "admin@example.com.evil.example");
    let cut = with(&xml, "admin@example.com.evil", "admin@example.com<!---->.evil");
    let arrival = complete(&cut).await.unwrap();
    assert_eq!(arrival.subject, "admin@example.com.evil.example");
    assert_eq!(arrival.raw["nameID"], "admin@example.com.evil.example");
    // Nor an attribute.
    let cut = with(&signed(), "staff", "st<!-- x -->aff");
    assert_eq!(complete(&cut).await.unwrap().groups, ["staff", "admins"]);
}

#[tokio::test]
async fn sections_and_references_are_read_as_they_are_signed() {
    let section = signed_with("ann@example.com", "admin<![CDATA[@example.com]]>.evil.example");
    assert_eq!(
        complete(&section).await.unwrap().subject,
        "admin@example.com.evil.example"
    );
    let late = with(&signed(), "ann@example.com", "ann<![CDATA[@]]>example.com");
    assert_eq!(complete(&late).await.unwrap().subject, "ann@example.com");
    let reference = with(&signed(), "ann@example.com", "&#97;nn&#x40;example.com");
    assert_eq!(complete(&reference).await.unwrap().subject, "ann@example.com");
    let markup = signed_with("ann@example.com", "a&lt;!-- --&gt;&amp;b");
    assert_eq!(complete(&markup).await.unwrap().subject, "a<!-- -->&b");
}

#[tokio::test]
async fn elements_and_instructions_in_a_name_are_refused() {
    assert_eq!(
        fault(&signed_with("ann@example.com", "ann<x/>@example.com")).await,
        SamlNameId
    );
    assert_eq!(
        fault(&signed_with("ann@example.com", "<saml:x>ann</saml:x>")).await,
        SamlNameId
    );
    assert_eq!(
        fault(&with(&signed(), "ann@example.com", "ann<?x y?>@example.com")).await,
        SamlMalformed
    );
}

#[tokio::test]
async fn an_empty_name_or_one_with_control_characters_names_nobody() {
    for name in [
        "",
        " ",
        "\n",
        "ann\n",
        " ann",
        "an&#10;n",
        "an&#9;n",
        "an&#127;n",
        "an\u{200b}n",
        "\u{202e}nna",
        "ann\u{feff}",
    ] {
        assert_eq!(
            fault(&signed_with("ann@example.com", name)).await,
            SamlNameId,
            "{name:?}"
        );
    }
    assert_eq!(
        fault(&with(&signed(), "ann@example.com", "an&#0;n")).await,
        SamlMalformed
    );
    assert_eq!(
        fault(&signed_with("ann@example.com", &"x".repeat(1000))).await,
        SamlNameId
    );
}

#[tokio::test]
async fn an_encrypted_a_transient_or_a_systems_name_is_none() {
    let whole = assertion();
    let name = &whole[whole.find("<saml:NameID").unwrap()..whole.find("<saml:SubjectConfirmation ").unwrap()];
    let encrypted = "<saml:EncryptedID/>";
    assert_eq!(fault(&signed_with(name, encrypted)).await, SamlNameId);
    for format in ["transient", "entity"] {
        let format = format!("urn:oasis:names:tc:SAML:2.0:nameid-format:{format}");
        assert_eq!(fault(&signed_with(EMAIL_FORMAT, &format)).await, SamlNameId);
    }
}

#[tokio::test]
async fn one_person_stays_one_and_two_stay_two() {
    let persistent = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent";
    let by = |attributes: &str, value: &str| {
        let from = format!("<saml:NameID Format=\"{EMAIL_FORMAT}\">ann@example.com");
        response(&sign(&with(
            &assertion(),
            &from,
            &format!("<saml:NameID {attributes}>{value}"),
        )))
    };
    let email = format!("Format=\"{EMAIL_FORMAT}\"");
    let spelled = format!("{email} SPNameQualifier=\"{SP}\" NameQualifier=\"https://idp.example/saml\"");
    assert_eq!(
        complete(&by(&spelled, "ann@example.com")).await.unwrap().subject,
        "ann@example.com"
    );
    let mut subjects = vec!["ann@example.com".to_owned()];
    for attributes in [
        String::new(),
        format!("Format=\"{persistent}\""),
        format!("{email} NameQualifier=\"other\""),
        format!("{email} SPNameQualifier=\"other\""),
    ] {
        subjects.push(
            complete(&by(&attributes, "ann@example.com"))
                .await
                .unwrap()
                .subject,
        );
    }
    let count = subjects.len();
    subjects.sort();
    subjects.dedup();
    assert_eq!(subjects.len(), count);
    // The format that is asked for is the one whose names stand alone.
    let asked = SamlConfig {
        identifier_format: Some(persistent.to_owned()),
        ..config()
    };
    let arrival = complete_by(asked, &by(&format!("Format=\"{persistent}\""), "k7"))
        .await
        .unwrap();
    assert_eq!(arrival.subject, "k7");
}
