//! Telling owners what happened to their accounts.

use super::{Ctx, Effect};
use crate::message::{MailKind, MailMessage, Notice};
use crate::user::{Email, User};

/// A mail to an address of a user, in their language.
pub(super) fn mail(user: &User, to: Email, kind: MailKind, cx: &Ctx<'_>) -> Effect {
    Effect::SendMail(Box::new(MailMessage {
        user: user.key.clone(),
        to,
        kind,
        language: cx.language_of(user),
    }))
}

/// A notice to the user's address, where there is one and the pool sends notices.
pub(super) fn notify(user: &User, notice: Notice, cx: &Ctx<'_>) -> Option<Effect> {
    let to = user.email.clone().filter(|_| cx.pool.notices)?;
    Some(mail(user, to, MailKind::Notice(notice), cx))
}
