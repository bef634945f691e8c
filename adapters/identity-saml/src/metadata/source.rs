use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::ports::{ProviderError, ProviderFault};
use domain::time::{Lifetime, Timestamp};
use http::{Request, StatusCode};
use outbound_http::Outbound;
use tokio::sync::Mutex;

use super::{IdpDescription, read_metadata};
use crate::error::from_outbound;
use crate::keys::TrustedKeys;

/// How long fetched metadata is believed, whatever it says itself.
const SHORTEST: Lifetime = Lifetime::from_secs(300);
const LONGEST: Lifetime = Lifetime::from_secs(24 * 3600);
const USUAL: Lifetime = Lifetime::from_secs(3600);

/// How soon it is asked for again after a failure, or because an answer was signed by a key that is not in it.
const AGAIN: Duration = Duration::from_mins(1);

/// Where the provider's description comes from.
#[derive(Debug)]
pub enum Source {
    /// From the configuration: it never changes.
    Fixed(Arc<IdpDescription>),
    /// From an address.
    Fetched(Box<Fetched>),
}

/// A description that is fetched, and fetched again.
#[derive(Debug)]
pub struct Fetched {
    url: String,
    entity_id: Option<String>,
    signers: TrustedKeys,
    outbound: Outbound,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    good: Option<Arc<IdpDescription>>,
    /// When it was asked for last, whatever came of it.
    asked: Option<Instant>,
    /// From when on it is asked for again.
    due: Option<Instant>,
    /// Why it was not had, for those who waited for the same.
    failure: Option<Failure>,
}

#[derive(Debug)]
struct Failure {
    fault: Option<ProviderFault>,
    detail: String,
}

impl Failure {
    fn of(error: &ProviderError) -> Self {
        match error {
            ProviderError::Refused { fault, detail } => Self {
                fault: Some(*fault),
                detail: detail.clone(),
            },
            ProviderError::Unavailable(detail) => Self {
                fault: None,
                detail: detail.clone(),
            },
        }
    }

    fn to_error(&self) -> ProviderError {
        match self.fault {
            Some(fault) => ProviderError::refused(fault, &self.detail),
            None => ProviderError::Unavailable(self.detail.clone()),
        }
    }
}

impl Source {
    /// From an address; asks nobody yet.
    pub fn fetched(url: String, entity_id: Option<String>, signers: TrustedKeys, outbound: Outbound) -> Self {
        Self::Fetched(Box::new(Fetched {
            url,
            entity_id,
            signers,
            outbound,
            state: Mutex::default(),
        }))
    }

    /// What is known now. The last good description is kept while there is none better, until it says that it is over.
    pub async fn current(&self, now: Timestamp) -> Result<Arc<IdpDescription>, ProviderError> {
        let description = match self {
            Self::Fixed(description) => Arc::clone(description),
            Self::Fetched(fetched) => fetched.current(now).await?,
        };
        judge_validity(&description, now)?;
        Ok(description)
    }

    /// What is known now, asked for again if that was not done within the last minute: an answer was signed by an unknown key.
    pub async fn newer(&self, than: &Arc<IdpDescription>, now: Timestamp) -> Option<Arc<IdpDescription>> {
        let Self::Fetched(fetched) = self else {
            return None;
        };
        let mut state = fetched.state.lock().await;
        let recent = state.asked.is_some_and(|asked| asked.elapsed() < AGAIN);
        if !recent {
            fetched.refresh(&mut state, now).await.ok()?;
        }
        let good = state.good.clone()?;
        let newer = !Arc::ptr_eq(&good, than) && judge_validity(&good, now).is_ok();
        newer.then_some(good)
    }
}

fn judge_validity(description: &IdpDescription, now: Timestamp) -> Result<(), ProviderError> {
    if description.valid_until.is_some_and(|until| now >= until) {
        let detail = "the provider's metadata is over (validUntil), and there is none newer";
        return Err(ProviderError::refused(ProviderFault::MetadataInvalid, detail));
    }
    Ok(())
}

impl Fetched {
    async fn current(&self, now: Timestamp) -> Result<Arc<IdpDescription>, ProviderError> {
        let came = Instant::now();
        let mut state = self.state.lock().await;
        // Whoever waited while it was asked for in vain does not ask after that: they would wait for one another.
        let in_vain = state
            .failure
            .as_ref()
            .filter(|_| state.asked.is_some_and(|asked| asked >= came));
        if let (None, Some(failure)) = (&state.good, in_vain) {
            return Err(failure.to_error());
        }
        let over = state
            .good
            .as_ref()
            .is_some_and(|good| judge_validity(good, now).is_err());
        let due = state.due.is_none_or(|due| Instant::now() >= due);
        // Nothing to go by is asked for each time; something old waits for its time.
        let outcome = if state.good.is_none() || over || due {
            self.refresh(&mut state, now).await
        } else {
            Ok(())
        };
        match (outcome, &state.good) {
            (_, Some(good)) => Ok(Arc::clone(good)),
            (Err(error), None) => Err(error),
            (Ok(()), None) => Err(ProviderError::Unavailable("there is no metadata".to_owned())),
        }
    }

    async fn refresh(&self, state: &mut State, now: Timestamp) -> Result<(), ProviderError> {
        let begun = Instant::now();
        state.asked = Some(begun);
        match self.fetch(now).await {
            Ok(description) => {
                let wanted = description.cache_duration.unwrap_or(USUAL);
                let span = wanted.clamp(SHORTEST, LONGEST);
                state.due = begun.checked_add(Duration::from_millis(span.as_millis()));
                state.good = Some(Arc::new(description));
                state.failure = None;
                Ok(())
            }
            Err(error) => {
                tracing::warn!(%error, url = self.url, "the metadata of a SAML provider cannot be had");
                state.due = begun.checked_add(AGAIN);
                state.failure = Some(Failure::of(&error));
                Err(error)
            }
        }
    }

    async fn fetch(&self, now: Timestamp) -> Result<IdpDescription, ProviderError> {
        let request = Request::get(&self.url).header(
            "accept",
            "application/samlmetadata+xml, application/xml, text/xml",
        );
        let invalid = |detail: &str| ProviderError::refused(ProviderFault::MetadataInvalid, detail);
        let request = request
            .body(Vec::new())
            .map_err(|_| invalid("metadataUrl is no address"))?;
        let answer = self
            .outbound
            .send(request)
            .await
            .map_err(|error| from_outbound(&error))?;
        let status = answer.status();
        if status != StatusCode::OK {
            return Err(ProviderError::Unavailable(format!(
                "the metadata's server answered {}",
                status.as_u16()
            )));
        }
        let text = std::str::from_utf8(answer.body()).map_err(|_| invalid("it is no UTF-8"))?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let description = read_metadata(text, self.entity_id.as_deref(), &self.signers)?;
        judge_validity(&description, now)?;
        Ok(description)
    }
}
