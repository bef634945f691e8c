//! Log in by OAuth 1.0a.
