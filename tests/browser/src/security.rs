//! The page of second factors, and the fresh proof before it does anything.

use std::collections::BTreeSet;

use crate::app::App;
use crate::desk::Desk;

/// Where second factors are added and removed.
pub const SECURITY: &str = "/account/security";
/// Where a fresh proof is asked for.
pub const CONFIRM: &str = "/account/confirm";

const MAKE_CODES: &str = "form[action='/account/security/recovery'] button";
const CODES: &str = "/account/security/recovery";
const APP: &str = "/account/security/totp";

impl Desk {
    /// Adds an authenticator app: reads the key, types a wrong code, then a right one.
    ///
    /// # Panics
    /// When the key is shown a second time, or no picture of it.
    pub async fn add_app(&mut self, name: &str) -> App {
        self.go(SECURITY).await;
        self.click("#add-totp summary").await;
        self.browser.fill("#totp-name", name).await;
        self.browser
            .press("form[action='/account/security/totp'] button", APP)
            .await;
        let mut app = self.reads_key().await;
        let confirm = "form[action='/account/security/totp/confirm'] button";
        self.browser.fill("#code", &app.wrong()).await;
        self.press(confirm, "That is not the code").await;
        self.browser.shoot("app-wrong-code").await;
        let key = self.browser.words(".key, .qr").await;
        assert!(key.is_empty(), "it is shown once: {key:?}");
        self.browser.fill("#code", &app.code().await).await;
        self.browser.press(confirm, SECURITY).await;
        self.says("Your authenticator app is added").await;
        self.says(name).await;
        self.browser.shoot("app-added").await;
        app
    }

    /// Reads the key of a new app off the page, by eye and by camera.
    ///
    /// # Panics
    /// When they read different ones.
    pub async fn reads_key(&mut self) -> App {
        self.browser.shoot("app-key").await;
        let key = self.browser.words(".key code").await.concat();
        assert_eq!(
            self.scan().await,
            key.replace(' ', ""),
            "picture and text say the same"
        );
        App::told(&key)
    }

    /// The key that the picture on the page says.
    async fn scan(&self) -> String {
        let attribute = async |css: &str, name: &str| {
            let element = self.browser.find(css).await;
            element.attr(name).await.expect("an element").unwrap_or_default()
        };
        let drawing = attribute("svg.qr path.print", "d").await;
        let square = attribute("svg.qr", "viewBox").await;
        let side = square.rsplit(' ').next().and_then(|side| side.parse().ok());
        App::scanned(&drawing, side.expect("its size"))
    }

    /// Asks for recovery codes where that wants no more proof; writes them down.
    ///
    /// # Panics
    /// When they are not ten, or are shown twice.
    pub async fn make_codes(&mut self) -> [String; 10] {
        self.go(SECURITY).await;
        self.browser.press(MAKE_CODES, CODES).await;
        self.browser.shoot("recovery-codes").await;
        let codes = self.browser.words(".codes code").await;
        let different: BTreeSet<&String> = codes.iter().collect();
        assert_eq!(different.len(), 10, "{codes:?}");
        self.browser.press(".card a.button", SECURITY).await;
        self.says("10 left").await;
        let page = self.browser.page.source().await.expect("a page");
        assert!(
            codes.iter().all(|code| !page.contains(code.as_str())),
            "they are shown once"
        );
        codes.try_into().expect("ten codes")
    }

    /// Asks for recovery codes and is asked for a fresh proof in their place.
    pub async fn is_asked_for_proof(&mut self) {
        self.go(SECURITY).await;
        self.browser.press(MAKE_CODES, CONFIRM).await;
        self.browser.shoot("confirm").await;
    }

    /// Proves oneself anew by an app, after a wrong try.
    pub async fn proves_by(&mut self, app: &mut App) {
        let button = "form[action='/account/confirm']:has(#totp) button";
        self.browser.fill("#totp", &app.wrong()).await;
        self.press(button, "That code is wrong").await;
        self.browser.shoot("confirm-refused").await;
        self.browser.fill("#totp", &app.code().await).await;
        self.browser.press(button, SECURITY).await;
    }

    /// Removes the first app or passkey of the list.
    ///
    /// # Panics
    /// When it stays.
    pub async fn remove_first(&mut self, kind: &str, name: &str) {
        self.go(SECURITY).await;
        self.says(name).await;
        self.click(&format!("#{kind}-1 summary")).await;
        self.browser.shoot("remove").await;
        let remove = format!("#{kind}-1 form[action='/account/security/remove'] button");
        self.press(&remove, "It is removed").await;
        let page = self.browser.text().await;
        assert!(!page.contains(name), "{page}");
        self.browser.shoot("removed").await;
    }
}
