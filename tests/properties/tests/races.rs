//! Two things at once: whatever one person does in the middle of what another does, it comes to the same as one after the other.
#![cfg(test)]

use std::sync::{Arc, Mutex, PoisonError};

use domain::flow_record::{FlowBody, FlowKind};
use domain::policy::SecondFactor;
use properties::agreement::{expected, kept};
use properties::cases;
use properties::model::Model;
use properties::moves::{Change, Made, Move, Name, Number, Outcome, Rules, Typed, Want};
use properties::reference::{Reference, seen};
use properties::strategies;
use properties::system::{System, unlimited};
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use proptest_state_machine::ReferenceStateMachine as _;

/// What two people saw, and what is left when both are done. A message too many is nothing that is left.
#[derive(Clone, Debug, PartialEq)]
struct Story {
    first: Outcome,
    second: Outcome,
    people: Vec<String>,
    live_sessions: Vec<usize>,
    open_sessions_of: Vec<usize>,
    waiting_of: Vec<usize>,
}

/// What somebody can tell by what they heard: a session that was ended is found so at the door or behind it (where what it
/// began is void as well), and a session that is dead when it is handed out is as good as none.
fn said(outcome: Outcome, live: &[usize]) -> Outcome {
    match outcome {
        Outcome::Denied("AuthorizationRequired" | "TokenRefused") => Outcome::NotLoggedIn,
        Outcome::Opened if live.is_empty() => Outcome::Denied("LoginFailed"),
        other => other,
    }
}

/// One after the other, as the model tells it.
fn told(model: &Model, order: [&Made; 2]) -> (Model, [Outcome; 2]) {
    let mut model = model.clone();
    let outcomes = order.map(|made| {
        model.make(made, true);
        model.expected
    });
    (model, outcomes)
}

fn model_story(model: &Model, sessions_before: usize, [first, second]: [Outcome; 2]) -> Story {
    let live = |session: &usize| model.caller(*session).is_some();
    let people = 0..model.people.len();
    let opened = (sessions_before..model.sessions.len()).filter(live);
    let owners: Vec<usize> = opened.filter_map(|session| model.caller(session)).collect();
    let count = |list: &[usize], person: usize| list.iter().filter(|owner| **owner == person).count();
    let waiting = |person: usize| {
        let challenges = 0..model.pending.len();
        challenges
            .filter(|challenge| model.is_pending(*challenge))
            .filter(|challenge| model.pending[*challenge].person == person)
            .count()
    };
    Story {
        first: said(first, &owners),
        second: said(second, &owners),
        people: expected(model)
            .iter()
            .map(|person| format!("{person:?}"))
            .collect(),
        live_sessions: (0..sessions_before).filter(live).collect(),
        open_sessions_of: people.clone().map(|person| count(&owners, person)).collect(),
        waiting_of: people.map(waiting).collect(),
    }
}

/// Makes `second` in the middle of `first`, right before its port call number `at`, or behind it when there is no such call.
fn race(system: &mut System, first: &Made, second: &Made, at: usize) -> [Outcome; 2] {
    let done: Arc<Mutex<Option<(Outcome, System)>>> = Arc::default();
    let mut other = system.clone();
    let (report, made) = (done.clone(), second.clone());
    let handles = |system: &System| {
        (
            system.people.len(),
            system.sessions.len(),
            system.challenges.len(),
        )
    };
    let (people, sessions, challenges) = handles(system);
    system.world.intrude(at, move || {
        let outcome = other.make(&made);
        *report.lock().unwrap_or_else(PoisonError::into_inner) = Some((outcome, other));
    });
    let outcome = system.make(first);
    if system.world.is_intruder_left() {
        return [outcome, system.make(second)];
    }
    let intruder = done.lock().unwrap_or_else(PoisonError::into_inner).take();
    let (outcome_within, other) = intruder.expect("an intruder that is not left has acted");
    system.people.extend(other.people.into_iter().skip(people));
    system.sessions.extend(other.sessions.into_iter().skip(sessions));
    system
        .challenges
        .extend(other.challenges.into_iter().skip(challenges));
    [outcome, outcome_within]
}

