//! The body of an API call: JSON or a form, always an object in the end.

use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use serde_json::{Map, Value};

use super::{Request, form, json};
use crate::problem::Problem;

/// What a body holds.
#[derive(Clone, Debug, PartialEq)]
pub enum Body {
    /// An object; also for an empty body and JSON `null`, as in LoopBack.
    Object(Map<String, Value>),
    /// A list, which only bulk creation takes.
    List(Vec<Value>),
}

impl Body {
    /// The object, or the error LoopBack gives for what is none.
    pub fn object(self) -> Result<Map<String, Value>, Problem> {
        match self {
            Self::Object(object) => Ok(object),
            Self::List(_) => Err(Problem::bad_request("Value is not an object.")),
        }
    }
}

/// Reads and parses a body. Other types than JSON and forms are refused, so that no page of another site can send one without
/// a preflight.
pub async fn read(request: &mut Request) -> Result<Body, Problem> {
    let kind = kind_of(request)?;
    let bytes = request.read_body().await?;
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Ok(Body::Object(Map::new()));
    }
    match kind {
        Some(Kind::Json) => from_json(&bytes),
        Some(Kind::Form) => from_form(&bytes),
        None => Err(Problem::unsupported_media_type()),
    }
}

enum Kind {
    Json,
    Form,
}

/// Whether the body is a form by its media type.
pub fn is_form(request: &Request) -> bool {
    matches!(kind_of(request), Ok(Some(Kind::Form)))
}

/// The kind of body, by its media type alone; parameters other than a UTF-8 charset are refused, and so is a packed body
/// (RFC 9110 section 15.5.16): what it would unpack to has no bound.
fn kind_of(request: &Request) -> Result<Option<Kind>, Problem> {
    let coding = request.headers.get(CONTENT_ENCODING);
    if coding.is_some_and(|coding| !coding.as_bytes().eq_ignore_ascii_case(b"identity")) {
        return Err(Problem::unsupported_media_type());
    }
    if !request.headers.contains_key(CONTENT_TYPE) {
        return Ok(None);
    }
    let value = request
        .header(&CONTENT_TYPE)
        .ok_or_else(Problem::unsupported_media_type)?;
    let (media, parameters) = value.split_once(';').unwrap_or((value, ""));
    let parameters = parameters.trim().to_ascii_lowercase();
    let charset = parameters
        .strip_prefix("charset=")
        .map(|charset| charset.trim_matches('"'));
    if charset.is_some_and(|charset| charset != "utf-8" && charset != "us-ascii") {
        return Err(Problem::unsupported_media_type());
    }
    let media = media.trim().to_ascii_lowercase();
    Ok(match media.as_str() {
        "application/json" => Some(Kind::Json),
        "application/x-www-form-urlencoded" => Some(Kind::Form),
        _ => None,
    })
}

fn from_json(bytes: &[u8]) -> Result<Body, Problem> {
    match json::parse(bytes).map_err(|why| Problem::malformed_json(&why))? {
        Value::Object(object) => Ok(Body::Object(object)),
        Value::Array(list) => Ok(Body::List(list)),
        Value::Null => Ok(Body::Object(Map::new())),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            Err(Problem::bad_request("Value is not an object."))
        }
    }
}

/// A form as flat text properties. A name sent twice becomes a list, so it fails wherever one value belongs.
fn from_form(bytes: &[u8]) -> Result<Body, Problem> {
    let pairs = form::pairs(bytes).ok_or_else(|| Problem::bad_request("The body is not valid UTF-8."))?;
    let mut object = Map::new();
    for (name, value) in pairs {
        let value = Value::String(value.to_string());
        match object.get_mut(&name) {
            None => {
                object.insert(name, value);
            }
            Some(Value::Array(list)) => list.push(value),
            Some(first) => *first = Value::Array(vec![first.take(), value]),
        }
    }
    Ok(Body::Object(object))
}
