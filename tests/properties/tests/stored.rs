//! State survives its stored form.
#![cfg(test)]

use std::fmt::Debug;

use domain::application::Application;
use domain::audit::AuditEvent;
use domain::flow_record::{FlowBody, FlowKind, FlowRecord};
use domain::id::{PoolName, UserId, UserKey};
use domain::session::{Factor, Session, TokenLife};
use domain::stored::{
    StoredApplication, StoredAuditEvent, StoredFlow, StoredSession, StoredTombstone, StoredUser,
};
use domain::time::{Lifetime, Timestamp};
use domain::tombstone::Tombstone;
use domain::user::{Attributes, Revision, SessionEpoch, User};
use properties::aggregates::{application, event, every_kind, flow, session, tombstone, user};
use properties::cases;
use properties::scenes::{begun, scene};
use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

/// An aggregate that has a stored form.
trait Kept: PartialEq + Debug + Sized {
    /// The form it is stored in.
    type Form: Serialize + DeserializeOwned + for<'a> From<&'a Self> + Into<Self>;

    /// The form as text.
    fn to_text(&self) -> serde_json::Result<String> {
        serde_json::to_string(&Self::Form::from(self))
    }

    /// What a text means.
    fn from_text(text: &str) -> serde_json::Result<Self> {
        serde_json::from_str::<Self::Form>(text).map(Into::into)
    }
}

impl Kept for User {
    type Form = StoredUser;
}
impl Kept for Session {
    type Form = StoredSession;
}
impl Kept for FlowRecord {
    type Form = StoredFlow;
}
impl Kept for Application {
    type Form = StoredApplication;
}
impl Kept for AuditEvent {
    type Form = StoredAuditEvent;
}
impl Kept for Tombstone {
    type Form = StoredTombstone;
}

/// What every stored form keeps to: it reads back as it was written, always in the same words, and what a newer server added does
/// not hinder an older one.
fn is_faithful<T: Kept>(kept: &T) -> TestCaseResult {
    let text = kept.to_text()?;
    let read = T::from_text(&text)?;
    prop_assert_eq!(&read, kept);
    prop_assert_eq!(read.to_text()?, text.as_str());
    let mut fields: Map<String, Value> = serde_json::from_str(&text)?;
    fields.insert("added_later".to_owned(), json!({"by": ["a newer server"]}));
    prop_assert_eq!(&T::from_text(&Value::Object(fields).to_string())?, kept);
    Ok(())
}

/// Whether some field of a form is there that says nothing: absent things are left out.
fn says_nothing(text: &str) -> serde_json::Result<bool> {
    let fields: Map<String, Value> = serde_json::from_str(text)?;
    Ok(fields.values().any(Value::is_null))
}

proptest! {
    #![proptest_config(cases(400))]

    #[test]
    fn a_user_reads_back(user in user()) {
        is_faithful(&user)?;
        prop_assert!(!says_nothing(&user.to_text()?)?);
        let shown = format!("{:?}", StoredUser::from(&user));
        let key = &user.key;
        prop_assert_eq!(shown, format!("StoredUser({}/{})", key.pool, key.id), "nothing else shows");
    }

    #[test]
    fn a_session_reads_back(session in session()) {
        is_faithful(&session)?;
    }

    #[test]
    fn a_whole_flow_reads_back(flow in flow()) {
        is_faithful(&flow)?;
        prop_assert!(!says_nothing(&flow.to_text()?)?);
    }

    #[test]
    fn an_application_reads_back(application in application()) {
        is_faithful(&application)?;
    }

    #[test]
    fn an_audit_event_reads_back(event in event()) {
        is_faithful(&event)?;
        prop_assert!(!says_nothing(&event.to_text()?)?);
    }

    #[test]
    fn a_tombstone_reads_back(stone in tombstone()) {
        is_faithful(&stone)?;
        prop_assert!(!says_nothing(&stone.to_text()?)?);
    }
}

