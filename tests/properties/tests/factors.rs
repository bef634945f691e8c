//! Ann's second factors, used by Ann and by a thief: beside the real services runs a model that knows only which factors she has and
//! which codes were used.
#![cfg(test)]

use domain::credential::Password;
use domain::error::{Denial, DomainError};
use domain::id::FactorId;
use domain::origin::Origin;
use domain::policy::SecondFactor;
use domain::secret::{Secret, Token};
use domain::service::StepUpProof;
use domain::session::{AccessToken, AssuranceLevel};
use domain::time::Lifetime;
use domain::user::FactorKind;
use properties::cases;
use properties::factors::acts::{Act, ByHolder, Code, FRESH, PLACES, TRUST, WAITS, act};
use properties::factors::authenticator::Authenticator;
use properties::factors::otp::step_at;
use properties::factors::{App, House, PASSWORD, from};
use properties::system::unlimited;
use properties::world::run;
use proptest::prelude::*;

/// How long a code that was sent lives, in milliseconds.
const CODE: i64 = 60_000;
const TRIES: usize = 5;

/// A factor as Ann thinks of it.
enum Held {
    App {
        app: App,
        used: i64,
    },
    /// And the count it had when it was last right.
    Key {
        id: FactorId,
        key: Box<Authenticator>,
        known: u32,
    },
}

impl Held {
    const fn id(&self) -> &FactorId {
        match self {
            Self::App { app, .. } => &app.id,
            Self::Key { id, .. } => id,
        }
    }
}

/// A token somebody was given.
struct Login {
    token: Token,
    began: i64,
    life: i64,
    proven: i64,
    second: bool,
    over: bool,
}

/// A login that waits at a place.
struct Waiting {
    challenge: Token,
    began: i64,
    sent: Option<(String, i64)>,
    tries: usize,
}

/// What Ann would say about her account.
#[derive(Default)]
struct Model {
    factors: Vec<Held>,
    /// Recovery codes of the present set, and of all the ones before.
    codes: Vec<String>,
    void_codes: Vec<String>,
    phone: bool,
    logins: Vec<Login>,
    waiting: [Option<Waiting>; PLACES.len()],
    /// The token the device at a place keeps, and until when it is trusted.
    devices: [(Option<String>, i64); PLACES.len()],
    made: usize,
}

impl Model {
    /// Whether there is anything beside the password; recovery codes are nothing by themselves.
    fn has_second(&self) -> bool {
        self.phone || !self.factors.is_empty()
    }

    fn has_app(&self) -> bool {
        self.factors.iter().any(|held| matches!(held, Held::App { .. }))
    }
}

struct Story {
    house: House,
    model: Model,
}

fn is_refused<T>(answer: &Result<T, DomainError>, by: &Denial) -> bool {
    matches!(answer, Err(DomainError::Denied(denial)) if denial.code() == by.code())
}

fn wants_step_up<T>(answer: &Result<T, DomainError>) -> bool {
    matches!(answer, Err(DomainError::Denied(Denial::StepUpRequired { .. })))
}

impl Story {
    fn new(rule: SecondFactor, with_phone: bool) -> Self {
        let house = House::new(5, unlimited(), |pool| {
            pool.second_factor = rule;
            pool.trust_device = Some(Lifetime::from_millis(TRUST.unsigned_abs()));
            pool.code_token_ttl = pool.ttl;
        });
        let mut story = Self {
            house,
            model: Model::default(),
        };
        if with_phone || rule == SecondFactor::Required {
            story.begin(0, None);
            if let Some(waiting) = &story.model.waiting[0] {
                let (challenge, code) = (waiting.challenge.clone(), story.house.last_sms());
                let origin = story.origin(0);
                let opened = story
                    .house
                    .type_code(&challenge, &code, FactorKind::Sms, false, &origin);
                story.model.phone = true;
                story.let_in(0, opened.expect("the number is confirmed"), true, false);
                story.model.waiting[0] = None;
            }
        }
        story
    }

    fn now(&self) -> i64 {
        self.house.now()
    }

    /// A request from a place, with what its device keeps.
    fn origin(&self, place: usize) -> Origin {
        let token = self.model.devices[place].0.as_deref();
        from(PLACES[place], Some(token.unwrap_or_default()))
    }

