//! The key file: secrets of 32 bytes from which the server derives what it must keep to itself.
//!
//! The file is text, so that an operator can recognise, copy and back it up. The newest key stands first; older ones only open what
//! they sealed, and go once nothing is left that they sealed:
//!
//! ```text
//! portcullis-key 1
//! id 5f0c6a1e9b3d7724
//! key BASE64 OF 32 BYTES
//! id 0b1f6c9a44d02e81
//! key BASE64 OF 32 BYTES
//! ```

mod error;
mod file;
mod in_use;
mod ring;
mod rotation;

pub use error::KeyError;
pub use file::load;
pub use in_use::KeysInUse;
pub use ring::KeyRing;
pub use rotation::Rotation;

#[cfg(test)]
mod tests;
