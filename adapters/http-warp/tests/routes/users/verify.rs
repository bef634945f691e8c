//! `POST /Users/{id}/verify` and `GET /Users/confirm`.

use serde_json::json;

use crate::site::{Answer, EMAIL, Site};

async fn confirm(site: &Site, query: &str) -> Answer {
    Site::answer(site.ask("GET", &format!("/Users/confirm?{query}"))).await
}

/// Ann, with a verification mail on its way: her id and the mail's token.
async fn mailed(site: &Site) -> (String, String) {
    let id = site.sign_up("Users", EMAIL).await;
    site.post(&format!("/Users/{id}/verify"), json!({})).await.void();
    (id, site.mailbox.of_link("token"))
}

async fn is_verified(site: &Site) -> bool {
    let token = site.log_in("Users", EMAIL).await;
    site.get("/Users/me", &token).await.ok().body["emailVerified"] == true
}

#[tokio::test]
async fn a_mailed_token_verifies_once() {
    let site = Site::open().await;
    let (id, token) = mailed(&site).await;
    confirm(&site, &format!("uid={id}&token={token}")).await.void();
    assert!(is_verified(&site).await);
    let again = confirm(&site, &format!("uid={id}&token={token}"))
        .await
        .is(400, "INVALID_TOKEN");
    assert!(!again.text.contains(&token));
}

#[tokio::test]
async fn verify_answers_alike_for_everybody() {
    let site = Site::open().await;
    let id = site.sign_up("Users", EMAIL).await;
    for id in [id.as_str(), "nobody", "7", "%00"] {
        site.post(&format!("/Users/{id}/verify"), json!({})).await.void();
    }
    assert_eq!(site.mailbox.text().matches("Subject: ").count(), 1);
    for _ in 0..5 {
        site.post(&format!("/Users/{id}/verify"), json!({})).await.void();
    }
    assert!(site.mailbox.text().matches("Subject: ").count() <= 3);
}

#[tokio::test]
async fn what_is_missing_doubled_or_wrong_verifies_nothing() {
    let site = Site::open().await;
    let (id, token) = mailed(&site).await;
    for (query, missing) in [
        (String::new(), "uid"),
        (format!("token={token}"), "uid"),
        (format!("uid=&token={token}"), "uid"),
        (format!("uid={id}&uid={id}&token={token}"), "uid"),
        (format!("uid[neq]=x&token={token}"), "uid"),
        (format!("uid={id}"), "token"),
        (format!("uid={id}&token="), "token"),
        (format!("uid={id}&token[neq]=x"), "token"),
    ] {
        let refused = confirm(&site, &query).await.is(400, "");
        assert_eq!(
            refused.message(),
            format!("{missing} is a required argument"),
            "{query}"
        );
    }
    for query in [
        format!("uid={id}&token=null"),
        format!("uid=other&token={token}"),
        "uid=99&token=x".to_owned(),
    ] {
        confirm(&site, &query).await.is(400, "INVALID_TOKEN");
    }
    let other_pool = site.ask("GET", &format!("/Employees/confirm?uid={id}&token={token}"));
    Site::answer(other_pool).await.is(400, "INVALID_TOKEN");
    assert!(!is_verified(&site).await);
}

#[tokio::test]
async fn a_head_request_verifies_nothing() {
    let site = Site::open().await;
    let (id, token) = mailed(&site).await;
    let query = format!("/Users/confirm?uid={id}&token={token}");
    assert!(Site::answer(site.ask("HEAD", &query)).await.status >= 400);
    assert!(!is_verified(&site).await);
    Site::answer(site.ask("GET", &query)).await.void();
}

#[tokio::test]
async fn a_redirect_stays_where_it_is_allowed() {
    for good in [
        "/",
        "/welcome?a=b",
        "http://localhost:3000/done",
        "https://app.example.org/x",
    ] {
        let site = Site::open().await;
        let (id, token) = mailed(&site).await;
        let encoded: String = form(&[("redirect", good)]);
        let answer = confirm(&site, &format!("uid={id}&token={token}&{encoded}")).await;
        assert_eq!((answer.status, answer.header("location")), (302, good));
    }
}

#[tokio::test]
async fn a_redirect_elsewhere_is_refused_before_the_token_is_used() {
    let site = Site::open().await;
    let (id, token) = mailed(&site).await;
    for bad in [
        "//x.example",
        "////x.example",
        "/\\x.example",
        "javascript:alert(1)",
        "https://x.example/",
        "/\n/x.example",
        "x",
    ] {
        let answer = confirm(
            &site,
            &format!("uid={id}&token={token}&{}", form(&[("redirect", bad)])),
        )
        .await;
        assert_eq!((answer.status, answer.header("location")), (400, ""), "{bad}");
    }
    confirm(&site, &format!("uid={id}&token={token}&redirect=/&redirect=/"))
        .await
        .is(400, "");
    confirm(&site, &format!("uid={id}&token={token}&redirect="))
        .await
        .void();
}

#[tokio::test]
async fn a_pool_that_needs_verified_addresses_mails_at_sign_up() {
    let site = Site::with(|users, _| users.email_verification_required = true).await;
    let id = site.sign_up("Users", EMAIL).await;
    let token = site.mailbox.of_link("token");
    assert!(site.mailbox.text().contains("Subject: Thanks for Registering"));
    assert_eq!(site.mailbox.of_link("uid"), id);
    confirm(&site, &format!("uid={id}&token={token}")).await.void();
    // A new address is unverified, and the token of the old one does not prove it.
    let session = site.log_in("Users", EMAIL).await;
    let patched = site
        .call(
            "PATCH",
            &format!("/Users/{id}"),
            &session,
            json!({"email": "new@example.com"}),
        )
        .await
        .ok();
    assert_eq!(patched.body["emailVerified"], false);
    confirm(&site, &format!("uid={id}&token={token}"))
        .await
        .is(400, "INVALID_TOKEN");
}

fn form(pairs: &[(&str, &str)]) -> String {
    let url = reqwest::Url::parse_with_params("http://localhost/", pairs).unwrap();
    url.query().unwrap().to_owned()
}
