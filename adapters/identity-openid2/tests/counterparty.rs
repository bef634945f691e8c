//! People logging in at a real provider of OpenID 2.0, and every lie it can tell.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests fail as tests do"
)]

#[expect(dead_code, reason = "the other tests use the rest of it")]
mod support;

use std::time::{SystemTime, UNIX_EPOCH};

use domain::identity::ProfileEmail;
use domain::ports::{
    Arrival, AuthorizationRequest, AuthorizationStart, IdentityProvider as _, ProviderError,
};
use domain::secret::Secret;
use domain::time::Timestamp;
use e2e::Counterparty;
use http::Request;
use identity_openid2::{OpenId2Config, OpenId2Provider};
use serde_json::json;
use support::{Params, code_of, form, outbound, provider, put, query, request, response};

fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap())
}

/// What a browser does: goes there, by redirect or by form, and comes back with what it is given.
async fn browse(start: &AuthorizationStart) -> Params {
    let request = match &start.form {
        None => Request::get(&start.url).body(Vec::new()),
        Some(pairs) => {
            let body = url::form_urlencoded::Serializer::new(String::new())
                .extend_pairs(pairs)
                .finish();
            let media = "application/x-www-form-urlencoded";
            Request::post(&start.url)
                .header("content-type", media)
                .body(body.into_bytes())
        }
    };
    let answer = outbound().send(request.unwrap()).await.unwrap();
    if let Some(location) = answer.headers().get("location") {
        return query(location.to_str().unwrap());
    }
    posted(&String::from_utf8_lossy(answer.body()))
}

/// The form that a provider answers with where its answer is too long for an address.
fn posted(page: &str) -> Params {
    let value = |input: &str, name: &str| {
        let from = input.split(&format!(" {name}=\"")).nth(1)?;
        Some(
            from.split('"')
                .next()?
                .replace("&#x27;", "'")
                .replace("&amp;", "&"),
        )
    };
    let action = page
        .split("<form")
        .nth(1)
        .and_then(|rest| value(rest, "action"))
        .unwrap();
    let inputs = page.split("<input").skip(1);
    let own = inputs.filter_map(|input| Some((value(input, "name")?, value(input, "value")?)));
    query(&action).into_iter().chain(own).collect()
}

async fn log_in(openid: &OpenId2Provider) -> Result<Arrival, ProviderError> {
    let start = openid.begin(&request()).await?;
    openid.complete(&response(browse(&start).await, now())).await
}

fn at(party: &Counterparty, path: &str) -> OpenId2Provider {
    provider(OpenId2Config::discovered(party.at(path)))
}

#[tokio::test]
async fn a_person_chosen_at_the_provider_arrives() {
    let party = Counterparty::openid2().await;
    let openid = at(&party, "/");
    for name in ["alice", "bob"] {
        party.next(name).await;
        let arrival = log_in(&openid).await.unwrap();
        assert_eq!(
            (arrival.issuer, arrival.subject),
            (party.at("/"), party.at(&format!("/id/{name}")))
        );
        assert_eq!(arrival.profile.username.as_deref(), Some(name));
        assert_eq!(arrival.profile.name.family_name.as_deref(), Some("Example"));
        let value = format!("{name}@example.test");
        assert_eq!(
            arrival.profile.emails,
            [ProfileEmail {
                value,
                verified: false
            }]
        );
        assert_eq!(arrival.raw["sreg"]["nickname"], json!(name));
        assert_eq!(arrival.raw["ax"]["language"], json!("en"));
    }
}

#[tokio::test]
async fn every_kind_of_identifier_leads_to_its_person() {
    let party = Counterparty::openid2().await;
    for path in ["/id/alice", "/html/alice", "/meta/alice"] {
        let arrival = log_in(&at(&party, path)).await.unwrap();
        assert_eq!(arrival.subject, party.at(path));
    }
    party.next("delegated").await;
    let arrival = log_in(&at(&party, "/")).await.unwrap();
    assert_eq!(arrival.subject, party.at("/html/alice"));
}

