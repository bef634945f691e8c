//! A KDC, and a browser that has tickets from it: the test program itself, started anew with its own environment.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

use domain::ports::{DirectoryAttempt, ProviderError, ProviderFault};
use domain::secret::Secret;
use domain::time::Timestamp;
use identity_kerberos::{KerberosConfig, KerberosRealm, Worker};
use libgssapi::context::{ClientCtx, CtxFlags, SecurityContext as _};
use libgssapi::name::Name;
use libgssapi::oid::{GSS_MECH_KRB5, GSS_MECH_SPNEGO, GSS_NT_KRB5_PRINCIPAL};

pub const REALM: &str = "TEST.LOCALHOST";
pub const SERVICE: &str = "HTTP/localhost@TEST.LOCALHOST";

/// A running KDC. Ends, with its folder, when this does.
pub struct Kdc {
    child: Child,
    _until: ChildStdin,
    folder: PathBuf,
}

impl Kdc {
    pub fn start() -> Self {
        let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/counterparties/run");
        let mut child = Command::new("bash")
            .arg(scripts)
            .arg("krb5")
            .env("UNTIL_EOF", "1")
            .env_remove("PORT")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let ready = lines.next().expect("no KDC: run bash tests/setup").unwrap();
        Self {
            _until: child.stdin.take().unwrap(),
            folder: ready.strip_prefix("READY ").unwrap().into(),
            child,
        }
    }

    /// No more answers from now on.
    pub fn stop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// A realm that knows this KDC.
    pub fn config(&self) -> KerberosConfig {
        KerberosConfig {
            krb5_conf: Some(self.file("krb5.conf")),
            allow_passwords: true,
            worker: Worker {
                program: env!("CARGO_BIN_EXE_kerberos-worker").into(),
                arguments: vec![],
            },
            ..KerberosConfig::new(REALM, SERVICE, self.file("http.keytab"))
        }
    }

    pub fn realm(&self) -> KerberosRealm {
        self.realm_with(|_| {})
    }

    pub fn realm_with(&self, change: impl FnOnce(&mut KerberosConfig)) -> KerberosRealm {
        let mut config = self.config();
        change(&mut config);
        KerberosRealm::new(&config).unwrap()
    }

    /// The library's settings with another line.
    pub fn settings(&self, line: &str) -> PathBuf {
        let plain = std::fs::read_to_string(self.file("krb5.conf")).unwrap();
        let path = self.file("other.conf");
        std::fs::write(
            &path,
            plain.replace("[libdefaults]", &format!("[libdefaults]\n  {line}")),
        )
        .unwrap();
        path
    }

    /// Where the KDC listens, as `host:port`.
    pub fn address(&self) -> String {
        let plain = std::fs::read_to_string(self.file("krb5.conf")).unwrap();
        let line = plain.lines().find_map(|line| line.trim().strip_prefix("kdc = "));
        line.unwrap().to_owned()
    }

    /// The library's settings with a KDC at another address.
    pub fn settings_for(&self, name: &str, address: &str) -> PathBuf {
        let plain = std::fs::read_to_string(self.file("krb5.conf")).unwrap();
        let path = self.file(name);
        std::fs::write(&path, plain.replace(&self.address(), address)).unwrap();
        path
    }

    fn command(&self, program: impl AsRef<std::ffi::OsStr>, person: &str) -> Command {
        let mut command = Command::new(program);
        let cache = format!("FILE:{}", self.cache(person).display());
        command
            .env("KRB5_CONFIG", self.file("krb5.conf"))
            .env("KRB5CCNAME", cache)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        command
    }

    /// Where the tickets of somebody are.
    pub fn cache(&self, person: &str) -> PathBuf {
        self.file(&format!("{}.cache", person.replace('/', "_")))
    }

    /// Somebody gets their tickets, as in the morning.
    pub fn log_in(&self, person: &str, password: &str, options: &[&str]) {
        let mut child = self
            .command("kinit", person)
            .args(options)
            .arg(person)
            .spawn()
            .unwrap();
        let mut input = child.stdin.take().unwrap();
        writeln!(input, "{password}").unwrap();
        drop(input);
        assert!(child.wait().unwrap().success(), "{person} gets no tickets");
    }

    /// A browser with the tickets of whoever logged in, on its way to a service.
    pub fn browser(&self, person: &str, service: &str) -> Browser {
        Browser::start(
            self.command(std::env::current_exe().unwrap(), person),
            service,
            "spnego",
        )
    }

    /// The same of a program that speaks Kerberos without a negotiation.
    pub fn program(&self, person: &str, service: &str) -> Browser {
        Browser::start(
            self.command(std::env::current_exe().unwrap(), person),
            service,
            "bare",
        )
    }

    /// The same as Chromium does it: without asking who we are.
    pub fn trusting(&self, person: &str, service: &str) -> Browser {
        Browser::start(
            self.command(std::env::current_exe().unwrap(), person),
            service,
            "trusting",
        )
    }

    /// What alice's browser shows to our service.
    pub fn token(&self) -> Vec<u8> {
        self.log_in("alice", "alice-krb", &[]);
        self.browser("alice", SERVICE).shown()
    }
}

