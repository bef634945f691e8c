//! Everything of one LoopBack application, in the order it has to be taken: roles first, then who has them, then who is logged in.

use std::collections::HashMap;

use domain::access::{AccessState, RoleMapping};
use domain::session::Session;

use crate::convert::{self, ApplicationDraft, Context, Roles, Rules, Seen, UserDraft, UserRows};
use crate::error::ImportError;
use crate::finding::{Findings, What};
use crate::names::{Kind, Names};
use crate::row::Row;
use crate::source::{Pages, Source};

/// Rows that are asked for at once. Every page of users asks for what belongs to it, and LoopBack has no index for that: large pages ask seldom.
const PAGE: usize = 2_000;

/// How many rows of each kind there are to read.
pub type Counts = Vec<(Kind, u64)>;

/// Reads a LoopBack application.
pub struct Reader {
    source: Source,
    names: Names,
    rules: Rules,
    roles: Roles,
    seen: Seen,
    findings: Findings,
    users: Option<Pages>,
    applications: Option<Pages>,
    tokens: Option<Pages>,
}

impl Reader {
    /// Opens a source, and finds out what its models are called as far as `given` does not say.
    ///
    /// # Errors
    /// The source is not there, is no source, or its models cannot be told apart.
    pub async fn open(from: &str, given: &Names, rules: Rules) -> Result<Self, ImportError> {
        let mut source = Source::open(from).await?;
        let names = given.complete(&source.tables().await?)?;
        let pages = |kind| names.of(kind).map(|table| source.pages(table));
        Ok(Self {
            users: pages(Kind::User),
            applications: pages(Kind::Application),
            tokens: pages(Kind::AccessToken),
            source,
            names,
            rules,
            roles: Roles::new(),
            seen: Seen::default(),
            findings: Findings::default(),
        })
    }

    /// What the models are called.
    pub const fn names(&self) -> &Names {
        &self.names
    }

    /// What was found so far.
    pub const fn findings(&self) -> &Findings {
        &self.findings
    }

    /// How many rows there are, roughly.
    ///
    /// # Errors
    /// The source does not answer.
    pub async fn counts(&mut self) -> Result<Counts, ImportError> {
        let mut counts = Counts::new();
        for kind in Kind::ALL {
            if let Some(table) = self.names.of(kind) {
                counts.push((kind, self.source.count(table).await?));
            }
        }
        Ok(counts)
    }

    /// All roles and stored rules. To be asked before users and applications are.
    ///
    /// # Errors
    /// The source does not answer.
    pub async fn access(&mut self) -> Result<AccessState, ImportError> {
        let roles = self.all(Kind::Role).await?;
        let nested = self
            .having(Kind::RoleMapping, "principalType", &["ROLE".to_owned()])
            .await?;
        let acls = self.all(Kind::Acl).await?;
        self.findings
            .note(What::DefaultDeny, format!("{} stored rules", acls.len()));
        let (state, roles) = convert::access(&roles, &nested, &acls, &self.rules, &mut self.findings);
        self.roles = roles;
        Ok(state)
    }

    /// The next users; none at the end.
    ///
    /// # Errors
    /// The source does not answer.
    pub async fn users(&mut self) -> Result<Option<Vec<UserDraft>>, ImportError> {
        let Some(page) = page(&mut self.source, self.users.as_mut()).await? else {
            return Ok(None);
        };
        let ids = ids(&page);
        let mut identities = by(self.having(Kind::UserIdentity, "userId", &ids).await?, "userId");
        let mut credentials = by(self.having(Kind::UserCredential, "userId", &ids).await?, "userId");
        let mappings = self.having(Kind::RoleMapping, "principalId", &ids).await?;
        let model = self.names.of(Kind::User).unwrap_or_default().to_owned();
        let mine = |row: &Row| is_user(row, &model);
        let mut mappings = by(mappings.into_iter().filter(mine).collect(), "principalId");
        let mut drafts = Vec::with_capacity(page.len());
        for row in &page {
            let id = row.text("id").unwrap_or_default();
            let rows = UserRows {
                user: row,
                identities: &identities.remove(&id).unwrap_or_default(),
                credentials: &credentials.remove(&id).unwrap_or_default(),
                mappings: self.given(mappings.remove(&id)),
            };
            drafts.extend(convert::user(rows, &mut self.context(&model)));
        }
        Ok(Some(drafts))
    }

    /// The next applications; none at the end.
    ///
    /// # Errors
    /// The source does not answer.
    pub async fn applications(&mut self) -> Result<Option<Vec<ApplicationDraft>>, ImportError> {
        let Some(page) = page(&mut self.source, self.applications.as_mut()).await? else {
            return Ok(None);
        };
        let ids = ids(&page);
        let mut clients = by(
            self.having(Kind::ApplicationCredential, "appId", &ids).await?,
            "appId",
        );
        let mappings = self.having(Kind::RoleMapping, "principalId", &ids).await?;
        let mut mappings = by(
            mappings.into_iter().filter(is_application).collect(),
            "principalId",
        );
        let mut drafts = Vec::with_capacity(page.len());
        for row in &page {
            let id = row.text("id").unwrap_or_default();
            let given = self.given(mappings.remove(&id));
            let clients = clients.remove(&id).unwrap_or_default();
            drafts.extend(convert::application(row, &clients, given, &mut self.context("")));
        }
        Ok(Some(drafts))
    }

