//! Single logout, both ways.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::identity::ProviderSession;
use domain::ports::ProviderFault::{
    self, SamlAlgorithm, SamlDestination, SamlExpired, SamlInResponseTo, SamlIssuer, SamlMalformed,
    SamlNameId, SamlSignature, SamlSignatureMissing, SamlTime,
};
use domain::ports::{
    AuthorizationStart, IdentityProvider as _, LogoutHeard, LogoutMessage, ProviderError, SingleLogout,
};
use domain::secret::Secret;
use flate2::read::DeflateDecoder;
use identity_saml::{SamlConfig, SamlProvider};
use std::io::Read as _;

use crate::messages::{by_form, by_query, escape, logout_request, logout_response, packed, query_by};
use crate::support::{
    ECDSA_SHA256, IDP, IDP_KEY, NOW, OTHER_KEY, OWN_KEY, SLO, Signing, answer, config, fault_of, provider,
    signed, with,
};

fn ours() -> SamlProvider {
    provider(SamlConfig {
        private_key: Some(Secret::new(&*OWN_KEY.private)),
        ..config()
    })
}

async fn heard(message: LogoutMessage) -> Result<LogoutHeard, ProviderError> {
    ours().receive(&message).await
}

async fn refused(xml: &str) -> ProviderFault {
    fault_of(heard(by_query(&query_by(&IDP_KEY, "SAMLRequest", xml, None))).await)
}

fn sent(start: &AuthorizationStart, parameter: &str) -> (String, Option<String>) {
    let url = url::Url::parse(&start.url).unwrap();
    let find = |name: &str| {
        url.query_pairs()
            .find(|(given, _)| given == name)
            .map(|(_, value)| value.into_owned())
    };
    let bytes = STANDARD.decode(find(parameter).unwrap()).unwrap();
    let mut xml = String::new();
    DeflateDecoder::new(bytes.as_slice())
        .read_to_string(&mut xml)
        .unwrap();
    assert!(find("Signature").is_some());
    (xml, find("RelayState"))
}

#[tokio::test]
async fn the_provider_ends_the_sessions_of_the_one_who_arrived() {
    let arrival = ours().complete(&answer(&signed())).await.unwrap();
    let redirected = by_query(&query_by(&IDP_KEY, "SAMLRequest", &logout_request(), Some("r s")));
    let signing = Signing::default();
    let posted = by_form("SAMLRequest", &signing.sign(&logout_request(), "_logout1"));
    for (message, relay) in [(redirected, "r s"), (posted, "relay")] {
        let LogoutHeard::Requested(request) = heard(message).await.unwrap() else {
            panic!("no request");
        };
        assert_eq!(
            (&request.issuer, &request.subject),
            (&arrival.issuer, &arrival.subject)
        );
        assert_eq!(request.indexes, [arrival.session.as_ref().unwrap().index.clone()]);
        assert_eq!(request.relay_state.as_deref(), Some(relay));
        assert_eq!(request.once.id, "logout _logout1");
        assert_eq!(request.once.until.to_iso8601(), "2026-11-22T12:06:00.000Z");
        let start = ours().answer(&request, true, NOW).await.unwrap().unwrap();
        let (xml, back) = sent(&start, "SAMLResponse");
        assert!(
            xml.contains("InResponseTo=\"_logout1\"") && xml.contains("status:Success"),
            "{xml}"
        );
        assert_eq!(back.as_deref(), Some(relay));
        let start = ours().answer(&request, false, NOW).await.unwrap().unwrap();
        assert!(sent(&start, "SAMLResponse").0.contains("status:PartialLogout"));
    }
}

#[tokio::test]
async fn we_ask_for_the_end_of_a_session_and_hear_of_it() {
    let arrival = ours().complete(&answer(&signed())).await.unwrap();
    let relay = Secret::new("Relay0fThisLogout");
    let start = SingleLogout::begin(&ours(), &arrival.session.unwrap(), &relay, NOW)
        .await
        .unwrap()
        .unwrap();
    assert!(start.url.starts_with("https://idp.example/slo?SAMLRequest="));
    let (xml, back) = sent(&start, "SAMLRequest");
    for part in [
        "ID=\"_Relay0fThisLogout\"",
        "<samlp:SessionIndex>_session1</samlp:SessionIndex>",
        ">ann@example.com</saml:NameID>",
        "NotOnOrAfter=\"2026-11-22T12:05:00.000Z\"",
    ] {
        assert!(xml.contains(part), "{part} is not in {xml}");
    }
    assert_eq!(back.as_deref(), Some(relay.expose()));
    let answered = query_by(
        &IDP_KEY,
        "SAMLResponse",
        &logout_response("_Relay0fThisLogout"),
        back.as_deref(),
    );
    let expected = LogoutHeard::Answered {
        relay,
        complete: true,
    };
    assert_eq!(heard(by_query(&answered)).await.unwrap(), expected);
    let partial = logout_response("_Relay0fThisLogout").replace("status:Success", "status:Responder");
    let answered = query_by(&IDP_KEY, "SAMLResponse", &partial, back.as_deref());
    let heard = heard(by_query(&answered)).await.unwrap();
    assert!(matches!(heard, LogoutHeard::Answered { complete: false, .. }));
}

#[tokio::test]
async fn an_answer_to_another_request_is_none() {
    for (request, relay) in [("_a", Some("b")), ("_a", None), ("", Some("a"))] {
        let query = query_by(&IDP_KEY, "SAMLResponse", &logout_response(request), relay);
        assert_eq!(fault_of(heard(by_query(&query)).await), SamlInResponseTo);
    }
}

