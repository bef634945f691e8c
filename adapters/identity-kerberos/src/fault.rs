//! What the library's numbers mean to a person who wants in, and to the operator.

use domain::ports::{ProviderError, ProviderFault};

use crate::wire::Stage;

/// Where MIT's numbers begin (`krb5/krb5.h`); what follows are distances from there. Those below 128 are the protocol's own
/// (RFC 4120 section 7.5.9).
const BASE: u32 = (-1_765_328_384_i32).cast_unsigned();

const CLIENT_EXPIRED: u32 = 1;
const CLIENT_UNKNOWN: u32 = 6;
const SERVICE_UNKNOWN: u32 = 7;
const CLIENT_WITHOUT_KEY: u32 = 9;
const POLICY: u32 = 12;
const CLIENT_REVOKED: u32 = 18;
const CLIENT_NOT_YET: u32 = 21;
const PASSWORD_EXPIRED: u32 = 23;
const PREAUTH_FAILED: u32 = 24;
const BAD_INTEGRITY: u32 = 31;
const TICKET_EXPIRED: u32 = 32;
const TICKET_NOT_YET: u32 = 33;
const REPEATED: u32 = 34;
const NOT_US: u32 = 35;
const CLOCKS: u32 = 37;
const MODIFIED: u32 = 41;
const OTHER_KEY: u32 = 44;
const NO_KEY: u32 = 45;
const WRONG_PRINCIPAL: u32 = 144;
const REALM_UNKNOWN: u32 = 154;
const KDC_UNREACHABLE: u32 = 156;
const CONFIG_FORMAT: u32 = 136;
const NOT_IN_KEYTAB: u32 = 181;
const NO_KEYTAB: u32 = 213;
const PREAUTH_FAILED_HERE: u32 = 210;
const REALM_UNRESOLVED: u32 = 220;
const OTHER_VERSION_IN_KEYTAB: u32 = 230;

/// What GSS-API's own part of the library says where a keytab lacks a name (`KG_KEYTAB_NOMATCH`).
const NO_KEY_FOR_NAME: u32 = 39_756_033;
/// Below this, numbers are the operating system's: no such file, not for us to read.
const SYSTEM: u32 = 256;

/// The error for what a worker could not do.
pub fn of(stage: Stage, major: u32, minor: u32) -> ProviderError {
    let code = minor.wrapping_sub(BASE);
    match stage {
        Stage::Keys => ProviderError::Unavailable(of_keys(code, major, minor)),
        Stage::Unfinished => refused(ProviderFault::TicketRefused, "one ticket was not enough"),
        Stage::Ticket => refused(
            ProviderFault::TicketRefused,
            what_of(code).map_or_else(|| numbers(major, minor), str::to_owned),
        ),
        Stage::Password | Stage::Service if not_there(code) => {
            ProviderError::Unavailable("the KDC does not answer".to_owned())
        }
        Stage::Password => of_password(code, || numbers(major, minor)),
        Stage::Service | Stage::Proof => {
            let why = what_of(code).map_or_else(|| numbers(major, minor), str::to_owned);
            refused(
                ProviderFault::KdcUnproven,
                format!("no ticket for ourselves: {why}"),
            )
        }
    }
}

/// Why there are no keys, in the words of `providers.json`.
fn of_keys(code: u32, major: u32, minor: u32) -> String {
    let why = match (code, minor) {
        (NOT_IN_KEYTAB, _) | (_, NO_KEY_FOR_NAME) => {
            "the keytab has no key for our service: `klist -k FILE` shows whose it has"
        }
        (NO_KEYTAB, _) => "the keytab is no file of keys",
        (CONFIG_FORMAT, _) => "krb5Conf cannot be read: there is a mistake in it",
        (_, 1..SYSTEM) => "the keytab is no file that the server's user can read",
        _ => "no key for us in the keytab",
    };
    format!("{why} ({})", numbers(major, minor))
}

fn refused(fault: ProviderFault, detail: impl Into<String>) -> ProviderError {
    ProviderError::refused(fault, detail)
}

fn numbers(major: u32, minor: u32) -> String {
    format!("GSS-API {major:#x}, Kerberos {}", minor.cast_signed())
}

const fn not_there(code: u32) -> bool {
    matches!(code, KDC_UNREACHABLE | REALM_UNKNOWN | REALM_UNRESOLVED)
}

const fn what_of(code: u32) -> Option<&'static str> {
    Some(match code {
        TICKET_EXPIRED => "the ticket is over",
        TICKET_NOT_YET => "the ticket is not valid yet",
        CLOCKS => "the clocks are too far apart",
        REPEATED => "it was shown before",
        NOT_US | WRONG_PRINCIPAL => "it is for another service",
        NO_KEY | NOT_IN_KEYTAB => "the keytab has no key for its service",
        OTHER_KEY | OTHER_VERSION_IN_KEYTAB => "the keytab has another version of the key: was it made anew?",
        BAD_INTEGRITY | MODIFIED => "it was made with another key, or changed",
        SERVICE_UNKNOWN => "the KDC does not know our service",
        _ => return None,
    })
}

