//! The reference: what was truly proven, and by whom.
#![expect(
    clippy::indexing_slicing,
    reason = "numbers come from the lists they index; a wrong one is a fault of the harness"
)]

use std::collections::BTreeSet;

use domain::limits::{Quota, Tries, Verdict};
use domain::policy::Limits;
use domain::time::{Lifetime, Timestamp};

use super::{ACCOUNTS, Move, Outcome};

/// A user here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// The address, if they have one.
    pub email: Option<usize>,
    /// Whether its owner proved it.
    pub verified: bool,
    /// Whether there is a password.
    pub password: bool,
    /// The accounts that log in as them.
    pub linked: BTreeSet<usize>,
    /// How often all sessions were ended.
    ends: usize,
}

/// A log-in that lasts.
#[derive(Clone, Copy, Debug)]
pub struct Session {
    /// Whose.
    pub person: usize,
    /// Whether it still counts.
    pub live: bool,
}

/// A visit to the provider.
#[derive(Clone, Copy, Debug)]
struct Visit {
    browser: usize,
    link_to: Option<usize>,
    begun: i64,
    over: bool,
}

/// Somebody proved an account and may be a user.
#[derive(Clone, Debug)]
struct Offer {
    account: usize,
    person: usize,
    ends: usize,
    made: i64,
    code: Option<(usize, i64)>,
    tries: Tries,
    over: bool,
}

/// Everybody's story.
#[derive(Clone, Debug)]
pub struct Model {
    /// Users, in the order they came about.
    pub people: Vec<Person>,
    /// Sessions, in the order they were opened.
    pub sessions: Vec<Session>,
    visits: Vec<Visit>,
    offers: Vec<Offer>,
    codes: usize,
    now: i64,
}

const UNKNOWN: Outcome = Outcome::Denied("AUTHORIZATION_UNKNOWN");
const FAILED: Outcome = Outcome::Denied("LOGIN_FAILED");
const TAKEN: Outcome = Outcome::Denied("IDENTITY_TAKEN");

impl Default for Model {
    /// Ann, who never proved her address, and Bob, who did.
    fn default() -> Self {
        let person = |email, verified| Person {
            email: Some(email),
            verified,
            password: true,
            linked: BTreeSet::new(),
            ends: 0,
        };
        Self {
            people: vec![person(0, false), person(1, true)],
            sessions: Vec::new(),
            visits: Vec::new(),
            offers: Vec::new(),
            codes: 0,
            now: 0,
        }
    }
}

impl Model {
    /// How many visits, offers and mailed codes there were.
    pub fn counts(&self) -> [usize; 3] {
        [self.visits.len(), self.offers.len(), self.codes]
    }

    /// Whether a session counts.
    pub fn is_live(&self, session: usize) -> bool {
        self.sessions.get(session).is_some_and(|session| session.live)
    }

    fn holder(&self, account: usize) -> Option<usize> {
        self.people
            .iter()
            .position(|person| person.linked.contains(&account))
    }

    fn open(&mut self, person: usize) -> Outcome {
        self.sessions.push(Session { person, live: true });
        Outcome::LoggedIn
    }

    fn end_sessions_of(&mut self, person: usize, spare: Option<usize>) {
        self.people[person].ends += 1;
        for (number, session) in self.sessions.iter_mut().enumerate() {
            if session.person == person && Some(number) != spare {
                session.live = false;
            }
        }
    }

    /// Makes a move.
    pub fn make(&mut self, made: Move) -> Outcome {
        match made {
            Move::LogIn { person } => match self.people.get(person) {
                Some(known) if known.password && known.email.is_some() => self.open(person),
                _ => FAILED,
            },
            Move::LogOut { session } if self.is_live(session) => {
                self.sessions[session].live = false;
                Outcome::Done
            }
            Move::SetOut { browser } => self.set_out(browser, None),
            Move::SetOutToLink { browser, session } if self.is_live(session) => {
                self.set_out(browser, Some(session))
            }
            Move::ComeBack {
                visit,
                browser,
                account,
            } => self.come_back(visit, browser, account),
            Move::JoinByPassword { offer, right } => self.join_by_password(offer, right),
            Move::AskCode { offer } => match self.standing(offer) {
                Some(person) if self.people[person].email.is_some() => {
                    self.offers[offer].code = Some((self.codes, self.now));
                    self.codes += 1;
                    Outcome::Done
                }
                _ => FAILED,
            },
            Move::JoinByCode { offer, code } => self.join_by_code(offer, code),
            Move::Decline { offer } => self.decline(offer),
            Move::Unlink { session, account } if self.is_live(session) => self.unlink(session, account),
            Move::LogOut { .. } | Move::SetOutToLink { .. } | Move::Unlink { .. } => Outcome::NotLoggedIn,
            Move::Wait { seconds } => {
                self.now += i64::from(seconds);
                Outcome::Done
            }
        }
    }

    fn set_out(&mut self, browser: usize, link_to: Option<usize>) -> Outcome {
        self.visits.push(Visit {
            browser,
            link_to,
            begun: self.now,
            over: false,
        });
        Outcome::Done
    }

