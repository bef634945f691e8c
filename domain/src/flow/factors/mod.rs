//! Adding, naming and removing second factors. Every change wants a fresh proof ([`super::step_up`]); removing one neither opens an
//! account nor shuts its owner out.
//!
//! ```text
//! Start ──TotpAsked──▶ SealTotp ──TotpSealed──▶ TotpAwaited
//! Start ──TotpTyped──▶ Done
//! Start ──CodesAsked──▶ Codes
//! Start ──PasskeyAsked──▶ PasskeyAwaited
//! Start ──PasskeyMade──▶ Done
//! Start ──RenameAsked──▶ Done
//! Start ──RemovalAsked──▶ Done
//! Start ──DevicesForgotten──▶ Done
//! ```

mod passkey;
mod remove;
mod totp;

use std::sync::Arc;

pub(crate) use remove::without_orphaned_codes;
pub(crate) use totp::draft_totp;
pub use totp::{TotpDraft, enrolled};

use super::notice::notify;
use super::step_up::demand;
use super::{Advanced, Ctx, Effect, Refused, Step, commit};
use crate::audit::AuditKind;
use crate::credential::{RecoveryCodes, TotpSecret};
use crate::error::{Denial, Fault};
use crate::flow_record::FlowRecord;
use crate::id::{FactorId, ProviderName};
use crate::limits::Verdict;
use crate::message::Notice;
use crate::policy::SensitiveAct;
use crate::ports::{PasskeyFault, RegisteredPasskey};
use crate::secret::{Sealed, Secret, Token};
use crate::session::Session;
use crate::user::{FACTOR_NAME, FactorKind, User};

/// Where a change stands.
#[derive(Clone, Debug)]
pub enum ChangeFactors {
    /// Nothing happened yet.
    Start,
    /// The secret of a new app is to be sealed.
    SealTotp(Box<TotpDraft>),
    /// The new app is to be confirmed by a code; continues with this token.
    TotpAwaited(Token),
    /// New recovery codes, to be shown once.
    Codes(Vec<Secret>),
    /// An authenticator is asked; continues with this token.
    PasskeyAwaited(Token),
    /// The user has the change.
    Done(Box<User>),
}

/// What happened.
#[derive(Clone, Debug)]
pub enum ChangeFactorsEvent {
    /// The owner wants to add an authenticator app.
    TotpAsked {
        /// The owner.
        user: Box<User>,
        /// The session that asks.
        session: Box<Session>,
        /// What they call it.
        name: Option<String>,
    },
    /// Its secret was sealed.
    TotpSealed(Sealed),
    /// Its first code was typed.
    TotpTyped {
        /// The owner.
        user: Box<User>,
        /// The session that asks.
        session: Box<Session>,
        /// The flow of the enrolment's token.
        flow: Option<Box<FlowRecord>>,
        /// Its secret, unsealed.
        secret: Option<TotpSecret>,
        /// What was typed.
        typed: Secret,
        /// What the counter said.
        verdict: Verdict,
    },
    /// The owner wants new recovery codes.
    CodesAsked {
        /// The owner.
        user: Box<User>,
        /// The session that asks.
        session: Box<Session>,
    },
    /// The owner wants to add a passkey; the verifier began.
    PasskeyAsked {
        /// The owner.
        user: Box<User>,
        /// The session that asks.
        session: Box<Session>,
        /// What they call it.
        name: Option<String>,
        /// What the verifier wants to see again.
        state: String,
    },
    /// The authenticator made one.
    PasskeyMade {
        /// The owner.
        user: Box<User>,
        /// The session that asks.
        session: Box<Session>,
        /// The flow of the ceremony's token.
        flow: Option<Box<FlowRecord>>,
        /// What the verifier said.
        answer: Result<RegisteredPasskey, PasskeyFault>,
    },
    /// A factor gets another name.
    RenameAsked {
        /// The owner.
        user: Box<User>,
        /// The session that asks.
        session: Box<Session>,
        /// Which.
        factor: FactorId,
        /// The name.
        name: String,
    },
    /// A factor is to go.
    RemovalAsked {
        /// The owner.
        user: Box<User>,
        /// The session that asks.
        session: Box<Session>,
        /// Which.
        factor: FactorId,
        /// The providers people can log in by.
        doors: Vec<ProviderName>,
    },
    /// Every remembered device is to be forgotten.
    DevicesForgotten {
        /// The owner.
        user: Box<User>,
    },
}

/// One step of a change.
pub fn step(state: ChangeFactors, event: ChangeFactorsEvent, cx: &mut Ctx<'_>) -> Step<ChangeFactors> {
    match (state, event) {
        (ChangeFactors::Start, ChangeFactorsEvent::TotpAsked { user, session, name }) => {
            totp::ask(&user, &session, name, cx)
        }
        (ChangeFactors::SealTotp(draft), ChangeFactorsEvent::TotpSealed(sealed)) => {
            Ok(totp::await_code(*draft, sealed, cx))
        }
        (
            ChangeFactors::Start,
            ChangeFactorsEvent::TotpTyped {
                user,
                session,
                flow,
                secret,
                typed,
                verdict,
            },
        ) => {
            if let Some(refused) = Refused::limited(verdict, Some(&user.key), cx) {
                return Err(refused);
            }
            totp::confirm(&user, &session, flow.as_deref(), secret.as_ref(), &typed, cx)
        }
        (ChangeFactors::Start, ChangeFactorsEvent::CodesAsked { user, session }) => {
            make_codes(&user, &session, cx)
        }
        (
            ChangeFactors::Start,
            ChangeFactorsEvent::PasskeyAsked {
                user,
                session,
                name,
                state,
            },
        ) => passkey::ask(&user, &session, name, state, cx),
        (
            ChangeFactors::Start,
            ChangeFactorsEvent::PasskeyMade {
                user,
                session,
                flow,
                answer,
            },
        ) => passkey::add(&user, &session, flow.as_deref(), answer, cx),
        (
            ChangeFactors::Start,
            ChangeFactorsEvent::RenameAsked {
                user,
                session,
                factor,
                name,
            },
        ) => rename(&user, &session, &factor, &name, cx),
        (
            ChangeFactors::Start,
            ChangeFactorsEvent::RemovalAsked {
                user,
                session,
                factor,
                doors,
            },
        ) => remove::remove(&user, &session, &factor, &doors, cx),
        (ChangeFactors::Start, ChangeFactorsEvent::DevicesForgotten { user }) => {
            Ok(forget_devices(&user, cx))
        }
        _ => Err(Refused::unexpected()),
    }
}

