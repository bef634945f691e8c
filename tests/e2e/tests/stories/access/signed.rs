//! Services that check signed access tokens by themselves: a real one, with another library than signs.

use e2e::{Counterparty, Portcullis};
use serde_json::{Value, json};

use super::{Proxy, block, give};

const ORDERS: &str = "https://orders.example";

/// The page's own settings, and whoever is logged in may give roles.
fn settings() -> String {
    let page = block("toml", "audiences");
    format!("{page}\n{}", super::SETTINGS)
}

async fn issuer(server: &Portcullis) -> String {
    let told = server
        .client()
        .get("/.well-known/oauth-authorization-server")
        .await;
    told.expect(200).at("issuer")
}

/// What a service says to a token.
async fn shown(service: &Counterparty, token: &str) -> (u16, Value) {
    let request = reqwest::Client::new().get(format!("{}/orders", service.address()));
    let answer = request.bearer_auth(token).send().await.expect("it answers");
    (
        answer.status().as_u16(),
        answer.json().await.expect("it answers JSON"),
    )
}

#[tokio::test]
async fn a_service_believes_a_token_for_it_and_no_other() {
    let server = Portcullis::with(&settings()).await;
    let service = Counterparty::orders(&issuer(&server).await).await;
    let client = server.client();
    let ann = client.sign_up("ann").await;
    let session = client.log_in(&ann).await;
    let client = client.with(&session);
    drop(give(&client, &ann, "clerk").await);

    let signed = client
        .post(&ann.of_pool("signToken"), json!({}))
        .await
        .expect(200);
    assert_eq!(signed.at("token_type"), "Bearer");
    let holds = signed.json()["expires_in"].as_u64();
    assert!(
        holds.is_some_and(|seconds| (290..=300).contains(&seconds)),
        "{holds:?}"
    );
    let (status, claims) = shown(&service, &signed.at("access_token")).await;
    assert_eq!(status, 200, "{claims}");
    assert_eq!(
        (&claims["sub"], &claims["pool"]),
        (&json!(ann.id), &json!("Users"))
    );
    assert_eq!(
        (&claims["aud"], &claims["roles"]),
        (&json!(ORDERS), &json!(["clerk"]))
    );
    assert_eq!(
        (&claims["acr"], &claims["amr"]),
        (&json!("aal1"), &json!(["pwd"]))
    );

    let other = json!({ "audience": "https://mail.example" });
    let for_other = client.post(&ann.of_pool("signToken"), other).await.expect(200);
    let (status, said) = shown(&service, &for_other.at("access_token")).await;
    assert_eq!(
        (status, &said["error"]),
        (401, &json!("ERR_JWT_CLAIM_VALIDATION_FAILED"))
    );
    let stranger = json!({ "audience": "https://evil.example" });
    let refused = client.post(&ann.of_pool("signToken"), stranger).await;
    assert_eq!(
        refused.expect(422).json()["error"]["details"]["codes"]["audience"],
        json!(["inclusion"])
    );
    for nobody in ["", &session] {
        assert_eq!(shown(&service, nobody).await.0, 401);
    }
}

#[tokio::test]
async fn a_signed_token_opens_nothing_here_and_none_is_signed_for_strangers() {
    let server = Portcullis::with(&settings()).await;
    let client = server.client();
    let ann = client.sign_up("ann").await;
    let session = client.log_in(&ann).await;
    let me = client.with(&session);
    let signed = me.post(&ann.of_pool("signToken"), json!({})).await.expect(200);
    let signed = signed.at("access_token");
    let with_it = client.with(&signed);
    with_it.get(&ann.path()).await.expect(401).done();
    with_it.get("/auth/check").await.expect(401).done();
    with_it
        .post(&ann.of_pool("signToken"), json!({}))
        .await
        .expect(401)
        .done();
    client
        .post(&ann.of_pool("signToken"), json!({}))
        .await
        .expect(401)
        .done();
    me.post(&ann.of_pool("logout"), json!({}))
        .await
        .expect(204)
        .done();
    me.post(&ann.of_pool("signToken"), json!({}))
        .await
        .expect(401)
        .done();
    for secret in [&session, &signed] {
        assert!(!server.log().text().contains(secret.as_str()));
    }
}

#[tokio::test]
async fn a_proxy_fetches_one_for_the_service_behind_it() {
    let server = Portcullis::with(&settings()).await;
    let service = Counterparty::orders(&issuer(&server).await).await;
    let client = server.client();
    let ann = client.sign_up("ann").await;
    let session = client.log_in(&ann).await;
    let me = client.with(&session);
    let checked = me.get(&format!("/auth/check?jwt={ORDERS}")).await.expect(200);
    let (status, claims) = shown(&service, checked.header("x-user-jwt")).await;
    assert_eq!((status, &claims["sub"]), (200, &json!(ann.id)));
    assert_eq!(me.get("/auth/check").await.expect(200).header("x-user-jwt"), "");
    me.get("/auth/check?jwt=https://evil.example")
        .await
        .expect(400)
        .done();
    client
        .get(&format!("/auth/check?jwt={ORDERS}"))
        .await
        .expect(401)
        .done();
}

