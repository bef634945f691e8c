//! `docs/ADAPTERS.md`, followed.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails"
)]

use std::path::Path;
use std::process::Output;
use std::time::Duration;

use adapters::{Step, Workspace, steps};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpListener;
use tokio::process::{Child, Command};

const PAGE: &str = include_str!("../../../docs/ADAPTERS.md");

fn copy(name: &str) -> Workspace {
    Workspace::copy_to(&Path::new(env!("CARGO_TARGET_TMPDIR")).join(name)).unwrap()
}

#[tokio::test]
async fn who_followed_the_eight_steps_has_an_adapter_that_sends() {
    let copy = copy("adapters-followed");
    for step in steps(PAGE).unwrap() {
        copy.follow(&step).unwrap_or_else(|fault| panic!("{fault}"));
    }
    the_binary_lists_it(&copy);
    the_configuration_is_judged(&copy);
    a_code_arrives(&copy).await;
}

#[test]
fn the_page_has_eight_steps() {
    let numbers = PAGE
        .lines()
        .filter_map(|line| line.strip_prefix("## ")?.split_once(". "));
    let numbers: Vec<&str> = numbers.map(|(number, _)| number).collect();
    assert_eq!(numbers, ["1", "2", "3", "4", "5", "6", "7", "8"]);
}

#[test]
fn every_file_that_the_page_points_to_is_there() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs");
    let links = PAGE
        .split("](")
        .skip(1)
        .filter_map(|rest| rest.split([')', '#']).next());
    let gone: Vec<&str> = links.filter(|link| !docs.join(link).exists()).collect();
    assert_eq!(gone, Vec::<&str>::new());
}

#[test]
fn a_change_that_does_not_fit_any_more_is_refused() {
    let copy = copy("adapters-misfit");
    let change = Step::Change {
        path: "Cargo.toml".to_owned(),
        old: "    \"adapters/that-nobody-has\",\n".to_owned(),
        new: String::new(),
    };
    let refused = copy.follow(&change).unwrap_err().to_string();
    assert!(refused.contains("0 times"), "{refused}");
    let readme = Step::File {
        path: "README.md".to_owned(),
        text: String::new(),
    };
    assert!(copy.follow(&readme).is_err(), "it is there already");
    assert!(copy.follow(&Step::Run("exit 3\n".to_owned())).is_err());
}

fn run(copy: &Workspace, commands: &str) -> (bool, String, String) {
    let Output {
        status,
        stdout,
        stderr,
    } = copy.shell(commands).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (status.success(), text(stdout), text(stderr))
}

fn the_binary_lists_it(copy: &Workspace) {
    let (_, listed, _) = run(copy, "portcullis adapters");
    let line = |feature: &str| {
        listed
            .lines()
            .find(|line| line.contains(feature))
            .unwrap_or_default()
    };
    assert!(line("sms-push").contains("yes"), "{listed}");
    assert!(!line("sms-console").contains("yes"), "{listed}");
}

fn the_configuration_is_judged(copy: &Workspace) {
    let (fine, _, told) = run(copy, "portcullis check-config --config push.toml");
    assert!(fine, "{told}");
    for missing in ["base_url", "api_secret"] {
        let without = format!(
            "grep -v {missing} push.toml > without.toml; portcullis check-config --config without.toml"
        );
        let (fine, _, told) = run(copy, &without);
        assert!(!fine && told.contains(&format!("`sms.{missing}`")), "{told}");
    }
    let console = "PORTCULLIS__SMS__KIND=console portcullis check-config --config push.toml";
    let (fine, _, told) = run(copy, console);
    assert!(!fine && told.contains("--features sms-console"), "{told}");
}

