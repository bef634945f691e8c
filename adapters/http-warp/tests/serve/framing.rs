//! Bytes that are no plain HTTP/1.1.

use super::*;

#[tokio::test]
async fn ambiguous_framing_is_400_and_nothing_after_it_is_served() {
    let server = Server::start(config()).await;
    let smuggled = "GET /peer HTTP/1.1\r\nHost: a\r\n\r\n";
    for head in [
        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n",
        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nhi",
        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2, 2\r\n\r\nhi",
        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: +2\r\n\r\nhi",
        "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        "POST /echo HTTP/1.1\r\nHost: a\r\nX: 1\r\n Content-Length: 2\r\n\r\n",
        "GET /peer HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        "GET /peer HTTP/1.1\r\nHost: a\r\nX: \0\r\n\r\n",
        "GET /peer HTTP/1.1\nHost: a\n\n",
    ] {
        let answer = server.say(format!("{head}{smuggled}")).await;
        assert!(
            answer.starts_with("HTTP/1.1 400 "),
            "{head:?} was answered {answer:?}"
        );
        assert_eq!(
            answer.matches("HTTP/1.1").count(),
            1,
            "{head:?} was answered {answer:?}"
        );
    }
}

#[tokio::test]
async fn a_refused_request_does_not_spoil_the_one_before_it() {
    let server = Server::start(config()).await;
    let answer = server
        .say("GET /peer HTTP/1.1\r\nHost: a\r\n\r\nGET /peer HTTP/1.1\nHost: a\n\n")
        .await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    assert!(answer.contains("127.0.0.1 falseHTTP/1.1 400 "), "{answer}");
}

#[tokio::test]
async fn other_protocols_on_the_plain_port_are_hung_up_on() {
    let server = Server::start(ServeConfig {
        header_timeout: Duration::from_secs(2),
        ..config()
    })
    .await;
    let hello = b"\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03".to_vec();
    for bytes in [
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0".to_vec(),
        hello,
        vec![0; 64],
    ] {
        let answer = server.say(&bytes).await;
        assert!(
            answer.is_empty() || answer.starts_with("HTTP/1.1 400 "),
            "{bytes:?}: {answer:?}"
        );
    }
    server.until("all closed", |counts| counts.open == 0).await;
}
