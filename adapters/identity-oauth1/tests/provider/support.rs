//! A provider on this machine that says what a test wants it to say.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use domain::identity::ProviderClient;
use domain::ports::{AuthorizationRequest, AuthorizationResponse, ProviderError};
use domain::secret::Secret;
use domain::time::Timestamp;
use identity_oauth1::{Endpoints, OAuth1Config, OAuth1Provider};
use outbound_http::{Outbound, OutboundConfig};
use percent_encoding::percent_decode_str;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use url::Url;

pub const REDIRECT: &str = "http://localhost:3000/auth/twitter/callback";
pub const REQUEST_TOKEN: &str = "oauth_token=rt&oauth_token_secret=rs&oauth_callback_confirmed=true";
pub const ACCESS_TOKEN: &str = "oauth_token=at&oauth_token_secret=as&user_id=38895958&screen_name=alice";

/// A request as it came.
#[derive(Clone, Debug, Default)]
pub struct Heard {
    pub method: String,
    pub target: String,
    pub head: String,
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

    /// A parameter of the `Authorization` header, decoded.
    pub fn oauth(&self, name: &str) -> Option<String> {
        let pairs = self.header("authorization")?.strip_prefix("OAuth ")?.split(", ");
        let mut pairs = pairs.filter_map(|pair| pair.split_once('='));
        let (_, value) = pairs.find(|(given, _)| *given == name)?;
        let value = value.trim_matches('"');
        Some(percent_decode_str(value).decode_utf8().unwrap().into_owned())
    }

    pub fn query(&self, name: &str) -> Option<String> {
        query(&format!("http://h{}", self.target), name)
    }
}

pub fn query(url: &str, name: &str) -> Option<String> {
    let url = Url::parse(url).unwrap();
    let mut pairs = url.query_pairs();
    let found = pairs.find(|(given, _)| given == name);
    found.map(|(_, value)| value.into_owned())
}

/// A whole answer as it goes over the wire.
pub fn reply(status: u16, media: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 {status} Whatever\r\nContent-Type: {media}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    )
}

pub fn json(body: &str) -> String {
    reply(200, "application/json", body)
}

pub struct FakeProvider {
    pub base: String,
    heard: Arc<Mutex<Vec<Heard>>>,
}

impl FakeProvider {
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
                    let text = answer(&request);
                    log.lock().unwrap().push(request);
                    let _ = stream.write_all(text.as_bytes()).await;
                    let _ = stream.shutdown().await;
                });
            }
        });
        Self { base, heard }
    }

    /// Tokens for every verifier, and this profile.
    pub async fn with_profile(profile: &'static str) -> Self {
        Self::start(move |heard| match heard.path() {
            "/request_token" => reply(200, "text/html;charset=utf-8", REQUEST_TOKEN),
            "/access_token" => reply(200, "text/html;charset=utf-8", ACCESS_TOKEN),
            _ => json(profile),
        })
        .await
    }

    /// The requests for that path.
    pub fn heard(&self, path: &str) -> Vec<Heard> {
        let all = self.heard.lock().unwrap();
        all.iter().filter(|heard| heard.path() == path).cloned().collect()
    }

    pub fn twitter(&self) -> OAuth1Config {
        OAuth1Config {
            issuer: Some("https://x.com".to_owned()),
            ..self.moved(OAuth1Config::twitter(client()))
        }
    }

    pub fn generic(&self) -> OAuth1Config {
        let nowhere = Endpoints {
            request_token_url: String::new(),
            access_token_url: String::new(),
            user_authorization_url: String::new(),
            user_profile_url: String::new(),
        };
        self.moved(OAuth1Config::generic(nowhere, client()))
    }

    fn moved(&self, config: OAuth1Config) -> OAuth1Config {
        OAuth1Config {
            request_token_url: format!("{}/request_token", self.base),
            access_token_url: format!("{}/access_token", self.base),
            user_authorization_url: format!("{}/authenticate", self.base),
            user_profile_url: format!("{}/me", self.base),
            ..config
        }
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
            };
            let length = heard.header("content-length").unwrap_or("0");
            if body.len() >= length.parse().unwrap() {
                return heard;
            }
        }
        match stream.read(&mut chunk).await {
            Ok(0) | Err(_) => return Heard::default(),
            Ok(count) => bytes.extend_from_slice(&chunk[..count]),
        }
    }
}

pub fn client() -> ProviderClient {
    ProviderClient {
        client_id: "our-key".to_owned(),
        client_secret: Some(Secret::new("our-secret")),
    }
}

pub fn provider(config: OAuth1Config) -> OAuth1Provider {
    let limits = OutboundConfig {
        connect_timeout: Duration::from_millis(500),
        total_timeout: Duration::from_millis(800),
        max_body: 100_000,
        ..OutboundConfig::default()
    };
    OAuth1Provider::new(config, Outbound::new(limits).unwrap()).unwrap()
}

pub fn request() -> AuthorizationRequest {
    AuthorizationRequest {
        redirect_uri: REDIRECT.to_owned(),
        state: Secret::new("state"),
        nonce: Secret::new("nonce"),
        code_verifier: Secret::new("verifier"),
        client: None,
    }
}

/// What came back to whoever carried `rt`.
pub fn response(params: &[(&str, &str)]) -> AuthorizationResponse {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    AuthorizationResponse {
        params: params.iter().map(owned).collect(),
        redirect_uri: REDIRECT.to_owned(),
        nonce: Secret::new("nonce"),
        code_verifier: Secret::new("verifier"),
        carry: Some(Secret::new("oauth_token=rt&oauth_token_secret=rs")),
        client: None,
        now: Timestamp::from_millis(1_795_287_972_795),
    }
}

pub fn verified() -> AuthorizationResponse {
    response(&[("oauth_token", "rt"), ("oauth_verifier", "very-secret-verifier")])
}

pub fn code_of(error: &ProviderError) -> &'static str {
    match error {
        ProviderError::Refused { fault, .. } => fault.code(),
        ProviderError::Unavailable(_) => "unavailable",
    }
}
