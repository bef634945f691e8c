//! Which moves are made: mostly those that lead somewhere, some that must not.

use domain::policy::SecondFactor;
use proptest::prelude::*;

use crate::model::{Link, Model};
use crate::moves::{
    Change, EMAILS, Made, Move, Name, Number, PASSWORDS, PHONES, PLACES, Rules, Typed, USERNAMES, Want,
};

/// Rules of a run.
pub fn rules() -> impl Strategy<Value = Rules> {
    let second_factor = prop_oneof![
        1 => Just(SecondFactor::Off),
        4 => Just(SecondFactor::Optional),
        4 => Just(SecondFactor::Required),
    ];
    let flags = (
        prop::bool::weighted(0.3),
        any::<bool>(),
        prop::bool::weighted(0.7),
        any::<bool>(),
    );
    (second_factor, flags, any::<u64>()).prop_map(|(second_factor, flags, seed)| Rules {
        second_factor,
        verification: flags.0,
        hide_existing: flags.1,
        reaches_without_number: flags.2,
        keeps_the_dead: flags.3,
        seed,
    })
}

/// A move that fits what is true now, or nearly.
pub fn made(model: &Model) -> BoxedStrategy<Made> {
    let there = model.people.iter().filter(|person| !person.gone).count();
    let weight = |is: bool, often: u32| if is { often } else { 1 };
    let pending = (0..model.pending.len()).any(|challenge| model.is_pending(challenge));
    let logged_in = (0..model.sessions.len()).any(|session| model.caller(session).is_some());
    let mailed = !(model.resets.is_empty() && model.verifications.is_empty());
    let elsewhere = |what: BoxedStrategy<Move>| {
        (what, 0..PLACES.len())
            .prop_map(|(what, from)| Made { what, from })
            .boxed()
    };
    prop_oneof![
        weight(there < 2, 20) => elsewhere(sign_up().boxed()),
        weight(there > 0, 10) => elsewhere(log_in(model).boxed()),
        weight(pending, 14) => type_code(model),
        weight(pending, 3) => elsewhere(challenge(model).prop_map(|challenge| Move::Resend { challenge }).boxed()),
        3 => elsewhere(wait().boxed()),
        weight(logged_in, 12) => elsewhere(own_record(model).boxed()),
        weight(mailed, 6) => elsewhere(links(model).boxed()),
        1 => elsewhere(prop_oneof![Just(Move::Purge), Just(Move::RaiseCost)].boxed()),
    ]
    .boxed()
}

/// A move of somebody who is logged in, about themselves; the place hardly matters.
pub fn about_oneself(model: &Model) -> BoxedStrategy<Made> {
    let what =
        prop_oneof![6 => own_record(model).boxed(), 3 => links(model).boxed(), 2 => log_in(model).boxed()];
    (what, 0..2_usize)
        .prop_map(|(what, from)| Made { what, from })
        .boxed()
}

/// One of the good things there are, sometimes any, rarely one that is not there.
fn mostly(good: Vec<usize>, count: usize) -> BoxedStrategy<usize> {
    let any = 0..count + 2;
    match good.last() {
        None => any.boxed(),
        Some(newest) => prop_oneof![
            6 => Just(*newest),
            4 => prop::sample::select(good),
            2 => any,
        ]
        .boxed(),
    }
}

fn challenge(model: &Model) -> BoxedStrategy<usize> {
    let count = model.pending.len();
    mostly(
        (0..count)
            .filter(|challenge| model.is_pending(*challenge))
            .collect(),
        count,
    )
}

fn session(model: &Model) -> BoxedStrategy<usize> {
    let count = model.sessions.len();
    mostly(
        (0..count)
            .filter(|session| model.caller(*session).is_some())
            .collect(),
        count,
    )
}

fn link(links: &[Link]) -> BoxedStrategy<usize> {
    let open = links.iter().enumerate().filter(|(_, link)| !link.ended);
    mostly(open.map(|(number, _)| number).collect(), links.len())
}

fn sign_up() -> impl Strategy<Value = Move> {
    let username = prop::option::weighted(0.4, 0..USERNAMES.len());
    let phone = prop::option::weighted(0.6, 0..PHONES.len());
    (0..EMAILS.len(), username, 0..PASSWORDS.len(), phone).prop_map(|(email, username, password, phone)| {
        Move::SignUp {
            email,
            username,
            password,
            phone,
        }
    })
}

/// A name, mostly of somebody who is there, with their password where there is one.
fn named(model: &Model) -> impl Strategy<Value = (Name, usize)> + use<> {
    let mut known: Vec<(Name, usize)> = Vec::new();
    for person in model.people.iter().filter(|person| !person.gone) {
        known.push((Name::Email(person.email), person.password));
        known.extend(
            person
                .username
                .map(|name| (Name::Username(name), person.password)),
        );
    }
    let anybody = prop_oneof![
        (0..EMAILS.len()).prop_map(Name::Email),
        (0..USERNAMES.len()).prop_map(Name::Username),
    ];
    let anybody = (anybody, 0..PASSWORDS.len()).boxed();
    if known.is_empty() {
        return anybody;
    }
    prop_oneof![1 => anybody, 8 => prop::sample::select(known)].boxed()
}

fn log_in(model: &Model) -> impl Strategy<Value = Move> + use<> {
    let want = prop_oneof![
        2 => prop_oneof![Just(120_u64), Just(1_209_600)].prop_map(Want::Session),
        4 => Just(Want::Code),
        2 => Just(Want::Either),
    ];
    let wrong = prop::option::weighted(0.2, 0..PASSWORDS.len());
    (named(model), wrong, want).prop_map(|((name, password), wrong, want)| Move::LogIn {
        name,
        password: wrong.unwrap_or(password),
        want,
    })
}

