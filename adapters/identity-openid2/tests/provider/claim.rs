//! Whether a provider may speak for a claimed identifier: looked up anew, each time, and only once it said that the answer is its own.

use domain::ports::{Arrival, IdentityProvider as _, ProviderError};
use domain::time::Timestamp;
use identity_openid2::OpenId2Config;

use crate::support::{
    CALLBACK, Heard, NS, Params, Site, code_of, document, entry, form, onward, page, param, provider, reply,
    response, xrds,
};

/// 2027-01-15T08:00:00Z.
const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

/// A provider that says yes to everything, and identifiers of every kind beside it.
fn site(heard: &Heard) -> String {
    let base = heard.base();
    let server = format!("{base}/server");
    match heard.path() {
        "/" | "/no-signon" => document(&xrds("server", &server, None)),
        "/server" => page(&format!("ns:{NS}\nis_valid:true\n")),
        "/id/ann" => document(&xrds("signon", &server, None)),
        "/delegated" => document(&xrds("signon", &server, Some(&format!("{base}/id/ann")))),
        "/linked" => page(&format!(
            "<link rel=openid2.provider href={server}><link rel=openid2.local_id href={base}/id/ann>"
        )),
        "/of-another" => document(&xrds("signon", "https://other.example/server", None)),
        "/old" => document(&xrds("signon/1.1", &server, None)),
        "/away" => onward("/id/ann"),
        "/in-the-body" => page(&format!("<body><link rel=openid2.provider href={server}>")),
        "/trouble" => reply(503, "", ""),
        _ => reply(404, "", ""),
    }
}

/// An assertion whose signature is whatever the provider says it is.
fn assertion(site: &Site, claimed: &str, identity: &str) -> Params {
    let own = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    vec![
        own("state", "the-state"),
        own("nonce", "the-nonce"),
        own("openid.ns", NS),
        own("openid.mode", "id_res"),
        own("openid.op_endpoint", &format!("{}/server", site.base)),
        own(
            "openid.return_to",
            &format!("{CALLBACK}?state=the-state&nonce=the-nonce"),
        ),
        own("openid.response_nonce", "2027-01-15T08:00:00Zx"),
        own("openid.assoc_handle", "handle"),
        own("openid.invalidate_handle", "another-handle"),
        own("openid.claimed_id", claimed),
        own("openid.identity", identity),
        own(
            "openid.signed",
            "op_endpoint,return_to,response_nonce,assoc_handle,claimed_id,identity",
        ),
        own("openid.sig", "signature"),
    ]
}

async fn arrive(site: &Site, claimed: &str, identity: &str) -> Result<Arrival, ProviderError> {
    let params = assertion(site, claimed, identity);
    entry(site, "/").complete(&response(params, NOW)).await
}

#[tokio::test]
async fn who_names_the_provider_arrives() {
    let site = Site::start(site).await;
    let at = |path: &str| format!("{}{path}", site.base);
    for (claimed, identity) in [
        ("/id/ann", "/id/ann"),
        ("/id/ann#2", "/id/ann"),
        ("/delegated", "/id/ann"),
        ("/linked", "/id/ann"),
    ] {
        let arrival = arrive(&site, &at(claimed), &at(identity)).await.unwrap();
        assert_eq!(
            arrival.subject,
            at(claimed),
            "with the fragment, which tells successive owners apart"
        );
        assert_eq!(arrival.issuer, at("/"));
        let once = arrival.once.unwrap();
        assert_eq!(once.id, format!("{} 2027-01-15T08:00:00Zx", at("/server")));
        assert_eq!(once.until, Timestamp::from_millis(NOW.as_millis() + 300_000));
        assert!(arrival.tokens.is_none() && arrival.session.is_none() && arrival.groups.is_empty());
    }
    let asked = site
        .heard()
        .into_iter()
        .find(|heard| heard.path() == "/server")
        .unwrap();
    assert_eq!(asked.method, "POST");
    let asked = form(&asked.body);
    assert_eq!(param(&asked, "openid.mode"), Some("check_authentication"));
    assert_eq!(param(&asked, "openid.sig"), Some("signature"));
    assert_eq!(param(&asked, "state"), None);
}

#[tokio::test]
async fn nobody_is_spoken_for_by_a_provider_they_do_not_name() {
    let site = Site::start(site).await;
    let at = |path: &str| format!("{}{path}", site.base);
    for (claimed, identity, expected) in [
        ("/of-another", "/of-another", "OPENID_CLAIM"),
        ("/delegated", "/delegated", "OPENID_CLAIM"),
        ("/id/ann", "/id/bob", "OPENID_CLAIM"),
        ("/no-signon", "/no-signon", "OPENID_CLAIM"),
        ("/old", "/old", "OPENID_DISCOVERY"),
        ("/away", "/id/ann", "OPENID_DISCOVERY"),
        ("/away", "/away", "OPENID_DISCOVERY"),
        ("/in-the-body", "/in-the-body", "OPENID_DISCOVERY"),
        ("/nobody", "/nobody", "OPENID_DISCOVERY"),
        ("/trouble", "/trouble", "unavailable"),
    ] {
        let error = arrive(&site, &at(claimed), &at(identity)).await.unwrap_err();
        assert_eq!(code_of(&error), expected, "{claimed} {identity}");
        assert!(!error.to_string().contains(claimed), "{error}");
    }
}

