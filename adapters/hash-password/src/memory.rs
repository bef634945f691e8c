//! The memory Argon2 works in: one block per worker, used again and again, wiped before it goes back.

use std::collections::TryReserveError;

use argon2::Block;
use zeroize::Zeroize as _;

/// What is reserved at least, in blocks of 1 KiB. glibc keeps freed allocations of up to 32 MiB for itself once it has seen them
/// freed; larger ones always go back to the system. Reserved pages that are never touched cost nothing.
const RETURNED_WHEN_FREED: usize = 33 * 1024;

/// The memory of one worker.
pub struct Memory {
    usual: usize,
    kept: Blocks,
}

impl Memory {
    /// Memory for hashes of `usual` blocks; takes nothing until it is used.
    pub const fn new(usual: usize) -> Self {
        Self {
            usual,
            kept: Blocks(Vec::new()),
        }
    }

    /// Works in `count` blocks. They are kept for the next time unless they are more than usual, as an imported hash may ask for.
    pub fn with<T>(
        &mut self,
        count: usize,
        work: impl FnOnce(&mut [Block]) -> T,
    ) -> Result<T, TryReserveError> {
        if count > self.usual {
            let mut once = Blocks::reserve(count)?;
            return Ok(work(&mut once.0));
        }
        if self.kept.0.is_empty() {
            self.kept = Blocks::reserve(self.usual)?;
        }
        Ok(work(&mut self.kept.0))
    }
}

/// Blocks that are wiped when they are given back: they are made from passwords.
struct Blocks(Vec<Block>);

impl Blocks {
    fn reserve(count: usize) -> Result<Self, TryReserveError> {
        let mut blocks = Vec::new();
        blocks.try_reserve_exact(count.max(RETURNED_WHEN_FREED))?;
        blocks.resize(count, Block::new());
        Ok(Self(blocks))
    }
}

impl Drop for Blocks {
    fn drop(&mut self) {
        self.0.iter_mut().for_each(Block::zeroize);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_taken_before_the_first_hash() {
        assert_eq!(Memory::new(19_456).kept.0.capacity(), 0);
    }

    #[test]
    fn usual_memory_is_kept_and_more_is_given_back() {
        let mut memory = Memory::new(8);
        assert_eq!(memory.with(64, |blocks| blocks.len()), Ok(64));
        assert!(memory.kept.0.is_empty());
        assert_eq!(memory.with(8, |blocks| blocks.len()), Ok(8));
        assert_eq!(memory.with(4, |blocks| blocks.len()), Ok(8));
        assert_eq!(memory.kept.0.len(), 8);
    }

    #[test]
    fn memory_that_cannot_be_had_is_an_error_and_no_abort() {
        assert!(Memory::new(8).with(usize::MAX / 2048, |_| ()).is_err());
    }
}
