//! Bodies: whatever comes, the answer is clear, small and never a fault of ours.

use std::time::{Duration, Instant};

use e2e::{PASSWORD, Portcullis};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// Sends bytes as they are and reads until the server closes or says nothing for a second.
pub async fn raw(server: &Portcullis, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", server.port())).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    let mut answer = Vec::new();
    let mut chunk = [0; 4096];
    while let Ok(Ok(read)) = tokio::time::timeout(Duration::from_secs(1), stream.read(&mut chunk)).await {
        if read == 0 {
            break;
        }
        answer.extend_from_slice(&chunk[..read]);
    }
    String::from_utf8_lossy(&answer).into_owned()
}

/// The server still does its work.
pub async fn is_well(server: &Portcullis, name: &str) {
    let client = server.client();
    let person = client.sign_up(name).await;
    let token = client.log_in(&person).await;
    assert!(client.opens(&token, &person).await);
}

#[tokio::test]
async fn a_body_too_large_is_413_at_once() {
    let server = Portcullis::start().await;
    let client = server.client();
    let body = json!({ "email": "ann@example.com", "password": "x".repeat(409_600) });
    let begun = Instant::now();
    let sized = client.post("/api/Users", body).await.expect(413);
    assert_eq!(
        (sized.json()["error"]["name"].as_str(), sized.message().as_str()),
        (Some("PayloadTooLargeError"), "request entity too large")
    );
    let announced = raw(&server, b"POST /api/Users/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1073741824\r\n\r\n").await;
    assert!(announced.starts_with("HTTP/1.1 413 "), "{announced}");
    let mut chunked = b"POST /api/Users/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
    for _ in 0..30 {
        chunked.extend_from_slice(b"1388\r\n");
        chunked.extend_from_slice(&[b' '; 5000]);
        chunked.extend_from_slice(b"\r\n");
    }
    let answer = raw(&server, &chunked).await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    assert!(begun.elapsed() < Duration::from_secs(10));
    is_well(&server, "bob").await;
}

#[tokio::test]
async fn what_is_no_json_is_400_and_opens_nothing() {
    let server = Portcullis::start().await;
    let client = server.client();
    let ann = client.sign_up("ann").await;
    let good = json!({ "email": ann.email, "password": PASSWORD }).to_string();
    let odd: Vec<Vec<u8>> = vec![
        b"{".to_vec(),
        b"nonsense".to_vec(),
        format!("{good}{good}").into_bytes(),
        format!("{good},").into_bytes(),
        format!("{good} // a comment").into_bytes(),
        format!("/* a comment */{good}").into_bytes(),
        format!("\u{feff}{good}").into_bytes(),
        good.replace('}', ",}").into_bytes(),
        good.replace('"', "'").into_bytes(),
        good.replace('}', ",\"ttl\":NaN}").into_bytes(),
        good.replace('}', ",\"ttl\":0x10}").into_bytes(),
        good.replace('}', ",\"email\":\"eve@example.com\"}").into_bytes(),
        good.replace('}', ",\"a\":{\"b\":1,\"b\":2}}").into_bytes(),
        good.replace("ann@", "ann\n@").into_bytes(),
        [
            b"{\"email\":\"\xff\xfe\",\"password\":\"".as_slice(),
            PASSWORD.as_bytes(),
            b"\"}",
        ]
        .concat(),
        "[".repeat(100_000).into_bytes(),
        "{\"a\":".repeat(20_000).into_bytes(),
        format!("{}{}", "[".repeat(40_000), "]".repeat(40_000)).into_bytes(),
        good.replace(
            '}',
            &format!(",\"a\":{}1{}}}", "{\"a\":".repeat(5000), "}".repeat(5000)),
        )
        .into_bytes(),
        [b"\x1f\x8b\x08\x00".as_slice(), good.as_bytes()].concat(),
        good.bytes().flat_map(|byte| [byte, 0]).collect(),
    ];
    for body in odd {
        let shown: String = String::from_utf8_lossy(&body).chars().take(80).collect();
        for path in [
            "/api/Users/login",
            "/api/Users",
            "/api/Users/reset",
            "/api/Users/requestCode",
            "/api/Users/loginWithCode",
        ] {
            let reply = client.post_raw(path, body.clone()).await;
            assert_eq!(reply.status, 400, "{path} {shown}: {}", reply.text);
            assert!(
                reply.text.len() < 1000 && !reply.text.contains(PASSWORD),
                "{}",
                reply.text
            );
        }
    }
    is_well(&server, "bob").await;
}

