//! A scene to step in, people to step with, and words for what came of it.

mod factors;
mod login;

pub use factors::*;
pub use login::*;

use std::sync::Arc;

use domain::audit::AuditKind;
use domain::credential::{Password, PasswordHash, SmsCode};
use domain::entropy::CountingEntropy;
use domain::error::Denial;
use domain::flow::link::Proven;
use domain::flow::login::Sending;
use domain::flow::{Ctx, Effect, Refused, Step};
use domain::flow_record::{FlowBody, FlowRecord, PendingLogin};
use domain::id::{CredentialId, EntryName, IdentityId, PoolName, ProviderName, SessionId, UserId, UserKey};
use domain::identity::{
    CredentialStatus, Identity, IdentityKey, Profile, ProfileEmail, ProviderEntry, ProviderTokens,
    SubjectScope, UserCredential,
};
use domain::limits::{Bucket, ClientAddress, LimitKey, Quota, Verdict};
use domain::message::{MailKind, Notice};
use domain::origin::Origin;
use domain::policy::{AccessPolicy, Asked, Limits, Policy, PoolPolicy};
use domain::secret::{MacKey, Sealed, Secret, Token};
use domain::session::{Factor, Session, TokenLife};
use domain::time::{Lifetime, Timestamp};
use domain::user::{Email, Phone, Revision, SessionEpoch, User};

/// The world as a step sees it; fields may be changed before a step.
pub struct Scene {
    pub policy: Policy,
    pub pool: PoolPolicy,
    pub key: MacKey,
    pub now: Timestamp,
    pub origin: Origin,
    pub entropy: CountingEntropy,
}

/// Noon of some day.
pub const NOON: Timestamp = Timestamp::from_millis(1_795_262_400_000);

/// A denial's wait.
pub const WAIT: Lifetime = Lifetime::from_secs(30);

/// A counter's no.
pub const NO: Verdict = Verdict::Denied {
    retry_after: WAIT,
    by: Some(Bucket::LoginAccount),
};

impl Scene {
    /// Noon, from home, under the rules a pool begins with.
    pub fn new() -> Self {
        let pool = PoolPolicy::new(PoolName::new("Users"), "User");
        Self {
            policy: Policy {
                pools: [(pool.name.clone(), pool.clone())].into(),
                limits: Limits::default(),
                public_url: "https://login.example".to_owned(),
                service_name: "Example".to_owned(),
                language: "en".to_owned(),
                audit_life: Lifetime::from_secs(86_400),
                access: AccessPolicy::default(),
            },
            pool,
            key: MacKey::new([3; 32]),
            now: NOON,
            origin: home().into(),
            entropy: CountingEntropy::default(),
        }
    }

    /// A scene whose pool was changed.
    pub fn with(change: impl FnOnce(&mut PoolPolicy)) -> Self {
        let mut scene = Self::new();
        change(&mut scene.pool);
        scene
    }

    /// What a step may know.
    pub fn cx(&mut self) -> Ctx<'_> {
        Ctx {
            policy: &self.policy,
            pool: &self.pool,
            key: &self.key,
            now: self.now,
            origin: &self.origin,
            entropy: &mut self.entropy,
        }
    }

    /// Lets time pass.
    pub fn wait(&mut self, seconds: u64) {
        self.now = self.now.plus(Lifetime::from_secs(seconds));
    }

    /// A pending login of a user, begun now from here, and the digits that were sent for it.
    pub fn pending(&mut self, user: &User, text: &str) -> (FlowRecord, Secret) {
        let id = Token::presented(text).hash();
        let (code, digits) = SmsCode::draw(&id, self.pool.code_life, self.now, &self.key, &mut self.entropy);
        let body = FlowBody::PendingLogin(PendingLogin {
            address: self.origin.address.clone(),
            epoch: user.session_epoch,
            life: hour(),
            phone: user.code_phone().cloned(),
            code: Some(code),
            refresh: false,
            session: SessionId::new(format!("session-of-{text}")),
            first: Factor::Password,
            link: None,
            app: None,
        });
        let life = self.pool.pending_login_life;
        (self.record(user, text, life, body), digits)
    }

    /// A flow of a user, begun now.
    pub fn record(&self, user: &User, text: &str, life: Lifetime, body: FlowBody) -> FlowRecord {
        FlowRecord {
            id: Token::presented(text).hash(),
            pool: user.key.pool.clone(),
            user: Some(user.key.id.clone()),
            created: self.now,
            expires: self.now.plus(life),
            body,
        }
    }
}

