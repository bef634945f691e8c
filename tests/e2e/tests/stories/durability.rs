//! What was acknowledged is kept, whatever becomes of the process.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use e2e::{Client, PASSWORD, Person, Portcullis, in_link};
use futures_util::future::join_all;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// Signs up and logs in, over and over, until the server is gone; what was acknowledged.
async fn write(client: Client, writer: usize, acknowledged: &AtomicUsize) -> Vec<(Person, Option<String>)> {
    let mut kept = Vec::new();
    for number in 1.. {
        let email = format!("user{writer}-{number}@example.com");
        let body = json!({ "email": email, "password": PASSWORD });
        let made = client
            .try_send(client.request("POST", "/api/Users").json(&body))
            .await;
        let Ok(made) = made else { break };
        assert_eq!(made.status, 200, "{}", made.text);
        acknowledged.fetch_add(1, Ordering::Relaxed);
        let (pool, id) = ("/api/Users".to_owned(), made.at("id"));
        let password = PASSWORD.to_owned();
        let logged_in = client
            .try_send(client.request("POST", "/api/Users/login").json(&body))
            .await;
        let token = logged_in
            .ok()
            .filter(|reply| reply.status == 200)
            .map(|reply| reply.at("id"));
        kept.push((
            Person {
                pool,
                id,
                email,
                password,
            },
            token,
        ));
    }
    kept
}

#[tokio::test]
async fn kill_9_in_a_burst_of_sign_ups_loses_nothing_acknowledged() {
    let mut server = Portcullis::start().await;
    let acknowledged = AtomicUsize::new(0);
    let writers: Vec<_> = (0..8)
        .map(|writer| (server.client_from(&format!("127.0.0.{}", writer + 10)), writer))
        .collect();
    let writing = join_all(
        writers
            .into_iter()
            .map(|(client, writer)| write(client, writer, &acknowledged)),
    );
    let killing = async {
        while acknowledged.load(Ordering::Relaxed) < 40 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        server.kill();
    };
    let (kept, ()) = futures_util::future::join(writing, killing).await;
    let kept: Vec<(Person, Option<String>)> = kept.into_iter().flatten().collect();
    assert!(kept.len() >= 40);
    let server = server.same_setup().start().await;
    let client = server.client();
    for (person, token) in &kept {
        if let Some(token) = token {
            assert!(client.opens(token, person).await, "{}", person.email);
        }
    }
    for (person, _) in &kept {
        client.log_in(person).await;
    }
    // What was on its way is there as a whole or can be made.
    for writer in 0..8 {
        let known = kept
            .iter()
            .filter(|(person, _)| person.email.starts_with(&format!("user{writer}-")));
        let next = format!("user{writer}-{}@example.com", known.count() + 1);
        let body = json!({ "email": next, "password": PASSWORD });
        let made = client.post("/api/Users", body.clone()).await;
        assert!(matches!(made.status, 200 | 422), "{}", made.text);
        client.post("/api/Users/login", body).await.expect(200).done();
    }
}

#[tokio::test]
async fn a_logout_survives_kill_9() {
    let server = Portcullis::start().await;
    let client = server.client();
    let ann = client.sign_up("ann").await;
    let (ended, live) = (client.log_in(&ann).await, client.log_in(&ann).await);
    client
        .with(&ended)
        .post("/api/Users/logout", json!({}))
        .await
        .expect(204)
        .done();
    let server = server.kill_and_restart().await;
    let client = server.client();
    assert!(!client.opens(&ended, &ann).await && client.opens(&live, &ann).await);
}

#[tokio::test]
async fn a_spent_code_and_its_session_survive_kill_9() {
    let server = Portcullis::with("[users.Employees]\nsecond_factor = \"required\"").await;
    let client = server.client();
    let ann = client.sign_up_in("Employees", "ann").await;
    let challenge = client
        .post(
            "/api/Employees/requestCode",
            json!({ "email": ann.email, "password": PASSWORD }),
        )
        .await
        .at("challenge");
    let code = server.console().code(&ann.email).await;
    let typed = json!({ "email": ann.email, "twofactor": code, "challenge": challenge });
    let token = client
        .post("/api/Employees/loginWithCode", typed.clone())
        .await
        .expect(200)
        .at("id");
    let server = server.kill_and_restart().await;
    let client = server.client();
    client
        .post("/api/Employees/loginWithCode", typed)
        .await
        .refused(401, "LOGIN_FAILED");
    assert!(client.opens(&token, &ann).await);
}

