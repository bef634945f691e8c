//! Who may depend on whom.
#![cfg(test)]

use std::collections::BTreeSet;

use architecture::assert_none;
use architecture::workspace::{Member, members, names_below, tree_of};

/// What the core may be built from: data, text, arithmetic.
const OF_THE_CORE: &[&str] = &[
    "async-trait",
    "base64",
    "hmac",
    "idna",
    "mockall",
    "serde",
    "serde_json",
    "sha2",
    "subtle",
    "totp-rs",
    "thiserror",
    "unicode-normalization",
    "unicode-properties",
    "uuid",
    "zeroize",
];

/// What must not be in the core at any depth: runtimes, drivers, HTTP, clocks, chance.
const NEVER_IN_THE_CORE: &[&str] = &[
    "async-std",
    "chrono",
    "fastrand",
    "futures-executor",
    "getrandom",
    "http",
    "hyper",
    "jiff",
    "mio",
    "mongodb",
    "native-tls",
    "openssl",
    "quanta",
    "rand",
    "redis",
    "reqwest",
    "ring",
    "rusqlite",
    "rustls",
    "smol",
    "socket2",
    "sqlx",
    "time",
    "tokio",
    "tracing",
    "warp",
];

/// Crates below `tests/` that know adapters, and why they may.
const TESTS_THAT_KNOW_ADAPTERS: &[(&str, &str)] =
    &[("bench", "measures single adapters beside the whole server")];

/// Adapters that take other adapters for their own tests, and why they may.
const ADAPTERS_THAT_TEST_WITH_OTHERS: &[(&str, &str)] = &[
    (
        "http-warp",
        "the driving adapter: its contract is tested on wired services",
    ),
    (
        "sessions-redis",
        "stands on the durable ports of some store: it needs one to stand on",
    ),
];

/// Tools: crates below `adapters/` that play no port, and which adapters may take them.
const TOOLS: &[(&str, &str, &str)] = &[
    (
        "outbound-http",
        "identity-",
        "one hardened way to ask providers, whatever protocol they speak",
    ),
    (
        "outbound-http",
        "sms-",
        "gateways are asked as providers are, with a secret in each request",
    ),
    (
        "outbound-http",
        "breached-range",
        "ranges are asked for within the same bounds, by the same certificates and proxy",
    ),
    (
        "outbound-http",
        "webhook-",
        "services are told within the same bounds, by the same certificates and proxy",
    ),
    (
        "store-guard",
        "storage-",
        "a breaker and a memory that no write may outlive: as hard to get right twice as once",
    ),
];

fn is_tool_of(adapter: &str, taken: &str) -> bool {
    TOOLS
        .iter()
        .any(|(tool, whose, _)| *tool == taken && adapter.starts_with(whose))
}

fn member(name: &str) -> Member {
    let found = members().into_iter().find(|member| member.name == name);
    found.unwrap_or_else(|| panic!("{name} is no member"))
}

fn strangers(taken: &BTreeSet<String>, allowed: &[&str]) -> Vec<String> {
    taken
        .iter()
        .filter(|name| !allowed.contains(&name.as_str()))
        .cloned()
        .collect()
}

#[test]
fn the_core_takes_only_what_is_on_its_list() {
    let core = member("domain");
    let mut taken = core.depends_on("dependencies");
    taken.extend(core.depends_on("build-dependencies"));
    assert_none(
        &strangers(&taken, OF_THE_CORE),
        "The core is pure. Do this work in an adapter behind a port, or argue for a new entry on this list:",
    );
}

#[test]
fn nothing_that_reaches_outside_is_in_the_core_at_any_depth() {
    let tree = tree_of("domain");
    assert!(tree.contains("sha2"), "the tree was read: {tree:?}");
    let found: Vec<String> = tree
        .into_iter()
        .filter(|name| NEVER_IN_THE_CORE.contains(&name.as_str()))
        .collect();
    assert_none(
        &found,
        "Something the core takes brings this along; switch its features off or do without it:",
    );
}

#[test]
fn adapters_know_the_core_and_no_other_adapter() {
    let others: BTreeSet<String> = members().into_iter().map(|member| member.name).collect();
    let mut faults = Vec::new();
    for name in names_below("adapters") {
        let taken = member(&name).depends_on("dependencies");
        let known: Vec<&String> = taken
            .intersection(&others)
            .filter(|taken| *taken != "domain" && !is_tool_of(&name, taken))
            .collect();
        if !known.is_empty() {
            faults.push(format!("{name} knows {known:?}"));
        }
    }
    assert_none(
        &faults,
        "An adapter knows `domain` alone. What two of them share belongs into the core or into neither:",
    );
}

#[test]
fn adapters_are_tested_by_the_common_cases() {
    let adapters = names_below("adapters");
    let apps = names_below("apps");
    let mut faults = Vec::new();
    for name in &adapters {
        let taken = member(name).depends_on("dev-dependencies");
        let may = ADAPTERS_THAT_TEST_WITH_OTHERS
            .iter()
            .any(|(allowed, _)| allowed == name);
        let others = taken
            .iter()
            .filter(|taken| adapters.contains(*taken) && !may && !is_tool_of(name, taken));
        faults.extend(others.map(|other| format!("{name} is tested with {other}")));
        faults.extend(
            taken
                .intersection(&apps)
                .map(|app| format!("{name} is tested with {app}")),
        );
    }
    assert_none(
        &faults,
        "Test an adapter with `conformance` and the outside thing itself, not with other adapters:",
    );
}

#[test]
fn only_apps_know_adapters() {
    let adapters = names_below("adapters");
    let mut faults = Vec::new();
    for member in members() {
        let may = TESTS_THAT_KNOW_ADAPTERS
            .iter()
            .any(|(name, _)| *name == member.name);
        if member.folder.starts_with("apps/") || member.folder.starts_with("adapters/") || may {
            continue;
        }
        for table in ["dependencies", "dev-dependencies", "build-dependencies"] {
            let known = member.depends_on(table);
            faults.extend(
                known
                    .intersection(&adapters)
                    .map(|adapter| format!("{} knows {adapter}", member.name)),
            );
        }
    }
    assert_none(
        &faults,
        "Only `apps` wires adapters. Drive the server from outside, or test the core with its own ports:",
    );
}

#[test]
fn nothing_knows_the_apps() {
    let apps = names_below("apps");
    let mut faults = Vec::new();
    for member in members() {
        let known = member.depends_on("dependencies");
        faults.extend(
            known
                .intersection(&apps)
                .map(|app| format!("{} knows {app}", member.name)),
        );
    }
    assert_none(&faults, "Nothing depends on the binary; run it:");
}

#[test]
fn the_suites_of_the_core_know_the_core_alone() {
    let ours: BTreeSet<String> = members().into_iter().map(|member| member.name).collect();
    for suite in ["conformance", "properties"] {
        let known = member(suite).depends_on("dependencies");
        let known: Vec<&String> = known.intersection(&ours).collect();
        assert_eq!(
            known,
            ["domain"],
            "{suite} is about `domain`: take nothing else of ours"
        );
    }
}

#[test]
fn a_forbidden_crate_is_found_behind_others() {
    let tree = tree_of("hash-password");
    assert!(
        tree.contains("getrandom") && tree.contains("tokio"),
        "they are known to be there: {tree:?}"
    );
    assert!(
        !tree.contains("conformance"),
        "what only tests use is no part of it"
    );
    assert_eq!(strangers(&["tokio".to_owned()].into(), OF_THE_CORE), ["tokio"]);
}
