//! Limits on everything that can be guessed or made expensive, as they are by default.

use std::time::Duration;

use e2e::{Client, PASSWORD, Person, Portcullis, Reply};
use futures_util::future::join_all;
use serde_json::json;

/// Believes what a proxy on this machine says about where a client is.
const PROXIED: &str = "[server]\ntrusted_proxies = [\"127.0.0.1\"]";

async fn guess(client: &Client, email: &str, password: &str) -> Reply {
    client
        .post(
            "/api/Users/login",
            json!({ "email": email, "password": password }),
        )
        .await
}

/// The same, for a client somewhere behind the proxy.
async fn guess_from(client: &Client, address: &str, email: &str, password: &str) -> Reply {
    let request = client
        .request("POST", "/api/Users/login")
        .header("X-Forwarded-For", address);
    client
        .send(request.json(&json!({ "email": email, "password": password })))
        .await
}

#[track_caller]
fn is_limited(reply: &Reply) {
    reply.refused(429, "TOO_MANY_REQUESTS");
    let wait: u32 = reply.header("retry-after").parse().unwrap();
    assert!(wait > 0);
}

async fn ann() -> (Portcullis, Client, Person) {
    let server = Portcullis::setup().limited().config(PROXIED).start().await;
    let client = server.client();
    let ann = client.sign_up("ann").await;
    (server, client, ann)
}

#[tokio::test]
async fn twenty_wrong_passwords_from_one_address_end_in_a_wait_even_for_the_right_one() {
    let (_server, client, ann) = ann().await;
    let mut statuses = Vec::new();
    for n in 0..20 {
        statuses.push(guess(&client, &ann.email, &format!("wrong {n}")).await.status);
    }
    assert_eq!(statuses[0], 401);
    assert_eq!(statuses[19], 429, "{statuses:?}");
    is_limited(&guess(&client, &ann.email, PASSWORD).await);
}

#[tokio::test]
async fn a_hundred_addresses_do_not_help_against_one_account() {
    let (_server, client, ann) = ann().await;
    let mut judged = 0;
    for n in 0..102 {
        let reply = guess_from(&client, &format!("198.51.100.{n}"), &ann.email, "something else").await;
        judged += u32::from(reply.status == 401);
    }
    assert!((10..=100).contains(&judged), "{judged} were judged");
    is_limited(&guess_from(&client, "203.0.113.1", &ann.email, PASSWORD).await);
}

#[tokio::test]
async fn one_address_cannot_spray_many_accounts() {
    let (_server, client, _) = ann().await;
    let mut judged = 0;
    for n in 0..40 {
        judged += u32::from(
            guess(&client, &format!("user{n}@example.com"), "a common guess")
                .await
                .status
                == 401,
        );
    }
    assert!(judged <= 25, "{judged} were judged");
}

#[tokio::test]
async fn spellings_of_a_name_share_one_counter() {
    let (_server, client, ann) = ann().await;
    client
        .with(&client.log_in(&ann).await)
        .patch(&ann.path(), json!({ "username": "Ann" }))
        .await
        .expect(200)
        .done();
    let mut judged = 0;
    for n in 0..60 {
        let address = format!("198.51.100.{n}");
        let name = match n % 4 {
            0 => json!({ "email": "ann@example.com" }),
            1 => json!({ "email": "ANN@EXAMPLE.COM" }),
            2 => json!({ "username": "ann" }),
            _ => json!({ "username": "ＡＮＮ" }),
        };
        let mut body = name;
        body["password"] = json!("something else");
        let request = client
            .request("POST", "/api/Users/login")
            .header("X-Forwarded-For", address);
        judged += u32::from(client.send(request.json(&body)).await.status == 401);
    }
    assert!(judged <= 55, "{judged} were judged");
    is_limited(&guess_from(&client, "203.0.113.1", "Ann@Example.com", PASSWORD).await);
}

