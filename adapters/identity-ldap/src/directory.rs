use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use domain::ports::{Arrival, DirectoryAttempt, PasswordDirectory, ProviderError, ProviderFault as Fault};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::config::{LdapConfig, LdapLogin, ServiceAccount};
use crate::connection::Connection;
use crate::entry::Entry;
use crate::error::LdapConfigError;
use crate::finder::{Finder, Found};
use crate::groups::Groups;
use crate::message::Outcome;
use crate::pool::Pool;
use crate::principal::{Principal, USUAL_FILTER};
use crate::profile::Mapping;
use crate::server::Servers;
use crate::verdict;

/// Longest name and longest password that are shown to a directory, in bytes.
const LONGEST: usize = 1_024;
/// What is tried where there is nobody.
const NO_PASSWORD: &str = "nobody has this password";

/// A directory that people's names and passwords are shown to.
pub struct LdapDirectory {
    servers: Servers,
    login: Login,
    finder: Finder,
    groups: Groups,
    mapping: Mapping,
    issuer: String,
    pool: Pool,
    turns: Arc<Semaphore>,
    limit: Duration,
    patience: Duration,
}

enum Login {
    Search(Option<ServiceAccount>),
    Direct(Principal),
}

/// Somebody whose password was right.
struct Known {
    entry: Box<Entry>,
    groups: Vec<String>,
}

fn refused<T>(fault: Fault, detail: &str) -> Result<T, ProviderError> {
    Err(ProviderError::refused(fault, detail))
}

/// Whether a name and a password may be shown to a directory at all. An empty password is a request to be nobody in particular, which
/// many grant (RFC 4513 section 5.1.2), and what is behind a NUL some do not read.
fn is_presentable(name: &str, password: &str) -> bool {
    let bounded = name.len() <= LONGEST && password.len() <= LONGEST;
    let said = !name.trim().is_empty() && !password.trim().is_empty();
    bounded && said && !name.chars().any(char::is_control) && !password.contains('\0')
}

impl LdapDirectory {
    /// Checks the configuration. Nobody is asked anything yet.
    pub fn new(config: &LdapConfig) -> Result<Self, LdapConfigError> {
        for (limit, name) in [
            (config.timeout, "timeout"),
            (config.connect_timeout, "connectTimeout"),
        ] {
            if limit.is_zero() {
                return Err(LdapConfigError::Limit(name));
            }
        }
        if config.pool_size == 0 {
            return Err(LdapConfigError::Limit("poolSize"));
        }
        let seconds = u32::try_from(config.timeout.as_secs()).unwrap_or_default().max(1);
        let mapping = Mapping::new(config);
        let groups = Groups::new(config, seconds)?;
        let (login, usual) = match &config.login {
            LdapLogin::Search { account } => {
                let account = account.clone().map(sound).transpose()?;
                (Login::Search(account), None)
            }
            LdapLogin::Direct { principal } => {
                let principal = Principal::parse(principal)?;
                (Login::Direct(principal), Some(USUAL_FILTER))
            }
        };
        if config.base().is_none() {
            return Err(LdapConfigError::Missing("searchBase"));
        }
        Ok(Self {
            servers: Servers::new(config)?,
            login,
            finder: Finder::new(config, usual, &mapping, &groups, seconds)?,
            groups,
            mapping,
            issuer: config.effective_issuer()?,
            pool: Pool::new(config.pool_size, config.pool_idle),
            turns: Arc::new(Semaphore::new(config.pool_size.min(Semaphore::MAX_PERMITS))),
            limit: config.timeout,
            patience: config.connect_timeout,
        })
    }

