//! Whom an operator means.

use domain::id::PoolName;
use domain::policy::PoolPolicy;
use domain::service::Services;
use domain::user::User;
use serde::{Deserialize, Serialize};

use super::execute::Refusal;

/// A user in the operator's words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Whom {
    /// The pool; none where there is only one, or `user` names it.
    pub pool: Option<String>,
    /// Id, address or username, in front of it `POOL/` where there are several pools.
    pub user: String,
}

impl Whom {
    /// Looks them up.
    ///
    /// # Errors
    /// A sentence: there is nobody of that name, or it is not clear in which pool.
    pub async fn find<'a>(&self, services: &'a Services) -> Result<(&'a PoolPolicy, User), Refusal> {
        let pool = self.pool.as_deref().map(|name| pool_named(services, name));
        let (pool, name) = whose(services, pool.transpose()?, &self.user)?;
        let key = services.user_meant(pool, name).await?;
        let found = services.find_user(pool, &key.id).await?;
        let user = found.ok_or_else(|| {
            Refusal::new(format!(
                "there is no user `{}` in the pool {}",
                name.escape_debug(),
                pool.name
            ))
        })?;
        Ok((pool, user))
    }
}

/// The pool of a name.
///
/// # Errors
/// A sentence that names those there are.
pub fn pool_named<'a>(services: &'a Services, name: &str) -> Result<&'a PoolPolicy, Refusal> {
    let found = services.pool(&PoolName::new(name));
    found.ok_or_else(|| {
        let name = name.escape_debug();
        Refusal::new(format!("there is no pool {name}: there is {}", pools(services)))
    })
}

/// The pool of a name, or the only one.
///
/// # Errors
/// A sentence that names those there are.
pub fn pool_or_only<'a>(services: &'a Services, name: Option<&str>) -> Result<&'a PoolPolicy, Refusal> {
    match name {
        Some(name) => pool_named(services, name),
        None => only(services).ok_or_else(|| {
            let pools = pools(services);
            Refusal::new(format!(
                "there are several pools: name one of {pools} with --pool"
            ))
        }),
    }
}

/// The pool of a user, and what is left of their name: `Users/ann@example.com`, or without the pool where there is only one.
///
/// # Errors
/// A sentence: there are several pools, and none is named.
pub fn whose<'a, 't>(
    services: &'a Services,
    pool: Option<&'a PoolPolicy>,
    text: &'t str,
) -> Result<(&'a PoolPolicy, &'t str), Refusal> {
    if let Some((name, rest)) = text.split_once('/')
        && let Some(named) = services.pool(&PoolName::new(name))
    {
        return Ok((named, rest));
    }
    if let Some(pool) = pool.or_else(|| only(services)) {
        return Ok((pool, text));
    }
    Err(Refusal::new(format!(
        "there are several pools: write POOL/{text}, or name one with --pool"
    )))
}

fn only(services: &Services) -> Option<&PoolPolicy> {
    let mut pools = services.policy().pools.values();
    pools.next().filter(|_| pools.next().is_none())
}

fn pools(services: &Services) -> String {
    let pools = services.policy().pools.keys().map(ToString::to_string);
    pools.collect::<Vec<_>>().join(", ")
}
