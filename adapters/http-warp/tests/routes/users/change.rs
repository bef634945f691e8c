//! `PATCH`, `PUT` and `DELETE /Users/{id}`, `POST /Users/{id}/replace`.

use std::time::Duration;

use serde_json::json;

use crate::site::{EMAIL, PASSWORD, Site};

const STALE_LOGIN: Duration = Duration::from_secs(301);

#[tokio::test]
async fn a_patch_changes_what_it_names_and_answers_with_the_whole_user() {
    let site = Site::open().await;
    let (path, id, token) = site.ann().await;
    let patched = site
        .call(
            "PATCH",
            &path,
            &token,
            json!({"username": "ann", "colour": "red", "size": 4}),
        )
        .await
        .ok();
    let expected = json!({
        "id": id, "email": EMAIL, "emailVerified": false, "username": "ann", "colour": "red", "size": 4,
    });
    assert_eq!(patched.body, expected);
    let patched = site
        .call("PATCH", "/users/ME/", &token, json!({"colour": null}))
        .await;
    assert_eq!(patched.status, 401, "me is one spelling");
    let patched = site
        .call(
            "PATCH",
            "/Users/me",
            &token,
            json!({"colour": null, "username": null}),
        )
        .await
        .ok();
    assert_eq!(
        patched.body,
        json!({"id": id, "email": EMAIL, "emailVerified": false, "size": 4})
    );
    assert_eq!(site.get(&path, &token).await.body, patched.body);
}

#[tokio::test]
async fn what_is_ours_cannot_be_patched() {
    let site = Site::open().await;
    let (path, id, token) = site.ann().await;
    let sent = json!({
        "id": id, "emailVerified": true, "verificationToken": "x", "realm": "north", "roles": ["admin"], "phoneConfirmed": true,
        "created": "1970", "__proto__": {"x": 1},
    });
    let patched = site.call("PATCH", &path, &token, sent).await.ok();
    assert_eq!(
        patched.body,
        json!({"id": id, "email": EMAIL, "emailVerified": false})
    );
}

#[tokio::test]
async fn an_id_cannot_be_changed() {
    let site = Site::open().await;
    let (path, id, token) = site.ann().await;
    for (method, path) in [
        ("PATCH", path.clone()),
        ("PUT", path.clone()),
        ("POST", format!("{path}/replace")),
    ] {
        let refused = site
            .call(
                method,
                &path,
                &token,
                json!({"id": 999, "email": EMAIL, "password": PASSWORD}),
            )
            .await;
        let sentence = format!("id cannot be updated from {id} to 999 when forceId is set to true");
        assert_eq!(refused.is(400, "").message(), sentence);
    }
}

#[tokio::test]
async fn known_properties_are_text_or_nothing() {
    let site = Site::open().await;
    let (path, _, token) = site.ann().await;
    for odd in [json!(1), json!(true), json!([EMAIL]), json!({"neq": ""})] {
        for name in ["email", "username", "phone", "mobile", "realm", "currentPassword"] {
            for method in ["PATCH", "PUT"] {
                let mut sent = json!({"email": EMAIL, "password": PASSWORD});
                sent[name] = odd.clone();
                let refused = site.call(method, &path, &token, sent).await;
                assert_eq!(
                    (refused.status, refused.message()),
                    (400, format!("{name} must be a string").as_str())
                );
            }
        }
        site.call("PATCH", &path, &token, json!({"password": odd}))
            .await
            .is(422, "INVALID_PASSWORD");
    }
    site.call("PATCH", &path, &token, json!([{"a": 1}]))
        .await
        .is(400, "");
    site.get(&path, &token).await.ok();
}

#[tokio::test]
async fn a_new_address_needs_a_proof_and_ends_other_sessions() {
    let site = Site::open().await;
    let (path, _, token) = site.ann().await;
    let other = site.log_in("Users", EMAIL).await;
    site.later(STALE_LOGIN);
    let new = "new@example.com";
    site.call("PATCH", &path, &token, json!({"email": new}))
        .await
        .is(401, "FRESH_LOGIN_REQUIRED");
    let wrong = json!({"email": new, "currentPassword": "wrong password"});
    site.call("PATCH", &path, &token, wrong)
        .await
        .is(400, "INVALID_PASSWORD");
    site.get(&path, &other).await.ok();
    let patched = site
        .call(
            "PATCH",
            &path,
            &token,
            json!({"email": new, "currentPassword": PASSWORD}),
        )
        .await
        .ok();
    assert_eq!(patched.body["email"], new);
    assert_eq!(patched.body.get("currentPassword"), None);
    site.get(&path, &token).await.ok();
    site.get(&path, &other).await.is(401, "AUTHORIZATION_REQUIRED");
    // A login a moment ago is a proof too.
    let fresh = site.log_in("Users", new).await;
    site.call("PATCH", &path, &fresh, json!({"email": EMAIL}))
        .await
        .ok();
}

