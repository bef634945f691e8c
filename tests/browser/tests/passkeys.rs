//! Passkeys as a person meets them: made on the account's page, taken among the suggestions or by the button, as a second step, and
//! gone again. The browser's own virtual authenticator holds them.

use browser::{
    BEGUN, Desk, FAILED, MAKE, NO_SUGGESTIONS, PASSKEY_LOGIN, PASSKEY_STEP, SECURITY, at_localhost,
};
use e2e::Portcullis;

/// A page's script under somebody else's hand, which lets an authenticator do without verification whatever the server asks for.
const CARELESS: &str = "const get = navigator.credentials.get.bind(navigator.credentials); \
    navigator.credentials.get = (options) => { options.publicKey.userVerification = 'discouraged'; return get(options); };";

#[tokio::test]
async fn a_passkey_opens_the_account_alone_and_is_no_use_once_removed() {
    let server = at_localhost(Portcullis::setup()).await;
    let ann = server.client().sign_up("ann").await;
    let mut desk = Desk::with_authenticator("passkey-alone", &server, "internal", true).await;
    desk.browser.before_pages(NO_SUGGESTIONS).await;
    desk.log_in_by_password(&ann, "/account").await;
    desk.add_passkey("My laptop").await;
    desk.says("Logs you in without a password").await;
    assert_eq!(desk.keys().await.len(), 1);

    desk.log_out("/login").await;
    desk.browser.shoot("login").await;
    desk.browser.press(PASSKEY_LOGIN, "/account").await;
    desk.says(&ann.email).await;

    desk.remove_first("passkey", "My laptop").await;
    desk.log_out("/login").await;
    desk.click(PASSKEY_LOGIN).await;
    desk.says("That passkey did not let you in").await;
    desk.browser.shoot("refused").await;
    desk.log_in_by_password(&ann, "/account").await;
}

#[tokio::test]
async fn a_passkey_is_taken_among_the_suggestions_of_the_name_field() {
    let server = at_localhost(Portcullis::setup()).await;
    let ann = server.client().sign_up("ann").await;
    let mut desk = Desk::with_authenticator("passkey-suggested", &server, "internal", true).await;
    desk.log_in_by_password(&ann, "/account").await;
    desk.add_passkey("My phone").await;
    // The virtual authenticator takes the first suggestion as soon as there is one.
    desk.log_out("/account").await;
    desk.says(&ann.email).await;
}

#[tokio::test]
async fn a_passkey_is_the_second_step_after_a_password() {
    let server = at_localhost(Portcullis::setup()).await;
    let ann = server.client().sign_up("ann").await;
    let mut desk = Desk::with_authenticator("passkey-second", &server, "internal", true).await;
    desk.browser.before_pages(NO_SUGGESTIONS).await;
    desk.log_in_by_password(&ann, "/account").await;
    desk.add_passkey("My laptop").await;
    desk.log_out("/login").await;
    desk.log_in_by_password(&ann, "/two-factor").await;
    desk.says("Use your passkey").await;
    desk.browser.shoot("two-factor").await;
    desk.is_outside().await;
    desk.log_in_by_password(&ann, "/two-factor").await;
    desk.browser.press(PASSKEY_STEP, "/account").await;
    desk.says(&ann.email).await;
}

#[tokio::test]
async fn a_key_that_verifies_nobody_is_not_taken_and_the_password_still_opens() {
    let server = at_localhost(Portcullis::setup()).await;
    let ann = server.client().sign_up("ann").await;
    let desk = Desk::with_authenticator("passkey-plain", &server, "usb", false).await;
    desk.browser.before_pages(NO_SUGGESTIONS).await;
    desk.log_in_by_password(&ann, "/account").await;
    desk.go(SECURITY).await;
    desk.begin_passkey("A plain key", BEGUN).await;
    desk.click(MAKE).await;
    desk.browser.find(FAILED).await;
    assert_eq!(desk.keys().await.len(), 0);
    desk.log_out("/login").await;
    desk.log_in_by_password(&ann, "/account").await;
}

#[tokio::test]
async fn whoever_is_not_verified_is_not_let_in_by_a_passkey_alone() {
    let server = at_localhost(Portcullis::setup()).await;
    let ann = server.client().sign_up("ann").await;
    let mut desk = Desk::with_authenticator("passkey-unverified", &server, "internal", true).await;
    desk.browser.before_pages(NO_SUGGESTIONS).await;
    desk.log_in_by_password(&ann, "/account").await;
    desk.add_passkey("My laptop").await;
    desk.log_out("/login").await;
    desk.verified(false).await;

    // An honest browser says no by itself.
    desk.click(PASSKEY_LOGIN).await;
    desk.browser.find(FAILED).await;
    desk.browser.shoot("browser-refuses").await;
    assert_eq!(desk.browser.path().await, "/login");

    // Another does not, and the server does.
    let careless = desk.browser.before_pages(CARELESS).await;
    desk.go("/login").await;
    desk.click(PASSKEY_LOGIN).await;
    desk.says("That passkey did not let you in").await;
    desk.browser.shoot("server-refuses").await;
    desk.is_outside().await;

    desk.browser.no_more_of(careless).await;
    desk.verified(true).await;
    desk.go("/login").await;
    desk.browser.press(PASSKEY_LOGIN, "/account").await;
}

#[tokio::test]
async fn one_authenticator_makes_one_passkey_for_one_account() {
    let server = at_localhost(Portcullis::setup()).await;
    let ann = server.client().sign_up("ann").await;
    let mut desk = Desk::with_authenticator("passkey-twice", &server, "internal", true).await;
    desk.browser.before_pages(NO_SUGGESTIONS).await;
    desk.log_in_by_password(&ann, "/account").await;
    desk.add_passkey("My laptop").await;
    // The account has a second factor now, and the session was opened without: prove it first.
    desk.go(SECURITY).await;
    desk.begin_passkey("The same", "/account/confirm").await;
    desk.browser.shoot("confirm").await;
    let confirm = "form[action='/account/confirm/passkey'] button";
    desk.browser.press(confirm, SECURITY).await;
    desk.begin_passkey("The same", BEGUN).await;
    desk.click(MAKE).await;
    desk.browser.find(FAILED).await;
    assert_eq!(desk.keys().await.len(), 1);
}
