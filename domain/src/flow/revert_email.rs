//! "That was not me": whoever reads an account's old address sets it back, and everybody out.
//!
//! ```text
//! TokenPresented ──▶ Reverted
//! ```

use super::{Advanced, Ctx, Effect, Refused, Step, commit};
use crate::audit::AuditKind;
use crate::error::Denial;
use crate::flow_record::{FlowBody, FlowKind, FlowRecord};
use crate::limits::Verdict;
use crate::message::{MailKind, Notice};
use crate::secret::Token;
use crate::user::{Email, User};

use super::notice::{mail, notify};

/// What happened.
#[derive(Clone, Debug)]
pub enum RevertEmailEvent {
    /// The token of such a mail was presented.
    TokenPresented {
        /// The flow of the token.
        flow: Option<Box<FlowRecord>>,
        /// Its user, as stored now.
        user: Option<Box<User>>,
        /// Every way back of that user there is.
        ways_back: Vec<FlowRecord>,
        /// What the counter for tokens said.
        verdict: Verdict,
    },
}

/// What came of it.
#[derive(Clone, Debug)]
pub enum RevertEmail {
    /// The user has the old address again.
    Reverted(Box<User>),
}

/// Tells both addresses of a change (ASVS 6.3.7): the old one with a way back; the new one unless it is asked to verify itself anyway.
pub(super) fn tell_both(before: &User, next: &User, cx: &mut Ctx<'_>) -> Vec<Effect> {
    let Some(old) = before.email.clone().filter(|_| cx.pool.notices) else {
        return Vec::new();
    };
    let token = Token::draw(cx.entropy);
    let life = cx.pool.revert_email_life;
    let body = FlowBody::RevertEmail {
        address: old.as_str().to_owned(),
        verified: before.email_verified,
    };
    let notice = Notice::EmailChanged {
        to: next.email.as_ref().map(masked).unwrap_or_default(),
        undo: cx.link("/email/revert", &token),
        life,
    };
    let mut effects = vec![
        cx.keep(before, &token, life, body),
        mail(before, old, MailKind::Notice(notice), cx),
    ];
    if !cx.pool.email_verification_required {
        effects.extend(notify(next, Notice::EmailIsNow, cx));
    }
    effects
}

/// Enough of an address for its owner to recognise it: `a•••@example.com`.
fn masked(email: &Email) -> String {
    let (name, host) = email.as_str().rsplit_once('@').unwrap_or((email.as_str(), ""));
    let first: String = name.chars().take(1).collect();
    format!("{first}•••@{host}")
}

/// Sets the address back. Whoever changed it may have the password as well, or have linked an account of theirs: every session ends,
/// no reset link of the new address works, and the password can be reset from the old one.
pub fn step(event: RevertEmailEvent, cx: &mut Ctx<'_>) -> Step<RevertEmail> {
    let RevertEmailEvent::TokenPresented {
        flow,
        user,
        ways_back,
        verdict,
    } = event;
    if let Some(refused) = Refused::limited(verdict, None, cx) {
        return Err(refused);
    }
    let reached = flow.zip(user).and_then(|(flow, user)| {
        let FlowBody::RevertEmail { address, verified } = &flow.body else {
            return None;
        };
        let address = Email::parse(address, cx.pool.case_sensitive_email)?;
        let good = flow.is_of(&user.key) && !flow.is_expired(cx.now);
        good.then_some((flow.id, flow.created, address, *verified, user))
    });
    let Some((flow, since, address, verified, user)) = reached else {
        let audit = cx.audit(AuditKind::TokenRefused, None);
        return Err(Refused::new(Denial::TokenRefused, vec![audit]));
    };
    let mut next = user.changed(cx.now);
    next.email = Some(address);
    next.email_verified = verified;
    next.end_sessions(None);
    let key = &user.key;
    let kinds = [
        FlowKind::PendingLogin,
        FlowKind::ResetPassword,
        FlowKind::ConfirmEmail,
        FlowKind::ConfirmPhone,
        FlowKind::MagicLink,
        FlowKind::Exchange,
    ];
    let mut effects = vec![commit(&user, next.clone()), Effect::Spend(flow)];
    effects.extend(kinds.map(|kind| Effect::DropFlows(key.clone(), kind)));
    // Whoever changed the address may have changed it again, and got a way back to theirs: it goes. One from before stays: it may be
    // the owner's.
    let later = ways_back
        .iter()
        .filter(|way| way.created >= since && way.id != flow);
    effects.extend(later.map(|way| Effect::DropFlow(way.id)));
    effects.push(Effect::ClearSessions {
        user: key.clone(),
        spare: None,
    });
    effects.push(cx.audit(AuditKind::EmailReverted, Some(key)));
    Ok(Advanced {
        next: RevertEmail::Reverted(Box::new(next)),
        effects,
    })
}
