//! `POST /Users/change-password`, `/reset` and `/reset-password`.

use std::time::Duration;

use serde_json::json;

use crate::site::{Answer, EMAIL, PASSWORD, Site};

const NEW: &str = "another good one";

async fn change(site: &Site, token: &str, old: &str, new: &str) -> Answer {
    let body = json!({"oldPassword": old, "newPassword": new});
    site.call("POST", "/Users/change-password", token, body).await
}

async fn reset(site: &Site, token: &str) -> Answer {
    site.call(
        "POST",
        "/Users/reset-password",
        token,
        json!({"newPassword": NEW}),
    )
    .await
}

#[tokio::test]
async fn a_changed_password_ends_the_other_sessions() {
    let site = Site::open().await;
    let (path, _, token) = site.ann().await;
    let other = site.log_in("Users", EMAIL).await;
    change(&site, &token, PASSWORD, NEW).await.void();
    site.get(&path, &token).await.ok();
    site.get(&path, &other).await.is(401, "AUTHORIZATION_REQUIRED");
    site.post("/Users/login", json!({"email": EMAIL, "password": PASSWORD}))
        .await
        .is(401, "LOGIN_FAILED");
    let form = site
        .ask("POST", "/Users/change-password")
        .header("authorization", &token);
    Site::answer(form.form(&[("oldPassword", NEW), ("newPassword", PASSWORD)]))
        .await
        .void();
    site.log_in("Users", EMAIL).await;
}

#[tokio::test]
async fn a_change_needs_a_session_both_passwords_and_the_right_one() {
    let site = Site::open().await;
    let (_, _, token) = site.ann().await;
    change(&site, "", PASSWORD, NEW)
        .await
        .is(401, "AUTHORIZATION_REQUIRED");
    let wrong = change(&site, &token, "wrong password", NEW)
        .await
        .is(400, "INVALID_PASSWORD");
    assert_eq!(wrong.message(), "Invalid current password");
    change(&site, &token, PASSWORD, "short")
        .await
        .is(422, "INVALID_PASSWORD");
    for (body, missing) in [
        (json!({}), "oldPassword"),
        (json!({"oldPassword": "", "newPassword": NEW}), "oldPassword"),
        (json!({"oldPassword": PASSWORD}), "newPassword"),
        (json!({"oldPassword": PASSWORD, "newPassword": ""}), "newPassword"),
        (
            json!({"oldPassword": PASSWORD, "newPassword": null}),
            "newPassword",
        ),
    ] {
        let refused = site
            .call("POST", "/Users/change-password", &token, body)
            .await
            .is(400, "");
        assert_eq!(refused.message(), format!("{missing} is a required argument"));
    }
    for odd in [json!(12_345_678), json!([NEW]), json!({"neq": ""}), json!(true)] {
        let body = json!({"oldPassword": PASSWORD, "newPassword": odd});
        site.call("POST", "/Users/change-password", &token, body)
            .await
            .is(400, "");
    }
    site.log_in("Users", EMAIL).await;
}

#[tokio::test]
async fn of_racing_changes_one_wins() {
    let site = Site::open().await;
    let (_, _, token) = site.ann().await;
    let news: Vec<String> = (0..6).map(|n| format!("{NEW} {n}")).collect();
    let answers =
        futures_util::future::join_all(news.iter().map(|new| change(&site, &token, PASSWORD, new))).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 204).count(), 1);
    let mut open = 0;
    for new in news {
        open += usize::from(
            site.post("/Users/login", json!({"email": EMAIL, "password": new}))
                .await
                .status
                == 200,
        );
    }
    assert_eq!(open, 1);
}

#[tokio::test]
async fn a_reset_request_tells_nobody_who_is_there() {
    let site = Site::open().await;
    site.sign_up("Users", EMAIL).await;
    let known = site.post("/Users/reset", json!({"email": EMAIL})).await.void();
    let unknown = site
        .post("/Users/reset", json!({"email": "nobody@example.com"}))
        .await
        .void();
    site.post("/Users/reset", json!({"email": "no address"}))
        .await
        .void();
    let names = |answer: &Answer| answer.headers.keys().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(names(&known), names(&unknown));
    assert_eq!(site.mailbox.text().matches("Subject: ").count(), 1);
}

