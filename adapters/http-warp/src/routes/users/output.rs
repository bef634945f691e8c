//! What goes out: users and tokens as LoopBack writes them, and which of a user's properties a reader wants.

mod token;

pub use token::opened;

use domain::user::{Email, User, Username};
use http::StatusCode;
use http::header::ACCEPT;
use serde::ser::{Serialize, SerializeMap as _, Serializer};
use serde_json::{Map, Value};

use crate::extract::Request;
use crate::extract::json as strict_json;
use crate::extract::query::Query;
use crate::problem::Problem;
use crate::wire_id::WireId;

/// Every property that is ours to write.
const KNOWN: [&str; 7] = [
    "id",
    "realm",
    "username",
    "email",
    "emailVerified",
    "phone",
    "phoneConfirmed",
];

/// A user. Known properties win over attributes of their name, absent ones are left out; nothing here tells of password, revision
/// or sessions.
pub fn user(user: &User) -> Value {
    serde_json::to_value(Record(user)).unwrap_or_default()
}

/// A user as it is written, straight from the record: every client reads its own at every turn.
pub struct Record<'a>(pub &'a User);

impl Serialize for Record<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(user) = self;
        let [id, realm, username, email, email_verified, phone, phone_confirmed] = KNOWN;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry(id, &WireId(user.key.id.as_str()))?;
        let mut text = |name: &str, value: Option<&str>| match value {
            Some(value) => map.serialize_entry(name, value),
            None => Ok(()),
        };
        text(realm, user.realm.as_deref())?;
        text(username, user.username.as_ref().map(Username::as_str))?;
        text(email, user.email.as_ref().map(Email::as_str))?;
        map.serialize_entry(email_verified, &user.email_verified)?;
        if let Some(number) = &user.phone {
            map.serialize_entry(phone, number.as_str())?;
            map.serialize_entry(phone_confirmed, &user.phone_is_confirmed())?;
        }
        let attributes = user.attributes.as_map().iter();
        for (name, value) in attributes.filter(|(name, _)| !KNOWN.contains(&name.as_str())) {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

/// 406 for a client that takes no JSON: judged before anything is done, so that a refused answer leaves nothing behind.
pub fn acceptable(request: &Request) -> Result<(), Problem> {
    let mut lines = request
        .headers
        .get_all(ACCEPT)
        .iter()
        .filter_map(|line| line.to_str().ok())
        .peekable();
    // What API clients send needs no parsing.
    let is_plain = |line: &str| matches!(line, "application/json" | "*/*");
    let takes = |line: &str| is_plain(line) || line.split(',').any(takes_json);
    if lines.peek().is_none() || lines.any(takes) {
        return Ok(());
    }
    Err(Problem::new(StatusCode::NOT_ACCEPTABLE, "Not Acceptable"))
}

/// Whether a media range covers JSON and is not weighed zero (RFC 9110 section 12.5.1).
fn takes_json(range: &str) -> bool {
    let mut parts = range.split(';').map(str::trim);
    let media = parts.next().unwrap_or_default();
    let covers = ["*/*", "application/*", "application/json", ""]
        .iter()
        .any(|known| media.eq_ignore_ascii_case(known));
    let zero = |weight: &str| weight.parse().is_ok_and(|weight: f32| weight <= 0.0);
    let refused = parts.any(|part| {
        part.strip_prefix("q=")
            .or(part.strip_prefix("Q="))
            .is_some_and(zero)
    });
    covers && !refused
}

/// Which properties a reader wants: `filter[fields]`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Selection {
    /// All.
    #[default]
    All,
    /// These and no others.
    Only(Vec<String>),
    /// All but these.
    Without(Vec<String>),
}

