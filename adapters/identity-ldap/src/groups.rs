//! Which groups somebody is in.

use std::collections::{BTreeSet, VecDeque};

use domain::ports::ProviderError;

use crate::config::{LdapConfig, Nesting};
use crate::connection::Connection;
use crate::dn;
use crate::entry::{Entry, group_names};
use crate::error::LdapConfigError;
use crate::message::{Query, Scope};
use crate::template::Template;
use crate::verdict;

/// What a group says its members are, where nothing else is configured.
const MEMBERS: &str = "(|(member={{dn}})(uniqueMember={{dn}}))";
/// How Active Directory is asked for groups in groups (`LDAP_MATCHING_RULE_IN_CHAIN`, MS-ADTS section 3.1.1.3.4.4.3).
const IN_CHAIN: &str = "(member:1.2.840.113556.1.4.1941:={{dn}})";
/// What may be in braces in a filter for groups.
const PLACES: [&str; 2] = ["dn", "username"];
/// Most groups of one answer.
const MOST_ENTRIES: u32 = 500;
/// Most groups of one person.
const MOST_GROUPS: usize = 1_000;
/// Most searches for groups in groups.
const MOST_SEARCHES: usize = 100;

/// How groups are found.
#[derive(Clone, Debug)]
pub struct Groups {
    base: String,
    scope: Scope,
    /// For those a person is in.
    direct: Option<Template>,
    /// For those a group is in.
    indirect: Template,
    nesting: Nesting,
    name_attribute: String,
    dn_property: String,
    seconds: u32,
}

/// What was found so far.
#[derive(Default)]
struct Found {
    /// Every name of every group.
    names: BTreeSet<String>,
    /// Distinguished names that were seen, folded: a ring ends.
    seen: BTreeSet<String>,
    /// Groups whose own groups were not looked for yet, and how many steps up they are.
    waiting: VecDeque<(String, usize)>,
}

impl Found {
    fn add(&mut self, name: &str, step: usize) {
        if self.seen.len() < MOST_GROUPS && self.seen.insert(dn::folded(name)) {
            self.names.extend(group_names(name));
            self.waiting.push_back((name.to_owned(), step));
        }
    }
}

impl Groups {
    /// As configured.
    pub fn new(config: &LdapConfig, seconds: u32) -> Result<Self, LdapConfigError> {
        let groups = &config.groups;
        let direct = groups.filter.as_deref();
        let direct = direct
            .map(|text| template(text, "groupSearchFilter"))
            .transpose()?;
        let members = template(MEMBERS, "groupSearchFilter")?;
        // A filter by the name of the person says nothing of groups in groups.
        let indirect = match (groups.nesting, &direct) {
            (Nesting::ActiveDirectory, _) => template(IN_CHAIN, "groupSearchFilter")?,
            (_, Some(direct)) if direct.has("dn") && !direct.has("username") => direct.clone(),
            _ => members,
        };
        let base = groups.base.as_deref().filter(|base| !base.trim().is_empty());
        Ok(Self {
            base: base.or(config.base()).unwrap_or_default().to_owned(),
            scope: groups.scope,
            direct,
            indirect,
            nesting: groups.nesting,
            name_attribute: groups.name_attribute.clone(),
            dn_property: groups.dn_property.clone(),
            seconds,
        })
    }

    /// What has to be read of a person's entry.
    pub fn attributes(&self) -> impl Iterator<Item = &str> {
        let property = Some(self.dn_property.as_str()).filter(|name| *name != "dn");
        ["memberOf", "uid", "sAMAccountName"].into_iter().chain(property)
    }

    /// The groups of an entry: both the distinguished name of each and its short one.
    pub async fn of(
        &self,
        entry: &Entry,
        typed: &str,
        connection: &mut Connection,
    ) -> Result<Vec<String>, ProviderError> {
        let mut found = Found::default();
        for name in entry.texts("memberOf") {
            found.add(&name, 1);
        }
        if let Some(direct) = &self.direct {
            // As the directory spells it: groups of Unix compare letter by letter.
            let username = entry.text("uid").or_else(|| entry.text("sAMAccountName"));
            let username = username.unwrap_or_else(|| typed.to_owned());
            let dn = entry.text(&self.dn_property).unwrap_or_default();
            let filter = direct.filter(&[("dn", &dn), ("username", &username)]);
            self.search(filter, 1, &mut found, connection).await?;
        }
        match self.nesting {
            Nesting::None => {}
            Nesting::ActiveDirectory => {
                let filter = self.indirect.filter(&[("dn", &entry.name)]);
                self.search(filter, 1, &mut found, connection).await?;
            }
            Nesting::Search { depth } => self.climb(depth, &mut found, connection).await?,
        }
        Ok(found.names.into_iter().collect())
    }

    /// Looks for the groups of groups, breadth first.
    async fn climb(
        &self,
        depth: usize,
        found: &mut Found,
        connection: &mut Connection,
    ) -> Result<(), ProviderError> {
        let mut searches = 0;
        while let Some((name, step)) = found.waiting.pop_front() {
            if step > depth {
                continue;
            }
            if searches == MOST_SEARCHES {
                tracing::warn!(
                    "there are more groups in groups than are looked for: some of a person's groups may be missing"
                );
                break;
            }
            searches += 1;
            let filter = self.indirect.filter(&[("dn", &name)]);
            self.search(filter, step + 1, found, connection).await?;
        }
        Ok(())
    }

    async fn search(
        &self,
        filter: Option<Vec<u8>>,
        step: usize,
        found: &mut Found,
        connection: &mut Connection,
    ) -> Result<(), ProviderError> {
        let query = Query {
            base: self.base.clone(),
            scope: self.scope,
            // No filter that was sound at the start becomes unsound by an escaped value.
            filter: filter.unwrap_or_default(),
            attributes: vec![self.name_attribute.clone()],
            most: MOST_ENTRIES,
            seconds: self.seconds,
        };
        let (entries, outcome) = connection.search(&query).await?;
        if verdict::of_search(&outcome, "the search for groups")? {
            tracing::warn!("there are more groups than are read: some of a person's groups may be missing");
        }
        for entry in entries {
            found.names.extend(entry.text(&self.name_attribute));
            found.add(&entry.name, step);
        }
        Ok(())
    }
}

fn template(text: &str, field: &'static str) -> Result<Template, LdapConfigError> {
    let template = Template::parse(text, &PLACES);
    let sample = [("dn", "cn=x"), ("username", "x")];
    let template = template.filter(|template| template.filter(&sample).is_some());
    template.ok_or_else(|| LdapConfigError::Filter {
        field,
        text: text.to_owned(),
        places: "{{dn}} and {{username}}",
    })
}
