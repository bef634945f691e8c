//! A headless Chromium, driven by chromedriver, for one test.
//!
//! The driver takes a port of its own; both processes and the profile are gone when the [`Browser`] is. Screenshots lie in
//! [`screenshots`]. A [`Desk`] is a person at such a browser, who logs in and out, adds and loses second factors.

#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a harness that cannot go on fails the test"
)]

mod app;
mod authenticator;
mod desk;
mod devtools;
mod pictures;
mod security;
mod surroundings;

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use fantoccini::elements::Element;
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::json;
use tempfile::TempDir;

pub use app::App;
pub use authenticator::{BEGUN, FAILED, MAKE, NO_SUGGESTIONS, PASSKEY_LOGIN, PASSKEY_STEP};
pub use desk::{ACCOUNT, Desk, SECOND_STEP, at_localhost};
pub use pictures::screenshots;
pub use security::{CONFIRM, SECURITY};
pub use surroundings::Surroundings;

/// How long a page may take. Far more than it needs.
const PATIENCE: Duration = Duration::from_secs(30);

/// A browser window.
pub struct Browser {
    /// The WebDriver session.
    pub page: Client,
    driver: Child,
    port: u16,
    name: String,
    shots: u32,
    _profile: TempDir,
}

/// A program on the path, by the first of its names that is there.
///
/// # Panics
/// When none is.
fn program(names: &[&str]) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let places: Vec<PathBuf> = std::env::split_paths(&path).collect();
    let found = names
        .iter()
        .flat_map(|name| places.iter().map(move |place| place.join(name)))
        .find(|candidate| candidate.is_file());
    found.unwrap_or_else(|| {
        panic!(
            "{} is missing: run `bash tests/setup`, which brings it",
            names.join(" or ")
        )
    })
}

impl Browser {
    /// Opens a window; `name` names its screenshots.
    ///
    /// # Panics
    /// When Chromium or chromedriver is missing or does not start.
    pub async fn open(name: &str, javascript: bool) -> Self {
        Self::open_in(name, javascript, &Surroundings::default()).await
    }

