//! Before the provider's page: a request token for our callback alone.

use domain::identity::ProviderClient;
use domain::ports::{AuthorizationRequest, IdentityProvider as _};
use domain::secret::Secret;
use identity_oauth1::{OAuth1Config, OAuth1ConfigError, OAuth1Provider};
use outbound_http::{Outbound, OutboundConfig};

use crate::support::{
    FakeProvider, REDIRECT, REQUEST_TOKEN, client, code_of, provider, query, reply, request,
};

#[tokio::test]
async fn the_request_token_takes_the_place_of_a_state() {
    let fake = FakeProvider::with_profile("{}").await;
    let config = OAuth1Config {
        authorization_params: vec![
            ("forceLogin".to_owned(), "true".to_owned()),
            ("oauth_token".to_owned(), "fixed".to_owned()),
        ],
        ..fake.twitter()
    };
    let start = provider(config).begin(&request()).await.unwrap();
    assert_eq!(
        start.url,
        format!("{}/authenticate?oauth_token=rt&force_login=true", fake.base)
    );
    assert_eq!(start.handle, Some(Secret::new("rt")));
    assert_eq!(
        start.carry,
        Some(Secret::new("oauth_token=rt&oauth_token_secret=rs"))
    );
    let asked = &fake.heard("/request_token")[0];
    assert_eq!(asked.method, "POST");
    assert_eq!(asked.header("content-length"), Some("0"));
    for (name, value) in [
        ("oauth_callback", REDIRECT),
        ("oauth_consumer_key", "our-key"),
        ("oauth_signature_method", "HMAC-SHA1"),
        ("oauth_version", "1.0"),
    ] {
        assert_eq!(asked.oauth(name).as_deref(), Some(value), "{name}");
    }
    assert_eq!(asked.oauth("oauth_token"), None);
    assert_eq!(asked.oauth("oauth_signature").unwrap().len(), 28);
    let nonce = asked.oauth("oauth_nonce").unwrap();
    assert!(nonce.bytes().all(|byte| byte.is_ascii_alphabetic()), "{nonce}");
    let timestamp: u64 = asked.oauth("oauth_timestamp").unwrap().parse().unwrap();
    assert!(timestamp > 1_700_000_000);
}

#[tokio::test]
async fn no_two_requests_share_a_nonce() {
    let fake = FakeProvider::with_profile("{}").await;
    let twitter = provider(fake.twitter());
    for _ in 0..2 {
        twitter.begin(&request()).await.unwrap();
    }
    let asked = fake.heard("/request_token");
    assert_ne!(asked[0].oauth("oauth_nonce"), asked[1].oauth("oauth_nonce"));
}

#[tokio::test]
async fn an_unconfirmed_callback_goes_no_further() {
    for (body, code) in [
        (
            "oauth_token=rt&oauth_token_secret=rs&oauth_callback_confirmed=false",
            "CALLBACK_UNCONFIRMED",
        ),
        (
            "oauth_token=rt&oauth_token_secret=rs&oauth_callback_confirmed=",
            "CALLBACK_UNCONFIRMED",
        ),
        ("oauth_token=rt&oauth_token_secret=rs", "CALLBACK_UNCONFIRMED"),
        (
            "oauth_token=rt&oauth_callback_confirmed=true",
            "REQUEST_TOKEN_REFUSED",
        ),
        (
            "oauth_token=&oauth_token_secret=rs&oauth_callback_confirmed=true",
            "REQUEST_TOKEN_REFUSED",
        ),
        (
            "oauth_token=a&oauth_token=b&oauth_token_secret=rs&oauth_callback_confirmed=true",
            "REQUEST_TOKEN_REFUSED",
        ),
        ("<html>over capacity</html>", "REQUEST_TOKEN_REFUSED"),
        ("", "REQUEST_TOKEN_REFUSED"),
    ] {
        let fake = FakeProvider::start(move |_| reply(200, "text/html", body)).await;
        let error = provider(fake.twitter()).begin(&request()).await.unwrap_err();
        assert_eq!(code_of(&error), code, "{body}");
    }
}

#[tokio::test]
async fn a_confirmation_counts_in_whatever_case() {
    let fake = FakeProvider::start(|_| reply(200, "text/html", &REQUEST_TOKEN.replace("true", "True"))).await;
    assert!(provider(fake.twitter()).begin(&request()).await.is_ok());
}

#[tokio::test]
async fn a_server_that_refuses_or_rests_says_so() {
    for (status, code) in [
        (401, "REQUEST_TOKEN_REFUSED"),
        (403, "REQUEST_TOKEN_REFUSED"),
        (302, "PROVIDER_RESPONSE_INVALID"),
        (429, "unavailable"),
        (503, "unavailable"),
    ] {
        let fake = FakeProvider::start(move |_| reply(status, "text/html", REQUEST_TOKEN)).await;
        let error = provider(fake.twitter()).begin(&request()).await.unwrap_err();
        assert_eq!(code_of(&error), code, "{status}");
    }
}

#[tokio::test]
async fn an_applications_consumer_replaces_the_entrys() {
    let fake = FakeProvider::with_profile("{}").await;
    let with = |client_secret| AuthorizationRequest {
        client: Some(ProviderClient {
            client_id: "theirs".to_owned(),
            client_secret,
        }),
        ..request()
    };
    let twitter = provider(fake.twitter());
    let start = twitter.begin(&with(Some(Secret::new("s")))).await.unwrap();
    assert_eq!(query(&start.url, "oauth_token").as_deref(), Some("rt"));
    assert_eq!(
        fake.heard("/request_token")[0]
            .oauth("oauth_consumer_key")
            .unwrap(),
        "theirs"
    );
    let error = twitter.begin(&with(None)).await.unwrap_err();
    assert_eq!(code_of(&error), "PROVIDER_CLIENT_REFUSED");
}

#[test]
fn a_configuration_that_will_not_do_says_which_field() {
    let new =
        |config| OAuth1Provider::new(config, Outbound::new(OutboundConfig::default()).unwrap()).map(|_| ());
    let good = || OAuth1Config::twitter(client());
    assert_eq!(new(good()), Ok(()));
    assert_eq!(good().effective_issuer().as_deref(), Some("https://x.com"));
    let plain = OAuth1Config {
        access_token_url: "http://api.x.com/oauth/access_token".to_owned(),
        ..good()
    };
    let field = "accessTokenURL";
    assert_eq!(new(plain), Err(OAuth1ConfigError::Address { field }));
    let unsigned = OAuth1Config {
        consumer_secret: Secret::new(""),
        ..good()
    };
    assert!(!format!("{unsigned:?}{:?}", good()).contains("our-secret"));
    assert_eq!(new(unsigned), Err(OAuth1ConfigError::Consumer));
}
