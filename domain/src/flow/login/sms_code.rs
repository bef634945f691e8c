//! "Log in with a code by text message": the step between the password and the open door.

use super::super::{Advanced, Ctx, Effect, Refused, Step, commit};
use super::Login;
use super::password::open;
use crate::audit::AuditKind;
use crate::credential::SmsCode;
use crate::error::Denial;
use crate::flow::link::attach;
use crate::flow_record::{FlowBody, FlowRecord, PendingLink, PendingLogin};
use crate::id::SessionId;
use crate::limits::Verdict;
use crate::message::SmsMessage;
use crate::policy::{Asked, PENDING_LOGINS_PER_ACCOUNT};
use crate::secret::{Secret, Token, TokenHash};
use crate::session::{Factor, TokenLife};
use crate::time::Timestamp;
use crate::user::{Phone, User};

/// A code is on its way: what the caller gets to continue with.
#[derive(Clone, Debug)]
pub struct CodeRequested {
    /// When it was sent.
    pub at: Timestamp,
    /// The pending login's own token, shown once; none when a code was sent again (the caller holds it already).
    pub challenge: Option<Token>,
    /// Where it went, masked; none for the console without a number.
    pub sent_to: Option<String>,
}

/// Facts: a code was typed for a pending login.
#[derive(Clone, Debug)]
pub struct CodeTyped {
    /// The pending login: by its challenge, or the caller's own address.
    pub pending: Option<FlowRecord>,
    /// Its user, as stored now.
    pub user: Option<User>,
    /// What was typed.
    pub typed: Secret,
    /// What the account's and address's counters said.
    pub verdict: Verdict,
    /// Whether the code's own five tries are used up.
    pub tries_left: Verdict,
    /// The counters to give the try back to, if it turns out right.
    pub taken: Asked,
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
}

/// What was proven before the code, and what that changes.
pub(crate) struct FirstProof {
    /// The user it was judged on.
    pub user: User,
    /// The user's next state, where the proof changes it.
    pub next: Option<User>,
    /// What was proven.
    pub factor: Factor,
    /// What is attached to the user once the code is right.
    pub link: Option<Box<PendingLink>>,
    /// The counters to give the try back to.
    pub taken: Asked,
    /// How long the session will live.
    pub life: TokenLife,
}

/// Facts for sending a code.
#[derive(Clone, Debug)]
pub struct Sending {
    /// What the counters for messages said; asked only if a code will be sent.
    pub verdict: Verdict,
    /// Live pending logins of the user, oldest first.
    pub pending: Vec<FlowRecord>,
    /// Whether codes can be delivered without a number.
    pub reaches_without_number: bool,
}

