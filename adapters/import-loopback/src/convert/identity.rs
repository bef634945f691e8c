//! Accounts at providers: LoopBack's UserIdentity and UserCredential.

use domain::id::{CredentialId, IdentityId, ProviderName};
use domain::identity::{
    CredentialStatus, Identity, IdentityKey, MAX_LINKS, PersonName, Profile, ProfileEmail, ProviderTokens,
    UserCredential,
};
use domain::secret::{Sealed, Secret};
use domain::time::Timestamp;
use serde_json::{Map, Value};

use super::{Context, Entry, created, modified};
use crate::finding::What;
use crate::row::Row;

/// Accounts of one user, and the tokens to seal for them.
#[derive(Default)]
pub struct Accounts {
    /// The accounts.
    pub identities: Vec<Identity>,
    /// What may be done there; their tokens stand beside.
    pub credentials: Vec<UserCredential>,
    /// The tokens of each credential, by its place, with the account they are of.
    pub tokens: Vec<(usize, IdentityKey, ProviderTokens)>,
}

/// Takes the accounts of a user: those that logged in first, then those that were linked.
pub fn accounts(user: &str, identities: &[Row], credentials: &[Row], context: &mut Context<'_>) -> Accounts {
    let mut accounts = Accounts::default();
    for (rows, linked) in [(identities, false), (credentials, true)] {
        for row in rows {
            take(&mut accounts, user, row, linked, context);
        }
    }
    accounts
}

fn take(accounts: &mut Accounts, user: &str, row: &Row, linked: bool, context: &mut Context<'_>) {
    let id = row.text("id").unwrap_or_default();
    let what = if linked { "credential" } else { "identity" };
    let who = format!("{what} {id} of user {user}");
    let provider = row.said("provider").unwrap_or_default();
    let Some(entry) = entry(&context.rules.entries, &provider, linked) else {
        context
            .findings
            .note(What::UnknownProvider, format!("{who} ({provider})"));
        return;
    };
    let entry = entry.clone();
    let client = entry.per_client.then_some(entry.client_id.as_str());
    let subject = row.said("externalId").unwrap_or_default();
    let Some(key) = IdentityKey::new(entry.provider.clone(), &entry.issuer, &subject, client) else {
        context.findings.note(What::IdentityWithoutSubject, who);
        return;
    };
    if let Some(holder) = context.seen.claim("identity", &key.to_text(), user) {
        let whose = format!("{who}, held by user {holder}");
        context.findings.note(What::SharedIdentity, whose);
        return;
    }
    let identity = match accounts.identities.iter().find(|known| known.key == key) {
        Some(known) => known.id.clone(),
        None if accounts.identities.len() >= MAX_LINKS => return,
        None => {
            if linked {
                context.findings.note(What::LinkedAccount, who);
            }
            let identity = identity(row, &id, linked, key.clone());
            let name = identity.id.clone();
            accounts.identities.push(identity);
            name
        }
    };
    let Some(tokens) = tokens(row) else { return };
    let known = accounts.credentials.iter();
    let same = |known: &UserCredential| {
        known.identity == identity && known.entry == entry.name && known.client_id == entry.client_id
    };
    if known.into_iter().any(same) || accounts.credentials.len() >= MAX_LINKS {
        return;
    }
    accounts
        .tokens
        .push((accounts.credentials.len(), key, tokens.clone()));
    accounts.credentials.push(UserCredential {
        id: CredentialId::new(format!("{what}-{id}")),
        identity,
        entry: entry.name,
        linked,
        client_id: entry.client_id,
        application: None,
        tokens: Sealed::from_bytes(Vec::new()),
        expires: tokens.expires,
        scopes: Vec::new(),
        status: CredentialStatus::Active,
        created: created(row),
        modified: modified(row),
    });
}

/// The entry that leads to a provider: one that logs in or links as the record did, else any. SAML's records carry the entry's own key.
fn entry<'a>(entries: &'a [Entry], provider: &str, linked: bool) -> Option<&'a Entry> {
    let named = ProviderName::new(provider);
    let leads = |entry: &&Entry| entry.provider == named || entry.name.as_str() == provider;
    let same = entries.iter().filter(leads).find(|entry| entry.link == linked);
    same.or_else(|| entries.iter().find(leads))
}

fn identity(row: &Row, id: &str, linked: bool, key: IdentityKey) -> Identity {
    let name = if linked {
        format!("credential-{id}")
    } else {
        id.to_owned()
    };
    Identity {
        id: IdentityId::new(name),
        key,
        auth_scheme: row.said("authScheme").unwrap_or_default(),
        profile: row.structure("profile").map(profile).unwrap_or_default(),
        roles: Vec::new(),
        created: created(row),
        modified: modified(row),
    }
}

/// Passport's profile without what it had from the provider besides. No address is vouched for: LoopBack never asked.
fn profile(value: Value) -> Profile {
    let Value::Object(map) = value else {
        return Profile::default();
    };
    let row = Row::new(map);
    let values = |name: &str| -> Vec<String> {
        let Some(Value::Array(items)) = row.get(name).cloned() else {
            return Vec::new();
        };
        let value = |item: Value| match item {
            Value::String(text) => Some(text),
            Value::Object(map) => Row::new(map).said("value"),
            _ => None,
        };
        items.into_iter().filter_map(value).collect()
    };
    let name = Row::new(
        row.get("name")
            .and_then(Value::as_object)
            .cloned()
            .unwrap_or_else(Map::new),
    );
    let email = |value: String| ProfileEmail {
        value,
        verified: false,
    };
    let profile = Profile {
        username: row.said("username"),
        display_name: row.said("displayName"),
        name: PersonName {
            family_name: name.said("familyName"),
            given_name: name.said("givenName"),
            middle_name: name.said("middleName"),
        },
        emails: values("emails").into_iter().map(email).collect(),
        photos: values("photos"),
        profile_url: row.said("profileUrl"),
    };
    profile.bounded()
}

/// What LoopBack keeps in clear. When an access token dies it does not say: one that can be renewed counts as dead already.
fn tokens(row: &Row) -> Option<ProviderTokens> {
    let Some(Value::Object(given)) = row.structure("credentials") else {
        return None;
    };
    let given = Row::new(given);
    let secret = |name: &str| given.said(name).map(Secret::new);
    let oauth1 = secret("token");
    let refresh_token = secret("refreshToken");
    let tokens = ProviderTokens {
        token_type: if oauth1.is_some() { "OAuth" } else { "Bearer" }.to_owned(),
        access_token: oauth1.or_else(|| secret("accessToken"))?,
        token_secret: secret("tokenSecret"),
        expires: refresh_token
            .is_some()
            .then(|| modified(row))
            .filter(|at| *at > Timestamp::from_millis(0)),
        refresh_token,
        scopes: None,
    };
    tokens.is_bounded().then_some(tokens)
}
