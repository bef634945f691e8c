//! Hardened HTTP to providers: bounded, never redirected, https only.
