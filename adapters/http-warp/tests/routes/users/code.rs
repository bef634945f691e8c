//! `POST /Employees/requestCode` and `/loginWithCode`: the two-factor article's calls, and its holes closed.

use std::time::Duration;

use domain::policy::SecondFactor;
use serde_json::{Value, json};

use crate::site::{Answer, EMAIL, PASSWORD, Site};

async fn request(site: &Site) -> Answer {
    site.post(
        "/Employees/requestCode",
        json!({"email": EMAIL, "password": PASSWORD}),
    )
    .await
    .ok()
}

async fn login(site: &Site, twofactor: impl Into<Value>) -> Answer {
    let body = json!({"email": EMAIL, "twofactor": twofactor.into()});
    site.post("/Employees/loginWithCode", body).await
}

/// A code that is surely not the one on the console.
fn wrong(site: &Site) -> String {
    if site.console.code() == "000000" {
        "000001".to_owned()
    } else {
        "000000".to_owned()
    }
}

async fn with_ann() -> Site {
    let site = Site::open().await;
    site.sign_up("Employees", EMAIL).await;
    site
}

#[tokio::test]
async fn the_articles_sequence_works() {
    let site = with_ann().await;
    let requested = request(&site).await;
    assert_eq!(requested.body["timestamp"], 1_795_287_972_795_u64);
    assert_eq!(requested.body["challenge"].as_str().map(str::len), Some(64));
    let code = site.console.code();
    assert_eq!(
        site.console.text(),
        format!("Two factor code for {EMAIL}: {code}\n")
    );
    assert!(code.len() == 6 && !requested.text.contains(&code));
    let token = login(&site, code).await.ok();
    assert_eq!(token.body["ttl"], 86_400);
    assert_eq!(token.body["user"]["email"], EMAIL);
    assert_eq!(token.body["userId"], token.body["user"]["id"]);
    let path = format!("/Employees/{}", token.body["userId"].as_str().unwrap());
    site.get(&path, token.body["id"].as_str().unwrap()).await.ok();
}

#[tokio::test]
async fn a_code_may_come_as_number_or_under_its_short_name_with_its_challenge() {
    let site = with_ann().await;
    request(&site).await;
    let number: u64 = site.console.code().parse().unwrap();
    login(&site, number).await.ok();
    let challenge = request(&site).await.body["challenge"].clone();
    let body = json!({"code": site.console.code(), "challenge": challenge});
    // With its challenge a code is good from anywhere.
    site.post_from("192.0.2.1", "/Employees/loginWithCode", body)
        .await
        .ok();
}

#[tokio::test]
async fn a_code_without_the_password_step_opens_nothing() {
    let site = with_ann().await;
    site.sign_up("Employees", "bob@example.com").await;
    login(&site, "123456").await.is(401, "LOGIN_FAILED");
    site.post(
        "/Employees/requestCode",
        json!({"email": "bob@example.com", "password": PASSWORD}),
    )
    .await
    .ok();
    // Bob's code is not Ann's.
    login(&site, site.console.code()).await.is(401, "LOGIN_FAILED");
}

#[tokio::test]
async fn a_query_object_is_refused_in_both_steps() {
    let site = with_ann().await;
    request(&site).await;
    let (code, sent) = (site.console.code(), site.console.text());
    for odd in [
        json!({"inq": [EMAIL]}),
        json!({"neq": "x"}),
        json!([EMAIL]),
        json!(1),
    ] {
        let body = json!({"email": odd, "password": PASSWORD, "twofactor": code});
        site.post("/Employees/requestCode", body.clone())
            .await
            .is(400, "INVALID_EMAIL");
        site.post("/Employees/loginWithCode", body)
            .await
            .is(400, "INVALID_EMAIL");
        let body = json!({"username": odd, "password": PASSWORD, "twofactor": code});
        site.post("/Employees/requestCode", body.clone())
            .await
            .is(400, "INVALID_USERNAME");
        site.post("/Employees/loginWithCode", body)
            .await
            .is(400, "INVALID_USERNAME");
        let body = json!({"email": EMAIL, "twofactor": code, "challenge": odd});
        site.post("/Employees/loginWithCode", body).await.is(400, "");
    }
    assert_eq!(site.console.text(), sent);
    login(&site, code).await.ok();
}

