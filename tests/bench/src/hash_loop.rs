//! The bare hash loop: as many Argon2id hashes as all cores can do, and nothing else.

use std::hint::black_box;
use std::thread;
use std::time::{Duration, Instant};

use argon2::{Algorithm, Argon2, Block, Params, Version};

use crate::Fault;
use crate::process;
use crate::stats::real;

/// No thread hashes more often, however long it may.
const MOST_HASHES: u64 = 10_000_000;

/// What all cores together can do.
#[derive(Clone, Copy, Debug)]
pub struct Hashing {
    /// Hashes per second.
    pub rate: f64,
    /// CPU time of one hash, in microseconds.
    pub cpu_micros: f64,
}

/// Hashes on all cores with the server's default costs, each thread in memory of its own that it uses again.
pub fn run(lasting: Duration) -> Result<Hashing, Fault> {
    let cores = thread::available_parallelism()?.get();
    let defaults = hash_password::HashConfig::default();
    let params = Params::new(
        defaults.memory_kib,
        defaults.iterations,
        defaults.parallelism,
        Some(32),
    )
    .map_err(|error| error.to_string())?;
    let before = process::own_cpu()?;
    let threads: Vec<_> = (0..cores)
        .map(|_| {
            let params = params.clone();
            thread::spawn(move || one_thread(params, lasting))
        })
        .collect();
    let mut rate = 0.0;
    let mut hashes = 0;
    for thread in threads {
        let (count, took) = thread.join().map_err(|_| "a hashing thread ended by itself")??;
        rate += real(count) / took.as_secs_f64();
        // The first one of each thread fills its memory; it counts for neither figure but costs CPU.
        hashes += count + 1;
    }
    let cpu = process::own_cpu()?.saturating_sub(before);
    Ok(Hashing {
        rate,
        cpu_micros: cpu.as_secs_f64() * 1e6 / real(hashes),
    })
}

fn one_thread(params: Params, lasting: Duration) -> Result<(u64, Duration), String> {
    // As the server's own hashing threads do: on a machine that is not at rest the two would not be alike otherwise.
    let now = rustix::process::getpriority_process(None).unwrap_or(0);
    let _ = rustix::process::setpriority_process(None, (now + 10).min(19));
    let mut memory = vec![Block::new(); params.block_count()];
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let mut output = [0; 32];
    let mut hash = || {
        argon2
            .hash_password_into_with_memory(b"a long enough passphrase", &[7; 16], &mut output, &mut memory)
            .map_err(|error| error.to_string())?;
        black_box(&output);
        Ok::<_, String>(())
    };
    hash()?;
    let begun = Instant::now();
    for count in 1..=MOST_HASHES {
        hash()?;
        if begun.elapsed() >= lasting {
            return Ok((count, begun.elapsed()));
        }
    }
    Ok((MOST_HASHES, begun.elapsed()))
}
