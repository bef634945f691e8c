//! The provider's metadata: from a text, and from an address.

use std::sync::Arc;
use std::sync::Mutex;

use domain::ports::ProviderFault::{MetadataInvalid, SamlSignature};
use domain::ports::{IdentityProvider as _, ProviderError};
use domain::time::Lifetime;
use identity_saml::SamlConfig;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::requests::request;
use crate::support::{
    ACS, IDP, IDP_KEY, NOW, OTHER_KEY, Pair, SP, Signing, answer, assertion, complete_by, fault_of, provider,
    response, signed, try_provider,
};

fn certificate(pair: &Pair) -> String {
    pair.certificate
        .lines()
        .filter(|line| !line.starts_with('-'))
        .collect()
}

/// Metadata of a provider with these keys.
fn described(keys: &[&Pair]) -> String {
    let keys: Vec<String> = keys
        .iter()
        .map(|pair| {
            let certificate = certificate(pair);
            format!(
                "<md:KeyDescriptor use=\"signing\"><ds:KeyInfo xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\"><ds:X509Data>\
                 <ds:X509Certificate>{certificate}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>"
            )
        })
        .collect();
    let keys = keys.concat();
    format!(
        "<md:EntityDescriptor xmlns:md=\"urn:oasis:names:tc:SAML:2.0:metadata\" xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\" \
         ID=\"_md1\" entityID=\"{IDP}\"><!--sig--><md:IDPSSODescriptor protocolSupportEnumeration=\"urn:oasis:names:tc:SAML:2.0:protocol\">\
         {keys}<md:SingleSignOnService Binding=\"urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST\" Location=\"https://idp.example/post\"/>\
         <md:SingleSignOnService Binding=\"urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect\" Location=\"https://idp.example/redirect\"/>\
         </md:IDPSSODescriptor></md:EntityDescriptor>"
    )
}

fn entry(metadata: &str) -> SamlConfig {
    SamlConfig {
        metadata: Some(metadata.to_owned()),
        ..SamlConfig::new(SP, ACS)
    }
}

fn said(config: SamlConfig) -> String {
    try_provider(config).unwrap_err().to_string()
}

#[tokio::test]
async fn metadata_says_where_people_go_and_whom_to_believe() {
    let config = entry(&described(&[&OTHER_KEY, &IDP_KEY]));
    let start = provider(config.clone()).begin(&request()).await.unwrap();
    assert!(start.url.starts_with("https://idp.example/redirect?SAMLRequest="));
    assert!(complete_by(config, &signed()).await.is_ok());
    let other = entry(&described(&[&OTHER_KEY]));
    assert_eq!(fault_of(complete_by(other, &signed()).await), SamlSignature);
}

#[test]
fn metadata_that_will_not_do_is_refused_with_a_sentence() {
    let good = described(&[&IDP_KEY]);
    for (from, to, sentence) in [
        ("entityID", "other", "it has no entityID"),
        (
            "use=\"signing\"",
            "use=\"encryption\"",
            "no certificate for signing",
        ),
        (
            "SAML:2.0:protocol",
            "SAML:1.1:protocol",
            "not exactly one identity provider",
        ),
        ("SingleSignOnService", "Other", "no SingleSignOnService"),
        (
            "https://idp.example/",
            "http://idp.example/",
            "no SingleSignOnService",
        ),
        (
            "md:EntityDescriptor",
            "md:EntitiesDescriptor",
            "of several, idpIssuer says which",
        ),
        (
            "<md:IDPSSODescriptor",
            "<!DOCTYPE x><md:IDPSSODescriptor",
            "there is a DTD in it",
        ),
        ("ID=\"_md1\"", "validUntil=\"soon\"", "validUntil cannot be read"),
        ("</md:EntityDescriptor>", "", "no well-formed XML"),
    ] {
        let said = said(entry(&good.replace(from, to)));
        assert!(said.contains(sentence), "{said}");
    }
    let other = SamlConfig {
        idp_issuer: Some("https://other.example".to_owned()),
        ..entry(&good)
    };
    assert!(said(other).contains("of another provider"));
}

#[tokio::test]
async fn of_several_providers_the_named_one_counts() {
    let good = described(&[&IDP_KEY]);
    let other = described(&[&OTHER_KEY])
        .replace(IDP, "https://other.example")
        .replace("_md1", "_md2");
    let both = format!(
        "<md:EntitiesDescriptor xmlns:md=\"urn:oasis:names:tc:SAML:2.0:metadata\">{other}<md:EntitiesDescriptor>{good}\
         </md:EntitiesDescriptor></md:EntitiesDescriptor>"
    );
    let named = SamlConfig {
        idp_issuer: Some(IDP.to_owned()),
        ..entry(&both)
    };
    assert!(complete_by(named, &signed()).await.is_ok());
    let nobody = SamlConfig {
        idp_issuer: Some("https://nobody.example".to_owned()),
        ..entry(&both)
    };
    assert!(said(nobody).contains("is not in it"));
}

