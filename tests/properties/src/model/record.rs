//! The reference, for what people do to their own record.

use domain::policy::SecondFactor;

use super::{Link, Model, RESET_LIFE, VERIFY_LIFE};
use crate::moves::{Change, Name, Number, Outcome, Typed};

/// How recent a login must be to stand for a proof.
const FRESH: i64 = 300_000;

impl Model {
    /// Strikes out what a person's earlier proofs opened: sessions but one, pending logins, reset links.
    fn end_proofs(&mut self, who: usize, spare: Option<usize>) {
        for (number, opened) in self.sessions.iter_mut().enumerate() {
            opened.ended |= opened.person == who && spare != Some(number);
        }
        for sent in self.pending.iter_mut().filter(|sent| sent.person == who) {
            sent.ended = true;
        }
        for link in self.resets.iter_mut().filter(|link| link.person == who) {
            link.ended = true;
        }
    }

    /// Strikes out the codes that were to prove a number.
    fn end_numbers(&mut self, who: usize) {
        for sent in self.numbers.iter_mut().filter(|sent| sent.person == who) {
            sent.ended = true;
        }
    }

    pub(super) fn change_password(&mut self, session: usize, current: usize, new: usize) -> Outcome {
        let Some(who) = self.caller(session) else {
            return Outcome::NotLoggedIn;
        };
        let Some(person) = self
            .people
            .get_mut(who)
            .filter(|person| person.password == current)
        else {
            return Outcome::Denied("CurrentPasswordWrong");
        };
        person.password = new;
        self.end_proofs(who, Some(session));
        self.end_numbers(who);
        Outcome::Done
    }

    pub(super) fn change_record(&mut self, session: usize, change: &Change, mails: bool) -> Outcome {
        let Some(who) = self.caller(session) else {
            return Outcome::NotLoggedIn;
        };
        let Some(before) = self.people.get(who).cloned() else {
            return Outcome::NotLoggedIn;
        };
        if change.replace && (change.email.is_none() || change.password.is_none()) {
            return Outcome::Denied("Invalid");
        }
        let mut next = before.clone();
        next.email = change.email.unwrap_or(before.email);
        next.username = change.username.or(before.username.filter(|_| !change.replace));
        next.phone = match change.phone {
            Number::Set(phone) => Some(phone),
            Number::Keep if change.replace && before.factor.is_none() => None,
            Number::Keep => before.phone,
            Number::Clear => None,
        };
        let contact = next.email != before.email || next.phone != before.phone;
        if next.phone.is_none()
            && before.factor.is_some()
            && self.rules.second_factor == SecondFactor::Required
        {
            return Outcome::Denied("LastFactor");
        }
        let proof = match (change.current, change.password) {
            (Some(current), _) => Some(current),
            (None, Some(_)) if !change.replace => return Outcome::Denied("PasswordChangeNotAllowed"),
            (None, repeated) => repeated,
        };
        match proof {
            Some(proof) if contact || change.password.is_some() => {
                let wrong = proof != before.password;
                if wrong && change.current.is_some() {
                    return Outcome::Denied("CurrentPasswordWrong");
                }
                if wrong {
                    return Outcome::Denied("PasswordChangeNotAllowed");
                }
            }
            _ if contact && before.factor.is_some() => return Outcome::Denied("CurrentPasswordRequired"),
            _ if contact && !self.is_fresh(session) => return Outcome::Denied("ProofRequired"),
            _ => {}
        }
        let held = |name| self.named(name).is_some_and(|holder| holder != who);
        if held(Name::Email(next.email)) || next.username.is_some_and(|name| held(Name::Username(name))) {
            return Outcome::Denied("Invalid");
        }
        let new_password = change.password.filter(|_| change.current.is_some());
        next.password = new_password.unwrap_or(before.password);
        if next.phone.is_none() {
            next.factor = None;
        }
        let moved = next.email != before.email;
        next.verified &= !moved;
        if let Some(person) = self.people.get_mut(who) {
            *person = next;
        }
        if contact || new_password.is_some() {
            self.end_proofs(who, Some(session));
            self.end_numbers(who);
        }
        if moved && self.rules.verification && mails {
            self.mail_verification(who);
        }
        Outcome::Done
    }

    fn is_fresh(&self, session: usize) -> bool {
        let opened = self.sessions.get(session);
        opened.is_some_and(|opened| self.now - opened.at <= FRESH)
    }

