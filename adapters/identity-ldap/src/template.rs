//! Texts of the configuration with places for what is known at a log-in only: `(uid={{username}})`.

use bytes::BytesMut;
use ldap3::asn1::{ASNTag as _, write::encode_into};

use crate::ber::put;

/// A text with places.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Place(String),
}

/// What goes where.
pub type Values<'a> = [(&'a str, &'a str)];

impl Template {
    /// Reads a text. None when a place is not closed, or is none of `places`.
    pub fn parse(text: &str, places: &[&str]) -> Option<Self> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, behind)) = rest.split_once("{{") {
            let (place, behind) = behind.split_once("}}")?;
            let place = place.trim();
            if !places.contains(&place) {
                return None;
            }
            parts.push(Part::Text(before.to_owned()));
            parts.push(Part::Place(place.to_owned()));
            rest = behind;
        }
        parts.push(Part::Text(rest.to_owned()));
        Some(Self { parts })
    }

    /// Whether the text has this place.
    pub fn has(&self, place: &str) -> bool {
        let mut parts = self.parts.iter();
        parts.any(|part| matches!(part, Part::Place(name) if name == place))
    }

    /// Whether the text is that place and nothing else.
    pub fn is_only(&self, place: &str) -> bool {
        let mut texts = self.parts.iter();
        self.has(place) && texts.all(|part| !matches!(part, Part::Text(text) if !text.is_empty()))
    }

    /// The text with each value in its place, escaped. A place inside a value is text.
    pub fn render(&self, values: &Values<'_>, escape: fn(&str) -> String) -> String {
        let parts = self.parts.iter().map(|part| match part {
            Part::Text(text) => text.clone(),
            Part::Place(place) => {
                let mut values = values.iter();
                let value = values.find(|(name, _)| name == place);
                value.map(|(_, value)| escape(value)).unwrap_or_default()
            }
        });
        parts.collect()
    }

    /// The text as a filter in BER (RFC 4515); none when it is no filter.
    pub fn filter(&self, values: &Values<'_>) -> Option<Vec<u8>> {
        filter(&self.render(values, in_filter))
    }
}

/// A filter in BER.
pub fn filter(text: &str) -> Option<Vec<u8>> {
    let filter = ldap3::parse_filter(text).ok()?;
    let mut bytes = BytesMut::new();
    encode_into(&mut bytes, filter.into_structure()).ok()?;
    Some(bytes.to_vec())
}

/// A filter that takes what any of these take (RFC 4511 section 4.5.1.7).
pub fn any_of(filters: &[Vec<u8>]) -> Vec<u8> {
    const OR: u8 = 0xa1;
    if let [only] = filters {
        return only.clone();
    }
    let mut any = Vec::new();
    put(&mut any, OR, &filters.concat());
    any
}

/// Bytes inside a filter, every one of them escaped.
pub fn bytes_in_filter(value: &[u8]) -> String {
    let escaped = |text: String, byte: &u8| format!("{text}\\{byte:02x}");
    value.iter().fold(String::new(), escaped)
}

/// A value inside a filter (RFC 4515 section 3).
pub fn in_filter(value: &str) -> String {
    ldap3::ldap_escape(value).into_owned()
}

/// A value inside a distinguished name (RFC 4514 section 2.4).
pub fn in_name(value: &str) -> String {
    ldap3::dn_escape(value).into_owned()
}

/// A value where nothing needs escaping.
pub fn as_it_is(value: &str) -> String {
    value.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ber::Reader;
    use crate::dn;
    use proptest::prelude::*;

    fn uid(name: &str) -> Vec<u8> {
        let template = Template::parse("(uid={{username}})", &["username"]).unwrap();
        template.filter(&[("username", name)]).unwrap()
    }

    #[test]
    fn a_place_is_filled_once_and_a_place_inside_a_value_is_text() {
        let template = Template::parse("(&(a={{ username }})(b={{dn}}))", &["username", "dn"]).unwrap();
        let rendered = template.render(&[("username", "{{dn}}"), ("dn", "x")], as_it_is);
        assert_eq!(rendered, "(&(a={{dn}})(b=x))");
        assert_eq!(Template::parse("{{other}}", &["username"]), None);
        assert_eq!(Template::parse("{{username", &["username"]), None);
    }

    #[test]
    fn what_means_something_in_a_filter_is_escaped() {
        assert_eq!(in_filter("*)(uid=\\\0"), r"\2a\29\28uid=\5c\00");
        assert_eq!(filter("uid=*)("), None);
        assert!(filter("(member:1.2.840.113556.1.4.1941:=cn=x)").is_some());
    }

    #[test]
    fn filters_are_joined_and_one_alone_is_itself() {
        let (first, second) = (uid("a"), uid("b"));
        assert_eq!(any_of(std::slice::from_ref(&first)), first);
        assert_eq!(any_of(&[first, second]), filter("(|(uid=a)(uid=b))").unwrap());
    }

    #[test]
    fn bytes_are_themselves_in_a_filter() {
        let bytes: Vec<u8> = (0..=255).collect();
        let whole = filter(&format!("(objectSid={})", bytes_in_filter(&bytes))).unwrap();
        let mut equality = Reader::new(&whole).within(0xa3).unwrap();
        assert_eq!(equality.text().unwrap(), "objectSid");
        assert_eq!(equality.expect(0x04).unwrap(), bytes);
    }

    #[test]
    fn what_means_something_in_a_name_is_escaped() {
        assert_eq!(
            in_name("a,b+c=\"d\"<e>;\\\0"),
            r"a\2cb\2bc\3d\22d\22\3ce\3e\3b\5c\00"
        );
        assert_eq!(in_name(" #a "), r"\20#a\20");
        assert_eq!(in_name("#a"), r"\23a");
    }

    proptest! {
        /// Whatever a name is, the filter stays an equality with just that value.
        #[test]
        fn a_name_never_gets_out_of_its_place(name in "\\PC{1,40}|[*()\\\\\u{0}a-z=&|!,]{1,20}") {
            let bytes = uid(&name);
            let mut equality = Reader::new(&bytes).within(0xa3).unwrap();
            prop_assert_eq!(equality.text().unwrap(), "uid");
            prop_assert_eq!(equality.text().unwrap(), name);
            prop_assert!(equality.is_empty());
        }

        #[test]
        fn a_name_never_gets_out_of_a_distinguished_name(name in "\\PC{1,40}|[,+=\"<>;#\\\\ a-z]{1,20}") {
            let whole = format!("uid={},dc=example", in_name(&name));
            prop_assert_eq!(dn::first_value(&whole), Some(name));
            prop_assert_eq!(dn::parent(&whole), Some("dc=example"));
        }
    }
}
