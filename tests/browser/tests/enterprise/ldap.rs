//! A directory's names and passwords, typed into a form of ours.

use browser::{ACCOUNT, Desk};
use e2e::{Counterparty, Portcullis};
use serde_json::{Value, json};

use super::{LINK, LOG_IN, ROLE, checked, entries, is_refused, setup, shows_linked, unlinks, with};

const BUTTON: &str = "form[action^='/auth/corp'] button";
const LINK_BUTTON: &str = "form[action='/link/corp'] button";

fn entry(slapd: &Counterparty) -> Value {
    json!({
        "authScheme": "ldap", "module": "passport-ldapauth", "emailVerified": true,
        "server": {
            "url": slapd.addresses().last(), "bindDn": "cn=reader,dc=example,dc=test", "bindCredentials": "reader-secret",
            "searchBase": "ou=people,dc=example,dc=test", "searchFilter": "(uid={{username}})",
        },
        "roleMapping": [{ "group": "admins", "role": ROLE }],
    })
}

async fn directory_and_server() -> (Counterparty, Portcullis) {
    let slapd = Counterparty::slapd(&[]).await;
    let server = setup().providers(&entries(&entry(&slapd))).start().await;
    (slapd, server)
}

/// Types a name and a password.
async fn types(desk: &Desk, name: &str, password: &str) {
    desk.browser.fill("#name", name).await;
    desk.browser.fill("#password", password).await;
}

#[tokio::test]
async fn a_name_and_a_password_of_the_directory_open_one_account_with_its_role() {
    let (_slapd, server) = directory_and_server().await;
    let mut desk = Desk::open("ldap", &server, false).await;
    desk.go("/login").await;
    desk.browser.shoot("login").await;
    desk.browser.press(LOG_IN, "/auth/corp").await;
    desk.browser.shoot("form").await;

    types(&desk, "alice", "bob-pass").await;
    desk.press(BUTTON, "That name and password do not fit together")
        .await;
    let typed = async |css: &str| desk.browser.find(css).await.prop("value").await.expect("a field");
    assert_eq!(typed("#name").await.as_deref(), Some("alice"));
    assert_eq!(typed("#password").await.as_deref(), Some(""));
    desk.browser.shoot("wrong-password").await;
    desk.browser.fill("#password", "alice-pass").await;
    desk.browser.press(BUTTON, ACCOUNT).await;
    desk.says("alice@example.test").await;
    shows_linked(&desk, "Alice Example").await;
    desk.browser.shoot("account").await;
    let alice = checked(&desk, &server).await;
    assert_eq!(alice.1, ROLE);

    desk.log_out("/login").await;
    desk.is_outside().await;
    desk.browser.press(LOG_IN, "/auth/corp").await;
    types(&desk, "ALICE", "alice-pass").await;
    desk.browser.press(BUTTON, ACCOUNT).await;
    assert_eq!(checked(&desk, &server).await, alice);
}

#[tokio::test]
async fn an_account_of_the_directory_is_linked_by_its_form_and_unlinked() {
    let (_slapd, server) = directory_and_server().await;
    let ann = server.client().sign_up("ann").await;
    let mut desk = Desk::open("ldap-link", &server, false).await;
    desk.log_in_by_password(&ann, ACCOUNT).await;
    desk.browser.press(LINK, "/link/corp").await;
    desk.says("Link your Corp account").await;
    desk.browser.shoot("form").await;
    types(&desk, "alice", "bob-pass").await;
    desk.press(LINK_BUTTON, "do not fit together").await;
    desk.browser.fill("#password", "alice-pass").await;
    desk.browser.press(LINK_BUTTON, ACCOUNT).await;
    shows_linked(&desk, "Alice Example").await;
    desk.browser.shoot("linked").await;

    desk.log_out("/login").await;
    desk.browser.press(LOG_IN, "/auth/corp").await;
    types(&desk, "alice", "alice-pass").await;
    desk.browser.press(BUTTON, ACCOUNT).await;
    assert_eq!(checked(&desk, &server).await, (ann.id, ROLE.to_owned()));
    unlinks(&desk, &server).await;
}

#[tokio::test]
async fn whoever_the_directory_refuses_reads_why_and_where_to_go() {
    let slapd = Counterparty::slapd(&[]).await;
    let known =
        json!({ "provider": "corp", "label": "Corp", "onlyKnownUsers": true, "authPath": "/auth/known" });
    let file = with(
        &entries(&entry(&slapd)),
        &json!({ "known": with(&entry(&slapd), &known) }),
    );
    let server = setup().providers(&file).start().await;
    let mut desk = Desk::open("ldap-refused", &server, false).await;

    desk.go("/auth/corp").await;
    types(&desk, "expired", "expired-pass").await;
    desk.click(BUTTON).await;
    let code = "DIRECTORY_PASSWORD_EXPIRED";
    is_refused(&mut desk, code, "Change it at Corp", "password-over").await;

    desk.go("/auth/known").await;
    types(&desk, "bob", "bob-pass").await;
    desk.click("form[action='/auth/known'] button").await;
    is_refused(
        &mut desk,
        "USER_UNKNOWN",
        "Nobody here has that account at Corp",
        "unknown",
    )
    .await;

    desk.go("/auth/corp").await;
    drop(slapd);
    types(&desk, "alice", "alice-pass").await;
    desk.click(BUTTON).await;
    is_refused(
        &mut desk,
        "PROVIDER_UNAVAILABLE",
        "There is no answer from Corp",
        "unavailable",
    )
    .await;
}
