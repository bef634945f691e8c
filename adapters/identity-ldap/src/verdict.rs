//! What the answers of a directory mean.

use domain::ports::{ProviderError, ProviderFault as Fault};

use crate::connection::Trouble;
use crate::message::{Outcome, PolicyError};

const SUCCESS: u32 = 0;
const TIME_LIMIT: u32 = 3;
const STRONGER_AUTH: u32 = 8;
const REFERRAL: u32 = 10;
const CONFIDENTIALITY: u32 = 13;
const CONSTRAINT: u32 = 19;
const NO_SUCH_OBJECT: u32 = 32;
const INAPPROPRIATE_AUTH: u32 = 48;
const INVALID_CREDENTIALS: u32 = 49;
const BUSY: u32 = 51;
const UNAVAILABLE: u32 = 52;
const UNWILLING: u32 = 53;

impl From<Trouble> for ProviderError {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Broken(why) => Self::Unavailable(why),
            Trouble::NoTls(why) => Self::refused(Fault::DirectoryRefused, why),
        }
    }
}

/// The names of result codes that say more to an operator than their number (RFC 4511 appendix A.1).
fn describe(code: u32) -> String {
    let name = match code {
        1 => "operationsError: Active Directory says so to whoever has not bound",
        2 => "protocolError",
        TIME_LIMIT => "timeLimitExceeded",
        7 => "authMethodNotSupported",
        STRONGER_AUTH => "strongerAuthRequired: it may want TLS",
        REFERRAL => "referral: never followed",
        11 => "adminLimitExceeded",
        CONFIDENTIALITY => "confidentialityRequired: it wants TLS",
        CONSTRAINT => "constraintViolation",
        NO_SUCH_OBJECT => "noSuchObject",
        34 => "invalidDNSyntax",
        INAPPROPRIATE_AUTH => "inappropriateAuthentication",
        INVALID_CREDENTIALS => "invalidCredentials",
        50 => "insufficientAccessRights",
        BUSY => "busy",
        UNAVAILABLE => "unavailable",
        UNWILLING => "unwillingToPerform",
        _ => return format!("code {code}"),
    };
    format!("code {code}, {name}")
}

fn passing(outcome: &Outcome) -> Option<ProviderError> {
    let passes = matches!(outcome.code, TIME_LIMIT | BUSY | UNAVAILABLE);
    passes.then(|| ProviderError::Unavailable(describe(outcome.code)))
}

/// The reason Active Directory gives for a refused password: `data 52e` and the like in its diagnostic message. It tells reasons
/// other than a wrong password, an unknown name and a lock to whoever gave the right password alone.
pub fn reason(text: &str) -> Option<Fault> {
    let (_, behind) = text.split_once("data ")?;
    let code = behind.split(|c: char| !c.is_ascii_alphanumeric()).next()?;
    match u32::from_str_radix(code, 16).ok()? {
        // No such user; wrong password.
        0x525 | 0x52e => Some(Fault::DirectoryPassword),
        // Not at this hour; not from this machine.
        0x530 | 0x531 => Some(Fault::DirectoryRestricted),
        0x532 => Some(Fault::DirectoryPasswordExpired),
        0x533 => Some(Fault::DirectoryDisabled),
        0x701 => Some(Fault::DirectoryAccountExpired),
        0x773 => Some(Fault::DirectoryMustChange),
        0x775 => Some(Fault::DirectoryLocked),
        _ => None,
    }
}

/// What came of trying somebody's password.
pub fn of_password(outcome: &Outcome) -> Result<(), ProviderError> {
    if let Some(error) = passing(outcome) {
        return Err(error);
    }
    let fault = match (outcome.code, outcome.policy) {
        // Some let in, but only to change the password.
        (SUCCESS | INVALID_CREDENTIALS, Some(PolicyError::ChangeAfterReset)) => Fault::DirectoryMustChange,
        (SUCCESS, _) => return Ok(()),
        (INVALID_CREDENTIALS, Some(PolicyError::PasswordExpired)) => Fault::DirectoryPasswordExpired,
        // 389 Directory Server says the one of whoever tried too often and the other of whoever is disabled, whatever the password.
        (_, Some(PolicyError::AccountLocked)) | (CONSTRAINT | UNWILLING, _) => Fault::DirectoryLocked,
        (INVALID_CREDENTIALS, None) => reason(&outcome.text).unwrap_or(Fault::DirectoryPassword),
        // No password to compare with; gone since it was searched for.
        (NO_SUCH_OBJECT | INAPPROPRIATE_AUTH, _) => Fault::DirectoryPassword,
        _ => Fault::DirectoryRefused,
    };
    Err(ProviderError::refused(fault, describe(outcome.code)))
}

/// What came of our own account's password.
pub fn of_own_account(outcome: &Outcome) -> Result<(), ProviderError> {
    match (passing(outcome), outcome.code) {
        (Some(error), _) => Err(error),
        (None, SUCCESS) => Ok(()),
        (None, code) => {
            let why = format!("bindDn and bindCredentials are refused: {}", describe(code));
            Err(ProviderError::refused(Fault::DirectoryRefused, why))
        }
    }
}

