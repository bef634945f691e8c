//! The driving adapter: REST in LoopBack's dialect, pages, and the accept loop.
//!
//! A request takes one way through this crate: `serve` (socket) → `dispatch` (one warp filter, one router) → `extract` (who asks,
//! from where, with what) → `routes` or `pages` (call one service) → `reply` or `problem` (what goes back). No decision is made on
//! the way; the services of `domain` decide.

mod cors;
mod dispatch;
mod entries;
mod extract;
pub mod pages;
mod problem;
mod readiness;
mod reply;
mod routes;
pub mod serve;
mod settings;
mod steady;
mod telemetry;
mod wire_id;

pub use entries::{CredentialFields, Door, EntryKind, EntrySource, EntryTable, WebEntry};
pub use readiness::{NotReady, Readiness};
pub use routes::{model_calls, own_route, user_calls};
pub use settings::{HttpSettings, LegacyCookies, TrustedNetwork};
pub use telemetry::{Metrics, RequestLine};

use std::sync::Arc;

use domain::access::Rules;
use domain::service::Services;
use domain::time::Timestamp;

use pages::render::{PageError, Pages};
use routes::Routes;

/// Everything a handler may use.
pub struct App {
    pub(crate) services: Services,
    pub(crate) settings: HttpSettings,
    pub(crate) pages: Pages,
    pub(crate) routes: Routes,
    /// The access rules: the built-in ones and the configured ones.
    pub(crate) rules: Rules,
    pub(crate) readiness: Arc<dyn Readiness>,
    pub(crate) metrics: Arc<Metrics>,
    /// The entries of `providers.json` as they are on the web: the file may change while we serve.
    pub(crate) entries: Arc<dyn EntrySource>,
    pub(crate) started: Timestamp,
}

impl App {
    /// Wires the services to the edge. Templates and routes are built here, once.
    ///
    /// # Errors
    /// [`PageError`] when a template does not compile: a fault of the build, never of the input.
    pub fn new(
        services: Services,
        settings: HttpSettings,
        readiness: Arc<dyn Readiness>,
        metrics: Arc<Metrics>,
        entries: Arc<dyn EntrySource>,
    ) -> Result<Arc<Self>, PageError> {
        let started = services.now();
        let routes = Routes::new(services.policy());
        let rules = Rules::new(services.policy());
        let pages = Pages::new()?;
        Ok(Arc::new(Self {
            services,
            settings,
            pages,
            routes,
            rules,
            readiness,
            metrics,
            entries,
            started,
        }))
    }
}

pub use dispatch::filter;
