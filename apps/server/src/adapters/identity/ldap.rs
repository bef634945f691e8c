//! Entries that speak LDAP.

use domain::secret::Secret;
use std::time::Duration;

use identity_ldap::{GroupSearch, LdapConfig, LdapDirectory, Nesting, Scope};

use super::{Arc, Opened, ProviderAdapter, Remote, set};
use crate::providers::settings::Settings;

pub fn open(remote: &Remote) -> Result<Opened, String> {
    let directory = LdapDirectory::new(&config(remote)?).map_err(|error| error.to_string())?;
    Ok(Opened {
        adapter: ProviderAdapter::Directory(Arc::new(directory)),
        scopes: Vec::new(),
    })
}

/// Within what its ids are unique.
pub fn issuer(remote: &Remote) -> Option<String> {
    config(remote).ok()?.effective_issuer().ok()
}

fn config(remote: &Remote) -> Result<LdapConfig, String> {
    let given = &remote.settings;
    let base = given.text("searchBase").unwrap_or_default();
    let mut config = match given.text("principal") {
        Some(principal) => LdapConfig::direct(String::new(), base, principal),
        None => LdapConfig::search(
            String::new(),
            base,
            given.text("searchFilter").unwrap_or_default(),
        ),
    };
    config.urls = given.texts("url").unwrap_or_default();
    config.search_filter = given.text("searchFilter");
    match (given.text("bindDn"), given.get::<Secret>("bindCredentials")) {
        (Some(name), Some(password)) => config = config.with_account(name, password),
        (None, None) => {}
        _ => {
            return Err(
                "server.bindDn and server.bindCredentials go together: give both, or neither".to_owned(),
            );
        }
    }
    set(&mut config.search_scope, scope(given, "searchScope")?.as_ref());
    set(
        &mut config.search_attributes,
        given.texts("searchAttributes").as_ref(),
    );
    config.groups = groups(given)?;
    set(
        &mut config.profile_attributes,
        given
            .get::<Vec<(String, String)>>("profileAttributesFromLDAP")
            .as_ref(),
    );
    config.subject_attribute = given.text("subjectAttribute");
    config.issuer = given.text("issuer");
    config.email_trusted = remote.email_verified;
    set(&mut config.start_tls, given.get::<bool>("starttls").as_ref());
    set(
        &mut config.allow_plaintext,
        given.get::<bool>("allowPlaintext").as_ref(),
    );
    config.ca = given.texts("ca").map(|all| all.join("\n"));
    let time = |name| given.get::<u64>(name).map(Duration::from_millis);
    set(&mut config.connect_timeout, time("connectTimeout").as_ref());
    set(&mut config.timeout, time("timeout").as_ref());
    set(&mut config.pool_idle, time("idleTimeout").as_ref());
    let size = given
        .get::<u64>("poolSize")
        .map(|size| usize::try_from(size).unwrap_or(usize::MAX));
    set(&mut config.pool_size, size.as_ref());
    Ok(config)
}

fn groups(given: &Settings) -> Result<GroupSearch, String> {
    let mut groups = GroupSearch {
        base: given.text("groupSearchBase"),
        filter: given.text("groupSearchFilter"),
        ..GroupSearch::default()
    };
    set(&mut groups.scope, scope(given, "groupSearchScope")?.as_ref());
    let named = given.texts("groupSearchAttributes");
    set(
        &mut groups.name_attribute,
        named.as_ref().and_then(|names| names.first()),
    );
    set(&mut groups.dn_property, given.text("groupDnProperty").as_ref());
    groups.nesting = match given.text("nestedGroups").as_deref() {
        None | Some("none") => Nesting::None,
        Some("search") => Nesting::Search {
            depth: Nesting::USUAL_DEPTH,
        },
        Some("activeDirectory") => Nesting::ActiveDirectory,
        Some(other) => {
            return Err(format!(
                "server.nestedGroups must be `none`, `search` or `activeDirectory`, but is `{other}`"
            ));
        }
    };
    Ok(groups)
}

/// As ldapjs names them.
fn scope(given: &Settings, name: &str) -> Result<Option<Scope>, String> {
    match given.text(name).as_deref() {
        None => Ok(None),
        Some("base") => Ok(Some(Scope::Base)),
        Some("one") => Ok(Some(Scope::One)),
        Some("sub") => Ok(Some(Scope::Subtree)),
        Some(other) => Err(format!(
            "server.{name} must be `base`, `one` or `sub`, but is `{other}`"
        )),
    }
}
