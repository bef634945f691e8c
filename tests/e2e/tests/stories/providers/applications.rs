//! Client applications with clients of their own at a provider.

use e2e::{Counterparty, Portcullis, Reply};
use serde_json::{Value, json};

use super::entries::{self, Arrived, arrived, file, json_entry, panva, parameter};

/// An application made on the command line: its id, its public key, its master key.
struct App {
    id: String,
    key: String,
    master: String,
}

async fn create(server: &Portcullis, name: &str) -> App {
    let (status, said) = server.same_setup().run(&["app", "create", name, "--json"]).await;
    assert!(status.success(), "{said}");
    let json = said.find('{').and_then(|start| {
        serde_json::Deserializer::from_str(&said[start..])
            .into_iter()
            .next()
    });
    let made: Value = json.unwrap().unwrap();
    let text = |names: &[&str]| {
        let places = names.iter().filter_map(|name| made.pointer(name)?.as_str());
        places
            .map(str::to_owned)
            .next()
            .unwrap_or_else(|| unreachable!("{names:?} in {made}"))
    };
    App {
        id: text(&["/id", "/application/id"]),
        key: text(&[
            "/javaScriptKey",
            "/keys/javaScriptKey",
            "/clientKey",
            "/keys/clientKey",
        ]),
        master: text(&["/masterKey", "/keys/masterKey"]),
    }
}

async fn set_client(server: &Portcullis, app: &App, key: &str, client: &str) -> Reply {
    let path = format!("/api/Applications/{}/credentials/panva", app.id);
    let body = json!({ "authScheme": "OpenID Connect", "credentials": {
        "clientID": client, "clientSecret": format!("{client}-secret"),
    } });
    let client = server.client();
    let request = client
        .request("PUT", &path)
        .header("X-Application-Id", &app.id)
        .header("X-Application-Key", key);
    client.send(request.json(&body)).await
}

/// Logs in on behalf of an application; gives the client id that the provider saw.
async fn log_in_for(server: &Portcullis, app: &App) -> (String, Arrived) {
    let mut browser = server.browser().as_program();
    let query = format!("application_id={}&application_key={}", app.id, app.key);
    let page = browser.open(&server.at(&format!("/auth/panva?{query}"))).await;
    let seen = page
        .trail
        .iter()
        .map(|url| parameter(url, "client_id"))
        .find(|id| !id.is_empty());
    (seen.unwrap_or_default(), arrived(&page.reply.expect(200)))
}

#[tokio::test]
async fn two_applications_have_clients_of_their_own_at_one_provider() {
    let party = Counterparty::panva().await;
    let server = entries::server(file([("panva", json_entry(panva(&party, "web")))])).await;
    let (one, two, plain) = (
        create(&server, "One").await,
        create(&server, "Two").await,
        create(&server, "Plain").await,
    );

    // Only the master key of that very application may set it, and nothing of it is shown again.
    set_client(&server, &one, &one.key, "post")
        .await
        .refused(401, "APPLICATION_REFUSED");
    set_client(&server, &one, &two.master, "post")
        .await
        .refused(401, "APPLICATION_REFUSED");
    let set = set_client(&server, &one, &one.master, "other").await.expect(200);
    assert!(!set.text.contains("other-secret"), "{}", set.text);
    let secret = server.home().join("secret");
    std::fs::write(&secret, "short-secret").unwrap();
    let arguments = [
        "app",
        "credential",
        "set",
        &two.id,
        "panva",
        "--client-id",
        "short",
        "--client-secret-file",
        "secret",
    ];
    let (status, said) = server.same_setup().run(&arguments).await;
    assert!(status.success() && !said.contains("short-secret"), "{said}");

    let (seen_one, alice) = log_in_for(&server, &one).await;
    let (seen_two, again) = log_in_for(&server, &two).await;
    let (seen_plain, third) = log_in_for(&server, &plain).await;
    assert_eq!(
        [seen_one.as_str(), &seen_two, &seen_plain],
        ["other", "short", "web"]
    );
    assert_eq!(
        (&again.user, &third.user),
        (&alice.user, &alice.user),
        "it is one account, whoever asks"
    );
    assert_eq!(
        entries::credentials(&server, &alice).await.len(),
        3,
        "one grant of each client"
    );

    wrong_keys_lead_nowhere(&server, &one, &two).await;
    let hidden = ["other-secret", "short-secret", &one.key, &one.master];
    nothing_is_stored_in_clear(&server, &hidden);

    // Taken away, the entry's own client stands in.
    let client = server.client();
    let path = format!("/api/Applications/{}/credentials/panva", one.id);
    let request = client
        .request("DELETE", &path)
        .header("X-Application-Id", &one.id);
    client
        .send(request.header("X-Application-Key", &one.master))
        .await
        .expect(204)
        .done();
    assert_eq!(log_in_for(&server, &one).await.0, "web");
}

/// Unknown applications and wrong keys go nowhere; nor does a secret key in an address.
async fn wrong_keys_lead_nowhere(server: &Portcullis, one: &App, two: &App) {
    let browser = server.browser().as_program();
    for (id, key) in [
        (one.id.as_str(), two.key.as_str()),
        ("nobody", &one.key),
        (&one.id, ""),
    ] {
        let reply = browser
            .peek(&format!("/auth/panva?application_id={id}&application_key={key}"))
            .await;
        reply.refused(401, "APPLICATION_REFUSED");
    }
    let planted = format!(
        "/auth/panva?application_id={}&application_key={}",
        one.id, one.master
    );
    assert_eq!(browser.peek(&planted).await.status, 400);
}

fn nothing_is_stored_in_clear(server: &Portcullis, hidden: &[&str]) {
    for entry in std::fs::read_dir(server.home().join("data")).unwrap().flatten() {
        let bytes = std::fs::read(entry.path()).unwrap_or_default();
        for secret in hidden {
            let found = bytes.windows(secret.len()).any(|part| part == secret.as_bytes());
            assert!(!found, "{secret} in {}", entry.path().display());
        }
    }
}
