//! Where the server's binary is.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use serde_json::Value;

/// The binary to test: `$PORTCULLIS_BIN` if that is there, else what cargo makes of the default bundle with Kerberos, once per
/// process.
///
/// # Panics
/// When the server does not compile.
pub fn portcullis() -> PathBuf {
    static PATH: OnceLock<PathBuf> = OnceLock::new();
    PATH.get_or_init(|| given().unwrap_or_else(build)).clone()
}

fn given() -> Option<PathBuf> {
    let path = PathBuf::from(std::env::var_os("PORTCULLIS_BIN")?);
    path.is_file().then_some(path)
}

fn build() -> PathBuf {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let built = Command::new(cargo)
        .args([
            "build",
            "--quiet",
            "-p",
            "portcullis",
            "--features",
            "identity-kerberos",
        ])
        .arg("--message-format=json")
        .stderr(Stdio::inherit())
        .output()
        .expect("cargo runs");
    assert!(built.status.success(), "the server does not compile");
    let messages = String::from_utf8(built.stdout).expect("cargo writes UTF-8");
    let executable = messages
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(|message| {
            message
                .pointer("/target/name")
                .is_some_and(|name| name == "portcullis")
        })
        .find_map(|message| message.get("executable")?.as_str().map(PathBuf::from));
    executable.unwrap_or_else(|| panic!("cargo names no executable in: {messages}"))
}