    fn is_required(&self) -> bool {
        self.house.pool.second_factor == SecondFactor::Required
    }

    fn is_due(&self, place: usize) -> bool {
        let trusted = self.now() < self.model.devices[place].1;
        (self.model.has_second() && !trusted) || (self.is_required() && !self.model.has_second())
    }

    /// Somebody was let in at a place.
    fn let_in(&mut self, place: usize, opened: AccessToken, second: bool, trusted: bool) {
        let two = opened.session.level() == AssuranceLevel::Aal2;
        assert_eq!(two, second, "{:?}", opened.session.factors);
        if let Some(token) = opened.device {
            self.model.devices[place] = (Some(token.expose().to_owned()), 0);
        }
        if trusted {
            self.model.devices[place].1 = self.now() + TRUST;
        }
        self.model.logins.push(Login {
            token: opened.secret,
            began: self.now(),
            life: i64::try_from(self.house.pool.ttl.as_millis()).expect("a life"),
            proven: self.now(),
            second,
            over: false,
        });
    }

    fn act(&mut self, act: Act) {
        match act {
            Act::Password(place) => self.password(place),
            Act::Begin(place, method) => self.begin(place, method),
            Act::Resend(place) => self.resend(place),
            Act::Type(place, code, trust) => self.type_code(place, &code, trust),
            Act::Touch(place, key, copied) => self.touch(place, key, copied),
            Act::WholePasskey(place, key) => self.whole_passkey(place, key),
            Act::Held(login, what) => self.by_holder(login, what),
            Act::Wait(millis) => self.wait(millis),
        }
        self.agrees();
    }

    /// What is stored is what Ann thinks she has.
    fn agrees(&self) {
        let ann = self.house.ann();
        let stored = ann.factors.totp.iter().map(|app| &app.id);
        let mut stored: Vec<_> = stored
            .chain(ann.factors.passkeys.iter().map(|key| &key.id))
            .collect();
        let mut held: Vec<_> = self.model.factors.iter().map(Held::id).collect();
        stored.sort();
        held.sort();
        assert_eq!(stored, held);
        assert_eq!(ann.factors.recovery_codes_left(), self.model.codes.len());
        assert_eq!(ann.factor_phone.is_some(), self.model.phone);
    }

    fn wait(&mut self, millis: i64) {
        self.house.world.wait(millis);
        if millis < 0 {
            // Tries that were counted in a time to come are counted in no simple way.
            let waiting = self.model.waiting.iter_mut();
            waiting
                .filter(|waiting| waiting.as_ref().is_some_and(|waiting| waiting.tries > 0))
                .for_each(|waiting| *waiting = None);
        }
    }

    fn password(&mut self, place: usize) {
        let answer = self.house.log_in(PASSWORD, &self.origin(place));
        if self.is_due(place) {
            let denial = Denial::SecondFactorRequired {
                methods: Vec::new(),
                enrols: Vec::new(),
                challenge: None,
            };
            assert!(is_refused(&answer, &denial), "{answer:?}");
        } else {
            self.let_in(place, answer.expect("nothing else is due"), false, false);
        }
        let wrong = self.house.log_in("gate of the new town", &self.origin(place));
        assert!(is_refused(&wrong, &Denial::LoginFailed));
    }

    fn begin(&mut self, place: usize, method: Option<FactorKind>) {
        let sent = self.house.world.contents().sms.len();
        let asked = self
            .house
            .begin(method, &self.origin(place))
            .expect("the password is right");
        let is_sent = self.house.world.contents().sms.len() > sent;
        assert!(is_sent || self.model.has_second());
        assert!(
            !(is_sent && self.model.has_app() && method.is_none()),
            "sent in vain"
        );
        self.model.waiting[place] = Some(Waiting {
            challenge: asked.challenge.expect("a challenge"),
            began: self.now(),
            sent: is_sent.then(|| (self.house.last_sms(), self.now())),
            tries: 0,
        });
    }

