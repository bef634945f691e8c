//! Linking accounts elsewhere to a user: attach one while logged in, join one after proof of both sides, detach one.

pub mod attach;
pub mod detach;
pub mod join;
mod passport;
mod roles;

pub(crate) use passport::at;

use crate::error::Denial;
use crate::flow::Ctx;
pub use crate::flow_record::PendingLink;
use crate::id::{ApplicationId, CredentialId, EntryName, IdentityId, UserKey};
use crate::identity::{
    CredentialStatus, FederatedSession, Identity, IdentityKey, MAX_LINKS, Profile, ProviderEntry,
    ProviderSession, ProviderTokens, SubjectScope, UserCredential,
};
use crate::limits::Verdict;
use crate::ports::{Arrival, ProviderFault, SealBinding};
use crate::secret::Sealed;
use crate::time::Timestamp;
use crate::user::User;

/// Somebody proved to be an account elsewhere, and the core took the proof.
#[derive(Clone, Debug)]
pub struct Proven {
    /// The entry they came by.
    pub entry: ProviderEntry,
    /// Which account.
    pub key: IdentityKey,
    /// What the provider says about them.
    pub profile: Profile,
    /// The same unbounded, for `profileMapping` alone.
    pub raw: serde_json::Value,
    /// What we may do there.
    pub tokens: Option<ProviderTokens>,
    /// The groups they are in there.
    pub groups: Vec<String>,
    /// The session they have there.
    pub session: Option<ProviderSession>,
    /// The client it was granted to.
    pub client_id: String,
    /// The application whose client that is.
    pub application: Option<ApplicationId>,
}

/// A link whose tokens are still to be sealed for its user.
#[derive(Clone, Debug)]
pub struct LinkDraft {
    /// The account, under the id it has at the user already or will have.
    pub identity: Identity,
    /// What was granted.
    pub grant: Option<Grant>,
    /// The session they have there.
    pub session: Option<FederatedSession>,
}

/// A grant in clear.
#[derive(Clone, Debug)]
pub struct Grant {
    /// The tokens.
    pub tokens: ProviderTokens,
    /// The entry it was granted through.
    pub entry: EntryName,
    /// Whether that entry is for linking.
    pub linked: bool,
    /// The client it was granted to.
    pub client_id: String,
    /// The application whose client that is.
    pub application: Option<ApplicationId>,
    /// What was asked for: what is believed to be granted where the provider does not say.
    pub asked: Vec<String>,
}

impl Proven {
    /// What an arrival proves; what is wrong with it if it proves nothing: it was shown before, or names nobody.
    pub(crate) fn of(
        arrival: Arrival,
        entry: &ProviderEntry,
        client_id: String,
        application: Option<ApplicationId>,
        once: Verdict,
    ) -> Result<Self, ProviderFault> {
        if once != Verdict::Allowed {
            return Err(ProviderFault::Replayed);
        }
        let scoped = (entry.subjects == SubjectScope::Client).then_some(client_id.as_str());
        let key = IdentityKey::new(entry.provider.clone(), &arrival.issuer, &arrival.subject, scoped);
        let Some(key) = key else {
            return Err(ProviderFault::SubjectMissing);
        };
        Ok(Self {
            key,
            profile: arrival.profile.bounded(),
            raw: arrival.raw,
            tokens: arrival.tokens.filter(ProviderTokens::is_bounded),
            groups: arrival.groups,
            session: arrival.session.filter(ProviderSession::is_bounded),
            client_id,
            application,
            entry: entry.clone(),
        })
    }

