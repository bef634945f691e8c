//! What a signature may be made of.

use domain::ports::ProviderFault::{self, SamlAlgorithm, SamlMalformed, SamlSignature};

use crate::support::{
    DSIG, IDP_KEY, OTHER_KEY, Pair, SHA256, Signing, assertion, complete, fault, part, response,
    signature_in, signed, with,
};

/// The fault of a signed assertion with something else in its signature. What is changed is looked at before it is computed.
async fn changed(from: &str, to: &str) -> ProviderFault {
    fault_with(&signed(), from, to).await
}

/// The same of that very document: no two signatures on an elliptic curve are the same.
async fn fault_with(xml: &str, from: &str, to: &str) -> ProviderFault {
    fault(&with(xml, from, to)).await
}

fn signed_by(signing: &Signing<'_>) -> String {
    response(&signing.sign(&assertion(), "_assertion1"))
}

const ENVELOPED: &str =
    r#"<ds:Transform Algorithm="http://www.w3.org/2000/09/xmldsig#enveloped-signature"/>"#;
const EXCLUSIVE: &str = r#"<ds:Transform Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"/>"#;
const METHOD: &str = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256";

#[tokio::test]
async fn the_certificate_in_the_answer_is_not_looked_at() {
    let der: String = OTHER_KEY
        .certificate
        .lines()
        .filter(|line| !line.starts_with('-'))
        .collect();
    let attacker = Signing {
        key: &OTHER_KEY,
        key_info: format!(
            "<ds:KeyInfo><ds:X509Data><ds:X509Certificate>{der}</ds:X509Certificate></ds:X509Data></ds:KeyInfo>"
        ),
        ..Signing::default()
    };
    assert_eq!(fault(&signed_by(&attacker)).await, SamlSignature);
    // Nor does it disturb when the key is the right one; nor one that is none.
    for certificate in [der.as_str(), "", "AAAA", "MIIB", "\n\t*"] {
        let honest = Signing {
            key_info: format!(
                "<ds:KeyInfo><ds:KeyName>x</ds:KeyName><ds:X509Data><ds:X509Certificate>{certificate}</ds:X509Certificate></ds:X509Data></ds:KeyInfo>"
            ),
            ..Signing::default()
        };
        assert!(complete(&signed_by(&honest)).await.is_ok());
    }
}

#[tokio::test]
async fn a_key_that_is_fetched_or_pointed_at_is_not_the_providers() {
    for info in [
        r#"<ds:RetrievalMethod URI="file:///etc/passwd"/>"#,
        r##"<ds:RetrievalMethod URI="#_response1"/>"##,
        r##"<dsig11:KeyInfoReference xmlns:dsig11="http://www.w3.org/2009/xmldsig11#" URI="#_response1"/>"##,
    ] {
        let attacker = Signing {
            key: &OTHER_KEY,
            key_info: format!("<ds:KeyInfo>{info}</ds:KeyInfo>"),
            ..Signing::default()
        };
        assert_eq!(fault(&signed_by(&attacker)).await, SamlSignature, "{info}");
    }
}

#[tokio::test]
async fn a_public_key_is_no_shared_secret() {
    // HMAC with the bytes of the certificate, which everybody has.
    let secret = IDP_KEY.certificate.as_bytes().to_vec();
    let key = bergshamra::keys::loader::load_hmac_key(&secret).unwrap();
    let public = Pair {
        key,
        private: String::new(),
        certificate: String::new(),
    };
    for method in [
        "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256",
        "http://www.w3.org/2001/04/xmldsig-more#hmac-sha512",
    ] {
        let signing = Signing {
            key: &public,
            method,
            ..Signing::default()
        };
        assert_eq!(fault(&signed_by(&signing)).await, SamlAlgorithm, "{method}");
    }
}

