//! `/api/Applications/{id}/credentials`: an application's own clients, and ways begun in its name.

use domain::application::{ApplicationDetails, KeyType};
use domain::audit::Actor;
use serde_json::{Value, json};

use crate::browser::Browser;
use crate::external::sent;
use crate::site::{Answer, Site};

/// An application of the site.
struct App {
    id: String,
    keys: Vec<(KeyType, String)>,
}

impl App {
    async fn made(site: &Site, name: &str) -> Self {
        let (application, keys) = site
            .services
            .create_application(name, ApplicationDetails::default(), &Actor::Operator)
            .await
            .unwrap();
        let keys = keys.each().map(|(kind, key)| (kind, key.expose().to_owned()));
        Self {
            id: application.id.to_string(),
            keys: keys.collect(),
        }
    }

    fn key(&self, kind: KeyType) -> &str {
        &self.keys.iter().find(|(known, _)| *known == kind).unwrap().1
    }

    async fn call(&self, site: &Site, method: &str, below: &str, kind: KeyType, body: Value) -> Answer {
        let request = site
            .ask(method, &format!("/Applications/{}/credentials{below}", self.id))
            .header("x-application-id", &self.id)
            .header("x-application-key", self.key(kind));
        Site::answer(request.json(&body)).await
    }
}

fn client(id: &str) -> Value {
    json!({"clientID": id, "clientSecret": "a secret of its own", "authScheme": "oAuth 2.0"})
}

#[tokio::test]
async fn the_master_key_sets_reads_and_removes_and_no_answer_holds_the_secret() {
    let site = Site::open().await;
    let app = App::made(&site, "shop").await;
    let master = KeyType::MasterKey;
    let set = app
        .call(&site, "PUT", "/facebook", master, client("shop-at-facebook"))
        .await
        .ok();
    assert_eq!(set.body["credentials"], json!({"clientID": "shop-at-facebook"}));
    assert_eq!(
        (&set.body["provider"], &set.body["appId"]),
        (&json!("facebook"), &json!(app.id))
    );
    let nested = json!({"authScheme": "oauth", "credentials": {"consumerKey": "ck", "consumerSecret": "a secret of its own"}});
    let set = app.call(&site, "PUT", "/twitter", master, nested).await.ok();
    assert_eq!(set.body["credentials"], json!({"consumerKey": "ck"}));
    let all = app.call(&site, "GET", "", master, json!({})).await.ok();
    assert_eq!(all.body.as_array().unwrap().len(), 2);
    assert!(!all.text.contains("a secret of its own"));
    app.call(&site, "GET", "/facebook", master, json!({})).await.ok();
    app.call(&site, "DELETE", "/facebook", master, json!({}))
        .await
        .void();
    app.call(&site, "DELETE", "/facebook", master, json!({}))
        .await
        .is(404, "MODEL_NOT_FOUND");
}

#[tokio::test]
async fn no_other_key_and_no_other_application_gets_in() {
    let site = Site::open().await;
    let (app, other) = (App::made(&site, "shop").await, App::made(&site, "other").await);
    for kind in [
        KeyType::ClientKey,
        KeyType::JavaScriptKey,
        KeyType::RestApiKey,
        KeyType::WindowsKey,
    ] {
        app.call(&site, "GET", "", kind, json!({}))
            .await
            .is(401, "APPLICATION_REFUSED");
    }
    let path = format!("/Applications/{}/credentials", app.id);
    let with = |id: &str, key: &str| {
        site.ask("GET", &path)
            .header("x-application-id", id)
            .header("x-application-key", key)
    };
    for request in [
        with(&other.id, other.key(KeyType::MasterKey)),
        with(&app.id, other.key(KeyType::MasterKey)),
        with("", ""),
        site.ask("GET", &path),
    ] {
        Site::answer(request).await.is(401, "APPLICATION_REFUSED");
    }
    for (method, path) in [
        ("POST", "/Applications"),
        ("GET", "/Applications"),
        ("GET", "/Applications/x"),
        ("POST", "/Applications/register"),
        ("POST", "/Applications/x/resetKeys"),
    ] {
        // Not even for an application's own master key.
        let request = site
            .ask(method, path)
            .header("x-application-id", &app.id)
            .header("x-application-key", app.key(KeyType::MasterKey));
        Site::answer(request).await.is(401, "AUTHORIZATION_REQUIRED");
    }
}

