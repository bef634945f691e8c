//! The cases of [`domain::ports::PasskeyVerifier`].
