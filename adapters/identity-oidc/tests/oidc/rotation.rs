//! Providers change their keys, and must not be asked for them too often.

use std::sync::Arc;
use std::time::Duration;

use domain::ports::{Arrival, IdentityProvider as _, ProviderError, ProviderFault as Fault};
use identity_oidc::{Caching, OidcConfig, OidcProvider, UserInfo};
use serde_json::json;

use crate::idp::keys::TestKey;
use crate::idp::{Idp, Reply};
use crate::login::{self, config, fault, provider, response};

fn without_userinfo(idp: &Idp) -> OidcConfig {
    OidcConfig {
        userinfo: UserInfo::Never,
        ..config(idp)
    }
}

async fn log_in(provider: &OidcProvider, idp: &Idp, key: &TestKey) -> Result<Arrival, ProviderError> {
    idp.hand_out(&key.sign(&login::claims(idp)));
    provider.complete(&response(&[("code", "c")])).await
}

#[tokio::test]
async fn what_is_published_is_asked_for_once() {
    let idp = Idp::start().await;
    let provider = provider(without_userinfo(&idp));
    for _ in 0..3 {
        log_in(&provider, &idp, &idp.key).await.unwrap();
    }
    assert_eq!(
        (idp.heard("openid-configuration").len(), idp.heard("/jwks").len()),
        (1, 1)
    );
}

#[tokio::test]
async fn what_is_old_is_asked_for_again() {
    let idp = Idp::start().await;
    let provider = provider(OidcConfig {
        caching: Caching {
            discovery: Duration::from_millis(30),
            keys: Duration::from_millis(30),
            ..Caching::default()
        },
        ..without_userinfo(&idp)
    });
    log_in(&provider, &idp, &idp.key).await.unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;
    idp.publish(&[&TestKey::p256("k2")]);
    let refused = log_in(&provider, &idp, &idp.key).await.unwrap_err();
    assert_eq!(fault(&refused), Fault::IdTokenKey);
    assert_eq!(
        (idp.heard("openid-configuration").len(), idp.heard("/jwks").len()),
        (2, 2)
    );
}

#[tokio::test]
async fn a_new_key_is_looked_for_once_and_the_old_one_is_gone() {
    let idp = Idp::start().await;
    let provider = provider(without_userinfo(&idp));
    log_in(&provider, &idp, &idp.key).await.unwrap();
    let new = TestKey::p256("k2");
    idp.publish(&[&new]);
    log_in(&provider, &idp, &new).await.unwrap();
    assert_eq!(idp.heard("/jwks").len(), 2);
    let refused = log_in(&provider, &idp, &idp.key).await.unwrap_err();
    assert_eq!(fault(&refused), Fault::IdTokenKey);
    log_in(&provider, &idp, &new).await.unwrap();
    assert_eq!(idp.heard("/jwks").len(), 2, "looked again too soon");
}

#[tokio::test]
async fn a_key_nobody_publishes_is_looked_for_once_in_a_while() {
    let idp = Idp::start().await;
    let mut config = without_userinfo(&idp);
    config.caching.unknown_key = Duration::from_millis(300);
    let provider = provider(config);
    log_in(&provider, &idp, &idp.key).await.unwrap();
    let stranger = TestKey::p256("nobody-knows");
    for _ in 0..5 {
        let refused = log_in(&provider, &idp, &stranger).await.unwrap_err();
        assert_eq!(fault(&refused), Fault::IdTokenKey);
    }
    assert_eq!(idp.heard("/jwks").len(), 2);
    tokio::time::sleep(Duration::from_millis(320)).await;
    log_in(&provider, &idp, &stranger).await.unwrap_err();
    assert_eq!(idp.heard("/jwks").len(), 3);
}

#[tokio::test]
async fn keys_fetched_for_this_very_token_are_not_fetched_twice() {
    let idp = Idp::start().await;
    let provider = provider(without_userinfo(&idp));
    let stranger = TestKey::p256("nobody-knows");
    log_in(&provider, &idp, &stranger).await.unwrap_err();
    assert_eq!(idp.heard("/jwks").len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_logins_at_once_share_one_look() {
    let idp = Idp::start().await;
    let mut slow = Reply::json(&json!({"keys": [idp.key.jwk()]}));
    slow.delay = Duration::from_millis(150);
    idp.reply("/jwks", slow);
    let provider = Arc::new(provider(without_userinfo(&idp)));
    idp.hand_out(&idp.key.sign(&login::claims(&idp)));
    assert_eq!(at_once(&provider, 20).await, 20);
    assert_eq!(
        (idp.heard("openid-configuration").len(), idp.heard("/jwks").len()),
        (1, 1)
    );

    let new = TestKey::p256("k2");
    idp.publish(&[&new]);
    idp.hand_out(&new.sign(&login::claims(&idp)));
    assert_eq!(at_once(&provider, 20).await, 20);
    assert_eq!(idp.heard("/jwks").len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_logins_at_once_share_one_failure() {
    let idp = Idp::start().await;
    let mut dead = Reply::text(503, "text/plain", "");
    dead.delay = Duration::from_millis(200);
    idp.reply("/.well-known/openid-configuration", dead);
    let provider = Arc::new(provider(without_userinfo(&idp)));
    let started = std::time::Instant::now();
    assert_eq!(at_once(&provider, 20).await, 0);
    assert!(started.elapsed() < Duration::from_secs(1), "they waited in a row");
    assert!(idp.heard("openid-configuration").len() <= 2);
}

/// How many of so many logins come through.
async fn at_once(provider: &Arc<OidcProvider>, many: usize) -> usize {
    let logins: Vec<_> = (0..many)
        .map(|_| {
            let provider = Arc::clone(provider);
            tokio::spawn(async move { provider.complete(&response(&[("code", "c")])).await.is_ok() })
        })
        .collect();
    let mut through = 0;
    for login in logins {
        through += usize::from(login.await.unwrap());
    }
    through
}
