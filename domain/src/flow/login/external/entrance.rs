//! The door itself: everything was proven that comes before a code.

use super::super::super::{Advanced, Ctx, Effect, Refused, Step, commit};
use super::super::Login;
use super::super::Terms;
use super::super::door::{self, Entrant};
use super::super::pending::{FirstProof, Sending, Waits, begin};
use super::{EXCHANGE_LIFE, Opening};
use crate::audit::AuditKind;
use crate::error::Denial;
use crate::flow::link::attach;
use crate::flow_record::{Exchange, FlowBody, PendingLink};
use crate::id::SessionId;
use crate::policy::Asked;
use crate::secret::{Token, TokenHash};
use crate::session::{Factor, TokenLife};
use crate::user::User;

/// Somebody at the door, with everything proven that comes before a code.
#[derive(Clone, Debug)]
pub struct Entrance {
    /// The user it was decided on; none for one who is made by it.
    pub(crate) before: Option<User>,
    /// The user's next state, without the link.
    pub(crate) next: User,
    /// What is attached once everything is proven.
    pub(crate) link: Option<PendingLink>,
    /// What was proven.
    pub(crate) factor: Factor,
    /// The challenge of a client that will fetch the session.
    pub(crate) code_challenge: Option<String>,
    /// The counters to give the try back to.
    pub(crate) taken: Asked,
    /// The flow that is used up by it.
    pub(crate) spend: Option<TokenHash>,
    /// What is written down besides.
    pub(crate) audits: Vec<Effect>,
}

impl Entrance {
    /// Who it is.
    pub fn user(&self) -> &User {
        &self.next
    }

    /// Whether this will wait for a second factor.
    pub fn waits(&self, cx: &Ctx<'_>) -> Waits {
        let is_due = self.code_challenge.is_none() && cx.second_factor_is_due(&self.next);
        Waits::of(&self.next, is_due, None, cx)
    }
}

/// Lets somebody in: by a code where a second factor is due, by an exchange where a client waits, else at once.
pub(crate) fn enter(entrance: Entrance, sending: &Sending, cx: &mut Ctx<'_>) -> Step<Opening> {
    door::admit(&entrance.next, cx)?;
    if bears_an_unproven_address(&entrance.next, cx) {
        return Err(refuse_unproven(entrance, cx));
    }
    if entrance.waits(cx) != Waits::No {
        return enter_by_code(entrance, sending, cx);
    }
    let Entrance {
        before,
        mut next,
        link,
        factor,
        code_challenge,
        taken,
        spend,
        mut audits,
    } = entrance;
    // Who waits for a client has shown no second factor yet: what is to be attached waits, too.
    let waits = code_challenge.is_some() && cx.second_factor_is_due(&next);
    let federated = link.as_ref().and_then(|link| link.session.clone());
    let (waiting, link) = match link {
        Some(link) if waits => (Some(link), None),
        // The session that the client fetches is to know on which one it stands.
        Some(link) if code_challenge.is_some() && link.session.is_some() => (Some(link.clone()), Some(link)),
        link => (None, link),
    };
    if let Some(link) = &link {
        if next.identity_of(&link.identity.key).is_none() {
            let detail = link.identity.key.provider.to_string();
            audits.push(cx.audit_about(AuditKind::IdentityLinked, Some(&next.key), detail));
        }
        if before
            .as_ref()
            .is_some_and(|before| before.revision == next.revision)
        {
            next = next.changed(cx.now);
        }
        attach(&mut next, link, cx.now).map_err(|denial| Refused::new(denial, Vec::new()))?;
    }
    let mut effects: Vec<Effect> = spend.map(Effect::Spend).into_iter().collect();
    // Before the new session is there: among them may be the end of every other.
    effects.extend(audits);
    let opening = if let Some(code_challenge) = code_challenge {
        effects.splice(0..0, made_or_committed(before.as_ref(), &next));
        let code = Token::draw(cx.entropy);
        let body = FlowBody::Exchange(Exchange {
            epoch: next.session_epoch,
            code_challenge,
            link: waiting.map(Box::new),
        });
        effects.push(cx.keep(&next, &code, EXCHANGE_LIFE, body));
        Opening::Exchange(code)
    } else {
        let entrant = Entrant {
            before,
            next,
            id: SessionId::draw(cx.now, cx.entropy),
            terms: Terms::of(TokenLife::Finite(cx.pool.ttl)),
            factors: vec![factor],
            trust_device: false,
            federated,
        };
        let opened = door::open(entrant, &mut effects, cx);
        effects.push(cx.audit_about(AuditKind::LoggedIn, Some(&opened.user.key), factor.name()));
        Opening::LoggedIn(Box::new(opened))
    };
    effects.push(Effect::GiveBack(taken));
    Ok(Advanced {
        next: opening,
        effects,
    })
}

/// Where addresses must be proven, an account elsewhere is no way around: a session would speak for an address that may be somebody
/// else's. Who has no address claims none, and is let in.
fn bears_an_unproven_address(user: &User, cx: &Ctx<'_>) -> bool {
    cx.pool.email_verification_required && user.email.is_some() && !user.email_verified
}

fn refuse_unproven(entrance: Entrance, cx: &Ctx<'_>) -> Refused {
    let user = entrance.next.key;
    let effects = vec![
        Effect::GiveBack(entrance.taken),
        cx.audit(AuditKind::LoginUnverified, Some(&user)),
    ];
    Refused::new(Denial::EmailNotVerified { user: user.id }, effects)
}

fn made_or_committed(before: Option<&User>, next: &User) -> Vec<Effect> {
    match before {
        None => vec![Effect::Create(Box::new(next.clone()))],
        Some(before) if before.revision != next.revision => vec![commit(before, next.clone())],
        Some(_) => Vec::new(),
    }
}

/// Nothing is attached before the code is right.
fn enter_by_code(entrance: Entrance, sending: &Sending, cx: &mut Ctx<'_>) -> Step<Opening> {
    let Entrance {
        before,
        next,
        link,
        factor,
        taken,
        spend,
        audits,
        ..
    } = entrance;
    let mut first = made_or_committed(before.as_ref(), &next);
    first.extend(spend.map(Effect::Spend));
    let proof = FirstProof {
        user: next,
        next: None,
        factor,
        link: link.map(Box::new),
        taken,
        terms: Terms::of(TokenLife::Finite(cx.pool.ttl)),
        method: None,
    };
    let Advanced { next, effects } = begin(proof, sending, cx)?;
    let Login::AwaitingCode(requested) = next else {
        return Err(Refused::unexpected());
    };
    first.extend(effects);
    first.extend(audits);
    Ok(Advanced {
        next: Opening::AwaitingCode(requested),
        effects: first,
    })
}
