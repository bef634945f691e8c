//! SAML answers that are encrypted, and those that are large.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use e2e::{Counterparty, Portcullis};
use serde_json::{Value, json};

use super::saml::{OwnKey, answer, provider_and_server, saml, send};
use super::{audits, roles, told_the_operator};
use crate::providers::entries::{self, Arrived, arrive, arrived, file, json_entry, record, visit, with};

/// More than the general limit leaves of a body, and more than any answer may be.
const LARGE: usize = 300 * 1024;
const TOO_LARGE: usize = 1024 * 1024;

#[tokio::test]
async fn an_encrypted_assertion_logs_in_where_its_key_is_and_nowhere_else() {
    let party = Counterparty::samlp().await;
    let (own, other) = (OwnKey::new(), OwnKey::new());
    let entry = |key: &OwnKey| json!({ "decryptionPvk": key.private, "decryptionCert": key.certificate });
    let server = entries::server(file([
        ("saml", json_entry(with(saml(&party), &entry(&own)))),
        ("other", json_entry(with(saml(&party), &entry(&other)))),
        ("keyless", json_entry(saml(&party))),
    ]))
    .await;
    let plain = arrive(&server, "saml").await;
    party.tell("sp", &json!({ "encryptFor": own.certificate })).await;
    let mut browser = server.browser().as_program();
    let (back, fields) = answer(&server, &mut browser, "saml").await;
    let xml = xml(&fields);
    assert!(
        xml.contains("EncryptedAssertion") && !xml.contains("alice"),
        "{xml}"
    );
    let reply = send(&mut browser, &back, &fields).await.expect(200);
    let alice = arrived(&reply);
    assert_eq!(alice.user, plain.user);
    assert_eq!(roles(&server, &alice).await, "auditor");
    assert_eq!(record(&server, &alice).await["email"], "alice@example.test");
    for entry in ["other", "keyless"] {
        visit(&server, entry).await.refused(401, "SAML_DECRYPTION");
        told_the_operator(&server, entry, "SAML_DECRYPTION").await;
    }
    // What is said of us to the provider's operator holds the certificate, and no key.
    let metadata = server.client().get("/auth/saml/metadata").await.expect(200);
    let line = own.certificate.lines().nth(1).unwrap();
    let text: String = metadata.text.split_ascii_whitespace().collect();
    assert!(text.contains(line), "{}", metadata.text);
    assert!(!format!("{}{}", server.log().text(), server.console().text()).contains(&own.private));
}

#[tokio::test]
async fn what_is_encrypted_counts_only_with_the_providers_signature() {
    let (own, party) = (OwnKey::new(), Counterparty::samlp().await);
    let entry = with(saml(&party), &json!({ "decryptionPvk": own.private }));
    let server = entries::server(file([("saml", json_entry(entry))])).await;
    // Anybody may encrypt for us: the certificate is public.
    party.tell("sp", &json!({ "encryptFor": own.certificate })).await;
    for (options, code) in [
        (json!({ "signAssertion": false }), "SAML_SIGNATURE_MISSING"),
        (
            json!({ "signatureAlgorithm": "rsa-sha1", "digestAlgorithm": "sha1" }),
            "SAML_ALGORITHM",
        ),
        (json!({ "audience": "urn:other" }), "SAML_AUDIENCE"),
        (
            json!({
                "encryptionAlgorithm": "http://www.w3.org/2001/04/xmlenc#aes256-cbc",
                "disallowEncryptionWithInsecureAlgorithm": false,
            }),
            "SAML_ALGORITHM",
        ),
    ] {
        party.tell("opts", &options).await;
        visit(&server, "saml").await.refused(401, code);
        told_the_operator(&server, "saml", code).await;
    }
    let whole = json!({ "signAssertion": false, "signResponse": true });
    party.tell("opts", &whole).await;
    arrive(&server, "saml").await;
}

#[tokio::test]
async fn who_is_in_two_thousand_groups_comes_in_with_all_of_them() {
    let (party, server) = provider_and_server().await;
    let other = server.client().sign_up("other").await;
    let mut groups: Vec<String> = (0..2_000)
        .map(|number| {
            format!(
                "cn=group-{number:04},{},dc=example,dc=test",
                "ou=department,".repeat(5)
            )
        })
        .collect();
    groups[1_999] = "admins".to_owned();
    party.person("alice", json!({ "groups": groups })).await;
    let mut browser = server.browser().as_program();
    let (back, fields) = answer(&server, &mut browser, "saml").await;
    assert!(xml(&fields).len() > LARGE, "{}", xml(&fields).len());
    let reply = send(&mut browser, &back, &fields).await.expect(200);
    let alice = arrived(&reply);
    assert_eq!(roles(&server, &alice).await, "auditor");
    assert!(audits(&server, &alice, &other).await);
    // By the pages as well, where another site sends the form and ours sends it once more.
    let mut browser = server.browser();
    browser.open(&server.at("/auth/page")).await.expect(200).done();
    assert!(browser.is_logged_in());
    // What she is kept as has nothing of that size.
    let me = Arrived {
        user: alice.user.clone(),
        token: alice.token.clone(),
    };
    let kept = Value::Array(entries::identities(&server, &me).await).to_string();
    assert!(kept.len() < 10_000, "{}", kept.len());
}

#[tokio::test]
async fn an_answer_may_be_larger_than_other_bodies_and_not_without_end() {
    let (_party, server) = provider_and_server().await;
    let mut browser = server.browser().as_program();
    let (back, fields) = answer(&server, &mut browser, "saml").await;
    let padded = |size: usize| {
        let mut padded = fields.clone();
        padded.push(("more".to_owned(), "A".repeat(size)));
        padded
    };
    for size in [TOO_LARGE, 512 * 1024] {
        is_too_large(&server, "/auth/saml/callback", &padded(size)).await;
    }
    // A provider's wishes and everybody else's forms have no such size.
    let most = 100 * 1024;
    for path in ["/auth/saml/logout", "/api/Users/login", "/login"] {
        is_too_large(&server, path, &padded(most)).await;
    }
    let body = json!({ "email": "ann@example.com", "password": "A".repeat(most) });
    let refused = server.client().post("/api/Users", body).await;
    assert_eq!(refused.status, 413, "{}", refused.text);
    // None of this has ended the way that was begun.
    let reply = send(&mut browser, &back, &padded(most)).await;
    reply.expect(200).done();
    assert!(!server.log().text().contains("AAAAAAAAAA"));
}

async fn is_too_large(server: &Portcullis, path: &str, fields: &[(String, String)]) {
    let client = server.client();
    let large = client.request("POST", path).form(fields);
    // It may hang up before all of it was sent.
    if let Ok(reply) = client.try_send(large).await {
        assert_eq!(reply.status, 413, "{path}: {}", reply.text);
    }
}

/// The document in a form.
fn xml(fields: &[(String, String)]) -> String {
    let (_, value) = fields.iter().find(|(name, _)| name == "SAMLResponse").unwrap();
    String::from_utf8(STANDARD.decode(value).unwrap()).unwrap()
}
