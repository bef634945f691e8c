//! Somebody at a browser, who comes and goes.

use std::time::{Duration, Instant};

use e2e::{Person, Portcullis, Setup};

use crate::{Browser, Surroundings};

/// Where the account is shown.
pub const ACCOUNT: &str = "/account";
/// Where the second step of a log-in is asked for.
pub const SECOND_STEP: &str = "/two-factor";

/// How long words may take to appear. Far more than they need.
const PATIENCE: Duration = Duration::from_secs(20);

/// A server at `localhost`, as a person has it: with limits, and a name that passkeys take.
pub async fn at_localhost(setup: Setup) -> Portcullis {
    let setup = setup.limited();
    setup
        .variable("PORTCULLIS__SERVER__LISTEN", "localhost:0")
        .start()
        .await
}

/// A person's window on a server.
pub struct Desk {
    /// The window.
    pub browser: Browser,
    pub(crate) site: String,
    /// The virtual authenticator, where there is one.
    pub(crate) authenticator: String,
}

impl Desk {
    /// A window without any authenticator.
    pub async fn open(name: &str, server: &Portcullis, javascript: bool) -> Self {
        Self::open_in(name, server, javascript, &Surroundings::default()).await
    }

    /// The same in surroundings of its own.
    pub async fn open_in(
        name: &str,
        server: &Portcullis,
        javascript: bool,
        surroundings: &Surroundings,
    ) -> Self {
        Self {
            browser: Browser::open_in(name, javascript, surroundings).await,
            site: format!("http://localhost:{}", server.port()),
            authenticator: String::new(),
        }
    }

    /// Goes to a path.
    pub async fn go(&self, path: &str) {
        self.browser.go(&format!("{}{path}", self.site)).await;
    }

    /// Waits until the page says something.
    ///
    /// # Panics
    /// When it does not.
    pub async fn says(&self, what: &str) {
        let begun = Instant::now();
        loop {
            let text = self.browser.text().await;
            if text.contains(what) {
                return;
            }
            assert!(begun.elapsed() < PATIENCE, "no {what:?} in {text}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Presses what leads to another state of a page, and waits for its words.
    ///
    /// # Panics
    /// When they do not come.
    pub async fn press(&self, css: &str, says: &str) {
        self.click(css).await;
        self.says(says).await;
    }

    /// Presses something and waits for nothing.
    ///
    /// # Panics
    /// When it cannot be pressed.
    pub async fn click(&self, css: &str) {
        self.browser.find(css).await.click().await.expect("a click");
    }

    /// Makes sure that the account is shut for this window.
    ///
    /// # Panics
    /// When it is open.
    pub async fn is_outside(&self) {
        self.go(ACCOUNT).await;
        let path = self.browser.path().await;
        assert_eq!(path, "/login", "nothing is open yet");
    }

    /// Types address and password.
    pub async fn log_in_by_password(&self, person: &Person, leads_to: &str) {
        self.go("/login").await;
        self.browser.fill("#identifier", &person.email).await;
        self.browser.fill("#password", &person.password).await;
        self.browser
            .press("form[action='/login'] button[type=submit]", leads_to)
            .await;
    }

    /// Presses the button on the account's page.
    pub async fn log_out(&self, leads_to: &str) {
        self.go(ACCOUNT).await;
        self.browser
            .press("form[action='/logout'] button", leads_to)
            .await;
    }

    /// Chooses another way for the second step: `totp`, `recovery` or `passkey`.
    pub async fn by_other_way(&self, method: &str) {
        self.go(SECOND_STEP).await;
        self.click(&format!("a[href*='method={method}']")).await;
        let form = if method == "passkey" {
            "form[action='/two-factor/passkey']".to_owned()
        } else {
            format!("input[name=method][value={method}]")
        };
        self.browser.find(&form).await;
    }

    /// Types the code that the second step asks for, and is in.
    pub async fn comes_in_by(&self, code: &str) {
        self.browser.fill("#code", code).await;
        self.browser
            .press("form[action='/two-factor'] button", ACCOUNT)
            .await;
    }

    /// Types a code that will not do: the page says so, and the account stays shut.
    pub async fn stays_out_by(&mut self, code: &str) {
        self.browser.fill("#code", code).await;
        self.press(
            "form[action='/two-factor'] button",
            "That code is wrong, was used before",
        )
        .await;
        self.browser.find("#code[aria-invalid]").await;
        self.browser.shoot("refused").await;
        self.is_outside().await;
    }
}
