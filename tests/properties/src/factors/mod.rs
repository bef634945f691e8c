//! A house with one person in it, and everything that can stand beside her password.
#![expect(
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "what is prepared here must work, or there is nothing to try"
)]

pub mod acts;
pub mod authenticator;
pub mod otp;

use std::sync::Arc;

use domain::credential::Password;
use domain::error::DomainError;
use domain::flow::login::{CodeRequested, Terms};
use domain::flow::sign_up::NewUser;
use domain::id::{FactorId, PoolName, UserKey};
use domain::limits::ClientAddress;
use domain::origin::Origin;
use domain::outbox::Lane;
use domain::policy::{AccessPolicy, Limits, Policy, PoolPolicy};
use domain::ports::Clock as _;
use domain::secret::{MacKey, Secret, Token};
use domain::service::{
    Authenticated, Authentication, CodeLogin, Credentials, LoggedIn, LoginName, PasskeyLogin, Ports,
    Services, StepUpProof,
};
use domain::session::{AccessToken, TokenLife};
use domain::time::Lifetime;
use domain::user::{FactorKind, User};
use serde_json::Value;

use crate::world::{World, run};
use authenticator::{Authenticator, PlainVerifier};

/// Ann's address.
pub const EMAIL: &str = "ann@example.com";
/// Ann's password.
pub const PASSWORD: &str = "gate of the old town";
/// Ann's number.
pub const PHONE: &str = "+491701234567";

/// The world, the services over it, and Ann who signed up.
#[derive(Clone)]
pub struct House {
    /// What is kept.
    pub world: Arc<World>,
    /// What is asked.
    pub services: Services,
    /// The rules.
    pub pool: PoolPolicy,
}

/// An authenticator app in somebody's hand.
#[derive(Clone, Debug)]
pub struct App {
    /// Its name in lists.
    pub id: FactorId,
    /// Its secret, as it was shown.
    pub secret: String,
}

/// A request from an address; with the token its device keeps, if it keeps any (an empty one asks for it).
pub fn from(address: [u8; 4], device: Option<&str>) -> Origin {
    Origin {
        device: device.map(Token::presented),
        ..ClientAddress::of(address.into()).into()
    }
}

impl House {
    /// A house under these limits; `change` has the last word on the pool's rules.
    pub fn new(seed: u64, limits: Limits, change: impl FnOnce(&mut PoolPolicy)) -> Self {
        let world = World::new(seed, false);
        let ports = world.ports();
        Self::wired(world, ports, limits, change)
    }

    /// Tries people's messages, at most so many.
    ///
    /// # Errors
    /// As [`Services::deliver`].
    pub async fn deliver(&self, limit: usize) -> Result<usize, DomainError> {
        self.services.deliver(Lane::People, limit).await
    }

    /// The same over ports that are not all the world's own.
    pub fn wired(
        world: Arc<World>,
        ports: Ports,
        limits: Limits,
        change: impl FnOnce(&mut PoolPolicy),
    ) -> Self {
        let mut pool = PoolPolicy::new(PoolName::new("Users"), "User");
        change(&mut pool);
        let policy = Policy {
            pools: [(pool.name.clone(), pool.clone())].into(),
            limits,
            public_url: "http://localhost:3000".to_owned(),
            service_name: "Portcullis".to_owned(),
            language: "en".to_owned(),
            audit_life: Lifetime::from_secs(86_400),
            access: AccessPolicy::default(),
        };
        let ports = Ports {
            passkeys: Some(Arc::new(PlainVerifier::default())),
            ..ports
        };
        let services = Services::new(ports, policy, MacKey::new([7; 32]));
        let house = Self {
            world,
            services,
            pool,
        };
        let form = NewUser {
            email: Some(EMAIL.to_owned()),
            phone: Some(PHONE.to_owned()),
            password: Some(Password::typed(PASSWORD)),
            ..NewUser::default()
        };
        run(house
            .services
            .sign_up(&house.pool, form, &from([192, 0, 2, 1], None)))
        .expect("signed up");
        house
    }

    /// Ann as stored.
    pub fn ann(&self) -> User {
        let contents = self.world.contents();
        contents.users.values().next().cloned().expect("Ann")
    }

    /// Ann's key.
    pub fn key(&self) -> UserKey {
        self.ann().key
    }

    /// The moment it is, in milliseconds.
    pub fn now(&self) -> i64 {
        self.world.now().as_millis()
    }

    /// The life of a login that asks for none.
    pub fn terms(&self) -> Terms {
        Terms {
            life: TokenLife::Finite(self.pool.ttl),
            refresh: false,
        }
    }

    /// A name and a password as typed.
    pub fn typed(password: &str) -> Credentials {
        Credentials {
            realm: None,
            name: LoginName::Email(EMAIL.to_owned()),
            password: Password::typed(password),
        }
    }

    /// Logs in with a password alone.
    pub fn log_in(&self, password: &str, origin: &Origin) -> Result<AccessToken, DomainError> {
        let credentials = Self::typed(password);
        run(self
            .services
            .login(&self.pool, &credentials, self.terms(), origin))
    }

