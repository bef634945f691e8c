//! Proving a contact: an e-mail address by a link, a phone number by a code.
//!
//! ```text
//! EmailAsked ──▶ Sent        EmailConfirmed ──▶ Proven
//! PhoneAsked ──▶ Sent        PhoneCodeTyped ──▶ Proven
//! ```
//! One step each, so the flow has a single state; what lies between is in the [`FlowRecord`] the first step keeps.

use super::login::pending::message;
use super::notice::mail;
use super::{Advanced, Ctx, Effect, Refused, Step, commit};
use crate::audit::AuditKind;
use crate::credential::SmsCode;
use crate::error::Denial;
use crate::flow_record::{FlowBody, FlowKind, FlowRecord};
use crate::id::UserId;
use crate::limits::Verdict;
use crate::message::MailKind;
use crate::secret::{Secret, Token};
use crate::user::{Phone, User};

/// What happened.
#[derive(Clone, Debug)]
pub enum VerifyContactEvent {
    /// Somebody wants a verification mail sent to the user of an id.
    EmailAsked {
        /// The user, if there is one.
        user: Option<Box<User>>,
        /// Whether a mail may be sent now.
        mail: Verdict,
    },
    /// Somebody presents the token of such a mail.
    EmailConfirmed {
        /// The flow of the token.
        flow: Option<Box<FlowRecord>>,
        /// The id named beside the token.
        uid: UserId,
        /// The flow's user, as stored now.
        user: Option<Box<User>>,
        /// What the counter for tokens said.
        verdict: Verdict,
    },
    /// A logged-in user wants a code sent to their unconfirmed number.
    PhoneAsked {
        /// The user.
        user: Box<User>,
        /// Whether a code may be sent now.
        send: Verdict,
    },
    /// They typed it.
    PhoneCodeTyped {
        /// The newest flow of that kind.
        flow: Option<Box<FlowRecord>>,
        /// The user, as stored now.
        user: Box<User>,
        /// What was typed.
        typed: Secret,
        /// What the account's counter said.
        verdict: Verdict,
        /// Whether the code's own tries are used up.
        tries_left: Verdict,
    },
}

/// What came of it.
#[derive(Clone, Debug)]
pub enum VerifyContact {
    /// A message is on its way, or nothing had to be sent: the caller cannot tell.
    Sent,
    /// A code is on its way; here is the flow's token.
    CodeSent(Token),
    /// The contact is proven.
    Proven(Box<User>),
}

/// The one step of this flow.
pub fn step(event: VerifyContactEvent, cx: &mut Ctx<'_>) -> Step<VerifyContact> {
    match event {
        VerifyContactEvent::EmailAsked { user, mail } => Ok(ask_email(user.as_deref(), mail, cx)),
        VerifyContactEvent::EmailConfirmed {
            flow,
            uid,
            user,
            verdict,
        } => confirm_email(flow.as_deref(), &uid, user.as_deref(), verdict, cx),
        VerifyContactEvent::PhoneAsked { user, send } => ask_phone(&user, send, cx),
        VerifyContactEvent::PhoneCodeTyped {
            flow,
            user,
            typed,
            verdict,
            tries_left,
        } => {
            let typed = TypedCode {
                typed: &typed,
                verdict,
                tries_left,
            };
            confirm_phone(flow.as_deref(), &user, &typed, cx)
        }
    }
}

/// Whether a verification mail to this user makes sense: then, and only then, their budget is at stake.
pub fn would_send_mail(user: &User) -> bool {
    user.disabled.is_none() && !user.email_verified && user.email.is_some()
}

/// Sends a mail if there is a user with an unverified address and the counters allow it. The answer is always the same.
fn ask_email(user: Option<&User>, mail: Verdict, cx: &mut Ctx<'_>) -> Advanced<VerifyContact> {
    let effects = match user {
        Some(user) if would_send_mail(user) && mail == Verdict::Allowed => verification_mail(user, cx),
        _ => Vec::new(),
    };
    Advanced {
        next: VerifyContact::Sent,
        effects,
    }
}

/// A verification mail and the flow behind its link; the former link is void.
pub(super) fn verification_mail(user: &User, cx: &mut Ctx<'_>) -> Vec<Effect> {
    let Some(email) = user.email.clone() else {
        return Vec::new();
    };
    let token = Token::draw(cx.entropy);
    let link = format!(
        "{}/verify?pool={}&uid={}&token={}",
        cx.policy.public_url,
        cx.pool.name,
        user.key.id,
        token.expose()
    );
    let body = FlowBody::ConfirmEmail {
        address: email.as_str().to_owned(),
    };
    let kind = MailKind::VerifyEmail {
        link: Secret::new(link),
    };
    vec![
        Effect::DropFlows(user.key.clone(), FlowKind::ConfirmEmail),
        cx.keep(user, &token, cx.pool.verify_token_ttl, body),
        mail(user, email, kind, cx),
        cx.audit(AuditKind::VerificationSent, Some(&user.key)),
    ]
}

