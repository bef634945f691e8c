//! `docs/PROVIDERS.md` and the sample say what the code does.

use super::*;
use crate::providers::keys;
use crate::providers::modules::MODULES;

const HANDBOOK: &str = include_str!("../../../../../docs/PROVIDERS.md");
const SAMPLE: &str = include_str!("../../../../../docs/providers.sample.json");

/// The first cells of the handbook's tables, by the names in them.
fn rows() -> Vec<&'static str> {
    let lines = HANDBOOK.lines().filter_map(|line| line.strip_prefix("| `"));
    lines.filter_map(|line| line.split(" | ").next()).collect()
}

#[test]
fn the_handbook_has_a_row_for_every_key() {
    let rows = rows();
    let told = |key: &&str| rows.iter().any(|row| row.contains(&format!("{key}`")));
    let missing: Vec<_> = keys::all().filter(|key| !told(key)).collect();
    assert!(missing.is_empty(), "docs/PROVIDERS.md lacks rows for {missing:?}");
}

#[test]
fn the_handbook_names_every_module() {
    let modules = MODULES.iter().map(|module| module.name);
    let missing: Vec<_> = modules.filter(|name| !HANDBOOK.contains(name)).collect();
    assert!(missing.is_empty(), "docs/PROVIDERS.md lacks {missing:?}");
}

#[test]
fn the_handbook_names_no_key_that_is_none() {
    let names = rows().into_iter().flat_map(|row| row.split('`').step_by(2));
    let stale: Vec<_> = names
        .filter(|name| !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'))
        .filter(|name| !keys::all().any(|key| key == *name))
        .collect();
    assert!(stale.is_empty(), "docs/PROVIDERS.md has rows for {stale:?}");
}

#[test]
fn the_sample_is_a_file_that_works() {
    let variables = [
        ("GOOGLE_CLIENT_ID", "id"),
        ("GOOGLE_CLIENT_SECRET", "abc"),
        ("GITHUB_CLIENT_ID", "id"),
        ("GITHUB_CLIENT_SECRET", "abc"),
        ("COMPANY_CLIENT_SECRET", "abc"),
    ];
    let Read {
        entries,
        errors,
        warnings,
    } = read_at(PUBLIC, SAMPLE, &variables);
    assert_eq!(errors, Vec::<String>::new());
    assert!(
        warnings.iter().all(|warning| warning.contains("placeholder")),
        "{warnings:?}"
    );
    assert!(entries.len() >= 5);
}