#[tokio::test]
async fn a_pending_login_and_its_tries_survive_kill_9() {
    let server = Portcullis::with("[users.Employees]\nsecond_factor = \"required\"").await;
    let client = server.client();
    let (ann, bob) = (
        client.sign_up_in("Employees", "ann").await,
        client.sign_up_in("Employees", "bob").await,
    );
    for person in [&ann, &bob] {
        client
            .post(
                "/api/Employees/requestCode",
                json!({ "email": person.email, "password": PASSWORD }),
            )
            .await
            .expect(200)
            .done();
    }
    let (of_ann, of_bob) = (
        server.console().code(&ann.email).await,
        server.console().code(&bob.email).await,
    );
    let wrong = if of_bob == "000000" { "000001" } else { "000000" };
    for _ in 0..5 {
        client
            .post(
                "/api/Employees/loginWithCode",
                json!({ "email": bob.email, "twofactor": wrong }),
            )
            .await
            .expect(401)
            .done();
    }
    let server = server.kill_and_restart().await;
    let client = server.client();
    client
        .post(
            "/api/Employees/loginWithCode",
            json!({ "email": ann.email, "twofactor": of_ann }),
        )
        .await
        .expect(200)
        .done();
    client
        .post(
            "/api/Employees/loginWithCode",
            json!({ "email": bob.email, "twofactor": of_bob }),
        )
        .await
        .expect(401)
        .done();
}

#[tokio::test]
async fn a_reset_survives_kill_9_and_works_once() {
    let server = Portcullis::start().await;
    let client = server.client();
    let ann = client.sign_up("ann").await;
    client
        .post("/api/Users/reset", json!({ "email": ann.email }))
        .await
        .expect(204)
        .done();
    let token = in_link(&server.console().link(&ann.email, 0).await, "token");
    let server = server.kill_and_restart().await;
    let new = json!({ "newPassword": "another long password" });
    server
        .client()
        .with(&token)
        .post("/api/Users/reset-password", new.clone())
        .await
        .expect(204)
        .done();
    let server = server.kill_and_restart().await;
    let client = server.client();
    client
        .with(&token)
        .post("/api/Users/reset-password", new)
        .await
        .expect(401)
        .done();
    assert_eq!(
        (
            client.try_password(&ann, "another long password").await,
            client.try_password(&ann, PASSWORD).await
        ),
        (200, 401)
    );
}

#[tokio::test]
async fn kill_9_inside_a_password_change_leaves_one_password() {
    let mut server = Portcullis::start().await;
    let ann = server.client().sign_up("ann").await;
    let mut current = PASSWORD.to_owned();
    for round in 0..8_u64 {
        let client = server.client();
        let token = client
            .log_in(&Person {
                password: current.clone(),
                ..ann.clone()
            })
            .await;
        let next = format!("password of round {round}");
        let me = client.with(&token);
        let body = json!({ "oldPassword": current, "newPassword": next });
        let changing = async {
            me.try_send(me.request("POST", "/api/Users/change-password").json(&body))
                .await
        };
        let killing = async {
            tokio::time::sleep(Duration::from_millis(round * 12)).await;
            server.kill();
        };
        let (acknowledged, ()) = futures_util::future::join(changing, killing).await;
        server = server.same_setup().start().await;
        let client = server.client();
        let opened = (
            client.try_password(&ann, &current).await == 200,
            client.try_password(&ann, &next).await == 200,
        );
        assert!(opened.0 != opened.1, "round {round}: {opened:?}");
        if acknowledged.is_ok_and(|reply| reply.status == 204) {
            assert!(opened.1, "round {round}: it was acknowledged");
        }
        if opened.1 {
            current = next;
        }
    }
}

