//! The two numbered lists of LoopBack's article about third-party login, step by step, and the pictures at its end.

use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;

use super::entries::{self, Arrived, arrive, file, json_entry, linking, parameter, with};
use e2e::{Browser, Counterparty, Portcullis, Reply};

/// The article's `facebook-login` and `google-link`, at other parties of our own; and a way to ask as a program.
async fn articles_server(social: &Counterparty, google: &Counterparty) -> Portcullis {
    let login = with(
        entries::facebook(social),
        &json!({
            "authPath": "/auth/facebook", "callbackPath": "/auth/facebook/callback", "successRedirect": "/auth/account",
        }),
    );
    let link = json!({
        "provider": "google", "module": "passport-google-oauth", "strategy": "OAuth2Strategy",
        "clientID": "web", "clientSecret": "web-secret", "issuer": google.address(),
        "authPath": "/link/google", "callbackPath": "/link/google/callback", "successRedirect": "/link/account",
        "scope": ["email", "profile"], "link": true,
    });
    let photos = with(
        linking(entries::facebook(social)),
        &json!({ "scope": ["email", "user_photos"] }),
    );
    entries::server(file([
        ("facebook-login", login),
        ("google-link", link),
        ("facebook-link", photos),
        ("facebook-program", json_entry(entries::facebook(social))),
    ]))
    .await
}