#[tokio::test]
async fn odd_clients_are_refused() {
    let site = Site::open().await;
    let app = App::made(&site, "shop").await;
    for odd in [
        json!({}),
        json!({"clientID": ""}),
        json!({"clientID": {"neq": 1}}),
        json!({"clientID": "a\r\nb"}),
        json!({"clientID": "x".repeat(3000)}),
        json!({"clientID": "a", "callbackURL": "javascript:alert(1)"}),
        json!({"clientID": "a", "callbackURL": "http://app.example/back"}),
        json!({"clientID": "a", "callbackURL": "https://ann@app.example/back"}),
        json!({"clientID": "a", "callbackURL": "https://app.example/back#part"}),
        json!({"credentials": "x"}),
    ] {
        let answer = app
            .call(&site, "PUT", "/facebook", KeyType::MasterKey, odd.clone())
            .await;
        assert_eq!(answer.status, 400, "{odd}");
    }
    for odd in ["/a%00b", "/a%0Ab", &format!("/{}", "x".repeat(101))] {
        let sent = client("a");
        let answer = app.call(&site, "PUT", odd, KeyType::MasterKey, sent).await;
        assert_eq!(answer.status, 400, "{odd}");
    }
}

#[tokio::test]
async fn an_application_keeps_no_endless_number_of_clients() {
    let site = Site::open().await;
    let app = App::made(&site, "shop").await;
    let set = async |name: String| {
        let sent = client("a");
        app.call(&site, "PUT", &name, KeyType::MasterKey, sent)
            .await
            .status
    };
    for number in 0..50 {
        assert_eq!(set(format!("/p{number}")).await, 200);
    }
    assert_eq!(set("/one-more".to_owned()).await, 400);
    assert_eq!(set("/p7".to_owned()).await, 200, "an older one may change");
}

#[tokio::test]
async fn two_applications_use_their_own_clients_at_one_provider_and_others_the_entrys() {
    let site = Site::open().await;
    let browser = Browser::new(&site);
    for name in ["shop", "forum"] {
        let app = App::made(&site, name).await;
        let id = format!("{name}-at-facebook");
        app.call(&site, "PUT", "/facebook", KeyType::MasterKey, client(&id))
            .await
            .ok();
        let request = browser
            .request("GET", "/auth/facebook")
            .header("x-application-id", &app.id)
            .header("x-application-key", app.key(KeyType::RestApiKey));
        assert_eq!(sent(&browser.send(request).await.is(302), "client_id"), id);
        let by_address = format!(
            "/auth/facebook?application_id={}&application_key={}",
            app.id,
            app.key(KeyType::ClientKey)
        );
        assert_eq!(sent(&browser.get(&by_address).await.is(302), "client_id"), id);
        let other = format!(
            "/auth/google?application_id={}&application_key={}",
            app.id,
            app.key(KeyType::ClientKey)
        );
        assert_eq!(
            sent(&browser.get(&other).await.is(302), "client_id"),
            "client-of-google-login"
        );
    }
    let page = browser.get("/auth/facebook").await.is(302);
    assert_eq!(sent(&page, "client_id"), "client-of-facebook-login");
}

#[tokio::test]
async fn a_secret_key_in_an_address_is_refused_and_a_wrong_one_too() {
    let site = Site::open().await;
    let app = App::made(&site, "shop").await;
    let by_address = |key: &str| format!("/auth/facebook?application_id={}&application_key={key}", app.id);
    for kind in [KeyType::RestApiKey, KeyType::MasterKey] {
        let answer = Site::answer(site.ask_site("GET", &by_address(app.key(kind))))
            .await
            .is(400, "");
        assert!(answer.message().contains("X-Application-Key"), "{}", answer.text);
        assert!(!answer.text.contains(app.key(kind)));
    }
    Site::answer(site.ask_site("GET", &by_address("wrong")))
        .await
        .is(401, "APPLICATION_REFUSED");
    Site::answer(site.ask_site("GET", "/auth/facebook?application_key=x"))
        .await
        .is(401, "APPLICATION_REFUSED");
}
