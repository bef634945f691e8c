//! Requests that no filter may see, and what becomes of a filter that fails.

use super::*;

/// The one answer, refused in LoopBack's words, with the connection closed behind it.
async fn refused(server: &Server, request: &str) {
    let next = "GET /peer HTTP/1.1\r\nHost: a\r\n\r\n";
    let answer = server.say(format!("{request}{next}")).await;
    assert!(
        answer.starts_with("HTTP/1.1 400 ") || answer.starts_with("HTTP/1.0 400 "),
        "{request:?} was answered {answer:?}"
    );
    assert_eq!(
        answer.matches("HTTP/1.").count(),
        1,
        "{request:?} was answered {answer:?}"
    );
    let head = answer.to_lowercase();
    assert!(
        head.contains("\r\nconnection: close\r\n") || head.starts_with("http/1.0"),
        "{answer}"
    );
    if !request.starts_with("HEAD") {
        let (_, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(
            body.starts_with("{\"error\":{\"statusCode\":400,\"name\":\"Error\",\"message\":\""),
            "{answer}"
        );
    }
}

#[tokio::test]
async fn a_target_without_a_path_is_400_and_reaches_no_filter() {
    let server = Server::start(config()).await;
    for request in [
        "CONNECT evil:80 HTTP/1.1\r\nHost: evil:80\r\n\r\n",
        "CONNECT evil:80 HTTP/1.0\r\n\r\n",
        "CONNECT /peer HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET evil HTTP/1.1\r\nHost: a\r\n\r\n",
        "HEAD evil:80 HTTP/1.1\r\nHost: a\r\n\r\n",
        "POST evil:80 HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi",
        "OPTIONS evil HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET * HTTP/1.1\r\nHost: a\r\n\r\n",
    ] {
        refused(&server, request).await;
    }
    assert_eq!(server.counters.read().broken, 0);
}

#[tokio::test]
async fn the_asterisk_of_options_and_an_absolute_target_are_served() {
    let server = Server::start(config()).await;
    for (target, path) in [
        ("OPTIONS *", "*"),
        ("GET http://a/x", "/x"),
        ("GET http://a", "/"),
        ("GET http://a?x", "/"),
    ] {
        let answer = server
            .say(format!(
                "{target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
            ))
            .await;
        assert!(
            answer.starts_with("HTTP/1.1 200 ") && answer.ends_with(&format!("\r\n\r\n{path}")),
            "{target} was answered {answer:?}"
        );
    }
}

#[tokio::test]
async fn http_1_1_without_a_host_is_400_and_http_1_0_is_not() {
    let server = Server::start(config()).await;
    refused(&server, "GET /peer HTTP/1.1\r\n\r\n").await;
    refused(&server, "GET http://a/peer HTTP/1.1\r\nX-Host: a\r\n\r\n").await;
    refused(&server, "POST /echo HTTP/1.1\r\nContent-Length: 2\r\n\r\nhi").await;
    let old = server.say("GET /peer HTTP/1.0\r\n\r\n").await;
    assert!(old.contains(" 200 ") && old.ends_with("127.0.0.1 false"), "{old}");
    // An empty Host is a Host: what a client sends whose target has no authority (RFC 9112 section 3.2).
    let empty = server
        .say("GET /peer HTTP/1.1\r\nHost:\r\nConnection: close\r\n\r\n")
        .await;
    assert!(empty.starts_with("HTTP/1.1 200 "), "{empty}");
}

#[tokio::test]
async fn a_panic_is_answered_500_and_costs_nobody_else() {
    let server = Server::start(config()).await;
    let mut other = server.connect().await;
    ask(&mut other, "/peer", "127.0.0.1").await;
    let answer = server
        .say("GET /broken HTTP/1.1\r\nHost: a\r\n\r\nGET /peer HTTP/1.1\r\nHost: a\r\n\r\n")
        .await;
    assert!(answer.starts_with("HTTP/1.1 500 "), "{answer:?}");
    assert_eq!(answer.matches("HTTP/1.1").count(), 1, "{answer}");
    assert!(
        answer.to_lowercase().contains("\r\nconnection: close\r\n"),
        "{answer}"
    );
    assert!(
        answer.ends_with("{\"error\":{\"statusCode\":500,\"message\":\"Internal Server Error\"}}"),
        "{answer}"
    );
    ask(&mut other, "/peer", "127.0.0.1").await;
}