#[tokio::test]
async fn a_visitor_logs_in_with_facebook_step_by_step() {
    let social = Counterparty::social().await;
    let google = Counterparty::panva().await;
    let server = articles_server(&social, &google).await;
    let mut browser = server.browser();

    // 1. A visitor requests to log in by clicking on a link.
    let page = browser.open(&server.at("/login")).await.expect(200);
    assert!(
        page.reply.text.contains(r#"href="/auth/facebook""#),
        "{}",
        page.reply.text
    );

    // 2. The browser is redirected to Facebook's authorization endpoint.
    let away = browser.peek("/auth/facebook").await.expect(302);
    let dialog = away.header("location").to_owned();
    assert!(
        dialog.starts_with(&social.at("/facebook/v26.0/dialog/oauth?")),
        "{dialog}"
    );
    let callback = server.at("/auth/facebook/callback");
    assert_eq!(parameter(&dialog, "redirect_uri"), callback);
    assert_eq!(parameter(&dialog, "code_challenge_method"), "S256");
    assert!(parameter(&dialog, "state").len() >= 16);

    // 3. Facebook redirects the browser to a callback URL with the code.
    let back = browser
        .follow_until(&dialog, |url| url.starts_with(&callback))
        .await;
    assert!(!parameter(&back, "code").is_empty());
    assert_eq!(social.asked("GET /facebook/v26.0/me").await, 0);

    // 4. and 5. The server buys an access token with it, and retrieves the profile with that.
    let landed = browser.follow(&back).await.expect(200);
    landed.came_by("/auth/account");
    let log = social.log().await;
    let bought = log
        .iter()
        .position(|line| line.contains("/facebook/v26.0/oauth/access_token 200"));
    let retrieved = log.iter().position(|line| line == "GET /facebook/v26.0/me 200");
    assert!(bought.is_some() && bought < retrieved, "{log:?}");

    // 7. Nobody had this Facebook id: a user was made from the profile, with a record of where it came from.
    let me = browser.peek("/api/Users/me").await.expect(200).json();
    assert_eq!(me["username"], "facebook.10158000000000001");
    let list = browser
        .peek(&format!("/api/Users/{}/identities", me["id"].as_str().unwrap()))
        .await;
    let list = list.expect(200).json();
    assert_eq!(list[0]["provider"], "facebook");
    assert_eq!(list[0]["externalId"], "10158000000000001");
    assert_eq!(list[0]["userId"], me["id"]);
    assert_eq!(list[0]["profile"]["displayName"], "Alice Example");

    // 6. Next time the id is known: the same user is set, in whatever browser.
    let mut other = server.browser();
    other.open(&server.at("/auth/facebook")).await.expect(200).done();
    assert_eq!(
        other.peek("/api/Users/me").await.expect(200).json()["id"],
        me["id"]
    );
    assert_eq!(
        arrive(&server, "facebook-program").await.user,
        me["id"].as_str().unwrap()
    );
}

#[tokio::test]
async fn a_user_links_google_step_by_step_and_lists_the_pictures_at_facebook() {
    let social = Counterparty::social().await;
    let google = Counterparty::panva().await;
    let server = articles_server(&social, &google).await;

    // 1. The user logs in first, directly.
    let ann = server.client().sign_up("ann").await;
    let mut browser = entries::log_in_by_page(&server, &ann).await;
    let me = Arrived {
        token: server.client().log_in(&ann).await,
        user: ann.id.clone(),
    };

    // 2. They click on a link, and grant permissions at Google.
    let page = browser.open(&server.at("/account")).await.expect(200);
    assert!(
        page.reply.text.contains(r#""/link/google""#),
        "{}",
        page.reply.text
    );
    let callback = server.at("/link/google/callback");
    let back = browser
        .follow_until("/link/google", |url| url.starts_with(&callback))
        .await;

    // 3. As at a login: a code, a token, a profile.
    assert_eq!(google.asked("POST /token").await, 0);
    let landed = browser.follow(&back).await.expect(200);
    landed.came_by("/link/account");
    assert_eq!(google.asked("POST /token").await, 1);

    // 4. and 5. Nobody had it: it is linked to the current user, with the credentials to act there.
    let identities = entries::identities(&server, &me).await;
    assert_eq!(identities.len(), 1);
    assert_eq!(
        (&identities[0]["provider"], &identities[0]["externalId"]),
        (&json!("google"), &json!("alice"))
    );
    let credentials = entries::credentials(&server, &me).await;
    assert_eq!(
        (&credentials[0]["entry"], &credentials[0]["status"]),
        (&json!("google-link"), &json!("active"))
    );

    // Now the user wants the pictures of the linked Facebook account.
    let landed = entries::link(&server, &mut browser, "facebook-link")
        .await
        .expect(200);
    landed.came_by("/link/account");
    let token = entries::fresh(&server, &me, "facebook").await.expect(200).json();
    assert_eq!(token["status"], "active");
    let pictures = pictures(&social, token["access_token"].as_str().unwrap()).await;
    let names: Vec<&Value> = pictures["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["name"])
        .collect();
    assert_eq!(names.len(), 3);
    assert_eq!(names[0], "alice at the sea, 1");

    // And from now on Facebook opens the same account.
    assert_eq!(arrive(&server, "facebook-program").await.user, me.user);
}

/// What an application does with a token: Facebook's API, with the proof that the token is not stolen.
async fn pictures(social: &Counterparty, token: &str) -> Value {
    let mut proof = Hmac::<Sha256>::new_from_slice(b"social-secret").unwrap();
    proof.update(token.as_bytes());
    let proof = proof.finalize().into_bytes();
    let digits = |byte: &u8| [byte >> 4, byte & 15].map(|half| char::from_digit(half.into(), 16).unwrap());
    let proof: String = proof.iter().flat_map(digits).collect();
    let asked = reqwest::Client::new()
        .get(social.at("/facebook/v26.0/me/photos"))
        .query(&[("access_token", token), ("appsecret_proof", &proof)])
        .send();
    asked.await.unwrap().json().await.unwrap()
}

#[tokio::test]
async fn the_landing_places_of_old_show_what_they_promise() {
    let social = Counterparty::social().await;
    let google = Counterparty::panva().await;
    let server = articles_server(&social, &google).await;
    for place in ["/auth/account", "/link/account", "/login.html", "/link.html"] {
        let reply: Reply = server.browser().peek(place).await;
        assert!(reply.status < 400, "{place}: {}", reply.status);
    }
    // Whoever is not logged in does not come as far as Google.
    let mut stranger: Browser = server.browser();
    let page = stranger.open(&server.at("/link/google")).await;
    assert!(page.url.starts_with(&server.at("/login")), "{}", page.url);
    assert_eq!(google.asked("GET /auth").await, 0);
}
