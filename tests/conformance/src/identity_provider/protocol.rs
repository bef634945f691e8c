//! In what protocols differ, as far as the cases must know.

use domain::ports::ProviderFault as Fault;

/// What a provider can bind its answer to, and sell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// State, nonce and code challenge; may be refreshed.
    OpenIdConnect,
    /// State and code challenge; may be refreshed.
    OAuth2,
    /// A request token and its secret in place of them; never refreshed.
    OAuth1,
    /// State and nonce, in the address that the answer is made for; neither clients nor tokens. Accounts are addresses.
    OpenId2,
    /// State beside the request, nonce as its name; neither clients nor tokens. The browser brings all there is, signed.
    Saml,
}

impl Protocol {
    /// What an answer must have, each part of it.
    pub(super) fn parts(self) -> &'static [&'static str] {
        match self {
            Self::OpenIdConnect | Self::OAuth2 => &["code"],
            Self::OAuth1 => &["oauth_token", "oauth_verifier"],
            Self::OpenId2 => &[
                "state",
                "nonce",
                "openid.ns",
                "openid.mode",
                "openid.op_endpoint",
                "openid.claimed_id",
                "openid.identity",
                "openid.return_to",
                "openid.response_nonce",
                "openid.assoc_handle",
                "openid.signed",
                "openid.sig",
            ],
            // `RelayState` is the core's: by it the authorization is found, before an adapter is asked.
            Self::Saml => &["SAMLResponse"],
        }
    }

    /// Whether the provider hands out tokens to clients that it knows.
    pub(super) fn has_clients(self) -> bool {
        !matches!(self, Self::OpenId2 | Self::Saml)
    }

    /// Whether the provider is asked when an answer has come. SAML's answers are judged by their signatures; only the metadata, which says
    /// whose they may be, is asked for, and before.
    pub(super) fn asks_when_answered(self) -> bool {
        self != Self::Saml
    }

    /// Whether the provider itself takes an answer once only. In SAML the same answer is as good the second time: it is the same
    /// `Arrival::once`, which the core refuses.
    pub(super) fn spends(self) -> bool {
        self != Self::Saml
    }

    /// Whether the browser brings the account's id along, so that the provider is not asked for it after.
    pub(super) fn browser_brings_the_id(self) -> bool {
        matches!(self, Self::OpenId2 | Self::Saml)
    }

    /// What is said of an account without an id. SAML has a name in place of it.
    pub(super) fn nobody(self) -> Fault {
        match self {
            Self::Saml => Fault::SamlNameId,
            _ => Fault::SubjectMissing,
        }
    }

    /// What is said of a person who said no. SAML has no code that is for this alone: it is one status of many.
    pub(super) fn refusal(self) -> Fault {
        match self {
            Self::Saml => Fault::SamlStatus,
            _ => Fault::AccessDenied,
        }
    }

    /// Whether its tokens can be refreshed.
    pub(super) fn refreshes(self) -> bool {
        matches!(self, Self::OpenIdConnect | Self::OAuth2)
    }
}
