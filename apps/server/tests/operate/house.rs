//! The program as an operator uses it: a folder, a server that may be running in it, and commands.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

const GREETING: &str = "Portcullis is listening at http://";

/// A folder to work in.
pub struct House {
    folder: TempDir,
    variables: Vec<(&'static str, String)>,
}

/// How a command ended and what it said.
#[derive(Debug)]
pub struct Ended {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl House {
    pub fn new() -> Self {
        Self {
            folder: tempfile::Builder::new()
                .prefix("portcullis-cli-")
                .tempdir()
                .unwrap(),
            variables: Vec::new(),
        }
    }

    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.variables.push((name, value.into()));
        self
    }

    pub fn path(&self, inside: &str) -> PathBuf {
        self.folder.path().join(inside)
    }

    pub fn key_file(&self) -> PathBuf {
        self.path("data/keys/portcullis.key")
    }

    pub fn socket(&self) -> PathBuf {
        self.path("data/keys/portcullis.sock")
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_portcullis"));
        command
            .args(arguments)
            .current_dir(self.folder.path())
            .env_clear()
            .env("PORTCULLIS__SERVER__LISTEN", "127.0.0.1:0")
            .env("PORTCULLIS__LOG__LEVEL", "debug")
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Ended {
        self.run_with(arguments, "")
    }

    /// Runs with a standard input.
    pub fn run_with(&self, arguments: &[&str], input: &str) -> Ended {
        let mut child = self.command(arguments).stdin(Stdio::piped()).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        // A program that does not read its input may be gone by now.
        let _ = stdin.write_all(input.as_bytes());
        drop(stdin);
        let ended = child.wait_with_output().unwrap();
        Ended {
            code: ended.status.code().unwrap(),
            out: String::from_utf8(ended.stdout).unwrap(),
            err: String::from_utf8(ended.stderr).unwrap(),
        }
    }

    pub fn serve(&self) -> Server {
        let mut child = self.command(&[]).spawn().unwrap();
        let err = child.stderr.take().unwrap();
        // Read on and on: a full pipe would stop the server.
        let log = std::thread::spawn(move || {
            let mut text = String::new();
            let _ = BufReader::new(err).read_to_string(&mut text);
            text
        });
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        while !line.starts_with(GREETING) {
            line.clear();
            if out.read_line(&mut line).unwrap() == 0 {
                let _ = child.wait();
                panic!("the server ended: {}", log.join().unwrap());
            }
        }
        let address = line
            .trim_end()
            .strip_prefix(GREETING)
            .unwrap()
            .replace("localhost", "127.0.0.1");
        std::thread::spawn(move || std::io::copy(&mut out, &mut std::io::sink()));
        Server {
            child,
            log: Some(log),
            address,
        }
    }

    /// Ids of the keys in the file, newest first.
    pub fn key_ids(&self) -> Vec<String> {
        let listed = self.run(&["keys", "list", "--json"]).json();
        let ids = listed.as_array().unwrap().iter();
        ids.map(|key| key["id"].as_str().unwrap().to_owned()).collect()
    }

    /// Makes an application and says its id.
    pub fn make_app(&self, name: &str) -> String {
        let created = self.run(&["app", "create", name, "--json"]).json();
        created["id"].as_str().unwrap().to_owned()
    }

    /// Gives an application a client at a provider.
    pub fn set_client(&self, app: &str, provider: &str, secret: &str) -> Ended {
        let set = ["app", "credential", "set", app, provider];
        let client = ["--client-id", "the-client", "--client-secret-stdin", "--json"];
        self.run_with(&[&set[..], &client].concat(), secret)
    }
}

impl Ended {
    pub fn fine(self) -> Self {
        assert_eq!(self.code, 0, "{self:?}");
        self
    }

    pub fn json(self) -> Value {
        let fine = self.fine();
        serde_json::from_str(&fine.out).unwrap()
    }

    /// The one sentence of a refusal.
    pub fn refused(self) -> String {
        assert_eq!((self.code, self.out.as_str()), (1, ""), "{self:?}");
        let sentence = self.err.trim_end().strip_prefix("portcullis: ").unwrap();
        assert!(!sentence.contains('\n'), "{sentence}");
        sentence.to_owned()
    }
}

/// A running server; killed when dropped.
pub struct Server {
    child: Child,
    log: Option<std::thread::JoinHandle<String>>,
    address: String,
}

impl Server {
    /// Asks it to end, waits for that and returns its log.
    pub fn end(mut self) -> String {
        let pid = self.child.id().to_string();
        let asked = Command::new("kill").args(["-TERM", &pid]).status().unwrap();
        assert!(asked.success());
        assert!(self.child.wait().unwrap().success());
        self.log.take().unwrap().join().unwrap()
    }

    /// Ends it as a power cut would.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    pub fn is_serving(&self) -> bool {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let request = "GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
        stream.write_all(request.as_bytes()).unwrap();
        let mut reply = String::new();
        stream.read_to_string(&mut reply).unwrap();
        reply.starts_with("HTTP/1.1 200")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

/// Whether any file below `folder` holds `text`.
pub fn is_anywhere(folder: &Path, text: &str) -> bool {
    fs::read_dir(folder).unwrap().any(|entry| {
        let path = entry.unwrap().path();
        if path.is_dir() {
            return is_anywhere(&path, text);
        }
        let holds = |bytes: Vec<u8>| bytes.windows(text.len()).any(|window| window == text.as_bytes());
        path.is_file() && holds(fs::read(&path).unwrap())
    })
}