#[tokio::test]
async fn behind_nginx_a_service_finds_out_by_itself_in_three_ways() {
    let rules =
        block("toml", "trusted_proxies").replace("[server]\ntrusted_proxies = [\"127.0.0.1/32\"]", "");
    let server = Portcullis::with(&format!("{}\n{rules}", settings())).await;
    let (status, said) = server
        .same_setup()
        .run(&["app", "create", "orders", "--json"])
        .await;
    assert!(status.success(), "{said}");
    let start = said.find('{').expect("JSON");
    let mut told = serde_json::Deserializer::from_str(&said[start..]).into_iter::<Value>();
    let app = told.next().and_then(Result::ok).expect("JSON");
    let text = |place: &str| app.pointer(place).and_then(Value::as_str).expect("a text");
    let known = format!("{}:{}", text("/id"), text("/keys/restApiKey"));
    let service = Counterparty::orders_of(&issuer(&server).await, &known).await;
    let proxy = Proxy::nginx_before(&server, service.port());
    let http = reqwest::Client::new();
    let ask = async |path: &str, headers: &[(&str, &str)]| {
        let mut request = http.get(format!("{}{path}", proxy.address()));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = request.send().await.expect("the proxy answers");
        (
            answer.status().as_u16(),
            answer.json::<Value>().await.unwrap_or_default(),
        )
    };
    let client = server.client();
    let ann = client.sign_up("ann").await;
    let session = client.log_in(&ann).await;
    let me = client.with(&session);
    drop(give(&me, &ann, "clerk").await);
    let hers = [("authorization", session.as_str())];

    let (status, claims) = ask("/signed/orders", &hers).await;
    assert_eq!((status, &claims["sub"]), (200, &json!(ann.id)), "{claims}");
    let (status, worth) = ask("/own/who", &hers).await;
    assert_eq!(
        (status, &worth["sub"], &worth["roles"]),
        (200, &json!(ann.id), &json!(["clerk"]))
    );
    let (status, menu) = ask("/own/menu", &hers).await;
    assert_eq!(
        (status, &menu[0]["permission"], &menu[1]["permission"]),
        (200, &json!("ALLOW"), &json!("ALLOW"))
    );

    let forged = [("x-user-jwt", "e30.e30.e30"), ("authorization", "wrong")];
    assert_eq!(ask("/signed/orders", &forged).await.0, 401);
    assert_eq!(ask("/own/who", &forged).await.0, 401);
    assert_eq!(ask("/own/menu", &forged).await.1[0]["permission"], json!("DENY"));
    let with_both = [("x-user-jwt", "e30.e30.e30"), ("authorization", session.as_str())];
    assert_eq!(
        ask("/signed/orders", &with_both).await.0,
        200,
        "the client's own never arrives"
    );

    me.post(&ann.of_pool("logout"), json!({}))
        .await
        .expect(204)
        .done();
    for path in ["/signed/orders", "/own/who"] {
        assert_eq!(ask(path, &hers).await.0, 401, "{path}");
    }
}

#[tokio::test]
async fn keys_rotate_while_serving_and_what_was_signed_before_is_believed_until_they_are_forgotten() {
    let setup = Portcullis::setup().config(&settings());
    let server = setup.start().await;
    let service = Counterparty::orders(&issuer(&server).await).await;
    let client = server.client();
    let ann = client.sign_up("ann").await;
    let me = client.with(&client.log_in(&ann).await);
    let sign = async || {
        let signed = me.post(&ann.of_pool("signToken"), json!({})).await;
        signed.expect(200).at("access_token")
    };
    let before = sign().await;
    assert_eq!(shown(&service, &before).await.0, 200);
    let (status, said) = setup.run(&["keys", "rotate"]).await;
    assert!(status.success(), "{said}");
    let after = sign().await;
    assert_eq!(
        shown(&service, &after).await.0,
        200,
        "it asks for the key that it does not know"
    );
    assert_eq!(shown(&service, &before).await.0, 200);
    let keys = client.get("/.well-known/jwks.json").await.expect(200);
    assert_eq!(keys.header("cache-control"), "public, max-age=300");
    assert_eq!(keys.json()["keys"].as_array().map(Vec::len), Some(2));
    assert_eq!(keys.json()["keys"][0].get("d"), None);
    let (status, said) = setup.run(&["keys", "rotate", "--forget-old"]).await;
    assert!(status.success(), "{said}");
    let keys = client.get("/.well-known/jwks.json").await.expect(200);
    assert_eq!(keys.json()["keys"].as_array().map(Vec::len), Some(1));
    // A service that starts now knows the new key alone.
    let newcomer = Counterparty::orders(&issuer(&server).await).await;
    assert_eq!(shown(&newcomer, &before).await.0, 401);
    assert_eq!(shown(&newcomer, &sign().await).await.0, 200);
}

#[tokio::test]
async fn without_an_audience_there_is_nothing_of_it() {
    let server = Portcullis::start().await;
    let client = server.client();
    let ann = client.sign_up("ann").await;
    let me = client.with(&client.log_in(&ann).await);
    me.post(&ann.of_pool("signToken"), json!({}))
        .await
        .expect(404)
        .done();
    for path in [
        "/.well-known/jwks.json",
        "/.well-known/oauth-authorization-server",
    ] {
        client.get(path).await.expect(404).done();
    }
    me.get(&format!("/auth/check?jwt={ORDERS}"))
        .await
        .expect(400)
        .done();
}
