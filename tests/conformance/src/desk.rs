//! A provider of OAuth 2.0 (RFC 6749) with code challenges (RFC 7636): who agreed to what, and what came of it. It answers requests
//! that somebody else takes off the wire.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use domain::identity::ProviderClient;
use domain::ports::AuthorizationStart;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use url::{Url, form_urlencoded};

use crate::counterpart::{Asked, Behaviour, Counterpart, Front, Params, Said, application, secret_of};

/// The provider.
pub struct Desk {
    front: Front,
    clients: Vec<ProviderClient>,
    grants: Mutex<Grants>,
}

#[derive(Default)]
struct Grants {
    codes: HashMap<String, Grant>,
    access: HashMap<String, Grant>,
    refresh: HashMap<String, Grant>,
}

/// Somebody agreed to something.
#[derive(Clone, Debug)]
pub struct Grant {
    /// To what.
    pub asked: Asked,
    /// Who.
    pub person: String,
}

/// The value of a parameter.
pub fn param<'a>(params: &'a Params, name: &str) -> Option<&'a str> {
    let mut found = params.iter().filter(|(given, _)| given == name);
    found.next().map(|(_, value)| value.as_str())
}

/// RFC 7636 section 4.2, `S256`.
pub fn challenge_of(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(verifier))
}

fn asked(url: &str) -> Asked {
    let url = Url::parse(url).expect("people are sent to an address");
    assert!(url.path().ends_with("/authorize"), "{url}");
    let params: Params = url.query_pairs().into_owned().collect();
    assert_eq!(param(&params, "response_type"), Some("code"));
    let owned = |name: &str| param(&params, name).map(str::to_owned);
    let hashed = param(&params, "code_challenge_method") == Some("S256");
    Asked {
        client_id: owned("client_id").expect("a client asks"),
        redirect_uri: owned("redirect_uri").unwrap_or_default(),
        state: owned("state"),
        nonce: owned("nonce"),
        challenge: owned("code_challenge").filter(|_| hashed),
    }
}

impl Desk {
    /// One that knows this client, and the application's.
    pub fn new(client: ProviderClient) -> Self {
        Self {
            front: Front::default(),
            clients: vec![client, application()],
            grants: Mutex::default(),
        }
    }

    fn grants(&self) -> MutexGuard<'_, Grants> {
        self.grants.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hears a request; what is said in place of an answer.
    pub fn hear(&self, path: &str, authorization: Option<&str>, body: &str) -> Option<Said> {
        let mut parts: Params = form_urlencoded::parse(body.as_bytes()).into_owned().collect();
        parts.extend(authorization.map(|value| ("authorization".to_owned(), value.to_owned())));
        let whole = format!("{path} {} {body}", authorization.unwrap_or_default());
        self.front.hear(&whole, &parts)
    }

    /// The token endpoint (RFC 6749 section 3.2); `id_token` is what OpenID Connect adds.
    pub fn token(
        &self,
        authorization: Option<&str>,
        body: &str,
        id_token: impl Fn(&Grant) -> Option<String>,
    ) -> Said {
        let form: Params = form_urlencoded::parse(body.as_bytes()).into_owned().collect();
        let Some(client) = self.client_of(authorization, &form) else {
            return refusal(401, "invalid_client");
        };
        let grant = match param(&form, "grant_type") {
            Some("authorization_code") => self.spend_code(&form),
            Some("refresh_token") => self.spend_refresh_token(&form),
            _ => return refusal(400, "unsupported_grant_type"),
        };
        match grant.filter(|grant| grant.asked.client_id == client) {
            Some(grant) => self.hand_out(grant, id_token),
            None => refusal(400, "invalid_grant"),
        }
    }

