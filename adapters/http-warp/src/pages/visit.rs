//! One visit of a page: which pool it is about, where it leads afterwards, and the anti-forgery value of the browser.

use domain::id::PoolName;
use domain::policy::PoolPolicy;
use http::StatusCode;
use http::header::CONTENT_SECURITY_POLICY;
use url::Url;

use super::csrf::Csrf;
use super::form::Form;
use super::place;
use super::render::{PageError, SCRIPTED_SECURITY_POLICY};
use crate::entries::WebEntry;
use crate::extract::Request;
use crate::extract::cookies::Jar;
use crate::extract::query::Query;
use crate::problem::Problem;
use crate::reply::Reply;
use crate::routes::external::after_success;
use crate::routes::external::place::in_location;

/// What a page's handler needs besides its form.
pub struct Visit<'a> {
    /// The request.
    pub request: &'a Request,
    /// The pool the page is about.
    pub pool: &'a PoolPolicy,
    /// Where to go afterwards, if somebody said so and it lies on this site.
    pub return_to: Option<String>,
    csrf: Csrf,
}

impl<'a> Visit<'a> {
    /// A page that is opened: pool and return place stand in the query.
    ///
    /// # Errors
    /// 404 for a pool that is not there.
    pub fn opened(request: &'a Request) -> Result<Self, Problem> {
        let query = Query::parse(&request.query);
        Self::about(request, query.one("pool"), query.one("return_to"))
    }

    /// A form that was sent: they stand in its hidden fields.
    ///
    /// # Errors
    /// As [`Visit::opened`].
    pub fn sent(request: &'a Request, form: &Form) -> Result<Self, Problem> {
        Self::about(request, form.filled("pool"), form.filled("return_to"))
    }

    /// A visit of the pool that a session or an unfinished flow names.
    ///
    /// # Errors
    /// 404 when the pool is gone.
    pub fn within(request: &'a Request, pool: &PoolName) -> Result<Self, Problem> {
        Self::about(request, Some(pool.as_str()), None)
    }

    /// The same visit, leading somewhere.
    #[must_use]
    pub fn leading_to(mut self, return_to: Option<&str>) -> Self {
        self.return_to = return_to.and_then(|text| return_place(self.request, text));
        self
    }

    /// The same visit, leading to a place that was judged allowed when the way began, on this site or elsewhere.
    #[must_use]
    pub fn leading_on_to(mut self, judged: Option<String>) -> Self {
        let own = &self.request.app.settings.public_url;
        self.return_to = judged.and_then(|judged| {
            let below = judged
                .strip_prefix(own.as_str())
                .filter(|path| path.starts_with('/'));
            let path = below.unwrap_or(&judged);
            if place::local(path).is_some() {
                return_place(self.request, path)
            } else {
                Some(judged)
            }
        });
        self
    }

    /// The same visit, which leads to where an entry's success leads unless somebody asked for another place.
    #[must_use]
    pub fn ending_at(self, entry: Option<&WebEntry>) -> Self {
        match entry.filter(|_| self.return_to.is_none()) {
            Some(entry) => self.leading_on_to(Some(in_location(after_success(entry)))),
            None => self,
        }
    }

    fn about(request: &'a Request, pool: Option<&str>, return_to: Option<&str>) -> Result<Self, Problem> {
        let pool = pool_named(request, pool).ok_or_else(|| Problem::not_found("There is no such pool."))?;
        let return_to = return_to.and_then(|text| return_place(request, text));
        Ok(Self {
            request,
            pool,
            return_to,
            csrf: Csrf::of(request),
        })
    }

    /// Where to go afterwards.
    pub fn destination(&self) -> &str {
        self.return_to.as_deref().unwrap_or(place::HOME)
    }

    /// The anti-forgery value, for the form's hidden field.
    pub fn csrf(&self) -> String {
        self.csrf.value()
    }

    /// The pool's name, for hidden fields and links.
    pub fn pool_name(&self) -> String {
        self.pool.name.to_string()
    }

    /// Names and flags of cookies on this site.
    pub fn jar(&self) -> Jar {
        Jar::new(self.request.app.settings.is_https())
    }

    /// The fixed sentence whose name stands in the query, if one does: nobody can make a page of ours say something else.
    pub fn notice(&self, notices: &[(&str, &str)]) -> Option<String> {
        let query = Query::parse(&self.request.query);
        let told = notices.iter().find(|(name, _)| query.one(name).is_some());
        told.map(|(_, sentence)| (*sentence).to_owned())
    }

    /// The rendered page as an answer.
    ///
    /// # Errors
    /// 500 when the template failed.
    pub fn page(&self, status: StatusCode, html: Result<String, PageError>) -> Result<Reply, Problem> {
        let html = html.map_err(|error| Problem::internal(error.to_string()))?;
        Ok(self.csrf.dress(Reply::page(status, html), self.jar()))
    }

    /// The same for a page with a passkey on it: the one script may run there.
    ///
    /// # Errors
    /// As [`Visit::page`].
    pub fn scripted(&self, status: StatusCode, html: Result<String, PageError>) -> Result<Reply, Problem> {
        let reply = self.page(status, html)?;
        Ok(reply.header(CONTENT_SECURITY_POLICY, SCRIPTED_SECURITY_POLICY))
    }

    /// A link to `path` that keeps the pool (where it is not the ordinary one) and the return place, and says `told`.
    pub fn url(&self, path: &str, told: Option<&str>) -> String {
        let pool = Some(self.pool.name.as_str())
            .filter(|_| self.pool.name != self.request.app.settings.default_pool);
        let mut pairs = vec![("pool", pool), ("return_to", self.return_to.as_deref())];
        if let Some(told) = told {
            pairs.insert(0, (told, Some("1")));
        }
        place::url(path, &pairs)
    }
}

/// A place of this site to return to after a form of ours. Never the door to a provider: whoever is led there by our own page is
/// not asked whether they mean it, and where to return to may have been another site's idea. Who wants to link does so from their
/// account.
fn return_place(request: &Request, text: &str) -> Option<String> {
    let place = place::local(text)?;
    // Browsers resolve dots before they ask.
    let url = Url::parse(&request.app.settings.public_url).and_then(|own| own.join(place));
    match request.app.entries.current().find(url.ok()?.path()) {
        None => Some(place.to_owned()),
        Some((entry, _)) => entry.link.then(|| place::LINKED.to_owned()),
    }
}

/// The pool of a name in any case; the configured default without one.
fn pool_named<'a>(request: &'a Request, name: Option<&str>) -> Option<&'a PoolPolicy> {
    let app = &request.app;
    let Some(name) = name else {
        return app.services.pool(&app.settings.default_pool);
    };
    let mut pools = app.services.policy().pools.values();
    pools.find(|pool| pool.name.as_str().eq_ignore_ascii_case(name))
}
