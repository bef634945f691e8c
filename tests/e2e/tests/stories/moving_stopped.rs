//! Moves that are killed again and again end as if nothing had happened.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use e2e::{Portcullis, Setup};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::moving::{done, records, refused};

/// Many enough to be killed between.
const USERS: u32 = 1_500;

/// 256 bits, the most significant byte first, to which others are added without regard for what overflows.
struct Sum([u8; 32]);

impl Sum {
    fn add(&mut self, line: &str) {
        let mut carry = 0;
        for (sum, byte) in self.0.iter_mut().zip(Sha256::digest(line)).rev() {
            let wide = u16::from(*sum) + u16::from(byte) + carry;
            (*sum, carry) = (wide.to_le_bytes()[0], wide >> 8);
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    let digits: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    digits.concat()
}

/// Writes an export as `docs/MOVING.md` describes it, by none of the server's own code: whoever moves here from elsewhere does it so.
fn write_export(path: &Path) {
    let now = SystemTime::UNIX_EPOCH.elapsed().unwrap().as_millis();
    let now = u64::try_from(now).unwrap();
    let user = |number: u32| {
        let address = format!("user{number}@example.com");
        let email = json!({ "text": address, "key": address });
        json!({ "user": {
            "pool": "Users", "id": format!("{number:05}"), "revision": 3, "email": email, "email_verified": true,
            "attributes": { "number": number, "third": f64::from(number) / 3.0 }, "created": now, "modified": now,
        } })
    };
    let session = |number: u32| {
        let token = URL_SAFE_NO_PAD.encode(Sha256::digest(token(number)));
        json!({ "session": {
            "token": token, "id": format!("s{number}"), "pool": "Users", "user": format!("{number:05}"), "epoch": 0,
            "created": now, "life": { "Finite": 3_600_000 }, "factors": ["pwd"],
        } })
    };
    let header = json!({ "header": {
        "format": "portcullis-export", "version": 1, "made": "2026-11-22T04:00:00.000Z", "by": "a story", "store": "story",
        "sessions": "story", "pools": ["Users"],
    } });
    let mut text = format!("{header}\n");
    let mut tally = |line: &dyn Fn(u32) -> Value| {
        let mut sum = Sum([0; 32]);
        for number in 0..USERS {
            let line = line(number).to_string();
            sum.add(&line);
            text.push_str(&line);
            text.push('\n');
        }
        json!({ "count": USERS, "digest": hex(&sum.0) })
    };
    let (users, sessions) = (tally(&user), tally(&session));
    let sha256 = hex(&Sha256::digest(&text));
    let none = json!({ "count": 0, "digest": "0".repeat(64) });
    let end = json!({ "users": users, "applications": none, "sessions": sessions, "sha256": sha256 });
    let end = json!({ "end": end });
    fs::File::create(path)
        .unwrap()
        .write_all(format!("{text}{end}\n").as_bytes())
        .unwrap();
}

/// The token of a user, which stands in no file.
fn token(number: u32) -> String {
    format!("{number:064}")
}

/// Runs a command and kills it (SIGKILL) after a while; whether it had ended by itself.
fn run_for(setup: &Setup, arguments: &[&str], life: Duration) -> bool {
    let mut child = setup.command(arguments).spawn().unwrap();
    std::thread::sleep(life);
    let ended = child.try_wait().unwrap().is_some();
    child.kill().unwrap();
    child.wait().unwrap();
    ended
}

/// Moments spread over what a run takes, which nobody knows beforehand.
fn moments() -> impl Iterator<Item = Duration> {
    (0..12).map(|step| Duration::from_millis(40 + step * step * 12))
}

#[tokio::test]
async fn killed_again_and_again_an_import_and_an_export_end_with_the_same_records() {
    let setup = Portcullis::setup();
    let all = setup.home().join("all.jsonl");
    write_export(&all);
    let (mut kills, mut kept) = (0, 0);
    for (round, life) in moments().enumerate() {
        let arguments: &[&str] = if round % 2 == 0 {
            &["import", "all.jsonl"]
        } else {
            &["import", "all.jsonl", "--resume"]
        };
        if run_for(&setup, arguments, life) {
            break;
        }
        kills += 1;
    }
    let said = done(&setup, &["import", "all.jsonl", "--resume"]).await;
    assert!(
        said.contains("verified: 1500 users, 0 applications, 1500 sessions were read back"),
        "{said}"
    );
    assert!(kills > 0, "{kills}: {said}");

    for life in moments() {
        if run_for(&setup, &["export", "--out", "again.jsonl", "--resume"], life) {
            break;
        }
        kept = kept.max(fs::metadata(setup.home().join("again.jsonl.part")).map_or(0, |found| found.len()));
    }
    let again = setup.home().join("again.jsonl");
    if !again.exists() {
        let refused = if kept > 0 {
            refused(&setup, &["export", "--out", "again.jsonl"]).await
        } else {
            String::new()
        };
        assert_eq!(refused.contains("--resume"), kept > 0, "{refused}");
        done(&setup, &["export", "--out", "again.jsonl", "--resume"]).await;
    }
    assert!(!setup.home().join("again.jsonl.part").exists());
    assert_eq!(canonical(&again), canonical(&all));
    // The same once more, in one go.
    done(&setup, &["export", "--out", "once.jsonl"]).await;
    assert_eq!(records(&setup.home().join("once.jsonl")), records(&again));

    let server = setup.start().await;
    let client = server.client().with(&token(7));
    client.get("/api/Users/00007").await.expect(200).done();
}

/// Records without the fields that say nothing, which a writer may leave out.
fn canonical(file: &Path) -> Vec<String> {
    let of = |line: String| {
        let mut value: Value = serde_json::from_str(&line).unwrap();
        if let Some(user) = value.pointer_mut("/user").and_then(Value::as_object_mut) {
            assert_eq!(user.shift_remove("session_epoch").unwrap_or(json!(0)), 0);
        }
        value.sort_all_objects();
        value.to_string()
    };
    let mut lines: Vec<String> = records(file).into_iter().map(of).collect();
    lines.sort_unstable();
    lines
}
