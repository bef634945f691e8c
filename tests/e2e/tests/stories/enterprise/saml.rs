//! A SAML 2.0 identity provider, as npm's samlp is one.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use e2e::{Browser, Client, Counterparty, Portcullis, Reply};
use futures_util::future::join_all;
use serde_json::{Value, json};

use super::{AUDITORS, audits, person, roles, told_the_operator, unlink};
use crate::factors::add_app;
use crate::providers::entries::{self, Arrived, arrive, file, json_entry, linking, visit, with};

pub const OWN_NAME: &str = "urn:portcullis:test";

/// A key of the server's with its certificate, as texts.
pub struct OwnKey {
    pub private: String,
    pub certificate: String,
}

impl OwnKey {
    pub fn new() -> Self {
        let pair = rcgen::KeyPair::generate_for(&rcgen::PKCS_RSA_SHA256).unwrap();
        let params = rcgen::CertificateParams::new(vec!["sp.example".to_owned()]).unwrap();
        Self {
            certificate: params.self_signed(&pair).unwrap().pem(),
            private: pair.serialize_pem(),
        }
    }
}

/// An entry for the provider, which knows it by its metadata.
pub fn saml(party: &Counterparty) -> Value {
    json!({
        "provider": "saml", "authScheme": "saml", "module": "passport-saml", "issuer": OWN_NAME,
        "metadataUrl": party.at("/metadata"), "identifierFormat": null, "emailVerified": true,
        "roleMapping": [{ "group": "admins", "role": "auditor" }],
    })
}

pub async fn provider_and_server() -> (Counterparty, Portcullis) {
    let party = Counterparty::samlp().await;
    let entry = saml(&party);
    let entries = file([
        ("saml", json_entry(entry.clone())),
        ("page", entry.clone()),
        (
            "by-form",
            json_entry(with(
                entry.clone(),
                &json!({ "authnRequestBinding": "HTTP-POST" }),
            )),
        ),
        ("link", linking(entry.clone())),
        (
            "known",
            json_entry(with(entry.clone(), &json!({ "onlyKnownUsers": true }))),
        ),
        (
            "open",
            json_entry(with(entry, &json!({ "allowUnsolicited": true }))),
        ),
    ]);
    let setup = Portcullis::setup().config(AUDITORS).providers(&entries);
    (party, setup.start().await)
}

/// Where the provider would send this browser back to, with what: everything is done but that last step.
pub async fn answer(
    server: &Portcullis,
    browser: &mut Browser,
    entry: &str,
) -> (String, Vec<(String, String)>) {
    let home = server.at("/");
    browser
        .form_until(&server.at(&format!("/auth/{entry}")), |url| {
            url.starts_with(&home)
        })
        .await
}

/// Sends a form back in this browser.
pub async fn send(browser: &mut Browser, to: &str, fields: &[(String, String)]) -> Reply {
    let fields: Vec<(&str, &str)> = fields
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    browser.post(to, &fields).await.reply
}

/// The same answer with other words in it.
pub fn rewritten(fields: &[(String, String)], change: impl Fn(&str) -> String) -> Vec<(String, String)> {
    let changed = |(name, value): &(String, String)| {
        if name != "SAMLResponse" {
            return (name.clone(), value.clone());
        }
        let xml = String::from_utf8(STANDARD.decode(value).unwrap()).unwrap();
        let after = change(&xml);
        assert_ne!(after, xml, "nothing was changed");
        (name.clone(), STANDARD.encode(after))
    };
    fields.iter().map(changed).collect()
}

