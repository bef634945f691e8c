//! Users and audit in memory, for tests and trials.