#[tokio::test]
async fn sha_1_and_unknown_algorithms_are_refused() {
    for method in [
        "http://www.w3.org/2000/09/xmldsig#rsa-sha1",
        "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha1",
        "http://www.w3.org/2001/04/xmldsig-more#rsa-md5",
        "http://www.w3.org/2000/09/xmldsig#dsa-sha1",
        "http://www.w3.org/2000/09/xmldsig#hmac-sha1",
        "none",
        "",
    ] {
        assert_eq!(changed(METHOD, method).await, SamlAlgorithm, "{method}");
    }
    for digest in [
        format!("{DSIG}sha1"),
        "http://www.w3.org/2001/04/xmldsig-more#md5".to_owned(),
    ] {
        assert_eq!(changed(SHA256, &digest).await, SamlAlgorithm, "{digest}");
    }
    let weak = Signing {
        digest: "http://www.w3.org/2000/09/xmldsig#sha1",
        ..Signing::default()
    };
    assert_eq!(fault(&signed_by(&weak)).await, SamlAlgorithm);
}

#[tokio::test]
async fn only_the_signature_is_left_out_and_only_exclusive_c14n_follows() {
    let xpath = r#"<ds:Transform Algorithm="http://www.w3.org/TR/1999/REC-xpath-19991116"><ds:XPath>not(ancestor-or-self::*[local-name()='NameID'])</ds:XPath></ds:Transform>"#;
    let xslt = r#"<ds:Transform Algorithm="http://www.w3.org/TR/1999/REC-xslt-19991116"><xsl:stylesheet xmlns:xsl="http://www.w3.org/1999/XSL/Transform" version="1.0"/></ds:Transform>"#;
    let inclusive = r#"<ds:Transform Algorithm="http://www.w3.org/TR/2001/REC-xml-c14n-20010315"/>"#;
    let base64 = r#"<ds:Transform Algorithm="http://www.w3.org/2000/09/xmldsig#base64"/>"#;
    for transforms in [
        String::new(),
        EXCLUSIVE.to_owned(),
        ENVELOPED.to_owned(),
        format!("{EXCLUSIVE}{ENVELOPED}"),
        format!("{ENVELOPED}{ENVELOPED}"),
        format!("{ENVELOPED}{EXCLUSIVE}{EXCLUSIVE}"),
        format!("{ENVELOPED}{xpath}"),
        format!("{ENVELOPED}{xpath}{EXCLUSIVE}"),
        format!("{ENVELOPED}{xslt}"),
        format!("{ENVELOPED}{inclusive}"),
        format!("{ENVELOPED}{EXCLUSIVE}{base64}"),
        ENVELOPED.replace("/>", "><x/></ds:Transform>"),
    ] {
        let from = format!("{ENVELOPED}{EXCLUSIVE}");
        assert_eq!(changed(&from, &transforms).await, SamlAlgorithm, "{transforms}");
    }
    let inclusive = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315";
    assert_eq!(
        changed("http://www.w3.org/2001/10/xml-exc-c14n#", inclusive).await,
        SamlAlgorithm
    );
}

#[tokio::test]
async fn prefixes_and_comments_are_canonicalized_as_the_specification_has_it() {
    let prefixes = r#"<ds:Transform Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"><ec:InclusiveNamespaces xmlns:ec="http://www.w3.org/2001/10/xml-exc-c14n#" PrefixList="xs saml"/></ds:Transform>"#;
    let comments = r#"<ds:Transform Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#WithComments"/>"#;
    for second in [prefixes, comments] {
        let signing = Signing {
            transforms: format!("{ENVELOPED}{second}"),
            ..Signing::default()
        };
        let outcome = complete(&signed_by(&signing)).await;
        assert!(outcome.is_ok(), "{second} {outcome:?}");
    }
    let foreign = prefixes.replace("ec:InclusiveNamespaces", "ec:Other");
    let signing = Signing {
        transforms: format!("{ENVELOPED}{foreign}"),
        ..Signing::default()
    };
    assert_eq!(fault(&signed_by(&signing)).await, SamlAlgorithm);
}

#[tokio::test]
async fn a_reference_names_the_element_by_its_id_and_nothing_else() {
    for uri in [
        "",
        "#",
        "#_other",
        "#_response1",
        "_assertion1",
        "http://attacker.example/x",
        "file:///etc/passwd",
        "cid:x",
        "#xpointer(/)",
        "#xpointer(id('_assertion1'))",
        "#_assertion1' or '1'='1",
        "#_assertion1;id",
        "#//*[local-name()='Assertion']",
    ] {
        assert_eq!(changed("#_assertion1", uri).await, SamlSignature, "{uri}");
    }
    let signing = Signing::default();
    let xpointer = "#xpointer(id('_assertion1'))";
    let template = signing.template(xpointer);
    let holds = signing.fill(&with(
        &assertion(),
        "</saml:Issuer>",
        &format!("</saml:Issuer>{template}"),
    ));
    assert_eq!(fault(&response(&holds)).await, SamlSignature);
}

