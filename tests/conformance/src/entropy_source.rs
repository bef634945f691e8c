//! Cases of [`EntropySource`].

use std::collections::BTreeSet;
use std::sync::Arc;

use domain::entropy::Entropy;
use domain::ports::EntropySource;
use domain::secret::Token;

use crate::{Fixture, race};

/// All cases of the port, as tests. `$fixture` makes a `Fixture<dyn EntropySource>`.
#[macro_export]
macro_rules! entropy_source {
    ($fixture:ident) => {
        $crate::cases!(
            entropy_source,
            $fixture,
            [
                every_byte_is_filled,
                no_two_draws_agree,
                all_bytes_are_equally_likely,
                racing_sources_never_agree,
            ]
        );
    };
}

type Sources = Fixture<dyn EntropySource>;

/// A byte that stays zero in 16 draws does so by chance once in 2^128 times.
pub async fn every_byte_is_filled(fixture: &Sources) {
    let mut source = fixture.port.open();
    for length in (0..=70).chain([255, 256, 257, 4096, 100_003]) {
        let mut seen = vec![0_u8; length];
        for _ in 0..16 {
            let drawn = draw(source.as_mut(), length);
            seen.iter_mut().zip(drawn).for_each(|(seen, byte)| *seen |= byte);
        }
        assert!(seen.iter().all(|byte| *byte != 0), "a gap in {length} bytes");
    }
}

pub async fn no_two_draws_agree(fixture: &Sources) {
    let mut drawn = BTreeSet::new();
    for _ in 0..64 {
        let mut source = fixture.port.open();
        for _ in 0..16 {
            assert!(drawn.insert(draw(source.as_mut(), 16)));
        }
    }
}

/// Chi-squared over the 256 byte values: mean 255, deviation 22.6. A fair source leaves these bounds, ten deviations wide, less
/// than once in 10^15 runs.
pub async fn all_bytes_are_equally_likely(fixture: &Sources) {
    const DRAWN: u32 = 1 << 18;
    let mut counts = [0_u32; 256];
    let bytes = draw(fixture.port.open().as_mut(), DRAWN as usize);
    for byte in bytes {
        counts[usize::from(byte)] += 1;
    }
    let expected = f64::from(DRAWN / 256);
    let chi_squared: f64 = counts
        .iter()
        .map(|count| (f64::from(*count) - expected).powi(2) / expected)
        .sum();
    assert!((100.0..480.0).contains(&chi_squared), "chi-squared {chi_squared}");
}

pub async fn racing_sources_never_agree(fixture: &Sources) {
    let port = Arc::clone(&fixture.port);
    let tokens = race(16, move |_| {
        let port = Arc::clone(&port);
        async move { Token::draw(port.open().as_mut()).expose().to_owned() }
    })
    .await;
    assert_eq!(tokens.into_iter().collect::<BTreeSet<_>>().len(), 16);
}

fn draw(source: &mut dyn Entropy, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    source.fill(&mut bytes);
    bytes
}
