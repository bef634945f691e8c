//! A browser without pictures: it keeps cookies as browsers do, says where it comes from, follows redirects, fills forms.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use reqwest::header::HeaderMap;
use reqwest::{Method, RequestBuilder, Url};

use crate::client::{Client, Reply};

/// Longer chains are loops.
const MOST_REDIRECTS: usize = 20;

/// One person's browser. Clones are tabs: they share the cookies, and each is on a page of its own.
pub struct Browser {
    http: Client,
    cookies: Arc<Mutex<Vec<Cookie>>>,
    here: Option<Url>,
    accept: &'static str,
}

/// Where a browser ended.
#[derive(Clone, Debug)]
pub struct Page {
    /// Its address.
    pub url: String,
    /// Every address on the way, the first first.
    pub trail: Vec<String>,
    /// What came.
    pub reply: Reply,
}

#[derive(Clone)]
struct Cookie {
    host: String,
    name: String,
    value: String,
    path: String,
    cross_site: CrossSite,
}

/// When a cookie is sent although another site asks (RFC 6265bis section 5.2).
#[derive(Clone, Copy, PartialEq)]
enum CrossSite {
    Always,
    OnVisits,
    Never,
}

/// One request, dressed as browsers dress it.
struct Step {
    method: Method,
    url: Url,
    from: Option<Url>,
    form: Option<Vec<(String, String)>>,
}

impl Browser {
    pub(crate) fn new(http: Client) -> Self {
        Self {
            http,
            cookies: Arc::default(),
            here: None,
            accept: "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8",
        }
    }

    /// Another tab.
    #[must_use]
    pub fn tab(&self) -> Self {
        Self {
            http: self.http.clone(),
            cookies: Arc::clone(&self.cookies),
            here: self.here.clone(),
            accept: self.accept,
        }
    }

    /// The same, but what it opens is for a program: it wants JSON.
    #[must_use]
    pub fn as_program(mut self) -> Self {
        self.accept = "application/json";
        self
    }

    /// Opens an address that was typed, and goes where it leads.
    pub async fn open(&mut self, url: &str) -> Page {
        self.here = None;
        self.follow(url).await
    }

    /// Follows a link on the page it is on, and goes where that leads.
    pub async fn follow(&mut self, url: &str) -> Page {
        let step = self.visit(url);
        self.go(step, |_| false).await
    }

    /// Follows a link, and all redirects up to one where `is_end` says so; gives that address without going there.
    ///
    /// # Panics
    /// When no redirect leads there.
    pub async fn follow_until(&mut self, url: &str, is_end: impl Fn(&str) -> bool) -> String {
        let step = self.visit(url);
        let page = self.go(step, &is_end).await;
        assert!(
            is_end(&page.url),
            "it leads to {} instead: {}",
            page.url,
            page.reply.text
        );
        page.url
    }

    /// Follows a link up to a page that would send a form by itself to where `is_end` says so; gives that address and the form, which
    /// is not sent.
    ///
    /// # Panics
    /// When no such page comes.
    pub async fn form_until(
        &mut self,
        url: &str,
        is_end: impl Fn(&str) -> bool,
    ) -> (String, Vec<(String, String)>) {
        let step = self.visit(url);
        let page = self.go(step, &is_end).await;
        match sent_by_itself(&page.reply.text) {
            Some((_, fields)) if is_end(&page.url) => (page.url, fields),
            _ => panic!("it leads to {} instead: {}", page.url, page.reply.text),
        }
    }

    /// Sends a form of the page it is on.
    pub async fn post(&mut self, url: &str, fields: &[(&str, &str)]) -> Page {
        let fields = fields
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let step = Step {
            method: Method::POST,
            url: self.join(url),
            from: self.here.clone(),
            form: Some(fields.collect()),
        };
        self.go(step, |_| false).await
    }

