//! Who an entry is (`profileAttributesFromLDAP`).

use domain::identity::{PersonName, Profile, ProfileEmail};
use serde_json::{Map, Value};

use crate::config::LdapConfig;
use crate::entry::Entry;

/// What a mapping calls the groups.
const GROUPS: [&str; 2] = ["_groups", "memberOf"];
/// The fields of a profile that hold addresses.
const EMAIL_FIELDS: [&str; 3] = ["email", "emails", "mail"];

/// From fields of the profile to attributes.
#[derive(Clone, Debug)]
pub struct Mapping {
    pairs: Vec<(String, String)>,
    email_trusted: bool,
}

impl Mapping {
    /// As configured.
    pub fn new(config: &LdapConfig) -> Self {
        Self {
            pairs: config.profile_attributes.clone(),
            email_trusted: config.email_trusted == Some(true),
        }
    }

    /// The attribute a field is filled from.
    pub fn attribute(&self, field: &str) -> Option<&str> {
        let mut pairs = self.pairs.iter();
        let (_, attribute) = pairs.find(|(name, _)| name == field)?;
        Some(attribute)
    }

    /// Every attribute that is needed.
    pub fn attributes(&self) -> impl Iterator<Item = &str> {
        let usual = ["cn", "displayName", "givenName", "mail", "sn"];
        let mapped = self.pairs.iter().map(|(_, attribute)| attribute.as_str());
        mapped.filter(|name| !name.starts_with('_')).chain(usual)
    }

    fn first(&self, entry: &Entry, field: &str, otherwise: &[&str]) -> Option<String> {
        let mapped = self.attribute(field).into_iter();
        let mut attributes = mapped.chain(otherwise.iter().copied());
        attributes.find_map(|attribute| entry.text(attribute))
    }

    fn emails(&self, entry: &Entry) -> Vec<ProfileEmail> {
        let mapped = EMAIL_FIELDS.iter().find_map(|field| self.attribute(field));
        let mut values = mapped.map(|name| entry.texts(name)).unwrap_or_default();
        if values.is_empty() {
            values = entry.texts("mail");
        }
        let values = values.into_iter().filter(|value| !value.is_empty());
        values
            .map(|value| ProfileEmail {
                value,
                verified: self.email_trusted,
            })
            .collect()
    }

    /// The profile. Without a mapping the name of the account is its `cn`, as it always was.
    pub fn profile(&self, entry: &Entry) -> Profile {
        let photos = self.attribute("photos").map(|name| entry.texts(name));
        let profile = Profile {
            username: self.first(entry, "username", &["cn"]),
            display_name: self.first(entry, "displayName", &["displayName", "cn"]),
            name: PersonName {
                family_name: self.first(entry, "familyName", &["sn"]),
                given_name: self.first(entry, "givenName", &["givenName"]),
                middle_name: self.first(entry, "middleName", &[]),
            },
            emails: self.emails(entry),
            photos: photos.unwrap_or_default(),
            profile_url: self.first(entry, "profileUrl", &[]),
        };
        profile.bounded()
    }

    /// What the directory said: the attributes by their own names, the mapped ones by theirs too, and the groups.
    pub fn told(&self, entry: &Entry, groups: &[String]) -> Value {
        let mut told = entry.told();
        let groups = Value::from(groups.to_vec());
        for (field, attribute) in &self.pairs {
            if GROUPS.contains(&attribute.as_str()) {
                told.insert(field.clone(), groups.clone());
            } else if let Some(value) = first_told(&told, attribute) {
                told.insert(field.clone(), value);
            }
        }
        told.insert("_groups".to_owned(), groups);
        Value::Object(told)
    }
}

/// The first value of an attribute among those that are told on: what is not told by its own name is not told by another.
fn first_told(told: &Map<String, Value>, attribute: &str) -> Option<Value> {
    let mut told = told.iter();
    let (_, value) = told.find(|(name, _)| name.eq_ignore_ascii_case(attribute))?;
    match value {
        Value::Array(values) => values.first().cloned(),
        value => Some(value.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn ann() -> Entry {
        let mut entry = Entry::named("uid=ann,dc=example");
        for (name, value) in [
            ("uid", "ann"),
            ("cn", "Ann Example"),
            ("sn", "Example"),
            ("givenName", "Ann"),
            ("mail", "ann@example.com"),
            ("mail", "second@example.com"),
            ("mobile", "+49 170 1"),
            ("userPassword", "{SSHA}x"),
        ] {
            entry.add(name, value.as_bytes().to_vec());
        }
        entry
    }

    fn mapping(pairs: &[(&str, &str)]) -> Mapping {
        let pairs = pairs
            .iter()
            .map(|(field, name)| ((*field).to_owned(), (*name).to_owned()));
        Mapping {
            pairs: pairs.collect(),
            email_trusted: false,
        }
    }

    #[test]
    fn without_a_mapping_the_usual_attributes_are_read() {
        let profile = mapping(&[]).profile(&ann());
        assert_eq!(profile.username.as_deref(), Some("Ann Example"));
        assert_eq!(profile.display_name.as_deref(), Some("Ann Example"));
        assert_eq!(profile.name.family_name.as_deref(), Some("Example"));
        assert_eq!(profile.name.given_name.as_deref(), Some("Ann"));
        let emails: Vec<_> = profile
            .emails
            .iter()
            .map(|email| (&*email.value, email.verified))
            .collect();
        assert_eq!(
            emails,
            [("ann@example.com", false), ("second@example.com", false)]
        );
    }

    #[test]
    fn a_mapping_comes_first_and_the_fallback_where_it_finds_nothing() {
        let profile = mapping(&[("username", "uid"), ("displayName", "title")]).profile(&ann());
        assert_eq!(profile.username.as_deref(), Some("ann"));
        assert_eq!(profile.display_name.as_deref(), Some("Ann Example"));
        let mut entry = ann();
        entry.add("userPrincipalName", b"ann@corp.example".to_vec());
        let profile = mapping(&[("email", "userPrincipalName")]).profile(&entry);
        assert_eq!(profile.emails[0].value, "ann@corp.example");
    }

    #[test]
    fn addresses_count_as_confirmed_only_if_it_is_said() {
        let trusted = Mapping {
            email_trusted: true,
            ..mapping(&[])
        };
        assert!(trusted.profile(&ann()).emails[0].verified);
    }

    #[test]
    fn what_is_mapped_is_told_by_both_names() {
        let pairs = [
            ("phone", "Mobile"),
            ("groups", "_groups"),
            ("mails", "mail"),
            ("pw", "userPassword"),
        ];
        let told = mapping(&pairs).told(&ann(), &["admins".to_owned()]);
        assert_eq!(
            (&told["phone"], &told["mobile"]),
            (&json!("+49 170 1"), &json!("+49 170 1"))
        );
        assert_eq!(
            (&told["groups"], &told["_groups"]),
            (&json!(["admins"]), &json!(["admins"]))
        );
        assert_eq!(told["mails"], json!("ann@example.com"));
        assert_eq!((told.get("pw"), told.get("userPassword")), (None, None));
    }
}
