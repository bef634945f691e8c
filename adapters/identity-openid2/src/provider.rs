use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use domain::identity::{Profile, ProviderClient, ProviderTokens};
use domain::ports::{
    Arrival, AuthorizationRequest, AuthorizationResponse, AuthorizationStart, IdentityProvider, Once,
    ProviderError, ProviderFault as Fault,
};
use domain::time::Timestamp;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method, Request, StatusCode};
use outbound_http::Outbound;
use serde_json::{Value, json};
use url::Url;

use crate::address::{Reach, identifier, is_listed, without_fragment};
use crate::cache::Cached;
use crate::discovery::{self, Discovered, Speaker};
use crate::error::{from_outbound, judge_status, refused};
use crate::extension::{self, Told};
use crate::message::{Assertion, IDENTIFIER_SELECT, NS, return_to};
use crate::ready::Ready;
use crate::realm::Realm;
use crate::{Dialect, OpenId2Config, OpenId2ConfigError, key_value, steam};

/// How long the configured identifier is what it was found to be.
const LIFE: Duration = Duration::from_mins(10);

/// For how long it is not looked up anew, whatever comes back: answers of strangers must not make us a nuisance.
const PAUSE: Duration = Duration::from_secs(30);

/// Longest address people are sent to by a redirect; what is longer is posted.
const LONGEST_ADDRESS: usize = 2048;

/// One OpenID 2.0 provider, asked as its configuration says.
pub struct OpenId2Provider {
    config: OpenId2Config,
    ready: Ready,
    found: Cached<Discovered>,
    outbound: Outbound,
}

impl fmt::Debug for OpenId2Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("OpenId2Provider").field(&self.config).finish()
    }
}

impl OpenId2Provider {
    /// A provider of that configuration. Asks nobody yet.
    ///
    /// # Errors
    /// The first thing wrong in the configuration.
    pub fn new(config: OpenId2Config, outbound: Outbound) -> Result<Self, OpenId2ConfigError> {
        Ok(Self {
            ready: Ready::new(&config)?,
            config,
            found: Cached::new(),
            outbound,
        })
    }

    fn reach(&self) -> &Reach {
        &self.ready.reach
    }

    /// What the configured identifier is; not older than `life`.
    async fn found(&self, life: Duration) -> Result<Arc<Discovered>, ProviderError> {
        let identifier = &self.ready.identifier;
        if self.config.dialect == Dialect::Steam {
            let endpoints = vec![identifier.clone()];
            return Ok(Arc::new(Discovered::Provider { endpoints }));
        }
        let looking = discovery::of_entry(&self.outbound, self.reach(), identifier);
        self.found.get(life, looking).await
    }

    /// What the provider was found to be, if the assertion says to come from it. A provider that moved is looked up anew.
    async fn maker(&self, assertion: &Assertion<'_>) -> Result<Arc<Discovered>, ProviderError> {
        for life in [LIFE, PAUSE] {
            let found = self.found(life).await?;
            if found.has_endpoint(&assertion.endpoint) {
                return Ok(found);
            }
        }
        Err(refused(
            Fault::OpenIdClaim,
            "the answer comes from another provider",
        ))
    }

    /// What can be said against a claimed identifier without asking anybody.
    fn judge_claimed(&self, claimed: &Url) -> Result<(), ProviderError> {
        let wrong = |detail| Err(refused(Fault::OpenIdClaim, detail));
        if self.config.dialect == Dialect::Steam {
            return match steam::account(claimed) {
                Some(_) => Ok(()),
                None => wrong("the claimed identifier is none of Steam's"),
            };
        }
        let hosts = &self.config.identifier_hosts;
        if !hosts.is_empty() && !claimed.host_str().is_some_and(|host| is_listed(host, hosts)) {
            return wrong("the claimed identifier is at a host that is not listed");
        }
        self.reach().admit(claimed, Fault::OpenIdClaim)
    }

