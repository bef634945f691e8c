//! Passwords that became public: a list on this machine, ranges asked for elsewhere, or both.

use std::sync::Arc;

use async_trait::async_trait;
use domain::credential::Password;
use domain::ports::{BreachedPasswords, PortError};

use super::choice::{AdapterError, Kind, Known};
use crate::config::Config;

/// Who can be asked. A key each: both may be.
pub const KIND: Kind = Kind {
    key: "passwords",
    known: &[
        Known {
            words: &["breached_file"],
            feature: "breached-list",
            compiled: cfg!(feature = "breached-list"),
        },
        Known {
            words: &["breached_url"],
            feature: "breached-range",
            compiled: cfg!(feature = "breached-range"),
        },
    ],
};

/// Opens what the configuration names; none if it names nothing. A list is read, which takes a moment.
///
/// # Errors
/// [`AdapterError`], a sentence for the operator.
pub async fn open(config: &Config) -> Result<Option<Arc<dyn BreachedPasswords>>, AdapterError> {
    let mut all: Vec<Arc<dyn BreachedPasswords>> = Vec::new();
    if config.passwords.breached_file.is_some() {
        all.push(list(config).await?);
    }
    if config.passwords.breached_url.is_some() {
        all.push(range(config)?);
    }
    let one_or_none = all.len() < 2;
    let first = all.first().cloned();
    Ok(if one_or_none {
        first
    } else {
        Some(Arc::new(Either(all)))
    })
}

#[cfg(feature = "breached-list")]
async fn list(config: &Config) -> Result<Arc<dyn BreachedPasswords>, AdapterError> {
    let path = config.passwords.breached_file.clone().unwrap_or_default();
    let name = path.display().to_string();
    let opened = tokio::task::spawn_blocking(move || breached_list::BreachedList::open(&path)).await;
    let opened = opened.map_err(|error| AdapterError::Failed(error.to_string()))?;
    let list = opened.map_err(|error| AdapterError::Unusable {
        key: "passwords.breached_file",
        why: format!("{name}: {error}"),
    });
    Ok(Arc::new(list?))
}

#[cfg(not(feature = "breached-list"))]
#[expect(clippy::unused_async, reason = "without the feature nothing is read")]
async fn list(_: &Config) -> Result<Arc<dyn BreachedPasswords>, AdapterError> {
    Err(missing("passwords.breached_file", "breached-list"))
}

#[cfg(feature = "breached-range")]
fn range(config: &Config) -> Result<Arc<dyn BreachedPasswords>, AdapterError> {
    let base = config.passwords.breached_url.as_deref().unwrap_or_default();
    let opened = breached_range::BreachedRange::open(base, super::outbound_config(config));
    let range = opened.map_err(|error| AdapterError::Unusable {
        key: "passwords.breached_url",
        why: error.to_string(),
    });
    Ok(Arc::new(range?))
}

#[cfg(not(feature = "breached-range"))]
fn range(_: &Config) -> Result<Arc<dyn BreachedPasswords>, AdapterError> {
    Err(missing("passwords.breached_url", "breached-range"))
}

#[cfg(not(all(feature = "breached-list", feature = "breached-range")))]
fn missing(key: &'static str, feature: &str) -> AdapterError {
    AdapterError::Unusable {
        key,
        why: format!("this binary was built without it: build it with `--features {feature}`"),
    }
}

/// Breached is what any of them knows. Where none knows it, an outage of one is an outage.
struct Either(Vec<Arc<dyn BreachedPasswords>>);

#[async_trait]
impl BreachedPasswords for Either {
    async fn is_breached(&self, password: &Password) -> Result<bool, PortError> {
        let mut outage = None;
        for list in &self.0 {
            match list.is_breached(password).await {
                Ok(true) => return Ok(true),
                Ok(false) => {}
                Err(error) => outage = Some(error),
            }
        }
        outage.map_or(Ok(false), Err)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Knows one password, or is away.
    struct Knows(Option<&'static str>);

    #[async_trait]
    impl BreachedPasswords for Knows {
        async fn is_breached(&self, password: &Password) -> Result<bool, PortError> {
            let known = self.0.ok_or_else(|| PortError::unavailable("away"))?;
            Ok(password.expose() == known)
        }
    }

    async fn ask(lists: [Option<&'static str>; 2], password: &str) -> Result<bool, PortError> {
        let either = Either(
            lists
                .map(|knows| Arc::new(Knows(knows)) as Arc<dyn BreachedPasswords>)
                .into(),
        );
        either.is_breached(&Password::typed(password)).await
    }

    #[tokio::test]
    async fn either_list_is_enough_and_an_outage_hides_no_hit() {
        assert!(ask([Some("a"), Some("b")], "a").await.unwrap());
        assert!(ask([Some("a"), Some("b")], "b").await.unwrap());
        assert!(!ask([Some("a"), Some("b")], "c").await.unwrap());
        assert!(ask([None, Some("b")], "b").await.unwrap());
        assert!(ask([Some("a"), None], "a").await.unwrap());
        assert!(ask([None, Some("b")], "c").await.is_err());
    }
}
