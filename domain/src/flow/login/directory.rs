//! A name and a password that a directory judges.

/// Longest name that is shown to a directory, in bytes.
pub const LONGEST_NAME: usize = 256;

/// Longest password that is shown to a directory, in bytes.
pub const LONGEST_PASSWORD: usize = 1024;
