//! The laws of the domain, checked on random moves.
//!
//! A [`model`] that knows only what each person truly proved, and when, runs beside the real services over a [`world`] in
//! memory. After every move both must tell the same story. The model is written to be obviously right: it has no epochs, no
//! revisions and no stores, it just strikes out what a move ends.

pub mod aggregates;
pub mod agreement;
pub mod factors;
pub mod linking;
pub mod model;
pub mod moves;
pub mod reference;
pub mod scenes;
pub mod strategies;
pub mod system;
pub mod world;

use proptest::test_runner::{Config, FileFailurePersistence, RngSeed};

/// So many cases; one that fails is written down beside its test and tried first from then on. The gate tries the same cases every
/// time; with `PROPTEST_DISCOVER=N` (`just prove`) there are N times as many, and new ones.
pub fn cases(cases: u32) -> Config {
    let times: Option<u32> = std::env::var("PROPTEST_DISCOVER")
        .ok()
        .and_then(|times| times.parse().ok());
    let usual = Config::default();
    Config {
        cases: cases.saturating_mul(times.unwrap_or(1)),
        rng_seed: match (times, usual.rng_seed) {
            (None, RngSeed::Random) => RngSeed::Fixed(7),
            (_, seed) => seed,
        },
        max_shrink_iters: 20_000,
        failure_persistence: Some(Box::new(FileFailurePersistence::WithSource("regressions"))),
        ..usual
    }
}
