//! What an attacker makes of a SAML answer that he has, brought to the running server after a log-in that really began.

use std::net::TcpListener;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use e2e::wrapping::{Captured, OF_ASSERTIONS, OF_RESPONSES, element};
use e2e::{Counterparty, Portcullis, Reply};
use serde_json::json;

use super::saml::{answer, provider_and_server, rewritten, send};
use crate::providers::entries::{arrive, arrived, record};

/// A log-in that begins, and ends with another document in place of the provider's.
async fn bring(server: &Portcullis, change: impl Fn(&str) -> String) -> Reply {
    let mut browser = server.browser().as_program();
    let (back, fields) = answer(server, &mut browser, "saml").await;
    let reply = send(&mut browser, &back, &rewritten(&fields, change)).await;
    assert!(reply.status == 200 || !browser.is_logged_in(), "{}", reply.text);
    reply
}

/// The same, refused with this code: to the browser and in the log.
async fn is_refused(server: &Portcullis, what: &str, code: &str, change: impl Fn(&str) -> String) {
    let so_far = server.log().lines().len();
    let reply = bring(server, change).await;
    assert_eq!(
        (reply.status, reply.code().as_str()),
        (401, code),
        "{what}: {}",
        reply.text
    );
    assert!(reply.at("access_token").is_empty());
    let detail = format!("saml {code}");
    let is_it = |line: &str| (line.contains("provider.refused") && line.contains(&detail)).then_some(());
    server.log().wait(what, so_far, is_it).await;
}

async fn the_whole_is_signed(party: &Counterparty) {
    let options = json!({ "signResponse": true, "signAssertion": false });
    party.tell("opts", &options).await;
}

/// What the attacker would like to be read.
fn evil(xml: &str) -> String {
    xml.replace("alice@example.test", "admin@example.test")
}

#[tokio::test]
async fn no_shape_of_signature_wrapping_logs_anybody_in() {
    let (party, server) = provider_and_server().await;
    for (what, shape) in OF_ASSERTIONS {
        is_refused(&server, what, "SAML_MALFORMED", |xml| {
            shape(&Captured::new(xml, evil))
        })
        .await;
    }
    the_whole_is_signed(&party).await;
    for (what, shape) in OF_RESPONSES {
        is_refused(&server, what, "SAML_MALFORMED", |xml| {
            shape(&Captured::new(xml, evil))
        })
        .await;
    }
    // As it was signed it holds.
    arrive(&server, "saml").await;
}

#[tokio::test]
async fn a_signature_that_is_gone_or_over_something_else_is_none() {
    let (party, server) = provider_and_server().await;
    let stripped = |xml: &str| xml.replace(element(xml, "Signature"), "");
    let in_the_response = |xml: &str| {
        let signature = element(xml, "Signature");
        let bare = xml.replace(signature, "");
        bare.replacen("</saml:Issuer>", &format!("</saml:Issuer>{signature}"), 1)
    };
    is_refused(&server, "stripped", "SAML_SIGNATURE_MISSING", stripped).await;
    is_refused(&server, "moved", "SAML_SIGNATURE", in_the_response).await;
    the_whole_is_signed(&party).await;
    is_refused(&server, "stripped", "SAML_SIGNATURE_MISSING", stripped).await;
    is_refused(&server, "another word", "SAML_SIGNATURE", evil).await;
    is_refused(&server, "one more", "SAML_MALFORMED", |xml| {
        let more = element(xml, "Assertion").replacen(" ID=\"", " ID=\"_more", 1);
        xml.replace("</samlp:Response>", &format!("{}</samlp:Response>", evil(&more)))
    })
    .await;
    // Nor is it one by an algorithm that has been broken, whichever half of it.
    for options in [
        json!({ "signatureAlgorithm": "rsa-sha1" }),
        json!({ "digestAlgorithm": "sha1" }),
    ] {
        party.tell("opts", &options).await;
        is_refused(&server, "SHA-1", "SAML_ALGORITHM", |xml| format!("{xml}\n")).await;
    }
}

