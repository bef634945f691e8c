//! Records to store, with every field filled.

use std::sync::Arc;

use domain::access::RoleMapping;
use domain::application::{Application, ApplicationCredential, ApplicationDetails, ApplicationKey, KeyType};
use domain::audit::{Actor, AuditEvent, AuditKind, NetworkHash};
use domain::credential::{Passkey, PasswordHash, RecoveryCodes, SmsCode, TotpApp};
use domain::entropy::CountingEntropy;
use domain::flow_record::{
    Authorization, Exchange, FlowBody, FlowKind, FlowRecord, Join, NewApp, PasskeyCall, PasskeyPurpose,
    PendingLink, PendingLogin, Purpose, RefreshRecord,
};
use domain::id::{
    ApplicationId, CredentialId, DeviceId, EntryName, FactorId, IdentityId, MessageId, PoolName,
    ProviderName, RefreshId, RoleId, RoleMappingId, RoleName, SessionId, UserId, UserKey,
};
use domain::identity::{
    CredentialStatus, FederatedSession, Identity, IdentityKey, PersonName, Profile, ProfileEmail,
    ProviderSession, UserCredential,
};
use domain::limits::ClientAddress;
use domain::origin::{Agent, RequestId};
use domain::outbox::{Channel, OutboxMessage};
use domain::secret::{MacKey, Sealed, Token, TokenHash};
use domain::session::{Factor, Impersonator, Session, TokenLife};
use domain::time::{Lifetime, Timestamp};
use domain::user::{Attributes, Device, Email, Factors, Phone, Revision, SessionEpoch, User, Username};
use serde_json::{Map, json};

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
        "small": 0.1, "third": 0.333_333_333_333_333_3, "tiny": 1.105_334_951_224_730_9e-98,
        "large": u64::MAX, "negative": i64::MIN, "text": "a\u{0}b\n'\"\\",
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
        identities: Arc::new(vec![full_identity(), identity("facebook", "1020304050")]),
        credentials: Arc::new(vec![full_credential(), credential("facebook-login")]),
        factors: Arc::new(full_factors()),
        devices: Arc::new(vec![full_device(), device("new")]),
        mappings: Arc::new(vec![RoleMapping {
            id: RoleMappingId::new(format!("mapping of {key}")),
            role: RoleId::new("clerk"),
            created: at(7),
        }]),
        disabled: Some(at(8)),
        attributes: Attributes::restore(attributes.as_object().cloned().unwrap_or_default()),
        session_epoch: SessionEpoch::new(u32::MAX),
        spared_session: Some(SessionId::new("spared")),
        created: Timestamp::from_millis(-1),
        modified: at(1),
    }
}

/// A user of the pool `Users` who is linked to these accounts elsewhere.
pub fn linked(id: &str, identities: Vec<Identity>) -> User {
    User {
        identities: Arc::new(identities),
        ..blank(&key("Users", id))
    }
}

/// The account of that subject at that provider, and nothing said about the person.
pub fn identity(provider: &str, subject: &str) -> Identity {
    let issuer = format!("https://{provider}.example");
    let key = IdentityKey::new(ProviderName::new(provider), &issuer, subject, None);
    Identity {
        id: IdentityId::new(format!("identity-{provider}-{subject}")),
        key: key.expect("a good subject"),
        auth_scheme: "oAuth 2.0".to_owned(),
        profile: Profile::default(),
        roles: Vec::new(),
        created: at(0),
        modified: at(0),
    }
}

/// An account elsewhere with every field filled.
fn full_identity() -> Identity {
    let text = |text: &str| Some(text.to_owned());
    let key = IdentityKey::new(
        ProviderName::new("Gögle"),
        "https://login.example/{tenant}/v2.0",
        "auth0|Zoë 李雷\u{1f600}'\"\\%_",
        Some("client-1"),
    );
    let mail = |value: &str, verified| ProfileEmail {
        value: value.to_owned(),
        verified,
    };
    Identity {
        id: IdentityId::new("0192f0c1-7f3a-7cc0-9d3e-0a1b2c3d4e5f"),
        key: key.expect("a good subject"),
        auth_scheme: "openid connect".to_owned(),
        profile: Profile {
            username: text("zoë"),
            display_name: text("Zoë \"李雷\" O'Neil\\\u{1f600}"),
            name: PersonName {
                family_name: text("O'Neil"),
                given_name: text("Zoë"),
                middle_name: text("X."),
            },
            emails: vec![mail("zoë@bücher.example", true), mail("other@example.com", false)],
            photos: vec!["https://pictures.example/1?s=2&t=3".to_owned()],
            profile_url: text("https://login.example/zoë"),
        },
        roles: vec![RoleName::new("staff"), RoleName::new("Bücher\u{1f600}'")],
        created: Timestamp::from_millis(-1),
        modified: at(1),
    }
}

