//! `POST /Users`.

use serde_json::{Value, json};

use crate::site::{EMAIL, PASSWORD, Site};

#[tokio::test]
async fn a_sign_up_answers_with_the_user_and_without_the_password() {
    let site = Site::open().await;
    let sent = json!({"email": EMAIL, "username": "Ann", "password": PASSWORD, "colour": "red", "tags": [1, {"a": true}]});
    let made = site.post("/Users", sent).await.ok();
    let id = made.body["id"].as_str().unwrap();
    let expected = json!({
        "id": id, "email": EMAIL, "username": "Ann", "emailVerified": false, "colour": "red", "tags": [1, {"a": true}],
    });
    assert_eq!(made.body, expected);
    assert_eq!((id.len(), id.as_bytes()[14]), (36, b'7'));
    assert_eq!(made.header("content-type"), "application/json; charset=utf-8");
    assert_eq!(made.header("x-content-type-options"), "nosniff");
    assert_eq!(made.header("cache-control"), "no-store");
}

#[tokio::test]
async fn a_form_signs_up_too_and_mobile_is_another_word_for_phone() {
    let site = Site::open().await;
    let form = [
        ("email", EMAIL),
        ("password", PASSWORD),
        ("mobile", "+49 170 1234567"),
    ];
    let made = Site::answer(site.ask("POST", "/Users").form(&form)).await.ok();
    assert_eq!(made.body["phone"], "+491701234567");
    assert_eq!(made.body["phoneConfirmed"], false);
    assert_eq!(made.body.get("mobile"), None);
}

#[tokio::test]
async fn path_case_and_a_slash_at_the_end_do_not_matter() {
    let site = Site::open().await;
    site.post("/uSERS/", json!({"email": EMAIL, "password": PASSWORD}))
        .await
        .ok();
    site.post("/USERS/Login/", json!({"email": EMAIL, "password": PASSWORD}))
        .await
        .ok();
}

#[tokio::test]
async fn what_is_ours_cannot_be_set() {
    let site = Site::open().await;
    let sent = json!({
        "email": EMAIL, "password": PASSWORD, "emailVerified": true, "verificationToken": "x", "realm": "north",
        "roles": ["admin"], "isAdmin": true, "scopes": ["*"], "permissions": ["*"], "accessTokens": [{"id": "planted"}],
        "identities": [{}], "credentials": [{}], "_id": 1, "userId": 1, "created": "1970", "revision": 9,
        "phoneConfirmed": true, "__proto__": {"x": 1}, "constructor": {"prototype": {"x": 1}}, "none": null,
    });
    let made = site.post("/Users", sent).await.ok();
    let id = made.body["id"].clone();
    assert_eq!(
        made.body,
        json!({"id": id, "email": EMAIL, "emailVerified": false})
    );
    site.get("/Users/me", "planted")
        .await
        .is(401, "AUTHORIZATION_REQUIRED");
}

#[tokio::test]
async fn an_id_is_not_the_clients_to_choose() {
    let site = Site::open().await;
    for id in [json!(7), json!("mine")] {
        let sent = json!({"id": id, "email": EMAIL, "password": PASSWORD});
        let refused = site.post("/Users", sent).await.is(422, "");
        assert_eq!(refused.body["error"]["name"], "ValidationError");
        assert_eq!(
            refused.body["error"]["details"]["codes"],
            json!({"id": ["absence"]})
        );
        assert_eq!(
            refused.body["error"]["details"]["messages"],
            json!({"id": ["can't be set"]})
        );
    }
    site.sign_up("Users", EMAIL).await;
}

#[tokio::test]
async fn a_taken_address_or_name_is_told_as_loopback_tells_it() {
    let site = Site::open().await;
    site.post(
        "/Users",
        json!({"email": EMAIL, "username": "ann", "password": PASSWORD}),
    )
    .await
    .ok();
    let again = json!({"email": "ANN@example.com", "password": "another good one"});
    let refused = site.post("/Users", again).await.is(422, "");
    let expected = json!({"error": {
        "statusCode": 422,
        "name": "ValidationError",
        "message": "The `User` instance is not valid. Details: `email` Email already exists (value: \"ann@example.com\").",
        "details": {
            "context": "User",
            "codes": {"email": ["uniqueness"]},
            "messages": {"email": ["Email already exists"]},
        },
    }});
    assert_eq!(refused.body, expected);
    let name = site
        .post(
            "/Users",
            json!({"email": "b@example.com", "username": "ANN", "password": PASSWORD}),
        )
        .await;
    assert_eq!(
        name.is(422, "").body["error"]["details"]["messages"],
        json!({"username": ["User already exists"]})
    );
    site.post(
        "/Users/login",
        json!({"email": EMAIL, "password": "another good one"}),
    )
    .await
    .is(401, "LOGIN_FAILED");
}

#[tokio::test]
async fn an_address_of_one_pool_is_free_in_another() {
    let site = Site::open().await;
    site.sign_up("Users", EMAIL).await;
    site.sign_up("Employees", EMAIL).await;
}

