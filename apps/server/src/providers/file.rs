//! The file as a whole: its entries, and what two of them have to do with each other.

use std::collections::BTreeMap;

use super::entry::{self, Entry, Surroundings};
use super::finding::Findings;
use super::json::{self, Json, Malformed};
use super::{keys, place};

/// Reads the text of the file. Entries come back in its order, as far as they could be understood; whether they may be used, the
/// findings say.
pub fn read(text: &str, around: &Surroundings<'_>) -> (Vec<Entry>, Findings) {
    let mut findings = Findings::default();
    let entries = match json::parse(text) {
        Err(Malformed {
            line,
            column,
            message,
        }) => {
            findings.error(None, format!("line {line}, column {column}: {message}"));
            return (Vec::new(), findings);
        }
        Ok(Json::Object(entries)) => entries,
        Ok(other) => {
            let kind = other.kind();
            findings.error(
                None,
                format!("must hold one object with an entry per key, but holds {kind}"),
            );
            return (Vec::new(), findings);
        }
    };
    let mut read = Vec::new();
    for (name, value) in entries {
        match value {
            _ if keys::is_remark(&name) => {}
            Json::Object(object) => read.extend(entry::read(&name, object, around, &mut findings)),
            other => findings.error(Some(&name), format!("must be an object, but is {}", other.kind())),
        }
    }
    one_path_one_entry(&read, &mut findings);
    one_callback_one_entry(&read, &mut findings);
    one_provider_one_name(&read, &mut findings);
    (read, findings)
}

/// Whoever comes to a path must be understood by one entry alone.
fn one_path_one_entry(entries: &[Entry], findings: &mut Findings) {
    let mut taken: BTreeMap<String, (&str, &str)> = BTreeMap::new();
    for entry in entries {
        let web = &entry.web;
        let name = web.name.as_str();
        let doors = [
            ("authPath", Some(&web.auth_path)),
            ("callbackPath", web.callback_path.as_ref()),
        ];
        for (key, path) in doors {
            let Some(path) = path else { continue };
            let Some((other, its)) = taken.insert(place::folded(path), (name, key)) else {
                continue;
            };
            findings.error(
                Some(name),
                format!(
                    "`{key}` is {path}, which is also `{its}` of entry `{other}`: give each its own path"
                ),
            );
        }
    }
}

/// A provider that answers at another's address could have its answers taken for the other's (RFC 9700 section 4.4).
fn one_callback_one_entry(entries: &[Entry], findings: &mut Findings) {
    let mut taken: BTreeMap<&str, &str> = BTreeMap::new();
    for entry in entries {
        let Some((core, _)) = &entry.remote else { continue };
        // Nobody comes back to an entry that sends nobody away (LDAP, Kerberos).
        if core.callback_url.is_empty() {
            continue;
        }
        let name = core.name.as_str();
        if let Some(other) = taken.insert(&core.callback_url, name) {
            let url = &core.callback_url;
            findings.error(
                Some(name),
                format!("`callbackURL` is {url}, which is also that of entry `{other}`: give each its own"),
            );
        }
    }
}

/// An account is the same by every entry only where they share a provider's name.
fn one_provider_one_name(entries: &[Entry], findings: &mut Findings) {
    let mut first: BTreeMap<&str, (&str, &str)> = BTreeMap::new();
    for entry in entries {
        let (Some(family), Some((core, _))) = (entry::family(entry), &entry.remote) else {
            continue;
        };
        let (name, provider) = (core.name.as_str(), core.provider.as_str());
        let (other, its) = *first.entry(family).or_insert((name, provider));
        if its != provider {
            findings.warning(
                Some(name),
                format!(
                    "`provider` is `{provider}`, but entry `{other}` calls {family} `{its}`: one account will be two \
                     identities, and one linked there will not log in here. Write the same `provider` in both"
                ),
            );
        }
    }
}
