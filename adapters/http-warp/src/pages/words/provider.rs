//! What people are told of a visit to a provider that went wrong. The code tells the developer more.

use domain::ports::ProviderFault;

use super::super::view::FieldErrors;
use crate::extract::Request;
use crate::extract::query::Query;

/// What pages call a provider they do not know.
const SOME_PROVIDER: &str = "the provider";

/// The sentence of a code; `provider` is what the page calls it. None for codes that have nothing to do with providers.
pub fn at_provider(code: &str, provider: &str) -> Option<String> {
    let sentence = match code {
        "ACCESS_DENIED" => "You, or NAME for you, said no. Nothing was changed.",
        "SAML_STATUS" => "NAME did not let you in. Nothing was changed.",
        "TENANT_REFUSED" => "Accounts of that organisation may not log in here.",
        "SUBJECT_MISSING" => "We cannot tell whose account it is: NAME did not say.",
        "PROVIDER_UNAVAILABLE" => "There is no answer from NAME. Please try again in a little while.",
        "AUTHORIZATION_UNKNOWN" => {
            "This was not begun in this browser, or it took too long. Please start again."
        }
        "AUTHORIZATION_REQUIRED" => "Log in first. Then link your account at NAME from your account page.",
        "PROVIDER_UNKNOWN" => "That way to log in does not exist any more.",
        "IDENTITY_TAKEN" => "That account at NAME is linked to somebody else here. Nothing was changed.",
        "TOO_MANY_LINKS" => "So many accounts are linked to yours that one must be unlinked first.",
        "ACCOUNT_EXISTS" => {
            "There is an account here with that address or name. Log in to it, then link your account at NAME."
        }
        "PROVIDER_EMAIL_REQUIRED" => {
            "An e-mail address is needed here, and NAME gave none that it vouches for. Confirm yours there, or come another way."
        }
        "USER_UNKNOWN" => {
            "Nobody here has that account at NAME. Log in another way and link it, or ask the people who run this site."
        }
        "DIRECTORY_PASSWORD_EXPIRED" => {
            "Your password is right, but it is over. Change it at NAME, then log in here."
        }
        "DIRECTORY_PASSWORD_MUST_CHANGE" => {
            "Your password is right, but it has to be changed first. Change it at NAME, then log in here."
        }
        "DIRECTORY_ACCOUNT_DISABLED" => "Your account at NAME is disabled. Ask the people who run it.",
        "DIRECTORY_ACCOUNT_EXPIRED" => "Your account at NAME is over. Ask the people who run it.",
        "DIRECTORY_ACCOUNT_RESTRICTED" => {
            "NAME lets you in at other hours or from other places only. Ask the people who run it."
        }
        "REALM_REFUSED" => "Accounts of that realm may not log in here.",
        "NTLM_REFUSED" | "TICKET_MALFORMED" | "TICKET_REFUSED" => {
            "Your browser has no ticket for this site. Log in another way, or ask the people who run NAME."
        }
        "RETURN_NOT_ALLOWED" => "The place to go to afterwards is not allowed here.",
        "CREDENTIAL_REVOKED" => "What we were allowed to do at NAME was withdrawn. Link your account again.",
        code if is_fault(code) => {
            "The answer from NAME could not be trusted, so nothing was changed. Please start again."
        }
        _ => return None,
    };
    Some(sentence.replace("NAME", provider))
}

fn is_fault(code: &str) -> bool {
    ProviderFault::ALL.iter().any(|fault| fault.code() == code)
}

/// The code that a failed visit was sent back with (`failureQueryString`), if it is one of ours.
pub fn told_code(request: &Request) -> Option<String> {
    let query = Query::parse(&request.query);
    let told = query.one("error")?;
    at_provider(told, SOME_PROVIDER).map(|_| told.to_owned())
}

/// The same as a message for a page: nobody can make a page of ours say something else.
pub fn told_in(request: &Request) -> FieldErrors {
    let sentence = told_code(request).and_then(|code| at_provider(&code, SOME_PROVIDER));
    sentence.map_or_else(FieldErrors::none, FieldErrors::form)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_of_a_provider_has_a_sentence_and_none_has_its_code_in_it() {
        for fault in ProviderFault::ALL {
            let told = at_provider(fault.code(), "Google").unwrap();
            assert!(!told.contains(fault.code()) && !told.contains("NAME"), "{told}");
        }
        assert_eq!(at_provider("LOGIN_FAILED", "Google"), None);
        assert!(
            at_provider("IDENTITY_TAKEN", "Google")
                .unwrap()
                .contains("at Google")
        );
    }
}
