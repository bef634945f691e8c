//! The one place that reads the clock and the entropy of the operating system.
