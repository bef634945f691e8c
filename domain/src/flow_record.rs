//! State between two requests: a pending login, a verification, a reset. Stored under the hash of the token that continues it.

use serde::{Deserialize, Serialize};

use crate::credential::SmsCode;
use crate::id::{ApplicationId, EntryName, FactorId, PoolName, RefreshId, SessionId, UserId, UserKey};
use crate::identity::{FederatedSession, Identity, UserCredential};
use crate::limits::ClientAddress;
use crate::origin::Agent;
use crate::secret::{Sealed, TokenHash};
use crate::session::{Factor, TokenLife};
use crate::time::Timestamp;
use crate::user::{Phone, SessionEpoch};

/// One unfinished flow of one user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlowRecord {
    /// Hash of the token that continues it.
    pub id: TokenHash,
    /// The pool it belongs to.
    pub pool: PoolName,
    /// Whose it is; none while nobody is known yet.
    pub user: Option<UserId>,
    /// When it was begun.
    pub created: Timestamp,
    /// When it is void.
    pub expires: Timestamp,
    /// What it is about.
    pub body: FlowBody,
}

/// What an unfinished flow is about. Stored as JSON: fields are only ever added.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum FlowBody {
    /// The password was right; a code is awaited.
    PendingLogin(PendingLogin),
    /// A code was sent to a number its owner wants to use.
    ConfirmPhone {
        /// The number the code went to.
        phone: Phone,
        /// The code.
        code: SmsCode,
    },
    /// A mail was sent to an address.
    ConfirmEmail {
        /// The address the mail went to: the token confirms this one and no other, not even one that compares equal.
        address: String,
    },
    /// A mail with a reset link was sent.
    ResetPassword {
        /// The user's epoch at that moment: the first password change voids the token.
        epoch: SessionEpoch,
    },
    /// Somebody was sent to a provider; the answer is awaited.
    Authorization(Box<Authorization>),
    /// Somebody proved an account elsewhere; whoever began it may fetch the session.
    Exchange(Exchange),
    /// Somebody proved an account elsewhere that may belong to a user here, who is still to be proven.
    Join(Box<Join>),
    /// An authenticator was asked; its answer is awaited.
    Passkey(Box<PasskeyCall>),
    /// An authenticator app is to be confirmed by its first code.
    EnrolTotp {
        /// Its id.
        factor: FactorId,
        /// What its owner calls it.
        name: String,
        /// Its secret, sealed as it will be kept.
        secret: Sealed,
        /// The user's epoch at that moment.
        epoch: SessionEpoch,
    },
    /// A link to log in with was mailed.
    MagicLink {
        /// The address it went to.
        address: String,
        /// The user's epoch at that moment.
        epoch: SessionEpoch,
        /// Where the person goes afterwards.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        return_to: Option<String>,
    },
    /// An address was changed; whoever reads the old one may set it back.
    RevertEmail {
        /// The old address.
        address: String,
        /// Whether it was verified.
        verified: bool,
    },
    /// A link by which the first administrator is made.
    SetUp {
        /// Its token.
        token: TokenHash,
    },
    /// A refresh token, the newest of its chain or one that was used up.
    Refresh(Box<RefreshRecord>),
}

/// What an authenticator was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PasskeyCall {
    /// What the verifier wants to see again.
    pub state: String,
    /// What for.
    pub purpose: PasskeyPurpose,
}

/// What an authenticator's answer is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "for", rename_all = "snake_case")]
pub enum PasskeyPurpose {
    /// Adding a passkey.
    Register {
        /// What its owner calls it.
        name: String,
        /// The user's epoch at that moment.
        epoch: SessionEpoch,
    },
    /// A whole login.
    LogIn,
    /// The second factor of a pending login.
    SecondFactor {
        /// Its id.
        pending: TokenHash,
    },
    /// A fresh proof for a session.
    StepUp {
        /// Its token's hash.
        session: TokenHash,
    },
}

