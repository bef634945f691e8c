//! The URL table: every route of the site on one screen.

mod acl_check;
mod api;
mod applications;
pub(crate) mod assets;
mod auth_check;
pub(crate) mod external;
mod guard;
mod health;
mod introspect;
mod keys;
pub mod models;
mod root;
pub mod users;

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use domain::id::PoolName;
use domain::policy::Policy;
use http::Method;
use matchit::Router;

use crate::App;
use crate::entries::{Door, WebEntry, folded};
use crate::extract::Request;
use crate::pages;
use crate::problem::Problem;
use crate::reply::Reply;

/// What a handler answers, in time.
pub type Answer = Pin<Box<dyn Future<Output = Result<Reply, Problem>> + Send>>;

/// A handler: takes the request and what the path said.
pub type Handler = fn(Request, Matched) -> Answer;

/// What the path said.
#[derive(Clone, Default)]
pub struct Matched {
    /// The pool, for routes below one.
    pub pool: Option<PoolName>,
    /// The `{id}` of the path, percent-decoded.
    pub id: Option<String>,
    /// The `{fk}` of the path, percent-decoded: what is named below `{id}`.
    pub fk: Option<String>,
    /// The user method behind an API route.
    pub method: Option<&'static users::Method>,
    /// The method of one of the server's own models.
    pub model: Option<&'static models::Method>,
    /// The entry of `providers.json` whose door it is.
    pub entry: Option<(Arc<WebEntry>, Door)>,
}

/// Makes a handler of an async function.
macro_rules! handler {
    ($function:path) => {
        |request, matched| Box::pin($function(request, matched))
    };
}
pub(crate) use handler;

/// What the site has besides its pages and the calls of its pools, all by `GET` and `HEAD`: path, whether it is a page, handler.
const SITE: &[(&str, bool, Handler)] = &[
    ("/", true, handler!(root::root)),
    ("/healthz", false, handler!(health::alive)),
    ("/readyz", false, handler!(health::ready)),
    ("/metrics", false, handler!(health::metrics)),
    ("/auth/check", false, handler!(auth_check::check)),
    (keys::KEYS, false, handler!(keys::keys)),
    (keys::METADATA, false, handler!(keys::metadata)),
    (
        pages::render::STYLESHEET_PATH,
        false,
        handler!(assets::stylesheet),
    ),
    (pages::render::SCRIPT_PATH, false, handler!(assets::script)),
    (pages::render::SENDING_PATH, false, handler!(assets::sending)),
];

/// Where applications ask what a token is worth (RFC 7662).
const INTROSPECT: &str = "/oauth/introspect";

/// Kept free besides: folders of ours with everything in them, what a later version may have, and what every site is asked for.
const KEPT: [&str; 7] = [
    "/api",
    "/assets",
    "/explorer",
    "/favicon.ico",
    INTROSPECT,
    "/openapi.json",
    "/robots.txt",
];

/// The route or folder of ours that a path is, or lies below, whatever the pools are called; none where an entry of
/// `providers.json` may stand. Compared as [`EntryTable::find`](crate::EntryTable::find) compares.
pub fn own_route(path: &str) -> Option<&'static str> {
    let path = folded(path);
    let covers = |own: &str| match path.strip_prefix(own) {
        Some("") => true,
        Some(rest) => own != "/" && rest.starts_with('/'),
        None => false,
    };
    let site = SITE.iter().map(|(pattern, _, _)| *pattern);
    let pages = pages::ROUTES.iter().map(|(pattern, _, _)| *pattern);
    let ours = KEPT.into_iter().chain(site).chain(pages);
    ours.into_iter().find(|own| covers(own))
}

