//! What all measurements share: the binary, folders that go away, servers to order.

use std::env;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use tempfile::TempDir;

use crate::Fault;
use crate::options::Options;
use crate::process::Server;

/// The entries of other login services, beside the configuration.
const PROVIDERS: &str = "providers.json";

/// The workplace of one run.
#[derive(Debug)]
pub struct Lab {
    /// What was asked for.
    pub options: Options,
    folder: TempDir,
    portcullis: PathBuf,
    bench: PathBuf,
}

/// Which of the bare servers.
#[derive(Clone, Copy, Debug)]
pub enum Bare {
    /// Behind our accept loop.
    Loop,
    /// Plain warp.
    Warp,
}

/// Threads of a server's runtime.
#[derive(Clone, Copy, Debug)]
pub enum Workers {
    /// One, so that the load generator has a core of its own and the server is what limits.
    One,
    /// As many as the server takes by itself.
    Default,
}

impl Lab {
    /// Finds the binaries and makes a folder.
    pub fn open(options: Options) -> Result<Self, Fault> {
        let bench = env::current_exe()?;
        if options.server.is_none() {
            build()?;
        }
        let beside = || bench.with_file_name("portcullis");
        let portcullis = options.server.clone().unwrap_or_else(beside);
        if !portcullis.is_file() {
            return Err(format!(
                "there is no {}: cargo build --release -p portcullis",
                portcullis.display()
            )
            .into());
        }
        if is_debug(&portcullis) {
            return Err(format!(
                "{} is a debug build: figures of it say nothing",
                portcullis.display()
            )
            .into());
        }
        let folder = tempfile::Builder::new().prefix("portcullis-bench-").tempdir()?;
        Ok(Self {
            options,
            folder,
            portcullis,
            bench,
        })
    }

    /// What a reader must know to compare.
    pub fn facts(&self) -> Vec<(&'static str, String)> {
        let cores = thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let processor = fs::read_to_string("/proc/cpuinfo").ok().and_then(|text| {
            let line = text.lines().find_map(|line| line.strip_prefix("model name"))?;
            Some(line.trim_start_matches(['\t', ' ', ':']).to_owned())
        });
        let load = fs::read_to_string("/proc/loadavg").ok();
        let load = load.and_then(|text| Some(text.split_ascii_whitespace().next()?.to_owned()));
        let size = fs::metadata(&self.portcullis).map_or(0, |meta| meta.len());
        let options = &self.options;
        vec![
            ("cores", cores.to_string()),
            ("processor", processor.unwrap_or_else(|| "unknown".to_owned())),
            // Well above zero means that others use the machine too, and that spreads are wide.
            ("load before", load.unwrap_or_else(|| "unknown".to_owned())),
            ("rounds", options.rounds.to_string()),
            ("turn", format!("{} ms", options.turn)),
            ("connections", options.connections.to_string()),
            ("binary", format!("{} KiB", size / 1024)),
        ]
    }

    /// A folder of this run.
    pub fn folder(&self, name: &str) -> Result<PathBuf, Fault> {
        let path = self.folder.path().join(name);
        fs::create_dir_all(&path)?;
        Ok(path)
    }

    /// Starts Portcullis on the data in a folder of this run; the same name finds the same data. Limits are off: they are there
    /// to stop what a bench does.
    pub fn portcullis(&self, name: &str, workers: Workers) -> Result<Server, Fault> {
        let folder = self.folder(name)?;
        let config = folder.join("portcullis.toml");
        fs::write(&config, configuration(&folder)?)?;
        let mut command = Command::new(&self.portcullis);
        command.arg("--config").arg(&config);
        command.stderr(File::create(folder.join("log"))?);
        start(command, workers)
    }

    /// The same, with entries of other login services.
    pub fn portcullis_with(
        &self,
        name: &str,
        workers: Workers,
        entries: &serde_json::Value,
    ) -> Result<Server, Fault> {
        fs::write(self.folder(name)?.join(PROVIDERS), entries.to_string())?;
        self.portcullis(name, workers)
    }

    /// Starts a bare server that answers what was recorded in a folder.
    pub fn bare(&self, kind: Bare, answers: &Path) -> Result<Server, Fault> {
        let mut command = Command::new(&self.bench);
        command.arg(match kind {
            Bare::Loop => "serve-bare-loop",
            Bare::Warp => "serve-bare-warp",
        });
        command.arg("--answers").arg(answers);
        start(command, Workers::One)
    }
}

/// Brings the server up to date when cargo started this program: figures of yesterday's binary would say nothing.
fn build() -> Result<(), Fault> {
    let Some(cargo) = env::var_os("CARGO") else {
        return Ok(());
    };
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../Cargo.toml");
    let mut command = Command::new(cargo);
    command.args(["build", "--release", "-p", "portcullis", "--manifest-path"]);
    if command.arg(workspace).status()?.success() {
        Ok(())
    } else {
        Err("the server could not be built".into())
    }
}

fn start(mut command: Command, workers: Workers) -> Result<Server, Fault> {
    let ours = |name: &OsStr| name.as_encoded_bytes().starts_with(b"PORTCULLIS");
    for (name, _) in env::vars_os().filter(|(name, _)| ours(name)) {
        command.env_remove(name);
    }
    match workers {
        Workers::One => command.env("TOKIO_WORKER_THREADS", "1"),
        Workers::Default => command.env_remove("TOKIO_WORKER_THREADS"),
    };
    Server::start(command)
}

fn is_debug(binary: &Path) -> bool {
    let folder = binary.canonicalize().ok();
    folder.and_then(|path| Some(path.parent()?.file_name()? == "debug")) == Some(true)
}

fn configuration(folder: &Path) -> Result<String, Fault> {
    let folder = folder.to_str().ok_or("the temporary folder's name is no text")?;
    let providers = if Path::new(folder).join(PROVIDERS).is_file() {
        format!("[providers]\nfile = \"{folder}/{PROVIDERS}\"\n")
    } else {
        String::new()
    };
    Ok(format!(
        "[server]\nlisten = \"127.0.0.1:0\"\n\
         [storage]\nurl = \"sqlite://{folder}/portcullis.db\"\n\
         [secrets]\nkey_file = \"{folder}/portcullis.key\"\n\
         [limits]\nenabled = false\n\
         {providers}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_binary_in_a_debug_folder_is_a_debug_build() {
        let folder = tempfile::tempdir().unwrap();
        for (name, expected) in [("debug", true), ("release", false)] {
            let binary = folder.path().join(name).join("portcullis");
            fs::create_dir_all(binary.parent().unwrap()).unwrap();
            fs::write(&binary, b"").unwrap();
            assert_eq!(is_debug(&binary), expected, "{name}");
        }
    }

    #[test]
    fn the_server_listens_on_the_loopback_interface_alone() {
        let text = configuration(Path::new("/tmp/x")).unwrap();
        assert!(text.contains("listen = \"127.0.0.1:0\""));
    }
}
