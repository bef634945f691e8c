//! `portcullis role …`

use clap::{Args, Subcommand};
use serde_json::json;

use super::Said;
use super::ask::Asker;
use super::confirm::confirmed;
use super::table::{plain, table};
use crate::config::Config;
use crate::control::role::{Grantee, MEMBERS, MemberView, RoleAnswer, RoleCommand, RoleView};
use crate::control::{Answer, Command, Refusal, Whom};
use crate::serve::Fault;

/// `portcullis role`
#[derive(Clone, Debug, PartialEq, Eq, Args)]
pub struct RoleArgs {
    #[command(subcommand)]
    verb: Verb,
    /// Print JSON, for scripts
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Subcommand)]
enum Verb {
    /// List the roles, and how many have each
    List,
    /// Make a role
    Create {
        /// What rules call it
        name: String,
        /// What it is for
        #[arg(long, value_name = "TEXT")]
        description: Option<String>,
    },
    /// Delete a role: nobody has it any more
    Delete {
        /// Its name, or its id
        role: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
    /// Give somebody a role
    Grant(GrantArgs),
    /// Take a role from somebody it was given to
    Revoke(GrantArgs),
    /// Show who has a role
    Members {
        /// Its name, or its id
        role: String,
        /// At most so many
        #[arg(long, value_name = "NUMBER", default_value_t = 100, value_parser = clap::value_parser!(u16).range(1..=1_000))]
        limit: u16,
    },
}

#[derive(Clone, Debug, PartialEq, Eq, Args)]
struct GrantArgs {
    /// The role: its name, or its id
    role: String,
    /// A user: id, address or username, with POOL/ in front of it where there are several pools
    #[arg(required_unless_present_any = ["app", "to_role"], conflicts_with_all = ["app", "to_role"])]
    user: Option<String>,
    /// The pool of the user
    #[arg(long, value_name = "POOL", requires = "user")]
    pool: Option<String>,
    /// A client application, by its id
    #[arg(long, value_name = "ID", conflicts_with = "to_role")]
    app: Option<String>,
    /// Whoever has this other role
    #[arg(long = "role", value_name = "ROLE")]
    to_role: Option<String>,
}

impl GrantArgs {
    fn grantee(&self) -> Grantee {
        match (&self.app, &self.to_role) {
            (Some(app), _) => Grantee::App(app.clone()),
            (None, Some(role)) => Grantee::Role(role.clone()),
            (None, None) => Grantee::User(Whom {
                pool: self.pool.clone(),
                user: self.user.clone().unwrap_or_default(),
            }),
        }
    }
}

impl RoleArgs {
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
        if let Verb::Delete { role, yes } = &self.verb {
            let members = RoleCommand::Members {
                role: role.clone(),
                limit: 0,
            };
            let RoleAnswer::Members { total, .. } = ask(asker, members).await? else {
                return Err(unfit());
            };
            let what = format!(
                "The role {} will be deleted, which {total} users, applications or roles have",
                plain(role)
            );
            confirmed(&what, *yes)?;
        }
        let answer = ask(asker, self.verb.command()).await?;
        self.said(answer)
    }

    fn said(&self, answer: RoleAnswer) -> Result<Said, Fault> {
        Ok(match answer {
            RoleAnswer::Created(role) if self.json => Said::json(&role)?,
            RoleAnswer::Created(role) => Said::printed(told_roles(&[role])),
            RoleAnswer::Roles(roles) if self.json => Said::json(&roles)?,
            RoleAnswer::Roles(roles) => Said::printed(told_roles(&roles)),
            RoleAnswer::Deleted(name) if self.json => Said::json(&json!({ "deleted": name }))?,
            RoleAnswer::Deleted(name) => Said::printed(format!("the role {} is deleted", plain(&name))),
            RoleAnswer::Granted(member) | RoleAnswer::Revoked(member) if self.json => Said::json(&member)?,
            RoleAnswer::Granted(member) => Said::printed(format!(
                "{} has the role {}",
                told_name(&member),
                plain(&member.role)
            )),
            RoleAnswer::Revoked(member) => Said::printed(format!(
                "{} was given the role {} no more",
                told_name(&member),
                plain(&member.role)
            )),
            RoleAnswer::Members { members, .. } if self.json => Said::json(&members)?,
            RoleAnswer::Members { total, members } => told_members(total, &members),
        })
    }
}

