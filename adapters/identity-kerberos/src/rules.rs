//! Who may log in, and as whom: what the configuration says, checked once.

use std::path::Path;

use domain::flow::login::directory::LONGEST_NAME;
use domain::identity::{Profile, ProfileEmail};
use domain::ports::{Arrival, ProviderError, ProviderFault};
use serde_json::json;

use crate::principal::Principal;
use crate::{Addresses, KerberosConfig, KerberosConfigError};

/// The rules of one realm.
pub struct Rules {
    home: String,
    realms: Vec<String>,
    services: Vec<Principal>,
    instances: Vec<String>,
    strip_realm: bool,
    fold_case: bool,
    addresses: Option<Addresses>,
}

impl Rules {
    /// Checks what the operator wrote.
    pub fn of(config: &KerberosConfig) -> Result<Self, KerberosConfigError> {
        let mut realms = vec![config.realm.clone()];
        realms.extend(config.realms.iter().cloned());
        for realm in &realms {
            if !is_word(realm) {
                return Err(KerberosConfigError::Realm { realm: realm.clone() });
            }
        }
        let read = |service: &String| {
            let bad = || KerberosConfigError::Service {
                service: service.clone(),
            };
            read_service(service, &config.realm).ok_or_else(bad)
        };
        let services: Vec<Principal> = config.services.iter().map(read).collect::<Result<_, _>>()?;
        if services.is_empty() {
            return Err(KerberosConfigError::Service {
                service: String::new(),
            });
        }
        check_parts("instances", config.instances.iter().map(String::as_str))?;
        let domain = config.addresses.iter().map(|addresses| addresses.domain.as_str());
        check_parts("emailDomain", domain)?;
        check_file("keytab", &config.keytab)?;
        if let Some(path) = &config.krb5_conf {
            check_file("krb5Conf", path)?;
        }
        check_numbers(config)?;
        Ok(Self {
            home: config.realm.clone(),
            realms,
            services,
            instances: config.instances.clone(),
            strip_realm: config.strip_realm,
            fold_case: config.fold_case,
            addresses: config.addresses.clone(),
        })
    }

    /// The service by which a KDC proves itself.
    pub fn service(&self) -> String {
        self.services.first().map(ToString::to_string).unwrap_or_default()
    }

    /// What we are called.
    pub fn services(&self) -> impl Iterator<Item = String> {
        self.services.iter().map(ToString::to_string)
    }

    /// Whether this is one of our services.
    pub fn is_ours(&self, service: &str) -> bool {
        Principal::parse(service).is_some_and(|service| self.services.contains(&service))
    }

    /// Whoever this name means, as they are asked for at the KDC. None where no such account may log in: its name is not known here.
    /// People write realms in lower case, like addresses; of ours none differ in that alone.
    pub fn typed(&self, name: &str) -> Option<Principal> {
        if name.trim().is_empty() || name.len() > LONGEST_NAME {
            return None;
        }
        let (name, realm) = match name.split_once('@') {
            Some((name, typed)) => {
                let mut realms = self.realms.iter();
                (name, realms.find(|realm| realm.eq_ignore_ascii_case(typed))?)
            }
            None => (name, &self.home),
        };
        let person = self.spelt(Principal::parse(&format!("{name}@{realm}"))?);
        self.judge(&person).is_ok().then_some(person)
    }

    /// Whoever a ticket names, if they may log in.
    pub fn shown(&self, person: &str) -> Result<Principal, ProviderError> {
        let nobody = || ProviderError::refused(ProviderFault::TicketRefused, "a name that is nobody's here");
        let person = self.spelt(Principal::parse(person).ok_or_else(nobody)?);
        self.judge(&person)?;
        Ok(person)
    }

    fn spelt(&self, person: Principal) -> Principal {
        if self.fold_case {
            Principal {
                name: person.name.to_lowercase(),
                ..person
            }
        } else {
            person
        }
    }

    fn judge(&self, person: &Principal) -> Result<(), ProviderError> {
        if !self.realms.contains(&person.realm) {
            return Err(ProviderError::refused(
                ProviderFault::RealmRefused,
                format!("the realm {:?} is not among those that may", person.realm),
            ));
        }
        match person.instance() {
            Some(instance) if !self.instances.iter().any(|allowed| allowed == instance) => {
                let detail = "a service, or an instance that is not among those that may";
                Err(ProviderError::refused(ProviderFault::TicketRefused, detail))
            }
            _ => Ok(()),
        }
    }

    /// Who has arrived. A realm's people are its own: the same name in another realm is somebody else.
    pub fn arrival(&self, person: &Principal) -> Arrival {
        let at_home = person.realm == self.home;
        let username = if at_home && self.strip_realm {
            person.name.clone()
        } else {
            person.to_string()
        };
        let addresses = self.addresses.as_ref();
        let addresses = addresses.filter(|_| at_home && person.instance().is_none());
        let emails = addresses.map(|addresses| ProfileEmail {
            value: format!("{}@{}", person.name, addresses.domain),
            verified: addresses.trusted,
        });
        let profile = Profile {
            username: Some(username),
            emails: emails.into_iter().collect(),
            ..Profile::default()
        };
        Arrival {
            raw: json!({
                "principal": person.to_string(),
                "name": person.name,
                "realm": person.realm,
            }),
            ..Arrival::new(format!("kerberos:{}", person.realm), person.to_string(), profile)
        }
    }
}

/// Whether it can stand in a name without meaning more than itself.
fn is_word(text: &str) -> bool {
    let special = |letter: char| letter.is_control() || letter.is_whitespace() || "\\@/:".contains(letter);
    !text.is_empty() && !text.contains(special)
}

/// `HTTP/host@REALM`, `HTTP/host` or `HTTP@host`.
fn read_service(text: &str, home: &str) -> Option<Principal> {
    let (name, realm) = match text.split_once('@') {
        Some((service, host)) if !service.contains('/') => (format!("{service}/{host}"), home),
        Some((name, realm)) => (name.to_owned(), realm),
        None => (text.to_owned(), home),
    };
    let service = Principal::parse(&format!("{name}@{realm}"))?;
    service.instance()?;
    Some(service)
}

fn check_parts<'a>(
    field: &'static str,
    mut parts: impl Iterator<Item = &'a str>,
) -> Result<(), KerberosConfigError> {
    match parts.find(|part| !is_word(part)) {
        Some(value) => Err(KerberosConfigError::Part {
            field,
            value: value.to_owned(),
        }),
        None => Ok(()),
    }
}

fn check_file(field: &'static str, path: &Path) -> Result<(), KerberosConfigError> {
    let path = path.to_owned();
    if !path.is_absolute() {
        return Err(KerberosConfigError::Relative { field, path });
    }
    match std::fs::File::open(&path) {
        Ok(_) => Ok(()),
        Err(error) => Err(KerberosConfigError::Unreadable {
            field,
            path,
            kind: error.kind(),
        }),
    }
}

fn check_numbers(config: &KerberosConfig) -> Result<(), KerberosConfigError> {
    let numbers = [
        ("maxConcurrent", config.max_concurrent == 0),
        ("timeout", config.timeout.as_millis() == 0),
    ];
    match numbers.into_iter().find(|(_, nothing)| *nothing) {
        Some((field, _)) => Err(KerberosConfigError::Nothing { field }),
        None => Ok(()),
    }
}

#[cfg(test)]
#[path = "rules/tests.rs"]
mod tests;
