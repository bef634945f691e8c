//! What other services hear of what happens to users.
//!
//! A webhook hears the events it asked for, by the names of the audit log, as the Standard Webhooks specification has it: a body with
//! `type`, `timestamp` and `data`. The body names people by their ids and holds nothing that is theirs: whoever wants more asks for it
//! with a right to.

use serde_json::{Value, json};

use crate::audit::{Actor, AuditEvent, AuditKind};
use crate::id::{PoolName, UserId, UserKey, WebhookName};
use crate::origin::RequestId;
use crate::secret::Secret;
use crate::time::{Lifetime, Timestamp};

/// How long an event is tried to be told: a weekend.
pub const LIFE: Lifetime = Lifetime::from_secs(3 * 86_400);

/// A webhook: what it hears. Where it is, and by which secrets it knows us, its carrier knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Webhook {
    /// Its name in the configuration.
    pub name: WebhookName,
    /// The events it hears.
    pub kinds: Vec<AuditKind>,
    /// The pool whose users it hears of; none for every pool.
    pub pool: Option<PoolName>,
}

impl Webhook {
    /// Whether it hears that. An event about nobody is for no webhook.
    pub fn hears(&self, event: &AuditEvent) -> bool {
        let of_pool = |user: &UserKey| self.pool.as_ref().is_none_or(|pool| *pool == user.pool);
        is_told(event.kind) && self.kinds.contains(&event.kind) && event.user.as_ref().is_some_and(of_pool)
    }
}

/// Whether services may hear of events of that kind. What is said about messages is not told: telling it would be a message again. Nor is
/// what strangers can cause at will: some of that is not kept either, and what is about somebody who exists, as a wrong password, would
/// take a moment longer than about nobody, which tells who exists.
pub fn is_told(kind: AuditKind) -> bool {
    let tells_who_exists = matches!(kind, AuditKind::LoginFailed | AuditKind::SignUpCollided);
    kind.is_kept() && !tells_who_exists && !kind.name().starts_with("message.")
}

/// An event on its way to a webhook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebhookMessage {
    /// Whom it is about.
    pub user: UserKey,
    /// Where it goes.
    pub endpoint: WebhookName,
    /// The body, as it is signed and sent.
    pub body: Secret,
}

/// What a webhook is told of an event; none where it is about nobody.
pub fn message(webhook: &Webhook, event: &AuditEvent) -> Option<WebhookMessage> {
    let user = event.user.clone()?;
    let mut data = json!({
        "pool": user.pool.as_str(),
        "user": user.id.as_str(),
        "actor": actor(&event.actor),
    });
    if let Some(data) = data.as_object_mut() {
        let request = event.request.as_ref().map(RequestId::as_str);
        // Stable words, but for the reason that an administrator gave, which may say anything about anybody.
        let is_free = event.kind == AuditKind::ImpersonationBegun;
        let detail = event.detail.as_deref().filter(|_| !is_free);
        for (name, value) in [("detail", detail), ("request", request)] {
            if let Some(value) = value {
                data.insert(name.to_owned(), value.into());
            }
        }
    }
    let body = json!({ "type": event.kind.name(), "timestamp": event.at.to_iso8601(), "data": data });
    Some(WebhookMessage {
        user,
        endpoint: webhook.name.clone(),
        body: Secret::new(body.to_string()),
    })
}

/// An event that means nothing, for a service to be tried with.
pub fn trial(webhook: &str, now: Timestamp) -> WebhookMessage {
    let body = json!({ "type": "webhook.test", "timestamp": now.to_iso8601(), "data": {} });
    WebhookMessage {
        user: UserKey::new(PoolName::new(""), UserId::new("")),
        endpoint: WebhookName::new(webhook),
        body: Secret::new(body.to_string()),
    }
}

