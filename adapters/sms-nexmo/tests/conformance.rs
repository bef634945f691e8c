//! What every SMS sender must do.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use std::sync::Arc;

use async_trait::async_trait;
use conformance::sms_sender::{SmsFixture, SmsInbox};
use domain::secret::Secret;
use e2e::Counterparty;
use outbound_http::{Outbound, OutboundConfig};
use serde_json::json;
use sms_nexmo::{NexmoConfig, NexmoSmsSender};

struct Gateway(Counterparty);

#[async_trait]
impl SmsInbox for Gateway {
    async fn delivered(&self) -> Vec<(String, String)> {
        let told = self.0.tell("messages", &json!({})).await;
        let text =
            |message: &serde_json::Value, name: &str| message.get(name).unwrap().as_str().unwrap().to_owned();
        let messages = told.as_array().unwrap().iter();
        messages
            .map(|message| (format!("+{}", text(message, "to")), text(message, "text")))
            .collect()
    }

    async fn fall_silent(&self) {
        self.0.tell("fault?name=slow&times=1000", &json!({})).await;
    }
}

async fn fresh() -> SmsFixture {
    let gateway = Counterparty::sms().await;
    let config = NexmoConfig {
        api_key: Secret::new("abcd1234"),
        api_secret: Secret::new("ABCDEF0123456789"),
        from: "Portcullis".to_owned(),
        base_url: gateway.address().to_owned(),
    };
    let outbound = Outbound::new(OutboundConfig::default()).unwrap();
    SmsFixture {
        port: Arc::new(NexmoSmsSender::open(outbound, config).unwrap()),
        inbox: Arc::new(Gateway(gateway)),
    }
}

conformance::sms_sender!(fresh);
