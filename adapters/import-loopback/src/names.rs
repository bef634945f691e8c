//! What the models are called: LoopBack's own names, those of a project, or those of its tables.

use std::collections::BTreeMap;

use crate::error::ImportError;

/// The models that are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Users.
    User,
    /// Access tokens.
    AccessToken,
    /// Roles.
    Role,
    /// Who has them.
    RoleMapping,
    /// Stored rules.
    Acl,
    /// Client applications.
    Application,
    /// Their clients at providers.
    ApplicationCredential,
    /// Accounts people log in by.
    UserIdentity,
    /// Accounts people linked.
    UserCredential,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::User,
        Self::AccessToken,
        Self::Role,
        Self::RoleMapping,
        Self::Acl,
        Self::Application,
        Self::ApplicationCredential,
        Self::UserIdentity,
        Self::UserCredential,
    ];

    /// LoopBack's name, and that of its component.
    pub const fn name(self) -> &'static str {
        match self {
            Self::User => "User",
            Self::AccessToken => "AccessToken",
            Self::Role => "Role",
            Self::RoleMapping => "RoleMapping",
            Self::Acl => "ACL",
            Self::Application => "Application",
            Self::ApplicationCredential => "ApplicationCredential",
            Self::UserIdentity => "UserIdentity",
            Self::UserCredential => "UserCredential",
        }
    }

    /// The kind of a name, in whatever case.
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.name().eq_ignore_ascii_case(name))
    }
}

/// What each model's table, collection or part of the file is called.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names(BTreeMap<Kind, String>);

impl Names {
    /// Names somebody gave.
    pub const fn given(names: BTreeMap<Kind, String>) -> Self {
        Self(names)
    }

    /// The name of a kind; none where there is nothing of it.
    pub fn of(&self, kind: Kind) -> Option<&str> {
        self.0.get(&kind).map(String::as_str)
    }

    /// Each kind and its name.
    pub fn each(&self) -> impl Iterator<Item = (Kind, &str)> {
        self.0.iter().map(|(kind, name)| (*kind, name.as_str()))
    }

    /// These names, completed from what is there: `tables` by their names, each with whether anything is in it and whether its records look
    /// like users.
    ///
    /// # Errors
    /// A given name is not there, or there is no telling where the users are.
    pub fn complete(&self, tables: &[Table]) -> Result<Self, ImportError> {
        let mut names = BTreeMap::new();
        for kind in Kind::ALL {
            let found = match self.of(kind) {
                Some(given) => Some(there(given, kind, tables)?),
                None => same_name(kind, tables),
            };
            if let Some(found) = found {
                names.insert(kind, found);
            }
        }
        if self.of(Kind::User).is_none() {
            names.insert(Kind::User, users(names.get(&Kind::User), tables)?);
        }
        Ok(Self(names))
    }
}

/// What is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// Its name.
    pub name: String,
    /// Whether it holds anything.
    pub holds: bool,
    /// Whether what it holds has an e-mail address and a password.
    pub looks_like_users: bool,
}

fn there(given: &str, kind: Kind, tables: &[Table]) -> Result<String, ImportError> {
    let exact = tables.iter().find(|table| table.name == given);
    let found = exact.or_else(|| tables.iter().find(|table| table.name.eq_ignore_ascii_case(given)));
    found.map(|table| table.name.clone()).ok_or_else(|| {
        let there: Vec<&str> = tables.iter().map(|table| table.name.as_str()).collect();
        let kind = kind.name();
        ImportError::Names(format!(
            "there is no `{given}` to read {kind} from; there are {}",
            there.join(", ")
        ))
    })
}

/// The model of LoopBack's own name in whatever case: projects often derive `user` from `User`, and the empty base stays beside it.
fn same_name(kind: Kind, tables: &[Table]) -> Option<String> {
    let same = tables
        .iter()
        .filter(|table| table.name.eq_ignore_ascii_case(kind.name()));
    same.max_by_key(|table| table.holds)
        .map(|table| table.name.clone())
}

/// Where users are: under LoopBack's own name, or wherever records look like them.
fn users(named: Option<&String>, tables: &[Table]) -> Result<String, ImportError> {
    let mut candidates: Vec<&str> = tables
        .iter()
        .filter(|table| table.holds && (table.looks_like_users || Some(&table.name) == named))
        .map(|table| table.name.as_str())
        .collect();
    candidates.dedup();
    match (candidates.as_slice(), named) {
        ([one], _) => Ok((*one).to_owned()),
        ([], Some(named)) => Ok(named.clone()),
        ([], None) => Err(ImportError::Names(
            "nothing here looks like users: name their model by --users".to_owned(),
        )),
        (several, _) => Err(ImportError::Names(format!(
            "there are several models of users ({}): import them one by one, each by --users MODEL --pool POOL",
            several.join(", ")
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(name: &str, holds: bool, looks_like_users: bool) -> Table {
        Table {
            name: name.to_owned(),
            holds,
            looks_like_users,
        }
    }

    #[test]
    fn names_are_found_in_whatever_case_and_the_empty_base_is_passed_over() {
        let tables = [
            table("User", false, false),
            table("user", true, true),
            table("accesstoken", true, false),
        ];
        let names = Names::default().complete(&tables).unwrap();
        assert_eq!(names.of(Kind::User), Some("user"));
        assert_eq!(names.of(Kind::AccessToken), Some("accesstoken"));
        assert_eq!(names.of(Kind::Role), None);
    }

    #[test]
    fn users_of_another_name_are_known_by_their_looks_and_several_have_to_be_named() {
        let mut tables = vec![table("User", false, false), table("Employee", true, true)];
        assert_eq!(
            Names::default().complete(&tables).unwrap().of(Kind::User),
            Some("Employee")
        );
        tables.push(table("Customer", true, true));
        let refused = Names::default().complete(&tables).unwrap_err().to_string();
        assert!(refused.contains("Employee, Customer"), "{refused}");
        let given = Names::given(BTreeMap::from([(Kind::User, "customer".to_owned())]));
        assert_eq!(given.complete(&tables).unwrap().of(Kind::User), Some("Customer"));
        let given = Names::given(BTreeMap::from([(Kind::User, "Clients".to_owned())]));
        assert!(given.complete(&tables).is_err());
    }
}
