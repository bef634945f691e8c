//! What logins and token checks cost at 1,000 users and at many.

use std::path::Path;
use std::sync::Arc;

use domain::credential::{Password, PasswordHash};
use domain::id::{PoolName, UserId, UserKey};
use domain::ports::{PasswordHasher as _, UserStore as _};
use domain::time::Timestamp;
use domain::user::{Email, User};
use hash_password::{HashConfig, Hasher};
use storage_sqlite::{SqliteConfig, SqliteStore};
use tokio::task::JoinSet;

use crate::Fault;
use crate::lab::{Lab, Workers};
use crate::load::{self, Group, Window};
use crate::people::{self, Client, PASSWORD, Person};
use crate::process::Server;
use crate::report::{Aim, Report};
use crate::script::{Cycle, Exchange};
use crate::stats::ratios;

const SUBJECT: &str = "cost as users grow";
/// What is compared with, and how many of the users log in, spread evenly over all.
const FEW: u32 = 1_000;
/// Users written at the same time: as many as the store puts into one transaction.
const AT_ONCE: usize = 256;
const CONNECTIONS: usize = 8;

/// Two servers with their own data, in turn.
pub fn measure(lab: &Lab, report: &mut Report) -> Result<(), Fault> {
    let Some(many) = lab.options.users else {
        return Ok(());
    };
    let mut halls = [Hall::open(lab, FEW)?, Hall::open(lab, many)?];
    for _ in 0..lab.options.rounds {
        for hall in &mut halls {
            hall.round(lab)?;
        }
    }
    let [few, many_users] = &halls;
    let aim = Aim::AtMost(1.2);
    let over = |pick: fn(&Hall) -> &Vec<f64>| ratios(pick(many_users), pick(few));
    let title = |what: &str| format!("{what} at {many} users beside {FEW}");
    report.judge(
        SUBJECT,
        &title("CPU of a login"),
        "ratio",
        &over(|hall| &hall.login),
        aim,
    );
    report.judge(
        SUBJECT,
        &title("CPU of a token check"),
        "ratio",
        &over(|hall| &hall.warm),
        aim,
    );
    report.note(
        SUBJECT,
        &title("the same, first time after a start"),
        "ratio",
        &over(|hall| &hall.cold),
    );
    for hall in &halls {
        let name = |what: &str| format!("{} users: {what}", hall.users);
        report.note(SUBJECT, &name("CPU of a login"), "µs", &hall.login);
        report.note(SUBJECT, &name("CPU of a token check"), "µs", &hall.warm);
        report.note(
            SUBJECT,
            &name("the same, first time after a start"),
            "µs",
            &hall.cold,
        );
    }
    Ok(())
}

/// A server with so many users.
struct Hall {
    users: u32,
    name: String,
    server: Option<Server>,
    people: Vec<Person>,
    login: Vec<f64>,
    warm: Vec<f64>,
    cold: Vec<f64>,
}

impl Hall {
    fn open(lab: &Lab, users: u32) -> Result<Self, Fault> {
        let name = format!("growth{users}");
        seed(&lab.folder(&name)?.join("portcullis.db"), users)?;
        let server = lab.portcullis(&name, Workers::Default)?;
        let mut client = Client::connect(server.address)?;
        let logged_in = |number| client.log_in(&seeded(number));
        let people = spread(users).map(logged_in).collect::<Result<_, _>>()?;
        Ok(Self {
            users,
            name,
            server: Some(server),
            people,
            login: Vec::new(),
            warm: Vec::new(),
            cold: Vec::new(),
        })
    }

    fn round(&mut self, lab: &Lab) -> Result<(), Fault> {
        // The one before must let go of the file first.
        self.server = None;
        let server = lab.portcullis(&self.name, Workers::Default)?;
        let mut client = Client::connect(server.address)?;
        let before = server.cpu()?;
        let checks = self
            .people
            .iter()
            .map(|person| client.learn(person.own_record()))
            .collect::<Result<Vec<_>, _>>()?;
        let cold = server.cpu()?.saturating_sub(before);
        self.cold.push(cold.as_secs_f64() * 1e6 / f64::from(FEW));
        self.warm.push(cpu(lab, &server, &checks)?);
        let logins = spread(self.users).map(|number| Exchange {
            request: people::login(&seeded(number)),
            body: None,
        });
        self.login.push(cpu(lab, &server, &logins.collect::<Vec<_>>())?);
        self.server = Some(server);
        Ok(())
    }
}

fn cpu(lab: &Lab, server: &Server, exchanges: &[Exchange]) -> Result<f64, Fault> {
    let part = exchanges.len() / CONNECTIONS;
    let scripts = (0..CONNECTIONS).map(|number| Cycle::new(exchanges.to_vec(), number * part));
    let group = Group::eager(scripts.collect::<Vec<_>>());
    let outcome = load::run(server, vec![group], Window::turn(lab.options.turn()))?;
    let tally = outcome.group(0)?;
    tally.all_right()?;
    Ok(outcome.cpu_micros(tally))
}

fn seeded(number: u32) -> String {
    format!("seeded{number}")
}

/// The numbers of those who log in.
fn spread(users: u32) -> impl Iterator<Item = u32> {
    (0..FEW).map(move |number| number * (users / FEW))
}

/// Writes users straight into the store: by REST each would cost a hash. They all share one.
fn seed(database: &Path, users: u32) -> Result<(), Fault> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let store = Arc::new(SqliteStore::open(&SqliteConfig::new(database))?);
    runtime.block_on(async {
        let hasher = Hasher::new(HashConfig::default())?;
        let hash = hasher.hash(&Password::typed(PASSWORD)).await?;
        let mut writing = JoinSet::new();
        for number in 0..users {
            let (store, user) = (Arc::clone(&store), user(number, hash.clone())?);
            writing.spawn(async move { store.create(&user).await });
            if writing.len() >= AT_ONCE
                && let Some(written) = writing.join_next().await
            {
                written??;
            }
        }
        while let Some(written) = writing.join_next().await {
            written??;
        }
        Ok(store.close().await?)
    })
}

fn user(number: u32, password: PasswordHash) -> Result<User, Fault> {
    let key = UserKey::new(PoolName::new("Users"), UserId::new(format!("seeded-{number:08}")));
    let mut user = User::blank(key, Timestamp::from_millis(0));
    user.email = Email::parse(&people::email(&seeded(number)), false);
    user.password = Some(password);
    user.email
        .is_some()
        .then_some(user)
        .ok_or_else(|| "no address".into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::ports::LookupKey;

    #[test]
    fn those_who_log_in_are_spread_over_all_and_are_different() {
        let numbers: std::collections::BTreeSet<u32> = spread(1_000_000).collect();
        assert_eq!(numbers.len(), 1_000);
        assert!(numbers.iter().all(|number| *number < 1_000_000) && numbers.contains(&999_000));
        assert_eq!(spread(1_000).max(), Some(999));
    }

    #[test]
    fn seeded_users_are_found_by_their_address() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.db");
        seed(&path, 3).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let store = SqliteStore::open(&SqliteConfig::new(&path)).unwrap();
        let key = Email::parse("seeded2@example.com", false).unwrap();
        let pool = PoolName::new("Users");
        let email = LookupKey::Email(key.key().to_owned());
        let found = runtime.block_on(store.find_by(&pool, &email));
        assert!(found.unwrap().is_some());
    }
}