    /// Sends a form as if from a page of another site, without following where that leads.
    pub async fn post_from(&self, elsewhere: &str, url: &str, fields: &[(&str, &str)]) -> Reply {
        let fields = fields
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let step = Step {
            method: Method::POST,
            url: self.join(url),
            from: Url::parse(elsewhere).ok(),
            form: Some(fields.collect()),
        };
        self.send(&step).await
    }

    /// Fills and sends the form with this `action` on a page, hidden fields included.
    ///
    /// # Panics
    /// When there is none.
    pub async fn submit(&mut self, page: &Page, action: &str, fields: &[(&str, &str)]) -> Page {
        let form = form(&page.reply.text, action);
        let form = form.unwrap_or_else(|| panic!("no form {action} in {}", page.reply.text));
        let mut all: Vec<(&str, &str)> = form
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        all.retain(|(name, _)| fields.iter().all(|(given, _)| given != name));
        all.extend(fields);
        self.post(action, &all).await
    }

    /// One request, without following where it leads, as if by a link on the page it is on.
    pub async fn peek(&self, url: &str) -> Reply {
        let step = self.visit(url);
        self.send(&step).await
    }

    /// The same at a server that may be gone; none if it is.
    pub async fn try_peek(&self, url: &str) -> Option<Reply> {
        let step = self.visit(url);
        let reply = self
            .http
            .try_send(self.dressed(&step, self.accept, "navigate"))
            .await
            .ok()?;
        self.keep(&step.url, &reply.headers);
        Some(reply)
    }

    /// One request as if by a link on another site.
    pub async fn peek_from(&self, elsewhere: &str, url: &str) -> Reply {
        let mut step = self.visit(url);
        step.from = Url::parse(elsewhere).ok();
        self.send(&step).await
    }

    /// One request that also carries an access token, as script on a page sends it: it wants JSON, and goes nowhere.
    pub async fn peek_with(&self, url: &str, token: &str) -> Reply {
        let step = self.visit(url);
        let request = self
            .dressed(&step, "application/json", "cors")
            .header("Authorization", token);
        self.sent(&step, request).await
    }

    /// Forgets every cookie.
    pub fn forget(&self) {
        self.jar().clear();
    }

    /// The value of a cookie whose name begins like that, of any host.
    pub fn cookie(&self, start: &str) -> Option<String> {
        let jar = self.jar();
        let found = jar.iter().find(|cookie| cookie.name.starts_with(start));
        found.map(|cookie| cookie.value.clone())
    }

    /// Every cookie of every host: name and value.
    pub fn cookies(&self) -> Vec<(String, String)> {
        let jar = self.jar();
        let pairs = jar
            .iter()
            .map(|cookie| (cookie.name.clone(), cookie.value.clone()));
        pairs.collect()
    }

    /// Whether it holds a session of the server.
    pub fn is_logged_in(&self) -> bool {
        let jar = self.jar();
        jar.iter()
            .any(|cookie| matches!(cookie.name.as_str(), "portcullis" | "__Host-portcullis"))
    }

    fn jar(&self) -> MutexGuard<'_, Vec<Cookie>> {
        self.cookies.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn visit(&self, url: &str) -> Step {
        Step {
            method: Method::GET,
            url: self.join(url),
            from: self.here.clone(),
            form: None,
        }
    }

    fn join(&self, url: &str) -> Url {
        let base = self.here.clone();
        let base = base.unwrap_or_else(|| Url::parse(self.http.base()).expect("our own address"));
        base.join(url).expect("an address")
    }

