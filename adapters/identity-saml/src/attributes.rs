//! What an assertion says besides the name.

use domain::identity::{PersonName, Profile, ProfileEmail};
use domain::ports::ProviderError;
use serde_json::{Map, Value, json};

use crate::error::malformed;
use crate::name_id::NameId;
use crate::signature::Verified;
use crate::xml::ASSERTION;

/// Most attributes, and most values of all together.
const MOST: usize = 256;
const MOST_VALUES: usize = 4096;

const EMAIL: [&str; 8] = [
    "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress",
    "urn:oid:0.9.2342.19200300.100.1.3",
    "urn:oid:1.2.840.113549.1.9.1",
    "mail",
    "email",
    "emailAddress",
    "emailaddress",
    "Email",
];
const GIVEN_NAME: [&str; 6] = [
    "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/givenname",
    "urn:oid:2.5.4.42",
    "givenName",
    "given_name",
    "firstName",
    "first_name",
];
const FAMILY_NAME: [&str; 8] = [
    "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/surname",
    "urn:oid:2.5.4.4",
    "sn",
    "surname",
    "familyName",
    "family_name",
    "lastName",
    "last_name",
];
const DISPLAY_NAME: [&str; 7] = [
    "http://schemas.microsoft.com/identity/claims/displayname",
    "urn:oid:2.16.840.1.113730.3.1.241",
    "displayName",
    "http://schemas.xmlsoap.org/claims/CommonName",
    "urn:oid:2.5.4.3",
    "cn",
    "commonName",
];
const USERNAME: [&str; 7] = [
    "urn:oid:0.9.2342.19200300.100.1.1",
    "uid",
    "username",
    "preferred_username",
    "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn",
    "urn:oid:1.3.6.1.4.1.5923.1.1.1.6",
    "eduPersonPrincipalName",
];
/// Microsoft's "name" is whatever the provider makes it: a name to show, or one to log in by.
const MICROSOFT_NAME: &str = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name";

/// One attribute.
#[derive(Debug)]
struct Attribute {
    name: String,
    friendly: Option<String>,
    values: Vec<String>,
}

/// All attributes of an assertion, each once.
#[derive(Debug, Default)]
pub struct Attributes(Vec<Attribute>);

impl Attributes {
    /// Reads all statements; the values of one name are joined. Encrypted attributes are left out.
    pub fn read(assertion: Verified<'_>) -> Result<Self, ProviderError> {
        let mut read = Self::default();
        let mut count = 0;
        let statements = assertion.all(ASSERTION, "AttributeStatement");
        for node in statements.flat_map(|statement| statement.all(ASSERTION, "Attribute")) {
            let name = node.attribute("Name").filter(|name| !name.is_empty());
            let name = name.ok_or_else(|| malformed("an attribute has no name"))?;
            let values: Vec<String> = node
                .all(ASSERTION, "AttributeValue")
                .map(Verified::text)
                .collect();
            count += values.len();
            match read.0.iter_mut().find(|known| known.name == name) {
                Some(known) => known.values.extend(values),
                None => read.0.push(Attribute {
                    name: name.to_owned(),
                    friendly: node.attribute("FriendlyName").map(str::to_owned),
                    values,
                }),
            }
            if read.0.len() > MOST || count > MOST_VALUES {
                return Err(malformed("there are too many attributes"));
            }
        }
        Ok(read)
    }

    fn values<'a>(&'a self, name: &str) -> &'a [String] {
        let found = self.0.iter().find(|attribute| attribute.name == name);
        found.map_or(&[], |attribute| attribute.values.as_slice())
    }

    /// The value of an attribute that has exactly one, which is not empty.
    pub fn single(&self, name: &str) -> Option<&str> {
        match self.values(name) {
            [only] if !only.trim().is_empty() => Some(only),
            _ => None,
        }
    }

    fn first(&self, names: &[&str]) -> Option<String> {
        let mut values = names.iter().flat_map(|name| self.values(name));
        values
            .find(|value| !value.trim().is_empty())
            .map(|value| value.trim().to_owned())
    }

    /// The groups, by the attributes that hold them.
    pub fn groups(&self, names: &[String]) -> Vec<String> {
        let mut groups: Vec<String> = Vec::new();
        for value in names.iter().flat_map(|name| self.values(name)) {
            let value = value.trim();
            if !value.is_empty() && !groups.iter().any(|known| known == value) {
                groups.push(value.to_owned());
            }
        }
        groups
    }

    /// Passport's profile.
    pub fn profile(&self, name: Option<&NameId>, trusted: bool) -> Profile {
        let mut emails: Vec<String> = Vec::new();
        let named = name
            .filter(|name| name.is_email())
            .map(|name| name.value.as_str());
        let told = EMAIL
            .iter()
            .flat_map(|name| self.values(name))
            .map(|value| value.trim());
        for email in told.chain(named) {
            if !email.is_empty() && !emails.iter().any(|known| known.eq_ignore_ascii_case(email)) {
                emails.push(email.to_owned());
            }
        }
        let display_name = self
            .first(&DISPLAY_NAME)
            .or_else(|| self.first(&[MICROSOFT_NAME]));
        let vouched = |value| ProfileEmail {
            value,
            verified: trusted,
        };
        Profile {
            username: self.first(&USERNAME),
            display_name,
            name: PersonName {
                family_name: self.first(&FAMILY_NAME),
                given_name: self.first(&GIVEN_NAME),
                middle_name: None,
            },
            emails: emails.into_iter().map(vouched).collect(),
            ..Profile::default()
        }
        .bounded()
    }

    /// Everything, as Passport's strategies lay it out: what the protocol says first, then attributes by name, and by their friendly
    /// names where nothing else has those. Whoever names an attribute `nameID` changes nothing.
    pub fn raw(&self, issuer: &str, name: Option<&NameId>, session_index: Option<&str>) -> Value {
        let mut raw = Map::new();
        raw.insert("issuer".to_owned(), json!(issuer));
        raw.insert("sessionIndex".to_owned(), json!(session_index));
        raw.insert("nameID".to_owned(), json!(name.map(|name| &name.value)));
        raw.insert(
            "nameIDFormat".to_owned(),
            json!(name.and_then(|name| name.format.as_ref())),
        );
        let qualifier = name.and_then(|name| name.name_qualifier.as_ref());
        raw.insert("nameQualifier".to_owned(), json!(qualifier));
        let qualifier = name.and_then(|name| name.sp_name_qualifier.as_ref());
        raw.insert("spNameQualifier".to_owned(), json!(qualifier));
        let by_name = self.0.iter().map(|attribute| (&attribute.name, attribute));
        let by_friendly = self
            .0
            .iter()
            .filter_map(|attribute| Some((attribute.friendly.as_ref()?, attribute)));
        for (key, attribute) in by_name.chain(by_friendly) {
            let value = match attribute.values.as_slice() {
                [only] => json!(only),
                several => json!(several),
            };
            if !raw.contains_key(key) {
                raw.insert(key.clone(), value);
            }
        }
        let email = self.first(&EMAIL);
        for key in ["mail", "email"] {
            if let (Some(email), false) = (&email, raw.contains_key(key)) {
                raw.insert(key.to_owned(), json!(email));
            }
        }
        Value::Object(raw)
    }
}
