//! The real services over a [`World`], driven by moves.

use std::sync::Arc;

use domain::credential::Password;
use domain::error::{Denial, DomainError};
use domain::flow::change_profile::{Field, ProfileChange};
use domain::flow::login::Terms;
use domain::flow::sign_up::NewUser;
use domain::id::{PoolName, UserId, UserKey};
use domain::limits::ClientAddress;
use domain::message::MailKind;
use domain::origin::Origin;
use domain::policy::{AccessPolicy, Limits, Policy, PoolPolicy};
use domain::secret::{MacKey, Secret, Token};
use domain::service::{Authenticated, Authentication, CodeLogin, Credentials, LoggedIn, LoginName, Services};
use domain::session::{AccessToken, TokenLife};
use domain::time::Lifetime;

use crate::moves::{
    Change, EMAILS, Made, Move, Name, Number, Outcome, PASSWORDS, PHONES, PLACES, Rules, Typed, USERNAMES,
    Want, pick,
};
use crate::world::{World, run};

/// The pool everybody lives in.
pub const POOL: &str = "Users";

/// The services and everything they handed out.
#[derive(Clone)]
pub struct System {
    /// What is behind the ports.
    pub world: Arc<World>,
    /// The services.
    pub services: Services,
    /// Whoever signed up, in that order.
    pub people: Vec<UserKey>,
    /// Tokens handed out, in that order.
    pub sessions: Vec<AccessToken>,
    /// Challenges handed out, in that order.
    pub challenges: Vec<Token>,
}

type Answer = Result<Outcome, DomainError>;

impl System {
    /// A new system under these rules and limits.
    pub fn new(rules: &Rules, limits: Limits) -> Self {
        let mut pool = PoolPolicy::new(PoolName::new(POOL), "User");
        pool.second_factor = rules.second_factor;
        // The model knows codes by text message alone.
        pool.factor_kinds = [domain::user::FactorKind::Sms].into();
        pool.email_verification_required = rules.verification;
        pool.hide_existing = rules.hide_existing;
        // The model counts mails that carry something; what owners are told besides has tests of its own.
        pool.notices = false;
        let policy = Policy {
            pools: [(pool.name.clone(), pool)].into(),
            limits,
            public_url: "http://localhost:3000".to_owned(),
            service_name: "Example".to_owned(),
            language: "en".to_owned(),
            audit_life: Lifetime::from_secs(86_400),
            access: AccessPolicy::default(),
        };
        let world = World::new(rules.seed, rules.reaches_without_number);
        world.contents().keeps_the_dead = rules.keeps_the_dead;
        let services = Services::new(world.ports(), policy, MacKey::new([7; 32]));
        Self {
            world,
            services,
            people: Vec::new(),
            sessions: Vec::new(),
            challenges: Vec::new(),
        }
    }

    /// The rules of the pool.
    ///
    /// # Panics
    /// Never: the system was made with it.
    #[expect(clippy::expect_used, reason = "the system was made with this pool")]
    pub fn pool(&self) -> &PoolPolicy {
        let found = self.services.pool(&PoolName::new(POOL));
        found.expect("the pool it was made with")
    }

    /// Makes a move.
    ///
    /// # Panics
    /// When a port fails: this world's never do.
    #[expect(clippy::panic, reason = "a failing port is a fault of the harness")]
    pub fn make(&mut self, made: &Made) -> Outcome {
        match self.answer(made) {
            Ok(outcome) => outcome,
            Err(DomainError::Denied(denial)) => Outcome::Denied(reason(&denial)),
            Err(DomainError::Port(error)) => panic!("a port failed: {error}"),
        }
    }

