//! Between the first factor and the second: a login that waits, with or without a code by text message.

use super::super::{Advanced, Ctx, Effect, Refused, Step, commit};
use super::{Login, Terms, door};
use crate::audit::AuditKind;
use crate::credential::SmsCode;
use crate::error::Denial;
use crate::flow_record::{FlowBody, FlowRecord, PendingLink, PendingLogin};
use crate::id::SessionId;
use crate::limits::Verdict;
use crate::message::SmsMessage;
use crate::policy::{Asked, PENDING_LOGINS_PER_ACCOUNT, PoolPolicy, SecondFactor};
use crate::secret::{Secret, Token, TokenHash};
use crate::session::Factor;
use crate::time::Timestamp;
use crate::user::{FactorKind, Phone, User};

/// A login waits for a second factor: what the caller gets to continue with.
#[derive(Clone, Debug)]
pub struct CodeRequested {
    /// When it was begun, or the code sent.
    pub at: Timestamp,
    /// The pending login's own token, shown once; none when a code was sent again (the caller holds it already).
    pub challenge: Option<Token>,
    /// Where a code went, masked; none where none was sent, or to the console without a number.
    pub sent_to: Option<String>,
    /// The ways to prove the second factor, the strongest first.
    pub methods: Vec<FactorKind>,
    /// The second factors that can be added on the way, by who has none.
    pub enrols: Vec<FactorKind>,
}

/// Facts: the holder of a challenge wants a new code.
#[derive(Clone, Debug)]
pub struct CodeAskedAgain {
    /// The pending login of the challenge.
    pub pending: Option<FlowRecord>,
    /// Its user, as stored now.
    pub user: Option<User>,
    /// What the counters for messages said.
    pub send: Verdict,
    /// Whether codes can be delivered without a number.
    pub reaches_without_number: bool,
}

/// What was proven before the second factor, and what that changes.
pub(crate) struct FirstProof {
    /// The user it was judged on.
    pub user: User,
    /// The user's next state, where the proof changes it.
    pub next: Option<User>,
    /// What was proven.
    pub factor: Factor,
    /// What is attached to the user once the second factor is right.
    pub link: Option<Box<PendingLink>>,
    /// The counters to give the try back to.
    pub taken: Asked,
    /// What the session will be like.
    pub terms: Terms,
    /// Which second factor the caller wants to prove.
    pub method: Option<FactorKind>,
}

/// Whether a step will let a login wait for a second factor, and what must be gathered for it before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waits {
    /// It will not.
    No,
    /// It will, without sending anything.
    WithoutCode,
    /// It will send a code: the counters for messages must be asked.
    WithCode,
}

impl Waits {
    /// Of a user whose second factor is due or not.
    pub(crate) fn of(user: &User, is_due: bool, asked: Option<FactorKind>, cx: &Ctx<'_>) -> Self {
        // Whether the sender reaches who has no number is not known here: counters asked in vain cost nothing.
        let sends = || ways_of(user, cx.pool, Reach::Anybody).sends_for(asked);
        match is_due {
            false => Self::No,
            true if sends() => Self::WithCode,
            true => Self::WithoutCode,
        }
    }
}

/// Facts for letting a login wait.
#[derive(Clone, Debug)]
pub struct Sending {
    /// What the counters for messages said; asked only if a code will be sent.
    pub verdict: Verdict,
    /// Live pending logins of the user, oldest first.
    pub pending: Vec<FlowRecord>,
    /// Whether codes can be delivered without a number.
    pub reaches_without_number: bool,
}

/// Whom codes by text message reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Whoever gave a number.
    ByNumber,
    /// Everybody: they are shown on the console.
    Anybody,
}

impl Reach {
    /// Of a sender that does without a number, or not.
    pub const fn of(without_number: bool) -> Self {
        if without_number {
            Self::Anybody
        } else {
            Self::ByNumber
        }
    }
}

/// How a user can get past the second factor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ways {
    /// What they can prove, the strongest first.
    pub methods: Vec<FactorKind>,
    /// What they can add on the way.
    pub enrols: Vec<FactorKind>,
}

