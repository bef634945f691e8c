//! For those who run it: start, health, files, TLS, configuration.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use e2e::{PASSWORD, Portcullis};
use serde_json::json;

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[tokio::test]
async fn it_says_whether_it_is_alive_and_ready() {
    let server = Portcullis::start().await;
    let client = server.client();
    assert_eq!(client.get("/healthz").await.expect(200).at("status"), "ok");
    assert_eq!(client.get("/readyz").await.expect(200).at("status"), "ready");
    let root = client.get("/").await.expect(200).json();
    assert!(
        root["started"].as_str().unwrap().ends_with('Z') && root["uptime"].is_number(),
        "as LoopBack's status: {root}"
    );
    let metrics = client.get("/metrics").await.expect(200);
    assert!(
        metrics.text.contains("portcullis_http_requests_total"),
        "{}",
        metrics.text
    );
    let forwarded = client
        .send(
            client
                .request("GET", "/metrics")
                .header("X-Forwarded-For", "198.51.100.1"),
        )
        .await;
    assert_eq!(forwarded.status, 404, "strangers read no metrics");
}

#[tokio::test]
async fn a_proxy_learns_who_calls() {
    let server = Portcullis::with("[users.Users]\n[users.Employees]").await;
    let client = server.client();
    for pool in ["Users", "Employees"] {
        let ann = client.sign_up_in(pool, "ann").await;
        let token = client.log_in(&ann).await;
        let checked = client.with(&token).get("/auth/check").await.expect(200);
        assert_eq!(
            (checked.header("x-user-id"), checked.header("x-user-email")),
            (ann.id.as_str(), "ann@example.com")
        );
        assert!(checked.headers.get("x-user-roles").is_some());
        let by_cookie = client
            .request("GET", "/auth/check")
            .header("Cookie", format!("access_token={token}"));
        client.send(by_cookie).await.expect(200).done();
        client
            .with(&token)
            .post(&ann.of_pool("logout"), json!({}))
            .await
            .expect(204)
            .done();
        client.with(&token).get("/auth/check").await.expect(401).done();
    }
    let anonymous = client.get("/auth/check").await.expect(401);
    assert!(anonymous.headers.get("x-user-id").is_none());
    let forged = client
        .request("GET", "/auth/check")
        .header("X-User-Id", "1")
        .header("X-User-Roles", "admin");
    let forged = client.send(forged).await.expect(401);
    assert!(forged.headers.get("x-user-id").is_none());
}

#[tokio::test]
async fn what_it_keeps_is_readable_by_its_own_account_alone() {
    let server = Portcullis::start().await;
    server.client().sign_up("ann").await;
    let data = server.home().join("data");
    assert_eq!((mode(&data), mode(&data.join("keys"))), (0o700, 0o700));
    for folder in [data.clone(), data.join("keys")] {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() {
                assert_eq!(mode(&path) & 0o077, 0, "{}", path.display());
            }
        }
    }
}

#[tokio::test]
async fn a_key_that_others_can_read_stops_the_start() {
    let mut server = Portcullis::start().await;
    server.kill();
    let key = server.home().join("data/keys/portcullis.key");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    let (status, said) = server.same_setup().run(&[]).await;
    assert!(!status.success());
    assert!(
        said.contains("portcullis.key") && said.contains("chmod 600"),
        "{said}"
    );
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    fs::write(&key, "portcullis-key 1\nbroken\n").unwrap();
    let (status, said) = server.same_setup().run(&[]).await;
    assert!(!status.success() && said.contains("broken"), "{said}");
    assert_eq!(
        fs::read_to_string(&key).unwrap(),
        "portcullis-key 1\nbroken\n",
        "it is never replaced"
    );
}

#[tokio::test]
async fn an_unknown_key_stops_the_start_and_is_named_with_its_line() {
    let setup = Portcullis::setup()
        .config("[server]\n# a comment\nlisten_on = \"127.0.0.1:0\"\n[users.Users]\nttll = 7");
    for arguments in [[].as_slice(), &["check-config"]] {
        let (status, said) = setup.run(arguments).await;
        assert_eq!(status.code(), Some(1));
        assert!(
            said.contains("listen_on") && said.contains('3') && said.contains("ttll") && said.contains('5'),
            "{said}"
        );
    }
    let (status, said) = Portcullis::setup()
        .variable("PORTCULLIS__SERVER__LISTEN_ON", "x")
        .run(&["check-config"])
        .await;
    assert!(
        !status.success() && said.contains("PORTCULLIS__SERVER__LISTEN_ON"),
        "{said}"
    );
    assert!(!setup.home().join("data").exists(), "nothing was made");
}