/// The row of a table that a path and a verb lead to.
#[derive(Clone, Copy)]
enum Row {
    /// None: the handler says it all.
    None,
    User(&'static users::Method),
    Model(&'static models::Method),
}

/// The calls of a pool: verb, path below the pool, and the name that access rules have for it.
pub fn user_calls() -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
    let methods = users::METHODS.iter();
    methods.map(|method| (method.verb, method.path, method.property))
}

/// The calls of the server's own models: verb and whole path.
pub fn model_calls() -> impl Iterator<Item = (&'static str, &'static str)> {
    models::METHODS.iter().map(|method| (method.verb, method.path))
}

/// One path with its methods.
struct Endpoint {
    pattern: &'static str,
    pool: Option<PoolName>,
    page: bool,
    methods: BTreeMap<&'static str, (Handler, Row)>,
}

impl Endpoint {
    /// What a path said that leads here.
    fn matched(&self, row: Row, id: Option<String>, fk: Option<String>) -> Matched {
        let (method, model) = match row {
            Row::None => (None, None),
            Row::User(method) => (Some(method), None),
            Row::Model(model) => (None, Some(model)),
        };
        Matched {
            pool: self.pool.clone(),
            id,
            fk,
            method,
            model,
            entry: None,
        }
    }
}

/// Every path, before the router is built of them.
#[derive(Default)]
struct Table(BTreeMap<String, Endpoint>);

impl Table {
    fn add(&mut self, path: String, pattern: &'static str, page: bool) -> &mut Endpoint {
        self.0.entry(path).or_insert_with(|| Endpoint {
            pattern,
            pool: None,
            page,
            methods: BTreeMap::new(),
        })
    }

    /// A path of the site, under one or more methods.
    fn site(&mut self, pattern: &'static str, page: bool, methods: &[&'static str], handler: Handler) {
        let endpoint = self.add(pattern.to_owned(), pattern, page);
        let methods = methods.iter().map(|method| (*method, (handler, Row::None)));
        endpoint.methods.extend(methods);
    }

    /// A call of one of the server's own models.
    fn model(&mut self, method: &'static models::Method) {
        let endpoint = self.add(method.path.to_owned(), method.path, false);
        let handler: Handler = handler!(models::call);
        endpoint
            .methods
            .insert(method.verb, (handler, Row::Model(method)));
    }

    /// A call of a pool.
    fn user(&mut self, pool: &PoolName, method: &'static users::Method) {
        let path = format!("/api/{}{}", pool.as_str().to_ascii_lowercase(), method.path);
        let endpoint = self.add(path, method.pattern, false);
        endpoint.pool = Some(pool.clone());
        let handler: Handler = handler!(users::call);
        endpoint.methods.insert(method.verb, (handler, Row::User(method)));
    }
}

/// The router.
pub struct Routes {
    router: Router<Endpoint>,
}

impl Routes {
    /// Builds the table: the site's own routes, and those of every pool.
    pub fn new(policy: &Policy) -> Self {
        let mut table = Table::default();
        let get_and_head = ["GET", "HEAD"];
        for (pattern, page, handler) in SITE {
            table.site(pattern, *page, &get_and_head, *handler);
        }
        for (pattern, method, handler) in pages::ROUTES {
            let methods: &[&'static str] = if *method == "GET" {
                &get_and_head
            } else {
                &[method]
            };
            table.site(pattern, true, methods, *handler);
        }
        table.site("/api/acl/check", false, &["POST"], handler!(acl_check::check));
        table.site(INTROSPECT, false, &["POST"], handler!(introspect::introspect));
        // A pool of that name has its own calls there.
        let is_taken = |collection: &str| {
            let mut pools = policy.pools.keys();
            pools.any(|pool| pool.as_str().eq_ignore_ascii_case(collection))
        };
        if !is_taken(applications::COLLECTION) {
            for (pattern, method, handler) in applications::ROUTES {
                table.site(pattern, false, &[method], *handler);
            }
        }
        for method in models::METHODS {
            if !is_taken(method.collection()) {
                table.model(method);
            }
        }
        for pool in policy.pools.keys() {
            for method in users::METHODS {
                table.user(pool, method);
            }
        }
        let mut router = Router::new();
        for (path, endpoint) in table.0 {
            // Paths are literals and checked pool names: a clash is a bug that the table's own test meets first.
            if let Err(error) = router.insert(path.clone(), endpoint) {
                tracing::error!(path, %error, "route left out");
            }
        }
        Self { router }
    }

