//! The flows: what happens when somebody signs up, logs in, proves a contact, recovers, changes, leaves.
//!
//! Each flow is a function `step(state, event, cx)`. Facts ride in the event (the user as loaded, what a counter said, whether a
//! hash matched); time, chance, keys and rules come in [`Ctx`]. A step answers with the next state and the effects that make it
//! true, or with a refusal, *which has effects too*: a failed login still counts and is written down.
//!
//! Rules every step keeps (held by `tests/properties`): at most one change of a user aggregate, and it comes first; guarded effects
//! before all others; every pair of state and event has an answer; equal inputs, equal answers.

mod effect;
mod notice;

pub mod administer;
pub mod authorize;
pub mod change_password;
pub mod change_profile;
pub mod deliver;
pub mod end_session;
pub mod factors;
pub mod impersonate;
pub mod link;
pub mod log_out;
pub mod login;
pub mod prove;
pub mod recover;
pub mod refresh_credential;
pub mod refresh_session;
pub mod revert_email;
pub mod second_factor;
pub mod set_up;
pub mod sign_up;
pub mod single_logout;
pub mod step_up;
pub mod verify_contact;

pub use effect::Effect;

use crate::audit::{AuditEvent, AuditKind};
use crate::entropy::Entropy;
use crate::error::Denial;
use crate::flow_record::{FlowBody, FlowRecord};
use crate::id::UserKey;
use crate::limits::Verdict;
use crate::origin::Origin;
use crate::policy::{Policy, PoolPolicy};
use crate::secret::{MacKey, Secret, Token};
use crate::time::{Lifetime, Timestamp};
use crate::user::User;

/// What a step may know of the world besides its event.
pub struct Ctx<'a> {
    /// All rules.
    pub policy: &'a Policy,
    /// The rules of the pool it is about.
    pub pool: &'a PoolPolicy,
    /// The server's key for codes.
    pub key: &'a MacKey,
    /// The moment it is.
    pub now: Timestamp,
    /// Where the request came from, and what it says of itself.
    pub origin: &'a Origin,
    /// Chance.
    pub entropy: &'a mut dyn Entropy,
}

impl Ctx<'_> {
    /// An audit effect about `user` from the request's address, now.
    pub fn audit(&self, kind: AuditKind, user: Option<&UserKey>) -> Effect {
        Effect::Audit(self.event(kind, user))
    }

    /// The same with a word on what it was about.
    pub fn audit_about(&self, kind: AuditKind, user: Option<&UserKey>, detail: impl Into<String>) -> Effect {
        Effect::Audit(self.event(kind, user).about(detail))
    }

    /// Whether this user's login needs a second factor here and now: not from a device that is trusted.
    pub fn second_factor_is_due(&self, user: &User) -> bool {
        let trusted = self.pool.trust_device.is_some()
            && self.origin.device_token().is_some_and(|token| {
                user.device(&token)
                    .is_some_and(|device| device.is_trusted(self.now))
            });
        self.pool.second_factor_is_due(user) && !(trusted && user.has_second_factor())
    }

    /// The language to write to a user in: what they chose (the property `language`), else what the request asks for, else the
    /// service's own.
    pub fn language_of(&self, user: &User) -> String {
        let chosen = user
            .attributes
            .as_map()
            .get("language")
            .and_then(|value| value.as_str());
        let chosen = chosen.and_then(primary_subtag);
        chosen
            .or_else(|| self.origin.languages.first().cloned())
            .unwrap_or_else(|| self.policy.language.clone())
    }

    /// Keeps a flow of a user from now on for a while; whoever shows `token` continues it.
    pub(crate) fn keep(&self, user: &User, token: &Token, life: Lifetime, body: FlowBody) -> Effect {
        Effect::PutFlow(Box::new(FlowRecord {
            id: token.hash(),
            pool: user.key.pool.clone(),
            user: Some(user.key.id.clone()),
            created: self.now,
            expires: self.now.plus(life),
            body,
        }))
    }

    /// A link to one of our own pages that carries a token of this pool.
    pub(crate) fn link(&self, page: &str, token: &Token) -> Secret {
        let (site, pool) = (&self.policy.public_url, &self.pool.name);
        Secret::new(format!("{site}{page}?pool={pool}&token={}", token.expose()))
    }

    fn event(&self, kind: AuditKind, user: Option<&UserKey>) -> AuditEvent {
        AuditEvent::of_request(self.now, kind, user.cloned(), self.origin, self.key)
    }
}

/// The primary subtag of a language tag (RFC 5646 section 2.2.1): `de` of `de-AT`.
fn primary_subtag(tag: &str) -> Option<String> {
    let first = tag.split(['-', '_']).next()?;
    let fits = (2..=3).contains(&first.len()) && first.bytes().all(|byte| byte.is_ascii_alphabetic());
    fits.then(|| first.to_ascii_lowercase())
}

/// A step forward.
#[must_use = "carry out the effects, in order"]
#[derive(Clone, Debug)]
pub struct Advanced<S> {
    /// The state after it.
    pub next: S,
    /// What makes it true.
    pub effects: Vec<Effect>,
}

/// A refusal.
#[must_use = "a refusal has effects too"]
#[derive(Clone, Debug, PartialEq)]
pub struct Refused {
    /// What the caller hears.
    pub denial: Denial,
    /// What is done all the same.
    pub effects: Vec<Effect>,
}

/// What every step answers.
pub type Step<S> = Result<Advanced<S>, Refused>;

impl Refused {
    /// A refusal with its effects.
    pub fn new(denial: Denial, effects: Vec<Effect>) -> Self {
        Self { denial, effects }
    }

    /// A limit said no: nothing was judged.
    pub(crate) fn limited(verdict: Verdict, user: Option<&UserKey>, cx: &Ctx<'_>) -> Option<Self> {
        match verdict {
            Verdict::Allowed => None,
            Verdict::Denied { retry_after, by } => {
                let audit = match by {
                    Some(bucket) => cx.audit_about(AuditKind::Limited, user, bucket.name()),
                    None => cx.audit(AuditKind::Limited, user),
                };
                Some(Self::new(Denial::Limited { retry_after }, vec![audit]))
            }
        }
    }

    /// The event does not belong to the state.
    pub(crate) fn unexpected() -> Self {
        Self::new(Denial::Unexpected, Vec::new())
    }
}

/// A commit of `next`, decided on `before`.
pub(crate) fn commit(before: &User, next: User) -> Effect {
    Effect::Commit {
        next: Box::new(next),
        expected: before.revision,
    }
}
