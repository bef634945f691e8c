//! The account page and its forms.

use crate::browser::Browser;
use crate::site::{EMAIL, PASSWORD, Site};

const NEW: &str = "a whole new sentence";
const PHONE: &str = "+447700900123";

#[tokio::test]
async fn a_new_password_needs_the_old_one_and_ends_the_other_sessions() {
    let site = Site::open().await;
    let browser = Browser::at_home(&site).await;
    let other = Browser::new(&site);
    other.log_in().await.leads_to("/account");
    let send = async |current, new| {
        let fields = [("current_password", current), ("new_password", new)];
        browser.fill("/account", "/account/password", &fields).await
    };
    send("not it", NEW)
        .await
        .is(400)
        .says("That is not your current password.");
    send(PASSWORD, "short")
        .await
        .is(422)
        .says("Use at least 8 characters.");
    other.get("/account").await.is(200);
    send(PASSWORD, NEW).await.leads_to("/account?password=1");
    browser
        .get("/account?password=1")
        .await
        .is(200)
        .says("Your password is changed.");
    other.get("/account").await.is(303);
    other.log_in().await.is(401);
    other
        .fill("/login", "/login", &[("identifier", EMAIL), ("password", NEW)])
        .await
        .leads_to("/account");
}

#[tokio::test]
async fn a_new_address_needs_the_password() {
    let site = Site::open().await;
    let browser = Browser::at_home(&site).await;
    let send = async |email, password| {
        browser
            .fill(
                "/account",
                "/account/email",
                &[("email", email), ("current_password", password)],
            )
            .await
    };
    send("new@example.com", "not it")
        .await
        .is(400)
        .says("That is not your current password.")
        .says("value=\"new@example.com\"");
    send("no address", PASSWORD)
        .await
        .is(422)
        .says("That is not an e-mail address.");
    send("new@example.com", PASSWORD)
        .await
        .leads_to("/account?email=1");
    browser.get("/account").await.says("new@example.com");
}

#[tokio::test]
async fn a_taken_address_stays_with_its_owner() {
    let site = Site::open().await;
    site.sign_up("Users", "bob@example.com").await;
    let browser = Browser::at_home(&site).await;
    let fields = [("email", "bob@example.com"), ("current_password", PASSWORD)];
    browser
        .fill("/account", "/account/email", &fields)
        .await
        .is(422)
        .says("There is an account with this e-mail address already.");
}

#[tokio::test]
async fn a_number_is_added_confirmed_and_removed() {
    let site = Site::open().await;
    let browser = Browser::at_home(&site).await;
    let send = async |phone| {
        browser
            .fill(
                "/account",
                "/account/phone",
                &[("phone", phone), ("current_password", PASSWORD)],
            )
            .await
    };
    send("12").await.is(422).says("country code");
    send(PHONE).await.leads_to("/account?number=1");
    browser
        .fill("/account", "/account/phone/send-code", &[])
        .await
        .leads_to("/account?sent=1");
    browser
        .fill("/account", "/account/phone/confirm", &[("code", "12")])
        .await
        .is(400)
        .says("That code is wrong");
    let code = site.console.code();
    browser
        .fill("/account", "/account/phone/confirm", &[("code", &code)])
        .await
        .leads_to("/account?confirmed=1");
    let page = browser
        .get("/account?confirmed=1")
        .await
        .says("From now on it guards your log-in.")
        .says("Confirmed");
    browser
        .post("/account/phone/send-code", &page.hidden("csrf"), &[])
        .await
        .is(422)
        .says("no number that waits");
    send("").await.leads_to("/account?phone=1");
    browser.get("/account").await.says("None yet");
}

#[tokio::test]
async fn the_other_sessions_end_and_this_one_stays() {
    let site = Site::open().await;
    let browser = Browser::at_home(&site).await;
    let other = Browser::new(&site);
    other.log_in().await;
    browser
        .fill("/account", "/account/sessions/end-others", &[])
        .await
        .leads_to("/account?ended=1");
    browser.get("/account").await.is(200);
    other.get("/account").await.is(303);
}

#[tokio::test]
async fn the_address_is_confirmed_from_the_account_page() {
    let site = Site::open().await;
    let browser = Browser::at_home(&site).await;
    browser.get("/account").await.says("Not verified");
    browser
        .fill("/account", "/account/verify-email", &[])
        .await
        .leads_to("/account?mailed=1");
    let link = format!(
        "/verify?pool=Users&uid={}&token={}",
        site.mailbox.of_link("uid"),
        site.mailbox.of_link("token")
    );
    let page = browser.get(&link).await;
    let (uid, token) = (page.hidden("uid"), page.hidden("token"));
    browser
        .post(
            "/verify",
            &page.hidden("csrf"),
            &[("uid", &uid), ("token", &token), ("pool", "Users")],
        )
        .await
        .is(200);
    browser.get("/account").await.says("Verified");
}

#[tokio::test]
async fn no_account_form_works_after_the_session_ended() {
    let site = Site::open().await;
    let browser = Browser::at_home(&site).await;
    let csrf = browser.get("/account").await.hidden("csrf");
    browser.forget("portcullis");
    let forms = [
        "password",
        "email",
        "verify-email",
        "phone",
        "phone/send-code",
        "phone/confirm",
        "sessions/end-others",
    ];
    for form in forms {
        browser
            .post(&format!("/account/{form}"), &csrf, &[])
            .await
            .leads_to("/login?return_to=%2Faccount");
    }
}
