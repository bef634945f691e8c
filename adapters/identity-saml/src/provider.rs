use std::fmt;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use domain::identity::{ProviderClient, ProviderSession, ProviderTokens};
use domain::ports::{
    Arrival, AuthorizationRequest, AuthorizationResponse, AuthorizationStart, Descriptor, IdentityProvider,
    LogoutHeard, LogoutMessage, LogoutRequested, Once, ProviderError, ProviderFault, SingleLogout,
    UnsolicitedResponse,
};
use domain::secret::Secret;
use domain::time::Timestamp;
use outbound_http::Outbound;

use crate::assertion::Claims;
use crate::metadata::{IdpDescription, Source, own_metadata};
use crate::request::{self, message_id};
use crate::response::{self, Rules};
use crate::setup::{self, Keys};
use crate::wire::{self, Signer};
use crate::{SamlConfig, SamlConfigError, logout};

/// One SAML 2.0 identity provider, and us before it.
pub struct SamlProvider {
    config: SamlConfig,
    keys: Keys,
    source: Source,
    own_metadata: String,
}

impl fmt::Debug for SamlProvider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SamlProvider").field(&self.config).finish()
    }
}

impl SamlProvider {
    /// A provider of that configuration. Asks nobody yet, not even for metadata.
    ///
    /// # Errors
    /// The first thing wrong in the configuration.
    pub fn new(config: SamlConfig, outbound: Outbound) -> Result<Self, SamlConfigError> {
        config.judge()?;
        setup::judge_addresses(&config)?;
        let keys = setup::keys(&config)?;
        let source = setup::source(&config, outbound)?;
        let own_metadata = own_metadata(&config, &keys.certificates, keys.signing.is_some());
        Ok(Self {
            config,
            keys,
            source,
            own_metadata,
        })
    }

    fn signer(&self) -> Option<Signer<'_>> {
        self.keys.signing.as_ref().map(|key| Signer {
            key,
            signature: self.config.signature_algorithm,
            digest: self.config.digest_algorithm,
        })
    }

    /// Judges an answer by what is known of the provider; by what is known anew, if it may have changed its key.
    async fn judge(&self, answer: &Answer<'_>) -> Result<Arrival, ProviderError> {
        let text = single(answer.params, "SAMLResponse")?;
        let xml = wire::from_post(text)?;
        let provider = self.source.current(answer.now).await?;
        let judged = response::judge(&xml, &self.rules(answer, &provider));
        let claims = match judged {
            Err(ProviderError::Refused { fault, detail }) if fault == ProviderFault::SamlSignature => {
                let Some(newer) = self.source.newer(&provider, answer.now).await else {
                    return Err(ProviderError::refused(fault, detail));
                };
                let claims = response::judge(&xml, &self.rules(answer, &newer))?;
                return Ok(self.arrival(claims, &newer));
            }
            judged => judged?,
        };
        Ok(self.arrival(claims, &provider))
    }

    fn rules<'r>(&'r self, answer: &'r Answer<'_>, provider: &'r Arc<IdpDescription>) -> Rules<'r> {
        Rules {
            config: &self.config,
            provider,
            decryption: self.keys.decryption.as_ref(),
            address: answer.address,
            request: answer.request.as_deref(),
            now: answer.now,
        }
    }

    fn arrival(&self, claims: Claims, provider: &IdpDescription) -> Arrival {
        let trusted = self.config.email_trusted == Some(true);
        let (name, index) = (claims.name.as_ref(), claims.session_index.as_deref());
        let profile = claims.attributes.profile(name, trusted);
        let session = name.map(|name| ProviderSession {
            index: index.unwrap_or_default().to_owned(),
            subject: name.to_session(),
        });
        Arrival {
            raw: claims.attributes.raw(&provider.entity_id, name, index),
            groups: claims.attributes.groups(&self.config.group_attributes),
            once: Some(Once {
                id: claims.id,
                until: claims.until,
            }),
            session,
            ..Arrival::new(&provider.entity_id, claims.subject, profile)
        }
    }
}

/// What came, to whichever port.
struct Answer<'a> {
    params: &'a [(String, String)],
    address: &'a str,
    request: Option<String>,
    now: Timestamp,
}

