//! Passkeys by W3C Web Authentication.