#[tokio::test]
async fn other_types_than_json_and_forms_are_415() {
    let server = Portcullis::start().await;
    let client = server.client();
    let ann = client.sign_up("ann").await;
    let good = json!({ "email": ann.email, "password": PASSWORD }).to_string();
    for kind in [
        "text/plain",
        "text/plain;charset=utf-8",
        "multipart/form-data; boundary=x",
        "application/xml",
        "text/xml",
        "text/json",
        "application/octet-stream",
        "application/jsonp",
        "application/vnd.api+json",
        "application/javascript",
        "*/*",
        "json",
        "application/json; charset=utf-16",
        "application/x-www-form-urlencoded; charset=latin1",
        "application/ json",
    ] {
        for path in ["/api/Users/login", "/api/Users"] {
            let request = client.request("POST", path).header("Content-Type", kind);
            let reply = client.send(request.body(good.clone())).await;
            assert_eq!(reply.status, 415, "{kind}: {}", reply.text);
        }
    }
    let xml = r#"<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>"#;
    let reply = client
        .send(
            client
                .request("POST", "/api/Users/login")
                .header("Content-Type", "application/xml")
                .body(xml),
        )
        .await;
    assert_eq!(reply.status, 415);
    let without = client
        .send(client.request("POST", "/api/Users/login").body(good.clone()))
        .await;
    assert_eq!(without.status, 415, "a body without a type is no JSON");
    for coding in ["gzip", "deflate", "br", "zstd", "gzip, gzip"] {
        let request = client
            .request("POST", "/api/Users/login")
            .header("Content-Encoding", coding);
        let packed = client
            .send(
                request
                    .header("Content-Type", "application/json")
                    .body(good.clone()),
            )
            .await;
        assert_eq!(packed.status, 415, "{coding}: {}", packed.text);
    }
    for kind in ["application/json", "Application/JSON; Charset=UTF-8"] {
        let request = client
            .request("POST", "/api/Users/login")
            .header("Content-Type", kind);
        client.send(request.body(good.clone())).await.expect(200).done();
    }
}

/// Every place that takes a body, with the properties it knows.
const PLACES: &[(&str, &str, &[&str])] = &[
    (
        "POST",
        "/api/Users",
        &[
            "email",
            "username",
            "password",
            "phone",
            "mobile",
            "realm",
            "id",
            "emailVerified",
            "verificationToken",
        ],
    ),
    (
        "POST",
        "/api/Users/login",
        &["email", "username", "password", "realm", "ttl"],
    ),
    ("POST", "/api/Users/logout", &["access_token"]),
    (
        "POST",
        "/api/Users/requestCode",
        &["email", "username", "password", "realm"],
    ),
    (
        "POST",
        "/api/Users/loginWithCode",
        &["email", "username", "realm", "twofactor", "code", "challenge"],
    ),
    (
        "PATCH",
        "/api/Users/me",
        &[
            "email",
            "username",
            "password",
            "currentPassword",
            "phone",
            "mobile",
            "realm",
            "id",
        ],
    ),
    (
        "PUT",
        "/api/Users/me",
        &[
            "email",
            "username",
            "password",
            "currentPassword",
            "phone",
            "mobile",
            "realm",
            "id",
        ],
    ),
    ("POST", "/api/Users/me/replace", &["email", "password", "id"]),
    ("POST", "/api/Users/me/verify", &["uid", "token"]),
    ("POST", "/api/Users/reset", &["email", "realm", "password"]),
    (
        "POST",
        "/api/Users/change-password",
        &["oldPassword", "newPassword"],
    ),
    ("POST", "/api/Users/reset-password", &["newPassword"]),
    ("POST", "/api/Users/me/phone/send-code", &["phone"]),
    ("POST", "/api/Users/me/phone/confirm", &["code", "twofactor"]),
];

