//! A world in memory: every port of the core for one thread, with a clock set by hand and chance from a seed.

mod access;
mod elsewhere;
mod outside;
mod stores;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::access::AccessState;
use domain::application::Application;
use domain::audit::{AuditEvent, AuditKind};
use domain::entropy::Entropy;
use domain::flow_record::{FlowKind, FlowRecord};
use domain::id::{ApplicationId, UserKey};
use domain::limits::{LimitKey, Tries};
use domain::message::{MailMessage, SmsMessage};
use domain::outbox::OutboxMessage;
use domain::ports::ProviderBinding;
use domain::secret::TokenHash;
use domain::service::Ports;
use domain::session::Session;
use domain::time::Timestamp;
use domain::user::User;
pub use outside::password_of;

use futures_util::FutureExt as _;

/// The moment every world begins at, in milliseconds.
pub const START: i64 = 1_795_287_972_795;

/// What is kept, sent and counted.
#[derive(Clone, Debug, Default)]
pub struct Contents {
    /// The moment it is, in milliseconds after [`START`].
    pub elapsed: i64,
    /// Users by pool and id.
    pub users: BTreeMap<UserKey, User>,
    /// Sessions by token hash.
    pub sessions: BTreeMap<TokenHash, Session>,
    /// Flows by token hash, each with the order it was kept in.
    pub flows: BTreeMap<TokenHash, (u64, FlowRecord)>,
    /// Client applications by id.
    pub applications: BTreeMap<ApplicationId, Application>,
    /// Roles and rules.
    pub access: AccessState,
    /// Counters.
    pub counters: BTreeMap<LimitKey, Tries>,
    /// Messages that wait for a carrier, by id.
    pub outbox: BTreeMap<String, OutboxMessage>,
    /// Every code sent.
    pub sms: Vec<SmsMessage>,
    /// Every mail sent.
    pub mails: Vec<MailMessage>,
    /// Every audit line.
    pub audit: Vec<AuditEvent>,
    /// Times the hasher made a hash.
    pub hashed: usize,
    /// Times the hasher compared.
    pub compared: usize,
    /// What the hasher holds for a current hash; older ones are replaced at a right login.
    pub generation: u32,
    /// Whether codes arrive without a number.
    pub reaches_without_number: bool,
    /// Whether the session store keeps what it should clear away.
    pub keeps_the_dead: bool,
    drawn: u64,
    kept: u64,
    /// Calls to the store of users that go unanswered from now on.
    pub outage: u32,
}

impl Contents {
    /// The moment it is.
    pub fn now(&self) -> Timestamp {
        Timestamp::from_millis(START + self.elapsed)
    }

    /// Flows of one user and kind, oldest first.
    pub fn flows_of(&self, user: &UserKey, kind: FlowKind) -> Vec<FlowRecord> {
        let mut found: Vec<&(u64, FlowRecord)> = self
            .flows
            .values()
            .filter(|(_, flow)| flow.is_of(user) && flow.kind() == kind)
            .collect();
        found.sort_by_key(|(order, flow)| (flow.created, *order));
        found.into_iter().map(|(_, flow)| flow.clone()).collect()
    }

    /// The kinds of the audit lines after the first `seen`.
    pub fn audited_since(&self, seen: usize) -> Vec<AuditKind> {
        self.audit.iter().skip(seen).map(|event| event.kind).collect()
    }
}

/// Somebody who acts in the middle of somebody else's call.
struct Intruder {
    calls_to_wait: usize,
    act: Box<dyn FnOnce() + Send>,
}

/// The world: give its [`World::ports`] to the services.
#[derive(Default)]
pub struct World {
    contents: Mutex<Contents>,
    providers: Mutex<Vec<Arc<ProviderBinding>>>,
    intruder: Mutex<Option<Intruder>>,
}

impl World {
    /// A new world with its own chance.
    pub fn new(seed: u64, reaches_without_number: bool) -> Arc<Self> {
        let world = Self::default();
        {
            let mut contents = world.contents();
            contents.drawn = seed;
            contents.reaches_without_number = reaches_without_number;
        }
        Arc::new(world)
    }

    /// All ports, played by this world.
    pub fn ports(self: &Arc<Self>) -> Ports {
        Ports {
            users: self.clone(),
            sessions: self.clone(),
            flows: self.clone(),
            limiter: self.clone(),
            hasher: self.clone(),
            sms: self.clone(),
            mailer: self.clone(),
            audit: self.clone(),
            clock: self.clone(),
            entropy: self.clone(),
            timer: self.clone(),
            providers: self.clone(),
            sealer: self.clone(),
            applications: self.clone(),
            access: self.clone(),
            members: self.clone(),
            outbox: self.clone(),
            passkeys: None,
            breached: None,
            signer: None,
            webhooks: None,
        }
    }

    /// Opens ways to places elsewhere.
    pub fn set_providers(&self, providers: Vec<ProviderBinding>) {
        let mut known = self.providers.lock().unwrap_or_else(PoisonError::into_inner);
        *known = providers.into_iter().map(Arc::new).collect();
    }

    /// Looks at, or changes, what is kept.
    pub fn contents(&self) -> MutexGuard<'_, Contents> {
        self.contents.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets time pass.
    pub fn wait(&self, millis: i64) {
        self.contents().elapsed += millis;
    }

    /// Has `act` happen right before the port call that follows `calls_to_wait` others.
    pub fn intrude(&self, calls_to_wait: usize, act: impl FnOnce() + Send + 'static) {
        *self.intruder() = Some(Intruder {
            calls_to_wait,
            act: Box::new(act),
        });
    }

    /// Takes an intruder back that never came; whether there was one.
    pub fn is_intruder_left(&self) -> bool {
        self.intruder().take().is_some()
    }

    fn intruder(&self) -> MutexGuard<'_, Option<Intruder>> {
        self.intruder.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Called by every port before it does anything.
    pub(crate) fn tick(&self) {
        let due = {
            let mut intruder = self.intruder();
            match intruder.as_mut() {
                Some(waiting) if waiting.calls_to_wait > 0 => {
                    waiting.calls_to_wait -= 1;
                    None
                }
                _ => intruder.take(),
            }
        };
        if let Some(intruder) = due {
            (intruder.act)();
        }
    }
}

/// Runs a future whose ports all answer at once.
///
/// # Panics
/// When one does not.
#[expect(clippy::expect_used, reason = "a world in memory never waits")]
pub fn run<T>(future: impl Future<Output = T>) -> T {
    future.now_or_never().expect("every port answers at once")
}

/// Chance from a seed (SplitMix64): the same seed, the same run.
#[derive(Clone, Debug)]
pub struct Seeded(pub u64);

impl Entropy for Seeded {
    fn fill(&mut self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut mixed = self.0;
            mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            mixed ^= mixed >> 31;
            for (byte, drawn) in chunk.iter_mut().zip(mixed.to_be_bytes()) {
                *byte = drawn;
            }
        }
    }
}
