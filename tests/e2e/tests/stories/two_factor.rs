//! Password, then code: the calls of the two-factor article, and every hole of its published code closed.

use std::time::Duration;

use e2e::{Client, PASSWORD, Person, Portcullis, Reply};
use futures_util::future::join_all;
use serde_json::{Value, json};

/// The article's model: a second pool, and nobody gets in without a code.
const EMPLOYEES: &str = "[users.Employees]\nsecond_factor = \"required\"";

/// Password step; the challenge.
async fn request_code(client: &Client, person: &Person) -> String {
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
async fn type_code(client: &Client, person: &Person, code: impl Into<Value>) -> Reply {
    let body = json!({ "email": person.email, "twofactor": code.into() });
    client.post(&person.of_pool("loginWithCode"), body).await
}

async fn type_code_with(client: &Client, person: &Person, code: &str, challenge: &str) -> Reply {
    let body = json!({ "email": person.email, "twofactor": code, "challenge": challenge });
    client.post(&person.of_pool("loginWithCode"), body).await
}

/// A code that is not this one.
fn other_than(code: &str) -> String {
    let number: u32 = code.parse().unwrap();
    format!("{:06}", (number + 1) % 1_000_000)
}

/// A server, an employee, and a client of theirs.
async fn employee() -> (Portcullis, Client, Person) {
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
async fn query_objects_and_other_types_are_refused_where_text_belongs() {
    let (mut server, client, ann) = employee().await;
    let eve = client.sign_up_in("Employees", "eve").await;
    for odd in [
        json!({ "inq": [eve.email] }),
        json!({ "neq": "" }),
        json!({ "like": "%" }),
        json!({ "regexp": ".*" }),
        json!({ "gt": "" }),
        json!([ann.email]),
        json!([]),
        json!({}),
        json!(7),
        json!(true),
        json!({ "$ne": null }),
        json!({ "$gt": "" }),
    ] {
        let first = client
            .post(
                "/api/Employees/requestCode",
                json!({ "email": odd, "password": PASSWORD }),
            )
            .await;
        assert_eq!(first.status, 400, "{odd}: {}", first.text);
        let password = client
            .post(
                "/api/Employees/requestCode",
                json!({ "email": ann.email, "password": odd }),
            )
            .await;
        assert_eq!(password.status, 400, "{odd}: {}", password.text);
        let second = client
            .post(
                "/api/Employees/loginWithCode",
                json!({ "email": odd, "twofactor": "123456" }),
            )
            .await;
        assert_eq!(second.status, 400, "{odd}: {}", second.text);
    }
    server.settle().await;
    assert_eq!(server.console().codes_in_all(), 0, "no code was sent to anybody");
    // The takeover of the published code: one's own code for the key "[object Object]", then the victim by operator.
    request_code(&client, &eve).await;
    let code = server.console().code(&eve.email).await;
    let taken_over = client
        .post(
            "/api/Employees/loginWithCode",
            json!({ "email": { "inq": [ann.email] }, "twofactor": code }),
        )
        .await;
    taken_over.expect(400).done();
    for odd in [
        json!(null),
        json!([code]),
        json!({ "neq": "" }),
        json!("9".repeat(5000)),
        json!("١٢٣٤٥٦"),
        json!("１２３４５６"),
        json!(true),
        json!(-1),
        json!(1e300),
    ] {
        let reply = type_code(&client, &ann, odd.clone()).await;
        assert!(matches!(reply.status, 400 | 401), "{odd}: {}", reply.text);
    }
}

#[tokio::test]
async fn a_code_without_the_password_step_opens_nothing() {
    let (server, client, ann) = employee().await;
    for code in ["000000", "123456", ""] {
        type_code(&client, &ann, code).await.refused(401, "LOGIN_FAILED");
    }
    // Somebody else's code, at the same address, for this account.
    let eve = client.sign_up_in("Employees", "eve").await;
    let challenge = request_code(&client, &eve).await;
    let code = server.console().code(&eve.email).await;
    type_code(&client, &ann, &*code)
        .await
        .refused(401, "LOGIN_FAILED");
    type_code_with(&client, &ann, &code, &challenge)
        .await
        .refused(401, "LOGIN_FAILED");
}

#[tokio::test]
async fn a_wrong_password_sends_nothing() {
    let (mut server, client, ann) = employee().await;
    for password in [
        json!("something else"),
        json!(""),
        json!(null),
        json!(format!("{PASSWORD} ")),
        json!(format!("{PASSWORD}\u{0}x")),
    ] {
        let reply = client
            .post(
                "/api/Employees/requestCode",
                json!({ "email": ann.email, "password": password }),
            )
            .await;
        reply.refused(401, "LOGIN_FAILED");
    }
    let missing = client
        .post("/api/Employees/requestCode", json!({ "email": ann.email }))
        .await;
    missing.refused(401, "LOGIN_FAILED");
    server.settle().await;
    assert_eq!(server.console().codes_in_all(), 0);
}

#[tokio::test]
async fn an_unknown_address_answers_like_a_wrong_password() {
    let (_server, client, ann) = employee().await;
    let ask = async |email: &str| {
        client
            .post(
                "/api/Employees/requestCode",
                json!({ "email": email, "password": "something else" }),
            )
            .await
    };
    let (known, unknown) = (ask(&ann.email).await, ask("nobody@example.com").await);
    assert_eq!((known.status, &known.text), (unknown.status, &unknown.text));
    let try_code = async |email: &str| {
        client
            .post(
                "/api/Employees/loginWithCode",
                json!({ "email": email, "twofactor": "123456" }),
            )
            .await
    };
    let (known, unknown) = (try_code(&ann.email).await, try_code("nobody@example.com").await);
    assert_eq!((known.status, &known.text), (unknown.status, &unknown.text));
    known.refused(401, "LOGIN_FAILED");
}

#[tokio::test]
async fn a_spent_code_never_works_again_in_any_spelling() {
    let (server, client, ann) = employee().await;
    let challenge = request_code(&client, &ann).await;
    let code = server.console().code(&ann.email).await;
    type_code(&client, &ann, &*code).await.expect(200).done();
    let number: u32 = code.parse().unwrap();
    for again in [
        json!(code),
        json!(number),
        json!(format!(" {code}")),
        json!(format!("{code}\n")),
        json!(format!("{}-{}", &code[..3], &code[3..])),
        json!(format!("{} {}", &code[..3], &code[3..])),
        json!(format!("{code}\u{0}")),
        json!(format!("+{code}")),
    ] {
        let reply = type_code(&client, &ann, again.clone()).await;
        assert_eq!(reply.status, 401, "{again}");
    }
    type_code_with(&client, &ann, &code, &challenge)
        .await
        .refused(401, "LOGIN_FAILED");
}

#[tokio::test]
async fn twenty_uses_at_one_instant_open_one_session() {
    let (server, client, ann) = employee().await;
    let challenge = request_code(&client, &ann).await;
    let code = server.console().code(&ann.email).await;
    let uses = (0..20).map(|n| {
        let (client, ann, code, challenge) = (&client, &ann, &code, &challenge);
        async move {
            if n % 2 == 0 {
                type_code(client, ann, &**code).await
            } else {
                type_code_with(client, ann, code, challenge).await
            }
        }
    });
    let opened: Vec<u16> = join_all(uses).await.iter().map(|reply| reply.status).collect();
    assert_eq!(
        opened.iter().filter(|status| **status == 200).count(),
        1,
        "{opened:?}"
    );
    assert!(
        opened.iter().all(|status| matches!(status, 200 | 401 | 409)),
        "{opened:?}"
    );
}

#[tokio::test]
async fn five_wrong_tries_end_a_code_even_without_limits() {
    let (server, client, ann) = employee().await;
    request_code(&client, &ann).await;
    let code = server.console().code(&ann.email).await;
    for _ in 0..5 {
        type_code(&client, &ann, other_than(&code))
            .await
            .refused(401, "LOGIN_FAILED");
    }
    assert_eq!(
        type_code(&client, &ann, &*code).await.status,
        401,
        "the right code came too late"
    );
    // A new password step opens a new code.
    request_code(&client, &ann).await;
    let code = server.console().code(&ann.email).await;
    type_code(&client, &ann, code).await.expect(200).done();
}

#[tokio::test]
async fn four_wrong_tries_leave_the_fifth() {
    let (server, client, ann) = employee().await;
    request_code(&client, &ann).await;
    let code = server.console().code(&ann.email).await;
    for _ in 0..4 {
        type_code(&client, &ann, other_than(&code))
            .await
            .refused(401, "LOGIN_FAILED");
    }
    type_code(&client, &ann, code).await.expect(200).done();
}

#[tokio::test]
async fn sixty_guesses_at_one_instant_are_five_guesses() {
    let (server, client, ann) = employee().await;
    let challenge = request_code(&client, &ann).await;
    let code = server.console().code(&ann.email).await;
    let wrong = other_than(&code);
    join_all((0..60).map(|_| type_code_with(&client, &ann, &wrong, &challenge))).await;
    type_code_with(&client, &ann, &code, &challenge)
        .await
        .refused(401, "LOGIN_FAILED");
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
async fn a_stranger_elsewhere_cannot_burn_the_owners_code() {
    let (server, client, ann) = employee().await;
    request_code(&client, &ann).await;
    let code = server.console().code(&ann.email).await;
    let eve = server.client_from("127.0.0.66");
    for guess in 0..30 {
        type_code(&eve, &ann, format!("{guess:06}"))
            .await
            .refused(401, "LOGIN_FAILED");
    }
    type_code(&client, &ann, code).await.expect(200).done();
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
async fn twenty_five_requests_send_a_few_codes() {
    let server = Portcullis::setup().limited().config(EMPLOYEES).start().await;
    let client = server.client();
    let ann = client.sign_up_in("Employees", "ann").await;
    let mut limited = 0;
    for _ in 0..25 {
        let reply = client
            .post(
                "/api/Employees/requestCode",
                json!({ "email": ann.email, "password": PASSWORD }),
            )
            .await;
        match reply.status {
            200 => {}
            429 => {
                reply.refused(429, "TOO_MANY_REQUESTS");
                assert!(reply.header("retry-after").parse::<u32>().unwrap() > 0);
                limited += 1;
            }
            other => panic!("{other}: {}", reply.text),
        }
    }
    assert!(limited >= 19, "{limited}");
    assert!(
        server.console().codes_in_all() <= 6,
        "{}",
        server.console().text()
    );
}

#[tokio::test]
async fn one_address_cannot_send_codes_to_many_accounts() {
    let server = Portcullis::setup().limited().config(EMPLOYEES).start().await;
    let client = server.client();
    for n in 0..30 {
        let person = client.sign_up_in("Employees", &format!("user{n}")).await;
        client
            .post(
                "/api/Employees/requestCode",
                json!({ "email": person.email, "password": PASSWORD }),
            )
            .await
            .done();
    }
    assert!(
        (1..=20).contains(&server.console().codes_in_all()),
        "{}",
        server.console().codes_in_all()
    );
}

#[tokio::test]
async fn new_codes_do_not_renew_the_tries_of_an_account() {
    let config = format!("{EMPLOYEES}\n[limits.code_sends_per_account]\nburst = 100");
    let server = Portcullis::setup().limited().config(&config).start().await;
    let client = server.client();
    let ann = client.sign_up_in("Employees", "ann").await;
    let mut judged = 0;
    'guessing: for _ in 0..10 {
        let asked = client
            .post(
                "/api/Employees/requestCode",
                json!({ "email": ann.email, "password": PASSWORD }),
            )
            .await;
        if asked.status == 429 {
            break;
        }
        let challenge = asked.expect(200).at("challenge");
        let code = server.console().code(&ann.email).await;
        for _ in 0..4 {
            match type_code_with(&client, &ann, &other_than(&code), &challenge)
                .await
                .status
            {
                401 => judged += 1,
                429 => break 'guessing,
                other => panic!("{other}"),
            }
        }
    }
    assert!((5..=20).contains(&judged), "{judged} guesses were judged");
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
