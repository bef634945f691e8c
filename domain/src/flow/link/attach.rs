//! "Link an account": somebody who is logged in proved an account elsewhere.
//!
//! ```text
//! Start ──Arrived──▶ Seal ──Sealed──▶ Linked
//!                                     (KeyTaken: somebody else was faster)
//! ```

use super::super::{Advanced, Ctx, Refused, Step, commit};
use super::{LinkDraft, Proven, attach};
use crate::audit::AuditKind;
use crate::error::Denial;
use crate::id::IdentityId;
use crate::secret::Sealed;
use crate::user::User;

/// Where a link stands.
#[derive(Clone, Debug)]
pub enum Attach {
    /// Nothing is known yet.
    Start,
    /// The tokens are to be sealed for the user.
    Seal(Box<Attaching>),
    /// It is attached.
    Linked {
        /// The user, as stored now.
        user: Box<User>,
        /// The account.
        identity: IdentityId,
    },
}

/// A link that may be made.
#[derive(Clone, Debug)]
pub struct Attaching {
    /// Whose it will be.
    pub user: User,
    /// What is linked.
    pub draft: LinkDraft,
}

/// What happened.
#[derive(Clone, Debug)]
pub enum AttachEvent {
    /// The provider's answer was taken; who holds the account was looked up.
    Arrived {
        /// The user who is logged in, as stored now.
        user: Box<User>,
        /// The account.
        proven: Box<Proven>,
        /// The user it is linked to already, if any.
        holder: Option<Box<User>>,
    },
    /// The tokens were sealed; none where nothing was granted.
    Sealed(Option<Sealed>),
    /// The store says that another user got the account first.
    KeyTaken,
}

/// One step of linking.
pub fn step(state: Attach, event: AttachEvent, cx: &mut Ctx<'_>) -> Step<Attach> {
    match (state, event) {
        (Attach::Start, AttachEvent::Arrived { user, proven, holder }) => {
            if holder.is_some_and(|holder| holder.key != user.key) {
                return Err(taken(&user, &proven, cx));
            }
            let draft = proven.link_for(Some(&user), cx);
            Ok(Advanced {
                next: Attach::Seal(Box::new(Attaching { user: *user, draft })),
                effects: Vec::new(),
            })
        }
        (Attach::Seal(attaching), AttachEvent::Sealed(sealed)) => link(*attaching, sealed, cx),
        (Attach::Linked { user, .. }, AttachEvent::KeyTaken) => Err(Refused::new(
            Denial::IdentityTaken,
            vec![cx.audit(AuditKind::LinkRefused, Some(&user.key))],
        )),
        _ => Err(Refused::unexpected()),
    }
}

fn link(attaching: Attaching, sealed: Option<Sealed>, cx: &mut Ctx<'_>) -> Step<Attach> {
    let Attaching { user, draft } = attaching;
    let link = draft.sealed(sealed, cx);
    let mut next = user.changed(cx.now);
    let detail = link.identity.key.provider.to_string();
    if let Err(denial) = attach(&mut next, &link, cx.now) {
        let audit = cx.audit_about(AuditKind::LinkRefused, Some(&user.key), detail);
        return Err(Refused::new(denial, vec![audit]));
    }
    let effects = vec![
        commit(&user, next.clone()),
        cx.audit_about(AuditKind::IdentityLinked, Some(&user.key), detail),
    ];
    Ok(Advanced {
        next: Attach::Linked {
            user: Box::new(next),
            identity: link.identity.id,
        },
        effects,
    })
}

/// Whose it is instead is not said: neither to the caller nor in the line about them.
fn taken(user: &User, proven: &Proven, cx: &Ctx<'_>) -> Refused {
    let detail = proven.key.provider.to_string();
    let audit = cx.audit_about(AuditKind::LinkRefused, Some(&user.key), detail);
    Refused::new(Denial::IdentityTaken, vec![audit])
}
