//! What a template is given for each kind of mail.

use std::collections::BTreeMap;

use domain::message::{MailKind, Notice};
use domain::time::Lifetime;
use domain::user::FactorKind;
use minijinja::Value;

use crate::words::{factor, moment, one_line, span, tame, whole};

/// Names and what stands for them. One that can be absent is there and empty, so that a misspelt name is noticed.
pub type Values = BTreeMap<&'static str, Value>;

/// What the templates of a kind are called.
pub const fn name(kind: &MailKind) -> &'static str {
    match kind {
        MailKind::VerifyEmail { .. } => "verify_email",
        MailKind::ResetPassword { .. } => "reset_password",
        MailKind::AlreadyRegistered => "already_registered",
        MailKind::JoinCode { .. } => "join_code",
        MailKind::MagicLink { .. } => "magic_link",
        MailKind::Notice(notice) => match notice {
            Notice::NewDevice { .. } => "notice_new_device",
            Notice::EmailChanged { .. } => "notice_email_changed",
            Notice::EmailIsNow => "notice_email_is_now",
            Notice::PhoneChanged => "notice_phone_changed",
            Notice::PasswordChanged => "notice_password_changed",
            Notice::FactorAdded { .. } => "notice_factor_added",
            Notice::FactorRemoved { .. } => "notice_factor_removed",
            Notice::RecoveryCodeUsed { .. } => "notice_recovery_code_used",
            Notice::CodesHeldBack => "notice_codes_held_back",
        },
    }
}

/// The values of a mail in that language.
pub fn of(kind: &MailKind, language: &str, service: &str) -> Values {
    let mut values = Values::from([("service", Value::from(service)), ("lang", Value::from(language))]);
    match kind {
        MailKind::VerifyEmail { link } => put(&mut values, "link", &one_line(link.expose())),
        MailKind::ResetPassword { link, life } | MailKind::MagicLink { link, life } => {
            put(&mut values, "link", &one_line(link.expose()));
            put_life(&mut values, language, *life);
        }
        MailKind::AlreadyRegistered => {}
        MailKind::JoinCode { code, provider, life } => {
            put(&mut values, "code", &one_line(code.expose()));
            put(&mut values, "provider", &one_line(provider));
            put_life(&mut values, language, *life);
        }
        MailKind::Notice(notice) => put_notice(&mut values, language, notice),
    }
    values
}

fn put_notice(values: &mut Values, language: &str, notice: &Notice) {
    match notice {
        Notice::NewDevice { device, at } => {
            put_name(values, "device", device.as_deref());
            put(values, "at", &moment(*at));
        }
        Notice::EmailChanged { to, undo, life } => {
            put(values, "new_address", &one_line(to));
            put(values, "link", &one_line(undo.expose()));
            put_life(values, language, *life);
        }
        Notice::FactorAdded { factor, name } | Notice::FactorRemoved { factor, name } => {
            put_factor(values, language, *factor);
            put_name(values, "name", name.as_deref());
        }
        Notice::RecoveryCodeUsed { left } => {
            values.insert("left", Value::from(*left));
        }
        Notice::EmailIsNow | Notice::PhoneChanged | Notice::PasswordChanged | Notice::CodesHeldBack => {}
    }
}

fn put(values: &mut Values, name: &'static str, text: &str) {
    values.insert(name, Value::from(text));
}

fn put_name(values: &mut Values, name: &'static str, given: Option<&str>) {
    values.insert(
        name,
        given.map_or_else(|| Value::from(()), |given| Value::from(tame(given))),
    );
}

fn put_life(values: &mut Values, language: &str, life: Lifetime) {
    let (count, unit) = whole(life);
    put(values, "life", &span(language, life));
    values.insert("life_count", Value::from(count));
    put(values, "life_unit", unit.name());
}

fn put_factor(values: &mut Values, language: &str, kind: FactorKind) {
    put(values, "factor", factor(language, kind));
    put(values, "factor_kind", kind.name());
}