    async fn judge(&self, name: &str, password: &str) -> Result<Arrival, ProviderError> {
        let closed = |_| ProviderError::Unavailable("closing down".to_owned());
        let _turn = self.turns.acquire().await.map_err(closed)?;
        let known = match &self.login {
            Login::Search(account) => self.by_search(account.as_ref(), name, password).await?,
            Login::Direct(principal) => self.directly(principal, name, password).await?,
        };
        let subject = self.finder.subject(&known.entry)?;
        let arrival = Arrival::new(self.issuer.clone(), subject, self.mapping.profile(&known.entry));
        Ok(Arrival {
            raw: self.mapping.told(&known.entry, &known.groups),
            groups: known.groups,
            ..arrival
        })
    }

    async fn by_search(
        &self,
        account: Option<&ServiceAccount>,
        name: &str,
        password: &str,
    ) -> Result<Known, ProviderError> {
        let (mut service, found) = self.find(account, name).await?;
        let entry = match found {
            Found::One(entry) => self.tried(service.server(), entry, password).await,
            Found::Several => refused(Fault::DirectoryAmbiguous, "several entries fit the name"),
            Found::Nobody => self.nobody(service.server()).await,
        };
        let known = match entry {
            Ok(entry) => {
                let groups = self.groups.of(&entry, name, &mut service).await?;
                Ok(Known { entry, groups })
            }
            Err(error) => Err(error),
        };
        self.pool.keep(service);
        known
    }

    /// Searches as our own account, on a connection that is open already if there is one. Those die of age and of restarts, which
    /// nobody is told: another one is opened then.
    async fn find(
        &self,
        account: Option<&ServiceAccount>,
        name: &str,
    ) -> Result<(Connection, Found), ProviderError> {
        let values = [("username", name), ("principal", name)];
        if let Some(mut kept) = self.pool.take() {
            let found = timeout(self.patience, self.finder.find(&values, &mut kept)).await;
            if let Ok(Ok(found)) = found {
                return Ok((kept, found));
            }
            self.pool.clear();
        }
        let mut fresh = self.service(account).await?;
        let found = self.finder.find(&values, &mut fresh).await?;
        Ok((fresh, found))
    }

    /// A new connection of our own account, to the first server that is there and willing.
    async fn service(&self, account: Option<&ServiceAccount>) -> Result<Connection, ProviderError> {
        let mut failures = Failures::default();
        for which in self.servers.order() {
            match self.service_at(which, account).await {
                Err(ProviderError::Unavailable(why)) => failures.add(why),
                settled => return settled,
            }
        }
        Err(failures.into())
    }

    async fn service_at(
        &self,
        which: usize,
        account: Option<&ServiceAccount>,
    ) -> Result<Connection, ProviderError> {
        let Some(ServiceAccount { name, password }) = account else {
            return Ok(self.servers.connect(which).await?);
        };
        let (connection, outcome) = self.bound_at(which, name, password.expose()).await?;
        verdict::of_own_account(&outcome)?;
        Ok(connection)
    }

    /// A new connection on which that password was tried; whether it was right is in the outcome.
    async fn bound_at(
        &self,
        which: usize,
        name: &str,
        password: &str,
    ) -> Result<(Connection, Outcome), ProviderError> {
        let mut connection = self.servers.connect(which).await?;
        let bound = timeout(self.patience, connection.bind(name, password)).await;
        let late = |_| ProviderError::Unavailable(format!("no answer to a bind within {:?}", self.patience));
        let outcome = bound.map_err(late)??;
        Ok((connection, outcome))
    }

    /// Tries a password on a connection of its own, which ends with it.
    async fn tried(
        &self,
        server: usize,
        entry: Box<Entry>,
        password: &str,
    ) -> Result<Box<Entry>, ProviderError> {
        // To bind with an empty name is to be nobody in particular, whatever the password.
        if entry.name.is_empty() {
            return refused(Fault::DirectoryRefused, "what was found has no name");
        }
        let mut own = self.servers.connect(server).await?;
        let outcome = own.bind(&entry.name, password).await?;
        own.close().await;
        verdict::of_password(&outcome)?;
        Ok(entry)
    }

