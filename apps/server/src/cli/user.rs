//! `portcullis user …`

use clap::{Args, Subcommand};
use serde_json::json;

use super::Said;
use super::ask::Asker;
use super::confirm::confirmed;
use super::table::{plain, table};
use crate::config::Config;
use crate::control::user::{CreateUser, PAGE, UserAct, UserAnswer, UserCommand, UserView};
use crate::control::{Answer, Command, Refusal, Whom};
use crate::serve::Fault;

/// `portcullis user`
#[derive(Clone, Debug, PartialEq, Eq, Args)]
pub struct UserArgs {
    #[command(subcommand)]
    verb: Verb,
    /// Print JSON, for scripts
    #[arg(long, global = true)]
    json: bool,
    /// The pool, where there are several
    #[arg(long, value_name = "POOL", global = true)]
    pool: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Subcommand)]
enum Verb {
    /// List the users of a pool, in the order of their ids
    List {
        /// At most so many
        #[arg(long, value_name = "NUMBER", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
        limit: u32,
        /// Begin behind this id
        #[arg(long, value_name = "ID")]
        after: Option<String>,
    },
    /// Show a user
    Show(Who),
    /// Make a user and mail them a link to set a password by
    Create(CreateArgs),
    /// Keep a user out: their sessions end, no login opens
    Disable(Who),
    /// Let a disabled user in again
    Enable(Who),
    /// Forgive a user failed tries, so that they can log in at once
    Unlock(Who),
    /// Mail a user a link to set a password by; nobody sets one for them
    SetPassword(Who),
    /// End all sessions of a user, on every device
    Revoke(Destroyed),
    /// Delete a user with everything that is theirs
    Delete(Destroyed),
}

#[derive(Clone, Debug, PartialEq, Eq, Args)]
pub struct Who {
    /// Id, address or username, with POOL/ in front of it where there are several pools
    user: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Args)]
struct Destroyed {
    #[command(flatten)]
    who: Who,
    /// Do not ask
    #[arg(long)]
    yes: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Args)]
struct CreateArgs {
    /// The address to log in with and to write to
    email: String,
    /// A name to log in with
    #[arg(long, value_name = "NAME")]
    username: Option<String>,
    /// The realm, where the pool has realms
    #[arg(long, value_name = "REALM")]
    realm: Option<String>,
    /// Give them the role `admin`, which is made if there is none yet
    #[arg(long)]
    admin: bool,
    /// The address is known to be theirs
    #[arg(long)]
    verified: bool,
    /// Mail no link; `set-password` mails one later
    #[arg(long)]
    no_mail: bool,
}

impl Who {
    /// The user meant, in this pool if it is named.
    pub fn whom(&self, pool: Option<&String>) -> Whom {
        Whom {
            pool: pool.cloned(),
            user: self.user.clone(),
        }
    }
}

impl UserArgs {
    /// Does it, and says what was done.
    ///
    /// # Errors
    /// A sentence for the operator.
    pub async fn run(&self, config: &Config) -> Result<Said, Fault> {
        let mut asker = Asker::new(config);
        let said = match &self.verb {
            Verb::List { limit, after } => self.list(&mut asker, *limit, after.clone()).await,
            verb => self.done(&mut asker, verb).await,
        };
        asker.close().await?;
        said
    }

    async fn list(
        &self,
        asker: &mut Asker<'_>,
        limit: u32,
        mut after: Option<String>,
    ) -> Result<Said, Fault> {
        let wanted = usize::try_from(limit).unwrap_or(usize::MAX);
        let mut users: Vec<UserView> = Vec::new();
        while users.len() < wanted {
            let limit = PAGE.min(wanted - users.len());
            let command = UserCommand::List {
                pool: self.pool.clone(),
                after: after.take(),
                limit,
            };
            let UserAnswer::Users(page) = ask(asker, command).await? else {
                return Err(unfit());
            };
            let was_last = page.len() < limit;
            after = page.last().map(|user| user.id.clone());
            users.extend(page);
            if was_last {
                break;
            }
        }
        if self.json {
            return Ok(Said::json(&users)?);
        }
        let mut said = Said::printed(told_users(&users));
        if users.len() == wanted {
            said.notes
                .push("there may be more: use --limit or --after".to_owned());
        }
        Ok(said)
    }

    async fn done(&self, asker: &mut Asker<'_>, verb: &Verb) -> Result<Said, Fault> {
        let whom = |who: &Who| who.whom(self.pool.as_ref());
        let (who, act) = match verb {
            Verb::List { .. } => return Err(unfit()),
            Verb::Create(new) => return self.create(asker, new).await,
            Verb::Show(who) => return self.said(verb, ask(asker, UserCommand::Show(whom(who))).await?),
            Verb::Disable(who) => (who, UserAct::Disable),
            Verb::Enable(who) => (who, UserAct::Enable),
            Verb::Unlock(who) => (who, UserAct::Unlock),
            Verb::SetPassword(who) => (who, UserAct::MailPasswordLink),
            Verb::Revoke(Destroyed { who, yes }) => {
                let what = format!("All sessions of {} will end", plain(&who.user));
                confirmed(&what, *yes)?;
                (who, UserAct::EndSessions)
            }
            Verb::Delete(Destroyed { who, yes }) => {
                let what = format!(
                    "The user {} will be deleted with everything that is theirs",
                    plain(&who.user)
                );
                confirmed(&what, *yes)?;
                (who, UserAct::Delete)
            }
        };
        let command = UserCommand::Do { whom: whom(who), act };
        let answer = ask(asker, command).await?;
        let mut said = self.said(verb, answer)?;
        if act == UserAct::MailPasswordLink {
            said.notes.extend(waits(asker));
        }
        Ok(said)
    }

