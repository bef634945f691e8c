//! Providers that people come from: an OAuth 2.0 and two OpenID Connect look-alikes in this process, which ask nothing back.
//!
//! Nothing is kept between questions: the code that the bench makes up says whose account it is and which nonce was asked for,
//! and the access token says the former. Their CPU is this process', never the server's.

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use crate::Fault;
use crate::signing::Signer;

/// Seconds that tokens live.
const LIFE: u64 = 3600;
/// The client that Portcullis is there.
const CLIENT: &str = "bench";

/// What a provider speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// OAuth 2.0: a token, and a profile to be asked for.
    OAuth2,
    /// OpenID Connect, ID tokens signed with RSA.
    Rs256,
    /// OpenID Connect, ID tokens signed on P-256.
    Es256,
}

/// Every kind, with its name in addresses and entries.
pub const KINDS: [(Kind, &str); 3] = [
    (Kind::OAuth2, "oauth2"),
    (Kind::Rs256, "rs256"),
    (Kind::Es256, "es256"),
];

/// How often the providers were asked.
#[derive(Debug, Default)]
pub struct Counts {
    /// Requests.
    pub asked: AtomicU64,
    /// Connections.
    pub connected: AtomicU64,
}

/// The running providers; they end with this value.
pub struct Providers {
    /// Where they listen.
    pub address: SocketAddr,
    /// How often they were asked.
    pub counts: Arc<Counts>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// What questions are answered from.
struct Shop {
    base: String,
    rs256: Signer,
    es256: Signer,
    counts: Arc<Counts>,
}

impl Providers {
    /// Starts them on a thread of their own.
    pub fn start() -> Result<Self, Fault> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let listener = runtime.block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)))?;
        let address = listener.local_addr()?;
        let counts = Arc::new(Counts::default());
        let shop = Arc::new(Shop {
            base: format!("http://{address}"),
            rs256: Signer::rs256()?,
            es256: Signer::es256()?,
            counts: Arc::clone(&counts),
        });
        let (end, told) = oneshot::channel::<()>();
        let thread = thread::spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    () = accept(&listener, &shop) => {}
                    _ = told => {}
                }
            });
        });
        Ok(Self {
            address,
            counts,
            stop: Some(end),
            thread: Some(thread),
        })
    }

    /// What stands in `providers.json` for them.
    pub fn entries(&self) -> Value {
        let base = format!("http://{}", self.address);
        let entry = |(kind, name): (Kind, &str)| {
            let mut entry = json!({
                "provider": name, "clientID": CLIENT, "clientSecret": "bench-secret", "json": true,
                "authPath": format!("/auth/{name}"), "callbackPath": format!("/auth/{name}/callback"),
            });
            let more = match kind {
                Kind::OAuth2 => json!({
                    "module": "passport-oauth2", "scope": ["email"],
                    "authorizationURL": format!("{base}/{name}/authorize"),
                    "tokenURL": format!("{base}/{name}/token"), "userProfileURL": format!("{base}/{name}/me"),
                }),
                Kind::Rs256 | Kind::Es256 => json!({
                    "module": "passport-openidconnect", "scope": ["openid", "email", "profile"],
                    "issuer": format!("{base}/{name}"),
                }),
            };
            if let (Value::Object(entry), Value::Object(more)) = (&mut entry, more) {
                entry.extend(more);
            }
            (name.to_owned(), entry)
        };
        Value::Object(KINDS.into_iter().map(entry).collect())
    }
}

impl Drop for Providers {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// The code with which somebody comes back.
pub fn code(number: u32, nonce: &str) -> String {
    format!("{number}.{nonce}")
}

async fn accept(listener: &TcpListener, shop: &Arc<Shop>) {
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(Duration::from_millis(1)).await;
            continue;
        };
        let _ = stream.set_nodelay(true);
        shop.counts.connected.fetch_add(1, Ordering::Relaxed);
        let shop = Arc::clone(shop);
        let service = service_fn(move |request| {
            let shop = Arc::clone(&shop);
            async move { Ok::<_, Infallible>(shop.serve(request).await) }
        });
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    }
}