#[tokio::test]
async fn somebody_of_a_saml_provider_becomes_a_user_and_stays_the_same_one() {
    let (party, server) = provider_and_server().await;
    let alice = arrive(&server, "saml").await;
    for entry in ["saml", "by-form"] {
        assert_eq!(arrive(&server, entry).await.user, alice.user);
    }
    assert_eq!(
        entries::record(&server, &alice).await["email"],
        "alice@example.test"
    );
    let mut browser = server.browser();
    let page = browser.open(&server.at("/auth/page")).await.expect(200);
    page.came_by("/auth/account");
    let who = browser.peek(&server.at("/auth/check")).await.expect(200);
    assert_eq!(who.header("x-user-id"), alice.user);
    party.next("bob").await;
    assert_ne!(arrive(&server, "saml").await.user, alice.user);
    let metadata = server.client().get("/auth/saml/metadata").await.expect(200);
    assert!(
        metadata.text.contains(OWN_NAME) && metadata.text.contains("/auth/saml/callback"),
        "{}",
        metadata.text
    );
}

#[tokio::test]
async fn an_answer_by_a_form_of_another_site_finds_the_browser_that_asked() {
    let party = Counterparty::samlp().await;
    let entries = file([("saml", saml(&party))]);
    let setup = Portcullis::setup().at_localhost();
    let server = setup.providers(&entries).start().await;
    let home = format!("http://localhost:{}", server.port());
    let mut browser = server.browser();
    let page = browser.open(&format!("{home}/auth/saml")).await.expect(200);
    assert!(
        browser.is_logged_in() && page.url.starts_with(&home),
        "{}: {}",
        page.url,
        page.reply.text
    );
    let callbacks = page
        .trail
        .iter()
        .filter(|url| url.contains("/auth/saml/callback"));
    assert_eq!(callbacks.count(), 2, "our own page posts it once more");
}

#[tokio::test]
async fn a_saml_account_is_linked_to_whoever_is_logged_in_and_unlinked() {
    let (party, server) = provider_and_server().await;
    server
        .client()
        .get("/link/link")
        .await
        .refused(401, "AUTHORIZATION_REQUIRED");
    party.next("bob").await;
    visit(&server, "known").await.refused(403, "USER_UNKNOWN");
    told_the_operator(&server, "known", "USER_UNKNOWN").await;
    let ann = server.client().sign_up("ann").await;
    let mut browser = entries::log_in_by_page(&server, &ann).await;
    let page = entries::link(&server, &mut browser, "link").await.expect(200);
    page.came_by("/link/account");
    for entry in ["saml", "known"] {
        assert_eq!(arrive(&server, entry).await.user, ann.id);
    }
    let me = Arrived {
        token: server.client().log_in(&ann).await,
        user: ann.id.clone(),
    };
    unlink(&server, &me).await;
    visit(&server, "known").await.refused(403, "USER_UNKNOWN");
    assert_ne!(arrive(&server, "saml").await.user, ann.id);
}

#[tokio::test]
async fn an_asserted_group_gives_a_role_for_as_long_as_somebody_is_in_it() {
    let (party, server) = provider_and_server().await;
    let other = server.client().sign_up("other").await;
    let alice = arrive(&server, "saml").await;
    assert_eq!(roles(&server, &alice).await, "auditor");
    assert!(audits(&server, &alice, &other).await);
    party.person("alice", json!({ "groups": ["staff"] })).await;
    let later = arrive(&server, "saml").await;
    assert_eq!((&later.user, &*roles(&server, &later).await), (&alice.user, ""));
    assert!(!audits(&server, &alice, &other).await);
}

#[tokio::test]
async fn who_has_a_second_factor_is_asked_for_it_after_saml_too() {
    let (_party, server) = provider_and_server().await;
    let alice = arrive(&server, "saml").await;
    let session = server.client().with(&alice.token);
    add_app(&session, &person(&alice, ""), "Pocket").await;
    let waits = visit(&server, "saml").await;
    waits.refused(401, "SECOND_FACTOR_REQUIRED");
    assert!(waits.at("access_token").is_empty());
}

