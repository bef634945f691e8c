//! Linking: by whom, for whom, how often; and unlinking.

use e2e::{Counterparty, PASSWORD, Portcullis, Reply};
use futures_util::future::join_all;
use serde_json::json;

use super::entries::{self, Arrived, altered, arrive, file, json_entry, link_callback, linking, panva, with};

async fn provider_and_server() -> (Counterparty, Portcullis) {
    let party = Counterparty::panva().await;
    let file = file([
        ("panva", json_entry(panva(&party, "web"))),
        ("link", linking(panva(&party, "web"))),
        ("link-json", json_entry(linking(panva(&party, "web")))),
    ]);
    let server = entries::server(file).await;
    (party, server)
}

/// Somebody with a password, as a program.
async fn person(server: &Portcullis, name: &str) -> Arrived {
    let person = server.client().sign_up(name).await;
    Arrived {
        token: server.client().log_in(&person).await,
        user: person.id,
    }
}

/// Links in the name of a token, in a browser of its own.
async fn link_by_token(server: &Portcullis, who: &Arrived, entry: &str) -> Reply {
    let mut browser = server.browser();
    let begun = entries::begin_link(server, &browser, entry, &who.token)
        .await
        .expect(200);
    browser.open(&begun.at("url")).await.reply
}

#[tokio::test]
async fn nobody_links_without_being_logged_in() {
    let (party, server) = provider_and_server().await;
    for path in ["/link/link", "/link/link-json"] {
        server
            .browser()
            .as_program()
            .peek(path)
            .await
            .refused(401, "AUTHORIZATION_REQUIRED");
    }
    let page = server.browser().open(&server.at("/link/link")).await;
    assert!(page.url.starts_with(&server.at("/login?")), "{}", page.url);
    // Nor by a callback that was never begun.
    for query in ["", "?code=x", "?code=x&state=y"] {
        let path = format!("/link/link-json/callback{query}");
        server
            .client()
            .get(&path)
            .await
            .refused(401, "AUTHORIZATION_UNKNOWN");
    }
    assert_eq!(
        party.asked("GET /auth").await,
        0,
        "nobody came as far as the provider"
    );
}

#[tokio::test]
async fn a_link_started_elsewhere_does_not_tie_a_victim() {
    let (_party, server) = provider_and_server().await;
    let (mallory, ann) = (
        server.client().sign_up("mallory").await,
        server.client().sign_up("ann").await,
    );
    let mut attacker = entries::log_in_by_page(&server, &mallory).await;
    let back = link_callback(&server, &mut attacker, "link").await;
    let mut victim = entries::log_in_by_page(&server, &ann).await;
    victim.open(&back).await.expect(401).done();
    let forged = altered(&back, |pairs| pairs.retain(|(name, _)| name != "state"));
    victim.open(&forged).await.expect(401).done();
    let ann = Arrived {
        token: server.client().log_in(&ann).await,
        user: ann.id,
    };
    assert!(entries::identities(&server, &ann).await.is_empty());
    // An image on another site starts nothing; a link there asks first.
    for site in ["https://evil.example/", "http://localhost:1/"] {
        let reply = victim.peek_from(site, &server.at("/link/link")).await;
        assert!(
            reply.header("location").is_empty(),
            "{}",
            reply.header("location")
        );
        assert!(
            reply.status == 200 && reply.text.contains("action=\"/link/link\""),
            "{}",
            reply.text
        );
    }
    // Said so on that page, it goes on.
    let page = victim.open(&server.at("/account")).await.expect(200);
    drop(page);
    let asked = victim
        .peek_from("https://evil.example/", &server.at("/link/link"))
        .await;
    let page = e2e::Page {
        url: server.at("/link/link"),
        trail: Vec::new(),
        reply: asked,
    };
    let page = victim.submit(&page, "/link/link", &[]).await.expect(200);
    page.came_by("/link/account");
    assert_eq!(entries::identities(&server, &ann).await.len(), 1);
}