/// A refresh token as it is kept, under its hash.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefreshRecord {
    /// The chain it belongs to.
    pub chain: RefreshId,
    /// The session that the chain renews: each renewal has a token of its own, all have one id.
    pub session: SessionId,
    /// The user's epoch when the chain began.
    pub epoch: SessionEpoch,
    /// When the chain began.
    pub began: Timestamp,
    /// What was proven, as in [`crate::session::Session::factors`].
    pub factors: Vec<Factor>,
    /// When it was proven.
    pub proven: Timestamp,
    /// What the client called itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<Agent>,
    /// The access token that came with it, by its hash.
    pub access: TokenHash,
    /// Mixed into what is derived from the token: known to the store alone.
    pub salt: TokenHash,
    /// When it was used up: the answer to it was last given then. None for the newest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used: Option<Timestamp>,
    /// When that access token was first used: since then somebody is known to have it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arrived: Option<Timestamp>,
}

/// What an authorization is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "for", rename_all = "snake_case")]
pub enum Purpose {
    /// Logging in.
    LogIn,
    /// Linking to the user who is logged in.
    Link {
        /// Who.
        user: UserId,
        /// The session that asked: it must still be live when the answer comes.
        session: TokenHash,
    },
}

/// An authorization between its start and its callback. Stored under the hash of what the callback will bring: the `state`, or the
/// request token of OAuth 1.0a. Verifier and nonce are derived from the server's key, so that a copied store is worth nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Authorization {
    /// The entry it was begun by, and the only one that may end it.
    pub entry: EntryName,
    /// What it is for.
    pub purpose: Purpose,
    /// Hash of the cookie that binds it to the browser that began it (RFC 9700 section 4.7).
    pub browser: TokenHash,
    /// From what verifier and nonce are derived.
    pub seed: TokenHash,
    /// The callback address that was sent along.
    pub redirect_uri: String,
    /// The application whose own client was used.
    pub application: Option<ApplicationId>,
    /// What the adapter wants to see again.
    pub carry: Option<Sealed>,
    /// Where the person goes afterwards.
    pub return_to: Option<String>,
    /// The challenge of a client that will fetch the session by a code (RFC 7636 section 4.2, always S256).
    pub code_challenge: Option<String>,
}

/// A session that awaits its client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exchange {
    /// The user's epoch when it was earned.
    pub epoch: SessionEpoch,
    /// What the client's verifier must hash to.
    pub code_challenge: String,
    /// What is attached once the second factor that is due was proven, too; none where nothing waits for one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<Box<PendingLink>>,
}

/// An identity, and what we may do there, that is still to be attached to its user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PendingLink {
    /// The proven account elsewhere.
    pub identity: Identity,
    /// The grant that came with it, sealed for the user it is meant for.
    pub credential: Option<UserCredential>,
    /// The session at the provider that it stands on, where that one can end ours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<FederatedSession>,
}

/// A proven account elsewhere and a user here who is still to be proven.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Join {
    /// What will be attached.
    pub link: PendingLink,
    /// The user's epoch when it was offered.
    pub epoch: SessionEpoch,
    /// The code that was mailed to the user's address.
    pub code: Option<SmsCode>,
    /// The entry it came by.
    pub entry: EntryName,
    /// Where the person goes afterwards.
    pub return_to: Option<String>,
    /// As in [`Authorization::code_challenge`].
    pub code_challenge: Option<String>,
}

/// A login between its password and its code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PendingLogin {
    /// Where the password came from.
    pub address: ClientAddress,
    /// The user's epoch at that moment.
    pub epoch: SessionEpoch,
    /// How long the session will live.
    pub life: TokenLife,
    /// The number the code went to, where it went to one.
    pub phone: Option<Phone>,
    /// The newest code that was sent; older ones are void. None where none was sent: another factor is awaited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<SmsCode>,
    /// The id the session will get: known beforehand, so that every line about this login names the same one.
    pub session: SessionId,
    /// Whether the session is to be renewed by refresh tokens.
    #[serde(default)]
    pub refresh: bool,
    /// What was proven before the code.
    #[serde(default = "by_password")]
    pub first: Factor,
    /// What is attached to the user once the code is right.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<Box<PendingLink>>,
    /// The authenticator app that its first code adds: of somebody who needs a second factor and has none yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub app: Option<Box<NewApp>>,
}

