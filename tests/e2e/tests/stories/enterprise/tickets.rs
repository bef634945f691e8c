//! A Kerberos realm, and people of it with their tickets.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use e2e::{Client, Counterparty, Reply, binary};
use serde_json::{Value, json};

/// A running realm.
pub struct Realm {
    kdc: Counterparty,
}

impl Realm {
    /// A new one; none where a bundle is tried that has no Kerberos, as it needs a library of C.
    #[expect(clippy::print_stderr, reason = "what is not tried is said")]
    pub async fn start() -> Option<Self> {
        if is_left_out() {
            eprintln!("NOT TRIED: the bundle of E2E_BUNDLE is without identity-kerberos");
            return None;
        }
        let kdc = Counterparty::krb5().await;
        Some(Self { kdc })
    }

    /// A file of it.
    pub fn file(&self, name: &str) -> PathBuf {
        PathBuf::from(self.kdc.address()).join(name)
    }

    /// An entry for it.
    pub fn entry(&self) -> Value {
        json!({
            "provider": "kerberos", "authScheme": "kerberos", "realm": "TEST.LOCALHOST", "service": "HTTP/localhost",
            "keytab": self.file("http.keytab"), "krb5Conf": self.file("krb5.conf"),
            "roleMapping": [{ "attribute": "_json.principal", "value": "alice@TEST.LOCALHOST", "role": "auditor" }],
        })
    }

    /// The library's settings with another line.
    pub fn settings(&self, line: &str) -> PathBuf {
        let plain = std::fs::read_to_string(self.file("krb5.conf")).unwrap();
        let path = self.file("other.conf");
        let changed = plain.replace("[libdefaults]", &format!("[libdefaults]\n  {line}"));
        std::fs::write(&path, changed).unwrap();
        path
    }

    /// Where the tickets of somebody are.
    pub fn cache(&self, person: &str) -> PathBuf {
        self.file(&format!("{}.cache", person.replace('/', "_")))
    }

    /// Somebody gets their tickets, as in the morning.
    pub fn log_in(&self, person: &str, password: &str) {
        let mut child = self
            .command("kinit", person)
            .arg(person)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .expect("kinit is installed: bash tests/setup");
        writeln!(child.stdin.take().unwrap(), "{password}").unwrap();
        assert!(child.wait().unwrap().success(), "{person} gets no tickets");
    }

    /// What somebody's client shows to `HTTP/host`, in base64. Every call is another showing.
    pub fn ticket(&self, person: &str, host: &str) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let mut curl = self
            .curl(person, host, port)
            .arg(format!("http://{host}:{port}/"))
            .stdout(Stdio::null())
            .spawn()
            .expect("curl is installed: bash tests/setup");
        let shown = (0..3).find_map(|_| asked(&mut listener.accept().unwrap().0));
        curl.wait().unwrap();
        shown.expect("curl shows no ticket: it lacks GSS-API, or there is none")
    }

    /// Alice's tickets, and one of her clients' showings of them.
    pub fn alices(&self) -> String {
        self.log_in("alice", "alice-krb");
        self.ticket("alice", "localhost")
    }

    /// What somebody's curl gets at the server, headers included.
    pub fn visit(&self, person: &str, port: u16, path: &str, options: &[&str]) -> String {
        let done = self
            .curl(person, "localhost", port)
            .args(["--dump-header", "-"])
            .args(options)
            .arg(format!("http://localhost:{port}{path}"))
            .output();
        let Output { status, stdout, .. } = done.unwrap();
        assert!(status.success());
        String::from_utf8(stdout).unwrap()
    }

    fn curl(&self, person: &str, host: &str, port: u16) -> Command {
        let mut command = self.command("curl", person);
        command
            .args([
                "--silent",
                "--noproxy",
                "*",
                "--max-time",
                "30",
                "--negotiate",
                "--user",
                ":",
            ])
            .args(["--resolve", &format!("{host}:{port}:127.0.0.1")]);
        command
    }

    fn command(&self, program: &str, person: &str) -> Command {
        let mut command = Command::new(program);
        command
            .env("KRB5_CONFIG", self.file("krb5.conf"))
            .env("KRB5CCNAME", format!("FILE:{}", self.cache(person).display()));
        command
    }
}

/// Answers one request; what stands behind `Negotiate` in it, if anything does.
fn asked(stream: &mut TcpStream) -> Option<String> {
    let (mut head, mut part) = (Vec::new(), [0; 4096]);
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        match stream.read(&mut part).unwrap() {
            0 => break,
            read => head.extend_from_slice(&part[..read]),
        }
    }
    let head = String::from_utf8(head).unwrap();
    let shown = head
        .lines()
        .find_map(|line| line.strip_prefix("Authorization: Negotiate "));
    let answer = match shown {
        Some(_) => "HTTP/1.1 204 Seen\r\nConnection: close\r\n\r\n",
        None => {
            "HTTP/1.1 401 Who\r\nWWW-Authenticate: Negotiate\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        }
    };
    stream.write_all(answer.as_bytes()).unwrap();
    shown.map(str::to_owned)
}

/// Shows a ticket to an entry, as a program.
pub async fn show(client: &Client, path: &str, ticket: &str) -> Reply {
    let request = client.request("GET", path);
    client
        .send(request.header("Authorization", format!("Negotiate {ticket}")))
        .await
}

/// The bundles are built without Kerberos; whatever else is tried has to have it.
fn is_left_out() -> bool {
    let bundle = std::env::var("E2E_BUNDLE").unwrap_or_default();
    ["embedded", "classic", "modern"].contains(&bundle.as_str()) && !is_compiled("identity-kerberos")
}

fn is_compiled(feature: &str) -> bool {
    let listed = Command::new(binary::portcullis()).arg("adapters").output();
    let listed = String::from_utf8(listed.unwrap().stdout).unwrap();
    let mut words = listed.lines().map(|line| line.split_whitespace());
    let has = words.find_map(|mut words| {
        let has = words.next()?;
        (words.next()? == feature).then_some(has)
    });
    has.expect("every adapter is listed") == "yes"
}