impl Selection {
    /// Reads `?filter=<JSON>` or its bracket form. Other parts of a filter say nothing about one record.
    pub fn of(query: &Query) -> Result<Self, Problem> {
        let mut whole = query
            .pairs()
            .iter()
            .filter(|(name, _)| name == "filter")
            .map(|(_, value)| value.as_str());
        let fields = match (whole.next(), whole.next()) {
            (Some(_), Some(_)) => return Err(not_an_object()),
            (Some(text), None) => fields_of(text)?,
            (None, _) => bracketed(query)?,
        };
        match fields {
            Value::Null => Ok(Self::All),
            Value::String(name) => Ok(Self::only(vec![name])),
            Value::Array(names) => {
                let names: Option<Vec<String>> = names
                    .iter()
                    .map(|name| name.as_str().map(str::to_owned))
                    .collect();
                names.map(Self::only).ok_or_else(bad_fields)
            }
            Value::Object(map) => Self::of_map(&map),
            Value::Bool(_) | Value::Number(_) => Err(bad_fields()),
        }
    }

    fn only(names: Vec<String>) -> Self {
        if names.is_empty() {
            Self::All
        } else {
            Self::Only(names)
        }
    }

    /// As LoopBack's juggler reads a map: if anything is wanted, then only that; else all but what is unwanted.
    fn of_map(map: &Map<String, Value>) -> Result<Self, Problem> {
        let (mut wanted, mut unwanted) = (Vec::new(), Vec::new());
        for (name, value) in map {
            match value {
                Value::Bool(true) => wanted.push(name.clone()),
                Value::Bool(false) => unwanted.push(name.clone()),
                _ => return Err(bad_fields()),
            }
        }
        Ok(match (wanted.is_empty(), unwanted.is_empty()) {
            (false, _) => Self::Only(wanted),
            (true, false) => Self::Without(unwanted),
            (true, true) => Self::All,
        })
    }

    /// The wanted part of a record.
    pub fn pick(&self, mut record: Value) -> Value {
        if let Some(object) = record.as_object_mut() {
            object.retain(|name, _| match self {
                Self::All => true,
                Self::Only(names) => names.contains(name),
                Self::Without(names) => !names.contains(name),
            });
        }
        record
    }
}

/// The `fields` of a filter written as JSON.
fn fields_of(text: &str) -> Result<Value, Problem> {
    if text.is_empty() {
        return Ok(Value::Null);
    }
    match strict_json::parse(text.as_bytes()) {
        Ok(Value::Object(mut filter)) => Ok(filter.remove("fields").unwrap_or_default()),
        Ok(Value::Null) => Ok(Value::Null),
        Ok(_) | Err(_) => Err(not_an_object()),
    }
}

/// The `fields` of a filter in bracket form: one name, names by position, or names with true and false.
fn bracketed(query: &Query) -> Result<Value, Problem> {
    let (mut names, mut map) = (Vec::new(), Map::new());
    for (key, value) in query.pairs() {
        let Some(place) = key.strip_prefix("filter[fields]") else {
            continue;
        };
        let inner = place.strip_prefix('[').and_then(|place| place.strip_suffix(']'));
        match inner {
            None if place.is_empty() => names.push(Value::from(value.as_str())),
            None => return Err(bad_fields()),
            Some(position) if position.bytes().all(|b| b.is_ascii_digit()) => {
                names.push(Value::from(value.as_str()));
            }
            Some(name) => {
                let wanted = match value.as_str() {
                    "true" | "1" => true,
                    "false" | "0" => false,
                    _ => return Err(bad_fields()),
                };
                map.insert(name.to_owned(), Value::Bool(wanted));
            }
        }
    }
    match (names.is_empty(), map.is_empty()) {
        (true, true) => Ok(Value::Null),
        (false, true) => Ok(Value::Array(names)),
        (true, false) => Ok(Value::Object(map)),
        (false, false) => Err(bad_fields()),
    }
}

fn not_an_object() -> Problem {
    Problem::bad_request("Value is not an object.")
}

