//! TLS: agreement on the protocol, renewal of the certificate, complaints about the files.

use super::*;

fn write_pair(folder: &Path, pair: &rcgen::CertifiedKey<rcgen::KeyPair>) {
    std::fs::write(folder.join("cert.pem"), pair.cert.pem()).unwrap();
    std::fs::write(folder.join("key.pem"), pair.signing_key.serialize_pem()).unwrap();
}

fn new_pair() -> rcgen::CertifiedKey<rcgen::KeyPair> {
    rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap()
}

fn files(folder: &Path) -> TlsFiles {
    TlsFiles {
        cert: folder.join("cert.pem"),
        key: folder.join("key.pem"),
    }
}

/// A server with a fresh certificate in a folder of its own.
async fn start(config: ServeConfig) -> (Server, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    write_pair(folder.path(), &new_pair());
    let server = Server::start(ServeConfig {
        tls: Some(files(folder.path())),
        ..config
    })
    .await;
    (server, folder)
}

/// Connects, trusting exactly the certificate that stands in the folder.
async fn connect(server: &Server, folder: &Path, alpn: &[u8]) -> std::io::Result<TlsStream<TcpStream>> {
    shake(server.connect().await, folder, alpn).await
}

async fn shake(stream: TcpStream, folder: &Path, alpn: &[u8]) -> std::io::Result<TlsStream<TcpStream>> {
    let mut roots = rustls::RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_file(folder.join("cert.pem")).unwrap())
        .unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![alpn.to_vec()];
    let name = ServerName::try_from("localhost").unwrap();
    TlsConnector::from(Arc::new(config)).connect(name, stream).await
}

async fn post_by_http2(
    sender: &mut hyper::client::conn::http2::SendRequest<Full<Bytes>>,
    path: &str,
    body: Vec<u8>,
) -> (StatusCode, Bytes) {
    let uri = format!("https://localhost{path}");
    let request = Request::post(uri).body(Full::new(body.into())).unwrap();
    let answer = timeout(PATIENCE, sender.send_request(request))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(answer.version(), Version::HTTP_2);
    let status = answer.status();
    (status, answer.into_body().collect().await.unwrap().to_bytes())
}

