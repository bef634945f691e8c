//! The pages about second factors, fresh proofs, sessions and mailed links.

use totp_rs::{Algorithm, Builder, Secret};

use crate::browser::Browser;
use crate::site::{EMAIL, PASSWORD, Site};

/// The moment the clock of a site begins at, in seconds.
fn now(site: &Site) -> u64 {
    u64::try_from(site.services.now().as_millis()).unwrap() / 1000
}

/// What an authenticator app shows, `ahead` steps from now.
fn app_code(site: &Site, secret: &str, ahead: u64) -> String {
    let app = Builder::new()
        .with_algorithm(Algorithm::SHA1)
        .with_digits(6)
        .with_step_duration(30)
        .with_secret(Secret::try_from_base32(secret).unwrap())
        .build()
        .unwrap();
    app.generate(now(site) + 30 * ahead).to_string()
}

/// Adds an app in a browser that is logged in; its secret.
async fn add_app(site: &Site, browser: &Browser) -> String {
    let page = browser
        .fill(
            "/account/security",
            "/account/security/totp",
            &[("name", "Pocket")],
        )
        .await
        .is(200)
        .says("<svg class=\"qr\"");
    let key = page
        .text
        .split_once("<code")
        .unwrap()
        .1
        .split_once('>')
        .unwrap()
        .1;
    let secret = key.split_once('<').unwrap().0.replace(' ', "");
    let enrolment = page.hidden("enrolment");
    let fields = [("enrolment", enrolment.as_str()), ("code", "000000")];
    let again = browser
        .post("/account/security/totp/confirm", &page.hidden("csrf"), &fields)
        .await
        .is(422);
    assert!(!again.text.contains("<svg class=\"qr\""), "the key is shown once");
    let code = app_code(site, &secret, 0);
    let fields = [("enrolment", enrolment.as_str()), ("code", code.as_str())];
    browser
        .post("/account/security/totp/confirm", &page.hidden("csrf"), &fields)
        .await
        .leads_to("/account/security?app=1");
    browser
        .get("/account/security?app=1")
        .await
        .is(200)
        .says("Pocket")
        .says("is added");
    secret
}

#[tokio::test]
async fn an_app_is_added_and_asked_for_and_can_be_lost() {
    let site = Site::open().await;
    let browser = Browser::at_home(&site).await;
    let secret = add_app(&site, &browser).await;
    // Recovery codes want a fresh proof by now: the session knows but the password.
    browser
        .fill("/account/security", "/account/security/recovery", &[])
        .await
        .leads_to("/account/confirm?return_to=%2Faccount%2Fsecurity");
    let confirm = "/account/confirm?return_to=%2Faccount%2Fsecurity";
    browser
        .get(confirm)
        .await
        .is(200)
        .says("Is it you?")
        .says("authenticator app");
    let code = app_code(&site, &secret, 1);
    let fields = [
        ("method", "totp"),
        ("totp", code.as_str()),
        ("return_to", "/account/security"),
    ];
    browser
        .fill(confirm, "/account/confirm", &fields)
        .await
        .leads_to("/account/security?proven=1");
    let codes = browser
        .fill("/account/security", "/account/security/recovery", &[])
        .await
        .is(200);
    assert_eq!(codes.text.matches("<li><code>").count(), 10);
    let first = codes
        .text
        .split_once("<li><code>")
        .unwrap()
        .1
        .split_once('<')
        .unwrap()
        .0;

    let other = Browser::new(&site);
    other.log_in().await.leads_to("/two-factor");
    other
        .get("/two-factor")
        .await
        .is(200)
        .says("authenticator app")
        .says("Use a recovery code");
    let page = "/two-factor?method=recovery";
    other.get(page).await.is(200).says("Enter a recovery code");
    let fields = [("method", "recovery"), ("code", "WRONG")];
    other
        .fill(page, "/two-factor", &fields)
        .await
        .is(401)
        .says("That code is wrong");
    let fields = [("method", "recovery"), ("code", first)];
    other
        .fill(page, "/two-factor", &fields)
        .await
        .leads_to("/account");
    other.get("/account/security").await.is(200).says("9 left");
}

#[tokio::test]
async fn a_wrong_proof_changes_nothing() {
    let site = Site::open().await;
    let browser = Browser::at_home(&site).await;
    let fields = [("current_password", "not it")];
    browser
        .fill("/account/confirm", "/account/confirm", &fields)
        .await
        .is(401)
        .says("That is not your password.");
    let token = browser.cookie("portcullis").unwrap();
    let fields = [("current_password", PASSWORD), ("return_to", "//evil.example")];
    browser
        .fill("/account/confirm", "/account/confirm", &fields)
        .await
        .leads_to("/account?proven=1");
    assert_ne!(
        browser.cookie("portcullis").unwrap(),
        token,
        "the session has a new token"
    );
    browser.get("/account").await.is(200);
}

