//! `portcullis audit …`

mod when;

use std::collections::BTreeMap;
use std::io::{self, Write as _};
use std::net::IpAddr;
use std::time::Duration;

use clap::Args;
use clap::builder::PossibleValuesParser;
use domain::audit::AuditKind;
use domain::ports::Clock as _;
use domain::stored::StoredAuditEvent;
use domain::time::{Lifetime, Timestamp};

use super::Said;
use super::ask::Asker;
use super::table::{plain, table};
use crate::config::Config;
use crate::control::audit::{AuditAnswer, AuditCommand, PAGE};
use crate::control::{Answer, Command, Refusal};
use crate::serve::Fault;
use when::When;

/// How often new events are looked for.
const EVERY: Duration = Duration::from_secs(1);
/// How far back each look goes: events of several nodes do not come in the order of their clocks.
const OVERLAP: Lifetime = Lifetime::from_secs(10);

/// `portcullis audit`
#[derive(Clone, Debug, PartialEq, Eq, Args)]
pub struct AuditArgs {
    /// About this user: id, address or username, with POOL/ in front of it where there are several pools
    #[arg(long, value_name = "USER")]
    user: Option<String>,
    /// Of this pool
    #[arg(long, value_name = "POOL")]
    pool: Option<String>,
    /// Of this kind; may be given several times
    #[arg(long = "kind", value_name = "KIND", value_parser = kinds(), hide_possible_values = true)]
    kinds: Vec<String>,
    /// From this address (IPv6: from its /64); the log keeps keyed hashes, and yours is hashed for you
    #[arg(long, value_name = "ADDRESS")]
    network: Option<IpAddr>,
    /// Of this request, by the id that answers and log lines carry
    #[arg(long, value_name = "ID")]
    request: Option<String>,
    /// From this moment on: 90s, 30m, 2h, 7d ago, or 2026-11-22T10:00:00Z
    #[arg(long, value_name = "WHEN", value_parser = When::parse)]
    since: Option<When>,
    /// Before this moment
    #[arg(long, value_name = "WHEN", value_parser = When::parse)]
    until: Option<When>,
    /// The newest so many
    #[arg(long, value_name = "NUMBER", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    limit: u32,
    /// Go on showing events as they come, until interrupted
    #[arg(long, conflicts_with = "until")]
    follow: bool,
    /// Print a line of JSON for each event, for scripts
    #[arg(long)]
    json: bool,
}

fn kinds() -> PossibleValuesParser {
    PossibleValuesParser::new(AuditKind::ALL.iter().map(|kind| kind.name()))
}

impl AuditArgs {
    /// Looks events up, and shows the newest last.
    ///
    /// # Errors
    /// A sentence for the operator.
    pub async fn run(&self, config: &Config) -> Result<Said, Fault> {
        let mut asker = Asker::new(config);
        let shown = self.show(&mut asker, config).await;
        asker.close().await?;
        shown
    }

    async fn show(&self, asker: &mut Asker<'_>, config: &Config) -> Result<Said, Fault> {
        let now = system::SystemClock.now();
        let command = self.command(now);
        let events = newest(asker, &command, usize::try_from(self.limit).unwrap_or(usize::MAX)).await?;
        if !self.follow {
            return self.said(&events).map_err(Fault::from);
        }
        if asker.was_here() && !config.storage.is_shared() {
            let why = "no server is running here, and no other one writes into this store: there is nothing to follow";
            return Err(Refusal::new(why).into());
        }
        self.follow(asker, command, events, now).await
    }

    fn command(&self, now: Timestamp) -> AuditCommand {
        AuditCommand {
            user: self.user.clone(),
            pool: self.pool.clone(),
            kinds: self.kinds.clone(),
            network: self.network,
            request: self.request.clone(),
            since: self.since.map(|when| when.at(now)),
            until: self.until.map(|when| when.at(now)),
            after: None,
            limit: PAGE,
        }
    }

    fn said(&self, events: &[StoredAuditEvent]) -> Result<Said, serde_json::Error> {
        if self.json {
            let lines: Result<Vec<String>, _> = events.iter().map(serde_json::to_string).collect();
            return lines.map(|lines| Said::printed(lines.join("\n")));
        }
        let rows: Vec<_> = events.iter().map(row).collect();
        Ok(Said::printed(table(
            ["AT", "EVENT", "USER", "BY", "NETWORK", "REQUEST", "DETAIL"],
            &rows,
        )))
    }

