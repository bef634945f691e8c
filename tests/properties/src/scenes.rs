//! Arbitrary facts for single steps, and the laws every step keeps.

use std::fmt::Debug;

use domain::audit::AuditKind;
use domain::credential::{PasswordHash, SmsCode};
use domain::error::Denial;
use domain::flow::{Ctx, Effect, Step};
use domain::flow_record::{
    Authorization, Exchange, FlowBody, FlowKind, FlowRecord, Join, PasskeyCall, PasskeyPurpose, PendingLink,
    PendingLogin, Purpose, RefreshRecord,
};
use domain::id::{
    EntryName, FactorId, IdentityId, PoolName, ProviderName, RefreshId, SessionId, UserId, UserKey,
};
use domain::identity::{Identity, IdentityKey, Profile};
use domain::limits::{LimitKey, Quota, Verdict};
use domain::origin::Origin;
use domain::policy::{AccessPolicy, Asked, Limits, Policy, PoolPolicy, SecondFactor};
use domain::ports::Verified;
use domain::secret::{MacKey, Secret, Token};
use domain::session::{Factor, Session, TokenLife};
use domain::time::{Lifetime, Timestamp};
use domain::user::{Attributes, Email, Phone, Revision, SessionEpoch, User, Username};
use proptest::prelude::*;

use crate::moves::{EMAILS, PASSWORDS, PHONES, PLACES, USERNAMES};
use crate::system::{POOL, place};
use crate::world::{START, Seeded};

/// The world as one step sees it.
#[derive(Clone, Debug)]
pub struct Scene {
    policy: Policy,
    /// The rules of the pool.
    pub pool: PoolPolicy,
    key: MacKey,
    /// The moment it is.
    pub now: Timestamp,
    origin: Origin,
    seed: u64,
}