#[tokio::test]
async fn there_is_one_of_each_part_of_a_signature() {
    let xml = signed();
    let info = part(&xml, "<ds:SignedInfo>", "</ds:SignedInfo>");
    let reference = part(&xml, "<ds:Reference ", "</ds:Reference>");
    let value = part(&xml, "<ds:SignatureValue>", "</ds:SignatureValue>");
    let digest = part(&xml, "<ds:DigestValue>", "</ds:DigestValue>");
    for doubled in [info, reference, value, digest] {
        assert_eq!(
            fault_with(&xml, doubled, &format!("{doubled}{doubled}")).await,
            SamlSignature
        );
        assert_eq!(fault_with(&xml, doubled, "").await, SamlSignature);
    }
    // A second signature in the same element; an object.
    let signature = signature_in(&xml).to_owned();
    assert_eq!(
        fault_with(&xml, &signature, &format!("{signature}{signature}")).await,
        SamlSignature
    );
    let object = "<ds:Object>x</ds:Object></ds:Signature>";
    assert_eq!(fault_with(&xml, "</ds:Signature>", object).await, SamlSignature);
    // A forged SignedInfo in front, behind, or within another element.
    let forged = format!("<x>{info}</x>{info}");
    assert_eq!(fault_with(&xml, info, &forged).await, SamlSignature);
}

#[tokio::test]
async fn nothing_is_hidden_in_a_signature() {
    for (from, to) in [
        ("<ds:DigestValue>", "<ds:DigestValue><!--AAAA-->"),
        ("</ds:DigestValue>", "<!--AAAA--></ds:DigestValue>"),
        ("<ds:DigestValue>", "<ds:DigestValue><![CDATA[]]>"),
        ("<ds:SignatureValue>", "<ds:SignatureValue><!--x-->"),
        ("<ds:SignedInfo>", "<ds:SignedInfo><!--x-->"),
        ("<ds:SignedInfo>", "<ds:SignedInfo>text"),
        ("<ds:Reference ", "<ds:Reference Type='x' "),
        (
            "<ds:SignatureMethod ",
            "<ds:SignatureMethod xmlns:y='u' y:Algorithm='none' ",
        ),
    ] {
        let refused = changed(from, to).await;
        assert!(
            [SamlSignature, SamlAlgorithm].contains(&refused),
            "{to}: {refused:?}"
        );
    }
    assert_eq!(
        changed("<ds:SignedInfo>", "<ds:SignedInfo><?x y?>").await,
        SamlMalformed
    );
}

#[tokio::test]
async fn a_value_that_is_none_is_refused() {
    let xml = signed();
    for element in ["SignatureValue", "DigestValue"] {
        let (open, close) = (format!("<ds:{element}>"), format!("</ds:{element}>"));
        let whole = part(&xml, &open, &close);
        for value in [
            "",
            "=",
            "A",
            "AAA",
            "AAAA=",
            "====",
            "AAAA",
            "é",
            "%41",
            &"A".repeat(10_000),
        ] {
            let refused = fault_with(&xml, whole, &format!("{open}{value}{close}")).await;
            assert_eq!(refused, SamlSignature, "{element} {value:.10}");
        }
    }
}

#[tokio::test]
async fn a_changed_document_is_not_the_signed_one() {
    for (from, to) in [
        ("ann@example.com", "admin@example.com"),
        ("staff", "root"),
        ("12:05:00Z", "13:05:00Z"),
        ("<saml:Subject>", "<saml:Subject >x"),
        ("_session1", "_session2"),
    ] {
        assert_eq!(changed(from, to).await, SamlSignature, "{from}");
    }
    // What canonicalization does not see is no change.
    let same = with(&signed(), "<saml:Subject>", "<saml:Subject ><!-- nothing -->");
    assert!(complete(&same).await.is_ok());
    assert_eq!(fault(&response(&signed())).await, SamlMalformed);
}
