//! What a stranger can make us compute before the signature is known to be nobody's.

use std::time::{Duration, Instant};

use domain::ports::ProviderFault as Fault;

use crate::support::{Signing, assertion, fault, response, with};

/// Far more than it takes without optimisation on a busy machine; far less than what is quadratic does.
const PATIENCE: Duration = Duration::from_secs(20);

/// An assertion that nobody signed, with a signature that has the right shape and that content in the assertion.
fn shaped(prefixes: &str, declarations: &str, content: &str) -> String {
    let list = format!(
        r#"<ec:InclusiveNamespaces xmlns:ec="http://www.w3.org/2001/10/xml-exc-c14n#" PrefixList="{prefixes}"/>"#
    );
    let signing = Signing::default();
    let signing = Signing {
        transforms: with(
            &signing.transforms,
            r#""http://www.w3.org/2001/10/xml-exc-c14n#"/>"#,
            &format!(r#""http://www.w3.org/2001/10/xml-exc-c14n#">{list}</ds:Transform>"#),
        ),
        ..signing
    };
    let template = signing.template("#_assertion1");
    let template = with(
        &template,
        "<ds:DigestValue></ds:DigestValue>",
        "<ds:DigestValue>AAAA</ds:DigestValue>",
    );
    let template = with(
        &template,
        "<ds:SignatureValue></ds:SignatureValue>",
        "<ds:SignatureValue>AAAA</ds:SignatureValue>",
    );
    let whole = with(
        &assertion(),
        "</saml:Issuer>",
        &format!("</saml:Issuer>{template}"),
    );
    let whole = with(
        &whole,
        "<saml:Assertion ",
        &format!("<saml:Assertion {declarations} "),
    );
    response(&with(
        &whole,
        "</saml:Assertion>",
        &format!("<saml:Advice>{content}</saml:Advice></saml:Assertion>"),
    ))
}

fn list(count: usize, form: fn(usize) -> String) -> String {
    (0..count).map(form).collect()
}

#[tokio::test]
async fn a_list_of_prefixes_is_short_whatever_stands_between_them() {
    for prefixes in [
        list(120, |number| format!("p{number:x} ")),
        list(120, |number| format!("p{number:x}\u{2003}")),
        list(120, |number| format!("p{number:x}\u{a0}")),
    ] {
        let xml = shaped(&prefixes, "", "");
        assert_eq!(fault(&xml).await, Fault::SamlAlgorithm, "{prefixes:.20}");
    }
}

#[tokio::test]
async fn a_signature_that_is_nobodys_costs_little_whatever_it_is_over() {
    let declarations = list(120, |number| format!("xmlns:p{number:x}=\"u{number}\" "));
    let attributes = list(120, |number| format!("p{number:x}:a=\"\" "));
    let deep = format!("{}{}", "<a>".repeat(25), "</a>".repeat(25)).repeat(160);
    for (what, xml) in [
        ("declared", shaped("", &declarations, &"<p3:a/>".repeat(8_000))),
        (
            "attributes",
            shaped("", &declarations, &format!("<a {attributes}/>").repeat(150)),
        ),
        ("deep", shaped("", &declarations, &deep)),
        ("text", shaped("", "", &"&amp;".repeat(45_000))),
        ("comments", shaped("", "", &"<!---->".repeat(8_000))),
        (
            "ids",
            shaped("", "", &list(7_500, |number| format!("<a ID=\"x{number}\"/>"))),
        ),
    ] {
        let begun = Instant::now();
        let fault = fault(&xml).await;
        assert!(
            matches!(fault, Fault::SamlSignature | Fault::SamlMalformed),
            "{what}: {fault:?}"
        );
        assert!(begun.elapsed() < PATIENCE, "{what}: {:?}", begun.elapsed());
    }
}
