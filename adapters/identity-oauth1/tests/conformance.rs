//! The conformance cases, run against a server on this machine that checks every signature.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests fail as tests do"
)]

#[expect(dead_code, reason = "the other tests use the rest of it")]
#[path = "provider/support.rs"]
mod support;

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::thread::sleep;
use std::time::Duration;

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use conformance::counterpart::{
    Asked, Behaviour, Counterpart, Front, Params, Said, application, other_client, own_client, secret_of,
};
use conformance::identity_provider::{Entry, Protocol, ProviderFixture};
use domain::identity::ProviderClient;
use domain::ports::{AuthorizationStart, IdentityProvider};
use identity_oauth1::OAuth1Config;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::json;
use support::{FakeProvider, Heard, provider, query, reply};

/// Longer than `support::provider` waits.
const TOO_LATE: Duration = Duration::from_millis(1_200);
/// All but the unreserved characters (RFC 5849 section 3.6).
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// A provider of OAuth 1.0a (RFC 5849): who agreed to what, and what came of it.
struct Signed {
    front: Front,
    clients: Vec<ProviderClient>,
    tokens: Mutex<HashMap<String, Token>>,
}

/// A request token, which becomes an access token.
#[derive(Clone, Default)]
struct Token {
    secret: String,
    asked: Asked,
    person: Option<String>,
    verifier: Option<String>,
    buys: bool,
}

impl Signed {
    fn said(&self, base: &str, heard: &Heard) -> Said {
        let names = [
            "oauth_token",
            "oauth_verifier",
            "oauth_consumer_key",
            "oauth_signature",
        ];
        let parts = names.into_iter();
        let parts = parts.filter_map(|name| Some((name.to_owned(), heard.oauth(name)?)));
        if let Some(instead) = self.front.hear(&heard.head, &parts.collect()) {
            return instead;
        }
        let answer = match heard.path() {
            "/request_token" => self.request_token(base, heard),
            "/access_token" => self.access_token(base, heard),
            _ => self.profile(base, heard),
        };
        answer.map_or(Said::Answer(401, "refused".to_owned()), |body| {
            Said::Answer(200, body)
        })
    }

    /// The client, if it signed the request, with the token's secret too (RFC 5849 section 3.4).
    fn client_of(&self, base: &str, heard: &Heard, token: &Token) -> Option<String> {
        let key = heard.oauth("oauth_consumer_key")?;
        let mut clients = self.clients.iter();
        let client = clients.find(|client| client.client_id == key)?;
        let header = heard.header("authorization")?.strip_prefix("OAuth ")?;
        let pairs = header.split(", ").map(|pair| pair.replace('"', ""));
        let mut pairs: Vec<String> = pairs
            .filter(|pair| !pair.starts_with("oauth_signature="))
            .collect();
        pairs.sort_unstable();
        let escape = |text: &str| utf8_percent_encode(text, ESCAPED).to_string();
        let address = escape(&format!("{base}{}", heard.path()));
        let text = format!("{}&{address}&{}", heard.method, escape(&pairs.join("&")));
        let secrets = format!("{}&{}", secret_of(client), token.secret);
        let signer = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secrets.as_bytes());
        let signature = STANDARD.decode(heard.oauth("oauth_signature")?).ok()?;
        hmac::verify(&signer, text.as_bytes(), &signature).ok()?;
        Some(key)
    }

    fn hand_out(&self, kind: &str, token: Token) -> String {
        let (name, secret) = (self.front.mint(kind), self.front.mint("secret"));
        let form = format!("oauth_token={name}&oauth_token_secret={secret}&oauth_callback_confirmed=true");
        self.tokens
            .lock()
            .unwrap()
            .insert(name, Token { secret, ..token });
        form
    }

    fn request_token(&self, base: &str, heard: &Heard) -> Option<String> {
        let asked = Asked {
            client_id: self.client_of(base, heard, &Token::default())?,
            redirect_uri: heard.oauth("oauth_callback")?,
            ..Asked::default()
        };
        let token = Token {
            asked,
            ..Token::default()
        };
        Some(self.hand_out("request", token))
    }

    fn access_token(&self, base: &str, heard: &Heard) -> Option<String> {
        // Gone whatever comes of it.
        let token = self.tokens.lock().unwrap().remove(&heard.oauth("oauth_token")?)?;
        let client = self.client_of(base, heard, &token)?;
        let agreed = token.verifier.is_some() && token.verifier == heard.oauth("oauth_verifier");
        let buys = token.asked.client_id == client && agreed;
        buys.then(|| self.hand_out("access", Token { buys, ..token }))
    }

    fn profile(&self, base: &str, heard: &Heard) -> Option<String> {
        let token = self
            .tokens
            .lock()
            .unwrap()
            .get(&heard.oauth("oauth_token")?)
            .cloned()?;
        self.client_of(base, heard, &token).filter(|_| token.buys)?;
        let person = token.person?;
        let mut profile =
            json!({"email": format!("{person}@example.com"), "name": format!("Name of {person}")});
        if self.front.behaviour() != Behaviour::Anonymous {
            profile["id_str"] = json!(person);
        }
        Some(profile.to_string())
    }
}

