//! One record as one line of JSON, and back, losing nothing.

use domain::access::{AccessState, RoleMapping};
use domain::application::Application;
use domain::id::RoleId;
use domain::outbox::OutboxMessage;
use domain::secret::Sealed;
use domain::session::Session;
use domain::stored::{StoredAccess, StoredApplication, StoredSession, StoredUser};
use domain::user::{Revision, User};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::tally::Kind;

/// Something that travels.
#[derive(Clone, Debug, PartialEq)]
pub enum Record {
    /// Every role and every stored access rule.
    Access(AccessState),
    /// A user.
    User(Box<User>),
    /// A client application.
    Application(Application),
    /// A session.
    Session(Session),
    /// A mail that waits for its carrier.
    Message(OutboxMessage),
}

impl Record {
    /// Of which kind it is.
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Access(_) => Kind::Access,
            Self::User(_) => Kind::User,
            Self::Application(_) => Kind::Application,
            Self::Session(_) => Kind::Session,
            Self::Message(_) => Kind::Message,
        }
    }

    /// Which change of it this is; none for what never changes.
    pub const fn revision(&self) -> Option<Revision> {
        match self {
            Self::Access(access) => Some(access.revision),
            Self::User(user) => Some(user.revision),
            Self::Application(application) => Some(application.revision),
            Self::Session(_) | Self::Message(_) => None,
        }
    }

    /// The same as another change of it: what it says is what counts when two are held against each other, not how often it was said.
    #[must_use]
    pub fn at(mut self, revision: Revision) -> Self {
        match &mut self {
            Self::Access(access) => access.revision = revision,
            Self::User(user) => user.revision = revision,
            Self::Application(application) => application.revision = revision,
            Self::Session(_) | Self::Message(_) => {}
        }
        self
    }

    /// How people are told which one it is: by its id, which is no secret.
    pub fn name(&self) -> String {
        match self {
            Self::Access(_) => "the record of roles and rules".to_owned(),
            Self::User(user) => format!("user {}", user.key),
            Self::Application(application) => format!("application {}", application.id),
            Self::Session(session) => format!("session {} of user {}", session.id, session.user),
            Self::Message(message) => format!("message {} to user {}", message.id, message.user),
        }
    }

    /// The one line a record has, without its end: names in alphabetical order at every depth, so that it does not depend on the
    /// order a store keeps them in.
    ///
    /// # Errors
    /// Never for what a store gave; the writer of JSON says so all the same.
    pub fn to_line(&self) -> Result<String, serde_json::Error> {
        match self {
            Self::Access(access) => line(Kind::Access, &StoredAccess::from(access)),
            Self::User(user) => line(Kind::User, &StoredUser::from(&**user)),
            Self::Application(application) => line(Kind::Application, &StoredApplication::from(application)),
            Self::Session(session) => line(Kind::Session, &StoredSession::from(session)),
            Self::Message(message) => line(Kind::Message, message),
        }
    }

    /// Reads what stands behind the name of a kind.
    ///
    /// # Errors
    /// Why it cannot be taken: it is no such record, or something in it would be lost.
    pub fn read(kind: Kind, value: &Value) -> Result<Self, String> {
        match kind {
            Kind::Access => read::<StoredAccess>(kind, value).map(|it| Self::Access(it.into())),
            Kind::User => read::<StoredUser>(kind, value).map(|user| Self::User(Box::new(user.into()))),
            Kind::Application => {
                read::<StoredApplication>(kind, value).map(|it| Self::Application(it.into()))
            }
            Kind::Session => read::<StoredSession>(kind, value).map(|it| Self::Session(it.into())),
            Kind::Message => read::<OutboxMessage>(kind, value).map(Self::Message),
        }
    }

    /// The roles that its mappings name.
    pub fn roles(&self) -> Vec<&RoleId> {
        let mappings: Vec<&RoleMapping> = match self {
            Self::User(user) => user.mappings.iter().collect(),
            Self::Application(application) => application.mappings.iter().collect(),
            Self::Access(access) => access.roles.iter().flat_map(|role| &role.mappings).collect(),
            Self::Session(_) | Self::Message(_) => Vec::new(),
        };
        mappings.into_iter().map(|mapping| &mapping.role).collect()
    }

    /// Everything in it that only the holder of the keys can read.
    pub fn sealed(&self) -> Vec<&Sealed> {
        match self {
            Self::User(user) => {
                let grants = user.credentials.iter().map(|grant| &grant.tokens);
                grants
                    .chain(user.factors.totp.iter().map(|app| &app.secret))
                    .collect()
            }
            Self::Application(application) => {
                let own = application.credentials.iter();
                own.filter_map(|own| own.client_secret.as_ref()).collect()
            }
            Self::Access(_) | Self::Session(_) => Vec::new(),
            Self::Message(message) => vec![&message.payload],
        }
    }
}

fn line(kind: Kind, stored: &impl Serialize) -> Result<String, serde_json::Error> {
    let mut value = serde_json::to_value(stored)?;
    value.sort_all_objects();
    Ok(format!("{{\"{}\":{value}}}", kind.name()))
}

