use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Output, Stdio};

use crate::processes::{below, eventually, naming, none_are_left};

const VARIABLES: [&str; 4] = ["POSTGRES_URL", "REDIS_URL", "REDIS_CLUSTER_URL", "MONGODB_URL"];

/// The program, with no server named to it.
fn servers(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_servers"));
    command.args(arguments).stdin(Stdio::null());
    for variable in VARIABLES {
        command.env_remove(variable);
    }
    command
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn a_command_finds_every_server_and_its_status_is_ours() {
    let script = r#"psql "$POSTGRES_URL" -Atc "SELECT 'postgres'"; redis-cli -u "$REDIS_URL" PING
        echo "$REDIS_CLUSTER_URL"; echo "$MONGODB_URL"; exit 7"#;
    let output = servers(&[
        "with",
        "postgres,redis,redis-cluster,mongo",
        "--",
        "sh",
        "-c",
        script,
    ])
    .output()
    .unwrap();
    assert_eq!(output.status.code(), Some(7));
    let said = said(&output);
    let lines: Vec<&str> = said.lines().collect();
    let [postgres, redis, cluster, mongo] = lines[..] else {
        panic!("four lines: {said}")
    };
    assert_eq!([postgres, redis], ["postgres", "PONG"]);
    assert!(cluster.starts_with("redis-cluster://127.0.0.1:"), "{cluster}");
    assert!(mongo.starts_with("mongodb://127.0.0.1:"), "{mongo}");
    none_are_left();
}

#[test]
fn a_server_that_is_named_is_not_started() {
    let output = servers(&[
        "with",
        "postgres,redis",
        "--",
        "sh",
        "-c",
        "echo $POSTGRES_URL $REDIS_URL",
    ])
    .envs([
        ("POSTGRES_URL", "postgres://elsewhere/db"),
        ("REDIS_URL", "redis://elsewhere"),
    ])
    .env("PATH", "/usr/bin:/bin")
    .output()
    .unwrap();
    assert_eq!(said(&output).trim(), "postgres://elsewhere/db redis://elsewhere");
}

#[test]
fn nothing_needs_no_server() {
    let output = servers(&["with", "", "--", "echo", "done"]).output().unwrap();
    assert_eq!(said(&output).trim(), "done");
}

#[test]
fn a_missing_program_is_a_sentence_and_a_status() {
    let output = servers(&["with", "mongo", "--", "echo", "never"])
        .envs([("XDG_CACHE_HOME", "/nonexistent"), ("PATH", "/nonexistent")])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(69));
    let why = String::from_utf8_lossy(&output.stderr);
    assert!(
        why.contains("secantusd-rs") && why.contains("bash tests/setup"),
        "{why}"
    );
    assert_eq!(said(&output), "");
}

#[test]
fn nonsense_is_answered_by_the_usage() {
    for arguments in [
        &["with"][..],
        &["with", "oracle", "--", "true"],
        &["with", "redis", "--"],
        &[],
    ] {
        let output = servers(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(64), "{arguments:?}");
    }
    let unknown = servers(&["with", "", "--", "/nonexistent"]).output().unwrap();
    assert_eq!(unknown.status.code(), Some(127));
}

/// It runs, with a command that tells when it does and then waits.
fn waiting() -> Child {
    let mut running = servers(&[
        "with",
        "postgres,redis,mongo",
        "--",
        "sh",
        "-c",
        "echo ready; exec sleep 600",
    ])
    .stdout(Stdio::piped())
    .spawn()
    .unwrap();
    let mut ready = String::new();
    BufReader::new(running.stdout.take().unwrap())
        .read_line(&mut ready)
        .unwrap();
    assert_eq!(ready, "ready\n");
    running
}

fn send(signal: &str, pid: u32) {
    assert!(
        Command::new("kill")
            .args([signal, &pid.to_string()])
            .status()
            .unwrap()
            .success()
    );
}

#[test]
fn a_signal_ends_the_command_and_then_the_servers() {
    for (signal, status) in [("-INT", 130), ("-TERM", 143)] {
        let mut running = waiting();
        send(signal, running.id());
        assert_eq!(running.wait().unwrap().code(), Some(status));
        none_are_left();
    }
}

#[test]
fn a_killed_run_leaves_no_server_behind() {
    let mut running = waiting();
    let started = below(running.id());
    let folder = |pid: &u32| {
        let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let line = String::from_utf8_lossy(&line).replace('\0', " ");
        line.split(' ')
            .find(|word| word.starts_with("/tmp/portcullis-of-"))
            .map(str::to_owned)
    };
    let folders: Vec<String> = started.iter().filter_map(folder).collect();
    assert!(folders.len() >= 2, "{folders:?}");
    running.kill().unwrap();
    running.wait().unwrap();
    for folder in folders {
        eventually("its servers are gone", || naming(&folder).is_empty());
    }
    // The command itself was not ours to keep.
    for pid in naming("sleep\x00600") {
        if started.contains(&pid) {
            send("-KILL", pid);
        }
    }
}