#[tokio::test]
async fn dangerous_settings_stop_the_start() {
    for (config, named) in [
        (
            "[server]\npublic_url = \"http://login.example.com\"",
            "public_url",
        ),
        ("[server]\ncors_origins = [\"*\"]", "cors_origins"),
        ("[server]\ntrusted_proxies = [\"0.0.0.0/0\"]", "trusted_proxies"),
        ("[server.tls]\ncert = \"cert.pem\"", "tls"),
        ("[server]\nstatic_dir = \"nowhere\"", "static_dir"),
        ("[users.Users]\nhide_existing = true", "hide_existing"),
        ("[users.Roles]", "Roles"),
        ("[storage]\nurl = \"mysql://x\"", "storage.url"),
        ("[sms]\nkind = \"pigeon\"", "sms.kind"),
    ] {
        let (status, said) = Portcullis::setup().config(config).run(&["check-config"]).await;
        assert_eq!(status.code(), Some(1), "{config}: {said}");
        assert!(
            said.contains(named) && !said.contains("panicked"),
            "{config}: {said}"
        );
    }
}

#[tokio::test]
async fn the_small_commands_say_what_they_found() {
    let setup = Portcullis::setup();
    let (status, said) = setup.run(&["check-config"]).await;
    assert!(
        status.success() && said.contains("The configuration is fine"),
        "{said}"
    );
    assert!(!setup.home().join("data").exists());
    let (status, said) = setup.run(&["adapters"]).await;
    assert!(
        status.success() && said.contains("yes  storage-") && said.contains("yes  sms-console"),
        "{said}"
    );
    let (status, said) = setup.run(&["migrate"]).await;
    assert!(status.success(), "{said}");
    assert_eq!(
        setup.home().join("data/portcullis.db").exists(),
        setup.keeps_to_its_folder()
    );
    let (status, _) = setup.run(&["dance"]).await;
    assert_eq!(status.code(), Some(2));
    setup.start().await.client().sign_up("ann").await;
}

#[tokio::test]
async fn settings_come_from_the_environment_as_well() {
    let server = Portcullis::setup()
        .variable("PORTCULLIS__USERS__EMPLOYEES__SECOND_FACTOR", "required")
        .variable("PORTCULLIS__SECRETS__KEY_FILE", "elsewhere/a.key")
        .start()
        .await;
    let client = server.client();
    let ann = client.sign_up_in("Employees", "ann").await;
    let plain = client
        .post(
            "/api/Employees/login",
            json!({ "email": ann.email, "password": PASSWORD }),
        )
        .await;
    plain.refused(401, "SECOND_FACTOR_REQUIRED");
    assert!(server.home().join("elsewhere/a.key").exists());
    assert!(!server.home().join("data/keys").exists());
}

#[tokio::test]
async fn sessions_in_memory_end_with_the_process_and_accounts_stay() {
    let server = Portcullis::with("[sessions]\nurl = \"memory:\"").await;
    let client = server.client();
    let ann = client.sign_up("ann").await;
    let token = client.log_in(&ann).await;
    assert!(client.opens(&token, &ann).await);
    let server = server.kill_and_restart().await;
    let client = server.client();
    assert!(!client.opens(&token, &ann).await);
    client.log_in(&ann).await;
}

#[tokio::test]
async fn a_teams_own_files_are_served_and_nothing_beside_them() {
    let setup = Portcullis::setup().config("[server]\nstatic_dir = \"client\"");
    let client_dir = setup.home().join("client");
    fs::create_dir_all(client_dir.join("js")).unwrap();
    fs::write(client_dir.join("index.html"), "<h1>our own page</h1>").unwrap();
    fs::write(client_dir.join("js/app.js"), "let a = 1;").unwrap();
    fs::write(client_dir.join(".env"), "SECRET-IN-A-DOT-FILE").unwrap();
    fs::write(setup.home().join("outside.txt"), "SECRET-OUTSIDE").unwrap();
    symlink(setup.home().join("outside.txt"), client_dir.join("link.txt")).unwrap();
    let server = setup.start().await;
    let client = server.client();
    assert!(client.get("/").await.expect(200).text.contains("our own page"));
    let script = client.get("/js/app.js").await.expect(200);
    assert_eq!(script.text, "let a = 1;");
    assert!(
        script.header("content-type").contains("javascript"),
        "{}",
        script.header("content-type")
    );
    for path in [
        "/../outside.txt",
        "/..%2foutside.txt",
        "/%2e%2e/outside.txt",
        "/%2e%2e%2foutside.txt",
        "/js/../../outside.txt",
        "/js/..%5c..%5coutside.txt",
        "/..%c0%afoutside.txt",
        "/.env",
        "/%2eenv",
        "/link.txt",
        "//etc/passwd",
        "/etc/passwd",
        "/%2fetc%2fpasswd",
        "/index.html%00.txt",
        "/js",
        "/js/",
        "/../data/keys/portcullis.key",
        "/.../outside.txt",
    ] {
        // curl sends a path as it is.
        let (_, said) = curl(&["--path-as-is", &format!("{}{path}", server.address())]);
        assert!(
            !said.contains("SECRET")
                && !said.contains("root:")
                && !said.contains("portcullis-key")
                && !said.contains("app.js"),
            "{path}: {said}"
        );
    }
    // Our own routes cannot be shadowed.
    assert_eq!(client.get("/healthz").await.expect(200).at("status"), "ok");
    client.sign_up("ann").await;
}