/// One place.
pub fn home() -> ClientAddress {
    ClientAddress::of([192, 0, 2, 1].into())
}

/// Another place.
pub fn elsewhere() -> ClientAddress {
    ClientAddress::of([192, 0, 2, 99].into())
}

/// A session of an hour.
pub fn hour() -> TokenLife {
    TokenLife::Finite(Lifetime::from_secs(3600))
}

/// Ann: an unverified address, a password, nothing else.
pub fn ann() -> User {
    User {
        revision: Revision::new(7),
        email: Email::parse("ann@example.com", false),
        password: Some(PasswordHash::new("hash of ann's")),
        session_epoch: SessionEpoch::new(4),
        ..User::blank(
            UserKey::new(PoolName::new("Users"), UserId::new("ann")),
            Timestamp::from_millis(0),
        )
    }
}

/// Ann with a confirmed number.
pub fn ann_with_factor() -> User {
    User {
        phone: Phone::parse(NUMBER),
        factor_phone: Phone::parse(NUMBER),
        ..ann()
    }
}

/// Somebody else, with nothing but a name.
pub fn bob() -> User {
    User {
        email: Email::parse("bob@example.com", false),
        ..User::blank(
            UserKey::new(PoolName::new("Users"), UserId::new("bob")),
            Timestamp::from_millis(0),
        )
    }
}

/// Ann's number.
pub const NUMBER: &str = "+491701234567";

/// A session of a user, opened so many seconds before noon.
pub fn session(user: &User, seconds_ago: i64) -> Session {
    Session {
        id: SessionId::new("mine"),
        token: Token::presented("my token").hash(),
        user: user.key.clone(),
        epoch: user.session_epoch,
        created: Timestamp::from_millis(NOON.as_millis() - seconds_ago * 1000),
        life: hour(),
        factors: vec![Factor::Password],
        proven: Timestamp::from_millis(NOON.as_millis() - seconds_ago * 1000),
        last_used: None,
        idle: None,
        agent: None,
        address: None,
        refresh: None,
        federated: None,
        impersonator: None,
    }
}

/// A new password.
pub fn new_password() -> Password {
    Password::typed("a new and better one")
}

/// What the hasher made of it.
pub fn new_hash() -> PasswordHash {
    PasswordHash::new("hash of the new one")
}

/// A counter that a try was taken from.
pub fn taken() -> Asked {
    let quota = Quota::Rate {
        burst: 3,
        per: Lifetime::from_secs(30),
    };
    vec![(LimitKey::new("counter", &["x"]), quota)]
}

/// What a step did, in words: the names of its effects, audit lines by their own.
pub fn story(effects: &[Effect]) -> Vec<&'static str> {
    let word = |effect: &Effect| match effect {
        Effect::Create(_) => "create",
        Effect::Commit { .. } => "commit",
        Effect::Delete { .. } => "delete",
        Effect::Spend(_) => "spend",
        Effect::ReplaceFlow(_) => "replace flow",
        Effect::PutFlow(_) => "put flow",
        Effect::DropFlow(_) => "drop flow",
        Effect::DropFlows(..) => "drop flows",
        Effect::OpenSession(_) => "open session",
        Effect::EndSession(_) => "end session",
        Effect::EndChain { .. } => "end chain",
        Effect::ClearSessions { .. } => "clear sessions",
        Effect::GiveBack(_) => "give back",
        Effect::SendSms(_) => "send sms",
        Effect::SendMail(_) => "send mail",
        Effect::Audit(event) => event.kind.name(),
    };
    effects.iter().map(word).collect()
}

