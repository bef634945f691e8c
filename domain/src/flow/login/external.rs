//! "Log in with Google": somebody proved an account elsewhere. Whoever it is linked to is let in; whoever is new gets a user;
//! whoever may be a user of ours already is asked to prove it ([`crate::flow::link::join`]).
//!
//! ```text
//! Start ──Arrived──▶ Seal ──Sealed──▶ Done
//!       └─────────▶ LookUp ──KeysLookedUp──▶ Seal
//! Start ──Exchanged──▶ Enter ──Ready──▶ Done
//! ```

mod newcomer;

pub use newcomer::Newcomer;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use super::super::{Advanced, Ctx, Effect, Refused, Step, commit};
use super::Login;
use super::password::open;
use super::sms_code::{CodeRequested, FirstProof, Sending, send_first};
use crate::audit::AuditKind;
use crate::error::Denial;
use crate::flow::link::{LinkDraft, Proven, attach};
use crate::flow_record::{Exchange, FlowBody, FlowRecord, Join, PendingLink};
use crate::id::{EntryName, SessionId};
use crate::limits::Verdict;
use crate::policy::Asked;
use crate::secret::{Sealed, Token, TokenHash};
use crate::session::{AccessToken, Factor, TokenLife};
use crate::time::Lifetime;
use crate::user::User;

/// How long a session waits for the client that fetches it (RFC 6749 section 4.1.2 asks for little; ASVS 10.4.3 for a minute).
pub const EXCHANGE_LIFE: Lifetime = Lifetime::from_secs(60);

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

/// Facts: a client came with a code.
#[derive(Clone, Debug)]
pub struct Exchanged {
    /// What the code leads to.
    pub flow: Option<FlowRecord>,
    /// Its user, as stored now.
    pub user: Option<User>,
    /// The client's proof that it is the one that began (RFC 7636 section 4.5).
    pub code_verifier: String,
    /// What the address's counters said.
    pub verdict: Verdict,
    /// The counters, to give the try back to.
    pub taken: Asked,
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
    /// Whether this will send a code: then the counters for messages must be asked first.
    pub fn would_send_code(&self, cx: &Ctx<'_>) -> bool {
        let lets_in = self.as_what != Relation::Namesake && self.onward.code_challenge.is_none();
        lets_in && cx.pool.second_factor_is_due(&self.user)
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
                return on(External::LookUp(Box::new(newcomer)));
            };
            let draft = proven.link_for(Some(&holder), cx);
            on(seal(*holder, Relation::Owner, draft, proven.entry.name, onward))
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
            on(seal(user, relation, draft, entry, onward))
        }
        (External::Seal(arriving), ExternalEvent::Sealed { sealed, sending }) => {
            arrive(*arriving, sealed, &sending, cx)
        }
        (External::Start, ExternalEvent::Exchanged(facts)) => redeem(*facts, cx),
        (External::Enter(entrance), ExternalEvent::Ready(sending)) => done(enter(*entrance, &sending, cx)),
        _ => Err(Refused::unexpected()),
    }
}

