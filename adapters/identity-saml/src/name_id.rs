//! Who an assertion speaks of.

use domain::ports::{ProviderError, ProviderFault};
use serde_json::{Map, Value, json};

use crate::signature::Verified;
use crate::xml::{ENTITY_FORMAT, escape};

const V1: &str = "urn:oasis:names:tc:SAML:1.1:nameid-format:";
const V2: &str = "urn:oasis:names:tc:SAML:2.0:nameid-format:";
const UNSPECIFIED: &str = "unspecified";

/// Longest name that is taken, in bytes; the core keeps no longer subject.
const LONGEST: usize = 768;

/// A `NameID` (SAML Core section 2.2.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameId {
    /// The name itself.
    pub value: String,
    /// As it was written.
    pub format: Option<String>,
    /// Within what the provider's name is unique.
    pub name_qualifier: Option<String>,
    /// For whom it was made up.
    pub sp_name_qualifier: Option<String>,
}

/// By whose names the qualifiers are left out.
#[derive(Clone, Copy, Debug)]
pub struct Parties<'p> {
    /// The provider's entity ID: what `NameQualifier` means when it is not there.
    pub provider: &'p str,
    /// Ours: what `SPNameQualifier` means when it is not there.
    pub own: &'p str,
    /// The format we ask for.
    pub format: Option<&'p str>,
}

impl NameId {
    /// Reads the whole of it, whatever comments and sections stand within: that is what was signed.
    pub fn read(node: Verified<'_>) -> Result<Self, ProviderError> {
        let refused = |detail| ProviderError::refused(ProviderFault::SamlNameId, detail);
        if node.elements().next().is_some() {
            return Err(refused("there are elements in the name"));
        }
        let value = node.text();
        if value.trim().is_empty() {
            return Err(refused("the name is empty"));
        }
        if value.trim() != value || value.chars().any(is_treacherous) {
            return Err(refused(
                "there is white space around the name, or a control character in it",
            ));
        }
        if value.len() > LONGEST {
            return Err(refused("the name is too long"));
        }
        let attribute = |name| {
            node.attribute(name)
                .filter(|text| !text.is_empty())
                .map(str::to_owned)
        };
        let name = Self {
            value,
            format: attribute("Format"),
            name_qualifier: attribute("NameQualifier"),
            sp_name_qualifier: attribute("SPNameQualifier"),
        };
        let others = [&name.format, &name.name_qualifier, &name.sp_name_qualifier];
        if others
            .into_iter()
            .flatten()
            .any(|text| text.len() > 256 || text.chars().any(char::is_control))
        {
            return Err(refused(
                "what qualifies the name is too long, or holds a control character",
            ));
        }
        Ok(name)
    }

    /// Whether it names somebody for one session only.
    pub fn is_transient(&self) -> bool {
        self.short_format() == "transient"
    }

    /// Whether it says that it is an address.
    pub fn is_email(&self) -> bool {
        self.short_format() == "emailAddress"
    }

    /// Whether it names a system, not a person.
    pub fn is_entity(&self) -> bool {
        self.format.as_deref() == Some(ENTITY_FORMAT)
    }

    /// Both versions of SAML have the same formats under two names; none said means unspecified (Core section 2.2.2).
    fn short_format(&self) -> &str {
        short(self.format.as_deref())
    }

    /// The account's key at this provider.
    ///
    /// The bare name, as Passport's strategies have it, where the name is of the format that we ask for and the qualifiers say no
    /// more than what they mean when they are not there. Else format and qualifiers belong to it: what somebody may choose in one
    /// format is not what somebody else has in another, and the format of an unsigned request is anybody's to choose.
    pub fn subject(&self, parties: Parties<'_>) -> String {
        let qualifier = |given: &Option<String>, own: &str| given.clone().filter(|given| given != own);
        let provider = qualifier(&self.name_qualifier, parties.provider);
        let own = qualifier(&self.sp_name_qualifier, parties.own);
        let format = Some(self.short_format()).filter(|format| *format != short(parties.format));
        // A bare name never begins like this.
        if provider.is_none() && own.is_none() && format.is_none() && !self.value.starts_with('{') {
            return self.value.clone();
        }
        let mut key = Map::new();
        let parts = [
            ("format", format.map(str::to_owned)),
            ("nameQualifier", provider),
            ("spNameQualifier", own),
            ("name", Some(self.value.clone())),
        ];
        for (name, part) in parts {
            if let Some(part) = part {
                key.insert(name.to_owned(), Value::String(part));
            }
        }
        Value::Object(key).to_string()
    }

