//! Carrying out effects: the only place that matches over [`Effect`] and touches ports.

use super::Services;
use crate::error::{Denial, DomainError};
use crate::flow::{Effect, Refused};
use crate::outbox::Message;
use crate::ports::{PortError, UniqueKey};

/// Why the effects behind a guarded one were not carried out.
#[derive(Debug)]
pub(super) enum Halt {
    /// The user was changed meanwhile: decide again.
    Stale,
    /// A key is taken: let the flow judge it.
    KeyTaken(UniqueKey),
    /// The flow was taken by somebody else.
    Spent,
    /// The carrier says that no message reaches the number. Everything else was carried out.
    Unreachable,
    /// Something outside did not work.
    Failed(PortError),
}

impl From<PortError> for Halt {
    fn from(error: PortError) -> Self {
        match error {
            PortError::Stale => Self::Stale,
            PortError::Duplicate(key) => Self::KeyTaken(key),
            other @ (PortError::Busy { .. } | PortError::Unavailable { .. } | PortError::Corrupt { .. }) => {
                Self::Failed(other)
            }
        }
    }
}

impl Halt {
    /// What the caller hears when the flow has no event for it: a spent flow is a wrong one, as is one whose user moved on.
    pub(super) fn or_denial(self, denial: Denial) -> DomainError {
        match self {
            Self::Stale | Self::KeyTaken(_) | Self::Spent => DomainError::Denied(denial),
            Self::Unreachable => DomainError::Denied(Denial::PhoneUnreachable),
            Self::Failed(error) => DomainError::Port(error),
        }
    }
}

impl Services {
    /// Carries effects out in order and stops at the first that does not hold.
    pub(super) async fn perform(&self, effects: Vec<Effect>) -> Result<(), Halt> {
        let mut unreachable = false;
        for effect in effects {
            match self.perform_one(effect).await {
                Err(Halt::Unreachable) => unreachable = true,
                other => other?,
            }
        }
        if unreachable {
            Err(Halt::Unreachable)
        } else {
            Ok(())
        }
    }

    async fn perform_one(&self, effect: Effect) -> Result<(), Halt> {
        let ports = &self.ports;
        match effect {
            Effect::Create(user) => ports.users.create(&user).await?,
            Effect::Commit { next, expected } => ports.users.commit(&next, expected).await?,
            Effect::Delete { user, expected } => {
                ports.users.delete(&user, expected).await?;
                ports.sessions.end_all(&user, None).await?;
            }
            Effect::Spend(flow) => {
                ports.flows.take(&flow).await?.ok_or(Halt::Spent)?;
            }
            Effect::ReplaceFlow(flow) => {
                if !ports.flows.replace(&flow).await? {
                    return Err(Halt::Spent);
                }
            }
            Effect::PutFlow(flow) => ports.flows.put(&flow).await?,
            Effect::DropFlow(flow) => {
                ports.flows.take(&flow).await?;
            }
            Effect::DropFlows(user, kind) => ports.flows.end_all(&user, kind).await?,
            Effect::OpenSession(session) => ports.sessions.open(&session).await?,
            Effect::EndSession(token) => {
                ports.sessions.end(&token).await?;
            }
            Effect::EndChain {
                user,
                session,
                asked_by,
            } => self.end_chain(&user, &session, &asked_by).await?,
            Effect::ClearSessions { user, spare } => {
                ports.sessions.end_all(&user, spare.as_ref()).await?;
            }
            Effect::GiveBack(taken) if taken.is_empty() => {}
            Effect::GiveBack(taken) => ports.limiter.give_back(&taken, ports.clock.now()).await?,
            Effect::SendSms(message) => self.send(Message::Sms(message)).await?,
            Effect::SendMail(message) => self.send(Message::Mail(message)).await?,
            Effect::Audit(event) => self.note(&event).await?,
        }
        Ok(())
    }

    /// Carries out what a refusal still does, and turns it into the caller's error.
    pub(super) async fn refuse(&self, refused: Refused) -> DomainError {
        match self.perform(refused.effects).await {
            Ok(()) => DomainError::Denied(refused.denial),
            Err(halt) => halt.or_denial(refused.denial),
        }
    }
}
