//! Signatures: what may be one, whether it holds, and what may be read because it does.

mod algorithms;
mod detached;
mod shape;
mod verified;

pub use algorithms::{digest_uri, is_allowed_signature, signature_uri};
pub use detached::{DetachedProof, verify_query};
pub use shape::{Signed, is_ncname, signatures_of};
pub use verified::{Verified, verify};