#[tokio::test]
async fn a_few_foreign_failures_do_not_lock_the_owner_out() {
    let (_server, client, ann) = ann().await;
    let token = client.log_in(&ann).await;
    for _ in 0..12 {
        guess_from(&client, "198.51.100.66", &ann.email, "something else")
            .await
            .done();
    }
    guess_from(&client, "203.0.113.1", &ann.email, PASSWORD)
        .await
        .expect(200)
        .done();
    assert!(client.opens(&token, &ann).await);
}

#[tokio::test]
async fn sixty_guesses_at_one_instant_are_no_more_than_the_limit() {
    let (_server, client, ann) = ann().await;
    let replies = join_all((0..60).map(|_| guess(&client, &ann.email, "something else"))).await;
    let judged = replies.iter().filter(|reply| reply.status == 401).count();
    assert!((1..=13).contains(&judged), "{judged} were judged");
    assert!(
        replies
            .iter()
            .all(|reply| matches!(reply.status, 401 | 429 | 503))
    );
}

#[tokio::test]
async fn ones_own_success_wipes_out_no_counter() {
    let (_server, client, ann) = ann().await;
    let eve = client.sign_up("eve").await;
    let mut judged = 0;
    for n in 0..30 {
        let own = guess(&client, &eve.email, PASSWORD).await.status;
        assert!(own == 200 || own == 429);
        judged += u32::from(guess(&client, &ann.email, &format!("wrong {n}")).await.status == 401);
    }
    assert!(judged <= 13, "{judged} were judged");
}

#[tokio::test]
async fn success_costs_nothing() {
    let (_server, client, ann) = ann().await;
    for _ in 0..40 {
        client.log_in(&ann).await;
    }
}

#[tokio::test]
async fn after_a_wait_the_next_failure_waits_at_once() {
    let quick = "[limits.login_per_account_and_address]\nfree = 2\nwait_seconds = 1\nmax_wait_seconds = 4";
    let server = Portcullis::setup().limited().config(quick).start().await;
    let client = server.client();
    let ann = client.sign_up("ann").await;
    let wrong = async || guess(&client, &ann.email, "something else").await;
    assert_eq!((wrong().await.status, wrong().await.status), (401, 401));
    is_limited(&wrong().await);
    tokio::time::sleep(Duration::from_millis(1100)).await;
    assert_eq!(wrong().await.status, 401);
    let second = wrong().await;
    is_limited(&second);
    assert_eq!(second.header("retry-after"), "2", "the wait doubles");
}

#[tokio::test]
async fn an_ipv6_network_is_one_client_and_so_is_every_spelling_of_an_address() {
    for spellings in [
        [
            "2001:db8:1:2::1",
            "2001:db8:1:2:ffff::9",
            "2001:0DB8:0001:0002:0000:0000:0000:0007",
            "[2001:db8:1:2:a:b:c:d]:4711",
        ],
        [
            "198.51.100.7",
            "::ffff:198.51.100.7",
            "198.51.100.7:4711",
            "::ffff:c633:6407",
        ],
    ] {
        let (_server, client, ann) = ann().await;
        let mut last = 0;
        for n in 0..16 {
            last = guess_from(&client, spellings[n % 4], &ann.email, "something else")
                .await
                .status;
        }
        assert_eq!(last, 429, "{spellings:?}");
        guess_from(&client, "2001:db8:1:3::1", &ann.email, PASSWORD)
            .await
            .expect(200)
            .done();
    }
}

#[tokio::test]
async fn a_forged_address_of_a_stranger_is_not_believed() {
    let server = Portcullis::setup().limited().start().await;
    let client = server.client();
    let ann = client.sign_up("ann").await;
    let mut judged = 0;
    for n in 0..30 {
        let mut request = client.request("POST", "/api/Users/login");
        for name in [
            "X-Forwarded-For",
            "X-Real-IP",
            "True-Client-IP",
            "CF-Connecting-IP",
            "X-Client-IP",
        ] {
            request = request.header(name, format!("198.51.100.{n}"));
        }
        let request = request.header("Forwarded", format!("for=198.51.100.{n}"));
        let body = json!({ "email": ann.email, "password": "something else" });
        judged += u32::from(client.send(request.json(&body)).await.status == 401);
    }
    assert!(judged <= 9, "{judged} were judged");
}

