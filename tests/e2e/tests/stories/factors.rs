//! Second factors over REST, as somebody adds, uses, loses and replaces them.

use std::time::{SystemTime, UNIX_EPOCH};

use e2e::{Client, PASSWORD, Person, Portcullis, Reply};
use serde_json::{Value, json};
use totp_rs::{Algorithm, Builder, Secret};

use crate::two_factor::{request_code, type_code_with};

/// What an authenticator app shows, `ahead` steps of thirty seconds from now.
pub fn app_code(secret: &str, ahead: u64) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let app = Builder::new()
        .with_algorithm(Algorithm::SHA1)
        .with_digits(6)
        .with_step_duration(30)
        .with_secret(Secret::try_from_base32(secret).unwrap())
        .build()
        .unwrap();
    app.generate(now + 30 * ahead).to_string()
}

/// Adds an authenticator app by a session; its secret.
pub async fn add_app(session: &Client, person: &Person, name: &str) -> String {
    let begun = session
        .post(
            &format!("{}/factors/totp", person.path()),
            json!({ "name": name }),
        )
        .await
        .expect(200);
    let secret = begun.at("secret");
    assert!(begun.at("uri").starts_with("otpauth://totp/"), "{}", begun.text);
    let body = json!({ "enrolment": begun.at("enrolment"), "code": app_code(&secret, 0) });
    let added = session
        .post(&format!("{}/factors/totp/confirm", person.path()), body)
        .await
        .expect(200);
    assert_eq!(added.json()["totp"][0]["name"], name, "{}", added.text);
    secret
}

/// A server, somebody with an app, the session that added it, and the app's secret.
async fn with_app(config: &str) -> (Portcullis, Client, Person, Client, String) {
    let server = Portcullis::with(config).await;
    let client = server.client();
    let ann = client.sign_up("ann").await;
    let session = client.with(&client.log_in(&ann).await);
    let secret = add_app(&session, &ann, "Pocket").await;
    (server, client, ann, session, secret)
}

async fn plain_login(client: &Client, person: &Person) -> Reply {
    let body = json!({ "email": person.email, "password": PASSWORD });
    client.post(&person.of_pool("login"), body).await
}

async fn factors(session: &Client, person: &Person) -> Value {
    let reply = session.get(&format!("{}/factors", person.path())).await;
    reply.expect(200).json()
}

/// Proves oneself anew by the app; a session under its new token.
async fn step_up(client: &Client, session: &Client, person: &Person, code: &str) -> Client {
    let body = json!({ "code": code, "method": "totp" });
    let proven = session.post(&format!("{}/stepUp", person.path()), body).await;
    client.with(&proven.expect(200).at("id"))
}

#[tokio::test]
async fn an_authenticator_app_is_added_and_guards_the_log_in_from_then_on() {
    let (server, client, ann, _, secret) = with_app("").await;
    let plain = plain_login(&client, &ann).await;
    plain.refused(401, "SECOND_FACTOR_REQUIRED");
    assert_eq!(plain.json()["error"]["details"]["methods"], json!(["totp"]));
    let challenge = request_code(&client, &ann).await;
    let code = app_code(&secret, 1);
    let opened = type_code_with(&client, &ann, &code, &challenge).await.expect(200);
    let session = client.with(&opened.at("id"));
    let told = factors(&session, &ann).await;
    assert_eq!(told["session"]["amr"], json!(["pwd", "otp"]));
    assert_eq!(
        (&told["session"]["acr"], &told["methods"]),
        (&json!("aal2"), &json!(["totp"]))
    );
    assert!(told["totp"][0]["lastUsed"].is_string() && !told.to_string().contains(&secret));
    assert_eq!(server.console().codes_in_all(), 0, "an app needs no message");
}

#[tokio::test]
async fn the_code_of_an_app_works_once() {
    let (_server, client, ann, _, secret) = with_app("").await;
    let code = app_code(&secret, 1);
    let challenge = request_code(&client, &ann).await;
    type_code_with(&client, &ann, &code, &challenge)
        .await
        .expect(200)
        .done();
    let challenge = request_code(&client, &ann).await;
    type_code_with(&client, &ann, &code, &challenge)
        .await
        .refused(401, "LOGIN_FAILED");
}

