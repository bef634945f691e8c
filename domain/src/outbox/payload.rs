//! What a kept message says: the form that is sealed.

use serde::{Deserialize, Serialize};

use super::Channel;
use crate::id::{MessageId, UserKey, WebhookName};
use crate::message::{MailKind, MailMessage, SmsMessage};
use crate::ports::SealBinding;
use crate::secret::Secret;
use crate::time::Lifetime;
use crate::user::{Email, Phone};
use crate::webhook::{self, WebhookMessage};

/// A message of any kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// A text message.
    Sms(Box<SmsMessage>),
    /// A mail.
    Mail(Box<MailMessage>),
    /// An event for a service.
    Webhook(Box<WebhookMessage>),
}

/// To what a kept message is bound.
pub fn message_binding(id: &MessageId, user: &UserKey) -> SealBinding {
    SealBinding {
        kind: "outbox-message",
        owner: vec![user.pool.to_string(), user.id.to_string(), id.to_string()],
    }
}

#[derive(Serialize, Deserialize)]
struct SmsForm {
    name: String,
    phone: Option<String>,
    code: String,
    life: Lifetime,
    language: String,
}

#[derive(Serialize, Deserialize)]
struct WebhookForm {
    endpoint: WebhookName,
    body: String,
}

#[derive(Serialize, Deserialize)]
struct MailForm {
    to: String,
    key: String,
    kind: MailKind,
    language: String,
}

impl Message {
    /// What carries it.
    pub const fn channel(&self) -> Channel {
        match self {
            Self::Sms(_) => Channel::Sms,
            Self::Mail(_) => Channel::Mail,
            Self::Webhook(_) => Channel::Webhook,
        }
    }

    /// Whom it is about.
    pub const fn user(&self) -> &UserKey {
        match self {
            Self::Sms(sms) => &sms.user,
            Self::Mail(mail) => &mail.user,
            Self::Webhook(webhook) => &webhook.user,
        }
    }

    /// How long it is of use.
    pub fn life(&self) -> Lifetime {
        match self {
            Self::Sms(sms) => sms.life,
            Self::Mail(mail) => mail.kind.life(),
            Self::Webhook(_) => webhook::LIFE,
        }
    }

    /// The same after it waited: a carrier is told how long a code is still of use. What a mail says of its link's life stands in it
    /// from the beginning.
    #[must_use]
    pub fn with_life(self, left: Lifetime) -> Self {
        match self {
            Self::Sms(sms) => Self::Sms(Box::new(SmsMessage { life: left, ..*sms })),
            Self::Mail(_) | Self::Webhook(_) => self,
        }
    }

    /// The text to seal; none only if it cannot be written as JSON, which no message is.
    pub fn to_secret(&self) -> Option<Secret> {
        let text = match self {
            Self::Sms(sms) => serde_json::to_string(&SmsForm {
                name: sms.name.clone(),
                phone: sms.phone.as_ref().map(|phone| phone.as_str().to_owned()),
                code: sms.code.expose().to_owned(),
                life: sms.life,
                language: sms.language.clone(),
            }),
            Self::Mail(mail) => serde_json::to_string(&MailForm {
                to: mail.to.as_str().to_owned(),
                key: mail.to.key().to_owned(),
                kind: mail.kind.clone(),
                language: mail.language.clone(),
            }),
            Self::Webhook(webhook) => serde_json::to_string(&WebhookForm {
                endpoint: webhook.endpoint.clone(),
                body: webhook.body.expose().to_owned(),
            }),
        };
        text.ok().map(Secret::new)
    }

    /// Reads what [`Message::to_secret`] wrote.
    pub fn from_secret(channel: Channel, user: &UserKey, secret: &Secret) -> Option<Self> {
        Some(match channel {
            Channel::Sms => {
                let form: SmsForm = serde_json::from_str(secret.expose()).ok()?;
                Self::Sms(Box::new(SmsMessage {
                    user: user.clone(),
                    name: form.name,
                    phone: form.phone.map(Phone::restore),
                    code: Secret::new(form.code),
                    life: form.life,
                    language: form.language,
                }))
            }
            Channel::Mail => {
                let form: MailForm = serde_json::from_str(secret.expose()).ok()?;
                Self::Mail(Box::new(MailMessage {
                    user: user.clone(),
                    to: Email::restore(form.to, form.key),
                    kind: form.kind,
                    language: form.language,
                }))
            }
            Channel::Webhook => {
                let form: WebhookForm = serde_json::from_str(secret.expose()).ok()?;
                Self::Webhook(Box::new(WebhookMessage {
                    user: user.clone(),
                    endpoint: form.endpoint,
                    body: Secret::new(form.body),
                }))
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{PoolName, UserId};

    #[test]
    fn a_message_survives_its_sealed_form() {
        let user = UserKey::new(PoolName::new("Users"), UserId::new("1"));
        let sms = Message::Sms(Box::new(SmsMessage {
            user: user.clone(),
            name: "ann".to_owned(),
            phone: Phone::parse("+491701234567"),
            code: Secret::new("012345"),
            life: Lifetime::from_secs(60),
            language: "de".to_owned(),
        }));
        let mail = Message::Mail(Box::new(MailMessage {
            user: user.clone(),
            to: Email::parse("Ann@example.com", false).unwrap(),
            kind: MailKind::ResetPassword {
                link: Secret::new("https://example.com/reset?token=x"),
                life: Lifetime::from_secs(900),
            },
            language: "en".to_owned(),
        }));
        let webhook = Message::Webhook(Box::new(WebhookMessage {
            user: user.clone(),
            endpoint: WebhookName::new("shop"),
            body: Secret::new(r#"{"type":"user.signed_up"}"#),
        }));
        for message in [sms, mail, webhook] {
            let text = message.to_secret().unwrap();
            assert_eq!(
                Message::from_secret(message.channel(), &user, &text),
                Some(message)
            );
        }
    }
}
