//! The first line and the last.

use domain::id::PoolName;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::record::Record;
use super::tally::{Kind, Tallies, Tally};

/// What every file of the format calls itself.
pub const FORMAT: &str = "portcullis-export";
/// The version of the format that is written, and the newest that is read. Another number means that an older reader must not try;
/// fields that are only added do not change it, as a reader refuses records with fields it does not know.
pub const VERSION: u32 = 1;

/// The first line: where the records come from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// [`FORMAT`].
    pub format: String,
    /// [`VERSION`].
    pub version: u32,
    /// When the export was begun, by ISO 8601.
    pub made: String,
    /// The version of the program that wrote it.
    pub by: String,
    /// The kind of store, by the scheme of its URL (`sqlite`).
    pub store: String,
    /// What kept the sessions, by the scheme of its URL (`storage`).
    pub sessions: String,
    /// The pools whose users are in it, in the order they stand.
    pub pools: Vec<PoolName>,
}

/// The last line: what must have been in the lines before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct End {
    /// Of roles and access rules; left out where there are none, as by versions that did not know them.
    #[serde(default, skip_serializing_if = "Tally::is_none")]
    pub access: Tally,
    /// Of users.
    pub users: Tally,
    /// Of client applications.
    pub applications: Tally,
    /// Of sessions.
    pub sessions: Tally,
    /// Of mails that wait; left out where there are none, as by versions that did not know them.
    #[serde(default, skip_serializing_if = "Tally::is_none")]
    pub messages: Tally,
    /// SHA-256 of every byte before this line, in hexadecimal digits.
    pub sha256: String,
}

impl End {
    /// The last line behind so many records.
    pub const fn new(tallies: &Tallies, sha256: String) -> Self {
        Self {
            access: tallies.access,
            users: tallies.users,
            applications: tallies.applications,
            sessions: tallies.sessions,
            messages: tallies.messages,
            sha256,
        }
    }

    /// What it counts.
    pub const fn tallies(&self) -> Tallies {
        Tallies {
            access: self.access,
            users: self.users,
            applications: self.applications,
            sessions: self.sessions,
            messages: self.messages,
        }
    }
}

/// Any line.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "one line at a time is held")]
pub enum Line {
    /// The first.
    Header(Header),
    /// One between.
    Record(Record),
    /// The last.
    End(End),
}

/// The line of a header, without its end.
///
/// # Errors
/// Never; the writer of JSON says so all the same.
pub fn header_line(header: &Header) -> Result<String, serde_json::Error> {
    serde_json::to_string(header).map(|header| format!("{{\"header\":{header}}}"))
}

/// The last line, without its end.
///
/// # Errors
/// Never; the writer of JSON says so all the same.
pub fn end_line(end: &End) -> Result<String, serde_json::Error> {
    serde_json::to_string(end).map(|end| format!("{{\"end\":{end}}}"))
}

/// Reads a first line, without its end.
///
/// # Errors
/// [`FOREIGN`] for what is something else altogether, whatever is wrong with it; else why this version cannot read the file.
pub fn read_header(bytes: &[u8]) -> Result<Header, String> {
    let value: Option<Value> = serde_json::from_slice(bytes).ok();
    let value = value.as_ref().and_then(|value| value.get("header"));
    header(value.unwrap_or(&Value::Null))
}

