//! Who may open the pages of an account, and send their forms: its owner, logged in.

use domain::policy::PoolPolicy;
use domain::service::{Authenticated, Services};

use super::super::session;
use super::super::visit::Visit;
use crate::extract::Request;
use crate::problem::Problem;

/// The owner of an account on one of its pages.
pub struct Owner<'a> {
    /// The visit, of the pool that the session is of.
    pub visit: Visit<'a>,
    /// Who it is, and by which session.
    pub caller: Authenticated,
}

impl<'a> Owner<'a> {
    /// Whoever is logged in; none is sent to [log in first](session::log_in_first).
    ///
    /// # Errors
    /// When a store does not answer; 404 when the pool is gone.
    pub async fn of(request: &'a Request) -> Result<Option<Self>, Problem> {
        let Some(caller) = session::current(request).await? else {
            return Ok(None);
        };
        let visit = Visit::within(request, &caller.user.key.pool)?;
        Ok(Some(Self { visit, caller }))
    }

    /// The same, on the way to somewhere.
    #[must_use]
    pub fn leading_to(self, return_to: Option<&str>) -> Self {
        Self {
            visit: self.visit.leading_to(return_to),
            ..self
        }
    }

    /// The pool of the account.
    pub fn pool(&self) -> &'a PoolPolicy {
        self.visit.pool
    }

    /// What decides.
    pub fn services(&self) -> &'a Services {
        &self.visit.request.app.services
    }
}
