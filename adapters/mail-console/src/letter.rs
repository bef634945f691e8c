//! What a printed mail says.

use domain::message::{MailKind, MailMessage, Notice};
use domain::secret::Secret;
use domain::time::{Lifetime, Timestamp};
use domain::user::FactorKind;

/// The whole mail, headers first, with an empty line at its end to part it from what follows.
pub fn write(from: &str, message: &MailMessage) -> String {
    let (from, to) = (one_line(from), one_line(message.to.as_str()));
    let subject = subject(&message.kind);
    let text = text(&message.kind);
    format!("From: {from}\nTo: {to}\nSubject: {subject}\n\n{text}\n\n")
}

const fn subject(kind: &MailKind) -> &'static str {
    match kind {
        // LoopBack's, which mail filters of its users may know.
        MailKind::VerifyEmail { .. } => "Thanks for Registering",
        MailKind::ResetPassword { .. } => "Choose a new password",
        MailKind::AlreadyRegistered => "You already have an account",
        MailKind::JoinCode { .. } => "Your code to link an account",
        MailKind::MagicLink { .. } => "Your link to log in",
        MailKind::Notice(notice) => match notice {
            Notice::NewDevice { .. } => "New login to your account",
            Notice::EmailChanged { .. } => "Your e-mail address was changed",
            Notice::EmailIsNow => "This is now your e-mail address",
            Notice::PhoneChanged => "Your phone number was changed",
            Notice::PasswordChanged => "Your password was changed",
            Notice::FactorAdded { .. } => "A second factor was added",
            Notice::FactorRemoved { .. } => "A second factor was removed",
            Notice::RecoveryCodeUsed { .. } => "A recovery code was used",
            Notice::CodesHeldBack => "No more codes for a while",
        },
    }
}

fn text(kind: &MailKind) -> String {
    match kind {
        MailKind::VerifyEmail { link } => {
            let link = one_line(link.expose());
            format!("Please confirm that this address is yours by opening this page:\n\n    {link}")
        }
        MailKind::ResetPassword { link, life } => {
            let (link, life) = (one_line(link.expose()), in_words(*life));
            format!(
                "Open this page to choose a new password. It works once, for {life}:\n\n    {link}\n\n\
                 If you did not ask for it, leave it: your password stays as it is."
            )
        }
        MailKind::AlreadyRegistered => "Somebody, perhaps you, tried to sign up with this address. \
             You have an account already: log in, or ask for a new password.\n\
             If it was not you, there is nothing to do."
            .to_owned(),
        MailKind::JoinCode { code, provider, life } => join_code(code, provider, *life),
        MailKind::MagicLink { link, life } => {
            let (link, life) = (one_line(link.expose()), in_words(*life));
            format!(
                "Open this page to log in. It works once, for {life}:\n\n    {link}\n\n\
                 Give it to nobody. If you did not ask for it, leave it: nothing happens."
            )
        }
        MailKind::Notice(notice) => format!("{}\n{}", news(notice), advice(notice)),
    }
}

/// What happened.
fn news(notice: &Notice) -> String {
    match notice {
        Notice::NewDevice { device, at } => {
            let device = device.as_deref().unwrap_or("an unknown device");
            format!(
                "Somebody logged in to your account from {}, not seen before, at {}.",
                one_line(device),
                moment(*at)
            )
        }
        Notice::EmailChanged { to, .. } => {
            format!(
                "The e-mail address of your account was changed to {}.",
                one_line(to)
            )
        }
        Notice::EmailIsNow => "The e-mail address of your account was changed to this one.".to_owned(),
        Notice::PhoneChanged => "The phone number of your account was changed or removed.".to_owned(),
        Notice::PasswordChanged => "The password of your account was changed.".to_owned(),
        Notice::FactorAdded { factor, name } => {
            format!(
                "A second factor was added to your account: {}.",
                named(*factor, name.as_deref())
            )
        }
        Notice::FactorRemoved { factor, name } => {
            format!(
                "A second factor was removed from your account: {}.",
                named(*factor, name.as_deref())
            )
        }
        Notice::RecoveryCodeUsed { left } => {
            format!("A recovery code of your account was used. Left: {left}.")
        }
        Notice::CodesHeldBack => {
            "Many codes for your account were asked for or guessed: no more are sent for a while.".to_owned()
        }
    }
}

/// What to do about it.
fn advice(notice: &Notice) -> String {
    match notice {
        Notice::EmailChanged { undo, life, .. } => {
            let (undo, life) = (one_line(undo.expose()), in_words(*life));
            format!(
                "If it was not you, open this page. It sets this address back and ends every session; it works for {life}:\n\n    {undo}"
            )
        }
        Notice::EmailIsNow => {
            "If you know nothing of it, somebody gave a wrong address: there is nothing to do.".to_owned()
        }
        _ => "If it was not you, change your password at once.".to_owned(),
    }
}

/// A second factor, as its owner knows it.
fn named(factor: FactorKind, name: Option<&str>) -> String {
    let kind = match factor {
        FactorKind::Sms => "codes by text message",
        FactorKind::Totp => "authenticator app",
        FactorKind::Recovery => "recovery codes",
        FactorKind::Passkey => "passkey",
    };
    name.map_or_else(|| kind.to_owned(), |name| format!("{kind} ({})", one_line(name)))
}

/// A moment, to the minute.
fn moment(at: Timestamp) -> String {
    let iso = at.to_iso8601();
    let minutes = iso.rsplit_once(':').map_or(iso.as_str(), |(minutes, _)| minutes);
    format!("{} UTC", minutes.replace('T', " "))
}

