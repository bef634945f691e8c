//! Services: load facts, let the flow decide, carry out its effects. No decision is made here, and no runtime is needed.

mod access;
mod access_token;
mod administer;
mod announce;
mod application;
mod audit;
mod change_password;
mod change_profile;
mod delivery;
mod enrol;
mod external_login;
mod factors;
mod fresh_token;
mod grants;
mod impersonate;
mod introspect;
mod join;
mod linked;
mod log_out;
mod login;
mod lookup;
mod magic_link;
mod mappings;
mod new_password;
mod own_sessions;
mod passkeys;
mod perform;
mod prove;
mod recover;
mod refresh_session;
mod reseal;
mod revert_email;
mod set_up;
mod sign_token;
mod sign_up;
mod single_logout;
mod step_up;
mod verify_contact;

pub use access_token::{Authenticated, Authentication};
pub use administer::Administrator;
pub use application::{ApplicationChange, NewApplicationCredential};
pub use external_login::{AuthorizationAsk, AuthorizationStarted, Callback, Finished, Outcome};
pub use factors::TotpEnrolment;
pub use fresh_token::FreshToken;
pub use impersonate::ImpersonationAsk;
pub use introspect::Introspected;
pub use join::JoinOffer;
pub use login::{CodeLogin, LoggedIn};
pub use lookup::{Credentials, LoginName};
pub use passkeys::{PasskeyAsked, PasskeyLogin};
pub use prove::{ProofAsk, TicketTaken};
pub use reseal::Resealed;
pub use set_up::FirstAdministrator;
pub use single_logout::LogoutReply;
pub use step_up::StepUpProof;

use std::sync::Arc;

use crate::error::DomainError;
use crate::flow::Ctx;
use crate::flow::authorize::Failure;
use crate::id::{EntryName, PoolName};
use crate::limits::Verdict;
use crate::origin::Origin;
use crate::policy::{Asked, Policy, PoolPolicy, unjudged};
use crate::ports::{
    AccessStore, ApplicationStore, AuditLog, BreachedPasswords, Clock, EntropySource, FlowStore, Mailer,
    Outbox, PasskeyVerifier, PasswordHasher, PortError, ProviderDirectory, ProviderError, RateLimiter,
    RoleMembers, Sealer, SessionStore, SmsSender, Timer, TokenSigner, UserStore, WebhookSender,
};
use crate::secret::{MacKey, Token};
use crate::time::Lifetime;

/// How often a step is decided again when the user was changed meanwhile.
const STALE_RETRIES: usize = 3;

/// The same where a code of a provider is spent already: the person cannot just try again. Each round that is lost is somebody
/// else's log-in to the same user.
const ARRIVAL_RETRIES: usize = 12;

/// How long a message that is over stays for [`Services::deliver`] to say so in the audit log.
const OUTBOX_GRACE: Lifetime = Lifetime::from_secs(3600);

/// One adapter for every port.
#[derive(Clone)]
pub struct Ports {
    /// Keeps users.
    pub users: Arc<dyn UserStore>,
    /// Keeps sessions.
    pub sessions: Arc<dyn SessionStore>,
    /// Keeps unfinished flows.
    pub flows: Arc<dyn FlowStore>,
    /// Keeps counters.
    pub limiter: Arc<dyn RateLimiter>,
    /// Hashes passwords.
    pub hasher: Arc<dyn PasswordHasher>,
    /// Sends codes.
    pub sms: Arc<dyn SmsSender>,
    /// Sends mail.
    pub mailer: Arc<dyn Mailer>,
    /// Keeps the audit log.
    pub audit: Arc<dyn AuditLog>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Opens sources of chance.
    pub entropy: Arc<dyn EntropySource>,
    /// Lets time pass.
    pub timer: Arc<dyn Timer>,
    /// Knows the providers.
    pub providers: Arc<dyn ProviderDirectory>,
    /// Seals what must be read again.
    pub sealer: Arc<dyn Sealer>,
    /// Keeps client applications.
    pub applications: Arc<dyn ApplicationStore>,
    /// Keeps roles and access rules.
    pub access: Arc<dyn AccessStore>,
    /// Finds the users of a role.
    pub members: Arc<dyn RoleMembers>,
    /// Keeps messages until a carrier took them.
    pub outbox: Arc<dyn Outbox>,
    /// Speaks WebAuthn; none where passkeys are not offered.
    pub passkeys: Option<Arc<dyn PasskeyVerifier>>,
    /// Knows passwords that became public; none where nobody is asked.
    pub breached: Option<Arc<dyn BreachedPasswords>>,
    /// Signs access tokens; none where none are made.
    pub signer: Option<Arc<dyn TokenSigner>>,
    /// Tells services what happened; none where none is told.
    pub webhooks: Option<Arc<dyn WebhookSender>>,
}

