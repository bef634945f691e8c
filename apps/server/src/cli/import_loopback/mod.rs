//! `portcullis import loopback`

mod follow;
mod told;

use std::io::{BufWriter, Write as _};
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use domain::id::{EntryName, PoolName, ProviderName};
use domain::identity::{ProviderEntry, SubjectScope};
use domain::ports::Sealer;
use seal_local::LocalSealer;

use super::Said;
use super::import::{ImportArgs, Source};
use super::moved::{Opened, scheme};
use super::progress::Meter;
use super::spool::nameless;
use crate::adapters::loopback::{self, Account, Ask, Read, Sealing};
use crate::config::Config;
use crate::control::Refusal;
use crate::serve::Fault;
use crate::transfer::{self, FORMAT, Followed, Header, Sink, TransferError, VERSION};
use crate::{keys, providers, wire};
use follow::Follow;

/// `portcullis import loopback`
#[derive(Clone, Debug, PartialEq, Eq, Args)]
#[expect(clippy::struct_excessive_bools, reason = "one field per switch")]
pub struct LoopbackArgs {
    /// Where it keeps its data: the memory connector's file, postgres://… or mongodb://…
    ///
    /// An address with a password is better given as $PORTCULLIS_LOOPBACK_URL: other users of the machine can read arguments.
    #[arg(
        long,
        value_name = "PLACE",
        env = "PORTCULLIS_LOOPBACK_URL",
        hide_env_values = true
    )]
    from: String,
    /// Write nothing; say what would be written, and what is in the way
    #[arg(long)]
    dry_run: bool,
    /// Take what can be taken, though there are conflicts: what they are about is left out, as the report says
    #[arg(long)]
    leave_out: bool,
    /// The model of users, where it cannot be found out
    #[arg(long, value_name = "MODEL")]
    users: Option<String>,
    /// What another model is called (AccessToken=appToken); may be given several times
    #[arg(long = "model", value_name = "KIND=NAME", value_parser = pair)]
    models: Vec<(String, String)>,
    /// The pool users come into [default: the first of the configuration]
    #[arg(long)]
    pool: Option<String>,
    /// How own properties are spelled that SQL keeps in lower case (firstName,lastName)
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    properties: Vec<String>,
    /// Within what a provider's ids are unique, where providers.json does not have it; may be given several times
    #[arg(long = "issuer", value_name = "PROVIDER=URL", value_parser = pair)]
    issuers: Vec<(String, String)>,
    /// Take roles that were given to roles: LoopBack 3 never followed them, here they give rights
    #[arg(long)]
    nested_roles: bool,
    /// Look for each record before writing it: quicker when an import was stopped and most is there already
    #[arg(long)]
    resume: bool,
    /// Look again every few seconds, and take over what is new, changed or gone there, until SIGINT or SIGTERM
    ///
    /// For the time until people are served here: whoever was changed here meanwhile stays as they are.
    #[arg(long, conflicts_with_all = ["dry_run", "out"])]
    follow: bool,
    /// Seconds between two looks
    #[arg(long, value_name = "SECONDS", default_value_t = 5, requires = "follow")]
    every: u64,
    /// Keep what was read in this file too, in the format of `export`
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Print JSON, for scripts
    #[arg(long)]
    json: bool,
    /// Say nothing but what is wrong
    #[arg(long)]
    quiet: bool,
}

fn pair(text: &str) -> Result<(String, String), String> {
    let pair = text
        .split_once('=')
        .filter(|(name, value)| !name.is_empty() && !value.is_empty());
    pair.map(|(name, value)| (name.to_owned(), value.to_owned()))
        .ok_or_else(|| "write NAME=VALUE".to_owned())
}

impl LoopbackArgs {
    /// Does it, and says what was done.
    ///
    /// # Errors
    /// A sentence for the operator; among them that there are conflicts, in which case nothing was written.
    pub async fn run(&self, config: &Config) -> Result<Said, Fault> {
        let ask = self.ask(config)?;
        let meter = Meter::new(self.quiet || self.json);
        let opened = Opened::open(config).await?;
        let done = self.import(config, &ask, &opened, &meter).await;
        // Whatever became of the import, the store is left in order.
        let closed = opened.close().await;
        let said = done?;
        closed?;
        Ok(said)
    }

    async fn import(
        &self,
        config: &Config,
        ask: &Ask,
        opened: &Opened,
        meter: &Meter,
    ) -> Result<Said, Fault> {
        let pass = Pass { ask, opened };
        let (read, source) = pass.read(self, config, meter).await?;
        let checked = transfer::check(source.reading()?, source.length, meter)?;
        let conflicts = read.findings.iter().any(|finding| finding.conflict);
        let only_looks = self.dry_run || (conflicts && !self.leave_out);
        let import = ImportArgs::again(self.resume, only_looks, self.quiet);
        let (report, verified) = import.import(&opened.stores, &source, &checked, meter).await?;
        let refused = only_looks && !self.dry_run;
        let told = told::Told {
            config,
            read: &read,
            checked: &checked,
            report: &report,
            verified: verified.as_ref(),
            refused,
        };
        let first = told.said(self.json, self.quiet)?;
        if !self.follow {
            return Ok(first);
        }
        let followed = Followed::since(&mut source.reading()?)?;
        drop(source);
        let follow = Follow {
            args: self,
            config,
            pass: &pass,
            first,
        };
        follow.go_on(followed).await
    }

