//! Token checks beside bare servers that give the same answers.

use std::fs;
use std::path::Path;

use crate::Fault;
use crate::bare;
use crate::lab::{Bare, Lab, Workers};
use crate::load::{self, Group, Window};
use crate::people::{Client, Person};
use crate::process::Server;
use crate::report::{Aim, Report};
use crate::script::{Cycle, Exchange};
use crate::stats::ratios;

/// The request of a token check.
type Check = fn(&Person) -> Vec<u8>;

/// Three servers, one after another, round by round.
pub fn measure(lab: &Lab, report: &mut Report) -> Result<(), Fault> {
    let ours = lab.portcullis("token", Workers::One)?;
    let mut client = Client::connect(ours.address)?;
    let people = client.people(lab.options.connections)?;
    let answers = lab.folder("answers")?;
    record(&mut client, people.first().ok_or("no people")?, &answers)?;
    let bare_loop = lab.bare(Bare::Loop, &answers)?;
    let bare_warp = lab.bare(Bare::Warp, &answers)?;
    drop(client);
    let servers = [&ours, &bare_loop, &bare_warp];
    let routes: [(&str, Check); 2] = [
        ("GET /api/Users/{id}", Person::own_record),
        ("GET /auth/check", Person::auth_check),
    ];
    for (name, request) in routes {
        let mut results = [const { Vec::new() }; 3];
        for _ in 0..lab.options.rounds {
            for (server, turns) in servers.iter().zip(&mut results) {
                turns.push(turn(lab, server, &people, request)?);
            }
        }
        show(report, &format!("token check: {name}"), &results);
    }
    Ok(())
}

/// Keeps what Portcullis answers, byte by byte, for the bare servers to give.
fn record(client: &mut Client, person: &Person, folder: &Path) -> Result<(), Fault> {
    let [(_, own_record), (_, auth_check)] = bare::ROUTES;
    for (file, request) in [
        (own_record, person.own_record()),
        (auth_check, person.auth_check()),
    ] {
        let answer = client.ask(&request)?;
        let bytes = [b"HTTP/1.1 200 OK\r\n", answer.fields, answer.body].concat();
        fs::write(folder.join(file), bytes)?;
    }
    Ok(())
}

/// What one turn of one server showed.
struct Turn {
    rate: f64,
    cpu: f64,
    median: f64,
    p99: f64,
    own_share: f64,
}

fn turn(lab: &Lab, server: &Server, people: &[Person], request: Check) -> Result<Turn, Fault> {
    let mut client = Client::connect(server.address)?;
    let exchanges = people
        .iter()
        .map(|person| client.learn(request(person)))
        .collect::<Result<Vec<Exchange>, Fault>>()?;
    let scripts = exchanges
        .into_iter()
        .map(|exchange| Cycle::new(vec![exchange], 0));
    let outcome = load::run(
        server,
        vec![Group::eager(scripts)],
        Window::turn(lab.options.turn()),
    )?;
    let tally = outcome.group(0)?;
    tally.all_right()?;
    Ok(Turn {
        rate: outcome.rate(tally),
        cpu: outcome.cpu_micros(tally),
        median: tally.latencies.percentile(50).unwrap_or(f64::NAN),
        p99: tally.latencies.percentile(99).unwrap_or(f64::NAN),
        own_share: outcome.own_share(),
    })
}

fn show(report: &mut Report, subject: &str, [ours, bare_loop, bare_warp]: &[Vec<Turn>; 3]) {
    let pick = |turns: &[Turn], value: fn(&Turn) -> f64| turns.iter().map(value).collect::<Vec<f64>>();
    let rate = |turn: &Turn| turn.rate;
    let cpu = |turn: &Turn| turn.cpu;
    for (name, bare, aim) in [
        ("bare handler, same loop", bare_loop, 0.80),
        ("bare warp", bare_warp, 0.65),
    ] {
        let aim = Aim::AtLeast(aim);
        let rates = ratios(&pick(ours, rate), &pick(bare, rate));
        report.judge(
            subject,
            &format!("throughput beside {name}"),
            "ratio",
            &rates,
            aim,
        );
        // The other way round: who takes more CPU is worth less.
        let costs = ratios(&pick(bare, cpu), &pick(ours, cpu));
        report.judge(subject, &format!("CPU beside {name}"), "ratio", &costs, aim);
    }
    let contestants = [
        ("Portcullis", ours),
        ("bare handler, same loop", bare_loop),
        ("bare warp", bare_warp),
    ];
    for (name, turns) in contestants {
        report.note(
            subject,
            &format!("{name}: throughput"),
            "req/s",
            &pick(turns, rate),
        );
        report.note(
            subject,
            &format!("{name}: CPU per request"),
            "µs",
            &pick(turns, cpu),
        );
        report.note(
            subject,
            &format!("{name}: median latency"),
            "µs",
            &pick(turns, |turn| turn.median),
        );
        report.note(
            subject,
            &format!("{name}: p99 latency"),
            "µs",
            &pick(turns, |turn| turn.p99),
        );
        report.note(
            subject,
            &format!("{name}: load generator, share of a core"),
            "ratio",
            &pick(turns, |turn| turn.own_share),
        );
    }
}
