//! Attacks on the code: every hole of the two-factor article's published code, closed.

use e2e::{PASSWORD, Portcullis};
use futures_util::future::join_all;
use serde_json::json;

use crate::two_factor::{EMPLOYEES, employee, other_than, request_code, type_code, type_code_with};

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