/// How `user` can get past the second factor. Who has none gets a code to the number they gave, and the right code confirms it;
/// where the pool requires one, they can also add an authenticator app before the door opens, so that nobody is shut out.
pub fn ways_of(user: &User, pool: &PoolPolicy, reach: Reach) -> Ways {
    if user.has_second_factor() {
        return Ways {
            methods: user.second_factors(),
            enrols: Vec::new(),
        };
    }
    let reached = user.code_phone().is_some() || reach == Reach::Anybody;
    let only = |kind, given: bool| {
        if given && pool.takes(kind) {
            vec![kind]
        } else {
            Vec::new()
        }
    };
    Ways {
        methods: only(FactorKind::Sms, reached),
        enrols: only(FactorKind::Totp, pool.second_factor == SecondFactor::Required),
    }
}

impl Ways {
    /// The same for a login that waits, where an app may be on its way already: then its first code is one of them.
    pub fn of_login(login: &PendingLogin, user: &User, pool: &PoolPolicy, reach: Reach) -> Self {
        let mut ways = ways_of(user, pool, reach);
        if login.app.is_some() && ways.enrols.contains(&FactorKind::Totp) {
            ways.methods.insert(0, FactorKind::Totp);
        }
        ways
    }

    /// Whether a code is sent at once: if it was asked for, or if nothing that costs nothing (an authenticator app) is at hand.
    pub fn sends_for(&self, asked: Option<FactorKind>) -> bool {
        let asked = asked.filter(|kind| self.methods.contains(kind) || self.enrols.contains(kind));
        match asked {
            Some(kind) => kind == FactorKind::Sms,
            None => self.methods.contains(&FactorKind::Sms) && !self.methods.contains(&FactorKind::Totp),
        }
    }

    const fn lead_nowhere(&self) -> bool {
        self.methods.is_empty() && self.enrols.is_empty()
    }
}

/// Lets a login wait: the first factor was right.
pub(crate) fn begin(proof: FirstProof, facts: &Sending, cx: &mut Ctx<'_>) -> Step<Login> {
    let FirstProof {
        user,
        next,
        factor,
        link,
        taken,
        terms,
        method,
    } = proof;
    door::admit(&user, cx)?;
    let ways = ways_of(&user, cx.pool, Reach::of(facts.reaches_without_number));
    if ways.lead_nowhere() {
        return Err(Refused::new(Denial::PhoneRequired, vec![Effect::GiveBack(taken)]));
    }
    let sends = ways.sends_for(method);
    let phone = user.code_phone().filter(|_| sends).cloned();
    if let Some(mut refused) = Refused::limited(facts.verdict, Some(&user.key), cx) {
        refused.effects.push(Effect::GiveBack(taken));
        return Err(refused);
    }
    let challenge = Token::draw(cx.entropy);
    let drawn =
        sends.then(|| SmsCode::draw(&challenge.hash(), cx.pool.code_life, cx.now, cx.key, cx.entropy));
    let (code, digits) = drawn.unzip();
    let session = SessionId::draw(cx.now, cx.entropy);
    let mut effects = Vec::new();
    effects.extend(next.as_ref().map(|next| commit(&user, next.clone())));
    let user = next.unwrap_or(user);
    effects.extend(give_way(&facts.pending, cx).into_iter().map(Effect::DropFlow));
    let pending = PendingLogin {
        address: cx.origin.address.clone(),
        epoch: user.session_epoch,
        life: terms.life,
        refresh: terms.refresh,
        phone: phone.clone(),
        code,
        session,
        first: factor,
        link,
        app: None,
    };
    let body = FlowBody::PendingLogin(pending);
    effects.push(cx.keep(&user, &challenge, cx.pool.pending_login_life, body));
    effects.extend(digits.map(|digits| message(&user, phone.as_ref(), digits, cx)));
    effects.push(Effect::GiveBack(taken));
    let kind = if sends {
        AuditKind::CodeSent
    } else {
        AuditKind::SecondFactorDue
    };
    effects.push(cx.audit(kind, Some(&user.key)));
    Ok(Advanced {
        next: Login::AwaitingCode(CodeRequested {
            at: cx.now,
            challenge: Some(challenge),
            sent_to: phone.as_ref().map(Phone::masked),
            methods: ways.methods,
            enrols: ways.enrols,
        }),
        effects,
    })
}