#[tokio::test]
async fn what_the_provider_did_not_sign_is_not_believed() {
    let xml = logout_request();
    let good = query_by(&IDP_KEY, "SAMLRequest", &xml, Some("relay"));
    assert!(heard(by_query(&good)).await.is_ok());
    let bare = format!("SAMLRequest={}", packed(&xml));
    assert_eq!(fault_of(heard(by_query(&bare)).await), SamlSignatureMissing);
    assert_eq!(
        fault_of(heard(by_form("SAMLRequest", &xml)).await),
        SamlSignatureMissing
    );
    let other = query_by(&OTHER_KEY, "SAMLRequest", &xml, None);
    assert_eq!(fault_of(heard(by_query(&other)).await), SamlSignature);
    let weak = with(
        &good,
        &escape(ECDSA_SHA256),
        &escape("http://www.w3.org/2000/09/xmldsig#rsa-sha1"),
    );
    assert_eq!(fault_of(heard(by_query(&weak)).await), SamlAlgorithm);
    let hmac = with(
        &good,
        &escape(ECDSA_SHA256),
        &escape("http://www.w3.org/2001/04/xmldsig-more#hmac-sha256"),
    );
    assert_eq!(fault_of(heard(by_query(&hmac)).await), SamlAlgorithm);
    for changed in [
        with(&good, "RelayState=relay", "RelayState=other"),
        with(&good, "&RelayState=relay", ""),
        with(&good, "RelayState=relay", "RelayState=rel%61y"),
        with(&good, "SAMLRequest", "SAMLResponse"),
    ] {
        assert_eq!(
            fault_of(heard(by_query(&changed)).await),
            SamlSignature,
            "{changed}"
        );
    }
    let evil = packed(&with(&xml, "ann@", "admin@"));
    for doubled in [
        format!("{good}&SAMLRequest={evil}"),
        format!("SAMLRequest={evil}&{good}"),
        format!("SAML%52equest={evil}&{good}"),
        format!("{good}&SAMLResponse={evil}"),
    ] {
        assert_eq!(fault_of(heard(by_query(&doubled)).await), SamlMalformed);
    }
}

#[tokio::test]
async fn the_parameters_of_a_query_are_read_from_the_query() {
    let mut mixed = by_query(&query_by(&IDP_KEY, "SAMLRequest", &logout_request(), None));
    let evil = with(&logout_request(), "ann@", "admin@");
    mixed.params = by_form("SAMLRequest", &evil).params;
    let LogoutHeard::Requested(request) = heard(mixed).await.unwrap() else {
        panic!("no request");
    };
    assert_eq!(
        (request.subject.as_str(), request.relay_state),
        ("ann@example.com", None)
    );
}

#[tokio::test]
async fn each_rule_has_its_fault() {
    let xml = logout_request();
    assert_eq!(
        refused(&with(&xml, IDP, "https://other.example")).await,
        SamlIssuer
    );
    assert_eq!(
        refused(&with(&xml, SLO, "https://other.example/slo")).await,
        SamlDestination
    );
    assert_eq!(
        refused(&with(&xml, &format!("Destination=\"{SLO}\""), "")).await,
        SamlDestination
    );
    assert_eq!(
        refused(&with(&xml, "2026-11-22T12:05:00Z", "2026-11-22T11:58:59Z")).await,
        SamlExpired
    );
    assert_eq!(refused(&with(&xml, "T11:59:58Z", "T12:02:00Z")).await, SamlTime);
    assert_eq!(refused(&with(&xml, "T11:59:58Z", "T11:40:00Z")).await, SamlTime);
    assert_eq!(refused(&with(&xml, "ann@example.com", "")).await, SamlNameId);
    assert_eq!(refused(&with(&xml, "ann@", "ann\u{7f}@")).await, SamlNameId);
    assert_eq!(refused(&with(&xml, "_logout1", "1")).await, SamlMalformed);
    assert_eq!(refused(&with(&xml, "_session1", "")).await, SamlMalformed);
    assert_eq!(refused(&with(&xml, "Version=\"2.0\"", "")).await, SamlMalformed);
    assert_eq!(refused(&logout_response("_a")).await, SamlMalformed);
    assert_eq!(refused(&signed()).await, SamlMalformed);
    assert_eq!(
        refused(&Signing::default().sign(&xml, "_logout1")).await,
        SamlMalformed
    );
    // An assertion's signature, shown again as a request's.
    let wrapped = with(
        &xml,
        "</saml:Issuer>",
        &format!("</saml:Issuer>{}", crate::support::signature_in(&signed())),
    );
    assert_eq!(
        fault_of(heard(by_form("SAMLRequest", &wrapped)).await),
        SamlSignature
    );
}

#[tokio::test]
async fn without_a_key_or_a_place_there_is_no_log_out() {
    let session = ProviderSession {
        index: String::new(),
        subject: "[\"ann\",null,null,null]".to_owned(),
    };
    let relay = Secret::new("r");
    let unsigned = SingleLogout::begin(&provider(config()), &session, &relay, NOW).await;
    assert_eq!(unsigned.unwrap().map(|start| start.url), None);
    let nowhere = provider(SamlConfig {
        logout_url: None,
        private_key: Some(Secret::new(&*OWN_KEY.private)),
        ..config()
    });
    assert!(
        SingleLogout::begin(&nowhere, &session, &relay, NOW)
            .await
            .unwrap()
            .is_none()
    );
    let forgotten = ProviderSession {
        subject: "?".to_owned(),
        ..session
    };
    assert!(
        SingleLogout::begin(&ours(), &forgotten, &relay, NOW)
            .await
            .unwrap()
            .is_none()
    );
}
