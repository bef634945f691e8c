//! The handbook says what the code says.
#![cfg(test)]

use std::collections::BTreeSet;

use architecture::assert_none;
use architecture::source::{block, code, enums, has_word, pairs, production, section, traits};
use architecture::workspace::{files, members, read, root};

/// Members that do without the lints of the workspace, and why they may.
const LAX: &[(&str, &str)] = &[(
    "tests/conformance",
    "its cases are tests, though they stand in a library",
)];

#[test]
fn members_are_listed_by_name() {
    let manifest: toml::Table = read("Cargo.toml").parse().expect("TOML");
    let listed = manifest["workspace"]["members"].as_array().expect("a list");
    let listed: BTreeSet<&str> = listed.iter().filter_map(toml::Value::as_str).collect();
    let globs: Vec<String> = listed
        .iter()
        .filter(|name| name.contains('*'))
        .map(ToString::to_string)
        .collect();
    assert_none(
        &globs,
        "A glob takes saved test seeds for crates. Name each member:",
    );
    // What is left out is left out by name too, and is a workspace of its own.
    let left_out = manifest["workspace"]
        .get("exclude")
        .and_then(toml::Value::as_array);
    let left_out: Vec<&str> = left_out
        .into_iter()
        .flatten()
        .filter_map(toml::Value::as_str)
        .collect();
    let manifests = ["domain", "adapters", "apps", "tests"].map(|folder| files(folder, "Cargo.toml"));
    let folders: Vec<String> = manifests
        .iter()
        .flatten()
        .filter_map(|path| path.strip_suffix("/Cargo.toml"))
        .map(str::to_owned)
        .collect();
    let missing: Vec<String> = folders
        .into_iter()
        .filter(|folder| !listed.contains(folder.as_str()) && !left_out.contains(&folder.as_str()))
        .collect();
    assert_none(
        &missing,
        "A crate that is no member is never built or tested. Name it in the root manifest:",
    );
}

#[test]
fn a_crate_has_the_name_of_its_folder() {
    let other = |name: &str, folder: &str| folder.rsplit('/').next() != Some(name);
    let members = members();
    let named = members
        .iter()
        .filter(|member| other(&member.name, &member.folder));
    let faults: Vec<String> = named
        .map(|member| format!("{} is {}", member.folder, member.name))
        .collect();
    assert_eq!(
        faults,
        ["apps/server is portcullis"],
        "One word everywhere; only the product itself has its own name"
    );
}

#[test]
fn every_member_says_what_it_is() {
    let mut faults = Vec::new();
    for member in members() {
        let readme = root().join(&member.folder).join("README.md").is_file();
        let doc = ["lib.rs", "main.rs"].iter().any(|file| {
            let path = root().join(&member.folder).join("src").join(file);
            let text = std::fs::read_to_string(path).unwrap_or_default();
            text.starts_with("//!") || text.starts_with("#![doc")
        });
        let description = member.manifest["package"]
            .get("description")
            .and_then(toml::Value::as_str);
        if !(readme || doc) || description.is_none_or(|text| text == member.name) {
            faults.push(member.folder);
        }
    }
    assert_none(
        &faults,
        "Begin the crate with what it is and never does (README or `//!`), and describe it in its manifest:",
    );
}

#[test]
fn every_member_keeps_the_workspace_lints() {
    let lax = members().into_iter().filter(|member| {
        if LAX.iter().any(|(folder, _)| *folder == member.folder) {
            return false;
        }
        let lints = member
            .manifest
            .get("lints")
            .and_then(|lints| lints.get("workspace"));
        lints.and_then(toml::Value::as_bool) != Some(true)
    });
    let faults: Vec<String> = lax.map(|member| member.folder).collect();
    assert_none(&faults, "Add `[lints] workspace = true`:");
}

/// A flow as the code has it: its module, its states and events, and the pairs its table names. A flow of single steps has no
/// states before its events.
struct Flow {
    module: String,
    words: Vec<String>,
    pairs: BTreeSet<(String, String)>,
}

fn flows() -> Vec<Flow> {
    let mut flows = Vec::new();
    for path in files("domain/src/flow", ".rs") {
        let code = code(production(&read(&path)));
        let Some(step) = code.find("pub fn step(") else {
            continue;
        };
        let enums = enums(&code);
        let event = enums
            .iter()
            .find(|one| one.name.ends_with("Event"))
            .expect("a flow has events");
        let state = event.name.trim_end_matches("Event");
        let table = block(&code, step);
        let found = if table.contains("match (state, event)") {
            pairs(table, state, &event.name)
        } else {
            event
                .members
                .iter()
                .map(|event| ("[*]".to_owned(), event.clone()))
                .collect()
        };
        let machine = enums
            .iter()
            .filter(|one| one.name == event.name || one.name == state);
        let module = path
            .trim_start_matches("domain/src/flow/")
            .trim_end_matches(".rs")
            .trim_end_matches("/mod");
        flows.push(Flow {
            module: module.to_owned(),
            words: machine.flat_map(|one| one.members.clone()).collect(),
            pairs: found.into_iter().collect(),
        });
    }
    assert!(flows.len() >= 7, "the flows were found");
    flows
}

