//! Recovering a forgotten password: a mail with a link, then a new password.
//!
//! ```text
//! Asked ──▶ Sent        TokenPresented ──▶ SetPassword ──PasswordHashed──▶ Done
//! ```
//! The link voids itself: it is bound to the user's session epoch, and setting the password starts the next one. Of two resets
//! that finish at once the second finds another epoch when it decides again.

use std::sync::Arc;

use super::notice::{mail, notify};
use super::{Advanced, Ctx, Effect, Refused, Step, commit};
use crate::audit::AuditKind;
use crate::credential::{Password, PasswordHash};
use crate::error::Denial;
use crate::flow_record::{FlowBody, FlowKind, FlowRecord};
use crate::identity::Identity;
use crate::limits::Verdict;
use crate::message::{MailKind, Notice};
use crate::secret::Token;
use crate::time::Lifetime;
use crate::user::{Email, User};

/// Where a recovery stands.
#[derive(Clone, Debug)]
pub enum Recover {
    /// Nothing happened yet.
    Start,
    /// A mail is on its way, or nothing was sent: the caller cannot tell.
    Sent,
    /// The token is good; the new password is to be hashed.
    SetPassword,
    /// The new password holds.
    Done(Box<User>),
}

/// What happened.
#[derive(Clone, Debug)]
pub enum RecoverEvent {
    /// Somebody wants to recover the account of an address.
    Asked {
        /// The user of that address, if there is one.
        user: Option<Box<User>>,
        /// Whether a mail may be sent now.
        mail: Verdict,
    },
    /// Somebody presents the token of such a mail and a new password.
    TokenPresented {
        /// The flow of the token.
        flow: Option<Box<FlowRecord>>,
        /// The flow's user, as stored now.
        user: Option<Box<User>>,
        /// The password they want.
        password: Password,
        /// What the counter for tokens said.
        verdict: Verdict,
    },
    /// The new password was hashed; the token and its user were read again.
    PasswordHashed {
        /// The flow, read again.
        flow: Option<Box<FlowRecord>>,
        /// The user, read again.
        user: Option<Box<User>>,
        /// The hash.
        hash: PasswordHash,
    },
}

/// One step of a recovery.
pub fn step(state: Recover, event: RecoverEvent, cx: &mut Ctx<'_>) -> Step<Recover> {
    match (state, event) {
        (Recover::Start, RecoverEvent::Asked { user, mail }) => Ok(ask(user.as_deref(), mail, cx)),
        (
            Recover::Start,
            RecoverEvent::TokenPresented {
                flow,
                user,
                password,
                verdict,
            },
        ) => {
            if let Some(refused) = Refused::limited(verdict, None, cx) {
                return Err(refused);
            }
            check(flow.as_deref(), user.as_deref(), cx)?;
            judge_password(&password, cx)?;
            Ok(Advanced {
                next: Recover::SetPassword,
                effects: Vec::new(),
            })
        }
        (Recover::SetPassword, RecoverEvent::PasswordHashed { flow, user, hash }) => {
            let (flow, user) = check(flow.as_deref(), user.as_deref(), cx)?;
            Ok(set_password(flow, user, hash, cx))
        }
        _ => Err(Refused::unexpected()),
    }
}

fn ask(user: Option<&User>, mail: Verdict, cx: &mut Ctx<'_>) -> Advanced<Recover> {
    let reachable = user
        .filter(|user| user.disabled.is_none())
        .filter(|user| user.email_verified || !cx.pool.email_verification_required);
    let effects = match (reachable, reachable.and_then(|user| user.email.clone())) {
        (Some(user), Some(to)) if mail == Verdict::Allowed => reset_mail(user, to, cx),
        _ => Vec::new(),
    };
    Advanced {
        next: Recover::Sent,
        effects,
    }
}

fn reset_mail(user: &User, to: Email, cx: &mut Ctx<'_>) -> Vec<Effect> {
    let mut effects = reset_link(user, to, cx.pool.reset_password_token_ttl, cx);
    effects.push(cx.audit(AuditKind::ResetSent, Some(&user.key)));
    effects
}

