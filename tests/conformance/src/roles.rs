//! The ports that adapters of one server play together.

use std::sync::Arc;

use domain::ports::{
    ApplicationStore, AuditLog, FlowStore, Outbox, RateLimiter, SessionStore, Tombstones, UserStore,
};

/// Everything an adapter plays; what it does not play is left out.
#[derive(Clone, Default)]
pub struct Roles {
    /// [`UserStore`]
    pub users: Option<Arc<dyn UserStore>>,
    /// [`SessionStore`]
    pub sessions: Option<Arc<dyn SessionStore>>,
    /// [`FlowStore`]
    pub flows: Option<Arc<dyn FlowStore>>,
    /// [`RateLimiter`]
    pub limiter: Option<Arc<dyn RateLimiter>>,
    /// [`AuditLog`]
    pub audit: Option<Arc<dyn AuditLog>>,
    /// [`ApplicationStore`]
    pub applications: Option<Arc<dyn ApplicationStore>>,
    /// [`Tombstones`]
    pub tombstones: Option<Arc<dyn Tombstones>>,
    /// [`Outbox`]
    pub outbox: Option<Arc<dyn Outbox>>,
}

impl Roles {
    /// What keeps sessions, flows and counters, and nothing else.
    pub fn of_sessions<S>(sessions: &Arc<S>) -> Self
    where
        S: SessionStore + FlowStore + RateLimiter + 'static,
    {
        Self {
            sessions: Some(Arc::clone(sessions) as _),
            flows: Some(Arc::clone(sessions) as _),
            limiter: Some(Arc::clone(sessions) as _),
            ..Self::default()
        }
    }

    /// What keeps everything.
    pub fn of_store<S>(store: &Arc<S>) -> Self
    where
        S: UserStore
            + SessionStore
            + FlowStore
            + RateLimiter
            + AuditLog
            + ApplicationStore
            + Tombstones
            + Outbox
            + 'static,
    {
        Self {
            users: Some(Arc::clone(store) as _),
            audit: Some(Arc::clone(store) as _),
            applications: Some(Arc::clone(store) as _),
            tombstones: Some(Arc::clone(store) as _),
            outbox: Some(Arc::clone(store) as _),
            ..Self::of_sessions(store)
        }
    }
}