/// Runs curl; whether it got an answer, and what it wrote.
fn curl(arguments: &[&str]) -> (bool, String) {
    let output = Command::new("curl")
        .args(["--silent", "--show-error", "--max-time", "20", "--noproxy", "*"])
        .args(arguments)
        .output();
    let output = output.expect("curl is there: tests/setup brings it");
    let text = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    (output.status.success(), text)
}

/// A certificate for localhost that signs itself; the places of its two files.
fn certificate(folder: &Path, name: &str) -> (String, String) {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let (cert, key) = (
        folder.join(format!("{name}.pem")),
        folder.join(format!("{name}.key")),
    );
    fs::write(&cert, made.cert.pem()).unwrap();
    fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    (cert.display().to_string(), key.display().to_string())
}

#[tokio::test]
async fn tls_is_spoken_and_a_new_certificate_taken_over_while_serving() {
    let setup = Portcullis::setup().config("[server.tls]\ncert = \"live.pem\"\nkey = \"live.key\"");
    let home = setup.home().to_path_buf();
    let (first, first_key) = certificate(&home, "first");
    let (second, second_key) = certificate(&home, "second");
    fs::copy(&first, home.join("live.pem")).unwrap();
    fs::copy(&first_key, home.join("live.key")).unwrap();
    let server = setup.start().await;
    assert!(server.address().starts_with("https://"), "{}", server.address());
    let url = format!("https://localhost:{}", server.port());
    let resolve = format!("localhost:{}:127.0.0.1", server.port());
    let get = |ca: &str, path: &str| {
        curl(&[
            "--cacert",
            ca,
            "--resolve",
            &resolve,
            "--include",
            &format!("{url}{path}"),
        ])
    };
    let (answered, said) = get(&first, "/healthz");
    assert!(answered && said.contains("\"ok\""), "{said}");
    assert!(
        said.to_lowercase()
            .contains("strict-transport-security: max-age="),
        "{said}"
    );
    assert!(
        !get(&second, "/healthz").0,
        "the second certificate is not there yet"
    );
    let (_, login) = get(&first, "/login");
    for cookie in login
        .lines()
        .filter(|line| line.to_lowercase().starts_with("set-cookie:"))
    {
        assert!(
            cookie.contains("__Host-")
                && cookie.contains("; Secure")
                && cookie.contains("HttpOnly")
                && cookie.contains("SameSite=Lax")
                && !cookie.contains("Domain"),
            "{cookie}"
        );
    }
    // As a renewal does it: both files beside the old ones, then moved over them.
    fs::rename(&second_key, home.join("live.key")).unwrap();
    fs::copy(&second, home.join("next.pem")).unwrap();
    fs::rename(home.join("next.pem"), home.join("live.pem")).unwrap();
    let begun = Instant::now();
    while !get(&second, "/healthz").0 {
        assert!(
            begun.elapsed() < Duration::from_secs(30),
            "the new certificate was not taken over"
        );
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    // A broken one is not.
    fs::write(home.join("live.pem"), "rubbish").unwrap();
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert!(
        get(&second, "/healthz").0,
        "a broken certificate replaced a good one"
    );
}

#[tokio::test]
async fn the_start_is_readable() {
    let server = Portcullis::start().await;
    let lines = server.console().lines();
    assert!(
        lines[0].starts_with("Portcullis is listening at http://localhost:"),
        "{lines:?}"
    );
    assert!(lines.iter().any(|line| line.contains("/api/Users")), "{lines:?}");
}
