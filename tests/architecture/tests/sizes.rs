//! No file longer than one can keep in mind. (Functions and arguments are clippy's: `clippy.toml`.)
#![cfg(test)]

use architecture::assert_none;
use architecture::source::production;
use architecture::workspace::{files, read};

/// Most lines of production code in one file.
const PRODUCTION: usize = 400;
/// Most lines of a file of tests.
const TESTS: usize = 600;

fn is_test(path: &str) -> bool {
    path.starts_with("tests/") || path.contains("/tests/") || path.ends_with("/tests.rs")
}

/// What is too long about a file, if anything.
fn excess(path: &str, text: &str) -> Option<String> {
    let (lines, most) = if is_test(path) {
        (text.lines().count(), TESTS)
    } else {
        (production(text).lines().count(), PRODUCTION)
    };
    let own_tests = text.lines().count() - production(text).lines().count();
    if lines > most {
        return Some(format!("{path}: {lines} lines, {most} at most"));
    }
    (own_tests > PRODUCTION).then(|| format!("{path}: {own_tests} lines of tests inside; give them a file"))
}

#[test]
fn no_file_is_longer_than_one_can_keep_in_mind() {
    let mut faults = Vec::new();
    for folder in ["domain", "adapters", "apps", "tests"] {
        let paths = files(folder, ".rs");
        faults.extend(paths.iter().filter_map(|path| excess(path, &read(path))));
    }
    assert_none(
        &faults,
        "Split what is too long along what users do, not along kinds of code:",
    );
}

#[test]
fn the_core_is_tested_at_least_as_much_as_it_is_written() {
    let lines = |paths: Vec<String>, part: fn(&str) -> usize| -> usize {
        paths.iter().map(|path| part(&read(path))).sum()
    };
    let written = lines(files("domain/src", ".rs"), |text| {
        production(text).lines().count()
    });
    let inside = lines(files("domain/src", ".rs"), |text| {
        text.lines().count() - production(text).lines().count()
    });
    let beside = lines(files("domain/tests", ".rs"), |text| text.lines().count());
    let laws = lines(files("tests/properties", ".rs"), |text| text.lines().count());
    let tested = inside + beside + laws;
    assert!(
        tested >= written,
        "{tested} lines test {written} lines of the core: write the missing cases first"
    );
}

#[test]
fn the_limits_limit_in_the_lints_too() {
    let server: toml::Table = read("clippy.toml").parse().expect("TOML");
    let core: toml::Table = read("domain/clippy.toml").parse().expect("TOML");
    for limits in [server, core] {
        assert_eq!(
            limits
                .get("too-many-lines-threshold")
                .and_then(toml::Value::as_integer),
            Some(70)
        );
        assert_eq!(
            limits
                .get("too-many-arguments-threshold")
                .and_then(toml::Value::as_integer),
            Some(6)
        );
    }
}

#[test]
fn a_long_file_is_found() {
    let long = "x\n".repeat(401);
    assert!(excess("domain/src/long.rs", &long).is_some());
    assert!(excess("domain/tests/long.rs", &long).is_none());
    assert!(excess("domain/tests/long.rs", &"x\n".repeat(601)).is_some());
    let tested = format!(
        "{}#[cfg(test)]\nmod tests {{\n{}}}",
        "x\n".repeat(300),
        "y\n".repeat(200)
    );
    assert!(excess("domain/src/tested.rs", &tested).is_none());
}
