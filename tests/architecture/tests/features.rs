//! Features compile adapters in; configuration chooses among them.
#![cfg(test)]

use std::collections::BTreeSet;

use architecture::assert_none;
use architecture::workspace::{files, members, names_below, read};

/// What stands where it may not: conditions on features, by path and line.
fn conditions(path: &str, text: &str) -> Vec<String> {
    let mock = path.starts_with("domain/src/ports/");
    let conditional = |line: &str| {
        let line = line.replace(' ', "");
        let is = line.contains("feature=")
            && (line.contains("cfg") || line.contains("not(") || line.contains("any("));
        is && !(mock && line.contains("cfg_attr(feature=\"mock\",mockall::automock)"))
    };
    let found = text
        .lines()
        .enumerate()
        .filter(|(_, line)| !line.trim_start().starts_with("//") && conditional(line));
    found
        .map(|(number, _)| format!("{path}:{}", number + 1))
        .collect()
}

#[test]
fn conditions_on_features_stand_in_one_folder() {
    let mut faults = Vec::new();
    for folder in ["domain", "adapters", "apps", "tests"] {
        for path in files(folder, ".rs") {
            if !path.starts_with("apps/server/src/adapters/")
                && path != "tests/architecture/tests/features.rs"
            {
                faults.extend(conditions(&path, &read(&path)));
            }
        }
    }
    assert_none(
        &faults,
        "`cfg(feature)` stands in `apps/server/src/adapters` alone. Choose at run time, by configuration:",
    );
}

#[test]
fn only_the_server_and_the_mocks_have_features() {
    let mut faults = Vec::new();
    for member in members() {
        let Some(features) = member.manifest.get("features").and_then(toml::Value::as_table) else {
            continue;
        };
        let mocks = member.name == "domain" && features.keys().all(|name| name == "mock");
        if !mocks && !member.folder.starts_with("apps/") {
            faults.push(member.name);
        }
    }
    assert_none(
        &faults,
        "An adapter is taken whole or not at all; give it settings instead of features:",
    );
}

#[test]
fn a_feature_has_the_name_of_its_adapter() {
    let adapters = names_below("adapters");
    let server = members()
        .into_iter()
        .find(|member| member.name == "portcullis")
        .expect("the server");
    let features = server
        .manifest
        .get("features")
        .and_then(toml::Value::as_table)
        .expect("features");
    let mut faults = Vec::new();
    for (name, takes) in features {
        let takes: Vec<&str> = takes
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(toml::Value::as_str)
            .collect();
        let is_adapter = adapters.contains(name) && takes == [format!("dep:{name}")];
        let is_bundle = (name.starts_with("bundle-") || ["default", "full"].contains(&name.as_str()))
            && takes.iter().all(|taken| features.contains_key(*taken));
        if !is_adapter && !is_bundle {
            faults.push(format!("{name} = {takes:?}"));
        }
    }
    let optional: Vec<String> = server
        .manifest
        .get("dependencies")
        .and_then(toml::Value::as_table)
        .expect("dependencies")
        .iter()
        .filter(|(_, taken)| taken.get("optional").is_some())
        .map(|(name, _)| name.clone())
        .collect();
    faults.extend(optional.into_iter().filter(|name| !features.contains_key(name)));
    faults.extend(missing_in_full(features));
    assert_none(
        &faults,
        "One word everywhere: a feature is an adapter's name and takes it, or is a bundle of features:",
    );
}

/// Features that `full` does not switch on.
fn missing_in_full(features: &toml::Table) -> Vec<String> {
    let mut reached = BTreeSet::from(["full"]);
    loop {
        let taken = reached.iter().filter_map(|name| features.get(*name)?.as_array());
        let more: BTreeSet<&str> = taken.flatten().filter_map(toml::Value::as_str).collect();
        let before = reached.len();
        reached.extend(more);
        if reached.len() == before {
            break;
        }
    }
    let missing = features.keys().filter(|name| !reached.contains(name.as_str()));
    missing
        .filter(|name| *name != "default")
        .map(|name| format!("{name} is not in `full`"))
        .collect()
}

#[test]
fn a_stray_condition_is_found() {
    assert_eq!(
        conditions("adapters/x/src/lib.rs", "#[cfg(feature = \"x\")]").len(),
        1
    );
    assert_eq!(
        conditions("adapters/x/src/lib.rs", "if cfg!(not(feature = \"x\")) {}").len(),
        1
    );
    assert!(
        conditions(
            "domain/src/ports/clock.rs",
            "#[cfg_attr(feature = \"mock\", mockall::automock)]"
        )
        .is_empty()
    );
    assert_eq!(
        conditions(
            "domain/src/user/mod.rs",
            "#[cfg_attr(feature = \"mock\", mockall::automock)]"
        )
        .len(),
        1
    );
}