    fn resend(&mut self, place: usize) {
        let (now, origin) = (self.now(), self.origin(place));
        let may = self.model.phone || !self.model.has_second();
        let Some(waiting) = &mut self.model.waiting[place] else {
            return;
        };
        let again = run(self
            .house
            .services
            .resend_code(&self.house.pool, &waiting.challenge, &origin));
        if may && now < waiting.began + WAITS {
            again.expect("sent again");
            waiting.sent = Some((self.house.last_sms(), now));
        } else {
            assert!(is_refused(&again, &Denial::LoginFailed));
        }
    }

    /// The text of a code and its kind, and whether it is right where a code was or was not sent.
    fn judged(&self, code: &Code, sent: Option<&(String, i64)>) -> (String, FactorKind, bool) {
        let now = self.now();
        match code {
            Code::App(index, away) => {
                let mut apps = self.model.factors.iter().filter_map(|held| match held {
                    Held::App { app, used } => Some((app, *used)),
                    Held::Key { .. } => None,
                });
                let count = apps.clone().count();
                let Some((app, used)) = (count > 0).then(|| apps.nth(index.index(count))).flatten() else {
                    return ("123456".to_owned(), FactorKind::Totp, false);
                };
                let right = away.abs() <= 1 && step_at(now) + away > used;
                (self.house.shown(app, *away), FactorKind::Totp, right)
            }
            Code::Recovery(index) if !self.model.codes.is_empty() => {
                let code = index.get(&self.model.codes).to_lowercase();
                (code, FactorKind::Recovery, self.model.has_second())
            }
            Code::VoidRecovery(index) if !self.model.void_codes.is_empty() => (
                index.get(&self.model.void_codes).clone(),
                FactorKind::Recovery,
                false,
            ),
            Code::Recovery(_) | Code::VoidRecovery(_) => (
                "000000-000000-000000-000000".to_owned(),
                FactorKind::Recovery,
                false,
            ),
            Code::Sent => match sent {
                Some((code, at)) => (code.clone(), FactorKind::Sms, now < at + CODE),
                None => ("123456".to_owned(), FactorKind::Sms, false),
            },
            Code::Made(kind) => ("no code at all".to_owned(), *kind, false),
        }
    }

    /// A right code was used: it never is again.
    fn use_up(&mut self, code: &Code, text: &str) {
        let now = self.now();
        match code {
            Code::App(index, away) => {
                let mut apps: Vec<&mut i64> = self.model.factors.iter_mut().filter_map(used_of).collect();
                let count = apps.len();
                if let Some(used) = apps.get_mut(index.index(count)) {
                    **used = step_at(now) + away;
                }
            }
            Code::Recovery(_) => {
                let (used, left) = std::mem::take(&mut self.model.codes)
                    .into_iter()
                    .partition(|code| code.eq_ignore_ascii_case(text));
                self.model.codes = left;
                self.model.void_codes.extend::<Vec<String>>(used);
            }
            // The number it went to is hers.
            Code::Sent => self.model.phone = true,
            _ => {}
        }
    }

    fn type_code(&mut self, place: usize, code: &Code, trust: bool) {
        let origin = self.origin(place);
        let Some(waiting) = &self.model.waiting[place] else {
            return;
        };
        let (text, kind, right) = self.judged(code, waiting.sent.as_ref());
        let live = self.now() < waiting.began + WAITS && waiting.tries < TRIES;
        let challenge = waiting.challenge.clone();
        let answer = self.house.type_code(&challenge, &text, kind, trust, &origin);
        if !(right && live) {
            assert!(is_refused(&answer, &Denial::LoginFailed), "{code:?}: {answer:?}");
            self.model.waiting[place].as_mut().expect("it waits").tries += 1;
            return;
        }
        self.use_up(code, &text);
        self.model.waiting[place] = None;
        self.let_in(place, answer.expect("everything was proven"), true, trust);
        // The very same answer opens nothing again, here or anywhere.
        let again = self.house.type_code(&challenge, &text, kind, trust, &origin);
        assert!(is_refused(&again, &Denial::LoginFailed));
    }

    /// One of Ann's authenticators, by its place among them.
    fn key(&mut self, index: prop::sample::Index) -> Option<(&mut Authenticator, &mut u32)> {
        let keys = self.model.factors.iter_mut().filter_map(|held| match held {
            Held::Key { key, known, .. } => Some((key.as_mut(), known)),
            Held::App { .. } => None,
        });
        let mut keys: Vec<_> = keys.collect();
        (!keys.is_empty()).then(|| keys.swap_remove(index.index(keys.len())))
    }