/// What came of a search; whether there was more than was asked for.
pub fn of_search(outcome: &Outcome, what: &str) -> Result<bool, ProviderError> {
    match (passing(outcome), outcome.code) {
        (Some(error), _) => Err(error),
        (None, SUCCESS) => Ok(false),
        (None, Outcome::SIZE_LIMIT) => Ok(true),
        (None, code) => {
            let why = format!("{what}: {}", describe(code));
            Err(ProviderError::refused(Fault::DirectoryRefused, why))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn outcome(code: u32, text: &str, policy: Option<PolicyError>) -> Outcome {
        Outcome {
            code,
            text: text.to_owned(),
            policy,
            cookie: Vec::new(),
        }
    }

    fn fault(outcome: &Outcome) -> Option<Fault> {
        match of_password(outcome) {
            Err(ProviderError::Refused { fault, .. }) => Some(fault),
            _ => None,
        }
    }

    #[test]
    fn active_directory_tells_why_a_password_will_not_do() {
        let reasons = [
            ("525", Fault::DirectoryPassword),
            ("52e", Fault::DirectoryPassword),
            ("530", Fault::DirectoryRestricted),
            ("531", Fault::DirectoryRestricted),
            ("532", Fault::DirectoryPasswordExpired),
            ("533", Fault::DirectoryDisabled),
            ("701", Fault::DirectoryAccountExpired),
            ("773", Fault::DirectoryMustChange),
            ("775", Fault::DirectoryLocked),
            ("0", Fault::DirectoryPassword),
            ("52f", Fault::DirectoryPassword),
        ];
        for (code, expected) in reasons {
            let text = format!(
                "80090308: LdapErr: DSID-0C090446, comment: AcceptSecurityContext error, data {code}, v2580\0"
            );
            assert_eq!(
                fault(&outcome(INVALID_CREDENTIALS, &text, None)),
                Some(expected),
                "{code}"
            );
        }
    }

    #[test]
    fn a_reason_counts_in_a_refusal_only() {
        assert!(of_password(&outcome(SUCCESS, "data 533", None)).is_ok());
        assert_eq!(
            fault(&outcome(50, "data 533", None)),
            Some(Fault::DirectoryRefused)
        );
    }

    #[test]
    fn a_password_policy_tells_why_a_password_will_not_do() {
        use PolicyError::{AccountLocked, ChangeAfterReset, PasswordExpired};
        let cases = [
            (49, PasswordExpired, Fault::DirectoryPasswordExpired),
            (49, AccountLocked, Fault::DirectoryLocked),
            (49, ChangeAfterReset, Fault::DirectoryMustChange),
            (0, ChangeAfterReset, Fault::DirectoryMustChange),
            (53, AccountLocked, Fault::DirectoryLocked),
        ];
        for (code, policy, expected) in cases {
            assert_eq!(
                fault(&outcome(code, "", Some(policy))),
                Some(expected),
                "{code} {policy:?}"
            );
        }
        // With grace log-ins left.
        assert!(of_password(&outcome(0, "", Some(PasswordExpired))).is_ok());
    }

    #[test]
    fn what_is_said_whatever_the_password_is_told_to_nobody() {
        for code in [CONSTRAINT, UNWILLING, NO_SUCH_OBJECT, INAPPROPRIATE_AUTH] {
            let fault = fault(&outcome(code, "", None));
            // Neither told apart from a wrong password, nor a try that does not count.
            let silent = fault.is_some_and(|fault| !fault.may_be_told() && fault != Fault::DirectoryRefused);
            assert!(silent, "{code}: {fault:?}");
        }
    }

    #[test]
    fn what_passes_is_no_refusal() {
        for code in [TIME_LIMIT, BUSY, UNAVAILABLE] {
            let said = outcome(code, "", None);
            for answer in [
                of_password(&said),
                of_own_account(&said),
                of_search(&said, "x").map(drop),
            ] {
                assert!(matches!(answer, Err(ProviderError::Unavailable(_))), "{code}");
            }
        }
    }

    #[test]
    fn a_referral_is_a_refusal() {
        let said = outcome(REFERRAL, "", None);
        assert_eq!(fault(&said), Some(Fault::DirectoryRefused));
        assert!(matches!(
            of_search(&said, "x"),
            Err(ProviderError::Refused {
                fault: Fault::DirectoryRefused,
                ..
            })
        ));
    }

    #[test]
    fn a_diagnostic_message_is_in_no_detail() {
        let said = outcome(49, "uid=ann is wrong", None);
        assert!(!of_password(&said).unwrap_err().to_string().contains("ann"));
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text: String, code: u32) {
            let _ = reason(&text);
            let _ = of_password(&outcome(code, &text, None));
        }
    }
}
