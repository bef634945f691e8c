//! Stored forms as BSON, without loss: what an operator sees in the shell is what the export writes.
//!
//! JSON and BSON differ in three points. BSON's integers end at 2^63, so that larger ones become decimals, which have no other use
//! here. Its keys cannot hold U+0000, and servers give `$` and `.` in them meanings of their own; the one place whose keys people
//! choose is a user's attributes, which are therefore kept as their JSON text (see [`crate::documents`]). And it nests a hundred
//! levels deep, which only attributes could exceed.

use mongodb::bson::{Bson, Decimal128, Document};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Number, Value};

/// The stored form of something as a document; none for what is no object or no finite number, which stored forms never hold.
pub(crate) fn to_document<T: Serialize>(stored: &T) -> Option<Document> {
    match serde_json::to_value(stored).ok()? {
        Value::Object(fields) => document(fields),
        _ => None,
    }
}

/// Reads a stored form back; none when it is damaged.
pub(crate) fn from_document<T: DeserializeOwned>(document: Document) -> Option<T> {
    serde_json::from_value(Value::Object(object(document)?)).ok()
}

fn document(fields: Map<String, Value>) -> Option<Document> {
    fields
        .into_iter()
        .map(|(name, value)| Some((name, to_bson(value)?)))
        .collect()
}

fn to_bson(value: Value) -> Option<Bson> {
    Some(match value {
        Value::Null => Bson::Null,
        Value::Bool(flag) => Bson::Boolean(flag),
        Value::Number(number) => number_to_bson(&number)?,
        Value::String(text) => Bson::String(text),
        Value::Array(items) => Bson::Array(items.into_iter().map(to_bson).collect::<Option<_>>()?),
        Value::Object(fields) => Bson::Document(document(fields)?),
    })
}

fn number_to_bson(number: &Number) -> Option<Bson> {
    if let Some(integer) = number.as_i64() {
        return Some(Bson::Int64(integer));
    }
    if let Some(large) = number.as_u64() {
        let decimal: Decimal128 = large.to_string().parse().ok()?;
        return Some(Bson::Decimal128(decimal));
    }
    number.as_f64().map(Bson::Double)
}

fn object(document: Document) -> Option<Map<String, Value>> {
    document
        .into_iter()
        .map(|(name, value)| Some((name, from_bson(value)?)))
        .collect()
}

fn from_bson(value: Bson) -> Option<Value> {
    Some(match value {
        Bson::Null => Value::Null,
        Bson::Boolean(flag) => Value::Bool(flag),
        Bson::Int32(integer) => Value::from(integer),
        Bson::Int64(integer) => Value::from(integer),
        Bson::Double(number) => Value::Number(Number::from_f64(number)?),
        Bson::Decimal128(decimal) => Value::from(decimal.to_string().parse::<u64>().ok()?),
        Bson::String(text) => Value::String(text),
        Bson::Array(items) => Value::Array(items.into_iter().map(from_bson).collect::<Option<_>>()?),
        Bson::Document(fields) => Value::Object(object(fields)?),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_value_comes_back_as_it_was() {
        let value = json!({
            "z": null, "a": [true, false, [], {}], "integers": [0, -1, i64::MIN, i64::MAX, u64::MAX, 1_u64 << 63],
            "numbers": [1.0, -0.5, 1.5e300, 0.1, 5e-324], "text": "a\u{0}\u{1f600}\"\\", "": {"": "b"},
        });
        let document = to_document(&value).unwrap();
        let bytes = document.to_vec().unwrap();
        let read = Document::from_reader(bytes.as_slice()).unwrap();
        let back: Value = from_document(read).unwrap();
        assert_eq!(back, value);
        let names: Vec<&String> = back.as_object().unwrap().keys().collect();
        assert_eq!(names, ["z", "a", "integers", "numbers", "text", ""]);
    }

    #[test]
    fn what_no_stored_form_holds_is_refused() {
        assert!(to_document(&json!([1])).is_none());
        let odd = mongodb::bson::doc! { "a": mongodb::bson::DateTime::from_millis(1) };
        assert!(from_document::<Value>(odd).is_none());
        let negative: Decimal128 = "-1.5".parse().unwrap();
        assert!(from_document::<Value>(mongodb::bson::doc! { "a": negative }).is_none());
    }
}