    /// The sealer; none in a dry run where no key file is there to be read, and none is made.
    fn sealer(&self, config: &Config) -> Result<Option<Arc<dyn Sealer>>, Fault> {
        let path = &config.secrets.key_file;
        if !self.dry_run {
            let (keys, _) = keys::KeysInUse::load(path)?;
            return Ok(Some(keys.sealer()));
        }
        let Some(ring) = keys::load(path)? else {
            return Ok(None);
        };
        let sealer = LocalSealer::new(ring.for_sealing());
        let sealer = sealer.map_err(|error| Refusal::new(error.to_string()))?;
        Ok(Some(Arc::new(sealer)))
    }

    fn file(&self) -> Result<std::fs::File, Fault> {
        use std::os::unix::fs::OpenOptionsExt as _;
        let Some(path) = self.out.as_deref().filter(|_| !self.dry_run) else {
            return Ok(nameless().map_err(TransferError::file("making a file in $TMPDIR"))?);
        };
        let mut options = std::fs::OpenOptions::new();
        options
            .read(true)
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600);
        Ok(options
            .open(path)
            .map_err(TransferError::file(path.display().to_string()))?)
    }

    fn ask(&self, config: &Config) -> Result<Ask, Fault> {
        let named = |name: &&String| config.users.iter().any(|pool| pool.plural == **name);
        let pool = match &self.pool {
            None => config.users.first(),
            Some(name) => config.users.iter().find(|pool| pool.plural == *name),
        };
        let pool = pool.ok_or_else(|| {
            let name = self
                .pool
                .as_ref()
                .filter(|name| !named(name))
                .cloned()
                .unwrap_or_default();
            Refusal::new(format!(
                "the configuration has no pool `[users.{}]`",
                name.escape_debug()
            ))
        })?;
        let users = self.users.iter().map(|name| ("User".to_owned(), name.clone()));
        Ok(Ask {
            from: self.from.clone(),
            models: self.models.iter().cloned().chain(users).collect(),
            pool: PoolName::new(pool.plural.as_str()),
            case_sensitive_email: pool.case_sensitive_email,
            eternal_tokens: pool.allow_eternal_tokens,
            nested_roles: self.nested_roles,
            properties: self.properties.clone(),
            entries: self.accounts(config, &PoolName::new(pool.plural.as_str()))?,
        })
    }

    /// What leads to accounts elsewhere: the entries of the pool, and what is said besides.
    fn accounts(&self, config: &Config, pool: &PoolName) -> Result<Vec<Account>, Fault> {
        let public_url = config.server.public_url(config.server.listen.port);
        let providers = providers::open(wire::providers_file(config, &public_url)?)?;
        let said = |provider: &ProviderName| {
            let mut said = self.issuers.iter();
            said.find(|(name, _)| name == provider.as_str())
                .map(|(_, issuer)| issuer.clone())
        };
        let mut accounts = Vec::new();
        for (entry, issuer) in providers.directory.issuers() {
            if let Some(issuer) = said(&entry.provider).or(issuer)
                && entry.pool == *pool
            {
                accounts.push(Account { entry, issuer });
            }
        }
        for (provider, issuer) in &self.issuers {
            if !accounts
                .iter()
                .any(|account| account.entry.provider.as_str() == provider)
            {
                accounts.push(Account {
                    entry: unconfigured(provider, pool),
                    issuer: issuer.clone(),
                });
            }
        }
        Ok(accounts)
    }
}

/// One look at the whole source.
struct Pass<'a> {
    ask: &'a Ask,
    opened: &'a Opened,
}

impl Pass<'_> {
    /// Reads everything, and puts it down where it can be read again.
    async fn read(
        &self,
        args: &LoopbackArgs,
        config: &Config,
        meter: &Meter,
    ) -> Result<(Read, Source), Fault> {
        let stores = &self.opened.stores;
        let sealing = Sealing {
            sealer: args.sealer(config)?,
            users: Arc::clone(&stores.users),
            applications: Arc::clone(&stores.applications),
        };
        let header = header(self.ask, &stores.clock.now().to_iso8601());
        let mut sink = Sink::begin(BufWriter::new(args.file()?), &header)?;
        let read = loopback::read(self.ask, &sealing, meter, &mut |record| sink.record(record)).await?;
        let (mut out, _) = sink.finish()?;
        out.flush()?;
        let file = out.into_inner().map_err(std::io::IntoInnerError::into_error)?;
        Ok((read, Source::of(file)?))
    }
}

/// An entry for a provider that is not configured (yet).
fn unconfigured(provider: &str, pool: &PoolName) -> ProviderEntry {
    ProviderEntry {
        name: EntryName::new(provider),
        provider: ProviderName::new(provider),
        auth_scheme: String::new(),
        pool: pool.clone(),
        link: false,
        client_id: String::new(),
        subjects: SubjectScope::Issuer,
        callback_url: String::new(),
        scopes: Vec::new(),
        mapping: Vec::new(),
        email_optional: false,
        roles: Vec::new(),
        only_known_users: false,
        unsolicited: false,
    }
}

fn header(ask: &Ask, now: &str) -> Header {
    let scheme = scheme(&crate::config::Secret::new(&ask.from)).to_owned();
    let place = match scheme.as_str() {
        "postgres" | "postgresql" | "mongodb" | "mongodb+srv" => scheme,
        _ => "file".to_owned(),
    };
    Header {
        format: FORMAT.to_owned(),
        version: VERSION,
        made: now.to_owned(),
        by: env!("CARGO_PKG_VERSION").to_owned(),
        store: format!("LoopBack's {place}"),
        sessions: "storage".to_owned(),
        pools: vec![ask.pool.clone()],
    }
}