/// The arrows of a diagram: from which state, on which event.
fn arrows(section: &str) -> BTreeSet<(String, String)> {
    let lines = section.lines().filter_map(|line| line.split_once("-->"));
    let arrows = lines.filter_map(|(from, rest)| {
        let (_, event) = rest.split_once(':')?;
        Some((from.trim().to_owned(), event.trim().to_owned()))
    });
    arrows.collect()
}

#[test]
fn every_flow_is_drawn_as_it_is() {
    let drawn = read("docs/FLOWS.md");
    let mut faults = Vec::new();
    for flow in flows() {
        let Some(section) = section(&drawn, &flow.module) else {
            faults.push(format!("there is no section `## {}`", flow.module));
            continue;
        };
        let missing = flow.words.iter().filter(|word| !has_word(section, word));
        faults.extend(missing.map(|word| format!("{}: {word} is not mentioned", flow.module)));
        let arrows = arrows(section);
        let undrawn = flow.pairs.difference(&arrows);
        faults.extend(
            undrawn.map(|(state, event)| format!("{}: {state} --> …: {event} is not drawn", flow.module)),
        );
        let invented = arrows.difference(&flow.pairs);
        faults.extend(
            invented
                .map(|(state, event)| format!("{}: {state} --> …: {event} is not in the code", flow.module)),
        );
    }
    assert_none(
        &faults,
        "docs/FLOWS.md and domain/src/flow differ. Draw what the code does:",
    );
}

#[test]
fn every_effect_is_explained() {
    let drawn = read("docs/FLOWS.md");
    let section = section(&drawn, "Effects").expect("docs/FLOWS.md has a section `## Effects`");
    let effects = enums(&code(&read("domain/src/flow/effect.rs")));
    let missing = effects[0]
        .members
        .iter()
        .filter(|effect| !has_word(section, effect));
    let faults: Vec<String> = missing.cloned().collect();
    assert_none(&faults, "Say in docs/FLOWS.md, section Effects, what these do:");
}

#[test]
fn the_glossary_defines_ports_flows_and_kinds_of_denial() {
    let glossary = read("docs/GLOSSARY.md");
    let defined = |word: &str| {
        glossary
            .lines()
            .any(|line| line.starts_with("| **") && has_word(line, word))
    };
    let ports = files("domain/src/ports", ".rs");
    let ports = ports
        .iter()
        .flat_map(|path| traits(&code(&read(path))))
        .map(|port| port.name);
    let flows = flows()
        .into_iter()
        .map(|flow| flow.module.rsplit('/').next().unwrap_or_default().to_owned());
    let missing: Vec<String> = ports.chain(flows).filter(|word| !defined(word)).collect();
    assert_none(
        &missing,
        "Define these in docs/GLOSSARY.md, one row each (`| **word** | meaning |`):",
    );
}

#[test]
fn the_glossary_defines_each_word_once() {
    let glossary = read("docs/GLOSSARY.md");
    let terms: Vec<&str> = glossary
        .lines()
        .filter_map(|line| line.strip_prefix("| **")?.split_once("**").map(|(term, _)| term))
        .collect();
    assert!(terms.len() > 30, "the terms were found");
    let once: BTreeSet<&str> = terms.iter().copied().collect();
    assert_eq!(once.len(), terms.len(), "one meaning per word: {terms:?}");
}

#[test]
fn every_threat_names_tests_that_are_there() {
    let threats = read("docs/THREATS.md");
    let rows = threats
        .lines()
        .filter(|line| line.starts_with("| ") && !line.ends_with("| Test |"));
    let folders = ["domain", "adapters", "apps", "tests"].map(|folder| files(folder, ".rs"));
    let sources: Vec<String> = folders.iter().flatten().map(|path| read(path)).collect();
    let is_there = |name: &str| {
        let ends = [format!("fn {name}("), format!("fn {name}<")];
        sources
            .iter()
            .any(|source| ends.iter().any(|end| source.contains(end)))
    };
    let mut faults = Vec::new();
    for row in rows {
        let last = row.rsplit('|').nth(1).unwrap_or_default();
        let names: Vec<&str> = last.split('`').skip(1).step_by(2).collect();
        if names.is_empty() {
            faults.push(format!("no test: {row}"));
        }
        faults.extend(
            names
                .into_iter()
                .filter(|name| !is_there(name))
                .map(str::to_owned),
        );
    }
    assert_none(
        &faults,
        "docs/THREATS.md promises tests that are not there. Name others, or write them:",
    );
}

#[test]
fn a_wrong_drawing_is_found() {
    let section = "```mermaid\nstateDiagram-v2\n    [*] --> Start\n    Start --> Done: Asked\n```";
    assert_eq!(arrows(section), [("Start".to_owned(), "Asked".to_owned())].into());
}
