//! Slow, silent and resting clients.

use super::*;

#[tokio::test]
async fn dripping_heads_are_cut_off_while_others_are_served() {
    let server = Server::start(ServeConfig {
        header_timeout: Duration::from_secs(2),
        ..config()
    })
    .await;
    let mut drips = Vec::new();
    for _ in 0..40 {
        let mut stream = server.connect().await;
        stream.write_all(b"GET /peer HTTP/1.1\r\nX: ").await.unwrap();
        drips.push(tokio::spawn(async move { drip(&mut stream, b'x').await }));
    }
    let mut other = server.connect().await;
    ask(&mut other, "/peer", "127.0.0.1").await;
    for drip in drips {
        drip.await.unwrap();
    }
    ask(&mut other, "/peer", "127.0.0.1").await;
    assert_eq!(server.counters.read().slow_heads, 40);
}

#[tokio::test]
async fn a_silent_caller_is_cut_off_and_a_resting_one_may_stay() {
    let server = Server::start(ServeConfig {
        header_timeout: SHORT,
        ..config()
    })
    .await;
    let mut resting = server.connect().await;
    ask(&mut resting, "/peer", "127.0.0.1").await;
    let mut silent = server.connect().await;
    assert_eq!(to_the_end(&mut silent).await, "");
    server
        .until("one silent caller", |counts| {
            counts.slow_heads == 1 && counts.open == 1
        })
        .await;
    ask(&mut resting, "/peer", "127.0.0.1").await;
}

#[tokio::test]
async fn a_head_begun_on_a_kept_connection_has_its_deadline_too() {
    let server = Server::start(ServeConfig {
        header_timeout: SHORT,
        ..config()
    })
    .await;
    let mut stream = server.connect().await;
    ask(&mut stream, "/peer", "127.0.0.1").await;
    stream.write_all(b"GET /pe").await.unwrap();
    assert_eq!(to_the_end(&mut stream).await, "");
}

#[tokio::test]
async fn a_connection_that_rests_too_long_is_closed() {
    let server = Server::start(ServeConfig {
        idle_timeout: SHORT,
        ..config()
    })
    .await;
    let mut stream = server.connect().await;
    ask(&mut stream, "/peer", "127.0.0.1").await;
    assert_eq!(to_the_end(&mut stream).await, "");
    server
        .until("rested", |counts| counts.rested == 1 && counts.open == 0)
        .await;
}

#[tokio::test]
async fn dripping_bodies_are_answered_408_while_others_are_served() {
    let server = Server::start(ServeConfig {
        body_timeout: SHORT,
        ..config()
    })
    .await;
    for framing in ["Content-Length: 900", "Transfer-Encoding: chunked"] {
        let mut stream = server.connect().await;
        let head = format!("POST /echo HTTP/1.1\r\nHost: a\r\n{framing}\r\n\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        let (mut reading, mut writing) = stream.into_split();
        let dripping = tokio::spawn(async move { drip(&mut writing, b'1').await });
        assert!(
            server
                .say("GET /peer HTTP/1.0\r\n\r\n")
                .await
                .contains("127.0.0.1")
        );
        expect(&mut reading, "HTTP/1.1 408 ").await;
        dripping.await.unwrap();
    }
    server.until("all closed", |counts| counts.open == 0).await;
}

#[tokio::test]
async fn a_client_that_does_not_take_its_answer_is_cut_off() {
    let server = Server::start(ServeConfig {
        write_timeout: SHORT,
        ..config()
    })
    .await;
    let mut stream = server.connect().await;
    stream
        .write_all(b"GET /huge HTTP/1.1\r\nHost: a\r\n\r\n")
        .await
        .unwrap();
    server
        .until("slow reader", |counts| {
            counts.slow_readers == 1 && counts.open == 0
        })
        .await;
}
