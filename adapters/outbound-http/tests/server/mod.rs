//! A server that does as it is told, once per connection.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::Mutex;
use tokio_rustls::TlsAcceptor;

#[derive(Clone)]
enum Manner {
    Answer(Vec<u8>),
    Pour(usize),
    Hang,
    Drip,
}

pub struct Server {
    port: u16,
    connections: Arc<AtomicUsize>,
    poured: Arc<AtomicUsize>,
    heard: Arc<Mutex<Vec<u8>>>,
}

impl Server {
    pub async fn answering(bytes: &[u8]) -> Self {
        Self::start(Manner::Answer(bytes.to_vec()), None).await
    }

    pub async fn pouring(bytes: usize) -> Self {
        Self::start(Manner::Pour(bytes), None).await
    }

    pub async fn hanging() -> Self {
        Self::start(Manner::Hang, None).await
    }

    pub async fn dripping() -> Self {
        Self::start(Manner::Drip, None).await
    }

    /// An address where nobody listens.
    pub async fn closed() -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        format!("http://{}", listener.local_addr().unwrap())
    }

    /// A server with a certificate for `localhost`, and the PEM of who issued it.
    pub async fn over_tls() -> (Self, String) {
        let mut params = rcgen::CertificateParams::default();
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let key = rcgen::KeyPair::generate().unwrap();
        let authority = rcgen::CertifiedIssuer::self_signed(params, key).unwrap();
        let key = rcgen::KeyPair::generate().unwrap();
        let params = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &authority).unwrap();
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let config = rustls::ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .unwrap();
        let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nsafe".to_vec();
        let server = Self::start(Manner::Answer(answer), Some(TlsAcceptor::from(Arc::new(config)))).await;
        (server, authority.pem())
    }

    async fn start(manner: Manner, tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = Self {
            port: listener.local_addr().unwrap().port(),
            connections: Arc::default(),
            poured: Arc::default(),
            heard: Arc::default(),
        };
        let (connections, poured) = (server.connections.clone(), server.poured.clone());
        let heard = server.heard.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                connections.fetch_add(1, Ordering::SeqCst);
                let serving = Serving {
                    manner: manner.clone(),
                    poured: poured.clone(),
                    heard: heard.clone(),
                };
                match tls.clone() {
                    None => drop(tokio::spawn(serving.serve(stream))),
                    Some(tls) => {
                        tokio::spawn(async move {
                            if let Ok(stream) = tls.accept(stream).await {
                                serving.serve(stream).await;
                            }
                        });
                    }
                }
            }
        });
        server
    }

    pub fn address(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    pub fn tls_address(&self, path: &str) -> String {
        format!("https://localhost:{}{path}", self.port)
    }

    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// How much of a body was taken, once no more is.
    pub async fn poured(&self) -> usize {
        tokio::time::sleep(Duration::from_millis(200)).await;
        self.poured.load(Ordering::SeqCst)
    }

    pub async fn heard(&self) -> String {
        String::from_utf8(self.heard.lock().await.clone()).unwrap()
    }
}

struct Serving {
    manner: Manner,
    poured: Arc<AtomicUsize>,
    heard: Arc<Mutex<Vec<u8>>>,
}

impl Serving {
    async fn serve(self, mut stream: impl AsyncRead + AsyncWrite + Unpin) {
        let mut buffer = vec![0; 16 * 1024];
        let Ok(read) = stream.read(&mut buffer).await else {
            return;
        };
        self.heard.lock().await.extend_from_slice(&buffer[..read]);
        match self.manner {
            Manner::Answer(bytes) => {
                let _ = stream.write_all(&bytes).await;
                let _ = stream.shutdown().await;
            }
            Manner::Pour(bytes) => {
                let _ = stream
                    .write_all(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n")
                    .await;
                let piece = vec![b'x'; 16 * 1024];
                for _ in 0..bytes / piece.len() {
                    if stream.write_all(&piece).await.is_err() {
                        return;
                    }
                    self.poured.fetch_add(piece.len(), Ordering::SeqCst);
                }
            }
            Manner::Hang => tokio::time::sleep(Duration::from_mins(1)).await,
            Manner::Drip => {
                let _ = stream
                    .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 9000\r\n\r\n")
                    .await;
                while stream.write_all(b".").await.is_ok() {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
        }
    }
}
