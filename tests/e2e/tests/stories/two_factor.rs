//! Password, then code: the calls of the two-factor article, and how a code becomes one's own.

use std::time::Duration;

use e2e::{Client, PASSWORD, Person, Portcullis, Reply};
use serde_json::{Value, json};

/// The article's model: a second pool, and nobody gets in without a code.
pub const EMPLOYEES: &str = "[users.Employees]\nsecond_factor = \"required\"";

/// Password step; the challenge.
pub async fn request_code(client: &Client, person: &Person) -> String {
    let body = json!({ "email": person.email, "password": person.password });
    let challenge = client
        .post(&person.of_pool("requestCode"), body)
        .await
        .expect(200)
        .at("challenge");
    assert!(!challenge.is_empty());
    challenge
}

/// Code step as the article's client does it: without a challenge.
pub async fn type_code(client: &Client, person: &Person, code: impl Into<Value>) -> Reply {
    let body = json!({ "email": person.email, "twofactor": code.into() });
    client.post(&person.of_pool("loginWithCode"), body).await
}

pub async fn type_code_with(client: &Client, person: &Person, code: &str, challenge: &str) -> Reply {
    let body = json!({ "email": person.email, "twofactor": code, "challenge": challenge });
    client.post(&person.of_pool("loginWithCode"), body).await
}

/// A code that is not this one.
pub fn other_than(code: &str) -> String {
    let number: u32 = code.parse().unwrap();
    format!("{:06}", (number + 1) % 1_000_000)
}

/// A server, an employee, and a client of theirs.
pub async fn employee() -> (Portcullis, Client, Person) {
    let server = Portcullis::with(EMPLOYEES).await;
    let client = server.client();
    let ann = client.sign_up_in("Employees", "ann").await;
    (server, client, ann)
}

#[tokio::test]
async fn the_calls_of_the_article_log_an_employee_in() {
    let (server, client, ann) = employee().await;
    let credentials = json!({ "email": ann.email, "password": PASSWORD });
    let requested = client
        .post("/api/Employees/requestCode", credentials)
        .await
        .expect(200);
    let timestamp = requested.json()["timestamp"].as_u64().expect("a JSON number");
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap()
        .as_millis();
    assert!(
        now.abs_diff(u128::from(timestamp)) < 60_000,
        "milliseconds since 1970: {timestamp}"
    );
    let code = server.console().code(&ann.email).await;
    let token = type_code(&client, &ann, code).await.expect(200).json();
    assert_eq!(token["ttl"], 86400);
    assert_eq!(token["userId"], ann.id);
    assert_eq!(
        (token["user"]["id"].as_str(), token["user"]["email"].as_str()),
        (Some(&*ann.id), Some(&*ann.email))
    );
    assert!(token["user"].get("password").is_none());
    assert!(client.opens(token["id"].as_str().unwrap(), &ann).await);
}

#[tokio::test]
async fn a_code_may_be_a_string_or_a_number() {
    let (server, client, ann) = employee().await;
    request_code(&client, &ann).await;
    let code = server.console().code(&ann.email).await;
    let number: u32 = code.parse().unwrap();
    type_code(&client, &ann, number).await.expect(200).done();
}

#[tokio::test]
async fn a_form_logs_in_as_well() {
    let (server, client, ann) = employee().await;
    client
        .post_form(
            "/api/Employees/requestCode",
            &[("email", &ann.email), ("password", PASSWORD)],
        )
        .await
        .expect(200)
        .done();
    let code = server.console().code(&ann.email).await;
    client
        .post_form(
            "/api/Employees/loginWithCode",
            &[("email", &ann.email), ("twofactor", &code)],
        )
        .await
        .expect(200)
        .done();
}

#[tokio::test]
async fn a_required_factor_closes_the_plain_login() {
    let (server, client, ann) = employee().await;
    let plain = client
        .post(
            "/api/Employees/login",
            json!({ "email": ann.email, "password": PASSWORD }),
        )
        .await;
    plain.refused(401, "SECOND_FACTOR_REQUIRED");
    assert_eq!(plain.json()["error"]["details"]["methods"], json!(["sms"]));
    assert!(plain.headers.get("set-cookie").is_none());
    let wrong = client
        .post(
            "/api/Employees/login",
            json!({ "email": ann.email, "password": "something else" }),
        )
        .await;
    wrong.refused(401, "LOGIN_FAILED");
    assert_eq!(server.console().codes_in_all(), 0);
}

#[tokio::test]
async fn a_newer_code_voids_the_older() {
    let (server, client, ann) = employee().await;
    let older_challenge = request_code(&client, &ann).await;
    let older = server.console().code(&ann.email).await;
    request_code(&client, &ann).await;
    let newer = server.console().code(&ann.email).await;
    if older != newer {
        type_code(&client, &ann, &*older)
            .await
            .refused(401, "LOGIN_FAILED");
    }
    type_code_with(&client, &ann, &older, &older_challenge)
        .await
        .refused(401, "LOGIN_FAILED");
    type_code(&client, &ann, newer).await.expect(200).done();
}

#[tokio::test]
async fn a_code_after_its_life_opens_nothing() {
    let server = Portcullis::with("[users.Employees]\nsecond_factor = \"required\"\ncode_lifetime = 1").await;
    let client = server.client();
    let ann = client.sign_up_in("Employees", "ann").await;
    request_code(&client, &ann).await;
    let code = server.console().code(&ann.email).await;
    tokio::time::sleep(Duration::from_millis(1100)).await;
    type_code(&client, &ann, code).await.refused(401, "LOGIN_FAILED");
}

