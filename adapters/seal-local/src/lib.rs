//! Seals secrets under a key file: envelope encryption.