fn system_story(system: &System, model: &Model, [first, second]: [Outcome; 2]) -> Story {
    let before = model.sessions.len();
    let owner = |session: usize| {
        let caller = system.caller(session)?;
        system.people.iter().position(|key| *key == caller.user.key)
    };
    let owners: Vec<usize> = (before..system.sessions.len()).filter_map(owner).collect();
    let people = 0..system.people.len();
    let contents = system.world.contents().clone();
    let waiting = |person: usize| {
        let Some(user) = contents.users.get(&system.people[person]) else {
            return 0;
        };
        let flows = contents.flows_of(&user.key, FlowKind::PendingLogin);
        let live = flows.iter().filter(|flow| {
            let FlowBody::PendingLogin(login) = &flow.body else {
                return false;
            };
            login.epoch == user.session_epoch && !flow.is_expired(contents.now())
        });
        live.count()
    };
    let count = |person: usize| owners.iter().filter(|owner| **owner == person).count();
    Story {
        first: said(first, &owners),
        second: said(second, &owners),
        people: kept(system).iter().map(|person| format!("{person:?}")).collect(),
        live_sessions: (0..before)
            .filter(|session| system.caller(*session).is_some())
            .collect(),
        open_sessions_of: people.clone().map(count).collect(),
        waiting_of: people.map(waiting).collect(),
    }
}

/// Draws two moves that fit what is true now, each made once; time does not pass between them.
fn rivals(model: &Model, runner: &mut TestRunner) -> [Made; 2] {
    let any = strategies::made(model);
    let strategy = prop_oneof![1 => any, 3 => strategies::about_oneself(model)];
    let mut draw = || loop {
        let mut made = strategy.new_tree(runner).expect("a move").current();
        match &mut made.what {
            Move::Wait { .. } | Move::Purge | Move::RaiseCost => {}
            Move::TypeCode { times, .. } | Move::TypeNumberCode { times, .. } => {
                *times = 1;
                return made;
            }
            _ => return made,
        }
    };
    [draw(), draw()]
}

/// The session a move is made with.
fn session(made: &Made) -> Option<usize> {
    match made.what {
        Move::ChangePassword { session, .. }
        | Move::ChangeRecord { session, .. }
        | Move::AskNumberCode { session }
        | Move::TypeNumberCode { session, .. }
        | Move::LogOut { session }
        | Move::EndOthers { session }
        | Move::Delete { session } => Some(session),
        _ => None,
    }
}

fn is_first_step(made: &Made) -> bool {
    matches!(made.what, Move::LogIn { .. })
}

/// Pairs that may come to something else, and why that does no harm.
fn is_harmless(first: &Made, second: &Made) -> bool {
    let either = |is: fn(&Move) -> bool| is(&first.what) || is(&second.what);
    let logs_out = either(|what| matches!(what, Move::LogOut { .. }));
    let sends_another = either(|what| matches!(what, Move::Resend { .. } | Move::LogIn { .. }));
    let types = either(|what| matches!(what, Move::TypeCode { .. }));
    // A request whose token was checked before its session logged out may come to its end: nothing of the session outlives it.
    (logs_out && session(first) == session(second))
    // A code that was right when it was judged proves what it proves, though another was sent meanwhile: it opens its login and
    // leaves the other without one, or opens nothing and still proves its number.
    || (sends_another && types)
    // Neither of two first steps at once sees the other's pending login, so one may wait too many: until the next first step, and
    // the account's budgets for codes sent and typed hold for both.
    || (is_first_step(first) && is_first_step(second))
}

/// The same story, where who proved a contact hears that they did. Their commit stands even when somebody drops the flow before it
/// can be spent: then they hear that the token is void, and find the contact proven.
fn believed(story: &Story, [first, second]: [&Made; 2]) -> Story {
    let proves = |made: &Made| {
        matches!(
            made.what,
            Move::TypeNumberCode { .. } | Move::UseVerification { .. }
        )
    };
    let heard = |made: &Made, outcome| match outcome {
        Outcome::NotLoggedIn if proves(made) => Outcome::Done,
        other => other,
    };
    Story {
        first: heard(first, story.first),
        second: heard(second, story.second),
        ..story.clone()
    }
}

