//! `portcullis app set|disable|enable|reset-keys|delete`

use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};

use super::{plain, told_app, told_created};
use crate::cli::Said;
use crate::cli::confirm::confirmed;
use crate::control::Refusal;
use crate::control::app::{AppAnswer, AppCommand, ChangeApp};
use crate::serve::Fault;

#[derive(Clone, Debug, PartialEq, Eq, Subcommand)]
pub enum ManageVerb {
    /// Change what is said about a client application
    Set(SetDetails),
    /// Let a client application's keys open nothing any more
    Disable {
        /// Its id
        id: String,
    },
    /// Let its keys open again
    Enable {
        /// Its id
        id: String,
    },
    /// Give a client application new keys, shown this once; the former ones open nothing any more
    ResetKeys(Destroyed),
    /// Delete a client application with its own clients at providers
    Delete(Destroyed),
}

/// What is done to it cannot be undone.
#[derive(Clone, Debug, PartialEq, Eq, Args)]
pub struct Destroyed {
    /// Its id
    id: String,
    /// Do not ask
    #[arg(long)]
    yes: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Args)]
pub struct SetDetails {
    /// Its id
    id: String,
    /// What people call it
    #[arg(long, value_name = "TEXT")]
    name: Option<String>,
    /// What it is for; an empty text removes it, here and below
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// Who answers for it
    #[arg(long, value_name = "TEXT")]
    owner: Option<String>,
    /// Who works on it; may be given several times and replaces the former list
    #[arg(long = "collaborator", value_name = "TEXT")]
    collaborators: Vec<String>,
    /// Where to write to its makers
    #[arg(long, value_name = "ADDRESS")]
    email: Option<String>,
    /// Where it lives
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// Where it wants people to be sent back to; may be given several times and replaces the former list
    #[arg(long = "callback-url", value_name = "URL")]
    callback_urls: Vec<String>,
    /// `sandbox`, `production`, or what its makers write
    #[arg(long, value_name = "TEXT")]
    status: Option<String>,
}

impl ManageVerb {
    /// What it asks for, once it is confirmed.
    ///
    /// # Errors
    /// When it is not.
    pub fn command(&self) -> Result<AppCommand, Refusal> {
        let enabled = |id: &str, enabled| {
            AppCommand::Change(ChangeApp {
                id: id.to_owned(),
                name: None,
                enabled: Some(enabled),
                details: Map::new(),
            })
        };
        Ok(match self {
            Self::Set(set) => AppCommand::Change(set.change()),
            Self::Disable { id } => enabled(id, false),
            Self::Enable { id } => enabled(id, true),
            Self::ResetKeys(Destroyed { id, yes }) => {
                let what = format!("The keys of {} will open nothing any more", plain(id));
                confirmed(&what, *yes)?;
                AppCommand::ResetKeys { id: id.clone() }
            }
            Self::Delete(Destroyed { id, yes }) => {
                let what = format!("The application {} will be deleted", plain(id));
                confirmed(&what, *yes)?;
                AppCommand::Delete { id: id.clone() }
            }
        })
    }

    /// What was done.
    ///
    /// # Errors
    /// When the answer is that of another question.
    pub fn said(answer: AppAnswer, as_json: bool) -> Result<Said, Fault> {
        match answer {
            AppAnswer::App(app) if as_json => Ok(Said::json(&app)?),
            AppAnswer::App(app) => Ok(Said::printed(told_app(&app))),
            AppAnswer::Created(created) => Ok(told_created(&created, as_json)?),
            AppAnswer::Deleted { id } if as_json => Ok(Said::json(&json!({ "deleted": id }))?),
            AppAnswer::Deleted { id } => Ok(Said::printed(format!(
                "the application {} is deleted",
                plain(&id)
            ))),
            _ => Err(super::unfit()),
        }
    }
}

impl SetDetails {
    fn change(&self) -> ChangeApp {
        let mut details = Map::new();
        let texts = [
            ("description", &self.description),
            ("owner", &self.owner),
            ("email", &self.email),
            ("url", &self.url),
            ("status", &self.status),
        ];
        for (name, text) in texts {
            if let Some(text) = text {
                let value = if text.is_empty() { Value::Null } else { json!(text) };
                details.insert(name.to_owned(), value);
            }
        }
        for (name, list) in [
            ("collaborators", &self.collaborators),
            ("callbackUrls", &self.callback_urls),
        ] {
            if !list.is_empty() {
                let kept: Vec<&String> = list.iter().filter(|text| !text.is_empty()).collect();
                details.insert(name.to_owned(), json!(kept));
            }
        }
        ChangeApp {
            id: self.id.clone(),
            name: self.name.clone(),
            enabled: None,
            details,
        }
    }
}
