//! The laws of linking: an account belongs to one person at most, nothing is joined unproven, the last way in stays; also when two
//! browsers race.
#![cfg(test)]

use std::collections::BTreeSet;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};

use domain::error::DomainError;
use domain::limits::ClientAddress;
use properties::cases;
use properties::linking::model::Model;
use properties::linking::system::{Kept, System};
use properties::linking::{ACCOUNTS, EMAILS, Move, Outcome};
use properties::world::run;
use proptest::prelude::*;

fn any_move() -> impl Strategy<Value = Move> {
    let session = 0_usize..5;
    let visit = 0_usize..6;
    let offer = 0_usize..4;
    let browser = 0_usize..2;
    let account = 0..ACCOUNTS.len();
    prop_oneof![
        2 => (0_usize..4).prop_map(|person| Move::LogIn { person }),
        1 => session.clone().prop_map(|session| Move::LogOut { session }),
        4 => browser.clone().prop_map(|browser| Move::SetOut { browser }),
        3 => (browser.clone(), session.clone())
            .prop_map(|(browser, session)| Move::SetOutToLink { browser, session }),
        9 => (visit, browser, account.clone())
            .prop_map(|(visit, browser, account)| Move::ComeBack { visit, browser, account }),
        2 => (offer.clone(), any::<bool>()).prop_map(|(offer, right)| Move::JoinByPassword { offer, right }),
        2 => offer.clone().prop_map(|offer| Move::AskCode { offer }),
        3 => (offer.clone(), 0_usize..4).prop_map(|(offer, code)| Move::JoinByCode { offer, code }),
        1 => offer.prop_map(|offer| Move::Decline { offer }),
        3 => (session, account).prop_map(|(session, account)| Move::Unlink { session, account }),
        1 => prop_oneof![Just(1_u16), Just(599), Just(600), Just(900)].prop_map(|seconds| Move::Wait { seconds }),
    ]
}

/// What is left when all is done.
#[derive(Clone, Debug, PartialEq)]
struct Story {
    people: Vec<String>,
    sessions: Vec<(bool, Option<usize>)>,
}

fn story_of(model: &Model) -> Story {
    let people = model.people.iter().map(|person| {
        let kept = Kept {
            email: person.email.map(|email| EMAILS[email].to_owned()),
            verified: person.verified,
            password: person.password,
            linked: person
                .linked
                .iter()
                .map(|account| ACCOUNTS[*account].subject.to_owned())
                .collect(),
        };
        format!("{:?}", Some(kept))
    });
    let sessions = model
        .sessions
        .iter()
        .map(|session| (session.live, session.live.then_some(session.person)));
    Story {
        people: people.collect(),
        sessions: sessions.collect(),
    }
}

fn seen(system: &System) -> Story {
    let sessions = (0..system.sessions.len()).map(|session| {
        let caller = system.caller(session);
        let person = |key| system.people.iter().position(|known| known == key);
        (
            caller.is_some(),
            caller.as_ref().and_then(|caller| person(&caller.user.key)),
        )
    });
    Story {
        people: system.kept().iter().map(|kept| format!("{kept:?}")).collect(),
        sessions: sessions.collect(),
    }
}

/// What must hold whatever happened: one owner per account, a way in for everybody, no grant without its account.
fn assert_laws(system: &System) {
    let contents = system.world.contents();
    let mut owned = BTreeSet::new();
    for user in contents.users.values() {
        assert!(
            user.password.is_some() || !user.identities.is_empty(),
            "shut out: {user:?}"
        );
        for identity in user.identities.iter() {
            assert!(
                owned.insert(identity.key.to_text()),
                "two owners: {:?}",
                identity.key
            );
        }
        for credential in user.credentials.iter() {
            assert!(
                user.identity(&credential.identity).is_some(),
                "half a link: {user:?}"
            );
        }
    }
}

proptest! {
    #![proptest_config(cases(400))]

    #[test]
    fn the_system_links_as_the_model_does(moves in prop::collection::vec(any_move(), 1..60), seed in any::<u64>()) {
        let (mut model, mut system) = (Model::default(), System::new(seed));
        for made in moves {
            let expected = model.make(made);
            let outcome = system.make(made);
            prop_assert_eq!(outcome, expected, "{:?}", made);
            prop_assert_eq!(seen(&system), story_of(&model), "after {:?}", made);
            assert_laws(&system);
        }
    }

    #[test]
    fn two_browsers_at_once_come_to_one_after_the_other(
        moves in prop::collection::vec(any_move(), 5..40),
        [first, second] in [any_move(), any_move()],
        at in 0_usize..25,
        seed in any::<u64>(),
    ) {
        prop_assume!(!is_harmless(first, second));
        let (mut model, mut system) = (Model::default(), System::new(seed));
        for made in moves {
            model.make(made);
            system.make(made);
        }
        let outcomes = race(&mut system, first, second, at);
        assert_laws(&system);
        let told = [[first, second], [second, first]].map(|order| {
            let mut model = model.clone();
            let outcomes = order.map(|made| model.make(made));
            (model, outcomes)
        });
        let [(straight, [one, two]), (reversed, [second_first, first_second])] = told;
        let stories = [
            (sorted(story_of(&straight)), [one, two]),
            (sorted(story_of(&reversed)), [first_second, second_first]),
        ];
        let heard = outcomes.map(believed);
        let story = sorted(seen(&system));
        prop_assert!(
            stories.iter().any(|(told, outcomes)| *told == story && outcomes.map(believed) == heard),
            "{first:?} with {second:?} at {at}: {outcomes:?}\n{story:#?}\nbut one after the other\n{stories:#?}"
        );
    }
}

