//! Changing or deleting one's own record: LoopBack's `PATCH`, `PUT` and `DELETE`.
//!
//! ```text
//! Start ──Asked──▶ Done
//!              └─▶ CheckProof ──ProofChecked──▶ Done
//!                                          └──▶ HashNew ──NewHashed──▶ Done ──KeyTaken──▶ (refused)
//! Start ──DeletionAsked──▶ Deleted
//! ```
//! A new e-mail address, phone number or password needs the current password. For address and number a fresh login will do; for
//! the password it will not, or a stolen session could shut its owner out (ASVS 6.2.3).

mod change;

pub use change::{Field, Mails, ProfileChange};

use super::change_password::wrong_proof;
use super::factors::without_orphaned_codes;
use super::notice::notify;
use super::revert_email::tell_both;
use super::sign_up::{attributes, blank, email, phone, taken_keys, username};
use super::step_up::is_proven;
use super::verify_contact::verification_mail;
use super::{Advanced, Ctx, Effect, Refused, Step, commit};
use crate::audit::AuditKind;
use crate::credential::{Password, PasswordHash};
use crate::error::{Denial, Fault};
use crate::flow_record::FlowKind;
use crate::id::SessionId;
use crate::limits::Verdict;
use crate::message::Notice;
use crate::policy::{Asked, SecondFactor};
use crate::ports::{UniqueKey, Verified};
use crate::session::Session;
use crate::user::{Attributes, User};

/// Where a change stands.
#[derive(Clone, Debug)]
pub enum ChangeProfile {
    /// Nothing happened yet.
    Start,
    /// The proof is to be compared with the current password.
    CheckProof(Box<Draft>),
    /// The new password is to be hashed.
    HashNew(Box<Draft>),
    /// The record holds the change.
    Done(Box<User>),
    /// The record is gone.
    Deleted,
}

/// A sound change that waits for its proof.
#[derive(Clone, Debug)]
pub struct Draft {
    before: User,
    next: User,
    /// The session that lives on; none where an administrator makes the change.
    session: Option<SessionId>,
    /// What an administrator says of the address; none for what follows from the change.
    verified: Option<bool>,
    contact_changes: bool,
    mail: Mails,
    /// The text to compare with the current password.
    pub proof: Password,
    /// The password to hash, if it is a new one.
    pub new_password: Option<Password>,
    /// Whether `proof` is the replacement's own password: right means "unchanged", wrong means "new, without proof".
    proof_is_new: bool,
}

impl Draft {
    /// The record as it would be.
    pub const fn owner(&self) -> &User {
        &self.next
    }
}

/// What happened.
#[derive(Clone, Debug)]
pub enum ChangeProfileEvent {
    /// The owner sent a change.
    Asked {
        /// The record as stored.
        user: Box<User>,
        /// The session that asks.
        session: Box<Session>,
        /// The change.
        change: Box<ProfileChange>,
        /// Which mails may be sent now.
        mail: Mails,
    },
    /// The proof was compared.
    ProofChecked {
        /// What the counters said to the try; `verified` means nothing when they denied it.
        verdict: Verdict,
        /// What the hasher said.
        verified: Verified,
        /// The counters, to give the try back to.
        taken: Asked,
    },
    /// The new password was hashed.
    NewHashed(PasswordHash),
    /// Somebody else holds a key of the change.
    KeyTaken(UniqueKey),
    /// The owner wants their record deleted.
    DeletionAsked {
        /// The record as stored.
        user: Box<User>,
    },
}

/// One step of a change.
pub fn step(state: ChangeProfile, event: ChangeProfileEvent, cx: &mut Ctx<'_>) -> Step<ChangeProfile> {
    match (state, event) {
        (
            ChangeProfile::Start,
            ChangeProfileEvent::Asked {
                user,
                session,
                change,
                mail,
            },
        ) => admit(&user, &session, *change, mail, cx),
        (
            ChangeProfile::CheckProof(draft),
            ChangeProfileEvent::ProofChecked {
                verdict,
                verified,
                taken,
            },
        ) => judge(draft, verdict, &verified, taken, cx),
        (ChangeProfile::HashNew(mut draft), ChangeProfileEvent::NewHashed(hash)) => {
            draft.next.password = Some(hash);
            Ok(finish(*draft, true, cx))
        }
        (ChangeProfile::Done(user), ChangeProfileEvent::KeyTaken(key)) => {
            Err(Refused::new(taken_keys(&user, &[key]), Vec::new()))
        }
        (ChangeProfile::Start, ChangeProfileEvent::DeletionAsked { user }) => {
            let gone = Effect::Delete {
                user: user.key.clone(),
                expected: user.revision,
            };
            let effects = vec![gone, cx.audit(AuditKind::UserDeleted, Some(&user.key))];
            Ok(Advanced {
                next: ChangeProfile::Deleted,
                effects,
            })
        }
        _ => Err(Refused::unexpected()),
    }
}

