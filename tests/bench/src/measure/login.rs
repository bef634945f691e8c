//! Password logins beside the bare hash loop.

use std::thread;

use crate::Fault;
use crate::hash_loop;
use crate::lab::{Lab, Workers};
use crate::load::{self, Group, Window};
use crate::people::{self, Client};
use crate::process::Server;
use crate::report::{Aim, Report};
use crate::script::{Cycle, Exchange};
use crate::stats::ratios;

const SUBJECT: &str = "password login";
/// Connections per core: enough to keep every hashing thread at work, too few to be sent away.
const PER_CORE: u32 = 4;

/// The hash loop and the logins in turn.
pub fn measure(lab: &Lab, report: &mut Report) -> Result<(), Fault> {
    let server = lab.portcullis("login", Workers::Default)?;
    let count = connections();
    let mut client = Client::connect(server.address)?;
    client.people(count)?;
    let (mut logins, mut login_cpu) = (Vec::new(), Vec::new());
    let (mut hashes, mut hash_cpu) = (Vec::new(), Vec::new());
    let lasting = lab.options.turn() * 2;
    for _ in 0..lab.options.rounds {
        let bare = hash_loop::run(lasting)?;
        hashes.push(bare.rate);
        hash_cpu.push(bare.cpu_micros);
        let outcome = load::run(&server, vec![Group::eager(scripts(count))], Window::turn(lasting))?;
        let tally = outcome.group(0)?;
        tally.all_right()?;
        logins.push(outcome.rate(tally));
        login_cpu.push(outcome.cpu_micros(tally));
    }
    let aim = Aim::AtLeast(0.95);
    report.judge(
        SUBJECT,
        "throughput beside the bare hash loop",
        "ratio",
        &ratios(&logins, &hashes),
        aim,
    );
    report.judge(
        SUBJECT,
        "CPU beside the bare hash loop",
        "ratio",
        &ratios(&hash_cpu, &login_cpu),
        aim,
    );
    report.note(SUBJECT, "logins", "1/s", &logins);
    report.note(SUBJECT, "bare hashes, all cores", "1/s", &hashes);
    report.note(SUBJECT, "CPU per login", "µs", &login_cpu);
    report.note(SUBJECT, "CPU per bare hash", "µs", &hash_cpu);
    after_the_storm(report, &server)
}

fn after_the_storm(report: &mut Report, server: &Server) -> Result<(), Fault> {
    report.note(
        SUBJECT,
        "memory afterwards, every hashing thread used",
        "MiB",
        &[server.resident_mib()?],
    );
    Ok(())
}

/// Connections that keep all cores hashing.
fn connections() -> u32 {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    u32::try_from(cores).unwrap_or(1).saturating_mul(PER_CORE)
}

/// One connection per person, each logging in again and again.
pub(super) fn scripts(count: u32) -> impl Iterator<Item = Cycle> {
    (0..count).map(|number| {
        let exchange = Exchange {
            request: people::login(&format!("person{number}")),
            body: None,
        };
        Cycle::new(vec![exchange], 0)
    })
}
