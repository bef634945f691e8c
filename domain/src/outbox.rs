//! Messages on their way to a carrier: kept before they are acknowledged, so that no crash loses them, and handed over so that no
//! crash sends a code twice.
//!
//! A message is *claimed* before each attempt and *settled* after it. Whoever finds a claim that was never settled cannot know whether
//! the carrier took the message: a mail is then sent again (under the same Message-ID), a code is not: its owner asks for a new one.

mod payload;

use serde::{Deserialize, Serialize};

use crate::id::{MessageId, UserKey};
use crate::ports::PageMark;
use crate::secret::Sealed;
use crate::time::{Lifetime, Timestamp};

pub use payload::{Message, message_binding};

/// What carries a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// Text messages: at most once.
    Sms,
    /// Mail: at least once.
    Mail,
    /// Events for other services: at least once.
    Webhook,
}

impl Channel {
    /// Every channel.
    pub const ALL: [Self; 3] = [Self::Sms, Self::Mail, Self::Webhook];

    /// The name, as in stored forms.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sms => "sms",
            Self::Mail => "mail",
            Self::Webhook => "webhook",
        }
    }

    /// The channel of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|channel| channel.name() == name)
    }

    /// Whose messages it carries.
    pub const fn lane(self) -> Lane {
        match self {
            Self::Sms | Self::Mail => Lane::People,
            Self::Webhook => Lane::Services,
        }
    }
}

/// Who waits for a message. Each lane is carried by hands of its own: a service that does not answer, with thousands of events behind
/// it, must not hold up anybody's code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lane {
    /// People: text messages and mail.
    People,
    /// Other services: webhooks.
    Services,
}

impl Lane {
    /// Both.
    pub const ALL: [Self; 2] = [Self::People, Self::Services];
}

/// A message that waits for its carrier. Stored as JSON: fields are only ever added.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutboxMessage {
    /// Names it; a carrier gets it along, to tell repetitions by.
    pub id: MessageId,
    /// Whom it is about.
    pub user: UserKey,
    /// What carries it.
    pub channel: Channel,
    /// What it says and to whom, sealed: [`Message`].
    pub payload: Sealed,
    /// When it was written.
    pub created: Timestamp,
    /// When it is to be tried next.
    pub due: Timestamp,
    /// From when on it is of no use.
    pub expires: Timestamp,
    /// Attempts that were claimed.
    pub attempts: u32,
    /// Attempts of which it is known that the carrier did not take it.
    pub settled: u32,
    /// Until when the last claim holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held_until: Option<Timestamp>,
}

/// How an attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settled {
    /// It is over: sent, or given up. The message is forgotten.
    Done,
    /// The carrier did not take it; to be tried again then.
    Again {
        /// When.
        due: Timestamp,
    },
}

/// Some of the messages that wait.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OutboxPage {
    /// The messages.
    pub messages: Vec<OutboxMessage>,
    /// Where the next page begins; none behind the last.
    pub next: Option<PageMark>,
}

impl OutboxMessage {
    /// The message as [`crate::ports::Outbox::claim`] hands it out.
    #[must_use]
    pub fn claimed(self, now: Timestamp, hold: Lifetime) -> Self {
        Self {
            attempts: self.attempts.saturating_add(1),
            held_until: Some(now.plus(hold)),
            ..self
        }
    }

    /// Whether it may be claimed.
    pub fn is_claimable(&self, now: Timestamp) -> bool {
        self.due <= now && self.held_until.is_none_or(|until| until <= now)
    }

    /// The message after an attempt that the carrier did not take.
    #[must_use]
    pub fn released(self, due: Timestamp) -> Self {
        Self {
            due,
            settled: self.attempts,
            held_until: None,
            ..self
        }
    }

    /// Whether an earlier attempt was claimed and never settled: whoever made it may have died before or after the carrier took it.
    /// Asked of a message that is claimed.
    pub fn is_in_doubt(&self) -> bool {
        self.attempts > self.settled.saturating_add(1)
    }
}
