//! A server on this machine that says what a test wants it to say, and an entry that asks it.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use domain::ports::{AuthorizationRequest, AuthorizationResponse, AuthorizationStart, ProviderError};
use domain::secret::Secret;
use domain::time::Timestamp;
use identity_openid2::{OpenId2Config, OpenId2Provider};
use outbound_http::{Outbound, OutboundConfig};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use url::{Url, form_urlencoded};

pub const CALLBACK: &str = "http://localhost:3000/auth/openid/callback";
pub const NS: &str = "http://specs.openid.net/auth/2.0";
pub const SELECT: &str = "http://specs.openid.net/auth/2.0/identifier_select";

pub type Params = Vec<(String, String)>;

/// A request as it came.
#[derive(Clone, Debug, Default)]
pub struct Heard {
    pub method: String,
    pub target: String,
    pub head: String,
    pub body: String,
}

impl Heard {
    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        let found = lines.find(|(given, _)| given.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value)
    }

    pub fn base(&self) -> String {
        format!("http://{}", self.header("host").unwrap_or_default())
    }
}

/// A whole answer as it goes over the wire.
pub fn reply(status: u16, headers: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 {status} Whatever\r\n{headers}Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    )
}

pub fn page(body: &str) -> String {
    reply(200, "Content-Type: text/html; charset=utf-8\r\n", body)
}

pub fn document(body: &str) -> String {
    reply(200, "Content-Type: application/xrds+xml\r\n", body)
}

pub fn onward(location: &str) -> String {
    reply(302, &format!("Location: {location}\r\n"), "")
}

/// An XRDS document with one service.
pub fn xrds(kind: &str, uri: &str, local_id: Option<&str>) -> String {
    let local = local_id
        .map(|local| format!("<LocalID>{local}</LocalID>"))
        .unwrap_or_default();
    format!(
        r#"<?xml version="1.0"?><xrds:XRDS xmlns:xrds="xri://$xrds" xmlns="xri://$xrd*($v*2.0)"><XRD><Service><Type>{NS}/{kind}</Type><URI>{uri}</URI>{local}</Service></XRD></xrds:XRDS>"#
    )
}

/// A server; it ends with its test's runtime.
pub struct Site {
    pub base: String,
    heard: Arc<Mutex<Vec<Heard>>>,
}

impl Site {
    pub async fn start(answer: impl Fn(&Heard) -> String + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let heard = Arc::new(Mutex::new(Vec::new()));
        let (answer, log) = (Arc::new(answer), Arc::clone(&heard));
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let (answer, log) = (Arc::clone(&answer), Arc::clone(&log));
                tokio::spawn(async move {
                    let request = read(&mut stream).await;
                    log.lock().unwrap().push(request.clone());
                    let text = answer(&request);
                    let _ = stream.write_all(text.as_bytes()).await;
                    let _ = stream.shutdown().await;
                });
            }
        });
        Self { base, heard }
    }

    pub fn heard(&self) -> Vec<Heard> {
        self.heard.lock().unwrap().clone()
    }

    /// How often a path was asked for.
    pub fn asked(&self, path: &str) -> usize {
        self.heard().iter().filter(|heard| heard.path() == path).count()
    }
}

async fn read(stream: &mut TcpStream) -> Heard {
    let mut bytes = Vec::new();
    let mut chunk = [0_u8; 4096];
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let mut words = head.split(' ');
            let mut word = || words.next().unwrap_or_default().to_owned();
            let heard = Heard {
                method: word(),
                target: word(),
                head: head.to_owned(),
                body: body.to_owned(),
            };
            if body.len() >= heard.header("content-length").unwrap_or("0").parse().unwrap() {
                return heard;
            }
        }
        match stream.read(&mut chunk).await {
            Ok(0) | Err(_) => return Heard::default(),
            Ok(count) => bytes.extend_from_slice(&chunk[..count]),
        }
    }
}

pub fn outbound() -> Outbound {
    let limits = OutboundConfig {
        connect_timeout: Duration::from_millis(800),
        total_timeout: Duration::from_millis(1500),
        max_body: 300_000,
        ..OutboundConfig::default()
    };
    Outbound::new(limits).unwrap()
}

pub fn provider(config: OpenId2Config) -> OpenId2Provider {
    OpenId2Provider::new(config, outbound()).unwrap()
}

/// An entry for the identifier at a path of a site.
pub fn entry(site: &Site, path: &str) -> OpenId2Provider {
    provider(OpenId2Config::discovered(format!("{}{path}", site.base)))
}

pub fn request() -> AuthorizationRequest {
    AuthorizationRequest {
        redirect_uri: CALLBACK.to_owned(),
        state: Secret::new("the-state"),
        nonce: Secret::new("the-nonce"),
        code_verifier: Secret::new("the-verifier"),
        client: None,
    }
}

/// What comes back for [`request`].
pub fn response(params: Params, now: Timestamp) -> AuthorizationResponse {
    AuthorizationResponse {
        params,
        redirect_uri: CALLBACK.to_owned(),
        nonce: Secret::new("the-nonce"),
        code_verifier: Secret::new("the-verifier"),
        carry: None,
        client: None,
        now,
    }
}

/// What is asked with, by redirect or by form.
pub fn sent(start: &AuthorizationStart) -> Params {
    start.form.clone().unwrap_or_else(|| query(&start.url))
}

pub fn query(url: &str) -> Params {
    Url::parse(url).unwrap().query_pairs().into_owned().collect()
}

pub fn form(body: &str) -> Params {
    form_urlencoded::parse(body.as_bytes()).into_owned().collect()
}

pub fn param<'a>(params: &'a Params, name: &str) -> Option<&'a str> {
    let mut found = params.iter().filter(|(given, _)| given == name);
    found.next().map(|(_, value)| value.as_str())
}

pub fn put(params: &mut Params, name: &str, value: &str) {
    params.retain(|(given, _)| given != name);
    params.push((name.to_owned(), value.to_owned()));
}

pub fn code_of(error: &ProviderError) -> &'static str {
    match error {
        ProviderError::Refused { fault, .. } => fault.code(),
        ProviderError::Unavailable(_) => "unavailable",
    }
}
