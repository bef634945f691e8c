//! `portcullis app …`

mod manage;

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};
use zeroize::Zeroizing;

use self::manage::ManageVerb;
use super::Said;
use super::ask::Asker;
use super::table::{plain, table};
use crate::config::Config;
use crate::control::app::{AppAnswer, AppCommand, AppView, CreatedApp, CredentialView, PAGE, SetCredential};
use crate::control::{Answer, Command, Hidden, Refusal};
use crate::serve::Fault;

/// Longest client secret, in bytes: Apple's, a signed assertion, is the longest known and below 1 KiB.
const MAX_SECRET: u64 = 16 * 1024;

/// `portcullis app`
#[derive(Clone, Debug, PartialEq, Eq, Args)]
pub struct AppArgs {
    #[command(subcommand)]
    verb: Verb,
    /// Print JSON, for scripts
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Subcommand)]
enum Verb {
    /// Make a client application; its keys are shown this once
    Create {
        /// What people call it
        name: String,
    },
    /// List the client applications
    List,
    /// Show one client application
    Show {
        /// Its id
        id: String,
    },
    /// The application's own clients at providers
    #[command(subcommand)]
    Credential(CredentialVerb),
    #[command(flatten)]
    Manage(ManageVerb),
}

#[derive(Clone, Debug, PartialEq, Eq, Subcommand)]
enum CredentialVerb {
    /// Set the application's own client at a provider, in place of an older one
    Set(SetArgs),
    /// List the application's own clients at providers; no secret is shown
    List {
        /// The application's id
        #[arg(value_name = "ID")]
        application: String,
    },
    /// Take the application's own client at a provider away: the configured one is used from then on
    Remove {
        /// The application's id
        #[arg(value_name = "ID")]
        application: String,
        /// The provider
        provider: String,
    },
}

#[derive(Clone, Debug, PartialEq, Eq, Args)]
struct SetArgs {
    /// The application's id
    #[arg(value_name = "ID")]
    application: String,
    /// The provider, as `provider` of an entry in providers.json names it
    provider: String,
    /// Client id, or consumer key
    #[arg(long, value_name = "TEXT")]
    client_id: String,
    /// File that holds the client secret, or consumer secret; without it the client is a public one
    #[arg(long, value_name = "FILE", conflicts_with = "client_secret_stdin")]
    client_secret_file: Option<PathBuf>,
    /// Read the client secret from standard input
    #[arg(long)]
    client_secret_stdin: bool,
    /// Where the provider sends people back to, if not to the entry's own callback
    #[arg(long, value_name = "URL")]
    callback_url: Option<String>,
    /// `authScheme`, if not that of the entry
    #[arg(long, value_name = "TEXT")]
    auth_scheme: Option<String>,
}

impl AppArgs {
    /// Does it, and says what was done.
    ///
    /// # Errors
    /// A sentence for the operator.
    pub async fn run(&self, config: &Config) -> Result<Said, Fault> {
        // Before anything is opened: a secret that cannot be read is no reason to open stores.
        let first = self.verb.command()?;
        let mut asker = Asker::new(config);
        let said = match &self.verb {
            Verb::List => self.list(&mut asker).await,
            verb => ask(&mut asker, first)
                .await
                .and_then(|answer| self.said(verb, answer)),
        };
        asker.close().await?;
        said
    }

    async fn list(&self, asker: &mut Asker<'_>) -> Result<Said, Fault> {
        let mut all: Vec<AppView> = Vec::new();
        loop {
            let after = all.last().map(|app| app.id.clone());
            let AppAnswer::Apps(page) = ask(asker, AppCommand::List { after }).await? else {
                return Err(unfit());
            };
            let was_last = page.len() < PAGE;
            all.extend(page);
            if was_last {
                break;
            }
        }
        if self.json {
            return Ok(Said::json(&all)?);
        }
        let row = |app: &AppView| {
            let providers: Vec<&str> = app.credentials.iter().map(|one| one.provider.as_str()).collect();
            [
                app.id.clone(),
                app.created.clone(),
                plain(&app.name),
                providers.join(","),
            ]
        };
        let rows: Vec<_> = all.iter().map(row).collect();
        Ok(Said::printed(table(
            ["ID", "CREATED", "NAME", "CLIENTS AT"],
            &rows,
        )))
    }