#[tokio::test]
async fn without_the_right_password_no_code_goes_out() {
    let site = with_ann().await;
    let refused = [
        (json!({"email": EMAIL, "password": "wrong password"}), 401),
        (json!({"email": EMAIL, "password": ""}), 401),
        (json!({"email": EMAIL, "password": null}), 401),
        (json!({"email": EMAIL}), 401),
        (json!({"email": "nobody@example.com", "password": PASSWORD}), 401),
        (json!({"email": EMAIL, "password": [PASSWORD]}), 400),
        (json!({"email": EMAIL, "password": {"neq": ""}}), 400),
        (json!({"password": PASSWORD}), 400),
    ];
    for (body, status) in refused {
        let answer = site.post("/Employees/requestCode", body).await;
        assert_eq!(answer.status, status, "{}", answer.text);
        if status == 401 {
            assert_eq!(
                (answer.code(), answer.message()),
                ("LOGIN_FAILED", "login failed")
            );
        }
    }
    assert_eq!(site.console.text(), "");
}

#[tokio::test]
async fn a_spent_code_never_works_again_in_any_spelling() {
    let site = with_ann().await;
    request(&site).await;
    let code = site.console.code();
    login(&site, code.clone()).await.ok();
    let number: u64 = code.parse().unwrap();
    for again in [
        json!(code),
        json!(number),
        json!(format!("{code}\n")),
        json!(format!(" {code}")),
    ] {
        login(&site, again).await.is(401, "LOGIN_FAILED");
    }
}

#[tokio::test]
async fn one_code_opens_one_session_however_many_race() {
    let site = with_ann().await;
    request(&site).await;
    let code = site.console.code();
    let answers = futures_util::future::join_all((0..5).map(|_| login(&site, code.clone()))).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
}

#[tokio::test]
async fn five_wrong_tries_void_a_code() {
    let site = with_ann().await;
    request(&site).await;
    for _ in 0..5 {
        login(&site, wrong(&site)).await.is(401, "LOGIN_FAILED");
    }
    login(&site, site.console.code()).await.is(401, "LOGIN_FAILED");
    request(&site).await;
    login(&site, site.console.code()).await.ok();
}

#[tokio::test]
async fn a_code_dies_after_a_minute_and_when_a_newer_one_was_sent() {
    let site = with_ann().await;
    request(&site).await;
    site.later(Duration::from_mins(1));
    login(&site, site.console.code()).await.is(401, "LOGIN_FAILED");
    request(&site).await;
    let older = site.console.code();
    request(&site).await;
    let newer = site.console.code();
    if older != newer {
        login(&site, older).await.is(401, "LOGIN_FAILED");
    }
    login(&site, newer).await.ok();
}

#[tokio::test]
async fn a_stranger_elsewhere_can_neither_guess_nor_burn_the_code() {
    let site = with_ann().await;
    request(&site).await;
    let code = site.console.code();
    let body = json!({"email": EMAIL, "twofactor": code});
    site.post_from("192.0.2.1", "/Employees/loginWithCode", body)
        .await
        .is(401, "LOGIN_FAILED");
    for _ in 0..8 {
        let body = json!({"email": EMAIL, "twofactor": wrong(&site)});
        site.post_from("192.0.2.1", "/Employees/loginWithCode", body)
            .await
            .is(401, "LOGIN_FAILED");
    }
    login(&site, code).await.ok();
}

#[tokio::test]
async fn an_unknown_address_hears_what_a_wrong_code_hears() {
    let site = with_ann().await;
    let known = login(&site, "123456").await;
    let body = json!({"email": "nobody@example.com", "twofactor": "123456"});
    let unknown = site.post("/Employees/loginWithCode", body).await;
    assert_eq!((known.status, known.body), (unknown.status, unknown.body));
}

#[tokio::test]
async fn odd_codes_are_refused_and_a_name_is_needed() {
    let site = with_ann().await;
    request(&site).await;
    for (odd, status) in [
        (json!(null), 401),
        (json!(""), 401),
        (json!("1".repeat(5_000)), 401),
        (json!("１２３４５６"), 401),
        (json!(-1), 401),
    ] {
        assert_eq!(login(&site, odd).await.status, status);
    }
    for odd in [json!([1]), json!({"neq": ""}), json!(true)] {
        login(&site, odd).await.is(400, "");
    }
    let nameless = site
        .post("/Employees/loginWithCode", json!({"twofactor": "123456"}))
        .await;
    nameless.is(400, "USERNAME_EMAIL_REQUIRED");
}

#[tokio::test]
async fn code_requests_are_few() {
    let site = with_ann().await;
    for _ in 0..5 {
        request(&site).await;
    }
    let limited = site
        .post(
            "/Employees/requestCode",
            json!({"email": EMAIL, "password": PASSWORD}),
        )
        .await;
    limited.is(429, "TOO_MANY_REQUESTS");
    assert_eq!(site.console.text().lines().count(), 5);
}

#[tokio::test]
async fn a_pool_without_a_second_factor_has_no_such_calls() {
    let site = Site::with(|users, _| users.second_factor = SecondFactor::Off).await;
    for call in ["requestCode", "loginWithCode"] {
        site.post(&format!("/Users/{call}"), json!({})).await.is(404, "");
    }
}
