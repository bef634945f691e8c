use serde_json::{Map, Value};
use uuid::Uuid;

use crate::{dn, sid};

/// Most attributes of an entry that are told on.
const MOST_ATTRIBUTES: usize = 200;
/// Most values of an attribute that are told on.
const MOST_VALUES: usize = 50;
/// Longest value that is told on, in bytes.
const LONGEST_VALUE: usize = 2_048;
/// What is never told on, in small letters: it holds passwords, or what stands for them.
const SECRETS: [&str; 11] = [
    "userpassword",
    "unicodepwd",
    "dbcspwd",
    "authpassword",
    "pwdhistory",
    "krbprincipalkey",
    "krb5key",
    "sambantpassword",
    "sambalmpassword",
    "ms-mcs-admpwd",
    "mslaps-password",
];

/// An entry of a directory, and those of its attributes that were asked for and shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Entry {
    /// Its distinguished name.
    pub name: String,
    attributes: Vec<Attribute>,
    /// Attributes of which not all values were sent.
    partial: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Attribute {
    name: String,
    values: Vec<Vec<u8>>,
}

impl Entry {
    /// One without attributes.
    pub fn named(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            attributes: Vec::new(),
            partial: Vec::new(),
        }
    }

    /// Adds a value. Of the options behind a name only those that say how the value is sent are taken off (`;binary`, `;range=`):
    /// `cn;lang-de` is not `cn`.
    pub fn add(&mut self, description: &str, value: Vec<u8>) {
        let mut parts = description.split(';');
        let mut name = parts.next().unwrap_or_default().to_owned();
        for option in parts {
            let option = option.to_ascii_lowercase();
            if option.starts_with("range=") && !option.ends_with("-*") {
                self.note_partial(&name);
            }
            if option != "binary" && !option.starts_with("range=") {
                name.push(';');
                name.push_str(&option);
            }
        }
        match self.position(&name) {
            Some(attribute) => attribute.values.push(value),
            None => self.attributes.push(Attribute {
                name,
                values: vec![value],
            }),
        }
    }

    fn note_partial(&mut self, name: &str) {
        if !self.is_partial(name) {
            self.partial.push(name.to_owned());
        }
    }

    fn position(&mut self, name: &str) -> Option<&mut Attribute> {
        let mut attributes = self.attributes.iter_mut();
        attributes.find(|attribute| attribute.name.eq_ignore_ascii_case(name))
    }

    /// The values of an attribute that are text, or are known to mean one; names have no case (RFC 4512 section 2.5). `dn` is the
    /// entry's own name.
    pub fn texts(&self, name: &str) -> Vec<String> {
        if name.eq_ignore_ascii_case("dn") {
            return vec![self.name.clone()];
        }
        let mut attributes = self.attributes.iter();
        let found = attributes.find(|attribute| attribute.name.eq_ignore_ascii_case(name));
        found.map(Attribute::texts).unwrap_or_default()
    }

    /// The first of [`Entry::texts`] that is not empty.
    pub fn text(&self, name: &str) -> Option<String> {
        let mut texts = self.texts(name).into_iter();
        texts.find(|text| !text.trim().is_empty())
    }

    /// How many values an attribute has.
    pub fn count(&self, name: &str) -> usize {
        let mut attributes = self.attributes.iter();
        let found = attributes.find(|attribute| attribute.name.eq_ignore_ascii_case(name));
        found.map_or(0, |attribute| attribute.values.len())
    }

    /// Whether an attribute has more values than were sent: Active Directory sends the first 1,500 or so (MS-ADTS section
    /// 3.1.1.3.1.3.3).
    pub fn is_partial(&self, name: &str) -> bool {
        let mut partial = self.partial.iter();
        partial.any(|attribute| attribute.eq_ignore_ascii_case(name))
    }

    /// The only value of an attribute, as it was sent.
    pub fn octets(&self, name: &str) -> Option<&[u8]> {
        let mut attributes = self.attributes.iter();
        let found = attributes.find(|attribute| attribute.name.eq_ignore_ascii_case(name))?;
        match found.values.as_slice() {
            [only] => Some(only),
            _ => None,
        }
    }

    /// What is told on of it: one value as a text, several as a list; nothing that is no text, nothing secret, within bounds.
    pub fn told(&self) -> Map<String, Value> {
        let mut told = Map::new();
        told.insert("dn".to_owned(), Value::String(self.name.clone()));
        for attribute in self.attributes.iter().take(MOST_ATTRIBUTES) {
            let values = attribute.texts().into_iter();
            let mut values: Vec<Value> = values
                .filter(|value| value.len() <= LONGEST_VALUE)
                .take(MOST_VALUES)
                .map(Value::String)
                .collect();
            if attribute.is_secret() || values.is_empty() {
                continue;
            }
            let value = if values.len() == 1 {
                values.remove(0)
            } else {
                Value::Array(values)
            };
            told.insert(attribute.name.clone(), value);
        }
        told
    }
}

