//! Asking a provider's API who somebody is.

use domain::ports::{ProviderError, ProviderFault};
use domain::secret::Secret;
use http::header::{ACCEPT, AUTHORIZATION};
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode};
use outbound_http::Outbound;
use serde_json::Value;
use url::Url;

use crate::error::from_outbound;
use crate::token::{graph_is_busy, judge_status};

/// What an API said: the status and, if it was JSON, the body.
pub struct Said {
    pub status: StatusCode,
    pub body: Option<Value>,
}

/// Asks, with the token in the header: addresses end up in logs (RFC 6750 section 2.3).
pub async fn get(
    outbound: &Outbound,
    headers: &HeaderMap,
    url: &Url,
    token: &Secret,
) -> Result<Said, ProviderError> {
    let mut request = Request::new(Vec::new());
    *request.method_mut() = Method::GET;
    *request.uri_mut() = url.as_str().parse().map_err(|_| invalid("its address"))?;
    let mut bearer = HeaderValue::from_str(&format!("Bearer {}", token.expose())).map_err(|_| {
        ProviderError::refused(ProviderFault::TokenResponseInvalid, "no header takes the token")
    })?;
    bearer.set_sensitive(true);
    let own = request.headers_mut();
    own.insert(ACCEPT, HeaderValue::from_static("application/json"));
    for (name, value) in headers {
        own.insert(name, value.clone());
    }
    own.insert(AUTHORIZATION, bearer);
    let answer = outbound.send(request).await;
    let answer = answer.map_err(|error| from_outbound(&error))?;
    judge_status(answer.status())?;
    Ok(Said {
        status: answer.status(),
        body: serde_json::from_slice(answer.body()).ok(),
    })
}

impl Said {
    /// The object it said, if it went well.
    pub fn object(self) -> Result<Value, ProviderError> {
        self.judge_graph()?;
        if !self.status.is_success() {
            return Err(invalid(&self.status.as_u16().to_string()));
        }
        let object = self.body.filter(Value::is_object);
        object.ok_or_else(|| invalid("no JSON object"))
    }

    /// The number of the Graph's error, if it is one.
    pub fn graph_code(&self) -> Option<i64> {
        self.body.as_ref()?.pointer("/error/code")?.as_i64()
    }

    /// An error object is one whatever the status.
    fn judge_graph(&self) -> Result<(), ProviderError> {
        match self.graph_code() {
            Some(code) if graph_is_busy(code) => Err(ProviderError::Unavailable(format!(
                "the profile's answer is error {code}"
            ))),
            Some(code) => Err(invalid(&format!("error {code}"))),
            None => Ok(()),
        }
    }
}

pub fn invalid(what: &str) -> ProviderError {
    ProviderError::refused(
        ProviderFault::UserInfoInvalid,
        format!("the profile's answer is {what}"),
    )
}