#[tokio::test]
async fn an_operator_may_take_the_providers_word_and_its_groups() {
    let party = Counterparty::openid2().await;
    let trusting = provider(OpenId2Config {
        email_trusted: Some(true),
        attributes: vec![("groups".to_owned(), "http://example.com/schema/groups".to_owned())],
        groups_attribute: Some("groups".to_owned()),
        ..OpenId2Config::discovered(party.at("/"))
    });
    let arrival = log_in(&trusting).await.unwrap();
    assert!(arrival.profile.emails[0].verified);
    assert_eq!(arrival.groups, ["staff", "admins"]);
    assert_eq!(arrival.raw["ax"]["groups"], json!(["staff", "admins"]));
    party.next("bob").await;
    assert_eq!(log_in(&trusting).await.unwrap().groups, ["staff"]);
}

#[tokio::test]
async fn what_is_too_long_for_addresses_goes_by_forms_both_ways() {
    let party = Counterparty::openid2().await;
    let openid = at(&party, "/");
    let long = AuthorizationRequest {
        state: Secret::new("s".repeat(1800)),
        ..request()
    };
    let start = openid.begin(&long).await.unwrap();
    assert!(start.form.is_some());
    let arrival = openid
        .complete(&response(browse(&start).await, now()))
        .await
        .unwrap();
    assert_eq!(arrival.subject, party.at("/id/alice"));
}

#[tokio::test]
async fn each_lie_has_its_own_name() {
    let party = Counterparty::openid2().await;
    let openid = at(&party, "/");
    for (fault, expected) in [
        ("cancel", "ACCESS_DENIED"),
        ("setup-needed", "PROVIDER_ERROR"),
        ("error", "PROVIDER_ERROR"),
        ("openid1", "CALLBACK_INVALID"),
        ("bad-sig", "OPENID_SIGNATURE"),
        ("no-sig", "OPENID_SIGNATURE"),
        ("unsigned-op_endpoint", "OPENID_SIGNATURE"),
        ("unsigned-return_to", "OPENID_SIGNATURE"),
        ("unsigned-response_nonce", "OPENID_SIGNATURE"),
        ("unsigned-assoc_handle", "OPENID_SIGNATURE"),
        ("unsigned-claimed_id", "OPENID_SIGNATURE"),
        ("unsigned-identity", "OPENID_SIGNATURE"),
        ("wrong-return-to", "OPENID_RETURN_TO"),
        ("wrong-op-endpoint", "OPENID_CLAIM"),
        ("wrong-identity", "OPENID_CLAIM"),
        ("nobody", "SUBJECT_MISSING"),
        ("old-nonce", "OPENID_NONCE"),
        ("future-nonce", "OPENID_NONCE"),
        ("bad-nonce", "OPENID_NONCE"),
        ("check-no", "OPENID_SIGNATURE"),
        ("check-html", "PROVIDER_RESPONSE_INVALID"),
        ("check-503", "unavailable"),
    ] {
        party.fault(fault).await;
        let error = log_in(&openid).await.expect_err(fault);
        assert_eq!(code_of(&error), expected, "{fault}");
        assert!(!error.to_string().contains("alice"), "{error}");
    }
    party.fault("").await;
    assert!(log_in(&openid).await.is_ok());
}

#[tokio::test]
async fn a_provider_speaks_for_nobody_of_another_one() {
    let (party, other) = (Counterparty::openid2().await, Counterparty::openid2().await);
    let openid = at(&party, "/");
    party.fault("foreign-claimed-id").await;
    for path in ["/id/alice", "/html/alice", "/meta/alice"] {
        party
            .tell(&format!("foreign?name={}", other.at(path)), &json!({}))
            .await;
        assert_eq!(
            code_of(&log_in(&openid).await.unwrap_err()),
            "OPENID_CLAIM",
            "{path}"
        );
    }
    let their_answer = {
        let theirs = at(&other, "/");
        browse(&theirs.begin(&request()).await.unwrap()).await
    };
    let error = openid.complete(&response(their_answer, now())).await.unwrap_err();
    assert_eq!(code_of(&error), "OPENID_CLAIM");
}

#[tokio::test]
async fn an_address_beside_the_signature_is_not_read() {
    let party = Counterparty::openid2().await;
    party.fault("unsigned-email").await;
    let arrival = log_in(&at(&party, "/")).await.unwrap();
    assert!(arrival.profile.emails.is_empty(), "{:?}", arrival.profile);
    assert!(
        !arrival.raw.to_string().contains("admin@example.test"),
        "{}",
        arrival.raw
    );
}

