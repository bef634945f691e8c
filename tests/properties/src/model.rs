//! The reference: what each person truly proved, and when. No epochs, revisions, hashes or stores: what a move ends is struck out.

mod record;

use domain::policy::SecondFactor;

use crate::moves::{Made, Move, Name, Outcome, Rules, Typed, Want};

const CODE_LIFE: i64 = 60_000;
const PENDING_LIFE: i64 = 600_000;
const RESET_LIFE: i64 = 900_000;
const VERIFY_LIFE: i64 = 86_400_000;
const CODE_SESSION_LIFE: i64 = 86_400_000;
const PAGE_SESSION_LIFE: i64 = 1_209_600_000;
const TRIES: usize = 5;
const PENDING_AT_ONCE: usize = 3;

/// A person with an account.
#[derive(Clone, Debug)]
pub struct Person {
    /// Their address.
    pub email: usize,
    /// Their username.
    pub username: Option<usize>,
    /// Their password.
    pub password: usize,
    /// The number they gave.
    pub phone: Option<usize>,
    /// The number they proved.
    pub factor: Option<usize>,
    /// Whether they proved their address.
    pub verified: bool,
    /// Whether they left.
    pub gone: bool,
}

/// A session that was handed out.
#[derive(Clone, Debug)]
pub struct Opened {
    /// Whose.
    pub person: usize,
    /// When.
    pub at: i64,
    /// How long it lives.
    pub life: i64,
    /// Whether a code was typed for it, besides the password.
    pub with_code: bool,
    /// Whether something ended it.
    pub ended: bool,
}

/// A code that was sent, for a login or for a number.
#[derive(Clone, Debug)]
pub struct Sent {
    /// Whose.
    pub person: usize,
    /// From where it was asked for.
    pub from: usize,
    /// How long a session opened with it lives.
    pub opens_for: i64,
    /// When it was begun.
    pub begun: i64,
    /// The number it went to.
    pub phone: Option<usize>,
    /// The newest code.
    pub code: usize,
    /// When that was sent.
    pub code_at: i64,
    /// Tries so far.
    pub tries: usize,
    /// Whether it was spent, or something ended it.
    pub ended: bool,
}

/// A link that was mailed.
#[derive(Clone, Debug)]
pub struct Link {
    /// Whose.
    pub person: usize,
    /// The address it went to.
    pub email: usize,
    /// When.
    pub at: i64,
    /// Whether it was spent, or something ended it.
    pub ended: bool,
}

/// Everything that is true.
#[derive(Clone, Debug)]
pub struct Model {
    /// The rules.
    pub rules: Rules,
    /// Milliseconds since the beginning.
    pub now: i64,
    /// Everybody who ever signed up.
    pub people: Vec<Person>,
    /// Every session ever opened.
    pub sessions: Vec<Opened>,
    /// Every login that ever waited for a code, in the order of their challenges.
    pub pending: Vec<Sent>,
    /// Every code ever sent to prove a number.
    pub numbers: Vec<Sent>,
    /// Every reset link ever mailed.
    pub resets: Vec<Link>,
    /// Every verification link ever mailed.
    pub verifications: Vec<Link>,
    /// Messages sent so far.
    pub codes: usize,
    /// Mails that told an owner of a sign-up with their address.
    pub notices: usize,
    /// What the last move must have come to.
    pub expected: Outcome,
}

impl Model {
    /// The beginning: nobody is there.
    pub fn new(rules: Rules) -> Self {
        Self {
            rules,
            now: 0,
            people: Vec::new(),
            sessions: Vec::new(),
            pending: Vec::new(),
            numbers: Vec::new(),
            resets: Vec::new(),
            verifications: Vec::new(),
            codes: 0,
            notices: 0,
            expected: Outcome::Done,
        }
    }

    /// Makes a move. `mails` says whether mail goes out at all just now: limits may hold it back without a word.
    pub fn make(&mut self, made: &Made, mails: bool) {
        self.expected = self.outcome(made, mails);
    }

    /// The person of a name who is still there.
    pub fn named(&self, name: Name) -> Option<usize> {
        self.people.iter().position(|person| {
            !person.gone
                && match name {
                    Name::Email(email) => person.email == email,
                    Name::Username(username) => person.username == Some(username),
                }
        })
    }