/// What may be done through that entry, with little said about it.
pub fn credential(entry: &str) -> UserCredential {
    UserCredential {
        id: CredentialId::new(format!("credential-{entry}")),
        identity: IdentityId::new("identity-facebook-1020304050"),
        entry: EntryName::new(entry),
        linked: false,
        client_id: String::new(),
        application: None,
        tokens: Sealed::from_bytes(Vec::new()),
        expires: None,
        scopes: Vec::new(),
        status: CredentialStatus::Revoked,
        created: at(0),
        modified: at(0),
    }
}

/// A grant with every field filled.
fn full_credential() -> UserCredential {
    UserCredential {
        identity: IdentityId::new("0192f0c1-7f3a-7cc0-9d3e-0a1b2c3d4e5f"),
        linked: true,
        client_id: "client-1".to_owned(),
        application: Some(ApplicationId::new("00112233445566778899aabbccddeeff")),
        tokens: Sealed::from_bytes((0..=255).collect()),
        expires: Some(at(3600)),
        scopes: vec![
            "email".to_owned(),
            "https://login.example/auth/photos.read".to_owned(),
        ],
        status: CredentialStatus::ScopeLost,
        modified: at(1),
        ..credential("google-link")
    }
}

/// A client application of that id with nothing but a name.
pub fn application(id: &str) -> Application {
    Application {
        id: ApplicationId::new(id),
        revision: Revision::default(),
        name: "shop".to_owned(),
        keys: Vec::new(),
        credentials: Vec::new(),
        mappings: Vec::new(),
        disabled: None,
        details: ApplicationDetails::default(),
        created: at(0),
        modified: at(0),
    }
}

/// A client application with every field filled.
pub fn full_application(id: &str) -> Application {
    let keys = KeyType::ALL.map(|kind| ApplicationKey {
        kind,
        hash: token(kind.name()),
    });
    let client = ApplicationCredential {
        provider: ProviderName::new("Gögle"),
        auth_scheme: "openid connect".to_owned(),
        client_id: "client-1 '\"\\".to_owned(),
        client_secret: Some(Sealed::from_bytes((0..=255).collect())),
        callback_url: Some("https://shop.example/auth/callback?a=b".to_owned()),
        created: Timestamp::from_millis(-1),
        modified: at(1),
    };
    let public = ApplicationCredential {
        provider: ProviderName::new("twitter"),
        client_secret: None,
        callback_url: None,
        ..client.clone()
    };
    Application {
        revision: Revision::new(u64::MAX - 7),
        name: "Zoës \"Läden\" 李雷\u{1f600}".to_owned(),
        keys: keys.to_vec(),
        credentials: vec![client, public],
        mappings: vec![RoleMapping {
            id: RoleMappingId::new("mapping of an application"),
            role: RoleId::new("clerk"),
            created: at(7),
        }],
        disabled: Some(at(8)),
        details: ApplicationDetails {
            description: Some("what it is for".to_owned()),
            owner: Some("7".to_owned()),
            collaborators: vec!["8".to_owned(), "Zoë".to_owned()],
            callback_urls: vec!["https://shop.example/back?a=b".to_owned()],
            status: Some("sandbox".to_owned()),
            others: Map::from_iter([("permissions".to_owned(), json!([1, {"deep": null}]))]),
            ..ApplicationDetails::default()
        },
        created: Timestamp::from_millis(-1),
        modified: at(1),
        ..application(id)
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
        proven: at(30),
        last_used: Some(at(45)),
        idle: Some(Lifetime::from_millis(7_200_001)),
        agent: Agent::of("Mozilla/5.0 (X11; Linux x86_64; rv:130.0) \"Gecko\"/20100101 Firefox/130.0"),
        address: Some(address()),
        refresh: Some(RefreshId::new("chain-1")),
        federated: Some(Box::new(federated())),
        impersonator: Some(Box::new(Impersonator {
            user: UserKey::new(user.pool.clone(), UserId::new("boss")),
            session: SessionId::new("session-of-boss"),
            epoch: SessionEpoch::new(9),
        })),
    }
}

