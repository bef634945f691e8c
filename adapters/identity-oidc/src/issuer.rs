//! Which issuer an answer may come from.

use domain::ports::{ProviderError, ProviderFault as Fault};

use crate::ask::refuse;
use crate::claims::{Claims, is_same};
use crate::config::{ConfigError, IssuerRule, wrong};

/// The tenant of all personal accounts at Microsoft.
const PERSONAL: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";

/// What stands for the tenant in the issuer that Microsoft publishes.
const PLACEHOLDER: &str = "{tenantid}";

/// The issuers that are admitted.
#[derive(Debug)]
pub enum Issuers {
    /// One, perhaps under several names.
    Named {
        /// As configured: what identities keep.
        canonical: String,
        /// Its other names.
        aliases: Vec<String>,
    },
    /// One per tenant.
    Tenants {
        /// Before the tenant, without a slash at its end.
        authority: String,
        /// Who may come.
        tenant: Tenant,
    },
}

/// Which tenants may come.
#[derive(Debug, PartialEq, Eq)]
pub enum Tenant {
    Common,
    Organizations,
    Consumers,
    Id(String),
    /// By its domain: its id is what discovery says.
    Domain(String),
}

impl Tenant {
    fn parse(text: &str) -> Self {
        match text {
            "common" => Self::Common,
            "organizations" => Self::Organizations,
            "consumers" => Self::Consumers,
            id if is_id(id) => Self::Id(id.to_owned()),
            domain => Self::Domain(domain.to_owned()),
        }
    }
}

/// Whether it has the shape of a tenant's id, in lower case as Microsoft writes it.
fn is_id(text: &str) -> bool {
    let dashes = [8, 13, 18, 23];
    let fits = |(at, byte): (usize, u8)| match byte {
        b'-' => dashes.contains(&at),
        byte => !dashes.contains(&at) && matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
    };
    text.len() == 36 && text.bytes().enumerate().all(fits)
}

impl Issuers {
    /// By the rule, from the configured issuer.
    pub fn new(issuer: &str, rule: &IssuerRule) -> Result<Self, ConfigError> {
        let aliases = match rule {
            IssuerRule::Exact => Vec::new(),
            IssuerRule::Aliases(aliases) => aliases.clone(),
            IssuerRule::MicrosoftTenant => {
                let parts = issuer
                    .strip_suffix("/v2.0")
                    .and_then(|rest| rest.rsplit_once('/'));
                let Some((authority, tenant)) = parts.filter(|(_, tenant)| !tenant.is_empty()) else {
                    return wrong("issuer: Microsoft's is {authority}/{tenant}/v2.0");
                };
                return Ok(Self::Tenants {
                    authority: authority.to_owned(),
                    tenant: Tenant::parse(tenant),
                });
            }
        };
        Ok(Self::Named {
            canonical: issuer.to_owned(),
            aliases,
        })
    }

    /// Whether the tenant's id is known by discovery alone.
    pub const fn needs_discovery(&self) -> bool {
        matches!(
            self,
            Self::Tenants {
                tenant: Tenant::Domain(_),
                ..
            }
        )
    }

    /// Whether a discovery document may name itself so (OpenID Connect Discovery section 4.3). Gives the tenant it names.
    pub fn judge_document(&self, issuer: &str) -> Result<Option<String>, ProviderError> {
        let other = || refuse(Fault::DiscoveryInvalid, "discovery speaks for another issuer");
        let (authority, tenant) = match self {
            Self::Named { canonical, .. } if canonical == issuer => return Ok(None),
            Self::Named { .. } => return other(),
            Self::Tenants { authority, tenant } => (authority, tenant),
        };
        let Some(named) = tenant_in(issuer, authority) else {
            return other();
        };
        let fits = match tenant {
            Tenant::Common | Tenant::Organizations => named == PLACEHOLDER,
            Tenant::Consumers => named == PLACEHOLDER || named == PERSONAL,
            Tenant::Id(id) => named == id,
            Tenant::Domain(_) => is_id(named),
        };
        if !fits {
            return other();
        }
        Ok(Some(named.to_owned()).filter(|named| named != PLACEHOLDER))
    }

    /// Whether an authorization response may name this issuer (RFC 9207 section 2.4).
    pub fn admits_response(&self, issuer: &str) -> bool {
        match self {
            Self::Named { canonical, aliases } => {
                issuer == canonical || aliases.iter().any(|alias| alias == issuer)
            }
            Self::Tenants { authority, tenant } => {
                let named = tenant_in(issuer, authority).filter(|named| is_id(named));
                named.is_some_and(|named| match tenant {
                    Tenant::Id(id) => named == id,
                    _ => true,
                })
            }
        }
    }

    /// Whether a response that named `named` may bring an ID token of `issuer`: both must be of one tenant.
    pub fn admits_both(&self, named: Option<&str>, issuer: &str) -> bool {
        match self {
            Self::Named { .. } => true,
            Self::Tenants { .. } => named.is_none_or(|named| named == issuer),
        }
    }

    /// The issuer an ID token comes from, as identities keep it, if it is admitted. `discovered` is the tenant discovery named.
    pub fn judge(&self, claims: &Claims, discovered: Option<&str>) -> Result<String, ProviderError> {
        let Some(issuer) = claims.text("iss")? else {
            return refuse(Fault::IdTokenIssuer, "no iss");
        };
        let (authority, tenant) = match self {
            Self::Named { canonical, .. } if self.admits_response(issuer) => return Ok(canonical.clone()),
            Self::Named { .. } => return refuse(Fault::IdTokenIssuer, "another issuer"),
            Self::Tenants { authority, tenant } => (authority, tenant),
        };
        let Some(tid) = claims.text("tid")?.filter(|tid| is_id(tid)) else {
            return refuse(Fault::IdTokenIssuer, "no tid to bind the issuer to");
        };
        if !tenant_in(issuer, authority).is_some_and(|named| is_same(named, tid)) {
            return refuse(Fault::IdTokenIssuer, "the issuer is not that of tid");
        }
        let admitted = match tenant {
            Tenant::Common => true,
            Tenant::Organizations => tid != PERSONAL,
            Tenant::Consumers => tid == PERSONAL,
            Tenant::Id(id) => tid == id,
            Tenant::Domain(_) => discovered == Some(tid),
        };
        if !admitted {
            return refuse(Fault::TenantRefused, "the tenant may not log in here");
        }
        Ok(issuer.to_owned())
    }
}

/// The tenant an issuer of this authority names.
fn tenant_in<'a>(issuer: &'a str, authority: &str) -> Option<&'a str> {
    let rest = issuer.strip_prefix(authority)?.strip_prefix('/')?;
    rest.strip_suffix("/v2.0")
}

#[cfg(test)]
#[path = "../tests/unit/issuer.rs"]
mod tests;