#[tokio::test]
async fn a_wrong_first_code_adds_nothing() {
    let server = Portcullis::start().await;
    let client = server.client();
    let ann = client.sign_up("ann").await;
    let session = client.with(&client.log_in(&ann).await);
    let begun = session
        .post(&format!("{}/factors/totp", ann.path()), json!({}))
        .await
        .expect(200);
    let wrong = crate::two_factor::other_than(&app_code(&begun.at("secret"), 0));
    let body = json!({ "enrolment": begun.at("enrolment"), "code": wrong });
    let confirm = format!("{}/factors/totp/confirm", ann.path());
    session.post(&confirm, body).await.refused(422, "INVALID_CODE");
    assert_eq!(factors(&session, &ann).await["methods"], json!([]));
    plain_login(&client, &ann).await.expect(200).done();
}

#[tokio::test]
async fn what_matters_wants_a_fresh_proof_by_the_second_factor() {
    let (_server, client, ann, session, secret) = with_app("").await;
    let recovery = format!("{}/factors/recovery", ann.path());
    let refused = session.post(&recovery, json!({})).await;
    refused.refused(403, "STEP_UP_REQUIRED");
    assert_eq!(refused.json()["error"]["details"]["methods"], json!(["totp"]));
    let prove = format!("{}/stepUp", ann.path());
    // The password alone is what a thief of the first factor has.
    session
        .post(&prove, json!({ "password": PASSWORD }))
        .await
        .refused(401, "LOGIN_FAILED");
    let proven = step_up(&client, &session, &ann, &app_code(&secret, 1)).await;
    proven.post(&recovery, json!({})).await.expect(200).done();
    let old = session.get(&ann.path()).await;
    assert_eq!(old.status, 401, "the former token is over");
}

