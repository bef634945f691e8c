//! "Log in with Google": somebody proved an account elsewhere. Whoever it is linked to is let in; whoever is new gets a user;
//! whoever may be a user of ours already is asked to prove it ([`crate::flow::link::join`]).
//!
//! ```text
//! Start ──Arrived──▶ Seal ──Sealed──▶ Done
//!       └─────────▶ LookUp ──KeysLookedUp──▶ Seal
//! Start ──Exchanged──▶ Enter ──Ready──▶ Done
//! ```

mod entrance;
mod exchange;
mod newcomer;

pub use entrance::Entrance;
pub(crate) use entrance::enter;
pub use exchange::{EXCHANGE_LIFE, Exchanged, is_code_challenge};
pub use newcomer::Newcomer;
pub(crate) use newcomer::stranger;

use super::super::{Advanced, Ctx, Effect, Refused, Step};
use super::pending::{CodeRequested, Sending, Waits};
use crate::audit::AuditKind;
use crate::flow::link::{LinkDraft, Proven, attach};
use crate::flow_record::{FlowBody, FlowRecord, Join, PendingLink};
use crate::id::EntryName;
use crate::policy::Asked;
use crate::secret::{Sealed, Token};
use crate::session::{AccessToken, Factor};
use crate::time::Lifetime;
use crate::user::User;

/// How long somebody has to prove that they are a user here.
pub const JOIN_LIFE: Lifetime = Lifetime::from_secs(900);

/// Where a log-in by an account elsewhere stands.
#[derive(Clone, Debug)]
pub enum External {
    /// Nothing is known yet.
    Start,
    /// Nobody has the account: whether a user of the same address or name exists is to be looked up.
    LookUp(Box<Newcomer>),
    /// The tokens are to be sealed for their user.
    Seal(Box<Arriving>),
    /// Everything was proven that comes before a code.
    Enter(Box<Entrance>),
    /// It ended.
    Done(Opening),
}

/// How it ended.
#[derive(Clone, Debug)]
pub enum Opening {
    /// The door is open.
    LoggedIn(Box<AccessToken>),
    /// A code is on its way.
    AwaitingCode(CodeRequested),
    /// The session waits for its client.
    Exchange(Token),
    /// A user of the same address or name is to be proven.
    AccountExists {
        /// Continues with the proof.
        join: Token,
        /// The ways to prove it.
        methods: Vec<&'static str>,
    },
}

/// What happened.
#[derive(Clone, Debug)]
pub enum ExternalEvent {
    /// The provider's answer was taken; who has the account was looked up.
    Arrived {
        /// The account.
        proven: Box<Proven>,
        /// The user it is linked to, if any.
        holder: Option<Box<User>>,
        /// What comes afterwards.
        onward: Onward,
    },
    /// Who has the newcomer's address and name was looked up.
    KeysLookedUp {
        /// The user with that address.
        email_holder: Option<Box<User>>,
        /// The user with that name.
        username_holder: Option<Box<User>>,
    },
    /// The tokens were sealed.
    Sealed {
        /// None where nothing was granted.
        sealed: Option<Sealed>,
        /// What sending a code needs; the counters were asked only if one will be sent.
        sending: Sending,
    },
    /// A client fetches its session.
    Exchanged(Box<Exchanged>),
    /// What sending a code needs was gathered.
    Ready(Sending),
}

/// What comes after the log-in.
#[derive(Clone, Debug, Default)]
pub struct Onward {
    /// Where the person goes.
    pub return_to: Option<String>,
    /// The challenge of a client that will fetch the session.
    pub code_challenge: Option<String>,
}

/// A log-in whose user is decided.
#[derive(Clone, Debug)]
pub struct Arriving {
    /// The user: who will be let in, or who is to be proven.
    pub user: User,
    /// What that user is to the account.
    pub as_what: Relation,
    /// The account and its tokens.
    pub draft: LinkDraft,
    entry: EntryName,
    onward: Onward,
}

/// What the user of a log-in is to the account elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relation {
    /// The account is theirs already.
    Owner,
    /// They are made for it.
    New,
    /// They have the same address or name, which proves nothing.
    Namesake,
}

impl Arriving {
    /// Whether this will wait for a second factor.
    pub fn waits(&self, cx: &Ctx<'_>) -> Waits {
        let lets_in = self.as_what != Relation::Namesake && self.onward.code_challenge.is_none();
        Waits::of(
            &self.user,
            lets_in && cx.second_factor_is_due(&self.user),
            None,
            cx,
        )
    }
}

