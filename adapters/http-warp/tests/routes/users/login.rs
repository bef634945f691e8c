//! `POST /Users/login` and `/Users/logout`.

use std::time::Duration;

use serde_json::{Value, json};

use crate::site::{Answer, EMAIL, PASSWORD, Site};

async fn login(site: &Site, extra: Value) -> Answer {
    let mut body = json!({"email": EMAIL, "password": PASSWORD});
    body.as_object_mut()
        .unwrap()
        .extend(extra.as_object().unwrap().clone());
    site.post("/Users/login", body).await
}

#[tokio::test]
async fn a_login_answers_with_a_token_as_loopback_does() {
    let site = Site::open().await;
    let id = site.sign_up("Users", EMAIL).await;
    let token = login(&site, json!({})).await.ok();
    let text = token.body["id"].as_str().unwrap();
    assert!(text.len() == 64 && text.bytes().all(|b| b.is_ascii_alphanumeric()));
    let expected = json!({"id": text, "ttl": 1_209_600, "created": "2026-11-21T19:06:12.795Z", "userId": id});
    assert_eq!(token.body, expected);
    assert_eq!(token.header("cache-control"), "no-store");
    assert_eq!(token.header("set-cookie"), "");
    assert_ne!(login(&site, json!({})).await.body["id"], text);
}

#[tokio::test]
async fn the_user_comes_along_when_asked_for() {
    let site = Site::open().await;
    let id = site.sign_up("Users", EMAIL).await;
    for query in [
        "include=user",
        "include=USER",
        "include=%5B%22user%22%5D",
        "include=roles&include=user",
    ] {
        let token = site
            .post(
                &format!("/Users/login?{query}"),
                json!({"email": EMAIL, "password": PASSWORD}),
            )
            .await;
        assert_eq!(
            token.ok().body["user"],
            json!({"id": id, "email": EMAIL, "emailVerified": false}),
            "{query}"
        );
    }
    let token = site
        .post(
            "/Users/login?include=nothing",
            json!({"email": EMAIL, "password": PASSWORD}),
        )
        .await;
    assert_eq!(token.ok().body.get("user"), None);
}

#[tokio::test]
async fn a_form_logs_in_and_so_does_a_username() {
    let site = Site::open().await;
    site.post(
        "/Users",
        json!({"email": EMAIL, "username": "ann", "password": PASSWORD}),
    )
    .await
    .ok();
    let form = [("username", "ANN"), ("password", PASSWORD), ("ttl", "20")];
    let token = Site::answer(site.ask("POST", "/Users/login").form(&form))
        .await
        .ok();
    assert_eq!(token.body["ttl"], 20);
    login(&site, json!({"username": "somebody else"})).await.ok();
    login(&site, json!({"email": "x@y.z", "username": "ann"}))
        .await
        .is(401, "LOGIN_FAILED");
    login(&site, json!({"email": "ANN@EXAMPLE.COM"})).await.ok();
}

#[tokio::test]
async fn a_life_is_what_was_asked_for_within_bounds() {
    let site = Site::open().await;
    site.sign_up("Users", EMAIL).await;
    let granted = [
        (json!(10), "10"),
        (json!("20"), "20"),
        (json!(1.5), "1.5"),
        (json!(0), "1209600"),
        (json!(null), "1209600"),
        (json!(""), "1209600"),
        (json!(1e12), "31556926"),
        (json!("999999999999999999999999"), "31556926"),
    ];
    for (asked, got) in granted {
        let token = login(&site, json!({ "ttl": asked })).await.ok();
        assert_eq!(token.body["ttl"].to_string(), got);
    }
    for bad in [
        json!(-1),
        json!(-5),
        json!("abc"),
        json!(["a"]),
        json!({"id": "mine", "created": "2099-01-01"}),
        json!(true),
    ] {
        login(&site, json!({ "ttl": bad })).await.is(400, "INVALID_TTL");
    }
    login(&site, json!({})).await.ok();
}

