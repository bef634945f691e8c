//! Single logout of SAML: leaving here leaves the provider too, and leaving there ends what stands on it here.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use e2e::{Browser, Counterparty, Page, Portcullis};
use futures_util::future::join_all;
use serde_json::json;

use super::saml::{OWN_NAME, OwnKey, saml};
use super::told_the_operator;
use crate::providers::entries::{self, arrive, file, json_entry, link, linking, with};

/// A provider that tells of log-outs, and a server that may be told.
struct Place {
    party: Counterparty,
    server: Portcullis,
    key: OwnKey,
}

impl Place {
    async fn new() -> Self {
        let (party, key) = (Counterparty::samlp().await, OwnKey::new());
        let signing = json!({ "privateCert": key.private, "signingCert": key.certificate });
        let entry = with(saml(&party), &signing);
        let server = entries::server(file([
            ("saml", json_entry(entry.clone())),
            ("page", entry.clone()),
            ("link", linking(entry)),
        ]))
        .await;
        Self { party, server, key }
    }

    /// From now on people come by this entry, and it is told where they leave.
    async fn tells(&self, entry: &str) {
        let place = self.server.at(&format!("/auth/{entry}/logout"));
        let told = json!({ "logout": place, "cert": self.key.certificate });
        self.party.tell("sp", &told).await;
    }

    /// Somebody at their account page, who came by the provider.
    async fn somebody(&self) -> (Browser, Page) {
        let mut browser = self.server.browser();
        let page = browser.open(&self.server.at("/auth/page")).await.expect(200);
        assert!(browser.is_logged_in());
        (browser, page)
    }

    /// Up to where the provider sends whoever leaves there.
    async fn wish(&self, party: &Counterparty) -> String {
        let ours = self.server.at("/auth/");
        let mut browser = self.server.browser();
        let there = party.at("/logout");
        browser.follow_until(&there, |url| url.starts_with(&ours)).await
    }

    /// A message at the place of an entry, refused with this code: to the browser and in the log.
    async fn refuses(&self, entry: &str, address: &str, code: &str) {
        let browser = self.server.browser().as_program();
        browser.peek(address).await.refused(401, code);
        told_the_operator(&self.server, entry, code).await;
    }

    async fn is_alive(&self, token: &str) -> bool {
        let client = self.server.client().with(token);
        let status = client.get("/auth/check").await.status;
        assert!(matches!(status, 200 | 401), "{status}");
        status == 200
    }

    /// The same of a browser's session, whatever the browser has forgotten since.
    async fn cookie_is_alive(&self, cookie: &str) -> bool {
        let client = self.server.client();
        let request = client.request("GET", "/auth/check");
        let asked = request.header("Cookie", format!("portcullis={cookie}"));
        client.send(asked).await.status == 200
    }
}

/// The same address without one of its parameters, or with another value of it.
fn changed(address: &str, name: &str, value: Option<&str>) -> String {
    let (place, query) = address.split_once('?').unwrap();
    let start = format!("{name}=");
    let parts = query.split('&').filter_map(|part| match value {
        _ if !part.starts_with(&start) => Some(part.to_owned()),
        Some(value) => Some(format!("{start}{value}")),
        None => None,
    });
    format!("{place}?{}", parts.collect::<Vec<_>>().join("&"))
}

/// What cannot be done to a message that the provider signed; `name` is its parameter.
fn forgeries(address: &str, name: &str) -> Vec<(String, &'static str)> {
    let unsigned = changed(address, "Signature", None);
    let sha1 = "http%3A%2F%2Fwww.w3.org%2F2000%2F09%2Fxmldsig%23rsa-sha1";
    let other_order = {
        let (place, query) = address.split_once('?').unwrap();
        let mut parts: Vec<&str> = query.split('&').collect();
        parts.swap(0, 1);
        format!("{place}?{}", parts.join("&"))
    };
    vec![
        (changed(&unsigned, "SigAlg", None), "SAML_SIGNATURE_MISSING"),
        (unsigned, "SAML_SIGNATURE_MISSING"),
        (changed(address, "Signature", Some("AAAA")), "SAML_SIGNATURE"),
        (changed(address, "RelayState", Some("other")), "SAML_SIGNATURE"),
        (changed(address, "SigAlg", Some(sha1)), "SAML_ALGORITHM"),
        (changed(address, name, Some("AAAA")), "SAML_SIGNATURE"),
        (format!("{address}&{name}=AAAA"), "SAML_MALFORMED"),
        // In another order it is the same message, and nothing changes by that.
        (changed(&other_order, "Signature", Some("AAAA")), "SAML_SIGNATURE"),
    ]
}

