//! Signing up, logging in, logging out.

use crate::browser::Browser;
use crate::site::{EMAIL, PASSWORD, Site};

#[tokio::test]
async fn a_person_signs_up_logs_in_sees_their_account_and_logs_out() {
    let site = Site::open().await;
    let browser = Browser::new(&site);
    browser.get("/signup").await.is(200).says("Create an account");
    browser
        .sign_up(&[("username", "ann")])
        .await
        .leads_to("/login?created=1");
    browser
        .get("/login?created=1")
        .await
        .says("Your account is ready.");
    browser.log_in().await.leads_to("/account");
    browser.get("/account").await.is(200).says(EMAIL).says("ann");
    browser
        .fill("/account", "/logout", &[])
        .await
        .leads_to("/login?bye=1");
    browser
        .get("/account")
        .await
        .leads_to("/login?return_to=%2Faccount");
}

#[tokio::test]
async fn a_username_opens_the_door_too_and_blanks_around_it_do_not_matter() {
    let site = Site::open().await;
    let browser = Browser::new(&site);
    browser.sign_up(&[("username", "ann")]).await;
    let fields = [("identifier", " ann "), ("password", PASSWORD)];
    browser
        .fill("/login", "/login", &fields)
        .await
        .leads_to("/account");
}

#[tokio::test]
async fn a_logged_out_token_opens_nothing() {
    let site = Site::open().await;
    let browser = Browser::at_home(&site).await;
    let token = browser.cookie("portcullis").unwrap();
    browser.fill("/account", "/logout", &[]).await;
    assert_eq!(browser.cookie("portcullis"), None);
    browser.set_cookie("portcullis", &token);
    browser
        .get("/account")
        .await
        .leads_to("/login?return_to=%2Faccount");
}

#[tokio::test]
async fn unknown_and_wrong_get_one_answer_and_no_password_comes_back() {
    let site = Site::open().await;
    let browser = Browser::new(&site);
    browser.sign_up(&[]).await;
    let wrong = [("identifier", EMAIL), ("password", "not my password")];
    let wrong = browser
        .fill("/login", "/login", &wrong)
        .await
        .is(401)
        .says("do not fit together")
        .says(EMAIL);
    let unknown = [("identifier", "bob@example.com"), ("password", "not my password")];
    let unknown = browser.fill("/login", "/login", &unknown).await.is(401);
    assert_eq!(
        wrong.text.replace(EMAIL, "X"),
        unknown.text.replace("bob@example.com", "X")
    );
    assert!(!wrong.text.contains("not my password"));
    browser
        .fill("/login", "/login", &[("password", PASSWORD)])
        .await
        .is(400)
        .says("Enter your e-mail address or username.");
}

#[tokio::test]
async fn too_many_tries_are_told_to_wait() {
    let site = Site::open().await;
    let browser = Browser::new(&site);
    browser.sign_up(&[]).await;
    let csrf = browser.get("/login").await.hidden("csrf");
    for _ in 0..8 {
        browser
            .post("/login", &csrf, &[("identifier", EMAIL), ("password", "wrong")])
            .await
            .is(401);
    }
    let page = browser
        .post("/login", &csrf, &[("identifier", EMAIL), ("password", PASSWORD)])
        .await
        .is(429)
        .says("Please wait");
    assert!(page.header("retry-after").parse::<u64>().unwrap() > 0);
}

#[tokio::test]
async fn every_login_is_a_new_session_and_ends_the_one_before() {
    let site = Site::open().await;
    let browser = Browser::at_home(&site).await;
    let before = browser.cookie("portcullis").unwrap();
    let csrf = browser.get("/account").await.hidden("csrf");
    browser
        .post("/login", &csrf, &[("identifier", EMAIL), ("password", PASSWORD)])
        .await
        .leads_to("/account");
    let after = browser.cookie("portcullis").unwrap();
    assert_ne!(before, after);
    browser.get("/account").await.is(200);
    browser.set_cookie("portcullis", &before);
    browser.get("/account").await.is(303);
}

#[tokio::test]
async fn a_planted_session_or_form_value_does_not_outlive_a_login() {
    let site = Site::open().await;
    let browser = Browser::new(&site);
    browser.sign_up(&[]).await;
    let planted = "a".repeat(64);
    browser.set_cookie("portcullis", &planted);
    browser.set_cookie("portcullis-csrf", &planted);
    browser.log_in().await.leads_to("/account");
    assert_ne!(browser.cookie("portcullis").unwrap(), planted);
    assert_ne!(browser.cookie("portcullis-csrf").unwrap(), planted);
}