fn on(next: External) -> Step<External> {
    Ok(Advanced {
        next,
        effects: Vec::new(),
    })
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

/// Somebody at the door, with everything proven that comes before a code.
#[derive(Clone, Debug)]
pub struct Entrance {
    /// The user it was decided on; none for one who is made by it.
    pub(crate) before: Option<User>,
    /// The user's next state, without the link.
    pub(crate) next: User,
    /// What is attached once everything is proven.
    pub(crate) link: Option<PendingLink>,
    /// What was proven.
    pub(crate) factor: Factor,
    /// The challenge of a client that will fetch the session.
    pub(crate) code_challenge: Option<String>,
    /// The counters to give the try back to.
    pub(crate) taken: Asked,
    /// The flow that is used up by it.
    pub(crate) spend: Option<TokenHash>,
    /// What is written down besides.
    pub(crate) audits: Vec<Effect>,
}

impl Entrance {
    /// Who it is.
    pub fn user(&self) -> &User {
        &self.next
    }

    /// Whether this will send a code: then the counters for messages must be asked first.
    pub fn would_send_code(&self, cx: &Ctx<'_>) -> bool {
        self.code_challenge.is_none() && cx.pool.second_factor_is_due(&self.next)
    }
}

/// Lets somebody in: by a code where a second factor is due, by an exchange where a client waits, else at once.
pub(crate) fn enter(entrance: Entrance, sending: &Sending, cx: &mut Ctx<'_>) -> Step<Opening> {
    if entrance.would_send_code(cx) {
        return enter_by_code(entrance, sending, cx);
    }
    let Entrance {
        before,
        mut next,
        link,
        factor,
        code_challenge,
        taken,
        spend,
        audits,
    } = entrance;
    if let Some(link) = &link {
        if before
            .as_ref()
            .is_some_and(|before| before.revision == next.revision)
        {
            next = next.changed(cx.now);
        }
        attach(&mut next, link, cx.now).map_err(|denial| Refused::new(denial, Vec::new()))?;
    }
    let mut effects = made_or_committed(before.as_ref(), &next);
    effects.extend(spend.map(Effect::Spend));
    let opening = if let Some(code_challenge) = code_challenge {
        let code = Token::draw(cx.entropy);
        effects.push(Effect::PutFlow(Box::new(FlowRecord {
            id: code.hash(),
            pool: next.key.pool.clone(),
            user: Some(next.key.id.clone()),
            created: cx.now,
            expires: cx.now.plus(EXCHANGE_LIFE),
            body: FlowBody::Exchange(Exchange {
                epoch: next.session_epoch,
                code_challenge,
            }),
        })));
        Opening::Exchange(code)
    } else {
        let life = TokenLife::Finite(cx.pool.ttl);
        let id = SessionId::draw(cx.now, cx.entropy);
        let opened = open(next.clone(), id, life, vec![factor], cx);
        effects.push(Effect::OpenSession(Box::new(opened.session.clone())));
        effects.push(cx.audit(AuditKind::LoggedIn, Some(&next.key)));
        Opening::LoggedIn(Box::new(opened))
    };
    effects.push(Effect::GiveBack(taken));
    effects.extend(audits);
    Ok(Advanced {
        next: opening,
        effects,
    })
}

fn made_or_committed(before: Option<&User>, next: &User) -> Vec<Effect> {
    match before {
        None => vec![Effect::Create(Box::new(next.clone()))],
        Some(before) if before.revision != next.revision => vec![commit(before, next.clone())],
        Some(_) => Vec::new(),
    }
}

/// Nothing is attached before the code is right.
fn enter_by_code(entrance: Entrance, sending: &Sending, cx: &mut Ctx<'_>) -> Step<Opening> {
    let Entrance {
        before,
        next,
        link,
        factor,
        taken,
        spend,
        audits,
        ..
    } = entrance;
    let mut first = made_or_committed(before.as_ref(), &next);
    first.extend(spend.map(Effect::Spend));
    let proof = FirstProof {
        user: next,
        next: None,
        factor,
        link: link.map(Box::new),
        taken,
        life: TokenLife::Finite(cx.pool.ttl),
    };
    let Advanced { next, effects } = send_first(proof, sending, cx)?;
    let Login::AwaitingCode(requested) = next else {
        return Err(Refused::unexpected());
    };
    first.extend(effects);
    first.extend(audits);
    Ok(Advanced {
        next: Opening::AwaitingCode(requested),
        effects: first,
    })
}

fn redeem(facts: Exchanged, cx: &mut Ctx<'_>) -> Step<External> {
    let Exchanged {
        flow,
        user,
        code_verifier,
        verdict,
        taken,
    } = facts;
    if let Some(refused) = Refused::limited(verdict, None, cx) {
        return Err(refused);
    }
    let account = user.as_ref().map(|user| user.key.clone());
    let good = flow.zip(user).filter(|(flow, user)| {
        let FlowBody::Exchange(exchange) = &flow.body else {
            return false;
        };
        let own = flow.is_of(&user.key) && flow.pool == cx.pool.name && exchange.epoch == user.session_epoch;
        own && !flow.is_expired(cx.now) && fits(&code_verifier, &exchange.code_challenge)
    });
    let Some((flow, user)) = good else {
        let audit = cx.audit(AuditKind::TokenRefused, account.as_ref());
        return Err(Refused::new(Denial::ExchangeRefused, vec![audit]));
    };
    on(External::Enter(Box::new(Entrance {
        before: Some(user.clone()),
        next: user,
        link: None,
        factor: Factor::Federated,
        code_challenge: None,
        taken,
        spend: Some(flow.id),
        audits: Vec::new(),
    })))
}

/// Whether a verifier is the one behind an S256 challenge (RFC 7636 sections 4.1 and 4.6).
fn fits(verifier: &str, challenge: &str) -> bool {
    let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
    let sound = (43..=128).contains(&verifier.len()) && verifier.bytes().all(unreserved);
    let hashed = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()));
    let same: bool = hashed.as_bytes().ct_eq(challenge.as_bytes()).into();
    sound && same
}

/// Whether a text can be an S256 challenge: 43 characters of base64url.
pub fn is_code_challenge(text: &str) -> bool {
    text.len() == 43
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}
