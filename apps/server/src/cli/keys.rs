//! `portcullis keys …`

use clap::{Args, Subcommand};
use serde_json::json;

use super::Said;
use super::ask::Asker;
use super::table::table;
use crate::config::Config;
use crate::control::keys::{InUse, KeysAnswer, KeysCommand, Rotated};
use crate::control::{Answer, Command, Refusal};
use crate::keys;
use crate::serve::Fault;

/// `portcullis keys`
#[derive(Clone, Debug, PartialEq, Eq, Args)]
pub struct KeysArgs {
    #[command(subcommand)]
    verb: Verb,
    /// Print JSON, for scripts
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Subcommand)]
enum Verb {
    /// List the ids of the keys in the key file, the one that seals first; no key is shown
    List,
    /// Make a new key, seal every stored secret under it, and forget keys that seal nothing any more
    ///
    /// A running server takes the new key over and goes on serving. The key before stays in the file, for log-ins that are under
    /// way. When this is interrupted nothing is lost: run it again.
    Rotate {
        /// Forget the key before as well: log-ins at providers that are under way have to be started again
        #[arg(long)]
        forget_old: bool,
    },
    /// Several nodes, step 1, on one: make a new key that seals nothing yet. Then bring the file to every node
    Add,
    /// Several nodes, step 2, on each: have the running server take over the file that was brought
    Reload,
    /// Several nodes, step 3, on each: seal with this key from now on
    Use {
        /// Id of the key
        id: String,
    },
    /// Several nodes, step 4, on each: seal every stored secret under the newest key, and forget keys that seal nothing any more
    Reseal {
        /// Forget the key before as well: log-ins at providers that are under way have to be started again
        #[arg(long)]
        forget_old: bool,
    },
}

impl KeysArgs {
    /// Does it, and says what was done.
    ///
    /// # Errors
    /// A sentence for the operator.
    pub async fn run(&self, config: &Config) -> Result<Said, Fault> {
        let command = match &self.verb {
            Verb::List => return list(config, self.json),
            Verb::Rotate { forget_old } => KeysCommand::Rotate {
                forget_old: *forget_old,
            },
            Verb::Add => KeysCommand::Add,
            Verb::Reload => KeysCommand::Reload,
            Verb::Use { id } => KeysCommand::Use { id: id.clone() },
            Verb::Reseal { forget_old } => KeysCommand::Reseal {
                forget_old: *forget_old,
            },
        };
        change(config, command, self.json).await
    }
}

/// The file alone is asked: it is what the next start will find.
fn list(config: &Config, as_json: bool) -> Result<Said, Fault> {
    let path = &config.secrets.key_file;
    let Some(keys) = keys::load(path)? else {
        let why = format!(
            "key file {}: there is none yet; the first start of the server makes it",
            path.display()
        );
        return Err(Refusal::new(why).into());
    };
    let of = |position: usize| {
        if position == 0 {
            "current"
        } else {
            "opens what it sealed"
        }
    };
    if as_json {
        let keys: Vec<_> = (0..)
            .zip(keys.iter())
            .map(|(position, key)| json!({ "id": key.id(), "current": position == 0 }))
            .collect();
        return Ok(Said::json(&keys)?);
    }
    let rows: Vec<_> = (0..)
        .zip(keys.iter())
        .map(|(position, key)| [key.id().to_owned(), of(position).to_owned()])
        .collect();
    Ok(Said::printed(table(["ID", "USE"], &rows)))
}

const OTHER_NODES: &str = "other nodes on this store cannot open what is sealed now: bring them the key file and have each \
                           `keys reload`; with several nodes begin with `keys add`";

async fn change(config: &Config, command: KeysCommand, as_json: bool) -> Result<Said, Fault> {
    let mut asker = Asker::new(config);
    let hasty = matches!(command, KeysCommand::Rotate { .. }) && config.storage.is_shared();
    let answer = asker.ask(Command::Keys(command)).await;
    let here = asker.was_here();
    asker.close().await?;
    match answer? {
        Answer::Keys(KeysAnswer::Rotated(rotated)) if as_json => Ok(Said::json(&rotated)?),
        Answer::Keys(KeysAnswer::Rotated(rotated)) => {
            let mut said = told(&rotated, here);
            said.notes.extend(hasty.then(|| OTHER_NODES.to_owned()));
            Ok(said)
        }
        Answer::Keys(KeysAnswer::InUse(keys)) if as_json => Ok(Said::json(&keys)?),
        Answer::Keys(KeysAnswer::InUse(keys)) => Ok(told_in_use(&keys, here)),
        Answer::App(_) | Answer::Role(_) | Answer::User(_) | Answer::Audit(_) => {
            Err(Refusal::new("the answer does not fit the command").into())
        }
    }
}

fn told_in_use(keys: &InUse, here: bool) -> Said {
    let mut rows = vec![[keys.newest.clone(), "seals".to_owned()]];
    for id in &keys.others {
        let is_new = keys.added.as_ref() == Some(id);
        let does = if is_new {
            "new: opens, seals nothing yet"
        } else {
            "opens"
        };
        rows.push([id.clone(), does.to_owned()]);
    }
    let mut said = Said::printed(table(["ID", "USE"], &rows));
    if keys.added.is_some() {
        said.notes.push(
            "bring the key file to every node, have each `keys reload`, then have each `keys use` the new key".to_owned(),
        );
    }
    if here {
        said.notes
            .push("no server is running here; the next start reads the file".to_owned());
    }
    said
}

fn told(rotated: &Rotated, here: bool) -> Said {
    let mut lines = vec![
        format!("key {} is the newest now", rotated.newest),
        format!(
            "secrets sealed under it: {} (users and applications looked at: {})",
            rotated.values, rotated.records
        ),
    ];
    if !rotated.kept.is_empty() {
        lines.push(format!("kept for what is under way: {}", rotated.kept.join(", ")));
    }
    if !rotated.dropped.is_empty() {
        lines.push(format!("forgotten: {}", rotated.dropped.join(", ")));
    }
    let note = if here {
        "no server is running; the next start uses the new key"
    } else {
        "the running server seals with the new key from now on, and makes codes with it from its next start"
    };
    Said {
        out: lines.join("\n"),
        notes: vec![note.to_owned()],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rotation_is_told_in_full() {
        let rotated = Rotated {
            newest: "c".to_owned(),
            kept: vec!["b".to_owned()],
            dropped: vec!["a".to_owned()],
            records: 7,
            values: 3,
        };
        let said = told(&rotated, true);
        assert_eq!(
            said.out,
            "key c is the newest now\nsecrets sealed under it: 3 (users and applications looked at: 7)\nkept for what is under way: b\nforgotten: a"
        );
        assert!(said.notes[0].contains("no server is running"));
    }
}
