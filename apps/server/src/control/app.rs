//! Client applications and their own clients at providers.

use domain::application::{Application, ApplicationCredential, ApplicationDetails, ApplicationKeys};
use domain::audit::Actor;
use domain::error::{Denial, DomainError};
use domain::id::{ApplicationId, ProviderName};
use domain::secret::Secret;
use domain::service::{ApplicationChange, NewApplicationCredential, Services};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use url::{Host, Url};

use super::execute::Refusal;
use super::{Hidden, Operated};

/// Applications in one answer, at most.
pub const PAGE: usize = 200;
/// The scheme of a provider that no entry tells the scheme of.
const OAUTH2: &str = "oAuth 2.0";

/// What can be done about applications.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum AppCommand {
    /// Make one.
    Create {
        /// What people call it.
        name: String,
    },
    /// Up to [`PAGE`] applications in the order of their ids.
    List {
        /// The id to begin after.
        after: Option<String>,
    },
    /// One.
    Show {
        /// Its id.
        id: String,
    },
    /// Set an application's own client at a provider.
    SetCredential(SetCredential),
    /// Change one.
    Change(ChangeApp),
    /// Give one new keys.
    ResetKeys {
        /// Its id.
        id: String,
    },
    /// Delete one.
    Delete {
        /// Its id.
        id: String,
    },
    /// Take it away.
    RemoveCredential {
        /// The application's id.
        application: String,
        /// The provider.
        provider: String,
    },
}

/// An application's own client at a provider, as it is set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SetCredential {
    /// The application's id.
    pub application: String,
    /// The provider.
    pub provider: String,
    /// `authScheme`; none for that of the configured entries.
    pub auth_scheme: Option<String>,
    /// `clientID` or `consumerKey`.
    pub client_id: String,
    /// `clientSecret` or `consumerSecret`; none for a public client.
    pub client_secret: Option<Hidden>,
    /// Where the provider sends people back to, if not to the entry's own callback.
    pub callback_url: Option<String>,
}

/// What is to be changed about an application; what is none stays.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ChangeApp {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: Option<String>,
    /// Whether its keys open anything.
    pub enabled: Option<bool>,
    /// What is said about it, laid over what is said now; a null removes.
    pub details: Map<String, Value>,
}

/// What was done about applications.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum AppAnswer {
    /// One was made.
    Created(CreatedApp),
    /// Some there are.
    Apps(Vec<AppView>),
    /// One there is.
    App(AppView),
    /// A client was set.
    CredentialSet {
        /// As it is now.
        credential: CredentialView,
        /// Providers of the configured entries, when the client's is none of them.
        known: Option<Vec<String>>,
    },
    /// A client was taken away.
    CredentialRemoved,
    /// An application was deleted.
    Deleted {
        /// Its id.
        id: String,
    },
}

/// A new application. Its keys are told this once.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreatedApp {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// LoopBack's names of the keys, and the keys.
    pub keys: Vec<(String, Hidden)>,
}

/// An application as operators see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AppView {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Whether its keys open anything.
    pub enabled: bool,
    /// What is said about it.
    pub details: Map<String, Value>,
    /// Its own clients at providers.
    pub credentials: Vec<CredentialView>,
    /// When it was made (ISO 8601).
    pub created: String,
    /// When it was last changed (ISO 8601).
    pub modified: String,
}

/// An application's own client at a provider as operators see it: not its secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CredentialView {
    /// The provider.
    pub provider: String,
    /// LoopBack's `authScheme`.
    pub auth_scheme: String,
    /// `clientID` or `consumerKey`.
    pub client_id: String,
    /// Whether there is a secret.
    pub has_secret: bool,
    /// Where the provider sends people back to, if not to the entry's own callback.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub callback_url: Option<String>,
    /// When it was set (ISO 8601).
    pub created: String,
    /// When it was last changed (ISO 8601).
    pub modified: String,
}

impl From<&Application> for AppView {
    fn from(application: &Application) -> Self {
        Self {
            id: application.id.to_string(),
            name: application.name.clone(),
            enabled: application.disabled.is_none(),
            details: said(&application.details),
            credentials: application.credentials.iter().map(CredentialView::from).collect(),
            created: application.created.to_iso8601(),
            modified: application.modified.to_iso8601(),
        }
    }
}

fn said(details: &ApplicationDetails) -> Map<String, Value> {
    match serde_json::to_value(details) {
        Ok(Value::Object(said)) => said,
        _ => Map::new(),
    }
}

impl From<&ApplicationCredential> for CredentialView {
    fn from(credential: &ApplicationCredential) -> Self {
        Self {
            provider: credential.provider.to_string(),
            auth_scheme: credential.auth_scheme.clone(),
            client_id: credential.client_id.clone(),
            has_secret: credential.client_secret.is_some(),
            callback_url: credential.callback_url.clone(),
            created: credential.created.to_iso8601(),
            modified: credential.modified.to_iso8601(),
        }
    }
}

