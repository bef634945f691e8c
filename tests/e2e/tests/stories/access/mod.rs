//! Services behind a proxy that asks us first: real ones, set up by the very blocks of docs/GUARDING.md.

mod caddy;
mod nginx;
mod proxy;
mod service;
mod signed;

use e2e::{Client, Person, Portcullis};
use serde_json::{Value, json};

use proxy::Proxy;
use service::Service;

/// Whoever is logged in may give roles here: a test has no administrator to begin with. The rules about orders are the page's own.
const SETTINGS: &str = r#"
[server]
trusted_proxies = ["127.0.0.1/32"]

[[access.acls]]
model = "Role"
principalType = "ROLE"
principalId = "$authenticated"
permission = "ALLOW"

[[access.acls]]
model = "RoleMapping"
principalType = "ROLE"
principalId = "$authenticated"
permission = "ALLOW"
"#;

/// The block of a language that holds some text, of the page.
fn block(language: &str, holds: &str) -> String {
    let page = include_str!("../../../../../docs/GUARDING.md");
    let mut blocks = page.split("\n```").filter_map(|part| part.strip_prefix(language));
    let found = blocks.find(|block| block.contains(holds));
    found.expect("a block of the page").trim_start().to_owned()
}

/// Portcullis, a service, and a proxy before it.
struct Guarded {
    server: Portcullis,
    service: Service,
    proxy: Proxy,
    http: reqwest::Client,
}

impl Guarded {
    async fn behind(proxy: impl FnOnce(&Portcullis, &Service) -> Proxy) -> Self {
        // The page's settings, without what the first lines say already.
        let rules = block("toml", "trusted_proxies").replace("trusted_proxies = [\"127.0.0.1/32\"]", "");
        let rules = rules.replace("[server]", "");
        let server = Portcullis::with(&format!("{SETTINGS}\n{rules}")).await;
        let service = Service::start();
        let proxy = proxy(&server, &service);
        Self {
            server,
            service,
            proxy,
            http: reqwest::Client::new(),
        }
    }

    /// Asks the service through the proxy: the status, and what the service saw if the request came to it.
    async fn ask(&self, path: &str, headers: &[(&str, &str)]) -> (u16, Value) {
        let mut request = self.http.get(format!("{}{path}", self.proxy.address()));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = request.send().await.expect("the proxy answers");
        let status = answer.status().as_u16();
        let text = answer.text().await.expect("a whole answer");
        (status, serde_json::from_str(&text).unwrap_or_default())
    }

    async fn status(&self, path: &str, token: &str) -> u16 {
        self.ask(path, &[("authorization", token)]).await.0
    }

    /// Somebody who is logged in.
    async fn person(&self, name: &str) -> (Person, Client, String) {
        let client = self.server.client();
        let person = client.sign_up(name).await;
        let token = client.log_in(&person).await;
        (person, client.with(&token), token)
    }
}

/// Gives somebody a role, and tells the mapping.
async fn give(client: &Client, person: &Person, role: &str) -> String {
    let made = client
        .post("/api/Roles", json!({ "name": role }))
        .await
        .expect(200);
    let body = json!({"principalType": "USER", "principalId": person.id, "roleId": made.at("id")});
    client.post("/api/RoleMappings", body).await.expect(200).at("id")
}

/// What every proxy must do with who calls, and with who only says so.
async fn the_right_ones_come_through_and_nobody_else(guarded: &Guarded) {
    let (ann, client, token) = guarded.person("ann").await;
    for bad in ["", "wrong", &token[..63]] {
        assert_eq!(guarded.status("/", bad).await, 401, "{bad}");
    }
    assert_eq!(guarded.service.requests(), 0, "nobody came through");
    let (status, seen) = guarded.ask("/some/page?x=1", &[("authorization", &token)]).await;
    assert_eq!(status, 200);
    assert_eq!(
        (&seen["path"], &seen["x-user-id"]),
        (&json!("/some/page?x=1"), &json!([ann.id]))
    );
    assert_eq!(seen["x-user-email"], json!(["ann@example.com"]));
    assert_eq!(seen["x-user-pool"], json!(["Users"]));
    let cookie = format!("access_token={token}");
    let (status, seen) = guarded.ask("/", &[("cookie", &cookie)]).await;
    assert_eq!((status, &seen["x-user-id"]), (200, &json!([ann.id])));
    let forged = [
        ("x-user-id", "1"),
        ("x-user-email", "root@example.com"),
        ("x-user-roles", "admin"),
        ("x-user-pool", "Gods"),
        ("x-user-impersonator", "root"),
        ("x_user_id", "1"),
    ];
    assert_eq!(guarded.ask("/", &forged).await.0, 401);
    let with_token = [&forged[..], &[("authorization", token.as_str())]].concat();
    let (status, seen) = guarded.ask("/", &with_token).await;
    assert_eq!((status, &seen["x-user-id"]), (200, &json!([ann.id])));
    assert_eq!(seen["x-user-email"], json!(["ann@example.com"]));
    assert_eq!(seen["x-user-pool"], json!(["Users"]));
    for unsaid in ["x-user-roles", "x-user-impersonator"] {
        let values = seen[unsaid].as_array().cloned().unwrap_or_default();
        assert!(values.iter().all(|value| value == ""), "{seen}");
    }
    client
        .post(&ann.of_pool("logout"), json!({}))
        .await
        .expect(204)
        .done();
    let before = guarded.service.requests();
    assert_eq!(guarded.status("/", &token).await, 401);
    assert_eq!(guarded.service.requests(), before);
}
