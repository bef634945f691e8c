//! A mail as it goes over the wire.

use domain::id::MessageId;
use domain::user::Email;
use lettre::address::Envelope;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};
use lettre::{Address, Message};

use crate::config::SmtpError;
use crate::templates::Words;
use crate::words::one_line;

/// In whose name mails are sent.
#[derive(Clone, Debug)]
pub struct Sender(Mailbox);

impl Sender {
    /// Reads `Name <address>` or an address. Its domain is written in A-labels, which every server takes.
    ///
    /// # Errors
    /// [`SmtpError::From`]
    pub fn parse(text: &str) -> Result<Self, SmtpError> {
        let text = text.trim();
        if text.chars().any(char::is_control) {
            return Err(SmtpError::From);
        }
        let (name, address) = match text.strip_suffix('>').and_then(|named| named.rsplit_once('<')) {
            Some((name, address)) => (name.trim().trim_matches('"'), address),
            None => ("", text),
        };
        let plain = Email::parse(address, true).ok_or(SmtpError::From)?;
        let email = wire_form(&plain)
            .filter(|address| address.user().is_ascii())
            .ok_or(SmtpError::From)?;
        let name = (!name.is_empty()).then(|| one_line(name));
        Ok(Self(Mailbox::new(name, email)))
    }
}

/// A mail ready to be handed over.
#[derive(Debug)]
pub struct Letter {
    /// From whom and to whom.
    pub from: Address,
    pub to: Address,
    /// Whether the server must know SMTPUTF8 (RFC 6531).
    pub wants_utf8: bool,
    /// Headers and all.
    pub bytes: Vec<u8>,
}

/// Puts words into a letter. `None` for an address that cannot be written to.
///
/// The Message-ID is made of `id`: servers and mail programs know by it that two copies are one mail. `Auto-Submitted` keeps holiday
/// notes from answering (RFC 3834 section 5).
pub fn seal(sender: &Sender, id: &MessageId, to: &Email, words: Words) -> Option<Letter> {
    let to = wire_form(to)?;
    let from = &sender.0.email;
    let fit = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let id: String = id.as_str().chars().filter(fit).collect();
    let automatic = HeaderName::new_from_ascii_str("Auto-Submitted");
    let message = Message::builder()
        .from(sender.0.clone())
        .to(Mailbox::new(None, to.clone()))
        .subject(words.subject)
        .message_id(Some(format!("<{id}@{}>", from.domain())))
        .raw_header(HeaderValue::new(automatic, "auto-generated".to_owned()))
        .multipart(MultiPart::alternative_plain_html(words.text, words.html))
        .ok()?;
    let envelope = Envelope::new(Some(from.clone()), vec![to.clone()]).ok()?;
    Some(Letter {
        wants_utf8: envelope.to().iter().any(|to| !to.to_string().is_ascii()),
        from: from.clone(),
        to,
        bytes: message.formatted(),
    })
}

/// An address as the wire wants it: where only the domain is beyond ASCII, in A-labels, which need no SMTPUTF8.
fn wire_form(email: &Email) -> Option<Address> {
    let (local, domain) = email.as_str().rsplit_once('@')?;
    let (_, labels) = email.key().rsplit_once('@')?;
    let domain = if local.is_ascii() { labels } else { domain };
    Address::new(local, domain).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words() -> Words {
        Words {
            subject: "Grüße, 李雷".to_owned(),
            text: "Öffnen Sie diese Seite:\n\n    https://login.example.com/x?token=a&b=%2F\n".to_owned(),
            html: "<p>Öffnen</p>".to_owned(),
        }
    }

    fn sealed(from: &str, to: &str) -> String {
        let to = Email::parse(to, true).unwrap();
        let letter = seal(
            &Sender::parse(from).unwrap(),
            &MessageId::new("0192-ab"),
            &to,
            words(),
        )
        .unwrap();
        String::from_utf8(letter.bytes).unwrap()
    }

    #[test]
    fn a_letter_names_itself_and_says_that_a_machine_wrote_it() {
        let letter = sealed("Österreichs Tür <noreply@bücher.example>", "ada@example.com");
        assert!(
            letter.contains("\r\nMessage-ID: <0192-ab@xn--bcher-kva.example>\r\n"),
            "{letter}"
        );
        assert!(
            letter.contains("\r\nAuto-Submitted: auto-generated\r\n"),
            "{letter}"
        );
        assert!(letter.contains("\r\nTo: ada@example.com\r\n"), "{letter}");
        assert!(letter.contains("<noreply@xn--bcher-kva.example>\r\n"), "{letter}");
        assert!(letter.contains("multipart/alternative"), "{letter}");
        assert!(letter.is_ascii(), "{letter}");
        assert!(letter.lines().all(|line| line.len() <= 998), "{letter}");
    }

    #[test]
    fn what_is_no_sender_is_refused() {
        for wrong in [
            "",
            "noreply",
            "a@b, c@d",
            "A <a@b> B",
            "zoë@example.com",
            "a@b\r\nBcc: c@d",
            "A\nB <a@b>",
        ] {
            assert!(Sender::parse(wrong).is_err(), "{wrong}");
        }
        for right in [
            "noreply@localhost",
            "Example, Inc. <a@b.example>",
            "\"Example, Inc.\" <a@b.example>",
        ] {
            assert!(Sender::parse(right).is_ok(), "{right}");
        }
    }

    #[test]
    fn an_address_beyond_ascii_asks_for_smtputf8_only_where_it_must() {
        let sender = Sender::parse("noreply@example.com").unwrap();
        for (to, wanted) in [
            ("ada@bücher.example", false),
            ("zoë@example.com", true),
            ("a!#$%&'*+/=?^_`{|}~-@b.example", false),
        ] {
            let email = Email::parse(to, true).unwrap();
            let letter =
                seal(&sender, &MessageId::new("1"), &email, words()).unwrap_or_else(|| panic!("{to}"));
            assert_eq!(letter.wants_utf8, wanted, "{to}");
        }
    }

    #[test]
    fn no_word_becomes_a_header() {
        let words = Words {
            subject: one_line("a\r\nBcc: eve@example.com"),
            ..words()
        };
        let to = Email::parse("ada@example.com", true).unwrap();
        assert!(Sender::parse("\"a\r\nBcc: eve@example.com\" <noreply@example.com>").is_err());
        let sender = Sender::parse("noreply@example.com").unwrap();
        let letter = seal(&sender, &MessageId::new("1>\r\nBcc: eve@example.com"), &to, words).unwrap();
        let letter = String::from_utf8(letter.bytes).unwrap();
        assert!(!letter.contains("\nBcc"), "{letter}");
    }
}