    fn answer(&mut self, made: &Made) -> Answer {
        let from = origin(made.from);
        match &made.what {
            Move::SignUp {
                email,
                username,
                password,
                phone,
            } => self.sign_up(*email, *username, *password, *phone, &from),
            Move::LogIn { name, password, want } => self.log_in(*name, *password, *want, &from),
            Move::TypeCode {
                times,
                name,
                challenge,
                typed,
            } => {
                let (name, challenge) = (name.map(login_name), *challenge);
                let code = |system: &Self| system.code_login(name.clone(), challenge, *typed);
                repeat(*times, || self.type_code(code(self), &from))
            }
            Move::Resend { challenge } => {
                let challenge = self.challenge(*challenge);
                run(self.services.resend_code(self.pool(), &challenge, &from)).map(|_| Outcome::CodeSent)
            }
            Move::Wait { millis } => {
                self.world.wait(*millis);
                Ok(Outcome::Done)
            }
            Move::AskReset { email } => {
                let email = pick(&EMAILS, *email);
                run(self.services.request_reset(self.pool(), None, email, &from)).map(done)
            }
            Move::UseReset { link, password } => {
                let (token, password) = (self.link(*link, is_reset), typed_password(*password));
                let reset = self
                    .services
                    .reset_password(self.pool(), &token, &password, &from);
                run(reset).map(done)
            }
            Move::AskVerification { person } => {
                let id = self.person(*person);
                run(self.services.send_verification(self.pool(), &id, &from)).map(done)
            }
            Move::UseVerification { link, person } => {
                let (token, id) = (self.link(*link, is_verification), self.person(*person));
                run(self.services.confirm_email(self.pool(), &id, &token, &from)).map(done)
            }
            Move::Purge => run(self.services.purge()).map(done),
            Move::RaiseCost => {
                self.world.contents().generation += 1;
                Ok(Outcome::Done)
            }
            Move::LogOut { session } => {
                let caller = self.caller(*session);
                run(self.services.log_out(self.pool(), caller.as_ref(), &from)).map(done)
            }
            Move::ChangePassword { session, .. }
            | Move::ChangeRecord { session, .. }
            | Move::AskNumberCode { session }
            | Move::TypeNumberCode { session, .. }
            | Move::EndOthers { session }
            | Move::Delete { session } => match self.caller(*session) {
                Some(caller) => self.own(&made.what, &caller, &from),
                None => Ok(Outcome::NotLoggedIn),
            },
        }
    }

    /// What a caller does to their own record.
    fn own(&self, what: &Move, caller: &Authenticated, from: &Origin) -> Answer {
        let (services, pool) = (&self.services, self.pool());
        match what {
            Move::ChangePassword { current, new, .. } => {
                let (current, new) = (typed_password(*current), typed_password(*new));
                run(services.change_password(pool, caller, &current, &new, from)).map(done)
            }
            Move::ChangeRecord { change, .. } => {
                run(services.change_profile(pool, caller, &profile(change), from)).map(done)
            }
            Move::AskNumberCode { .. } => {
                run(services.send_phone_code(pool, &caller.user, from)).map(|_| Outcome::CodeSent)
            }
            Move::TypeNumberCode { typed, times, .. } => {
                let typed = self.typed(*typed);
                let confirm = || run(services.confirm_phone(pool, caller, &typed, from)).map(done);
                repeat(*times, confirm)
            }
            Move::EndOthers { .. } => run(services.end_other_sessions(pool, caller, from)).map(done),
            Move::Delete { .. } => run(services.delete_user(pool, caller, from)).map(done),
            _ => Ok(Outcome::NotLoggedIn),
        }
    }

    fn sign_up(
        &mut self,
        email: usize,
        username: Option<usize>,
        password: usize,
        phone: Option<usize>,
        from: &Origin,
    ) -> Answer {
        let form = NewUser {
            username: username.map(|name| pick(&USERNAMES, name).to_owned()),
            email: Some(pick(&EMAILS, email).to_owned()),
            phone: phone.map(|phone| pick(&PHONES, phone).to_owned()),
            password: Some(typed_password(password)),
            ..NewUser::default()
        };
        let user = run(self.services.sign_up(self.pool(), form, from))?;
        if self.world.contents().users.contains_key(&user.key) {
            self.people.push(user.key);
        }
        Ok(Outcome::Done)
    }