impl Shop {
    async fn serve(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        self.counts.asked.fetch_add(1, Ordering::Relaxed);
        let (head, body) = request.into_parts();
        let body = body.collect().await.map(http_body_util::Collected::to_bytes);
        let bearer = head.headers.get(AUTHORIZATION);
        let bearer = bearer.and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
        let found = body
            .ok()
            .and_then(|body| self.answer(head.uri.path(), bearer, &body));
        let (status, text) = match found {
            Some(value) => (StatusCode::OK, value.to_string()),
            None => (StatusCode::BAD_REQUEST, "{}".to_owned()),
        };
        let mut response = Response::new(Full::new(Bytes::from(text)));
        *response.status_mut() = status;
        let json = http::HeaderValue::from_static("application/json");
        response.headers_mut().insert(CONTENT_TYPE, json);
        response
    }

    fn answer(&self, path: &str, bearer: Option<&str>, body: &[u8]) -> Option<Value> {
        let (name, what) = path.strip_prefix('/')?.split_once('/')?;
        let (kind, name) = KINDS.into_iter().find(|(_, known)| *known == name)?;
        match what {
            ".well-known/openid-configuration" => Some(self.discovery(name)),
            "jwks" => Some(self.signer(kind)?.jwks()),
            "token" => self.token(kind, name, body),
            "me" => Some(person(name, bearer?)),
            _ => None,
        }
    }

    fn signer(&self, kind: Kind) -> Option<&Signer> {
        match kind {
            Kind::OAuth2 => None,
            Kind::Rs256 => Some(&self.rs256),
            Kind::Es256 => Some(&self.es256),
        }
    }

    fn discovery(&self, name: &str) -> Value {
        let issuer = format!("{}/{name}", self.base);
        json!({
            "issuer": issuer,
            "authorization_endpoint": format!("{issuer}/authorize"),
            "token_endpoint": format!("{issuer}/token"),
            "userinfo_endpoint": format!("{issuer}/me"),
            "jwks_uri": format!("{issuer}/jwks"),
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256", "ES256"],
        })
    }

    fn token(&self, kind: Kind, name: &str, body: &[u8]) -> Option<Value> {
        let (_, code) = form_urlencoded::parse(body).find(|(key, _)| key == "code")?;
        let (subject, nonce) = code.split_once('.')?;
        let mut tokens = json!({
            "access_token": subject, "refresh_token": format!("refresh-{subject}"), "token_type": "Bearer",
            "expires_in": LIFE,
        });
        if let Some(signer) = self.signer(kind) {
            let now = SystemTime::now().duration_since(UNIX_EPOCH).ok()?.as_secs();
            let mut claims = person(name, subject);
            let claims_of_the_token = json!({
                "iss": format!("{}/{name}", self.base), "aud": CLIENT, "iat": now, "exp": now + LIFE, "nonce": nonce,
            });
            if let (Value::Object(claims), Value::Object(more)) = (&mut claims, claims_of_the_token) {
                claims.extend(more);
            }
            tokens
                .as_object_mut()?
                .insert("id_token".to_owned(), json!(signer.sign(&claims)?));
        }
        Some(tokens)
    }
}

fn person(name: &str, subject: &str) -> Value {
    json!({
        "sub": subject, "id": subject, "name": format!("Person {subject}"), "email_verified": true,
        "email": format!("{name}-{subject}@example.com"), "preferred_username": format!("person{subject}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shop() -> Shop {
        Shop {
            base: "http://127.0.0.1:1".to_owned(),
            rs256: Signer::rs256().unwrap(),
            es256: Signer::es256().unwrap(),
            counts: Arc::default(),
        }
    }

    #[test]
    fn a_code_buys_tokens_of_the_account_it_names() {
        let shop = shop();
        let body = format!("grant_type=authorization_code&code={}", code(7, "n.1"));
        let plain = shop.answer("/oauth2/token", None, body.as_bytes()).unwrap();
        assert_eq!(plain["access_token"], "7");
        assert_eq!(plain.get("id_token"), None);
        let open = shop.answer("/es256/token", None, body.as_bytes()).unwrap();
        assert_eq!(open["id_token"].as_str().unwrap().split('.').count(), 3);
        let me = shop.answer("/oauth2/me", Some("7"), b"").unwrap();
        assert_eq!(
            (me["id"].as_str(), me["email"].as_str()),
            (Some("7"), Some("oauth2-7@example.com"))
        );
    }

    #[test]
    fn what_is_not_there_is_not_answered() {
        let shop = shop();
        for path in ["/", "/x/token", "/oauth2/jwks", "/rs256/other"] {
            assert_eq!(shop.answer(path, None, b"code=1.n"), None, "{path}");
        }
        assert_eq!(shop.answer("/rs256/token", None, b"code=1"), None);
    }
}