fn admit(
    before: &User,
    session: &Session,
    change: ProfileChange,
    mail: Mails,
    cx: &mut Ctx<'_>,
) -> Step<ChangeProfile> {
    let deny = |denial| Refused::new(denial, Vec::new());
    let next = sound(before, &change, cx).map_err(deny)?;
    let removes_phone = next.phone.is_none() && before.factor_phone.is_some();
    let others = !before.factors.totp.is_empty() || !before.factors.passkeys.is_empty();
    if removes_phone && !others && cx.pool.second_factor == SecondFactor::Required {
        return Err(deny(Denial::LastFactor));
    }
    let ProfileChange {
        replace,
        password,
        current_password,
        ..
    } = change;
    let contact_changes = next.email != before.email || next.phone != before.phone;
    // Where there is a second factor, a session changes no contact, however fresh its login, unless its holder proved that factor
    // again for it (ASVS 7.5.1): whoever stole it would replace the factor, or the address that a reset goes to.
    let stepped_up = session.proven > session.created && is_proven(before, session, cx);
    let guarded_by_factor = contact_changes && before.has_second_factor() && !stepped_up;
    judge_new_password(password.as_ref(), cx).map_err(deny)?;
    let (proof, proof_is_new) = match (current_password, &password) {
        (Some(current), _) => (Some(current), false),
        (None, Some(repeated)) if replace => (Some(repeated.clone()), true),
        (None, Some(_)) => return Err(deny(Denial::PasswordChangeNotAllowed)),
        (None, None) => (None, false),
    };
    let session_id = session.id.clone();
    match proof {
        Some(proof) if password.is_some() || contact_changes => {
            let new_password = password.filter(|_| !proof_is_new);
            if new_password.is_some() && cx.pool.reject_password_changes_via_patch_or_replace {
                return Err(deny(Denial::PasswordChangeNotAllowed));
            }
            let before = before.clone();
            let draft = Draft {
                before,
                next,
                session: Some(session_id),
                verified: None,
                contact_changes,
                mail,
                proof,
                new_password,
                proof_is_new,
            };
            Ok(Advanced {
                next: ChangeProfile::CheckProof(Box::new(draft)),
                effects: Vec::new(),
            })
        }
        _ if guarded_by_factor => Err(deny(Denial::CurrentPasswordRequired)),
        _ if contact_changes && !session.is_fresh(cx.pool.fresh_login, cx.now) => {
            Err(deny(Denial::ProofRequired))
        }
        _ => {
            let proof = Password::typed("");
            let before = before.clone();
            let draft = Draft {
                before,
                next,
                session: Some(session_id),
                verified: None,
                contact_changes,
                mail,
                proof,
                new_password: None,
                proof_is_new,
            };
            Ok(finish(draft, false, cx))
        }
    }
}

/// The same change made by an administrator: no proof of its owner's, no password, and no session that lives on.
pub(super) fn correct(
    before: &User,
    change: &ProfileChange,
    verified: Option<bool>,
    cx: &mut Ctx<'_>,
) -> Result<(User, Vec<Effect>), Denial> {
    let next = sound(before, change, cx)?;
    let contact_changes = next.email != before.email || next.phone != before.phone;
    let draft = Draft {
        before: before.clone(),
        next: next.clone(),
        session: None,
        verified,
        contact_changes,
        mail: Mails {
            verify: Verdict::Allowed,
            tell: Verdict::Allowed,
        },
        proof: Password::typed(""),
        new_password: None,
        proof_is_new: false,
    };
    let advanced = finish(draft, false, cx);
    let user = match advanced.next {
        ChangeProfile::Done(user) => *user,
        _ => next,
    };
    Ok((user, advanced.effects))
}

