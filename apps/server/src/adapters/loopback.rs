//! Reading what a LoopBack 3 application keeps, as records of the transfer.

use std::sync::Arc;

use domain::id::PoolName;
use domain::ports::{ApplicationStore, Sealer, UserStore};

use super::AdapterError;
use crate::transfer::{Progress, Record};

/// What is asked for.
#[cfg_attr(
    not(feature = "import-loopback"),
    expect(dead_code, reason = "said by the command line, read where the feature is")
)]
pub struct Ask {
    /// The file, `postgres://…` or `mongodb://…`.
    pub from: String,
    /// Kinds of models and what they are called.
    pub models: Vec<(String, String)>,
    /// The pool users come into.
    pub pool: PoolName,
    /// Whether two addresses that differ in case are two there.
    pub case_sensitive_email: bool,
    /// Whether tokens may live for ever there.
    pub eternal_tokens: bool,
    /// Whether roles that have roles shall give rights.
    pub nested_roles: bool,
    /// How own properties are spelled.
    pub properties: Vec<String>,
    /// The entries of `providers.json`.
    pub entries: Vec<Account>,
}

/// An entry of `providers.json`.
#[cfg_attr(
    not(feature = "import-loopback"),
    expect(dead_code, reason = "said by the command line, read where the feature is")
)]
pub struct Account {
    /// What the core knows of it.
    pub entry: domain::identity::ProviderEntry,
    /// Within what its ids are unique.
    pub issuer: String,
}

/// Seals what LoopBack keeps in clear. What is in the stores already and says the same stays sealed as it is.
#[cfg_attr(
    not(feature = "import-loopback"),
    expect(dead_code, reason = "said by the command line, read where the feature is")
)]
pub struct Sealing {
    /// Seals; none where nothing will be written.
    pub sealer: Option<Arc<dyn Sealer>>,
    /// Users that are there.
    pub users: Arc<dyn UserStore>,
    /// Applications that are there.
    pub applications: Arc<dyn ApplicationStore>,
}

/// What came of it.
#[derive(Debug, Default)]
pub struct Read {
    /// Kinds of models, what they are called there, and how many rows they have.
    pub models: Vec<(String, String, u64)>,
    /// What could not be taken over as it was, conflicts first.
    pub findings: Vec<Found>,
}

/// One kind of finding.
#[derive(Debug, serde::Serialize)]
pub struct Found {
    /// The stable name.
    pub code: &'static str,
    /// Whether somebody will not come in as before, or a decision is due.
    pub conflict: bool,
    /// How often.
    pub count: u64,
    /// What it means.
    pub meaning: &'static str,
    /// Some, by id.
    pub examples: Vec<String>,
}

/// Takes each record.
pub type Take<'a> = &'a mut (dyn FnMut(&Record) -> Result<(), crate::transfer::TransferError> + Send);

/// Reads everything, and hands it over record by record.
///
/// # Errors
/// The source cannot be read, a record cannot be taken, or this binary was built without it.
#[cfg(not(feature = "import-loopback"))]
#[expect(clippy::unused_async, reason = "this build has nothing to wait for")]
pub async fn read(
    ask: &Ask,
    sealing: &Sealing,
    progress: &dyn Progress,
    take: Take<'_>,
) -> Result<Read, AdapterError> {
    let _ = (ask, sealing, progress, take);
    Err(AdapterError::Failed(
        "this binary was built without it: build it with `--features import-loopback`".to_owned(),
    ))
}

#[cfg(feature = "import-loopback")]
pub use reading::read;

#[cfg(feature = "import-loopback")]
mod reading {
    use std::collections::BTreeMap;

    use domain::access::AccessState;
    use domain::flow::link::credential_binding;
    use domain::identity::SubjectScope;
    use domain::ports::{Clock as _, PortError, SealBinding};
    use domain::secret::{Sealed, Secret};
    use import_loopback::{
        ApplicationDraft, Entry, Findings, ImportError, Kind, Names, Reader, Rules, Severity, UserDraft,
    };

    use super::{Account, AdapterError, Ask, Found, Progress, Read, Record, Sealer, Sealing, Take};
    use crate::transfer::Unit;

    /// Reads everything, and hands it over record by record.
    ///
    /// # Errors
    /// The source cannot be read, or a record cannot be taken.
    pub async fn read(
        ask: &Ask,
        sealing: &Sealing,
        progress: &dyn Progress,
        take: Take<'_>,
    ) -> Result<Read, AdapterError> {
        let mut reader = Reader::open(&ask.from, &names(ask)?, rules(ask))
            .await
            .map_err(failed)?;
        let counts = reader.counts().await.map_err(failed)?;
        let travels = |kind| matches!(kind, Kind::User | Kind::Application | Kind::AccessToken);
        let total = counts
            .iter()
            .filter(|(kind, _)| travels(*kind))
            .map(|(_, count)| count)
            .sum();
        progress.begin("reading", Unit::Records, Some(total));
        let access = reader.access().await.map_err(failed)?;
        if access != AccessState::default() {
            take(&Record::Access(access)).map_err(failed)?;
        }
        let mut done = 0;
        while let Some(page) = reader.users().await.map_err(failed)? {
            for draft in page {
                let user = sealed_user(draft, sealing).await.map_err(failed)?;
                take(&user).map_err(failed)?;
                done += 1;
            }
            progress.at(done);
        }
        while let Some(page) = reader.applications().await.map_err(failed)? {
            for draft in page {
                let application = sealed_application(draft, sealing).await.map_err(failed)?;
                take(&application).map_err(failed)?;
                done += 1;
            }
        }
        while let Some(page) = reader.sessions().await.map_err(failed)? {
            for session in page {
                take(&Record::Session(session)).map_err(failed)?;
                done += 1;
            }
            progress.at(done);
        }
        reader.leftovers().await.map_err(failed)?;
        progress.end();
        let models = counts.into_iter().map(|(kind, count)| {
            let name = reader.names().of(kind).unwrap_or_default();
            (kind.name().to_owned(), name.to_owned(), count)
        });
        Ok(Read {
            models: models.collect(),
            findings: found(reader.findings()),
        })
    }

