//! Reads the workspace as text: what the tests beside this file hold it to, they find out with these.
//!
//! No rule here is a matter of taste alone: each is written down in `docs/ARCHITECTURE.md` or `domain/README.md`, and each failure
//! says what to do.
#![expect(clippy::expect_used, reason = "a tool of tests fails by panicking")]

pub mod source;
pub mod workspace;

/// Fails with every fault found and what to do about it.
///
/// # Panics
/// When there is a fault.
pub fn assert_none(faults: &[String], what_to_do: &str) {
    assert!(faults.is_empty(), "{what_to_do}\n  {}", faults.join("\n  "));
}