/// The record as it would be, with every fault of the change.
fn sound(before: &User, change: &ProfileChange, cx: &Ctx<'_>) -> Result<User, Denial> {
    let mut faults: Vec<Fault> = Vec::new();
    let mut next = before.changed(cx.now);
    match &change.email {
        Field::Keep => {}
        Field::Clear => faults.push(blank("email")),
        Field::Set(text) => next.email = email(Some(text), cx, &mut faults),
    }
    match &change.username {
        Field::Keep => {}
        Field::Clear => next.username = None,
        Field::Set(text) => next.username = username(Some(text), next.email.as_ref(), &mut faults),
    }
    match &change.phone {
        // A replacement drops what it does not mention, but not the second factor: clients of old know no `phone`.
        Field::Keep if change.replace && before.factor_phone.is_none() => next.phone = None,
        Field::Keep => {}
        Field::Clear => next.phone = None,
        Field::Set(text) => next.phone = phone(Some(text), &mut faults),
    }
    if change.replace && change.password.is_none() {
        faults.push(blank("password"));
    }
    let properties = change.attributes.clone();
    let kept = if change.replace {
        Attributes::from_client(properties)
    } else {
        before.attributes.patched(properties)
    };
    next.attributes = attributes(kept, &mut faults);
    if faults.is_empty() {
        Ok(next)
    } else {
        Err(Denial::Invalid(faults))
    }
}

fn judge_new_password(password: Option<&Password>, cx: &Ctx<'_>) -> Result<(), Denial> {
    let rules = cx.pool.password;
    password
        .map_or(Ok(()), |password| rules.judge(password))
        .map_err(|fault| Denial::PasswordRefused { fault, rules })
}

fn judge(
    draft: Box<Draft>,
    verdict: Verdict,
    verified: &Verified,
    taken: Asked,
    cx: &mut Ctx<'_>,
) -> Step<ChangeProfile> {
    if let Some(refused) = Refused::limited(verdict, Some(&draft.before.key), cx) {
        return Err(refused);
    }
    if *verified == Verified::Wrong {
        let mut refused = wrong_proof(&draft.before, cx);
        if draft.proof_is_new {
            refused.denial = Denial::PasswordChangeNotAllowed;
        }
        return Err(refused);
    }
    let given_back = Effect::GiveBack(taken);
    if draft.new_password.is_some() {
        return Ok(Advanced {
            next: ChangeProfile::HashNew(draft),
            effects: vec![given_back],
        });
    }
    let mut done = finish(*draft, false, cx);
    done.effects.push(given_back);
    Ok(done)
}

/// The commit, and what follows from it: a new address is unverified, a removed number is no factor, and whoever knew the old
/// address or password is out.
fn finish(draft: Draft, password_changes: bool, cx: &mut Ctx<'_>) -> Advanced<ChangeProfile> {
    let Draft {
        before,
        mut next,
        session,
        verified,
        contact_changes,
        mail,
        ..
    } = draft;
    let email_changes = next.email != before.email;
    if email_changes || verified.is_some() {
        next.email_verified = verified == Some(true) && next.email.is_some();
    }
    if next.phone.is_none() {
        next.factor_phone = None;
        without_orphaned_codes(&mut next);
    }
    let phone_changes = next.phone != before.phone;
    let ends_sessions = contact_changes || password_changes;
    if ends_sessions {
        next.end_sessions(session.clone());
    }
    let mut effects = vec![
        commit(&before, next.clone()),
        cx.audit(AuditKind::ProfileChanged, Some(&before.key)),
    ];
    if password_changes {
        effects.push(cx.audit(AuditKind::PasswordChanged, Some(&before.key)));
    }
    if ends_sessions {
        let user = before.key.clone();
        effects.push(Effect::DropFlows(user.clone(), FlowKind::PendingLogin));
        effects.push(Effect::DropFlows(user.clone(), FlowKind::ResetPassword));
        effects.push(Effect::DropFlows(user.clone(), FlowKind::ConfirmPhone));
        effects.push(Effect::ClearSessions { user, spare: session });
    }
    let unproven = cx.pool.email_verification_required && !next.email_verified;
    if email_changes && unproven && mail.verify == Verdict::Allowed {
        effects.extend(verification_mail(&next, cx));
    }
    if email_changes && mail.tell == Verdict::Allowed {
        effects.extend(tell_both(&before, &next, cx));
    }
    if password_changes {
        effects.extend(notify(&before, Notice::PasswordChanged, cx));
    }
    if phone_changes {
        effects.extend(notify(&before, Notice::PhoneChanged, cx));
    }
    Advanced {
        next: ChangeProfile::Done(Box::new(next)),
        effects,
    }
}
