//! What every test of the sender needs.

use domain::id::{MessageId, PoolName, UserId, UserKey};
use domain::message::SmsMessage;
use domain::secret::Secret;
use domain::time::Lifetime;
use domain::user::Phone;
use outbound_http::{Outbound, OutboundConfig};
use sms_nexmo::{NexmoConfig, NexmoSmsSender};

/// A number there is.
pub const NUMBER: &str = "+491701234567";

/// A sender with the gateway's own account.
pub fn sender(base_url: &str) -> NexmoSmsSender {
    sender_with(OutboundConfig::default(), config(base_url))
}

pub fn sender_with(outbound: OutboundConfig, config: NexmoConfig) -> NexmoSmsSender {
    NexmoSmsSender::open(Outbound::new(outbound).unwrap(), config).unwrap()
}

pub fn config(base_url: &str) -> NexmoConfig {
    NexmoConfig {
        api_key: Secret::new("abcd1234"),
        api_secret: Secret::new("ABCDEF0123456789"),
        from: "Portcullis".to_owned(),
        base_url: base_url.to_owned(),
    }
}

pub fn message(number: &str, code: &str) -> SmsMessage {
    SmsMessage {
        user: UserKey::new(PoolName::new("Users"), UserId::new("1")),
        name: "ann@example.com".to_owned(),
        phone: Some(Phone::parse(number).unwrap()),
        code: Secret::new(code),
        life: Lifetime::from_secs(300),
        language: "en".to_owned(),
    }
}

pub fn id(name: &str) -> MessageId {
    MessageId::new(name)
}