fn confirm_email(
    flow: Option<&FlowRecord>,
    uid: &UserId,
    user: Option<&User>,
    verdict: Verdict,
    cx: &Ctx<'_>,
) -> Step<VerifyContact> {
    if let Some(refused) = Refused::limited(verdict, None, cx) {
        return Err(refused);
    }
    let proven = flow.zip(user).filter(|(flow, user)| {
        let address = match &flow.body {
            FlowBody::ConfirmEmail { address } => {
                user.email.as_ref().is_some_and(|email| email.as_str() == address)
            }
            _ => false,
        };
        address
            && flow.is_of(&user.key)
            && user.key.id == *uid
            && !user.email_verified
            && !flow.is_expired(cx.now)
    });
    let Some((flow, user)) = proven else {
        return Err(Refused::new(
            Denial::TokenRefused,
            vec![cx.audit(AuditKind::TokenRefused, None)],
        ));
    };
    let mut next = user.changed(cx.now);
    next.email_verified = true;
    let effects = vec![
        commit(user, next.clone()),
        Effect::Spend(flow.id),
        cx.audit(AuditKind::EmailVerified, Some(&user.key)),
    ];
    Ok(Advanced {
        next: VerifyContact::Proven(Box::new(next)),
        effects,
    })
}

fn ask_phone(user: &User, send: Verdict, cx: &mut Ctx<'_>) -> Step<VerifyContact> {
    let Some(phone) = user.phone.clone().filter(|_| !user.phone_is_confirmed()) else {
        return Err(Refused::new(Denial::PhoneRequired, Vec::new()));
    };
    if let Some(refused) = Refused::limited(send, Some(&user.key), cx) {
        return Err(refused);
    }
    let (token, effects) = code_to(user, phone, cx);
    Ok(Advanced {
        next: VerifyContact::CodeSent(token),
        effects,
    })
}

/// A code to a number of a user, and the flow behind it, with its token; the former code is void.
pub(super) fn code_to(user: &User, phone: Phone, cx: &mut Ctx<'_>) -> (Token, Vec<Effect>) {
    let token = Token::draw(cx.entropy);
    let (code, digits) = SmsCode::draw(&token.hash(), cx.pool.code_life, cx.now, cx.key, cx.entropy);
    let message = message(user, Some(&phone), digits, cx);
    // Longer than the code, which knows its own end: who holds the token may ask for another one.
    let life = cx.pool.pending_login_life;
    let effects = vec![
        Effect::DropFlows(user.key.clone(), FlowKind::ConfirmPhone),
        cx.keep(user, &token, life, FlowBody::ConfirmPhone { phone, code }),
        message,
        cx.audit(AuditKind::CodeSent, Some(&user.key)),
    ];
    (token, effects)
}

/// A code somebody typed, with what the counters said to the try.
struct TypedCode<'a> {
    typed: &'a Secret,
    verdict: Verdict,
    tries_left: Verdict,
}

fn confirm_phone(
    flow: Option<&FlowRecord>,
    user: &User,
    typed: &TypedCode<'_>,
    cx: &Ctx<'_>,
) -> Step<VerifyContact> {
    if let Some(refused) = Refused::limited(typed.verdict, Some(&user.key), cx) {
        return Err(refused);
    }
    let proven = flow.and_then(|flow| confirmed_number(flow, user, typed, cx).map(|phone| (flow, phone)));
    let Some((flow, phone)) = proven else {
        return Err(Refused::new(
            Denial::TokenRefused,
            vec![cx.audit(AuditKind::CodeFailed, Some(&user.key))],
        ));
    };
    let mut next = user.changed(cx.now);
    next.factor_phone = Some(phone);
    let effects = vec![
        commit(user, next.clone()),
        Effect::Spend(flow.id),
        cx.audit(AuditKind::PhoneConfirmed, Some(&user.key)),
    ];
    Ok(Advanced {
        next: VerifyContact::Proven(Box::new(next)),
        effects,
    })
}

/// The number a right code proves: the one it went to, if the user still gives that number.
fn confirmed_number(flow: &FlowRecord, user: &User, typed: &TypedCode<'_>, cx: &Ctx<'_>) -> Option<Phone> {
    let FlowBody::ConfirmPhone { phone, code } = &flow.body else {
        return None;
    };
    let right =
        code.accepts(typed.typed.expose(), &flow.id, cx.now, cx.key) && typed.tries_left == Verdict::Allowed;
    (right && flow.is_of(&user.key) && user.phone.as_ref() == Some(phone)).then(|| phone.clone())
}
