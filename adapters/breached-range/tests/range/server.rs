//! The server that gives ranges: `tests/counterparties/ranges.py`, a process of its own.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use breached_range::BreachedRange;
use conformance::breached_passwords::PUBLIC;
use outbound_http::OutboundConfig;
use serde_json::Value;

/// One that runs; it ends when this is dropped.
pub struct RangeServer {
    child: Child,
    own: String,
}

impl RangeServer {
    /// Starts one that knows [`PUBLIC`].
    pub async fn start() -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/counterparties/run");
        let mut child = Command::new("bash")
            .arg(script)
            .arg("ranges")
            .env_remove("PORT")
            .env("UNTIL_EOF", "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let Some(own) = line.trim().strip_prefix("READY ") else {
            panic!("the server of ranges said {line:?}: run bash tests/setup");
        };
        let server = Self {
            child,
            own: own.to_owned(),
        };
        server.tell("passwords", serde_json::json!(PUBLIC)).await;
        server
    }

    /// The adapter, asking this server.
    pub fn list(&self) -> BreachedRange {
        BreachedRange::open(&format!("{}/range/", self.own), OutboundConfig::default()).unwrap()
    }

    /// Misbehaves from now on; not any more with an empty name.
    pub async fn misbehave(&self, fault: &str) {
        self.tell(&format!("fault?name={fault}"), Value::Null).await;
    }

    /// What it was asked.
    pub async fn log(&self) -> Vec<Value> {
        let answer = reqwest::get(format!("{}/__ctl/log", self.own)).await.unwrap();
        answer.json().await.unwrap()
    }

    async fn tell(&self, what: &str, body: Value) {
        let url = format!("{}/__ctl/{what}", self.own);
        let answer = reqwest::Client::new().post(url).json(&body).send().await.unwrap();
        assert!(answer.status().is_success());
    }
}

impl Drop for RangeServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