#[tokio::test]
async fn a_token_without_end_is_there_only_where_the_pool_allows_it() {
    let site = Site::with(|users, _| users.allow_eternal_tokens = true).await;
    site.sign_up("Users", EMAIL).await;
    let token = login(&site, json!({"ttl": -1})).await.ok();
    assert_eq!(token.body["ttl"], -1);
    site.later(Duration::from_hours(100 * 365 * 24));
    site.get("/Users/me", token.body["id"].as_str().unwrap())
        .await
        .ok();
}

#[tokio::test]
async fn unknown_wrong_missing_and_empty_are_one_answer() {
    let site = Site::open().await;
    site.sign_up("Users", EMAIL).await;
    let expected = json!({"error": {
        "statusCode": 401, "name": "Error", "message": "login failed", "code": "LOGIN_FAILED",
    }});
    let refused = [
        json!({"email": EMAIL, "password": "wrong password"}),
        json!({"email": "nobody@example.com", "password": PASSWORD}),
        json!({"email": "no address", "password": PASSWORD}),
        json!({"username": "nobody", "password": PASSWORD}),
        json!({"email": EMAIL}),
        json!({"email": EMAIL, "password": null}),
        json!({"email": EMAIL, "password": ""}),
        json!({"email": EMAIL, "password": PASSWORD.to_uppercase()}),
        json!({"email": EMAIL, "password": format!("{PASSWORD} ")}),
        json!({"email": EMAIL, "password": format!("{PASSWORD}\u{0}")}),
    ];
    let mut headers: Option<Vec<String>> = None;
    for (n, body) in refused.into_iter().enumerate() {
        let answer = site
            .post_from(&format!("192.0.2.{n}"), "/Users/login", body)
            .await;
        assert_eq!((answer.status, &answer.body), (401, &expected));
        let names: Vec<String> = answer.headers.keys().map(ToString::to_string).collect();
        assert_eq!(headers.get_or_insert_with(|| names.clone()), &names);
    }
}

#[tokio::test]
async fn query_objects_and_other_types_are_400() {
    let site = Site::open().await;
    site.sign_up("Users", EMAIL).await;
    let odd = [
        json!({"neq": "x"}),
        json!({"inq": [EMAIL]}),
        json!({"$gt": ""}),
        json!([EMAIL]),
        json!(7),
        json!(true),
    ];
    for odd in odd {
        login(&site, json!({ "email": odd }))
            .await
            .is(400, "INVALID_EMAIL");
        login(&site, json!({ "username": odd }))
            .await
            .is(400, "INVALID_USERNAME");
        login(&site, json!({ "realm": odd }))
            .await
            .is(400, "INVALID_REALM");
        login(&site, json!({ "password": odd })).await.is(400, "");
    }
    for form in ["email[neq]=x&password=y", "email[]=ann%40example.com&password=y"] {
        let answer = site
            .post_text("/Users/login", "application/x-www-form-urlencoded", form)
            .await;
        answer.is(400, "USERNAME_EMAIL_REQUIRED");
    }
    let twice = format!("email={EMAIL}&email=x%40y.z&password=y");
    site.post_text("/Users/login", "application/x-www-form-urlencoded", twice)
        .await
        .is(400, "INVALID_EMAIL");
}

#[tokio::test]
async fn a_login_needs_a_name_and_a_realm_where_there_are_realms() {
    let site = Site::with(|users, _| {
        users.realm_required = true;
        users.realm_delimiter = Some(":".to_owned());
    })
    .await;
    let nameless = site
        .post("/Users/login", json!({"password": PASSWORD}))
        .await
        .is(400, "USERNAME_EMAIL_REQUIRED");
    assert_eq!(nameless.message(), "username or email is required");
    for realm in ["north", "south"] {
        let user = json!({"realm": realm, "email": EMAIL, "password": format!("{PASSWORD} {realm}")});
        assert_eq!(site.post("/Users", user).await.ok().body["realm"], realm);
    }
    let password = format!("{PASSWORD} south");
    login(&site, json!({})).await.is(400, "REALM_REQUIRED");
    login(&site, json!({"realm": "south", "password": password}))
        .await
        .ok();
    login(
        &site,
        json!({"email": format!("south:{EMAIL}"), "password": password}),
    )
    .await
    .ok();
    login(&site, json!({"realm": "north", "password": password}))
        .await
        .is(401, "LOGIN_FAILED");
}