/// A session that is ended while it is used is found so at the door or behind it.
fn believed(outcome: Outcome) -> Outcome {
    match outcome {
        Outcome::Denied("AUTHORIZATION_REQUIRED") => Outcome::NotLoggedIn,
        other => other,
    }
}

/// Who came first is told by the order of lists, which a race need not keep.
fn sorted(mut story: Story) -> Story {
    let owners = story.people.clone();
    let name = |person: Option<usize>| person.and_then(|person| owners.get(person)).cloned();
    let mut sessions: Vec<(bool, Option<String>)> = story
        .sessions
        .iter()
        .filter(|(live, _)| *live)
        .map(|(live, person)| (*live, name(*person)))
        .collect();
    sessions.sort();
    story.people.sort();
    story
        .people
        .extend(sessions.iter().map(|session| format!("{session:?}")));
    Story {
        people: story.people,
        sessions: Vec::new(),
    }
}

/// Pairs whose middle is no matter.
fn is_harmless(first: Move, second: Move) -> bool {
    let of = |made: Move| match made {
        Move::LogOut { session } | Move::SetOutToLink { session, .. } | Move::Unlink { session, .. } => {
            Some(session)
        }
        _ => None,
    };
    let both = |is: fn(Move) -> bool| is(first) && is(second);
    let either = |is: fn(Move) -> bool| is(first) || is(second);
    let logs_out = either(|made| matches!(made, Move::LogOut { .. }));
    // A request whose token was checked before its session logged out may come to its end.
    (logs_out && of(first).is_some() && of(first) == of(second))
    // Of two codes asked for at once either may be the one that counts, and so may the one asked for while another is typed.
    || both(|made| matches!(made, Move::AskCode { .. } | Move::JoinByCode { .. }))
    // Time stands still while somebody asks.
    || either(|made| matches!(made, Move::Wait { .. }))
}

/// Makes `second` right before port call number `at` of `first`, or behind it.
fn race(system: &mut System, first: Move, second: Move, at: usize) -> [Outcome; 2] {
    let done: Arc<Mutex<Option<(Outcome, System)>>> = Arc::default();
    let (mut other, report) = (system.clone(), done.clone());
    let (people, sessions) = (system.people.len(), system.sessions.len());
    system.world.intrude(at, move || {
        let outcome = other.make(second);
        *report.lock().unwrap_or_else(PoisonError::into_inner) = Some((outcome, other));
    });
    let outcome = system.make(first);
    if system.world.is_intruder_left() {
        return [outcome, system.make(second)];
    }
    let (within, other) = done
        .lock()
        .unwrap()
        .take()
        .expect("an intruder that is not left has acted");
    for key in other.people.into_iter().skip(people) {
        if !system.people.contains(&key) {
            system.people.push(key);
        }
    }
    system.sessions.extend(other.sessions.into_iter().skip(sessions));
    [outcome, within]
}

/// Ann, logged in, with an account linked.
fn linked_ann() -> System {
    let mut system = System::new(11);
    let moves = [
        Move::LogIn { person: 0 },
        Move::SetOutToLink {
            browser: 0,
            session: 0,
        },
        Move::ComeBack {
            visit: 0,
            browser: 0,
            account: 3,
        },
    ];
    for made in moves {
        assert!(!matches!(
            system.make(made),
            Outcome::Denied(_) | Outcome::NotLoggedIn
        ));
    }
    system
}

#[test]
fn six_users_who_link_one_account_at_one_instant_have_one_owner() {
    for at in 0..25 {
        let mut system = System::new(5);
        for person in 0..2 {
            system.make(Move::LogIn { person });
            system.make(Move::SetOutToLink {
                browser: person,
                session: person,
            });
        }
        let come = |browser| Move::ComeBack {
            visit: browser,
            browser,
            account: 4,
        };
        let outcomes = race(&mut system, come(0), come(1), at);
        let linked = outcomes
            .iter()
            .filter(|outcome| **outcome == Outcome::Linked)
            .count();
        assert_eq!(linked, 1, "at {at}: {outcomes:?}");
        assert!(outcomes.contains(&Outcome::Denied("IDENTITY_TAKEN")));
        assert_laws(&system);
    }
}

