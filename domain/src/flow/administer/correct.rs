//! Changing what stands in somebody else's record: what they could change themselves, never a password.

use serde_json::{Map, Value};

use super::super::change_profile::{self, Field, ProfileChange};
use super::super::{Ctx, Effect, Refused};
use crate::audit::{Actor, AuditEvent};
use crate::error::{Denial, Fault};
use crate::user::User;

/// What an administrator changes about a user.
#[derive(Clone, Debug, Default)]
pub struct Correction {
    /// The name to log in with.
    pub username: Field,
    /// The address. What was known of the old one is void, as when its owner changes it.
    pub email: Field,
    /// Whether the address counts as proven; none for what follows from the change.
    pub email_verified: Option<bool>,
    /// Whether the number for codes is removed, also as a second factor: its owner may have lost it.
    pub removes_phone: bool,
    /// Everything else; `null` removes.
    pub attributes: Map<String, Value>,
}

/// The change as its owner would make it, without their proof and sparing none of their sessions; notices go out as for their own. An
/// administrator's address is theirs alone to change: whoever reads it can be them.
pub(super) fn correct(
    user: &User,
    correction: Correction,
    is_peer: bool,
    by: &Actor,
    cx: &mut Ctx<'_>,
) -> Result<(User, Vec<Effect>), Refused> {
    let Correction {
        username,
        email,
        email_verified,
        removes_phone,
        attributes,
    } = correction;
    if is_peer && (email != Field::Keep || email_verified.is_some()) {
        let fault = Fault {
            property: "email",
            code: "custom.administrator",
            message: "of an administrator is theirs alone to change",
            value: None,
        };
        return Err(Refused::new(Denial::Invalid(vec![fault]), Vec::new()));
    }
    let change = ProfileChange {
        username,
        email,
        phone: if removes_phone { Field::Clear } else { Field::Keep },
        attributes,
        ..ProfileChange::default()
    };
    let (next, effects) = change_profile::correct(user, &change, email_verified, cx)
        .map_err(|denial| Refused::new(denial, Vec::new()))?;
    let written = effects.into_iter().map(|effect| match effect {
        Effect::Audit(event) => Effect::Audit(AuditEvent {
            actor: by.clone(),
            ..event
        }),
        other => other,
    });
    Ok((next, written.collect()))
}