#[tokio::test]
async fn an_answer_that_was_changed_on_its_way_is_refused() {
    let party = Counterparty::openid2().await;
    let openid = at(&party, "/");
    for (name, value) in [
        ("openid.claimed_id", party.at("/id/bob")),
        ("openid.identity", party.at("/id/bob")),
        ("openid.sreg.email", "admin@example.test".to_owned()),
        ("openid.ax.value.", "admin@example.test".to_owned()),
        ("openid.sig", "AAAA".to_owned()),
        ("openid.assoc_handle", "another".to_owned()),
    ] {
        let mut params = browse(&openid.begin(&request()).await.unwrap()).await;
        // Providers call attributes as they like: the value is changed, whatever its name.
        let alice =
            |(given, value): &&(String, String)| given.starts_with(name) && value == "alice@example.test";
        let name = params
            .iter()
            .find(alice)
            .map_or(name, |(given, _)| given)
            .to_owned();
        put(&mut params, &name, &value);
        let error = openid.complete(&response(params, now())).await.unwrap_err();
        assert_eq!(code_of(&error), "OPENID_SIGNATURE", "{name}");
    }
}

#[tokio::test]
async fn an_answer_shown_again_is_the_same_proof_and_the_provider_says_no_by_itself() {
    let party = Counterparty::openid2().await;
    let openid = at(&party, "/");
    let params = browse(&openid.begin(&request()).await.unwrap()).await;
    let nonce = support::param(&params, "openid.response_nonce")
        .unwrap()
        .to_owned();
    let arrival = openid.complete(&response(params.clone(), now())).await.unwrap();
    assert_eq!(
        arrival.once.unwrap().id,
        format!("{} {nonce}", party.at("/server"))
    );
    let error = openid
        .complete(&response(params.clone(), now()))
        .await
        .unwrap_err();
    assert_eq!(code_of(&error), "OPENID_SIGNATURE");
    let later = Timestamp::from_millis(now().as_millis() + 310_000);
    let error = openid.complete(&response(params, later)).await.unwrap_err();
    assert_eq!(code_of(&error), "OPENID_NONCE");
}

fn steam(party: &Counterparty, key: Option<&str>) -> OpenId2Provider {
    provider(OpenId2Config {
        identifier: party.at("/openid/login"),
        api_base: party.address().to_owned(),
        api_key: key.map(Secret::new),
        ..OpenId2Config::steam("http://localhost:3000/")
    })
}

#[tokio::test]
async fn a_player_arrives_by_number_and_with_a_key_by_name() {
    let party = Counterparty::openid2().await;
    let arrival = log_in(&steam(&party, None)).await.unwrap();
    assert_eq!(arrival.issuer, "https://steamcommunity.com/openid");
    assert_eq!(arrival.subject, "76561197960435530");
    assert_eq!(arrival.profile.display_name, None);
    assert_eq!(arrival.raw, json!({"steamid": "76561197960435530"}));

    let arrival = log_in(&steam(&party, Some("steam-key"))).await.unwrap();
    assert_eq!(arrival.profile.display_name.as_deref(), Some("alice"));
    assert_eq!(
        arrival.profile.profile_url.as_deref(),
        Some("https://steamcommunity.com/id/alice/")
    );
    assert_eq!(arrival.raw["personaname"], json!("alice"));
    let error = log_in(&steam(&party, Some("wrong-key"))).await.unwrap_err();
    assert_eq!(code_of(&error), "USERINFO_INVALID");
}

#[tokio::test]
async fn steam_speaks_for_players_alone() {
    let party = Counterparty::openid2().await;
    party.fault("foreign-claimed-id").await;
    for claimed in [
        party.at("/id/alice"),
        "https://steamcommunity.com/openid/id/1".to_owned(),
    ] {
        let claimed = form(&format!("x={claimed}")).remove(0).1;
        party.tell(&format!("foreign?name={claimed}"), &json!({})).await;
        assert_eq!(
            code_of(&log_in(&steam(&party, None)).await.unwrap_err()),
            "OPENID_CLAIM"
        );
    }
}