#[tokio::test]
async fn a_recovery_code_opens_once_when_the_app_is_lost() {
    let (_server, client, ann, session, secret) = with_app("").await;
    let session = step_up(&client, &session, &ann, &app_code(&secret, 1)).await;
    let made = session
        .post(&format!("{}/factors/recovery", ann.path()), json!({}))
        .await
        .expect(200)
        .json();
    let codes: Vec<&str> = made["codes"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(Value::as_str)
        .collect();
    assert_eq!(codes.len(), 10);
    let challenge = request_code(&client, &ann).await;
    let written_small = codes[3].to_lowercase().replace('-', " ");
    let opened = type_code_with(&client, &ann, &written_small, &challenge)
        .await
        .expect(200);
    let session = client.with(&opened.at("id"));
    assert_eq!(factors(&session, &ann).await["recoveryCodesLeft"], 9);
    let challenge = request_code(&client, &ann).await;
    type_code_with(&client, &ann, codes[3], &challenge)
        .await
        .refused(401, "LOGIN_FAILED");
}

#[tokio::test]
async fn a_factor_is_renamed_and_removed_and_its_owner_gets_in_without_it() {
    let (_server, client, ann, session, secret) = with_app("").await;
    let session = step_up(&client, &session, &ann, &app_code(&secret, 1)).await;
    let id = factors(&session, &ann).await["totp"][0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let factor = format!("{}/factors/{id}", ann.path());
    let renamed = session
        .patch(&factor, json!({ "name": "Old pocket" }))
        .await
        .expect(200)
        .json();
    assert_eq!(renamed["totp"][0]["name"], "Old pocket");
    session.delete(&factor).await.expect(204).done();
    session.delete(&factor).await.refused(404, "FACTOR_UNKNOWN");
    plain_login(&client, &ann).await.expect(200).done();
}

#[tokio::test]
async fn a_trusted_device_is_asked_for_no_second_factor_until_it_is_forgotten() {
    let (_server, client, ann, _, secret) = with_app("[users.Users]\ntrust_device = 86400").await;
    let challenge = request_code(&client, &ann).await;
    let body = json!({ "challenge": challenge, "twofactor": app_code(&secret, 1), "email": ann.email, "trustDevice": true });
    let first = client
        .request("POST", &ann.of_pool("loginWithCode"))
        .header("X-Device-Token", "new")
        .json(&body);
    let first = client.send(first).await.expect(200);
    let device = first.at("deviceToken");
    assert_eq!(device.len(), 64, "{}", first.text);
    let again = || {
        let body = json!({ "email": ann.email, "password": PASSWORD });
        client
            .request("POST", &ann.of_pool("login"))
            .header("X-Device-Token", &device)
            .json(&body)
    };
    client.send(again()).await.expect(200).done();
    plain_login(&client, &ann)
        .await
        .refused(401, "SECOND_FACTOR_REQUIRED");
    let session = client.with(&first.at("id"));
    session
        .delete(&format!("{}/devices", ann.path()))
        .await
        .expect(204)
        .done();
    client.send(again()).await.refused(401, "SECOND_FACTOR_REQUIRED");
}

#[tokio::test]
async fn factors_are_nobody_elses() {
    let (_server, client, ann, _, _) = with_app("").await;
    let eve = client.sign_up("eve").await;
    let hers = client.with(&client.log_in(&eve).await);
    for path in ["factors", "sessions"] {
        assert_eq!(hers.get(&format!("{}/{path}", ann.path())).await.status, 401);
        assert_eq!(client.get(&format!("{}/{path}", ann.path())).await.status, 401);
    }
    let begin = format!("{}/factors/totp", ann.path());
    assert_eq!(hers.post(&begin, json!({})).await.status, 401);
}

#[tokio::test]
async fn who_must_have_a_factor_and_has_none_adds_an_app_on_the_way_in() {
    let server = Portcullis::with("[users.Users]\nsecond_factor = \"required\"\n").await;
    let client = server.client();
    let ann = client.sign_up("ann").await;
    let plain = plain_login(&client, &ann).await;
    plain.refused(401, "SECOND_FACTOR_REQUIRED");
    assert_eq!(plain.json()["error"]["details"]["enrols"], json!(["totp"]));
    let body = json!({ "email": ann.email, "password": PASSWORD, "method": "totp" });
    let requested = client.post(&ann.of_pool("requestCode"), body).await.expect(200);
    let challenge = requested.at("challenge");
    assert_eq!(requested.json()["enrols"], json!(["totp"]));
    assert_eq!(
        server.console().codes_in_all(),
        0,
        "nothing is sent to who wants an app"
    );
    let typed = |secret: &str, ahead| json!({ "challenge": challenge, "method": "totp", "twofactor": app_code(secret, ahead) });
    let enrol = json!({ "challenge": challenge, "name": "Pocket" });
    let first = client
        .post(&ann.of_pool("enrolTotp"), enrol.clone())
        .await
        .expect(200);
    assert!(first.at("uri").starts_with("otpauth://totp/"), "{}", first.text);
    // Asked for again, the first one is void.
    let second = client
        .post(&ann.of_pool("enrolTotp"), enrol.clone())
        .await
        .expect(200);
    let login = ann.of_pool("loginWithCode");
    client
        .post(&login, typed(&first.at("secret"), 0))
        .await
        .refused(401, "LOGIN_FAILED");
    let opened = client
        .post(&login, typed(&second.at("secret"), 0))
        .await
        .expect(200);
    let session = client.with(&opened.at("id"));
    let told = factors(&session, &ann).await;
    assert_eq!(told["session"]["amr"], json!(["pwd", "otp"]));
    assert_eq!(
        (&told["totp"][0]["name"], &told["methods"]),
        (&json!("Pocket"), &json!(["totp"]))
    );
    // The challenge is used up, and from now on the app is the only way.
    client
        .post(&ann.of_pool("enrolTotp"), enrol)
        .await
        .refused(401, "LOGIN_FAILED");
    let challenge = request_code(&client, &ann).await;
    let enrol = json!({ "challenge": challenge });
    client
        .post(&ann.of_pool("enrolTotp"), enrol)
        .await
        .refused(422, "FACTOR_NOT_OFFERED");
    let code = app_code(&second.at("secret"), 1);
    type_code_with(&client, &ann, &code, &challenge)
        .await
        .expect(200)
        .done();
}