/// A KDC says of an account that it is over, barred or has to change its password before it looks at the password (MIT always, others
/// perhaps): so none of it shows that the password was right, and the person is not told.
fn of_password(code: u32, numbers: impl Fn() -> String) -> ProviderError {
    let (fault, detail) = match code {
        CLIENT_UNKNOWN | CLIENT_WITHOUT_KEY => {
            (ProviderFault::DirectoryPassword, "the KDC does not know the name")
        }
        PREAUTH_FAILED | PREAUTH_FAILED_HERE | BAD_INTEGRITY => {
            (ProviderFault::DirectoryPassword, "the password is wrong")
        }
        CLIENT_EXPIRED => (ProviderFault::DirectoryLocked, "the account is over"),
        CLIENT_NOT_YET => (ProviderFault::DirectoryLocked, "the account is not valid yet"),
        CLIENT_REVOKED => (
            ProviderFault::DirectoryLocked,
            "the account is locked or disabled",
        ),
        POLICY => (ProviderFault::DirectoryLocked, "the KDC's policy forbids it"),
        PASSWORD_EXPIRED => (
            ProviderFault::DirectoryLocked,
            "the password is over and must be changed",
        ),
        CLOCKS => (
            ProviderFault::DirectoryRefused,
            "our clock and the KDC's are too far apart",
        ),
        _ => return refused(ProviderFault::DirectoryRefused, numbers()),
    };
    refused(fault, detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(stage: Stage, code: u32) -> Option<ProviderFault> {
        match of(stage, 0x000d_0000, BASE.wrapping_add(code)) {
            ProviderError::Refused { fault, .. } => Some(fault),
            ProviderError::Unavailable(_) => None,
        }
    }

    #[test]
    fn nothing_is_told_of_an_account_before_its_password_was_looked_at() {
        for code in 0..256 {
            let told = fault(Stage::Password, code).is_some_and(ProviderFault::may_be_told);
            assert!(!told, "{code}");
        }
        for code in [CLIENT_EXPIRED, CLIENT_REVOKED, PASSWORD_EXPIRED] {
            assert_eq!(fault(Stage::Password, code), Some(ProviderFault::DirectoryLocked));
        }
    }

    #[test]
    fn a_wrong_password_and_an_unknown_name_are_one() {
        for code in [CLIENT_UNKNOWN, PREAUTH_FAILED, PREAUTH_FAILED_HERE, BAD_INTEGRITY] {
            assert_eq!(
                fault(Stage::Password, code),
                Some(ProviderFault::DirectoryPassword)
            );
        }
    }

    #[test]
    fn a_kdc_that_is_not_there_is_no_refusal() {
        for stage in [Stage::Password, Stage::Service] {
            for code in [KDC_UNREACHABLE, REALM_UNKNOWN, REALM_UNRESOLVED] {
                assert_eq!(fault(stage, code), None);
            }
        }
        assert_eq!(fault(Stage::Keys, NOT_IN_KEYTAB), None);
    }

    #[test]
    fn what_is_wrong_with_the_keys_is_said_in_words() {
        let said = |minor| of(Stage::Keys, 0x0007_0000, minor).to_string();
        for (minor, words) in [
            (NO_KEY_FOR_NAME, "no key for our service"),
            (BASE.wrapping_add(NOT_IN_KEYTAB), "no key for our service"),
            (BASE.wrapping_add(NO_KEYTAB), "no file of keys"),
            (BASE.wrapping_add(CONFIG_FORMAT), "krb5Conf cannot be read"),
            (13, "server's user can read"),
            (BASE, "GSS-API 0x70000"),
        ] {
            assert!(said(minor).contains(words), "{}", said(minor));
        }
    }

    #[test]
    fn whatever_is_wrong_with_the_proof_the_kdc_is_unproven() {
        for code in 0..256 {
            assert_eq!(fault(Stage::Proof, code), Some(ProviderFault::KdcUnproven));
        }
        assert_eq!(
            fault(Stage::Service, SERVICE_UNKNOWN),
            Some(ProviderFault::KdcUnproven)
        );
    }

    #[test]
    fn whatever_is_wrong_with_a_ticket_it_is_refused() {
        for code in 0..256 {
            assert_eq!(fault(Stage::Ticket, code), Some(ProviderFault::TicketRefused));
        }
        assert_eq!(fault(Stage::Unfinished, 0), Some(ProviderFault::TicketRefused));
    }
}