#[tokio::test]
async fn an_unverified_address_is_told_only_after_the_right_password() {
    let site = Site::with(|users, _| users.email_verification_required = true).await;
    let id = site.sign_up("Users", EMAIL).await;
    login(&site, json!({"password": "wrong password"}))
        .await
        .is(401, "LOGIN_FAILED");
    let refused = login(&site, json!({}))
        .await
        .is(401, "LOGIN_FAILED_EMAIL_NOT_VERIFIED");
    assert_eq!(refused.body["error"]["details"], json!({ "userId": id }));
}

#[tokio::test]
async fn a_due_second_factor_opens_nothing() {
    let site = Site::open().await;
    site.sign_up("Employees", EMAIL).await;
    let refused = site
        .post("/Employees/login", json!({"email": EMAIL, "password": PASSWORD}))
        .await;
    let refused = refused.is(401, "SECOND_FACTOR_REQUIRED");
    let ways = json!({"methods": ["sms"], "enrols": ["totp"]});
    assert_eq!(refused.body["error"]["details"], ways);
    assert_eq!(site.console.text(), "");
}

#[tokio::test]
async fn a_logout_ends_the_session_it_is_asked_with() {
    let site = Site::open().await;
    let (path, _, token) = site.ann().await;
    let other = site.log_in("Users", EMAIL).await;
    site.get("/Users/logout", &token)
        .await
        .is(401, "AUTHORIZATION_REQUIRED");
    Site::answer(site.ask("POST", "/Users/logout").header("authorization", &token))
        .await
        .void();
    site.get(&path, &token).await.is(401, "AUTHORIZATION_REQUIRED");
    site.get(&path, &other).await.ok();
    for answer in [
        site.call("POST", "/Users/logout", &token, json!({})).await,
        site.post("/Users/logout", json!({})).await,
    ] {
        assert_eq!(answer.is(401, "").message(), "accessToken is required to logout");
    }
}

#[tokio::test]
async fn an_expired_token_says_so_once() {
    let site = Site::open().await;
    site.sign_up("Users", EMAIL).await;
    let token = login(&site, json!({"ttl": 10})).await.body["id"]
        .as_str()
        .unwrap()
        .to_owned();
    site.later(Duration::from_millis(9_999));
    site.get("/Users/me", &token).await.ok();
    site.later(Duration::from_millis(1));
    let expired = site.get("/Users/me", &token).await.is(401, "INVALID_TOKEN");
    assert_eq!(expired.message(), "Invalid Access Token");
    site.get("/Users/me", &token)
        .await
        .is(401, "AUTHORIZATION_REQUIRED");
}

#[tokio::test]
async fn guessing_is_slowed_down_and_the_owner_elsewhere_is_not() {
    let site = Site::open().await;
    site.sign_up("Users", EMAIL).await;
    let guess = |n: usize| json!({"email": EMAIL, "password": format!("wrong password {n}")});
    let mut limited = None;
    for n in 0..20 {
        let answer = site.post_from("192.0.2.9", "/Users/login", guess(n)).await;
        if answer.status == 429 {
            limited = Some(answer);
            break;
        }
    }
    let limited = limited.expect("a limit").is(429, "TOO_MANY_REQUESTS");
    assert!(limited.header("retry-after").parse::<u64>().unwrap() >= 1);
    let right = json!({"email": EMAIL, "password": PASSWORD});
    site.post_from("192.0.2.9", "/Users/login", right.clone())
        .await
        .is(429, "TOO_MANY_REQUESTS");
    site.post_from("198.51.100.7", "/Users/login", right).await.ok();
}