    fn log_in(&mut self, name: Name, password: usize, want: Want, from: &Origin) -> Answer {
        let credentials = Credentials {
            realm: None,
            name: login_name(name),
            password: typed_password(password),
        };
        let (services, pool) = (&self.services, self.pool());
        let logged_in = match want {
            Want::Session(seconds) => {
                let life = TokenLife::Finite(Lifetime::from_secs(seconds));
                let token = run(services.login(pool, &credentials, Terms::of(life), from))?;
                LoggedIn::Opened(Box::new(token))
            }
            Want::Code => {
                LoggedIn::AwaitingCode(run(services.request_code(pool, &credentials, None, false, from))?)
            }
            Want::Either => run(services.login_or_request_code(
                pool,
                &credentials,
                Terms::of(TokenLife::Finite(pool.ttl)),
                from,
            ))?,
        };
        Ok(match logged_in {
            LoggedIn::Opened(token) => {
                self.sessions.push(*token);
                Outcome::Opened
            }
            LoggedIn::AwaitingCode(requested) => {
                self.challenges.extend(requested.challenge);
                Outcome::CodeSent
            }
        })
    }

    fn code_login(&self, name: Option<LoginName>, challenge: Option<usize>, typed: Typed) -> CodeLogin {
        CodeLogin {
            name,
            realm: None,
            code: self.typed(typed),
            challenge: challenge.map(|challenge| self.challenge(challenge)),
            method: None,
            trust_device: false,
        }
    }

    fn type_code(&mut self, code: CodeLogin, from: &Origin) -> Answer {
        let token = run(self.services.login_with_code(self.pool(), code, from))?;
        self.sessions.push(token);
        Ok(Outcome::Opened)
    }

    /// The live caller of a session.
    pub fn caller(&self, session: usize) -> Option<Authenticated> {
        let token = &self.sessions.get(session)?.secret;
        match run(self.services.authenticate(token, Some(&PoolName::new(POOL)))) {
            Ok(Authentication::Live(caller)) => Some(*caller),
            _ => None,
        }
    }

    /// A challenge that was handed out, or one that never was.
    pub fn challenge(&self, challenge: usize) -> Token {
        let nobodys = || Token::presented("nobody's challenge");
        self.challenges.get(challenge).cloned().unwrap_or_else(nobodys)
    }

    /// The text a person types.
    pub fn typed(&self, typed: Typed) -> Secret {
        let contents = self.world.contents();
        let sent = |code: usize| {
            contents
                .sms
                .get(code)
                .map(|message| message.code.expose().to_owned())
        };
        let guess = || {
            let was_sent = |guess: &String| contents.sms.iter().any(|message| message.code.expose() == guess);
            (0..1_000_000)
                .map(|number| format!("{number:06}"))
                .find(|guess| !was_sent(guess))
                .unwrap_or_default()
        };
        Secret::new(match typed {
            Typed::Sent(code) => sent(code).unwrap_or_else(guess),
            Typed::SentAndBlank(code) => sent(code).unwrap_or_else(guess) + " ",
            Typed::Guess => guess(),
        })
    }

    fn person(&self, person: usize) -> UserId {
        let nobody = || UserId::new("nobody");
        self.people.get(person).map_or_else(nobody, |key| key.id.clone())
    }

    /// The token of a link that was mailed, counted among its kind.
    pub fn link(&self, link: usize, kind: fn(&MailKind) -> Option<&Secret>) -> Token {
        let contents = self.world.contents();
        let mut links = contents.mails.iter().filter_map(|mail| kind(&mail.kind));
        let text = links
            .nth(link)
            .and_then(|link| link.expose().split_once("token="));
        Token::presented(text.map_or("nobody's token", |(_, token)| token))
    }
}

/// The link of a reset mail.
pub fn is_reset(kind: &MailKind) -> Option<&Secret> {
    match kind {
        MailKind::ResetPassword { link, .. } => Some(link),
        MailKind::VerifyEmail { .. }
        | MailKind::MagicLink { .. }
        | MailKind::Notice(_)
        | MailKind::AlreadyRegistered
        | MailKind::JoinCode { .. } => None,
    }
}