#[tokio::test]
async fn leaving_here_leaves_the_provider_too_and_ends_at_our_page() {
    let place = Place::new().await;
    let (party, server) = (&place.party, &place.server);
    let ann = server.client().sign_up("ann").await;
    let mut linker = entries::log_in_by_page(server, &ann).await;
    link(server, &mut linker, "link").await.expect(200).done();
    place.tells("page").await;
    let (mut browser, account) = place.somebody().await;
    let (elsewhere, _) = place.somebody().await;
    let held = browser.cookie("portcullis").unwrap();
    let other = elsewhere.cookie("portcullis").unwrap();
    assert!(place.cookie_is_alive(&held).await && place.cookie_is_alive(&other).await);
    let page = browser.submit(&account, "/logout", &[]).await.expect(200);
    let page = browser.follow(&page.leads_on_to()).await.expect(200);
    assert_eq!(page.url, server.at("/login?bye=1"));
    let (there, back) = (party.at("/logout?SAMLRequest="), server.at("/auth/page/logout?"));
    for start in [there, format!("{back}SAMLResponse=")] {
        assert!(
            page.trail.iter().any(|url| url.starts_with(&start)),
            "{start}: {:?}",
            page.trail
        );
    }
    assert!(!browser.is_logged_in() && !place.cookie_is_alive(&held).await);
    // All of her that stood on the provider, and nothing that did not.
    assert!(!place.cookie_is_alive(&other).await);
    assert_eq!(linker.peek(&server.at("/auth/check")).await.status, 200);
    // Who did not come from there does not go there.
    let asked = party.asked("GET /logout").await;
    let account = linker.open(&server.at("/account")).await.expect(200);
    let page = linker.submit(&account, "/logout", &[]).await.expect(200);
    assert_eq!(page.url, server.at("/login?bye=1"));
    assert_eq!(party.asked("GET /logout").await, asked);
}

#[tokio::test]
async fn a_provider_that_answers_wrongly_is_not_believed_and_holds_nobody_in() {
    let place = Place::new().await;
    place.tells("page").await;
    let (mut browser, account) = place.somebody().await;
    let held = browser.cookie("portcullis").unwrap();
    let page = browser.submit(&account, "/logout", &[]).await.expect(200);
    let ours = place.server.at("/auth/page/logout");
    let there = page.leads_on_to();
    let answer = browser.follow_until(&there, |url| url.starts_with(&ours)).await;
    assert!(
        !place.cookie_is_alive(&held).await,
        "that did not wait for the answer"
    );
    for (forged, code) in forgeries(&answer, "SAMLResponse") {
        place.refuses("page", &forged, code).await;
    }
    let misled = answer.replace("/auth/page/", "/auth/saml/");
    place.refuses("saml", &misled, "SAML_DESTINATION").await;
    let unsigned = STANDARD.encode(
        "<samlp:LogoutResponse xmlns:samlp=\"urn:oasis:names:tc:SAML:2.0:protocol\" ID=\"_1\" Version=\"2.0\"/>",
    );
    let client = place.server.client();
    client
        .post_form("/auth/page/logout", &[("SAMLResponse", &unsigned)])
        .await
        .refused(401, "SAML_SIGNATURE_MISSING");
    let page = browser.follow(&answer).await.expect(200);
    assert_eq!(page.url, place.server.at("/login?bye=1"));
}

#[tokio::test]
async fn a_provider_that_is_gone_holds_nobody_in() {
    let place = Place::new().await;
    place.tells("page").await;
    let (mut browser, account) = place.somebody().await;
    let held = browser.cookie("portcullis").unwrap();
    let there = place.party.at("/logout");
    drop(place.party);
    let page = browser.submit(&account, "/logout", &[]).await.expect(200);
    // Whether it is still there nobody asked, and nobody waited for it.
    assert!(page.leads_on_to().starts_with(&there));
    let is_out = place.server.client().request("GET", "/auth/check");
    let asked = is_out.header("Cookie", format!("portcullis={held}"));
    assert_eq!(place.server.client().send(asked).await.status, 401);
    assert!(!browser.is_logged_in());
}

