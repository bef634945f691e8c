//! Mails that open an account which a second factor guards: none of them opens it alone.

use std::time::{Duration, Instant};

use browser::{ACCOUNT, Desk, SECOND_STEP, at_localhost};
use e2e::{Person, Portcullis};

const NEW_PASSWORD: &str = "another long password";
const SEND: &str = "main form button[type=submit]";

/// The mailed link to that path.
async fn link(server: &Portcullis, person: &Person, path: &str) -> String {
    let place = format!("http://localhost:{}{path}?", server.port());
    let begun = Instant::now();
    loop {
        let mails = server.console().mails(&person.email).join("\n");
        if let Some(link) = mails.split_whitespace().find(|word| word.starts_with(&place)) {
            return link.to_owned();
        }
        assert!(begun.elapsed() < Duration::from_secs(20), "no {place} in {mails}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn neither_a_mailed_link_nor_a_new_password_opens_without_the_second_factor() {
    let setup = Portcullis::setup().config("[users.Users]\nmagic_link = true");
    let server = at_localhost(setup).await;
    let mut ann = server.client().sign_up("ann").await;
    let mut desk = Desk::open("mailed", &server, true).await;
    desk.log_in_by_password(&ann, ACCOUNT).await;
    desk.press(
        "form[action='/account/verify-email'] button",
        "a link is on its way",
    )
    .await;
    desk.browser.go(&link(&server, &ann, "/verify").await).await;
    desk.browser.shoot("verify").await;
    desk.press(SEND, "Your e-mail address is confirmed").await;
    desk.browser.shoot("verified").await;
    let mut app = desk.add_app("Pocket phone").await;
    desk.log_out("/login").await;

    desk.browser.press("a[href^='/login/link']", "/login/link").await;
    desk.browser.fill("#identifier", &ann.email).await;
    desk.browser.shoot("ask-for-link").await;
    desk.press(SEND, "a mail with a link is on its way").await;
    desk.browser.shoot("link-is-sent").await;
    let mailed = link(&server, &ann, "/login/link").await;
    desk.browser.go(&mailed).await;
    desk.says("Welcome back").await;
    desk.browser.shoot("link-open").await;
    desk.is_outside().await;
    desk.browser.go(&mailed).await;
    desk.browser.press(SEND, SECOND_STEP).await;
    desk.browser.shoot("link-second-step").await;
    desk.stays_out_by(&app.wrong()).await;
    desk.go(SECOND_STEP).await;
    desk.comes_in_by(&app.code().await).await;
    desk.says(&ann.email).await;
    desk.log_out("/login").await;
    desk.browser.go(&mailed).await;
    desk.press(SEND, "That link is too old or was used before").await;
    desk.browser.shoot("link-spent").await;
    desk.is_outside().await;

    desk.go("/login").await;
    desk.browser.press("a[href^='/reset']", "/reset").await;
    desk.browser.fill("#email", &ann.email).await;
    desk.browser.shoot("ask-for-reset").await;
    desk.press(SEND, "a mail with a link is on its way").await;
    desk.browser.go(&link(&server, &ann, "/reset").await).await;
    desk.browser.fill("#new_password", NEW_PASSWORD).await;
    desk.browser.shoot("new-password").await;
    desk.browser.press(SEND, "/login").await;
    desk.browser.shoot("password-is-reset").await;
    desk.is_outside().await;
    let former = std::mem::replace(&mut ann.password, NEW_PASSWORD.to_owned());
    desk.log_in_by_password(&ann, SECOND_STEP).await;
    desk.stays_out_by(&app.wrong()).await;
    desk.go(SECOND_STEP).await;
    desk.comes_in_by(&app.code().await).await;
    desk.says(&ann.email).await;
    desk.log_out("/login").await;

    ann.password = former;
    desk.log_in_by_password(&ann, "/login").await;
    desk.says("do not fit together").await;
    desk.is_outside().await;
}
