//! Who somebody is, as each provider tells it and as Passport would have said it.

mod facebook;
mod generic;
mod github;
mod reader;
mod userinfo;
mod x;

use domain::identity::{Profile, ProviderTokens};
use domain::ports::ProviderError;
use domain::secret::Secret;
use http::HeaderMap;
use outbound_http::Outbound;
use serde_json::Value;
use url::Url;

use crate::fetch::{self, Said};
use crate::{OAuth2Config, ProfileKind};

/// Somebody, as a provider told.
pub struct Person {
    /// The account's id; none if there is none.
    pub subject: Option<String>,
    /// Normalised.
    pub profile: Profile,
    /// As it was told.
    pub raw: Value,
}

/// All that is needed to ask about the owner of a token.
pub struct Asker<'a> {
    pub config: &'a OAuth2Config,
    pub user_info: &'a Url,
    pub emails: Option<&'a Url>,
    pub headers: &'a HeaderMap,
    pub outbound: &'a Outbound,
    pub secret: Option<&'a Secret>,
    pub tokens: &'a ProviderTokens,
}

impl Asker<'_> {
    async fn get(&self, url: &Url) -> Result<Said, ProviderError> {
        fetch::get(self.outbound, self.headers, url, &self.tokens.access_token).await
    }
}

/// Asks the provider whose token it is.
pub async fn ask(asker: &Asker<'_>) -> Result<Person, ProviderError> {
    match asker.config.kind {
        ProfileKind::Facebook => facebook::ask(asker).await,
        ProfileKind::GitHub => github::ask(asker).await,
        ProfileKind::X => x::ask(asker).await,
        ProfileKind::Google | ProfileKind::LinkedIn => userinfo::ask(asker).await,
        ProfileKind::Generic => generic::ask(asker).await,
    }
}
