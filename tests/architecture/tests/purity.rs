//! The core is pure: no clock, no chance, no outside. Its decisions are tables.
#![cfg(test)]

use architecture::assert_none;
use architecture::source::{block, code, enums, has_word, production, traits};
use architecture::workspace::{files, read};

/// What the core never says, and what to do instead.
const NEVER_SAID: &[(&str, &str)] = &[
    (
        "std::time::Instant",
        "time comes in through `Ctx::now` or the `Clock` port",
    ),
    (
        "std::time::SystemTime",
        "time comes in through `Ctx::now` or the `Clock` port",
    ),
    (
        "SystemTime",
        "time comes in through `Ctx::now` or the `Clock` port",
    ),
    ("Instant", "time comes in through `Ctx::now` or the `Clock` port"),
    ("std::env", "settings come in as values of `Policy`"),
    ("std::fs", "files are an adapter's business"),
    ("std::io", "reading and writing is an adapter's business"),
    ("std::process", "the core starts and ends nothing"),
    ("std::thread", "the core has no threads"),
    ("TcpStream", "sockets are an adapter's business"),
    ("TcpListener", "sockets are an adapter's business"),
    ("UdpSocket", "sockets are an adapter's business"),
    ("UnixStream", "sockets are an adapter's business"),
    ("ToSocketAddrs", "names are resolved by adapters"),
    ("SocketAddr", "an address is a `ClientAddress`"),
    (
        "HashMap",
        "ordered maps only: the same seed must give the same run",
    ),
    (
        "HashSet",
        "ordered sets only: the same seed must give the same run",
    ),
    ("thread_local", "the core keeps no state of its own"),
    ("static mut", "the core keeps no state of its own"),
    ("OnceLock", "the core keeps no state of its own"),
    ("LazyLock", "the core keeps no state of its own"),
    ("AtomicUsize", "the core keeps no state of its own"),
    ("AtomicU64", "the core keeps no state of its own"),
    ("Mutex", "the core keeps no state of its own"),
    ("RwLock", "the core keeps no state of its own"),
    ("println", "the core says nothing; it returns effects"),
];

/// What adapters share and hold as a value of their own; nothing else in the core may know it.
const HELD_BY_ADAPTERS: &[(&str, &[&str])] = &[("endings", &["AtomicU64", "Mutex"])];

/// Whether a file is one of those and may say the word.
fn may_say(path: &str, word: &str) -> bool {
    HELD_BY_ADAPTERS
        .iter()
        .any(|(module, words)| path == format!("domain/src/{module}.rs") && words.contains(&word))
}

/// What somebody says of it in some code.
fn impurities(path: &str, text: &str) -> Vec<String> {
    let code = code(production(text));
    let said = NEVER_SAID
        .iter()
        .filter(|(word, _)| has_word(&code, word) && !may_say(path, word));
    said.map(|(word, instead)| format!("{path} says {word}: {instead}"))
        .collect()
}

fn of_the_core() -> Vec<(String, String)> {
    let paths = files("domain/src", ".rs");
    assert!(paths.len() > 40, "the core was found: {paths:?}");
    paths
        .into_iter()
        .map(|path| (path.clone(), read(&path)))
        .collect()
}

#[test]
fn the_core_reads_no_clock_and_touches_nothing_outside() {
    let faults: Vec<String> = of_the_core()
        .iter()
        .flat_map(|(path, text)| impurities(path, text))
        .collect();
    assert_none(&faults, "The core is pure:");
}

#[test]
fn the_core_does_not_know_what_adapters_hold() {
    let mut faults = Vec::new();
    for (path, text) in of_the_core() {
        let code = code(&text);
        let knows = |module: &&(&str, &[&str])| code.contains(&format!("::{}", module.0));
        faults.extend(
            HELD_BY_ADAPTERS
                .iter()
                .filter(knows)
                .map(|(module, _)| format!("{path} knows {module}")),
        );
    }
    assert_none(&faults, "What keeps state is for adapters alone:");
}

