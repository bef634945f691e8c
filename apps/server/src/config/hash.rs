//! `[hash]`: what a password costs.

use super::read::Reader;

/// The weakest setting accepted: memory in KiB, and memory times iterations. Both are the lowest of the
/// equivalent Argon2id settings in OWASP's Password Storage Cheat Sheet (7 MiB, five iterations).
const LEAST_MEMORY: u64 = 7168;
const LEAST_WORK: u64 = 7168 * 5;
/// The dearest setting accepted, in the same units: the hasher refuses to verify anything beyond.
const MOST_MEMORY: u64 = 262_144;
const MOST_WORK: u64 = 1_048_576;

/// Settings of Argon2id and of the pool that runs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hash {
    /// Memory of one hash, in KiB.
    pub memory_kib: u64,
    /// Passes over the memory.
    pub iterations: u64,
    /// Lanes.
    pub parallelism: u64,
    /// Hashes at a time.
    pub workers: u64,
    /// Hashes that may wait; more are refused with 503.
    pub queue: u64,
}

impl Hash {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let cores = u64::try_from(cores).unwrap_or(1).clamp(1, 1024);
        let workers = reader.number_shown("workers", "number of cores", cores, 1..=1024);
        let hash = Self {
            memory_kib: reader.number("memory_kib", 19_456, LEAST_MEMORY..=MOST_MEMORY),
            iterations: reader.number("iterations", 2, 1..=16),
            parallelism: reader.number("parallelism", 1, 1..=16),
            workers,
            queue: reader.number_shown("queue", "32 × workers", workers * 32, 1..=65_536),
        };
        let work = hash.memory_kib * hash.iterations;
        if work < LEAST_WORK {
            let message =
                format!("times `iterations` is below {LEAST_WORK}: such hashes are too cheap to guess");
            reader.refuse("memory_kib", message);
        }
        if work > MOST_WORK {
            let message = format!("times `iterations` is above {MOST_WORK}: such hashes take too long");
            reader.refuse("memory_kib", message);
        }
        hash
    }
}
