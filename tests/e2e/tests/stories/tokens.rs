//! Access tokens: how they are shown, how long they live, what they open.

use std::collections::BTreeSet;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use e2e::{Client, PASSWORD, Person, Portcullis, Reply};
use serde_json::{Value, json};

async fn log_in_with(client: &Client, person: &Person, ttl: Value) -> Reply {
    client
        .post(
            "/api/Users/login",
            json!({ "email": person.email, "password": PASSWORD, "ttl": ttl }),
        )
        .await
}

async fn shown(client: &Client, person: &Person, name: &str, value: &str) -> u16 {
    client
        .send(client.request("GET", &person.path()).header(name, value))
        .await
        .status
}

#[tokio::test]
async fn every_presentation_of_a_token_opens_the_record() {
    let server = Portcullis::start().await;
    let client = server.client();
    let ann = client.sign_up("ann").await;
    let token = client.log_in(&ann).await;
    let base64 = STANDARD.encode(&token);
    let unpadded = STANDARD_NO_PAD.encode(&token);
    for (name, value) in [
        ("Authorization", token.clone()),
        ("Authorization", format!("Bearer {token}")),
        ("Authorization", format!("Bearer {base64}")),
        ("Authorization", format!("Bearer {unpadded}")),
        (
            "Authorization",
            format!("Basic {}", STANDARD.encode(format!(":{token}"))),
        ),
        (
            "Authorization",
            format!("Basic {}", STANDARD.encode(format!("{token}:"))),
        ),
        (
            "Authorization",
            format!("Basic {}", STANDARD.encode(format!("ann:{token}"))),
        ),
        ("X-Access-Token", token.clone()),
        ("Cookie", format!("access_token={token}")),
        (
            "Cookie",
            format!("other=1; access_token=s%3A{token}.c2lnbmF0dXJl"),
        ),
        ("Cookie", format!("authorization={token}")),
    ] {
        assert_eq!(shown(&client, &ann, name, &value).await, 200, "{name}: {value}");
    }
    client
        .get(&format!("{}?access_token={token}", ann.path()))
        .await
        .expect(200)
        .done();
}

#[tokio::test]
async fn odd_tokens_open_nothing() {
    let server = Portcullis::start().await;
    let client = server.client();
    let ann = client.sign_up("ann").await;
    let token = client.log_in(&ann).await;
    let reversed: String = token.chars().rev().collect();
    let other_case: String = token
        .chars()
        .map(|c| {
            if c.is_ascii_lowercase() {
                c.to_ascii_uppercase()
            } else {
                c.to_ascii_lowercase()
            }
        })
        .collect();
    for odd in [
        &token[..63],
        &format!("{token}x"),
        &format!("{token} {token}"),
        &reversed,
        &other_case,
        "null",
        "undefined",
        "*",
        "%",
        "0",
        "true",
        "{\"neq\":\"\"}",
        "' OR 1=1 --",
        &"A".repeat(64),
        &"A".repeat(5000),
        "Negotiate YII=",
        &format!("Token {token}"),
        "Basic",
        "Bearer",
        "Bearer ",
        "Basic ====",
    ] {
        assert_eq!(shown(&client, &ann, "Authorization", odd).await, 401, "{odd}");
        assert_eq!(shown(&client, &ann, "X-Access-Token", odd).await, 401, "{odd}");
    }
}

#[tokio::test]
async fn tokens_in_odd_places_open_nothing() {
    let server = Portcullis::start().await;
    let client = server.client();
    let ann = client.sign_up("ann").await;
    let token = client.log_in(&ann).await;
    for (name, value) in [
        ("X-User-Id", ann.id.as_str()),
        ("X-Remote-User", ann.email.as_str()),
        ("X_User_Id", ann.id.as_str()),
        ("X-Forwarded-User", ann.email.as_str()),
        ("User-Agent", "kube-probe/1.0"),
        ("Cookie", &format!("token={token}")),
        ("Cookie", &format!("portcullis-pending={token}")),
        ("X-Auth-Token", &token),
    ] {
        assert_eq!(shown(&client, &ann, name, value).await, 401, "{name}: {value}");
    }
    let twice = client
        .request("GET", &ann.path())
        .header("Authorization", &token)
        .header("Authorization", &token);
    client.send(twice).await.expect(401).done();
    client
        .get(&format!(
            "{}?access_token={token}&access_token={token}",
            ann.path()
        ))
        .await
        .expect(401)
        .done();
    client
        .get(&format!("{}?access_token[]={token}", ann.path()))
        .await
        .expect(401)
        .done();
    let in_body = client
        .request("PATCH", &ann.path())
        .json(&json!({ "access_token": token, "a": 1 }));
    client.send(in_body).await.expect(401).done();
}

