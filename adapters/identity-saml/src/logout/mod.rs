//! Single logout (SAML Core section 3.7, Profiles section 4.4), both ways.

mod receive;
mod send;

pub use receive::receive;
pub use send::{answer, begin};

use domain::time::Timestamp;

use crate::config::SamlConfig;
use crate::metadata::IdpDescription;

/// What a message about a log-out is held against.
#[derive(Clone, Copy, Debug)]
pub struct Scene<'s> {
    /// The entry.
    pub config: &'s SamlConfig,
    /// The provider.
    pub provider: &'s IdpDescription,
    /// The moment it is.
    pub now: Timestamp,
}
