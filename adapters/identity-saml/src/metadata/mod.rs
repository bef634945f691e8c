//! Metadata (SAML Metadata 2.0): the provider's, and ours.

mod own;
mod read;
mod source;

pub use own::{OwnCertificates, own_metadata};
pub use read::{Endpoint, IdpDescription, read_metadata};
pub use source::Source;
