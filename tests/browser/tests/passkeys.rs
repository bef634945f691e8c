//! Passkeys as a person meets them: made on the account's page, taken among the suggestions or by the button, as a second step, and
//! gone again. The browser's own virtual authenticator holds them.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::time::{Duration, Instant};

use browser::Browser;
use e2e::{PASSWORD, Person, Portcullis};
use fantoccini::wd::WebDriverCompatibleCommand;
use http::Method;
use serde_json::{Value, json};
use url::{ParseError, Url};

const BUTTON: &str = "form[action='/login/passkey'] button";
const SECOND_STEP: &str = "form[action='/two-factor/passkey'] button";
const MAKE: &str = "form[data-passkey=create] button";
const BEGUN: &str = "/account/security/passkeys/begin";
const FAILED: &str = "[data-passkey-failed]:not([hidden])";
const SECURITY: &str = "/account/security";
/// Hides from the page that passkeys can be suggested: otherwise the virtual authenticator, which always says yes, logs in at once.
const NO_SUGGESTIONS: &str = "PublicKeyCredential.isConditionalMediationAvailable = async () => false;";
/// A page's script under somebody else's hand, which lets an authenticator do without verification whatever the server asks for.
const CARELESS: &str = "const get = navigator.credentials.get.bind(navigator.credentials); \
    navigator.credentials.get = (options) => { options.publicKey.userVerification = 'discouraged'; return get(options); };";

/// What chromedriver knows and fantoccini does not.
#[derive(Debug)]
struct Command {
    method: Method,
    path: String,
    body: Option<Value>,
}

impl WebDriverCompatibleCommand for Command {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, ParseError> {
        base.join(&format!("session/{}/{}", session.unwrap_or_default(), self.path))
    }

    fn method_and_body(&self, _: &Url) -> (Method, Option<String>) {
        (self.method.clone(), self.body.as_ref().map(Value::to_string))
    }
}

/// A person's window, with an authenticator at hand.
struct Desk {
    browser: Browser,
    authenticator: String,
    site: String,
}

impl Desk {
    /// One with an authenticator on `transport`; it knows its user's finger if it `verifies`.
    async fn new(name: &str, server: &Portcullis, transport: &str, verifies: bool) -> Self {
        let browser = Browser::open(name, true).await;
        let mut desk = Self {
            browser,
            authenticator: String::new(),
            site: format!("http://localhost:{}", server.port()),
        };
        let made = json!({
            "protocol": "ctap2", "transport": transport, "hasResidentKey": true, "hasUserVerification": verifies,
            "isUserVerified": verifies, "isUserConsenting": true,
        });
        let id = desk
            .drive(Method::POST, "webauthn/authenticator", Some(made))
            .await;
        id.as_str().unwrap().clone_into(&mut desk.authenticator);
        desk
    }

    async fn drive(&self, method: Method, path: &str, body: Option<Value>) -> Value {
        let path = path.to_owned();
        self.browser
            .page
            .issue_cmd(Command { method, path, body })
            .await
            .unwrap()
    }

    async fn keys(&self) -> Vec<Value> {
        let path = format!("webauthn/authenticator/{}/credentials", self.authenticator);
        let keys = self.drive(Method::GET, &path, None).await;
        keys.as_array().unwrap().clone()
    }

    /// From now on the user is the right one, or is not.
    async fn verified(&self, verified: bool) {
        let path = format!("webauthn/authenticator/{}/uv", self.authenticator);
        self.drive(Method::POST, &path, Some(json!({"isUserVerified": verified})))
            .await;
    }

    /// Runs a script before those of every page that comes; how to stop that.
    async fn before_pages(&self, script: &str) -> Value {
        let body = json!({"cmd": "Page.addScriptToEvaluateOnNewDocument", "params": {"source": script}});
        let made = self.drive(Method::POST, "goog/cdp/execute", Some(body)).await;
        made.get("identifier").unwrap().clone()
    }

