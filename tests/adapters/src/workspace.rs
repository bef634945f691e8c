//! A copy of the workspace, to be changed.

use std::env;
use std::ffi::OsString;
use std::fs::{self, File};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::Step;

/// A copy of every file of the workspace that is under version control, or would be. It goes when it is dropped.
#[derive(Debug)]
pub struct Workspace {
    root: PathBuf,
    /// Held as long as the copy is there: another run waits for its turn.
    _turn: File,
}

impl Drop for Workspace {
    fn drop(&mut self) {
        // What cannot be removed is removed by the next run.
        let _ = fs::remove_dir_all(&self.root);
    }
}

impl Workspace {
    /// Copies the workspace these tests belong to. The place must be the same at every run: paths are compiled into tests, and
    /// cargo takes what it compiled for the place before as good for this one.
    ///
    /// # Errors
    /// What the system says.
    pub fn copy_to(root: &Path) -> io::Result<Self> {
        let turn = File::create(root.with_extension("lock"))?;
        turn.lock()?;
        if root.exists() {
            fs::remove_dir_all(root)?;
        }
        fs::create_dir_all(root)?;
        let copy = Self {
            root: root.to_path_buf(),
            _turn: turn,
        };
        let listed = Command::new("git")
            .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
            .current_dir(original())
            .output()?;
        if !listed.status.success() {
            return Err(io::Error::other(String::from_utf8_lossy(&listed.stderr)));
        }
        for path in String::from_utf8_lossy(&listed.stdout).split_terminator('\0') {
            copy.take(Path::new(path))?;
        }
        copy.rename()?;
        Ok(copy)
    }

    /// Where it is.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// A file's text.
    ///
    /// # Errors
    /// Names the file.
    pub fn read(&self, path: &str) -> io::Result<String> {
        fs::read_to_string(self.root().join(path)).map_err(|error| about(path, &error))
    }

    /// Writes a file, with the folders it stands in.
    ///
    /// # Errors
    /// Names the file.
    pub fn write(&self, path: &str, text: &str) -> io::Result<()> {
        let target = self.root().join(path);
        fs::create_dir_all(target.parent().unwrap_or(&target))?;
        fs::write(&target, text).map_err(|error| about(path, &error))
    }

    /// Does what a page says.
    ///
    /// # Errors
    /// A file that is there already; lines to change that do not stand there exactly once; a command that fails.
    pub fn follow(&self, step: &Step) -> io::Result<()> {
        match step {
            Step::File { path, .. } if self.root().join(path).exists() => {
                Err(io::Error::other(format!("{path} is there already")))
            }
            Step::File { path, text } => self.write(path, text),
            Step::Change { path, old, new } => self.write(path, &changed(path, &self.read(path)?, old, new)?),
            Step::Run(commands) => {
                let output = self.shell(commands).output()?;
                if output.status.success() {
                    return Ok(());
                }
                Err(io::Error::other(format!("{commands}{}", said(&output))))
            }
        }
    }

    /// Commands as somebody at the root of the copy would type them. What is built there is found by its name.
    pub fn shell(&self, commands: &str) -> Command {
        let mut shell = Command::new("bash");
        shell.args(["-euo", "pipefail", "-c", commands]);
        shell.current_dir(self.root());
        // What cargo and nextest tell their tests is not meant for the copy.
        let told = [
            "CARGO_MANIFEST",
            "CARGO_PKG_",
            "CARGO_BIN_",
            "CARGO_CRATE_",
            "NEXTEST",
            "PORTCULLIS",
            "RUSTFLAGS",
        ];
        for (name, _) in env::vars_os() {
            if told.iter().any(|told| name.to_string_lossy().starts_with(told)) {
                shell.env_remove(name);
            }
        }
        let target = self.root().join("target");
        shell.env("PATH", path_with(&target.join("debug")));
        shell.env("CARGO_TARGET_DIR", &target);
        shell.env("CARGO_BUILD_BUILD_DIR", intermediate());
        shell.env("CARGO_NET_OFFLINE", "true");
        shell
    }

    fn take(&self, path: &Path) -> io::Result<()> {
        let (from, to) = (original().join(path), self.root().join(path));
        let Ok(found) = fs::symlink_metadata(&from) else {
            // Listed, but deleted since the last commit.
            return Ok(());
        };
        fs::create_dir_all(to.parent().unwrap_or(&to))?;
        fs::copy(&from, &to)?;
        // Unchanged files must not look new, or cargo compiles them again at every run.
        File::open(&to)?.set_modified(found.modified()?)
    }

    /// Gives the copy a version of its own, made of where it is. Cargo tells our crates by name and version: without it what is
    /// compiled here would be taken for what is compiled in the checkout, or in a copy at another place.
    fn rename(&self) -> io::Result<()> {
        let mut place = DefaultHasher::new();
        self.root.hash(&mut place);
        let manifest = self.read("Cargo.toml")?;
        let key = "[workspace.package]\nversion = \"";
        let parts = manifest.split_once(key).and_then(|(before, rest)| {
            let (version, after) = rest.split_once('"')?;
            Some((before, version, after))
        });
        let (before, version, after) =
            parts.ok_or_else(|| io::Error::other("Cargo.toml: no version was found"))?;
        let place = place.finish();
        self.write(
            "Cargo.toml",
            &format!("{before}{key}{version}-at.x{place:x}\"{after}"),
        )
    }
}

/// The checkout.
fn original() -> &'static Path {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here)
}

/// Where cargo put what this very test was linked of: three levels above it.
fn intermediate() -> PathBuf {
    let built = env::current_exe().ok();
    let found = built.as_deref().and_then(|test| test.ancestors().nth(3));
    found.map_or_else(|| original().join("target"), Path::to_path_buf)
}

fn path_with(first: &Path) -> OsString {
    let rest = env::var_os("PATH").unwrap_or_default();
    let all = std::iter::once(first.to_path_buf()).chain(env::split_paths(&rest));
    env::join_paths(all).unwrap_or(rest.clone())
}

fn changed(path: &str, text: &str, old: &str, new: &str) -> io::Result<String> {
    let padded = format!("\n{text}");
    let wanted = format!("\n{old}");
    match padded.matches(&wanted).count() {
        1 => Ok(padded.replacen(&wanted, &format!("\n{new}"), 1).split_off(1)),
        count => Err(io::Error::other(format!(
            "{path}: these lines stand there {count} times:\n{old}"
        ))),
    }
}

/// What a command printed.
fn said(output: &Output) -> String {
    let (out, err) = (&output.stdout, &output.stderr);
    format!(
        "{}\n{}",
        String::from_utf8_lossy(out),
        String::from_utf8_lossy(err)
    )
}

fn about(path: &str, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{path}: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_changed_where_they_stand_once() {
        let change = |old, new| changed("a", "one\ntwo\nthree\ntwo\n", old, new);
        assert_eq!(change("one\ntwo\n", "1\ntwo\n").unwrap(), "1\ntwo\nthree\ntwo\n");
        assert!(change("two\n", "2\n").is_err(), "twice");
        assert!(change("four\n", "4\n").is_err(), "nowhere");
        assert!(change("wo\n", "2\n").is_err(), "not a whole line");
    }
}
