//! Log-ins by an account elsewhere: what it costs to send somebody away, and to take them back in.
//!
//! Everybody of a round is sent away before the first comes back, so that the two halves can be told apart by the process' CPU
//! time. The providers are in this process and their work is not counted; the server's own work for asking them is.

use std::sync::atomic::Ordering;

use serde_json::Value;

use crate::Fault;
use crate::batch::{self, Batch};
use crate::lab::{Lab, Workers};
use crate::load::{self, Group, Window};
use crate::people::{Client, Person};
use crate::process::Server;
use crate::provider::{self, KINDS, Kind, Providers};
use crate::report::{Aim, Report};
use crate::script::Cycle;
use crate::stats::ratios;
use crate::wire::Answer;

/// The aim: CPU of a callback, in microseconds.
const MOST: f64 = 1000.0;

/// A batch of log-ins.
struct LogIns {
    start: f64,
    callback: f64,
    median: f64,
    /// The users, in the order of their numbers.
    users: Vec<String>,
}

/// What the rounds showed of one provider.
#[derive(Default)]
struct Rounds {
    checks: Vec<f64>,
    first: Vec<LogIns>,
    again: Vec<LogIns>,
    asked: Vec<f64>,
    connected: Vec<f64>,
}

/// New users, the same users again, and token checks, in turn.
pub fn measure(lab: &Lab, report: &mut Report) -> Result<(), Fault> {
    let providers = Providers::start()?;
    let server = lab.portcullis_with("callback", Workers::One, &providers.entries())?;
    let people = Client::connect(server.address)?.people(lab.options.connections)?;
    let count = lab.options.log_ins();
    let mut results = KINDS.map(|_| Rounds::default());
    // The first one finds out where everything is, and connects.
    for (_, name) in KINDS {
        log_in(&server, name, 0..1)?;
    }
    for round in 0..lab.options.rounds {
        for ((_, name), rounds) in KINDS.into_iter().zip(&mut results) {
            rounds.checks.push(check(lab, &server, &people)?);
            let numbers = 1 + round * count..1 + (round + 1) * count;
            rounds.first.push(log_in(&server, name, numbers.clone())?);
            let before = counts(&providers);
            rounds.again.push(log_in(&server, name, numbers)?);
            let after = counts(&providers);
            rounds.asked.push((after.0 - before.0) / f64::from(count));
            rounds.connected.push(after.1 - before.1);
            same_users(rounds)?;
        }
    }
    for ((kind, _), rounds) in KINDS.into_iter().zip(&results) {
        show(report, kind, rounds);
    }
    Ok(())
}

fn counts(providers: &Providers) -> (f64, f64) {
    let read = |count: &std::sync::atomic::AtomicU64| crate::stats::real(count.load(Ordering::Relaxed));
    (read(&providers.counts.asked), read(&providers.counts.connected))
}

/// CPU of a bare token check on the same server, in microseconds.
fn check(lab: &Lab, server: &Server, people: &[Person]) -> Result<f64, Fault> {
    let mut client = Client::connect(server.address)?;
    let scripts = people
        .iter()
        .map(|person| Ok(Cycle::new(vec![client.learn(person.auth_check())?], 0)))
        .collect::<Result<Vec<_>, Fault>>()?;
    let outcome = load::run(
        server,
        vec![Group::eager(scripts)],
        Window::turn(lab.options.turn()),
    )?;
    let tally = outcome.group(0)?;
    tally.all_right()?;
    Ok(outcome.cpu_micros(tally))
}

/// Sends everybody away, then takes everybody back in.
fn log_in(server: &Server, name: &str, numbers: std::ops::Range<u32>) -> Result<LogIns, Fault> {
    let away = numbers.clone().map(|_| get(&format!("/auth/{name}"), None));
    let away = batch::run(server, away.collect())?;
    let back = numbers.zip(&away.answers).map(|(number, answer)| {
        let answer = Answer::read(answer)?.ok_or("half an answer")?;
        back(name, number, &answer)
    });
    let back = batch::run(server, back.collect::<Result<_, Fault>>()?)?;
    Ok(LogIns {
        start: away.cpu_micros(),
        callback: back.cpu_micros(),
        median: back.latencies.percentile(50).unwrap_or(f64::NAN),
        users: users(&back)?,
    })
}

