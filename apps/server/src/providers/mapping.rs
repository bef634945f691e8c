//! `profileMapping`: where a new user's properties come from.

use domain::identity::MappedField;

use super::fields::Fields;
use super::json::Json;

/// Properties that a provider must not decide.
const GUARDED: &[&str] = &[
    "id",
    "password",
    "emailverified",
    "phoneverified",
    "verificationtoken",
    "identities",
    "credentials",
    "roles",
    "secondfactor",
];

/// Reads the list.
pub fn read(fields: &mut Fields<'_>) -> Vec<MappedField> {
    let mut mapping: Vec<MappedField> = Vec::new();
    for (index, line) in fields.objects("profileMapping").into_iter().enumerate() {
        let key = format!("profileMapping[{index}]");
        let (mut user_field, mut provider_field) = (None, None);
        for (name, value) in line {
            match (name.as_str(), value) {
                ("userField", Json::Text(text)) => user_field = Some(text),
                ("providerField", Json::Text(text)) => provider_field = Some(text),
                _ => fields.refuse(
                    &key,
                    format!("must hold the texts `userField` and `providerField`, but has `{name}`"),
                ),
            }
        }
        let (Some(user_field), Some(provider_field)) = (user_field, provider_field) else {
            fields.refuse(&key, "needs both `userField` and `providerField`");
            continue;
        };
        if GUARDED.contains(&user_field.to_ascii_lowercase().as_str()) {
            fields.refuse(
                &key,
                format!("would let the provider set `{user_field}`: take it out"),
            );
        } else if !is_path(&provider_field) {
            fields.refuse(
                &key,
                format!("has `{provider_field}`, which is no path such as `emails[0].value`"),
            );
        } else if mapping.iter().any(|line| line.user_field == user_field) {
            fields.refuse(&key, format!("sets `{user_field}` for the second time"));
        } else {
            mapping.push(MappedField {
                user_field,
                provider_field,
            });
        }
    }
    mapping
}

/// Names apart by dots, each with any number of `[0]` behind it.
pub(super) fn is_path(text: &str) -> bool {
    let name =
        |part: &str| !part.is_empty() && !part.contains(['[', ']']) && !part.chars().any(char::is_control);
    text.split('.').all(|part| {
        let (head, indices) = part.split_at(part.find('[').unwrap_or(part.len()));
        let mut rest = indices;
        while let Some((index, behind)) = rest.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            if index.is_empty() || index.len() > 4 || !index.chars().all(|c| c.is_ascii_digit()) {
                return false;
            }
            rest = behind;
        }
        name(head) && rest.is_empty()
    })
}

#[cfg(test)]
mod tests {
    use super::is_path;

    #[test]
    fn a_path_has_names_and_places() {
        for good in ["id", "emails[0].value", "name.givenName", "a[0][1].b-c", "urn:x"] {
            assert!(is_path(good), "{good}");
        }
        for bad in ["", ".", "a..b", "[0]", "a[x]", "a[0", "a[]", "a]b", "a[99999]"] {
            assert!(!is_path(bad), "{bad}");
        }
    }
}