/// A parameter that is there once.
fn single<'p>(params: &'p [(String, String)], name: &str) -> Result<&'p str, ProviderError> {
    let mut found = params.iter().filter(|(given, _)| given == name);
    match (found.next(), found.next()) {
        (Some((_, value)), None) => Ok(value),
        _ => Err(ProviderError::refused(
            ProviderFault::CallbackInvalid,
            format!("{name} is missing, or there twice"),
        )),
    }
}

/// SAML knows parties by their names, not clients: one that an application brought along would be passed by in silence.
fn no_client(client: Option<&ProviderClient>) -> Result<(), ProviderError> {
    match client {
        None => Ok(()),
        Some(_) => Err(ProviderError::refused(
            ProviderFault::ClientRefused,
            "SAML has no clients",
        )),
    }
}

#[async_trait]
impl IdentityProvider for SamlProvider {
    async fn begin(&self, request: &AuthorizationRequest) -> Result<AuthorizationStart, ProviderError> {
        no_client(request.client.as_ref())?;
        let now = system_now();
        let provider = self.source.current(now).await?;
        request::begin(request, &self.config, &provider, self.signer(), now)
    }

    async fn complete(&self, response: &AuthorizationResponse) -> Result<Arrival, ProviderError> {
        no_client(response.client.as_ref())?;
        let answer = Answer {
            params: &response.params,
            address: &response.redirect_uri,
            request: Some(message_id(&response.nonce)),
            now: response.now,
        };
        self.judge(&answer).await
    }

    async fn unsolicited(&self, response: &UnsolicitedResponse) -> Result<Arrival, ProviderError> {
        if !self.config.allow_unsolicited {
            let detail = "nobody asked for this, and allowUnsolicited is off";
            return Err(ProviderError::refused(ProviderFault::Unsolicited, detail));
        }
        let answer = Answer {
            params: &response.params,
            address: &response.redirect_uri,
            request: None,
            now: response.now,
        };
        self.judge(&answer).await
    }

    fn descriptor(&self) -> Option<Descriptor> {
        Some(Descriptor {
            content_type: "application/samlmetadata+xml",
            body: self.own_metadata.clone(),
        })
    }

    async fn refresh(
        &self,
        _tokens: &ProviderTokens,
        _client: Option<ProviderClient>,
        _now: Timestamp,
    ) -> Result<ProviderTokens, ProviderError> {
        let fault = ProviderFault::NotRefreshable;
        Err(ProviderError::refused(fault, "SAML has nothing to refresh"))
    }
}

#[async_trait]
impl SingleLogout for SamlProvider {
    async fn begin(
        &self,
        session: &ProviderSession,
        relay: &Secret,
        now: Timestamp,
    ) -> Result<Option<AuthorizationStart>, ProviderError> {
        let (Some(signer), Some(_)) = (self.signer(), &self.config.logout_callback_url) else {
            return Ok(None);
        };
        let provider = self.source.current(now).await?;
        logout::begin(session, relay, &self.scene(&provider, now), signer)
    }

    async fn receive(&self, message: &LogoutMessage) -> Result<LogoutHeard, ProviderError> {
        let provider = self.source.current(message.now).await?;
        logout::receive(message, &self.scene(&provider, message.now))
    }

    async fn answer(
        &self,
        request: &LogoutRequested,
        done: bool,
        now: Timestamp,
    ) -> Result<Option<AuthorizationStart>, ProviderError> {
        let Some(signer) = self.signer() else {
            return Ok(None);
        };
        let provider = self.source.current(now).await?;
        logout::answer(request, done, &self.scene(&provider, now), signer)
    }
}

impl SamlProvider {
    const fn scene<'s>(&'s self, provider: &'s IdpDescription, now: Timestamp) -> logout::Scene<'s> {
        logout::Scene {
            config: &self.config,
            provider,
            now,
        }
    }
}

/// The beginning of an authorization is told no time; a clock before 1970 is refused by the provider.
fn system_now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let millis = since.map(|since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX));
    Timestamp::from_millis(millis.unwrap_or_default())
}
