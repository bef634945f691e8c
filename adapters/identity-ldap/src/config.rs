use std::time::Duration;

use domain::secret::Secret;

use crate::dn;
use crate::error::LdapConfigError;
use crate::message::Scope;
use crate::server::Address;

/// How long a connection may take, unless said otherwise.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// How long a whole log-in may take, unless said otherwise.
const TIMEOUT: Duration = Duration::from_secs(10);
/// How many log-ins are asked for at once, unless said otherwise.
const POOL_SIZE: usize = 10;
/// How long an unused connection is kept, unless said otherwise.
const POOL_IDLE: Duration = Duration::from_mins(1);

/// An account of our own, to search with.
#[derive(Clone, Debug)]
pub struct ServiceAccount {
    /// Its name (`bindDn`): a distinguished name, or what else the directory takes.
    pub name: String,
    /// Its password (`bindCredentials`).
    pub password: Secret,
}

/// How a name becomes an entry whose password can be tried.
#[derive(Clone, Debug)]
pub enum LdapLogin {
    /// The entry is searched for, then its password is tried.
    Search {
        /// As whom; none for nobody in particular.
        account: Option<ServiceAccount>,
    },
    /// The password is tried first, then the person's own entry is read with it.
    Direct {
        /// Who that is, with `{{username}}` in it: a distinguished name (`uid={{username}},ou=people,dc=example,dc=com`), or what
        /// Active Directory takes (`{{username}}@corp.example`, `CORP\{{username}}`).
        principal: String,
    },
}

/// Whether groups in groups count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Nesting {
    /// They do not.
    #[default]
    None,
    /// They do, and each group's own groups are searched for, this many steps up at most.
    Search {
        /// Steps.
        depth: usize,
    },
    /// They do, and Active Directory follows them by itself (`LDAP_MATCHING_RULE_IN_CHAIN`).
    ActiveDirectory,
}

impl Nesting {
    /// Steps up, unless said otherwise.
    pub const USUAL_DEPTH: usize = 5;
}

/// Where groups are found, besides `memberOf`, which is always read.
#[derive(Clone, Debug)]
pub struct GroupSearch {
    /// Below what (`groupSearchBase`); none for [`LdapConfig::search_base`].
    pub base: Option<String>,
    /// Which (`groupSearchFilter`), with `{{dn}}` or `{{username}}` in it: the person's distinguished name, and the `uid` or
    /// `sAMAccountName` of the entry. None for no search but that of groups in groups.
    pub filter: Option<String>,
    /// How far (`groupSearchScope`).
    pub scope: Scope,
    /// Which attributes hold the group's name (the first of `groupSearchAttributes`, or `cn`). Its distinguished name counts too.
    pub name_attribute: String,
    /// Whose value stands for `{{dn}}` (`groupDnProperty`).
    pub dn_property: String,
    /// Whether groups in groups count.
    pub nesting: Nesting,
}

impl Default for GroupSearch {
    fn default() -> Self {
        Self {
            base: None,
            filter: None,
            scope: Scope::Subtree,
            name_attribute: "cn".to_owned(),
            dn_property: "dn".to_owned(),
            nesting: Nesting::None,
        }
    }
}