    /// Whose live session it is.
    pub fn caller(&self, session: usize) -> Option<usize> {
        let opened = self.sessions.get(session)?;
        (!opened.ended && self.now < opened.at + opened.life).then_some(opened.person)
    }

    /// Whether a pending login can still be completed.
    pub fn is_pending(&self, challenge: usize) -> bool {
        let found = self.pending.get(challenge);
        found.is_some_and(|sent| !sent.ended && self.now < sent.begun + PENDING_LIFE)
    }

    fn outcome(&mut self, made: &Made, mails: bool) -> Outcome {
        let from = made.from;
        match made.what {
            Move::SignUp {
                email,
                username,
                password,
                phone,
            } => self.sign_up(
                Person {
                    email,
                    username,
                    password,
                    phone,
                    factor: None,
                    verified: false,
                    gone: false,
                },
                mails,
            ),
            Move::LogIn { name, password, want } => self.log_in(name, password, want, from),
            Move::TypeCode {
                times,
                name,
                challenge,
                typed,
            } => repeat(times, || self.type_code(name, challenge, typed, from)),
            Move::Resend { challenge } => self.resend(challenge),
            Move::Wait { millis } => {
                self.now += millis;
                Outcome::Done
            }
            Move::ChangePassword {
                session,
                current,
                new,
            } => self.change_password(session, current, new),
            Move::ChangeRecord { session, change } => self.change_record(session, &change, mails),
            Move::AskReset { email } => self.ask_reset(email, mails),
            Move::UseReset { link, password } => self.use_reset(link, password),
            Move::AskVerification { person } => self.ask_verification(person, mails),
            Move::UseVerification { link, person } => self.use_verification(link, person),
            Move::AskNumberCode { session } => self.ask_number_code(session, from),
            Move::TypeNumberCode {
                session,
                typed,
                times,
            } => repeat(times, || self.type_number_code(session, typed)),
            Move::LogOut { session } => self.log_out(session),
            Move::EndOthers { session } => self.end_others(session),
            Move::Delete { session } => self.delete(session),
            Move::Purge | Move::RaiseCost => Outcome::Done,
        }
    }

    fn sign_up(&mut self, person: Person, mails: bool) -> Outcome {
        if self.rules.hide_existing && person.username.is_some() {
            return Outcome::Denied("Invalid");
        }
        if person
            .username
            .is_some_and(|name| self.named(Name::Username(name)).is_some())
        {
            return Outcome::Denied("Invalid");
        }
        if self.named(Name::Email(person.email)).is_some() {
            if self.rules.hide_existing {
                self.notices += usize::from(mails);
                return Outcome::Done;
            }
            return Outcome::Denied("Invalid");
        }
        self.people.push(person);
        if self.rules.verification && mails {
            self.mail_verification(self.people.len() - 1);
        }
        Outcome::Done
    }

    fn log_in(&mut self, name: Name, password: usize, want: Want, from: usize) -> Outcome {
        let rules = self.rules.clone();
        if want == Want::Code && rules.second_factor == SecondFactor::Off {
            return Outcome::Denied("AuthorizationRequired");
        }
        let found = self
            .named(name)
            .and_then(|who| Some((who, self.people.get(who)?.clone())));
        let Some((who, person)) = found.filter(|(_, person)| person.password == password) else {
            return Outcome::Denied("LoginFailed");
        };
        if rules.verification && !person.verified {
            let silent = rules.hide_existing;
            return Outcome::Denied(if silent { "LoginFailed" } else { "EmailNotVerified" });
        }
        let due = match rules.second_factor {
            SecondFactor::Off => false,
            SecondFactor::Optional => person.factor.is_some(),
            SecondFactor::Required => true,
        };
        match want {
            Want::Session(_) if due => Outcome::Denied("SecondFactorRequired"),
            Want::Session(seconds) => self.open(who, i64::try_from(seconds * 1000).unwrap_or(0), false),
            Want::Either if !due => self.open(who, PAGE_SESSION_LIFE, false),
            Want::Code | Want::Either => {
                let life = if want == Want::Code {
                    CODE_SESSION_LIFE
                } else {
                    PAGE_SESSION_LIFE
                };
                self.send_login_code(who, person.factor.or(person.phone), from, life)
            }
        }
    }

