//! The conformance cases, run against an OpenID provider on this machine.
#![cfg(test)]

#[expect(dead_code, reason = "the other tests use the rest of it")]
#[path = "oidc/idp/mod.rs"]
mod idp;
#[expect(dead_code, reason = "the other tests use the rest of it")]
#[path = "oidc/login.rs"]
mod login;

use std::sync::Arc;
use std::time::Duration;

use conformance::counterpart::{Said, other_client, own_client};
use conformance::desk::{Desk, Grant};
use conformance::identity_provider::{Entry, Protocol, ProviderFixture};
use domain::identity::ProviderClient;
use domain::ports::IdentityProvider;
use identity_oidc::{ClientSecret, OidcConfig};
use idp::{Heard, Idp, Reply};
use login::{NOW, provider};
use serde_json::json;

/// Longer than `login::provider` waits.
const TOO_LATE: Duration = Duration::from_millis(1_500);

fn id_token(idp: &Idp, desk: &Desk, grant: &Grant) -> String {
    let now = NOW.as_millis() / 1000;
    let mut claims = desk.claims(&grant.person);
    claims["iss"] = json!(idp.issuer);
    claims["aud"] = json!(grant.asked.client_id);
    claims["nonce"] = json!(grant.asked.nonce);
    claims["iat"] = json!(now);
    claims["exp"] = json!(now + 300);
    idp.key.sign(&claims)
}

/// What the desk says to a request; none where the provider's published documents are the answer.
fn said(idp: &Idp, desk: &Desk, heard: &Heard) -> Option<Said> {
    let mut lines = heard.head.lines();
    let authorization = lines.find_map(|line| line.strip_prefix("authorization: "));
    let instead = desk.hear(&heard.path, authorization, &heard.body);
    instead.or_else(|| match heard.path.as_str() {
        "/token" => Some(desk.token(authorization, &heard.body, |grant| {
            Some(id_token(idp, desk, grant))
        })),
        "/userinfo" => Some(desk.profile(authorization)),
        _ => None,
    })
}

fn reply(said: Said) -> Reply {
    match said {
        Said::Answer(status, body) => Reply::text(status, "application/json", &body),
        Said::Nothing => Reply::nothing(Duration::ZERO),
        Said::Late => Reply::nothing(TOO_LATE),
    }
}

fn playing(issuer: &str, client: ProviderClient) -> Arc<dyn IdentityProvider> {
    Arc::new(provider(OidcConfig {
        client_secret: ClientSecret::Fixed(client.client_secret.unwrap()),
        ..OidcConfig::generic(issuer, client.client_id)
    }))
}

async fn entry(client: ProviderClient) -> Entry {
    let desk = Arc::new(Desk::new(client.clone()));
    let idp = Arc::new(Idp::start().await);
    let port = playing(&idp.issuer, client);
    // The two hold each other until the process ends, as the task that serves does.
    let (whole, asked) = (Arc::clone(&idp), Arc::clone(&desk));
    idp.answer_by(move |heard| said(&whole, &asked, heard).map(reply));
    Entry { port, provider: desk }
}

async fn fresh() -> ProviderFixture {
    ProviderFixture {
        protocol: Protocol::OpenIdConnect,
        here: entry(own_client()).await,
        there: entry(other_client()).await,
        nowhere: playing("http://127.0.0.1:1", own_client()),
    }
}

conformance::identity_provider!(fresh);