#[tokio::test]
async fn every_fault_of_an_assertion_is_refused_by_its_name() {
    let (party, server) = provider_and_server().await;
    let elsewhere = server.at("/auth/other/callback");
    for (options, code) in [
        (
            json!({ "signatureAlgorithm": "rsa-sha1", "digestAlgorithm": "sha1" }),
            "SAML_ALGORITHM",
        ),
        (json!({ "signAssertion": false }), "SAML_SIGNATURE_MISSING"),
        (json!({ "issuer": "urn:other" }), "SAML_ISSUER"),
        (json!({ "audience": "urn:other" }), "SAML_AUDIENCE"),
        (json!({ "recipient": elsewhere }), "SAML_RECIPIENT"),
        (json!({ "destination": elsewhere }), "SAML_DESTINATION"),
        (json!({ "inResponseTo": "_other" }), "SAML_IN_RESPONSE_TO"),
        (json!({ "lifetimeInSeconds": -120 }), "SAML_EXPIRED"),
    ] {
        party.tell("opts", &options).await;
        let reply = visit(&server, "saml").await;
        assert_eq!(
            (reply.status, reply.code().as_str()),
            (401, code),
            "{options}: {}",
            reply.text
        );
        told_the_operator(&server, "saml", code).await;
    }
    party.tell("opts", &json!({})).await;
    arrive(&server, "saml").await;
    // Keys of another provider of the same name are not the ones of the metadata.
    let impostor = Counterparty::samlp().await;
    let metadata = Client::of(party.address()).get("/metadata").await.expect(200);
    let metadata = metadata.text.replace(party.address(), impostor.address());
    let entry = with(
        saml(&party),
        &json!({ "metadata": metadata, "metadataUrl": null }),
    );
    let server = entries::server(file([("saml", json_entry(entry))])).await;
    visit(&server, "saml").await.refused(401, "SAML_SIGNATURE");
}

/// Another document made of one.
type Change = fn(&str) -> String;

/// What, how, and how it is refused.
const CHANGES: [(&str, Change, &str); 10] = [
    (
        "another name",
        |xml| xml.replace("alice@example.test", "admin@example.test"),
        "SAML_SIGNATURE",
    ),
    (
        "another group",
        |xml| xml.replace(">staff<", ">owner<"),
        "SAML_SIGNATURE",
    ),
    (
        "another audience",
        |xml| xml.replace("Audience>urn:portcullis:test", "Audience>urn:other:test"),
        "SAML_SIGNATURE",
    ),
    ("no signature", without_signature, "SAML_SIGNATURE_MISSING"),
    (
        "another signature",
        |xml| {
            let (head, value) = xml.split_once("SignatureValue>").unwrap();
            format!("{head}SignatureValue>AAAA{}", &value[4..])
        },
        "SAML_SIGNATURE",
    ),
    (
        "a doctype",
        |xml| format!("<!DOCTYPE x [<!ENTITY e SYSTEM \"file:///etc/passwd\">]>{xml}"),
        "SAML_MALFORMED",
    ),
    (
        "half of it",
        |xml| xml[..xml.len() / 2].to_owned(),
        "SAML_MALFORMED",
    ),
    ("nothing", |_| String::new(), "SAML_MALFORMED"),
    (
        "depth",
        |_| format!("{}{}", "<a>".repeat(3_000), "</a>".repeat(3_000)),
        "SAML_MALFORMED",
    ),
    // A comment makes it no other name.
    (
        "a comment",
        |xml| xml.replace(">alice@example.test<", ">alice@example.test<!-- -->.evil<"),
        "SAML_SIGNATURE",
    ),
];

#[tokio::test]
async fn no_word_of_an_answer_can_be_changed() {
    let (_party, server) = provider_and_server().await;
    for (what, change, code) in CHANGES {
        let mut browser = server.browser().as_program();
        let (back, fields) = answer(&server, &mut browser, "saml").await;
        let reply = send(&mut browser, &back, &rewritten(&fields, change)).await;
        assert_eq!(
            (reply.status, reply.code().as_str()),
            (401, code),
            "{what}: {}",
            reply.text
        );
        told_the_operator(&server, "saml", code).await;
        assert!(!browser.is_logged_in());
    }
}