    fn come_back(&mut self, visit: usize, browser: usize, account: usize) -> Outcome {
        let now = self.now;
        let Some(visit) = self.visits.get_mut(visit) else {
            return UNKNOWN;
        };
        if visit.over || visit.browser != browser || now - visit.begun >= 600 {
            return UNKNOWN;
        }
        visit.over = true;
        match visit.link_to {
            Some(session) => self.link(session, account),
            None => self.arrive(account),
        }
    }

    fn link(&mut self, session: usize, account: usize) -> Outcome {
        if !self.is_live(session) {
            return Outcome::Denied("AUTHORIZATION_REQUIRED");
        }
        let person = self.sessions[session].person;
        match self.holder(account) {
            Some(holder) if holder != person => TAKEN,
            _ => {
                self.people[person].linked.insert(account);
                Outcome::Linked
            }
        }
    }

    fn arrive(&mut self, account: usize) -> Outcome {
        if let Some(holder) = self.holder(account) {
            return self.open(holder);
        }
        let known = ACCOUNTS[account];
        let namesake = known
            .email
            .and_then(|email| self.people.iter().position(|person| person.email == Some(email)));
        if let Some(person) = namesake {
            self.offers.push(Offer {
                account,
                person,
                ends: self.people[person].ends,
                made: self.now,
                code: None,
                tries: Tries::default(),
                over: false,
            });
            return Outcome::Offered;
        }
        let email = known.email.filter(|_| known.vouched);
        self.newcomer(account, email)
    }

    fn newcomer(&mut self, account: usize, email: Option<usize>) -> Outcome {
        self.people.push(Person {
            email,
            verified: email.is_some(),
            password: false,
            linked: [account].into(),
            ends: 0,
        });
        self.open(self.people.len() - 1)
    }

    /// The person of an offer that stands.
    fn standing(&self, offer: usize) -> Option<usize> {
        let offer = self.offers.get(offer)?;
        let ends = self.people[offer.person].ends;
        (!offer.over && offer.ends == ends && self.now - offer.made < 900).then_some(offer.person)
    }

    /// Makes them one, unless the account became somebody else's.
    fn join(&mut self, offer: usize, person: usize) -> Outcome {
        let account = self.offers[offer].account;
        self.offers[offer].over = true;
        self.people[person].linked.insert(account);
        self.open(person)
    }

    fn is_taken(&self, offer: usize, person: usize) -> bool {
        let holder = self.holder(self.offers[offer].account);
        holder.is_some_and(|holder| holder != person)
    }

    fn join_by_password(&mut self, offer: usize, right: bool) -> Outcome {
        match self.standing(offer) {
            Some(person) if right && self.people[person].password => {
                if self.is_taken(offer, person) {
                    return TAKEN;
                }
                self.join(offer, person)
            }
            _ => FAILED,
        }
    }

    fn join_by_code(&mut self, offer: usize, code: usize) -> Outcome {
        let has_tries = self.take_try(offer);
        let Some(person) = self.standing(offer) else {
            return FAILED;
        };
        let sent = self.offers[offer].code;
        let right = sent.is_some_and(|(sent, at)| sent == code && self.now - at < 600);
        if !right || !has_tries {
            return FAILED;
        }
        if self.is_taken(offer, person) {
            return TAKEN;
        }
        if !self.people[person].verified {
            // Nobody had proven the address: everything else goes.
            self.end_sessions_of(person, None);
            let person = &mut self.people[person];
            person.password = false;
            person.verified = true;
            person.linked.clear();
        }
        self.join(offer, person)
    }

    fn take_try(&mut self, offer: usize) -> bool {
        let now = Timestamp::from_millis(1_795_287_972_795 + self.now * 1000);
        let Some(offer) = self.offers.get_mut(offer).filter(|offer| !offer.over) else {
            return false;
        };
        let quota: Option<Quota> = Limits::tries_of_one_code("", Lifetime::from_secs(600))
            .first()
            .map(|(_, quota)| *quota);
        let Some(quota) = quota else { return false };
        let (after, verdict) = quota.take(offer.tries, now);
        offer.tries = after;
        verdict == Verdict::Allowed
    }

    fn decline(&mut self, offer: usize) -> Outcome {
        if self.standing(offer).is_none() {
            return FAILED;
        }
        let account = self.offers[offer].account;
        if self.holder(account).is_some() {
            return TAKEN;
        }
        self.offers[offer].over = true;
        self.newcomer(account, None)
    }

    fn unlink(&mut self, session: usize, account: usize) -> Outcome {
        let person = self.sessions[session].person;
        let known = &self.people[person];
        if !known.linked.contains(&account) {
            return Outcome::Denied("LINK_UNKNOWN");
        }
        if !known.password && known.linked.len() == 1 {
            return Outcome::Denied("LAST_WAY_IN");
        }
        self.people[person].linked.remove(&account);
        self.end_sessions_of(person, Some(session));
        Outcome::Done
    }
}
