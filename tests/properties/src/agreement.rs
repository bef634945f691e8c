//! Whether the system and the model tell the same story.

use domain::message::MailKind;
use domain::policy::PENDING_LOGINS_PER_ACCOUNT;
use domain::secret::Secret;

use crate::model::{Link, Model, Person};
use crate::moves::{EMAILS, PASSWORDS, PHONES, pick};
use crate::system::{System, is_reset, is_verification};
use crate::world::password_of;

/// Everything a story can differ in.
///
/// # Panics
/// When they differ.
pub fn assert_agreement(system: &System, model: &Model) {
    sessions_live_as_long_as_their_proofs(system, model);
    people_are_who_they_made_themselves(system, model);
    messages_are_those_asked_for(system, model);
    few_logins_wait_at_once(system, model);
}

fn sessions_live_as_long_as_their_proofs(system: &System, model: &Model) {
    assert_eq!(system.sessions.len(), model.sessions.len());
    for (number, opened) in model.sessions.iter().enumerate() {
        let caller = system.caller(number);
        let live = model.caller(number).is_some();
        assert_eq!(caller.is_some(), live, "session {number}: {opened:?}");
        if let Some(caller) = caller {
            assert_eq!(Some(&caller.user.key), system.people.get(opened.person));
            let factors: Vec<&str> = caller
                .session
                .factors
                .iter()
                .map(|factor| factor.name())
                .collect();
            let proven: &[&str] = if opened.with_code {
                &["pwd", "sms"]
            } else {
                &["pwd"]
            };
            assert_eq!(factors, proven, "session {number}");
        }
    }
}

/// A person as the system keeps them.
#[derive(Debug, PartialEq, Eq)]
pub struct Kept {
    email: Option<String>,
    phone: Option<String>,
    factor: Option<String>,
    verified: bool,
    password: Option<String>,
}

/// Everybody the system keeps, in the order they signed up; none for who left.
pub fn kept(system: &System) -> Vec<Option<Kept>> {
    let contents = system.world.contents();
    let kept = system.people.iter().map(|key| {
        contents.users.get(key).map(|user| Kept {
            email: user.email.as_ref().map(|email| email.as_str().to_owned()),
            phone: user.phone.as_ref().map(|phone| phone.as_str().to_owned()),
            factor: user.factor_phone.as_ref().map(|phone| phone.as_str().to_owned()),
            verified: user.email_verified,
            password: user.password.as_ref().and_then(password_of).map(str::to_owned),
        })
    });
    kept.collect()
}

/// Everybody the model knows, in the same words.
pub fn expected(model: &Model) -> Vec<Option<Kept>> {
    let phone = |number: Option<usize>| number.map(|number| pick(&PHONES, number).to_owned());
    let keep = |person: &Person| Kept {
        email: Some(pick(&EMAILS, person.email).to_owned()),
        phone: phone(person.phone),
        factor: phone(person.factor),
        verified: person.verified,
        password: Some(pick(&PASSWORDS, person.password).to_owned()),
    };
    let people = model.people.iter();
    people
        .map(|person| (!person.gone).then(|| keep(person)))
        .collect()
}

fn people_are_who_they_made_themselves(system: &System, model: &Model) {
    assert_eq!(kept(system), expected(model));
    let there = model.people.iter().filter(|person| !person.gone).count();
    assert_eq!(system.world.contents().users.len(), there, "nobody else is kept");
}

fn messages_are_those_asked_for(system: &System, model: &Model) {
    assert_eq!(system.challenges.len(), model.pending.len());
    let contents = system.world.contents();
    assert_eq!(contents.sms.len(), model.codes, "codes sent");
    let mailed = |kind: fn(&MailKind) -> Option<&Secret>| -> Vec<String> {
        let to = contents.mails.iter().filter(|mail| kind(&mail.kind).is_some());
        to.map(|mail| mail.to.as_str().to_owned()).collect()
    };
    let meant = |links: &[Link]| -> Vec<String> {
        links
            .iter()
            .map(|link| pick(&EMAILS, link.email).to_owned())
            .collect()
    };
    assert_eq!(mailed(is_reset), meant(&model.resets), "reset mails");
    assert_eq!(
        mailed(is_verification),
        meant(&model.verifications),
        "verification mails"
    );
    let links = model.resets.len() + model.verifications.len();
    assert_eq!(contents.mails.len(), links + model.notices, "mails in all");
}

fn few_logins_wait_at_once(system: &System, model: &Model) {
    for (number, _) in model.people.iter().enumerate() {
        let live: Vec<usize> = waiting(model, number);
        assert!(live.len() <= PENDING_LOGINS_PER_ACCOUNT, "{live:?} wait at once");
        let contents = system.world.contents();
        for challenge in live {
            let kept = contents.flows.contains_key(&system.challenge(challenge).hash());
            assert!(kept, "the live pending login {challenge} is missing");
        }
    }
}

/// The live pending logins of a person.
pub fn waiting(model: &Model, person: usize) -> Vec<usize> {
    let pending = model.pending.iter().enumerate();
    let live = pending.filter(|(challenge, sent)| sent.person == person && model.is_pending(*challenge));
    live.map(|(challenge, _)| challenge).collect()
}
