//! The conformance cases of single logout, with our own provider.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use conformance::single_logout::{Partner, SingleLogoutFixture};
use domain::ports::{IdentityProvider as _, LogoutMessage};
use domain::secret::Secret;
use identity_saml::SamlConfig;

use crate::logout::{by_form, by_query, logout_request, logout_response, query_by};
use crate::support::{IDP_KEY, NOW, OTHER_KEY, OWN_KEY, answer, config, provider, signed, with};

/// The provider, which makes a new message each time.
struct Provider(AtomicUsize);

impl Provider {
    fn request(&self) -> String {
        let number = self.0.fetch_add(1, Ordering::Relaxed);
        with(&logout_request(), "_logout1", &format!("_logout{number}"))
    }
}

#[async_trait]
impl Partner for Provider {
    async fn wish(&self) -> LogoutMessage {
        by_query(&query_by(&IDP_KEY, "SAMLRequest", &self.request(), None))
    }

    async fn answer(&self, _url: &str, relay: &str) -> LogoutMessage {
        // As every message of ours, it has its ID from what comes back with it.
        let id = format!("_{relay}");
        by_query(&query_by(
            &IDP_KEY,
            "SAMLResponse",
            &logout_response(&id),
            Some(relay),
        ))
    }

    async fn forged(&self) -> Vec<LogoutMessage> {
        let good = query_by(&IDP_KEY, "SAMLRequest", &self.request(), Some("relay"));
        let (unsigned, _) = good.split_once("&SigAlg=").unwrap();
        vec![
            by_query(unsigned),
            by_form("SAMLRequest", &self.request()),
            by_query(&query_by(&OTHER_KEY, "SAMLRequest", &self.request(), None)),
            by_query(&good.replace("=relay", "=other")),
        ]
    }
}

async fn fixture() -> SingleLogoutFixture {
    let signing = || SamlConfig {
        private_key: Some(Secret::new(&*OWN_KEY.private)),
        ..config()
    };
    let port = provider(signing());
    let arrival = port.complete(&answer(&signed())).await.unwrap();
    let placeless = SamlConfig {
        logout_url: None,
        ..signing()
    };
    SingleLogoutFixture {
        port: Arc::new(port),
        placeless: Arc::new(provider(placeless)),
        partner: Arc::new(Provider(AtomicUsize::new(0))),
        account: (arrival.issuer, arrival.subject),
        session: arrival.session.unwrap(),
        now: NOW,
    }
}

conformance::single_logout!(fixture);
