//! Where a request comes from, and what it says of itself.

use std::fmt;

use crate::limits::ClientAddress;
use crate::secret::{Token, TokenHash};

/// Longest name of a client program that is kept, in characters; longer ones are cut.
const AGENT_LENGTH: usize = 160;

/// Where a request comes from. Nothing in it is proof of anything but the address and the device token.
#[derive(Clone, Debug)]
pub struct Origin {
    /// The client's address, canonical.
    pub address: ClientAddress,
    /// Names the request in answers, logs and audit events; none for what no request caused.
    pub request: Option<RequestId>,
    /// What the client calls itself (`User-Agent`).
    pub agent: Option<Agent>,
    /// The token of a device that was here before, as presented.
    pub device: Option<Token>,
    /// The languages the client asks for (`Accept-Language`), best first, as primary subtags (`de`, `zh`).
    pub languages: Vec<String>,
}

impl From<ClientAddress> for Origin {
    fn from(address: ClientAddress) -> Self {
        Self {
            address,
            request: None,
            agent: None,
            device: None,
            languages: Vec::new(),
        }
    }
}

impl Origin {
    /// The hash of the device token that was presented; of no other text than a token can be.
    pub fn device_token(&self) -> Option<TokenHash> {
        let token = self.device.as_ref()?;
        let plain = token.expose().bytes().all(|byte| byte.is_ascii_alphanumeric());
        Some(if plain {
            token.hash()
        } else {
            Token::presented("").hash()
        })
    }
}

/// Names one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestId(std::sync::Arc<str>);

impl RequestId {
    /// Takes the text as it is.
    pub fn new(text: impl Into<std::sync::Arc<str>>) -> Self {
        Self(text.into())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a client calls itself: visible characters alone, bounded in length.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Agent(String);

impl Agent {
    /// From a header's text; none if nothing visible is left of it.
    pub fn of(text: &str) -> Option<Self> {
        let visible = text.chars().filter(|c| (' '..='~').contains(c));
        let kept: String = visible.take(AGENT_LENGTH).collect();
        let kept = kept.trim();
        (!kept.is_empty()).then(|| Self(kept.to_owned()))
    }

    /// The whole text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A name a person knows it by: program and system (`Firefox on Linux`); else its first word (`curl/8.5.0`).
    pub fn short(&self) -> String {
        let has = |word: &str| self.0.contains(word);
        // Order matters: most programs claim to be the ones before them as well.
        let programs = [
            ("Edg", "Edge"),
            ("OPR/", "Opera"),
            ("Firefox/", "Firefox"),
            ("Chrome/", "Chrome"),
            ("Safari/", "Safari"),
        ];
        let systems = [
            ("Android", "Android"),
            ("iPhone", "iPhone"),
            ("iPad", "iPad"),
            ("Windows", "Windows"),
            ("Mac OS X", "macOS"),
            ("CrOS", "ChromeOS"),
            ("Linux", "Linux"),
        ];
        let named =
            |list: &[(&str, &'static str)]| list.iter().find(|(mark, _)| has(mark)).map(|(_, name)| *name);
        match (named(&programs), named(&systems)) {
            (Some(program), Some(system)) => format!("{program} on {system}"),
            (Some(program), None) => program.to_owned(),
            _ => self.0.split(' ').next().unwrap_or_default().to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_gets_the_name_people_know_it_by() {
        let firefox =
            Agent::of("Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0").unwrap();
        assert_eq!(firefox.short(), "Firefox on Linux");
        let edge = Agent::of(
            "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/120.0 Safari/537.36 Edg/120.0",
        )
        .unwrap();
        assert_eq!(edge.short(), "Edge on Windows");
        assert_eq!(Agent::of("curl/8.5.0").unwrap().short(), "curl/8.5.0");
    }

    #[test]
    fn what_a_client_calls_itself_is_cut_and_cleaned() {
        let long = Agent::of(&format!("x\r\n{}", "y".repeat(9000))).unwrap();
        assert_eq!(long.as_str().len(), AGENT_LENGTH);
        assert!(!long.as_str().contains('\n'));
        assert!(Agent::of("\u{7}\n").is_none());
    }
}