    fn said(&self, verb: &Verb, answer: AppAnswer) -> Result<Said, Fault> {
        match (verb, answer) {
            (Verb::Manage(_), answer) => ManageVerb::said(answer, self.json),
            (Verb::Create { .. }, AppAnswer::Created(created)) => Ok(told_created(&created, self.json)?),
            (Verb::Show { .. }, AppAnswer::App(app)) if self.json => Ok(Said::json(&app)?),
            (Verb::Show { .. }, AppAnswer::App(app)) => Ok(Said::printed(told_app(&app))),
            (Verb::Credential(CredentialVerb::List { .. }), AppAnswer::App(app)) if self.json => {
                Ok(Said::json(&app.credentials)?)
            }
            (Verb::Credential(CredentialVerb::List { .. }), AppAnswer::App(app)) => {
                Ok(Said::printed(told_credentials(&app.credentials)))
            }
            (_, AppAnswer::CredentialSet { credential, known }) => {
                let mut said = if self.json {
                    Said::json(&credential)?
                } else {
                    Said::printed(told_credentials(std::slice::from_ref(&credential)))
                };
                said.notes
                    .extend(known.map(|known| no_entry(&credential.provider, &known)));
                if !credential.has_secret {
                    said.notes.push("without a secret: a public client".to_owned());
                }
                Ok(said)
            }
            (Verb::Credential(CredentialVerb::Remove { provider, .. }), AppAnswer::CredentialRemoved) => {
                if self.json {
                    return Ok(Said::json(&json!({ "removed": provider }))?);
                }
                let line = format!(
                    "the client at {} is removed; the configured one is used",
                    plain(provider)
                );
                Ok(Said::printed(line))
            }
            _ => Err(unfit()),
        }
    }
}

impl Verb {
    /// What it asks first.
    fn command(&self) -> Result<AppCommand, Refusal> {
        Ok(match self {
            Self::Create { name } => AppCommand::Create { name: name.clone() },
            Self::List => AppCommand::List { after: None },
            Self::Show { id } => AppCommand::Show { id: id.clone() },
            Self::Credential(CredentialVerb::List { application }) => AppCommand::Show {
                id: application.clone(),
            },
            Self::Credential(CredentialVerb::Remove {
                application,
                provider,
            }) => AppCommand::RemoveCredential {
                application: application.clone(),
                provider: provider.clone(),
            },
            Self::Manage(verb) => verb.command()?,
            Self::Credential(CredentialVerb::Set(set)) => AppCommand::SetCredential(set.command()?),
        })
    }
}

impl SetArgs {
    fn command(&self) -> Result<SetCredential, Refusal> {
        Ok(SetCredential {
            application: self.application.clone(),
            provider: self.provider.clone(),
            auth_scheme: self.auth_scheme.clone(),
            client_id: self.client_id.clone(),
            client_secret: self.secret()?,
            callback_url: self.callback_url.clone(),
        })
    }

    fn secret(&self) -> Result<Option<Hidden>, Refusal> {
        match &self.client_secret_file {
            Some(path) => secret_in_file(path).map(Some),
            None if self.client_secret_stdin => read_secret(io::stdin().lock(), "standard input").map(Some),
            None => Ok(None),
        }
    }
}

fn secret_in_file(path: &Path) -> Result<Hidden, Refusal> {
    let name = path.display().to_string();
    let file = File::open(path).map_err(|error| Refusal::new(format!("{name}: {error}")))?;
    read_secret(file, &name)
}

/// A secret from where nobody else sees it; one line break at its end is dropped.
fn read_secret(from: impl Read, name: &str) -> Result<Hidden, Refusal> {
    let mut text = Zeroizing::new(String::new());
    from.take(MAX_SECRET + 1)
        .read_to_string(&mut text)
        .map_err(|error| Refusal::new(format!("{name}: {error}")))?;
    let secret = text.strip_suffix('\n').unwrap_or(&text);
    let secret = secret.strip_suffix('\r').unwrap_or(secret);
    let length = u64::try_from(text.len()).unwrap_or(u64::MAX);
    if secret.is_empty() || length > MAX_SECRET || secret.chars().any(char::is_control) {
        return Err(Refusal::new(format!(
            "{name} holds no client secret: one line of at most {MAX_SECRET} bytes"
        )));
    }
    Ok(Hidden::new(secret))
}

