//! OAuth 1.0a, as Twitter speaks it.

use e2e::Counterparty;

use super::entries::{self, altered, arrive, callback, file, json_entry, linking, parameter, twitter, visit};

#[tokio::test]
async fn the_articles_twitter_entry_logs_in() {
    let party = Counterparty::oauth1().await;
    let server = entries::server(file([
        ("twitter-login", json_entry(twitter(&party))),
        ("twitter-link", linking(twitter(&party))),
    ]))
    .await;
    let alice = arrive(&server, "twitter-login").await;
    assert_eq!(arrive(&server, "twitter-login").await.user, alice.user);
    let identity = &entries::identities(&server, &alice).await[0];
    assert_eq!(identity["externalId"], "38895958");
    assert_eq!(
        entries::record(&server, &alice).await["username"],
        "twitter.alice"
    );
    let token = entries::fresh(&server, &alice, "twitter").await.expect(200);
    assert!(!token.at("token_secret").is_empty() && !token.at("access_token").is_empty());
    // Numbers above what a double can hold are told apart.
    party.next("big").await;
    let big = arrive(&server, "twitter-login").await;
    assert_eq!(
        entries::identities(&server, &big).await[0]["externalId"],
        "1400000000000000001"
    );
    party.next("deny").await;
    visit(&server, "twitter-login")
        .await
        .refused(401, "ACCESS_DENIED");
    // Linked to another user, it opens that one's account.
    party.next("noemail").await;
    let ann = server.client().sign_up("ann").await;
    let mut browser = entries::log_in_by_page(&server, &ann).await;
    entries::link(&server, &mut browser, "twitter-link")
        .await
        .expect(200)
        .done();
    assert_eq!(arrive(&server, "twitter-login").await.user, ann.id);
}

#[tokio::test]
async fn a_request_token_is_bound_to_its_browser_and_spent_once() {
    let party = Counterparty::oauth1().await;
    let server = entries::server(file([("twitter", json_entry(twitter(&party)))])).await;
    let mut attacker = server.browser().as_program();
    let stolen = callback(&server, &mut attacker, "twitter").await;
    let mut victim = server.browser().as_program();
    let own = callback(&server, &mut victim, "twitter").await;
    for forged in [
        stolen.clone(),
        altered(&own, |pairs| pairs.retain(|(name, _)| name != "oauth_token")),
        altered(&own, |pairs| {
            pairs[0].1 = "made-up-token-made-up-token".to_owned();
        }),
        altered(&own, |pairs| {
            pairs.push(("oauth_token".to_owned(), parameter(&own, "oauth_token")));
        }),
        altered(&own, |pairs| {
            pairs.push(("denied".to_owned(), parameter(&stolen, "oauth_token")));
        }),
    ] {
        victim.peek(&forged).await.refused(401, "AUTHORIZATION_UNKNOWN");
    }
    victim.peek(&own).await.expect(200).done();
    victim.peek(&own).await.refused(401, "AUTHORIZATION_UNKNOWN");
    // Another verifier than the one that was given is refused by the provider, and nobody gets in.
    let back = callback(&server, &mut victim, "twitter").await;
    let wrong = altered(&back, |pairs| {
        for pair in pairs.iter_mut().filter(|(name, _)| name == "oauth_verifier") {
            "another-verifier-of-thirty-letters".clone_into(&mut pair.1);
        }
    });
    let reply = victim.peek(&wrong).await;
    assert_eq!(reply.status, 401);
    assert!(
        matches!(
            reply.code().as_str(),
            "TOKEN_REQUEST_REFUSED" | "CALLBACK_INVALID"
        ),
        "{}",
        reply.text
    );
    let back = callback(&server, &mut victim, "twitter").await;
    let missing = altered(&back, |pairs| pairs.retain(|(name, _)| name != "oauth_verifier"));
    victim.peek(&missing).await.refused(401, "CALLBACK_INVALID");
}

#[tokio::test]
async fn every_fault_of_an_oauth_1_server_is_refused() {
    let party = Counterparty::oauth1().await;
    let setup = e2e::Portcullis::setup().config("[outbound]\ntimeout = 2");
    let server = setup
        .providers(&file([("twitter", json_entry(twitter(&party)))]))
        .start()
        .await;
    for (fault, status, code) in [
        ("unconfirmed", 401, "CALLBACK_UNCONFIRMED"),
        ("no-secret", 401, "REQUEST_TOKEN_REFUSED"),
        ("refused", 401, "REQUEST_TOKEN_REFUSED"),
        ("html", 502, "PROVIDER_UNAVAILABLE"),
        ("slow", 502, "PROVIDER_UNAVAILABLE"),
        ("token-swap", 401, "AUTHORIZATION_UNKNOWN"),
        ("profile-401", 401, "USERINFO_INVALID"),
    ] {
        party.fault(fault).await;
        let reply = visit(&server, "twitter").await;
        assert_eq!(
            (reply.status, reply.code().as_str()),
            (status, code),
            "{fault}: {}",
            reply.text
        );
    }
    party.fault("").await;
    arrive(&server, "twitter").await;
}
