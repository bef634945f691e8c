//! "Log in with a password": limits before the hash, the same answer and cost for unknown and wrong, the second factor after.

use super::super::{Advanced, Ctx, Effect, Refused, Step};
use super::door::{self, Entrant};
use super::pending::{self, Reach, Sending, Waits, ways_of};
use super::{Login, Terms};
use crate::audit::AuditKind;
use crate::error::Denial;
use crate::id::SessionId;
use crate::limits::Verdict;
use crate::policy::{Asked, SecondFactor};
use crate::ports::Verified;
use crate::session::Factor;
use crate::user::{FactorKind, User};

/// What the caller wants of a right password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// A session; a due second factor is an error (`login`).
    Session(Terms),
    /// A pending login, always (`requestCode`): with the second factor that is named, if the user has it.
    Code(Terms, Option<FactorKind>),
    /// A session, or a pending login where a second factor is due (the login page).
    SessionOrCode(Terms),
}

/// Facts: who was named, and what the counters said.
#[derive(Clone, Debug)]
pub struct Identified {
    /// The user of that name, if there is one.
    pub user: Option<User>,
    /// What the counters said to this try.
    pub verdict: Verdict,
    /// The counters, to give the try back to if it turns out right.
    pub taken: Asked,
    /// What is wanted.
    pub wanted: Wanted,
}

/// Somebody whose password is to be compared; the hash of an unknown user is `None`, which costs the hasher the same.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// The user, if there is one.
    pub user: Option<User>,
    taken: Asked,
    /// What is wanted.
    pub wanted: Wanted,
}

impl Candidate {
    /// Whether a right password would make this step wait for a second factor.
    pub fn waits(&self, cx: &Ctx<'_>) -> Waits {
        self.user.as_ref().map_or(Waits::No, |user| {
            let is_due = wants_code(self.wanted, user, cx) && !is_unverified(user, cx);
            Waits::of(user, is_due, method_of(self.wanted), cx)
        })
    }
}

/// Facts: what the comparison found.
#[derive(Clone, Debug)]
pub struct PasswordChecked {
    /// What the hasher said.
    pub verified: Verified,
    /// What sending a code needs; the counters are asked only if the password is right and a code will be sent.
    pub sending: Sending,
}

/// Lets a try through to the hasher, or not.
pub(super) fn admit(facts: Identified, cx: &Ctx<'_>) -> Step<Login> {
    let Identified {
        user,
        verdict,
        taken,
        wanted,
    } = facts;
    if matches!(wanted, Wanted::Code(..)) && cx.pool.second_factor == SecondFactor::Off {
        return Err(Refused::new(Denial::AuthorizationRequired, Vec::new()));
    }
    if let Some(refused) = Refused::limited(verdict, user.as_ref().map(|user| &user.key), cx) {
        return Err(refused);
    }
    Ok(Advanced {
        next: Login::CheckPassword(Box::new(Candidate { user, taken, wanted })),
        effects: Vec::new(),
    })
}

/// Judges the comparison.
pub(super) fn judge(candidate: Candidate, facts: &PasswordChecked, cx: &mut Ctx<'_>) -> Step<Login> {
    let Candidate { user, taken, wanted } = candidate;
    let right = facts.verified != Verified::Wrong;
    let Some(user) = user
        .as_ref()
        .filter(|user| right && user.password.is_some() && user.disabled.is_none())
        .cloned()
    else {
        return Err(refuse_unknown_or_wrong(user.as_ref(), cx));
    };
    if is_unverified(&user, cx) && cx.pool.hide_existing {
        // "Not verified" would tell whoever just signed up that the address was free.
        return Err(refuse_unknown_or_wrong(Some(&user), cx));
    }
    if is_unverified(&user, cx) {
        let effects = vec![
            Effect::GiveBack(taken),
            cx.audit(AuditKind::LoginUnverified, Some(&user.key)),
        ];
        return Err(Refused::new(
            Denial::EmailNotVerified { user: user.key.id },
            effects,
        ));
    }
    if wants_code(wanted, &user, cx) {
        let next = rehashed(&user, &facts.verified, cx);
        let proof = pending::FirstProof {
            user,
            next,
            factor: Factor::Password,
            link: None,
            taken,
            terms: terms_of(wanted),
            method: method_of(wanted),
        };
        return pending::begin(proof, &facts.sending, cx);
    }
    if cx.second_factor_is_due(&user) {
        let ways = ways_of(&user, cx.pool, Reach::of(facts.sending.reaches_without_number));
        let effects = vec![
            Effect::GiveBack(taken),
            cx.audit(AuditKind::SecondFactorDue, Some(&user.key)),
        ];
        return Err(Refused::new(
            Denial::SecondFactorRequired {
                methods: FactorKind::names(&ways.methods),
                enrols: FactorKind::names(&ways.enrols),
                challenge: None,
            },
            effects,
        ));
    }
    Ok(open_by_password(
        user,
        taken,
        terms_of(wanted),
        &facts.verified,
        cx,
    ))
}

