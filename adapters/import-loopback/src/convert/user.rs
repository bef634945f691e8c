//! Users.

use std::sync::Arc;

use domain::access::RoleMapping;
use domain::credential::PasswordHash;
use domain::id::{UserId, UserKey};
use domain::identity::{IdentityKey, ProviderTokens};
use domain::user::{Attributes, Email, Phone, User, Username, is_realm};

use super::identity::{Accounts, accounts};
use super::{Context, created, modified};
use crate::finding::What;
use crate::row::Row;

/// LoopBack's own properties of a user.
const KNOWN: &[&str] = &[
    "id",
    "realm",
    "username",
    "password",
    "email",
    "emailVerified",
    "verificationToken",
    "phone",
    "mobile",
];
/// Costs of bcrypt that are checked here.
const COSTS: std::ops::RangeInclusive<u32> = 4..=14;
/// The role that administers.
const ADMIN: &str = "admin";

/// A user whose grants at providers are not sealed yet.
pub struct UserDraft {
    /// The user; the tokens of their credentials are empty.
    pub user: User,
    /// The tokens of each credential, by its place, with the account they are of.
    pub tokens: Vec<(usize, IdentityKey, ProviderTokens)>,
}

/// Everything of one user.
pub struct UserRows<'a> {
    /// The user.
    pub user: &'a Row,
    /// What they log in by elsewhere.
    pub identities: &'a [Row],
    /// What they linked.
    pub credentials: &'a [Row],
    /// The roles they were given.
    pub mappings: Vec<RoleMapping>,
}

/// The user of a row.
pub fn user(rows: UserRows<'_>, context: &mut Context<'_>) -> Option<UserDraft> {
    let row = rows.user;
    let Some(id) = row.said("id") else {
        context.findings.note(What::BadId, "a user");
        return None;
    };
    let who = format!("user {id}");
    let key = UserKey::new(context.rules.pool.clone(), UserId::new(id.clone()));
    let mut user = User::blank(key, created(row));
    user.modified = modified(row);
    names(&mut user, row, &who, context);
    if is_taken(&user, &id, context) {
        return None;
    }
    password(&mut user, row, &who, context);
    phone(&mut user, row, &who, context);
    match Attributes::from_client(row.others(KNOWN, &context.rules.properties)) {
        Ok(attributes) => user.attributes = attributes,
        Err(_) => context.findings.note(What::LargeAttributes, who.clone()),
    }
    let is_admin = |mapping: &RoleMapping| {
        context
            .roles
            .get(mapping.role.as_str())
            .is_some_and(|name| name.as_str() == ADMIN)
    };
    if rows.mappings.iter().any(is_admin) {
        context.findings.note(What::Administrators, who);
    }
    user.mappings = Arc::new(rows.mappings);
    let Accounts {
        identities,
        credentials,
        tokens,
    } = accounts(&id, rows.identities, rows.credentials, context);
    user.identities = Arc::new(identities);
    user.credentials = Arc::new(credentials);
    context.seen.users.insert(id);
    Some(UserDraft { user, tokens })
}

fn names(user: &mut User, row: &Row, who: &str, context: &mut Context<'_>) {
    user.realm = row.said("realm").filter(|realm| {
        let sound = is_realm(realm);
        if !sound {
            context.findings.note(What::BadRealm, who);
        }
        sound
    });
    if let Some(text) = row.said("username") {
        user.username = Username::parse(&text);
        if user.username.is_none() {
            context.findings.note(What::BadUsername, who);
        }
    }
    let Some(text) = row.said("email") else { return };
    if is_invented(&text) {
        context.findings.note(What::InventedEmail, who);
        return;
    }
    user.email = Email::parse(&text, context.rules.case_sensitive_email);
    if user.email.is_none() {
        context.findings.note(What::BadEmail, who);
    }
    user.email_verified = user.email.is_some() && row.truth("emailVerified") == Some(true);
    if row.said("verificationToken").is_some() && !user.email_verified {
        context.findings.note(What::PendingVerification, who);
    }
}

/// An address that Passport's component made up for somebody who came from a provider. Whoever owns the domain reads its mail.
fn is_invented(email: &str) -> bool {
    let domain = email
        .rsplit_once('@')
        .map(|(_, domain)| domain.to_ascii_lowercase());
    let middle = domain
        .as_deref()
        .and_then(|domain| domain.strip_prefix("loopback."));
    let provider = middle.and_then(|rest| rest.strip_suffix(".com"));
    provider.is_some_and(|name| !name.is_empty())
}

/// Whether somebody before holds the address or the name.
fn is_taken(user: &User, id: &str, context: &mut Context<'_>) -> bool {
    let keys = [
        (user.email_key(), "email", What::SameEmail),
        (user.username_key(), "username", What::SameUsername),
    ];
    for (key, kind, what) in keys {
        let Some(key) = key else { continue };
        if let Some(holder) = context.seen.claim(kind, &key, id) {
            let both = format!("user {id}, as user {holder}");
            context.findings.note(what, both);
            return true;
        }
    }
    false
}

fn password(user: &mut User, row: &Row, who: &str, context: &mut Context<'_>) {
    let Some(hash) = row.said("password") else { return };
    if is_checked(&hash) {
        user.password = Some(PasswordHash::new(hash));
    } else {
        context.findings.note(What::UnknownHash, who);
    }
}

/// Whether it is a bcrypt hash that passwords are checked against here.
fn is_checked(hash: &str) -> bool {
    let prefixed = ["$2a$", "$2b$", "$2y$"]
        .iter()
        .any(|prefix| hash.starts_with(prefix));
    let cost = hash.get(4..6).and_then(|digits| digits.parse::<u32>().ok());
    prefixed && hash.len() == 60 && cost.is_some_and(|cost| COSTS.contains(&cost))
}

fn phone(user: &mut User, row: &Row, who: &str, context: &mut Context<'_>) {
    let Some(text) = row.said("phone").or_else(|| row.said("mobile")) else {
        return;
    };
    user.phone = Phone::parse(&text);
    if user.phone.is_none() {
        context.findings.note(What::BadPhone, who);
    }
}
