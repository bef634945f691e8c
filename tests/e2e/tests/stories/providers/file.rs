//! `providers.json` itself: entries of every kind, edited while the server runs, judged before it starts.

use std::time::{Duration, Instant};

use e2e::{Counterparty, PASSWORD, Portcullis};
use serde_json::{Value, json};

use super::entries::{self, arrive, file, json_entry, panva};

async fn wait_for(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let begun = Instant::now();
    while !is_so().await {
        assert!(begun.elapsed() < Duration::from_secs(20), "{what} did not happen");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn an_edited_file_is_taken_over_or_refused_as_a_whole() {
    let party = Counterparty::panva().await;
    let server = entries::server(file([("one", json_entry(panva(&party, "web")))])).await;
    let place = server.home().join("providers.json");
    let first = arrive(&server, "one").await;
    let two = file([("two", json_entry(panva(&party, "other")))]);
    std::fs::write(&place, two.to_string()).unwrap();
    wait_for("the new entry", async || {
        server.client().get("/auth/two").await.status == 302
    })
    .await;
    assert_eq!(server.client().get("/auth/one").await.status, 404);
    assert_eq!(arrive(&server, "two").await.user, first.user);

    // One fault anywhere, and everything stays as it was; the log says why.
    for broken in [
        "{",
        r#"{"three": {"module": "passport-openidconnect", "clientID": "x"}}"#,
        "[]",
    ] {
        let lines = server.log().lines().len();
        std::fs::write(&place, broken).unwrap();
        server
            .log()
            .wait("a refusal", lines, |line| {
                (line.contains("providers.json") && (line.contains("WARN") || line.contains("ERROR")))
                    .then_some(())
            })
            .await;
        assert_eq!(arrive(&server, "two").await.user, first.user);
    }
    assert!(!server.log().text().contains("other-secret"));
}

#[tokio::test]
async fn a_faulty_file_starts_nothing_and_says_which_entry_and_what_to_do() {
    let faulty = file([
        (
            "plain",
            json!({ "module": "passport-openidconnect", "issuer": "http://accounts.example", "clientID": "a", "clientSecret": "b" }),
        ),
        ("bare", json!({ "module": "passport-github", "clientID": "a" })),
        ("saml", json!({ "module": "passport-saml" })),
        (
            "typo",
            json!({ "module": "passport-github", "clientID": "a", "clientSecret": "b", "calbackURL": "/x" }),
        ),
    ]);
    let setup = Portcullis::setup().providers(&faulty);
    for arguments in [&["check-config"][..], &["serve"]] {
        let (status, said) = setup.run(arguments).await;
        assert!(!status.success(), "{arguments:?}: {said}");
        for word in ["`plain`", "`bare`", "`saml`", "https", "clientSecret"] {
            assert!(said.contains(word), "no {word} in {said}");
        }
    }
    let (_, said) = setup.run(&["check-config"]).await;
    assert!(
        said.contains("calbackURL") && said.contains("callbackURL"),
        "{said}"
    );
}

#[tokio::test]
async fn secrets_come_from_the_environment_and_from_files() {
    let party = Counterparty::panva().await;
    let (mut by_name, mut by_file) = (
        json_entry(panva(&party, "web")),
        json_entry(panva(&party, "other")),
    );
    by_name["clientSecret"] = "${PANVA_SECRET}".into();
    by_file.as_object_mut().unwrap().remove("clientSecret");
    by_file["clientSecret_file"] = "other.secret".into();
    let setup = Portcullis::setup().variable("PANVA_SECRET", "web-secret");
    let setup = setup.providers(&file([("by-name", by_name), ("by-file", by_file)]));
    std::fs::write(setup.home().join("other.secret"), "other-secret\n").unwrap();
    let server = setup.start().await;
    assert_eq!(
        arrive(&server, "by-name").await.user,
        arrive(&server, "by-file").await.user
    );
}

#[tokio::test]
async fn a_local_entry_logs_in_by_form_and_by_json_at_its_own_path() {
    let entry = |more: Value| {
        let base = json!({ "module": "passport-local", "usernameField": "who", "passwordField": "word" });
        entries::with(base, &more)
    };
    let server = entries::server(file([
        ("local", entry(json!({ "authPath": "/auth/local", "successRedirect": "/account", "failureRedirect": "/login?failed=1" }))),
        ("token", entry(json!({ "authPath": "/auth/token", "setAccessToken": true, "json": true }))),
    ]))
    .await;
    let ann = server.client().sign_up("ann").await;
    let mut browser = server.browser();
    browser.open(&server.at("/auth/local")).await.done();
    let page = browser
        .post(
            "/auth/local",
            &[("who", &ann.email), ("word", "not this one at all")],
        )
        .await;
    assert!(!browser.is_logged_in(), "{}", page.url);
    let page = browser
        .post("/auth/local", &[("who", &ann.email), ("word", PASSWORD)])
        .await
        .expect(200);
    assert_eq!(page.path(), "/account");
    assert!(browser.is_logged_in());
    // Another site cannot log its visitors in as somebody of its choice.
    let victim = server.browser();
    let fields = [("who", ann.email.as_str()), ("word", PASSWORD)];
    let reply = victim
        .post_from("https://evil.example/", &server.at("/auth/local"), &fields)
        .await;
    assert!(reply.status == 403 && !victim.is_logged_in(), "{}", reply.text);

    let client = server.client();
    let token = client
        .post("/auth/token", json!({ "who": ann.email, "word": PASSWORD }))
        .await
        .expect(200);
    assert!(client.opens(&token.at("access_token"), &ann).await);
    client
        .post("/auth/token", json!({ "who": ann.email, "word": "x" }))
        .await
        .refused(401, "LOGIN_FAILED");
    client
        .post("/auth/token", json!({ "word": "x" }))
        .await
        .refused(400, "USERNAME_EMAIL_REQUIRED");
    assert_eq!(
        client
            .post("/auth/token", json!({ "who": { "gt": "" }, "word": "x" }))
            .await
            .status,
        400
    );
}
