//! From what was written to the type a key wants; a mismatch is a sentence that follows the key's name.

use std::ops::RangeInclusive;

use zeroize::Zeroizing;

use super::secret::Secret;
use super::source::{Node, Value, from_json};

/// Secrets in files are short; anything longer is the wrong file.
const MAX_SECRET_FILE: u64 = 64 * 1024;

pub(super) fn as_text(node: Node) -> Result<String, String> {
    match node.value {
        Value::Text(text) | Value::Raw(text) if text.is_empty() => Err("must not be empty".to_owned()),
        // A line break in an address or a sender's name ends up in a header.
        Value::Text(text) | Value::Raw(text) if text.chars().any(char::is_control) => {
            Err("must not hold control characters".to_owned())
        }
        Value::Text(text) | Value::Raw(text) => Ok(text),
        other => Err(format!("must be text, but is {}", other.kind())),
    }
}

pub(super) fn as_number(node: Node, range: &RangeInclusive<u64>) -> Result<u64, String> {
    let number = match node.value {
        Value::Integer(number) => number,
        Value::Raw(text) => text
            .trim()
            .parse()
            .map_err(|_| format!("must be a whole number, but is `{text}`"))?,
        other => return Err(format!("must be a whole number, but is {}", other.kind())),
    };
    u64::try_from(number)
        .ok()
        .filter(|number| range.contains(number))
        .ok_or_else(|| {
            format!(
                "must be between {} and {}, but is {number}",
                range.start(),
                range.end()
            )
        })
}

pub(super) fn as_flag(node: Node) -> Result<bool, String> {
    match node.value {
        Value::Flag(flag) => Ok(flag),
        Value::Raw(text) => match text.trim() {
            "true" => Ok(true),
            "false" => Ok(false),
            _ => Err(format!("must be true or false, but is `{text}`")),
        },
        other => Err(format!("must be true or false, but is {}", other.kind())),
    }
}

pub(super) fn as_list(node: Node) -> Result<Vec<Node>, String> {
    match node.value {
        Value::List(items) => Ok(items),
        Value::Raw(text) if text.trim_start().starts_with('[') => {
            let json = serde_json::from_str(&text).map_err(|error| format!("is not valid JSON: {error}"))?;
            match from_json(json, &node.origin).value {
                Value::List(items) => Ok(items),
                other => Err(format!("must be a list, but is {}", other.kind())),
            }
        }
        Value::Raw(text) => Ok(text
            .split(',')
            .map(str::trim)
            .filter(|part| !part.is_empty())
            .map(|part| Node {
                value: Value::Text(part.to_owned()),
                origin: node.origin.clone(),
            })
            .collect()),
        other => Err(format!("must be a list, but is {}", other.kind())),
    }
}

/// The secret in a file, without the line break at its end. The fault is a sentence that follows the key's name.
pub fn read_secret(path: &str) -> Result<Secret, String> {
    let read = || {
        let size = std::fs::metadata(path)?.len();
        if size > MAX_SECRET_FILE {
            return Err(std::io::Error::other("the file is too large for a secret"));
        }
        std::fs::read_to_string(path)
    };
    let text =
        Zeroizing::new(read().map_err(|error| format!("names {path}, which cannot be read: {error}"))?);
    // Editors end a file with a line break; it is not part of the secret.
    let secret = text.strip_suffix('\n').unwrap_or(&text);
    let secret = secret.strip_suffix('\r').unwrap_or(secret);
    if secret.is_empty() {
        return Err(format!("names {path}, which is empty"));
    }
    Ok(Secret::new(secret))
}