#[tokio::test]
async fn a_reset_request_takes_one_address() {
    let site = Site::open().await;
    site.sign_up("Users", EMAIL).await;
    for none in [json!({}), json!({"email": null}), json!({"email": ""})] {
        let refused = site.post("/Users/reset", none).await.is(400, "EMAIL_REQUIRED");
        assert_eq!(refused.message(), "Email is required");
    }
    for odd in [
        json!({"neq": ""}),
        json!([EMAIL, "evil@example.com"]),
        json!(1),
        json!(true),
    ] {
        site.post("/Users/reset", json!({ "email": odd }))
            .await
            .is(400, "INVALID_EMAIL");
    }
    site.post(
        "/Users/reset",
        json!({"email": format!("{EMAIL},evil@example.com")}),
    )
    .await
    .void();
    site.post(
        "/Users/reset",
        json!({"email": format!("{EMAIL}\r\nCc: evil@example.com")}),
    )
    .await
    .void();
    assert_eq!(site.mailbox.text(), "");
}

#[tokio::test]
async fn a_reset_token_sets_a_password_once_and_opens_nothing_else() {
    let site = Site::open().await;
    let (path, _, session) = site.ann().await;
    site.post("/Users/reset", json!({"email": EMAIL})).await.void();
    let token = site.mailbox.of_link("token");
    site.get(&path, &token).await.is(401, "AUTHORIZATION_REQUIRED");
    // A weak choice does not spend the token.
    let weak = site
        .call(
            "POST",
            "/Users/reset-password",
            &token,
            json!({"newPassword": "short"}),
        )
        .await;
    weak.is(422, "INVALID_PASSWORD");
    reset(&site, &format!("Bearer {token}")).await.void();
    reset(&site, &token).await.is(401, "AUTHORIZATION_REQUIRED");
    site.get(&path, &session).await.is(401, "AUTHORIZATION_REQUIRED");
    site.post("/Users/login", json!({"email": EMAIL, "password": PASSWORD}))
        .await
        .is(401, "LOGIN_FAILED");
    site.post("/Users/login", json!({"email": EMAIL, "password": NEW}))
        .await
        .ok();
}

#[tokio::test]
async fn nothing_but_a_live_reset_token_of_the_pool_resets() {
    let site = Site::open().await;
    let (_, _, session) = site.ann().await;
    let reset = |path: &str, token: &str| {
        let request = site.ask("POST", path).json(&json!({"newPassword": NEW}));
        Site::answer(if token.is_empty() {
            request
        } else {
            request.header("authorization", token)
        })
    };
    for token in [session.as_str(), "", "null", "0", "%00"] {
        reset("/Users/reset-password", token)
            .await
            .is(401, "AUTHORIZATION_REQUIRED");
    }
    site.post("/Users/reset", json!({"email": EMAIL})).await.void();
    let token = site.mailbox.of_link("token");
    reset("/Employees/reset-password", &token)
        .await
        .is(401, "AUTHORIZATION_REQUIRED");
    for missing in [json!({}), json!({"newPassword": ""})] {
        let refused = site
            .call("POST", "/Users/reset-password", &token, missing)
            .await
            .is(400, "");
        assert_eq!(refused.message(), "newPassword is a required argument");
    }
    site.later(Duration::from_mins(15));
    reset("/Users/reset-password", &token)
        .await
        .is(401, "AUTHORIZATION_REQUIRED");
    site.log_in("Users", EMAIL).await;
}

#[tokio::test]
async fn after_a_reset_the_second_factor_is_still_asked_for() {
    let site = Site::open().await;
    site.sign_up("Employees", EMAIL).await;
    site.post("/Employees/reset", json!({"email": EMAIL}))
        .await
        .void();
    let token = site.mailbox.of_link("token");
    site.call(
        "POST",
        "/Employees/reset-password",
        &token,
        json!({"newPassword": NEW}),
    )
    .await
    .void();
    site.post("/Employees/login", json!({"email": EMAIL, "password": NEW}))
        .await
        .is(401, "SECOND_FACTOR_REQUIRED");
}