/// The link of a verification mail.
pub fn is_verification(kind: &MailKind) -> Option<&Secret> {
    match kind {
        MailKind::VerifyEmail { link } => Some(link),
        MailKind::ResetPassword { .. }
        | MailKind::MagicLink { .. }
        | MailKind::Notice(_)
        | MailKind::AlreadyRegistered
        | MailKind::JoinCode { .. } => None,
    }
}

/// No limits but the five tries of a code.
pub fn unlimited() -> Limits {
    Limits {
        enabled: false,
        ..Limits::default()
    }
}

/// What a request from a place says of itself.
pub fn origin(place_of: usize) -> Origin {
    place(place_of).into()
}

/// A place's address.
///
/// # Panics
/// Never: they are addresses.
#[expect(clippy::expect_used, reason = "a constant address")]
pub fn place(place: usize) -> ClientAddress {
    ClientAddress::of(pick(&PLACES, place).parse().expect("an address"))
}

/// A password as typed.
pub fn typed_password(password: usize) -> Password {
    Password::typed(pick(&PASSWORDS, password))
}

/// A name as typed.
pub fn login_name(name: Name) -> LoginName {
    match name {
        Name::Email(email) => LoginName::Email(pick(&EMAILS, email).to_owned()),
        Name::Username(username) => LoginName::Username(pick(&USERNAMES, username).to_owned()),
    }
}

fn profile(change: &Change) -> ProfileChange {
    let field = |list: &[&'static str], value: Option<usize>| match value {
        Some(value) => Field::Set(pick(list, value).to_owned()),
        None if change.replace => Field::Clear,
        None => Field::Keep,
    };
    ProfileChange {
        replace: change.replace,
        username: field(&USERNAMES, change.username),
        email: field(&EMAILS, change.email),
        phone: match change.phone {
            Number::Set(phone) => Field::Set(pick(&PHONES, phone).to_owned()),
            Number::Keep => Field::Keep,
            Number::Clear => Field::Clear,
        },
        password: change.password.map(typed_password),
        current_password: change.current.map(typed_password),
        attributes: serde_json::Map::new(),
    }
}

/// What comes of doing something over and over: what came of it last.
fn repeat(times: usize, mut act: impl FnMut() -> Answer) -> Answer {
    let mut answer = Ok(Outcome::Done);
    for _ in 0..times {
        answer = act();
    }
    answer
}

fn done<T>(_: T) -> Outcome {
    Outcome::Done
}

/// The name of a denial.
pub fn reason(denial: &Denial) -> &'static str {
    match denial {
        Denial::LoginFailed => "LoginFailed",
        Denial::EmailNotVerified { .. } => "EmailNotVerified",
        Denial::SecondFactorRequired { .. } => "SecondFactorRequired",
        Denial::UsernameOrEmailRequired => "UsernameOrEmailRequired",
        Denial::RealmRequired => "RealmRequired",
        Denial::InvalidTtl => "InvalidTtl",
        Denial::PhoneRequired => "PhoneRequired",
        Denial::PasswordRefused { .. } => "PasswordRefused",
        Denial::CurrentPasswordWrong => "CurrentPasswordWrong",
        Denial::PasswordChangeNotAllowed => "PasswordChangeNotAllowed",
        Denial::ProofRequired => "ProofRequired",
        Denial::CurrentPasswordRequired => "CurrentPasswordRequired",
        Denial::LastFactor => "LastFactor",
        Denial::TokenRefused => "TokenRefused",
        Denial::AuthorizationRequired => "AuthorizationRequired",
        Denial::AccessTokenRequired => "AccessTokenRequired",
        Denial::Invalid(_) => "Invalid",
        Denial::Limited { .. } => "Limited",
        Denial::Unexpected => "Unexpected",
        about_elsewhere => about_elsewhere.code().unwrap_or("Elsewhere"),
    }
}
