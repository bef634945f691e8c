//! Crates, manifests and files.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The root of the workspace.
///
/// # Panics
/// When this is not the workspace these tests were written for.
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).expect("two levels up").to_path_buf()
}

/// A file's text, by its path from the root.
pub fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic_with(path, &error.to_string()))
}

#[expect(clippy::panic, reason = "a tool of tests fails by panicking")]
fn panic_with(path: &str, error: &str) -> String {
    panic!("{path}: {error}")
}

/// All files below a folder whose names end like this, by their paths from the root, sorted. Build output, version control and
/// what cargo saves beside tests are left out.
pub fn files(folder: &str, end: &str) -> Vec<String> {
    let mut found = Vec::new();
    collect(&root().join(folder), &mut found);
    let relative = |path: PathBuf| path.strip_prefix(root()).ok()?.to_str().map(str::to_owned);
    let mut found: Vec<String> = found.into_iter().filter_map(relative).collect();
    found.retain(|path| path.ends_with(end));
    found.sort();
    found
}

fn collect(folder: &Path, found: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for entry in entries.flatten() {
        let path = entry.path();
        let name = entry.file_name();
        let skipped = ["target", ".git", "node_modules", "data"]
            .iter()
            .any(|skip| name == *skip);
        if path.is_dir() && !skipped {
            collect(&path, found);
        } else if path.is_file() {
            found.push(path);
        }
    }
}

/// A crate of the workspace.
#[derive(Clone, Debug)]
pub struct Member {
    /// Its folder from the root.
    pub folder: String,
    /// Its name.
    pub name: String,
    /// Its manifest.
    pub manifest: toml::Table,
}

impl Member {
    /// What it depends on in one of the tables (`dependencies`, `dev-dependencies`, `build-dependencies`), by the names used there.
    pub fn depends_on(&self, table: &str) -> BTreeSet<String> {
        let table = self.manifest.get(table).and_then(toml::Value::as_table);
        table
            .map(|table| table.keys().cloned().collect())
            .unwrap_or_default()
    }
}

/// The members as the root manifest names them.
///
/// # Panics
/// When this is not the workspace these tests were written for.
pub fn members() -> Vec<Member> {
    let root_manifest: toml::Table = read("Cargo.toml").parse().expect("the root manifest is TOML");
    let workspace = root_manifest
        .get("workspace")
        .and_then(|workspace| workspace.get("members"));
    let folders = workspace
        .and_then(toml::Value::as_array)
        .expect("the root names its members");
    folders
        .iter()
        .map(|folder| {
            let folder = folder.as_str().expect("a member is a path").to_owned();
            let manifest: toml::Table = read(&format!("{folder}/Cargo.toml")).parse().expect("TOML");
            let name = manifest.get("package").and_then(|package| package.get("name"));
            let name = name
                .and_then(toml::Value::as_str)
                .expect("a package has a name")
                .to_owned();
            Member {
                folder,
                name,
                manifest,
            }
        })
        .collect()
}

/// The names of the members below a folder (`adapters`, `tests`, `apps`).
pub fn names_below(folder: &str) -> BTreeSet<String> {
    let below = members()
        .into_iter()
        .filter(|member| member.folder.starts_with(&format!("{folder}/")));
    below.map(|member| member.name).collect()
}

/// Everything a package is built from, at any depth, with the features it asks for itself: cargo's own account, without what only
/// tests or build scripts use.
///
/// # Panics
/// When cargo does not know the package.
pub fn tree_of(package: &str) -> BTreeSet<String> {
    let output = Command::new(env!("CARGO"))
        .args([
            "tree",
            "--offline",
            "--locked",
            "--edges",
            "normal",
            "--prefix",
            "none",
        ])
        .args(["--format", "{p}", "--package", package])
        .current_dir(root())
        .output()
        .expect("cargo runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "cargo tree: {said}");
    let lines = String::from_utf8_lossy(&output.stdout).into_owned();
    lines
        .lines()
        .filter_map(|line| line.split(' ').next())
        .map(str::to_owned)
        .collect()
}