#[tokio::test]
async fn a_program_links_in_the_name_of_a_token_in_its_header_only() {
    let (party, server) = provider_and_server().await;
    let ann = person(&server, "ann").await;
    let reply = link_by_token(&server, &ann, "link-json").await.expect(200);
    assert_eq!(reply.at("userId"), ann.user);
    assert_eq!(
        entries::identities(&server, &ann).await[0]["id"],
        reply.json()["identityId"]
    );
    // In an address anybody could plant it; before its `@` browsers make a header of it.
    let client = server.client().with(&ann.token);
    let followed = client
        .request("GET", "/link/link-json")
        .header("Sec-Fetch-Mode", "navigate");
    client.send(followed).await.refused(401, "AUTHORIZATION_REQUIRED");
    let asked = party.asked("GET /auth").await;
    let planted = format!("/link/link-json?access_token={}", ann.token);
    server
        .client()
        .get(&planted)
        .await
        .refused(401, "AUTHORIZATION_REQUIRED");
    server
        .client()
        .with(&"x".repeat(64))
        .get("/link/link-json")
        .await
        .refused(401, "AUTHORIZATION_REQUIRED");
    assert_eq!(party.asked("GET /auth").await, asked);
}

#[tokio::test]
async fn six_users_who_link_one_account_at_one_instant_are_five_too_many() {
    let (_party, server) = provider_and_server().await;
    let mut ways = Vec::new();
    for number in 0..6 {
        let who = person(&server, &format!("user-{number}")).await;
        let mut browser = server.browser().as_program();
        let begun = entries::begin_link(&server, &browser, "link-json", &who.token)
            .await
            .expect(200);
        let home = server.at("/");
        let back = browser
            .follow_until(&begun.at("url"), |url| url.starts_with(&home))
            .await;
        ways.push((who, browser, back));
    }
    let replies = join_all(ways.iter().map(|(_, browser, back)| browser.peek(back))).await;
    let (won, lost): (Vec<_>, Vec<_>) = replies.iter().partition(|reply| reply.status == 200);
    assert_eq!(won.len(), 1);
    for reply in lost {
        reply.refused(409, "IDENTITY_TAKEN");
    }
    let mut holders = Vec::new();
    for (who, _, _) in &ways {
        if !entries::identities(&server, who).await.is_empty() {
            holders.push(who.user.clone());
        }
    }
    assert_eq!(holders, [won[0].at("userId")]);
    assert_eq!(arrive(&server, "panva").await.user, holders[0]);
    // Later it is no different.
    let late = person(&server, "late").await;
    link_by_token(&server, &late, "link-json")
        .await
        .refused(409, "IDENTITY_TAKEN");
    assert!(entries::credentials(&server, &late).await.is_empty());
}

#[tokio::test]
async fn whoever_logged_out_or_left_meanwhile_links_nothing() {
    let (_party, server) = provider_and_server().await;
    for leaves in [false, true] {
        let ann = server
            .client()
            .sign_up(if leaves { "leaver" } else { "logger" })
            .await;
        let token = server.client().log_in(&ann).await;
        let mut browser = server.browser().as_program();
        let begun = entries::begin_link(&server, &browser, "link-json", &token)
            .await
            .expect(200);
        let home = server.at("/");
        let back = browser
            .follow_until(&begun.at("url"), |url| url.starts_with(&home))
            .await;
        let client = server.client().with(&token);
        if leaves {
            let request = client
                .request("DELETE", &ann.path())
                .json(&json!({ "currentPassword": PASSWORD }));
            let reply = client.send(request).await;
            assert!(reply.status < 300, "{}", reply.text);
        } else {
            client
                .post("/api/Users/logout", json!({}))
                .await
                .expect(204)
                .done();
        }
        browser.peek(&back).await.refused(401, "AUTHORIZATION_REQUIRED");
        if !leaves {
            let ann = Arrived {
                token: server.client().log_in(&ann).await,
                user: ann.id,
            };
            assert!(entries::identities(&server, &ann).await.is_empty());
        }
    }
    // The account elsewhere is free, then.
    let other = person(&server, "other").await;
    link_by_token(&server, &other, "link-json")
        .await
        .expect(200)
        .done();
}

