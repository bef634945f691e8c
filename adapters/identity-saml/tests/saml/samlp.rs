//! Against npm's samlp: what a provider of others makes of us, and we of it.

use std::time::{SystemTime, UNIX_EPOCH};

use domain::ports::{
    Arrival, AuthorizationRequest, AuthorizationResponse, AuthorizationStart, IdentityProvider, LogoutHeard,
    LogoutMessage, ProviderError, ProviderFault, SingleLogout, UnsolicitedResponse,
};
use domain::secret::Secret;
use domain::time::Timestamp;
use e2e::Counterparty;
use identity_saml::{SamlBinding, SamlConfig, SamlProvider};
use reqwest::Client;
use reqwest::redirect::Policy;
use serde_json::json;

use crate::support::{OWN_KEY, fault_of, provider};

const ACS: &str = "http://127.0.0.1:9/auth/saml/callback";
const SLO: &str = "http://127.0.0.1:9/auth/saml/logout";
const SP: &str = "urn:portcullis:test";

fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap())
}

fn entry(samlp: &Counterparty) -> SamlConfig {
    SamlConfig {
        metadata_url: Some(samlp.at("/metadata")),
        logout_callback_url: Some(SLO.to_owned()),
        private_key: Some(Secret::new(&*OWN_KEY.private)),
        decryption_key: Some(Secret::new(&*OWN_KEY.private)),
        ..SamlConfig::new(SP, ACS)
    }
}

fn browser() -> Client {
    Client::builder()
        .no_proxy()
        .redirect(Policy::none())
        .build()
        .unwrap()
}

/// Goes where it is sent, and gives the form that comes back.
async fn follow(start: &AuthorizationStart) -> Vec<(String, String)> {
    let client = browser();
    let request = match &start.form {
        Some(form) => client.post(&start.url).form(form),
        None => client.get(&start.url),
    };
    let answer = request.send().await.unwrap();
    let status = answer.status();
    let page = answer.text().await.unwrap();
    assert!(status.is_success(), "{status} {page}");
    let field = |name: &str| {
        let behind = page.split_once(&format!("name=\"{name}\""))?.1;
        let value = behind.split_once("value=\"")?.1.split_once('"')?.0;
        Some((
            name.to_owned(),
            value.replace("&#x3D;", "=").replace("&amp;", "&"),
        ))
    };
    [field("SAMLResponse"), field("RelayState")]
        .into_iter()
        .flatten()
        .collect()
}

async fn log_in(provider: &SamlProvider) -> Result<Arrival, ProviderError> {
    let request = AuthorizationRequest {
        redirect_uri: ACS.to_owned(),
        state: Secret::new("the-state"),
        nonce: Secret::new("TheNonce0fThisLogIn"),
        code_verifier: Secret::new("verifier"),
        client: None,
    };
    let start = IdentityProvider::begin(provider, &request).await?;
    let params = follow(&start).await;
    assert_eq!(params[1], ("RelayState".to_owned(), "the-state".to_owned()));
    let response = AuthorizationResponse {
        params,
        redirect_uri: request.redirect_uri,
        nonce: request.nonce,
        code_verifier: request.code_verifier,
        carry: None,
        client: None,
        now: now(),
    };
    provider.complete(&response).await
}

#[tokio::test]
async fn people_log_in_by_an_address_and_by_a_form() {
    let samlp = Counterparty::samlp().await;
    // It verifies our requests.
    samlp.tell("sp", &json!({"cert": OWN_KEY.certificate})).await;
    for binding in [SamlBinding::Redirect, SamlBinding::Post] {
        let provider = provider(SamlConfig {
            authn_request_binding: binding,
            ..entry(&samlp)
        });
        samlp.next("alice").await;
        let alice = log_in(&provider).await.unwrap();
        assert_eq!(
            (alice.issuer.as_str(), alice.subject.as_str()),
            ("urn:samlp:test", "alice@example.test")
        );
        assert_eq!(alice.groups, ["staff", "admins"]);
        assert_eq!(alice.profile.display_name.as_deref(), Some("Alice Example"));
        samlp.next("carol").await;
        let carol = log_in(&provider).await.unwrap();
        assert_eq!(carol.profile.display_name.as_deref(), Some("Cårôl 😀 <b>x</b>"));
    }
}

#[tokio::test]
async fn it_may_sign_the_answer_and_encrypt_the_assertion() {
    let samlp = Counterparty::samlp().await;
    let provider = provider(entry(&samlp));
    samlp
        .tell("opts", &json!({"signResponse": true, "signAssertion": false}))
        .await;
    assert_eq!(log_in(&provider).await.unwrap().subject, "alice@example.test");
    samlp
        .tell("opts", &json!({"signResponse": true, "signAssertion": true}))
        .await;
    assert_eq!(log_in(&provider).await.unwrap().subject, "alice@example.test");
    samlp.tell("opts", &json!({})).await;
    samlp
        .tell("sp", &json!({"encryptFor": OWN_KEY.certificate}))
        .await;
    assert_eq!(log_in(&provider).await.unwrap().subject, "alice@example.test");
}