/// The user a step commits, and that it was decided on this revision.
pub fn committed(effects: &[Effect]) -> &User {
    let Some(Effect::Commit { next, expected }) = effects.first() else {
        panic!("no commit first: {effects:?}");
    };
    assert_eq!(next.revision, expected.next());
    next
}

/// The flow a step keeps.
pub fn kept(effects: &[Effect]) -> &FlowRecord {
    let kept = effects.iter().find_map(|effect| match effect {
        Effect::PutFlow(flow) | Effect::ReplaceFlow(flow) => Some(flow),
        _ => None,
    });
    kept.expect("a flow is kept")
}

/// The digits a step sends, and where.
pub fn texted(effects: &[Effect]) -> (&str, Option<&str>) {
    let sent = effects.iter().find_map(|effect| match effect {
        Effect::SendSms(message) => Some(message),
        _ => None,
    });
    let message = sent.expect("a code is sent");
    (message.code.expose(), message.phone.as_ref().map(Phone::as_str))
}

/// A step's refusal.
pub fn refusal<S: std::fmt::Debug>(step: Step<S>) -> Refused {
    step.expect_err("the step is refused")
}

/// Asserts a refusal and what it does all the same.
pub fn assert_refused<S: std::fmt::Debug>(step: Step<S>, denial: &Denial, does: &[&str]) {
    let refused = refusal(step);
    assert_eq!(&refused.denial, denial);
    assert_eq!(story(&refused.effects), does);
}

/// What a limit answers.
pub fn limited() -> Denial {
    Denial::Limited { retry_after: WAIT }
}

/// The audit line of a limit.
pub const LIMIT: &str = AuditKind::Limited.name();

/// The link of the mail a step sends.
pub fn mailed_link(effects: &[Effect]) -> &str {
    let mail = effects.iter().find_map(|effect| match effect {
        Effect::SendMail(mail) => Some(&mail.kind),
        _ => None,
    });
    match mail.expect("a mail is sent") {
        MailKind::VerifyEmail { link }
        | MailKind::ResetPassword { link, .. }
        | MailKind::MagicLink { link, .. } => link.expose(),
        MailKind::Notice(Notice::EmailChanged { undo, .. }) => undo.expose(),
        other => panic!("a mail without a link: {other:?}"),
    }
}

/// Facts for sending a code: the counters allow it, nothing is pending, a number is needed.
pub fn sending() -> Sending {
    Sending {
        verdict: Verdict::Allowed,
        pending: Vec::new(),
        reaches_without_number: false,
    }
}

/// The address the mail of a step goes to, and what it says.
pub fn mailed(effects: &[Effect]) -> (&str, &MailKind) {
    let mail = effects.iter().find_map(|effect| match effect {
        Effect::SendMail(mail) => Some(mail),
        _ => None,
    });
    let mail = mail.expect("a mail is sent");
    (mail.to.as_str(), &mail.kind)
}

/// Ann, who proved her address.
pub fn verified_ann() -> User {
    User {
        email_verified: true,
        ..ann()
    }
}

/// An entry to log in with.
pub fn entry(name: &str) -> ProviderEntry {
    ProviderEntry {
        name: EntryName::new(name),
        provider: ProviderName::new("google"),
        auth_scheme: "OpenID Connect".to_owned(),
        pool: PoolName::new("Users"),
        link: name.ends_with("-link"),
        client_id: "our-client".to_owned(),
        subjects: SubjectScope::Issuer,
        callback_url: format!("https://login.example/auth/{name}/callback"),
        scopes: vec!["email".to_owned()],
        mapping: Vec::new(),
        email_optional: true,
        roles: Vec::new(),
        only_known_users: false,
        unsolicited: false,
    }
}