impl Drop for Kdc {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A browser that showed its ticket.
pub struct Browser {
    child: Child,
    pub token: Vec<u8>,
}

const TOKEN: &str = "TOKEN ";
const SATISFIED: &str = "SATISFIED";
const TARGET: &str = "PORTCULLIS_TEST_TARGET";
const MANNER: &str = "PORTCULLIS_TEST_MANNER";

impl Browser {
    fn start(mut command: Command, service: &str, manner: &str) -> Self {
        let mut child = command
            .args([
                "--exact",
                "support::plays_the_browser",
                "--ignored",
                "--nocapture",
            ])
            .env(TARGET, service)
            .env(MANNER, manner)
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.as_mut().unwrap()).lines();
        let token = lines
            .map(Result::unwrap)
            .find_map(|line| Some(unhex(line.split_once(TOKEN)?.1)));
        Self {
            token: token.expect("the browser has no ticket"),
            child,
        }
    }

    /// What it showed; it waits for no answer.
    pub fn shown(&self) -> Vec<u8> {
        self.token.clone()
    }

    /// Whether this answer proves to it that we are who it meant.
    pub fn takes_us(mut self, reply: &[u8]) -> bool {
        let mut input = self.child.stdin.take().unwrap();
        writeln!(input, "{}", hex(reply)).unwrap();
        drop(input);
        let mut said = String::new();
        self.child
            .stdout
            .take()
            .unwrap()
            .read_to_string(&mut said)
            .unwrap();
        said.contains(SATISFIED)
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
#[ignore = "the other side of the tests here: they start it"]
fn plays_the_browser() {
    let Ok(target) = std::env::var(TARGET) else { return };
    let (mechanism, flags) = match std::env::var(MANNER).unwrap().as_str() {
        "bare" => (GSS_MECH_KRB5, CtxFlags::GSS_C_MUTUAL_FLAG),
        "trusting" => (GSS_MECH_SPNEGO, CtxFlags::empty()),
        _ => (GSS_MECH_SPNEGO, CtxFlags::GSS_C_MUTUAL_FLAG),
    };
    let target = Name::new(target.as_bytes(), Some(GSS_NT_KRB5_PRINCIPAL)).unwrap();
    let mut context = ClientCtx::new(None, target, flags, Some(mechanism));
    let token = context.step(None, None).unwrap().unwrap();
    println!("{TOKEN}{}", hex(&token));
    let mut reply = String::new();
    std::io::stdin().read_line(&mut reply).unwrap();
    if reply.is_empty() {
        return;
    }
    if context.step(Some(&unhex(reply.trim())), None).is_ok() && context.is_complete() {
        assert!(context.flags().unwrap().contains(flags));
        println!("{SATISFIED}");
    }
}

/// The object identifiers of Kerberos and of NTLM, as elements.
const KRB5: &[u8] = b"\x06\x09\x2a\x86\x48\x86\xf7\x12\x01\x02\x02";
const NTLM: &[u8] = b"\x06\x0a\x2b\x06\x01\x04\x01\x82\x37\x02\x02\x0a";

/// The ticket of a token without the negotiation around it, and with another one.
pub fn rewrapped(token: &[u8]) -> Vec<Vec<u8>> {
    let is_ticket = |at: &usize| token[*at] == 0x60 && token[at + 4..].starts_with(KRB5);
    let bare = &token[(1..token.len() - 4).find(is_ticket).unwrap()..];
    vec![bare.to_vec(), negotiation(&[KRB5, NTLM], bare)]
}

fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len()).unwrap().to_be_bytes();
    let length = match (length[0], length[1]) {
        (0, short @ 0..=0x7f) => vec![short],
        (0, long) => vec![0x81, long],
        (high, low) => vec![0x82, high, low],
    };
    [&[tag][..], &length, content].concat()
}

fn negotiation(mechanisms: &[&[u8]], token: &[u8]) -> Vec<u8> {
    let list = element(0xa0, &element(0x30, &mechanisms.concat()));
    let token = element(0xa2, &element(0x04, token));
    let init = element(0xa0, &element(0x30, &[list, token].concat()));
    element(0x60, &[b"\x06\x06\x2b\x06\x01\x05\x05\x02", &init[..]].concat())
}

fn hex(bytes: &[u8]) -> String {
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 0xf]);
    digits
        .map(|digit| char::from_digit(digit.into(), 16).unwrap())
        .collect()
}

fn unhex(text: &str) -> Vec<u8> {
    let pair = |at: usize| u8::from_str_radix(&text[at..at + 2], 16).unwrap();
    (0..text.len()).step_by(2).map(pair).collect()
}

pub fn now() -> Timestamp {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    Timestamp::from_millis(i64::try_from(now.as_millis()).unwrap())
}

pub fn attempt(name: &str, password: &str) -> DirectoryAttempt {
    DirectoryAttempt {
        name: name.to_owned(),
        password: Secret::new(password),
        now: now(),
    }
}

/// Why something was refused.
pub fn fault<T: std::fmt::Debug>(result: Result<T, ProviderError>) -> ProviderFault {
    match result {
        Err(ProviderError::Refused { fault, .. }) => fault,
        other => panic!("no refusal: {other:?}"),
    }
}