#[tokio::test]
async fn a_comment_in_a_signed_name_makes_nobody_somebody_else() {
    let (party, server) = provider_and_server().await;
    let alice = arrive(&server, "saml").await;
    party.next("mallory").await;
    let own = json!({ "email": "mallory@example.test", "nameId": "alice@example.test.evil.example" });
    party.person("mallory", own).await;
    // The signature holds: comments are no part of what it covers.
    let reply = bring(&server, |xml| {
        xml.replace("alice@example.test.evil", "alice@example.test<!---->.evil")
    });
    let mallory = arrived(&reply.await.expect(200));
    assert_ne!(mallory.user, alice.user);
    assert_eq!(record(&server, &mallory).await["email"], "mallory@example.test");
    assert_eq!(arrive(&server, "saml").await.user, mallory.user);
}

#[tokio::test]
async fn a_document_with_a_doctype_is_not_read_and_fetches_nothing() {
    let (_party, server) = provider_and_server().await;
    let trap = TcpListener::bind("127.0.0.1:0").unwrap();
    trap.set_nonblocking(true).unwrap();
    let trap_url = format!("http://{}/x", trap.local_addr().unwrap());
    let mut bomb = "<!DOCTYPE r [<!ENTITY l0 \"lol\">".to_owned();
    for level in 1..12 {
        let below = format!("&l{};", level - 1).repeat(10);
        let entity = format!("<!ENTITY l{level} \"{below}\">");
        bomb.push_str(&entity);
    }
    bomb.push_str("]>");
    for (dtd, name) in [
        ("<!DOCTYPE r>".to_owned(), "alice@example.test"),
        (
            "<!DOCTYPE r [<!ENTITY l11 SYSTEM \"file:///etc/passwd\">]>".to_owned(),
            "&l11;",
        ),
        (
            format!("<!DOCTYPE r [<!ENTITY l11 SYSTEM \"{trap_url}\">]>"),
            "&l11;",
        ),
        (
            format!("<!DOCTYPE r [<!ENTITY % l11 SYSTEM \"{trap_url}\"> %l11;]>"),
            "alice@example.test",
        ),
        (
            format!("<!DOCTYPE r SYSTEM \"{trap_url}\">"),
            "alice@example.test",
        ),
        (bomb, "&l11;"),
    ] {
        is_refused(&server, &dtd, "SAML_MALFORMED", |xml| {
            let named = xml.replace(">alice@example.test<", &format!(">{name}<"));
            format!("{dtd}{named}")
        })
        .await;
    }
    assert!(trap.accept().is_err(), "it was fetched");
    arrive(&server, "saml").await;
}

#[tokio::test]
async fn what_is_no_message_of_the_protocol_is_refused() {
    let (_party, server) = provider_and_server().await;
    let is_bare = |xml: &str| element(xml, "Assertion").to_owned();
    is_refused(&server, "a bare assertion", "SAML_MALFORMED", is_bare).await;
    for (what, other) in [
        (
            "metadata",
            "<md:EntityDescriptor xmlns:md=\"urn:oasis:names:tc:SAML:2.0:metadata\"/>",
        ),
        (
            "an instruction",
            "<?xml-stylesheet href=\"http://127.0.0.1:9/x\"?><a/>",
        ),
        (
            "another encoding",
            "<?xml version=\"1.0\" encoding=\"UTF-7\"?><a/>",
        ),
    ] {
        is_refused(&server, what, "SAML_MALFORMED", |_| other.to_owned()).await;
    }
    // Neither base64 nor text, and twice what may be there once.
    let mut browser = server.browser().as_program();
    for text in ["*".to_owned(), STANDARD.encode([0xff, 0xfe, 0x3c])] {
        let (back, mut fields) = answer(&server, &mut browser, "saml").await;
        for (_, value) in fields.iter_mut().filter(|(name, _)| name == "SAMLResponse") {
            value.clone_from(&text);
        }
        let reply = send(&mut browser, &back, &fields).await;
        reply.refused(401, "SAML_MALFORMED");
    }
    let (back, mut fields) = answer(&server, &mut browser, "saml").await;
    fields.extend(fields.clone());
    let doubled = send(&mut browser, &back, &fields).await;
    assert_eq!(doubled.status, 401, "{}", doubled.text);
    assert!(!browser.is_logged_in());
}