/// The same with nothing said that need not be: as sessions were before there was more to say.
pub fn plain_session(user: &UserKey, text: &str) -> Session {
    let full = session(user, text);
    Session {
        proven: full.created,
        last_used: None,
        idle: None,
        agent: None,
        address: None,
        refresh: None,
        federated: None,
        impersonator: None,
        ..full
    }
}

/// Where the samples come from.
pub fn address() -> ClientAddress {
    ClientAddress::of([192, 0, 2, 7].into())
}

/// An event about that user of the pool `Users`, with every field filled.
pub fn event(kind: AuditKind, id: &str) -> AuditEvent {
    AuditEvent {
        at: at(0),
        kind,
        user: Some(key("Users", id)),
        actor: Actor::Client,
        network: Some(network(7)),
        request: Some(RequestId::new("request-1")),
        detail: Some("google-login".to_owned()),
    }
}

/// The hash of a network.
pub fn network(number: u8) -> NetworkHash {
    NetworkHash::of(
        &ClientAddress::of([192, 0, 2, number].into()),
        &MacKey::new([7; 32]),
    )
}

/// A mail that is due at [`START`] and of use for a day.
pub fn message(user: &UserKey, id: &str) -> OutboxMessage {
    OutboxMessage {
        id: MessageId::new(id),
        user: user.clone(),
        channel: Channel::Mail,
        payload: Sealed::from_bytes((0..=255).collect()),
        created: at(-1),
        due: at(0),
        expires: at(86_400),
        attempts: 0,
        settled: 0,
        held_until: None,
    }
}

/// Second factors of every kind, with every field filled.
fn full_factors() -> Factors {
    let app = TotpApp {
        id: FactorId::new("factor-app"),
        name: "Zoës \"Handy\" 李雷\u{1f600}".to_owned(),
        secret: Sealed::from_bytes((0..=255).collect()),
        last_step: 59_842_932,
        created: Timestamp::from_millis(-1),
        last_used: Some(at(1)),
    };
    let unused = TotpApp {
        id: FactorId::new("factor-app-2"),
        name: "another".to_owned(),
        last_used: None,
        ..app.clone()
    };
    let passkey = Passkey {
        id: FactorId::new("factor-passkey"),
        name: "Zoës Schlüssel".to_owned(),
        credential: "AQIDBAUGBwgJCgsMDQ4PEA".to_owned(),
        material: json!({"key": "a'\"\\b", "of": [1, 2]}).to_string(),
        sign_count: u32::MAX,
        user_verifying: true,
        backup_eligible: true,
        backed_up: false,
        created: at(-9),
        last_used: Some(at(2)),
    };
    Factors {
        totp: vec![app, unused],
        recovery: Some(RecoveryCodes {
            left: vec![token("code 1"), token("code 2")],
            created: at(3),
        }),
        passkeys: vec![passkey],
    }
}

/// A device that nothing more is known of.
pub fn device(text: &str) -> Device {
    Device {
        id: DeviceId::new(format!("device-{text}")),
        token: token(text),
        name: None,
        created: at(0),
        last_used: at(0),
        trusted_until: None,
    }
}

/// A device with every field filled.
fn full_device() -> Device {
    Device {
        name: Some("Firefox on Linux".to_owned()),
        created: Timestamp::from_millis(-1),
        last_used: at(5),
        trusted_until: Some(at(2_592_000)),
        ..device("trusted")
    }
}

/// A flow of that kind that is void ten minutes after [`START`], under the token of that text.
pub fn flow(user: &UserKey, kind: FlowKind, text: &str) -> FlowRecord {
    let id = token(text);
    FlowRecord {
        id,
        pool: user.pool.clone(),
        user: Some(user.id.clone()),
        created: at(0),
        expires: at(600),
        body: body(kind, &id),
    }
}

/// The same, begun before anybody was known.
pub fn flow_of_nobody(pool: &str, kind: FlowKind, text: &str) -> FlowRecord {
    FlowRecord {
        user: None,
        ..flow(&key(pool, ""), kind, text)
    }
}