    async fn no_more_of(&self, script: Value) {
        let params = json!({"identifier": script});
        let body = json!({"cmd": "Page.removeScriptToEvaluateOnNewDocument", "params": params});
        self.drive(Method::POST, "goog/cdp/execute", Some(body)).await;
    }

    async fn go(&self, path: &str) {
        self.browser.go(&format!("{}{path}", self.site)).await;
    }

    /// Types address and password.
    async fn log_in_by_password(&self, person: &Person, leads_to: &str) {
        self.go("/login").await;
        self.browser.fill("#identifier", &person.email).await;
        self.browser.fill("#password", PASSWORD).await;
        self.browser
            .press("form[action='/login'] button[type=submit]", leads_to)
            .await;
    }

    async fn log_out(&self, leads_to: &str) {
        self.go("/account").await;
        self.browser
            .press("form[action='/logout'] button", leads_to)
            .await;
    }

    /// Asks for a passkey on the account's page.
    async fn begin(&self, name: &str, leads_to: &str) {
        self.browser
            .find("#add-passkey summary")
            .await
            .click()
            .await
            .unwrap();
        self.browser.fill("#passkey-name", name).await;
        let begin = "form[action='/account/security/passkeys/begin'] button";
        self.browser.press(begin, leads_to).await;
    }

    /// Makes a passkey on the account's page.
    async fn enrol(&mut self, name: &str) {
        self.go(SECURITY).await;
        self.begin(name, BEGUN).await;
        self.browser.shoot("add").await;
        self.browser.press(MAKE, SECURITY).await;
        self.says("Your passkey is added").await;
        self.says(name).await;
        self.browser.shoot("added").await;
    }