/// A mail with a link to set a password by; earlier ones are void.
pub(super) fn reset_link(user: &User, to: Email, life: Lifetime, cx: &mut Ctx<'_>) -> Vec<Effect> {
    let token = Token::draw(cx.entropy);
    let body = FlowBody::ResetPassword {
        epoch: user.session_epoch,
    };
    let kind = MailKind::ResetPassword {
        link: cx.link("/reset", &token),
        life,
    };
    vec![
        Effect::DropFlows(user.key.clone(), FlowKind::ResetPassword),
        cx.keep(user, &token, life, body),
        mail(user, to, kind, cx),
    ]
}

fn check<'a>(
    flow: Option<&'a FlowRecord>,
    user: Option<&'a User>,
    cx: &Ctx<'_>,
) -> Result<(&'a FlowRecord, &'a User), Refused> {
    let good = flow.zip(user).filter(|(flow, user)| {
        let epoch = matches!(flow.body, FlowBody::ResetPassword { epoch } if epoch == user.session_epoch);
        epoch
            && user.disabled.is_none()
            && flow.is_of(&user.key)
            && flow.pool == cx.pool.name
            && !flow.is_expired(cx.now)
    });
    good.ok_or_else(|| {
        Refused::new(
            Denial::TokenRefused,
            vec![cx.audit(AuditKind::TokenRefused, None)],
        )
    })
}

fn judge_password(password: &Password, cx: &Ctx<'_>) -> Result<(), Refused> {
    let rules = cx.pool.password;
    rules
        .judge(password)
        .map_err(|fault| Refused::new(Denial::PasswordRefused { fault, rules }, Vec::new()))
}

/// Until now nobody had proven the address: an account elsewhere that was linked before may be somebody else's way back in. Those
/// stay whose provider vouches for this very address (pre-hijacking by a trojan identity, arXiv 2205.10174).
fn forget_unproven(next: &mut User, cx: &Ctx<'_>) {
    let case = cx.pool.case_sensitive_email;
    let address = next.email.as_ref().map(|email| email.key().to_owned());
    let same = |identity: &Identity| {
        let vouched = identity.profile.vouched_email(case);
        vouched.map(|email| email.key().to_owned()) == address
    };
    Arc::make_mut(&mut next.identities).retain(same);
    let kept = Arc::clone(&next.identities);
    Arc::make_mut(&mut next.credentials)
        .retain(|credential| kept.iter().any(|identity| identity.id == credential.identity));
    // A passkey that was added before stays a second factor (a mailbox alone removes none), but opens nothing by itself any more.
    if !next.factors.passkeys.is_empty() {
        let passkeys = &mut Arc::make_mut(&mut next.factors).passkeys;
        for passkey in passkeys {
            passkey.user_verifying = false;
        }
    }
}

/// The new password ends every session. It proves the address too: the link was read there.
fn set_password(flow: &FlowRecord, user: &User, hash: PasswordHash, cx: &Ctx<'_>) -> Advanced<Recover> {
    let mut next = user.changed(cx.now);
    next.password = Some(hash);
    if !user.email_verified {
        forget_unproven(&mut next, cx);
    }
    next.email_verified = true;
    next.end_sessions(None);
    let mut effects = vec![
        commit(user, next.clone()),
        Effect::DropFlow(flow.id),
        Effect::DropFlows(user.key.clone(), FlowKind::PendingLogin),
        Effect::DropFlows(user.key.clone(), FlowKind::ConfirmPhone),
        Effect::ClearSessions {
            user: user.key.clone(),
            spare: None,
        },
        cx.audit(AuditKind::PasswordReset, Some(&user.key)),
    ];
    effects.extend(notify(&next, Notice::PasswordChanged, cx));
    Advanced {
        next: Recover::Done(Box::new(next)),
        effects,
    }
}
