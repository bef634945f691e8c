//! The real services over a [`World`] with one provider, driven by moves.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use domain::credential::Password;
use domain::error::{Denial, DomainError};
use domain::flow::login::Terms;
use domain::flow::sign_up::NewUser;
use domain::id::{EntryName, IdentityId, PoolName, ProviderName, UserKey};
use domain::identity::{Profile, ProfileEmail, ProviderClient, ProviderEntry, ProviderTokens, SubjectScope};
use domain::limits::ClientAddress;
use domain::message::MailKind;
use domain::origin::Origin;
use domain::policy::{AccessPolicy, Policy, PoolPolicy};
use domain::ports::{
    Arrival, AuthorizationRequest, AuthorizationResponse, AuthorizationStart, IdentityProvider,
    ProviderAdapter, ProviderBinding, ProviderError, ProviderFault,
};
use domain::secret::{MacKey, Secret, Token};
use domain::service::{
    Authenticated, Authentication, AuthorizationAsk, AuthorizationStarted, Callback, Credentials, Finished,
    LoginName, Outcome as Ended, Services,
};
use domain::session::{AccessToken, TokenLife};
use domain::time::{Lifetime, Timestamp};
use domain::user::User;

use super::{ACCOUNTS, EMAILS, Move, Outcome};
use crate::system::{POOL, unlimited};
use crate::world::{World, run};

/// The password of everybody who has one.
pub const PASSWORD: &str = "gate of the old town";

/// A provider that says who comes back by a parameter, and counts the tokens it sells.
pub struct Elsewhere {
    world: Arc<World>,
    /// Tokens sold so far.
    pub sold: AtomicUsize,
}

impl Elsewhere {
    fn tokens(&self, now: Timestamp) -> ProviderTokens {
        let number = self.sold.fetch_add(1, Ordering::Relaxed);
        ProviderTokens {
            access_token: Secret::new(format!("token {number}")),
            token_secret: None,
            refresh_token: Some(Secret::new(format!("refresh {number}"))),
            token_type: "Bearer".to_owned(),
            expires: Some(now.plus(Lifetime::from_secs(3600))),
            scopes: None,
        }
    }
}

#[async_trait]
impl IdentityProvider for Elsewhere {
    async fn begin(&self, request: &AuthorizationRequest) -> Result<AuthorizationStart, ProviderError> {
        self.world.tick();
        Ok(AuthorizationStart {
            url: request.state.expose().to_owned(),
            form: None,
            handle: None,
            carry: Some(Secret::new("carry")),
        })
    }

    async fn complete(&self, response: &AuthorizationResponse) -> Result<Arrival, ProviderError> {
        self.world.tick();
        let number = response
            .param("account")
            .and_then(|text| text.parse::<usize>().ok());
        let account = number.and_then(|number| ACCOUNTS.get(number));
        let account = account.ok_or_else(|| ProviderError::refused(ProviderFault::CallbackInvalid, ""))?;
        let email = account.email.and_then(|email| EMAILS.get(email));
        let emails = email.map(|email| ProfileEmail {
            value: (*email).to_owned(),
            verified: account.vouched,
        });
        let profile = Profile {
            emails: emails.into_iter().collect(),
            ..Profile::default()
        };
        Ok(Arrival {
            tokens: Some(self.tokens(response.now)),
            ..Arrival::new("https://elsewhere.example", account.subject, profile)
        })
    }

    async fn refresh(
        &self,
        _: &ProviderTokens,
        _: Option<ProviderClient>,
        now: Timestamp,
    ) -> Result<ProviderTokens, ProviderError> {
        self.world.tick();
        Ok(self.tokens(now))
    }
}

/// The services and everything they handed out.
#[derive(Clone)]
pub struct System {
    /// What is behind the ports.
    pub world: Arc<World>,
    /// The services.
    pub services: Services,
    /// The provider.
    pub elsewhere: Arc<Elsewhere>,
    /// Sessions, in the order they were opened.
    pub sessions: Vec<AccessToken>,
    /// Users, in the order they came about.
    pub people: Vec<UserKey>,
    visits: Vec<(usize, AuthorizationStarted, &'static str)>,
    offers: Vec<Token>,
}

/// A user as the model would describe them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// The address.
    pub email: Option<String>,
    /// Whether it was proven.
    pub verified: bool,
    /// Whether there is a password.
    pub password: bool,
    /// The linked accounts.
    pub linked: BTreeSet<String>,
}

fn entry(name: &str, link: bool) -> ProviderEntry {
    ProviderEntry {
        name: EntryName::new(name),
        provider: ProviderName::new("elsewhere"),
        auth_scheme: "oAuth 2.0".to_owned(),
        pool: PoolName::new(POOL),
        link,
        client_id: "us".to_owned(),
        subjects: SubjectScope::Issuer,
        callback_url: format!("http://localhost:3000/auth/{name}/callback"),
        scopes: Vec::new(),
        mapping: Vec::new(),
        email_optional: true,
        roles: Vec::new(),
        only_known_users: false,
        unsolicited: false,
    }
}

