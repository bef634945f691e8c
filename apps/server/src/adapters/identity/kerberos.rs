//! Entries that speak Kerberos.

use std::path::{Path, PathBuf};

use domain::ports::PasswordDirectory;
use domain::time::Lifetime;
use identity_kerberos::{Addresses, KerberosConfig, KerberosRealm};

use super::{Arc, Opened, ProviderAdapter, Remote, set};

pub fn open(remote: &Remote) -> Result<Opened, String> {
    let realm = KerberosRealm::new(&config(remote)?).map_err(|error| error.to_string())?;
    let realm = Arc::new(realm);
    let passwords = remote
        .passwords
        .then(|| Arc::clone(&realm) as Arc<dyn PasswordDirectory>);
    Ok(Opened {
        adapter: ProviderAdapter::Tickets {
            negotiator: realm,
            passwords,
        },
        scopes: Vec::new(),
    })
}

fn config(remote: &Remote) -> Result<KerberosConfig, String> {
    let given = &remote.settings;
    let needed = |name: &str, what: &str| {
        given
            .text(name)
            .ok_or_else(|| format!("`{name}` is missing: {what}"))
    };
    let realm = needed(
        "realm",
        "it is the name of the Kerberos realm, as in `EXAMPLE.COM`",
    )?;
    let keytab = needed("keytab", "it is the file with this service's keys")?;
    let services = given.texts("service").ok_or(
        "`service` is missing: it is this service's name in the realm, as in `HTTP/login.example.com`",
    )?;
    let mut config = KerberosConfig::new(realm, String::new(), absolute(&keytab)?);
    config.services = services;
    set(&mut config.realms, given.texts("realms").as_ref());
    set(&mut config.strip_realm, given.get::<bool>("stripRealm").as_ref());
    set(&mut config.fold_case, given.get::<bool>("foldCase").as_ref());
    set(&mut config.instances, given.texts("instances").as_ref());
    config.allow_passwords = remote.passwords;
    config.addresses = given.text("emailDomain").map(|domain| Addresses {
        domain,
        trusted: remote.email_verified == Some(true),
    });
    config.krb5_conf = given.text("krb5Conf").map(|path| absolute(&path)).transpose()?;
    let most = given
        .get::<u64>("maxConcurrent")
        .map(|most| usize::try_from(most).unwrap_or(usize::MAX));
    set(&mut config.max_concurrent, most.as_ref());
    set(
        &mut config.timeout,
        given.get::<u64>("timeout").map(Lifetime::from_millis).as_ref(),
    );
    Ok(config)
}

/// Paths are relative to where the server was started.
fn absolute(path: &str) -> Result<PathBuf, String> {
    std::path::absolute(Path::new(path)).map_err(|error| format!("`{path}` is no path: {error}"))
}
