//! "They are not the same": the account elsewhere becomes a user of its own.

use super::super::super::login::external::{Entrance, Opening, enter, stranger};
use super::super::super::login::pending::{Sending, Waits};
use super::super::super::{Ctx, Refused, Step};
use super::super::{PendingLink, attach};
use super::{JoinFacts, Joining, Offer, on, standing};
use crate::audit::AuditKind;
use crate::flow_record::FlowRecord;
use crate::id::{IdentityId, UserId, UserKey};
use crate::policy::Asked;
use crate::secret::Sealed;
use crate::session::Factor;
use crate::user::User;

/// A user of its own for an account whose owner declined to join.
#[derive(Clone, Debug)]
pub struct Separate {
    /// The new user.
    pub user: User,
    /// For whom the tokens are sealed so far.
    pub sealed_for: UserKey,
    /// The account.
    pub link: PendingLink,
    flow: FlowRecord,
    code_challenge: Option<String>,
    taken: Asked,
}

/// Where only known users come in, having somebody's address or name makes nobody one.
pub(super) fn decline(facts: JoinFacts, newcomers: bool, cx: &mut Ctx<'_>) -> Step<Joining> {
    let Offer {
        flow,
        join,
        user,
        taken,
    } = standing(facts, cx)?;
    if !newcomers {
        return Err(stranger(&join.entry, cx));
    }
    let key = UserKey::new(cx.pool.name.clone(), UserId::draw(cx.now, cx.entropy));
    let mut link = join.link;
    // Ids are never shared, not even between a user and an offer that was declined.
    link.identity.id = IdentityId::draw(cx.now, cx.entropy);
    if let Some(session) = &mut link.session {
        session.identity = link.identity.id.clone();
    }
    Ok(on(Joining::Seal(Box::new(Separate {
        user: User::blank(key, cx.now),
        sealed_for: user.key,
        link,
        flow,
        code_challenge: join.code_challenge,
        taken,
    }))))
}

impl Separate {
    /// Whether this will wait for a second factor.
    pub fn waits(&self, cx: &Ctx<'_>) -> Waits {
        let is_due = self.code_challenge.is_none() && cx.pool.second_factor_is_due(&self.user);
        Waits::of(&self.user, is_due, None, cx)
    }
}

/// A user without address and name: both may be the namesake's.
pub(super) fn enter_as_new(
    separate: Separate,
    sealed: Option<Sealed>,
    sending: &Sending,
    cx: &mut Ctx<'_>,
) -> Step<Opening> {
    let Separate {
        mut user,
        mut link,
        flow,
        code_challenge,
        taken,
        ..
    } = separate;
    link.credential = link.credential.zip(sealed).map(|(mut credential, tokens)| {
        credential.tokens = tokens;
        credential
    });
    attach(&mut user, &link, cx.now).map_err(|denial| Refused::new(denial, Vec::new()))?;
    let detail = link.identity.key.provider.to_string();
    let audits = vec![
        cx.audit_about(AuditKind::SignedUp, Some(&user.key), detail.clone()),
        cx.audit_about(AuditKind::IdentityLinked, Some(&user.key), detail),
    ];
    let entrance = Entrance {
        before: None,
        next: user,
        link: Some(link),
        factor: Factor::Federated,
        code_challenge,
        taken,
        spend: Some(flow.id),
        audits,
    };
    enter(entrance, sending, cx)
}