fn here() -> Origin {
    ClientAddress::of([192, 0, 2, 1].into()).into()
}

type Answer = Result<Outcome, DomainError>;

impl System {
    /// Ann, who never proved her address, Bob, who did, and the way elsewhere.
    ///
    /// # Panics
    /// When nobody can sign up.
    #[expect(clippy::expect_used, reason = "a world in memory signs anybody up")]
    pub fn new(seed: u64) -> Self {
        let world = World::new(seed, true);
        let mut pool = PoolPolicy::new(PoolName::new(POOL), "User");
        // Which act wants a fresh proof is a matter of its own: here an old session may link.
        pool.step_up = Vec::new();
        pool.notices = false;
        let policy = Policy {
            pools: [(pool.name.clone(), pool.clone())].into(),
            limits: unlimited(),
            public_url: "http://localhost:3000".to_owned(),
            service_name: "Example".to_owned(),
            language: "en".to_owned(),
            audit_life: Lifetime::from_secs(86_400),
            access: AccessPolicy::default(),
        };
        let elsewhere = Arc::new(Elsewhere {
            world: world.clone(),
            sold: AtomicUsize::new(0),
        });
        let binding = |name, link| ProviderBinding {
            entry: entry(name, link),
            adapter: ProviderAdapter::redirect(elsewhere.clone()),
        };
        world.set_providers(vec![binding("login", false), binding("link", true)]);
        let services = Services::new(world.ports(), policy, MacKey::new([7; 32]));
        let mut people = Vec::new();
        for email in EMAILS.into_iter().take(2) {
            let form = NewUser {
                email: Some(email.to_owned()),
                password: Some(Password::typed(PASSWORD)),
                ..NewUser::default()
            };
            let user = run(services.sign_up(&pool, form, &here())).expect("anybody signs up");
            people.push(user.key);
        }
        for user in world.contents().users.values_mut() {
            user.email_verified = people.last() == Some(&user.key);
        }
        Self {
            world,
            services,
            elsewhere,
            sessions: Vec::new(),
            people,
            visits: Vec::new(),
            offers: Vec::new(),
        }
    }

    /// The rules of the pool.
    ///
    /// # Panics
    /// Never: the system was made with it.
    #[expect(clippy::expect_used, reason = "the system was made with this pool")]
    pub fn pool(&self) -> &PoolPolicy {
        self.services
            .pool(&PoolName::new(POOL))
            .expect("the pool it was made with")
    }

    /// Everybody, in the order they came about.
    pub fn kept(&self) -> Vec<Option<Kept>> {
        let contents = self.world.contents();
        let describe = |user: &User| Kept {
            email: user.email.as_ref().map(ToString::to_string),
            verified: user.email_verified,
            password: user.password.is_some(),
            linked: user
                .identities
                .iter()
                .map(|linked| linked.key.subject.clone())
                .collect(),
        };
        self.people
            .iter()
            .map(|key| contents.users.get(key).map(describe))
            .collect()
    }

    /// Who presents a session, if it is live.
    ///
    /// # Panics
    /// When a port fails: this world's never do.
    #[expect(clippy::expect_used, reason = "a failing port is a fault of the harness")]
    pub fn caller(&self, session: usize) -> Option<Authenticated> {
        let token = self.sessions.get(session)?;
        let found = run(self.services.authenticate(&token.secret, None)).expect("a world in memory answers");
        match found {
            Authentication::Live(caller) => Some(*caller),
            Authentication::Anonymous | Authentication::Expired => None,
        }
    }

    /// Makes a move.
    ///
    /// # Panics
    /// When a port fails: this world's never do.
    #[expect(clippy::panic, reason = "a failing port is a fault of the harness")]
    pub fn make(&mut self, made: Move) -> Outcome {
        match self.answer(made) {
            Ok(outcome) => outcome,
            Err(DomainError::Denied(denial)) => Outcome::Denied(denial.code().unwrap_or("none")),
            Err(DomainError::Port(error)) => panic!("a port failed: {error}"),
        }
    }

