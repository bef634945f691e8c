//! "Log in with a link by mail", where a pool allows it: reading one's mailbox in the place of a password. It is one factor (ASVS 6.3.6):
//! a second one is due as ever.

use super::super::notice::mail;
use super::super::verify_contact::verification_mail;
use super::super::{Advanced, Ctx, Effect, Refused, Step};
use super::door::{self, Entrant};
use super::pending::{self, FirstProof, Sending, Waits};
use super::{Login, Terms};
use crate::audit::AuditKind;
use crate::error::Denial;
use crate::flow_record::{FlowBody, FlowKind, FlowRecord};
use crate::id::SessionId;
use crate::limits::Verdict;
use crate::message::MailKind;
use crate::policy::Asked;
use crate::secret::Token;
use crate::session::Factor;
use crate::user::User;

/// Facts: the token of a mailed link was presented.
#[derive(Clone, Debug)]
pub struct LinkPresented {
    /// The flow of the token.
    pub flow: Option<FlowRecord>,
    /// Its user, as stored now.
    pub user: Option<User>,
    /// What the counter for tokens said.
    pub verdict: Verdict,
    /// What a second factor needs, where one is due.
    pub sending: Sending,
    /// What the session is to be like.
    pub terms: Terms,
}

impl LinkPresented {
    /// Whether this will wait for a second factor.
    pub fn waits(&self, cx: &Ctx<'_>) -> Waits {
        let reached = reached(self.flow.as_ref(), self.user.as_ref(), cx);
        reached.map_or(Waits::No, |(_, user)| {
            Waits::of(user, cx.second_factor_is_due(user), None, cx)
        })
    }
}

/// Mails a link, if there is a user of that address and the counters allow it. The answer is always the same.
pub(crate) fn ask(
    user: Option<&User>,
    mail_verdict: Verdict,
    return_to: Option<String>,
    cx: &mut Ctx<'_>,
) -> Result<Vec<Effect>, Refused> {
    if !cx.pool.magic_link {
        return Err(Refused::new(Denial::AuthorizationRequired, Vec::new()));
    }
    let address = user.and_then(|user| user.email.clone().map(|email| (user, email)));
    let reachable = address.filter(|(user, _)| user.disabled.is_none());
    let Some((user, email)) = reachable.filter(|_| mail_verdict == Verdict::Allowed) else {
        return Ok(Vec::new());
    };
    if !user.email_verified {
        // Nobody proved the address yet: somebody else may have set the password. It is proven first, by the mail that says so.
        return Ok(verification_mail(user, cx));
    }
    let token = Token::draw(cx.entropy);
    let life = cx.pool.magic_link_life;
    let body = FlowBody::MagicLink {
        address: email.as_str().to_owned(),
        epoch: user.session_epoch,
        return_to,
    };
    let kind = MailKind::MagicLink {
        link: cx.link("/login/link", &token),
        life,
    };
    Ok(vec![
        Effect::DropFlows(user.key.clone(), FlowKind::MagicLink),
        cx.keep(user, &token, life, body),
        mail(user, email, kind, cx),
        cx.audit(AuditKind::MagicLinkSent, Some(&user.key)),
    ])
}

/// Whether asking would send a mail: then, and only then, the user's budget is at stake.
pub(crate) fn would_send(user: &User, cx: &Ctx<'_>) -> bool {
    cx.pool.magic_link && user.email.is_some()
}

/// Judges a token: it opens once, for the address it was mailed to, which was proven before.
pub(super) fn judge(facts: &LinkPresented, cx: &mut Ctx<'_>) -> Step<Login> {
    if let Some(refused) = Refused::limited(facts.verdict, None, cx) {
        return Err(refused);
    }
    let waits = facts.waits(cx);
    let Some((flow, user)) = reached(facts.flow.as_ref(), facts.user.as_ref(), cx) else {
        let audit = cx.audit(AuditKind::TokenRefused, None);
        return Err(Refused::new(Denial::TokenRefused, vec![audit]));
    };
    door::admit(user, cx)?;
    if waits != Waits::No {
        let proof = FirstProof {
            user: user.clone(),
            next: None,
            factor: Factor::Email,
            link: None,
            taken: Asked::new(),
            terms: facts.terms,
            method: None,
        };
        let mut step = pending::begin(proof, &facts.sending, cx)?;
        let behind = step
            .effects
            .iter()
            .take_while(|effect| effect.is_commit())
            .count();
        step.effects.insert(behind, Effect::Spend(flow.id));
        return Ok(step);
    }
    let mut effects = vec![Effect::Spend(flow.id)];
    let entrant = Entrant {
        before: Some(user.clone()),
        next: user.clone(),
        id: SessionId::draw(cx.now, cx.entropy),
        terms: facts.terms,
        factors: vec![Factor::Email],
        trust_device: false,
        federated: None,
    };
    let token = door::open(entrant, &mut effects, cx);
    effects.push(cx.audit_about(AuditKind::LoggedIn, Some(&token.user.key), Factor::Email.name()));
    Ok(Advanced {
        next: Login::Opened(Box::new(token)),
        effects,
    })
}

fn reached<'a>(
    flow: Option<&'a FlowRecord>,
    user: Option<&'a User>,
    cx: &Ctx<'_>,
) -> Option<(&'a FlowRecord, &'a User)> {
    let (flow, user) = flow.zip(user)?;
    let FlowBody::MagicLink { address, epoch, .. } = &flow.body else {
        return None;
    };
    let same = user.email.as_ref().is_some_and(|email| email.as_str() == address);
    let good = cx.pool.magic_link
        && same
        && user.email_verified
        && flow.is_of(&user.key)
        && !flow.is_expired(cx.now)
        && *epoch == user.session_epoch;
    good.then_some((flow, user))
}
