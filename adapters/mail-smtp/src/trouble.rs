//! What went wrong on the way, and what it means for the mail.

use domain::ports::{Delivery, PortError};
use lettre::transport::smtp::Error;

/// How far a conversation came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Greeting, EHLO, STARTTLS.
    Hello,
    /// AUTH.
    Login,
    /// MAIL.
    Sender,
    /// RCPT.
    Receiver,
    /// DATA, before its text.
    Data,
    /// The text, and the answer to it.
    Text,
}

/// Why a letter was not taken.
#[derive(Debug)]
pub enum Trouble {
    /// The server said no.
    Answered {
        /// To what.
        stage: Stage,
        /// The reply code (RFC 5321 section 4.2.1).
        code: u16,
        /// Subject and detail of the enhanced code (RFC 3463), where there is one.
        enhanced: Option<(u16, u16)>,
    },
    /// The line broke, or what came over it made no sense.
    Broken {
        /// During what.
        stage: Stage,
        /// What is known of it; quotes neither the letter nor a password.
        why: String,
    },
    /// We have a password to show, and the server offers no way that we know.
    NoWayToLogIn,
    /// The address is beyond ASCII, and the server does not know SMTPUTF8.
    NoUtf8,
}

impl Trouble {
    /// From what the library says.
    pub fn of(stage: Stage, error: &Error) -> Self {
        let said = std::error::Error::source(error).map(ToString::to_string);
        match error.status() {
            Some(code) => Self::Answered {
                stage,
                code: code.into(),
                enhanced: enhanced(said.as_deref().unwrap_or_default()),
            },
            None if error.is_client() && stage == Stage::Login => Self::NoWayToLogIn,
            // An answer that cannot be read may quote what was sent.
            None if error.is_response() => Self::Broken {
                stage,
                why: "the mail server broke off, or says what no mail server says".to_owned(),
            },
            None => Self::broken(stage, error),
        }
    }

    /// A line that broke.
    pub fn broken(stage: Stage, why: impl std::fmt::Display) -> Self {
        Self::Broken {
            stage,
            why: why.to_string(),
        }
    }

    /// Whether the line had been closed at the other end while it lay idle: then a new one is worth a try.
    pub const fn is_idle_end(&self) -> bool {
        match self {
            Self::Broken { stage, .. } => matches!(stage, Stage::Sender),
            // RFC 5321 section 3.8: a server that shuts down says 421.
            Self::Answered { stage, code, .. } => matches!(stage, Stage::Sender) && *code == 421,
            _ => false,
        }
    }

    /// What it means for the mail.
    ///
    /// # Errors
    /// [`PortError::Unavailable`] where nothing was handed over and nobody said why.
    pub fn judge(self) -> Result<Delivery, PortError> {
        match self {
            Self::Answered { stage, code, .. } if code < 500 => Ok(Delivery::NotNow {
                retry_after: None,
                reason: match stage {
                    Stage::Hello | Stage::Login => "busy",
                    _ => "deferred",
                },
            }),
            Self::Answered {
                stage,
                code,
                enhanced,
            } => Ok(refusal(stage, code, enhanced)),
            // It may have been taken: the mail is sent again, under the same Message-ID.
            Self::Broken {
                stage: Stage::Text, ..
            } => Ok(Delivery::Unknown),
            Self::Broken { why, .. } => Err(PortError::unavailable(why)),
            Self::NoWayToLogIn => Ok(Delivery::Refused {
                reason: "no_login_offered",
            }),
            Self::NoUtf8 => Ok(Delivery::Unreachable {
                reason: "no_smtputf8",
            }),
        }
    }
}

/// A lasting no: is it about this mailbox, or about us?
const fn refusal(stage: Stage, code: u16, enhanced: Option<(u16, u16)>) -> Delivery {
    match (stage, code, enhanced) {
        // RFC 4954 section 6: authentication is needed, or was not good enough.
        (_, 530 | 534 | 535 | 538, _) | (Stage::Login, _, _) => Delivery::Refused {
            reason: "credentials",
        },
        (Stage::Hello, _, _) => Delivery::Refused { reason: "connection" },
        (Stage::Sender, _, _) => Delivery::Refused { reason: "sender" },
        // RFC 3463 section 3.8: security or policy, such as a relay that does not relay for us.
        (Stage::Receiver, _, Some((7, _))) => Delivery::Refused { reason: "policy" },
        // Sections 3.2 and 3.3: the address, the mailbox.
        (Stage::Receiver, _, _) | (_, _, Some((1 | 2, _))) => Delivery::Unreachable { reason: "mailbox" },
        (Stage::Data | Stage::Text, _, _) => Delivery::Refused { reason: "content" },
    }
}

/// `5.7.1 …`: subject and detail.
fn enhanced(said: &str) -> Option<(u16, u16)> {
    let mut numbers = said.split([' ', '\r', '\n']).next()?.split('.');
    let class: u16 = numbers.next()?.parse().ok()?;
    let (subject, detail) = (numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?);
    ((class == 4 || class == 5) && numbers.next().is_none()).then_some((subject, detail))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(stage: Stage, code: u16, said: &str) -> Delivery {
        let enhanced = enhanced(said);
        Trouble::Answered {
            stage,
            code,
            enhanced,
        }
        .judge()
        .unwrap()
    }

    #[test]
    fn a_passing_no_is_asked_again() {
        for stage in [Stage::Sender, Stage::Receiver, Stage::Data, Stage::Text] {
            let delivery = answered(stage, 450, "4.2.0 Greylisted, try again later");
            assert!(
                matches!(
                    delivery,
                    Delivery::NotNow {
                        reason: "deferred",
                        ..
                    }
                ),
                "{stage:?}"
            );
        }
        assert!(matches!(
            answered(Stage::Login, 454, ""),
            Delivery::NotNow { reason: "busy", .. }
        ));
    }

    #[test]
    fn a_lasting_no_is_about_the_mailbox_or_about_us() {
        let unreachable = Delivery::Unreachable { reason: "mailbox" };
        let refused = |reason| Delivery::Refused { reason };
        assert_eq!(
            answered(Stage::Receiver, 550, "5.1.1 No such user here"),
            unreachable
        );
        assert_eq!(answered(Stage::Receiver, 550, "no such user"), unreachable);
        assert_eq!(answered(Stage::Text, 552, "5.2.2 mailbox full"), unreachable);
        assert_eq!(
            answered(Stage::Receiver, 554, "5.7.1 relay access denied"),
            refused("policy")
        );
        assert_eq!(
            answered(Stage::Receiver, 530, "5.7.0 log in first"),
            refused("credentials")
        );
        assert_eq!(answered(Stage::Login, 535, "5.7.8 no"), refused("credentials"));
        assert_eq!(
            answered(Stage::Sender, 553, "5.1.8 not your address"),
            refused("sender")
        );
        assert_eq!(answered(Stage::Text, 554, "5.7.1 spam"), refused("content"));
        assert_eq!(answered(Stage::Hello, 554, "go away"), refused("connection"));
    }

    #[test]
    fn a_broken_line_leaves_doubt_only_after_the_text() {
        assert!(
            Trouble::broken(Stage::Receiver, "reset")
                .judge()
                .is_err_and(|error| error.may_pass())
        );
        assert_eq!(
            Trouble::broken(Stage::Text, "reset").judge().unwrap(),
            Delivery::Unknown
        );
    }
}