    /// Asks the provider whether it made that (section 11.4.2). It is asked where discovery found it, not where the answer says.
    async fn check(&self, assertion: &Assertion<'_>) -> Result<(), ProviderError> {
        let mut request = Request::new(assertion.to_check().into_bytes());
        *request.method_mut() = Method::POST;
        let unsendable = |_| refused(Fault::OpenIdClaim, "the provider's address cannot be asked");
        *request.uri_mut() = without_fragment(&assertion.endpoint)
            .as_str()
            .parse()
            .map_err(unsendable)?;
        let form = HeaderValue::from_static("application/x-www-form-urlencoded");
        request.headers_mut().insert(CONTENT_TYPE, form);
        let answer = self.outbound.send(request).await;
        let answer = answer.map_err(|error| from_outbound(&error, Fault::ResponseInvalid))?;
        // A direct error (section 5.1.2.2): it will not say yes.
        if answer.status() != StatusCode::BAD_REQUEST {
            judge_status(answer.status(), Fault::ResponseInvalid)?;
        }
        let pairs = key_value::parse(answer.body());
        let pairs = pairs.ok_or_else(|| {
            refused(
                Fault::ResponseInvalid,
                "the provider does not answer in key-value form",
            )
        })?;
        let says = |name: &str, value: &str| pairs.iter().any(|(given, said)| given == name && said == value);
        let good = answer.status() == StatusCode::OK && says("ns", NS) && says("is_valid", "true");
        if good {
            return Ok(());
        }
        Err(refused(
            Fault::OpenIdSignature,
            "the provider says that it did not make this answer, or did so before",
        ))
    }

    /// Whether the provider may speak for the claimed identifier (section 11.2).
    async fn judge_claim(&self, assertion: &Assertion<'_>, found: &Discovered) -> Result<(), ProviderError> {
        if self.config.dialect == Dialect::Steam {
            return same_identifier(assertion.identity, assertion.claimed.as_str());
        }
        let plain = without_fragment(&assertion.claimed);
        let fresh;
        let speakers: &[Speaker] = match found {
            Discovered::Person { claimed, speakers } if *claimed == plain => speakers,
            Discovered::Person { .. } => {
                return Err(refused(
                    Fault::OpenIdClaim,
                    "it speaks of somebody else than this entry is for",
                ));
            }
            Discovered::Provider { .. } => {
                fresh = discovery::of_claim(&self.outbound, self.reach(), &plain).await?;
                &fresh
            }
        };
        let speaks = |speaker: &&Speaker| {
            speaker.endpoint == assertion.endpoint
                && same_identifier(&speaker.local_id, assertion.identity).is_ok()
        };
        match speakers.iter().find(speaks) {
            Some(_) => Ok(()),
            None => Err(refused(
                Fault::OpenIdClaim,
                "the claimed identifier does not name this provider, or another name there",
            )),
        }
    }

    /// Who it is, once all is judged.
    async fn arrival(&self, assertion: &Assertion<'_>) -> Result<Arrival, ProviderError> {
        let once = Once {
            id: format!("{} {}", assertion.endpoint, assertion.nonce),
            until: assertion.made.plus(self.config.max_age),
        };
        let (subject, profile, raw, groups) = match steam::account(&assertion.claimed) {
            Some(account) if self.config.dialect == Dialect::Steam => {
                let (profile, raw) = self.player(account).await?;
                (account.to_owned(), profile, raw, Vec::new())
            }
            _ => {
                let told = Told::read(&self.config, assertion);
                let profile = told.profile(self.config.email_trusted == Some(true));
                let groups = self
                    .config
                    .groups_attribute
                    .as_ref()
                    .map(|name| told.values(name).to_vec());
                let raw = told.raw(assertion);
                (
                    assertion.claimed.to_string(),
                    profile,
                    raw,
                    groups.unwrap_or_default(),
                )
            }
        };
        Ok(Arrival {
            raw,
            groups,
            once: Some(once),
            ..Arrival::new(&self.ready.issuer, subject, profile.bounded())
        })
    }

    /// What Steam says about an account, where there is a key to ask with.
    async fn player(&self, account: &str) -> Result<(Profile, Value), ProviderError> {
        let Some(key) = &self.ready.api_key else {
            return Ok((Profile::default(), json!({ "steamid": account })));
        };
        let player = steam::player(&self.outbound, &self.ready.api_base, key, account).await?;
        Ok((steam::profile(&player), player))
    }