    /// The next live sessions; none at the end. To be asked when all users were.
    ///
    /// # Errors
    /// The source does not answer.
    pub async fn sessions(&mut self) -> Result<Option<Vec<Session>>, ImportError> {
        let Some(page) = page(&mut self.source, self.tokens.as_mut()).await? else {
            return Ok(None);
        };
        let model = self.names.of(Kind::User).unwrap_or_default().to_owned();
        let mut context = self.context(&model);
        Ok(Some(
            page.iter()
                .filter_map(|row| convert::session(row, &mut context))
                .collect(),
        ))
    }

    /// Notes what belongs to nobody. To be asked when all users and applications were.
    ///
    /// # Errors
    /// The source does not answer.
    pub async fn leftovers(&mut self) -> Result<(), ImportError> {
        let model = self.names.of(Kind::User).unwrap_or_default().to_owned();
        for (kind, what, holder) in [
            (Kind::UserIdentity, What::OrphanedIdentity, "userId"),
            (Kind::UserCredential, What::OrphanedCredential, "userId"),
            (Kind::RoleMapping, What::MappingWithoutHolder, "principalId"),
        ] {
            let mut pages = self.names.of(kind).map(|table| self.source.pages(table));
            while let Some(rows) = page(&mut self.source, pages.as_mut()).await? {
                for row in rows {
                    let id = row.text(holder).unwrap_or_default();
                    let there = match kind {
                        Kind::RoleMapping if is_user(&row, &model) => self.seen.users.contains(&id),
                        Kind::RoleMapping if is_application(&row) => self.seen.applications.contains(&id),
                        Kind::RoleMapping => true,
                        _ => self.seen.users.contains(&id),
                    };
                    if !there {
                        let name = format!("{} {}", kind.name(), row.text("id").unwrap_or_default());
                        self.findings.note(what, name);
                    }
                }
            }
        }
        Ok(())
    }

    fn context<'a>(&'a mut self, user_model: &'a str) -> Context<'a> {
        Context {
            rules: &self.rules,
            user_model,
            roles: &self.roles,
            seen: &mut self.seen,
            findings: &mut self.findings,
        }
    }

    /// The roles that rows give, each once.
    fn given(&mut self, rows: Option<Vec<Row>>) -> Vec<RoleMapping> {
        let mut given: Vec<RoleMapping> = Vec::new();
        for row in rows.unwrap_or_default() {
            if let Some(mapping) = convert::mapping(&row, &self.roles, &mut self.findings)
                && !given.iter().any(|known| known.role == mapping.role)
            {
                given.push(mapping);
            }
        }
        given
    }

    async fn all(&mut self, kind: Kind) -> Result<Vec<Row>, ImportError> {
        let mut pages = self.names.of(kind).map(|table| self.source.pages(table));
        let mut all = Vec::new();
        while let Some(rows) = page(&mut self.source, pages.as_mut()).await? {
            all.extend(rows);
        }
        Ok(all)
    }

    async fn having(
        &mut self,
        kind: Kind,
        property: &str,
        values: &[String],
    ) -> Result<Vec<Row>, ImportError> {
        match self.names.of(kind) {
            Some(table) => self.source.having(table, property, values).await,
            None => Ok(Vec::new()),
        }
    }
}

/// The next rows; none at the end, or where there is no such table.
async fn page(source: &mut Source, pages: Option<&mut Pages>) -> Result<Option<Vec<Row>>, ImportError> {
    let Some(pages) = pages else { return Ok(None) };
    let rows = source.page(pages, PAGE).await?;
    Ok((!rows.is_empty()).then_some(rows))
}

fn ids(rows: &[Row]) -> Vec<String> {
    rows.iter().filter_map(|row| row.text("id")).collect()
}

/// Rows by what a property of theirs says.
fn by(rows: Vec<Row>, property: &str) -> HashMap<String, Vec<Row>> {
    let mut found: HashMap<String, Vec<Row>> = HashMap::new();
    for row in rows {
        if let Some(value) = row.text(property) {
            found.entry(value).or_default().push(row);
        }
    }
    found
}

/// Whether a mapping is a user's: with several models of users their names stand there.
fn is_user(row: &Row, model: &str) -> bool {
    let kind = row.said("principalType").unwrap_or_default();
    kind == "USER" || kind.eq_ignore_ascii_case(model)
}

fn is_application(row: &Row) -> bool {
    let kind = row.said("principalType").unwrap_or_default();
    matches!(kind.as_str(), "APP" | "APPLICATION")
}
