//! Getting a message to its carrier: whether to try, and what an attempt means.

use crate::audit::AuditKind;
use crate::outbox::{Channel, OutboxMessage, Settled};
use crate::ports::Delivery;
use crate::time::{Lifetime, Timestamp};

/// The wait after the first attempt that failed; it doubles with each further one.
const SMS_WAIT: Lifetime = Lifetime::from_secs(1);
const MAIL_WAIT: Lifetime = Lifetime::from_secs(5);
const WEBHOOK_WAIT: Lifetime = Lifetime::from_secs(5);

/// The longest wait between two attempts.
const SMS_MAX_WAIT: Lifetime = Lifetime::from_secs(15);
const MAIL_MAX_WAIT: Lifetime = Lifetime::from_secs(3600);
const WEBHOOK_MAX_WAIT: Lifetime = Lifetime::from_secs(3600);

/// What became of a message, and how that is written down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fate {
    /// What the outbox is told.
    pub settled: Settled,
    /// The audit event.
    pub kind: AuditKind,
    /// Its detail.
    pub reason: &'static str,
}

impl Fate {
    /// Whether it is written down. Of a webhook only its loss is: an event for every event that was told would double the log, and a
    /// service that is away for a night would fill it.
    pub fn is_noted(&self, channel: Channel) -> bool {
        channel != Channel::Webhook || self.kind == AuditKind::MessageFailed
    }

    const fn over(kind: AuditKind, reason: &'static str) -> Self {
        Self {
            settled: Settled::Done,
            kind,
            reason,
        }
    }
}

/// Whether a claimed message is to be given up without another attempt: it is of no use any more, or it is a code that a carrier may
/// have taken already.
pub fn given_up(message: &OutboxMessage, now: Timestamp) -> Option<Fate> {
    if now >= message.expires {
        Some(Fate::over(AuditKind::MessageFailed, "expired"))
    } else if message.channel == Channel::Sms && message.is_in_doubt() {
        Some(Fate::over(AuditKind::MessageFailed, "in_doubt"))
    } else {
        None
    }
}

/// What becomes of a message that cannot be read any more.
pub const fn unreadable() -> Fate {
    Fate::over(AuditKind::MessageFailed, "unreadable")
}

/// What the end of an attempt means. `None` of a delivery is a carrier that could not be reached: it took nothing.
pub fn judge(message: &OutboxMessage, delivery: Option<&Delivery>, now: Timestamp) -> Fate {
    match delivery {
        Some(Delivery::Sent) => Fate::over(AuditKind::MessageSent, "sent"),
        Some(Delivery::Unreachable { reason }) => Fate::over(AuditKind::MessageFailed, reason),
        // Nobody but the operator can change that: a mail waits for them, a code would be too old.
        Some(Delivery::Refused { reason }) if message.channel == Channel::Sms => {
            Fate::over(AuditKind::CarrierRefused, reason)
        }
        Some(Delivery::Refused { reason }) => again(message, None, AuditKind::CarrierRefused, reason, now),
        Some(Delivery::Unknown) if message.channel == Channel::Sms => {
            Fate::over(AuditKind::MessageFailed, "in_doubt")
        }
        Some(Delivery::Unknown) => again(message, None, AuditKind::MessageDelayed, "in_doubt", now),
        Some(Delivery::NotNow { retry_after, reason }) => {
            again(message, *retry_after, AuditKind::MessageDelayed, reason, now)
        }
        None => again(message, None, AuditKind::MessageDelayed, "unavailable", now),
    }
}

