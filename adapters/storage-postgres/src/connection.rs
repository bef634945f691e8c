//! Connections and their settings.

use std::io::ErrorKind;
use std::time::Duration;

use sqlx::postgres::{PgConnection, PgDatabaseError};
use sqlx::{ConnectOptions as _, Connection as _, Row as _};
use tokio::time::timeout;

use crate::config::PostgresConfig;
use crate::error::{Said, said};
use crate::statement::bound;
use crate::tls;
use crate::url::Place;

/// After this much silence in an open transaction the server drops it: we ended without its noticing.
const IDLE_IN_TRANSACTION: Duration = Duration::from_secs(5);
/// What a new connection is asked: whether it takes writes, and whether it keeps what it acknowledges.
const INTRODUCE: &str = "SELECT pg_is_in_recovery(), current_setting('synchronous_commit')";
const BE_DURABLE: &str = "SET synchronous_commit = on";

/// Why a connection did not come about.
#[derive(Clone, Debug)]
pub(crate) struct Refused {
    /// What was said.
    pub said: Said,
    /// What it means.
    pub kind: Refusal,
}

/// What it means that a connection did not come about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// It may be otherwise in a moment.
    Passes,
    /// The server is there and has no free place.
    Full,
    /// Somebody must change something first.
    Stays,
}

/// Gives every place the settings of a node that serves: bounds on time, on both sides, and plans that do not depend on how large
/// the server believes a table to be. A plan that was made while it was empty would read all of it when it is full; each of our
/// statements has its index, so one plan is right for ever.
pub(crate) fn prepared(places: Vec<Place>, config: &PostgresConfig) -> Vec<Place> {
    let millis = |time: Duration| time.as_millis().to_string();
    let ours = [
        ("statement_timeout", millis(config.statement_timeout)),
        ("idle_in_transaction_session_timeout", millis(IDLE_IN_TRANSACTION)),
        ("enable_seqscan", "off".to_owned()),
        ("plan_cache_mode", "force_generic_plan".to_owned()),
    ];
    with_settings(places, config, &ours)
}

/// Gives every place the settings of a migration, which may take its time.
pub(crate) fn patient(places: Vec<Place>, config: &PostgresConfig) -> Vec<Place> {
    with_settings(places, config, &[("statement_timeout", "0".to_owned())])
}

fn with_settings(places: Vec<Place>, config: &PostgresConfig, ours: &[(&str, String)]) -> Vec<Place> {
    let roots = places
        .iter()
        .any(|place| place.trusts_machine)
        .then(tls::system_roots)
        .flatten();
    let with = |mut place: Place| {
        let mut options = place.options.statement_cache_capacity(config.statement_cache);
        // Their text at every call is noise; slow ones are still mentioned.
        if let Ok(off) = "off".parse() {
            options = options.log_statements(off);
        }
        if let Some(roots) = roots.clone().filter(|_| place.trusts_machine) {
            options = options.ssl_root_cert_from_pem(roots);
        }
        let ours = ours.iter().map(|(name, value)| (*name, value.as_str()));
        let theirs = place
            .settings
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()));
        place.options = options.options(ours.chain(theirs));
        place
    };
    places.into_iter().map(with).collect()
}

/// Connects to the first place that takes writes, beginning at `first`; says which it was. Each has its share of the time.
pub(crate) async fn open_any(
    places: &[Place],
    first: usize,
    patience: Duration,
) -> Result<(usize, PgConnection), Refused> {
    let count = u32::try_from(places.len()).unwrap_or(u32::MAX).max(1);
    let order = (0..places.len()).cycle().skip(first).take(places.len());
    let mut worst: Option<Refused> = None;
    for (number, place) in order.filter_map(|number| Some((number, places.get(number)?))) {
        let answer = timeout(patience / count, open(place)).await;
        let refused = match answer {
            Ok(Ok(connection)) => return Ok((number, connection)),
            Ok(Err(refused)) => refused,
            Err(_) => Refused {
                said: Said::new("no answer in time"),
                kind: Refusal::Passes,
            },
        };
        let said = Said::new(format!("{}: {}", place.name, refused.said));
        let kind = worst.map_or(refused.kind, |before| before.kind.and(refused.kind));
        worst = Some(Refused { said, kind });
    }
    Err(worst.unwrap_or_else(|| Refused {
        said: Said::new("no server is named"),
        kind: Refusal::Stays,
    }))
}