/// Stored forms read records of newer versions without what those added. Here that would lose it for good, so that everything
/// that was read must be there again when it is written.
fn read<T: Serialize + DeserializeOwned>(kind: Kind, value: &Value) -> Result<T, String> {
    let name = kind.name();
    let stored = T::deserialize(value).map_err(|error| format!("this is no {name}: {error}"))?;
    let kept = serde_json::to_value(&stored).map_err(|error| format!("this is no {name}: {error}"))?;
    match lost(value, &kept) {
        None => Ok(stored),
        Some(place) => Err(format!(
            "this version of Portcullis does not know `{name}{}` and would lose it; import the file with the version that wrote it, or a newer one",
            place.escape_debug()
        )),
    }
}

/// Where something of `read` is not in `kept`.
fn lost(read: &Value, kept: &Value) -> Option<String> {
    match (read, kept) {
        (Value::Object(read), Value::Object(kept)) => read.iter().find_map(|(name, value)| {
            let within = match kept.get(name) {
                Some(kept) => lost(value, kept),
                None if says_nothing(value) => None,
                None => Some(String::new()),
            };
            within.map(|place| format!(".{name}{place}"))
        }),
        (Value::Array(read), Value::Array(kept)) if read.len() == kept.len() => {
            read.iter().zip(kept).find_map(|(read, kept)| lost(read, kept))
        }
        _ => (read != kept).then(String::new),
    }
}

/// Whether leaving it out says the same.
fn says_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(list) => list.is_empty(),
        Value::Object(map) => map.is_empty(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use conformance::sample;
    use serde_json::json;

    fn back(line: &str) -> Result<Record, String> {
        let value: Value = serde_json::from_str(line).unwrap();
        let (name, value) = value.as_object().unwrap().iter().next().unwrap();
        let kind = Kind::ALL.into_iter().find(|kind| kind.name() == name).unwrap();
        Record::read(kind, value)
    }

    fn everything() -> [Record; 4] {
        let ann = sample::key("Users", "ann");
        [
            Record::User(Box::new(sample::full_user(&ann))),
            Record::Application(sample::full_application("a")),
            Record::Session(sample::session(&ann, "token")),
            Record::Message(sample::message(&ann, "mail")),
        ]
    }

    #[test]
    fn every_record_is_one_line_and_comes_back_from_it() {
        for record in everything() {
            let line = record.to_line().unwrap();
            assert!(!line.contains('\n'), "{line}");
            assert_eq!(back(&line).unwrap(), record);
            assert_eq!(back(&line).unwrap().to_line().unwrap(), line);
        }
    }

    #[test]
    fn the_order_of_names_in_a_store_makes_no_other_line() {
        let with = |attributes: Value| {
            let mut user = sample::blank(&sample::key("Users", "ann"));
            user.attributes = domain::user::Attributes::restore(attributes.as_object().unwrap().clone());
            Record::User(Box::new(user)).to_line().unwrap()
        };
        let (one, other) = (
            json!({"a": 1, "b": [{"c": 2, "d": 3}]}),
            json!({"b": [{"d": 3, "c": 2}], "a": 1}),
        );
        assert_eq!(with(one), with(other));
    }

    #[test]
    fn what_this_version_does_not_know_is_refused_by_its_name() {
        for (kind, at) in [
            (Kind::User, ""),
            (Kind::User, "/identities/0/profile"),
            (Kind::Session, ""),
            (Kind::Message, ""),
        ] {
            let record = everything()
                .into_iter()
                .find(|record| record.kind() == kind)
                .unwrap();
            let line: Value = serde_json::from_str(&record.to_line().unwrap()).unwrap();
            let mut value = line[kind.name()].clone();
            assert!(Record::read(kind, &value).is_ok());
            value.pointer_mut(at).unwrap()["new_factor"] = json!("x");
            let refused = Record::read(kind, &value).unwrap_err();
            assert!(
                refused.contains(".new_factor`") && refused.contains("would lose it"),
                "{refused}"
            );
        }
    }

    #[test]
    fn what_an_older_version_left_out_is_filled_in_and_null_is_the_same_as_absent() {
        let value =
            json!({"pool": "Users", "id": "1", "revision": 0, "created": 5, "modified": 6, "phone": null});
        let record = Record::read(Kind::User, &value).unwrap();
        assert_eq!(record.name(), "user Users/1");
    }

    #[test]
    fn what_is_no_record_is_refused() {
        for bad in [
            json!({}),
            json!([]),
            json!("x"),
            json!({"pool": "Users", "id": 7}),
        ] {
            assert!(Record::read(Kind::User, &bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn every_sealed_value_is_found() {
        let [user, application, session, message] = everything();
        assert_eq!(user.sealed().len(), 4, "two grants, two authenticator apps");
        assert_eq!(application.sealed().len(), 1);
        assert!(session.sealed().is_empty());
        assert_eq!(message.sealed().len(), 1);
    }
}