#[tokio::test]
async fn several_accounts_lead_to_one_user_and_the_last_way_in_stays() {
    let (party, social) = (Counterparty::panva().await, Counterparty::social().await);
    let server = entries::server(file([
        ("panva", json_entry(panva(&party, "web"))),
        ("github", json_entry(entries::github(&social))),
        ("github-link", json_entry(linking(entries::github(&social)))),
    ]))
    .await;
    let me = arrive(&server, "panva").await;
    link_by_token(&server, &me, "github-link")
        .await
        .expect(200)
        .done();
    let again = arrive(&server, "github").await;
    assert_eq!(again.user, me.user);
    let identities = entries::identities(&server, &me).await;
    let providers: Vec<&str> = identities
        .iter()
        .map(|one| one["provider"].as_str().unwrap())
        .collect();
    assert_eq!(providers, ["panva", "github"]);

    // Unlink the first: its grants go along, other sessions end, and it opens this account no more.
    let client = server.client().with(&me.token);
    let path = |index: usize| {
        format!(
            "/api/Users/{}/identities/{}",
            me.user,
            identities[index]["id"].as_str().unwrap()
        )
    };
    let stranger = person(&server, "stranger").await;
    server
        .client()
        .with(&stranger.token)
        .delete(&path(0))
        .await
        .expect(401)
        .done();
    client.delete(&path(0)).await.expect(204).done();
    client.delete(&path(0)).await.refused(404, "LINK_UNKNOWN");
    assert!(
        entries::credentials(&server, &me)
            .await
            .iter()
            .all(|grant| grant["provider"] == "github")
    );
    server
        .client()
        .with(&again.token)
        .get("/api/Users/me")
        .await
        .expect(401)
        .done();

    // The other is the last way in now.
    client.delete(&path(1)).await.refused(409, "LAST_WAY_IN");
    assert_eq!(arrive(&server, "github").await.user, me.user);
    // What was unlinked is a stranger's account again: nobody is let in here by it without proof.
    let reply = entries::visit(&server, "panva").await;
    assert!(
        reply.status == 409 || reply.at("userId") != me.user,
        "{}",
        reply.text
    );
}

#[tokio::test]
async fn nobody_else_sees_what_is_linked_and_nobody_writes_it_by_hand() {
    let (_party, server) = provider_and_server().await;
    let (ann, bob) = (arrive(&server, "panva").await, person(&server, "bob").await);
    for what in ["identities", "credentials"] {
        let path = format!("/api/Users/{}/{what}", ann.user);
        server
            .client()
            .get(&path)
            .await
            .refused(401, "AUTHORIZATION_REQUIRED");
        server
            .client()
            .with(&bob.token)
            .get(&path)
            .await
            .refused(401, "AUTHORIZATION_REQUIRED");
        let forged = json!({ "provider": "panva", "externalId": "bob", "userId": ann.user });
        let reply = server.client().with(&ann.token).post(&path, forged).await;
        assert!((400..500).contains(&reply.status), "{}", reply.text);
    }
    let token_path = format!("/api/Users/{}/credentials/panva/token", ann.user);
    server
        .client()
        .with(&bob.token)
        .post(&token_path, json!({}))
        .await
        .refused(401, "AUTHORIZATION_REQUIRED");
    // Nor do they slip in with the record itself.
    let patch =
        json!({ "identities": [{ "provider": "panva", "externalId": "mallory" }], "credentials": [] });
    let reply = server
        .client()
        .with(&bob.token)
        .patch("/api/Users/me", patch)
        .await;
    assert!(reply.status < 500);
    assert!(entries::identities(&server, &bob).await.is_empty());
    let record = entries::record(&server, &ann).await;
    assert!(
        record.get("identities").is_none() && record.get("credentials").is_none(),
        "{record}"
    );
}

#[tokio::test]
async fn a_link_goes_where_it_was_asked_to() {
    let party = Counterparty::panva().await;
    let entry = with(
        linking(panva(&party, "web")),
        &json!({ "successRedirect": "/account?linked=1" }),
    );
    let server = entries::server(file([("link", entry)])).await;
    let ann = server.client().sign_up("ann").await;
    let mut browser = entries::log_in_by_page(&server, &ann).await;
    let page = entries::link(&server, &mut browser, "link").await.expect(200);
    assert_eq!(page.url, server.at("/account?linked=1"));
    let page = browser
        .open(&server.at("/link/link?returnTo=/account"))
        .await
        .expect(200);
    assert_eq!(page.path(), "/account");
}