#[tokio::test]
async fn what_it_does_wrong_is_refused() {
    let samlp = Counterparty::samlp().await;
    let provider = provider(entry(&samlp));
    for (options, fault) in [
        (
            json!({"signatureAlgorithm": "rsa-sha1", "digestAlgorithm": "sha1"}),
            ProviderFault::SamlAlgorithm,
        ),
        (
            json!({"signResponse": false, "signAssertion": false}),
            ProviderFault::SamlSignatureMissing,
        ),
        (json!({"issuer": "urn:other"}), ProviderFault::SamlIssuer),
        (
            json!({"recipient": "http://127.0.0.1:9/other"}),
            ProviderFault::SamlRecipient,
        ),
        (
            json!({"destination": "http://127.0.0.1:9/other"}),
            ProviderFault::SamlDestination,
        ),
        (json!({"inResponseTo": "_other"}), ProviderFault::SamlInResponseTo),
        (json!({"lifetimeInSeconds": -120}), ProviderFault::SamlExpired),
    ] {
        samlp.tell("opts", &options).await;
        assert_eq!(fault_of(log_in(&provider).await), fault, "{options}");
    }
}

#[tokio::test]
async fn people_may_come_who_began_there() {
    let samlp = Counterparty::samlp().await;
    let start = AuthorizationStart {
        url: samlp.at(&format!("/sso?to={ACS}&audience={SP}&user=bob")),
        form: None,
        handle: None,
        carry: None,
    };
    let response = UnsolicitedResponse {
        params: follow(&start).await,
        redirect_uri: ACS.to_owned(),
        now: now(),
    };
    let closed = provider(entry(&samlp)).unsolicited(&response).await;
    assert_eq!(fault_of(closed), ProviderFault::Unsolicited);
    let open = provider(SamlConfig {
        allow_unsolicited: true,
        ..entry(&samlp)
    });
    assert_eq!(
        open.unsolicited(&response).await.unwrap().subject,
        "bob@example.test"
    );
}

/// Where the provider sends the browser on to, as the entry's `logoutPath` sees it.
async fn sent_on(url: &str) -> LogoutMessage {
    let answer = browser().get(url).send().await.unwrap();
    let location = answer
        .headers()
        .get("location")
        .map(|to| to.to_str().unwrap().to_owned());
    let Some(location) = location else {
        panic!("{} {}", answer.status(), answer.text().await.unwrap());
    };
    let (place, query) = location.split_once('?').unwrap();
    assert_eq!(place, SLO);
    LogoutMessage {
        params: Vec::new(),
        query: Some(query.to_owned()),
        now: now(),
    }
}

#[tokio::test]
async fn a_log_out_here_ends_the_session_there() {
    let samlp = Counterparty::samlp().await;
    samlp
        .tell("sp", &json!({"logout": SLO, "cert": OWN_KEY.certificate}))
        .await;
    let provider = provider(entry(&samlp));
    let arrival = log_in(&provider).await.unwrap();
    let relay = Secret::new("TheRelay0fThisLogOut");
    let start = SingleLogout::begin(&provider, &arrival.session.unwrap(), &relay, now())
        .await
        .unwrap()
        .unwrap();
    let message = sent_on(&start.url).await;
    let heard = provider.receive(&message).await.unwrap();
    assert_eq!(
        heard,
        LogoutHeard::Answered {
            relay,
            complete: true
        }
    );
}

#[tokio::test]
async fn a_log_out_there_ends_the_session_here() {
    let samlp = Counterparty::samlp().await;
    samlp
        .tell("sp", &json!({"logout": SLO, "cert": OWN_KEY.certificate}))
        .await;
    let provider = provider(entry(&samlp));
    let arrival = log_in(&provider).await.unwrap();
    let message = sent_on(&samlp.at("/logout")).await;
    let LogoutHeard::Requested(request) = provider.receive(&message).await.unwrap() else {
        panic!("no request");
    };
    assert_eq!(
        (&request.issuer, &request.subject),
        (&arrival.issuer, &arrival.subject)
    );
    assert_eq!(request.indexes, [arrival.session.unwrap().index]);
    let start = SingleLogout::answer(&provider, &request, true, now())
        .await
        .unwrap()
        .unwrap();
    let answer = browser().get(&start.url).send().await.unwrap();
    assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());
}
