//! Whoever plays a port is held to its cases.
#![cfg(test)]

use architecture::assert_none;
use architecture::source::{code, production, traits};
use architecture::workspace::{files, members, read, root};

/// Ports without a list of cases, and why they may.
const WITHOUT_CASES: &[(&str, &str)] = &[
    ("Clock", "there is nothing to promise about the time"),
    ("ProviderDirectory", "the binary plays it, with its own file"),
];

fn ports() -> Vec<String> {
    let paths = files("domain/src/ports", ".rs");
    let traits = paths.iter().flat_map(|path| traits(&code(&read(path))));
    traits.map(|port| port.name).collect()
}

fn has_cases(port: &str) -> bool {
    WITHOUT_CASES.iter().all(|(name, _)| *name != port)
}

/// `UserStore` is `user_store`.
fn room_of(port: &str) -> String {
    let mut room = String::new();
    for letter in port.chars() {
        if letter.is_uppercase() && !room.is_empty() {
            room.push('_');
        }
        room.extend(letter.to_lowercase());
    }
    room
}

/// Whether some code implements the port.
fn plays(code: &str, port: &str) -> bool {
    let mut lines = code.lines().map(str::trim_start);
    let named = [format!(" {port} for "), format!("::{port} for ")];
    lines.any(|line| line.starts_with("impl") && named.iter().any(|named| line.contains(named)))
}

/// The ports an adapter plays.
fn played(folder: &str, ports: &[String]) -> Vec<String> {
    let sources = files(&format!("{folder}/src"), ".rs");
    let sources: Vec<String> = sources.iter().map(|path| code(production(&read(path)))).collect();
    let ports = ports.iter();
    ports
        .filter(|port| sources.iter().any(|source| plays(source, port)))
        .cloned()
        .collect()
}

#[test]
fn every_port_has_a_list_of_cases() {
    let lacks = |port: &String| {
        let list = root().join(format!("tests/conformance/src/{}.rs", room_of(port)));
        has_cases(port) != list.exists()
    };
    let faults: Vec<String> = ports().into_iter().filter(lacks).collect();
    assert_none(
        &faults,
        "Write down in `tests/conformance` what the port promises, a case for each MUST:",
    );
}

#[test]
fn every_adapter_runs_the_cases_of_its_ports() {
    let ports = ports();
    let mut faults = Vec::new();
    let mut seen = 0;
    for member in members() {
        if !member.folder.starts_with("adapters/") {
            continue;
        }
        let path = format!("{}/tests/conformance.rs", member.folder);
        let runs = if root().join(&path).exists() {
            read(&path)
        } else {
            String::new()
        };
        for port in played(&member.folder, &ports) {
            let line = format!("conformance::{}!(", room_of(&port));
            // In a module of its own where there is a fixture for each kind of server.
            let held = !has_cases(&port) || runs.lines().any(|run| run.trim_start().starts_with(&line));
            seen += usize::from(held);
            if !held {
                faults.push(format!("{path} lacks {line}…);"));
            }
        }
    }
    assert_none(&faults, "An adapter plays a port and is not held to its cases:");
    assert!(seen >= ports.len(), "only {seen} roles were found");
}

#[test]
fn a_role_is_found_however_it_is_written() {
    assert_eq!(room_of("IdentityProvider"), "identity_provider");
    assert!(plays("impl<W: Write> Mailer for ConsoleMailer<W> {", "Mailer"));
    assert!(plays("    impl domain::ports::Clock for Now {}", "Clock"));
    assert!(!plays("/// Mailer for all\nstruct Mailer;", "Mailer"));
}
