//! Log in by OpenID 2.0.
