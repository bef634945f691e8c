//! Paths, methods and headers.

use e2e::{PASSWORD, Portcullis};
use serde_json::json;

use crate::wire::{is_well, raw};

#[tokio::test]
async fn paths_are_read_as_loopback_reads_them() {
    let server = Portcullis::start().await;
    let client = server.client();
    let ann = client.sign_up("ann").await;
    let token = client.log_in(&ann).await;
    let me = client.with(&token);
    for path in [
        ann.path(),
        format!("{}/", ann.path()),
        format!("/API/users/{}", ann.id),
        format!("/api/USERS/{}/", ann.id),
        "/api/users/me".to_owned(),
    ] {
        me.get(&path).await.expect(200).done();
    }
    let log_in = json!({ "email": ann.email, "password": PASSWORD });
    client.post("/api/users/LOGIN/", log_in).await.expect(200).done();
    for (method, path, message) in [
        (
            "GET",
            "/api/Users/x/y",
            "Shared class \"User\" has no method handling GET /x/y",
        ),
        (
            "DELETE",
            "/api/Users/login/x",
            "Shared class \"User\" has no method handling DELETE /login/x",
        ),
        ("GET", "/api/Nope", "There is no method to handle GET /Nope"),
        ("GET", "/api/Nope/1", "There is no method to handle GET /Nope/1"),
    ] {
        let reply = me.send(me.request(method, path)).await.expect(404);
        assert_eq!(reply.message(), message);
    }
    let outside = client.get("/nope?secret=1").await.expect(404);
    assert!(!outside.text.contains("secret"));
    // An encoded slash is no slash, and dots lead nowhere.
    for path in [
        "/api/Users%2Flogin",
        "/api%2FUsers",
        "/api//Users//login",
        "//api/Users/login",
        "/api/./Users/../Users/login",
        "/api/Users/login;x=1",
        "/api/Users/login%00",
        "/api/Users/login%20",
    ] {
        let reply = raw(&server, format!("POST {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{{}}").as_bytes()).await;
        assert!(
            reply.starts_with("HTTP/1.1 404 ")
                || reply.starts_with("HTTP/1.1 401 ")
                || reply.starts_with("HTTP/1.1 400 "),
            "{path}: {reply}"
        );
    }
}

#[tokio::test]
async fn no_header_changes_the_method_or_the_path() {
    let server = Portcullis::start().await;
    let client = server.client();
    let ann = client.sign_up("ann").await;
    let me = client.with(&client.log_in(&ann).await);
    for name in ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"] {
        me.send(me.request("GET", &ann.path()).header(name, "DELETE"))
            .await
            .expect(200)
            .done();
        me.send(me.request("POST", &ann.path()).header(name, "DELETE"))
            .await
            .expect(404)
            .done();
    }
    for name in ["X-Original-URL", "X-Rewrite-URL"] {
        client
            .send(client.request("GET", "/healthz").header(name, ann.path()))
            .await
            .expect(200)
            .done();
        client
            .send(client.request("GET", &ann.path()).header(name, "/healthz"))
            .await
            .expect(401)
            .done();
    }
    assert_eq!(client.try_password(&ann, PASSWORD).await, 200);
}

#[tokio::test]
async fn head_answers_like_get_without_a_body() {
    let server = Portcullis::start().await;
    let client = server.client();
    for path in ["/healthz", "/login", "/signup", "/"] {
        let (head, get) = (
            client.send(client.request("HEAD", path)).await,
            client.get(path).await,
        );
        assert_eq!((head.status, head.text.as_str()), (get.status, ""), "{path}");
        assert_eq!(head.header("content-type"), get.header("content-type"), "{path}");
    }
}

#[tokio::test]
async fn odd_methods_and_protocols_are_refused_without_an_echo() {
    let server = Portcullis::start().await;
    for method in ["TRACE", "CONNECT", "PROPFIND", "DEBUG", "TRACK", "FOO", "get"] {
        let answer = raw(
            &server,
            format!(
                "{method} /api/Users HTTP/1.1\r\nHost: x\r\nX-Secret: marker\r\nConnection: close\r\n\r\n"
            )
            .as_bytes(),
        )
        .await;
        assert!(answer.starts_with("HTTP/1.1 4"), "{method}: {answer}");
        assert!(!answer.contains("marker"), "{method}: {answer}");
    }
    for bytes in [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".as_slice(),
        &[0; 64],
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET\r\n\r\n",
        b"POST /api/Users/login HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /healthz HTTP/1.1\r\nHost: x\r\n\r\n",
        b"POST /api/Users/login HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nContent-Length: 44\r\n\r\nGET /healthz HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: x\r\n folded: 1\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: x\r\nA\0B: 1\r\n\r\n",
    ] {
        let answer = raw(&server, bytes).await;
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4") || answer.starts_with("HTTP/1.0 4") || answer.starts_with("HTTP/1.1 505"), "{answer}");
        assert!(!answer.contains("\"ok\""), "a second request was served: {answer}");
    }
    is_well(&server, "ann").await;
}