/// Unknown user and wrong password: one answer, the same effects. Only the operator's audit line names the account, if there is
/// one (ASVS 16.3.1), and the rule that decided.
fn refuse_unknown_or_wrong(user: Option<&User>, cx: &Ctx<'_>) -> Refused {
    let rule = match user {
        None => "unknown_user",
        Some(user) if user.disabled.is_some() => door::DISABLED,
        Some(user) if user.password.is_none() => "no_password",
        Some(_) => "wrong_password_or_unverified",
    };
    let key = user.map(|user| &user.key);
    Refused::new(
        Denial::LoginFailed,
        vec![cx.audit_about(AuditKind::LoginFailed, key, rule)],
    )
}

fn open_by_password(
    user: User,
    taken: Asked,
    terms: Terms,
    verified: &Verified,
    cx: &mut Ctx<'_>,
) -> Advanced<Login> {
    let mut effects = Vec::new();
    let rehashed = rehashed(&user, verified, cx);
    if rehashed.is_some() {
        effects.push(cx.audit(AuditKind::PasswordRehashed, Some(&user.key)));
    }
    let entrant = Entrant {
        next: rehashed.unwrap_or_else(|| user.clone()),
        before: Some(user),
        id: SessionId::draw(cx.now, cx.entropy),
        terms,
        factors: vec![Factor::Password],
        trust_device: false,
        federated: None,
    };
    let opened = door::open(entrant, &mut effects, cx);
    effects.push(Effect::GiveBack(taken));
    effects.push(cx.audit_about(
        AuditKind::LoggedIn,
        Some(&opened.user.key),
        Factor::Password.name(),
    ));
    Advanced {
        next: Login::Opened(Box::new(opened)),
        effects,
    }
}

/// The user with a stronger hash of the same password, where the hasher made one.
pub(crate) fn rehashed(user: &User, verified: &Verified, cx: &Ctx<'_>) -> Option<User> {
    match verified {
        Verified::RightAndRehashed(hash) => {
            let mut next = user.changed(cx.now);
            next.password = Some(hash.clone());
            Some(next)
        }
        Verified::Right | Verified::Wrong => None,
    }
}

fn is_unverified(user: &User, cx: &Ctx<'_>) -> bool {
    cx.pool.email_verification_required && !user.email_verified
}

fn wants_code(wanted: Wanted, user: &User, cx: &Ctx<'_>) -> bool {
    match wanted {
        Wanted::Session(_) => false,
        Wanted::Code(..) => true,
        Wanted::SessionOrCode(_) => cx.second_factor_is_due(user),
    }
}

const fn terms_of(wanted: Wanted) -> Terms {
    match wanted {
        Wanted::Session(terms) | Wanted::Code(terms, _) | Wanted::SessionOrCode(terms) => terms,
    }
}

const fn method_of(wanted: Wanted) -> Option<FactorKind> {
    match wanted {
        Wanted::Code(_, method) => method,
        Wanted::Session(_) | Wanted::SessionOrCode(_) => None,
    }
}
