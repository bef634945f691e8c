use std::time::{Duration, Instant};

use async_trait::async_trait;
use domain::id::MessageId;
use domain::message::SmsMessage;
use domain::ports::{Delivery, PortError, SmsSender};
use domain::secret::Secret;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderValue, Method, Request, Uri};
use outbound_http::Outbound;

use crate::alarm::Alarm;
use crate::error::not_sent;
use crate::wire::{Form, judge};
use crate::{NexmoConfig, NexmoConfigError, number, words};

/// Longest wait for an answer, whatever `Outbound` would wait: a call takes ten seconds at most.
const PATIENCE: Duration = Duration::from_secs(9);

/// Sends codes by Nexmo.
#[derive(Debug)]
pub struct NexmoSmsSender {
    outbound: Outbound,
    address: Uri,
    api_key: Secret,
    api_secret: Secret,
    from: String,
    alarm: Alarm,
}

impl NexmoSmsSender {
    /// Judges the settings; asks nobody yet.
    ///
    /// # Errors
    /// [`NexmoConfigError`] names what cannot be used.
    pub fn open(outbound: Outbound, config: NexmoConfig) -> Result<Self, NexmoConfigError> {
        config.credentials()?;
        number::warm_up();
        Ok(Self {
            outbound,
            address: config.address()?,
            from: config.sender()?,
            api_key: config.api_key,
            api_secret: config.api_secret,
            alarm: Alarm::default(),
        })
    }

    fn request(&self, id: &MessageId, message: &SmsMessage, to: &str) -> Request<Vec<u8>> {
        let text = words::text(&message.language, message.code.expose());
        let form = Form {
            api_key: &self.api_key,
            api_secret: &self.api_secret,
            from: &self.from,
            to,
            text: &text,
            id,
            life: message.life,
        };
        let mut request = Request::new(form.encoded().as_bytes().to_vec());
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.address.clone();
        let headers = request.headers_mut();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        let form = HeaderValue::from_static("application/x-www-form-urlencoded");
        headers.insert(CONTENT_TYPE, form);
        request
    }
}

#[async_trait]
impl SmsSender for NexmoSmsSender {
    fn reaches_without_number(&self) -> bool {
        false
    }

    fn is_local(&self) -> bool {
        false
    }

    async fn send(&self, id: &MessageId, message: &SmsMessage) -> Result<Delivery, PortError> {
        let begun = Instant::now();
        let phone = message.phone.as_ref().ok_or("no_number");
        let to = match phone.and_then(number::digits) {
            Ok(to) => to,
            Err(reason) => return Ok(Delivery::Unreachable { reason }),
        };
        let posted = self.outbound.send(self.request(id, message, to));
        let patience = PATIENCE.saturating_sub(begun.elapsed());
        let verdict = match tokio::time::timeout(patience, posted).await {
            Ok(Ok(answer)) => judge(&answer),
            Ok(Err(error)) => match not_sent(error) {
                Some(error) => return Err(error),
                None => Delivery::Unknown.into(),
            },
            Err(_) => Delivery::Unknown.into(),
        };
        if let Some(reason) = verdict.alarm {
            self.alarm.ring(reason);
        }
        Ok(verdict.delivery)
    }
}
