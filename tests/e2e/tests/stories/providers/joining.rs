//! An account elsewhere, and an account here of the same address or name: one only after proof of both.

use e2e::{Browser, Counterparty, PASSWORD, Page, Person, Portcullis};
use serde_json::json;

use super::entries::{self, Arrived, arrive, arrived, file, json_entry, panva};

/// The provider's alice has this address.
const ALICE: &str = "alice@example.test";

async fn provider_and_server() -> (Counterparty, Portcullis) {
    let party = Counterparty::panva().await;
    let file = file([
        ("page", panva(&party, "web")),
        ("json", json_entry(panva(&party, "web"))),
    ]);
    let server = entries::server(file).await;
    (party, server)
}

async fn sign_up_as(server: &Portcullis, email: &str) -> Person {
    let reply = server
        .client()
        .post("/api/Users", json!({ "email": email, "password": PASSWORD }))
        .await
        .expect(200);
    Person {
        pool: "/api/Users".to_owned(),
        id: reply.at("id"),
        email: email.to_owned(),
        password: PASSWORD.to_owned(),
    }
}

/// Comes by the provider and is asked whether the account here is theirs.
async fn offered(server: &Portcullis) -> (Browser, Page) {
    let mut browser = server.browser();
    let page = browser.open(&server.at("/auth/page")).await.expect(200);
    assert_eq!(page.path(), "/join");
    assert!(!browser.is_logged_in());
    (browser, page)
}

