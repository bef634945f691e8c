//! What a provider says, in the shape that paths of `providers.json` lead through.

use serde_json::{Value, json};

use super::Proven;

impl Proven {
    /// The profile as Passport hands it out: what the paths of `profileMapping` were written for.
    pub(crate) fn passport_profile(&self) -> Value {
        let mut profile = serde_json::to_value(&self.profile).unwrap_or_default();
        if let Some(profile) = profile.as_object_mut() {
            profile.insert("id".to_owned(), json!(self.key.subject));
            profile.insert("provider".to_owned(), json!(self.key.provider));
            profile.insert("_json".to_owned(), self.raw.clone());
            // Whatever else the provider said stands beside it, as strategies that flatten their claims have it.
            for (name, value) in self.raw.as_object().into_iter().flatten() {
                profile.entry(name.clone()).or_insert_with(|| value.clone());
            }
        }
        profile
    }
}

/// The value at a path such as `emails[0].value`; what is not there is none, never an error.
pub(crate) fn at<'a>(value: &'a Value, path: &str) -> Option<&'a Value> {
    let mut here = value;
    for part in path.split(['.', '[']) {
        let part = part.trim_end_matches(']').trim_matches(['"', '\'']);
        here = match here {
            Value::Array(items) => items.get(part.parse::<usize>().ok()?)?,
            Value::Object(fields) => fields.get(part)?,
            _ => return None,
        };
    }
    Some(here)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_leads_through_objects_and_lists() {
        let value = json!({"emails": [{"value": "a@b.c"}], "_json": {"x-y": 7}});
        assert_eq!(at(&value, "emails[0].value"), Some(&json!("a@b.c")));
        assert_eq!(at(&value, "emails.0.value"), Some(&json!("a@b.c")));
        assert_eq!(at(&value, "_json[\"x-y\"]"), Some(&json!(7)));
        for nowhere in [
            "emails[1].value",
            "emails[x]",
            "name.first",
            "",
            "emails[0].value.more",
        ] {
            assert_eq!(at(&value, nowhere), None, "{nowhere}");
        }
    }
}
