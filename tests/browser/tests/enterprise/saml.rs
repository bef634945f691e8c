//! A SAML provider that asks who comes: there and back by forms between two sites.

use std::path::Path;
use std::process::{Command, Stdio};

use browser::{ACCOUNT, Desk};
use e2e::{Counterparty, Portcullis};
use serde_json::{Value, json};

use super::{LINK, LOG_IN, ROLE, checked, entries, is_refused, setup, shows_linked, unlinks};

/// Where the provider asks.
const ASKS: &str = "/sso";
const ALICE: &str = "button[value=alice]";
const CONTINUE: &str = "form[data-send] button";

fn entry(party: &Counterparty, key: &Path) -> Value {
    json!({
        "authScheme": "saml", "module": "passport-saml", "issuer": "urn:portcullis:test", "emailVerified": true,
        "metadataUrl": party.at("/metadata"), "identifierFormat": null, "privateCertPath": key,
        "roleMapping": [{ "group": "admins", "role": ROLE }],
    })
}

/// A key to sign with, and its certificate in PEM.
fn key(folder: &Path) -> String {
    let at = |name: &str| folder.join(name);
    let made = Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-days",
            "2",
            "-subj",
            "/CN=portcullis",
        ])
        .arg("-keyout")
        .arg(at("saml.key"))
        .arg("-out")
        .arg(at("saml.crt"))
        .stderr(Stdio::null())
        .status();
    assert!(made.expect("openssl is installed: bash tests/setup").success());
    std::fs::read_to_string(at("saml.crt")).expect("a certificate")
}

/// A provider that knows where to tell us of log-outs.
async fn provider_and_server() -> (Counterparty, Portcullis) {
    let party = Counterparty::samlp_that_asks().await;
    let setup = setup();
    let certificate = key(setup.home());
    let entry = entry(&party, &setup.home().join("saml.key"));
    let server = setup.providers(&entries(&entry)).start().await;
    let logout = format!("http://localhost:{}/auth/corp/logout", server.port());
    party
        .tell("sp", &json!({ "logout": logout, "cert": certificate }))
        .await;
    (party, server)
}

#[tokio::test]
async fn a_saml_account_is_entered_unless_its_provider_says_no_and_left_at_both_ends() {
    let (party, server) = provider_and_server().await;
    let mut desk = Desk::open("saml", &server, true).await;
    desk.go("/login").await;
    desk.browser.press(LOG_IN, ASKS).await;
    desk.click("button[value=deny]").await;
    is_refused(&mut desk, "SAML_STATUS", "Corp did not let you in", "refused").await;

    desk.browser.press(LOG_IN, ASKS).await;
    desk.browser.press(ALICE, ACCOUNT).await;
    shows_linked(&desk, "Alice Example").await;
    let alice = checked(&desk, &server).await;
    assert_eq!(alice.1, ROLE);

    // Out here, and the provider hears of it.
    desk.log_out("/login").await;
    desk.says("You are logged out").await;
    assert_eq!(party.asked("GET /logout").await, 1);
    desk.browser.shoot("logged-out").await;
    desk.is_outside().await;

    // Out there, and we hear of it.
    desk.browser.press(LOG_IN, ASKS).await;
    desk.browser.press(ALICE, ACCOUNT).await;
    assert_eq!(checked(&desk, &server).await, alice);
    desk.browser.go(&party.at("/logout")).await;
    desk.says("OK").await;
    desk.is_outside().await;
}

#[tokio::test]
async fn without_scripts_a_saml_account_is_entered_and_linked_by_buttons() {
    let (_party, server) = provider_and_server().await;
    let ann = server.client().sign_up("ann").await;
    let mut desk = Desk::open("saml-by-hand", &server, false).await;
    desk.log_in_by_password(&ann, ACCOUNT).await;
    desk.browser.press(LINK, ASKS).await;
    desk.click(ALICE).await;
    desk.browser
        .press("input[type=submit]", "/link/corp-link/callback")
        .await;
    desk.browser.shoot("one-moment").await;
    desk.browser.press(CONTINUE, ACCOUNT).await;
    shows_linked(&desk, "Alice Example").await;

    desk.log_out("/login").await;
    desk.browser.press(LOG_IN, ASKS).await;
    desk.click(ALICE).await;
    desk.browser
        .press("input[type=submit]", "/auth/corp/callback")
        .await;
    desk.browser.press(CONTINUE, ACCOUNT).await;
    assert_eq!(checked(&desk, &server).await, (ann.id, ROLE.to_owned()));
    unlinks(&desk, &server).await;
    desk.log_out("/login").await;
    desk.is_outside().await;
}