    /// By header or by form (RFC 6749 section 2.3.1).
    fn client_of(&self, authorization: Option<&str>, form: &Params) -> Option<String> {
        let basic = authorization.and_then(|header| header.strip_prefix("Basic "));
        let (id, secret) = match basic {
            Some(basic) => {
                let joined = String::from_utf8(STANDARD.decode(basic).ok()?).ok()?;
                let (id, secret) = joined.split_once(':')?;
                (id.to_owned(), secret.to_owned())
            }
            None => {
                let field = |name| param(form, name).map(str::to_owned);
                (field("client_id")?, field("client_secret")?)
            }
        };
        let known = |client: &&ProviderClient| client.client_id == id && secret_of(client) == secret;
        self.clients.iter().find(known).map(|_| id)
    }

    fn spend_code(&self, form: &Params) -> Option<Grant> {
        // Gone whatever comes of it.
        let grant = self.grants().codes.remove(param(form, "code")?)?;
        let same_address = param(form, "redirect_uri") == Some(&grant.asked.redirect_uri);
        let verifier = param(form, "code_verifier").map(challenge_of);
        (same_address && verifier == grant.asked.challenge).then_some(grant)
    }

    fn spend_refresh_token(&self, form: &Params) -> Option<Grant> {
        let token = param(form, "refresh_token")?;
        let mut grants = self.grants();
        match self.front.behaviour() {
            Behaviour::Terse => grants.refresh.get(token).cloned(),
            _ => grants.refresh.remove(token),
        }
    }

    fn hand_out(&self, grant: Grant, id_token: impl Fn(&Grant) -> Option<String>) -> Said {
        let access = self.front.mint("access");
        let mut answer = json!({"access_token": access, "token_type": "Bearer", "expires_in": 3600});
        if let Some(id_token) = id_token(&grant) {
            answer["id_token"] = Value::String(id_token);
        }
        let mut grants = self.grants();
        grants.access.insert(access, grant.clone());
        if self.front.behaviour() != Behaviour::Terse {
            let refresh = self.front.mint("refresh");
            answer["refresh_token"] = Value::String(refresh.clone());
            answer["scope"] = json!("email profile");
            grants.refresh.insert(refresh, grant);
        }
        Said::Answer(200, answer.to_string())
    }

    /// Whoever the token is about, as their own API or the userinfo endpoint tells it.
    pub fn profile(&self, authorization: Option<&str>) -> Said {
        let token = authorization.and_then(|header| header.strip_prefix("Bearer "));
        let grant = token.and_then(|token| self.grants().access.get(token).cloned());
        match grant {
            Some(grant) => Said::Answer(200, self.claims(&grant.person).to_string()),
            None => refusal(401, "invalid_token"),
        }
    }

    /// What it says of a person.
    pub fn claims(&self, person: &str) -> Value {
        let mut claims =
            json!({"email": format!("{person}@example.com"), "name": format!("Name of {person}")});
        if self.front.behaviour() != Behaviour::Anonymous {
            claims["id"] = json!(person);
            claims["sub"] = json!(person);
        }
        claims
    }
}

fn refusal(status: u16, error: &str) -> Said {
    Said::Answer(status, json!({ "error": error }).to_string())
}

impl Counterpart for Desk {
    fn asked(&self, start: &AuthorizationStart) -> Asked {
        asked(&start.url)
    }

    fn agree(&self, url: &str, person: &str) -> Params {
        let asked = asked(url);
        let known = |client: &ProviderClient| client.client_id == asked.client_id;
        assert!(self.clients.iter().any(known), "{}", asked.client_id);
        let code = self.front.mint("code");
        let state = asked.state.clone();
        let grant = Grant {
            asked,
            person: person.to_owned(),
        };
        self.grants().codes.insert(code.clone(), grant);
        let state = state.map(|state| ("state".to_owned(), state));
        [("code".to_owned(), code)].into_iter().chain(state).collect()
    }

    fn refuse(&self, url: &str) -> Params {
        let state = asked(url).state.map(|state| ("state".to_owned(), state));
        let error = ("error".to_owned(), "access_denied".to_owned());
        [error].into_iter().chain(state).collect()
    }

    fn revoke(&self) {
        *self.grants() = Grants::default();
    }

    fn front(&self) -> &Front {
        &self.front
    }
}