    pub(super) fn ask_reset(&mut self, email: usize, mails: bool) -> Outcome {
        let Some(person) = self.named(Name::Email(email)).filter(|_| mails) else {
            return Outcome::Done;
        };
        let verified = self.people.get(person).is_some_and(|person| person.verified);
        if verified || !self.rules.verification {
            let at = self.now;
            self.resets
                .iter_mut()
                .filter(|link| link.person == person)
                .for_each(|link| link.ended = true);
            self.resets.push(Link {
                person,
                email,
                at,
                ended: false,
            });
        }
        Outcome::Done
    }

    pub(super) fn use_reset(&mut self, link: usize, password: usize) -> Outcome {
        let now = self.now;
        let found = self
            .resets
            .get(link)
            .filter(|link| !link.ended && now < link.at + RESET_LIFE);
        let Some(who) = found.map(|link| link.person) else {
            return Outcome::Denied("TokenRefused");
        };
        if let Some(person) = self.people.get_mut(who) {
            person.password = password;
            person.verified = true;
        }
        self.end_proofs(who, None);
        self.end_numbers(who);
        Outcome::Done
    }

    pub(super) fn ask_verification(&mut self, person: usize, mails: bool) -> Outcome {
        let found = self.people.get(person);
        if mails && found.is_some_and(|person| !person.gone && !person.verified) {
            self.mail_verification(person);
        }
        Outcome::Done
    }

    /// A newer link voids the older.
    pub(super) fn mail_verification(&mut self, person: usize) {
        let Some(email) = self.people.get(person).map(|person| person.email) else {
            return;
        };
        let at = self.now;
        self.verifications
            .iter_mut()
            .filter(|link| link.person == person)
            .for_each(|link| link.ended = true);
        self.verifications.push(Link {
            person,
            email,
            at,
            ended: false,
        });
    }

    pub(super) fn use_verification(&mut self, link: usize, person: usize) -> Outcome {
        let now = self.now;
        let refused = Outcome::Denied("TokenRefused");
        let (Some(link), Some(owner)) = (self.verifications.get_mut(link), self.people.get_mut(person))
        else {
            return refused;
        };
        let good = !link.ended
            && link.person == person
            && now < link.at + VERIFY_LIFE
            && owner.email == link.email
            && !owner.verified
            && !owner.gone;
        if !good {
            return refused;
        }
        link.ended = true;
        owner.verified = true;
        Outcome::Done
    }

    pub(super) fn ask_number_code(&mut self, session: usize, from: usize) -> Outcome {
        let Some(who) = self.caller(session) else {
            return Outcome::NotLoggedIn;
        };
        let person = self.people.get(who);
        let Some(phone) = person.and_then(|person| person.phone.filter(|_| person.phone != person.factor))
        else {
            return Outcome::Denied("PhoneRequired");
        };
        self.end_numbers(who);
        let sent = self.send_code(who, Some(phone), from);
        self.numbers.push(sent);
        Outcome::CodeSent
    }

    pub(super) fn type_number_code(&mut self, session: usize, typed: Typed) -> Outcome {
        let Some(who) = self.caller(session) else {
            return Outcome::NotLoggedIn;
        };
        let now = self.now;
        let newest = self
            .numbers
            .iter_mut()
            .rfind(|sent| sent.person == who && !sent.ended);
        let Some(sent) = newest else {
            return Outcome::Denied("TokenRefused");
        };
        if !sent.accepts(typed, now) {
            return Outcome::Denied("TokenRefused");
        }
        sent.ended = true;
        let phone = sent.phone;
        if let Some(person) = self.people.get_mut(who) {
            person.factor = phone;
        }
        Outcome::Done
    }

    pub(super) fn end_others(&mut self, session: usize) -> Outcome {
        let Some(who) = self.caller(session) else {
            return Outcome::NotLoggedIn;
        };
        self.end_proofs(who, Some(session));
        Outcome::Done
    }

    pub(super) fn delete(&mut self, session: usize) -> Outcome {
        let Some(who) = self.caller(session) else {
            return Outcome::NotLoggedIn;
        };
        if let Some(person) = self.people.get_mut(who) {
            person.gone = true;
        }
        self.end_proofs(who, None);
        self.end_numbers(who);
        for link in self.verifications.iter_mut().filter(|link| link.person == who) {
            link.ended = true;
        }
        Outcome::Done
    }
}
