//! A small OpenID provider on this machine that does as it is told.

pub mod keys;

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use keys::TestKey;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// One answer.
#[derive(Clone)]
pub struct Reply {
    pub status: u16,
    pub headers: String,
    pub body: String,
    pub delay: Duration,
}

impl Reply {
    pub fn json(body: &Value) -> Self {
        Self::text(200, "application/json", &body.to_string())
    }

    pub fn text(status: u16, kind: &str, body: &str) -> Self {
        Self {
            status,
            headers: format!("content-type: {kind}\r\n"),
            body: body.to_owned(),
            delay: Duration::ZERO,
        }
    }

    /// Silence, and then the end of the connection.
    pub fn nothing(delay: Duration) -> Self {
        Self {
            delay,
            ..Self::text(0, "", "")
        }
    }
}

/// Says something to a request, or leaves it to what was put for its path.
pub type Answerer = dyn Fn(&Heard) -> Option<Reply> + Send + Sync;

/// One request that came.
#[derive(Clone, Debug)]
pub struct Heard {
    pub path: String,
    pub head: String,
    pub body: String,
}

#[derive(Default)]
struct State {
    replies: HashMap<String, Reply>,
    heard: Vec<Heard>,
    answerer: Option<Arc<Answerer>>,
}

/// The provider.
pub struct Idp {
    pub issuer: String,
    pub key: TestKey,
    state: Arc<Mutex<State>>,
}

impl Idp {
    /// One with a discovery document and a key, below `path`.
    pub async fn start_at(path: &str, key: TestKey) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let issuer = format!("http://{}{path}", listener.local_addr().unwrap());
        let state = Arc::new(Mutex::new(State::default()));
        let shared = Arc::clone(&state);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&shared)));
            }
        });
        let idp = Self { issuer, key, state };
        let document = idp.document();
        idp.reply("/.well-known/openid-configuration", Reply::json(&document));
        idp.publish(&[&idp.key]);
        idp
    }

    pub async fn start() -> Self {
        Self::start_at("", TestKey::p256("k1")).await
    }

    /// The discovery document.
    pub fn document(&self) -> Value {
        let below = |path: &str| format!("{}{path}", self.issuer);
        json!({
            "issuer": self.issuer, "authorization_endpoint": below("/authorize"), "token_endpoint": below("/token"),
            "userinfo_endpoint": below("/userinfo"), "jwks_uri": below("/jwks"),
        })
    }

    /// What a path below the issuer is answered with.
    pub fn reply(&self, path: &str, reply: Reply) {
        let issuer = self.issuer.strip_prefix("http://").unwrap();
        let base = issuer.find('/').map_or("", |at| &issuer[at..]);
        let path = format!("{base}{path}");
        self.state.lock().unwrap().replies.insert(path, reply);
    }

    /// Who is asked before the replies that were put.
    pub fn answer_by(&self, answerer: impl Fn(&Heard) -> Option<Reply> + Send + Sync + 'static) {
        self.state.lock().unwrap().answerer = Some(Arc::new(answerer));
    }

    pub fn publish(&self, keys: &[&TestKey]) {
        let keys: Vec<Value> = keys.iter().map(|key| key.jwk()).collect();
        self.reply("/jwks", Reply::json(&json!({ "keys": keys })));
    }

    /// The token endpoint hands out this ID token.
    pub fn hand_out(&self, id_token: &str) {
        self.reply("/token", Reply::json(&token_response(id_token)));
    }

    /// What came to a path that ends so.
    pub fn heard(&self, path: &str) -> Vec<Heard> {
        let heard = self.state.lock().unwrap().heard.clone();
        heard
            .into_iter()
            .filter(|heard| heard.path.ends_with(path))
            .collect()
    }
}

pub fn token_response(id_token: &str) -> Value {
    json!({
        "access_token": "at-1", "token_type": "Bearer", "expires_in": 3600, "refresh_token": "rt-1", "id_token": id_token,
    })
}

async fn serve(mut stream: TcpStream, state: Arc<Mutex<State>>) {
    let Some(heard) = read(&mut stream).await else {
        return;
    };
    let (put, answerer) = {
        let mut state = state.lock().unwrap();
        state.heard.push(heard.clone());
        let put = state.replies.get(&heard.path).cloned();
        (put, state.answerer.clone())
    };
    let reply = answerer.and_then(|answerer| answerer(&heard)).or(put);
    let reply = reply.unwrap_or_else(|| Reply::text(404, "text/plain", "not here"));
    tokio::time::sleep(reply.delay).await;
    if reply.status == 0 {
        return;
    }
    let text = format!(
        "HTTP/1.1 {} Said\r\n{}content-length: {}\r\nconnection: close\r\n\r\n{}",
        reply.status,
        reply.headers,
        reply.body.len(),
        reply.body
    );
    let _ = stream.write_all(text.as_bytes()).await;
    let _ = stream.shutdown().await;
}

async fn read(stream: &mut TcpStream) -> Option<Heard> {
    let mut bytes = Vec::new();
    loop {
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
        let text = String::from_utf8_lossy(&bytes);
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            continue;
        };
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "))
            .map_or(0, |length| length.parse().unwrap());
        if body.len() < length {
            continue;
        }
        return Some(Heard {
            path: head.split(' ').nth(1)?.to_owned(),
            head: head.to_owned(),
            body: body.to_owned(),
        });
    }
}