#[tokio::test]
async fn signed_metadata_is_verified_by_the_operators_certificate() {
    let sign = |pair: &Pair| {
        let signing = Signing {
            key: pair,
            ..Signing::default()
        };
        let template = signing.template("#_md1");
        signing.fill(&described(&[&IDP_KEY]).replace("<!--sig-->", &template))
    };
    let by = |metadata: &str| SamlConfig {
        metadata_certificates: vec![OTHER_KEY.certificate.clone()],
        ..entry(metadata)
    };
    assert!(complete_by(by(&sign(&OTHER_KEY)), &signed()).await.is_ok());
    for metadata in [
        sign(&IDP_KEY),
        described(&[&IDP_KEY]),
        sign(&OTHER_KEY).replace("https://idp.example/post", "https://evil.example/post"),
    ] {
        assert!(said(by(&metadata)).contains("it is not signed by metadataCert"));
    }
}

#[tokio::test]
async fn a_provider_that_wants_signed_requests_gets_them_or_none() {
    let wishful = described(&[&IDP_KEY]).replace(
        "<md:IDPSSODescriptor ",
        "<md:IDPSSODescriptor WantAuthnRequestsSigned=\"true\" ",
    );
    let refused = provider(entry(&wishful)).begin(&request()).await;
    assert_eq!(fault_of(refused), MetadataInvalid);
}

/// Serves what is set, or 500, and counts.
struct Server {
    text: Mutex<Option<String>>,
    asked: Mutex<usize>,
}

async fn serve() -> (Arc<Server>, SamlConfig) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/metadata", listener.local_addr().unwrap());
    let server = Arc::new(Server {
        text: Mutex::new(None),
        asked: Mutex::new(0),
    });
    let shared = Arc::clone(&server);
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut head = [0; 2048];
            let _ = stream.read(&mut head).await;
            *shared.asked.lock().unwrap() += 1;
            let text = shared.text.lock().unwrap().clone();
            let status = if text.is_some() { "200 OK" } else { "500 No" };
            let body = text.unwrap_or_default();
            let answer = format!(
                "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
                body.len()
            );
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    let config = SamlConfig {
        metadata_url: Some(url),
        ..SamlConfig::new(SP, ACS)
    };
    (server, config)
}

impl Server {
    fn says(&self, text: Option<String>) {
        *self.text.lock().unwrap() = text;
    }

    fn asked(&self) -> usize {
        *self.asked.lock().unwrap()
    }
}

#[tokio::test]
async fn fetched_metadata_is_kept_while_there_is_none_better() {
    let (server, config) = serve().await;
    let provider = provider(config);
    let unavailable = provider.complete(&answer(&signed())).await;
    assert!(matches!(unavailable, Err(ProviderError::Unavailable(_))));
    server.says(Some("<a/>".to_owned()));
    assert_eq!(
        fault_of(provider.complete(&answer(&signed())).await),
        MetadataInvalid
    );
    // Nothing to go by is asked for each time, something good for an hour.
    server.says(Some(described(&[&IDP_KEY])));
    assert!(provider.complete(&answer(&signed())).await.is_ok());
    let asked = server.asked();
    server.says(None);
    assert!(provider.complete(&answer(&signed())).await.is_ok());
    assert_eq!(server.asked(), asked);
}

#[tokio::test]
async fn an_unknown_key_has_the_metadata_asked_for_again_but_not_at_once() {
    let (server, config) = serve().await;
    let provider = provider(config);
    server.says(Some(described(&[&IDP_KEY])));
    assert!(provider.complete(&answer(&signed())).await.is_ok());
    let other = Signing {
        key: &OTHER_KEY,
        ..Signing::default()
    };
    let by_other = response(&other.sign(&assertion(), "_assertion1"));
    // Asked a moment ago: whoever forges answers has nobody ask again and again.
    server.says(Some(described(&[&IDP_KEY, &OTHER_KEY])));
    for _ in 0..3 {
        assert_eq!(
            fault_of(provider.complete(&answer(&by_other)).await),
            SamlSignature
        );
    }
    assert_eq!(server.asked(), 1);
}

#[tokio::test]
async fn metadata_that_is_over_is_not_believed() {
    let (server, config) = serve().await;
    let provider = provider(config);
    let until = NOW.plus(Lifetime::from_secs(60)).to_iso8601();
    let brief = described(&[&IDP_KEY]).replace(" ID=", &format!(" validUntil=\"{until}\" ID="));
    server.says(Some(brief));
    assert!(provider.complete(&answer(&signed())).await.is_ok());
    let mut later = answer(&signed());
    later.now = NOW.plus(Lifetime::from_secs(61));
    assert_eq!(fault_of(provider.complete(&later).await), MetadataInvalid);
}
