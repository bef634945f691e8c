//! A provider of OpenID 2.0, whose long answers come by a form.

use browser::{ACCOUNT, Desk};
use e2e::{Counterparty, Portcullis};
use serde_json::json;

use super::{LINK, LOG_IN, ROLE, checked, entries, is_refused, setup, shows_linked, unlinks};

/// Where the provider answers.
const ANSWERS: &str = "/server";

async fn provider_and_server() -> (Counterparty, Portcullis) {
    let party = Counterparty::openid2().await;
    let entry = json!({
        "authScheme": "openid", "module": "passport-openid", "providerURL": party.at("/"), "emailVerified": true,
        "attributes": { "groups": "http://example.com/schema/groups" }, "groupsAttribute": "groups",
        "roleMapping": [{ "group": "admins", "role": ROLE }],
    });
    let server = setup().providers(&entries(&entry)).start().await;
    (party, server)
}

#[tokio::test]
async fn an_openid_opens_one_account_with_its_role_unless_its_owner_says_no() {
    let (party, server) = provider_and_server().await;
    let mut desk = Desk::open("openid2", &server, true).await;
    party.fault("cancel").await;
    desk.go("/login").await;
    desk.click(LOG_IN).await;
    is_refused(&mut desk, "ACCESS_DENIED", "said no", "refused").await;

    party.fault("").await;
    desk.browser.press(LOG_IN, ACCOUNT).await;
    shows_linked(&desk, "Alice Example").await;
    let alice = checked(&desk, &server).await;
    assert_eq!(alice.1, ROLE);
    desk.log_out("/login").await;
    desk.is_outside().await;
    desk.browser.press(LOG_IN, ACCOUNT).await;
    assert_eq!(checked(&desk, &server).await, alice);
}

#[tokio::test]
async fn without_scripts_an_openid_is_linked_and_entered_by_buttons() {
    let (_party, server) = provider_and_server().await;
    let ann = server.client().sign_up("ann").await;
    let desk = Desk::open("openid2-by-hand", &server, false).await;
    desk.log_in_by_password(&ann, ACCOUNT).await;
    desk.browser.press(LINK, ANSWERS).await;
    desk.browser.press("form button", ACCOUNT).await;
    shows_linked(&desk, "Alice Example").await;

    desk.log_out("/login").await;
    desk.browser.press(LOG_IN, ANSWERS).await;
    desk.browser.press("form button", ACCOUNT).await;
    assert_eq!(checked(&desk, &server).await, (ann.id, ROLE.to_owned()));
    unlinks(&desk, &server).await;
}