/// An authenticator app between its secret, which was shown, and its first code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewApp {
    /// The id it gets.
    pub factor: FactorId,
    /// What its owner calls it.
    pub name: String,
    /// Its secret, sealed for its owner.
    pub secret: Sealed,
}

const fn by_password() -> Factor {
    Factor::Password
}

/// The kinds of flow, by their stored names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FlowKind {
    /// [`FlowBody::PendingLogin`]
    PendingLogin,
    /// [`FlowBody::ConfirmPhone`]
    ConfirmPhone,
    /// [`FlowBody::ConfirmEmail`]
    ConfirmEmail,
    /// [`FlowBody::ResetPassword`]
    ResetPassword,
    /// [`FlowBody::Authorization`]
    Authorization,
    /// [`FlowBody::Exchange`]
    Exchange,
    /// [`FlowBody::Join`]
    Join,
    /// [`FlowBody::Passkey`]
    Passkey,
    /// [`FlowBody::EnrolTotp`]
    EnrolTotp,
    /// [`FlowBody::MagicLink`]
    MagicLink,
    /// [`FlowBody::RevertEmail`]
    RevertEmail,
    /// [`FlowBody::SetUp`]
    SetUp,
    /// [`FlowBody::Refresh`]
    Refresh,
}

impl FlowKind {
    /// The stored name, equal to the JSON tag.
    pub const fn name(self) -> &'static str {
        match self {
            Self::PendingLogin => "pending_login",
            Self::ConfirmPhone => "confirm_phone",
            Self::ConfirmEmail => "confirm_email",
            Self::ResetPassword => "reset_password",
            Self::Authorization => "authorization",
            Self::Exchange => "exchange",
            Self::Join => "join",
            Self::Passkey => "passkey",
            Self::EnrolTotp => "enrol_totp",
            Self::MagicLink => "magic_link",
            Self::RevertEmail => "revert_email",
            Self::SetUp => "set_up",
            Self::Refresh => "refresh",
        }
    }
}

impl FlowRecord {
    /// What kind of flow it is.
    pub fn kind(&self) -> FlowKind {
        match self.body {
            FlowBody::PendingLogin(_) => FlowKind::PendingLogin,
            FlowBody::ConfirmPhone { .. } => FlowKind::ConfirmPhone,
            FlowBody::ConfirmEmail { .. } => FlowKind::ConfirmEmail,
            FlowBody::ResetPassword { .. } => FlowKind::ResetPassword,
            FlowBody::Authorization(_) => FlowKind::Authorization,
            FlowBody::Exchange(_) => FlowKind::Exchange,
            FlowBody::Join(_) => FlowKind::Join,
            FlowBody::Passkey(_) => FlowKind::Passkey,
            FlowBody::EnrolTotp { .. } => FlowKind::EnrolTotp,
            FlowBody::MagicLink { .. } => FlowKind::MagicLink,
            FlowBody::RevertEmail { .. } => FlowKind::RevertEmail,
            FlowBody::SetUp { .. } => FlowKind::SetUp,
            FlowBody::Refresh(_) => FlowKind::Refresh,
        }
    }

    /// Whose it is, across pools.
    pub fn user_key(&self) -> Option<UserKey> {
        let user = self.user.clone()?;
        Some(UserKey::new(self.pool.clone(), user))
    }

    /// Whether it is this user's.
    pub fn is_of(&self, user: &UserKey) -> bool {
        self.pool == user.pool && self.user.as_ref() == Some(&user.id)
    }

    /// Whether it is void by its age.
    pub fn is_expired(&self, now: Timestamp) -> bool {
        now >= self.expires
    }
}