    fn failed(error: impl std::fmt::Display) -> AdapterError {
        AdapterError::Failed(error.to_string())
    }

    fn names(ask: &Ask) -> Result<Names, AdapterError> {
        let mut names = BTreeMap::new();
        for (kind, name) in &ask.models {
            let known = Kind::of(kind).ok_or_else(|| {
                let all: Vec<&str> = Kind::ALL.into_iter().map(Kind::name).collect();
                failed(ImportError::Names(format!(
                    "`{}` is no model of LoopBack's: those are {}",
                    kind.escape_debug(),
                    all.join(", ")
                )))
            })?;
            names.insert(known, name.clone());
        }
        Ok(Names::given(names))
    }

    fn rules(ask: &Ask) -> Rules {
        let entry = |account: &Account| Entry {
            name: account.entry.name.clone(),
            provider: account.entry.provider.clone(),
            link: account.entry.link,
            client_id: account.entry.client_id.clone(),
            per_client: account.entry.subjects == SubjectScope::Client,
            issuer: account.issuer.clone(),
        };
        Rules {
            pool: ask.pool.clone(),
            case_sensitive_email: ask.case_sensitive_email,
            eternal_tokens: ask.eternal_tokens,
            nested_roles: ask.nested_roles,
            properties: ask.properties.clone(),
            entries: ask.entries.iter().map(entry).collect(),
            now: system::SystemClock.now(),
        }
    }

    fn found(findings: &Findings) -> Vec<Found> {
        let found = findings.each().map(|finding| Found {
            code: finding.what.code(),
            conflict: finding.what.severity() == Severity::Conflict,
            count: finding.count,
            meaning: finding.what.sentence(),
            examples: finding.examples.clone(),
        });
        found.collect()
    }

    async fn sealed_user(draft: UserDraft, sealing: &Sealing) -> Result<Record, PortError> {
        let UserDraft { mut user, tokens } = draft;
        if tokens.is_empty() {
            return Ok(Record::User(Box::new(user)));
        }
        let before = sealing.users.find(&user.key).await?;
        let mut credentials = user.credentials.to_vec();
        for (at, key, tokens) in tokens {
            let Some(credential) = credentials.get_mut(at) else {
                continue;
            };
            let binding = credential_binding(&user.key, &key, &credential.entry, &credential.client_id);
            let there = before.iter().flat_map(|user| user.credentials.iter());
            let there = there.into_iter().find(|there| there.id == credential.id);
            credential.tokens =
                sealed(sealing, &tokens.to_secret(), &binding, there.map(|it| &it.tokens)).await?;
        }
        user.credentials = credentials.into();
        Ok(Record::User(Box::new(user)))
    }

    async fn sealed_application(mut draft: ApplicationDraft, sealing: &Sealing) -> Result<Record, PortError> {
        let secrets = std::mem::take(&mut draft.secrets);
        if !secrets.is_empty() {
            let id = draft.application.id.clone();
            let before = sealing.applications.find_application(&id).await?;
            for (at, secret) in secrets {
                let Some(client) = draft.application.credentials.get(at) else {
                    continue;
                };
                let binding = SealBinding {
                    kind: "application-credential",
                    owner: vec![id.to_string(), client.provider.to_string()],
                };
                let there = before
                    .as_ref()
                    .and_then(|before| before.credential(&client.provider));
                let there = there.and_then(|there| there.client_secret.as_ref());
                let value = sealed(sealing, &secret, &binding, there).await?;
                draft.put(at, value);
            }
        }
        Ok(Record::Application(draft.application))
    }

    /// The secret as it is sealed already, if it is; else sealed anew.
    async fn sealed(
        sealing: &Sealing,
        secret: &Secret,
        binding: &SealBinding,
        there: Option<&Sealed>,
    ) -> Result<Sealed, PortError> {
        let Some(sealer) = &sealing.sealer else {
            return Ok(Sealed::from_bytes(Vec::new()));
        };
        let sealer: &dyn Sealer = &**sealer;
        if let Some(there) = there
            && sealer
                .open(there, binding)
                .await
                .is_ok_and(|known| known == *secret)
        {
            return Ok(there.clone());
        }
        sealer.seal(secret, binding).await
    }
}