/// Lets the owner add a factor of that kind, or not: offered here, freshly proven, not too many.
fn admit(kind: FactorKind, full: bool, user: &User, session: &Session, cx: &Ctx<'_>) -> Result<(), Refused> {
    demand(SensitiveAct::Factors, user, session, cx)?;
    if !cx.pool.takes(kind) {
        return Err(Refused::new(Denial::FactorNotOffered, Vec::new()));
    }
    if full {
        return Err(Refused::new(Denial::TooManyFactors, Vec::new()));
    }
    Ok(())
}

/// A name for a factor: what its owner says, else one by its kind.
fn name_or(given: Option<String>, otherwise: &str) -> Result<String, Refused> {
    let name = given.unwrap_or_else(|| otherwise.to_owned());
    let name = name.trim();
    let fits = (1..=FACTOR_NAME).contains(&name.chars().count()) && !name.chars().any(char::is_control);
    if fits {
        return Ok(name.to_owned());
    }
    let fault = Fault {
        property: "name",
        code: "custom.name",
        message: "must have 1 to 64 visible characters",
        value: None,
    };
    Err(Refused::new(Denial::Invalid(vec![fault]), Vec::new()))
}

/// The commit of a factor that was added, and what is told of it.
fn added(before: &User, next: User, kind: FactorKind, name: &str, cx: &Ctx<'_>) -> Advanced<ChangeFactors> {
    let mut effects = vec![
        commit(before, next.clone()),
        cx.audit_about(AuditKind::FactorAdded, Some(&before.key), kind.name()),
    ];
    let notice = Notice::FactorAdded {
        factor: kind,
        name: Some(name.to_owned()),
    };
    effects.extend(notify(&next, notice, cx));
    Advanced {
        next: ChangeFactors::Done(Box::new(next)),
        effects,
    }
}

fn make_codes(user: &User, session: &Session, cx: &mut Ctx<'_>) -> Step<ChangeFactors> {
    // They stand in for another factor: without one there is nothing to recover.
    let nothing_to_recover = !user.has_second_factor();
    admit(FactorKind::Recovery, false, user, session, cx)?;
    if nothing_to_recover {
        return Err(Refused::new(Denial::FactorNotOffered, Vec::new()));
    }
    let (codes, shown) = RecoveryCodes::draw(cx.now, cx.entropy);
    let mut next = user.changed(cx.now);
    Arc::make_mut(&mut next.factors).recovery = Some(codes);
    let mut effects = vec![
        commit(user, next.clone()),
        cx.audit(AuditKind::RecoveryCodesMade, Some(&user.key)),
    ];
    let notice = Notice::FactorAdded {
        factor: FactorKind::Recovery,
        name: None,
    };
    effects.extend(notify(&next, notice, cx));
    Ok(Advanced {
        next: ChangeFactors::Codes(shown),
        effects,
    })
}

fn rename(
    user: &User,
    session: &Session,
    factor: &FactorId,
    name: &str,
    cx: &Ctx<'_>,
) -> Step<ChangeFactors> {
    demand(SensitiveAct::Factors, user, session, cx)?;
    let name = name_or(Some(name.to_owned()), "")?;
    let mut next = user.changed(cx.now);
    let factors = Arc::make_mut(&mut next.factors);
    let apps = factors.totp.iter_mut().map(|app| (&app.id, &mut app.name));
    let keys = factors.passkeys.iter_mut().map(|key| (&key.id, &mut key.name));
    let named = apps.chain(keys).find(|(id, _)| *id == factor);
    let Some((_, slot)) = named else {
        return Err(Refused::new(Denial::FactorUnknown, Vec::new()));
    };
    *slot = name;
    let effects = vec![
        commit(user, next.clone()),
        cx.audit(AuditKind::FactorRenamed, Some(&user.key)),
    ];
    Ok(Advanced {
        next: ChangeFactors::Done(Box::new(next)),
        effects,
    })
}

fn forget_devices(user: &User, cx: &Ctx<'_>) -> Advanced<ChangeFactors> {
    let mut next = user.changed(cx.now);
    next.devices = Arc::default();
    let effects = vec![
        commit(user, next.clone()),
        cx.audit(AuditKind::DevicesForgotten, Some(&user.key)),
    ];
    Advanced {
        next: ChangeFactors::Done(Box::new(next)),
        effects,
    }
}

/// Whoever holds the token of a flow must be its user, in the same epoch.
fn refuse_token(user: &User, cx: &Ctx<'_>) -> Refused {
    let audit: Effect = cx.audit(AuditKind::TokenRefused, Some(&user.key));
    Refused::new(Denial::TokenRefused, vec![audit])
}