    /// The same in surroundings of its own.
    ///
    /// # Panics
    /// As [`Browser::open`].
    pub async fn open_in(name: &str, javascript: bool, surroundings: &Surroundings) -> Self {
        let chromium = program(&["chromium", "chromium-browser", "google-chrome"]);
        let profile = tempfile::Builder::new()
            .prefix("portcullis-browser-")
            .tempdir()
            .expect("a folder");
        let (driver, port) = start_driver(surroundings);
        let mut builder = ClientBuilder::new(HttpConnector::new());
        let mut capabilities = capabilities(&chromium, profile.path(), javascript);
        surroundings.add_to(&mut capabilities);
        let capabilities = capabilities.as_object().expect("an object").clone();
        let page = builder
            .capabilities(capabilities)
            .connect(&format!("http://127.0.0.1:{port}"))
            .await;
        let page = page.unwrap_or_else(|error| panic!("Chromium does not start: {error}"));
        let folder = screenshots(name);
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).expect("a folder for screenshots");
        Self {
            page,
            driver,
            port,
            name: name.to_owned(),
            shots: 0,
            _profile: profile,
        }
    }

    /// Goes to an address.
    ///
    /// # Panics
    /// When nothing answers there.
    pub async fn go(&self, url: &str) {
        self.page.goto(url).await.expect("a page");
    }

    /// The one element that a CSS selector means; waits for it.
    ///
    /// # Panics
    /// When it does not come: shows the page.
    pub async fn find(&self, css: &str) -> Element {
        match self
            .page
            .wait()
            .at_most(PATIENCE)
            .for_element(Locator::Css(css))
            .await
        {
            Ok(element) => element,
            Err(error) => panic!("no {css} ({error}) on {}", self.shown().await),
        }
    }

    /// Types into a field.
    ///
    /// # Panics
    /// When that is not possible.
    pub async fn fill(&self, css: &str, text: &str) {
        let field = self.find(css).await;
        field.clear().await.expect("an empty field");
        field.send_keys(text).await.expect("a typed text");
    }

    /// Presses a button and waits until the page at `path` is there.
    ///
    /// # Panics
    /// When another page comes, or none.
    pub async fn press(&self, css: &str, path: &str) {
        self.find(css).await.click().await.expect("a click");
        let begun = Instant::now();
        while self.path().await != path {
            assert!(
                begun.elapsed() < PATIENCE,
                "{css} should lead to {path} but led to {}",
                self.shown().await
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// The path of the page.
    ///
    /// # Panics
    /// When there is none.
    pub async fn path(&self) -> String {
        self.page
            .current_url()
            .await
            .expect("an address")
            .path()
            .to_owned()
    }

    /// What a person reads.
    pub async fn text(&self) -> String {
        self.find("body").await.text().await.unwrap_or_default()
    }

    /// What a person reads in each element that a CSS selector means, which may be none.
    ///
    /// # Panics
    /// When the page goes away meanwhile.
    pub async fn words(&self, css: &str) -> Vec<String> {
        let mut words = Vec::new();
        let found = self.page.find_all(Locator::Css(css)).await;
        for element in found.expect("a selector") {
            words.push(element.text().await.expect("an element that is there"));
        }
        words
    }

    async fn shown(&self) -> String {
        let (url, source) = (self.page.current_url().await, self.page.source().await);
        format!(
            "{}:\n{}",
            url.map_or_else(|_| String::new(), |url| url.to_string()),
            source.unwrap_or_default()
        )
    }
}

/// Starts chromedriver, which says the port it took.
fn start_driver(surroundings: &Surroundings) -> (Child, u16) {
    let mut driver = Command::new(program(&["chromedriver"]))
        .args(["--port=0", "--allowed-ips=127.0.0.1", "--log-level=WARNING"])
        .envs(surroundings.variables.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
        .expect("chromedriver starts");
    let output = driver.stdout.take().expect("its output");
    let mut lines = BufReader::new(output).lines();
    let port = lines.by_ref().map_while(Result::ok).find_map(|line| {
        let port = line.strip_prefix("ChromeDriver was started successfully on port ")?;
        port.trim_end_matches('.').parse().ok()
    });
    // Read on, so that it never waits for us.
    std::thread::spawn(move || lines.for_each(drop));
    (driver, port.expect("chromedriver says its port"))
}

/// Runs as root and without a display; reaches nothing but this machine.
fn capabilities(chromium: &Path, profile: &Path, javascript: bool) -> serde_json::Value {
    let profile = format!("--user-data-dir={}", profile.display());
    // The browser's own setting: 1 allows scripts, 2 forbids them.
    let setting = if javascript { 1 } else { 2 };
    json!({
        "browserName": "chrome",
        "goog:chromeOptions": {
            "binary": chromium.display().to_string(),
            "args": [
                "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-quic", "--no-first-run",
                "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-default-apps",
                "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1", "--window-size=1100,1400", profile,
            ],
            "prefs": {
                "profile.managed_default_content_settings.javascript": setting,
                "credentials_enable_service": false,
                "profile.password_manager_enabled": false,
                "profile.password_manager_leak_detection": false,
            },
        },
    })
}

impl Drop for Browser {
    fn drop(&mut self) {
        // The driver takes its Chromium along when it is asked to go.
        if let Ok(mut stream) = TcpStream::connect(("127.0.0.1", self.port)) {
            let _ =
                stream.write_all(b"GET /shutdown HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n");
            let _ = stream.set_read_timeout(Some(Duration::from_secs(5)));
            let _ = stream.read(&mut [0; 64]);
        }
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs(5) {
            if matches!(self.driver.try_wait(), Ok(Some(_))) {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        // It leads a group of its own, with everything it started.
        let group = format!("-{}", self.driver.id());
        let _ = Command::new("kill").args(["-KILL", "--", &group]).status();
        let _ = self.driver.wait();
    }
}