fn typed(right: usize, codes: usize) -> impl Strategy<Value = Typed> + use<> {
    prop_oneof![
        6 => Just(Typed::Sent(right)),
        2 => (0..codes + 1).prop_map(Typed::Sent),
        1 => Just(Typed::SentAndBlank(right)),
        3 => Just(Typed::Guess),
    ]
}

/// A code for one of the pending logins, from where it was asked for or from elsewhere, by name, by challenge or by both.
fn type_code(model: &Model) -> BoxedStrategy<Made> {
    let pending = model.pending.clone();
    let people = model.people.clone();
    let codes = model.codes;
    (challenge(model), named(model))
        .prop_flat_map(move |(challenge, (other, _))| {
            let sent = pending.get(challenge);
            let right = sent.map_or(codes, |sent| sent.code);
            let owner = sent.and_then(|sent| people.get(sent.person));
            let name = owner.map_or(other, |person| Name::Email(person.email));
            let reach = prop_oneof![
                3 => Just((None, Some(challenge))),
                3 => Just((Some(name), Some(challenge))),
                4 => Just((Some(name), None)),
                1 => Just((Some(other), Some(challenge))),
                1 => Just((Some(other), None)),
                1 => Just((None, None)),
            ];
            let from = prop_oneof![
                3 => Just(sent.map_or(0, |sent| sent.from)),
                1 => 0..PLACES.len(),
            ];
            (reach, typed(right, codes), times(), from)
        })
        .prop_map(|((name, challenge), typed, times, from)| Made {
            what: Move::TypeCode {
                times,
                name,
                challenge,
                typed,
            },
            from,
        })
        .boxed()
}

/// Once, mostly; twice, to replay; often, to use up the tries of a code.
fn times() -> impl Strategy<Value = usize> {
    prop_oneof![6 => Just(1_usize), 2 => Just(2), 2 => Just(5)]
}

fn wait() -> impl Strategy<Value = Move> {
    prop_oneof![
        8 => Just(1),
        8 => 1_000..30_000_i64,
        4 => Just(59_999),
        4 => Just(60_000),
        3 => Just(300_000),
        2 => Just(600_000),
        1 => Just(900_000),
        1 => Just(86_400_000),
        1 => Just(1_209_600_000_i64),
    ]
    .prop_map(|millis| Move::Wait { millis })
}

fn own_record(model: &Model) -> impl Strategy<Value = Move> + use<> {
    let sessions = model.sessions.clone();
    let people = model.people.clone();
    let numbers = model.numbers.clone();
    let codes = model.codes;
    session(model).prop_flat_map(move |session| {
        let person = sessions.get(session).map(|opened| opened.person);
        let password = person
            .and_then(|person| people.get(person))
            .map_or(0, |person| person.password);
        let weight = if numbers
            .iter()
            .any(|sent| Some(sent.person) == person && !sent.ended)
        {
            20
        } else {
            1
        };
        let right = numbers
            .iter()
            .rfind(|sent| Some(sent.person) == person)
            .map_or(0, |sent| sent.code);
        let current = prop_oneof![4 => Just(password), 1 => 0..PASSWORDS.len()];
        prop_oneof![
            2 => (current.clone(), 0..PASSWORDS.len()).prop_map(move |(current, new)| Move::ChangePassword {
                session,
                current,
                new,
            }),
            6 => change(current.boxed()).prop_map(move |change| Move::ChangeRecord { session, change }),
            3 => Just(Move::AskNumberCode { session }),
            weight => (typed(right, codes), times())
                .prop_map(move |(typed, times)| Move::TypeNumberCode { session, typed, times }),
            2 => Just(Move::LogOut { session }),
            1 => Just(Move::EndOthers { session }),
            1 => prop_oneof![Just(Move::Delete { session }), Just(Move::LogOut { session })],
        ]
    })
}

fn change(current: BoxedStrategy<usize>) -> impl Strategy<Value = Change> {
    let phone = prop_oneof![
        3 => Just(Number::Keep),
        1 => Just(Number::Clear),
        3 => (0..PHONES.len()).prop_map(Number::Set),
    ];
    (
        prop::bool::weighted(0.3),
        prop::option::weighted(0.4, 0..EMAILS.len()),
        prop::option::weighted(0.2, 0..USERNAMES.len()),
        phone,
        prop::option::weighted(0.4, current.clone()),
        prop::option::weighted(0.5, current),
    )
        .prop_map(|(replace, email, username, phone, password, current)| Change {
            replace,
            email,
            username,
            phone,
            password,
            current,
        })
}

fn links(model: &Model) -> impl Strategy<Value = Move> + use<> {
    let people = model.people.len();
    let owners: Vec<usize> = model.verifications.iter().map(|link| link.person).collect();
    let verification = link(&model.verifications).prop_flat_map(move |link| {
        let owner = owners.get(link).copied().unwrap_or(0);
        let person = prop_oneof![8 => Just(owner), 1 => 0..people + 1];
        person.prop_map(move |person| Move::UseVerification { link, person })
    });
    let resettable = model.resets.iter().any(|link| !link.ended);
    let held: Vec<usize> = model
        .people
        .iter()
        .filter(|person| !person.gone)
        .map(|person| person.email)
        .collect();
    let email = if held.is_empty() {
        (0..EMAILS.len()).boxed()
    } else {
        prop::sample::select(held).boxed()
    };
    prop_oneof![
        3 => email.prop_map(|email| Move::AskReset { email }),
        if resettable { 8 } else { 1 } => (link(&model.resets), 0..PASSWORDS.len())
            .prop_map(|(link, password)| Move::UseReset { link, password }),
        1 => (0..people + 1).prop_map(|person| Move::AskVerification { person }),
        4 => verification,
    ]
}
