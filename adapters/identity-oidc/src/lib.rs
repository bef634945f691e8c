//! Log in by OpenID Connect.
