//! What was written down about security.

use domain::audit::{AuditKind, AuditQuery};
use domain::limits::ClientAddress;
use domain::origin::RequestId;
use domain::ports::PageMark;
use domain::service::Services;
use domain::stored::StoredAuditEvent;
use domain::time::Timestamp;
use serde::{Deserialize, Serialize};

use super::Operated;
use super::execute::Refusal;
use super::whom::{pool_named, whose};

/// Events in one answer at most.
pub const PAGE: usize = 500;

/// Which events are wanted, in the operator's words.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AuditCommand {
    /// A user: id, address or username, in front of it `POOL/` where there are several pools.
    pub user: Option<String>,
    /// Of this pool.
    pub pool: Option<String>,
    /// Of these kinds, by name; all if empty.
    pub kinds: Vec<String>,
    /// From this address.
    pub network: Option<std::net::IpAddr>,
    /// Of this request.
    pub request: Option<String>,
    /// From this moment on.
    pub since: Option<Timestamp>,
    /// Before this moment.
    pub until: Option<Timestamp>,
    /// Behind this page.
    pub after: Option<String>,
    /// Events at most.
    pub limit: usize,
}

/// Some of the events, newest first.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AuditAnswer {
    /// The events.
    pub events: Vec<StoredAuditEvent>,
    /// Where the next page begins; none behind the last.
    pub next: Option<String>,
}

/// Looks events up.
///
/// # Errors
/// Why not, for whoever asked.
pub async fn execute(command: AuditCommand, operated: &Operated) -> Result<AuditAnswer, Refusal> {
    let services = &operated.services;
    let after = command.after.clone().map(PageMark);
    let limit = command.limit.clamp(1, PAGE);
    let query = query(command, services).await?;
    let page = services.audit(&query, after.as_ref(), limit).await?;
    Ok(AuditAnswer {
        events: page.events.iter().map(StoredAuditEvent::from).collect(),
        next: page.next.map(|mark| mark.0),
    })
}

async fn query(command: AuditCommand, services: &Services) -> Result<AuditQuery, Refusal> {
    let AuditCommand {
        user,
        pool,
        kinds,
        network,
        request,
        since,
        until,
        ..
    } = command;
    let pool = pool.map(|name| pool_named(services, &name)).transpose()?;
    let user = match user {
        None => None,
        Some(text) => {
            let (pool, name) = whose(services, pool, &text)?;
            Some(services.user_meant(pool, name).await?)
        }
    };
    Ok(AuditQuery {
        pool: pool.map(|pool| pool.name.clone()),
        user,
        kinds: kinds.iter().map(|name| kind(name)).collect::<Result<_, _>>()?,
        network: network.map(|address| services.network_hash(&ClientAddress::of(address))),
        request: request.map(RequestId::new),
        since,
        until,
    })
}

fn kind(name: &str) -> Result<AuditKind, Refusal> {
    AuditKind::named(name).ok_or_else(|| Refusal::new(format!("no event is of kind {name}")))
}