impl Refusal {
    /// What two servers' refusals mean together: while one of them may change its mind, it is worth waiting.
    fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Passes, _) | (_, Self::Passes) => Self::Passes,
            (Self::Full, _) | (_, Self::Full) => Self::Full,
            (Self::Stays, Self::Stays) => Self::Stays,
        }
    }
}

/// Connects, and looks whether the server takes writes and keeps what it acknowledges.
async fn open(place: &Place) -> Result<PgConnection, Refused> {
    let mut connection = PgConnection::connect_with(&place.options)
        .await
        .map_err(refusal)?;
    let row = bound(INTRODUCE, &[])
        .fetch_one(&mut connection)
        .await
        .map_err(refusal)?;
    let is_standby: bool = row.try_get(0).map_err(refusal)?;
    let durability: String = row.try_get(1).map_err(refusal)?;
    if is_standby {
        return Err(Refused {
            said: Said::new("it is a standby and takes no writes"),
            kind: Refusal::Passes,
        });
    }
    // Weakened for the role or the database: not for us, who promise that what was acknowledged is kept, by a standby too where
    // one is waited for.
    if matches!(durability.as_str(), "off" | "local" | "remote_write") {
        sqlx::raw_sql(BE_DURABLE)
            .execute(&mut connection)
            .await
            .map_err(refusal)?;
    }
    Ok(connection)
}

#[expect(clippy::needless_pass_by_value, reason = "made for map_err")]
fn refusal(error: sqlx::Error) -> Refused {
    let kind = match &error {
        // A server that could not prove who it is, which the driver reports as a broken wire.
        sqlx::Error::Io(io) if io.kind() == ErrorKind::InvalidData => Refusal::Stays,
        sqlx::Error::Io(_) | sqlx::Error::Protocol(_) => Refusal::Passes,
        sqlx::Error::Database(database) => kind_of(database.downcast_ref::<PgDatabaseError>().code()),
        _ => Refusal::Stays,
    };
    Refused {
        said: said(&error),
        kind,
    }
}

/// `too_many_connections`; a server that is starting, stopping or crashed; anything else is for somebody to mend.
fn kind_of(code: &str) -> Refusal {
    match code {
        "53300" => Refusal::Full,
        "57P01" | "57P02" | "57P03" => Refusal::Passes,
        _ if code.starts_with("08") || code.starts_with("53") => Refusal::Passes,
        _ => Refusal::Stays,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_keeps_what_it_acknowledges_and_bounds_what_it_asks() {
        let server = servers::env("POSTGRES_URL", "storage-postgres");
        let config = PostgresConfig::new(format!("{server}?options[synchronous_commit]=off"));
        conformance::run(async move {
            let places = prepared(config.places().unwrap(), &config);
            let (_, mut connection) = open_any(&places, 0, config.acquire_timeout).await.unwrap();
            for (setting, expected) in [
                ("SHOW synchronous_commit", "on"),
                ("SHOW statement_timeout", "2500ms"),
                ("SHOW enable_seqscan", "off"),
                ("SHOW application_name", "portcullis"),
            ] {
                let row = sqlx::query(setting).fetch_one(&mut connection).await.unwrap();
                assert_eq!(row.get::<String, _>(0), expected, "{setting}");
            }
        });
    }

    #[test]
    fn while_one_of_two_servers_may_change_its_mind_it_is_worth_waiting() {
        use Refusal::{Full, Passes, Stays};
        assert_eq!(Stays.and(Passes), Passes);
        assert_eq!(Passes.and(Full), Passes);
        assert_eq!(Full.and(Stays), Full);
        assert_eq!(Stays.and(Stays), Stays);
        assert_eq!(kind_of("57P03"), Passes);
        assert_eq!(kind_of("28P01"), Stays);
    }
}
