//! The conformance cases: arriving, with a provider on this machine whose metadata is fetched; leaving, with one in strings.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "helpers of tests fail as tests do"
)]

#[path = "saml/messages.rs"]
mod messages;
#[expect(dead_code, reason = "the other tests use the rest of it")]
#[path = "saml/support.rs"]
mod support;

use std::io::Read as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use conformance::counterpart::{Asked, Behaviour, Counterpart, Front, Params, Said};
use conformance::identity_provider::{Entry, NOW, Protocol, ProviderFixture};
use conformance::single_logout::{Partner, SingleLogoutFixture};
use domain::ports::{AuthorizationStart, IdentityProvider, LogoutMessage};
use domain::secret::Secret;
use domain::time::Lifetime;
use flate2::read::DeflateDecoder;
use identity_saml::{SamlConfig, SamlProvider};
use messages::{by_form, by_query, logout_request, logout_response, query_by};
use outbound_http::{Outbound, OutboundConfig};
use support::{
    ACS, DSIG, IDP_KEY, OTHER_KEY, OWN_KEY, Pair, SP, Signing, answer, config, provider, signed, with,
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use url::Url;

/// How long our side waits.
const PATIENCE: Duration = Duration::from_millis(1500);
const TOO_LATE: Duration = Duration::from_secs(2);
const PERSISTENT: &str = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent";
const PROTOCOL: &str = "urn:oasis:names:tc:SAML:2.0:protocol";
const ASSERTION: &str = "urn:oasis:names:tc:SAML:2.0:assertion";
const STATUS: &str = "urn:oasis:names:tc:SAML:2.0:status";

/// A provider of SAML 2.0, with a key of its own.
struct Desk {
    front: Front,
    base: String,
    key: Pair,
}

/// What a browser was sent off with.
struct Sent {
    xml: String,
    state: String,
}

impl Sent {
    fn read(url: &str) -> Self {
        let url = Url::parse(url).unwrap();
        let find = |name: &str| url.query_pairs().find(|(given, _)| given == name).unwrap().1;
        let packed = STANDARD.decode(find("SAMLRequest").as_bytes()).unwrap();
        let mut xml = String::new();
        DeflateDecoder::new(packed.as_slice())
            .read_to_string(&mut xml)
            .unwrap();
        Self {
            xml,
            state: find("RelayState").into_owned(),
        }
    }

    fn attribute(&self, name: &str) -> &str {
        let (_, rest) = self.xml.split_once(&format!(" {name}=\"")).unwrap();
        rest.split_once('"').unwrap().0
    }
}

impl Desk {
    fn entity_id(&self) -> String {
        format!("{}/saml", self.base)
    }

    fn metadata(&self) -> String {
        let lines = self.key.certificate.lines();
        let certificate: String = lines.filter(|line| !line.starts_with('-')).collect();
        format!(
            r#"<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="{}"><md:IDPSSODescriptor protocolSupportEnumeration="{PROTOCOL}"><md:KeyDescriptor use="signing"><ds:KeyInfo xmlns:ds="{DSIG}"><ds:X509Data><ds:X509Certificate>{certificate}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor><md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="{}/sso"/></md:IDPSSODescriptor></md:EntityDescriptor>"#,
            self.entity_id(),
            self.base
        )
    }

    fn assertion(&self, sent: &Sent, person: &str) -> String {
        let (now, end) = (NOW.to_iso8601(), NOW.plus(Lifetime::from_secs(300)).to_iso8601());
        let (issuer, session) = (self.entity_id(), self.front.mint("session"));
        let (request, recipient) = (
            sent.attribute("ID"),
            sent.attribute("AssertionConsumerServiceURL"),
        );
        let id = format!("_{}", self.front.mint("assertion"));
        let name = if self.front.behaviour() == Behaviour::Anonymous {
            String::new()
        } else {
            format!(r#"<saml:NameID Format="{PERSISTENT}">{person}</saml:NameID>"#)
        };
        let plain = format!(
            r#"<saml:Assertion xmlns:saml="{ASSERTION}" ID="{id}" Version="2.0" IssueInstant="{now}"><saml:Issuer>{issuer}</saml:Issuer><saml:Subject>{name}<saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer"><saml:SubjectConfirmationData NotOnOrAfter="{end}" Recipient="{recipient}" InResponseTo="{request}"/></saml:SubjectConfirmation></saml:Subject><saml:Conditions NotBefore="{now}" NotOnOrAfter="{end}"><saml:AudienceRestriction><saml:Audience>{SP}</saml:Audience></saml:AudienceRestriction></saml:Conditions><saml:AuthnStatement AuthnInstant="{now}" SessionIndex="{session}"><saml:AuthnContext><saml:AuthnContextClassRef>urn:oasis:names:tc:SAML:2.0:ac:classes:Password</saml:AuthnContextClassRef></saml:AuthnContext></saml:AuthnStatement><saml:AttributeStatement><saml:Attribute Name="mail"><saml:AttributeValue>{person}@example.com</saml:AttributeValue></saml:Attribute></saml:AttributeStatement></saml:Assertion>"#
        );
        let signing = Signing {
            key: &self.key,
            ..Signing::default()
        };
        signing.sign(&plain, &id)
    }

    /// What the browser brings back.
    fn response(&self, sent: &Sent, status: &str, inner: &str) -> Params {
        let (now, issuer) = (NOW.to_iso8601(), self.entity_id());
        let (request, recipient) = (
            sent.attribute("ID"),
            sent.attribute("AssertionConsumerServiceURL"),
        );
        let id = format!("_{}", self.front.mint("response"));
        let xml = format!(
            r#"<samlp:Response xmlns:samlp="{PROTOCOL}" xmlns:saml="{ASSERTION}" ID="{id}" Version="2.0" IssueInstant="{now}" Destination="{recipient}" InResponseTo="{request}"><saml:Issuer>{issuer}</saml:Issuer><samlp:Status>{status}</samlp:Status>{inner}</samlp:Response>"#
        );
        vec![
            ("SAMLResponse".to_owned(), STANDARD.encode(xml)),
            ("RelayState".to_owned(), sent.state.clone()),
        ]
    }

    /// Answers whoever asks for the metadata.
    async fn serve(&self, mut stream: TcpStream) {
        let (mut heard, mut chunk) = (String::new(), [0_u8; 4096]);
        while !heard.contains("\r\n\r\n") {
            match stream.read(&mut chunk).await {
                Ok(0) | Err(_) => return,
                Ok(count) => heard.push_str(&String::from_utf8_lossy(&chunk[..count])),
            }
        }
        let said = self.front.hear(&heard, &Params::new());
        let (status, body) = match said.unwrap_or_else(|| Said::Answer(200, self.metadata())) {
            Said::Answer(status, body) => (status, body),
            Said::Nothing => return,
            Said::Late => return tokio::time::sleep(TOO_LATE).await,
        };
        let length = body.len();
        let whole = format!(
            "HTTP/1.1 {status} Whatever\r\nContent-Type: application/samlmetadata+xml\r\nContent-Length: {length}\r\n\
             Connection: close\r\n\r\n{body}"
        );
        let _ = stream.write_all(whole.as_bytes()).await;
        let _ = stream.shutdown().await;
    }
}

impl Counterpart for Desk {
    fn asked(&self, start: &AuthorizationStart) -> Asked {
        let sent = Sent::read(&start.url);
        Asked {
            redirect_uri: sent.attribute("AssertionConsumerServiceURL").to_owned(),
            nonce: sent.attribute("ID").strip_prefix('_').map(str::to_owned),
            state: Some(sent.state),
            ..Asked::default()
        }
    }

    fn agree(&self, url: &str, person: &str) -> Params {
        let sent = Sent::read(url);
        let status = format!(r#"<samlp:StatusCode Value="{STATUS}:Success"/>"#);
        self.response(&sent, &status, &self.assertion(&sent, person))
    }

    fn refuse(&self, url: &str) -> Params {
        let status = format!(
            r#"<samlp:StatusCode Value="{STATUS}:Responder"><samlp:StatusCode Value="{STATUS}:RequestDenied"/></samlp:StatusCode>"#
        );
        self.response(&Sent::read(url), &status, "")
    }

    fn revoke(&self) {
        // There are no grants to take back.
    }

    fn front(&self) -> &Front {
        &self.front
    }
}

fn entry(base: &str) -> SamlProvider {
    let limits = OutboundConfig {
        connect_timeout: PATIENCE,
        total_timeout: PATIENCE,
        ..OutboundConfig::default()
    };
    let config = SamlConfig {
        metadata_url: Some(format!("{base}/metadata")),
        identifier_format: Some(PERSISTENT.to_owned()),
        ..SamlConfig::new(SP, ACS)
    };
    SamlProvider::new(config, Outbound::new(limits).unwrap()).unwrap()
}

async fn playing() -> Entry {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let desk = Arc::new(Desk {
        front: Front::default(),
        base: format!("http://{}", listener.local_addr().unwrap()),
        key: support::ec(),
    });
    let asked = Arc::clone(&desk);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let desk = Arc::clone(&asked);
            tokio::spawn(async move { desk.serve(stream).await });
        }
    });
    Entry {
        port: Arc::new(entry(&desk.base)),
        provider: desk,
    }
}

async fn arriving() -> ProviderFixture {
    ProviderFixture {
        protocol: Protocol::Saml,
        here: playing().await,
        there: playing().await,
        nowhere: Arc::new(entry("http://127.0.0.1:1")),
    }
}

conformance::identity_provider!(arriving);

/// The provider of the log-outs, which makes a new message each time.
struct Leaving(AtomicUsize);

impl Leaving {
    fn request(&self) -> String {
        let number = self.0.fetch_add(1, Ordering::Relaxed);
        with(&logout_request(), "_logout1", &format!("_logout{number}"))
    }
}

#[async_trait]
impl Partner for Leaving {
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

async fn leaving() -> SingleLogoutFixture {
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
        partner: Arc::new(Leaving(AtomicUsize::new(0))),
        account: (arrival.issuer, arrival.subject),
        session: arrival.session.unwrap(),
        now: support::NOW,
    }
}

conformance::single_logout!(leaving);