    async fn create(&self, asker: &mut Asker<'_>, new: &CreateArgs) -> Result<Said, Fault> {
        let command = UserCommand::Create(CreateUser {
            pool: self.pool.clone(),
            email: new.email.clone(),
            username: new.username.clone(),
            realm: new.realm.clone(),
            verified: new.verified,
            invite: !new.no_mail,
            admin: new.admin,
        });
        let UserAnswer::Created {
            user,
            administers_server,
        } = ask(asker, command).await?
        else {
            return Err(unfit());
        };
        let mut said = if self.json {
            Said::json(&user)?
        } else {
            Said::printed(told_user(&user))
        };
        if new.no_mail {
            said.notes
                .push("they have no password: `user set-password` mails a link to set one".to_owned());
        } else {
            said.notes
                .push("a link to set a password is on its way by mail".to_owned());
            said.notes.extend(waits(asker));
        }
        if administers_server == Some(false) {
            said.notes.push(format!(
                "administrators of the pool {} administer its users, not the server",
                plain(&user.pool)
            ));
        }
        Ok(said)
    }

    fn said(&self, verb: &Verb, answer: UserAnswer) -> Result<Said, Fault> {
        let UserAnswer::User(user) = answer else {
            return Err(unfit());
        };
        if self.json {
            return Ok(match verb {
                Verb::Delete(_) => Said::json(&json!({ "deleted": user.id, "pool": user.pool })),
                _ => Said::json(&user),
            }?);
        }
        let name = told_name(&user);
        Ok(Said::printed(match verb {
            Verb::Disable(_) => format!("{name} is disabled, and all their sessions are ended"),
            Verb::Enable(_) => format!("{name} may log in again"),
            Verb::Unlock(_) => format!("failed tries of {name} are forgiven"),
            Verb::SetPassword(_) => format!("a link to set a password is on its way to {name}"),
            Verb::Revoke(_) => format!("all sessions of {name} are ended"),
            Verb::Delete(_) => format!("{name} is deleted"),
            Verb::List { .. } | Verb::Show(_) | Verb::Create(_) => told_user(&user),
        }))
    }
}

/// Without a server nothing carries mail.
fn waits(asker: &Asker<'_>) -> Option<String> {
    asker.was_here().then(|| {
        if asker.prints_mail() {
            "no server is running: the mail is printed here".to_owned()
        } else {
            "no server is running: the mail goes out when it starts".to_owned()
        }
    })
}

/// Asks about users.
///
/// # Errors
/// A sentence for the operator.
pub async fn ask(asker: &mut Asker<'_>, command: UserCommand) -> Result<UserAnswer, Fault> {
    match asker.ask(Command::User(command)).await? {
        Answer::User(answer) => Ok(answer),
        _ => Err(unfit()),
    }
}

/// What is said of an answer to another question.
pub fn unfit() -> Fault {
    Refusal::new("the answer does not fit the command").into()
}

fn told_name(user: &UserView) -> String {
    let name = user.email.as_ref().or(user.username.as_ref());
    plain(name.unwrap_or(&user.id))
}

fn told_users(users: &[UserView]) -> String {
    let row = |user: &UserView| {
        let state = if user.disabled.is_some() {
            "disabled"
        } else {
            "enabled"
        };
        [
            user.id.clone(),
            user.created.clone(),
            state.to_owned(),
            user.roles.join(","),
            user.username.clone().unwrap_or_else(|| "-".to_owned()),
            user.email.clone().unwrap_or_else(|| "-".to_owned()),
        ]
    };
    let head = ["ID", "CREATED", "STATE", "ROLES", "USERNAME", "EMAIL"];
    table(head, &users.iter().map(row).collect::<Vec<_>>())
}

fn told_user(user: &UserView) -> String {
    let text = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".to_owned());
    let list = |values: &[String]| {
        if values.is_empty() {
            "-".to_owned()
        } else {
            values.join(", ")
        }
    };
    let verified = if user.email_verified { "yes" } else { "no" };
    let password = if user.has_password { "yes" } else { "none" };
    let disabled = user.disabled.as_ref();
    let state = disabled.map_or_else(|| "enabled".to_owned(), |since| format!("disabled since {since}"));
    let mut rows = vec![
        ["pool".to_owned(), user.pool.clone()],
        ["username".to_owned(), text(&user.username)],
        ["email".to_owned(), text(&user.email)],
        ["email verified".to_owned(), verified.to_owned()],
        ["state".to_owned(), state],
        ["password".to_owned(), password.to_owned()],
        ["second factors".to_owned(), list(&user.second_factors)],
        ["accounts at".to_owned(), list(&user.providers)],
        ["roles".to_owned(), list(&user.roles)],
        ["created".to_owned(), user.created.clone()],
        ["modified".to_owned(), user.modified.clone()],
    ];
    if let Some(realm) = &user.realm {
        rows.insert(1, ["realm".to_owned(), realm.clone()]);
    }
    table(["ID", &user.id], &rows)
}