#[tokio::test]
async fn somebody_elses_address_cannot_be_taken() {
    let site = Site::open().await;
    let (path, _, token) = site.ann().await;
    site.sign_up("Users", "bob@example.com").await;
    for taken in ["bob@example.com", "BOB@Example.com"] {
        let refused = site
            .call("PATCH", &path, &token, json!({"email": taken}))
            .await
            .is(422, "");
        assert_eq!(
            refused.body["error"]["details"]["codes"],
            json!({"email": ["uniqueness"]})
        );
    }
    let blank = site
        .call("PATCH", &path, &token, json!({"email": null}))
        .await
        .is(422, "");
    assert_eq!(
        blank.body["error"]["details"]["codes"],
        json!({"email": ["presence"]})
    );
    site.log_in("Users", "bob@example.com").await;
    site.log_in("Users", EMAIL).await;
}

#[tokio::test]
async fn a_stolen_session_cannot_set_a_password() {
    let site = Site::open().await;
    let (path, _, token) = site.ann().await;
    let new = "another good one";
    site.call("PATCH", &path, &token, json!({"password": new}))
        .await
        .is(401, "PASSWORD_CHANGE_NOT_ALLOWED");
    let wrong = json!({"password": new, "currentPassword": "wrong password"});
    site.call("PATCH", &path, &token, wrong)
        .await
        .is(400, "INVALID_PASSWORD");
    let weak = json!({"password": "short", "currentPassword": PASSWORD});
    site.call("PATCH", &path, &token, weak)
        .await
        .is(422, "INVALID_PASSWORD");
    site.log_in("Users", EMAIL).await;
    site.call(
        "PATCH",
        &path,
        &token,
        json!({"password": new, "currentPassword": PASSWORD}),
    )
    .await
    .ok();
    site.post("/Users/login", json!({"email": EMAIL, "password": PASSWORD}))
        .await
        .is(401, "LOGIN_FAILED");
    site.post("/Users/login", json!({"email": EMAIL, "password": new}))
        .await
        .ok();
}

#[tokio::test]
async fn a_replacement_needs_everything_and_what_is_missing_vanishes() {
    let site = Site::open().await;
    let (path, id, token) = site.ann().await;
    site.call(
        "PATCH",
        &path,
        &token,
        json!({"username": "ann", "colour": "red"}),
    )
    .await
    .ok();
    let refused = site
        .call("PUT", &path, &token, json!({"colour": "blue"}))
        .await
        .is(422, "");
    let codes = &refused.body["error"]["details"]["codes"];
    assert_eq!(codes, &json!({"email": ["presence"], "password": ["presence"]}));
    let whole = json!({"email": EMAIL, "password": PASSWORD, "size": 4});
    let replaced = site.call("PUT", &path, &token, whole.clone()).await.ok();
    let expected = json!({"id": id, "email": EMAIL, "emailVerified": false, "size": 4});
    assert_eq!(replaced.body, expected);
    let replaced = site
        .call("POST", &format!("{path}/replace"), &token, whole)
        .await
        .ok();
    assert_eq!(replaced.body, expected);
    let other = json!({"email": EMAIL, "password": "another good one"});
    site.call("PUT", &path, &token, other)
        .await
        .is(401, "PASSWORD_CHANGE_NOT_ALLOWED");
    site.get(&path, &token).await.ok();
    site.log_in("Users", EMAIL).await;
}

#[tokio::test]
async fn others_can_neither_change_nor_delete() {
    let site = Site::open().await;
    let (path, _, token) = site.ann().await;
    site.sign_up("Users", "bob@example.com").await;
    let bob = site.log_in("Users", "bob@example.com").await;
    for (method, path) in [
        ("PATCH", path.clone()),
        ("PUT", path.clone()),
        ("DELETE", path.clone()),
        ("POST", format!("{path}/replace")),
    ] {
        for token in [bob.as_str(), ""] {
            let refused = site
                .call(
                    method,
                    &path,
                    token,
                    json!({"email": "x@y.z", "password": PASSWORD}),
                )
                .await;
            refused.is(401, "AUTHORIZATION_REQUIRED");
        }
    }
    assert_eq!(site.get(&path, &token).await.ok().body["email"], EMAIL);
}

#[tokio::test]
async fn a_deleted_user_is_gone_with_every_token() {
    let site = Site::open().await;
    let (path, _, token) = site.ann().await;
    let other = site.log_in("Users", EMAIL).await;
    let deleted = Site::answer(site.ask("DELETE", &path).header("authorization", &token))
        .await
        .ok();
    assert_eq!(deleted.text, r#"{"count":1}"#);
    for token in [token, other] {
        site.get(&path, &token).await.is(401, "AUTHORIZATION_REQUIRED");
    }
    site.post("/Users/login", json!({"email": EMAIL, "password": PASSWORD}))
        .await
        .is(401, "LOGIN_FAILED");
    site.sign_up("Users", EMAIL).await;
}

#[tokio::test]
async fn a_cookie_changes_nothing_for_another_site() {
    let site = Site::open().await;
    let (path, _, token) = site.ann().await;
    let asked = |origin: &str| {
        let request = site
            .ask("PATCH", &path)
            .header("cookie", format!("portcullis={token}"));
        request
            .header("origin", origin.to_owned())
            .json(&json!({"colour": "red"}))
    };
    Site::answer(asked("https://evil.example"))
        .await
        .is(401, "AUTHORIZATION_REQUIRED");
    Site::answer(asked("null"))
        .await
        .is(401, "AUTHORIZATION_REQUIRED");
    Site::answer(asked("http://localhost:3000")).await.ok();
}
