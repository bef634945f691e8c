//! What a server may do to us: nothing.
#![cfg(test)]

mod server;

use std::time::{Duration, Instant};

use http::Request;
use outbound_http::{Outbound, OutboundConfig, OutboundError};
use server::Server;

const FAST: Duration = Duration::from_millis(600);

fn outbound() -> Outbound {
    let config = OutboundConfig {
        total_timeout: FAST,
        ..OutboundConfig::default()
    };
    Outbound::new(config).unwrap()
}

fn get(address: &str) -> Request<Vec<u8>> {
    Request::get(address).body(Vec::new()).unwrap()
}

#[tokio::test]
async fn an_answer_comes_back_as_it_is() {
    let server = Server::answering(b"HTTP/1.1 418 Tea\r\nx-kept: yes\r\ncontent-length: 2\r\n\r\nhi").await;
    let request = Request::post(server.address("/a?b=c"))
        .header("content-type", "text/plain")
        .body(b"ping".to_vec())
        .unwrap();
    let answer = outbound().send(request).await.unwrap();
    assert_eq!(
        (answer.status().as_u16(), answer.body().as_slice()),
        (418, &b"hi"[..])
    );
    assert_eq!(answer.headers()["x-kept"], "yes");
    let heard = server.heard().await;
    assert!(heard.starts_with("POST /a?b=c HTTP/1.1\r\n"), "{heard}");
    assert!(heard.contains("user-agent: Portcullis/"), "{heard}");
    assert!(
        heard.contains("content-type: text/plain\r\n") && heard.ends_with("ping"),
        "{heard}"
    );
}

