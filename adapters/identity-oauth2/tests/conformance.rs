//! The conformance cases, run against a server on this machine.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests fail as tests do"
)]

#[expect(dead_code, reason = "the other tests use the rest of it")]
#[path = "provider/support.rs"]
mod support;

use std::sync::Arc;
use std::thread::sleep;
use std::time::Duration;

use conformance::counterpart::{Said, other_client, own_client};
use conformance::desk::Desk;
use conformance::identity_provider::{Entry, Protocol, ProviderFixture};
use domain::identity::ProviderClient;
use domain::ports::IdentityProvider;
use identity_oauth2::OAuth2Config;
use support::{FakeProvider, Heard, provider, reply};

/// Longer than `support::provider` waits.
const TOO_LATE: Duration = Duration::from_millis(1_200);

fn said(desk: &Desk, heard: &Heard) -> Said {
    let authorization = heard.header("authorization");
    let instead = desk.hear(heard.path(), authorization, &heard.body);
    instead.unwrap_or_else(|| match heard.path() {
        "/token" => desk.token(authorization, &heard.body, |_| None),
        _ => desk.profile(authorization),
    })
}

fn wire(said: Said) -> String {
    match said {
        Said::Answer(status, body) => reply(status, "application/json", &body),
        Said::Nothing => String::new(),
        Said::Late => {
            tokio::task::block_in_place(|| sleep(TOO_LATE));
            String::new()
        }
    }
}

fn playing(fake: &FakeProvider, client: ProviderClient) -> Arc<dyn IdentityProvider> {
    Arc::new(provider(OAuth2Config {
        client_id: client.client_id,
        client_secret: client.client_secret,
        ..fake.generic()
    }))
}

async fn entry(client: ProviderClient) -> (Entry, FakeProvider) {
    let desk = Arc::new(Desk::new(client.clone()));
    let asked = Arc::clone(&desk);
    let fake = FakeProvider::start(move |heard| wire(said(&asked, heard))).await;
    let entry = Entry {
        port: playing(&fake, client),
        provider: desk,
    };
    (entry, fake)
}

async fn fresh() -> ProviderFixture {
    let (here, _) = entry(own_client()).await;
    let (there, mut fake) = entry(other_client()).await;
    fake.base = String::from("http://127.0.0.1:1");
    ProviderFixture {
        protocol: Protocol::OAuth2,
        here,
        there,
        nowhere: playing(&fake, own_client()),
    }
}

conformance::identity_provider!(fresh);