/// Whoever types the code gets into the account: the mail says so, for those who are asked for it on the telephone.
fn join_code(code: &Secret, provider: &str, life: Lifetime) -> String {
    let (code, provider, life) = (one_line(code.expose()), one_line(provider), in_words(life));
    format!(
        "Somebody, perhaps you, came from {provider} and wants to log in to your account from there.\n\
         To allow it, type this code where you were asked for it. It works once, for {life}:\n\n    {code}\n\n\
         Give it to nobody: whoever has it gets into your account, and nobody of ours will ever ask you for it.\n\
         If it was not you, there is nothing to do: without the code, nothing is linked."
    )
}

/// A span in the largest unit that says it without a fraction.
fn in_words(span: Lifetime) -> String {
    let seconds = span.as_secs_ceil();
    let units = [(86_400, "day"), (3_600, "hour"), (60, "minute")];
    let whole = units
        .into_iter()
        .find(|(size, _)| seconds >= *size && seconds.is_multiple_of(*size));
    let (size, name) = whole.unwrap_or((1, "second"));
    let count = seconds / size;
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {name}{plural}")
}

/// Text that stays on its line and in its direction.
fn one_line(text: &str) -> String {
    text.chars().map(printable).collect()
}

fn printable(c: char) -> char {
    let is_line_end = matches!(c, '\u{2028}' | '\u{2029}');
    let is_direction = matches!(
        c,
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
    );
    if c.is_control() || is_line_end || is_direction {
        char::REPLACEMENT_CHARACTER
    } else {
        c
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::id::{PoolName, UserId, UserKey};
    use domain::user::Email;

    fn mail(kind: MailKind) -> String {
        let message = MailMessage {
            user: UserKey::new(PoolName::new("Users"), UserId::new("1")),
            to: Email::parse("ada@example.com", false).unwrap(),
            kind,
            language: "en".to_owned(),
        };
        write("Portcullis <noreply@example.com>", &message)
    }

    #[test]
    fn a_mail_reads_like_a_mail() {
        let link = Secret::new("http://localhost:3000/verify?token=abc");
        assert_eq!(
            mail(MailKind::VerifyEmail { link }),
            "From: Portcullis <noreply@example.com>\n\
             To: ada@example.com\n\
             Subject: Thanks for Registering\n\
             \n\
             Please confirm that this address is yours by opening this page:\n\
             \n    http://localhost:3000/verify?token=abc\n\n"
        );
    }

    #[test]
    fn a_reset_mail_says_how_long_its_link_works() {
        let link = Secret::new("http://localhost:3000/reset?token=abc");
        let life = Lifetime::from_secs(900);
        let mail = mail(MailKind::ResetPassword { link, life });
        assert!(mail.contains("for 15 minutes:"), "{mail}");
        assert!(
            mail.contains("\n    http://localhost:3000/reset?token=abc\n"),
            "{mail}"
        );
    }

    #[test]
    fn a_join_mail_names_the_provider_the_code_and_its_life() {
        let mail = mail(MailKind::JoinCode {
            code: Secret::new("123456"),
            provider: "google".to_owned(),
            life: Lifetime::from_secs(600),
        });
        assert!(mail.contains("Subject: Your code to link an account\n"), "{mail}");
        assert!(mail.contains("came from google "), "{mail}");
        assert!(mail.contains("for 10 minutes:"), "{mail}");
        assert_eq!(mail.matches("\n    123456\n").count(), 1, "{mail}");
        assert!(mail.contains("Give it to nobody"), "{mail}");
    }

    #[test]
    fn a_changed_address_comes_with_the_way_back() {
        let mail = mail(MailKind::Notice(Notice::EmailChanged {
            to: "n…@example.org".to_owned(),
            undo: Secret::new("http://localhost:3000/revert?token=abc"),
            life: Lifetime::from_secs(604_800),
        }));
        assert!(mail.contains("changed to n…@example.org.\n"), "{mail}");
        assert!(
            mail.contains("for 7 days:\n\n    http://localhost:3000/revert?token=abc\n\n"),
            "{mail}"
        );
    }

    #[test]
    fn a_new_device_is_named_and_forges_no_line() {
        let mail = mail(MailKind::Notice(Notice::NewDevice {
            device: Some("Firefox\nFrom: x".to_owned()),
            at: Timestamp::from_millis(1_763_797_098_123),
        }));
        assert!(
            mail.contains("from Firefox\u{fffd}From: x, not seen before, at 2025-11-22 07:38 UTC."),
            "{mail}"
        );
        assert!(!mail.contains("\nFrom: x"), "{mail}");
    }

    #[test]
    fn a_provider_s_name_forges_no_line() {
        let mail = mail(MailKind::JoinCode {
            code: Secret::new("123456"),
            provider: "a\n\n    999999\nb".to_owned(),
            life: Lifetime::from_secs(600),
        });
        assert!(!mail.contains("\n    999999"), "{mail}");
    }

    #[test]
    fn spans_are_told_in_their_largest_whole_unit() {
        for (seconds, words) in [
            (0, "0 seconds"),
            (1, "1 second"),
            (90, "90 seconds"),
            (60, "1 minute"),
            (5400, "90 minutes"),
            (3600, "1 hour"),
            (172_800, "2 days"),
        ] {
            assert_eq!(in_words(Lifetime::from_secs(seconds)), words);
        }
    }

    #[test]
    fn nothing_forges_a_header() {
        assert_eq!(one_line("a\r\nBcc: b\u{2028}\u{202e}"), "a��Bcc: b��");
    }
}