#[tokio::test]
async fn another_address_needs_the_challenge() {
    let (server, client, ann) = employee().await;
    let challenge = request_code(&client, &ann).await;
    let code = server.console().code(&ann.email).await;
    let elsewhere = server.client_from("127.0.0.2");
    type_code(&elsewhere, &ann, &*code)
        .await
        .refused(401, "LOGIN_FAILED");
    type_code_with(&elsewhere, &ann, &code, "")
        .await
        .refused(401, "LOGIN_FAILED");
    type_code_with(&elsewhere, &ann, &code, &"A".repeat(challenge.len()))
        .await
        .refused(401, "LOGIN_FAILED");
    type_code_with(&elsewhere, &ann, &code, &challenge)
        .await
        .expect(200)
        .done();
}

#[tokio::test]
async fn an_account_has_three_pending_logins_at_most() {
    let (server, _, ann) = employee().await;
    let mut pending = Vec::new();
    for last in 11..15 {
        let client = server.client_from(&format!("127.0.0.{last}"));
        request_code(&client, &ann).await;
        pending.push((client, server.console().code(&ann.email).await));
    }
    let mut opened = Vec::new();
    for (client, code) in &pending {
        opened.push(type_code(client, &ann, &**code).await.status);
    }
    assert_eq!(opened, [401, 200, 200, 200], "the oldest gave way");
}

#[tokio::test]
async fn codes_are_six_digits_and_spread() {
    let (server, client, ann) = employee().await;
    let mut codes = Vec::new();
    for _ in 0..24 {
        let body = json!({ "email": ann.email, "password": PASSWORD });
        let answer = client.post("/api/Employees/requestCode", body).await.expect(200);
        let code = server.console().code(&ann.email).await;
        assert!(
            code.len() == 6 && code.bytes().all(|b| b.is_ascii_digit()),
            "{code}"
        );
        assert!(
            !answer.text.contains(&code) && !format!("{:?}", answer.headers).contains(&code),
            "the code is in the answer"
        );
        codes.push(code);
    }
    codes.sort();
    codes.dedup();
    assert!(codes.len() >= 22, "{codes:?}");
    let (low, high) = (&codes[0], &codes[codes.len() - 1]);
    assert!(
        low.as_str() < "300000" && high.as_str() > "700000",
        "{low} to {high}"
    );
}

#[tokio::test]
async fn a_changed_password_voids_what_waits_for_a_code() {
    let (server, client, ann) = employee().await;
    request_code(&client, &ann).await;
    let code = server.console().code(&ann.email).await;
    let token = type_code(&client, &ann, code).await.expect(200).at("id");
    let waiting = server.client_from("127.0.0.9");
    let challenge = request_code(&waiting, &ann).await;
    let code = server.console().code(&ann.email).await;
    let change = json!({ "oldPassword": PASSWORD, "newPassword": "another long password" });
    client
        .with(&token)
        .post("/api/Employees/change-password", change)
        .await
        .expect(204)
        .done();
    type_code_with(&waiting, &ann, &code, &challenge)
        .await
        .refused(401, "LOGIN_FAILED");
}

#[tokio::test]
async fn where_the_factor_is_off_its_calls_do_not_exist() {
    let server = Portcullis::with("[users.Users]\nsecond_factor = \"off\"").await;
    let client = server.client();
    let ann = client.sign_up("ann").await;
    let asked = client
        .post(
            "/api/Users/requestCode",
            json!({ "email": ann.email, "password": PASSWORD }),
        )
        .await
        .expect(404);
    assert_eq!(
        asked.message(),
        "Shared class \"User\" has no method handling POST /requestCode"
    );
    client.log_in(&ann).await;
}

#[tokio::test]
async fn a_confirmed_number_turns_the_optional_factor_on() {
    let server = Portcullis::start().await;
    let client = server.client();
    let ann = client.sign_up("ann").await;
    let token = client.log_in(&ann).await;
    let me = client.with(&token);
    let given = me
        .patch(
            &ann.path(),
            json!({ "phone": "+447700900123", "currentPassword": PASSWORD }),
        )
        .await
        .expect(200);
    assert_eq!(given.json()["phoneConfirmed"], false);
    assert_eq!(
        client.try_password(&ann, PASSWORD).await,
        200,
        "a number that nobody confirmed is no factor"
    );
    me.post(&format!("{}/phone/send-code", ann.path()), json!({}))
        .await
        .expect(200)
        .done();
    let code = server.console().code(&ann.email).await;
    let confirm = async |code: Value| {
        me.post(&format!("{}/phone/confirm", ann.path()), json!({ "code": code }))
            .await
    };
    confirm(json!(other_than(&code)))
        .await
        .refused(400, "INVALID_TOKEN");
    let confirmed = confirm(json!(code)).await.expect(200).json();
    assert_eq!(confirmed["phoneConfirmed"], true);
    confirm(json!(code)).await.refused(400, "INVALID_TOKEN");
    let plain = client
        .post(
            "/api/Users/login",
            json!({ "email": ann.email, "password": PASSWORD }),
        )
        .await;
    plain.refused(401, "SECOND_FACTOR_REQUIRED");
    request_code(&client, &ann).await;
    let code = server.console().code(&ann.email).await;
    type_code(&client, &ann, code).await.expect(200).done();
}