    async fn go(&mut self, mut step: Step, is_end: impl Fn(&str) -> bool) -> Page {
        let mut trail = vec![step.url.to_string()];
        for _ in 0..MOST_REDIRECTS {
            let reply = self.send(&step).await;
            let to = reply.header("location");
            let next = if (300..400).contains(&reply.status) && !to.is_empty() {
                let url = step.url.join(to).expect("an address");
                let repeats = matches!(reply.status, 307 | 308);
                // Whoever redirects, a person sent them: what other sites send is what counts here.
                let (method, form) = if repeats {
                    (step.method, step.form)
                } else {
                    (Method::GET, None)
                };
                Step {
                    method,
                    url,
                    from: Some(step.url),
                    form,
                }
            } else if let Some((action, fields)) = sent_by_itself(&reply.text) {
                let url = step.url.join(&action).expect("an address");
                Step {
                    method: Method::POST,
                    url,
                    from: Some(step.url),
                    form: Some(fields),
                }
            } else {
                self.here = Some(step.url.clone());
                return Page {
                    url: step.url.into(),
                    trail,
                    reply,
                };
            };
            trail.push(next.url.to_string());
            if is_end(next.url.as_str()) {
                self.here = next.from;
                return Page {
                    url: next.url.into(),
                    trail,
                    reply,
                };
            }
            step = next;
        }
        panic!("round and round: {trail:?}");
    }

    async fn send(&self, step: &Step) -> Reply {
        self.sent(step, self.dressed(step, self.accept, "navigate")).await
    }

    async fn sent(&self, step: &Step, request: RequestBuilder) -> Reply {
        let reply = self.http.send(request).await;
        self.keep(&step.url, &reply.headers);
        reply
    }

    fn dressed(&self, step: &Step, accept: &str, mode: &str) -> RequestBuilder {
        let mut request = self.http.request_to(step.method.clone(), step.url.as_str());
        let (site, is_cross) = match &step.from {
            None => ("none", false),
            Some(from) if from.origin() == step.url.origin() => ("same-origin", false),
            // Sites know no ports.
            Some(from) if from.host_str() == step.url.host_str() => ("same-site", false),
            Some(_) => ("cross-site", true),
        };
        request = request
            .header("Accept", accept)
            .header("Sec-Fetch-Site", site)
            .header("Sec-Fetch-Mode", mode);
        let cookies = self.cookies_for(step, is_cross);
        if !cookies.is_empty() {
            request = request.header("Cookie", cookies);
        }
        if let Some(form) = &step.form {
            let origin = step.from.as_ref().map(|from| from.origin().ascii_serialization());
            request = request
                .header("Origin", origin.unwrap_or_else(|| "null".to_owned()))
                .form(form);
        }
        request
    }

    fn cookies_for(&self, step: &Step, is_cross: bool) -> String {
        let path = step.url.path();
        let fits = |cookie: &&Cookie| {
            let below = path.starts_with(&cookie.path);
            let allowed = match cookie.cross_site {
                CrossSite::Always => true,
                CrossSite::OnVisits => !is_cross || step.method == Method::GET,
                CrossSite::Never => !is_cross,
            };
            step.url.host_str() == Some(&cookie.host) && below && allowed
        };
        let jar = self.jar();
        let pairs = jar
            .iter()
            .filter(fits)
            .map(|cookie| format!("{}={}", cookie.name, cookie.value));
        pairs.collect::<Vec<_>>().join("; ")
    }

    fn keep(&self, url: &Url, headers: &HeaderMap) {
        let mut jar = self.jar();
        for line in headers.get_all("set-cookie") {
            let line = line.to_str().expect("a cookie of plain letters");
            let Some((cookie, is_over)) = Cookie::read(url, line) else {
                continue;
            };
            jar.retain(|old| (&old.host, &old.name, &old.path) != (&cookie.host, &cookie.name, &cookie.path));
            if !is_over {
                jar.push(cookie);
            }
        }
    }
}

