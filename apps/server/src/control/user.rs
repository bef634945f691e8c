//! Users and their sessions.

use std::net::{IpAddr, Ipv4Addr};

use domain::access::Principal;
use domain::audit::Actor;
use domain::flow::administer::Act;
use domain::flow::sign_up::NewUser;
use domain::id::{PoolName, SessionId, UserId};
use domain::limits::ClientAddress;
use domain::origin::Origin;
use domain::policy::PoolPolicy;
use domain::service::{Administrator, Services};
use domain::session::Session;
use domain::time::Timestamp;
use domain::user::User;
use serde::{Deserialize, Serialize};

use super::Operated;
use super::execute::Refusal;
use super::role::grant;
use super::whom::{Whom, pool_or_only};

/// Users in one answer, at most.
pub const PAGE: usize = 200;

/// What can be done about users.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum UserCommand {
    /// Up to so many users of a pool in the order of their ids.
    List {
        /// The pool; none where there is only one.
        pool: Option<String>,
        /// The id to begin after.
        after: Option<String>,
        /// How many; no more than [`PAGE`].
        limit: usize,
    },
    /// One.
    Show(Whom),
    /// Make one, who has no password yet.
    Create(CreateUser),
    /// Do something to one.
    Do {
        /// To whom.
        whom: Whom,
        /// What.
        act: UserAct,
    },
    /// The sessions of one.
    Sessions(Whom),
    /// End one session.
    EndSession {
        /// Whose.
        whom: Whom,
        /// Its id.
        session: String,
    },
}

/// A user who is to be made.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CreateUser {
    /// The pool; none for the only one, or for that of administrators.
    pub pool: Option<String>,
    /// The address to log in with and to write to.
    pub email: String,
    /// A name to log in with.
    pub username: Option<String>,
    /// The realm, where the pool has realms.
    pub realm: Option<String>,
    /// Whether the operator vouches that the address is theirs.
    pub verified: bool,
    /// Whether they are mailed a link to set a password by.
    pub invite: bool,
    /// Whether they get the role `admin`, which is made if there is none.
    pub admin: bool,
}

/// What is done to a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum UserAct {
    /// Keep them out.
    Disable,
    /// Let them in again.
    Enable,
    /// Forgive failed tries.
    Unlock,
    /// Mail them a link to set a password by.
    MailPasswordLink,
    /// End all their sessions.
    EndSessions,
    /// Delete them with everything that is theirs.
    Delete,
}

/// What was done about users.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum UserAnswer {
    /// Some there are.
    Users(Vec<UserView>),
    /// One there is, as they are now; one that was deleted as they were.
    User(Box<UserView>),
    /// One was made.
    Created {
        /// As they are.
        user: Box<UserView>,
        /// Whether the role they were given administers the server, too: none if they were given none.
        administers_server: Option<bool>,
    },
    /// The sessions of one, the one used last first.
    Sessions(Vec<SessionView>),
    /// One session was ended.
    SessionEnded,
}

/// A user as operators see them: no secret, and nothing that is only theirs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UserView {
    /// The pool.
    pub pool: String,
    /// The id.
    pub id: String,
    /// The realm, where the pool has realms.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub realm: Option<String>,
    /// The name to log in with.
    pub username: Option<String>,
    /// The address.
    pub email: Option<String>,
    /// Whether its owner proved to read it.
    pub email_verified: bool,
    /// Since when they are kept out (ISO 8601); none for everybody else.
    pub disabled: Option<String>,
    /// Whether there is a password.
    pub has_password: bool,
    /// Kinds of second factors they have.
    pub second_factors: Vec<String>,
    /// Providers whose accounts log in as this user.
    pub providers: Vec<String>,
    /// The names of all their roles, however they come by them.
    pub roles: Vec<String>,
    /// When the record was made (ISO 8601).
    pub created: String,
    /// When it was last changed (ISO 8601).
    pub modified: String,
}

/// A session as operators see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SessionView {
    /// Its id; not the token.
    pub id: String,
    /// When it was opened (ISO 8601).
    pub created: String,
    /// When it was last used (ISO 8601).
    pub last_used: Option<String>,
    /// When its access token is over (ISO 8601); none for never.
    pub expires: Option<String>,
    /// What was proven, by the names of RFC 8176.
    pub factors: Vec<String>,
    /// From where it was opened.
    pub address: Option<String>,
    /// What the client called itself.
    pub agent: Option<String>,
    /// The id of the administrator who acts by it; none for the user's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub impersonator: Option<String>,
}

impl From<&Session> for SessionView {
    fn from(session: &Session) -> Self {
        let factors = session.factors.iter();
        Self {
            id: session.id.to_string(),
            created: session.created.to_iso8601(),
            last_used: session.last_used.map(Timestamp::to_iso8601),
            expires: session.life.expires(session.created).map(Timestamp::to_iso8601),
            factors: factors.map(|factor| factor.name().to_owned()).collect(),
            address: session
                .address
                .as_ref()
                .map(|address| address.as_str().to_owned()),
            agent: session.agent.as_ref().map(|agent| agent.as_str().to_owned()),
            impersonator: session.impersonator.as_ref().map(|by| by.user.id.to_string()),
        }
    }
}

/// What people call a user: their address, else their username.
pub fn name_of(user: &User) -> Option<String> {
    let email = user.email.as_ref().map(|email| email.as_str().to_owned());
    email.or_else(|| user.username.as_ref().map(|name| name.as_str().to_owned()))
}