    fn start(
        &self,
        request: &AuthorizationRequest,
        found: &Discovered,
    ) -> Result<AuthorizationStart, ProviderError> {
        let nothing = || refused(Fault::OpenIdDiscovery, "there is no endpoint");
        let (endpoint, claimed, identity) = match found {
            Discovered::Provider { endpoints } => {
                let select = IDENTIFIER_SELECT.to_owned();
                (endpoints.first().ok_or_else(nothing)?, select.clone(), select)
            }
            Discovered::Person { claimed, speakers } => {
                let speaker = speakers.first().ok_or_else(nothing)?;
                (&speaker.endpoint, claimed.to_string(), speaker.local_id.clone())
            }
        };
        let own = |name: &str, value: &str| (format!("openid.{name}"), value.to_owned());
        let back = return_to(
            &request.redirect_uri,
            request.state.expose(),
            request.nonce.expose(),
        );
        let mut pairs = vec![
            own("ns", NS),
            own("mode", "checkid_setup"),
            own("claimed_id", &claimed),
            own("identity", &identity),
            own("return_to", &back),
            own("realm", &self.realm(&request.redirect_uri)?),
        ];
        pairs.extend(extension::request(&self.config));
        Ok(sent_to(endpoint, pairs))
    }

    /// What the person is asked to trust, which the callback has to be below: the provider would refuse it otherwise.
    fn realm(&self, callback: &str) -> Result<String, ProviderError> {
        let callback = Url::parse(callback).ok();
        let realm = match &self.ready.realm {
            Some(realm) => Some(realm.clone()),
            None => callback.as_ref().and_then(Realm::around),
        };
        let below = realm
            .zip(callback)
            .filter(|(realm, callback)| realm.covers(callback));
        let wrong = || refused(Fault::OpenIdReturnTo, "the callback is not below the realm");
        below.map(|(realm, _)| realm.text).ok_or_else(wrong)
    }
}

/// By a redirect, or by a form where that would be too long.
fn sent_to(endpoint: &Url, pairs: Vec<(String, String)>) -> AuthorizationStart {
    let mut url = endpoint.clone();
    url.query_pairs_mut().extend_pairs(&pairs);
    let form = (url.as_str().len() > LONGEST_ADDRESS).then_some(pairs);
    let url = if form.is_some() { endpoint.clone() } else { url };
    AuthorizationStart {
        url: url.into(),
        form,
        handle: None,
        carry: None,
    }
}

/// Two names for one person at a provider: the same text, or the same address.
fn same_identifier(one: &str, other: &str) -> Result<(), ProviderError> {
    let same = one == other || identifier(one).is_some_and(|one| Some(one) == identifier(other));
    if same {
        return Ok(());
    }
    Err(refused(
        Fault::OpenIdClaim,
        "the provider knows the person by another name",
    ))
}

/// OpenID 2.0 knows addresses, not clients.
fn no_client(client: Option<&ProviderClient>) -> Result<(), ProviderError> {
    match client {
        None => Ok(()),
        Some(_) => Err(refused(Fault::ClientRefused, "OpenID 2.0 has no clients")),
    }
}

#[async_trait]
impl IdentityProvider for OpenId2Provider {
    async fn begin(&self, request: &AuthorizationRequest) -> Result<AuthorizationStart, ProviderError> {
        no_client(request.client.as_ref())?;
        let found = self.found(LIFE).await?;
        self.start(request, &found)
    }

    async fn complete(&self, response: &AuthorizationResponse) -> Result<Arrival, ProviderError> {
        no_client(response.client.as_ref())?;
        let assertion = Assertion::judge(response, self.config.max_age)?;
        self.judge_claimed(&assertion.claimed)?;
        let found = self.maker(&assertion).await?;
        // In this order: an address in an answer is looked up only once the provider says that the answer is its own.
        self.check(&assertion).await?;
        self.judge_claim(&assertion, &found).await?;
        self.arrival(&assertion).await
    }

    async fn refresh(
        &self,
        _tokens: &ProviderTokens,
        _client: Option<ProviderClient>,
        _now: Timestamp,
    ) -> Result<ProviderTokens, ProviderError> {
        Err(refused(
            Fault::NotRefreshable,
            "OpenID 2.0 has nothing to refresh",
        ))
    }
}