    /// Prints what there is and what comes, until nobody reads it any more.
    async fn follow(
        &self,
        asker: &mut Asker<'_>,
        mut command: AuditCommand,
        mut events: Vec<StoredAuditEvent>,
        now: Timestamp,
    ) -> Result<Said, Fault> {
        let mut seen = Seen::default();
        let mut latest = now;
        loop {
            for event in seen.unseen(&events)? {
                latest = latest.max(event.at);
                if self.print(event).is_err() {
                    return Ok(Said::default());
                }
            }
            tokio::time::sleep(EVERY).await;
            let since = latest.minus(OVERLAP);
            command.since = Some(command.since.map_or(since, |asked| asked.max(since)));
            seen.forget_before(since);
            asker.only_where_it_was();
            events = newest(asker, &command, usize::MAX).await?;
        }
    }

    fn print(&self, event: &StoredAuditEvent) -> io::Result<()> {
        let line = if self.json {
            serde_json::to_string(event)?
        } else {
            let [at, kind, rest @ ..] = row(event);
            format!("{at}  {kind:<28}  {}", rest.map(|cell| plain(&cell)).join("  "))
        };
        let mut out = io::stdout().lock();
        writeln!(out, "{}", line.trim_end())?;
        out.flush()
    }
}

/// The newest events that fit, the newest last.
async fn newest(
    asker: &mut Asker<'_>,
    command: &AuditCommand,
    most: usize,
) -> Result<Vec<StoredAuditEvent>, Fault> {
    let mut all = Vec::new();
    let mut after = None;
    loop {
        let page = AuditCommand {
            after,
            limit: PAGE.min(most - all.len()),
            ..command.clone()
        };
        let Answer::Audit(AuditAnswer { events, next }) = asker.ask(Command::Audit(page)).await? else {
            return Err(Refusal::new("the answer does not fit the command").into());
        };
        all.extend(events);
        all.truncate(most);
        after = next;
        if after.is_none() || all.len() == most {
            all.reverse();
            return Ok(all);
        }
    }
}

fn row(event: &StoredAuditEvent) -> [String; 7] {
    let dash = |text: Option<String>| {
        text.filter(|text| !text.is_empty())
            .unwrap_or_else(|| "-".to_owned())
    };
    let user = event.pool.as_ref().zip(event.user.as_ref());
    [
        event.at.to_string(),
        event.kind.name().to_owned(),
        dash(user.map(|(pool, user)| format!("{pool}/{user}"))),
        event.actor.to_string(),
        dash(event.network.as_ref().map(|network| network.as_str().to_owned())),
        dash(event.request.clone()),
        dash(event.detail.clone()),
    ]
}

/// Which events were shown, as far back as they are looked for. Two that are the same in everything are two.
#[derive(Default)]
struct Seen(BTreeMap<(Timestamp, String), usize>);

impl Seen {
    /// Those that were not shown yet, in their order.
    fn unseen<'a>(
        &mut self,
        events: &'a [StoredAuditEvent],
    ) -> Result<Vec<&'a StoredAuditEvent>, serde_json::Error> {
        let mut counts: BTreeMap<(Timestamp, String), usize> = BTreeMap::new();
        let mut new = Vec::new();
        for event in events {
            let key = (event.at, serde_json::to_string(event)?);
            let count = counts.entry(key.clone()).or_default();
            *count += 1;
            let shown = self.0.entry(key).or_default();
            if *count > *shown {
                *shown = *count;
                new.push(event);
            }
        }
        Ok(new)
    }

    fn forget_before(&mut self, moment: Timestamp) {
        self.0.retain(|(at, _), _| *at >= moment);
    }
}

#[cfg(test)]
mod tests {
    use domain::audit::{Actor, AuditEvent};

    use super::*;

    fn event(at: i64, kind: AuditKind) -> StoredAuditEvent {
        let event = AuditEvent::of_server(Timestamp::from_millis(at), kind, None, Actor::Operator);
        StoredAuditEvent::from(&event)
    }

    #[test]
    fn an_event_is_shown_once_and_two_that_are_the_same_twice() {
        let mut seen = Seen::default();
        let (one, two) = (event(1, AuditKind::LoggedIn), event(2, AuditKind::LoggedOut));
        assert_eq!(seen.unseen(&[one.clone(), two.clone()]).unwrap().len(), 2);
        assert!(seen.unseen(&[one.clone(), two.clone()]).unwrap().is_empty());
        assert_eq!(
            seen.unseen(&[one.clone(), two.clone(), two.clone()]).unwrap(),
            [&two]
        );
        seen.forget_before(Timestamp::from_millis(2));
        assert!(seen.unseen(std::slice::from_ref(&two)).unwrap().is_empty());
    }

    #[test]
    fn an_event_is_a_row_for_people() {
        let [at, kind, user, by, ..] = row(&event(0, AuditKind::FactorRemoved));
        assert_eq!(
            (at.as_str(), kind.as_str(), user.as_str(), by.as_str()),
            ("1970-01-01T00:00:00.000Z", "factor.removed", "-", "operator")
        );
    }
}