#[tokio::test]
async fn http1_and_http2_are_spoken_by_agreement() {
    let (server, folder) = start(config()).await;
    let mut stream = connect(&server, folder.path(), b"http/1.1").await.unwrap();
    stream
        .write_all(b"GET /peer HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        .await
        .unwrap();
    let answer = to_the_end(&mut stream).await;
    assert!(
        answer.starts_with("HTTP/1.1 200 ") && answer.ends_with("127.0.0.1 true"),
        "{answer}"
    );

    let stream = TokioIo::new(connect(&server, folder.path(), b"h2").await.unwrap());
    let (mut sender, connection) = hyper::client::conn::http2::handshake(TokioExecutor::new(), stream)
        .await
        .unwrap();
    tokio::spawn(connection);
    let (status, body) = post_by_http2(&mut sender, "/peer", vec![]).await;
    assert_eq!((status, &body[..]), (StatusCode::OK, &b"127.0.0.1 true"[..]));
    // A refused body does not cost the connection, nor its own answer.
    for _ in 0..20 {
        let (status, _) = post_by_http2(&mut sender, "/echo", vec![b'x'; 50_000]).await;
        assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
    }
    let (status, body) = post_by_http2(&mut sender, "/echo", b"still here".to_vec()).await;
    assert_eq!((status, &body[..]), (StatusCode::OK, &b"still here"[..]));
}

#[tokio::test]
async fn refusals_and_faults_on_http2_cost_their_request_and_not_the_connection() {
    let (server, folder) = start(config()).await;
    let stream = TokioIo::new(connect(&server, folder.path(), b"h2").await.unwrap());
    let (mut sender, connection) = hyper::client::conn::http2::handshake(TokioExecutor::new(), stream)
        .await
        .unwrap();
    tokio::spawn(connection);
    let tunnel = Request::connect("evil:80").body(Full::default()).unwrap();
    let answer = timeout(PATIENCE, sender.send_request(tunnel))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(answer.status(), StatusCode::BAD_REQUEST);
    let (status, _) = post_by_http2(&mut sender, "/broken", vec![]).await;
    assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
    let (status, body) = post_by_http2(&mut sender, "/peer", vec![]).await;
    assert_eq!((status, &body[..]), (StatusCode::OK, &b"127.0.0.1 true"[..]));
}

#[tokio::test]
async fn a_handshake_under_way_at_the_shutdown_is_finished_and_its_request_answered() {
    let (server, folder) = start(config()).await;
    let stream = server.connect().await;
    server.until("it is in", |counts| counts.open == 1).await;
    server.stop.send(()).unwrap();
    sleep(Duration::from_millis(50)).await;
    let mut stream = shake(stream, folder.path(), b"http/1.1").await.unwrap();
    stream
        .write_all(b"GET /peer HTTP/1.1\r\nHost: a\r\n\r\n")
        .await
        .unwrap();
    let answer = to_the_end(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer:?}");
    assert_eq!(server.run.await.unwrap(), Drained { finished: 1, cut: 0 });
}

#[tokio::test]
async fn an_http2_connection_that_rests_too_long_is_closed() {
    let (server, folder) = start(ServeConfig {
        idle_timeout: SHORT,
        ..config()
    })
    .await;
    let stream = TokioIo::new(connect(&server, folder.path(), b"h2").await.unwrap());
    let (mut sender, connection) = hyper::client::conn::http2::handshake(TokioExecutor::new(), stream)
        .await
        .unwrap();
    let connection = tokio::spawn(connection);
    post_by_http2(&mut sender, "/peer", vec![]).await;
    timeout(PATIENCE, connection)
        .await
        .expect("never closed")
        .unwrap()
        .unwrap();
    server
        .until("rested", |counts| counts.rested == 1 && counts.open == 0)
        .await;
}

#[tokio::test]
async fn a_shutdown_lets_a_running_http2_request_finish() {
    let (server, folder) = start(config()).await;
    let stream = TokioIo::new(connect(&server, folder.path(), b"h2").await.unwrap());
    let (mut sender, connection) = hyper::client::conn::http2::handshake(TokioExecutor::new(), stream)
        .await
        .unwrap();
    tokio::spawn(connection);
    let waiting = tokio::spawn(async move { post_by_http2(&mut sender, "/wait", vec![]).await });
    server.gate.reached.notified().await;
    server.stop.send(()).unwrap();
    sleep(SHORT).await;
    server.gate.open.notify_one();
    assert_eq!(
        waiting.await.unwrap(),
        (StatusCode::OK, Bytes::from_static(b"waited"))
    );
    assert_eq!(server.run.await.unwrap(), Drained { finished: 1, cut: 0 });
}

#[tokio::test]
async fn a_handshake_that_never_comes_is_given_up() {
    let (server, _folder) = start(ServeConfig {
        handshake_timeout: SHORT,
        ..config()
    })
    .await;
    assert_eq!(to_the_end(&mut server.connect().await).await, "");
    server
        .until("given up", |counts| {
            counts.handshakes_failed == 1 && counts.open == 0
        })
        .await;
}

#[tokio::test]
async fn a_renewed_certificate_is_shown_and_a_broken_one_is_not() {
    let (server, folder) = start(config()).await;
    connect(&server, folder.path(), b"http/1.1").await.unwrap();

    write_pair(folder.path(), &new_pair());
    let shown = async {
        while connect(&server, folder.path(), b"http/1.1").await.is_err() {
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(PATIENCE, shown)
        .await
        .expect("the renewed certificate is never shown");

    let good = std::fs::read(folder.path().join("cert.pem")).unwrap();
    std::fs::write(folder.path().join("cert.pem"), new_pair().cert.pem()).unwrap();
    sleep(SHORT).await;
    std::fs::write(folder.path().join("cert.pem"), good).unwrap();
    connect(&server, folder.path(), b"http/1.1")
        .await
        .expect("the certificate in use stays");
}

#[tokio::test]
async fn unusable_files_are_named_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let refused = async || {
        let config = ServeConfig {
            tls: Some(files(folder.path())),
            ..config()
        };
        match Listener::bind(config).await {
            Err(BindError::Tls(error)) => error,
            other => panic!("not refused: {other:?}"),
        }
    };
    assert!(matches!(refused().await, TlsError::Missing { path } if path.ends_with("cert.pem")));
    write_pair(folder.path(), &new_pair());
    std::fs::write(folder.path().join("cert.pem"), new_pair().cert.pem()).unwrap();
    let mismatch = refused().await;
    assert!(matches!(mismatch, TlsError::Mismatch { .. }));
    assert!(mismatch.to_string().contains("does not belong"), "{mismatch}");
    std::fs::write(folder.path().join("key.pem"), "hello").unwrap();
    assert!(matches!(refused().await, TlsError::NoKey { .. }));
    std::fs::write(folder.path().join("cert.pem"), "hello").unwrap();
    assert!(matches!(refused().await, TlsError::NoCertificate { .. }));
}
