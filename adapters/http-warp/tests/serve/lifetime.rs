//! From binding to the end of the drain.

use super::*;

#[tokio::test]
async fn a_filter_learns_who_is_at_the_other_end() {
    let server = Server::start(config()).await;
    let answer = server
        .say("GET /peer HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        .await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    assert!(answer.ends_with("127.0.0.1 false"), "{answer}");
}

#[tokio::test]
async fn a_shutdown_lets_a_running_request_finish() {
    let server = Server::start(config()).await;
    let mut resting = server.connect().await;
    ask(&mut resting, "/peer", "127.0.0.1").await;
    let mut busy = server.connect().await;
    busy.write_all(b"GET /wait HTTP/1.1\r\nHost: a\r\n\r\n")
        .await
        .unwrap();
    server.gate.reached.notified().await;
    server.stop.send(()).unwrap();
    assert_eq!(
        to_the_end(&mut resting).await,
        "",
        "a resting connection is closed at once"
    );
    assert!(
        TcpStream::connect(server.addr).await.is_err(),
        "nobody else is let in"
    );
    server.gate.open.notify_one();
    let answer = to_the_end(&mut busy).await;
    assert!(
        answer.starts_with("HTTP/1.1 200 ") && answer.ends_with("waited"),
        "{answer}"
    );
    assert_eq!(server.run.await.unwrap(), Drained { finished: 2, cut: 0 });
}

#[tokio::test]
async fn callers_still_in_the_queue_at_the_shutdown_are_answered() {
    const CALLERS: usize = 40;
    let server = Server::start(config()).await;
    let mut callers = Vec::new();
    // Blocking on purpose: on this one thread the accept loop sees neither a caller nor the shutdown before the last is in.
    for _ in 0..CALLERS {
        let mut caller = std::net::TcpStream::connect(server.addr).unwrap();
        std::io::Write::write_all(&mut caller, b"GET /peer HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
        caller.set_nonblocking(true).unwrap();
        callers.push(caller);
    }
    server.stop.send(()).unwrap();
    for caller in callers {
        let answer = to_the_end(&mut TcpStream::from_std(caller).unwrap()).await;
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer:?}");
        assert!(
            answer.to_lowercase().contains("\r\nconnection: close\r\n"),
            "{answer}"
        );
    }
    let drained = server.run.await.unwrap();
    assert_eq!(drained.cut, 0);
    assert_eq!(server.counters.read().accepted, 40);
}

#[tokio::test]
async fn a_first_request_just_behind_the_shutdown_is_answered_and_a_silent_caller_not_waited_for() {
    let server = Server::start(config()).await;
    let mut late = server.connect().await;
    let mut silent = server.connect().await;
    server.until("both are in", |counts| counts.open == 2).await;
    server.stop.send(()).unwrap();
    sleep(Duration::from_millis(50)).await;
    late.write_all(b"GET /peer HTTP/1.1\r\nHost: a\r\n\r\n")
        .await
        .unwrap();
    let answer = to_the_end(&mut late).await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer:?}");
    assert!(
        answer.to_lowercase().contains("\r\nconnection: close\r\n"),
        "{answer}"
    );
    assert_eq!(to_the_end(&mut silent).await, "");
    assert_eq!(server.run.await.unwrap(), Drained { finished: 2, cut: 0 });
}

#[tokio::test]
async fn a_drain_ends_even_when_a_request_does_not() {
    let server = Server::start(ServeConfig {
        drain_timeout: SHORT,
        ..config()
    })
    .await;
    let mut busy = server.connect().await;
    busy.write_all(b"GET /wait HTTP/1.1\r\nHost: a\r\n\r\n")
        .await
        .unwrap();
    server.gate.reached.notified().await;
    server.stop.send(()).unwrap();
    assert_eq!(
        timeout(PATIENCE, server.run).await.unwrap().unwrap(),
        Drained { finished: 0, cut: 1 }
    );
    assert_eq!(to_the_end(&mut busy).await, "");
}

#[tokio::test]
async fn a_taken_address_is_said_with_what_to_do() {
    let first = Listener::bind(config()).await.unwrap();
    let address = first.local_addrs()[0];
    let error = Listener::bind(ServeConfig {
        listen: vec![address],
        ..config()
    })
    .await
    .unwrap_err();
    assert!(matches!(error, BindError::InUse { address: taken } if taken == address));
    let said = error.to_string();
    for word in [
        &address.to_string(),
        "already taken",
        "portcullis",
        "server.listen",
    ] {
        assert!(said.contains(word), "{said}");
    }
    let nowhere = Listener::bind(ServeConfig {
        listen: vec![],
        ..config()
    })
    .await;
    assert!(matches!(nowhere, Err(BindError::NoAddress)));
}