proptest! {
    #![proptest_config(cases(1_000))]

    #[test]
    fn a_flow_reads_back_as_it_was_written(
        begun in (scene(), every_kind()).prop_flat_map(|(scene, kind)| begun(scene, kind)),
    ) {
        let body = &begun.record.body;
        let text = serde_json::to_string(body)?;
        prop_assert_eq!(&serde_json::from_str::<FlowBody>(&text)?, body);
        prop_assert!(!text.contains(begun.digits.expose()), "a code is stored in clear");
        let stored: Value = serde_json::from_str(&text)?;
        prop_assert_eq!(stored.get("kind").and_then(Value::as_str), Some(begun.record.kind().name()));
    }

    #[test]
    fn a_flow_of_a_newer_server_reads_without_what_it_added(
        begun in (scene(), every_kind()).prop_flat_map(|(scene, kind)| begun(scene, kind)),
    ) {
        let mut stored = serde_json::to_value(&begun.record.body)?;
        if let Some(fields) = stored.as_object_mut() {
            fields.insert("added_later".to_owned(), Value::from(true));
        }
        prop_assert_eq!(serde_json::from_value::<FlowBody>(stored)?, begun.record.body);
    }

    #[test]
    fn anything_else_is_no_flow(text in any::<String>()) {
        prop_assert!(serde_json::from_str::<FlowBody>(&text).is_err());
    }

    #[test]
    fn anything_else_is_no_record(text in any::<String>()) {
        prop_assert!(User::from_text(&text).is_err());
        prop_assert!(Session::from_text(&text).is_err());
        prop_assert!(FlowRecord::from_text(&text).is_err());
        prop_assert!(Application::from_text(&text).is_err());
        prop_assert!(AuditEvent::from_text(&text).is_err());
        prop_assert!(Tombstone::from_text(&text).is_err());
    }

    #[test]
    fn a_life_reads_back(millis in any::<u64>(), eternal in any::<bool>()) {
        let life = if eternal { TokenLife::Eternal } else { TokenLife::Finite(Lifetime::from_millis(millis)) };
        let text = serde_json::to_string(&life)?;
        prop_assert_eq!(serde_json::from_str::<TokenLife>(&text)?, life);
    }
}

#[test]
fn factors_are_stored_by_their_registered_names() {
    for factor in [Factor::Password, Factor::Sms] {
        let stored = serde_json::to_value(factor).expect("a factor is plain data");
        assert_eq!(stored, Value::from(factor.name()));
    }
}

const HASH: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";

/// The least an older server may have written.
fn older<T: Kept>(fields: &Value) -> T {
    T::from_text(&fields.to_string()).expect("an older record reads")
}

#[test]
fn a_user_of_an_older_server_reads() {
    let user: User = older(&json!({"pool": "Users", "id": "1", "revision": 7, "created": 5, "modified": 6}));
    let key = UserKey::new(PoolName::new("Users"), UserId::new("1"));
    let expected = User {
        revision: Revision::new(7),
        modified: Timestamp::from_millis(6),
        attributes: Attributes::default(),
        ..User::blank(key, Timestamp::from_millis(5))
    };
    assert_eq!(user, expected);
}

#[test]
fn a_session_of_an_older_server_reads() {
    let fields = json!({"token": HASH, "id": "s", "pool": "Users", "user": "1", "epoch": 3, "created": 5, "life": "Eternal"});
    let session: Session = older(&fields);
    assert_eq!(session.factors, []);
    assert_eq!(session.epoch, SessionEpoch::new(3));
    assert_eq!(session.life, TokenLife::Eternal);
}

#[test]
fn a_flow_of_an_older_server_reads() {
    let body = json!({"kind": "confirm_email", "address": "ann@example.com"});
    let fields = json!({"id": HASH, "pool": "Users", "created": 5, "expires": 6, "body": body});
    let flow: FlowRecord = older(&fields);
    assert_eq!(flow.user, None);
    assert_eq!(flow.kind(), FlowKind::ConfirmEmail);
}

#[test]
fn an_application_of_an_older_server_reads() {
    let fields = json!({"id": "a", "revision": 1, "name": "shop", "created": 5, "modified": 6});
    let application: Application = older(&fields);
    assert!(application.keys.is_empty() && application.credentials.is_empty());
}

#[test]
fn an_event_of_an_older_server_reads() {
    let event: AuditEvent = older(&json!({"at": 5, "kind": "login.failed"}));
    assert_eq!((event.user, event.network, event.detail), (None, None, None));
}

#[test]
fn an_eternal_tombstone_is_stored_by_its_token_alone() {
    let stone: Tombstone = older(&json!({"token": HASH}));
    assert_eq!(stone.until, None);
    assert_eq!(
        stone.to_text().expect("plain data"),
        json!({"token": HASH}).to_string()
    );
}
