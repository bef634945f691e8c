//! What runs below us.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_mins(1);

/// The numbers of all processes that run and descend from this one.
pub fn below(pid: u32) -> Vec<u32> {
    let mut found = Vec::new();
    let mut parents = vec![pid];
    while let Some(parent) = parents.pop() {
        let children = all().filter(|(_, of)| *of == parent).map(|(child, _)| child);
        let children: Vec<u32> = children.collect();
        parents.extend(&children);
        found.extend(children);
    }
    found
}

/// The numbers of all running processes whose command line names this.
pub fn naming(text: &str) -> Vec<u32> {
    let names = |pid: &u32| {
        let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        String::from_utf8_lossy(&line).contains(text)
    };
    all().map(|(pid, _)| pid).filter(names).collect()
}

fn all() -> impl Iterator<Item = (u32, u32)> {
    let entries = fs::read_dir("/proc").unwrap().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter_map(|pid: u32| {
        let line = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        let (_, rest) = line.rsplit_once(')')?;
        let mut fields = rest.split_whitespace();
        // One that ended and waits to be collected does not run.
        let state = fields.next()?;
        Some((pid, fields.next()?.parse().ok()?)).filter(|_| state != "Z")
    })
}

pub fn eventually(what: &str, so: impl Fn() -> bool) {
    let since = Instant::now();
    while !so() {
        assert!(since.elapsed() < PATIENCE, "waited in vain until {what}");
        thread::sleep(Duration::from_millis(20));
    }
}

/// Nothing that this test started runs any more.
#[track_caller]
pub fn none_are_left() {
    let left = below(std::process::id());
    assert!(left.is_empty(), "still running: {left:?}");
}