fn body(kind: FlowKind, id: &TokenHash) -> FlowBody {
    match kind {
        FlowKind::PendingLogin => FlowBody::PendingLogin(PendingLogin {
            address: address(),
            epoch: SessionEpoch::new(2),
            life: TokenLife::Eternal,
            phone: Phone::parse("+491701234567"),
            code: Some(code(id)),
            session: SessionId::new("to-be"),
            refresh: true,
            first: Factor::Sms,
            link: Some(Box::new(pending_link())),
            app: Some(Box::new(NewApp {
                factor: FactorId::new("to-be"),
                name: "Zoës Telefon".to_owned(),
                secret: Sealed::from_bytes(vec![0, 7, 255]),
            })),
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
        FlowKind::Authorization => FlowBody::Authorization(Box::new(authorization())),
        FlowKind::Exchange => FlowBody::Exchange(Exchange {
            epoch: SessionEpoch::new(4),
            code_challenge: "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM".to_owned(),
            link: Some(Box::new(pending_link())),
        }),
        FlowKind::Join => FlowBody::Join(Box::new(Join {
            link: pending_link(),
            epoch: SessionEpoch::new(5),
            code: Some(code(id)),
            entry: EntryName::new("google-login"),
            return_to: Some("/welcome?a=b".to_owned()),
            code_challenge: None,
        })),
        FlowKind::Passkey => FlowBody::Passkey(Box::new(PasskeyCall {
            state: json!({"challenge": "Zoë\u{0}'\"\\"}).to_string(),
            purpose: PasskeyPurpose::SecondFactor {
                pending: token("pending"),
            },
        })),
        FlowKind::EnrolTotp => FlowBody::EnrolTotp {
            factor: FactorId::new("factor-1"),
            name: "Zoës Handy".to_owned(),
            secret: Sealed::from_bytes(vec![0, 1, 254, 255]),
            epoch: SessionEpoch::new(6),
        },
        FlowKind::MagicLink => FlowBody::MagicLink {
            address: "zoë@bücher.example".to_owned(),
            epoch: SessionEpoch::new(7),
            return_to: Some("/welcome?a=b".to_owned()),
        },
        FlowKind::RevertEmail => FlowBody::RevertEmail {
            address: "zoë@bücher.example".to_owned(),
            verified: true,
        },
        FlowKind::SetUp => FlowBody::SetUp {
            token: token("the first link"),
        },
        FlowKind::Refresh => FlowBody::Refresh(Box::new(refresh())),
    }
}

fn refresh() -> RefreshRecord {
    RefreshRecord {
        chain: RefreshId::new("chain-1"),
        session: SessionId::new("session-1"),
        epoch: SessionEpoch::new(8),
        began: at(-600),
        factors: vec![Factor::Password, Factor::VerifiedPasskey],
        proven: at(-300),
        agent: Agent::of("curl/8.5.0"),
        access: token("access"),
        salt: token("salt"),
        used: Some(at(-1)),
        arrived: Some(at(-2)),
    }
}

fn authorization() -> Authorization {
    Authorization {
        entry: EntryName::new("google-link"),
        purpose: Purpose::Link {
            user: UserId::new("Zoë"),
            session: token("session"),
        },
        browser: token("browser"),
        seed: token("seed"),
        redirect_uri: "https://login.example.com/auth/google/callback".to_owned(),
        application: Some(ApplicationId::new("00112233445566778899aabbccddeeff")),
        carry: Some(Sealed::from_bytes(vec![0, 1, 254, 255])),
        return_to: Some("https://app.example/Zoë".to_owned()),
        code_challenge: Some("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM".to_owned()),
    }
}

fn pending_link() -> PendingLink {
    PendingLink {
        identity: full_identity(),
        credential: Some(full_credential()),
        session: Some(federated()),
    }
}

fn federated() -> FederatedSession {
    FederatedSession {
        entry: EntryName::new("Bücher-saml"),
        identity: full_identity().id,
        session: ProviderSession {
            index: "_be9967abd904ddcae3c0eb4189adbe3f71e327cf93".to_owned(),
            subject: r#"{"value":"Zoë 李雷"}"#.to_owned(),
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
