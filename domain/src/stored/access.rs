use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::access::{AccessState, AclRow, Role};
use crate::user::Revision;

/// An [`AccessState`] as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredAccess {
    /// [`AccessState::revision`]
    pub revision: Revision,
    /// [`AccessState::roles`]
    #[serde(default)]
    pub roles: Vec<Role>,
    /// [`AccessState::rows`]
    #[serde(default)]
    pub rows: Vec<AclRow>,
}

impl From<&AccessState> for StoredAccess {
    fn from(state: &AccessState) -> Self {
        Self {
            revision: state.revision,
            roles: state.roles.to_vec(),
            rows: state.rows.to_vec(),
        }
    }
}

impl From<StoredAccess> for AccessState {
    fn from(stored: StoredAccess) -> Self {
        Self {
            revision: stored.revision,
            roles: Arc::new(stored.roles),
            rows: Arc::new(stored.rows),
        }
    }
}
