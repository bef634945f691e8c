//! Who nobody here knows yet: the user they would become, and whether there is a namesake.

use serde_json::Value;

use super::super::super::{Ctx, Refused};
use super::{Onward, Relation};
use crate::audit::AuditKind;
use crate::error::Denial;
use crate::flow::link::{LinkDraft, Proven, at};
use crate::id::{EntryName, UserId, UserKey};
use crate::user::{Attributes, Email, Phone, User, Username, scoped_key};

/// Properties of a user that no profile may set.
const NEVER_MAPPED: [&str; 8] = [
    "id",
    "password",
    "emailVerified",
    "verificationToken",
    "realm",
    "identities",
    "credentials",
    "accessTokens",
];

/// Somebody whose account is linked to nobody.
#[derive(Clone, Debug)]
pub struct Newcomer {
    proven: Proven,
    user: User,
    /// An address the provider names without vouching for it: never stored, only good for finding a namesake.
    unvouched: Option<Email>,
    pub(super) onward: Onward,
}

impl Newcomer {
    /// The user a proven account would become.
    pub(super) fn of(proven: Proven, onward: Onward, cx: &mut Ctx<'_>) -> Result<Self, Refused> {
        let case = cx.pool.case_sensitive_email;
        let key = UserKey::new(cx.pool.name.clone(), UserId::draw(cx.now, cx.entropy));
        let mut user = User::blank(key, cx.now);
        user.email = proven.profile.vouched_email(case);
        user.email_verified = user.email.is_some();
        let unvouched = match user.email {
            None if !cx.pool.hide_existing => proven.profile.any_email(case),
            _ => None,
        };
        if proven.entry.mapping.is_empty() {
            user.username = default_username(&proven);
        } else {
            map(&proven, &mut user);
        }
        if user.email.is_none() && !proven.entry.email_optional {
            return Err(Refused::new(Denial::ProviderEmailRequired, Vec::new()));
        }
        Ok(Self {
            proven,
            user,
            unvouched,
            onward,
        })
    }

    /// The address to look a namesake up by.
    pub fn email_key(&self) -> Option<String> {
        let unvouched = || {
            let email = self.unvouched.as_ref()?;
            Some(scoped_key(None, email.key()))
        };
        self.user.email_key().or_else(unvouched)
    }

    /// The name to look a namesake up by.
    pub fn username_key(&self) -> Option<String> {
        self.user.username_key()
    }

    pub(super) fn entry(&self) -> &EntryName {
        &self.proven.entry.name
    }

    /// Who it will be: a new user, or a namesake to be proven first.
    pub(super) fn settle(
        self,
        email_holder: Option<User>,
        username_holder: Option<User>,
        cx: &mut Ctx<'_>,
    ) -> Result<(User, Relation, LinkDraft), Refused> {
        let mut user = self.user;
        let username_holder = username_holder.filter(|holder| {
            // The name was made of another account at the same place (its name was given away there, or differs by case alone):
            // that is another person, and nothing to prove.
            let others =
                self.proven.entry.mapping.is_empty() && comes_from_the_same_place(holder, &self.proven);
            if others {
                user.username = None;
            }
            !others
        });
        let (user, relation) = match email_holder.or(username_holder) {
            // Somebody who came by the same account at the same moment was faster: it is theirs, and they are this one.
            Some(owner) if owner.identity_of(&self.proven.key).is_some() => (owner, Relation::Owner),
            Some(namesake) => (namesake, Relation::Namesake),
            None if self.proven.entry.only_known_users => return Err(stranger(&self.proven.entry.name, cx)),
            None => (user, Relation::New),
        };
        let draft = self.proven.link_for(Some(&user), cx);
        Ok((user, relation, draft))
    }
}

/// Nobody becomes a user by this entry.
pub(crate) fn stranger(entry: &EntryName, cx: &Ctx<'_>) -> Refused {
    let detail = format!("{entry} {}", Denial::UserUnknown.code().unwrap_or_default());
    let audit = cx.audit_about(AuditKind::ProviderRefused, None, detail);
    Refused::new(Denial::UserUnknown, vec![audit])
}

/// Whether somebody has another account at the very provider this one is of.
fn comes_from_the_same_place(holder: &User, proven: &Proven) -> bool {
    holder.identities.iter().any(|identity| {
        let same = identity.key.provider == proven.key.provider && identity.key.issuer == proven.key.issuer;
        same && identity.key != proven.key
    })
}

/// LoopBack's name for people from elsewhere: `provider.name`, with the account's own name where it has one.
pub(crate) fn default_username(proven: &Proven) -> Option<Username> {
    let name = proven.profile.username.as_deref().unwrap_or(&proven.key.subject);
    let username = Username::parse(&format!("{}.{name}", proven.entry.provider))?;
    // One that looks like an address would name somebody else wherever one field takes both.
    (!username.as_str().contains('@')).then_some(username)
}

/// Sets properties from places in the profile. An address counts only if the provider vouches for it; a number is what somebody typed
/// in at sign-up would be, no second factor before a code to it came back.
fn map(proven: &Proven, user: &mut User) {
    let seen = proven.passport_profile();
    let mut attributes = serde_json::Map::new();
    for field in &proven.entry.mapping {
        let Some(value) = at(&seen, &field.provider_field).filter(|value| !value.is_null()) else {
            continue;
        };
        match (field.user_field.as_str(), value) {
            // The vouched address is set already; another one would not be proven.
            ("email", _) => {}
            ("username", Value::String(text)) => user.username = Username::parse(text),
            ("username", Value::Number(number)) => user.username = Username::parse(&number.to_string()),
            ("phone" | "mobile", value) => user.phone = value.as_str().and_then(Phone::parse),
            (name, _) if NEVER_MAPPED.contains(&name) => {}
            (name, value) => {
                attributes.insert(name.to_owned(), value.clone());
            }
        }
    }
    let foreign = |name: &Username| {
        let own = user
            .email
            .as_ref()
            .is_some_and(|email| email.as_str() == name.as_str());
        name.as_str().contains('@') && !own
    };
    user.username = user.username.take().filter(|name| !foreign(name));
    user.attributes = Attributes::from_client(attributes).unwrap_or_default();
}
