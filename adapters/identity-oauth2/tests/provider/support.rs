//! A provider on this machine that says what a test wants it to say.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use domain::identity::ProviderClient;
use domain::ports::{AuthorizationResponse, ProviderError};
use domain::secret::Secret;
use domain::time::Timestamp;
use identity_oauth2::{Endpoints, OAuth2Config, OAuth2Provider};
use outbound_http::{Outbound, OutboundConfig};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use url::{Url, form_urlencoded};

pub const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
pub const REDIRECT: &str = "http://localhost:3000/auth/x/callback";
pub const NOW: Timestamp = Timestamp::from_millis(1_000_000);
pub const TOKEN: &str = r#"{"access_token":"at","token_type":"bearer","expires_in":60,"scope":"email"}"#;

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

    pub fn field(&self, name: &str) -> Option<String> {
        let mut fields = form_urlencoded::parse(self.body.as_bytes());
        fields
            .find(|(given, _)| given == name)
            .map(|(_, value)| value.into_owned())
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

    /// Tokens for every code, and this profile.
    pub async fn with_profile(profile: &'static str) -> Self {
        Self::start(move |heard| json(if heard.path() == "/token" { TOKEN } else { profile })).await
    }

    /// The requests for that path.
    pub fn heard(&self, path: &str) -> Vec<Heard> {
        let all = self.heard.lock().unwrap();
        all.iter().filter(|heard| heard.path() == path).cloned().collect()
    }

    /// A profile's configuration with its addresses here.
    pub fn moved(&self, config: OAuth2Config) -> OAuth2Config {
        OAuth2Config {
            authorization_url: format!("{}/authorize", self.base),
            token_url: format!("{}/token", self.base),
            user_info_url: format!("{}/me", self.base),
            emails_url: config
                .emails_url
                .as_ref()
                .map(|_| format!("{}/emails", self.base)),
            ..config
        }
    }

    pub fn generic(&self) -> OAuth2Config {
        let nowhere = Endpoints {
            authorization_url: String::new(),
            token_url: String::new(),
            user_info_url: String::new(),
        };
        self.moved(OAuth2Config::generic(nowhere, client(), vec![]))
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
        client_id: "our id".to_owned(),
        client_secret: Some(Secret::new("our-secret")),
    }
}

pub fn provider(config: OAuth2Config) -> OAuth2Provider {
    let limits = OutboundConfig {
        connect_timeout: Duration::from_millis(500),
        total_timeout: Duration::from_millis(800),
        max_body: 100_000,
        ..OutboundConfig::default()
    };
    OAuth2Provider::new(config, Outbound::new(limits).unwrap()).unwrap()
}

pub fn response(params: &[(&str, &str)]) -> AuthorizationResponse {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    AuthorizationResponse {
        params: params.iter().map(owned).collect(),
        redirect_uri: REDIRECT.to_owned(),
        nonce: Secret::new("nonce"),
        code_verifier: Secret::new(VERIFIER),
        carry: None,
        client: None,
        now: NOW,
    }
}

pub fn with_code() -> AuthorizationResponse {
    response(&[("code", "very-secret-code"), ("state", "s")])
}

pub fn code_of(error: &ProviderError) -> &'static str {
    match error {
        ProviderError::Refused { fault, .. } => fault.code(),
        ProviderError::Unavailable(_) => "unavailable",
    }
}