#[tokio::test]
async fn a_second_process_on_the_same_files_is_told_so() {
    let server = Portcullis::start().await;
    if !server.same_setup().keeps_to_its_folder() {
        // Stores far away are there for many.
        return;
    }
    let (status, said) = server.same_setup().run(&[]).await;
    assert!(!status.success());
    assert!(
        said.contains("is in use: another process has opened this database"),
        "{said}"
    );
    assert!(!said.contains("panicked"), "{said}");
    server.client().get("/readyz").await.expect(200).done();
}

#[tokio::test]
async fn a_second_process_on_the_same_port_is_told_so() {
    let server = Portcullis::start().await;
    let listen = format!("127.0.0.1:{}", server.port());
    let other = Portcullis::setup().variable("PORTCULLIS__SERVER__LISTEN", &listen);
    let (status, said) = other.run(&[]).await;
    assert!(!status.success());
    assert!(
        said.contains(&format!("port {} is already in use", server.port())),
        "{said}"
    );
    assert!(!other.home().join("data").exists(), "it touched no file");
}

/// Begins a login and leaves the last byte of its body unsent.
async fn begin_login(server: &Portcullis, person: &Person) -> (TcpStream, u8) {
    let body = json!({ "email": person.email, "password": PASSWORD }).to_string();
    let head = format!(
        "POST /api/Users/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    let mut stream = TcpStream::connect(("127.0.0.1", server.port())).await.unwrap();
    let (last, rest) = body.as_bytes().split_last().unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(rest).await.unwrap();
    (stream, *last)
}

/// Whether new callers are refused, at the latest after some seconds: those who were in the queue when the end began are still
/// answered.
async fn takes_no_connection(server: &Portcullis) -> bool {
    for _ in 0..100 {
        let fresh = server.client();
        let reply = fresh.try_send(fresh.request("GET", "/healthz")).await;
        if reply.is_err() || reply.is_ok_and(|reply| reply.status == 503) {
            return true;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    false
}

#[tokio::test]
async fn sigterm_lets_a_running_login_finish_and_takes_no_other() {
    let mut server = Portcullis::start().await;
    let client = server.client();
    let ann = client.sign_up("ann").await;
    let session = client.log_in(&ann).await;
    let (mut running, last) = begin_login(&server, &ann).await;
    // Until the head was read the request is not running: another request on another connection, later, was answered.
    tokio::time::sleep(Duration::from_millis(200)).await;
    client.get("/healthz").await.expect(200).done();
    server.ask_to_end();
    server
        .log()
        .wait("the beginning of the end", 0, |line| {
            line.contains("shutting down").then_some(())
        })
        .await;
    assert!(takes_no_connection(&server).await, "it takes no new connection");
    running.write_all(&[last]).await.unwrap();
    let mut answer = String::new();
    running.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    let status = server.ended().await;
    assert!(status.success(), "{status}");
    let token = answer.split("\"id\":\"").nth(1).unwrap()[..64].to_owned();
    let server = server.same_setup().start().await;
    let client = server.client();
    assert!(client.opens(&token, &ann).await && client.opens(&session, &ann).await);
}

#[tokio::test]
async fn sigterm_under_load_answers_or_closes_but_never_lies() {
    let mut server = Portcullis::start().await;
    let client = server.client();
    let ann = client.sign_up("ann").await;
    let logins = join_all((0..12).map(|_| {
        let client = server.client();
        let body = json!({ "email": ann.email, "password": PASSWORD });
        async move {
            client
                .try_send(client.request("POST", "/api/Users/login").json(&body))
                .await
        }
    }));
    let ending = async {
        tokio::time::sleep(Duration::from_millis(60)).await;
        server.ask_to_end();
    };
    let (replies, ()) = futures_util::future::join(logins, ending).await;
    assert!(server.ended().await.success());
    let server = server.same_setup().start().await;
    for reply in replies.into_iter().flatten() {
        match reply.status {
            200 => assert!(server.client().opens(&reply.at("id"), &ann).await),
            503 => {}
            other => panic!("{other}: {}", reply.text),
        }
    }
}