#[test]
fn one_callback_at_one_instant_opens_one_session_and_makes_one_user() {
    for at in 0..25 {
        let mut system = System::new(5);
        system.make(Move::SetOut { browser: 0 });
        let come = Move::ComeBack {
            visit: 0,
            browser: 0,
            account: 4,
        };
        let outcomes = race(&mut system, come, come, at);
        assert!(outcomes.contains(&Outcome::LoggedIn), "at {at}: {outcomes:?}");
        assert!(outcomes.contains(&Outcome::Denied("AUTHORIZATION_UNKNOWN")));
        assert_eq!((system.people.len(), system.sessions.len()), (3, 1));
    }
}

#[test]
fn two_first_visits_of_one_account_make_one_user() {
    for at in 0..25 {
        let mut system = System::new(5);
        for browser in 0..2 {
            system.make(Move::SetOut { browser });
        }
        let come = |browser| Move::ComeBack {
            visit: browser,
            browser,
            account: 4,
        };
        let outcomes = race(&mut system, come(0), come(1), at);
        assert_eq!(outcomes, [Outcome::LoggedIn, Outcome::LoggedIn], "at {at}");
        assert_eq!(system.world.contents().users.len(), 3);
        assert_laws(&system);
    }
}

fn ask_for_token(system: &System) -> Result<String, DomainError> {
    let user = &system.people[0];
    let which = system.world.contents().users[user].credentials[0].id.to_string();
    let address = domain::origin::Origin::from(ClientAddress::of([192, 0, 2, 7].into()));
    let fresh = run(system.services.fresh_token(system.pool(), user, &which, &address))?;
    Ok(fresh.tokens.access_token.expose().to_owned())
}

fn fresh_token(system: &System) -> String {
    ask_for_token(system).expect("a token")
}

#[test]
fn a_token_that_died_is_bought_once_however_many_ask() {
    let mut came_between = 0;
    for at in 0..15 {
        let system = linked_ann();
        assert_eq!(fresh_token(&system), "token 0");
        system.world.wait(3_600_000);
        let (other, heard) = (system.clone(), Arc::new(Mutex::new(None)));
        let report = heard.clone();
        system.world.intrude(at, move || {
            *report.lock().unwrap() = Some(ask_for_token(&other));
        });
        assert_eq!(fresh_token(&system), "token 1", "at {at}");
        if let Some(heard) = heard.lock().unwrap().take() {
            came_between += 1;
            // Whoever waits for somebody who never gets on gives up in the end; nobody buys twice, and nobody hears an old token.
            assert!(
                heard.is_err() || heard.is_ok_and(|token| token == "token 1"),
                "at {at}"
            );
        }
        assert_eq!(fresh_token(&system), "token 1");
        assert_eq!(system.elsewhere.sold.load(Ordering::Relaxed), 2, "at {at}");
    }
    assert!(came_between > 5, "nobody came between");
}

#[test]
fn a_bought_token_survives_a_change_of_its_user_meanwhile() {
    let mut overtaken = 0;
    for at in 0..20 {
        let mut system = linked_ann();
        system.make(Move::LogIn { person: 0 });
        system.make(Move::SetOutToLink {
            browser: 1,
            session: 1,
        });
        system.world.wait(3_600_000);
        let mut other = system.clone();
        let linked = Arc::new(Mutex::new(None));
        let report = linked.clone();
        system.make(Move::SetOutToLink {
            browser: 1,
            session: 1,
        });
        let visit = Move::SetOutToLink {
            browser: 1,
            session: 1,
        };
        other.make(visit);
        system.world.intrude(at, move || {
            let come = Move::ComeBack {
                visit: 2,
                browser: 1,
                account: 4,
            };
            *report.lock().unwrap() = Some(other.make(come));
        });
        let token = fresh_token(&system);
        if system.world.is_intruder_left() {
            continue;
        }
        overtaken += usize::from(*linked.lock().unwrap() == Some(Outcome::Linked));
        assert_eq!(fresh_token(&system), token, "at {at}");
        assert_laws(&system);
    }
    assert!(overtaken > 1, "never overtaken");
}

