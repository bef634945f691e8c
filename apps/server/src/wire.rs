//! Wiring: everything the configuration names, opened and put behind the services.

use std::sync::Arc;

use domain::ports::{AuditLog, BreachedPasswords, ProviderDirectory, TokenSigner};
use domain::secret::MacKey;
use domain::service::{Ports, Services};
use store_guard::KnownAccess;

use crate::adapters::{self, Adapters, Keepers};
use crate::audit::{LoggedAudit, Stream};
use crate::config::{Config, Environment};
use crate::control::Operated;
use crate::keys::KeysInUse;
use crate::providers::{self, Directory, ProvidersFile};
use crate::rules;
use crate::serve::Fault;

/// Services on opened adapters, and what must be known of those besides.
pub struct Opened {
    /// What everything is asked of.
    pub services: Services,
    /// The keys, which a rotation exchanges.
    pub keys: Arc<KeysInUse>,
    /// The stores, to be asked whether they answer, and to be closed.
    pub keepers: Keepers,
}

impl Opened {
    /// What an operator's commands work on.
    pub fn operated(&self) -> Operated {
        Operated {
            services: self.services.clone(),
            keys: Arc::clone(&self.keys),
        }
    }
}

/// Opens what the configuration names, for commands without a server. A faulty file of providers is no reason not to rotate keys:
/// there are none then.
///
/// # Errors
/// A sentence for the operator: an unusable store or key.
pub async fn open(config: &Config) -> Result<Opened, Fault> {
    let public_url = config.server.public_url(config.server.listen.port);
    let file = providers_file(config, &public_url)?;
    let known: Arc<dyn ProviderDirectory> = match providers::open(file) {
        Ok(providers) => providers.directory,
        Err(_) => Arc::new(Directory::default()),
    };
    // No command sets a password: a long list need not be read for it.
    open_with(config, public_url, known, None).await
}

/// Opens what the configuration names, for a server reached at `public_url` that knows these providers and breached passwords.
///
/// # Errors
/// As [`open`].
pub async fn open_with(
    config: &Config,
    public_url: String,
    providers: Arc<dyn ProviderDirectory>,
    breached: Option<Arc<dyn BreachedPasswords>>,
) -> Result<Opened, Fault> {
    let Adapters {
        storage,
        sessions,
        keepers,
        sms,
        mailer,
    } = adapters::open(config).await?;
    let (keys, newest) = KeysInUse::load(&config.secrets.key_file)?;
    let ports = Ports {
        users: storage.users,
        audit: Arc::new(LoggedAudit::new(storage.audit, audit_stream(config)?)) as Arc<dyn AuditLog>,
        applications: storage.applications,
        access: Arc::new(KnownAccess::over(storage.access)),
        members: storage.members,
        outbox: storage.outbox,
        sessions: sessions.sessions,
        flows: sessions.flows,
        limiter: sessions.limiter,
        hasher: Arc::new(hash_password::Hasher::new(hash_config(config))?),
        sms,
        mailer,
        clock: Arc::new(system::SystemClock),
        entropy: Arc::new(system::SystemEntropy),
        timer: Arc::new(system::SystemTimer),
        providers,
        sealer: keys.sealer(),
        passkeys: adapters::open_passkeys(&config.server.service_name, &public_url)?,
        breached,
        webhooks: adapters::open_webhooks(config)?,
        signer: (!config.jwt.audiences.is_empty()).then(|| keys.signer() as Arc<dyn TokenSigner>),
    };
    let key = MacKey::new(**newest.bytes());
    Ok(Opened {
        services: Services::new(ports, rules::policy(config, public_url), key),
        keys: Arc::new(keys),
        keepers,
    })
}

/// The file that gets every audit event.
fn audit_stream(config: &Config) -> Result<Option<Arc<Stream>>, Fault> {
    let Some(path) = &config.audit.file else {
        return Ok(None);
    };
    let stream = Stream::open(path).map_err(|error| format!("`audit.file`: {}: {error}", path.display()))?;
    Ok(Some(Arc::new(stream)))
}

/// The providers' file, and the calls that its entries will make.
///
/// # Errors
/// A sentence for the operator: certificates or a proxy that cannot be used.
pub fn providers_file(config: &Config, public_url: &str) -> Result<ProvidersFile, Fault> {
    let outbound = adapters::outbound(config)?;
    let environment = Environment::of_process();
    Ok(ProvidersFile::new(config, public_url, environment, outbound))
}

fn hash_config(config: &Config) -> hash_password::HashConfig {
    let hash = &config.hash;
    hash_password::HashConfig {
        memory_kib: small(hash.memory_kib),
        iterations: small(hash.iterations),
        parallelism: small(hash.parallelism),
        workers: whole(hash.workers),
        queue: whole(hash.queue),
    }
}

/// Bounds are checked where the configuration is read.
fn small(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// As [`small`].
pub fn whole(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
