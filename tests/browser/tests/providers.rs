//! Third-party login as a person meets it: in at one provider, another linked, and either opens the same account.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::time::{Duration, Instant};

use browser::Browser;
use e2e::{Counterparty, PASSWORD, Portcullis, Setup};
use serde_json::{Value, json};

/// Whom both providers know.
const EMAIL: &str = "alice@example.test";
const GOOGLE: &str = "a[href^='/auth/google']";
const FACEBOOK: &str = "a[href^='/auth/facebook']";
const LINK_FACEBOOK: &str = "a[href='/link/facebook']";

/// Two providers, and the entries that lead to them.
struct Providers {
    google: Counterparty,
    facebook: Counterparty,
}

impl Providers {
    async fn start() -> Self {
        Self {
            google: Counterparty::panva().await,
            facebook: Counterparty::social().await,
        }
    }

    fn facebook(&self, link: bool) -> Value {
        json!({
            "provider": "facebook", "module": "passport-facebook", "link": link,
            "clientID": "social-client", "clientSecret": "social-secret",
            "authPath": if link { "/link/facebook" } else { "/auth/facebook" },
            "callbackPath": if link { "/link/facebook/callback" } else { "/auth/facebook/callback" },
            "authorizationURL": self.facebook.at("/facebook/v26.0/dialog/oauth"),
            "tokenURL": self.facebook.at("/facebook/v26.0/oauth/access_token"),
            "profileURL": self.facebook.at("/facebook/v26.0/me"), "scope": ["email"],
        })
    }

    fn setup(&self) -> Setup {
        let google = json!({
            "provider": "google", "module": "passport-google-oauth20", "clientID": "web", "clientSecret": "web-secret",
            "issuer": self.google.address(), "authPath": "/auth/google", "callbackPath": "/auth/google/callback",
            "scope": ["email", "profile"],
        });
        let (login, link) = (self.facebook(false), self.facebook(true));
        let entries = json!({ "google-login": google, "facebook-login": login, "facebook-link": link });
        Portcullis::setup().limited().providers(&entries)
    }
}

/// Waits until the page says something.
async fn says(browser: &Browser, what: &str) {
    let begun = Instant::now();
    while !browser.text().await.contains(what) {
        assert!(
            begun.elapsed() < Duration::from_secs(20),
            "no {what:?} in {}",
            browser.text().await
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Presses what leads to another state of the same page.
async fn press(browser: &Browser, css: &str, what: &str) {
    browser.find(css).await.click().await.unwrap();
    says(browser, what).await;
}

#[tokio::test]
async fn either_of_two_linked_providers_opens_the_same_account() {
    let providers = Providers::start().await;
    let server = providers.setup().start().await;
    let mut browser = Browser::open("providers", false).await;

    browser.go(&format!("{}/login", server.address())).await;
    browser.shoot("login").await;
    browser.press(GOOGLE, "/account").await;
    let account = browser.text().await;
    assert!(
        account.contains(EMAIL) && account.contains("Verified"),
        "{account}"
    );
    browser.shoot("came-by-google").await;

    press(&browser, LINK_FACEBOOK, "Facebook Alice Example").await;
    assert_eq!(browser.path().await, "/account");
    browser.shoot("linked-facebook").await;
    browser.press("form[action='/logout'] button", "/login").await;

    browser.press(FACEBOOK, "/account").await;
    let account = browser.text().await;
    assert!(account.contains(EMAIL), "another account was opened: {account}");
    assert!(
        account.contains("Google Alice Example") && account.contains("Facebook Alice Example"),
        "{account}"
    );

    press(
        &browser,
        "button[aria-label^='Unlink Google']",
        "That account is unlinked",
    )
    .await;
    let account = browser.text().await;
    assert!(!account.contains("Google Alice Example"), "{account}");
    browser.shoot("unlinked-google").await;
    press(
        &browser,
        "button[aria-label^='Unlink Facebook']",
        "the last way to log in",
    )
    .await;
    assert!(browser.text().await.contains("Facebook Alice Example"));
    browser.shoot("last-way-in").await;
}

#[tokio::test]
async fn an_account_of_the_same_address_is_joined_by_its_password() {
    let providers = Providers::start().await;
    let server = providers.setup().start().await;
    let site = server.address().to_owned();
    let made = json!({ "email": EMAIL, "password": PASSWORD, "username": "alice" });
    server.client().post("/api/Users", made).await.expect(200).done();
    let mut browser = Browser::open("join", false).await;

    browser.go(&format!("{site}/signup")).await;
    browser.press(GOOGLE, "/join").await;
    assert!(browser.text().await.contains(EMAIL));
    browser.shoot("join").await;
    browser.fill("#password", "something else").await;
    press(
        &browser,
        "form[action='/join'] button",
        "That is not the password",
    )
    .await;
    browser.shoot("wrong-password").await;
    browser.fill("#password", PASSWORD).await;
    browser.press("form[action='/join'] button", "/account").await;
    let account = browser.text().await;
    assert!(
        account.contains("alice") && account.contains("Google Alice Example"),
        "{account}"
    );
    browser.press("form[action='/logout'] button", "/login").await;
    browser.press(GOOGLE, "/account").await;
    assert!(browser.text().await.contains("Google Alice Example"));
}

/// The forms before and after a provider end on other sites: a browser that holds them against `form-action` must let them.
#[tokio::test]
async fn another_sites_link_is_asked_about_and_an_apps_join_ends_at_the_app() {
    let providers = Providers::start().await;
    let app = providers.facebook.at("/app");
    let setup = providers
        .setup()
        .config("[server]\nstatic_dir = \"client\"")
        .config(&format!("[providers]\nreturn_to = [\"{app}\"]"));
    let folder = setup.home().join("client");
    std::fs::create_dir_all(&folder).unwrap();
    let page = "<!doctype html><title>elsewhere</title>";
    std::fs::write(folder.join("elsewhere.html"), page).unwrap();
    let server = setup.start().await;
    let site = server.address().to_owned();
    let link = format!("{page}<a href=\"{site}/link/facebook\">Win a prize</a>");
    std::fs::write(folder.join("elsewhere.html"), link).unwrap();
    let made = json!({ "email": EMAIL, "password": PASSWORD });
    server.client().post("/api/Users", made).await.expect(200).done();
    let mut browser = Browser::open("other-sites", true).await;

    let challenge = "code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256";
    browser
        .go(&format!("{site}/auth/google?returnTo={app}&{challenge}"))
        .await;
    browser.fill("#password", PASSWORD).await;
    browser.press("form[action='/join'] button", "/app").await;
    let url = browser.page.current_url().await.unwrap();
    assert!(
        url.query().is_some_and(|query| query.starts_with("code=")),
        "{url}"
    );

    browser.go(&format!("{site}/login")).await;
    browser.press(GOOGLE, "/account").await;
    browser
        .go(&format!("http://localhost:{}/elsewhere.html", server.port()))
        .await;
    browser.press("a", "/link/facebook").await;
    assert!(browser.text().await.contains("Link your Facebook account?"));
    browser.shoot("confirm").await;
    browser.press("form button[type=submit]", "/account").await;
    says(&browser, "Facebook Alice Example").await;
}