#[tokio::test]
async fn what_is_too_large_is_not_read_and_ends_nothing() {
    let (_party, server) = provider_and_server().await;
    let mut browser = server.browser().as_program();
    let (back, mut fields) = answer(&server, &mut browser, "saml").await;
    fields.push(("more".to_owned(), "A".repeat(20_000_000)));
    let client = server.client();
    let large = client.request("POST", "/auth/saml/callback").form(&fields);
    // It may hang up before all of it was sent.
    if let Ok(reply) = client.try_send(large).await {
        assert_eq!(reply.status, 413, "{}", reply.text);
    }
    fields.pop();
    send(&mut browser, &back, &fields).await.expect(200).done();
}

fn without_signature(xml: &str) -> String {
    let (head, rest) = xml.split_once("<Signature").unwrap();
    let (_, tail) = rest.split_once("</Signature>").unwrap();
    format!("{head}{tail}")
}

#[tokio::test]
async fn an_answer_counts_once_and_in_the_browser_that_asked() {
    let (_party, server) = provider_and_server().await;
    let mut browser = server.browser().as_program();
    let (back, fields) = answer(&server, &mut browser, "saml").await;
    let mut victim = server.browser().as_program();
    let (own_back, own) = answer(&server, &mut victim, "saml").await;
    send(&mut victim, &back, &fields)
        .await
        .refused(401, "AUTHORIZATION_UNKNOWN");
    let mut swapped = own.clone();
    for pair in swapped.iter_mut().filter(|(name, _)| name == "SAMLResponse") {
        pair.1
            .clone_from(&fields.iter().find(|(name, _)| name == "SAMLResponse").unwrap().1);
    }
    send(&mut victim, &own_back, &swapped)
        .await
        .refused(401, "SAML_IN_RESPONSE_TO");
    let mut tabs: Vec<Browser> = (0..6).map(|_| browser.tab()).collect();
    let sent = tabs.iter_mut().map(|tab| send(tab, &back, &fields));
    let replies = join_all(sent).await;
    let opened = replies.iter().filter(|reply| reply.status == 200).count();
    assert_eq!(opened, 1);
    for reply in replies.iter().filter(|reply| reply.status != 200) {
        reply.refused(401, "AUTHORIZATION_UNKNOWN");
    }
}

#[tokio::test]
async fn answers_nobody_asked_for_are_taken_only_where_that_is_wanted_and_once() {
    let (party, server) = provider_and_server().await;
    let unasked = async |entry: &str| {
        let callback = server.at(&format!("/auth/{entry}/callback"));
        let address = party.at(&format!("/sso?to={callback}&audience={OWN_NAME}&user=bob"));
        let mut browser = server.browser().as_program();
        let found = browser.form_until(&address, |url| url == callback).await;
        (browser, found.0, found.1)
    };
    let (mut browser, back, fields) = unasked("saml").await;
    let refused = send(&mut browser, &back, &fields).await;
    refused.refused(401, "AUTHORIZATION_UNKNOWN");
    assert!(!browser.is_logged_in());
    let (browser, back, mut fields) = unasked("open").await;
    // Whatever place it names is not followed.
    fields.retain(|(name, _)| name != "RelayState");
    fields.push(("RelayState".to_owned(), "https://evil.example/".to_owned()));
    let mut tabs: Vec<Browser> = (0..6).map(|_| browser.tab()).collect();
    let replies = join_all(tabs.iter_mut().map(|tab| send(tab, &back, &fields))).await;
    assert!(replies.iter().all(|reply| !reply.text.contains("evil.example")));
    let opened: Vec<_> = replies.iter().filter(|reply| reply.status == 200).collect();
    assert_eq!(opened.len(), 1, "{:?}", replies.iter().map(|reply| &reply.text));
    for reply in replies.iter().filter(|reply| reply.status != 200) {
        reply.refused(401, "ANSWER_REPLAYED");
    }
    told_the_operator(&server, "open", "ANSWER_REPLAYED").await;
    // It stays one after a restart.
    let server = server.kill_and_restart().await;
    let mut browser = server.browser().as_program();
    send(&mut browser, &back, &fields)
        .await
        .refused(401, "ANSWER_REPLAYED");
}