fn actor(actor: &Actor) -> Value {
    match actor {
        Actor::Client => json!({ "kind": "client" }),
        Actor::Application(id) => json!({ "kind": "application", "id": id.as_str() }),
        Actor::User(key) => json!({ "kind": "user", "pool": key.pool.as_str(), "id": key.id.as_str() }),
        Actor::Operator => json!({ "kind": "operator" }),
        Actor::Server => json!({ "kind": "server" }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::ApplicationId;

    fn event(kind: AuditKind, user: Option<UserKey>) -> AuditEvent {
        AuditEvent::of_server(Timestamp::from_millis(0), kind, user, Actor::Server)
    }

    fn key(pool: &str) -> UserKey {
        UserKey::new(PoolName::new(pool), UserId::new("7"))
    }

    fn webhook(kinds: &[AuditKind], pool: Option<&str>) -> Webhook {
        Webhook {
            name: WebhookName::new("shop"),
            kinds: kinds.to_vec(),
            pool: pool.map(PoolName::new),
        }
    }

    #[test]
    fn a_webhook_hears_what_it_asked_for_of_its_pool_and_nothing_else() {
        let all = webhook(AuditKind::ALL, None);
        let staff = webhook(&[AuditKind::LoggedIn], Some("Staff"));
        let login = |pool| event(AuditKind::LoggedIn, Some(key(pool)));
        assert!(all.hears(&login("Users")) && all.hears(&login("Staff")));
        assert!(staff.hears(&login("Staff")) && !staff.hears(&login("Users")));
        assert!(!staff.hears(&event(AuditKind::SignedUp, Some(key("Staff")))));
        assert!(!all.hears(&event(AuditKind::LoginFailed, None)), "about nobody");
    }

    #[test]
    fn a_trial_is_no_kind_of_event_that_could_happen() {
        let trial = trial("shop", Timestamp::from_millis(0));
        let body: Value = serde_json::from_str(trial.body.expose()).unwrap();
        assert_eq!((trial.endpoint.as_str(), &body["data"]), ("shop", &json!({})));
        assert!(AuditKind::named(body["type"].as_str().unwrap()).is_none());
    }

    #[test]
    fn nobody_hears_of_messages_nor_of_what_strangers_cause_at_will() {
        let all = webhook(AuditKind::ALL, None);
        for kind in AuditKind::ALL {
            let loops = kind.name().starts_with("message.") || !kind.is_kept();
            let tells = ["login.failed", "user.sign_up_collided"].contains(&kind.name());
            let hears = all.hears(&event(*kind, Some(key("Users"))));
            assert_eq!(hears, !loops && !tells, "{}", kind.name());
        }
    }

    #[test]
    fn the_body_names_who_and_what_and_holds_nothing_else() {
        let hook = webhook(&[], None);
        let told = AuditEvent {
            actor: Actor::User(key("Staff")),
            request: Some(RequestId::new("r-1")),
            ..event(AuditKind::UserDisabled, Some(key("Users")))
        };
        let body = |event: &AuditEvent| -> Value {
            let message = message(&hook, event).unwrap();
            serde_json::from_str(message.body.expose()).unwrap()
        };
        let data = json!({
            "pool": "Users", "user": "7", "actor": {"kind": "user", "pool": "Staff", "id": "7"}, "request": "r-1",
        });
        let expected =
            json!({ "type": "user.disabled", "timestamp": "1970-01-01T00:00:00.000Z", "data": data });
        assert_eq!(body(&told), expected);
        let linked = event(AuditKind::IdentityLinked, Some(key("Users"))).about("google");
        assert_eq!(body(&linked)["data"]["detail"], "google");
        let begun = event(AuditKind::ImpersonationBegun, Some(key("Users"))).about("Ann Smith cannot log in");
        assert_eq!(body(&begun)["data"].get("detail"), None, "free text");
        let actors = [
            (Actor::Client, json!({"kind": "client"})),
            (
                Actor::Application(ApplicationId::new("a")),
                json!({"kind": "application", "id": "a"}),
            ),
            (Actor::Operator, json!({"kind": "operator"})),
            (Actor::Server, json!({"kind": "server"})),
        ];
        for (actor, expected) in actors {
            let event = AuditEvent {
                actor,
                ..linked.clone()
            };
            assert_eq!(body(&event)["data"]["actor"], expected);
        }
        assert_eq!(message(&hook, &event(AuditKind::RoleCreated, None)), None);
    }
}
