//! Certificates and keys. Of a certificate only the key counts: it is pinned by the operator or by the provider's metadata, so neither
//! its dates nor who issued it say anything more.

use std::fmt;

use aws_lc_rs::rsa::PublicEncryptingKey;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bergshamra::keys::loader::{load_pem_auto, load_x509_cert_der};
use bergshamra::{Key, KeysManager};
use domain::secret::Secret;

use crate::config::SamlHash;
use crate::signature::{is_allowed_signature, signature_uri};

/// Most certificates that count at once: a provider changes from one to the next.
const MOST: usize = 16;
const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
const END: &str = "-----END CERTIFICATE-----";

/// The keys that a provider may sign with.
#[derive(Clone, Default)]
pub struct TrustedKeys(Vec<Key>);

/// What is wrong with a certificate or key, in words for an operator.
pub type KeyFault = String;

impl fmt::Debug for TrustedKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TrustedKeys({})", self.0.len())
    }
}

impl TrustedKeys {
    /// The keys of certificates, each DER.
    pub fn of(certificates: &[Vec<u8>]) -> Result<Self, KeyFault> {
        if certificates.len() > MOST {
            return Err(format!("there are more than {MOST} certificates"));
        }
        let keys: Result<Vec<Key>, KeyFault> = certificates.iter().map(|der| public_key(der)).collect();
        keys.map(Self)
    }

    /// Whether there is none.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// These and others.
    #[must_use]
    pub fn with(mut self, others: &Self) -> Self {
        self.0.extend(others.0.iter().cloned());
        self
    }

    /// As bergshamra takes them.
    pub fn manager(&self) -> KeysManager {
        let mut manager = KeysManager::new();
        manager.add_keys(self.0.iter().cloned());
        manager
    }

    /// Whether one of them signed these bytes by that algorithm, which must be an allowed one.
    pub fn verify(&self, algorithm: &str, bytes: &[u8], signature: &[u8]) -> bool {
        if !is_allowed_signature(algorithm) {
            return false;
        }
        let Ok(verifier) = bergshamra::crypto::sign::from_uri(algorithm) else {
            return false;
        };
        self.0.iter().any(|key| {
            let fits = bergshamra::crypto::sign::key_algorithm_matches_signature_uri(
                algorithm,
                key.data.algorithm(),
            );
            let ready = key.to_signing_key().ok().flatten().filter(|_| fits);
            ready.is_some_and(|ready| verifier.verify(&ready, bytes, signature).unwrap_or(false))
        })
    }
}

/// The certificates in a text: PEM, one or several, or the bare base64 of one.
pub fn read_certificates(text: &str) -> Result<Vec<Vec<u8>>, KeyFault> {
    let bodies: Vec<&str> = if text.contains(BEGIN) {
        let pieces = text.split(BEGIN).skip(1);
        let bodies: Option<Vec<&str>> = pieces
            .map(|piece| piece.split_once(END).map(|(body, _)| body))
            .collect();
        bodies.ok_or("a certificate does not end")?
    } else {
        vec![text]
    };
    bodies.into_iter().map(read_base64).collect()
}

fn read_base64(body: &str) -> Result<Vec<u8>, KeyFault> {
    let body: String = body.split_ascii_whitespace().collect();
    let der = STANDARD
        .decode(body)
        .map_err(|_| "this is no certificate: neither PEM nor base64")?;
    if der.is_empty() {
        return Err("the certificate is empty".to_owned());
    }
    Ok(der)
}

/// The key of a certificate: RSA of at least 2048 bits, or on one of NIST's curves.
fn public_key(der: &[u8]) -> Result<Key, KeyFault> {
    let key = load_x509_cert_der(der).map_err(|_| "the certificate cannot be read")?;
    judge_strength(&key)?;
    Ok(key)
}

fn judge_strength(key: &Key) -> Result<(), KeyFault> {
    match key.algorithm_name() {
        "RSA" => {
            let spki = key.to_spki_der().ok_or("the RSA key cannot be read")?;
            let read = PublicEncryptingKey::from_der(&spki).ok();
            let strong = read.is_some_and(|key| (2048..=8192).contains(&key.key_size_bits()));
            strong
                .then_some(())
                .ok_or_else(|| "an RSA key must have 2048 to 8192 bits".to_owned())
        }
        "EC-P256" | "EC-P384" | "EC-P521" => Ok(()),
        other => Err(format!(
            "keys of the kind {other} are not taken: use RSA or an elliptic curve"
        )),
    }
}

/// A private key of our own.
#[derive(Clone)]
pub struct OwnKey(Key);

impl fmt::Debug for OwnKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OwnKey(…)")
    }
}

impl OwnKey {
    /// From PEM (PKCS#8, or PKCS#1 for RSA), or the bare base64 of PKCS#8.
    pub fn read(text: &Secret) -> Result<Self, KeyFault> {
        let text = text.expose().trim();
        let wrapped;
        let pem = if text.starts_with("-----BEGIN") {
            text
        } else {
            wrapped = Secret::new(format!(
                "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
                folded(text)
            ));
            wrapped.expose()
        };
        let key = load_pem_auto(pem.as_bytes(), None).ok();
        let key = key.filter(Key::has_private_key);
        let key = key.ok_or("this is no private key in PEM, or it is encrypted")?;
        judge_strength(&key)?;
        Ok(Self(key))
    }

    /// Whether it is one that something can be encrypted for.
    pub fn is_rsa(&self) -> bool {
        self.0.algorithm_name() == "RSA"
    }

    /// Whether a certificate is this key's.
    pub fn fits(&self, certificate: &[u8]) -> bool {
        let theirs = public_key(certificate).ok().and_then(|key| key.to_spki_der());
        theirs.is_some() && theirs == self.0.to_spki_der()
    }

    /// What it signs by.
    pub fn algorithm(&self, hash: SamlHash) -> &'static str {
        signature_uri(&self.0, hash)
    }

    /// Signs bytes; none where the library cannot.
    pub fn sign(&self, hash: SamlHash, bytes: &[u8]) -> Option<Vec<u8>> {
        let signer = bergshamra::crypto::sign::from_uri(self.algorithm(hash)).ok()?;
        let key = self.0.to_signing_key().ok()??;
        signer.sign(&key, bytes).ok()
    }

    /// As bergshamra takes it.
    pub const fn key(&self) -> &Key {
        &self.0
    }
}

/// Lines of 64, as PEM wants them.
fn folded(base64: &str) -> String {
    let letters: Vec<char> = base64
        .chars()
        .filter(|letter| !letter.is_ascii_whitespace())
        .collect();
    let lines: Vec<String> = letters.chunks(64).map(|line| line.iter().collect()).collect();
    lines.join("\n")
}