/// Sends the first code of a pending login: the first factor was right.
pub(crate) fn send_first(proof: FirstProof, facts: &Sending, cx: &mut Ctx<'_>) -> Step<Login> {
    let FirstProof {
        user,
        next,
        factor,
        link,
        taken,
        life,
    } = proof;
    let phone = user.code_phone().cloned();
    if phone.is_none() && !facts.reaches_without_number {
        return Err(Refused::new(Denial::PhoneRequired, vec![Effect::GiveBack(taken)]));
    }
    if let Some(mut refused) = Refused::limited(facts.verdict, Some(&user.key), cx) {
        refused.effects.push(Effect::GiveBack(taken));
        return Err(refused);
    }
    let challenge = Token::draw(cx.entropy);
    let (code, digits) = SmsCode::draw(&challenge.hash(), cx.pool.code_life, cx.now, cx.key, cx.entropy);
    let session = SessionId::draw(cx.now, cx.entropy);
    let address = cx.origin.address.clone();
    let mut effects = Vec::new();
    let user = match next {
        Some(next) => {
            effects.push(commit(&user, next.clone()));
            next
        }
        None => user,
    };
    effects.extend(give_way(&facts.pending, cx).into_iter().map(Effect::DropFlow));
    let pending = PendingLogin {
        address,
        epoch: user.session_epoch,
        life,
        phone: phone.clone(),
        code: Some(code),
        session,
        first: factor,
        link,
    };
    effects.push(Effect::PutFlow(Box::new(FlowRecord {
        id: challenge.hash(),
        pool: user.key.pool.clone(),
        user: Some(user.key.id.clone()),
        created: cx.now,
        expires: cx.now.plus(cx.pool.pending_login_life),
        body: FlowBody::PendingLogin(pending),
    })));
    effects.push(send(&user, phone.as_ref(), digits, cx));
    effects.push(Effect::GiveBack(taken));
    effects.push(cx.audit(AuditKind::CodeSent, Some(&user.key)));
    let sent_to = phone.as_ref().map(Phone::masked);
    Ok(Advanced {
        next: Login::AwaitingCode(CodeRequested {
            at: cx.now,
            challenge: Some(challenge),
            sent_to,
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

/// Sends a new code for the same pending login; the former one is void from now on.
pub(super) fn send_again(facts: CodeAskedAgain, cx: &mut Ctx<'_>) -> Step<Login> {
    let Some((record, login, user)) = live(facts.pending, facts.user, cx) else {
        return Err(Refused::new(Denial::LoginFailed, Vec::new()));
    };
    if let Some(refused) = Refused::limited(facts.send, Some(&user.key), cx) {
        return Err(refused);
    }
    let (code, digits) = SmsCode::draw(&record.id, cx.pool.code_life, cx.now, cx.key, cx.entropy);
    let sent_to = login.phone.as_ref().map(Phone::masked);
    let message = send(&user, login.phone.as_ref(), digits, cx);
    let body = FlowBody::PendingLogin(PendingLogin {
        code: Some(code),
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
        }),
        effects,
    })
}

/// Judges a typed code. Whatever is wrong with it (no pending login, expired, five tries gone, void since, wrong digits), the
/// answer is the same.
pub(super) fn judge(facts: CodeTyped, cx: &mut Ctx<'_>) -> Step<Login> {
    let CodeTyped {
        pending,
        user,
        typed,
        verdict,
        tries_left,
        taken,
    } = facts;
    if let Some(refused) = Refused::limited(verdict, user.as_ref().map(|user| &user.key), cx) {
        return Err(refused);
    }
    let account = user.as_ref().map(|user| user.key.clone());
    let accepted = live(pending, user, cx).filter(|(record, login, _)| {
        let code = login.code.as_ref();
        let right = code.is_some_and(|code| code.accepts(typed.expose(), &record.id, cx.now, cx.key));
        right && tries_left == Verdict::Allowed
    });
    let Some((record, login, user)) = accepted else {
        return Err(Refused::new(
            Denial::LoginFailed,
            vec![cx.audit(AuditKind::CodeFailed, account.as_ref())],
        ));
    };
    let mut effects = vec![Effect::Spend(record.id)];
    let user = match complete(&user, &login, &mut effects, cx) {
        Ok(user) => user,
        Err(denial) => {
            return Err(Refused::new(
                denial,
                vec![
                    Effect::Spend(record.id),
                    cx.audit(AuditKind::LinkRefused, account.as_ref()),
                ],
            ));
        }
    };
    let token = open(
        user,
        login.session,
        login.life,
        vec![login.first, Factor::Sms],
        cx,
    );
    effects.push(Effect::OpenSession(Box::new(token.session.clone())));
    effects.push(Effect::GiveBack(taken));
    effects.push(cx.audit(AuditKind::LoggedIn, Some(&token.user.key)));
    Ok(Advanced {
        next: Login::Opened(Box::new(token)),
        effects,
    })
}

/// What a right code completes: the number it went to is confirmed, the first time; an account elsewhere that waited for it is
/// attached.
fn complete(
    user: &User,
    login: &PendingLogin,
    effects: &mut Vec<Effect>,
    cx: &Ctx<'_>,
) -> Result<User, Denial> {
    let sent_to = login.phone.as_ref();
    let proves = sent_to.is_some() && user.factor_phone.is_none() && user.phone.as_ref() == sent_to;
    if !proves && login.link.is_none() {
        return Ok(user.clone());
    }
    let mut next = user.changed(cx.now);
    if proves {
        next.factor_phone = sent_to.cloned();
        effects.push(cx.audit(AuditKind::PhoneConfirmed, Some(&user.key)));
    }
    if let Some(link) = &login.link {
        attach(&mut next, link, cx.now)?;
        if user.identity_of(&link.identity.key).is_none() {
            effects.push(cx.audit_about(
                AuditKind::IdentityLinked,
                Some(&user.key),
                link.identity.key.provider.as_str(),
            ));
        }
    }
    effects.insert(0, commit(user, next.clone()));
    Ok(next)
}

/// A pending login that may still be completed: not expired, of this user, begun in the user's present epoch.
fn live(
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

fn send(user: &User, phone: Option<&Phone>, code: Secret, cx: &Ctx<'_>) -> Effect {
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
