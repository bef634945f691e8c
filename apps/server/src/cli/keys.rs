//! `portcullis keys …`

use clap::{Args, Subcommand};
use serde_json::json;

use super::Said;
use super::ask::Asker;
use super::table::table;
use crate::config::Config;
use crate::control::keys::{KeysAnswer, KeysCommand, Rotated};
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
    /// List the ids of the keys in the key file, the newest first; no key is shown
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
}

impl KeysArgs {
    /// Does it, and says what was done.
    ///
    /// # Errors
    /// A sentence for the operator.
    pub async fn run(&self, config: &Config) -> Result<Said, Fault> {
        match self.verb {
            Verb::List => list(config, self.json),
            Verb::Rotate { forget_old } => rotate(config, forget_old, self.json).await,
        }
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

async fn rotate(config: &Config, forget_old: bool, as_json: bool) -> Result<Said, Fault> {
    let mut asker = Asker::new(config);
    let answer = asker
        .ask(Command::Keys(KeysCommand::Rotate { forget_old }))
        .await?;
    let here = asker.was_here();
    asker.close().await?;
    let Answer::Keys(KeysAnswer::Rotated(rotated)) = answer else {
        return Err(Refusal::new("the answer does not fit the command").into());
    };
    if as_json {
        return Ok(Said::json(&rotated)?);
    }
    Ok(told(&rotated, here))
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