/// What the browser asks for once the provider sent it back.
fn back(name: &str, number: u32, answer: &Answer<'_>) -> Result<Vec<u8>, Fault> {
    let field = |wanted: &[u8]| {
        let mut fields = answer.fields();
        let found = fields.find(|(name, _)| name.eq_ignore_ascii_case(wanted));
        found.and_then(|(_, value)| std::str::from_utf8(value).ok())
    };
    let wrong = || format!("a start was answered {}", answer.head.status);
    let place = field(b"location").ok_or_else(wrong)?;
    let cookie = field(b"set-cookie").and_then(|cookie| cookie.split(';').next());
    let (_, query) = place.split_once('?').ok_or_else(wrong)?;
    let of = |wanted: &str| {
        let mut pairs = form_urlencoded::parse(query.as_bytes());
        pairs.find(|(key, _)| key == wanted).map(|(_, value)| value)
    };
    let query = form_urlencoded::Serializer::new(String::new())
        .append_pair("code", &provider::code(number, &of("nonce").unwrap_or_default()))
        .append_pair("state", &of("state").ok_or_else(wrong)?)
        .finish();
    Ok(get(
        &format!("/auth/{name}/callback?{query}"),
        Some(cookie.ok_or_else(wrong)?),
    ))
}

/// Who was let in; anybody else is an error: figures of refusals are no figures.
fn users(back: &Batch) -> Result<Vec<String>, Fault> {
    let user = |answer: &Vec<u8>| {
        let answer = Answer::read(answer)?.ok_or("half an answer")?;
        let body: Option<Value> = serde_json::from_slice(answer.body).ok();
        let id = body.as_ref().and_then(|body| body.get("userId")?.as_str());
        match id {
            Some(id) if answer.head.status == 200 => Ok(id.to_owned()),
            _ => {
                let body = String::from_utf8_lossy(answer.body);
                Err(format!("a callback was answered {} {body}", answer.head.status).into())
            }
        }
    };
    back.answers.iter().map(user).collect()
}

/// Whoever comes again must be who they were.
fn same_users(rounds: &Rounds) -> Result<(), Fault> {
    match (rounds.first.last(), rounds.again.last()) {
        (Some(first), Some(again)) if first.users == again.users => Ok(()),
        _ => Err("somebody came again and was somebody else".into()),
    }
}

/// A browser's request.
fn get(path: &str, cookie: Option<&str>) -> Vec<u8> {
    let cookie = cookie.map_or(String::new(), |cookie| format!("Cookie: {cookie}\r\n"));
    format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nAccept: text/html\r\n{cookie}\r\n").into_bytes()
}

fn show(report: &mut Report, kind: Kind, rounds: &Rounds) {
    let subject = match kind {
        Kind::OAuth2 => "third-party callback: OAuth 2.0",
        Kind::Rs256 => "third-party callback: OpenID Connect, RS256",
        Kind::Es256 => "third-party callback: OpenID Connect, ES256",
    };
    let pick =
        |batches: &[LogIns], value: fn(&LogIns) -> f64| batches.iter().map(value).collect::<Vec<f64>>();
    let again = pick(&rounds.again, |batch| batch.callback);
    let first = pick(&rounds.first, |batch| batch.callback);
    let start = pick(&rounds.again, |batch| batch.start);
    let whole: Vec<f64> = again.iter().zip(&start).map(|(back, away)| back + away).collect();
    let aim = Aim::AtMost(MOST);
    report.judge(
        subject,
        "CPU per callback of a user who was here before",
        "µs",
        &again,
        aim,
    );
    report.judge(subject, "CPU per callback that makes a user", "µs", &first, aim);
    report.note(subject, "CPU per start", "µs", &start);
    report.note(
        subject,
        "the callback's share of a log-in's CPU",
        "ratio",
        &ratios(&again, &whole),
    );
    report.note(subject, "CPU per token check (/auth/check)", "µs", &rounds.checks);
    report.note(
        subject,
        "callback beside a token check, CPU",
        "ratio",
        &ratios(&again, &rounds.checks),
    );
    report.note(
        subject,
        "median latency of a callback, 16 at once",
        "µs",
        &pick(&rounds.again, |batch| batch.median),
    );
    report.note(subject, "questions to the provider per log-in", "", &rounds.asked);
    report.note(
        subject,
        "connections to the provider opened per batch",
        "",
        &rounds.connected,
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_comes_back_with_what_it_was_sent_away_with() {
        let sent = "HTTP/1.1 302 Found\r\nset-cookie: way=secret; Path=/; HttpOnly\r\n\
                    location: http://p.example/authorize?state=s%2B1&nonce=n2\r\ncontent-length: 0\r\n\r\n";
        let answer = Answer::read(sent.as_bytes()).unwrap().unwrap();
        let asked = String::from_utf8(back("x", 7, &answer).unwrap()).unwrap();
        assert!(
            asked.starts_with("GET /auth/x/callback?code=7.n2&state=s%2B1 HTTP/1.1\r\n"),
            "{asked}"
        );
        assert!(asked.contains("\r\nCookie: way=secret\r\n"));
    }

    #[test]
    fn a_refused_start_is_no_figure() {
        let answer = Answer::read(b"HTTP/1.1 429 No\r\ncontent-length: 0\r\n\r\n")
            .unwrap()
            .unwrap();
        assert!(back("x", 7, &answer).is_err());
    }
}