fn again(
    message: &OutboxMessage,
    asked: Option<Lifetime>,
    kind: AuditKind,
    reason: &'static str,
    now: Timestamp,
) -> Fate {
    let (wait, longest) = match message.channel {
        Channel::Sms => (SMS_WAIT, SMS_MAX_WAIT),
        Channel::Mail => (MAIL_WAIT, MAIL_MAX_WAIT),
        Channel::Webhook => (WEBHOOK_WAIT, WEBHOOK_MAX_WAIT),
    };
    let own = wait.doubled(message.attempts.saturating_sub(1)).min(longest);
    let due = now.plus(asked.map_or(own, |asked| asked.max(own)));
    if due >= message.expires {
        return Fate::over(AuditKind::MessageFailed, reason);
    }
    Fate {
        settled: Settled::Again { due },
        kind,
        reason,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{MessageId, PoolName, UserId, UserKey};
    use crate::secret::Sealed;

    const NOW: Timestamp = Timestamp::from_millis(1_000_000);
    const HOLD: Lifetime = Lifetime::from_secs(30);

    fn message(channel: Channel, life: u64) -> OutboxMessage {
        OutboxMessage {
            id: MessageId::new("m"),
            user: UserKey::new(PoolName::new("Users"), UserId::new("1")),
            channel,
            payload: Sealed::from_bytes(vec![1]),
            created: NOW,
            due: NOW,
            expires: NOW.plus(Lifetime::from_secs(life)),
            attempts: 0,
            settled: 0,
            held_until: None,
        }
    }

    #[test]
    fn a_code_that_may_have_been_sent_is_never_sent_again_and_a_mail_is() {
        let lost = message(Channel::Sms, 60).claimed(NOW, HOLD).claimed(NOW, HOLD);
        assert_eq!(given_up(&lost, NOW).unwrap().reason, "in_doubt");
        let lost = message(Channel::Mail, 60).claimed(NOW, HOLD).claimed(NOW, HOLD);
        assert_eq!(given_up(&lost, NOW), None);
    }

    #[test]
    fn an_attempt_the_carrier_did_not_take_leaves_no_doubt() {
        let claimed = message(Channel::Sms, 60).claimed(NOW, HOLD);
        let busy = Delivery::NotNow {
            retry_after: None,
            reason: "throttled",
        };
        let Fate {
            settled: Settled::Again { due },
            ..
        } = judge(&claimed, Some(&busy), NOW)
        else {
            panic!("it is tried again")
        };
        let again = claimed.released(due).claimed(due, HOLD);
        assert_eq!(given_up(&again, due), None);
    }

    #[test]
    fn waits_double_and_respect_what_the_carrier_asks_for() {
        let mut mail = message(Channel::Mail, 86_400);
        let mut waits = Vec::new();
        for _ in 0..3 {
            mail = mail.claimed(NOW, HOLD);
            let Settled::Again { due } = judge(&mail, None, NOW).settled else {
                panic!()
            };
            waits.push(due.since(NOW).as_millis());
        }
        assert_eq!(waits, [5_000, 10_000, 20_000]);
        let asked = Delivery::NotNow {
            retry_after: Some(Lifetime::from_secs(90)),
            reason: "greylisted",
        };
        assert_eq!(
            judge(&mail, Some(&asked), NOW).settled,
            Settled::Again {
                due: NOW.plus(Lifetime::from_secs(90))
            }
        );
    }

    #[test]
    fn a_webhook_is_told_again_after_every_doubt_and_only_its_loss_is_written_down() {
        let claimed = message(Channel::Webhook, 86_400).claimed(NOW, HOLD);
        let refused = Delivery::Refused {
            reason: "credentials",
        };
        for delivery in [None, Some(&Delivery::Unknown), Some(&refused)] {
            let fate = judge(&claimed, delivery, NOW);
            let due = NOW.plus(Lifetime::from_secs(5));
            assert_eq!(fate.settled, Settled::Again { due });
            assert!(!fate.is_noted(Channel::Webhook) && fate.is_noted(Channel::Mail));
        }
        let lost = claimed.clone().claimed(NOW, HOLD);
        assert_eq!(given_up(&lost, NOW), None, "told twice rather than never");
        assert!(!judge(&claimed, Some(&Delivery::Sent), NOW).is_noted(Channel::Webhook));
        let gone = judge(&claimed, Some(&Delivery::Unreachable { reason: "gone" }), NOW);
        assert!(gone.is_noted(Channel::Webhook) && gone.settled == Settled::Done);
        let late = given_up(&claimed, claimed.expires).unwrap();
        assert!(late.is_noted(Channel::Webhook));
    }

    #[test]
    fn nothing_is_tried_beyond_its_life() {
        let claimed = message(Channel::Sms, 2).claimed(NOW, HOLD);
        let later = Delivery::NotNow {
            retry_after: Some(Lifetime::from_secs(3)),
            reason: "throttled",
        };
        assert_eq!(judge(&claimed, Some(&later), NOW).settled, Settled::Done);
        let late = NOW.plus(Lifetime::from_secs(2));
        assert_eq!(given_up(&claimed, late).unwrap().reason, "expired");
    }
}
