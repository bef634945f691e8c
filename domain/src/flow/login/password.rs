//! "Log in with a password": limits before the hash, the same answer and cost for unknown and wrong, the second factor after.

use super::super::{Advanced, Ctx, Effect, Refused, Step, commit};
use super::Login;
use super::sms_code::{self, Sending};
use crate::audit::AuditKind;
use crate::error::Denial;
use crate::id::{SessionId, UserKey};
use crate::limits::Verdict;
use crate::policy::{Asked, SecondFactor};
use crate::ports::Verified;
use crate::secret::Token;
use crate::session::{AccessToken, Factor, Session, TokenLife};
use crate::user::User;

/// What the caller wants of a right password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// A session; a due second factor is an error (`login`).
    Session(TokenLife),
    /// A code, always (`requestCode`).
    Code(TokenLife),
    /// A session, or a code where a second factor is due (the login page).
    SessionOrCode(TokenLife),
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
    /// Whether a right password would make this step send a code: then the counters for messages must be asked first.
    pub fn would_send_code(&self, cx: &Ctx<'_>) -> bool {
        self.user
            .as_ref()
            .is_some_and(|user| wants_code(self.wanted, user, cx) && !is_unverified(user, cx))
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
    if matches!(wanted, Wanted::Code(_)) && cx.pool.second_factor == SecondFactor::Off {
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
        .filter(|user| right && user.password.is_some())
        .cloned()
    else {
        return Err(refuse_unknown_or_wrong(user.as_ref().map(|user| &user.key), cx));
    };
    if is_unverified(&user, cx) && cx.pool.hide_existing {
        // "Not verified" would tell whoever just signed up that the address was free.
        return Err(refuse_unknown_or_wrong(Some(&user.key), cx));
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
        let proof = sms_code::FirstProof {
            user,
            next,
            factor: Factor::Password,
            link: None,
            taken,
            life: life_of(wanted),
        };
        return sms_code::send_first(proof, &facts.sending, cx);
    }
    if cx.pool.second_factor_is_due(&user) {
        let effects = vec![
            Effect::GiveBack(taken),
            cx.audit(AuditKind::SecondFactorDue, Some(&user.key)),
        ];
        return Err(Refused::new(
            Denial::SecondFactorRequired {
                methods: vec![Factor::Sms.name()],
                challenge: None,
            },
            effects,
        ));
    }
    Ok(open_by_password(
        user,
        taken,
        life_of(wanted),
        &facts.verified,
        cx,
    ))
}

/// Unknown user and wrong password: one answer, the same effects. Only the operator's audit line names the account, if there is
/// one (ASVS 16.3.1).
fn refuse_unknown_or_wrong(user: Option<&UserKey>, cx: &Ctx<'_>) -> Refused {
    Refused::new(Denial::LoginFailed, vec![cx.audit(AuditKind::LoginFailed, user)])
}

fn open_by_password(
    user: User,
    taken: Asked,
    life: TokenLife,
    verified: &Verified,
    cx: &mut Ctx<'_>,
) -> Advanced<Login> {
    let mut effects = Vec::new();
    let user = match rehashed(&user, verified, cx) {
        Some(next) => {
            effects.push(commit(&user, next.clone()));
            effects.push(cx.audit(AuditKind::PasswordRehashed, Some(&user.key)));
            next
        }
        None => user,
    };
    let id = SessionId::draw(cx.now, cx.entropy);
    let opened = open(user, id, life, vec![Factor::Password], cx);
    effects.push(Effect::OpenSession(Box::new(opened.session.clone())));
    effects.push(Effect::GiveBack(taken));
    effects.push(cx.audit(AuditKind::LoggedIn, Some(&opened.user.key)));
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

/// Makes a new session and its token. Every login gets a token of its own: nothing presented before it lives on in it.
pub(crate) fn open(
    user: User,
    id: SessionId,
    life: TokenLife,
    factors: Vec<Factor>,
    cx: &mut Ctx<'_>,
) -> AccessToken {
    let secret = Token::draw(cx.entropy);
    let session = Session {
        id,
        token: secret.hash(),
        user: user.key.clone(),
        epoch: user.session_epoch,
        created: cx.now,
        life,
        factors,
        proven: cx.now,
        last_used: None,
        idle: cx.pool.idle_timeout,
        agent: cx.origin.agent.clone(),
        address: Some(cx.origin.address.clone()),
        refresh: None,
    };
    AccessToken {
        secret,
        session,
        user,
    }
}

fn is_unverified(user: &User, cx: &Ctx<'_>) -> bool {
    cx.pool.email_verification_required && !user.email_verified
}

fn wants_code(wanted: Wanted, user: &User, cx: &Ctx<'_>) -> bool {
    match wanted {
        Wanted::Session(_) => false,
        Wanted::Code(_) => true,
        Wanted::SessionOrCode(_) => cx.pool.second_factor_is_due(user),
    }
}

const fn life_of(wanted: Wanted) -> TokenLife {
    match wanted {
        Wanted::Session(life) | Wanted::Code(life) | Wanted::SessionOrCode(life) => life,
    }
}
