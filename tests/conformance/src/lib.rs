//! Suites per port: every adapter of a port runs the same named cases.