#[tokio::test]
async fn who_is_logged_in_goes_on_at_once() {
    let site = Site::open().await;
    let browser = Browser::at_home(&site).await;
    browser.get("/login").await.leads_to("/account");
    browser.get("/login?return_to=/docs").await.leads_to("/docs");
    browser.get("/login?pool=Employees").await.is(200);
}

#[tokio::test]
async fn a_refused_sign_up_names_each_fault_and_keeps_what_was_typed() {
    let site = Site::open().await;
    let browser = Browser::new(&site);
    let fields = [
        ("email", "no address"),
        ("phone", "12"),
        ("username", "ann"),
        ("password", PASSWORD),
    ];
    let page = browser.fill("/signup", "/signup", &fields).await.is(422);
    let page = page
        .says("That is not an e-mail address.")
        .says("country code")
        .says("value=\"ann\"")
        .says("value=\"no address\"");
    assert!(!page.text.contains(PASSWORD));
    let short = [("email", EMAIL), ("password", "short")];
    browser
        .fill("/signup", "/signup", &short)
        .await
        .is(422)
        .says("Use at least 8 characters.");
    browser.sign_up(&[]).await.is(303);
    browser
        .sign_up(&[])
        .await
        .is(422)
        .says("There is an account with this e-mail address already.");
}

#[tokio::test]
async fn where_takings_are_hidden_a_taken_address_looks_new() {
    let site = Site::with(|users, _| users.hide_existing = true).await;
    let browser = Browser::new(&site);
    let first = browser.sign_up(&[("phone", "+447700900123")]).await;
    let second = browser.sign_up(&[("phone", "+447700900123")]).await;
    assert_eq!((first.status, first.location()), (303, "/login?created=1"));
    assert_eq!((second.status, second.location()), (303, "/login?created=1"));
    assert_eq!(site.console.text(), "");
}

#[tokio::test]
async fn an_unconfirmed_address_keeps_people_out_until_they_press_the_mailed_button() {
    let site = Site::with(|users, _| users.email_verification_required = true).await;
    let browser = Browser::new(&site);
    browser.sign_up(&[]).await.leads_to("/login?mailed=1");
    let refused = browser
        .log_in()
        .await
        .is(401)
        .says("not confirmed yet")
        .says("Send another link");
    let fields = [("uid", refused.hidden("uid")), ("pool", refused.hidden("pool"))];
    let fields: Vec<_> = fields
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    let first = site.mailbox.of_link("token");
    browser
        .post("/verify/email/resend", &refused.hidden("csrf"), &fields)
        .await
        .is(200)
        .says("a new link is on its way");
    let token = site.mailbox.of_link("token");
    assert_ne!(first, token);
    let link = format!(
        "/verify?pool=Users&uid={}&token={token}",
        site.mailbox.of_link("uid")
    );
    let page = browser.get(&link).await.is(200).says("Confirm my e-mail");
    browser.log_in().await.is(401);
    let fields = [
        ("uid", page.hidden("uid")),
        ("token", page.hidden("token")),
        ("pool", page.hidden("pool")),
    ];
    let fields: Vec<_> = fields
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    browser
        .post("/verify", &page.hidden("csrf"), &fields)
        .await
        .is(200)
        .says("Your e-mail address is confirmed.");
    browser
        .post("/verify", &page.hidden("csrf"), &fields)
        .await
        .is(400)
        .says("does nothing any more");
    browser.log_in().await.leads_to("/account");
}

#[tokio::test]
async fn a_link_sent_again_says_the_same_for_nobody() {
    let site = Site::open().await;
    let browser = Browser::new(&site);
    let csrf = browser.get("/login").await.hidden("csrf");
    browser
        .post("/verify/email/resend", &csrf, &[("uid", "nobody")])
        .await
        .is(200)
        .says("a new link is on its way");
    assert_eq!(site.mailbox.text(), "");
}

#[tokio::test]
async fn pools_are_named_in_any_case_and_unknown_ones_are_not_there() {
    let site = Site::open().await;
    let browser = Browser::new(&site);
    browser
        .get("/login?pool=employees")
        .await
        .is(200)
        .says("Employees");
    for page in ["/login", "/signup", "/reset"] {
        browser.get(&format!("{page}?pool=Strangers")).await.is(404);
    }
}

#[tokio::test]
async fn pools_with_realms_ask_for_one() {
    let site = Site::with(|users, _| users.realm_required = true).await;
    let browser = Browser::new(&site);
    browser.sign_up(&[]).await.is(422).says("Enter your realm.");
    browser
        .sign_up(&[("realm", "north")])
        .await
        .leads_to("/login?created=1");
    browser.log_in().await.is(400).says("Enter your realm.");
    let fields = [("identifier", EMAIL), ("password", PASSWORD), ("realm", "north")];
    browser
        .fill("/login", "/login", &fields)
        .await
        .leads_to("/account");
}
