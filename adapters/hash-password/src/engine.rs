//! Hashing itself, on whatever thread it is called.

use std::fmt;
use std::hint::black_box;

use argon2::password_hash::phc::{Output, Salt};
use argon2::{Algorithm, Argon2, Params, Version};
use domain::credential::{Password, PasswordHash};
use domain::ports::{PortError, Verified};
use zeroize::Zeroizing;

use crate::config::OUTPUT_BYTES;
use crate::memory::Memory;
use crate::stored::{Argon2idHash, Stored, fits_bcrypt};

/// Length of a new salt in bytes: 128 bits, as RFC 9106 section 3.1 recommends for passwords.
const SALT_BYTES: usize = 16;

/// Makes and checks hashes at one configured cost.
pub struct Engine {
    params: Params,
}

impl Engine {
    /// An engine for new hashes of these costs.
    pub const fn new(params: Params) -> Self {
        Self { params }
    }

    /// A new hash of a password, with a salt of its own.
    pub fn hash(&self, password: &Password, memory: &mut Memory) -> Result<PasswordHash, PortError> {
        let mut salt = [0; SALT_BYTES];
        getrandom::fill(&mut salt).map_err(PortError::unavailable)?;
        let salt = Salt::new(&salt).map_err(PortError::unavailable)?;
        let output = derive(&self.params, &salt, password, memory)?;
        let (m, t, p) = (self.params.m_cost(), self.params.t_cost(), self.params.p_cost());
        Ok(PasswordHash::new(format!(
            "$argon2id$v=19$m={m},t={t},p={p}${salt}${output}"
        )))
    }

    /// Compares a password with a stored hash. Without one that can be compared it works as hard and says `Wrong`.
    pub fn verify(
        &self,
        password: &Password,
        hash: Option<&PasswordHash>,
        memory: &mut Memory,
    ) -> Result<Verified, PortError> {
        match hash.and_then(|hash| Stored::read(hash.as_str())) {
            Some(Stored::Argon2id(stored)) => self.verify_argon2id(password, &stored, memory),
            Some(Stored::Bcrypt(stored)) if fits_bcrypt(password.expose()) => {
                Ok(self.verify_bcrypt(password, stored, memory))
            }
            Some(Stored::Bcrypt(_)) | None => self.pretend(password, memory),
        }
    }

    fn verify_argon2id(
        &self,
        password: &Password,
        stored: &Argon2idHash,
        memory: &mut Memory,
    ) -> Result<Verified, PortError> {
        let output = derive(&stored.params, &stored.salt, password, memory)?;
        // `Output` compares in constant time.
        Ok(if output != stored.output {
            Verified::Wrong
        } else if self.is_current(stored) {
            Verified::Right
        } else {
            self.renewed(password, memory)
        })
    }

    fn verify_bcrypt(&self, password: &Password, stored: &str, memory: &mut Memory) -> Verified {
        // An error means that the text only looked like a hash.
        if bcrypt::verify(password.expose(), stored).unwrap_or(false) {
            self.renewed(password, memory)
        } else {
            Verified::Wrong
        }
    }

    /// A right password with a fresh hash; without one when it cannot be made now, for that is no reason to send anyone away.
    fn renewed(&self, password: &Password, memory: &mut Memory) -> Verified {
        self.hash(password, memory)
            .map_or(Verified::Right, Verified::RightAndRehashed)
    }

    /// Does the work of a current hash for nothing, so that the answer takes as long as any other.
    fn pretend(&self, password: &Password, memory: &mut Memory) -> Result<Verified, PortError> {
        let salt = Salt::new(&[0; SALT_BYTES]).map_err(PortError::unavailable)?;
        black_box(derive(&self.params, &salt, password, memory)?);
        Ok(Verified::Wrong)
    }

    /// Whether a stored hash is as a new one would be.
    fn is_current(&self, stored: &Argon2idHash) -> bool {
        stored.params == self.params && stored.salt.len() == SALT_BYTES
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (m, t, p) = (self.params.m_cost(), self.params.t_cost(), self.params.p_cost());
        write!(f, "Argon2id(m={m},t={t},p={p})")
    }
}

/// Argon2id, version 0x13 (RFC 9106).
fn derive(
    params: &Params,
    salt: &Salt,
    password: &Password,
    memory: &mut Memory,
) -> Result<Output, PortError> {
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params.clone());
    let mut space = Zeroizing::new([0; Output::MAX_LENGTH]);
    let length = params.output_len().unwrap_or(OUTPUT_BYTES);
    let output = space
        .get_mut(..length)
        .ok_or_else(|| PortError::corrupt("password hash"))?;
    memory
        .with(params.block_count(), |blocks| {
            argon2.hash_password_into_with_memory(password.expose().as_bytes(), salt, output, blocks)
        })
        .map_err(PortError::unavailable)?
        .map_err(PortError::unavailable)?;
    Output::new(output).map_err(PortError::unavailable)
}
