//! What the provider's page is asked for.

use crate::support::{CHALLENGE, FakeProvider, REDIRECT, VERIFIER, client, provider, query};
use domain::identity::ProviderClient;
use domain::ports::{AuthorizationRequest, IdentityProvider as _};
use domain::secret::Secret;
use identity_oauth2::{OAuth2Config, OAuth2ConfigError, OAuth2Provider};
use outbound_http::{Outbound, OutboundConfig};

fn request() -> AuthorizationRequest {
    AuthorizationRequest {
        redirect_uri: REDIRECT.to_owned(),
        state: Secret::new("the-state"),
        nonce: Secret::new("nonce"),
        code_verifier: Secret::new(VERIFIER),
        client: None,
    }
}

async fn url(config: OAuth2Config, request: &AuthorizationRequest) -> String {
    let start = provider(config).begin(request).await.unwrap();
    assert_eq!((start.handle, start.carry), (None, None));
    start.url
}

#[tokio::test]
async fn the_answer_is_bound_to_state_and_verifier() {
    let url = url(OAuth2Config::github(client(), vec![]), &request()).await;
    assert!(
        url.starts_with("https://github.com/login/oauth/authorize?"),
        "{url}"
    );
    for (name, value) in [
        ("response_type", "code"),
        ("client_id", "our id"),
        ("state", "the-state"),
        ("redirect_uri", REDIRECT),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
        ("scope", "user:email"),
    ] {
        assert_eq!(query(&url, name).as_deref(), Some(value), "{name}");
    }
    assert!(!url.contains("our-secret") && !url.contains(VERIFIER), "{url}");
}

#[tokio::test]
async fn scopes_stand_apart_as_the_provider_wants_them() {
    let both = || vec!["a".to_owned(), "b".to_owned()];
    let facebook = url(OAuth2Config::facebook("v24.0", client(), both()), &request()).await;
    assert!(
        facebook.starts_with("https://www.facebook.com/v24.0/dialog/oauth?"),
        "{facebook}"
    );
    assert_eq!(query(&facebook, "scope").as_deref(), Some("a,b"));
    let google = url(OAuth2Config::google_legacy(client(), both()), &request()).await;
    assert_eq!(query(&google, "scope").as_deref(), Some("a b"));
}

#[tokio::test]
async fn linkedin_gets_no_challenge() {
    let url = url(OAuth2Config::linkedin(client(), vec![]), &request()).await;
    assert_eq!(query(&url, "code_challenge"), None);
    assert_eq!(query(&url, "scope").as_deref(), Some("openid profile email"));
}

#[tokio::test]
async fn options_are_added_but_never_replace_the_protocol() {
    let own = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let config = OAuth2Config {
        authorization_params: vec![
            own("accessType", "offline"),
            own("prompt", "consent"),
            own("state", "fixed"),
            own("redirect_uri", "https://evil.example"),
            own("code_challenge_method", "plain"),
        ],
        ..OAuth2Config::google_legacy(client(), vec![])
    };
    let url = url(config, &request()).await;
    assert_eq!(query(&url, "access_type").as_deref(), Some("offline"));
    assert_eq!(query(&url, "prompt").as_deref(), Some("consent"));
    assert_eq!(url.matches("state=").count(), 1, "{url}");
    assert!(!url.contains("evil") && !url.contains("plain"), "{url}");
}

#[tokio::test]
async fn an_applications_client_replaces_the_entrys() {
    let replaced = AuthorizationRequest {
        client: Some(ProviderClient {
            client_id: "theirs".to_owned(),
            client_secret: None,
        }),
        ..request()
    };
    let url = url(OAuth2Config::x(client(), vec![]), &replaced).await;
    assert_eq!(query(&url, "client_id").as_deref(), Some("theirs"));
}

#[tokio::test]
async fn a_verifier_the_standard_forbids_is_refused() {
    let fake = FakeProvider::with_profile("{}").await;
    for bad in ["", "short", &"x".repeat(129), &" ".repeat(50)] {
        let request = AuthorizationRequest {
            code_verifier: Secret::new(bad),
            ..request()
        };
        assert!(provider(fake.generic()).begin(&request).await.is_err(), "{bad:?}");
    }
}

#[tokio::test]
async fn a_configuration_that_will_not_do_says_which_field() {
    let new =
        |config| OAuth2Provider::new(config, Outbound::new(OutboundConfig::default()).unwrap()).map(|_| ());
    let good = || OAuth2Config::github(client(), vec![]);
    for bad in [
        "",
        "github.com",
        "http://github.com/token",
        "ftp://localhost/",
        "https://u:p@github.com/",
    ] {
        let config = OAuth2Config {
            token_url: bad.to_owned(),
            ..good()
        };
        assert_eq!(
            new(config),
            Err(OAuth2ConfigError::Address { field: "tokenURL" }),
            "{bad}"
        );
    }
    let nameless = OAuth2Config {
        client_id: String::new(),
        ..good()
    };
    assert_eq!(new(nameless), Err(OAuth2ConfigError::ClientId));
    for (name, value) in [("Authorization", "x"), ("a b", "x"), ("X-A", "x\r\ny")] {
        let config = OAuth2Config {
            custom_headers: vec![(name.to_owned(), value.to_owned())],
            ..good()
        };
        let name = name.to_owned();
        assert_eq!(new(config), Err(OAuth2ConfigError::Header { name }));
    }
}
