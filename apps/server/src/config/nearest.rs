//! "Did you mean …?"

use std::collections::BTreeMap;

/// The known key a mistyped one most likely stands for: a sibling that is nearly the same, or a
/// key of exactly that name in another section.
///
/// `path` is the key as written, `template` the same with pool names replaced, `known` holds templates.
pub fn nearest_key(path: &str, template: &str, known: &BTreeMap<String, String>) -> Option<String> {
    let (parent, _) = split(path);
    let (parent_template, written) = split(template);
    let wanted = fold(written);
    let sibling = known
        .keys()
        .filter_map(|key| child_of(parent_template, key))
        .map(|name| (distance(&wanted, &fold(name)), name))
        .filter(|(apart, _)| *apart <= (wanted.chars().count() / 3).max(1))
        .min();
    if let Some((_, name)) = sibling {
        return Some(join(parent, name));
    }
    known.keys().find(|key| fold(split(key).1) == wanted).cloned()
}

fn split(path: &str) -> (&str, &str) {
    path.rsplit_once('.').unwrap_or(("", path))
}

fn join(parent: &str, name: &str) -> String {
    if parent.is_empty() {
        name.to_owned()
    } else {
        format!("{parent}.{name}")
    }
}

/// The next part of `key` below `parent`.
fn child_of<'a>(parent: &str, key: &'a str) -> Option<&'a str> {
    let rest = if parent.is_empty() {
        key
    } else {
        key.strip_prefix(parent)?.strip_prefix('.')?
    };
    rest.split('.').next()
}

/// LoopBack writes `maxTTL` where we write `max_ttl`: to a human both are the same word.
fn fold(name: &str) -> String {
    name.chars()
        .filter(|c| !matches!(c, '_' | '-'))
        .map(|c| c.to_ascii_lowercase())
        .collect()
}

/// Levenshtein's distance, one row at a time.
fn distance(a: &str, b: &str) -> usize {
    let other: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (index, left) in a.chars().enumerate() {
        let mut next = vec![index + 1];
        for ((right, diagonal), above) in other.iter().zip(&row).zip(row.iter().skip(1)) {
            let before = next.last().copied().unwrap_or_default();
            next.push(
                (diagonal + usize::from(left != *right))
                    .min(above + 1)
                    .min(before + 1),
            );
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known() -> BTreeMap<String, String> {
        [
            "server.listen",
            "server.tls.cert",
            "users.<Plural>.max_ttl",
            "log.level",
        ]
        .map(|key| (key.to_owned(), String::new()))
        .into()
    }

    #[test]
    fn a_slip_of_the_finger_finds_its_neighbour() {
        assert_eq!(
            nearest_key("server.lisen", "server.lisen", &known()).as_deref(),
            Some("server.listen")
        );
        assert_eq!(nearest_key("servr", "servr", &known()).as_deref(), Some("server"));
    }

    #[test]
    fn loopback_spelling_finds_ours() {
        let found = nearest_key("users.Employees.maxTTL", "users.<Plural>.maxTTL", &known());
        assert_eq!(found.as_deref(), Some("users.Employees.max_ttl"));
    }

    #[test]
    fn a_key_in_the_wrong_section_finds_its_home() {
        assert_eq!(
            nearest_key("listen", "listen", &known()).as_deref(),
            Some("server.listen")
        );
    }

    #[test]
    fn a_stranger_finds_nothing() {
        assert_eq!(nearest_key("providers", "providers", &known()), None);
    }

    #[test]
    fn distance_counts_edits() {
        assert_eq!(
            (
                distance("", "abc"),
                distance("kitten", "sitting"),
                distance("a", "a")
            ),
            (3, 3, 0)
        );
    }
}
