//! JSON as strictly as RFC 8259 asks and a login server needs: one document, no duplicate names, bounded depth.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// Parses one document. Objects that name a property twice are refused: two parsers would disagree about what they say. The
/// parser itself refuses more than 128 levels, comments, trailing commas, a second document and invalid UTF-8.
///
/// # Errors
/// A sentence with line and column, and without the text itself.
pub fn parse(bytes: &[u8]) -> Result<Value, String> {
    let mut parser = serde_json::Deserializer::from_slice(bytes);
    let value = Strict
        .deserialize(&mut parser)
        .map_err(|error| error.to_string())?;
    parser.end().map_err(|error| error.to_string())?;
    Ok(value)
}

/// Builds a [`Value`] and remembers the names of each object.
struct Strict;

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value)
            .map(Value::Number)
            .ok_or_else(|| E::custom("a number out of range"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(Strict)? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut pairs: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(name) = pairs.next_key::<String>()? {
            let value = pairs.next_value_seed(Strict)?;
            if object.insert(name, value).is_some() {
                return Err(A::Error::custom("a property stands twice in one object"));
            }
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_sound_document_is_read() {
        let value = parse(br#"{"a":[1,-2,1.5,true,null,"x"],"b":{"c":{}}}"#).unwrap();
        assert_eq!(
            value,
            serde_json::json!({"a": [1, -2, 1.5, true, null, "x"], "b": {"c": {}}})
        );
    }

    #[test]
    fn what_two_parsers_would_read_differently_is_refused() {
        let deep = "[".repeat(100_000);
        let bad: [&[u8]; 10] = [
            br#"{"a":1,"a":2}"#,
            br#"{"x":{"a":1,"a":2}}"#,
            b"{} {}",
            b"[1,]",
            b"NaN",
            b"\xef\xbb\xbf{}",
            b"// c\n{}",
            b"{\"a\":\"\xff\"}",
            b"1e999",
            deep.as_bytes(),
        ];
        for text in bad {
            assert!(parse(text).is_err());
        }
    }
}
