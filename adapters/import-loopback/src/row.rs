//! One record of LoopBack's, whatever kept it.

use domain::time::Timestamp;
use serde_json::{Map, Value};

const MILLIS_PER_DAY: i64 = 86_400_000;

/// A record by the names of its properties. SQL connectors keep those in lower case, so that names are looked for in both.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Row(Map<String, Value>);

impl Row {
    /// A record as it was read.
    pub const fn new(properties: Map<String, Value>) -> Self {
        Self(properties)
    }

    /// A property; none where it is absent or null.
    pub fn get(&self, name: &str) -> Option<&Value> {
        let exact = self.0.get(name);
        let found = exact.or_else(|| self.0.get(&name.to_lowercase()));
        found.filter(|value| !value.is_null())
    }

    /// A text. Numbers count: ids are numbers here and texts there.
    pub fn text(&self, name: &str) -> Option<String> {
        self.get(name).and_then(text)
    }

    /// A text that says something.
    pub fn said(&self, name: &str) -> Option<String> {
        self.text(name).filter(|text| !text.is_empty())
    }

    /// A truth; some SQL databases keep 0 and 1.
    pub fn truth(&self, name: &str) -> Option<bool> {
        match self.get(name)? {
            Value::Bool(truth) => Some(*truth),
            Value::Number(number) => number.as_i64().map(|number| number != 0),
            _ => None,
        }
    }

    /// A number.
    pub fn number(&self, name: &str) -> Option<f64> {
        self.get(name).and_then(Value::as_f64)
    }

    /// A moment: ISO 8601, or milliseconds.
    pub fn moment(&self, name: &str) -> Option<Timestamp> {
        match self.get(name)? {
            Value::String(text) => moment(text),
            Value::Number(number) => number.as_i64().map(Timestamp::from_millis),
            _ => None,
        }
    }

    /// An object or a list, also where SQL keeps it as JSON in a text.
    pub fn structure(&self, name: &str) -> Option<Value> {
        let value = self.get(name)?;
        structure(value).or_else(|| (value.is_object() || value.is_array()).then(|| value.clone()))
    }

    /// A list of texts.
    pub fn texts(&self, name: &str) -> Vec<String> {
        match self.structure(name) {
            Some(Value::Array(items)) => items.iter().filter_map(text).collect(),
            _ => self.said(name).into_iter().collect(),
        }
    }

    /// Everything but these, structures unpacked, names as `spelled` where they are the same but for case.
    pub fn others(&self, known: &[&str], spelled: &[String]) -> Map<String, Value> {
        let is_known = |name: &str| known.iter().any(|known| known.eq_ignore_ascii_case(name));
        let others = self.0.iter().filter(|(name, _)| !is_known(name));
        others
            .map(|(name, value)| {
                let spelling = spelled
                    .iter()
                    .find(|spelling| spelling.eq_ignore_ascii_case(name));
                let value = structure(value).unwrap_or_else(|| value.clone());
                (spelling.unwrap_or(name).clone(), value)
            })
            .collect()
    }

    /// Whether a property is there, null or not.
    pub fn has(&self, name: &str) -> bool {
        self.0.contains_key(name) || self.0.contains_key(&name.to_lowercase())
    }
}

/// The text of a text, a number or a truth.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// What JSON in a text holds, if it is an object or a list.
fn structure(value: &Value) -> Option<Value> {
    let text = value.as_str()?;
    if !text.starts_with(['{', '[']) {
        return None;
    }
    serde_json::from_str(text).ok()
}

/// Reads `YYYY-MM-DDTHH:MM:SS[.fff][Z|±HH:MM]`, with a blank for the `T` as well. Without a zone it is UTC, as LoopBack writes.
fn moment(text: &str) -> Option<Timestamp> {
    let number = |from: usize, to: usize| -> Option<i64> {
        let digits = text.get(from..to)?;
        let sound = digits.bytes().all(|byte| byte.is_ascii_digit());
        sound.then(|| digits.parse().ok()).flatten()
    };
    let days = days_from_civil(number(0, 4)?, number(5, 7)?, number(8, 10)?)?;
    let seconds = number(11, 13)? * 3600 + number(14, 16)? * 60 + number(17, 19)?;
    let rest = text.get(19..)?;
    let (fraction, zone) = match rest.strip_prefix('.') {
        Some(rest) => rest.split_at(rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len())),
        None => ("", rest),
    };
    let millis: i64 = format!("{fraction:0<3}").get(..3)?.parse().ok()?;
    let local = days * MILLIS_PER_DAY + seconds * 1000 + millis;
    Some(Timestamp::from_millis(local - offset(zone)?))
}

/// Milliseconds a zone is ahead of UTC.
fn offset(zone: &str) -> Option<i64> {
    let sign = match zone.bytes().next() {
        None | Some(b'Z' | b'z') => return Some(0),
        Some(b'+') => 1,
        Some(b'-') => -1,
        Some(_) => return None,
    };
    let digits: String = zone.chars().filter(char::is_ascii_digit).collect();
    let hours: i64 = digits.get(..2)?.parse().ok()?;
    let minutes: i64 = digits.get(2..4).map_or(Some(0), |minutes| minutes.parse().ok())?;
    Some(sign * (hours * 60 + minutes) * 60_000)
}

/// Days since 1970 of a date of the Gregorian calendar, counted in years that begin in March.
fn days_from_civil(year: i64, month: i64, day: i64) -> Option<i64> {
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let shifted = if month > 2 { month - 3 } else { month + 9 };
    let day_of_year = (153 * shifted + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    Some(era * 146_097 + day_of_era - 719_468)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn row(value: Value) -> Row {
        let Value::Object(properties) = value else {
            panic!("not an object: {value}")
        };
        Row::new(properties)
    }

    #[test]
    fn moments_read_as_they_were_written() {
        for written in [
            "2026-11-22T21:44:22.414Z",
            "1999-02-28T00:00:00.000Z",
            "2024-02-29T23:59:59.999Z",
        ] {
            assert_eq!(moment(written).unwrap().to_iso8601(), written);
        }
        let same = "2026-11-22T21:44:22.414Z";
        for other in [
            "2026-11-22T21:44:22.414+00:00",
            "2026-11-22 22:44:22.414+01",
            "2026-11-22T16:14:22.414-05:30",
        ] {
            assert_eq!(moment(other).unwrap().to_iso8601(), same, "{other}");
        }
        for bad in ["", "yesterday", "2026-13-01T00:00:00Z", "2026-11-22"] {
            assert_eq!(moment(bad), None, "{bad}");
        }
    }

    #[test]
    fn names_in_lower_case_and_json_in_text_are_what_sql_makes_of_properties() {
        let kept =
            row(json!({"emailverified": true, "profile": "{\"id\":\"1\"}", "userid": 7, "gone": null}));
        assert_eq!(kept.truth("emailVerified"), Some(true));
        assert_eq!(kept.text("userId").as_deref(), Some("7"));
        assert_eq!(kept.structure("profile"), Some(json!({"id": "1"})));
        assert!(kept.get("gone").is_none() && kept.has("gone"));
    }

    #[test]
    fn own_properties_get_their_spelling_back() {
        let kept = row(json!({"id": 1, "firstname": "Ann", "address": "{\"city\":\"Ulm\"}", "note": "{odd"}));
        let others = kept.others(&["id"], &["firstName".to_owned()]);
        assert_eq!(
            Value::Object(others),
            json!({"firstName": "Ann", "address": {"city": "Ulm"}, "note": "{odd"})
        );
    }
}
