//! The text of `providers.json`, as far as it is read without knowing its keys. An operator writes it, or a program of theirs.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../../apps/server/src/providers/json.rs"]
mod json;

use json::Json;

/// Every name and value is reached, and no object has a name twice.
fn walk(value: &Json) -> usize {
    let _ = value.kind();
    match value {
        Json::Null => 1,
        Json::Flag(flag) => usize::from(*flag),
        Json::Number(number) => number.to_string().len(),
        Json::Text(text) => text.len(),
        Json::List(items) => items.iter().map(walk).sum(),
        Json::Object(fields) => {
            let mut names: Vec<&String> = fields.iter().map(|(name, _)| name).collect();
            names.sort();
            assert!(names.windows(2).all(|pair| pair[0] != pair[1]));
            fields.iter().map(|(_, value)| walk(value)).sum()
        }
    }
}

fuzz_target!(|text: &str| {
    match json::parse(text) {
        Ok(value) => {
            walk(&value);
        }
        Err(malformed) => assert!(
            malformed.line <= text.len() + 1
                && malformed.column <= text.len() + 1
                && !malformed.message.is_empty()
        ),
    }
});
