//! Too large, too many.

use super::*;

#[tokio::test]
async fn an_announced_gigabyte_is_refused_at_once_and_the_answer_arrives() {
    let server = Server::start(config()).await;
    let mut stream = server.connect().await;
    stream
        .write_all(b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1073741824\r\n\r\n")
        .await
        .unwrap();
    // A client of the usual kind: it sends first and reads later.
    stream.write_all(&vec![b'x'; 400_000]).await.unwrap();
    let answer = to_the_end(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    assert_eq!(answer.matches("HTTP/1.1").count(), 1, "{answer}");
}

#[tokio::test]
async fn a_body_that_announces_nothing_is_bounded_too() {
    let server = Server::start(config()).await;
    let head = "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    let endless = format!("{head}{}", "64\r\n".to_owned() + &"y".repeat(100) + "\r\n").into_bytes();
    let chunk = endless[head.len()..].to_vec();
    let answer = server.say([endless, chunk.repeat(20)].concat()).await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    let fitting = server
        .say(format!("{head}2\r\nhi\r\n0\r\n\r\nGET /peer HTTP/1.0\r\n\r\n"))
        .await;
    assert!(
        fitting.contains("hi") && fitting.ends_with("127.0.0.1 false"),
        "{fitting}"
    );
}

#[tokio::test]
async fn a_huge_head_is_431() {
    let server = Server::start(config()).await;
    let answer = server
        .say(format!("GET /peer HTTP/1.1\r\nX: {}\r\n\r\n", "x".repeat(20_000)))
        .await;
    assert!(answer.starts_with("HTTP/1.1 431 "), "{answer}");
    let many = server
        .say(format!("GET /peer HTTP/1.1\r\n{}\r\n", "X: 1\r\n".repeat(200)))
        .await;
    assert!(many.starts_with("HTTP/1.1 431 "), "{many}");
}

#[tokio::test]
async fn callers_beyond_the_bound_get_503_until_a_place_is_free() {
    for bounds in [(2, 100), (100, 2)] {
        let (max_connections, max_connections_per_address) = bounds;
        let server = Server::start(ServeConfig {
            max_connections,
            max_connections_per_address,
            ..config()
        })
        .await;
        let (mut first, mut second) = (server.connect().await, server.connect().await);
        ask(&mut first, "/peer", "127.0.0.1").await;
        ask(&mut second, "/peer", "127.0.0.1").await;
        let answer = server.say("GET /peer HTTP/1.1\r\nHost: a\r\n\r\n").await;
        assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
        assert!(answer.contains("TOO_MANY_CONNECTIONS"), "{answer}");
        drop(first);
        server.until("a free place", |counts| counts.open == 1).await;
        ask(&mut server.connect().await, "/peer", "127.0.0.1").await;
        ask(&mut second, "/peer", "127.0.0.1").await;
        let counts = server.counters.read();
        assert_eq!(counts.refused_full + counts.refused_address, 1);
    }
}

#[tokio::test]
async fn three_hundred_idle_and_vanished_callers_leave_the_service_going() {
    let server = Server::start(config()).await;
    let mut idle = Vec::new();
    for _ in 0..300 {
        idle.push(server.connect().await);
    }
    for _ in 0..60 {
        let mut vanishing = server.connect().await;
        vanishing
            .write_all(b"GET /wait HTTP/1.1\r\nHost: a\r\n\r\n")
            .await
            .unwrap();
    }
    ask(&mut server.connect().await, "/peer", "127.0.0.1").await;
    server
        .until("only the idle are left", |counts| {
            counts.accepted == 361 && counts.open == 300
        })
        .await;
}
