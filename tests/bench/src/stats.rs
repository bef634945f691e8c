//! Medians and spreads.

use std::time::Duration;

/// What several rounds said: the middle, and how far they lay apart.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    /// The middle value; of an even number of values the mean of the two in the middle.
    pub median: f64,
    /// The least.
    pub min: f64,
    /// The greatest.
    pub max: f64,
    /// How many values there were.
    pub count: usize,
}

impl Spread {
    /// The spread of some values; none when there is no value, or one that is no number.
    pub fn of(values: &[f64]) -> Option<Self> {
        if values.iter().any(|value| !value.is_finite()) {
            return None;
        }
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        let (min, max) = (*sorted.first()?, *sorted.last()?);
        let upper = *sorted.get(sorted.len() / 2)?;
        let lower = *sorted.get((sorted.len() - 1) / 2)?;
        Some(Self {
            median: f64::midpoint(lower, upper),
            min,
            max,
            count: sorted.len(),
        })
    }
}

/// Round by round, one value over the other. Rounds are pairs: noise that lasts longer than a round cancels out.
pub fn ratios(over: &[f64], under: &[f64]) -> Vec<f64> {
    over.iter().zip(under).map(|(over, under)| over / under).collect()
}

/// A number of things as a number to reckon with.
#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
pub fn real(count: u64) -> f64 {
    count as f64
}

/// How long some requests took, each of them.
#[derive(Clone, Debug, Default)]
pub struct Latencies {
    /// In units of 100 ns: up to seven minutes in four bytes.
    taken: Vec<u32>,
}

impl Latencies {
    /// Adds one.
    pub fn note(&mut self, took: Duration) {
        self.taken
            .push(u32::try_from(took.as_nanos() / 100).unwrap_or(u32::MAX));
    }

    /// Adds those of another connection.
    pub fn join(&mut self, other: &Self) {
        self.taken.extend_from_slice(&other.taken);
    }

    /// The time within which `percent` of the requests were answered, in microseconds (nearest rank).
    pub fn percentile(&self, percent: u32) -> Option<f64> {
        let mut sorted = self.taken.clone();
        let share = sorted.len() * usize::try_from(percent.min(100)).ok()?;
        let rank = share.div_ceil(100).checked_sub(1)?;
        let at = sorted.len().checked_sub(1)?.min(rank);
        let (_, found, _) = sorted.select_nth_unstable(at);
        Some(f64::from(*found) / 10.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spread(values: &[f64]) -> (f64, f64, f64) {
        let spread = Spread::of(values).unwrap();
        (spread.median, spread.min, spread.max)
    }

    #[test]
    fn the_median_is_the_middle_whatever_the_order() {
        assert_eq!(spread(&[3.0, 1.0, 2.0]), (2.0, 1.0, 3.0));
        assert_eq!(spread(&[4.0, 1.0, 2.0, 3.0]), (2.5, 1.0, 4.0));
        assert_eq!(spread(&[7.0]), (7.0, 7.0, 7.0));
    }

    #[test]
    fn nothing_has_no_spread_and_neither_has_a_division_by_zero() {
        assert_eq!(Spread::of(&[]), None);
        assert_eq!(Spread::of(&ratios(&[1.0], &[0.0])), None);
    }

    #[test]
    fn ratios_pair_the_rounds() {
        assert_eq!(ratios(&[1.0, 9.0], &[2.0, 3.0]), [0.5, 3.0]);
    }

    #[test]
    fn percentiles_are_values_that_occurred() {
        let mut latencies = Latencies::default();
        for micros in (1..=200).rev() {
            latencies.note(Duration::from_micros(micros));
        }
        assert_eq!(latencies.percentile(50), Some(100.0));
        assert_eq!(latencies.percentile(99), Some(198.0));
        assert_eq!(latencies.percentile(100), Some(200.0));
        assert_eq!(Latencies::default().percentile(99), None);
    }

    #[test]
    fn an_endless_wait_does_not_wrap_around() {
        let mut latencies = Latencies::default();
        latencies.note(Duration::MAX);
        assert!(latencies.percentile(50).unwrap() > 400_000_000.0);
    }
}
