//! What a case runs against.

use std::any::Any;
use std::sync::Arc;

use domain::id::UserKey;
use domain::ports::UserStore;

use crate::sample;

/// A port of one case's own, with whatever must live as long as it does.
pub struct Fixture<P: ?Sized> {
    /// The adapter under test, fresh and empty.
    pub port: Arc<P>,
    users: Option<Arc<dyn UserStore>>,
    guard: Option<Box<dyn Any + Send + Sync>>,
}

impl<P: ?Sized> Fixture<P> {
    /// A fixture of an adapter that needs nothing else.
    pub fn new(port: Arc<P>) -> Self {
        Self {
            port,
            users: None,
            guard: None,
        }
    }

    /// The store whose users the port's records must belong to, for adapters that insist on it.
    #[must_use]
    pub fn with_users(self, users: Arc<dyn UserStore>) -> Self {
        Self {
            users: Some(users),
            ..self
        }
    }

    /// Something to drop after the port: a directory, a schema, a server.
    #[must_use]
    pub fn guarded_by(self, guard: impl Any + Send + Sync) -> Self {
        Self {
            guard: Some(Box::new(guard)),
            ..self
        }
    }

    /// Whether something is dropped after the port.
    pub fn is_guarded(&self) -> bool {
        self.guard.is_some()
    }

    /// A user to own records; made in the user store if the port needs one.
    pub async fn owner(&self, pool: &str, id: &str) -> UserKey {
        let key = sample::key(pool, id);
        if let Some(users) = &self.users {
            users
                .create(&sample::blank(&key))
                .await
                .expect("the owner is made");
        }
        key
    }
}
