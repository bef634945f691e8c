//! Client applications.

use domain::access::RoleMapping;
use domain::application::{Application, ApplicationCredential, ApplicationDetails, ApplicationKey, KeyType};
use domain::id::{ApplicationId, ProviderName};
use domain::secret::{Sealed, Secret, Token};
use domain::user::Revision;
use serde_json::{Map, Value};

use super::{Context, created, modified};
use crate::finding::What;
use crate::row::Row;

/// What of LoopBack's Application has a place of its own here, or none.
const KNOWN: &[&str] = &[
    "id",
    "name",
    "description",
    "icon",
    "owner",
    "collaborators",
    "email",
    "url",
    "callbackUrls",
    "status",
    "realm",
    "clientKey",
    "javaScriptKey",
    "restApiKey",
    "windowsKey",
    "masterKey",
    "authenticationEnabled",
    "created",
    "modified",
    // These hold secrets in clear.
    "pushSettings",
    "authenticationSchemes",
];

/// An application whose clients' secrets are not sealed yet.
pub struct ApplicationDraft {
    /// The application; its credentials hold no secret.
    pub application: Application,
    /// The secret of each credential that has one, by its place.
    pub secrets: Vec<(usize, Secret)>,
}

/// The application of a row, with its own clients at providers and the roles it was given.
pub fn application(
    row: &Row,
    credentials: &[Row],
    mappings: Vec<RoleMapping>,
    context: &mut Context<'_>,
) -> Option<ApplicationDraft> {
    let (Some(id), Some(name)) = (row.said("id"), row.said("name")) else {
        let id = row.text("id").unwrap_or_default();
        context
            .findings
            .note(What::BadApplication, format!("application {id}"));
        return None;
    };
    let keys = keys(row);
    if keys.len() < KeyType::ALL.len() {
        context.findings.note(What::OddKey, format!("application {id}"));
    }
    if ["pushSettings", "authenticationSchemes"]
        .into_iter()
        .any(|name| says_something(row, name))
    {
        context
            .findings
            .note(What::DroppedSecrets, format!("application {id}"));
    }
    let mut secrets = Vec::new();
    let mut clients: Vec<ApplicationCredential> = Vec::new();
    for row in credentials {
        let Some((client, secret)) = client(row) else {
            continue;
        };
        if clients.iter().any(|known| known.provider == client.provider) {
            continue;
        }
        secrets.extend(secret.map(|secret| (clients.len(), secret)));
        clients.push(client);
    }
    context.seen.applications.insert(id.clone());
    let application = Application {
        id: ApplicationId::new(id),
        revision: Revision::default(),
        name,
        keys,
        credentials: clients,
        mappings,
        disabled: (row.truth("authenticationEnabled") == Some(false)).then(|| modified(row)),
        details: details(row),
        created: created(row),
        modified: modified(row),
    };
    Some(ApplicationDraft { application, secrets })
}

fn says_something(row: &Row, name: &str) -> bool {
    match row.structure(name) {
        Some(Value::Array(list)) => !list.is_empty(),
        Some(Value::Object(map)) => !map.is_empty(),
        _ => false,
    }
}

fn keys(row: &Row) -> Vec<ApplicationKey> {
    let key = |kind: KeyType| {
        row.said(kind.name()).map(|text| ApplicationKey {
            kind,
            hash: Token::presented(text).hash(),
        })
    };
    KeyType::ALL.into_iter().filter_map(key).collect()
}

fn details(row: &Row) -> ApplicationDetails {
    let others = row.others(
        KNOWN,
        &["anonymousAllowed".to_owned(), "emailVerified".to_owned()],
    );
    let said = |value: &Value| match value {
        Value::Null => false,
        Value::Array(list) => !list.is_empty(),
        _ => true,
    };
    ApplicationDetails {
        description: row.said("description"),
        icon: row.said("icon"),
        owner: row.said("owner"),
        collaborators: row.texts("collaborators"),
        email: row.said("email"),
        url: row.said("url"),
        callback_urls: row.texts("callbackUrls"),
        status: row.said("status"),
        realm: row.said("realm"),
        others: others
            .into_iter()
            .filter(|(_, value)| said(value))
            .collect::<Map<_, _>>(),
    }
}

/// An application's own client at a provider, and its secret.
fn client(row: &Row) -> Option<(ApplicationCredential, Option<Secret>)> {
    let provider = row.said("provider")?;
    let Some(Value::Object(given)) = row.structure("credentials") else {
        return None;
    };
    let given = Row::new(given);
    let either = |one: &str, other: &str| given.said(one).or_else(|| given.said(other));
    let client = ApplicationCredential {
        provider: ProviderName::new(provider),
        auth_scheme: row.said("authScheme").unwrap_or_default(),
        client_id: either("clientID", "consumerKey").or_else(|| given.said("clientId"))?,
        client_secret: None,
        callback_url: either("callbackURL", "callbackUrl"),
        created: created(row),
        modified: modified(row),
    };
    Some((client, either("clientSecret", "consumerSecret").map(Secret::new)))
}

impl ApplicationDraft {
    /// The application, with each secret sealed as `seal` gives it.
    pub fn put(&mut self, at: usize, sealed: Sealed) {
        if let Some(client) = self.application.credentials.get_mut(at) {
            client.client_secret = Some(sealed);
        }
    }
}
