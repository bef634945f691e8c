//! The TLS certificate: read at the start, and again whenever its files change.

use std::fs::{self, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use rustls::crypto::aws_lc_rs::default_provider;
use rustls::server::ServerConfig;
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio::task::spawn_blocking;
use tokio::time::sleep;
use tokio_rustls::TlsAcceptor;
use zeroize::Zeroizing;

use super::config::TlsFiles;

/// The ALPN name by which HTTP/2 is agreed upon (RFC 9113 §3.2).
pub(super) const ALPN_HTTP2: &[u8] = b"h2";
const ALPN_HTTP1: &[u8] = b"http/1.1";

/// Why the TLS files cannot be used. Names the file, never shows what is in it.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The file is not there.
    #[error("the TLS file {} does not exist: correct server.tls, or put the file there", path.display())]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// The file is there and cannot be read.
    #[error("the TLS file {} cannot be read ({source}): give this user the right to read it", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// No certificate in PEM in it.
    #[error("{} holds no certificate: server.tls.cert wants PEM with a BEGIN CERTIFICATE line", path.display())]
    NoCertificate {
        /// The file.
        path: PathBuf,
    },
    /// No private key in PEM in it.
    #[error(
        "{} holds no private key that can be read: server.tls.key wants PEM, without a pass phrase",
        path.display()
    )]
    NoKey {
        /// The file.
        path: PathBuf,
    },
    /// The two do not belong together.
    #[error(
        "the key in {} does not belong to the certificate in {}: server.tls.cert wants the server's own \
         certificate first, then its intermediates",
        key.display(),
        cert.display()
    )]
    Mismatch {
        /// The certificate's file.
        cert: PathBuf,
        /// The key's file.
        key: PathBuf,
    },
    /// The TLS library will not have them.
    #[error("the certificate in {} and its key cannot be used: {source}", cert.display())]
    Unusable {
        /// The certificate's file.
        cert: PathBuf,
        /// What the library said.
        source: rustls::Error,
    },
}

/// The certificate in use.
#[derive(Debug)]
pub(super) struct Certificate {
    files: TlsFiles,
    /// How the files looked before they were first read.
    first_look: [Look; 2],
    current: RwLock<Arc<ServerConfig>>,
}

/// How a file looked, so that a change is noticed without reading it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Look(Option<(u64, Option<SystemTime>)>);

impl Certificate {
    /// Reads the files and checks that they belong together. Blocks for the time of the reading.
    pub(super) fn read(files: TlsFiles) -> Result<Self, TlsError> {
        let first_look = look(&files);
        let current = RwLock::new(server_config(&files)?);
        Ok(Self {
            files,
            first_look,
            current,
        })
    }

    /// For the next handshake.
    pub(super) fn acceptor(&self) -> TlsAcceptor {
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
        TlsAcceptor::from(Arc::clone(&current))
    }

    /// Looks at the files every so often, for ever. A pair that cannot be used is said once in the log, and
    /// the one in use stays: files are seldom replaced both in the same instant.
    pub(super) async fn keep_fresh(self: Arc<Self>, interval: Duration) {
        let mut seen = self.first_look.clone();
        loop {
            sleep(interval).await;
            let this = Arc::clone(&self);
            let before = seen.clone();
            if let Ok(now) = spawn_blocking(move || this.refresh(before)).await {
                seen = now;
            }
        }
    }

    /// Reads the files again if they look other than they did. They are looked at before they are read, so
    /// that a change in between is found the next time.
    fn refresh(&self, seen: [Look; 2]) -> [Look; 2] {
        let now = look(&self.files);
        if now == seen {
            return seen;
        }
        match server_config(&self.files) {
            Ok(fresh) => {
                *self.current.write().unwrap_or_else(PoisonError::into_inner) = fresh;
                tracing::info!(cert = %self.files.cert.display(), "TLS certificate reloaded");
            }
            Err(error) => {
                tracing::error!(%error, "changed TLS files cannot be used; the certificate in use stays");
            }
        }
        now
    }
}

fn look(files: &TlsFiles) -> [Look; 2] {
    [Look::at(&files.cert), Look::at(&files.key)]
}

impl Look {
    fn at(path: &Path) -> Self {
        Self(
            fs::metadata(path)
                .ok()
                .map(|data| (data.len(), data.modified().ok())),
        )
    }
}

fn server_config(files: &TlsFiles) -> Result<Arc<ServerConfig>, TlsError> {
    let unusable = |source| TlsError::Unusable {
        cert: files.cert.clone(),
        source,
    };
    // Named here, not taken from the process: a dependency that brings a second provider would otherwise
    // turn the implicit choice into a panic.
    let provider = Arc::new(default_provider());
    let chain = certificates(&files.cert)?;
    let pair =
        CertifiedKey::from_der(chain, private_key(&files.key)?, &provider).map_err(|error| match error {
            rustls::Error::InconsistentKeys(_) => TlsError::Mismatch {
                cert: files.cert.clone(),
                key: files.key.clone(),
            },
            source => unusable(source),
        })?;
    // The safe defaults are TLS 1.2 and 1.3.
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(unusable)?
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(SingleCertAndKey::from(pair)));
    config.alpn_protocols = vec![ALPN_HTTP2.to_vec(), ALPN_HTTP1.to_vec()];
    Ok(Arc::new(config))
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let none = || TlsError::NoCertificate {
        path: path.to_owned(),
    };
    let pem = fs::read(path).map_err(|error| unreadable(path, error))?;
    let chain: Vec<_> = CertificateDer::pem_slice_iter(&pem)
        .collect::<Result<_, _>>()
        .map_err(|_| none())?;
    if chain.is_empty() { Err(none()) } else { Ok(chain) }
}

fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    let pem = Zeroizing::new(fs::read(path).map_err(|error| unreadable(path, error))?);
    if fs::metadata(path).is_ok_and(|data| open_to_others(&data)) {
        tracing::warn!(key = %path.display(), "the TLS key can be read by other users: chmod 600 it");
    }
    // The parser's error may quote the file, which is the one thing that must not reach a log.
    PrivateKeyDer::from_pem_slice(&pem).map_err(|_| TlsError::NoKey {
        path: path.to_owned(),
    })
}

fn unreadable(path: &Path, source: io::Error) -> TlsError {
    let path = path.to_owned();
    match source.kind() {
        io::ErrorKind::NotFound => TlsError::Missing { path },
        _ => TlsError::Unreadable { path, source },
    }
}

#[cfg(unix)]
fn open_to_others(file: &Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    file.permissions().mode() & 0o077 != 0
}

#[cfg(not(unix))]
fn open_to_others(_: &Metadata) -> bool {
    false
}
