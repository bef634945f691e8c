//! About how many bytes of memory a record takes.

use domain::session::Session;
use domain::user::User;
use serde::Serialize;

/// What is counted for the fields of a user beside those whose length is looked at.
const FIXED_WEIGHT: usize = 1_000;
/// The same of a session.
const FIXED_WEIGHT_OF_SESSION: usize = 600;

/// A user, in bytes. Attributes, links, factors and devices are most of a large one; their JSON is a little smaller than what they
/// take in memory.
pub fn weight_of_user(user: &User) -> usize {
    let attributes = user.attributes.as_map();
    let parts = [
        json_length(attributes, attributes.is_empty()),
        json_length(&*user.identities, user.identities.is_empty()),
        json_length(&*user.credentials, user.credentials.is_empty()),
        json_length(&*user.factors, user.factors.is_empty()),
        json_length(&*user.devices, user.devices.is_empty()),
    ];
    FIXED_WEIGHT + parts.iter().sum::<usize>() * 4
}

/// A session, in bytes.
pub fn weight_of_session(session: &Session) -> usize {
    let agent = session.agent.as_ref().map_or(0, |agent| agent.as_str().len());
    FIXED_WEIGHT_OF_SESSION + session.user.id.as_str().len() + agent
}

fn json_length(json: &impl Serialize, is_empty: bool) -> usize {
    if is_empty {
        return 0;
    }
    serde_json::to_vec(json).map_or(0, |json| json.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use conformance::sample::{blank, full_user, key};

    #[test]
    fn whoever_holds_more_weighs_more() {
        let (blank, full) = (blank(&key("Users", "1")), full_user(&key("Users", "1")));
        assert_eq!(weight_of_user(&blank), FIXED_WEIGHT);
        assert!(weight_of_user(&full) > FIXED_WEIGHT + 1_000);
        let mut without = full.clone();
        without.factors = blank.factors.clone();
        without.devices = blank.devices.clone();
        assert!(weight_of_user(&without) < weight_of_user(&full));
    }
}