#[tokio::test]
async fn every_fault_is_listed() {
    let site = Site::open().await;
    let refused = site
        .post("/Employees", json!({"username": "a\u{200b}b"}))
        .await
        .is(422, "");
    let details = &refused.body["error"]["details"];
    assert_eq!(details["context"], "Employee");
    assert_eq!(details["codes"]["email"], json!(["presence"]));
    assert_eq!(details["codes"]["password"], json!(["presence"]));
    assert_eq!(details["codes"]["username"], json!(["custom.username"]));
    assert!(
        refused
            .message()
            .contains("`email` can't be blank (value: undefined); "),
        "{}",
        refused.message()
    );
    for email in ["no-at", "a@b@c", "a@b.c\r\nBcc: x@y.z", "a@b.c\u{0}"] {
        let refused = site
            .post("/Users", json!({"email": email, "password": PASSWORD}))
            .await
            .is(422, "");
        assert_eq!(
            refused.body["error"]["details"]["codes"]["email"],
            json!(["custom.email"])
        );
    }
}

#[tokio::test]
async fn weak_passwords_and_what_is_no_password_are_refused() {
    let site = Site::open().await;
    for bad in [
        json!("password"),
        json!("short"),
        json!(""),
        json!("         "),
        json!(12_345_678),
        json!(true),
        json!(["x"]),
        json!({}),
    ] {
        site.post("/Users", json!({"email": EMAIL, "password": bad}))
            .await
            .is(422, "INVALID_PASSWORD");
    }
    let long = "ab".repeat(129);
    site.post("/Users", json!({"email": EMAIL, "password": long}))
        .await
        .is(422, "PASSWORD_TOO_LONG");
    site.post("/Users", json!({"email": EMAIL, "password": null}))
        .await
        .is(422, "");
    site.post("/Users/login", json!({"email": EMAIL, "password": "password"}))
        .await
        .is(401, "LOGIN_FAILED");
}

#[tokio::test]
async fn a_hash_sent_as_password_is_just_a_password() {
    let site = Site::open().await;
    // LoopBack stores this as it is; the text behind it is "secret".
    let hash = "$2a$04$M0U3T/z2s0BuBm9XLx7i5ee0cn8JtuAoRd0Q4vLFkBk3JZl1Ry1ZC";
    site.post("/Users", json!({"email": EMAIL, "password": hash}))
        .await
        .ok();
    site.post("/Users/login", json!({"email": EMAIL, "password": "secret"}))
        .await
        .is(401, "LOGIN_FAILED");
    site.post("/Users/login", json!({"email": EMAIL, "password": hash}))
        .await
        .ok();
}

#[tokio::test]
async fn known_properties_are_text_or_nothing() {
    let site = Site::open().await;
    for odd in [json!(1), json!(true), json!([EMAIL, "x@y.z"]), json!({"neq": ""})] {
        for (name, code) in [
            ("email", "INVALID_EMAIL"),
            ("username", "INVALID_USERNAME"),
            ("realm", "INVALID_REALM"),
            ("phone", ""),
            ("mobile", ""),
        ] {
            let mut sent = json!({"email": EMAIL, "password": PASSWORD});
            sent[name] = odd.clone();
            let refused = site.post("/Users", sent).await.is(400, code);
            assert_eq!(refused.message(), format!("{name} must be a string"));
        }
    }
    assert_eq!(site.mailbox.text(), "");
}

#[tokio::test]
async fn a_list_makes_a_list() {
    let site = Site::open().await;
    let sent = json!([{"email": "a@example.com", "password": PASSWORD}, {"email": "b@example.com", "password": PASSWORD}]);
    let made = site.post("/Users", sent).await.ok();
    assert_eq!(made.body[0]["email"], "a@example.com");
    assert_eq!(made.body[1]["email"], "b@example.com");
    assert_eq!(site.post("/Users", json!([])).await.ok().body, json!([]));
}

#[tokio::test]
async fn of_a_list_with_faults_the_sound_ones_are_made() {
    let site = Site::open().await;
    let sent = json!([
        {"email": "a@example.com", "password": PASSWORD},
        {"email": "a@example.com", "password": PASSWORD},
        7,
        {"email": {"neq": ""}, "password": PASSWORD},
        {"email": "b@example.com", "password": PASSWORD},
    ]);
    let refused = site.post("/Users", sent).await.is(422, "");
    assert_eq!(
        refused.message(),
        "Failed with multiple errors, see `details` for more information."
    );
    let details = refused.body["error"]["details"].as_array().unwrap();
    assert_eq!(details.len(), 5);
    assert_eq!((&details[0], &details[4]), (&Value::Null, &Value::Null));
    assert_eq!(details[1]["details"]["codes"], json!({"email": ["uniqueness"]}));
    assert_eq!(details[2]["message"], "Value is not an object.");
    assert_eq!(details[3]["code"], "INVALID_EMAIL");
    site.log_in("Users", "a@example.com").await;
    site.log_in("Users", "b@example.com").await;
}