    fn open(&mut self, person: usize, life: i64, with_code: bool) -> Outcome {
        self.sessions.push(Opened {
            person,
            at: self.now,
            life,
            with_code,
            ended: false,
        });
        Outcome::Opened
    }

    /// A newer code voids the older from the same place; of the others the newest stay.
    fn send_login_code(
        &mut self,
        person: usize,
        phone: Option<usize>,
        from: usize,
        opens_for: i64,
    ) -> Outcome {
        if phone.is_none() && !self.rules.reaches_without_number {
            return Outcome::Denied("PhoneRequired");
        }
        let now = self.now;
        let waiting =
            |sent: &&mut Sent| sent.person == person && !sent.ended && now < sent.begun + PENDING_LIFE;
        let mut others = 1;
        for sent in self.pending.iter_mut().rev().filter(waiting) {
            if sent.from == from || others >= PENDING_AT_ONCE {
                sent.ended = true;
            } else {
                others += 1;
            }
        }
        let sent = self.send_code(person, phone, from);
        self.pending.push(Sent { opens_for, ..sent });
        Outcome::CodeSent
    }

    fn send_code(&mut self, person: usize, phone: Option<usize>, from: usize) -> Sent {
        self.codes += 1;
        Sent {
            person,
            from,
            opens_for: 0,
            begun: self.now,
            phone,
            code: self.codes - 1,
            code_at: self.now,
            tries: 0,
            ended: false,
        }
    }

    fn type_code(
        &mut self,
        name: Option<Name>,
        challenge: Option<usize>,
        typed: Typed,
        from: usize,
    ) -> Outcome {
        let named = name.and_then(|name| self.named(name));
        let reached = match challenge {
            Some(challenge) => self
                .pending
                .get(challenge)
                .filter(|sent| name.is_none() || named == Some(sent.person))
                .map(|_| challenge),
            None => named.and_then(|who| {
                self.pending
                    .iter()
                    .rposition(|sent| sent.person == who && sent.from == from && !sent.ended)
            }),
        };
        let Some(challenge) = reached.filter(|challenge| self.is_pending(*challenge)) else {
            return Outcome::Denied("LoginFailed");
        };
        let now = self.now;
        let Some(sent) = self.pending.get_mut(challenge) else {
            return Outcome::Denied("LoginFailed");
        };
        if !sent.accepts(typed, now) {
            return Outcome::Denied("LoginFailed");
        }
        sent.ended = true;
        let sent = sent.clone();
        if let Some(person) = self.people.get_mut(sent.person)
            && person.factor.is_none()
            && person.phone == sent.phone
        {
            person.factor = sent.phone;
        }
        self.open(sent.person, sent.opens_for, true)
    }

    fn resend(&mut self, challenge: usize) -> Outcome {
        if !self.is_pending(challenge) {
            return Outcome::Denied("LoginFailed");
        }
        let (code, now) = (self.codes, self.now);
        if let Some(sent) = self.pending.get_mut(challenge) {
            sent.code = code;
            sent.code_at = now;
        }
        self.codes += 1;
        Outcome::CodeSent
    }

    fn log_out(&mut self, session: usize) -> Outcome {
        if self.caller(session).is_none() {
            return Outcome::Denied("AccessTokenRequired");
        }
        if let Some(opened) = self.sessions.get_mut(session) {
            opened.ended = true;
        }
        Outcome::Done
    }
}

/// What comes of doing something over and over: what came of it last.
fn repeat(times: usize, mut act: impl FnMut() -> Outcome) -> Outcome {
    (0..times).fold(Outcome::Done, |_, _| act())
}

impl Sent {
    /// Counts the try, then judges it.
    fn accepts(&mut self, typed: Typed, now: i64) -> bool {
        self.tries += 1;
        self.tries <= TRIES && typed == Typed::Sent(self.code) && now < self.code_at + CODE_LIFE
    }
}