    fn touch(&mut self, place: usize, index: prop::sample::Index, copied: bool) {
        let origin = self.origin(place);
        let (services, pool, now) = (self.house.services.clone(), self.house.pool.clone(), self.now());
        let Some(waiting) = &self.model.waiting[place] else {
            return;
        };
        let live = now < waiting.began + WAITS;
        let asked = run(services.begin_passkey_login(&pool, Some(&waiting.challenge), &origin));
        let Some((key, known)) = self.key(index) else {
            return;
        };
        let asked = asked.expect("a challenge that is known");
        let answer = if copied {
            key.answer(&asked.options)
        } else {
            key.sign(&asked.options)
        };
        let right = live && (!key.counts || key.count > *known);
        if right {
            *known = key.count;
        }
        let opened = self.house.answer(&asked.ceremony, answer.clone(), &origin);
        if right {
            self.model.waiting[place] = None;
            self.let_in(place, opened.expect("everything was proven"), true, false);
        } else {
            assert!(is_refused(&opened, &Denial::LoginFailed), "{opened:?}");
        }
        let again = self.house.answer(&asked.ceremony, answer, &origin);
        assert!(
            is_refused(&again, &Denial::LoginFailed),
            "a ceremony is over once it was answered"
        );
    }

    fn whole_passkey(&mut self, place: usize, index: prop::sample::Index) {
        let origin = self.origin(place);
        let asked = run(self
            .house
            .services
            .begin_passkey_login(&self.house.pool, None, &origin))
        .expect("asked");
        let Some((key, known)) = self.key(index) else {
            return;
        };
        let answer = key.sign(&asked.options);
        let whole = key.verifies;
        if whole {
            *known = key.count;
        }
        let opened = self.house.answer(&asked.ceremony, answer.clone(), &origin);
        if whole {
            self.let_in(place, opened.expect("two factors in one"), true, false);
        } else {
            assert!(is_refused(&opened, &Denial::LoginFailed));
        }
        let again = self.house.answer(&asked.ceremony, answer, &origin);
        assert!(is_refused(&again, &Denial::LoginFailed));
    }

    fn by_holder(&mut self, index: prop::sample::Index, what: ByHolder) {
        if self.model.logins.is_empty() {
            return;
        }
        let (now, at) = (self.now(), index.index(self.model.logins.len()));
        let login = &mut self.model.logins[at];
        login.over |= now >= login.began + login.life;
        let caller = self.house.caller(&login.token);
        assert_eq!(caller.is_some(), !login.over, "a session is what it was given as");
        let Some(caller) = caller else {
            return;
        };
        let proven = now - login.proven <= FRESH && (login.second || !self.model.has_second());
        match what {
            ByHolder::Look => {}
            ByHolder::ForgetDevices => {
                let origin = from(PLACES[0], None);
                let forgotten = self
                    .house
                    .services
                    .forget_devices(&self.house.pool, &caller, &origin);
                run(forgotten).expect("less trust is anybody's to ask for");
                self.model.devices = Default::default();
            }
            ByHolder::ProveByPassword => {
                let proof = StepUpProof::Password(Password::typed(PASSWORD));
                let answer = self.house.step_up(&caller, proof);
                let enough = !self.model.has_second();
                self.renewed(at, answer, enough, false);
            }
            ByHolder::ProveByCode(code) => {
                let (text, method, right) = self.judged(&code, None);
                let typed = Secret::new(text.clone());
                let answer = self.house.step_up(&caller, StepUpProof::Code { typed, method });
                if right {
                    self.use_up(&code, &text);
                }
                self.renewed(at, answer, right, true);
            }
            change => self.change(at, proven, &change),
        }
    }

    fn renewed(&mut self, at: usize, answer: Result<AccessToken, DomainError>, right: bool, second: bool) {
        if !right {
            assert!(is_refused(&answer, &Denial::LoginFailed), "{answer:?}");
            return;
        }
        let answer = answer.expect("proven");
        let proven = self.now();
        let login = &mut self.model.logins[at];
        assert!(self.house.caller(&login.token).is_none(), "the old token is over");
        login.token = answer.secret;
        login.proven = proven;
        login.second |= second;
    }

