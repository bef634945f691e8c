//! The search for the one entry that a name means.

use domain::ports::{ProviderError, ProviderFault as Fault};

use crate::config::LdapConfig;
use crate::connection::Connection;
use crate::entry::Entry;
use crate::error::LdapConfigError;
use crate::groups::Groups;
use crate::message::{Query, Scope};
use crate::profile::Mapping;
use crate::template::{Template, Values, filter};
use crate::verdict;

/// What never changes of an account, by the standard (RFC 4530) and in Active Directory.
const SUBJECTS: [&str; 2] = ["entryUUID", "objectGUID"];
/// "Everything that is not operational" (RFC 4511 section 4.5.1.8).
const ALL: &str = "*";

/// How one entry is found, and what is read of it.
#[derive(Clone, Debug)]
pub struct Finder {
    base: String,
    scope: Scope,
    filter: Template,
    attributes: Vec<String>,
    subject: Option<String>,
    seconds: u32,
}

/// Who was found.
#[derive(Debug)]
pub enum Found {
    /// Nobody.
    Nobody,
    /// Just one.
    One(Box<Entry>),
    /// Several.
    Several,
}

impl Finder {
    /// As configured; `places` may be in the filter, which is `usual` if none is configured.
    pub fn new(
        config: &LdapConfig,
        usual: Option<&str>,
        mapping: &Mapping,
        groups: &Groups,
        seconds: u32,
    ) -> Result<Self, LdapConfigError> {
        let text = config.search_filter.as_deref().filter(|text| !text.is_empty());
        let text = text.or(usual).ok_or(LdapConfigError::Missing("searchFilter"))?;
        let configured = config.subject_attribute.as_deref().or(mapping.attribute("id"));
        if configured
            .is_some_and(|name| name.eq_ignore_ascii_case("dn") || name.eq_ignore_ascii_case("entryDN"))
        {
            return Err(LdapConfigError::Subject);
        }
        let mut attributes = config.search_attributes.clone();
        if attributes.is_empty() {
            attributes.push(ALL.to_owned());
        }
        let needed = SUBJECTS.into_iter().chain(configured);
        let needed = needed.chain(mapping.attributes()).chain(groups.attributes());
        for name in needed {
            if !attributes.iter().any(|known| known.eq_ignore_ascii_case(name)) {
                attributes.push(name.to_owned());
            }
        }
        Ok(Self {
            base: config.base().unwrap_or_default().to_owned(),
            scope: config.search_scope,
            filter: name_filter(text)?,
            attributes,
            subject: configured.map(str::to_owned),
            seconds,
        })
    }

    /// Below what it searches.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// Searches for the one entry that these values mean.
    pub async fn find(
        &self,
        values: &Values<'_>,
        connection: &mut Connection,
    ) -> Result<Found, ProviderError> {
        let query = Query {
            base: self.base.clone(),
            scope: self.scope,
            filter: self.filter.filter(values).unwrap_or_default(),
            ..self.query()
        };
        self.ask(&query, connection).await
    }

    /// Reads the entry of that name.
    pub async fn read(&self, name: &str, connection: &mut Connection) -> Result<Found, ProviderError> {
        let query = Query {
            base: name.to_owned(),
            scope: Scope::Base,
            filter: filter("(objectClass=*)").unwrap_or_default(),
            ..self.query()
        };
        self.ask(&query, connection).await
    }

    fn query(&self) -> Query {
        Query {
            base: String::new(),
            scope: Scope::Base,
            filter: Vec::new(),
            attributes: self.attributes.clone(),
            // One more than there may be.
            most: 2,
            seconds: self.seconds,
            page: None,
        }
    }

    async fn ask(&self, query: &Query, connection: &mut Connection) -> Result<Found, ProviderError> {
        let (mut entries, outcome) = connection.search(query).await?;
        let more = verdict::of_search(&outcome, "the search for a person")?;
        if more || entries.len() > 1 {
            return Ok(Found::Several);
        }
        Ok(entries
            .pop()
            .map_or(Found::Nobody, |entry| Found::One(Box::new(entry))))
    }

    /// What never changes of an account. Ids are written in small letters: servers differ in how they write them.
    pub fn subject(&self, entry: &Entry) -> Result<String, ProviderError> {
        let names: Vec<&str> = match &self.subject {
            Some(name) => vec![name],
            None => SUBJECTS.to_vec(),
        };
        for name in names {
            if entry.count(name) > 1 {
                let why = format!("{name} has several values: which one stays is not known");
                return Err(ProviderError::refused(Fault::SubjectMissing, why));
            }
            if let Some(subject) = entry.text(name) {
                let id = self.subject.is_none();
                return Ok(if id { subject.to_lowercase() } else { subject });
            }
        }
        let wanted = self
            .subject
            .as_deref()
            .unwrap_or("neither entryUUID nor objectGUID");
        let why = format!("an entry shows no id to this account: {wanted}");
        Err(ProviderError::refused(Fault::SubjectMissing, why))
    }
}

/// Reads a filter for people. It has to ask for the name, or everybody would be everybody.
fn name_filter(text: &str) -> Result<Template, LdapConfigError> {
    let sample = [("username", "x"), ("principal", "x")];
    let template = Template::parse(text, &["username", "principal"]);
    let template = template.filter(|template| template.has("username") || template.has("principal"));
    let template = template.filter(|template| template.filter(&sample).is_some());
    template.ok_or_else(|| LdapConfigError::Filter {
        field: "searchFilter",
        text: text.to_owned(),
        places: "{{username}}, which has to be there",
    })
}
