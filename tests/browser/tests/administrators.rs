//! The first administrator, by the link that the first start prints; and what they see when they act as somebody.

use browser::{ACCOUNT, Desk, at_localhost};
use e2e::Portcullis;

const SEND: &str = "main form button[type=submit]";
const STOP: &str = "form[action='/auth/impersonate/stop'] button";

/// The printed link.
fn link(server: &Portcullis) -> String {
    let said = server.console().text();
    let mut words = said.split_whitespace();
    let found = words.find(|word| word.contains("/setup?token="));
    assert!(found.is_some(), "no link: {said}");
    found.unwrap_or_default().to_owned()
}

#[tokio::test]
async fn the_first_administrator_acts_as_somebody_and_every_page_says_so_until_they_stop() {
    let server = at_localhost(Portcullis::setup()).await;
    let mut desk = Desk::open("administrators", &server, false).await;
    desk.browser.go(&link(&server)).await;
    desk.browser.shoot("first-administrator").await;
    desk.browser.fill("#email", "root@example.com").await;
    desk.browser.fill("#password", "gate of the old town").await;
    desk.browser.press(SEND, ACCOUNT).await;
    desk.says("root@example.com").await;

    let ann = server.client().sign_up("ann").await;
    desk.go(&format!("/auth/impersonate?pool=Users&user={}", ann.id))
        .await;
    desk.browser.shoot("act-as").await;
    desk.browser.fill("#reason", "ticket 17").await;
    desk.browser.press(SEND, ACCOUNT).await;
    for path in [ACCOUNT, "/account/security", "/login", "/no-such-page"] {
        desk.go(path).await;
        desk.says("You act as ann@example.com as administrator root@example.com")
            .await;
    }
    desk.go(ACCOUNT).await;
    desk.browser.shoot("acting").await;
    desk.browser
        .press(
            "form[action='/account/verify-email'] button",
            "/account/verify-email",
        )
        .await;
    desk.says("theirs alone to do").await;
    desk.go(ACCOUNT).await;
    desk.browser.press(STOP, ACCOUNT).await;
    desk.says("root@example.com").await;
    assert!(!desk.browser.text().await.contains("You act as"));
}
