//! Roles and rules: one record, or none.

use domain::access::AccessState;
use domain::ports::PortError;
use domain::user::Revision;

use super::import::{Put, Way};
use super::stores::{Stores, persist};

/// The roles and rules that are there; none where there was never any.
pub(super) async fn find(stores: &Stores) -> Result<Option<AccessState>, PortError> {
    let found = persist(|| stores.access.read_access(None)).await?;
    Ok(found.filter(|access| *access != AccessState::default()))
}

/// Puts them. There is one record of them: either none was there, or it is this very one.
pub(super) async fn put(stores: &Stores, access: &AccessState, way: Way) -> Result<Put, PortError> {
    let compared = |found: &AccessState| {
        let found = AccessState {
            revision: access.revision,
            ..found.clone()
        };
        if found == *access {
            Put::Present
        } else {
            Put::Conflict("roles and rules: others are there".to_owned())
        }
    };
    if let Some(found) = find(stores).await? {
        return Ok(compared(&found));
    }
    if way == Way::LookOnly {
        return Ok(Put::New);
    }
    let nothing = Revision::default();
    match persist(|| stores.access.commit_access(access, nothing)).await {
        Ok(()) => Ok(Put::New),
        // Written by an attempt whose answer was lost, or by somebody else meanwhile.
        Err(PortError::Stale) => Ok(compared(&find(stores).await?.unwrap_or_default())),
        Err(other) => Err(other),
    }
}