/// Everything a driving adapter can ask for.
#[derive(Clone)]
pub struct Services {
    ports: Ports,
    policy: Arc<Policy>,
    key: MacKey,
    wake: Option<Arc<dyn Fn() + Send + Sync>>,
    tell: Option<Tell>,
}

/// Tells the operator what a provider of an entry said that will not do.
type Tell = Arc<dyn Fn(&EntryName, &ProviderError) + Send + Sync>;

impl Services {
    /// Wires adapters, rules and the server's key.
    pub fn new(ports: Ports, policy: Policy, key: MacKey) -> Self {
        Self {
            ports,
            policy: Arc::new(policy),
            key,
            wake: None,
            tell: None,
        }
    }

    /// The same, calling `wake` whenever a message was put into the outbox: whoever runs [`Services::deliver`] need not look so often.
    #[must_use]
    pub fn waking(self, wake: Arc<dyn Fn() + Send + Sync>) -> Self {
        Self {
            wake: Some(wake),
            ..self
        }
    }

    /// The same, telling `tell` whatever a provider says that will not do, in its adapter's own words: whoever came hears a code alone,
    /// and the operator needs the reason.
    #[must_use]
    pub fn telling(self, tell: Tell) -> Self {
        Self {
            tell: Some(tell),
            ..self
        }
    }

    /// A provider's fault as the core has it, once it was told.
    fn failure(&self, entry: &EntryName, error: &ProviderError) -> Failure {
        if let Some(tell) = &self.tell {
            tell(entry, error);
        }
        Failure::from(error)
    }

    /// The rules in force.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// The rules of a pool, if there is such a pool.
    pub fn pool(&self, name: &PoolName) -> Option<&PoolPolicy> {
        self.policy.pools.get(name)
    }

    /// The configured providers, as they are now.
    pub fn providers(&self) -> Vec<Arc<crate::ports::ProviderBinding>> {
        self.ports.providers.all()
    }

    /// The moment it is, for answers that carry one.
    pub fn now(&self) -> crate::time::Timestamp {
        self.ports.clock.now()
    }

    /// A token that names nothing here: for a driving adapter that needs an unguessable value of its own, such as a page that
    /// guards its forms.
    pub fn draw_token(&self) -> Token {
        Token::draw(self.ports.entropy.open().as_mut())
    }

    /// Drops what is void by its age: sessions, flows, counters, audit events. Call it now and then.
    ///
    /// # Errors
    /// When a store does not answer; nothing is lost by trying again later.
    pub async fn purge(&self) -> Result<(), DomainError> {
        let now = self.ports.clock.now();
        self.ports.sessions.purge(now).await?;
        self.ports.flows.purge(now).await?;
        self.ports.limiter.purge(now).await?;
        self.ports.audit.purge(now.minus(self.policy.audit_life)).await?;
        self.ports.outbox.purge(now.minus(OUTBOX_GRACE)).await?;
        Ok(())
    }

    /// Runs one step with the world as it is now.
    fn decide<T>(&self, pool: &PoolPolicy, origin: &Origin, step: impl FnOnce(&mut Ctx<'_>) -> T) -> T {
        let mut entropy = self.ports.entropy.open();
        let mut cx = Ctx {
            policy: &self.policy,
            pool,
            key: &self.key,
            now: self.ports.clock.now(),
            origin,
            entropy: entropy.as_mut(),
        };
        step(&mut cx)
    }

    /// Takes a try from counters; none to ask means allowed.
    async fn take(&self, asked: &Asked) -> Result<Verdict, PortError> {
        if asked.is_empty() {
            return Ok(Verdict::Allowed);
        }
        self.ports.limiter.take(asked, self.ports.clock.now()).await
    }

    /// Passes an answer on; when nothing was judged because something outside did not work, the try is given back first. Nobody
    /// is to be locked out by a busy server.
    async fn judged<T>(&self, taken: &Asked, answer: Result<T, DomainError>) -> Result<T, DomainError> {
        if matches!(answer, Err(DomainError::Port(_))) && !taken.is_empty() {
            self.ports
                .limiter
                .give_back(&unjudged(taken), self.ports.clock.now())
                .await?;
        }
        answer
    }
}
