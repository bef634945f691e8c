//! What hashing costs and how much of it is done at once.

use std::thread;

use argon2::Params;

use crate::stored::{MAX_LANES, MAX_MEMORY_KIB, MAX_WORK_KIB};

/// Length of a new hash in bytes: 256 bits, as RFC 9106 section 4 recommends.
pub const OUTPUT_BYTES: usize = 32;
/// Waiting calls per worker: at 17 ms a hash the last one waits about half a second.
const PLACES_PER_WORKER: usize = 32;
/// More threads than any machine has cores for would only take memory from each other.
const MAX_WORKERS: usize = 1024;
/// A longer queue would answer people who have long gone away.
const MAX_QUEUE: usize = 65_536;

/// The costs of a new hash (RFC 9106 section 3.1) and the bounds of the pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HashConfig {
    /// Memory of one hash in KiB, `m`. Default 19456 (19 MiB), at most 262144.
    pub memory_kib: u32,
    /// Passes over the memory, `t`. Default 2; memory times passes is at most 1 GiB.
    pub iterations: u32,
    /// Lanes, `p`. Default 1, at most 16. One thread computes all lanes of a hash.
    pub parallelism: u32,
    /// Hashes computed at the same time; each takes a core and `memory_kib`. Default: the cores of the machine.
    pub workers: usize,
    /// Calls that may wait while every worker is at work, of them a third for new passwords. Default 32 per worker.
    pub queue: usize,
}

impl Default for HashConfig {
    fn default() -> Self {
        let workers = thread::available_parallelism().map_or(1, usize::from);
        Self {
            memory_kib: 19_456,
            iterations: 2,
            parallelism: 1,
            workers,
            queue: workers.saturating_mul(PLACES_PER_WORKER),
        }
    }
}

/// Why a hasher cannot be built.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// Outside of what Argon2 defines.
    #[error("Argon2 does not know these costs: {0}")]
    Undefined(argon2::Error),
    /// More than this crate would verify: such a hash could be made, but never be used.
    #[error(
        "a hash may cost at most {MAX_MEMORY_KIB} KiB, {MAX_LANES} lanes, and {MAX_WORK_KIB} KiB times passes"
    )]
    TooCostly,
    /// No thread to hash on, or too many.
    #[error("there must be 1 to {MAX_WORKERS} workers")]
    Workers,
    /// No place to wait in, or too many.
    #[error("there must be 1 to {MAX_QUEUE} places in the queue")]
    Queue,
}

impl HashConfig {
    /// The costs as Argon2 takes them, when all of the configuration is sound.
    pub(crate) fn params(self) -> Result<Params, ConfigError> {
        if !(1..=MAX_WORKERS).contains(&self.workers) {
            return Err(ConfigError::Workers);
        }
        if !(1..=MAX_QUEUE).contains(&self.queue) {
            return Err(ConfigError::Queue);
        }
        cost(self.memory_kib, self.iterations, self.parallelism, OUTPUT_BYTES)
    }
}

/// Argon2's parameters, when they are inside the caps: the one gate for configured and for stored costs.
pub fn cost(memory: u32, passes: u32, lanes: u32, output: usize) -> Result<Params, ConfigError> {
    let work = u64::from(memory) * u64::from(passes);
    if memory > MAX_MEMORY_KIB || lanes > MAX_LANES || work > MAX_WORK_KIB {
        return Err(ConfigError::TooCostly);
    }
    Params::new(memory, passes, lanes, Some(output)).map_err(ConfigError::Undefined)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(change: impl FnOnce(&mut HashConfig)) -> Option<ConfigError> {
        let mut config = HashConfig::default();
        change(&mut config);
        config.params().err()
    }

    #[test]
    fn the_default_is_owasps_and_sound() {
        let config = HashConfig::default();
        assert_eq!(
            (config.memory_kib, config.iterations, config.parallelism),
            (19_456, 2, 1)
        );
        assert_eq!(config.params().unwrap().block_count(), 19_456);
    }

    #[test]
    fn costs_we_would_not_verify_cannot_be_configured() {
        assert_eq!(
            refusal(|config| config.memory_kib = MAX_MEMORY_KIB + 1),
            Some(ConfigError::TooCostly)
        );
        assert_eq!(
            refusal(|config| config.iterations = u32::MAX),
            Some(ConfigError::TooCostly)
        );
        assert_eq!(
            refusal(|config| config.parallelism = MAX_LANES + 1),
            Some(ConfigError::TooCostly)
        );
    }

    #[test]
    fn costs_unknown_to_argon2_and_empty_pools_are_refused() {
        assert!(matches!(
            refusal(|config| config.memory_kib = 7),
            Some(ConfigError::Undefined(_))
        ));
        assert!(matches!(
            refusal(|config| config.iterations = 0),
            Some(ConfigError::Undefined(_))
        ));
        assert!(matches!(
            refusal(|config| config.parallelism = 0),
            Some(ConfigError::Undefined(_))
        ));
        assert_eq!(refusal(|config| config.workers = 0), Some(ConfigError::Workers));
        assert_eq!(
            refusal(|config| config.workers = usize::MAX),
            Some(ConfigError::Workers)
        );
        assert_eq!(refusal(|config| config.queue = 0), Some(ConfigError::Queue));
        assert_eq!(
            refusal(|config| config.queue = usize::MAX),
            Some(ConfigError::Queue)
        );
    }
}
