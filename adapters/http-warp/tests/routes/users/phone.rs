//! `POST /Users/{id}/phone/send-code` and `/phone/confirm`.

use serde_json::json;

use crate::site::{EMAIL, PASSWORD, Site};

#[tokio::test]
async fn a_confirmed_number_is_a_second_factor() {
    let site = Site::open().await;
    let (path, _, token) = site.ann().await;
    let none = site
        .call("POST", &format!("{path}/phone/send-code"), &token, json!({}))
        .await;
    none.is(422, "PHONE_REQUIRED");
    let patched = site
        .call("PATCH", &path, &token, json!({"mobile": "+49 170 1234567"}))
        .await
        .ok();
    assert_eq!(
        (&patched.body["phone"], &patched.body["phoneConfirmed"]),
        (&json!("+491701234567"), &json!(false))
    );
    site.log_in("Users", EMAIL).await;
    let sent = site
        .call("POST", &format!("{path}/phone/send-code"), &token, json!({}))
        .await
        .ok();
    assert_eq!(sent.body, json!({"timestamp": 1_795_287_972_795_u64}));
    let code = site.console.code();
    for bad in [json!("12345"), json!(null), json!("")] {
        let refused = site
            .call(
                "POST",
                &format!("{path}/phone/confirm"),
                &token,
                json!({ "code": bad }),
            )
            .await;
        refused.is(400, "INVALID_TOKEN");
    }
    let odd = site
        .call(
            "POST",
            &format!("{path}/phone/confirm"),
            &token,
            json!({"code": [code]}),
        )
        .await;
    odd.is(400, "");
    let confirmed = site
        .call(
            "POST",
            &format!("{path}/phone/confirm"),
            &token,
            json!({ "code": code }),
        )
        .await
        .ok();
    assert_eq!(confirmed.body["phoneConfirmed"], true);
    let login = site
        .post("/Users/login", json!({"email": EMAIL, "password": PASSWORD}))
        .await;
    login.is(401, "SECOND_FACTOR_REQUIRED");
}

#[tokio::test]
async fn a_number_is_its_owners_to_confirm() {
    let site = Site::open().await;
    let (path, _, _) = site.ann().await;
    site.sign_up("Users", "bob@example.com").await;
    let bob = site.log_in("Users", "bob@example.com").await;
    for call in ["send-code", "confirm"] {
        for token in [bob.as_str(), ""] {
            let refused = site
                .call(
                    "POST",
                    &format!("{path}/phone/{call}"),
                    token,
                    json!({"code": "123456"}),
                )
                .await;
            refused.is(401, "AUTHORIZATION_REQUIRED");
        }
    }
}

#[tokio::test]
async fn what_is_no_number_is_refused() {
    let site = Site::open().await;
    let (path, _, token) = site.ann().await;
    for bad in ["0170 1234567", "+12345", "call me"] {
        let refused = site
            .call("PATCH", &path, &token, json!({ "phone": bad }))
            .await
            .is(422, "");
        assert_eq!(
            refused.body["error"]["details"]["codes"],
            json!({"phone": ["custom.phone"]})
        );
    }
}
