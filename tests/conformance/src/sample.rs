//! Records to store, with every field filled.

use domain::credential::{PasswordHash, SmsCode};
use domain::entropy::CountingEntropy;
use domain::flow_record::{FlowBody, FlowKind, FlowRecord, PendingLogin};
use domain::id::{PoolName, SessionId, UserId, UserKey};
use domain::limits::ClientAddress;
use domain::secret::{MacKey, Token, TokenHash};
use domain::session::{Factor, Session, TokenLife};
use domain::time::{Lifetime, Timestamp};
use domain::user::{Attributes, Email, Phone, Revision, SessionEpoch, User, Username};
use serde_json::json;

/// The moment the samples are made at, in milliseconds.
pub const START: i64 = 1_795_287_972_795;

/// `seconds` after [`START`], or before it.
pub fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(START + seconds * 1000)
}

/// The pool of that name.
pub fn pool(name: &str) -> PoolName {
    PoolName::new(name)
}

/// The user of that pool and id.
pub fn key(pool: &str, id: &str) -> UserKey {
    UserKey::new(PoolName::new(pool), UserId::new(id))
}

/// The hash of a token.
pub fn token(text: &str) -> TokenHash {
    Token::presented(text).hash()
}

/// A user with nothing but a name.
pub fn blank(key: &UserKey) -> User {
    User::blank(key.clone(), at(0))
}

/// A user of the pool `Users` with an address.
pub fn with_email(id: &str, address: &str) -> User {
    User {
        email: Some(Email::parse(address, false).expect("a good address")),
        ..blank(&key("Users", id))
    }
}

/// A user of the pool `Users` with a username.
pub fn with_username(id: &str, name: &str) -> User {
    User {
        username: Some(Username::parse(name).expect("a good name")),
        ..blank(&key("Users", id))
    }
}

/// A user with every field filled, some with what is easily lost on the way to a disk and back.
pub fn full_user(key: &UserKey) -> User {
    let attributes = json!({
        "colour": "red", "": "an empty name", "Ünï\u{1f600}": ["a", {"b": [true, 1.5e300]}],
        "small": 0.1, "third": 0.333_333_333_333_333_3, "large": u64::MAX, "negative": i64::MIN, "text": "a\u{0}b\n'\"\\",
    });
    User {
        key: key.clone(),
        revision: Revision::new(u64::MAX - 7),
        realm: Some("Nörd".to_owned()),
        username: Username::parse("Zoë 李雷"),
        email: Email::parse("Zoë.O'Neil+x@Bücher.example", false),
        email_verified: true,
        phone: Phone::parse("+491701234567"),
        factor_phone: Phone::parse("+81312345678"),
        password: Some(PasswordHash::new("$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA")),
        attributes: Attributes::restore(attributes.as_object().cloned().unwrap_or_default()),
        session_epoch: SessionEpoch::new(u32::MAX),
        spared_session: Some(SessionId::new("spared")),
        created: Timestamp::from_millis(-1),
        modified: at(1),
    }
}

/// A session of an hour, under the token of that text.
pub fn session(user: &UserKey, text: &str) -> Session {
    Session {
        id: SessionId::new(format!("session-{text}")),
        token: token(text),
        user: user.clone(),
        epoch: SessionEpoch::new(3),
        created: at(0),
        life: TokenLife::Finite(Lifetime::from_secs(3600)),
        factors: vec![Factor::Password, Factor::Sms],
    }
}

/// A flow of that kind that is void ten minutes after [`START`], under the token of that text.
pub fn flow(user: &UserKey, kind: FlowKind, text: &str) -> FlowRecord {
    let id = token(text);
    FlowRecord {
        id,
        user: user.clone(),
        created: at(0),
        expires: at(600),
        body: body(kind, &id),
    }
}

fn body(kind: FlowKind, id: &TokenHash) -> FlowBody {
    match kind {
        FlowKind::PendingLogin => FlowBody::PendingLogin(PendingLogin {
            address: ClientAddress::of([192, 0, 2, 7].into()),
            epoch: SessionEpoch::new(2),
            life: TokenLife::Eternal,
            phone: Phone::parse("+491701234567"),
            code: code(id),
            session: SessionId::new("to-be"),
        }),
        FlowKind::ConfirmPhone => FlowBody::ConfirmPhone {
            phone: Phone::restore("+491701234567"),
            code: code(id),
        },
        FlowKind::ConfirmEmail => FlowBody::ConfirmEmail {
            address: "zoë@bücher.example".to_owned(),
        },
        FlowKind::ResetPassword => FlowBody::ResetPassword {
            epoch: SessionEpoch::new(9),
        },
    }
}

fn code(id: &TokenHash) -> SmsCode {
    let (code, _digits) = SmsCode::draw(
        id,
        Lifetime::from_secs(60),
        at(0),
        &MacKey::new([7; 32]),
        &mut CountingEntropy::default(),
    );
    code
}