#[tokio::test]
async fn sessions_are_listed_and_ended_one_by_one() {
    let site = Site::open().await;
    let browser = Browser::at_home(&site).await;
    let other = Browser::new(&site);
    other.log_in().await.leads_to("/account");
    let page = browser
        .get("/account/security")
        .await
        .is(200)
        .says("This one")
        .says("Log out everywhere else");
    let ids: Vec<&str> = page
        .text
        .split("name=\"session\" value=\"")
        .skip(1)
        .map(|rest| rest.split_once('"').unwrap().0)
        .collect();
    assert_eq!(ids.len(), 2);
    for id in ids {
        let current = page
            .text
            .split_once(id)
            .unwrap()
            .1
            .split_once("</form>")
            .unwrap()
            .0
            .contains("This one");
        if !current {
            browser
                .fill(
                    "/account/security",
                    "/account/security/sessions/end",
                    &[("session", id)],
                )
                .await
                .leads_to("/account/security?ended=1");
        }
    }
    other.get("/account").await.is(303);
    browser.get("/account").await.is(200);
    browser
        .fill(
            "/account/security",
            "/account/security/sessions/end",
            &[("session", "none")],
        )
        .await
        .is(404)
        .says("That session is over already.");
}

#[tokio::test]
async fn a_mailed_link_shows_a_button_and_the_button_logs_in_once() {
    let site = Site::with(|pool, _| pool.magic_link = true).await;
    let browser = Browser::new(&site);
    browser.sign_up(&[]).await;
    browser.get("/login").await.is(200).says("Mail me a link instead");
    for address in ["nobody@example.com", EMAIL] {
        let sent = browser
            .fill("/login/link", "/login/link", &[("identifier", address)])
            .await;
        sent.leads_to("/login/link?sent=1");
    }
    // Nobody proved the address yet: the first mail asks for that.
    let verify = format!(
        "/verify?pool=Users&uid={}&token={}",
        site.mailbox.of_link("uid"),
        site.mailbox.of_link("token")
    );
    let page = browser.get(&verify).await;
    let (uid, token) = (page.hidden("uid"), page.hidden("token"));
    let fields = [("uid", uid.as_str()), ("token", &token), ("pool", "Users")];
    browser
        .post("/verify", &page.hidden("csrf"), &fields)
        .await
        .is(200);
    browser
        .fill("/login/link", "/login/link", &[("identifier", EMAIL)])
        .await
        .leads_to("/login/link?sent=1");
    let token = site.mailbox.of_link("token");
    let link = format!("/login/link?token={token}");
    for _ in 0..2 {
        browser.get(&link).await.is(200).says("Log me in");
    }
    let fields = [("token", token.as_str())];
    browser
        .fill(&link, "/login/link/open", &fields)
        .await
        .leads_to("/account");
    let again = Browser::new(&site);
    again
        .fill(&link, "/login/link/open", &fields)
        .await
        .is(401)
        .says("too old or was used before");
}

#[tokio::test]
async fn without_links_in_the_pool_there_is_no_page_for_them() {
    let site = Site::open().await;
    let browser = Browser::new(&site);
    assert!(!browser.get("/login").await.is(200).text.contains("/login/link"));
    browser.get("/login/link").await.is(404);
}

#[tokio::test]
async fn an_old_address_is_taken_back_by_a_button() {
    let site = Site::open().await;
    let browser = Browser::at_home(&site).await;
    let fields = [("email", "eve@example.com"), ("current_password", PASSWORD)];
    browser
        .fill("/account", "/account/email", &fields)
        .await
        .leads_to("/account?email=1");
    let mails = site.mailbox.text();
    let token = mails
        .split_once("/email/revert?")
        .unwrap()
        .1
        .split_once("token=")
        .unwrap()
        .1;
    let token = token.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap();
    let link = format!("/email/revert?token={token}");
    let owner = Browser::new(&site);
    owner.get(&link).await.is(200).says("Take my address back");
    owner
        .fill(&link, "/email/revert", &[("token", token)])
        .await
        .leads_to("/reset?reverted=1");
    browser.get("/account").await.is(303);
    owner.log_in().await.leads_to("/account");
    let csrf = owner.get("/account").await.hidden("csrf");
    owner
        .post("/email/revert", &csrf, &[("token", token)])
        .await
        .is(400)
        .says("This link does nothing any more");
}

#[tokio::test]
async fn the_script_is_a_file_of_ours_and_pages_without_passkeys_have_none() {
    let site = Site::open().await;
    let browser = Browser::new(&site);
    let script = browser
        .get("/assets/passkeys.js")
        .await
        .is(200)
        .says("navigator.credentials");
    assert_eq!(script.header("content-type"), "text/javascript; charset=utf-8");
    assert!(
        !browser.get("/login").await.text.contains("<script"),
        "this site has no verifier"
    );
}