/// Somebody confirms a number: the code comes by the gateway.
async fn a_code_arrives(copy: &Workspace) {
    let gateway = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (_server, address) = serve(copy, &gateway.local_addr().unwrap().to_string()).await;
    let client = Client {
        http: reqwest::Client::new(),
        address,
    };
    let person = json!({ "email": "ann@example.com", "password": "gate of the old town" });
    let made = client.post("/api/Users", None, &person).await;
    let opened = client.post("/api/Users/login", None, &person).await;
    let (id, token) = (made["id"].as_str().unwrap(), opened["id"].as_str().unwrap());
    let number = json!({ "phone": "+447700900123", "currentPassword": "gate of the old town" });
    client.patch(&format!("/api/Users/{id}"), token, &number).await;

    let nothing = json!({});
    let asking = format!("/api/Users/{id}/phone/send-code");
    let (_, posted) = tokio::join!(client.post(&asking, Some(token), &nothing), answer(&gateway));
    let (head, body) = posted.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("POST /messages "), "{head}");
    assert!(head.contains("Bearer open sesame"), "{head}");
    let message: Value = serde_json::from_str(body).unwrap();
    assert_eq!(message["to"], "+447700900123");
    let code = message["text"].as_str().unwrap().split(' ').next().unwrap();
    let confirmed = format!("/api/Users/{id}/phone/confirm");
    client
        .post(&confirmed, Some(token), &json!({ "code": code }))
        .await;
    let user = client.get(&format!("/api/Users/{id}"), token).await;
    assert_eq!(user["phoneConfirmed"], true, "{user}");
}

/// Takes one message, and says so.
async fn answer(gateway: &TcpListener) -> String {
    let (mut connection, _) = gateway.accept().await.unwrap();
    let (mut heard, mut part) = (String::new(), [0; 4096]);
    // The body is one JSON object: it has ended when its brace is there.
    while !heard.ends_with('}') {
        let length = connection.read(&mut part).await.unwrap();
        assert!(length > 0, "the request broke off: {heard}");
        heard.push_str(std::str::from_utf8(part.get(..length).unwrap()).unwrap());
    }
    connection
        .write_all(b"HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n")
        .await
        .unwrap();
    heard
}

/// The server that was built, with this gateway, and where it listens.
async fn serve(copy: &Workspace, gateway: &str) -> (Child, String) {
    let mut command = Command::from(copy.shell("exec portcullis serve --config push.toml"));
    let mut server = command
        .env("PORTCULLIS__SERVER__LISTEN", "127.0.0.1:0")
        .env("PORTCULLIS__SMS__BASE_URL", format!("http://{gateway}"))
        .stdout(std::process::Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(server.stdout.take().unwrap()).lines();
    let listening = async {
        loop {
            let line = lines.next_line().await.unwrap().unwrap();
            if let Some(address) = line.strip_prefix("Portcullis is listening at ") {
                return address.replace("//localhost:", "//127.0.0.1:");
            }
        }
    };
    let address = tokio::time::timeout(Duration::from_secs(30), listening)
        .await
        .unwrap();
    // What it prints must not fill the pipe.
    tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
    (server, address)
}

struct Client {
    http: reqwest::Client,
    address: String,
}

impl Client {
    async fn post(&self, path: &str, token: Option<&str>, body: &Value) -> Value {
        let request = self.http.post(format!("{}{path}", self.address)).json(body);
        Self::send(match token {
            Some(token) => request.header("Authorization", token),
            None => request,
        })
        .await
    }

    async fn patch(&self, path: &str, token: &str, body: &Value) -> Value {
        let request = self.http.patch(format!("{}{path}", self.address));
        Self::send(request.header("Authorization", token).json(body)).await
    }

    async fn get(&self, path: &str, token: &str) -> Value {
        let request = self.http.get(format!("{}{path}", self.address));
        Self::send(request.header("Authorization", token)).await
    }

    async fn send(request: reqwest::RequestBuilder) -> Value {
        let answer = request.send().await.unwrap();
        let status = answer.status();
        let text = answer.text().await.unwrap();
        assert!(status.is_success(), "{status}: {text}");
        serde_json::from_str(&text).unwrap_or_default()
    }
}