#[tokio::test]
async fn a_list_is_no_way_around_the_limits() {
    let site = Site::open().await;
    let users: Vec<Value> = (0..21)
        .map(|n| json!({"email": format!("u{n}@example.com"), "password": PASSWORD}))
        .collect();
    site.post("/Users", Value::Array(users)).await.is(413, "");
    site.post(
        "/Users/login",
        json!({"email": "u0@example.com", "password": PASSWORD}),
    )
    .await
    .is(401, "LOGIN_FAILED");
    let bad: Vec<Value> = (0..20).map(|_| json!({"email": "x"})).collect();
    for _ in 0..5 {
        site.post("/Users", Value::Array(bad.clone())).await.is(422, "");
    }
    let limited = site
        .post("/Users", json!({"email": EMAIL, "password": PASSWORD}))
        .await
        .is(429, "TOO_MANY_REQUESTS");
    assert_ne!(limited.header("retry-after"), "");
}

#[tokio::test]
async fn what_is_no_object_is_refused_and_null_is_an_empty_one() {
    let site = Site::open().await;
    for text in ["\"x\"", "7", "true"] {
        let refused = site
            .post_text("/Users", "application/json", text)
            .await
            .is(400, "");
        assert_eq!(refused.message(), "Value is not an object.");
    }
    for text in ["null", "", "{}"] {
        site.post_text("/Users", "application/json", text)
            .await
            .is(422, "");
    }
    let list = site
        .post("/Users/login", json!([{"email": EMAIL}]))
        .await
        .is(400, "");
    assert_eq!(list.message(), "Value is not an object.");
}

#[tokio::test]
async fn what_cannot_be_read_is_a_clear_4xx() {
    let site = Site::open().await;
    let deep = format!("{{\"a\":{}1{}}}", "[".repeat(50_000), "]".repeat(50_000));
    let twice = format!(r#"{{"email":"{EMAIL}","email":"x@y.z","password":"{PASSWORD}"}}"#);
    let sound = format!(r#"{{"email":"{EMAIL}","password":"{PASSWORD}"}}"#);
    for text in [
        deep,
        twice,
        "{".to_owned(),
        format!("{sound},"),
        format!("{sound}{sound}"),
        format!("\u{feff}{sound}"),
    ] {
        let refused = site
            .post_text("/Users", "application/json", text)
            .await
            .is(400, "");
        assert_eq!(refused.body["error"]["name"], "SyntaxError");
    }
    site.post_text("/Users", "application/json", b"{\"a\":\"\xff\"}".to_vec())
        .await
        .is(400, "");
    for kind in [
        "text/plain",
        "application/xml",
        "multipart/form-data",
        "application/json; charset=utf-16",
    ] {
        site.post_text("/Users", kind, sound.clone()).await.is(415, "");
    }
    let nested = (0..100).fold(json!(1), |inner, _| json!([inner]));
    site.post(
        "/Users",
        json!({"email": EMAIL, "password": PASSWORD, "deep": nested}),
    )
    .await
    .is(422, "");
    let large = format!(r#"{{"a":"{}"}}"#, "x".repeat(101 * 1024));
    let refused = site
        .post_text("/Users", "application/json", large)
        .await
        .is(413, "");
    assert_eq!(refused.body["error"]["name"], "PayloadTooLargeError");
    site.sign_up("Users", EMAIL).await;
}

#[tokio::test]
async fn who_takes_no_json_gets_406_and_nothing_is_made() {
    let site = Site::open().await;
    let sent = json!({"email": EMAIL, "password": PASSWORD});
    for accept in ["text/html", "application/xml", "application/json;q=0"] {
        Site::answer(site.ask("POST", "/Users").header("accept", accept).json(&sent))
            .await
            .is(406, "");
    }
    let taken = site
        .ask("POST", "/Users")
        .header("accept", "text/html, application/*;q=0.1")
        .json(&sent);
    Site::answer(taken).await.ok();
}

#[tokio::test]
async fn of_racing_sign_ups_for_one_address_one_wins() {
    let site = Site::open().await;
    let racing = (0..16).map(|n| {
        site.post(
            "/Users",
            json!({"email": EMAIL, "password": format!("{PASSWORD} {n}")}),
        )
    });
    let answers = futures_util::future::join_all(racing).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
    assert!(answers.iter().all(|answer| matches!(answer.status, 200 | 422)));
}

#[tokio::test]
async fn a_pool_that_hides_its_users_answers_alike() {
    let site = Site::with(|users, _| users.hide_existing = true).await;
    let first = site
        .post("/Users", json!({"email": EMAIL, "password": PASSWORD}))
        .await
        .ok();
    let second = site
        .post("/Users", json!({"email": EMAIL, "password": "another good one"}))
        .await
        .ok();
    let names = |body: &Value| body.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&first.body), names(&second.body));
    assert!(site.mailbox.text().contains("You already have an account"));
    site.post(
        "/Users/login",
        json!({"email": EMAIL, "password": "another good one"}),
    )
    .await
    .is(401, "LOGIN_FAILED");
}