proptest! {
    #![proptest_config(cases(500))]

    #[test]
    fn two_at_once_come_to_one_after_the_other(
        (mut model, moves, counter) in Reference::sequential_strategy(4..30),
        at in 0_usize..25,
        seed in any::<[u8; 32]>(),
    ) {
        let mut system = System::new(&model.rules, unlimited());
        for made in &moves {
            seen(counter.as_ref());
            model.make(made, true);
            system.make(made);
        }
        let mut runner = TestRunner::new_with_rng(
            ProptestConfig::default(),
            proptest::test_runner::TestRng::from_seed(proptest::test_runner::RngAlgorithm::ChaCha, &seed),
        );
        let [first, second] = rivals(&model, &mut runner);
        if is_harmless(&first, &second) {
            return Ok(());
        }
        let before = model.sessions.len();
        let outcomes = race(&mut system, &first, &second, at);
        let story = system_story(&system, &model, outcomes);
        let (after, [one, two]) = told(&model, [&first, &second]);
        let straight = model_story(&after, before, [one, two]);
        let (after, [two, one]) = told(&model, [&second, &first]);
        let reversed = model_story(&after, before, [one, two]);
        let believed = believed(&story, [&first, &second]);
        prop_assert!(
            [&straight, &reversed].into_iter().any(|told| *told == story || *told == believed),
            "{first:?} with {second:?} at {at}:\n{story:#?}\nbut one after the other\n{straight:#?}\nor\n{reversed:#?}"
        );
    }
}

/// Ann, logged in twice, with an unverified address, an unconfirmed number and a link and code for each; her hash is of an older kind.
fn ann() -> System {
    let rules = Rules {
        second_factor: SecondFactor::Optional,
        verification: false,
        hide_existing: false,
        reaches_without_number: true,
        keeps_the_dead: false,
        seed: 3,
    };
    let mut system = System::new(&rules, unlimited());
    let steps = [
        Move::SignUp {
            email: 0,
            username: None,
            password: 0,
            phone: Some(0),
        },
        LOG_IN,
        LOG_IN,
        Move::AskReset { email: 0 },
        Move::AskVerification { person: 0 },
        Move::AskNumberCode { session: 0 },
        Move::RaiseCost,
    ];
    for what in steps {
        let outcome = system.make(&Made { what, from: 0 });
        assert!(
            !matches!(outcome, Outcome::Denied(_) | Outcome::NotLoggedIn),
            "{outcome:?}"
        );
    }
    system
}

const LOG_IN: Move = Move::LogIn {
    name: Name::Email(0),
    password: 0,
    want: Want::Session(3600),
};

/// Somebody who is overtaken by a change that has nothing to do with theirs reads the user again and comes to their end.
#[test]
fn whoever_is_overtaken_decides_again() {
    let nothing = Change {
        replace: false,
        email: None,
        username: None,
        phone: Number::Keep,
        password: None,
        current: None,
    };
    let overtaken = [
        LOG_IN,
        Move::ChangePassword {
            session: 0,
            current: 0,
            new: 1,
        },
        Move::ChangeRecord {
            session: 0,
            change: Change {
                email: Some(1),
                current: Some(0),
                ..nothing
            },
        },
        Move::UseReset { link: 0, password: 1 },
        Move::UseVerification { link: 0, person: 0 },
        Move::TypeNumberCode {
            session: 0,
            typed: Typed::Sent(0),
            times: 1,
        },
        Move::EndOthers { session: 0 },
        Move::Delete { session: 0 },
    ];
    let rename = Change {
        username: Some(0),
        ..nothing
    };
    let quicker = Made {
        what: Move::ChangeRecord {
            session: 1,
            change: rename,
        },
        from: 1,
    };
    for what in overtaken {
        let made = Made { what, from: 0 };
        let mut overtook = 0;
        for at in 0..20 {
            let mut system = ann();
            let [outcome, other] = race(&mut system, &made, &quicker, at);
            assert!(
                matches!(outcome, Outcome::Done | Outcome::Opened),
                "{made:?} at {at}: {outcome:?}"
            );
            overtook += usize::from(other == Outcome::Done);
        }
        assert!(overtook > 1, "{made:?} was never overtaken");
    }
}
