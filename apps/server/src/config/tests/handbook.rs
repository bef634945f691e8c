//! `docs/CONFIG.md` and the sample say what the code does.

use std::collections::BTreeMap;

use super::*;
use crate::config::load::{interpret, judge};
use crate::config::source::{Table, parse_toml};

const HANDBOOK: &str = include_str!("../../../../../docs/CONFIG.md");
const SAMPLE: &str = include_str!("../../../../../docs/portcullis.sample.toml");

#[test]
fn the_handbook_lists_every_key_with_its_default() {
    let known = known_keys();
    let missing: Vec<_> = known
        .iter()
        .filter(|(key, default)| !HANDBOOK.contains(&format!("\n| `{key}` | {} |", shown(default))))
        .collect();
    assert!(
        missing.is_empty(),
        "docs/CONFIG.md lacks these rows, `| key | default | …`: {missing:#?}"
    );
    let rows = HANDBOOK
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once('`'));
    let stale: Vec<_> = rows
        .map(|(key, _)| key)
        .filter(|key| !known.contains_key(*key))
        .collect();
    assert!(
        stale.is_empty(),
        "docs/CONFIG.md lists keys that do not exist: {stale:?}"
    );
}

#[test]
fn the_handbook_names_the_variable_of_every_key() {
    for key in known_keys().keys().filter(|key| !key.contains("[]")) {
        let variable = format!(
            "PORTCULLIS__{}",
            key.replace("<Plural>", "<PLURAL>")
                .to_uppercase()
                .replace('.', "__")
        );
        assert!(HANDBOOK.contains(&format!("`{variable}`")), "{variable}");
    }
}

#[test]
fn the_sample_as_it_stands_changes_nothing() {
    let config = config(SAMPLE);
    assert_eq!(format!("{config:?}"), format!("{:?}", defaults()));
}

#[test]
fn the_sample_shows_every_key_and_knows_no_other() {
    // Settings stand behind a bare `#`, prose behind `# `.
    let uncommented: String = SAMPLE
        .lines()
        .map(|line| {
            line.strip_prefix('#')
                .filter(|rest| !rest.starts_with(' '))
                .unwrap_or(line)
        })
        .flat_map(|line| [line, "\n"])
        .collect();
    let table = parse_toml(&uncommented, &"sample".into()).unwrap();
    let (_, findings) = interpret(table);
    assert_eq!(
        judge(findings)
            .into_iter()
            .map(|problem| problem.to_string())
            .collect::<Vec<_>>(),
        Vec::<String>::new()
    );
    // The sample mentions `…_file` keys in prose, and shows `acls` and `webhooks` by their objects.
    let elsewhere = |key: &str| {
        ["acls", "webhooks"].contains(&key.rsplit('.').next().unwrap_or_default())
            || key.ends_with("_file") && key != "secrets.key_file"
    };
    for key in known_keys().keys().filter(|key| !elsewhere(key)) {
        let name = key.rsplit('.').next().unwrap();
        assert!(
            uncommented
                .lines()
                .any(|line| line.starts_with(&format!("{name} ="))),
            "{key}"
        );
    }
}

fn defaults() -> Config {
    interpret(Table::new()).0
}

fn known_keys() -> BTreeMap<String, String> {
    let mut keys = interpret(Table::new()).1.known;
    // Keys of a list's objects are asked for only where there is an object.
    let rule = "[[users.Users.acls]]\nprincipalType = \"ROLE\"\nprincipalId = \"x\"\npermission = \"DENY\"";
    let named = format!(
        "{rule}\n{}\nmodel = \"Order\"\n[[webhooks]]\nname = \"shop\"",
        rule.replace("users.Users", "access")
    );
    keys.extend(interpret(parse_toml(&named, &"rule".into()).unwrap()).1.known);
    keys
}

/// Values stand as code, words as words.
fn shown(default: &str) -> String {
    let is_word = ["none", "required", "singular", "number of cores", "32 × workers"].contains(&default);
    if is_word {
        default.to_owned()
    } else {
        format!("`{default}`")
    }
}