/// Carries a command out.
///
/// # Errors
/// Why not, for whoever asked.
pub async fn execute(command: AppCommand, operated: &Operated) -> Result<AppAnswer, Refusal> {
    let services = &operated.services;
    match command {
        AppCommand::Create { name } => create(services, &name).await,
        AppCommand::List { after } => {
            let page = services
                .list_applications(after.map(ApplicationId::new), PAGE)
                .await?;
            Ok(AppAnswer::Apps(page.iter().map(AppView::from).collect()))
        }
        AppCommand::Show { id } => {
            let found = find(services, &id).await?;
            Ok(AppAnswer::App(AppView::from(&found)))
        }
        AppCommand::Change(change) => self::change(services, change).await,
        AppCommand::ResetKeys { id } => {
            let reset = services
                .reset_application_keys(&ApplicationId::new(id.as_str()), &Actor::Operator)
                .await?;
            let (application, keys) = reset.ok_or_else(|| unknown(&id))?;
            Ok(created(application, &keys))
        }
        AppCommand::Delete { id } => {
            let deleted = services
                .delete_application(&ApplicationId::new(id.as_str()), &Actor::Operator)
                .await?;
            deleted
                .then_some(AppAnswer::Deleted { id: id.clone() })
                .ok_or_else(|| unknown(&id))
        }
        AppCommand::SetCredential(new) => set_credential(services, new).await,
        AppCommand::RemoveCredential {
            application,
            provider,
        } => remove_credential(services, &application, &provider).await,
    }
}

async fn create(services: &Services, name: &str) -> Result<AppAnswer, Refusal> {
    let (application, keys) = services
        .create_application(name, ApplicationDetails::default(), &Actor::Operator)
        .await?;
    Ok(created(application, &keys))
}

fn created(application: Application, keys: &ApplicationKeys) -> AppAnswer {
    let keys = keys
        .each()
        .map(|(kind, key)| (kind.name().to_owned(), Hidden::from(key)));
    AppAnswer::Created(CreatedApp {
        id: application.id.to_string(),
        name: application.name,
        keys: keys.collect(),
    })
}

async fn change(services: &Services, change: ChangeApp) -> Result<AppAnswer, Refusal> {
    let wanted = ApplicationChange {
        name: change.name,
        enabled: change.enabled,
        details: change.details,
        replaces: false,
    };
    let id = ApplicationId::new(change.id.as_str());
    let changed = services
        .change_application(&id, &wanted, &Actor::Operator)
        .await?;
    let changed = changed.ok_or_else(|| unknown(&change.id))?;
    Ok(AppAnswer::App(AppView::from(&changed)))
}

async fn find(services: &Services, id: &str) -> Result<Application, Refusal> {
    let found = services.find_application(&ApplicationId::new(id)).await?;
    found.ok_or_else(|| unknown(id))
}

fn unknown(id: &str) -> Refusal {
    Refusal::new(format!("there is no application `{}`", id.escape_debug()))
}

/// The services answer strangers and say little; an operator may know what is wrong.
fn told(error: DomainError, id: &str) -> Refusal {
    match error {
        DomainError::Denied(Denial::ApplicationRefused) => unknown(id),
        other => other.into(),
    }
}

async fn set_credential(services: &Services, new: SetCredential) -> Result<AppAnswer, Refusal> {
    if let Some(url) = &new.callback_url {
        check_callback(url)?;
    }
    let entries = services.providers();
    let entry = entries
        .iter()
        .map(|binding| &binding.entry)
        .find(|entry| entry.provider.as_str() == new.provider);
    let guessed = || entry.map_or_else(|| OAUTH2.to_owned(), |entry| entry.auth_scheme.clone());
    let credential = NewApplicationCredential {
        provider: ProviderName::new(new.provider.as_str()),
        auth_scheme: new.auth_scheme.clone().unwrap_or_else(guessed),
        client_id: new.client_id,
        client_secret: new.client_secret.map(Secret::from),
        callback_url: new.callback_url,
    };
    let id = ApplicationId::new(new.application.as_str());
    let set = services
        .set_application_credential(&id, credential)
        .await
        .map_err(|error| told(error, &new.application))?;
    let known = entry.is_none().then(|| {
        let mut known: Vec<String> = entries
            .iter()
            .map(|binding| binding.entry.provider.to_string())
            .collect();
        known.sort();
        known.dedup();
        known
    });
    Ok(AppAnswer::CredentialSet {
        credential: CredentialView::from(&set),
        known,
    })
}

/// Providers send people, and their codes, to this address.
/// As at the REST edge: https, or plain on this machine; no user, and no fragment (RFC 6749 section 3.1.2).
fn check_callback(url: &str) -> Result<(), Refusal> {
    let fine = Url::parse(url).is_ok_and(|url| {
        let here = match url.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        };
        let bare = url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
        bare && url.has_host() && (url.scheme() == "https" || (url.scheme() == "http" && here))
    });
    fine.then_some(()).ok_or_else(|| {
        Refusal::new("the callback URL must be a whole https address (plain http only on this machine), without a fragment")
    })
}

async fn remove_credential(services: &Services, id: &str, provider: &str) -> Result<AppAnswer, Refusal> {
    let removed = services
        .remove_application_credential(&ApplicationId::new(id), &ProviderName::new(provider))
        .await
        .map_err(|error| told(error, id))?;
    if removed {
        return Ok(AppAnswer::CredentialRemoved);
    }
    Err(Refusal::new(format!(
        "the application has no client of its own at `{}`",
        provider.escape_debug()
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_callback_is_an_absolute_web_address() {
        for fine in [
            "https://shop.example/auth/google/callback",
            "http://localhost:3000/cb?x=1",
        ] {
            assert!(check_callback(fine).is_ok(), "{fine}");
        }
        for wrong in [
            "/cb",
            "shop.example/cb",
            "javascript:alert(1)",
            "https://shop.example/#x",
            "http://shop.example/cb",
            "https://user@shop.example/cb",
            "",
        ] {
            assert!(check_callback(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn no_secret_shows_in_debug() {
        let command = AppCommand::SetCredential(SetCredential {
            application: "a".to_owned(),
            provider: "google".to_owned(),
            auth_scheme: None,
            client_id: "id".to_owned(),
            client_secret: Some(Hidden::new("hunter2")),
            callback_url: None,
        });
        assert!(!format!("{command:?}").contains("hunter2"));
    }
}
