#![doc = include_str!("../README.md")]

mod config;
mod engine;
mod memory;
mod pool;
mod priority;
mod stored;

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use domain::credential::{Password, PasswordHash};
use domain::ports::{PasswordHasher, PortError, Verified};

pub use config::{ConfigError, HashConfig};
use engine::Engine;
use pool::{Bounds, Kind, Pool};

/// The hasher: cheap to build, its threads start with the first call.
pub struct Hasher {
    engine: Arc<Engine>,
    pool: Pool,
}

impl Hasher {
    /// A hasher of these costs and bounds.
    ///
    /// # Errors
    /// [`ConfigError`] for costs that Argon2 does not know or that this crate would refuse in a stored hash, and for a pool
    /// without workers or places.
    pub fn new(config: HashConfig) -> Result<Self, ConfigError> {
        let params = config.params()?;
        let bounds = Bounds::of(config, params.block_count());
        Ok(Self {
            engine: Arc::new(Engine::new(params)),
            pool: Pool::new(bounds),
        })
    }
}

#[async_trait]
impl PasswordHasher for Hasher {
    async fn hash(&self, password: &Password) -> Result<PasswordHash, PortError> {
        let engine = Arc::clone(&self.engine);
        let password = password.clone();
        self.pool
            .run(Kind::Hash, move |memory| engine.hash(&password, memory))
            .await?
    }

    async fn verify(
        &self,
        password: &Password,
        hash: Option<&'_ PasswordHash>,
    ) -> Result<Verified, PortError> {
        let engine = Arc::clone(&self.engine);
        let password = password.clone();
        let hash = hash.cloned();
        self.pool
            .run(Kind::Verify, move |memory| {
                engine.verify(&password, hash.as_ref(), memory)
            })
            .await?
    }
}

impl fmt::Debug for Hasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hasher")
            .field("engine", &self.engine)
            .finish_non_exhaustive()
    }
}
