//! Proven in one request: a name and a password that a directory judges, a ticket that a browser shows, an answer that a provider
//! sent without being asked. Who it is that came is judged by [`crate::flow::login::external`] and [`crate::flow::link::attach`], as
//! after a visit to a provider ([`crate::flow::authorize`]).
//!
//! ```text
//! Start ──PasswordGiven──▶ Judge ──Arrived──▶ Proven
//! Start ──ProofShown─────▶ Judge
//! Judge ──Failed──▶ (refused)
//! ```

use super::authorize::{Failure, refuse};
use super::link::Proven;
use super::login::directory::Typed;
use super::step_up::demand;
use super::{Advanced, Ctx, Effect, Refused, Step};
use crate::audit::AuditKind;
use crate::error::Denial;
use crate::flow_record::Purpose;
use crate::identity::ProviderEntry;
use crate::limits::Verdict;
use crate::policy::{Asked, SensitiveAct, unjudged};
use crate::ports::{Arrival, ProviderFault};
use crate::session::Session;
use crate::user::User;

/// Where it stands.
#[derive(Clone, Debug)]
pub enum Prove {
    /// Nothing is known yet.
    Start,
    /// What was shown is to be judged by the entry's adapter.
    Judge(Box<Judging>),
    /// It is known which account it is.
    Proven {
        /// The account.
        proven: Box<Proven>,
        /// What for.
        purpose: Purpose,
    },
}

/// What happened.
#[derive(Clone, Debug)]
pub enum ProveEvent {
    /// A name and a password for a directory.
    PasswordGiven {
        /// By whom, and through which entry.
        shown: Box<Shown>,
        /// What was typed.
        typed: Typed,
    },
    /// Something that speaks for itself: a ticket, an answer.
    ProofShown(Box<Shown>),
    /// The adapter took it.
    Arrived {
        /// Who it is.
        arrival: Box<Arrival>,
        /// What the counter of its [`Arrival::once`] said.
        once: Verdict,
    },
    /// The adapter did not.
    Failed(Failure),
}

/// Facts: somebody shows something.
#[derive(Clone, Debug)]
pub struct Shown {
    /// Through this entry.
    pub entry: ProviderEntry,
    /// Who is logged in, as stored now, and by which session.
    pub caller: Option<(User, Session)>,
    /// What the counters said.
    pub verdict: Verdict,
    /// The counters, to give the try back to.
    pub taken: Asked,
}

/// Something that may be judged.
#[derive(Clone, Debug)]
pub struct Judging {
    /// What is shown to a directory; none for what speaks for itself.
    pub typed: Option<Typed>,
    entry: ProviderEntry,
    purpose: Purpose,
    taken: Asked,
}

/// One step.
pub fn step(state: Prove, event: ProveEvent, cx: &mut Ctx<'_>) -> Step<Prove> {
    match (state, event) {
        (Prove::Start, ProveEvent::PasswordGiven { shown, typed }) => {
            let mut judging = admit(*shown, cx)?;
            // To whoever sends it, it is a wrong password: it was counted, and nobody was asked.
            let Some(typed) = typed.presentable() else {
                return Err(stay_silent(&judging.entry, ProviderFault::DirectoryPassword, cx));
            };
            judging.typed = Some(typed);
            Ok(on(judging))
        }
        (Prove::Start, ProveEvent::ProofShown(shown)) => Ok(on(admit(*shown, cx)?)),
        (Prove::Judge(judging), ProveEvent::Arrived { arrival, once }) => {
            arrive(*judging, *arrival, once, cx)
        }
        (Prove::Judge(judging), ProveEvent::Failed(failure)) => Err(fail(*judging, &failure, cx)),
        _ => Err(Refused::unexpected()),
    }
}

fn on(judging: Judging) -> Advanced<Prove> {
    Advanced {
        next: Prove::Judge(Box::new(judging)),
        effects: Vec::new(),
    }
}

/// Lets something through to the adapter, or not. Whoever links is logged in, and proved it lately where that is asked for.
fn admit(shown: Shown, cx: &Ctx<'_>) -> Result<Judging, Refused> {
    let Shown {
        entry,
        caller,
        verdict,
        taken,
    } = shown;
    let caller = caller.as_ref();
    if let Some(refused) = Refused::limited(verdict, caller.map(|(user, _)| &user.key), cx) {
        return Err(refused);
    }
    let purpose = Purpose::of(&entry, caller, cx)?;
    Ok(Judging {
        typed: None,
        entry,
        purpose,
        taken,
    })
}

impl Purpose {
    /// What a way through an entry is for: to link to whoever is logged in, or to log in.
    pub(super) fn of(
        entry: &ProviderEntry,
        caller: Option<&(User, Session)>,
        cx: &Ctx<'_>,
    ) -> Result<Self, Refused> {
        if !entry.link {
            return Ok(Self::LogIn);
        }
        let Some((user, session)) = caller.filter(|(user, _)| user.key.pool == cx.pool.name) else {
            return Err(Refused::new(Denial::AuthorizationRequired, Vec::new()));
        };
        demand(SensitiveAct::Link, user, session, cx)?;
        Ok(Self::Link {
            user: user.key.id.clone(),
            session: session.token,
        })
    }
}

fn arrive(judging: Judging, arrival: Arrival, once: Verdict, cx: &Ctx<'_>) -> Step<Prove> {
    let Judging {
        entry,
        purpose,
        taken,
        ..
    } = judging;
    let client_id = entry.client_id.clone();
    match Proven::of(arrival, &entry, client_id, None, once) {
        Ok(proven) => Ok(Advanced {
            next: Prove::Proven {
                proven: Box::new(proven),
                purpose,
            },
            effects: vec![Effect::GiveBack(taken)],
        }),
        Err(fault) => Err(refuse(&entry, &Failure::Refused(fault), cx)),
    }
}

/// What is wrong with a directory's account is told to whoever gave its right password, and to nobody else. A directory that cannot
/// judge has judged nothing: the try does not count.
fn fail(judging: Judging, failure: &Failure, cx: &Ctx<'_>) -> Refused {
    let Judging {
        entry, typed, taken, ..
    } = judging;
    match failure {
        Failure::Refused(ProviderFault::DirectoryRefused) => {
            let mut refused = refuse(&entry, failure, cx);
            refused.denial = Denial::ProviderUnavailable;
            refused.effects.push(Effect::GiveBack(unjudged(&taken)));
            refused
        }
        Failure::Refused(fault) if typed.is_some() && !fault.may_be_told() => stay_silent(&entry, *fault, cx),
        Failure::Refused(_) => refuse(&entry, failure, cx),
        Failure::Unavailable => {
            let mut refused = refuse(&entry, failure, cx);
            refused.effects.push(Effect::GiveBack(unjudged(&taken)));
            refused
        }
    }
}

/// "Login failed", whatever it was; the operator reads what.
fn stay_silent(entry: &ProviderEntry, fault: ProviderFault, cx: &Ctx<'_>) -> Refused {
    let detail = format!("{} {}", entry.name, fault.code());
    let audit = cx.audit_about(AuditKind::ProviderRefused, None, detail);
    Refused::new(Denial::LoginFailed, vec![audit])
}
