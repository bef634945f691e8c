//! What stands between a verifier and an authenticator: the script of a page, and the browser around it.

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::credential::Passkey;
use domain::id::FactorId;
use domain::ports::{PasskeyAssertion, PasskeyFault, PasskeyHolder, PasskeyVerifier, RegisteredPasskey};
use domain::time::Timestamp;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::{PasskeyFixture, SITE};
use crate::sample;

/// A key that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Made {
    /// Its id.
    pub credential: Vec<u8>,
    /// The attestation object (WebAuthn section 6.5).
    pub attestation_object: Vec<u8>,
}

/// A proof that was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asserted {
    /// By which key.
    pub credential: Vec<u8>,
    /// The authenticator data (WebAuthn section 6.1).
    pub authenticator_data: Vec<u8>,
    /// The signature over them and the hash.
    pub signature: Vec<u8>,
    /// Whose key it is.
    pub user_handle: Option<Vec<u8>>,
}

/// An authenticator. It signs whatever it is given a hash of, by the options a verifier wrote.
#[async_trait]
pub trait Authenticator: Send + Sync {
    /// Makes a key; none if it has one already that the options exclude. `verify` is whether its user shows who they are.
    async fn make(&self, options: &Value, client_data_hash: &[u8], verify: bool) -> Option<Made>;
    /// Gives a proof by one of its keys; none if it has none that the options allow.
    async fn assert(&self, options: &Value, client_data_hash: &[u8], verify: bool) -> Option<Asserted>;
}

/// A page with an authenticator at hand. An honest one, until it is told otherwise.
pub struct Page<'a> {
    port: &'a dyn PasskeyVerifier,
    authenticator: Box<dyn Authenticator>,
    /// Where it is from.
    pub origin: String,
    /// What it says it does when it makes a key, and when it asks for a proof.
    pub kinds: [&'static str; 2],
    /// What else its browser says.
    pub more: Value,
}

impl<'a> Page<'a> {
    pub fn new(port: &'a dyn PasskeyVerifier, authenticator: Box<dyn Authenticator>) -> Self {
        Self {
            port,
            authenticator,
            origin: SITE.to_owned(),
            kinds: ["webauthn.create", "webauthn.get"],
            more: json!({}),
        }
    }

    /// What the browser tells the site about itself (WebAuthn section 5.8.1).
    fn client_data(&self, kind: &str, options: &Value) -> Vec<u8> {
        let mut said = json!({"type": kind, "challenge": options["challenge"], "origin": self.origin});
        for (key, value) in self.more.as_object().expect("an object") {
            said[key] = value.clone();
        }
        said.to_string().into_bytes()
    }

    /// As `navigator.credentials.create` does.
    pub async fn create(&self, options: &Value, verify: bool) -> Option<Value> {
        let client_data = self.client_data(self.kinds[0], options);
        let hash = Sha256::digest(&client_data);
        let made = self.authenticator.make(options, &hash, verify).await?;
        let id = encoded(&made.credential);
        Some(json!({
            "id": id,
            "rawId": id,
            "type": "public-key",
            "authenticatorAttachment": "platform",
            "clientExtensionResults": {},
            "response": {
                "clientDataJSON": encoded(&client_data),
                "attestationObject": encoded(&made.attestation_object),
                "transports": ["internal", "carrier-pigeon"],
            },
        }))
    }

    /// What an authenticator would say that was asked by other options and made the same key again.
    pub fn signed_anew(&self, answer: &Value, options: &Value) -> Value {
        let mut answer = answer.clone();
        let client_data = self.client_data(self.kinds[0], options);
        answer["response"]["clientDataJSON"] = json!(encoded(&client_data));
        answer
    }

    /// As `navigator.credentials.get` does.
    pub async fn get(&self, options: &Value, verify: bool) -> Option<Value> {
        let client_data = self.client_data(self.kinds[1], options);
        let hash = Sha256::digest(&client_data);
        let asserted = self.authenticator.assert(options, &hash, verify).await?;
        let id = encoded(&asserted.credential);
        let mut answer = json!({
            "id": id,
            "rawId": id,
            "type": "public-key",
            "authenticatorAttachment": "platform",
            "clientExtensionResults": {},
            "response": {
                "clientDataJSON": encoded(&client_data),
                "authenticatorData": encoded(&asserted.authenticator_data),
                "signature": encoded(&asserted.signature),
            },
        });
        if let Some(handle) = &asserted.user_handle {
            answer["response"]["userHandle"] = json!(encoded(handle));
        }
        Some(answer)
    }

    /// Makes a passkey for somebody who has these.
    pub async fn register(&self, user: &str, existing: &[Passkey]) -> Passkey {
        let begun = self.port.begin_registration(&holder(user), existing);
        let begun = begun.expect("a registration begins");
        let answer = self.create(&begun.options, true).await;
        let answer = answer.expect("a key is made");
        let made = self.port.finish_registration(&begun.state, &answer);
        let made = made.expect("the key is taken");
        passkeys(&[made]).remove(0)
    }

    /// Logs somebody in who has these passkeys.
    pub async fn log_in(
        &self,
        allowed: &[Passkey],
        verify: bool,
        passkeys: &[Passkey],
    ) -> Result<PasskeyAssertion, PasskeyFault> {
        let begun = self.port.begin_assertion(allowed, verify);
        let begun = begun.expect("a login begins");
        let answer = self.get(&begun.options, true).await;
        let answer = answer.expect("a proof is given");
        self.port.finish_assertion(&begun.state, &answer, passkeys)
    }
}

