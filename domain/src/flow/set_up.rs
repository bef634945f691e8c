//! The first administrator: made by whoever runs the server, with a link that it prints when it starts and nobody is there yet.
//!
//! ```text
//! Start ──Started──▶ Offered
//! Start ──Presented──▶ HashPassword ──PasswordHashed──▶ GiveRole ──RoleFound──▶ Done
//! ```
//! Two records stand for the link: one under the hash of its token, which is taken once, and one under a name that all nodes know, which
//! says which token is the newest. A new start writes the second anew, and every former link is void.

use std::sync::Arc;

use super::login::Terms;
use super::login::door::{self, Entrant};
use super::sign_up::{NewUser, blank, record, taken_keys};
use super::{Advanced, Ctx, Effect, Refused, Step};
use crate::access::RoleMapping;
use crate::audit::{Actor, AuditEvent, AuditKind};
use crate::credential::{Password, PasswordHash};
use crate::error::Denial;
use crate::flow_record::{FlowBody, FlowRecord};
use crate::id::{RoleId, RoleMappingId, SessionId};
use crate::limits::Verdict;
use crate::ports::UniqueKey;
use crate::secret::{Secret, Token, TokenHash};
use crate::session::{AccessToken, Factor};
use crate::time::Lifetime;
use crate::user::User;

/// How long a link is good.
pub const LIFE: Lifetime = Lifetime::from_secs(3_600);

/// Where a set-up stands.
#[derive(Clone, Debug)]
pub enum SetUp {
    /// Nothing happened yet.
    Start,
    /// The link to print; none where somebody is there already.
    Offered(Option<Secret>),
    /// The link is good; the password is to be hashed.
    HashPassword(Box<Draft>),
    /// The link is taken; the role is to be found, or made.
    GiveRole(Box<Draft>),
    /// The administrator is made, and logged in where nothing more is due.
    Done(Box<User>, Option<Box<AccessToken>>),
}

/// An administrator to be.
#[derive(Clone, Debug)]
pub struct Draft {
    /// The user, without the role.
    pub user: User,
    /// The password to hash.
    pub password: Password,
    token: TokenHash,
}

/// What the store has of a link.
#[derive(Clone, Debug)]
pub struct Offer {
    /// What is kept under the hash of the presented token.
    pub presented: Option<FlowRecord>,
    /// What is kept under [`newest`].
    pub newest: Option<FlowRecord>,
    /// How many administrators there are.
    pub administrators: u64,
}

/// What happened.
#[derive(Clone, Debug)]
pub enum SetUpEvent {
    /// The server started.
    Started {
        /// Whether the pool that administers has a user.
        is_empty: bool,
    },
    /// Somebody presents the token of a link, and who they want to be.
    Presented {
        /// What they want to be called.
        form: Box<NewUser>,
        /// What the store has of the link.
        offer: Box<Offer>,
        /// What the counter for tokens said.
        verdict: Verdict,
    },
    /// The password was hashed, and the names were looked up.
    PasswordHashed {
        /// The hash.
        hash: PasswordHash,
        /// The names that somebody else has.
        taken: Vec<UniqueKey>,
    },
    /// The role `admin` is there.
    RoleFound {
        /// Its id.
        role: RoleId,
        /// What the session is to be like.
        terms: Terms,
    },
}

/// The name under which all nodes keep which link is the newest.
pub fn newest() -> TokenHash {
    Token::presented("the newest link of the first administrator").hash()
}

/// Whether a link is good: the newest, in time, and nobody administers yet. Everything else is one answer.
///
/// # Errors
/// [`Denial::TokenRefused`].
pub fn check(offer: &Offer, cx: &Ctx<'_>) -> Result<TokenHash, Denial> {
    let token_of = |flow: &Option<FlowRecord>| {
        let flow = flow.as_ref().filter(|flow| !flow.is_expired(cx.now))?;
        match &flow.body {
            FlowBody::SetUp { token } if flow.pool == cx.pool.name => Some(*token),
            _ => None,
        }
    };
    match (token_of(&offer.presented), token_of(&offer.newest)) {
        (Some(presented), Some(newest)) if presented == newest && offer.administrators == 0 => Ok(presented),
        _ => Err(Denial::TokenRefused),
    }
}