#[tokio::test]
async fn the_query_token_can_be_switched_off() {
    let server = Portcullis::with("[server]\nquery_token = false").await;
    let client = server.client();
    let ann = client.sign_up("ann").await;
    let token = client.log_in(&ann).await;
    client
        .get(&format!("{}?access_token={token}", ann.path()))
        .await
        .expect(401)
        .done();
    assert!(client.opens(&token, &ann).await);
}

#[tokio::test]
async fn a_cookie_changes_nothing_for_another_site() {
    let server = Portcullis::start().await;
    let client = server.client();
    let ann = client.sign_up("ann").await;
    let token = client.log_in(&ann).await;
    let send = async |method: &str, path: &str, headers: &[(&str, &str)]| {
        let mut request = client
            .request(method, path)
            .header("Cookie", format!("access_token={token}"))
            .json(&json!({ "a": 1 }));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        client.send(request).await.status
    };
    for headers in [
        [
            ("Origin", "https://evil.example"),
            ("Sec-Fetch-Site", "cross-site"),
        ]
        .as_slice(),
        &[("Origin", "null")],
        &[("Origin", "https://evil.example")],
        &[("Sec-Fetch-Site", "same-site")],
        &[("Sec-Fetch-Site", "cross-site")],
    ] {
        assert_eq!(send("PATCH", &ann.path(), headers).await, 401, "{headers:?}");
        assert_eq!(
            send("POST", "/api/Users/logout", headers).await,
            401,
            "{headers:?}"
        );
        assert_eq!(send("DELETE", &ann.path(), headers).await, 401, "{headers:?}");
    }
    assert_eq!(
        send("PATCH", &ann.path(), &[("Sec-Fetch-Site", "same-origin")]).await,
        200
    );
    assert_eq!(
        send("POST", "/api/Users/logout", &[]).await,
        204,
        "no browser sends no Origin"
    );
}

#[tokio::test]
async fn a_login_gets_the_life_it_asks_for_within_bounds() {
    let server = Portcullis::start().await;
    let client = server.client();
    let ann = client.sign_up("ann").await;
    for (asked, given) in [
        (json!(10), json!(10)),
        (json!("20"), json!(20)),
        (json!(1.5), json!(1.5)),
        (json!(0), json!(1_209_600)),
        (json!(null), json!(1_209_600)),
        (json!(1e9), json!(31_556_926)),
        (json!(1e12), json!(31_556_926)),
        (json!("9".repeat(40)), json!(31_556_926)),
        (json!(1e308), json!(31_556_926)),
    ] {
        let token = log_in_with(&client, &ann, asked.clone()).await.expect(200).json();
        assert_eq!(token["ttl"], given, "{asked}");
        assert!(client.opens(token["id"].as_str().unwrap(), &ann).await);
    }
    for refused in [
        json!(-1),
        json!(-5),
        json!("abc"),
        json!(["a"]),
        json!({ "id": "chosen", "created": "2099-01-01" }),
        json!(true),
        json!("NaN"),
        json!("Infinity"),
    ] {
        log_in_with(&client, &ann, refused.clone())
            .await
            .refused(400, "INVALID_TTL");
    }
    client.log_in(&ann).await;
}

#[tokio::test]
async fn an_eternal_token_is_given_only_where_the_pool_allows_it() {
    let server =
        Portcullis::with("[users.Users]\nallow_eternal_tokens = true\nttl = 60\nmax_ttl = 120").await;
    let client = server.client();
    let ann = client.sign_up("ann").await;
    let token = log_in_with(&client, &ann, json!(-1)).await.expect(200).json();
    assert_eq!(token["ttl"], -1);
    assert!(client.opens(token["id"].as_str().unwrap(), &ann).await);
    assert_eq!(
        log_in_with(&client, &ann, json!(null)).await.expect(200).json()["ttl"],
        60
    );
    assert_eq!(
        log_in_with(&client, &ann, json!(9999)).await.expect(200).json()["ttl"],
        120
    );
    log_in_with(&client, &ann, json!(-2))
        .await
        .refused(400, "INVALID_TTL");
}

