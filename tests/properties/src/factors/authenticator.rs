//! Authenticators, and what judges their answers, as plain as can be: a signature is what it signs beside the key itself. Here the
//! rules around a ceremony are on trial, not the cryptography within.

use std::sync::atomic::{AtomicU32, Ordering};

use domain::credential::Passkey;
use domain::id::{PoolName, UserId, UserKey};
use domain::ports::{
    PasskeyAssertion, PasskeyCeremony, PasskeyFault, PasskeyHolder, PasskeyVerifier, PortError,
    RegisteredPasskey,
};
use serde_json::{Value, json};

/// Judges answers. Keeps nothing but the number of the next challenge.
#[derive(Debug, Default)]
pub struct PlainVerifier {
    asked: AtomicU32,
}

impl PlainVerifier {
    fn ceremony(&self, what: &str, user: &Value) -> PasskeyCeremony {
        let state = format!("{what}-{}", self.asked.fetch_add(1, Ordering::SeqCst));
        PasskeyCeremony {
            options: json!({ "challenge": state, "user": user }),
            state,
        }
    }
}

fn text<'a>(answer: &'a Value, member: &str) -> Result<&'a str, PasskeyFault> {
    answer
        .get(member)
        .and_then(Value::as_str)
        .ok_or(PasskeyFault::Malformed)
}

fn count(answer: &Value) -> u32 {
    let count = answer.get("count").and_then(Value::as_u64);
    count.and_then(|count| u32::try_from(count).ok()).unwrap_or(0)
}

fn is_verified(answer: &Value) -> bool {
    answer.get("verified").and_then(Value::as_bool).unwrap_or(false)
}

fn signature(challenge: &str, key: &str, count: u32) -> String {
    format!("{challenge}|{key}|{count}")
}

impl PasskeyVerifier for PlainVerifier {
    fn begin_registration(
        &self,
        holder: &PasskeyHolder,
        _: &[Passkey],
    ) -> Result<PasskeyCeremony, PortError> {
        let user = json!(format!("{}/{}", holder.user.pool, holder.user.id));
        Ok(self.ceremony("make", &user))
    }

    fn finish_registration(&self, state: &str, answer: &Value) -> Result<RegisteredPasskey, PasskeyFault> {
        if text(answer, "challenge")? != state || !state.starts_with("make") {
            return Err(PasskeyFault::Challenge);
        }
        Ok(RegisteredPasskey {
            credential: text(answer, "credential")?.to_owned(),
            material: text(answer, "key")?.to_owned(),
            sign_count: count(answer),
            user_verifying: is_verified(answer),
            backup_eligible: false,
            backed_up: false,
        })
    }

    fn begin_assertion(&self, _: &[Passkey], verify: bool) -> Result<PasskeyCeremony, PortError> {
        Ok(self.ceremony(if verify { "verify" } else { "touch" }, &Value::Null))
    }

    fn named_by(&self, answer: &Value) -> Result<UserKey, PasskeyFault> {
        let (pool, id) = text(answer, "user")?
            .split_once('/')
            .ok_or(PasskeyFault::Malformed)?;
        Ok(UserKey::new(PoolName::new(pool), UserId::new(id)))
    }

    fn finish_assertion(
        &self,
        state: &str,
        answer: &Value,
        passkeys: &[Passkey],
    ) -> Result<PasskeyAssertion, PasskeyFault> {
        let credential = text(answer, "credential")?;
        if text(answer, "challenge")? != state || state.starts_with("make") {
            return Err(PasskeyFault::Challenge);
        }
        let passkey = passkeys.iter().find(|passkey| passkey.credential == credential);
        let passkey = passkey.ok_or(PasskeyFault::UnknownKey)?;
        if text(answer, "signature")? != signature(state, &passkey.material, count(answer)) {
            return Err(PasskeyFault::Signature);
        }
        if state.starts_with("verify") && !is_verified(answer) {
            return Err(PasskeyFault::UserVerification);
        }
        Ok(PasskeyAssertion {
            credential: credential.to_owned(),
            sign_count: count(answer),
            user_verified: is_verified(answer),
            backed_up: false,
            material: None,
        })
    }
}

/// A thing in somebody's hand, with one key on it.
#[derive(Clone, Debug)]
pub struct Authenticator {
    /// The credential id.
    pub credential: String,
    key: String,
    user: String,
    /// Its signature counter.
    pub count: u32,
    /// Whether it counts at all.
    pub counts: bool,
    /// Whether it asks for a finger or a number of its own.
    pub verifies: bool,
}

impl Authenticator {
    /// A new one, of some number.
    pub fn new(number: usize, counts: bool, verifies: bool) -> Self {
        Self {
            credential: format!("credential-{number}"),
            key: format!("key-{number}"),
            user: String::new(),
            count: 0,
            counts,
            verifies,
        }
    }

    fn challenge(options: &Value) -> &str {
        options
            .get("challenge")
            .and_then(Value::as_str)
            .unwrap_or_default()
    }

    fn step(&mut self) {
        self.count += u32::from(self.counts);
    }

    /// Makes its key.
    pub fn make(&mut self, options: &Value) -> Value {
        self.step();
        let user = options.get("user").and_then(Value::as_str);
        user.unwrap_or_default().clone_into(&mut self.user);
        json!({
            "challenge": Self::challenge(options),
            "credential": self.credential,
            "key": self.key,
            "count": self.count,
            "verified": self.verifies,
        })
    }

    /// Answers a challenge.
    pub fn sign(&mut self, options: &Value) -> Value {
        self.step();
        self.answer(options)
    }

    /// The answer of a copy of it, whose counter did not go on.
    pub fn answer(&self, options: &Value) -> Value {
        let challenge = Self::challenge(options);
        json!({
            "challenge": challenge,
            "credential": self.credential,
            "count": self.count,
            "verified": self.verifies,
            "user": self.user,
            "signature": signature(challenge, &self.key, self.count),
        })
    }
}