fn bad_fields() -> Problem {
    Problem::bad_request("filter[fields] must be a list of names, or names with true or false")
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::id::{PoolName, UserId, UserKey};
    use domain::time::Timestamp;
    use domain::user::{Attributes, Phone};
    use serde_json::json;

    fn ann() -> User {
        let key = UserKey::new(PoolName::new("Users"), UserId::new("1"));
        let mut ann = User::blank(key, Timestamp::from_millis(0));
        let planted =
            json!({"colour": "red", "id": "2", "emailVerified": true, "phoneConfirmed": true, "realm": "x"});
        ann.attributes = Attributes::restore(planted.as_object().unwrap().clone());
        ann
    }

    #[test]
    fn known_properties_win_over_attributes_even_when_absent() {
        assert_eq!(
            user(&ann()),
            json!({"id": 1, "emailVerified": false, "colour": "red"})
        );
        let mut with_phone = ann();
        with_phone.phone = Phone::parse("+491701234567");
        assert_eq!(user(&with_phone)["phoneConfirmed"], false);
    }

    #[test]
    fn media_ranges_cover_json_or_not() {
        for good in [
            "*/*",
            "application/*",
            "Application/JSON",
            " application/json; charset=utf-8;q=0.5",
            "*/*;q=0.8",
        ] {
            assert!(takes_json(good), "{good}");
        }
        for bad in [
            "text/html",
            "application/xml",
            "application/json;q=0",
            "text/*;q=1",
        ] {
            assert!(!takes_json(bad), "{bad}");
        }
    }

    fn selection(query: &str) -> Result<Selection, Problem> {
        Selection::of(&Query::parse(query))
    }

    #[test]
    fn every_form_of_fields_is_read() {
        let only = |names: &[&str]| {
            Ok(Selection::Only(
                names.iter().map(|&name| name.to_owned()).collect(),
            ))
        };
        assert_eq!(
            selection(r#"filter={"fields":["id","email"]}"#),
            only(&["id", "email"])
        );
        assert_eq!(
            selection(r#"filter={"fields":{"email":true,"id":false}}"#),
            only(&["email"])
        );
        assert_eq!(selection(r#"filter={"fields":"email"}"#), only(&["email"]));
        assert_eq!(selection("filter[fields]=email"), only(&["email"]));
        assert_eq!(
            selection("filter[fields][0]=id&filter%5Bfields%5D%5B1%5D=email"),
            only(&["id", "email"])
        );
        assert_eq!(selection("filter[fields][email]=true"), only(&["email"]));
        assert_eq!(
            selection("filter[fields][email]=false"),
            Ok(Selection::Without(vec!["email".to_owned()]))
        );
        for all in [
            "",
            "filter=",
            "filter={}",
            r#"filter={"fields":[]}"#,
            r#"filter={"where":{"a":1}}"#,
            "x=1",
        ] {
            assert_eq!(selection(all), Ok(Selection::All), "{all}");
        }
    }

    #[test]
    fn what_is_no_filter_is_refused() {
        for bad in [
            "filter=abc",
            "filter=[1]",
            "filter=1",
            "filter={}&filter={}",
            "filter={\"a\":1,\"a\":2}",
        ] {
            assert_eq!(
                selection(bad).unwrap_err().message,
                "Value is not an object.",
                "{bad}"
            );
        }
        for bad in [
            r#"filter={"fields":7}"#,
            r#"filter={"fields":[7]}"#,
            r#"filter={"fields":{"a":{}}}"#,
            "filter[fields][a]=x",
        ] {
            assert!(selection(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn hidden_properties_cannot_be_selected() {
        let only = Selection::Only(vec!["password".to_owned(), "id".to_owned()]);
        assert_eq!(only.pick(user(&ann())), json!({"id": 1}));
        let without = Selection::Without(vec!["colour".to_owned()]);
        assert_eq!(
            without.pick(user(&ann())),
            json!({"id": 1, "emailVerified": false})
        );
    }
}