/// Which pending logins make room for a new one: all from the same address (a newer code voids the older), then the oldest of
/// the others above the number an account may have.
fn give_way(pending: &[FlowRecord], cx: &Ctx<'_>) -> Vec<TokenHash> {
    let from_here = |flow: &&FlowRecord| matches!(&flow.body, FlowBody::PendingLogin(login) if login.address == cx.origin.address);
    let (same, others): (Vec<&FlowRecord>, Vec<&FlowRecord>) = pending.iter().partition(from_here);
    let too_many = (others.len() + 1).saturating_sub(PENDING_LOGINS_PER_ACCOUNT);
    same.into_iter()
        .chain(others.into_iter().take(too_many))
        .map(|flow| flow.id)
        .collect()
}

/// Sends a new code for the same pending login, or the first one where another factor was awaited; the former code is void from now
/// on.
pub(super) fn send_again(facts: CodeAskedAgain, cx: &mut Ctx<'_>) -> Step<Login> {
    let Some((record, login, user)) = live(facts.pending, facts.user, cx) else {
        return Err(Refused::new(Denial::LoginFailed, Vec::new()));
    };
    let ways = ways_of(&user, cx.pool, Reach::of(facts.reaches_without_number));
    if !ways.methods.contains(&FactorKind::Sms) {
        return Err(Refused::new(Denial::LoginFailed, Vec::new()));
    }
    if let Some(refused) = Refused::limited(facts.send, Some(&user.key), cx) {
        return Err(refused);
    }
    let phone = match &login.code {
        Some(_) => login.phone.clone(),
        None => user.code_phone().cloned(),
    };
    let (code, digits) = SmsCode::draw(&record.id, cx.pool.code_life, cx.now, cx.key, cx.entropy);
    let sent_to = phone.as_ref().map(Phone::masked);
    let message = message(&user, phone.as_ref(), digits, cx);
    let body = FlowBody::PendingLogin(PendingLogin {
        code: Some(code),
        phone,
        ..login
    });
    let effects = vec![
        Effect::ReplaceFlow(Box::new(FlowRecord { body, ..record })),
        message,
        cx.audit(AuditKind::CodeSent, Some(&user.key)),
    ];
    Ok(Advanced {
        next: Login::AwaitingCode(CodeRequested {
            at: cx.now,
            challenge: None,
            sent_to,
            methods: ways.methods,
            enrols: ways.enrols,
        }),
        effects,
    })
}

/// A pending login that may still be completed: not expired, of this user, begun in the user's present epoch.
pub(crate) fn live(
    pending: Option<FlowRecord>,
    user: Option<User>,
    cx: &Ctx<'_>,
) -> Option<(FlowRecord, PendingLogin, User)> {
    let (record, user) = (pending?, user?);
    let FlowBody::PendingLogin(login) = record.body.clone() else {
        return None;
    };
    let good = record.is_of(&user.key) && !record.is_expired(cx.now) && login.epoch == user.session_epoch;
    good.then_some((record, login, user))
}

/// A code by text message.
pub(crate) fn message(user: &User, phone: Option<&Phone>, code: Secret, cx: &Ctx<'_>) -> Effect {
    let name = user.email.as_ref().map(|email| email.as_str().to_owned());
    let name = name.or_else(|| {
        user.username
            .as_ref()
            .map(|username| username.as_str().to_owned())
    });
    Effect::SendSms(Box::new(SmsMessage {
        user: user.key.clone(),
        name: name.unwrap_or_else(|| user.key.id.to_string()),
        phone: phone.cloned(),
        code,
        life: cx.pool.code_life,
        language: cx.language_of(user),
    }))
}