impl Verb {
    fn command(&self) -> RoleCommand {
        match self {
            Self::List => RoleCommand::List,
            Self::Create { name, description } => RoleCommand::Create {
                name: name.clone(),
                description: description.clone(),
            },
            Self::Delete { role, .. } => RoleCommand::Delete { role: role.clone() },
            Self::Grant(grant) => RoleCommand::Grant {
                role: grant.role.clone(),
                to: grant.grantee(),
            },
            Self::Revoke(grant) => RoleCommand::Revoke {
                role: grant.role.clone(),
                from: grant.grantee(),
            },
            Self::Members { role, limit } => RoleCommand::Members {
                role: role.clone(),
                limit: MEMBERS.min(usize::from(*limit)),
            },
        }
    }
}

async fn ask(asker: &mut Asker<'_>, command: RoleCommand) -> Result<RoleAnswer, Fault> {
    match asker.ask(Command::Role(command)).await? {
        Answer::Role(answer) => Ok(answer),
        _ => Err(unfit()),
    }
}

fn unfit() -> Fault {
    Refusal::new("the answer does not fit the command").into()
}

fn told_roles(roles: &[RoleView]) -> String {
    let row = |role: &RoleView| {
        [
            role.name.clone(),
            role.members.to_string(),
            role.brings.join(","),
            role.created.clone(),
            role.id.clone(),
            role.description.clone().unwrap_or_default(),
        ]
    };
    let head = ["ROLE", "MEMBERS", "BRINGS", "CREATED", "ID", "DESCRIPTION"];
    table(head, &roles.iter().map(row).collect::<Vec<_>>())
}

fn told_name(member: &MemberView) -> String {
    let kind = match member.principal_type.as_str() {
        "APP" => "the application ",
        "ROLE" => "whoever has the role ",
        _ => "",
    };
    let name = member.name.as_ref().unwrap_or(&member.principal_id);
    format!("{kind}{}", plain(name))
}

fn told_members(total: u64, members: &[MemberView]) -> Said {
    let row = |member: &MemberView| {
        [
            member.principal_type.clone(),
            member.pool.clone().unwrap_or_else(|| "-".to_owned()),
            member.principal_id.clone(),
            member.since.clone(),
            member.name.clone().unwrap_or_default(),
        ]
    };
    let rows: Vec<_> = members.iter().map(row).collect();
    let mut said = Said::printed(table(["TYPE", "POOL", "ID", "SINCE", "NAME"], &rows));
    let shown = u64::try_from(members.len()).unwrap_or(u64::MAX);
    if shown < total {
        said.notes.push(format!("{shown} of {total} are shown"));
    }
    said
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(kind: &str, name: Option<&str>) -> MemberView {
        MemberView {
            principal_type: kind.to_owned(),
            pool: None,
            principal_id: "7".to_owned(),
            name: name.map(str::to_owned),
            role: "clerk".to_owned(),
            mapping: "9".to_owned(),
            since: "2026-11-22T10:00:00.000Z".to_owned(),
        }
    }

    #[test]
    fn a_member_is_told_by_its_kind_and_its_name() {
        assert_eq!(told_name(&member("USER", Some("ann\u{7}"))), "ann\u{fffd}");
        assert_eq!(told_name(&member("APP", None)), "the application 7");
        assert_eq!(
            told_name(&member("ROLE", Some("boss"))),
            "whoever has the role boss"
        );
    }

    #[test]
    fn a_role_is_given_to_one_user_one_application_or_one_role() {
        let reads = |arguments: &[&str]| {
            let role = RoleArgs::augment_args(clap::Command::new("role"));
            role.try_get_matches_from([&["role", "grant", "clerk"], arguments].concat())
                .is_ok()
        };
        for one in [
            &["ann"][..],
            &["--app", "7"],
            &["--role", "boss"],
            &["ann", "--pool", "Users"],
        ] {
            assert!(reads(one), "{one:?}");
        }
        for wrong in [
            &[][..],
            &["ann", "--app", "7"],
            &["ann", "--role", "boss"],
            &["--app", "7", "--role", "boss"],
        ] {
            assert!(!reads(wrong), "{wrong:?}");
        }
    }

    #[test]
    fn members_that_are_not_shown_are_counted() {
        let said = told_members(3, &[member("USER", Some("ann"))]);
        assert_eq!(said.notes, ["1 of 3 are shown"]);
        assert!(told_members(1, &[member("USER", None)]).notes.is_empty());
    }
}
