//! Mail printed to the console.