#[tokio::test]
async fn a_redirection_is_not_followed() {
    let other = Server::answering(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
    let location = other.address("/internal");
    let text = format!("HTTP/1.1 307 Moved\r\nlocation: {location}\r\ncontent-length: 0\r\n\r\n");
    let server = Server::answering(text.as_bytes()).await;
    let answer = outbound().send(get(&server.address("/"))).await.unwrap();
    assert_eq!(answer.status().as_u16(), 307);
    assert_eq!(other.connections(), 0);
}

#[tokio::test]
async fn a_body_announced_too_large_is_not_read() {
    let server = Server::answering(b"HTTP/1.1 200 OK\r\ncontent-length: 134217728\r\n\r\n").await;
    let error = outbound().send(get(&server.address("/"))).await.unwrap_err();
    assert!(
        matches!(error, OutboundError::TooLarge { limit: 1_048_576, .. }),
        "{error}"
    );
}

#[tokio::test]
async fn an_endless_body_is_cut_off_at_the_limit() {
    let server = Server::pouring(128 * 1024 * 1024).await;
    let error = outbound().send(get(&server.address("/"))).await.unwrap_err();
    assert!(matches!(error, OutboundError::TooLarge { .. }), "{error}");
    let poured = server.poured().await;
    assert!(poured < 32 * 1024 * 1024, "{poured} bytes were taken");
}

#[tokio::test]
async fn a_body_of_exactly_the_limit_is_read() {
    let server = Server::pouring(1024 * 1024).await;
    let answer = outbound().send(get(&server.address("/"))).await.unwrap();
    assert_eq!(answer.body().len(), 1024 * 1024);
}

#[tokio::test]
async fn a_server_that_hangs_is_left() {
    let server = Server::hanging().await;
    let started = Instant::now();
    let error = outbound()
        .send(get(&server.address("/?code=secret")))
        .await
        .unwrap_err();
    assert!(matches!(error, OutboundError::Timeout { .. }) && error.is_unavailable());
    assert!(started.elapsed() < FAST * 3);
    assert!(!format!("{error} {error:?}").contains("secret"));
}

#[tokio::test]
async fn a_body_that_drips_is_left_too() {
    let server = Server::dripping().await;
    let started = Instant::now();
    let error = outbound().send(get(&server.address("/"))).await.unwrap_err();
    assert!(matches!(error, OutboundError::Timeout { .. }), "{error}");
    assert!(started.elapsed() < FAST * 3);
}

#[tokio::test]
async fn nobody_there_is_told_with_the_host_alone() {
    let address = Server::closed().await;
    let error = outbound()
        .send(get(&format!("{address}/?token=secret")))
        .await
        .unwrap_err();
    assert!(
        matches!(error, OutboundError::Connect { .. }) && error.is_unavailable(),
        "{error:?}"
    );
    let told = format!("{error} {error:?}");
    assert!(told.contains("127.0.0.1") && !told.contains("secret"), "{told}");
}

#[tokio::test]
async fn a_request_that_may_have_arrived_is_not_repeated() {
    let server = Server::answering(b"").await;
    let request = Request::post(server.address("/"))
        .body(b"code=secret".to_vec())
        .unwrap();
    let error = outbound().send(request).await.unwrap_err();
    assert!(matches!(error, OutboundError::Broken { .. }), "{error}");
    assert_eq!(server.connections(), 1);
    assert!(!error.to_string().contains("secret"));
}

#[tokio::test]
async fn a_connection_that_does_not_come_about_is_tried_twice() {
    let server = Server::answering(b"HTTP/1.1 400 Bad\r\ncontent-length: 0\r\n\r\n").await;
    let address = server.address("/").replace("http:", "https:");
    let error = outbound().send(get(&address)).await.unwrap_err();
    assert!(matches!(error, OutboundError::Connect { .. }), "{error}");
    assert_eq!(server.connections(), 2);
}

#[tokio::test]
async fn another_machine_is_asked_over_tls_alone() {
    let error = outbound().send(get("http://issuer.example/a")).await.unwrap_err();
    assert!(matches!(error, OutboundError::Plaintext { .. }) && !error.is_unavailable());
    let error = outbound()
        .send(get("https://ann:secret@127.0.0.1/"))
        .await
        .unwrap_err();
    assert!(matches!(error, OutboundError::Address(_)) && !error.is_unavailable());
}

#[tokio::test]
async fn a_certificate_counts_once_its_authority_is_configured() {
    let (server, authority) = Server::over_tls().await;
    let error = outbound().send(get(&server.tls_address("/"))).await.unwrap_err();
    assert!(
        matches!(&error, OutboundError::Connect { reason, .. } if reason.contains("certificate")),
        "{error}"
    );

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ca.pem");
    std::fs::write(&file, authority).unwrap();
    let config = OutboundConfig {
        ca_file: Some(file),
        ..OutboundConfig::default()
    };
    let answer = Outbound::new(config)
        .unwrap()
        .send(get(&server.tls_address("/")))
        .await
        .unwrap();
    assert_eq!(answer.body(), b"safe");
}

#[tokio::test]
async fn this_machine_is_not_asked_through_the_proxy() {
    let proxy = Server::answering(b"HTTP/1.1 502 Proxy\r\ncontent-length: 0\r\n\r\n").await;
    let server = Server::answering(b"HTTP/1.1 204 Here\r\n\r\n").await;
    let config = OutboundConfig {
        proxy: Some(proxy.address("")),
        ..OutboundConfig::default()
    };
    let outbound = Outbound::new(config).unwrap();
    let answer = outbound.send(get(&server.address("/"))).await.unwrap();
    assert_eq!((answer.status().as_u16(), proxy.connections()), (204, 0));

    let error = outbound
        .send(get("https://issuer.example/?secret"))
        .await
        .unwrap_err();
    assert!(error.is_unavailable() && proxy.connections() > 0, "{error}");
    assert!(!error.to_string().contains("secret"), "{error}");
}

#[test]
fn a_bad_configuration_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let empty = folder.path().join("empty.pem");
    std::fs::write(&empty, "no certificate").unwrap();
    for config in [
        OutboundConfig {
            ca_file: Some(empty),
            ..OutboundConfig::default()
        },
        OutboundConfig {
            ca_file: Some(folder.path().join("absent")),
            ..OutboundConfig::default()
        },
        OutboundConfig {
            proxy: Some("http://ann:secret@[".to_owned()),
            ..OutboundConfig::default()
        },
    ] {
        assert!(!format!("{config:?}").contains("secret"));
        let error = Outbound::new(config).unwrap_err();
        assert!(matches!(error, OutboundError::Config(_)) && !error.to_string().contains("secret"));
    }
}