impl Scene {
    /// Runs something with this world; every time with the same chance.
    pub fn run<T>(&self, act: impl FnOnce(&mut Ctx<'_>) -> T) -> T {
        let mut entropy = Seeded(self.seed);
        act(&mut Ctx {
            policy: &self.policy,
            pool: &self.pool,
            key: &self.key,
            now: self.now,
            origin: &self.origin,
            entropy: &mut entropy,
        })
    }

    /// The digits drawn for a flow that was begun at some moment, and the code kept of them.
    pub fn code(&self, flow: &Token, drawn: Timestamp) -> (SmsCode, Secret) {
        let mut entropy = Seeded(self.seed.wrapping_add(1));
        SmsCode::draw(&flow.hash(), self.pool.code_life, drawn, &self.key, &mut entropy)
    }
}

/// Any scene.
pub fn scene() -> impl Strategy<Value = Scene> {
    let second_factor = prop_oneof![
        Just(SecondFactor::Off),
        Just(SecondFactor::Optional),
        Just(SecondFactor::Required),
    ];
    let flags = (any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>());
    (second_factor, flags, any::<u64>(), 0..PLACES.len()).prop_map(|(second_factor, flags, seed, from)| {
        let mut pool = PoolPolicy::new(PoolName::new(POOL), "User");
        pool.second_factor = second_factor;
        pool.email_verification_required = flags.0;
        pool.hide_existing = flags.1;
        pool.case_sensitive_email = flags.2;
        pool.reject_password_changes_via_patch_or_replace = flags.3;
        let policy = Policy {
            pools: [(pool.name.clone(), pool.clone())].into(),
            limits: Limits::default(),
            public_url: "http://localhost:3000".to_owned(),
            service_name: "Example".to_owned(),
            language: "en".to_owned(),
            audit_life: Lifetime::from_secs(86_400),
            access: AccessPolicy::default(),
        };
        Scene {
            policy,
            pool,
            key: MacKey::new([7; 32]),
            now: Timestamp::from_millis(START),
            origin: place(from).into(),
            seed,
        }
    })
}

/// A user of one of three ids.
pub fn user() -> impl Strategy<Value = User> {
    let key = prop_oneof![Just("1"), Just("2"), Just("3")].prop_map(key);
    let contacts = (
        prop::option::of(prop::sample::select(&EMAILS[..])),
        prop::option::of(prop::sample::select(&USERNAMES[..])),
        prop::option::of(prop::sample::select(&PHONES[..])),
        prop::option::of(prop::sample::select(&PHONES[..])),
    );
    let password = prop::option::weighted(0.8, prop::sample::select(&PASSWORDS[..]));
    (key, contacts, password, any::<bool>(), 0_u64..1_000, 0_u32..3).prop_map(
        |(key, contacts, password, email_verified, revision, epoch)| User {
            username: contacts.1.and_then(Username::parse),
            email: contacts.0.and_then(|email| Email::parse(email, false)),
            email_verified,
            phone: contacts.2.and_then(Phone::parse),
            factor_phone: contacts.2.and(contacts.3).and_then(Phone::parse),
            password: password.map(|text| PasswordHash::new(format!("0$0${text}"))),
            attributes: Attributes::default(),
            revision: Revision::new(revision),
            session_epoch: SessionEpoch::new(epoch),
            ..User::blank(key, Timestamp::from_millis(START - 1_000_000))
        },
    )
}

fn key(id: &str) -> UserKey {
    UserKey::new(PoolName::new(POOL), UserId::new(id))
}

/// What a counter said.
pub fn verdict() -> impl Strategy<Value = Verdict> {
    prop_oneof![
        6 => Just(Verdict::Allowed),
        1 => (1_u64..100_000).prop_map(|millis| Verdict::denied(Lifetime::from_millis(millis))),
    ]
}

/// What the hasher found.
pub fn verified() -> impl Strategy<Value = Verified> {
    prop_oneof![
        2 => Just(Verified::Wrong),
        4 => Just(Verified::Right),
        1 => Just(Verified::RightAndRehashed(PasswordHash::new("1$1$again"))),
    ]
}

/// Counters a try was taken from.
pub fn taken() -> impl Strategy<Value = Asked> {
    let quota = Quota::Rate {
        burst: 3,
        per: Lifetime::from_secs(1),
    };
    prop::collection::vec(
        "[a-z]{1,4}".prop_map(move |what| (LimitKey::new(&what, &["x"]), quota)),
        0..3,
    )
}

/// How long ago something was: often at one of the edges.
fn age() -> impl Strategy<Value = i64> {
    prop_oneof![
        4 => 0_i64..50_000,
        1 => Just(59_999_i64),
        1 => Just(60_000),
        1 => Just(599_999),
        1 => Just(600_000),
        1 => Just(900_000),
        1 => Just(86_400_000),
    ]
}

/// A flow with the code that was sent for it, if one was.
#[derive(Clone, Debug)]
pub struct Begun {
    /// The flow.
    pub record: FlowRecord,
    /// The digits.
    pub digits: Secret,
}

/// A flow of some kind, of one of the three users, begun some time ago.
pub fn begun(scene: Scene, kind: FlowKind) -> impl Strategy<Value = Begun> {
    let owner = prop_oneof![Just("1"), Just("2"), Just("3")];
    let details = (
        prop::option::of(prop::sample::select(&PHONES[..])),
        prop::sample::select(&EMAILS[..]),
        0..PLACES.len(),
        0_u32..3,
    );
    ("[A-Za-z0-9]{8}", owner, age(), details).prop_map(move |(text, owner, age, details)| {
        let token = Token::presented(text);
        let created = Timestamp::from_millis(scene.now.as_millis() - age);
        let (code, digits) = scene.code(&token, created);
        let phone = details.0.and_then(Phone::parse);
        let epoch = SessionEpoch::new(details.3);
        let (life, body) = match kind {
            FlowKind::PendingLogin => {
                let pending = PendingLogin {
                    address: place(details.2),
                    epoch,
                    life: TokenLife::Finite(scene.pool.code_token_ttl),
                    phone,
                    code: Some(code),
                    refresh: false,
                    session: SessionId::new("to-be"),
                    first: Factor::Password,
                    link: None,
                    app: None,
                };
                (scene.pool.pending_login_life, FlowBody::PendingLogin(pending))
            }
            FlowKind::ConfirmPhone => {
                let phone = phone.unwrap_or_else(|| Phone::restore("+491700000001"));
                (
                    scene.pool.pending_login_life,
                    FlowBody::ConfirmPhone { phone, code },
                )
            }
            FlowKind::ConfirmEmail => {
                let address = details.1.to_owned();
                (scene.pool.verify_token_ttl, FlowBody::ConfirmEmail { address })
            }
            FlowKind::ResetPassword => (
                scene.pool.reset_password_token_ttl,
                FlowBody::ResetPassword { epoch },
            ),
            FlowKind::Authorization => (scene.pool.pending_login_life, authorization(&token)),
            FlowKind::Exchange => (scene.pool.pending_login_life, exchange(epoch)),
            FlowKind::Join => (scene.pool.pending_login_life, join(epoch, code)),
            other => (scene.pool.pending_login_life, later(other, epoch, &token)),
        };
        let record = FlowRecord {
            id: token.hash(),
            pool: key(owner).pool,
            user: Some(key(owner).id),
            created,
            expires: created.plus(life),
            body,
        };
        Begun { record, digits }
    })
}

fn authorization(token: &Token) -> FlowBody {
    FlowBody::Authorization(Box::new(Authorization {
        entry: EntryName::new("elsewhere"),
        purpose: Purpose::LogIn,
        browser: token.hash(),
        seed: token.hash(),
        redirect_uri: "https://login.example.com/callback".to_owned(),
        application: None,
        carry: None,
        return_to: None,
        code_challenge: None,
    }))
}

fn exchange(epoch: SessionEpoch) -> FlowBody {
    FlowBody::Exchange(Exchange {
        epoch,
        code_challenge: "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM".to_owned(),
        link: None,
    })
}

/// A flow about second factors or what comes after a login.
fn later(kind: FlowKind, epoch: SessionEpoch, token: &Token) -> FlowBody {
    let moment = Timestamp::from_millis(START);
    match kind {
        FlowKind::Passkey => FlowBody::Passkey(Box::new(PasskeyCall {
            state: "asked".to_owned(),
            purpose: PasskeyPurpose::SecondFactor {
                pending: token.hash(),
            },
        })),
        FlowKind::EnrolTotp => FlowBody::EnrolTotp {
            factor: FactorId::new("app"),
            name: "app".to_owned(),
            secret: domain::secret::Sealed::from_bytes(vec![1, 2, 3]),
            epoch,
        },
        FlowKind::MagicLink => FlowBody::MagicLink {
            address: "ann@example.com".to_owned(),
            epoch,
            return_to: None,
        },
        FlowKind::SetUp => FlowBody::SetUp { token: token.hash() },
        FlowKind::Refresh => FlowBody::Refresh(Box::new(RefreshRecord {
            chain: RefreshId::new("chain"),
            session: SessionId::new("asking"),
            epoch,
            began: moment,
            factors: vec![Factor::Password],
            proven: moment,
            agent: None,
            access: token.hash(),
            salt: token.hash(),
            used: None,
            arrived: None,
        })),
        _ => FlowBody::RevertEmail {
            address: "ann@example.com".to_owned(),
            verified: true,
        },
    }
}

fn join(epoch: SessionEpoch, code: SmsCode) -> FlowBody {
    let moment = Timestamp::from_millis(START);
    let identity = Identity {
        id: IdentityId::new("to-be"),
        key: IdentityKey {
            provider: ProviderName::new("elsewhere"),
            issuer: "https://elsewhere.example".to_owned(),
            subject: "1".to_owned(),
            client: None,
        },
        auth_scheme: "oAuth 2.0".to_owned(),
        profile: Profile::default(),
        roles: Vec::new(),
        created: moment,
        modified: moment,
    };
    FlowBody::Join(Box::new(Join {
        link: PendingLink {
            identity,
            credential: None,
            session: None,
        },
        epoch,
        code: Some(code),
        entry: EntryName::new("elsewhere"),
        return_to: None,
        code_challenge: None,
    }))
}

/// Any kind of flow.
pub fn kind() -> impl Strategy<Value = FlowKind> {
    prop_oneof![
        Just(FlowKind::PendingLogin),
        Just(FlowKind::ConfirmPhone),
        Just(FlowKind::ConfirmEmail),
        Just(FlowKind::ResetPassword),
    ]
}

/// A session of a user, some of them of an earlier epoch.
pub fn session_of(user: &User, age: i64, now: Timestamp) -> Session {
    Session {
        id: SessionId::new("asking"),
        token: Token::presented("asking").hash(),
        user: user.key.clone(),
        epoch: user.session_epoch,
        created: Timestamp::from_millis(now.as_millis() - age),
        life: TokenLife::Finite(Lifetime::from_secs(1_209_600)),
        factors: vec![Factor::Password],
        proven: Timestamp::from_millis(now.as_millis() - age),
        last_used: None,
        idle: None,
        agent: None,
        address: None,
        refresh: None,
        federated: None,
        impersonator: None,
    }
}

/// Runs a step twice and holds it to the laws of all steps; hands on the next state.
///
/// # Panics
/// When a law is broken.
pub fn lawful<S: Clone + Debug, E: Clone + Debug>(
    scene: &Scene,
    state: &S,
    event: &E,
    step: fn(S, E, &mut Ctx<'_>) -> Step<S>,
) -> Result<(S, Vec<Effect>), Denial> {
    let once = scene.run(|cx| step(state.clone(), event.clone(), cx));
    let again = scene.run(|cx| step(state.clone(), event.clone(), cx));
    match (once, again) {
        (Ok(once), Ok(again)) => {
            assert_eq!(once.effects, again.effects, "equal inputs, equal effects");
            assert_eq!(format!("{:?}", once.next), format!("{:?}", again.next));
            guards_come_first(&once.effects);
            nothing_secret_shows(&once.effects);
            Ok((once.next, once.effects))
        }
        (Err(once), Err(again)) => {
            assert_eq!(once, again, "equal inputs, equal refusals");
            let harmless = |effect: &Effect| matches!(effect, Effect::GiveBack(_) | Effect::Audit(_));
            assert!(
                once.effects.iter().all(harmless),
                "a refusal changes nothing: {:?}",
                once.effects
            );
            let limited = matches!(once.denial, Denial::Limited { .. });
            let said = once
                .effects
                .iter()
                .any(|effect| effect.audit_kind() == Some(AuditKind::Limited));
            assert_eq!(limited, said, "a limit is written down as one");
            Err(once.denial)
        }
        (once, again) => unreachable_difference(&once, &again),
    }
}

#[expect(clippy::panic, reason = "a broken law")]
fn unreachable_difference<S: Debug, T>(once: &Step<S>, again: &Step<S>) -> T {
    panic!("one step, two answers: {once:?} and {again:?}")
}

fn guards_come_first(effects: &[Effect]) {
    let changes = effects.iter().filter(|effect| effect.is_commit()).count();
    assert!(changes <= 1, "more than one change of a user: {effects:?}");
    let first = effects.first().is_some_and(Effect::is_commit);
    assert_eq!(changes == 1, first, "a change of a user comes first: {effects:?}");
    let guarded = effects.iter().take_while(|effect| effect.is_guarded()).count();
    let behind = effects.iter().skip(guarded).any(Effect::is_guarded);
    assert!(!behind, "guarded effects come before all others: {effects:?}");
    for effect in effects {
        if let Effect::Commit { next, expected } = effect {
            assert_eq!(next.revision, expected.next(), "a change is one revision further");
        }
    }
}

fn nothing_secret_shows(effects: &[Effect]) {
    use domain::message::MailKind::{AlreadyRegistered, JoinCode, MagicLink, ResetPassword, VerifyEmail};
    use domain::message::{MailKind, Notice};
    let shown = format!("{effects:?}");
    for effect in effects {
        if let Effect::SendMail(mail) = effect {
            match &mail.kind {
                VerifyEmail { link }
                | ResetPassword { link, .. }
                | MagicLink { link, .. }
                | MailKind::Notice(Notice::EmailChanged { undo: link, .. }) => {
                    let token = link.expose().rsplit('=').next().unwrap_or_default();
                    assert!(token.len() == 64 && !shown.contains(token), "a token shows");
                }
                JoinCode { code, .. } => assert!(!shown.contains(code.expose()), "a code shows"),
                AlreadyRegistered | MailKind::Notice(_) => {}
            }
        }
    }
    for password in PASSWORDS {
        assert!(!shown.contains(password), "a password shows");
    }
    for phone in PHONES {
        assert!(!shown.contains(phone), "a number shows");
    }
}