/// The key of an account at that provider.
pub fn key(subject: &str) -> IdentityKey {
    IdentityKey::new(ProviderName::new("google"), ISSUER, subject, None).expect("a key")
}

/// The provider's issuer.
pub const ISSUER: &str = "https://accounts.example";

/// What the provider says: an address, vouched for or not.
pub fn profile(email: &str, verified: bool) -> Profile {
    Profile {
        emails: vec![ProfileEmail {
            value: email.to_owned(),
            verified,
        }],
        ..Profile::default()
    }
}

/// Tokens of a grant.
pub fn tokens(access_token: &str) -> ProviderTokens {
    ProviderTokens {
        access_token: Secret::new(access_token),
        token_secret: None,
        refresh_token: Some(Secret::new("refresh")),
        token_type: "Bearer".to_owned(),
        expires: Some(NOON.plus(Lifetime::from_secs(3600))),
        scopes: Some(vec!["email".to_owned()]),
    }
}

/// A proven account.
pub fn proven(by: &str, subject: &str, profile: Profile) -> Proven {
    let entry = entry(by);
    Proven {
        key: key(subject),
        profile,
        groups: Vec::new(),
        session: None,
        raw: serde_json::json!({"sub": subject, "department": "Sales"}),
        tokens: Some(tokens("access")),
        client_id: entry.client_id.clone(),
        application: None,
        entry,
    }
}

/// Sealed bytes that a test can tell apart.
pub fn sealed(text: &str) -> Sealed {
    Sealed::from_bytes(text.as_bytes().to_vec())
}

/// A linked account.
pub fn identity(subject: &str) -> Identity {
    Identity {
        id: IdentityId::new(format!("identity-{subject}")),
        key: key(subject),
        auth_scheme: "OpenID Connect".to_owned(),
        profile: Profile::default(),
        roles: Vec::new(),
        created: Timestamp::from_millis(1),
        modified: Timestamp::from_millis(1),
    }
}

/// A grant of a linked account, from an entry, alive for another hour.
pub fn grant(of: &Identity, by: &str) -> UserCredential {
    UserCredential {
        id: CredentialId::new(format!("grant-{by}")),
        identity: of.id.clone(),
        entry: EntryName::new(by),
        linked: by.ends_with("-link"),
        client_id: "our-client".to_owned(),
        application: None,
        tokens: sealed("old"),
        expires: Some(NOON.plus(Lifetime::from_secs(3600))),
        scopes: vec!["email".to_owned()],
        status: CredentialStatus::Active,
        created: Timestamp::from_millis(1),
        modified: Timestamp::from_millis(1),
    }
}

/// The user with these accounts linked.
pub fn linked(user: User, subjects: &[&str]) -> User {
    User {
        identities: Arc::new(subjects.iter().map(|subject| identity(subject)).collect()),
        ..user
    }
}

/// The subjects of a user's linked accounts.
pub fn subjects(user: &User) -> Vec<&str> {
    let linked = user.identities.iter();
    linked.map(|identity| identity.key.subject.as_str()).collect()
}

/// The RFC 8176 names of what a session stands on.
pub fn proven_in(session: &Session) -> Vec<&'static str> {
    session.factors.iter().map(|factor| factor.name()).collect()
}

/// What the last audit line is about.
pub fn detail(effects: &[Effect]) -> Option<&str> {
    let last = effects.iter().rev().find_map(|effect| match effect {
        Effect::Audit(event) => Some(event.detail.as_deref()),
        _ => None,
    });
    last.flatten()
}

/// A session in which these were proven, so many seconds before noon.
pub fn proven_session(user: &User, factors: &[Factor], seconds_ago: i64) -> Session {
    Session {
        factors: factors.to_vec(),
        ..session(user, seconds_ago)
    }
}

/// The user in a later epoch: whatever was begun before is void.
pub fn later_epoch(user: &User) -> User {
    User {
        session_epoch: SessionEpoch::new(user.session_epoch.number() + 1),
        ..user.clone()
    }
}