#[tokio::test]
async fn every_answer_carries_its_guards_and_its_name() {
    let server = Portcullis::start().await;
    let client = server.client();
    for path in [
        "/",
        "/healthz",
        "/api/Nope",
        "/api/Users/me",
        "/nope",
        "/login",
        "/signup",
        "/reset",
        "/verify",
        "/two-factor",
        "/account",
    ] {
        let reply = client
            .send(client.request("GET", path).header("Accept", "text/html"))
            .await;
        assert_eq!(reply.header("x-content-type-options"), "nosniff", "{path}");
        // Our addresses may hold tokens: never a path to another site.
        let policy = reply.header("referrer-policy");
        assert!(
            matches!(policy, "no-referrer" | "same-origin" | "strict-origin"),
            "{path}: {policy}"
        );
        assert!(
            reply.header("cache-control").contains("no-store"),
            "{path}: {}",
            reply.header("cache-control")
        );
        assert!(!reply.header("x-request-id").is_empty(), "{path}");
        assert!(
            reply.headers.get("server").is_none() && reply.headers.get("x-powered-by").is_none(),
            "{path}"
        );
        assert!(
            !reply.text.contains("warp") && !reply.text.contains("hyper") && !reply.text.contains(".rs"),
            "{path}"
        );
        if reply.header("content-type").starts_with("text/html") {
            let policy = reply.header("content-security-policy");
            assert!(
                policy.contains("default-src 'none'")
                    && policy.contains("frame-ancestors 'none'")
                    && !policy.contains("unsafe"),
                "{path}: {policy}"
            );
            assert_eq!(reply.header("x-frame-options"), "DENY", "{path}");
            // The one script there is speaks with authenticators, and comes from a file of ours.
            let rest = reply
                .text
                .replace("<script src=\"/assets/passkeys.js\" defer></script>", "");
            assert!(!rest.contains("<script") && !rest.contains("//cdn"), "{path}");
        }
    }
}

#[tokio::test]
async fn a_request_keeps_the_name_it_came_with_if_that_is_plain() {
    let server = Portcullis::start().await;
    let client = server.client();
    let named = async |id: &str| {
        let reply = client
            .send(client.request("GET", "/healthz").header("X-Request-Id", id))
            .await;
        reply.header("x-request-id").to_owned()
    };
    assert_eq!(named("trace-7_A").await, "trace-7_A");
    for odd in ["a b", "x\"y", "<script>", &"x".repeat(200)] {
        assert_ne!(named(odd).await, odd);
    }
    server
        .log()
        .wait("the request's name in the log", 0, |line| {
            line.contains("trace-7_A").then_some(())
        })
        .await;
}

#[tokio::test]
async fn only_listed_origins_may_call_across_sites() {
    let server = Portcullis::with("[server]\ncors_origins = [\"https://app.example.com\"]").await;
    let client = server.client();
    let preflight = async |origin: &str| {
        let request = client
            .request("OPTIONS", "/api/Users/login")
            .header("Origin", origin)
            .header("Access-Control-Request-Method", "POST");
        client
            .send(request.header("Access-Control-Request-Headers", "content-type,authorization"))
            .await
    };
    let allowed = preflight("https://app.example.com").await.expect(204);
    assert_eq!(
        allowed.header("access-control-allow-origin"),
        "https://app.example.com"
    );
    assert_eq!(allowed.header("access-control-allow-credentials"), "true");
    assert_eq!(allowed.header("access-control-max-age"), "86400");
    assert!(
        allowed
            .header("access-control-allow-headers")
            .to_ascii_lowercase()
            .contains("authorization")
    );
    for stranger in [
        "https://evil.example",
        "https://app.example.com.evil.example",
        "http://app.example.com",
        "null",
        "https://app.example.com:444",
    ] {
        let refused = preflight(stranger).await;
        assert!(
            refused.headers.get("access-control-allow-origin").is_none(),
            "{stranger}"
        );
        let call = client
            .send(client.request("GET", "/healthz").header("Origin", stranger))
            .await;
        assert!(
            call.headers.get("access-control-allow-origin").is_none(),
            "{stranger}"
        );
    }
    let call = client
        .send(
            client
                .request("GET", "/api/Users/me")
                .header("Origin", "https://app.example.com"),
        )
        .await
        .expect(401);
    assert_eq!(
        (call.header("access-control-allow-origin"), call.header("vary")),
        ("https://app.example.com", "Origin")
    );
}

#[tokio::test]
async fn a_client_that_takes_no_json_is_told_so_before_anything_happens() {
    let server = Portcullis::start().await;
    let client = server.client();
    let body = json!({ "email": "ann@example.com", "password": PASSWORD });
    for accept in ["text/html", "application/xml", "application/json;q=0"] {
        let refused = client
            .send(
                client
                    .request("POST", "/api/Users")
                    .header("Accept", accept)
                    .json(&body),
            )
            .await;
        assert_eq!(refused.status, 406, "{accept}");
    }
    client.post("/api/Users", body).await.expect(200).done();
}
