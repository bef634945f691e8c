use async_trait::async_trait;

use super::PortError;
use crate::secret::Secret;
use crate::signed_token::Claims;

/// The public half of a key that signs: ECDSA on P-256 with SHA-256, `ES256` (RFC 7518 section 3.4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifyingKey {
    /// Its name in the head of what it signed: `kid` (RFC 7515 section 4.1.4).
    pub id: String,
    /// The point's x coordinate, the most significant byte first.
    pub x: [u8; 32],
    /// Its y coordinate.
    pub y: [u8; 32],
}

/// Signs access tokens that services check by themselves.
#[async_trait]
#[cfg_attr(feature = "mock", mockall::automock)]
pub trait TokenSigner: Send + Sync {
    /// Signs claims as a JSON Web Token in the compact form (RFC 7519), of the type `at+jwt` (RFC 9068 section 2.1).
    ///
    /// MUST sign by `ES256`, with a key among [`TokenSigner::keys`] that the head names. MUST change no claim and add none. MUST sign
    /// under the newest key.
    async fn sign(&self, claims: &Claims) -> Result<Secret, PortError>;

    /// The public keys, the newest first: what services check tokens by.
    ///
    /// MUST hold every key whose private half is not thrown away. MUST be the same on every node that has the same keys.
    async fn keys(&self) -> Result<Vec<VerifyingKey>, PortError>;
}