#[tokio::test]
async fn no_type_in_any_known_property_is_a_fault_of_ours() {
    let server = Portcullis::start().await;
    let client = server.client();
    let ann = client.sign_up("ann").await;
    let values = [
        json!(null),
        json!(true),
        json!(false),
        json!(0),
        json!(-1),
        json!(1.5),
        json!(1e308),
        json!(u64::MAX),
        json!(""),
        json!(" "),
        json!("\u{0}"),
        json!("x"),
        json!("x".repeat(9000)),
        json!([]),
        json!([1]),
        json!(["x"]),
        json!([[]]),
        json!({}),
        json!({ "a": 1 }),
        json!({ "inq": ["x"] }),
        json!({ "$gt": "" }),
        json!({ "toString": 1 }),
        json!("' OR '1'='1"),
        json!("${jndi:ldap://127.0.0.1/a}"),
        json!("{{7*7}}"),
        json!("../../etc/passwd"),
        json!("\r\nX: y"),
        json!("__proto__"),
    ];
    for (method, path, properties) in PLACES {
        let me = client.with(&client.log_in(&ann).await);
        for property in *properties {
            for value in &values {
                let mut body = json!({ "email": "other@example.com", "password": "something else" });
                body[*property] = value.clone();
                let reply = me.send(me.request(method, path).json(&body)).await;
                assert!(
                    reply.status < 500,
                    "{method} {path} {property}={value}: {} {}",
                    reply.status,
                    reply.text
                );
                let error = reply.json()["error"].clone();
                assert!(
                    reply.status < 400 || error["statusCode"] == reply.status,
                    "{method} {path} {property}={value}: {}",
                    reply.text
                );
            }
        }
    }
    is_well(&server, "bob").await;
}

#[tokio::test]
async fn no_odd_query_or_id_is_a_fault_of_ours() {
    let server = Portcullis::start().await;
    let client = server.client();
    let ann = client.sign_up("ann").await;
    let me = client.with(&client.log_in(&ann).await);
    let odd = [
        "%00",
        "%ff",
        "%c3%28",
        "%",
        "%zz",
        "..%2f..%2fetc%2fpasswd",
        "'%20OR%201=1",
        "__proto__",
        "constructor",
        "null",
        "undefined",
        "-1",
        "0",
        "1e9",
        "%7B%22neq%22:%22%22%7D",
        "me%00",
        "🦀",
    ];
    for text in odd {
        for path in [
            format!("/api/Users/{text}"),
            format!("/api/Users/{text}/verify"),
            format!("/{text}"),
            format!("/api/{text}"),
        ] {
            for method in ["GET", "POST", "PATCH", "DELETE", "HEAD"] {
                let reply = me.send(me.request(method, &path).json(&json!({}))).await;
                assert!(reply.status < 500, "{method} {path}: {}", reply.text);
            }
        }
        for name in [
            "filter",
            "filter[fields]",
            "filter[where][a]",
            "filter[fields][0][x]",
            "include",
            "access_token",
            "uid",
            "token",
            "redirect",
            "_format",
            "a[b][c][d]",
        ] {
            for path in [
                "/api/Users/me",
                "/api/Users/confirm",
                "/login",
                "/reset",
                "/verify",
                "/",
            ] {
                let reply = me.get(&format!("{path}?{name}={text}&{name}={text}")).await;
                assert!(reply.status < 500, "{path} {name}={text}: {}", reply.text);
            }
        }
    }
    let broken = me.get("/api/Users/me?filter={\"where\":{\"$where\":\"while(1){}\"},\"limit\":1e99,\"regexp\":\"(a%2B)%2B$\"}").await;
    assert!(broken.status < 500);
    is_well(&server, "bob").await;
}

#[tokio::test]
async fn many_keys_are_read_in_time() {
    let server = Portcullis::start().await;
    let client = server.client();
    let begun = Instant::now();
    let keys: serde_json::Map<String, Value> = (0..7000).map(|n| (format!("k{n}"), json!(1))).collect();
    let reply = client.post("/api/Users/login", Value::Object(keys)).await;
    assert_eq!(reply.status, 400);
    let form = (0..12_000)
        .map(|n| format!("k{n}=1"))
        .collect::<Vec<_>>()
        .join("&");
    let request = client
        .request("POST", "/api/Users/login")
        .header("Content-Type", "application/x-www-form-urlencoded");
    assert!(matches!(client.send(request.body(form)).await.status, 400 | 413));
    // Linear work takes milliseconds, quadratic work minutes.
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
}
