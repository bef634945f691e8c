//! Passkeys: the browser's own virtual authenticator holds them.

use e2e::Portcullis;
use http::Method;
use serde_json::{Value, json};

use crate::desk::Desk;
use crate::security::SECURITY;

/// Hides from the pages that passkeys can be suggested. Otherwise the virtual authenticator, which always says yes, logs in as soon as
/// the log-in page is there: whoever wants to see that page with a passkey at hand runs this before its scripts.
pub const NO_SUGGESTIONS: &str = "PublicKeyCredential.isConditionalMediationAvailable = async () => false;";
/// Logs in by a passkey alone.
pub const PASSKEY_LOGIN: &str = "form[action='/login/passkey'] button";
/// Proves the second step by a passkey.
pub const PASSKEY_STEP: &str = "form[action='/two-factor/passkey'] button";
/// Makes a passkey, on the page at [`BEGUN`].
pub const MAKE: &str = "form[data-passkey=create] button";
/// Where a passkey is made.
pub const BEGUN: &str = "/account/security/passkeys/begin";
/// What the script shows when the authenticator gave nothing.
pub const FAILED: &str = "[data-passkey-failed]:not([hidden])";

impl Desk {
    /// A window with an authenticator on `transport`; it knows its user's finger if it `verifies`.
    ///
    /// # Panics
    /// When the browser makes none.
    pub async fn with_authenticator(
        name: &str,
        server: &Portcullis,
        transport: &str,
        verifies: bool,
    ) -> Self {
        let mut desk = Self::open(name, server, true).await;
        let made = json!({
            "protocol": "ctap2", "transport": transport, "hasResidentKey": true, "hasUserVerification": verifies,
            "isUserVerified": verifies, "isUserConsenting": true,
        });
        let browser = &desk.browser;
        let id = browser
            .drive(Method::POST, "webauthn/authenticator", Some(made))
            .await;
        id.as_str().expect("its name").clone_into(&mut desk.authenticator);
        desk
    }

    /// The passkeys that the authenticator holds.
    ///
    /// # Panics
    /// When it does not say.
    pub async fn keys(&self) -> Vec<Value> {
        let path = self.at("credentials");
        let keys = self.browser.drive(Method::GET, &path, None).await;
        keys.as_array().expect("a list").clone()
    }

    /// Loses all passkeys that the authenticator holds; what they were.
    ///
    /// # Panics
    /// When one has no name.
    pub async fn lose_keys(&self) -> Vec<Value> {
        let keys = self.keys().await;
        for key in &keys {
            let id = key.get("credentialId").and_then(Value::as_str).expect("its name");
            let path = self.at(&format!("credentials/{id}"));
            self.browser.drive(Method::DELETE, &path, None).await;
        }
        keys
    }

    /// Finds a passkey again.
    pub async fn find_key(&self, key: Value) {
        self.browser
            .drive(Method::POST, &self.at("credential"), Some(key))
            .await;
    }

    /// From now on the user is the right one, or is not.
    pub async fn verified(&self, verified: bool) {
        let verified = json!({"isUserVerified": verified});
        self.browser
            .drive(Method::POST, &self.at("uv"), Some(verified))
            .await;
    }

    /// Asks for a passkey on the page of second factors.
    pub async fn begin_passkey(&self, name: &str, leads_to: &str) {
        self.click("#add-passkey summary").await;
        self.browser.fill("#passkey-name", name).await;
        let begin = "form[action='/account/security/passkeys/begin'] button";
        self.browser.press(begin, leads_to).await;
    }

    /// Makes a passkey on the page of second factors.
    pub async fn add_passkey(&mut self, name: &str) {
        self.go(SECURITY).await;
        self.begin_passkey(name, BEGUN).await;
        self.browser.shoot("add").await;
        self.browser.press(MAKE, SECURITY).await;
        self.says("Your passkey is added").await;
        self.says(name).await;
        self.browser.shoot("added").await;
    }

    fn at(&self, rest: &str) -> String {
        format!("webauthn/authenticator/{}/{rest}", self.authenticator)
    }
}
