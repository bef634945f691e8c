//! `portcullis session …`

use clap::{Args, Subcommand};
use serde_json::json;

use super::Said;
use super::ask::Asker;
use super::confirm::confirmed;
use super::table::{plain, table};
use super::user::{Who, ask, unfit};
use crate::config::Config;
use crate::control::user::{SessionView, UserAct, UserAnswer, UserCommand};
use crate::serve::Fault;

/// `portcullis session`
#[derive(Clone, Debug, PartialEq, Eq, Args)]
pub struct SessionArgs {
    #[command(subcommand)]
    verb: Verb,
    /// Print JSON, for scripts
    #[arg(long, global = true)]
    json: bool,
    /// The pool of the user, where there are several
    #[arg(long, value_name = "POOL", global = true)]
    pool: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Subcommand)]
enum Verb {
    /// List the sessions of a user, the one used last first
    List(Who),
    /// End a session with all its tokens, or all sessions of a user
    Revoke {
        #[command(flatten)]
        who: Who,
        /// The id of the session, as `list` shows it
        #[arg(required_unless_present = "all", conflicts_with = "all")]
        session: Option<String>,
        /// All of them
        #[arg(long)]
        all: bool,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

impl SessionArgs {
    /// Does it, and says what was done.
    ///
    /// # Errors
    /// A sentence for the operator.
    pub async fn run(&self, config: &Config) -> Result<Said, Fault> {
        let mut asker = Asker::new(config);
        let said = self.done(&mut asker).await;
        asker.close().await?;
        said
    }

    async fn done(&self, asker: &mut Asker<'_>) -> Result<Said, Fault> {
        let pool = self.pool.as_ref();
        match &self.verb {
            Verb::List(who) => {
                let command = UserCommand::Sessions(who.whom(pool));
                let UserAnswer::Sessions(sessions) = ask(asker, command).await? else {
                    return Err(unfit());
                };
                if self.json {
                    return Ok(Said::json(&sessions)?);
                }
                Ok(Said::printed(told(&sessions)))
            }
            Verb::Revoke {
                who, session, yes, ..
            } => {
                let whom = who.whom(pool);
                let name = plain(&whom.user);
                let (what, command, done) = match session {
                    Some(session) => (
                        format!("The session {} of {name} will end", plain(session)),
                        UserCommand::EndSession {
                            whom,
                            session: session.clone(),
                        },
                        format!("the session {} is ended", plain(session)),
                    ),
                    None => (
                        format!("All sessions of {name} will end"),
                        UserCommand::Do {
                            whom,
                            act: UserAct::EndSessions,
                        },
                        format!("all sessions of {name} are ended"),
                    ),
                };
                confirmed(&what, *yes)?;
                ask(asker, command).await?;
                if self.json {
                    return Ok(Said::json(
                        &json!({ "ended": session.as_deref().unwrap_or("all") }),
                    )?);
                }
                Ok(Said::printed(done))
            }
        }
    }
}

/// What was proven; of a session that an administrator acts by, who that is.
fn proven(session: &SessionView) -> String {
    match &session.impersonator {
        Some(by) => format!("administrator {by}"),
        None => session.factors.join(","),
    }
}

fn told(sessions: &[SessionView]) -> String {
    let text = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".to_owned());
    let row = |session: &SessionView| {
        [
            session.id.clone(),
            session.created.clone(),
            text(&session.last_used),
            text(&session.expires),
            proven(session),
            text(&session.address),
            text(&session.agent),
        ]
    };
    let head = [
        "ID",
        "CREATED",
        "LAST USED",
        "EXPIRES",
        "PROVEN",
        "ADDRESS",
        "AGENT",
    ];
    table(head, &sessions.iter().map(row).collect::<Vec<_>>())
}
