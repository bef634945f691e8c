//! What a provider says about a person, in Passport's shape and within bounds.

use serde::{Deserialize, Serialize};

use crate::user::Email;

/// Longest text kept of any one claim, in characters.
const LONGEST: usize = 512;

/// Most addresses and photos kept.
const MOST: usize = 10;

/// An address a provider knows somebody by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProfileEmail {
    /// The address as the provider writes it.
    pub value: String,
    /// Whether the provider vouches that the person reads it. Absent claims, unclear ones and providers that are not
    /// authoritative mean no.
    #[serde(default)]
    pub verified: bool,
}

/// A name in its parts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PersonName {
    /// Family name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub family_name: Option<String>,
    /// Given name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub given_name: Option<String>,
    /// Middle name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub middle_name: Option<String>,
}

/// Passport's normalised profile, without `_raw` and `_json`: what is kept and shown to its owner.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Profile {
    /// The name of the account, where the provider has one (`octocat`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// How the person is shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// The name in parts.
    #[serde(default)]
    pub name: PersonName,
    /// Addresses, the primary one first.
    #[serde(default)]
    pub emails: Vec<ProfileEmail>,
    /// Addresses of pictures.
    #[serde(default)]
    pub photos: Vec<String>,
    /// Address of the public profile page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile_url: Option<String>,
}

impl Profile {
    /// The same within bounds: control characters and overlong texts dropped, lists cut. Providers are not trusted with our disk.
    #[must_use]
    pub fn bounded(mut self) -> Self {
        let names = [
            &mut self.username,
            &mut self.display_name,
            &mut self.name.family_name,
            &mut self.name.given_name,
            &mut self.name.middle_name,
            &mut self.profile_url,
        ];
        for text in names {
            *text = text.take().filter(|text| is_sound(text));
        }
        self.emails.retain(|email| is_sound(&email.value));
        self.emails.truncate(MOST);
        self.photos.retain(|photo| is_sound(photo));
        self.photos.truncate(MOST);
        self
    }

    /// The same, with the names of an older profile where this one has none at all: Apple tells them the first time only.
    #[must_use]
    pub fn keeping_names_of(mut self, older: &Self) -> Self {
        if self.display_name.is_none() && self.name == PersonName::default() {
            self.display_name.clone_from(&older.display_name);
            self.name.clone_from(&older.name);
        }
        self
    }

    /// The same, with no address vouched for: of a provider whose word on addresses the operator does not take.
    #[must_use]
    pub fn unvouched(mut self) -> Self {
        for email in &mut self.emails {
            email.verified = false;
        }
        self
    }

    /// The first address the provider vouches for, as we would keep it.
    pub fn vouched_email(&self, case_sensitive: bool) -> Option<Email> {
        let mut vouched = self.emails.iter().filter(|email| email.verified);
        vouched.find_map(|email| Email::parse(&email.value, case_sensitive))
    }

    /// The first address, vouched for or not.
    pub fn any_email(&self, case_sensitive: bool) -> Option<Email> {
        let mut all = self.emails.iter();
        all.find_map(|email| Email::parse(&email.value, case_sensitive))
    }
}

fn is_sound(text: &str) -> bool {
    !text.is_empty() && text.chars().count() <= LONGEST && !text.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn email(value: &str, verified: bool) -> ProfileEmail {
        ProfileEmail {
            value: value.to_owned(),
            verified,
        }
    }

    #[test]
    fn only_a_vouched_address_counts_as_one() {
        let profile = Profile {
            emails: vec![email("ann@example.com", false), email("ann@work.example", true)],
            ..Profile::default()
        };
        assert_eq!(profile.vouched_email(false).unwrap().as_str(), "ann@work.example");
        assert_eq!(profile.any_email(false).unwrap().as_str(), "ann@example.com");
    }

    #[test]
    fn names_that_are_told_once_are_kept_and_others_follow_the_provider() {
        let named = |name: &str| Profile {
            display_name: Some(name.to_owned()),
            ..Profile::default()
        };
        let kept = Profile::default().keeping_names_of(&named("Ann"));
        assert_eq!(kept.display_name.as_deref(), Some("Ann"));
        let changed = named("Ann B").keeping_names_of(&named("Ann"));
        assert_eq!(changed.display_name.as_deref(), Some("Ann B"));
    }

    #[test]
    fn what_a_provider_overdoes_is_dropped() {
        let profile = Profile {
            username: Some("x".repeat(LONGEST + 1)),
            display_name: Some("Ann\nB".to_owned()),
            photos: vec!["https://example.com/a".to_owned(); MOST + 5],
            emails: vec![email("", true)],
            ..Profile::default()
        };
        let bounded = profile.bounded();
        assert_eq!((bounded.username, bounded.display_name), (None, None));
        assert_eq!((bounded.photos.len(), bounded.emails.len()), (MOST, 0));
    }
}
