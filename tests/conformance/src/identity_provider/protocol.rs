//! In what protocols differ, as far as the cases must know.

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
        }
    }

    /// Whether the provider hands out tokens to clients that it knows.
    pub(super) fn has_clients(self) -> bool {
        self != Self::OpenId2
    }

    /// Whether its tokens can be refreshed.
    pub(super) fn refreshes(self) -> bool {
        matches!(self, Self::OpenIdConnect | Self::OAuth2)
    }
}
