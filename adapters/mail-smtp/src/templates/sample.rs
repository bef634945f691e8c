//! A mail of every kind, to try templates with.

use domain::message::{MailKind, Notice};
use domain::secret::Secret;
use domain::time::{Lifetime, Timestamp};
use domain::user::FactorKind;

/// What must come out again of a mail with a link.
const LINK_KEY: &str = "A-SAMPLE-TOKEN";
/// What must come out again of a mail with a code.
const CODE_KEY: &str = "471108";
const LIFE: Lifetime = Lifetime::from_secs(900);

/// Every kind; twice or more where a value may be absent or changes the grammar.
pub fn kinds() -> Vec<MailKind> {
    let link = || Secret::new(format!("https://login.example.com/open?uid=1&token={LINK_KEY}"));
    let mut kinds = vec![
        MailKind::VerifyEmail { link: link() },
        MailKind::ResetPassword {
            link: link(),
            life: LIFE,
        },
        MailKind::AlreadyRegistered,
        MailKind::JoinCode {
            code: Secret::new(CODE_KEY),
            provider: "google".to_owned(),
            life: LIFE,
        },
        MailKind::MagicLink {
            link: link(),
            life: LIFE,
        },
    ];
    let named = [None, Some("Firefox on Linux".to_owned())];
    let mut notices = vec![
        Notice::EmailChanged {
            to: "a***@example.com".to_owned(),
            undo: link(),
            life: Lifetime::from_secs(604_800),
        },
        Notice::EmailIsNow,
        Notice::PhoneChanged,
        Notice::PasswordChanged,
        Notice::CodesHeldBack,
    ];
    for name in named {
        let at = Timestamp::from_millis(1_763_797_098_123);
        notices.push(Notice::NewDevice {
            device: name.clone(),
            at,
        });
        for factor in FactorKind::ALL {
            notices.push(Notice::FactorAdded {
                factor,
                name: name.clone(),
            });
            notices.push(Notice::FactorRemoved {
                factor,
                name: name.clone(),
            });
        }
    }
    notices.extend((0..3).map(|left| Notice::RecoveryCodeUsed { left }));
    kinds.extend(notices.into_iter().map(MailKind::Notice));
    kinds
}

/// What a mail is of no use without.
pub const fn key(kind: &MailKind) -> Option<&'static str> {
    match kind {
        MailKind::VerifyEmail { .. }
        | MailKind::ResetPassword { .. }
        | MailKind::MagicLink { .. }
        | MailKind::Notice(Notice::EmailChanged { .. }) => Some(LINK_KEY),
        MailKind::JoinCode { .. } => Some(CODE_KEY),
        MailKind::AlreadyRegistered | MailKind::Notice(_) => None,
    }
}