    /// As a session remembers it.
    pub fn to_session(&self) -> String {
        json!([
            self.value,
            self.format,
            self.name_qualifier,
            self.sp_name_qualifier
        ])
        .to_string()
    }

    /// What a session remembered.
    pub fn from_session(text: &str) -> Option<Self> {
        let (value, format, name_qualifier, sp_name_qualifier) = serde_json::from_str(text).ok()?;
        Some(Self {
            value,
            format,
            name_qualifier,
            sp_name_qualifier,
        })
    }

    /// As it stands in a message of ours.
    pub fn to_xml(&self) -> String {
        let mut attributes = Vec::new();
        let all = [
            ("Format", &self.format),
            ("NameQualifier", &self.name_qualifier),
            ("SPNameQualifier", &self.sp_name_qualifier),
        ];
        for (name, value) in all {
            if let Some(value) = value {
                attributes.push(format!(" {name}=\"{}\"", escape(value)));
            }
        }
        format!(
            "<saml:NameID{}>{}</saml:NameID>",
            attributes.concat(),
            escape(&self.value)
        )
    }
}

fn short(format: Option<&str>) -> &str {
    let format = format.unwrap_or(UNSPECIFIED);
    let bare = format.strip_prefix(V1).or_else(|| format.strip_prefix(V2));
    bare.unwrap_or(format)
}

/// Controls, and the marks that turn, hide or join what is shown.
fn is_treacherous(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}')
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARTIES: Parties<'static> = Parties {
        provider: "https://idp.example",
        own: "https://sp.example",
        format: Some("urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"),
    };

    fn name(value: &str, format: Option<&str>) -> NameId {
        NameId {
            value: value.to_owned(),
            format: format.map(str::to_owned),
            name_qualifier: None,
            sp_name_qualifier: None,
        }
    }

    #[test]
    fn a_name_of_the_expected_format_is_its_own_key() {
        let v2 = format!("{V2}emailAddress");
        assert_eq!(name("ann@x", PARTIES.format).subject(PARTIES), "ann@x");
        assert_eq!(name("ann@x", Some(&v2)).subject(PARTIES), "ann@x");
        let spelled_out = NameId {
            name_qualifier: Some("https://idp.example".to_owned()),
            sp_name_qualifier: Some("https://sp.example".to_owned()),
            ..name("ann@x", PARTIES.format)
        };
        assert_eq!(spelled_out.subject(PARTIES), "ann@x");
    }

    #[test]
    fn two_people_never_share_a_key() {
        let other = |qualifier: &str| NameId {
            name_qualifier: Some(qualifier.to_owned()),
            ..name("ann@x", PARTIES.format)
        };
        let own = NameId {
            sp_name_qualifier: Some("a".to_owned()),
            ..name("ann@x", PARTIES.format)
        };
        let mut keys = vec![
            name("ann@x", PARTIES.format).subject(PARTIES),
            name("ann@x", None).subject(PARTIES),
            name("ann@x", Some("urn:custom")).subject(PARTIES),
            other("a").subject(PARTIES),
            other("b").subject(PARTIES),
            own.subject(PARTIES),
        ];
        // A name that looks like another's key.
        let forged: Vec<String> = keys
            .iter()
            .map(|key| name(key, PARTIES.format).subject(PARTIES))
            .collect();
        keys.extend(forged.into_iter().filter(|key| key != "ann@x"));
        let count = keys.len();
        keys.sort();
        keys.dedup();
        assert_eq!((keys.len(), count), (11, 11));
    }

    #[test]
    fn a_session_remembers_the_whole_name() {
        let whole = NameId {
            name_qualifier: Some("q".to_owned()),
            ..name("a\"b", Some("f"))
        };
        assert_eq!(NameId::from_session(&whole.to_session()), Some(whole.clone()));
        assert_eq!(
            whole.to_xml(),
            "<saml:NameID Format=\"f\" NameQualifier=\"q\">a&quot;b</saml:NameID>"
        );
        assert_eq!(NameId::from_session("[]"), None);
    }
}