    /// Logs in with the password, as far as it gets.
    pub fn enter(&self, origin: &Origin) -> Result<LoggedIn, DomainError> {
        let credentials = Self::typed(PASSWORD);
        run(self
            .services
            .login_or_request_code(&self.pool, &credentials, self.terms(), origin))
    }

    /// Lets a login wait for a second factor.
    pub fn begin(&self, method: Option<FactorKind>, origin: &Origin) -> Result<CodeRequested, DomainError> {
        let credentials = Self::typed(PASSWORD);
        run(self
            .services
            .request_code(&self.pool, &credentials, method, false, origin))
    }

    /// Types a code for a login that waits.
    pub fn type_code(
        &self,
        challenge: &Token,
        code: &str,
        method: FactorKind,
        trust_device: bool,
        origin: &Origin,
    ) -> Result<AccessToken, DomainError> {
        let code = CodeLogin {
            name: None,
            realm: None,
            code: Secret::new(code),
            challenge: Some(challenge.clone()),
            method: Some(method),
            trust_device,
        };
        run(self.services.login_with_code(&self.pool, code, origin))
    }

    /// Presents an authenticator's answer.
    pub fn answer(
        &self,
        ceremony: &Token,
        answer: Value,
        origin: &Origin,
    ) -> Result<AccessToken, DomainError> {
        let login = PasskeyLogin {
            ceremony: ceremony.clone(),
            answer,
            terms: self.terms(),
            trust_device: false,
        };
        run(self.services.login_with_passkey(&self.pool, login, origin))
    }

    /// Whom a token presents.
    pub fn caller(&self, token: &Token) -> Option<Authenticated> {
        match run(self.services.authenticate(token, None)).expect("every port answers") {
            Authentication::Live(caller) => Some(*caller),
            Authentication::Anonymous | Authentication::Expired => None,
        }
    }

    /// Proves somebody anew.
    pub fn step_up(&self, caller: &Authenticated, proof: StepUpProof) -> Result<AccessToken, DomainError> {
        let origin = from([192, 0, 2, 1], None);
        run(self.services.step_up(&self.pool, caller, proof, &origin))
    }

    /// Adds an authenticator app: asks, and types what it shows in the step before this one, so that this one's code is still good.
    pub fn enrol(&self, caller: &Authenticated) -> Result<App, DomainError> {
        let origin = from([192, 0, 2, 1], None);
        let asked = run(self.services.begin_totp(&self.pool, caller, None, &origin))?;
        let secret = asked.secret.expose().expose().to_owned();
        let shown = Secret::new(otp::code(&secret, otp::step_at(self.now()) - 1));
        let confirmed = self
            .services
            .confirm_totp(&self.pool, caller, &asked.enrolment, &shown, &origin);
        let user = run(confirmed)?;
        let app = user.factors.totp.last().expect("the app");
        Ok(App {
            id: app.id.clone(),
            secret,
        })
    }

    /// What an app shows now, or some steps away.
    pub fn shown(&self, app: &App, steps_away: i64) -> String {
        otp::code(&app.secret, otp::step_at(self.now()) + steps_away)
    }

    /// Ten recovery codes.
    pub fn recovery_codes(&self, caller: &Authenticated) -> Result<Vec<String>, DomainError> {
        let origin = from([192, 0, 2, 1], None);
        let codes = run(self.services.make_recovery_codes(&self.pool, caller, &origin))?;
        Ok(codes.iter().map(|code| code.expose().to_owned()).collect())
    }

    /// Adds a passkey.
    pub fn add_passkey(
        &self,
        caller: &Authenticated,
        authenticator: &mut Authenticator,
    ) -> Result<FactorId, DomainError> {
        let origin = from([192, 0, 2, 1], None);
        let asked = run(self.services.begin_passkey(&self.pool, caller, None, &origin))?;
        let made = authenticator.make(&asked.options);
        let added = self
            .services
            .finish_passkey(&self.pool, caller, &asked.ceremony, &made, &origin);
        Ok(run(added)?.id)
    }

    /// Removes a factor.
    pub fn remove(&self, caller: &Authenticated, factor: &FactorId) -> Result<User, DomainError> {
        let origin = from([192, 0, 2, 1], None);
        run(self.services.remove_factor(&self.pool, caller, factor, &origin))
    }

    /// Confirms Ann's number.
    pub fn confirm_phone(&self, caller: &Authenticated) -> Result<User, DomainError> {
        let origin = from([192, 0, 2, 1], None);
        run(self.services.send_phone_code(&self.pool, &caller.user, &origin))?;
        let code = self.last_sms();
        run(self
            .services
            .confirm_phone(&self.pool, caller, &Secret::new(code), &origin))
    }

    /// The digits that were sent last.
    pub fn last_sms(&self) -> String {
        let contents = self.world.contents();
        let code = contents
            .sms
            .last()
            .map(|message| message.code.expose().to_owned());
        code.expect("a code was sent")
    }
}