impl Attribute {
    fn is_secret(&self) -> bool {
        let name = self.name.to_ascii_lowercase();
        let base = name.split(';').next().unwrap_or_default();
        SECRETS.contains(&base)
    }

    fn texts(&self) -> Vec<String> {
        let values = self.values.iter();
        values.filter_map(|value| self.meaning(value)).collect()
    }

    fn meaning(&self, value: &[u8]) -> Option<String> {
        match self.name.to_ascii_lowercase().as_str() {
            "objectguid" => guid(value),
            "objectsid" | "sidhistory" => sid::text(value),
            _ => String::from_utf8(value.to_vec()).ok(),
        }
    }
}

/// `objectGUID` as Windows writes it: its first three parts are little-endian (MS-DTYP section 2.3.4.2).
pub fn guid(value: &[u8]) -> Option<String> {
    let bytes = <[u8; 16]>::try_from(value).ok()?;
    Some(Uuid::from_bytes_le(bytes).hyphenated().to_string())
}

/// Whether a group may be called so beside its distinguished name: not by what another one's distinguished name may be, which is a
/// matter of what it is called and not of where it stands.
pub fn is_short(name: &str) -> bool {
    !name.contains('=')
}

/// A group by both of its names: the distinguished one, and the value of its first part.
pub fn group_names(name: &str) -> impl Iterator<Item = String> {
    let short = dn::first_value(name).filter(|short| is_short(short));
    [Some(name.to_owned()), short].into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn entry(values: &[(&str, &[u8])]) -> Entry {
        let mut entry = Entry::named("uid=ann,dc=example");
        for (name, value) in values {
            entry.add(name, value.to_vec());
        }
        entry
    }

    #[test]
    fn a_guid_is_written_as_windows_writes_it() {
        let bytes = [
            0x33, 0x22, 0x11, 0x00, 0x55, 0x44, 0x77, 0x66, 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff,
        ];
        assert_eq!(
            guid(&bytes).as_deref(),
            Some("00112233-4455-6677-8899-aabbccddeeff")
        );
        assert_eq!(guid(&bytes[1..]), None);
    }

    #[test]
    fn what_stands_for_a_password_is_never_told_on() {
        let entry = entry(&[
            ("userPassword", b"{SSHA}x"),
            ("unicodePwd;x", b"y"),
            ("cn", b"Ann"),
        ]);
        assert_eq!(
            Value::Object(entry.told()),
            json!({"dn": "uid=ann,dc=example", "cn": "Ann"})
        );
    }

    #[test]
    fn one_value_is_a_text_and_several_are_a_list() {
        let entry = entry(&[
            ("mail", b"a@x.example"),
            ("MAIL", b"b@x.example"),
            ("sn", b"Ann"),
            ("jpegPhoto", b"\xff\xd8"),
        ]);
        let told = Value::Object(entry.told());
        assert_eq!(told["mail"], json!(["a@x.example", "b@x.example"]));
        assert_eq!((&told["sn"], told.get("jpegPhoto")), (&json!("Ann"), None));
    }

    #[test]
    fn an_attribute_in_a_language_is_another_one() {
        let entry = entry(&[
            ("cn;lang-de", b"Anna"),
            ("cn", b"Ann"),
            ("memberOf;range=0-1", b"cn=a"),
        ]);
        assert_eq!(entry.texts("CN"), ["Ann"]);
        assert_eq!(entry.texts("memberof"), ["cn=a"]);
    }

    #[test]
    fn what_is_sent_in_part_is_known_to_be() {
        let whole = entry(&[("memberOf;range=1500-*", b"cn=b"), ("cn", b"Ann")]);
        assert!(!whole.is_partial("memberOf") && !whole.is_partial("cn"));
        let part = entry(&[("memberOf;Range=0-1499", b"cn=a")]);
        assert!(part.is_partial("memberof"));
    }

    #[test]
    fn what_is_told_on_has_bounds() {
        let mut entry = Entry::named("dc=example");
        for number in 0..1_000 {
            entry.add("member", format!("cn={number}").into_bytes());
            entry.add(&format!("a{number}"), vec![b'x'; 3_000]);
        }
        let told = entry.told();
        assert_eq!(told["member"].as_array().map(Vec::len), Some(MOST_VALUES));
        assert_eq!(told.len(), 2);
    }

    #[test]
    fn no_group_has_another_ones_distinguished_name_for_a_short_one() {
        let admins = "cn=admins,ou=groups,dc=example";
        let posing = r"cn=cn\3Dadmins\2Cou\3Dgroups\2Cdc\3Dexample,ou=lists,dc=example";
        assert_eq!(crate::dn::first_value(posing).as_deref(), Some(admins));
        let names: Vec<String> = group_names(posing).collect();
        assert!(!names.contains(&admins.to_owned()), "{names:?}");
        let names: Vec<String> = group_names(admins).collect();
        assert_eq!(names, [admins, "admins"]);
    }

    proptest! {
        #[test]
        fn no_bytes_make_a_guid_panic(bytes: Vec<u8>) {
            let _ = guid(&bytes);
        }
    }
}
