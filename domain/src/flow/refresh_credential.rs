//! "A fresh token, please": which grant is meant, whether its token still works, and what a provider's answer to a refresh means.
//!
//! ```text
//! Start ──Asked──▶ Open          (it still works)
//!       └───────▶ Refresh ──Refreshed──▶ Done
//!                         └─Failed────▶ (refused; a revoked grant is marked)
//! ```

use std::sync::Arc;

use super::authorize::Failure;
use super::{Advanced, Ctx, Refused, Step, commit};
use crate::audit::AuditKind;
use crate::error::Denial;
use crate::id::CredentialId;
use crate::identity::{CredentialStatus, Identity, ProviderTokens, UserCredential};
use crate::ports::ProviderFault;
use crate::secret::Sealed;
use crate::time::Lifetime;
use crate::user::User;

/// A token that dies sooner is bought anew: its user must have time to use it.
pub const FRESH_MARGIN: Lifetime = Lifetime::from_secs(60);

/// Where it stands.
#[derive(Clone, Debug)]
pub enum Freshen {
    /// Nothing is known yet.
    Start,
    /// The stored token still works.
    Open(Box<Chosen>),
    /// It has to be bought anew.
    Refresh(Box<Chosen>),
    /// It was bought anew and is stored.
    Done(Box<Chosen>),
}

/// The grant that is meant.
#[derive(Clone, Debug)]
pub struct Chosen {
    /// Its user, as stored now.
    pub user: User,
    /// The account it is of.
    pub identity: Identity,
    /// The grant.
    pub credential: UserCredential,
}

/// What happened.
#[derive(Clone, Debug)]
pub enum FreshenEvent {
    /// A token was asked for.
    Asked {
        /// The owner, as stored now.
        user: Box<User>,
        /// A grant's id, an entry, or a provider.
        which: String,
    },
    /// The provider sold a new one.
    Refreshed {
        /// What it sent, in clear: only lifetimes and scopes are looked at.
        tokens: Box<ProviderTokens>,
        /// The same, sealed.
        sealed: Sealed,
    },
    /// It did not.
    Failed(Failure),
}

/// One step.
pub fn step(state: Freshen, event: FreshenEvent, cx: &mut Ctx<'_>) -> Step<Freshen> {
    match (state, event) {
        (Freshen::Start, FreshenEvent::Asked { user, which }) => choose(*user, &which, cx),
        (Freshen::Refresh(chosen), FreshenEvent::Refreshed { tokens, sealed }) => {
            Ok(store(*chosen, &tokens, sealed, cx))
        }
        (Freshen::Refresh(chosen), FreshenEvent::Failed(failure)) => fail(*chosen, &failure, cx),
        _ => Err(Refused::unexpected()),
    }
}

fn choose(user: User, which: &str, cx: &Ctx<'_>) -> Step<Freshen> {
    let Some((identity, credential)) = meant(&user, which) else {
        return Err(Refused::new(Denial::LinkUnknown, Vec::new()));
    };
    if credential.status == CredentialStatus::Revoked {
        return Err(Refused::new(Denial::CredentialRevoked, Vec::new()));
    }
    let fresh = credential.is_fresh(FRESH_MARGIN, cx.now);
    let chosen = Box::new(Chosen {
        identity: identity.clone(),
        credential: credential.clone(),
        user,
    });
    let next = if fresh {
        Freshen::Open(chosen)
    } else {
        Freshen::Refresh(chosen)
    };
    Ok(Advanced {
        next,
        effects: Vec::new(),
    })
}

/// By id, else by entry, else by provider; of several one that may be used, that of a linking entry, the newest.
fn meant<'a>(user: &'a User, which: &str) -> Option<(&'a Identity, &'a UserCredential)> {
    let with_identity =
        |credential: &'a UserCredential| Some((user.identity(&credential.identity)?, credential));
    let all = || user.credentials.iter().filter_map(with_identity);
    let usable = |credential: &UserCredential| credential.status != CredentialStatus::Revoked;
    let best = |(_, credential): &(&Identity, &UserCredential)| {
        (usable(credential), credential.linked, credential.modified)
    };
    all()
        .find(|(_, credential)| credential.id.as_str() == which)
        .or_else(|| {
            all()
                .filter(|(_, credential)| credential.entry.as_str() == which)
                .max_by_key(best)
        })
        .or_else(|| {
            all()
                .filter(|(identity, _)| identity.key.provider.as_str() == which)
                .max_by_key(best)
        })
}

fn store(chosen: Chosen, tokens: &ProviderTokens, sealed: Sealed, cx: &Ctx<'_>) -> Advanced<Freshen> {
    let Chosen {
        user,
        identity,
        credential,
    } = chosen;
    let granted = tokens.scopes.clone().unwrap_or_else(|| credential.scopes.clone());
    let lost = credential.scopes.iter().any(|scope| !granted.contains(scope));
    let renewed = UserCredential {
        tokens: sealed,
        expires: tokens.expires,
        scopes: granted,
        // A scope that is lost stays lost until the person links again.
        status: match credential.status {
            _ if lost => CredentialStatus::ScopeLost,
            // Somebody was told otherwise with the token before this one: the provider has just said that the grant holds.
            CredentialStatus::Revoked => CredentialStatus::Active,
            status => status,
        },
        modified: cx.now,
        ..credential
    };
    let next = replaced(&user, &renewed, cx);
    let detail = renewed.entry.to_string();
    let mut effects = vec![
        commit(&user, next.clone()),
        cx.audit_about(AuditKind::CredentialRefreshed, Some(&user.key), detail.clone()),
    ];
    if lost {
        effects.push(cx.audit_about(AuditKind::CredentialScopeLost, Some(&user.key), detail));
    }
    Advanced {
        next: Freshen::Done(Box::new(Chosen {
            user: next,
            identity,
            credential: renewed,
        })),
        effects,
    }
}

fn replaced(user: &User, credential: &UserCredential, cx: &Ctx<'_>) -> User {
    let mut next = user.changed(cx.now);
    for kept in Arc::make_mut(&mut next.credentials) {
        if kept.id == credential.id {
            *kept = credential.clone();
        }
    }
    next
}

fn fail(chosen: Chosen, failure: &Failure, cx: &Ctx<'_>) -> Step<Freshen> {
    let key = &chosen.user.key;
    let detail = chosen.credential.entry.to_string();
    let Failure::Refused(fault) = failure else {
        let audit = cx.audit_about(AuditKind::ProviderUnavailable, Some(key), detail);
        return Err(Refused::new(Denial::ProviderUnavailable, vec![audit]));
    };
    // A grant that has run out and cannot be bought anew is as good as revoked.
    if matches!(fault, ProviderFault::GrantRevoked | ProviderFault::NotRefreshable) {
        let revoked = UserCredential {
            status: CredentialStatus::Revoked,
            modified: cx.now,
            ..chosen.credential
        };
        let next = replaced(&chosen.user, &revoked, cx);
        let effects = vec![
            commit(&chosen.user, next),
            cx.audit_about(AuditKind::CredentialRevoked, Some(key), detail),
        ];
        return Err(Refused::new(Denial::CredentialRevoked, effects));
    }
    let detail = format!("{detail} {}", fault.code());
    let audit = cx.audit_about(AuditKind::ProviderRefused, Some(key), detail);
    Err(Refused::new(
        Denial::ProviderRefused { fault: *fault },
        vec![audit],
    ))
}

impl Chosen {
    /// What names the lease of a refresh: one at a time per grant.
    pub fn lease(&self) -> &CredentialId {
        &self.credential.id
    }
}
