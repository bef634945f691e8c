//! The other side of an identity provider's adapter: a provider that a case has in its hand.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use domain::identity::ProviderClient;
use domain::ports::AuthorizationStart;
use domain::secret::Secret;

/// Parameters of an address or a form, in their order.
pub type Params = Vec<(String, String)>;

/// How a provider behaves until it is told otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Behaviour {
    /// As its protocol says.
    Well,
    /// As its protocol says, without anything that may be left out: no refresh token, no scopes.
    Terse,
    /// As its protocol says, but nobody has an id.
    Anonymous,
    /// Answers when nobody waits any more.
    Late,
    /// Closes every connection without a word.
    HangsUp,
    /// Says this with this status, whatever it is asked.
    Says(u16, &'static str),
    /// Refuses everything, with each thing it was sent as the reason.
    Echoes,
}

/// What a provider was told about an authorization before the person came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// Whose authorization it is.
    pub client_id: String,
    /// Where the person is to be sent back to.
    pub redirect_uri: String,
    /// `state`, as far as there is one.
    pub state: Option<String>,
    /// `nonce`, as far as there is one.
    pub nonce: Option<String>,
    /// `code_challenge`, if its method is S256.
    pub challenge: Option<String>,
}

/// A provider, and the browser in front of it.
pub trait Counterpart: Send + Sync {
    /// What the provider knows of the authorization that begins so.
    fn asked(&self, start: &AuthorizationStart) -> Asked;
    /// Opens the address as this person, who agrees; what the browser brings back.
    fn agree(&self, url: &str, person: &str) -> Params;
    /// What the account of a person is called there.
    fn subject_of(&self, person: &str) -> String {
        person.to_owned()
    }
    /// Opens the address as somebody who says no; what the browser brings back.
    fn refuse(&self, url: &str) -> Params;
    /// Takes back every grant.
    fn revoke(&self);
    /// What it has in common with all others.
    fn front(&self) -> &Front;
}

/// What every provider has, whatever it speaks: its mood, its ears, and what it handed out.
#[derive(Debug)]
pub struct Front {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    behaviour: Behaviour,
    heard: Vec<String>,
    handed_out: Vec<String>,
}

/// What goes over the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// An answer.
    Answer(u16, String),
    /// Nothing; the connection is closed.
    Nothing,
    /// Nothing for longer than anybody waits.
    Late,
}

static MINTED: AtomicUsize = AtomicUsize::new(0);

impl Default for Front {
    fn default() -> Self {
        let state = State {
            behaviour: Behaviour::Well,
            heard: Vec::new(),
            handed_out: Vec::new(),
        };
        Self {
            state: Mutex::new(state),
        }
    }
}

impl Front {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on.
    pub fn behave(&self, behaviour: Behaviour) {
        self.state().behaviour = behaviour;
    }

    /// How it behaves.
    pub fn behaviour(&self) -> Behaviour {
        self.state().behaviour
    }

    /// A new secret of the provider, unlike every other in this process.
    pub fn mint(&self, kind: &str) -> String {
        let minted = format!("{kind}-{}-handed-out", MINTED.fetch_add(1, Ordering::Relaxed));
        self.state().handed_out.push(minted.clone());
        minted
    }

    /// All codes, tokens and verifiers it ever handed out.
    pub fn handed_out(&self) -> Vec<String> {
        self.state().handed_out.clone()
    }

    /// All it was ever sent.
    pub fn heard(&self) -> Vec<String> {
        self.state().heard.clone()
    }

    /// Hears a request, `whole` as it came; what is said in place of an answer of the protocol. `parts` is what a rude provider repeats.
    pub fn hear(&self, whole: &str, parts: &Params) -> Option<Said> {
        let mut state = self.state();
        state.heard.push(whole.to_owned());
        match state.behaviour {
            Behaviour::Well | Behaviour::Terse | Behaviour::Anonymous => None,
            Behaviour::Late => Some(Said::Late),
            Behaviour::HangsUp => Some(Said::Nothing),
            Behaviour::Says(status, body) => Some(Said::Answer(status, body.to_owned())),
            Behaviour::Echoes => Some(Said::Answer(400, echo(parts))),
        }
    }
}

/// The value somebody would least like to see again is the reason.
fn echo(parts: &Params) -> String {
    let telling = ["code", "refresh_token", "oauth_verifier", "oauth_token"];
    let value = |name: &&str| parts.iter().find(|(given, _)| given == name);
    let reason = telling.iter().find_map(value).map_or("", |(_, value)| value);
    let description: Vec<String> = parts
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    serde_json::json!({"error": reason, "error_description": description.join(" ")}).to_string()
}

fn client(id: &str) -> ProviderClient {
    ProviderClient {
        client_id: id.to_owned(),
        client_secret: Some(Secret::new(format!("secret-of-{id}"))),
    }
}

/// The client of the entry under test.
pub fn own_client() -> ProviderClient {
    client("our-entry")
}

/// The client of the other entry.
pub fn other_client() -> ProviderClient {
    client("other-entry")
}

/// An application's own client, known to the provider under test.
pub fn application() -> ProviderClient {
    client("an-application")
}

/// The secret of a client that has one.
pub fn secret_of(client: &ProviderClient) -> &str {
    client.client_secret.as_ref().map_or("", Secret::expose)
}