#[tokio::test]
async fn what_a_client_wrote_before_the_proxy_is_not_believed() {
    let (_server, client, ann) = ann().await;
    let mut judged = 0;
    for n in 0..30 {
        let forwarded = format!("192.0.2.{n}, 198.51.100.7");
        judged += u32::from(
            guess_from(&client, &forwarded, &ann.email, "something else")
                .await
                .status
                == 401,
        );
    }
    assert!(judged <= 9, "{judged} were judged");
}

#[tokio::test]
async fn sign_ups_are_counted_per_address() {
    let server = Portcullis::setup()
        .limited()
        .config("[limits.sign_up_per_address]\nburst = 3")
        .start()
        .await;
    let body = |n: u32| json!({ "email": format!("user{n}@example.com"), "password": PASSWORD });
    let client = server.client();
    for n in 0..3 {
        client.post("/api/Users", body(n)).await.expect(200).done();
    }
    is_limited(&client.post("/api/Users", body(3)).await);
    let list = json!([body(4), body(5)]);
    let reply = client.post("/api/Users", list).await.expect(422);
    assert!(
        reply.header("retry-after").parse::<u32>().unwrap() > 0,
        "a list counts each of its users"
    );
    server
        .client_from("127.0.0.9")
        .post("/api/Users", body(3))
        .await
        .expect(200)
        .done();
}

#[tokio::test]
async fn mails_are_few_and_the_answer_stays_the_same() {
    let mut server = Portcullis::setup().limited().start().await;
    let client = server.client();
    let ann = client.sign_up("ann").await;
    for _ in 0..10 {
        client
            .post("/api/Users/reset", json!({ "email": ann.email }))
            .await
            .expect(204)
            .done();
        client
            .post(&format!("{}/verify", ann.path()), json!({}))
            .await
            .expect(204)
            .done();
    }
    server.settle().await;
    // Each kind has a budget of its own: whoever asks for one cannot stop the other.
    let mails = server.console().mails_in_all();
    assert!((2..=8).contains(&mails), "{mails} mails");
}

#[tokio::test]
async fn tokens_of_mails_cannot_be_guessed_without_end() {
    let server = Portcullis::setup()
        .limited()
        .config("[limits.token_tries_per_address]\nburst = 5")
        .start()
        .await;
    let client = server.client();
    let ann = client.sign_up("ann").await;
    let mut last = None;
    for n in 0..7 {
        last = Some(
            client
                .get(&format!("/api/Users/confirm?uid={}&token={n}", ann.id))
                .await,
        );
    }
    is_limited(&last.unwrap());
    let reset = client
        .with(&"A".repeat(64))
        .post(
            "/api/Users/reset-password",
            json!({ "newPassword": "another long password" }),
        )
        .await;
    is_limited(&reset);
}

#[tokio::test]
async fn the_current_password_cannot_be_guessed_with_a_stolen_session() {
    let (_server, client, ann) = ann().await;
    let thief = client.with(&client.log_in(&ann).await);
    let mut judged = 0;
    for n in 0..30 {
        let (path, body) = match n % 2 {
            0 => (
                "/api/Users/change-password",
                json!({ "oldPassword": format!("wrong {n}"), "newPassword": "another long password" }),
            ),
            _ => (
                "/api/Users/me",
                json!({ "currentPassword": format!("wrong {n}"), "password": "another long password" }),
            ),
        };
        let reply = if n % 2 == 0 {
            thief.post(path, body).await
        } else {
            thief.patch(path, body).await
        };
        match reply.status {
            400 => judged += 1,
            429 => is_limited(&reply),
            other => panic!("{other}: {}", reply.text),
        }
    }
    assert!(judged <= 13, "{judged} were judged");
}

#[tokio::test]
async fn limits_survive_kill_9() {
    let (server, client, ann) = ann().await;
    for _ in 0..10 {
        guess(&client, &ann.email, "something else").await.done();
    }
    is_limited(&guess(&client, &ann.email, PASSWORD).await);
    let server = server.kill_and_restart().await;
    is_limited(&guess(&server.client(), &ann.email, PASSWORD).await);
}
