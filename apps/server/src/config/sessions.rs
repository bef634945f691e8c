//! `[sessions]`: where live sessions are looked up.

use super::read::Reader;
use super::secret::Secret;
use super::url_of;

/// Settings of the session store.
#[derive(Clone, Debug)]
pub struct Sessions {
    /// `storage:` (beside the users) or `memory:`. The scheme chooses the adapter; a URL may hold a password.
    pub url: Secret,
}

impl Sessions {
    pub(super) fn read(reader: &mut Reader) -> Self {
        Self {
            url: url_of(reader, "storage:"),
        }
    }
}
