//! The provider port against an identity provider of our own making, which says whatever a test wants it to say.

mod accepted;
mod support;
mod wrapping;