#[test]
fn only_ports_and_services_wait() {
    let sync = of_the_core();
    let sync = sync.iter().filter(|(path, _)| {
        !path.starts_with("domain/src/ports/") && !path.starts_with("domain/src/service/")
    });
    let waits = sync.filter(|(_, text)| {
        let code = code(text);
        has_word(&code, "async") || has_word(&code, "await")
    });
    let faults: Vec<String> = waits.map(|(path, _)| path.clone()).collect();
    assert_none(
        &faults,
        "A decision is a plain function. Load facts in `service/` and hand them in with the event:",
    );
}

#[test]
fn flows_know_no_ports_but_their_facts() {
    let traits: Vec<String> = files("domain/src/ports", ".rs")
        .iter()
        .flat_map(|path| traits(&code(&read(path))))
        .map(|port| port.name)
        .collect();
    assert!(traits.len() >= 10, "the ports were found: {traits:?}");
    let mut faults = Vec::new();
    for (path, text) in of_the_core() {
        if path.starts_with("domain/src/flow/") {
            let code = code(&text);
            let known = traits.iter().filter(|port| has_word(&code, port));
            faults.extend(known.map(|port| format!("{path} knows {port}")));
        }
    }
    assert_none(
        &faults,
        "A flow gets facts and returns effects; services talk to ports:",
    );
}

/// How many arms of a step table catch all, and how many say `unexpected`.
fn catch_alls(code: &str) -> Option<(usize, usize)> {
    let step = code.find("pub fn step(")?;
    let table = block(code, step);
    let all = table.matches("_ => ").count();
    Some((all, table.matches("Refused::unexpected()").count()))
}

#[test]
fn a_step_table_has_one_catch_all_and_it_refuses() {
    let mut tables = 0;
    let mut faults = Vec::new();
    for (path, text) in of_the_core() {
        let code = code(production(&text));
        let Some((all, unexpected)) = catch_alls(&code) else {
            continue;
        };
        tables += 1;
        let states = block(&code, code.find("pub fn step(").unwrap_or(0)).contains("match (state, event)");
        let right = if states { (1, 1) } else { (0, 0) };
        if (all, unexpected) != right {
            faults.push(format!(
                "{path}: {all} catch-alls, {unexpected} of them `unexpected`; should be {right:?}"
            ));
        }
    }
    assert!(tables >= 7, "the step tables were found");
    assert_none(
        &faults,
        "A table of states and events names every pair that means something and refuses the rest once:",
    );
}

#[test]
fn a_port_has_at_most_seven_methods() {
    let mut faults = Vec::new();
    for path in files("domain/src/ports", ".rs") {
        for port in traits(&code(&read(&path))) {
            if port.members.len() > 7 {
                faults.push(format!("{} has {}", port.name, port.members.len()));
            }
        }
    }
    assert_none(
        &faults,
        "Who needs an eighth method has two roles: make two ports of them:",
    );
}

#[test]
fn only_performing_looks_into_effects() {
    let effects = enums(&code(&read("domain/src/flow/effect.rs")));
    assert_eq!(effects.len(), 1, "the effects were found");
    let services = of_the_core()
        .into_iter()
        .filter(|(path, _)| path.starts_with("domain/src/service/"));
    let known =
        services.filter(|(path, text)| !path.ends_with("perform.rs") && code(text).contains("Effect::"));
    let faults: Vec<String> = known.map(|(path, _)| path).collect();
    assert_none(
        &faults,
        "Effects are carried out in `service/perform.rs` and nowhere else:",
    );
}

#[test]
fn each_of_these_rules_can_be_broken() {
    assert_eq!(
        impurities("x.rs", "fn now() { std::time::SystemTime::now(); }").len(),
        2
    );
    assert!(
        impurities(
            "x.rs",
            "// SystemTime, std::fs\nfn f() -> &'static str { \"std::env\" }"
        )
        .is_empty()
    );
    assert_eq!(impurities("x.rs", "use std::net::{IpAddr, TcpStream};").len(), 1);
    let lax = "pub fn step(s: S, e: E) { match (state, event) { (S::A, E::B) => c(), (S::A, _) => d(), _ => e() } }";
    assert_eq!(catch_alls(lax), Some((1, 0)));
    let wide = "pub trait P { fn a(); fn b(); fn c(); fn d(); fn e(); fn f(); fn g(); async fn h(); }";
    assert_eq!(traits(wide)[0].members.len(), 8);
}