/// One directory. Made by a constructor; every field may be changed afterwards.
#[derive(Clone, Debug)]
pub struct LdapConfig {
    /// Its servers (`url`): `ldaps://host[:port]` or `ldap://host[:port]`, one or several, tried in turn.
    pub urls: Vec<String>,
    /// Whether `ldap://` goes on in TLS before anything is said (`starttls`).
    pub start_tls: bool,
    /// The only authorities that are believed, in PEM (`tlsOptions.ca`); none for those of the system. There is no way not to verify.
    pub ca: Option<String>,
    /// Whether passwords may cross a network in the clear. On this machine they may.
    pub allow_plaintext: bool,
    /// How a name becomes an entry.
    pub login: LdapLogin,
    /// Below what people are (`searchBase`).
    pub search_base: String,
    /// How far (`searchScope`).
    pub search_scope: Scope,
    /// Who it is (`searchFilter`), with `{{username}}` in it; after a direct bind also `{{principal}}`.
    pub search_filter: Option<String>,
    /// What is read of an entry (`searchAttributes`); empty for all. What is needed besides is read too.
    pub search_attributes: Vec<String>,
    /// Where groups are found.
    pub groups: GroupSearch,
    /// `profileAttributesFromLDAP`: from a field of the profile to the attribute it is filled from.
    pub profile_attributes: Vec<(String, String)>,
    /// What never changes of an account; none for the attribute that `profileAttributesFromLDAP` names for `id`, else `entryUUID`
    /// or `objectGUID`.
    pub subject_attribute: Option<String>,
    /// Within what subjects are unique; none for the first server and the base. Set it before an address ever changes.
    pub issuer: Option<String>,
    /// Whether addresses of the directory count as confirmed. Unless it is said, they do not.
    pub email_trusted: Option<bool>,
    /// How long a connection may take, TLS and all.
    pub connect_timeout: Duration,
    /// How long a whole log-in may take.
    pub timeout: Duration,
    /// How many log-ins are asked for at once, and how many connections are kept.
    pub pool_size: usize,
    /// How long an unused connection is kept.
    pub pool_idle: Duration,
}

impl LdapConfig {
    /// A directory in which people are searched for by nobody in particular.
    pub fn search(url: impl Into<String>, base: impl Into<String>, filter: impl Into<String>) -> Self {
        Self {
            urls: vec![url.into()],
            start_tls: false,
            ca: None,
            allow_plaintext: false,
            login: LdapLogin::Search { account: None },
            search_base: base.into(),
            search_scope: Scope::Subtree,
            search_filter: Some(filter.into()),
            search_attributes: Vec::new(),
            groups: GroupSearch::default(),
            profile_attributes: Vec::new(),
            subject_attribute: None,
            issuer: None,
            email_trusted: None,
            connect_timeout: CONNECT_TIMEOUT,
            timeout: TIMEOUT,
            pool_size: POOL_SIZE,
            pool_idle: POOL_IDLE,
        }
    }

    /// A directory in which people are tried at once.
    pub fn direct(url: impl Into<String>, base: impl Into<String>, principal: impl Into<String>) -> Self {
        Self {
            login: LdapLogin::Direct {
                principal: principal.into(),
            },
            search_filter: None,
            ..Self::search(url, base, "")
        }
    }

    /// The same with an account of our own to search with.
    #[must_use]
    pub fn with_account(mut self, name: impl Into<String>, password: Secret) -> Self {
        let name = name.into();
        self.login = LdapLogin::Search {
            account: Some(ServiceAccount { name, password }),
        };
        self
    }

    /// Within what subjects are unique: what is configured, else `ldap://HOST[:PORT]/BASE` of the first server, in small letters and
    /// without the ports that directories usually have. Two directories on one port differ in their base.
    pub fn effective_issuer(&self) -> Result<String, LdapConfigError> {
        if let Some(issuer) = self.issuer.as_ref().filter(|issuer| !issuer.is_empty()) {
            return Ok(issuer.clone());
        }
        let first = self.urls.first().ok_or(LdapConfigError::NoAddress)?;
        let address = Address::parse(first, self.start_tls)?;
        let base = dn::folded(self.base().unwrap_or_default());
        Ok(format!("ldap://{}/{base}", address.identity()))
    }

    /// Below what people are: of a direct bind by a distinguished name, what that name is below.
    pub fn base(&self) -> Option<&str> {
        let base = self.search_base.trim();
        if !base.is_empty() {
            return Some(base);
        }
        match &self.login {
            LdapLogin::Direct { principal } if principal.contains('=') => dn::parent(principal),
            _ => None,
        }
    }
}
