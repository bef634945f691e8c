//! A browser without JavaScript: it keeps cookies, fills in forms, and follows nothing by itself.

use std::cell::RefCell;
use std::collections::BTreeMap;

use reqwest::redirect::Policy;
use reqwest::{Client, RequestBuilder};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::site::{EMAIL, PASSWORD, Site};

pub struct Browser {
    origin: String,
    client: Client,
    cookies: RefCell<BTreeMap<String, String>>,
}

/// What came back.
#[derive(Debug)]
pub struct Page {
    pub status: u16,
    pub headers: reqwest::header::HeaderMap,
    pub text: String,
}

impl Page {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub fn location(&self) -> &str {
        self.header("location")
    }

    /// The `Set-Cookie` line of a cookie, empty where there is none.
    pub fn set_cookie(&self, name: &str) -> &str {
        let lines = self
            .headers
            .get_all("set-cookie")
            .iter()
            .map(|line| line.to_str().unwrap());
        lines
            .into_iter()
            .find(|line| line.starts_with(&format!("{name}=")))
            .unwrap_or_default()
    }

    /// The value of a hidden field, as a browser reads it.
    pub fn hidden(&self, name: &str) -> String {
        let opening = format!("<input type=\"hidden\" name=\"{name}\" value=\"");
        let rest = self
            .text
            .split_once(&opening)
            .unwrap_or_else(|| panic!("no {name} in {}", self.text))
            .1;
        let value = rest.split_once('"').unwrap().0;
        [
            ("&#x2f;", "/"),
            ("&lt;", "<"),
            ("&gt;", ">"),
            ("&quot;", "\""),
            ("&amp;", "&"),
        ]
        .iter()
        .fold(value.to_owned(), |value, (written, meant)| {
            value.replace(written, meant)
        })
    }

    #[track_caller]
    pub fn is(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text);
        self
    }

    #[track_caller]
    pub fn says(self, text: &str) -> Self {
        assert!(self.text.contains(text), "no {text:?} in {}", self.text);
        self
    }

    #[track_caller]
    pub fn leads_to(self, place: &str) -> Self {
        assert_eq!((self.status, self.location()), (303, place), "{}", self.text);
        self
    }
}

impl Browser {
    pub fn new(site: &Site) -> Self {
        let client = Client::builder().redirect(Policy::none()).build().unwrap();
        let origin = site.base.trim_end_matches("/api").to_owned();
        Self {
            origin,
            client,
            cookies: RefCell::default(),
        }
    }

    pub fn cookie(&self, name: &str) -> Option<String> {
        self.cookies.borrow().get(name).cloned()
    }

    pub fn set_cookie(&self, name: &str, value: &str) {
        self.cookies
            .borrow_mut()
            .insert(name.to_owned(), value.to_owned());
    }

    pub fn forget(&self, name: &str) {
        self.cookies.borrow_mut().remove(name);
    }

    /// A request as a browser sends one, cookies included.
    pub fn request(&self, method: &str, path: &str) -> RequestBuilder {
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let cookies: Vec<String> = self
            .cookies
            .borrow()
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let request = self
            .client
            .request(method, format!("{}{path}", self.origin))
            .header("accept", "text/html,*/*;q=0.8");
        if cookies.is_empty() {
            request
        } else {
            request.header("cookie", cookies.join("; "))
        }
    }

    pub async fn send(&self, request: RequestBuilder) -> Page {
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        for line in headers.get_all("set-cookie") {
            let (pair, flags) = line.to_str().unwrap().split_once(';').unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            if flags.contains("Max-Age=0") {
                self.forget(name);
            } else {
                self.set_cookie(name, value);
            }
        }
        let page = Page {
            status,
            headers,
            text: response.text().await.unwrap(),
        };
        assert!(
            !page.text.contains(PASSWORD),
            "a page shows the password: {}",
            page.text
        );
        page
    }

    pub async fn get(&self, path: &str) -> Page {
        self.send(self.request("GET", path)).await
    }

    /// Opens a page, fills in a form of it and sends that to `action`.
    pub async fn fill(&self, page: &str, action: &str, fields: &[(&str, &str)]) -> Page {
        let opened = self.get(page).await.is(200);
        assert!(
            opened.text.contains(&format!("action=\"{action}\"")),
            "{page} has no form for {action}"
        );
        self.post(action, &opened.hidden("csrf"), fields).await
    }

    /// Sends a form with an anti-forgery value.
    pub async fn post(&self, action: &str, csrf: &str, fields: &[(&str, &str)]) -> Page {
        let fields: Vec<(&str, &str)> = [("csrf", csrf)].iter().chain(fields).copied().collect();
        let request = self
            .request("POST", action)
            .header("origin", &self.origin)
            .header("sec-fetch-site", "same-origin");
        self.send(request.form(&fields)).await
    }

    pub async fn sign_up(&self, fields: &[(&str, &str)]) -> Page {
        let fields: Vec<(&str, &str)> = [("email", EMAIL), ("password", PASSWORD)]
            .iter()
            .chain(fields)
            .copied()
            .collect();
        self.fill("/signup", "/signup", &fields).await
    }

    pub async fn log_in(&self) -> Page {
        self.fill(
            "/login",
            "/login",
            &[("identifier", EMAIL), ("password", PASSWORD)],
        )
        .await
    }

    /// Signed up, logged in, on the account page.
    pub async fn at_home(site: &Site) -> Self {
        let browser = Self::new(site);
        browser.sign_up(&[]).await.leads_to("/login?created=1");
        browser.log_in().await.leads_to("/account");
        browser
    }

    /// Off to a provider, and back from it as the account that `code` stands for.
    pub async fn come_by(&self, door: &str, code: &str) -> Page {
        let query = self.visit_provider(door).await;
        let path = door.split('?').next().unwrap();
        self.get(&format!("{path}/callback?code={code}&{query}")).await
    }

    /// Off to a provider; tells what its answer must bring back.
    pub async fn visit_provider(&self, door: &str) -> String {
        let page = self.get(door).await;
        state_of(&page)
    }

    /// A request line exactly as written: no client library tidies the path. Tells the status and the whole answer.
    pub async fn raw(&self, method: &str, path: &str) -> (u16, String) {
        let host = self.origin.trim_start_matches("http://");
        let mut stream = TcpStream::connect(host).await.unwrap();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: {host}\r\nAccept: text/html\r\nConnection: close\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        let answer = String::from_utf8_lossy(&answer).into_owned();
        (answer[9..12].parse().unwrap(), answer)
    }
}

/// The `state` that a provider was sent.
pub fn state_of(page: &Page) -> String {
    assert_eq!(page.status, 302, "{}", page.text);
    let url = reqwest::Url::parse(page.location()).unwrap();
    let state = url.query_pairs().find(|(name, _)| name == "state").unwrap().1;
    format!("state={state}")
}