/// The newest code mailed to an address.
async fn mailed_code(server: &Portcullis, email: &str, nth: usize) -> String {
    let begun = std::time::Instant::now();
    loop {
        let mails = server.console().mails(email);
        let digits = mails.get(nth).and_then(|mail| {
            let mut words = mail.split(|letter: char| !letter.is_ascii_alphanumeric());
            words.find(|word| word.len() == 6 && word.bytes().all(|byte| byte.is_ascii_digit()))
        });
        if let Some(code) = digits {
            return code.to_owned();
        }
        assert!(
            begun.elapsed().as_secs() < 20,
            "no code for {email} in:\n{}",
            server.console().text()
        );
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn an_equal_address_never_joins_by_itself_but_by_the_password() {
    let (_party, server) = provider_and_server().await;
    let ann = sign_up_as(&server, ALICE).await;
    entries::visit(&server, "json")
        .await
        .refused(409, "ACCOUNT_EXISTS");
    let (mut browser, page) = offered(&server).await;
    assert!(!page.reply.text.contains(&ann.id));
    let page = browser
        .submit(&page, "/join", &[("password", "not this one at all")])
        .await
        .expect(401);
    assert!(!browser.is_logged_in());
    let landed = browser
        .submit(&page, "/join", &[("password", PASSWORD)])
        .await
        .expect(200);
    assert_eq!(landed.path(), "/account");
    assert_eq!(browser.peek("/api/Users/me").await.expect(200).at("id"), ann.id);
    // From then on each of the two opens it, and nobody is asked again.
    assert_eq!(arrive(&server, "json").await.user, ann.id);
    assert_eq!(server.client().try_password(&ann, PASSWORD).await, 200);
}

#[tokio::test]
async fn a_mailed_code_proves_the_account_here_too() {
    let (_party, server) = provider_and_server().await;
    let ann = sign_up_as(&server, ALICE).await;
    let before = server.console().mails(ALICE).len();
    let (mut browser, page) = offered(&server).await;
    let page = browser.submit(&page, "/join/code", &[]).await.expect(200);
    let code = mailed_code(&server, ALICE, before).await;
    let wrong = super::super::two_factor::other_than(&code);
    let page = browser
        .submit(&page, "/join/confirm", &[("code", &wrong)])
        .await
        .expect(401);
    browser
        .submit(&page, "/join/confirm", &[("code", &code)])
        .await
        .expect(200)
        .done();
    assert_eq!(browser.peek("/api/Users/me").await.expect(200).at("id"), ann.id);
    // The code worked for this offer, once, and the offer is over.
    let page = browser.open(&server.at("/join")).await;
    assert_ne!(page.path(), "/join");
}

#[tokio::test]
async fn whoever_declines_gets_an_account_of_their_own() {
    let (_party, server) = provider_and_server().await;
    let ann = sign_up_as(&server, ALICE).await;
    let (mut browser, page) = offered(&server).await;
    browser
        .submit(&page, "/join/decline", &[])
        .await
        .expect(200)
        .done();
    let me = browser.peek("/api/Users/me").await.expect(200).json();
    assert_ne!(me["id"], ann.id.as_str());
    assert_eq!(me["email"], serde_json::Value::Null);
    assert_eq!(arrive(&server, "json").await.user, me["id"].as_str().unwrap());
}

#[tokio::test]
async fn programs_join_by_calls() {
    let (_party, server) = provider_and_server().await;
    let ann = sign_up_as(&server, ALICE).await;
    let offer = entries::visit(&server, "json").await;
    offer.refused(409, "ACCOUNT_EXISTS");
    let join = offer.at("error/details/join");
    assert!(!join.is_empty(), "{}", offer.text);
    let client = server.client();
    let wrong = json!({ "join": join, "password": "not this one at all" });
    client
        .post("/api/Users/join", wrong)
        .await
        .refused(401, "LOGIN_FAILED");
    client
        .post(
            "/api/Users/join",
            json!({ "join": "x".repeat(64), "password": PASSWORD }),
        )
        .await
        .refused(401, "LOGIN_FAILED");
    let joined = client
        .post("/api/Users/join", json!({ "join": join, "password": PASSWORD }))
        .await
        .expect(200);
    let me = Arrived {
        token: joined.at("id"),
        user: ann.id.clone(),
    };
    assert_eq!(joined.at("userId"), ann.id);
    assert_eq!(entries::identities(&server, &me).await.len(), 1);
    client
        .post("/api/Users/join", json!({ "join": join, "password": PASSWORD }))
        .await
        .refused(401, "LOGIN_FAILED");
    assert_eq!(arrive(&server, "json").await.user, ann.id);
}

#[tokio::test]
async fn whoever_registered_somebody_elses_address_first_is_thrown_out_when_its_owner_comes() {
    let (_party, server) = provider_and_server().await;
    // The attacker has a password, a live session and an account elsewhere of their own, all under the victim's address.
    let trap = sign_up_as(&server, ALICE).await;
    let attacker = server.client().log_in(&trap).await;
    let before = server.console().mails(ALICE).len();
    let (mut victim, page) = offered(&server).await;
    let page = victim.submit(&page, "/join/code", &[]).await.expect(200);
    let code = mailed_code(&server, ALICE, before).await;
    victim
        .submit(&page, "/join/confirm", &[("code", &code)])
        .await
        .expect(200)
        .done();
    assert!(victim.is_logged_in());
    // Nothing of the attacker's works any more.
    assert_eq!(server.client().try_password(&trap, PASSWORD).await, 401);
    assert!(!server.client().opens(&attacker, &trap).await);
    let me = arrive(&server, "json").await;
    assert_eq!(me.user, trap.id);
    assert_eq!(entries::record(&server, &me).await["emailVerified"], true);
}

#[tokio::test]
async fn an_account_linked_under_somebody_elses_address_does_not_survive_its_owner() {
    let (party, server) = provider_and_server().await;
    let linking = entries::linking(panva(&party, "web"));
    let file = file([
        ("page", panva(&party, "web")),
        ("json", json_entry(panva(&party, "web"))),
        ("link", linking),
    ]);
    drop(server);
    let server = entries::server(file).await;
    let trap = sign_up_as(&server, ALICE).await;
    let token = server.client().log_in(&trap).await;
    party.next("mallory").await;
    let mut attacker = server.browser();
    let begun = entries::begin_link(&server, &attacker, "link", &token)
        .await
        .expect(200);
    attacker.open(&begun.at("url")).await.done();
    assert_eq!(
        arrive(&server, "json").await.user,
        trap.id,
        "so far it is the attacker's"
    );

    party.next("alice").await;
    let before = server.console().mails(ALICE).len();
    let (mut victim, page) = offered(&server).await;
    let page = victim.submit(&page, "/join/code", &[]).await.expect(200);
    let code = mailed_code(&server, ALICE, before).await;
    victim
        .submit(&page, "/join/confirm", &[("code", &code)])
        .await
        .expect(200)
        .done();
    party.next("mallory").await;
    let reply = entries::visit(&server, "json").await;
    assert_ne!(reply.at("userId"), trap.id, "{}", reply.text);
}

#[tokio::test]
async fn an_unvouched_address_opens_nobodys_account() {
    let party = Counterparty::evil_oidc().await;
    let tenants = [
        "email-unverified",
        "email-verified-string",
        "email-verified-maybe",
        "email-array",
    ];
    let entries: serde_json::Map<String, serde_json::Value> = tenants
        .iter()
        .map(|tenant| ((*tenant).to_owned(), json_entry(entries::evil(&party, tenant))))
        .collect();
    let server = entries::server(entries.into()).await;
    let victim = sign_up_as(&server, "victim@example.test").await;
    for (number, tenant) in tenants.iter().enumerate() {
        let claims = json!({ "sub": format!("m-{number}"), "email": victim.email, "email_verified": true });
        party.claims(tenant, claims).await;
        let reply = entries::visit(&server, tenant).await;
        if reply.status == 200 {
            assert_ne!(arrived(&reply).user, victim.id, "{tenant}");
        } else {
            reply.refused(409, "ACCOUNT_EXISTS");
        }
    }
    let me = Arrived {
        token: server.client().log_in(&victim).await,
        user: victim.id,
    };
    assert!(entries::identities(&server, &me).await.is_empty());
}

#[tokio::test]
async fn a_second_factor_is_asked_for_before_anything_is_joined() {
    let party = Counterparty::panva().await;
    let file = file([("json", json_entry(panva(&party, "web")))]);
    let setup = Portcullis::setup()
        .config("[users.Users]\nsecond_factor = \"required\"")
        .providers(&file);
    let server = setup.start().await;
    let ann = sign_up_as(&server, ALICE).await;
    let offer = entries::visit(&server, "json").await;
    let join = offer.at("error/details/join");
    let asked = server
        .client()
        .post("/api/Users/join", json!({ "join": join, "password": PASSWORD }))
        .await;
    asked.refused(401, "SECOND_FACTOR_REQUIRED");
    entries::visit(&server, "json")
        .await
        .refused(409, "ACCOUNT_EXISTS");
    let code = server.console().code(ALICE).await;
    let typed =
        json!({ "email": ann.email, "twofactor": code, "challenge": asked.at("error/details/challenge") });
    let opened = server
        .client()
        .post("/api/Users/loginWithCode", typed)
        .await
        .expect(200);
    let me = Arrived {
        token: opened.at("id"),
        user: ann.id.clone(),
    };
    assert_eq!(entries::identities(&server, &me).await.len(), 1);
    // A linked account is a first proof, no more.
    let asked = entries::visit(&server, "json").await;
    asked.refused(401, "SECOND_FACTOR_REQUIRED");
    assert!(asked.at("access_token").is_empty());
}

#[tokio::test]
async fn a_reset_password_throws_out_what_a_stranger_had_linked() {
    let party = Counterparty::panva().await;
    let linking = entries::linking(panva(&party, "web"));
    let server = entries::server(file([
        ("json", json_entry(panva(&party, "web"))),
        ("link", linking),
    ]))
    .await;
    let trap = sign_up_as(&server, "victim@example.test").await;
    let token = server.client().log_in(&trap).await;
    party.next("mallory").await;
    let mut attacker = server.browser();
    let begun = entries::begin_link(&server, &attacker, "link", &token)
        .await
        .expect(200);
    attacker.open(&begun.at("url")).await.done();
    assert_eq!(arrive(&server, "json").await.user, trap.id);
    // The owner of the address asks for a new password.
    let client = server.client();
    let before = server.console().mails(&trap.email).len();
    client
        .post("/api/Users/reset", json!({ "email": trap.email }))
        .await
        .expect(204)
        .done();
    let link = server.console().link(&trap.email, before).await;
    let reset = e2e::in_link(&link, "token");
    let new = json!({ "newPassword": "an entirely new gate of oak" });
    client
        .with(&reset)
        .post("/api/Users/reset-password", new)
        .await
        .expect(204)
        .done();
    assert!(!client.opens(&token, &trap).await);
    let reply = entries::visit(&server, "json").await;
    assert_ne!(reply.at("userId"), trap.id, "{}", reply.text);
}