#[tokio::test]
async fn an_expired_token_says_so_once() {
    let server = Portcullis::start().await;
    let client = server.client();
    let ann = client.sign_up("ann").await;
    let token = log_in_with(&client, &ann, json!(1)).await.expect(200).at("id");
    assert!(client.opens(&token, &ann).await, "using it does not prolong it");
    tokio::time::sleep(Duration::from_millis(1100)).await;
    let first = client.with(&token).get(&ann.path()).await;
    first.refused(401, "INVALID_TOKEN");
    assert_eq!(first.message(), "Invalid Access Token");
    client
        .with(&token)
        .get(&ann.path())
        .await
        .refused(401, "AUTHORIZATION_REQUIRED");
    // Where everyone may come in, an expired token closed the door once as well; now it is like no token.
    client
        .with(&token)
        .post(
            "/api/Users/login",
            json!({ "email": ann.email, "password": PASSWORD }),
        )
        .await
        .expect(200)
        .done();
}

#[tokio::test]
async fn tokens_have_nothing_in_common() {
    let server = Portcullis::start().await;
    let client = server.client();
    let ann = client.sign_up("ann").await;
    let mut seen = BTreeSet::new();
    for _ in 0..24 {
        let token = client.log_in(&ann).await;
        assert!(seen.insert(token[..16].to_owned()) && seen.insert(token[48..].to_owned()));
    }
}

#[tokio::test]
async fn a_read_only_copy_of_the_files_opens_nothing() {
    let mut server = Portcullis::with("[users.Employees]\nsecond_factor = \"required\"").await;
    let client = server.client();
    let ann = client.sign_up("ann").await;
    let token = client.log_in(&ann).await;
    client
        .post("/api/Users/reset", json!({ "email": ann.email }))
        .await
        .expect(204)
        .done();
    let reset = e2e::in_link(&server.console().link(&ann.email, 0).await, "token");
    let eve = client.sign_up_in("Employees", "eve").await;
    let challenge = client
        .post(
            "/api/Employees/requestCode",
            json!({ "email": eve.email, "password": PASSWORD }),
        )
        .await
        .at("challenge");
    server.kill();
    let mut files = Vec::new();
    for entry in std::fs::read_dir(server.home().join("data")).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            files.push((path.clone(), std::fs::read(path).unwrap()));
        }
    }
    let is_copy = files
        .iter()
        .any(|(_, bytes)| bytes.windows(15).any(|window| window == b"ann@example.com"));
    assert_eq!(
        is_copy,
        server.same_setup().keeps_to_its_folder(),
        "the copy is one"
    );
    for secret in [token.as_str(), reset.as_str(), challenge.as_str(), PASSWORD] {
        for (path, bytes) in &files {
            let found = bytes
                .windows(secret.len())
                .any(|window| window == secret.as_bytes());
            assert!(!found, "{secret} stands in {}", path.display());
        }
    }
}

#[tokio::test]
async fn a_deleted_account_leaves_no_session() {
    let server = Portcullis::start().await;
    let client = server.client();
    let ann = client.sign_up("ann").await;
    let (here, there) = (client.log_in(&ann).await, client.log_in(&ann).await);
    let gone = client.with(&here).delete(&ann.path()).await.expect(200);
    assert_eq!(gone.json(), json!({ "count": 1 }));
    assert!(!client.opens(&here, &ann).await && !client.opens(&there, &ann).await);
    assert_eq!(client.try_password(&ann, PASSWORD).await, 401);
    let again = client.sign_up("ann").await;
    assert_ne!(again.id, ann.id);
    client.with(&here).get(&again.path()).await.expect(401).done();
}

#[tokio::test]
async fn the_relations_of_a_user_stay_closed_even_to_the_owner() {
    let server = Portcullis::start().await;
    let client = server.client();
    let ann = client.sign_up("ann").await;
    let token = client.log_in(&ann).await;
    let me = client.with(&token);
    for relation in [
        "accessTokens",
        "accessTokens/count",
        "identities",
        "credentials",
        "roles",
        "accessTokens/x",
    ] {
        for method in ["GET", "POST", "DELETE", "PUT"] {
            // What is linked may be read by its owner; it is written by linking alone.
            if method == "GET" && matches!(relation, "identities" | "credentials") {
                continue;
            }
            let path = format!("{}/{relation}", ann.path());
            let reply = me
                .send(me.request(method, &path).json(&json!({ "id": "planted" })))
                .await;
            assert!(
                matches!(reply.status, 401 | 404 | 405),
                "{method} {path}: {}",
                reply.status
            );
        }
    }
    for path in [
        "/api/AccessTokens",
        "/api/RoleMappings",
        "/api/Roles",
        "/api/ACLs",
        "/api/userIdentities",
        "/api/userCredentials",
        "/api/Applications",
    ] {
        assert!(matches!(me.get(path).await.status, 401 | 404), "{path}");
    }
    assert!(client.opens(&token, &ann).await);
}