    /// Takes about as long as a wrong password does: a name that is not there is tried too, with a password that is not.
    async fn nobody<T>(&self, server: usize) -> Result<T, ProviderError> {
        let mut own = self.servers.connect(server).await?;
        let name = format!("cn=nobody,{}", self.finder.base());
        own.bind(&name, NO_PASSWORD).await?;
        own.close().await;
        refused(Fault::DirectoryPassword, "no entry fits the name")
    }

    async fn directly(
        &self,
        principal: &Principal,
        name: &str,
        password: &str,
    ) -> Result<Known, ProviderError> {
        let Some(whole) = principal.render(name) else {
            return refused(Fault::DirectoryPassword, "no account can have that name");
        };
        let mut own = self.bound(&whole, password).await?;
        let found = if principal.is_name() {
            self.finder.read(&whole, &mut own).await?
        } else {
            let values = [("username", name), ("principal", whole.as_str())];
            self.finder.find(&values, &mut own).await?
        };
        let entry = match found {
            Found::One(entry) if !entry.name.is_empty() => entry,
            Found::Several => return refused(Fault::DirectoryAmbiguous, "several entries fit the name"),
            _ => {
                return refused(
                    Fault::DirectoryRefused,
                    "whoever logged in cannot read their own entry",
                );
            }
        };
        if !principal.is_name() {
            // That the entry is theirs is a guess of the filter until the password opens it too.
            verdict::of_password(&own.bind(&entry.name, password).await?)?;
        }
        let groups = self.groups.of(&entry, name, &mut own).await?;
        own.close().await;
        Ok(Known { entry, groups })
    }

    /// Tells the operator what is wrong with the directory, or with what is configured. Of people nothing is said here.
    fn tell(&self, error: &ProviderError) {
        let ours = match error {
            ProviderError::Unavailable(_) => true,
            ProviderError::Refused { fault, .. } => matches!(
                fault,
                Fault::DirectoryRefused | Fault::DirectoryAmbiguous | Fault::SubjectMissing
            ),
        };
        if ours {
            tracing::warn!(
                directory = self.issuer,
                "a log-in by LDAP comes to nothing: {error}"
            );
        }
    }

    /// A new connection that this password opened, to the first server that is there and willing.
    async fn bound(&self, name: &str, password: &str) -> Result<Connection, ProviderError> {
        let mut failures = Failures::default();
        for which in self.servers.order() {
            let bound = self.bound_at(which, name, password).await;
            let judged =
                bound.and_then(|(connection, outcome)| verdict::of_password(&outcome).map(|()| connection));
            match judged {
                Err(ProviderError::Unavailable(why)) => failures.add(why),
                settled => return settled,
            }
        }
        Err(failures.into())
    }
}

/// Why none of the servers will do.
#[derive(Default)]
struct Failures(Vec<String>);

impl Failures {
    fn add(&mut self, why: String) {
        self.0.push(why);
    }
}

impl From<Failures> for ProviderError {
    fn from(failures: Failures) -> Self {
        Self::Unavailable(failures.0.join("; "))
    }
}

fn sound(account: ServiceAccount) -> Result<ServiceAccount, LdapConfigError> {
    let empty = account.name.trim().is_empty() || account.password.expose().trim().is_empty();
    if empty {
        return Err(LdapConfigError::ServiceAccount);
    }
    Ok(account)
}

#[async_trait]
impl PasswordDirectory for LdapDirectory {
    async fn check(&self, attempt: &DirectoryAttempt) -> Result<Arrival, ProviderError> {
        let (name, password) = (attempt.name.as_str(), attempt.password.expose());
        if !is_presentable(name, password) {
            return refused(Fault::DirectoryPassword, "nothing that a directory is shown");
        }
        let judged = timeout(self.limit, self.judge(name, password)).await;
        let late = |_| ProviderError::Unavailable(format!("no answer within {:?}", self.limit));
        let judged = judged.map_err(late).flatten();
        if let Err(error) = &judged {
            self.tell(error);
        }
        judged
    }
}
