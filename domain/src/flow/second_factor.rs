//! Judging a second factor: what was typed or signed, what it proves, and what it changes of its user. Logins and step-ups share it.

use std::sync::Arc;

use super::notice::notify;
use super::{Ctx, Effect};
use crate::audit::AuditKind;
use crate::credential::{RecoveryCodes, SmsCode, TotpSecret, looks_like_recovery_code};
use crate::id::FactorId;
use crate::message::Notice;
use crate::ports::{PasskeyAssertion, PasskeyFault};
use crate::secret::{Secret, TokenHash};
use crate::session::Factor;
use crate::time::Timestamp;
use crate::user::{FactorKind, User};

/// A code as typed, and what judging it needs.
#[derive(Clone, Debug)]
pub struct Typed {
    /// Which kind it is judged as: [`kind_of`].
    pub kind: FactorKind,
    /// What was typed.
    pub text: Secret,
    /// The secrets of the user's authenticator apps, unsealed; needed for that kind alone.
    pub apps: Vec<(FactorId, TotpSecret)>,
}

/// A second factor that was right.
#[derive(Clone, Debug)]
pub(crate) struct Proof {
    /// What it proves.
    pub factor: Factor,
    change: Change,
}

#[derive(Clone, Debug)]
enum Change {
    Nothing,
    TotpStep(FactorId, u64),
    RecoverySpent(RecoveryCodes),
    Passkey(Box<PasskeyAssertion>),
}

/// Which kind a typed code is: the one the caller names, else what it looks like and what was sent.
pub fn kind_of(named: Option<FactorKind>, typed: &Secret, code_was_sent: bool) -> FactorKind {
    match named {
        Some(kind) => kind,
        None if looks_like_recovery_code(typed.expose()) => FactorKind::Recovery,
        None if code_was_sent => FactorKind::Sms,
        None => FactorKind::Totp,
    }
}

/// Judges a typed code. `sent` is the code that was sent for this flow, and the flow.
pub(crate) fn judge_typed(
    user: &User,
    typed: &Typed,
    sent: Option<(&SmsCode, &TokenHash)>,
    cx: &Ctx<'_>,
) -> Option<Proof> {
    let text = typed.text.expose();
    match typed.kind {
        FactorKind::Sms => {
            let (code, flow) = sent?;
            code.accepts(text, flow, cx.now, cx.key).then_some(Proof {
                factor: Factor::Sms,
                change: Change::Nothing,
            })
        }
        FactorKind::Totp => typed.apps.iter().find_map(|(id, secret)| {
            let app = user.factors.totp_of(id)?;
            let step = secret.step_of(text, app.last_step, cx.now)?;
            Some(Proof {
                factor: Factor::Totp,
                change: Change::TotpStep(id.clone(), step),
            })
        }),
        FactorKind::Recovery => {
            let left = user.factors.recovery.as_ref()?.without(text)?;
            // A second factor is what they stand in for: without one they open nothing.
            user.has_second_factor().then_some(Proof {
                factor: Factor::Recovery,
                change: Change::RecoverySpent(left),
            })
        }
        FactorKind::Passkey => None,
    }
}

/// Why a signed answer proves nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotProven {
    /// What the verifier said.
    Fault(PasskeyFault),
    /// The counter did not rise: the key may have been copied (WebAuthn section 6.1.1).
    CounterFell,
}

/// Judges a signed answer.
pub(crate) fn judge_signed(
    user: &User,
    answer: &Result<PasskeyAssertion, PasskeyFault>,
) -> Result<Proof, NotProven> {
    let assertion = answer.as_ref().map_err(|fault| NotProven::Fault(*fault))?;
    let passkey = user.factors.passkey_of(&assertion.credential);
    let passkey = passkey.ok_or(NotProven::Fault(PasskeyFault::UnknownKey))?;
    let counts = passkey.sign_count > 0 || assertion.sign_count > 0;
    if counts && assertion.sign_count <= passkey.sign_count {
        return Err(NotProven::CounterFell);
    }
    let factor = if assertion.user_verified {
        Factor::VerifiedPasskey
    } else {
        Factor::Passkey
    };
    Ok(Proof {
        factor,
        change: Change::Passkey(Box::new(assertion.clone())),
    })
}

impl NotProven {
    /// The audit effect.
    pub(crate) fn audit(self, user: Option<&User>, cx: &Ctx<'_>) -> Effect {
        let key = user.map(|user| &user.key);
        match self {
            Self::Fault(fault) => cx.audit_about(AuditKind::FactorFailed, key, format!("passkey:{fault}")),
            Self::CounterFell => cx.audit(AuditKind::PasskeyCounterFell, key),
        }
    }
}

impl Proof {
    /// Whether it changes its user: then the change must be committed with what it opens, or it could be used again.
    pub(crate) const fn changes(&self) -> bool {
        !matches!(self.change, Change::Nothing)
    }

    /// Makes the change on the user's next state.
    pub(crate) fn apply(&self, next: &mut User, now: Timestamp) {
        match &self.change {
            Change::Nothing => {}
            Change::TotpStep(id, step) => {
                let apps = &mut Arc::make_mut(&mut next.factors).totp;
                if let Some(app) = apps.iter_mut().find(|app| app.id == *id) {
                    app.last_step = *step;
                    app.last_used = Some(now);
                }
            }
            Change::RecoverySpent(left) => {
                Arc::make_mut(&mut next.factors).recovery = Some(left.clone());
            }
            Change::Passkey(assertion) => {
                let passkeys = &mut Arc::make_mut(&mut next.factors).passkeys;
                let used = passkeys
                    .iter_mut()
                    .find(|passkey| passkey.credential == assertion.credential);
                if let Some(passkey) = used {
                    passkey.sign_count = assertion.sign_count;
                    passkey.backed_up = assertion.backed_up;
                    passkey.last_used = Some(now);
                    if let Some(material) = &assertion.material {
                        passkey.material.clone_from(material);
                    }
                }
            }
        }
    }

    /// What is written down and told besides.
    pub(crate) fn effects(&self, user: &User, cx: &Ctx<'_>) -> Vec<Effect> {
        let Change::RecoverySpent(codes) = &self.change else {
            return Vec::new();
        };
        let left = codes.left.len();
        let mut effects = vec![cx.audit_about(
            AuditKind::RecoveryCodeUsed,
            Some(&user.key),
            format!("{left} left"),
        )];
        effects.extend(notify(user, Notice::RecoveryCodeUsed { left }, cx));
        effects
    }
}