impl Page {
    /// The same page, if its answer has this status.
    ///
    /// # Panics
    /// When it has another one.
    #[must_use = "or say `.done()`"]
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.reply.status, status, "at {}: {}", self.url, self.reply.text);
        self
    }

    /// Says that nothing more is wanted of it.
    pub fn done(self) {}

    /// Whether it was led by this path.
    ///
    /// # Panics
    /// When it was not.
    #[track_caller]
    pub fn came_by(&self, path: &str) {
        let url = Url::parse(&self.url)
            .and_then(|url| url.join(path))
            .expect("an address");
        assert!(
            self.trail.iter().any(|passed| *passed == url.as_str()),
            "not by {path}: {:?}",
            self.trail
        );
    }

    /// Where a page with nothing to do on it leads by itself, which browsers follow and this one does not.
    ///
    /// # Panics
    /// When it stays.
    pub fn leads_on_to(&self) -> String {
        let html = &self.reply.text;
        let tag = html
            .split_once("<meta http-equiv=\"refresh\"")
            .map(|(_, rest)| rest);
        let content = tag.and_then(|tag| attribute(tag.split('>').next()?, "content"));
        let to = content
            .as_deref()
            .and_then(|content| content.strip_prefix("0; url="));
        to.unwrap_or_else(|| panic!("it stays at {}: {html}", self.url))
            .to_owned()
    }

    /// The path of its address.
    ///
    /// # Panics
    /// Never.
    pub fn path(&self) -> String {
        Url::parse(&self.url).expect("an address").path().to_owned()
    }
}

impl Cookie {
    /// A cookie and whether it is over already.
    fn read(url: &Url, line: &str) -> Option<(Self, bool)> {
        let mut parts = line.split(';').map(str::trim);
        let (name, value) = parts.next()?.split_once('=')?;
        let mut cookie = Self {
            host: url.host_str()?.to_owned(),
            name: name.to_owned(),
            value: value.to_owned(),
            path: "/".to_owned(),
            cross_site: CrossSite::OnVisits,
        };
        let mut is_over = false;
        for part in parts {
            let (key, value) = part.split_once('=').unwrap_or((part, ""));
            match key.to_ascii_lowercase().as_str() {
                "path" => value.clone_into(&mut cookie.path),
                "max-age" => is_over |= value.parse::<i64>().is_ok_and(|left| left <= 0),
                "expires" => is_over |= value.contains(" 1970 "),
                "samesite" => {
                    cookie.cross_site = match value.to_ascii_lowercase().as_str() {
                        "none" => CrossSite::Always,
                        "strict" => CrossSite::Never,
                        _ => CrossSite::OnVisits,
                    }
                }
                _ => {}
            }
        }
        Some((cookie, is_over))
    }
}

/// The form that a page sends without being asked.
fn sent_by_itself(html: &str) -> Option<(String, Vec<(String, String)>)> {
    let scripts = ["document.forms[0].submit()", " data-send>"];
    scripts.iter().any(|script| html.contains(script)).then_some(())?;
    let action = attribute(html.split("<form").nth(1)?, "action")?;
    let fields = form(html, &action)?;
    Some((action, fields))
}

/// The named fields of the form with this action.
fn form(html: &str, action: &str) -> Option<Vec<(String, String)>> {
    let forms = html
        .split("<form")
        .skip(1)
        .filter_map(|rest| rest.split("</form>").next());
    let mut fitting = forms.filter(|form| {
        let head = form.split('>').next().unwrap_or_default();
        attribute(head, "action").as_deref() == Some(action)
    });
    let fields = fitting.next()?.split("<input").skip(1).filter_map(|rest| {
        let tag = rest.split('>').next().unwrap_or_default();
        Some((
            attribute(tag, "name")?,
            attribute(tag, "value").unwrap_or_default(),
        ))
    });
    Some(fields.collect())
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let (_, rest) = tag.split_once(&format!(" {name}=\""))?;
    let (value, _) = rest.split_once('"')?;
    let names = [
        ("&#34;", "\""),
        ("&#38;", "&"),
        ("&#60;", "<"),
        ("&#62;", ">"),
        ("&quot;", "\""),
    ];
    let more = [
        ("&#x2f;", "/"),
        ("&#x2F;", "/"),
        ("&#x27;", "'"),
        ("&#x3D;", "="),
        ("&#x2B;", "+"),
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&amp;", "&"),
    ];
    let plain = names.iter().chain(&more);
    Some(plain.fold(value.to_owned(), |text, (escaped, letter)| {
        text.replace(escaped, letter)
    }))
}