#[tokio::test]
async fn a_claim_leads_us_nowhere_but_to_the_public_and_not_even_there_unsigned() {
    let site = Site::start(site).await;
    for claimed in [
        "http://169.254.169.254/latest/",
        "https://10.0.0.1/",
        "http://ann.example.com/",
        "https://db.internal/",
        "https://[::ffff:10.0.0.1]/",
    ] {
        let error = arrive(&site, claimed, claimed).await.unwrap_err();
        assert_eq!(code_of(&error), "OPENID_CLAIM", "{claimed}");
    }
    assert!(site.heard().is_empty(), "judged before anybody is asked");

    let forged = Site::start(|heard| match heard.path() {
        "/server" => page(&format!("ns:{NS}\nis_valid:false\n")),
        _ => document(&xrds("server", &format!("{}/server", heard.base()), None)),
    })
    .await;
    let strange = Site::start(site_of_nobody).await;
    let error = arrive(&forged, &strange.base, &strange.base).await.unwrap_err();
    assert_eq!(code_of(&error), "OPENID_SIGNATURE");
    assert!(
        strange.heard().is_empty(),
        "an answer that nobody made leads us nowhere"
    );
}

fn site_of_nobody(_: &Heard) -> String {
    reply(404, "", "")
}

#[tokio::test]
async fn only_one_answer_is_a_yes() {
    for (status, body, expected) in [
        (200, format!("ns:{NS}\nis_valid:false\n"), "OPENID_SIGNATURE"),
        (200, format!("ns:{NS}\nis_valid:True\n"), "OPENID_SIGNATURE"),
        (200, format!("ns:{NS}\nis_valid: true\n"), "OPENID_SIGNATURE"),
        (200, format!("ns:{NS}\nxis_valid:true\n"), "OPENID_SIGNATURE"),
        (200, "is_valid:true\n".to_owned(), "OPENID_SIGNATURE"),
        (
            200,
            format!("ns:{NS}\nis_valid:true\nis_valid:true\n"),
            "PROVIDER_RESPONSE_INVALID",
        ),
        (200, "<p>is_valid:true</p>".to_owned(), "OPENID_SIGNATURE"),
        (200, String::new(), "PROVIDER_RESPONSE_INVALID"),
        (400, format!("ns:{NS}\nis_valid:true\n"), "OPENID_SIGNATURE"),
        (400, format!("ns:{NS}\nerror:no\n"), "OPENID_SIGNATURE"),
        (
            201,
            format!("ns:{NS}\nis_valid:true\n"),
            "PROVIDER_RESPONSE_INVALID",
        ),
        (
            302,
            format!("ns:{NS}\nis_valid:true\n"),
            "PROVIDER_RESPONSE_INVALID",
        ),
        (404, String::new(), "PROVIDER_RESPONSE_INVALID"),
        (503, format!("ns:{NS}\nis_valid:true\n"), "unavailable"),
    ] {
        let shown = format!("{status} {body}");
        let site = Site::start(move |heard| match heard.path() {
            "/server" => reply(status, "", &body),
            _ => site(heard),
        })
        .await;
        let ann = format!("{}/id/ann", site.base);
        let error = arrive(&site, &ann, &ann).await.unwrap_err();
        assert_eq!(code_of(&error), expected, "{shown}");
        assert_eq!(site.asked("/id/ann"), 0);
    }
}

#[tokio::test]
async fn an_answer_of_another_endpoint_is_refused_and_looking_again_has_its_pause() {
    let site = Site::start(site).await;
    let ann = format!("{}/id/ann", site.base);
    let openid = entry(&site, "/");
    for _ in 0..5 {
        let mut params = assertion(&site, &ann, &ann);
        crate::support::put(&mut params, "openid.op_endpoint", "https://evil.example/server");
        let error = openid.complete(&response(params, NOW)).await.unwrap_err();
        assert_eq!(code_of(&error), "OPENID_CLAIM");
    }
    assert_eq!(site.asked("/"), 1);
    assert_eq!(site.asked("/server"), 0);
}

#[tokio::test]
async fn an_entry_for_one_person_is_for_no_other() {
    let site = Site::start(site).await;
    let at = |path: &str| format!("{}{path}", site.base);
    let openid = entry(&site, "/delegated");
    let complete = async |claimed: &str, identity: &str| {
        let params = assertion(&site, &at(claimed), &at(identity));
        openid.complete(&response(params, NOW)).await
    };
    assert_eq!(
        complete("/delegated", "/id/ann").await.unwrap().subject,
        at("/delegated")
    );
    for (claimed, identity) in [
        ("/id/ann", "/id/ann"),
        ("/delegated", "/delegated"),
        ("/linked", "/id/ann"),
    ] {
        let error = complete(claimed, identity).await.unwrap_err();
        assert_eq!(code_of(&error), "OPENID_CLAIM", "{claimed} {identity}");
    }
}

#[tokio::test]
async fn identifiers_may_be_kept_to_listed_hosts() {
    let site = Site::start(site).await;
    let ann = format!("{}/id/ann", site.base);
    for (hosts, good) in [
        (vec!["127.0.0.1"], true),
        (vec!["*.example.com", "id.example.org"], false),
    ] {
        let config = OpenId2Config {
            identifier_hosts: hosts.into_iter().map(str::to_owned).collect(),
            ..OpenId2Config::discovered(&site.base)
        };
        let arrived = provider(config)
            .complete(&response(assertion(&site, &ann, &ann), NOW))
            .await;
        match arrived {
            Ok(_) => assert!(good),
            Err(error) => assert!(!good && code_of(&error) == "OPENID_CLAIM", "{error}"),
        }
    }
}