    /// Changes of factors: by a session that is proven they happen, by any other they do not.
    fn change(&mut self, at: usize, proven: bool, what: &ByHolder) {
        let caller = self.house.caller(&self.model.logins[at].token).expect("live");
        let made = self.model.made;
        self.model.made += 1;
        let apps = self.house.ann().factors.totp.len();
        match what {
            ByHolder::AddApp if apps < 5 => {
                let added = self.house.enrol(&caller);
                if proven {
                    let used = step_at(self.now()) - 1;
                    let app = added.expect("added");
                    self.model.factors.push(Held::App { app, used });
                } else {
                    assert!(wants_step_up(&added), "{added:?}");
                }
            }
            &ByHolder::AddKey(counts, verifies) if made < 20 => {
                let mut key = Box::new(Authenticator::new(made, counts, verifies));
                let added = self.house.add_passkey(&caller, &mut key);
                if proven {
                    let id = added.expect("added");
                    let known = key.count;
                    self.model.factors.push(Held::Key { id, key, known });
                } else {
                    assert!(wants_step_up(&added), "{added:?}");
                }
            }
            ByHolder::MakeCodes => {
                let codes = self.house.recovery_codes(&caller);
                if !proven {
                    assert!(wants_step_up(&codes), "{codes:?}");
                } else if self.model.has_second() {
                    let codes = codes.expect("made");
                    let former = std::mem::replace(&mut self.model.codes, codes);
                    self.model.void_codes.extend(former);
                } else {
                    assert!(is_refused(&codes, &Denial::FactorNotOffered), "{codes:?}");
                }
            }
            ByHolder::Rename(index) if !self.model.factors.is_empty() => {
                let factor = index.get(&self.model.factors).id().clone();
                let (pool, origin) = (&self.house.pool, from(PLACES[0], None));
                let services = &self.house.services;
                let renamed = run(services.rename_factor(pool, &caller, &factor, "mine".to_owned(), &origin));
                assert_eq!(renamed.is_ok(), proven);
            }
            ByHolder::Remove(index) if !self.model.factors.is_empty() => self.remove(at, proven, *index),
            _ => {}
        }
    }

    fn remove(&mut self, at: usize, proven: bool, index: prop::sample::Index) {
        let caller = self.house.caller(&self.model.logins[at].token).expect("live");
        let which = index.index(self.model.factors.len());
        let factor = self.model.factors[which].id().clone();
        let removed = self.house.remove(&caller, &factor);
        let is_last = self.model.factors.len() == 1 && !self.model.phone;
        if !proven {
            assert!(wants_step_up(&removed), "{removed:?}");
            return;
        }
        if is_last && self.is_required() {
            assert!(is_refused(&removed, &Denial::LastFactor), "{removed:?}");
            return;
        }
        removed.expect("removed");
        self.model.factors.remove(which);
        if is_last {
            let orphaned = std::mem::take(&mut self.model.codes);
            self.model.void_codes.extend(orphaned);
        }
        // Whoever else was in is out, whoever was about to is not, and no device is trusted.
        for (other, login) in self.model.logins.iter_mut().enumerate() {
            login.over |= other != at;
        }
        self.model.waiting = Default::default();
        self.model.devices.iter_mut().for_each(|device| device.1 = 0);
        let enters = self.house.log_in(PASSWORD, &from([198, 51, 100, 7], None));
        assert_eq!(
            enters.is_ok(),
            !self.model.has_second() && !self.is_required(),
            "{enters:?}"
        );
    }
}

fn used_of(held: &mut Held) -> Option<&mut i64> {
    match held {
        Held::App { used, .. } => Some(used),
        Held::Key { .. } => None,
    }
}

proptest! {
    #![proptest_config(cases(160))]

    #[test]
    fn an_account_opens_by_what_its_owner_has_and_by_nothing_else(
        required in any::<bool>(),
        with_phone in any::<bool>(),
        acts in prop::collection::vec(act(), 1..80),
    ) {
        let rule = if required { SecondFactor::Required } else { SecondFactor::Optional };
        let mut story = Story::new(rule, with_phone);
        for act in acts {
            story.act(act);
        }
    }
}