/// Reads any line, without its end.
///
/// # Errors
/// Why it cannot be taken.
pub fn read_line(bytes: &[u8]) -> Result<Line, String> {
    // Where JSON breaks is told by position: what stands there may be a secret's hash.
    let value: Value = serde_json::from_slice(bytes).map_err(|error| match error.classify() {
        serde_json::error::Category::Eof => "the JSON ends too early".to_owned(),
        _ => format!("this is no JSON from character {} on", error.column()),
    })?;
    let only = value.as_object().filter(|map| map.len() == 1);
    let Some((name, value)) = only.and_then(|map| map.iter().next()) else {
        return Err("a line is an object with one name: what it is".to_owned());
    };
    match name.as_str() {
        "header" => header(value).map(Line::Header),
        "end" => {
            let end = End::deserialize(value);
            end.map(Line::End)
                .map_err(|error| format!("this is no last line that this version knows: {error}"))
        }
        other => {
            let kind = Kind::ALL.into_iter().find(|kind| kind.name() == other);
            let kind = kind.ok_or_else(|| {
                let name: String = other.chars().take(40).collect();
                format!(
                    "this version of Portcullis does not know lines of the kind `{}`; nothing of a file is left out silently",
                    name.escape_debug()
                )
            })?;
            Record::read(kind, value).map(Line::Record)
        }
    }
}

fn header(value: &Value) -> Result<Header, String> {
    // The version first: the rest may be another in another version.
    let version = value.get("version").and_then(Value::as_u64);
    match (value.get("format").and_then(Value::as_str), version) {
        (Some(FORMAT), Some(version)) if version == u64::from(VERSION) => {
            Header::deserialize(value).map_err(|error| format!("this is no header: {error}"))
        }
        (Some(FORMAT), Some(version)) => Err(format!(
            "the file is of version {version} of the format, this program reads version {VERSION}: use the program that wrote it, or a newer one"
        )),
        _ => Err(FOREIGN.to_owned()),
    }
}

/// What is said of a file that begins with something else.
pub const FOREIGN: &str = "this is no export of Portcullis: it does not begin with a header";

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn a_header() -> Header {
        Header {
            format: FORMAT.to_owned(),
            version: VERSION,
            made: "2026-11-22T04:00:00.000Z".to_owned(),
            by: "0.1.0".to_owned(),
            store: "sqlite".to_owned(),
            sessions: "storage".to_owned(),
            pools: vec![PoolName::new("Users")],
        }
    }

    fn read(value: &Value) -> Result<Line, String> {
        read_line(value.to_string().as_bytes())
    }

    #[test]
    fn header_and_end_come_back_from_their_lines() {
        let header = a_header();
        assert_eq!(
            read_line(header_line(&header).unwrap().as_bytes()),
            Ok(Line::Header(header))
        );
        let end = End::new(&Tallies::default(), "00".to_owned());
        assert_eq!(read_line(end_line(&end).unwrap().as_bytes()), Ok(Line::End(end)));
    }

    #[test]
    fn a_newer_version_of_the_format_is_refused_by_its_number() {
        let newer = json!({"header": {"format": FORMAT, "version": 2, "else": []}});
        let refused = read(&newer).unwrap_err();
        assert!(
            refused.contains("version 2") && refused.contains("version 1"),
            "{refused}"
        );
    }

    #[test]
    fn lines_of_an_unknown_kind_and_foreign_ones_are_refused() {
        let unknown = read(&json!({"role": {"name": "admin"}})).unwrap_err();
        assert!(unknown.contains("`role`"), "{unknown}");
        assert_eq!(
            read(&json!({"header": {"format": "other"}})),
            Err(FOREIGN.to_owned())
        );
        let end = json!({"end": {"users": {"count": 0, "digest": "0".repeat(64)}, "roles": 3}});
        assert!(read(&end).unwrap_err().contains("no last line"));
        for bad in [json!([]), json!({}), json!(1), json!({"user": {}, "session": {}})] {
            assert!(read(&bad).is_err(), "{bad}");
        }
        for bad in [&b"\xff"[..], b"", b"{\"user\":"] {
            assert!(read_line(bad).is_err());
        }
    }

    #[test]
    fn a_refusal_repeats_nothing_out_of_a_record() {
        let broken = br#"{"user":{"password":"$argon2id$secret" x"#;
        let refused = read_line(broken).unwrap_err();
        assert!(!refused.contains("secret"), "{refused}");
    }
}
