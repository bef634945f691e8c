#![doc = include_str!("../README.md")]

mod clock;
mod entropy;
mod timer;

pub use clock::SystemClock;
pub use entropy::SystemEntropy;
pub use timer::SystemTimer;