    /// The route of a path. Paths compare without case, and a slash at the end changes nothing, as in Express; ids keep their case.
    pub fn find(&self, method: &Method, path: &str) -> Found {
        let trimmed = match path.strip_suffix('/') {
            Some("") | None => path,
            Some(shorter) => shorter,
        };
        let folded = trimmed.to_ascii_lowercase();
        let Ok(matched) = self.router.at(&folded) else {
            return Found::unknown(path);
        };
        let Some((handler, row)) = matched.value.methods.get(method.as_str()) else {
            return self
                .by_id(method, trimmed)
                .unwrap_or_else(|| Found::unknown(path));
        };
        // Folding keeps lengths: a parameter stands at the same bytes of the path as sent.
        let parameter = |name: &str| match matched.params.get(name) {
            None => Some(None),
            Some(part) => decoded(trimmed, &folded, part).map(Some),
        };
        let (Some(id), Some(fk)) = (parameter("id"), parameter("fk")) else {
            return Found::unknown(path);
        };
        Found {
            handler: *handler,
            matched: matched.value.matched(*row, id, fk),
            name: matched.value.pattern,
            page: matched.value.page,
        }
    }

    /// LoopBack reads `GET /Users/logout` as the user with the id "logout": what a named path has no method for may be one of `{id}`.
    fn by_id(&self, method: &Method, path: &str) -> Option<Found> {
        let (pool, last) = path.rsplit_once('/')?;
        let sample = format!("{}/-", pool.to_ascii_lowercase());
        let endpoint = self
            .router
            .at(&sample)
            .ok()
            .filter(|matched| matched.params.get("id") == Some("-"))?
            .value;
        let (handler, row) = endpoint.methods.get(method.as_str())?;
        let id = percent_encoding::percent_decode_str(last)
            .decode_utf8()
            .ok()?
            .into_owned();
        Some(Found {
            handler: *handler,
            matched: endpoint.matched(*row, Some(id), None),
            name: endpoint.pattern,
            page: endpoint.page,
        })
    }
}

/// The part of the path as sent that a parameter of the folded path covers, percent-decoded; `None` if that is no UTF-8.
fn decoded(path: &str, folded: &str, parameter: &str) -> Option<String> {
    let start = (parameter.as_ptr() as usize).checked_sub(folded.as_ptr() as usize)?;
    let raw = path.get(start..start.checked_add(parameter.len())?)?;
    if !raw.contains('%') {
        return Some(raw.to_owned());
    }
    percent_encoding::percent_decode_str(raw)
        .decode_utf8()
        .ok()
        .map(std::borrow::Cow::into_owned)
}

/// The name of what is no route of ours.
const UNKNOWN: &str = "none";

/// A request's route.
pub struct Found {
    handler: Handler,
    matched: Matched,
    name: &'static str,
    page: bool,
}

impl Found {
    fn unknown(path: &str) -> Self {
        let api = path
            .get(..5)
            .is_some_and(|start| start.eq_ignore_ascii_case("/api/"))
            || path.eq_ignore_ascii_case("/api");
        let handler: Handler = if api {
            handler!(api::unknown)
        } else {
            handler!(assets::file_or_not_found)
        };
        Self {
            handler,
            matched: Matched::default(),
            name: UNKNOWN,
            page: !api,
        }
    }

    /// The same; but what is no route of ours may be a door of `providers.json`.
    #[must_use]
    pub fn or_entry(self, app: &App, path: &str) -> Self {
        if self.name != UNKNOWN {
            return self;
        }
        let Some((entry, door)) = external::find(app, path) else {
            return self;
        };
        Self {
            handler: handler!(external::call),
            name: match door {
                Door::Start => "authPath",
                Door::Callback => "callbackPath",
                Door::Logout => "logoutPath",
                Door::Metadata => "metadataPath",
            },
            page: !entry.json,
            matched: Matched {
                entry: Some((entry, door)),
                ..Matched::default()
            },
        }
    }

    /// Whether problems are shown as a page.
    pub fn is_page(&self) -> bool {
        self.page
    }

    /// The route's name in logs.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Calls the handler.
    pub fn call(self, request: Request) -> Answer {
        (self.handler)(request, self.matched)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_ours_is_told_by_the_table_itself() {
        for (path, own) in [
            ("/", "/"),
            ("/Login/", "/login"),
            ("/login.html", "/login.html"),
            ("/auth/account", "/auth/account"),
            ("/auth/check/callback", "/auth/check"),
            ("/api/Users/auth", "/api"),
            ("/assets/x", "/assets"),
            ("/two-factor", "/two-factor"),
        ] {
            assert_eq!(own_route(path), Some(own), "{path}");
        }
        for free in [
            "/auth",
            "/auth/facebook",
            "/link/google",
            "/loginx",
            "/apis",
            "/auth/checks",
        ] {
            assert_eq!(own_route(free), None, "{free}");
        }
    }
}