/// One step of a set-up.
pub fn step(state: SetUp, event: SetUpEvent, cx: &mut Ctx<'_>) -> Step<SetUp> {
    match (state, event) {
        (SetUp::Start, SetUpEvent::Started { is_empty }) => Ok(offer(is_empty, cx)),
        (SetUp::Start, SetUpEvent::Presented { form, offer, verdict }) => {
            if let Some(refused) = Refused::limited(verdict, None, cx) {
                return Err(refused);
            }
            judge(*form, &offer, cx)
        }
        (SetUp::HashPassword(mut draft), SetUpEvent::PasswordHashed { hash, taken }) => {
            if !taken.is_empty() {
                return Err(Refused::new(taken_keys(&draft.user, &taken), Vec::new()));
            }
            draft.user.password = Some(hash);
            let effects = vec![Effect::Spend(draft.token)];
            Ok(Advanced {
                next: SetUp::GiveRole(draft),
                effects,
            })
        }
        (SetUp::GiveRole(draft), SetUpEvent::RoleFound { role, terms }) => {
            Ok(make(draft.user, role, terms, cx))
        }
        _ => Err(Refused::unexpected()),
    }
}

fn offer(is_empty: bool, cx: &mut Ctx<'_>) -> Advanced<SetUp> {
    if !is_empty {
        return Advanced {
            next: SetUp::Offered(None),
            effects: Vec::new(),
        };
    }
    let token = Token::draw(cx.entropy);
    let record = |id| {
        Effect::PutFlow(Box::new(FlowRecord {
            id,
            pool: cx.pool.name.clone(),
            user: None,
            created: cx.now,
            expires: cx.now.plus(LIFE),
            body: FlowBody::SetUp { token: token.hash() },
        }))
    };
    let site = &cx.policy.public_url;
    Advanced {
        next: SetUp::Offered(Some(Secret::new(format!(
            "{site}/setup?token={}",
            token.expose()
        )))),
        effects: vec![record(token.hash()), record(newest())],
    }
}

/// The link first: who has none hears nothing of names and passwords.
fn judge(form: NewUser, offer: &Offer, cx: &mut Ctx<'_>) -> Step<SetUp> {
    let token = match check(offer, cx) {
        Ok(token) => token,
        Err(denial) => {
            let audit = cx.audit_about(AuditKind::TokenRefused, None, "setup");
            return Err(Refused::new(denial, vec![audit]));
        }
    };
    let deny = |denial| Refused::new(denial, Vec::new());
    let mut faults = Vec::new();
    let password = form.password.clone();
    let mut user = record(form, &mut faults, cx);
    if password.is_none() {
        faults.push(blank("password"));
    }
    let password = password
        .filter(|_| faults.is_empty())
        .ok_or_else(|| deny(Denial::Invalid(faults)))?;
    let rules = cx.pool.password;
    rules
        .judge(&password)
        .map_err(|fault| deny(Denial::PasswordRefused { fault, rules }))?;
    // Whoever runs the server has the link, and vouches for the address: no mail may be configured yet.
    user.email_verified = user.email.is_some();
    Ok(Advanced {
        next: SetUp::HashPassword(Box::new(Draft {
            user,
            password,
            token,
        })),
        effects: Vec::new(),
    })
}

/// The user with the role, in one write. Where a second factor is due they log in by themselves, and add one on the way.
fn make(mut user: User, role: RoleId, terms: Terms, cx: &mut Ctx<'_>) -> Advanced<SetUp> {
    let mapping = RoleMapping {
        id: RoleMappingId::draw(cx.now, cx.entropy),
        role,
        created: cx.now,
    };
    let given = format!("{} {}", mapping.role, mapping.id);
    Arc::make_mut(&mut user.mappings).push(mapping);
    let told = [
        (AuditKind::SignedUp, "the first administrator".to_owned()),
        (AuditKind::RoleGiven, given),
    ]
    .map(|(kind, detail)| {
        let event = AuditEvent::of_request(cx.now, kind, Some(user.key.clone()), cx.origin, cx.key);
        Effect::Audit(AuditEvent {
            actor: Actor::Operator,
            ..event.about(detail)
        })
    });
    let mut effects = Vec::new();
    let token = if cx.second_factor_is_due(&user) {
        effects.push(Effect::Create(Box::new(user.clone())));
        None
    } else {
        let entrant = Entrant {
            before: None,
            next: user.clone(),
            id: SessionId::draw(cx.now, cx.entropy),
            terms,
            factors: vec![Factor::Password],
            trust_device: false,
            federated: None,
        };
        let token = door::open(entrant, &mut effects, cx);
        user = token.user.clone();
        effects.push(cx.audit(AuditKind::LoggedIn, Some(&user.key)));
        Some(Box::new(token))
    };
    effects.extend(told);
    Advanced {
        next: SetUp::Done(Box::new(user), token),
        effects,
    }
}