impl Counterpart for Signed {
    fn asked(&self, start: &AuthorizationStart) -> Asked {
        let token = query(&start.url, "oauth_token").unwrap();
        self.tokens.lock().unwrap().get(&token).unwrap().asked.clone()
    }

    fn agree(&self, url: &str, person: &str) -> Params {
        let (name, verifier) = (query(url, "oauth_token").unwrap(), self.front.mint("verifier"));
        let mut tokens = self.tokens.lock().unwrap();
        let token = tokens.get_mut(&name).unwrap();
        token.person = Some(person.to_owned());
        token.verifier = Some(verifier.clone());
        let owned = |name: &str, value| (name.to_owned(), value);
        vec![owned("oauth_token", name), owned("oauth_verifier", verifier)]
    }

    fn refuse(&self, url: &str) -> Params {
        vec![("denied".to_owned(), query(url, "oauth_token").unwrap())]
    }

    fn revoke(&self) {
        self.tokens.lock().unwrap().clear();
    }

    fn front(&self) -> &Front {
        &self.front
    }
}

fn wire(said: Said) -> String {
    match said {
        Said::Answer(status, body) => reply(status, "text/html;charset=utf-8", &body),
        Said::Nothing => String::new(),
        Said::Late => {
            tokio::task::block_in_place(|| sleep(TOO_LATE));
            String::new()
        }
    }
}

fn playing(fake: &FakeProvider, client: ProviderClient) -> Arc<dyn IdentityProvider> {
    Arc::new(provider(OAuth1Config {
        consumer_key: client.client_id,
        consumer_secret: client.client_secret.unwrap(),
        ..fake.generic()
    }))
}

async fn entry(client: ProviderClient) -> (Entry, FakeProvider) {
    let site = Arc::new(Signed {
        front: Front::default(),
        clients: vec![client.clone(), application()],
        tokens: Mutex::default(),
    });
    let asked = Arc::clone(&site);
    let fake = FakeProvider::start(move |heard| {
        let base = format!("http://{}", heard.header("host").unwrap_or_default());
        wire(asked.said(&base, heard))
    })
    .await;
    let entry = Entry {
        port: playing(&fake, client),
        provider: site,
    };
    (entry, fake)
}

async fn fresh() -> ProviderFixture {
    let (here, _) = entry(own_client()).await;
    let (there, mut fake) = entry(other_client()).await;
    fake.base = String::from("http://127.0.0.1:1");
    ProviderFixture {
        protocol: Protocol::OAuth1,
        here,
        there,
        nowhere: playing(&fake, own_client()),
    }
}

conformance::identity_provider!(fresh);
