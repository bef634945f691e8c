//! Chance, as a parameter: the core never draws a random number from anywhere but its caller.

/// A source of unpredictable bytes for one step.
pub trait Entropy {
    /// Fills the whole slice.
    fn fill(&mut self, bytes: &mut [u8]);
}

/// A fixed, obviously predictable source for tests: the bytes 0, 1, 2 …
#[derive(Clone, Debug, Default)]
pub struct CountingEntropy {
    next: u8,
}

impl Entropy for CountingEntropy {
    fn fill(&mut self, bytes: &mut [u8]) {
        for byte in bytes {
            *byte = self.next;
            self.next = self.next.wrapping_mul(73).wrapping_add(41);
        }
    }
}