#[tokio::test]
async fn leaving_there_ends_the_sessions_it_names_and_no_others() {
    let place = Place::new().await;
    let (party, server) = (&place.party, &place.server);
    let ann = server.client().sign_up("ann").await;
    let mut linker = entries::log_in_by_page(server, &ann).await;
    link(server, &mut linker, "link").await.expect(200).done();
    place.tells("saml").await;
    let (first, second) = (arrive(server, "saml").await, arrive(server, "saml").await);
    assert_eq!((&first.user, &second.user), (&ann.id, &ann.id));
    party.next("bob").await;
    let bob = arrive(server, "saml").await;
    let own = server.client().log_in(&ann).await;

    let wish = place.wish(party).await;
    let browser = server.browser().as_program();
    let told = browser.peek(&wish).await;
    let answer = told.header("location").to_owned();
    assert!(
        answer.starts_with(&party.at("/logout?SAMLResponse=")),
        "{}",
        told.text
    );
    assert!(!place.is_alive(&first.token).await);
    for token in [&second.token, &bob.token, &own] {
        assert!(place.is_alive(token).await);
    }
    assert_eq!(linker.peek(&server.at("/auth/check")).await.status, 200);
    // The provider takes our answer, and goes on to the others, of whom it knows.
    let mut browser = server.browser();
    let page = browser.open(&answer).await.expect(200);
    assert!(page.url.starts_with(&party.at("/logout")), "{}", page.url);
    let ours = server.at("/auth/saml/logout?SAMLRequest=");
    let wishes = page.trail.iter().filter(|url| url.starts_with(&ours));
    assert_eq!(wishes.count(), 2);
    assert!(!place.is_alive(&second.token).await && !place.is_alive(&bob.token).await);
    assert!(place.is_alive(&own).await);
    assert_eq!(linker.peek(&server.at("/auth/check")).await.status, 200);
}

#[tokio::test]
async fn a_wish_that_the_provider_did_not_sign_ends_nothing() {
    let place = Place::new().await;
    let (party, server) = (&place.party, &place.server);
    place.tells("saml").await;
    let alice = arrive(server, "saml").await;
    let wish = place.wish(party).await;
    for (forged, code) in forgeries(&wish, "SAMLRequest") {
        place.refuses("saml", &forged, code).await;
    }
    let misled = wish.replace("/auth/saml/", "/auth/page/");
    place.refuses("page", &misled, "SAML_DESTINATION").await;
    // Somebody of the provider's name, with another key.
    let impostor = Counterparty::samlp().await;
    let callback = server.at("/auth/saml/callback");
    impostor
        .tell("sp", &json!({ "logout": server.at("/auth/saml/logout") }))
        .await;
    let there = impostor.at(&format!("/sso?to={callback}&audience={OWN_NAME}"));
    server.browser().form_until(&there, |url| url == callback).await;
    let theirs = place.wish(&impostor).await;
    place.refuses("saml", &theirs, "SAML_SIGNATURE").await;
    // By a form, where the signature would stand in the message.
    let unsigned = format!(
        "<samlp:LogoutRequest xmlns:samlp=\"urn:oasis:names:tc:SAML:2.0:protocol\" \
         xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\" ID=\"_1\" Version=\"2.0\" Destination=\"{}\">\
         <saml:Issuer>urn:samlp:test</saml:Issuer><saml:NameID>alice@example.test</saml:NameID></samlp:LogoutRequest>",
        server.at("/auth/saml/logout")
    );
    let bomb = format!("<!DOCTYPE r [<!ENTITY e \"e\">]>{unsigned}");
    for (xml, code) in [
        (&*unsigned, "SAML_SIGNATURE_MISSING"),
        (&bomb, "SAML_MALFORMED"),
        ("", "SAML_MALFORMED"),
    ] {
        let client = server.client();
        client
            .post_form("/auth/saml/logout", &[("SAMLRequest", &STANDARD.encode(xml))])
            .await
            .refused(401, code);
    }
    assert!(place.is_alive(&alice.token).await);
    // Where somebody came by another way, there is nothing to be told.
    server
        .client()
        .get("/auth/saml/logout")
        .await
        .refused(401, "SAML_MALFORMED");
}

#[tokio::test]
async fn a_wish_to_leave_counts_once_whatever_is_kept_of_it() {
    let place = Place::new().await;
    let (party, server) = (&place.party, &place.server);
    place.tells("saml").await;
    let alice = arrive(server, "saml").await;
    let wish = place.wish(party).await;
    let browsers: Vec<Browser> = (0..6).map(|_| server.browser().as_program()).collect();
    let replies = join_all(browsers.iter().map(|browser| browser.peek(&wish))).await;
    let heard = replies.iter().filter(|reply| reply.status == 302).count();
    assert_eq!(heard, 1);
    for reply in replies.iter().filter(|reply| reply.status != 302) {
        reply.refused(401, "ANSWER_REPLAYED");
    }
    assert!(!place.is_alive(&alice.token).await);
    told_the_operator(server, "saml", "ANSWER_REPLAYED").await;
    // Whoever comes again is not sent out by the old one, however it was kept.
    let anew = arrive(server, "saml").await;
    place.refuses("saml", &wish, "ANSWER_REPLAYED").await;
    assert!(place.is_alive(&anew.token).await);
    let place = Place {
        server: place.server.kill_and_restart().await,
        ..place
    };
    place.refuses("saml", &wish, "ANSWER_REPLAYED").await;
    assert!(place.is_alive(&anew.token).await);
}