pub fn holder(user: &str) -> PasskeyHolder {
    PasskeyHolder {
        user: sample::key("Users", user),
        name: format!("{user}@example.com"),
        display_name: user.to_owned(),
    }
}

/// What a store keeps of them.
pub fn passkeys(made: &[RegisteredPasskey]) -> Vec<Passkey> {
    let kept = |made: &RegisteredPasskey| Passkey {
        id: FactorId::new(&made.credential),
        name: "a device".to_owned(),
        credential: made.credential.clone(),
        material: made.material.clone(),
        sign_count: made.sign_count,
        user_verifying: made.user_verifying,
        backup_eligible: made.backup_eligible,
        backed_up: made.backed_up,
        created: Timestamp::from_millis(1_800_000_000_000),
        last_used: None,
    };
    made.iter().map(kept).collect()
}

pub fn encoded(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

pub fn decoded(text: &Value) -> Vec<u8> {
    let text = text.as_str().expect("a text");
    URL_SAFE_NO_PAD.decode(text).expect("base64url")
}

pub fn set(answer: &mut Value, path: &str, value: Value) {
    if let Some(part) = answer.pointer_mut(path) {
        *part = value;
    } else {
        let (parent, key) = path.rsplit_once('/').expect("a path");
        answer.pointer_mut(parent).expect("a parent")[key] = value;
    }
}

pub fn remove(answer: &mut Value, parent: &str, key: &str) {
    let parent = answer.pointer_mut(parent).and_then(Value::as_object_mut);
    parent.expect("an object").remove(key);
}

/// Whether a key may be copied, and whether it is (WebAuthn section 6.1, flags BE and BS).
pub const BACKUP_ELIGIBLE: u8 = 0x08;
pub const BACKED_UP: u8 = 0x10;

/// Exchanges those two of the authenticator data in an attestation object, which nobody signs.
pub fn set_backup_flags(answer: &mut Value, flags: u8) {
    let mut object = decoded(&answer["response"]["attestationObject"]);
    let hash = Sha256::digest(super::DOMAIN.as_bytes());
    let place = object
        .windows(hash.len())
        .position(|part| part == hash.as_slice());
    let said = &mut object[place.expect("the domain's hash") + hash.len()];
    *said = *said & !(BACKUP_ELIGIBLE | BACKED_UP) | flags;
    answer["response"]["attestationObject"] = json!(encoded(&object));
}

/// The bytes with the one at `place` changed, left out, and doubled, and what stands before it.
pub fn changes(bytes: &[u8], place: usize) -> [Vec<u8>; 4] {
    let (before, after) = bytes.split_at(place);
    let flipped = [before, &[after[0] ^ (1 << (place % 8))], &after[1..]].concat();
    let without = [before, &after[1..]].concat();
    let doubled = [before, &after[..1], &[after[0] ^ 0x5a], &after[1..]].concat();
    [flipped, without, doubled, before.to_vec()]
}

/// Nothing that an answer could be, nor any of its parts.
pub fn junk() -> Vec<Value> {
    vec![
        Value::Null,
        json!(true),
        json!(0),
        json!(-1.5e300),
        json!([]),
        json!([1, 2, 3]),
        json!([null]),
        json!({}),
        json!({"": {}}),
        json!(""),
        json!("a"),
        json!("AAAA"),
        json!("AA=="),
        json!("+/+/"),
        json!("\u{0}\u{fffd}"),
        json!("oA"),
        json!("o2NmbXRkbm9uZWdhdHRTdG10oGhhdXRoRGF0YUA"),
        json!("A".repeat(60_001)),
        json!("A".repeat(2_000_000)),
        json!({"id": "AAAA", "rawId": "AAAA", "type": "public-key", "response": {}}),
        json!({"id": "AAAA", "rawId": "AAAA", "type": "public-key", "response": {"transports": vec!["usb"; 100_000]}}),
    ]
}

pub fn shortened(junk: &Value) -> String {
    junk.to_string().chars().take(60).collect()
}

/// A registration and a login that would do.
pub struct Answers<'a> {
    fixture: &'a PasskeyFixture,
    registration: (String, Value),
    login: (String, Value),
    own: Vec<Passkey>,
}

pub async fn answers(fixture: &PasskeyFixture) -> Answers<'_> {
    let page = fixture.page();
    let own = vec![page.register("ann", &[]).await];
    let joining = fixture.port.begin_registration(&holder("bob"), &[]).unwrap();
    let login = fixture.port.begin_assertion(&[], true).unwrap();
    let proof = page.get(&login.options, true).await.unwrap();
    let made = page.create(&joining.options, true).await.unwrap();
    Answers {
        fixture,
        registration: (joining.state, made),
        login: (login.state, proof),
        own,
    }
}

impl Answers<'_> {
    pub fn registration_malformed(&self, what: &str, change: impl FnOnce(&mut Value)) {
        let (state, mut answer) = self.registration.clone();
        change(&mut answer);
        let made = self.fixture.port.finish_registration(&state, &answer);
        assert_eq!(made, Err(PasskeyFault::Malformed), "{what}");
    }

    pub fn login_malformed(&self, what: &str, change: impl FnOnce(&mut Value)) {
        let (state, mut answer) = self.login.clone();
        change(&mut answer);
        let proven = self.fixture.port.finish_assertion(&state, &answer, &self.own);
        assert_eq!(proven, Err(PasskeyFault::Malformed), "{what}");
    }

    pub fn both_malformed(&self, what: &str, change: impl Fn(&mut Value)) {
        self.registration_malformed(what, &change);
        self.login_malformed(what, &change);
    }
}
