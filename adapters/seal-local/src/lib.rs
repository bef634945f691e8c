#![doc = include_str!("../README.md")]

mod envelope;
mod ring;

use std::sync::{Arc, PoisonError, RwLock};

use async_trait::async_trait;
use domain::ports::{PortError, SealBinding, Sealer};
use domain::secret::{Sealed, Secret};

pub use ring::{SealKey, SealerError};

use ring::Ring;

/// Seals under the newest of its keys and opens what any of them sealed.
#[derive(Debug)]
pub struct LocalSealer {
    ring: RwLock<Arc<Ring>>,
}

impl LocalSealer {
    /// A sealer with these keys, the newest first.
    ///
    /// # Errors
    /// [`SealerError::NoKey`] when there is none, [`SealerError::BadKeyId`] and [`SealerError::DoubledKeyId`] for ids that will
    /// not do, [`SealerError::Derivation`] when the cryptographic library refuses to derive a key.
    pub fn new(keys: Vec<SealKey>) -> Result<Self, SealerError> {
        Ok(Self {
            ring: RwLock::new(Arc::new(Ring::new(keys)?)),
        })
    }

    /// Exchanges the keys while others seal and open. What only a missing key can open will not open any more.
    ///
    /// # Errors
    /// As [`LocalSealer::new`]; the former keys stay in use.
    pub fn replace(&self, keys: Vec<SealKey>) -> Result<(), SealerError> {
        let ring = Arc::new(Ring::new(keys)?);
        *self.ring.write().unwrap_or_else(PoisonError::into_inner) = ring;
        Ok(())
    }

    /// The keys as they are now: one call works with one ring from beginning to end.
    fn ring(&self) -> Arc<Ring> {
        Arc::clone(&self.ring.read().unwrap_or_else(PoisonError::into_inner))
    }
}

#[async_trait]
impl Sealer for LocalSealer {
    async fn seal(&self, secret: &Secret, binding: &SealBinding) -> Result<Sealed, PortError> {
        envelope::seal(&self.ring(), secret, binding)
    }

    async fn open(&self, sealed: &Sealed, binding: &SealBinding) -> Result<Secret, PortError> {
        envelope::open(&self.ring(), sealed, binding)
    }

    fn is_current(&self, sealed: &Sealed) -> bool {
        envelope::key_id(sealed).is_some_and(|id| id == self.ring().newest().id)
    }
}

/// The id of the key a value was sealed under, as 16 hexadecimal digits; `None` for what is no sealed value.
pub fn key_id_of(sealed: &Sealed) -> Option<String> {
    envelope::key_id(sealed).map(ring::digits)
}
