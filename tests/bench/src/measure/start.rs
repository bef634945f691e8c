//! From the start of the process to its first answer, and the memory it takes at rest.

use std::thread;
use std::time::{Duration, Instant};

use crate::Fault;
use crate::lab::{Lab, Workers};
use crate::people::Client;
use crate::process::Server;
use crate::report::{Aim, Report};
use crate::wire;

const SUBJECT: &str = "start and memory";
/// Starts of each kind.
const STARTS: usize = 10;
/// After this long a server that was asked nothing is at rest.
const REST: Duration = Duration::from_millis(300);

/// Starts the server again and again: on no data, then on the data of the start before.
pub fn measure(lab: &Lab, report: &mut Report) -> Result<(), Fault> {
    let mut first = Vec::with_capacity(STARTS);
    let mut later = Vec::with_capacity(STARTS);
    for number in 0..STARTS {
        let name = format!("start{number}");
        first.push(first_answer(lab, &name)?.1);
        let (server, took) = first_answer(lab, &name)?;
        later.push(took);
        drop(server);
    }
    report.judge(SUBJECT, "start to first answer", "ms", &later, Aim::AtMost(60.0));
    report.note(
        SUBJECT,
        "the same, database and key made on the way",
        "ms",
        &first,
    );
    memory(lab, report)
}

fn memory(lab: &Lab, report: &mut Report) -> Result<(), Fault> {
    let (server, _) = first_answer(lab, "memory")?;
    thread::sleep(REST);
    let idle = server.resident_mib()?;
    let mut client = Client::connect(server.address)?;
    client.people(1)?;
    thread::sleep(REST);
    let hashed = server.resident_mib()?;
    report.judge(
        SUBJECT,
        "memory before the first hash",
        "MiB",
        &[idle],
        Aim::AtMost(25.0),
    );
    report.note(
        SUBJECT,
        "memory after the first sign-up and login",
        "MiB",
        &[hashed],
    );
    Ok(())
}

/// Milliseconds from the start of the process to a whole answer.
fn first_answer(lab: &Lab, name: &str) -> Result<(Server, f64), Fault> {
    // What the bench itself writes beforehand is not the server's time: the folder is there already.
    lab.folder(name)?;
    let begun = Instant::now();
    let server = lab.portcullis(name, Workers::Default)?;
    Client::connect(server.address)?.ask(&wire::get("/healthz", None))?;
    Ok((server, begun.elapsed().as_secs_f64() * 1e3))
}