async fn ask(asker: &mut Asker<'_>, command: AppCommand) -> Result<AppAnswer, Fault> {
    match asker.ask(Command::App(command)).await? {
        Answer::App(answer) => Ok(answer),
        _ => Err(unfit()),
    }
}

fn unfit() -> Fault {
    Refusal::new("the answer does not fit the command").into()
}

fn told_created(created: &CreatedApp, as_json: bool) -> Result<Said, serde_json::Error> {
    let keys = created.keys.iter();
    let mut said = if as_json {
        let keys: Map<String, Value> = keys
            .map(|(kind, key)| (kind.clone(), Value::from(key.expose())))
            .collect();
        Said::json(&json!({ "id": created.id, "name": created.name, "keys": keys }))?
    } else {
        let rows: Vec<_> = std::iter::once(["id".to_owned(), created.id.clone()])
            .chain(keys.map(|(kind, key)| [kind.clone(), key.expose().to_owned()]))
            .collect();
        Said::printed(table(["NAME", &plain(&created.name)], &rows))
    };
    said.notes
        .push("keep the keys now: only their hashes are stored, and they are not shown again".to_owned());
    Ok(said)
}

fn told_app(app: &AppView) -> String {
    let row = |name: &str, value: &str| [name.to_owned(), value.to_owned()];
    let mut rows = vec![
        row("id", &app.id),
        row("created", &app.created),
        row("modified", &app.modified),
        row("keys", if app.enabled { "open" } else { "disabled" }),
    ];
    rows.extend(app.details.iter().map(|(name, value)| {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        row(&plain(name), &plain(&text))
    }));
    let facts = table(["NAME", &plain(&app.name)], &rows);
    if app.credentials.is_empty() {
        return facts;
    }
    format!("{facts}\n\n{}", told_credentials(&app.credentials))
}

fn told_credentials(credentials: &[CredentialView]) -> String {
    let row = |one: &CredentialView| {
        let secret = if one.has_secret { "sealed" } else { "none" };
        [
            one.provider.clone(),
            one.client_id.clone(),
            secret.to_owned(),
            one.auth_scheme.clone(),
            one.modified.clone(),
            one.callback_url.clone().unwrap_or_else(|| "-".to_owned()),
        ]
    };
    let head = [
        "PROVIDER",
        "CLIENT ID",
        "SECRET",
        "SCHEME",
        "MODIFIED",
        "CALLBACK",
    ];
    table(head, &credentials.iter().map(row).collect::<Vec<_>>())
}

fn no_entry(provider: &str, known: &[String]) -> String {
    let known = if known.is_empty() {
        "there is none at all".to_owned()
    } else {
        format!("there are: {}", known.join(", "))
    };
    format!(
        "no configured entry is of the provider `{}`; {known}",
        plain(provider)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(text: &str) -> Result<Hidden, Refusal> {
        read_secret(text.as_bytes(), "here")
    }

    #[test]
    fn a_secret_loses_one_line_break_and_nothing_else() {
        for text in ["hunter 2", "hunter 2\n", "hunter 2\r\n"] {
            assert_eq!(secret(text).unwrap().expose(), "hunter 2");
        }
    }

    #[test]
    fn what_is_no_secret_is_refused_without_being_shown() {
        for text in ["", "\n", "two\nlines\n", &"x".repeat(20_000)] {
            let error = secret(text).unwrap_err().to_string();
            assert!(error.starts_with("here holds no client secret"), "{error}");
        }
    }

    #[test]
    fn new_keys_are_told_by_name_with_a_warning() {
        let created = CreatedApp {
            id: "7".to_owned(),
            name: "shop".to_owned(),
            keys: vec![("clientKey".to_owned(), Hidden::new("abc"))],
        };
        let said = told_created(&created, false).unwrap();
        assert_eq!(said.out, "NAME       shop\nid         7\nclientKey  abc");
        assert!(said.notes[0].contains("not shown again"));
        let json: Value = serde_json::from_str(&told_created(&created, true).unwrap().out).unwrap();
        assert_eq!(
            json,
            json!({ "id": "7", "name": "shop", "keys": { "clientKey": "abc" } })
        );
    }

    #[test]
    fn a_provider_without_an_entry_is_a_note() {
        let known = ["facebook".to_owned(), "google".to_owned()];
        assert_eq!(
            no_entry("gogle", &known),
            "no configured entry is of the provider `gogle`; there are: facebook, google"
        );
        assert!(no_entry("x", &[]).ends_with("there is none at all"));
    }
}