#[test]
fn a_bought_token_survives_a_store_that_is_away_meanwhile() {
    let mut struck = 0;
    for at in 0..20 {
        let system = linked_ann();
        system.world.wait(3_600_000);
        let world = Arc::clone(&system.world);
        system.world.intrude(at, move || world.contents().outage = 40);
        let first = ask_for_token(&system);
        if system.world.is_intruder_left() {
            continue;
        }
        let bought = system.elsewhere.sold.load(Ordering::Relaxed) == 2;
        struck += usize::from(bought && first.is_ok());
        assert!(!bought || first.is_ok(), "at {at}: bought and not kept");
        system.world.contents().outage = 0;
        assert_eq!(fresh_token(&system), "token 1", "at {at}");
        assert_eq!(system.elsewhere.sold.load(Ordering::Relaxed), 2, "at {at}");
    }
    assert!(struck > 1, "never away while something was bought");
}

#[test]
fn what_was_bought_is_not_bought_again_while_it_waits_for_the_store() {
    let mut waited = 0;
    for at in 0..12 {
        for gap in 0..12 {
            let system = linked_ann();
            system.world.wait(3_600_000);
            let (other, world) = (system.clone(), Arc::clone(&system.world));
            let asked = Arc::new(Mutex::new(false));
            let report = asked.clone();
            system.world.intrude(at, move || {
                // The store is away for longer than any provider is waited for, then the other node is the first to reach it.
                world.wait(60_000);
                world.contents().outage = 3;
                world.intrude(gap, move || {
                    other.world.contents().outage = 0;
                    *report.lock().unwrap() = true;
                    let _ = ask_for_token(&other);
                });
            });
            let _ = ask_for_token(&system);
            let _ = system.world.is_intruder_left();
            waited += usize::from(*asked.lock().unwrap());
            system.world.contents().outage = 0;
            let sold = system.elsewhere.sold.load(Ordering::Relaxed);
            assert!(sold <= 2, "at {at}, {gap}: an old token was spent again");
        }
    }
    assert!(waited > 10, "nobody came between");
}

/// The process dies right before port call number `at` of a move; whether it came that far.
fn cut(system: &mut System, made: Move, at: usize) -> bool {
    // Without the hook of `panic!`: nothing is wrong here.
    system
        .world
        .intrude(at, || std::panic::resume_unwind(Box::new("the end")));
    let end = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| system.make(made)));
    let left = system.world.is_intruder_left();
    assert_eq!(left, end.is_ok(), "only the end ends it");
    !left
}

/// Somebody at a door, after these moves.
fn after(moves: &[Move]) -> System {
    let mut system = System::new(23);
    for made in moves {
        assert!(!matches!(
            system.make(*made),
            Outcome::Denied(_) | Outcome::NotLoggedIn
        ));
    }
    system
}

#[test]
fn an_end_at_any_point_leaves_nothing_half_and_the_next_try_completes() {
    let log_in = Move::LogIn { person: 0 };
    let set_out = Move::SetOut { browser: 0 };
    let to_link = Move::SetOutToLink {
        browser: 0,
        session: 0,
    };
    let come = |visit, account| Move::ComeBack {
        visit,
        browser: 0,
        account,
    };
    let by_password = Move::JoinByPassword {
        offer: 0,
        right: true,
    };
    let by_code = Move::JoinByCode { offer: 0, code: 0 };
    let ask = Move::AskCode { offer: 0 };
    // What was done before, what is cut, and how the next try goes.
    let cases: [(&[Move], Move, &[Move]); 7] = [
        (&[set_out], come(0, 4), &[set_out, come(1, 4)]),
        (
            &[set_out, come(0, 4), set_out],
            come(1, 4),
            &[set_out, come(2, 4)],
        ),
        (&[log_in, to_link], come(0, 3), &[to_link, come(1, 3)]),
        (&[set_out, come(0, 0)], by_password, &[set_out, come(1, 0)]),
        (&[set_out, come(0, 0), ask], by_code, &[set_out, come(1, 0)]),
        (
            &[set_out, come(0, 0)],
            Move::Decline { offer: 0 },
            &[set_out, come(1, 0)],
        ),
        (&[set_out], come(0, 0), &[set_out, come(1, 0)]),
    ];
    for (before, made, again) in cases {
        let mut ends = 0;
        for at in 0..40 {
            let mut system = after(before);
            if !cut(&mut system, made, at) {
                break;
            }
            ends += 1;
            assert_laws(&system);
            for retry in again {
                let outcome = system.make(*retry);
                assert!(
                    !matches!(outcome, Outcome::Denied(_) | Outcome::NotLoggedIn),
                    "{made:?} cut at {at}, then {retry:?}: {outcome:?}"
                );
            }
            assert_laws(&system);
            let owners = system
                .kept()
                .iter()
                .flatten()
                .map(|kept| kept.linked.len())
                .sum::<usize>();
            assert!(owners <= 1, "{made:?} cut at {at}: {:?}", system.kept());
        }
        assert!(ends > 5, "{made:?} has {ends} ends");
    }
}
