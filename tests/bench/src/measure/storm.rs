//! Token checks while everybody logs in at once.

use std::time::Duration;

use super::login;
use crate::Fault;
use crate::lab::{Lab, Workers};
use crate::load::{self, Group, Outcome, Tally, Window};
use crate::people::{Client, Person};
use crate::process::Server;
use crate::report::{Aim, Report};
use crate::script::{Cycle, Exchange};
use crate::stats::{ratios, real};

const SUBJECT: &str = "token checks during a login storm";
/// Connections that check tokens, at a pace that leaves the machine room: what is asked is whether they have to wait.
const CHECKING: u32 = 8;
const PACE: Duration = Duration::from_millis(8);
/// People who log in, each over two connections at once: more than the hasher has places, so that some are sent away.
const STORMING: u32 = 64;

/// The checks alone, then the same checks in the storm, round by round.
pub fn measure(lab: &Lab, report: &mut Report) -> Result<(), Fault> {
    let server = lab.portcullis("storm", Workers::Default)?;
    let mut client = Client::connect(server.address)?;
    let people = client.people(STORMING)?;
    let checkers: Vec<&Person> = people.iter().take(usize::try_from(CHECKING)?).collect();
    let exchanges = checkers
        .into_iter()
        .map(|person| client.learn(person.own_record()))
        .collect::<Result<Vec<_>, _>>()?;
    let (mut alone, mut storm) = (Latencies::default(), Latencies::default());
    let (mut logins, mut shed) = (Vec::new(), Vec::new());
    for _ in 0..lab.options.rounds {
        alone.note(round(lab, &server, vec![checks(&exchanges)])?.group(0)?);
        let storming = Group::eager(login::scripts(STORMING).chain(login::scripts(STORMING)));
        let outcome = round(lab, &server, vec![checks(&exchanges), storming])?;
        let raging = outcome.group(1)?;
        raging.all_right()?;
        storm.note(outcome.group(0)?);
        logins.push(outcome.rate(raging));
        shed.push(real(raging.shed));
    }
    let aim = Aim::AtMost(3.0);
    report.judge(
        SUBJECT,
        "p99 beside the same checks alone",
        "ratio",
        &ratios(&storm.p99, &alone.p99),
        aim,
    );
    report.judge(
        SUBJECT,
        "checks that failed",
        "count",
        &storm.failed,
        Aim::AtMost(0.0),
    );
    report.note(
        SUBJECT,
        "median beside the same checks alone",
        "ratio",
        &ratios(&storm.median, &alone.median),
    );
    for (name, latencies) in [("alone", alone), ("in the storm", storm)] {
        report.note(
            SUBJECT,
            &format!("{name}: median latency"),
            "µs",
            &latencies.median,
        );
        report.note(SUBJECT, &format!("{name}: p99 latency"), "µs", &latencies.p99);
    }
    report.note(SUBJECT, "logins meanwhile", "1/s", &logins);
    report.note(
        SUBJECT,
        "logins sent away with 503 and Retry-After",
        "count",
        &shed,
    );
    Ok(())
}

#[derive(Default)]
struct Latencies {
    median: Vec<f64>,
    p99: Vec<f64>,
    failed: Vec<f64>,
}

impl Latencies {
    fn note(&mut self, tally: &Tally) {
        let percentile = |percent| tally.latencies.percentile(percent).unwrap_or(f64::NAN);
        self.median.push(percentile(50));
        self.p99.push(percentile(99));
        // A check that was sent away has failed too: it needs no hash.
        self.failed.push(real(tally.wrong + tally.shed));
    }
}

fn checks(exchanges: &[Exchange]) -> Group {
    let scripts = exchanges.iter().cloned();
    Group::paced(scripts.map(|exchange| Cycle::new(vec![exchange], 0)), PACE)
}

fn round(lab: &Lab, server: &Server, groups: Vec<Group>) -> Result<Outcome, Fault> {
    load::run(server, groups, Window::turn(lab.options.turn() * 2))
}