/// One step of a log-in by an account elsewhere.
pub fn step(state: External, event: ExternalEvent, cx: &mut Ctx<'_>) -> Step<External> {
    match (state, event) {
        (
            External::Start,
            ExternalEvent::Arrived {
                proven,
                holder,
                onward,
            },
        ) => {
            let Some(holder) = holder else {
                let newcomer = Newcomer::of(*proven, onward, cx)?;
                return Ok(on(External::LookUp(Box::new(newcomer))));
            };
            let draft = proven.link_for(Some(&holder), cx);
            Ok(on(seal(
                *holder,
                Relation::Owner,
                draft,
                proven.entry.name,
                onward,
            )))
        }
        (
            External::LookUp(newcomer),
            ExternalEvent::KeysLookedUp {
                email_holder,
                username_holder,
            },
        ) => {
            let entry = newcomer.entry().clone();
            let onward = newcomer.onward.clone();
            let (user, relation, draft) = newcomer.settle(
                email_holder.map(|user| *user),
                username_holder.map(|user| *user),
                cx,
            )?;
            Ok(on(seal(user, relation, draft, entry, onward)))
        }
        (External::Seal(arriving), ExternalEvent::Sealed { sealed, sending }) => {
            arrive(*arriving, sealed, &sending, cx)
        }
        (External::Start, ExternalEvent::Exchanged(facts)) => exchange::redeem(*facts, cx),
        (External::Enter(entrance), ExternalEvent::Ready(sending)) => done(enter(*entrance, &sending, cx)),
        _ => Err(Refused::unexpected()),
    }
}

/// A step that changes nothing but the state.
fn on(next: External) -> Advanced<External> {
    Advanced {
        next,
        effects: Vec::new(),
    }
}

fn done(step: Step<Opening>) -> Step<External> {
    step.map(|Advanced { next, effects }| Advanced {
        next: External::Done(next),
        effects,
    })
}

fn seal(user: User, as_what: Relation, draft: LinkDraft, entry: EntryName, onward: Onward) -> External {
    External::Seal(Box::new(Arriving {
        user,
        as_what,
        draft,
        entry,
        onward,
    }))
}

fn arrive(arriving: Arriving, sealed: Option<Sealed>, sending: &Sending, cx: &mut Ctx<'_>) -> Step<External> {
    let Arriving {
        user,
        as_what,
        draft,
        entry,
        onward,
    } = arriving;
    let link = draft.sealed(sealed, cx);
    let provider = link.identity.key.provider.to_string();
    let mut entrance = Entrance {
        before: Some(user.clone()),
        next: user,
        link: None,
        factor: Factor::Federated,
        code_challenge: onward.code_challenge.clone(),
        taken: Asked::new(),
        spend: None,
        audits: Vec::new(),
    };
    match as_what {
        Relation::Namesake => return Ok(offer_join(&entrance.next, link, entry, onward, cx)),
        Relation::Owner => entrance.link = Some(link),
        Relation::New => {
            entrance.before = None;
            attach(&mut entrance.next, &link, cx.now).map_err(|denial| Refused::new(denial, Vec::new()))?;
            // Attached already; what it says of the session at the provider is for the door.
            entrance.link = Some(link);
            let key = entrance.next.key.clone();
            entrance.audits = vec![
                cx.audit_about(AuditKind::SignedUp, Some(&key), provider.clone()),
                cx.audit_about(AuditKind::IdentityLinked, Some(&key), provider),
            ];
        }
    }
    done(enter(entrance, sending, cx))
}

/// Nothing is joined yet: the account waits, sealed for a user who is still to be proven.
fn offer_join(
    user: &User,
    link: PendingLink,
    entry: EntryName,
    onward: Onward,
    cx: &mut Ctx<'_>,
) -> Advanced<External> {
    let join = Token::draw(cx.entropy);
    let methods = [
        (user.password.is_some(), "password"),
        (user.email.is_some(), "email"),
    ];
    let methods = methods.into_iter().filter_map(|(is, way)| is.then_some(way));
    let audit = cx.audit_about(
        AuditKind::JoinOffered,
        Some(&user.key),
        link.identity.key.provider.to_string(),
    );
    let record = FlowRecord {
        id: join.hash(),
        pool: user.key.pool.clone(),
        user: Some(user.key.id.clone()),
        created: cx.now,
        expires: cx.now.plus(JOIN_LIFE),
        body: FlowBody::Join(Box::new(Join {
            link,
            epoch: user.session_epoch,
            code: None,
            entry,
            return_to: onward.return_to,
            code_challenge: onward.code_challenge,
        })),
    };
    Advanced {
        next: External::Done(Opening::AccountExists {
            join,
            methods: methods.collect(),
        }),
        effects: vec![Effect::PutFlow(Box::new(record)), audit],
    }
}
