//! Local entries: name and password on their own path, under their own names.

use serde_json::{Value, json};

use crate::browser::Browser;
use crate::site::{EMAIL, PASSWORD, Site};

async fn post(site: &Site, path: &str, body: Value) -> crate::site::Answer {
    Site::answer(site.ask_site("POST", path).json(&body)).await
}

#[tokio::test]
async fn a_form_or_json_logs_in_under_the_entrys_own_field_names() {
    let site = Site::open().await;
    site.sign_up("Users", EMAIL).await;
    let form = site
        .ask_site("POST", "/auth/local")
        .form(&[("login", EMAIL), ("pass", PASSWORD)]);
    let answer = Site::answer(form).await;
    assert_eq!((answer.status, answer.header("location")), (302, "/auth/account"));
    assert!(
        answer.header("set-cookie").starts_with("portcullis="),
        "{answer:?}"
    );
    let asked = json!({"login": EMAIL, "pass": PASSWORD});
    let answer = post(&site, "/auth/local?returnTo=/shop", asked.clone()).await;
    assert_eq!((answer.status, answer.header("location")), (302, "/shop"));
    let answer = post(&site, "/auth/token", asked).await.ok();
    let me = site
        .get("/Users/me", answer.body["access_token"].as_str().unwrap())
        .await
        .ok();
    assert_eq!(me.body["id"], answer.body["userId"]);
}

#[tokio::test]
async fn whatever_is_wrong_is_the_same_failure() {
    let site = Site::open().await;
    site.sign_up("Users", EMAIL).await;
    for wrong in [
        json!({"login": EMAIL, "pass": "not the password"}),
        json!({"login": "nobody@example.com", "pass": PASSWORD}),
        json!({"login": EMAIL}),
    ] {
        post(&site, "/auth/token", wrong.clone())
            .await
            .is(401, "LOGIN_FAILED");
        let answer = post(&site, "/auth/local", wrong).await;
        assert_eq!((answer.status, answer.header("location")), (302, "/login.html"));
    }
    post(&site, "/auth/token", json!({"pass": PASSWORD}))
        .await
        .is(400, "USERNAME_EMAIL_REQUIRED");
    post(
        &site,
        "/auth/token",
        json!({"login": {"inq": [EMAIL]}, "pass": PASSWORD}),
    )
    .await
    .is(400, "");
}

#[tokio::test]
async fn se_08_no_other_site_logs_anybody_in() {
    let site = Site::open().await;
    site.sign_up("Users", EMAIL).await;
    let body = format!("login={EMAIL}&pass={}", PASSWORD.replace(' ', "+"));
    let post = |kind: &str| {
        site.ask_site("POST", "/auth/local")
            .header("content-type", kind)
            .body(body.clone())
    };
    let form = "application/x-www-form-urlencoded";
    for (request, status) in [
        (post(form).header("origin", "https://evil.example"), 403),
        (post(form).header("sec-fetch-site", "cross-site"), 403),
        (post("text/plain"), 415),
        (post("multipart/form-data; boundary=x"), 415),
        (post(form).header("origin", "http://localhost:3000"), 302),
    ] {
        let answer = Site::answer(request).await;
        assert_eq!(answer.status, status, "{}", answer.text);
        assert_eq!(answer.header("set-cookie").is_empty(), status != 302);
    }
}

#[tokio::test]
async fn people_who_open_the_path_find_the_login_page_and_programs_nothing() {
    let site = Site::open().await;
    let page = Browser::new(&site).get("/auth/local?returnTo=/shop").await;
    page.leads_to("/login?return_to=%2Fshop");
    assert_eq!(
        Site::answer(site.ask_site("GET", "/auth/local")).await.status,
        404
    );
    let answer = Site::answer(
        site.ask_site("POST", "/auth/local?returnTo=//evil.example")
            .json(&json!({})),
    )
    .await;
    answer.is(400, "RETURN_NOT_ALLOWED");
}