    async fn says(&self, what: &str) {
        let begun = Instant::now();
        loop {
            let text = self.browser.text().await;
            if text.contains(what) {
                return;
            }
            assert!(begun.elapsed() < Duration::from_secs(20), "no {what:?} in {text}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

async fn server() -> Portcullis {
    let setup = Portcullis::setup().limited();
    setup
        .variable("PORTCULLIS__SERVER__LISTEN", "localhost:0")
        .start()
        .await
}

#[tokio::test]
async fn a_passkey_opens_the_account_alone_and_is_no_use_once_removed() {
    let server = server().await;
    let ann = server.client().sign_up("ann").await;
    let mut desk = Desk::new("passkey-alone", &server, "internal", true).await;
    desk.before_pages(NO_SUGGESTIONS).await;
    desk.log_in_by_password(&ann, "/account").await;
    desk.enrol("My laptop").await;
    desk.says("Logs you in without a password").await;
    assert_eq!(desk.keys().await.len(), 1);

    desk.log_out("/login").await;
    desk.browser.shoot("login").await;
    desk.browser.press(BUTTON, "/account").await;
    desk.says(&ann.email).await;

    desk.go(SECURITY).await;
    desk.browser
        .find("#passkey-1 summary")
        .await
        .click()
        .await
        .unwrap();
    desk.browser.shoot("remove").await;
    desk.browser
        .find("form[action='/account/security/remove'] button")
        .await
        .click()
        .await
        .unwrap();
    desk.says("It is removed").await;
    let page = desk.browser.text().await;
    assert!(!page.contains("My laptop"), "{page}");

    desk.log_out("/login").await;
    desk.browser.find(BUTTON).await.click().await.unwrap();
    desk.says("That passkey did not let you in").await;
    desk.browser.shoot("refused").await;
    desk.log_in_by_password(&ann, "/account").await;
}

#[tokio::test]
async fn a_passkey_is_taken_among_the_suggestions_of_the_name_field() {
    let server = server().await;
    let ann = server.client().sign_up("ann").await;
    let mut desk = Desk::new("passkey-suggested", &server, "internal", true).await;
    desk.log_in_by_password(&ann, "/account").await;
    desk.enrol("My phone").await;
    // The virtual authenticator takes the first suggestion as soon as there is one.
    desk.log_out("/account").await;
    desk.says(&ann.email).await;
}

#[tokio::test]
async fn a_passkey_is_the_second_step_after_a_password() {
    let server = server().await;
    let ann = server.client().sign_up("ann").await;
    let mut desk = Desk::new("passkey-second", &server, "internal", true).await;
    desk.before_pages(NO_SUGGESTIONS).await;
    desk.log_in_by_password(&ann, "/account").await;
    desk.enrol("My laptop").await;
    desk.log_out("/login").await;
    desk.log_in_by_password(&ann, "/two-factor").await;
    desk.says("Use your passkey").await;
    desk.browser.shoot("two-factor").await;
    desk.go("/account").await;
    assert_eq!(
        desk.browser.path().await,
        "/login",
        "a password alone opens nothing"
    );
    desk.log_in_by_password(&ann, "/two-factor").await;
    desk.browser.press(SECOND_STEP, "/account").await;
    desk.says(&ann.email).await;
}

#[tokio::test]
async fn a_key_that_verifies_nobody_is_not_taken_and_the_password_still_opens() {
    let server = server().await;
    let ann = server.client().sign_up("ann").await;
    let desk = Desk::new("passkey-plain", &server, "usb", false).await;
    desk.before_pages(NO_SUGGESTIONS).await;
    desk.log_in_by_password(&ann, "/account").await;
    desk.go(SECURITY).await;
    desk.begin("A plain key", BEGUN).await;
    desk.browser.find(MAKE).await.click().await.unwrap();
    desk.browser.find(FAILED).await;
    assert_eq!(desk.keys().await.len(), 0);
    desk.log_out("/login").await;
    desk.log_in_by_password(&ann, "/account").await;
}

#[tokio::test]
async fn whoever_is_not_verified_is_not_let_in_by_a_passkey_alone() {
    let server = server().await;
    let ann = server.client().sign_up("ann").await;
    let mut desk = Desk::new("passkey-unverified", &server, "internal", true).await;
    desk.before_pages(NO_SUGGESTIONS).await;
    desk.log_in_by_password(&ann, "/account").await;
    desk.enrol("My laptop").await;
    desk.log_out("/login").await;
    desk.verified(false).await;

    // An honest browser says no by itself.
    desk.browser.find(BUTTON).await.click().await.unwrap();
    desk.browser.find(FAILED).await;
    desk.browser.shoot("browser-refuses").await;
    assert_eq!(desk.browser.path().await, "/login");

    // Another does not, and the server does.
    let careless = desk.before_pages(CARELESS).await;
    desk.go("/login").await;
    desk.browser.find(BUTTON).await.click().await.unwrap();
    desk.says("That passkey did not let you in").await;
    desk.browser.shoot("server-refuses").await;
    desk.go("/account").await;
    assert_eq!(desk.browser.path().await, "/login");

    desk.no_more_of(careless).await;
    desk.verified(true).await;
    desk.go("/login").await;
    desk.browser.press(BUTTON, "/account").await;
}

#[tokio::test]
async fn one_authenticator_makes_one_passkey_for_one_account() {
    let server = server().await;
    let ann = server.client().sign_up("ann").await;
    let mut desk = Desk::new("passkey-twice", &server, "internal", true).await;
    desk.before_pages(NO_SUGGESTIONS).await;
    desk.log_in_by_password(&ann, "/account").await;
    desk.enrol("My laptop").await;
    // The account has a second factor now, and the session was opened without: prove it first.
    desk.go(SECURITY).await;
    desk.begin("The same", "/account/confirm").await;
    desk.browser.shoot("confirm").await;
    let confirm = "form[action='/account/confirm/passkey'] button";
    desk.browser.press(confirm, SECURITY).await;
    desk.begin("The same", BEGUN).await;
    desk.browser.find(MAKE).await.click().await.unwrap();
    desk.browser.find(FAILED).await;
    assert_eq!(desk.keys().await.len(), 1);
}
