//! Log in by OAuth 2.0.