    fn answer(&mut self, made: Move) -> Answer {
        let services = self.services.clone();
        let pool = self.pool().clone();
        match made {
            Move::LogIn { person } => self.log_in(person),
            Move::LogOut { session } => match self.caller(session) {
                Some(caller) => run(services.log_out(&pool, Some(&caller), &here())).map(|()| Outcome::Done),
                None => Ok(Outcome::NotLoggedIn),
            },
            Move::SetOut { browser } => self.set_out(browser, None),
            Move::SetOutToLink { browser, session } => match self.caller(session) {
                Some(caller) => self.set_out(browser, Some(caller)),
                None => Ok(Outcome::NotLoggedIn),
            },
            Move::ComeBack {
                visit,
                browser,
                account,
            } => self.come_back(visit, browser, account),
            Move::JoinByPassword { offer, right } => {
                let password = Password::typed(if right { PASSWORD } else { "not that one" });
                let offer = self.offer(offer);
                self.ended(run(services.join_with_password(
                    &pool,
                    &offer,
                    &password,
                    &here(),
                )))
            }
            Move::AskCode { offer } => {
                run(services.send_join_code(&pool, &self.offer(offer), &here())).map(|()| Outcome::Done)
            }
            Move::JoinByCode { offer, code } => {
                let (offer, code) = (self.offer(offer), self.code(code));
                self.ended(run(services.join_with_code(&pool, &offer, &code, &here())))
            }
            Move::Decline { offer } => {
                let offer = self.offer(offer);
                self.ended(run(services.decline_join(&pool, &offer, &here())))
            }
            Move::Unlink { session, account } => self.unlink(session, account),
            Move::Wait { seconds } => {
                self.world.wait(i64::from(seconds) * 1000);
                Ok(Outcome::Done)
            }
        }
    }

    fn log_in(&mut self, person: usize) -> Answer {
        let email = self.people.get(person).and_then(|key| {
            let contents = self.world.contents();
            contents.users.get(key)?.email.as_ref().map(ToString::to_string)
        });
        let credentials = Credentials {
            realm: None,
            name: LoginName::Email(email.unwrap_or_else(|| "nobody@example.com".to_owned())),
            password: Password::typed(PASSWORD),
        };
        let life = Terms::of(TokenLife::Finite(Lifetime::from_secs(1_209_600)));
        let token = run(self.services.login(self.pool(), &credentials, life, &here()))?;
        self.sessions.push(token);
        Ok(Outcome::LoggedIn)
    }

    fn set_out(&mut self, browser: usize, caller: Option<Authenticated>) -> Answer {
        let name = if caller.is_some() { "link" } else { "login" };
        let ask = AuthorizationAsk {
            caller,
            ..AuthorizationAsk::default()
        };
        let started = run(self
            .services
            .begin_authorization(&EntryName::new(name), ask, &here()))?;
        self.visits.push((browser, started, name));
        Ok(Outcome::Done)
    }

    fn come_back(&mut self, visit: usize, browser: usize, account: usize) -> Answer {
        let Some((begun_in, started, name)) = self.visits.get(visit).cloned() else {
            return Err(Denial::AuthorizationUnknown.into());
        };
        let params = vec![
            ("state".to_owned(), started.url),
            ("account".to_owned(), account.to_string()),
        ];
        let other = Token::presented(format!("a cookie of browser {browser}"));
        let callback = Callback {
            params,
            browser: Some(if begun_in == browser {
                started.browser
            } else {
                other
            }),
            posted: false,
        };
        let finished = run(self
            .services
            .finish_authorization(&EntryName::new(name), callback, &here()));
        self.ended(finished)
    }

    fn ended(&mut self, finished: Result<Finished, DomainError>) -> Answer {
        match finished?.outcome {
            Ended::LoggedIn(token) => {
                if !self.people.contains(&token.user.key) {
                    self.people.push(token.user.key.clone());
                }
                self.sessions.push(*token);
                Ok(Outcome::LoggedIn)
            }
            Ended::Linked { .. } => Ok(Outcome::Linked),
            Ended::AccountExists { join, .. } => {
                self.offers.push(join);
                Ok(Outcome::Offered)
            }
            Ended::AwaitingCode(_) | Ended::Exchange(_) => Err(Denial::Unexpected.into()),
        }
    }

    fn unlink(&self, session: usize, account: usize) -> Answer {
        let Some(caller) = self.caller(session) else {
            return Ok(Outcome::NotLoggedIn);
        };
        let subject = ACCOUNTS.get(account).map(|account| account.subject);
        let linked = caller.user.identities.iter();
        let found = linked
            .clone()
            .find(|linked| Some(linked.key.subject.as_str()) == subject);
        let id = found.map_or_else(|| IdentityId::new("nothing"), |linked| linked.id.clone());
        run(self.services.unlink(self.pool(), &caller, &id, &here())).map(|()| Outcome::Done)
    }

    fn offer(&self, number: usize) -> Token {
        let known = self.offers.get(number).cloned();
        known.unwrap_or_else(|| Token::presented("never offered"))
    }

    fn code(&self, number: usize) -> Secret {
        let contents = self.world.contents();
        let mut codes = contents.mails.iter().filter_map(|mail| match &mail.kind {
            MailKind::JoinCode { code, .. } => Some(code.clone()),
            _ => None,
        });
        codes.nth(number).unwrap_or_else(|| Secret::new("guess!"))
    }
}
