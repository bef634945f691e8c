//! What `export` and `import` share: the stores that the configuration names, and how amounts are told.

use std::sync::Arc;

use crate::adapters::{self, Adapters, Keepers};
use crate::config::{Config, Secret};
use crate::control::Refusal;
use crate::serve::Fault;
use crate::transfer::{Stores, Tallies};

/// Stores that were opened to be moved, and what has to be closed afterwards.
pub struct Opened {
    /// The stores.
    pub stores: Stores,
    keepers: Keepers,
}

impl Opened {
    /// Opens what the configuration names.
    ///
    /// # Errors
    /// A sentence for the operator: an unusable store, or one that lives in the memory of a server.
    pub async fn open(config: &Config) -> Result<Self, Fault> {
        if scheme(&config.storage.url) == "memory" {
            let why = "`storage.url` is `memory:`: what is in there lives and dies with the server, and cannot be moved";
            return Err(Refusal::new(why).into());
        }
        let Adapters {
            storage,
            sessions,
            keepers,
            ..
        } = adapters::open(config).await?;
        let Some(durable) = storage.durable else {
            return Err(Refusal::new("the store keeps nothing that could be moved").into());
        };
        let kept = (!sessions_are_in_memory(config)).then_some(sessions.sessions);
        let stores = Stores {
            access: storage.access,
            users: storage.users,
            applications: storage.applications,
            sessions: kept,
            outbox: storage.outbox,
            tombstones: durable.tombstones,
            clock: Arc::new(system::SystemClock),
        };
        Ok(Self { stores, keepers })
    }

    /// Lets the stores finish.
    ///
    /// # Errors
    /// They could not.
    pub async fn close(self) -> Result<(), Fault> {
        drop(self.stores);
        self.keepers.close().await?;
        Ok(())
    }
}

/// Whether sessions are where no command reaches them.
pub fn sessions_are_in_memory(config: &Config) -> bool {
    scheme(&config.sessions.url) == "memory"
}

/// What chooses an adapter in a URL.
pub fn scheme(url: &Secret) -> &str {
    url.expose().split_once(':').map_or("", |(scheme, _)| scheme)
}

/// `2 users, 1 application, 0 sessions`, and mails where there are any.
pub fn amounts(tallies: &Tallies) -> String {
    let of = |count: u64, what: &str| format!("{count} {what}{}", if count == 1 { "" } else { "s" });
    let mut amounts = vec![
        of(tallies.users.count, "user"),
        of(tallies.applications.count, "application"),
        of(tallies.sessions.count, "session"),
    ];
    if tallies.access.count > 0 {
        amounts.push("roles and rules".to_owned());
    }
    if tallies.messages.count > 0 {
        amounts.push(of(tallies.messages.count, "mail"));
    }
    amounts.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transfer::Tally;

    #[test]
    fn one_is_no_plural() {
        let tally = |count| Tally {
            count,
            ..Tally::default()
        };
        let tallies = Tallies {
            access: tally(0),
            users: tally(2),
            applications: tally(1),
            sessions: tally(0),
            messages: tally(0),
        };
        assert_eq!(amounts(&tallies), "2 users, 1 application, 0 sessions");
        let tallies = Tallies {
            access: tally(1),
            messages: tally(1),
            ..tallies
        };
        assert_eq!(
            amounts(&tallies),
            "2 users, 1 application, 0 sessions, roles and rules, 1 mail"
        );
    }
}
