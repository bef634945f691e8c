//! A client fetches the session that waits for it: only who began can, by the verifier behind its challenge.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use super::super::super::{Ctx, Refused, Step};
use super::{Entrance, External, on};
use crate::audit::AuditKind;
use crate::error::Denial;
use crate::flow_record::{FlowBody, FlowRecord};
use crate::limits::Verdict;
use crate::policy::Asked;
use crate::session::Factor;
use crate::time::Lifetime;
use crate::user::User;

/// How long a session waits for the client that fetches it (RFC 6749 section 4.1.2 asks for little; ASVS 10.4.3 for a minute).
pub const EXCHANGE_LIFE: Lifetime = Lifetime::from_secs(60);

/// Facts: a client came with a code.
#[derive(Clone, Debug)]
pub struct Exchanged {
    /// What the code leads to.
    pub flow: Option<FlowRecord>,
    /// Its user, as stored now.
    pub user: Option<User>,
    /// The client's proof that it is the one that began (RFC 7636 section 4.5).
    pub code_verifier: String,
    /// What the address's counters said.
    pub verdict: Verdict,
    /// The counters, to give the try back to.
    pub taken: Asked,
}

pub(super) fn redeem(facts: Exchanged, cx: &mut Ctx<'_>) -> Step<External> {
    let Exchanged {
        flow,
        user,
        code_verifier,
        verdict,
        taken,
    } = facts;
    if let Some(refused) = Refused::limited(verdict, None, cx) {
        return Err(refused);
    }
    let account = user.as_ref().map(|user| user.key.clone());
    let good = flow.zip(user).filter(|(flow, user)| {
        let FlowBody::Exchange(exchange) = &flow.body else {
            return false;
        };
        let own = flow.is_of(&user.key) && flow.pool == cx.pool.name && exchange.epoch == user.session_epoch;
        own && !flow.is_expired(cx.now) && fits(&code_verifier, &exchange.code_challenge)
    });
    let waiting = good.as_ref().and_then(|(flow, _)| match &flow.body {
        FlowBody::Exchange(exchange) => exchange.link.as_deref().cloned(),
        _ => None,
    });
    let Some((flow, user)) = good else {
        let audit = cx.audit(AuditKind::TokenRefused, account.as_ref());
        return Err(Refused::new(Denial::ExchangeRefused, vec![audit]));
    };
    Ok(on(External::Enter(Box::new(Entrance {
        before: Some(user.clone()),
        next: user,
        link: waiting,
        factor: Factor::Federated,
        code_challenge: None,
        taken,
        spend: Some(flow.id),
        audits: Vec::new(),
    }))))
}

/// Whether a verifier is the one behind an S256 challenge (RFC 7636 sections 4.1 and 4.6).
fn fits(verifier: &str, challenge: &str) -> bool {
    let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
    let sound = (43..=128).contains(&verifier.len()) && verifier.bytes().all(unreserved);
    let hashed = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()));
    let same: bool = hashed.as_bytes().ct_eq(challenge.as_bytes()).into();
    sound && same
}

/// Whether a text can be an S256 challenge: 32 bytes in base64url without padding (RFC 7636 section 4.2).
pub fn is_code_challenge(text: &str) -> bool {
    text.len() == 43
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}
