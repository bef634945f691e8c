//! Certificates for servers that shall speak TLS, made by `openssl`.

use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::program::Program;
use crate::trouble::{Trouble, or_fail};

/// A certificate for `localhost` and 127.0.0.1, its key, and the authority that signed it: three PEM files, gone with this value.
#[derive(Debug)]
pub struct Certificate {
    folder: TempDir,
}

impl Certificate {
    /// A new one of a new authority, good for a day.
    ///
    /// # Panics
    /// When `openssl` is missing or fails.
    pub fn new() -> Self {
        or_fail(Self::make())
    }

    /// What a client must trust.
    pub fn authority(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// The server's certificate.
    pub fn certificate(&self) -> PathBuf {
        self.folder.path().join("server.pem")
    }

    /// The server's key.
    pub fn key(&self) -> PathBuf {
        self.folder.path().join("server.key")
    }

    fn make() -> Result<Self, Trouble> {
        let folder = crate::home::folder("certificate")?;
        let made = Self { folder };
        let own = made.folder.path();
        let authority_key = own.join("ca.key");
        request(&made.authority(), &authority_key)
            .args([
                "-subj",
                "/CN=tests",
                "-addext",
                "keyUsage=critical,keyCertSign,cRLSign",
            ])
            .output()?;
        request(&made.certificate(), &made.key())
            .args([
                "-subj",
                "/CN=localhost",
                "-addext",
                "subjectAltName=DNS:localhost,IP:127.0.0.1",
            ])
            .args([
                "-addext",
                "basicConstraints=critical,CA:FALSE",
                "-addext",
                "extendedKeyUsage=serverAuth",
            ])
            .arg("-CA")
            .arg(made.authority())
            .arg("-CAkey")
            .arg(authority_key)
            .output()?;
        Ok(made)
    }
}

impl Default for Certificate {
    fn default() -> Self {
        Self::new()
    }
}

fn request(certificate: &Path, key: &Path) -> Program {
    or_fail(Program::named("openssl"))
        .args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-days",
            "1",
        ])
        .arg("-out")
        .arg(certificate)
        .arg("-keyout")
        .arg(key)
}
