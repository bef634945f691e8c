//! Which groups somebody is in.

use std::collections::BTreeSet;

use domain::ports::{ProviderError, ProviderFault as Fault};

use crate::config::{LdapConfig, Nesting};
use crate::connection::Connection;
use crate::dn;
use crate::entry::{Entry, group_names, is_short};
use crate::error::LdapConfigError;
use crate::message::{Page, Query, Scope};
use crate::sid;
use crate::template::{Template, any_of, bytes_in_filter, filter};
use crate::verdict;

/// What a group says its members are, where nothing else is configured.
const MEMBERS: &str = "(|(member={{dn}})(uniqueMember={{dn}}))";
/// How Active Directory is asked for groups in groups (`LDAP_MATCHING_RULE_IN_CHAIN`, MS-ADTS section 3.1.1.3.4.4.3).
const IN_CHAIN: &str = "(member:1.2.840.113556.1.4.1941:={{dn}})";
/// What may be in braces in a filter for groups.
const PLACES: [&str; 2] = ["dn", "username"];
/// How Active Directory's groups are found by their security identifier.
const BY_SID: &str = "(objectSid={{sid}})";
/// Most groups of one person. Whoever is in more is refused: rules may take rights from a role as well as give them (`DENY`), so
/// that nobody can say what somebody may do of whom not all groups are known.
const MOST_GROUPS: usize = 5_000;
/// Groups that are asked for at once (RFC 2696). More than that some operators do not allow.
const PAGE_SIZE: u32 = 100;
/// Most parts of an answer: servers may send less than was asked for.
const MOST_PAGES: usize = 100;
/// How many groups' own groups are searched for at once.
const BATCH: usize = 50;

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
    /// Groups whose own groups were not looked for yet.
    waiting: Vec<String>,
}

impl Found {
    fn add(&mut self, name: &str) -> Result<(), ProviderError> {
        if self.seen.insert(dn::folded(name)) {
            self.names.extend(group_names(name));
            self.waiting.push(name.to_owned());
        }
        if self.seen.len() > MOST_GROUPS {
            return Err(unknown(&format!("somebody is in more than {MOST_GROUPS}")));
        }
        Ok(())
    }
}

/// Not all groups of somebody are known.
fn unknown(why: &str) -> ProviderError {
    ProviderError::refused(Fault::DirectoryRefused, format!("groups: {why}"))
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
        let active = self.nesting == Nesting::ActiveDirectory;
        let primary = ["objectSid", "primaryGroupID"]
            .into_iter()
            .filter(move |_| active);
        let usual = ["memberOf", "uid", "sAMAccountName"].into_iter();
        usual.chain(primary).chain(property)
    }

    /// The groups of an entry: both the distinguished name of each and its short one. All of them, or a refusal.
    pub async fn of(
        &self,
        entry: &Entry,
        typed: &str,
        connection: &mut Connection,
    ) -> Result<Vec<String>, ProviderError> {
        let searched = self.direct.is_some() || self.nesting == Nesting::ActiveDirectory;
        if entry.is_partial("memberOf") && !searched {
            return Err(unknown(
                "the directory sends memberOf in part alone: search for them",
            ));
        }
        let mut found = Found::default();
        for name in entry.texts("memberOf") {
            found.add(&name)?;
        }
        if let Some(direct) = &self.direct {
            // As the directory spells it: groups of Unix compare letter by letter.
            let username = entry.text("uid").or_else(|| entry.text("sAMAccountName"));
            let username = username.unwrap_or_else(|| typed.to_owned());
            let dn = entry.text(&self.dn_property).unwrap_or_default();
            let filter = direct.filter(&[("dn", &dn), ("username", &username)]);
            self.search(filter, &mut found, connection).await?;
        }
        match self.nesting {
            Nesting::None => {}
            Nesting::ActiveDirectory => self.by_chain(entry, &mut found, connection).await?,
            Nesting::Search { depth } => self.climb(depth, &mut found, connection).await?,
        }
        Ok(found.names.into_iter().collect())
    }

    /// Lets Active Directory look for groups in groups: those a person is in as a member, and those their primary group is in.
    async fn by_chain(
        &self,
        entry: &Entry,
        found: &mut Found,
        connection: &mut Connection,
    ) -> Result<(), ProviderError> {
        let mut whose = vec![entry.name.clone()];
        if let Some(sid) = sid::of_primary_group(entry) {
            let filter = filter(&BY_SID.replace("{{sid}}", &bytes_in_filter(&sid)));
            let primary = self.search(filter, found, connection).await?;
            whose.extend(primary);
        }
        self.search(self.groups_of(&whose), found, connection)
            .await
            .map(|_| ())
    }

    /// Looks for the groups of groups, breadth first.
    async fn climb(
        &self,
        depth: usize,
        found: &mut Found,
        connection: &mut Connection,
    ) -> Result<(), ProviderError> {
        for _ in 0..depth {
            let level = std::mem::take(&mut found.waiting);
            if level.is_empty() {
                break;
            }
            for batch in level.chunks(BATCH) {
                self.search(self.groups_of(batch), found, connection).await?;
            }
        }
        Ok(())
    }

    /// The filter for whatever group has one of these in it.
    fn groups_of(&self, members: &[String]) -> Option<Vec<u8>> {
        let filters = members.iter().map(|name| self.indirect.filter(&[("dn", name)]));
        filters
            .collect::<Option<Vec<_>>>()
            .map(|filters| any_of(&filters))
    }

    /// Takes all groups that a filter finds, part by part. Gives their distinguished names.
    async fn search(
        &self,
        filter: Option<Vec<u8>>,
        found: &mut Found,
        connection: &mut Connection,
    ) -> Result<Vec<String>, ProviderError> {
        let first = Page {
            size: PAGE_SIZE,
            cookie: Vec::new(),
        };
        let mut query = Query {
            base: self.base.clone(),
            scope: self.scope,
            // No filter that was sound at the start becomes unsound by an escaped value.
            filter: filter.unwrap_or_default(),
            attributes: vec![self.name_attribute.clone()],
            most: u32::try_from(MOST_GROUPS).unwrap_or(u32::MAX),
            seconds: self.seconds,
            page: Some(first),
        };
        let mut names = Vec::new();
        for _ in 0..MOST_PAGES {
            let (entries, outcome) = connection.search(&query).await?;
            for entry in entries {
                let short = entry.text(&self.name_attribute);
                found.names.extend(short.filter(|short| is_short(short)));
                found.add(&entry.name)?;
                names.push(entry.name);
            }
            if verdict::of_search(&outcome, "the search for groups")? {
                return Err(unknown(
                    "the directory's limit of size is below their number: raise it for our account",
                ));
            }
            if outcome.cookie.is_empty() {
                return Ok(names);
            }
            query.page = Some(Page {
                size: PAGE_SIZE,
                cookie: outcome.cookie,
            });
        }
        Err(unknown("the directory sends them in too many parts"))
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