    /// The link this makes for `user`: an account that is linked already keeps its id.
    pub fn link_for(&self, user: Option<&User>, cx: &mut Ctx<'_>) -> LinkDraft {
        let known = user.and_then(|user| user.identity_of(&self.key));
        let identity = Identity {
            id: known.map_or_else(|| IdentityId::draw(cx.now, cx.entropy), |known| known.id.clone()),
            key: self.key.clone(),
            auth_scheme: self.entry.auth_scheme.clone(),
            profile: self.profile.clone(),
            roles: roles::granted(self),
            created: known.map_or(cx.now, |known| known.created),
            modified: cx.now,
        };
        let grant = self.tokens.clone().map(|tokens| Grant {
            tokens,
            entry: self.entry.name.clone(),
            linked: self.entry.link,
            client_id: self.client_id.clone(),
            application: self.application.clone(),
            asked: self.entry.scopes.clone(),
        });
        let session = self.session.clone().map(|session| FederatedSession {
            entry: self.entry.name.clone(),
            identity: identity.id.clone(),
            session,
        });
        LinkDraft {
            identity,
            grant,
            session,
        }
    }
}

impl LinkDraft {
    /// The same with its tokens sealed.
    pub fn sealed(self, sealed: Option<Sealed>, cx: &mut Ctx<'_>) -> PendingLink {
        let identity = self.identity;
        let credential = self.grant.zip(sealed).map(|(grant, tokens)| UserCredential {
            id: CredentialId::draw(cx.now, cx.entropy),
            identity: identity.id.clone(),
            entry: grant.entry,
            linked: grant.linked,
            client_id: grant.client_id,
            application: grant.application,
            tokens,
            expires: grant.tokens.expires,
            scopes: grant.tokens.scopes.unwrap_or(grant.asked),
            status: CredentialStatus::Active,
            created: cx.now,
            modified: cx.now,
        });
        PendingLink {
            identity,
            credential,
            session: self.session,
        }
    }
}

/// To what a grant's tokens are bound: moved to another user, account or client they do not open.
pub fn credential_binding(
    user: &UserKey,
    key: &IdentityKey,
    entry: &EntryName,
    client_id: &str,
) -> SealBinding {
    SealBinding {
        kind: "user-credential",
        owner: vec![
            user.pool.to_string(),
            user.id.to_string(),
            key.to_text(),
            entry.to_string(),
            client_id.to_owned(),
        ],
    }
}

/// The grant a user already has for the same account, entry and client.
pub fn same_grant<'a>(
    user: &'a User,
    key: &IdentityKey,
    entry: &EntryName,
    client_id: &str,
) -> Option<&'a UserCredential> {
    let identity = user.identity_of(key)?;
    user.credentials.iter().find(|credential| {
        credential.identity == identity.id && credential.entry == *entry && credential.client_id == client_id
    })
}

/// Attaches a proven account to a user's next state, or refreshes it where it is attached already.
pub(crate) fn attach(next: &mut User, link: &PendingLink, now: Timestamp) -> Result<(), Denial> {
    let identities = std::sync::Arc::make_mut(&mut next.identities);
    let known = identities
        .iter_mut()
        .find(|identity| identity.key == link.identity.key);
    let id = if let Some(known) = known {
        known.profile = link.identity.profile.clone().keeping_names_of(&known.profile);
        known.auth_scheme.clone_from(&link.identity.auth_scheme);
        known.roles.clone_from(&link.identity.roles);
        known.modified = now;
        known.id.clone()
    } else {
        if identities.len() >= MAX_LINKS {
            return Err(Denial::TooManyLinks);
        }
        identities.push(link.identity.clone());
        link.identity.id.clone()
    };
    let Some(mut fresh) = link.credential.clone() else {
        return Ok(());
    };
    fresh.identity = id;
    let credentials = std::sync::Arc::make_mut(&mut next.credentials);
    let same = credentials.iter_mut().find(|old| {
        old.identity == fresh.identity && old.entry == fresh.entry && old.client_id == fresh.client_id
    });
    if let Some(old) = same {
        fresh.id = old.id.clone();
        fresh.created = old.created;
        fresh.modified = now;
        *old = fresh;
    } else if credentials.len() >= MAX_LINKS {
        return Err(Denial::TooManyLinks);
    } else {
        credentials.push(fresh);
    }
    Ok(())
}