/// Carries a command out.
///
/// # Errors
/// Why not, for whoever asked.
pub async fn execute(command: UserCommand, operated: &Operated) -> Result<UserAnswer, Refusal> {
    let services = &operated.services;
    match command {
        UserCommand::List { pool, after, limit } => {
            let pool = pool_or_only(services, pool.as_deref())?;
            let after = after.map(UserId::new);
            let mut views = Vec::new();
            for user in services.list_users(pool, after, limit.min(PAGE)).await? {
                views.push(view(services, &user).await?);
            }
            Ok(UserAnswer::Users(views))
        }
        UserCommand::Show(whom) => {
            let (_, user) = whom.find(services).await?;
            told(services, &user).await
        }
        UserCommand::Create(new) => create(services, new).await,
        UserCommand::Do { whom, act } => {
            let (pool, user) = whom.find(services).await?;
            act_on(services, pool, user, act).await
        }
        UserCommand::Sessions(whom) => {
            let (pool, user) = whom.find(services).await?;
            let sessions = services.sessions_of_user(pool, &user).await?;
            Ok(UserAnswer::Sessions(
                sessions.iter().map(SessionView::from).collect(),
            ))
        }
        UserCommand::EndSession { whom, session } => {
            let (pool, user) = whom.find(services).await?;
            let (id, here) = (SessionId::new(session.as_str()), this_machine());
            let ended = services
                .end_session_of_user(pool, &user, &id, operator(&here))
                .await?;
            if ended {
                return Ok(UserAnswer::SessionEnded);
            }
            let session = session.escape_debug();
            Err(Refusal::new(format!("the user has no session `{session}`")))
        }
    }
}

/// Where commands come from.
fn this_machine() -> Origin {
    Origin::from(ClientAddress::of(IpAddr::V4(Ipv4Addr::LOCALHOST)))
}

const fn operator(here: &Origin) -> Administrator<'_> {
    Administrator {
        actor: &Actor::Operator,
        origin: here,
    }
}

async fn create(services: &Services, new: CreateUser) -> Result<UserAnswer, Refusal> {
    let usual = services.policy().admin_pool().filter(|_| new.admin);
    let pool = new.pool.as_deref().or_else(|| usual.map(PoolName::as_str));
    let pool = pool_or_only(services, pool)?;
    // The role first: with it missing, a user would be left who is no administrator.
    let admin = if new.admin {
        Some(services.role_of_administrators().await?)
    } else {
        None
    };
    let form = NewUser {
        realm: new.realm,
        username: new.username,
        email: Some(new.email),
        phone: None,
        password: None,
        attributes: serde_json::Map::new(),
    };
    let here = this_machine();
    let made = services
        .make_user(pool, form, new.verified, new.invite, operator(&here))
        .await?;
    let Some(role) = &admin else {
        return Ok(UserAnswer::Created {
            user: Box::new(view(services, &made).await?),
            administers_server: None,
        });
    };
    grant(services, &Principal::User(made.key.clone()), role).await?;
    let found = services.find_user(pool, &made.key.id).await?;
    Ok(UserAnswer::Created {
        user: Box::new(view(services, found.as_ref().unwrap_or(&made)).await?),
        administers_server: Some(services.policy().admin_pool() == Some(&pool.name)),
    })
}

async fn act_on(
    services: &Services,
    pool: &PoolPolicy,
    user: User,
    act: UserAct,
) -> Result<UserAnswer, Refusal> {
    let here = this_machine();
    let by = operator(&here);
    let act = match act {
        UserAct::Unlock => {
            services.unlock_user(pool, &user.key.id, by).await?;
            return told(services, &user).await;
        }
        UserAct::Disable => Act::Disable,
        UserAct::Enable => Act::Enable,
        UserAct::MailPasswordLink => Act::MailPasswordLink,
        UserAct::EndSessions => Act::EndSessions,
        UserAct::Delete => Act::Delete,
    };
    let done = services.administer_user(pool, &user.key.id, act, by).await?;
    let Some(user) = done else {
        return Err(Refusal::new("the user is gone meanwhile"));
    };
    told(services, &user).await
}

async fn told(services: &Services, user: &User) -> Result<UserAnswer, Refusal> {
    Ok(UserAnswer::User(Box::new(view(services, user).await?)))
}

async fn view(services: &Services, user: &User) -> Result<UserView, Refusal> {
    let mut providers: Vec<String> = user
        .identities
        .iter()
        .map(|identity| identity.key.provider.to_string())
        .collect();
    providers.sort();
    providers.dedup();
    let factors = user.second_factors();
    let roles = services
        .roles_of(user)
        .await
        .map_err(|error| Refusal::new(error.to_string()))?;
    Ok(UserView {
        pool: user.key.pool.to_string(),
        id: user.key.id.to_string(),
        realm: user.realm.clone(),
        username: user.username.as_ref().map(|name| name.as_str().to_owned()),
        email: user.email.as_ref().map(|email| email.as_str().to_owned()),
        email_verified: user.email_verified,
        disabled: user.disabled.map(Timestamp::to_iso8601),
        has_password: user.password.is_some(),
        second_factors: factors.iter().map(|kind| kind.name().to_owned()).collect(),
        providers,
        roles: roles.iter().map(ToString::to_string).collect(),
        created: user.created.to_iso8601(),
        modified: user.modified.to_iso8601(),
    })
}
