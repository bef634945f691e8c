//! `[sms]`: how codes reach a phone.

use super::address::web_origin;
use super::read::Reader;
use super::secret::Secret;

/// Settings of the SMS sender.
#[derive(Clone, Debug)]
pub struct Sms {
    /// The sender: the word chooses the adapter.
    pub kind: String,
    /// Key at the SMS gateway.
    pub api_key: Option<Secret>,
    /// Secret at the SMS gateway.
    pub api_secret: Option<Secret>,
    /// Sender shown on the phone: a number, or up to eleven letters.
    pub from: Option<String>,
    /// Another address of the gateway, as an origin: https, or http on this machine.
    pub base_url: Option<String>,
}

impl Sms {
    pub(super) fn read(reader: &mut Reader) -> Self {
        Self {
            kind: reader.text("kind", "console"),
            api_key: reader.secret("api_key", "none"),
            api_secret: reader.secret("api_secret", "none"),
            from: reader.maybe_text("from"),
            // Never plain http to another machine, whatever `server.allow_insecure_http` says: the
            // secret and every code would cross the network in clear.
            base_url: reader.maybe_parsed("base_url", "none", |text| web_origin(text, false)),
        }
    }

    /// Whether anything was said about a gateway.
    pub(super) fn names_a_gateway(&self) -> bool {
        self.api_key.is_some() || self.api_secret.is_some() || self.from.is_some() || self.base_url.is_some()
    }
}
