//! Limits: never more than the quota, never less than promised, and nobody's success wipes out anybody's failures.
#![cfg(test)]

use domain::limits::{Quota, Tries, Verdict};
use domain::policy::Limits;
use domain::time::{Lifetime, Timestamp};
use properties::agreement::assert_agreement;
use properties::cases;
use properties::moves::{Made, Move, Name, Outcome, Want};
use properties::reference::{Reference, seen};
use properties::strategies;
use properties::system::System;
use proptest::prelude::*;
use proptest_state_machine::ReferenceStateMachine as _;

const START: i64 = 1_000_000_000;

fn rate() -> impl Strategy<Value = Quota> {
    // Short spans too: that is where a rounded interval shows.
    let per = prop_oneof![1_u64..100, 1_u64..100_000];
    (1_u32..20, per).prop_map(|(burst, per)| Quota::Rate {
        burst,
        per: Lifetime::from_millis(per),
    })
}

fn lockout() -> impl Strategy<Value = Quota> {
    (0_u32..8, 1_u64..5_000, 1_u64..50_000, 1_u64..100_000).prop_map(|(free, wait, more, forget)| {
        let max_wait = wait + more;
        Quota::Lockout {
            free,
            wait: Lifetime::from_millis(wait),
            max_wait: Lifetime::from_millis(max_wait),
            forget: Lifetime::from_millis(max_wait + forget),
            pardons: false,
        }
    })
}

fn quota() -> impl Strategy<Value = Quota> {
    prop_oneof![rate(), lockout()]
}

/// What happens to a counter: a try after so many milliseconds, judged right or wrong.
fn tries() -> impl Strategy<Value = Vec<(u64, bool)>> {
    let pause = prop_oneof![4 => 0_u64..5, 4 => Just(0_u64), 3 => 0_u64..500, 2 => 0_u64..20_000, 1 => 0_u64..300_000];
    prop::collection::vec((pause, prop::bool::weighted(0.2)), 1..60)
}

fn at(elapsed: u64) -> Timestamp {
    Timestamp::from_millis(START).plus(Lifetime::from_millis(elapsed))
}

/// The moments at which tries were allowed, none given back.
fn allowed(quota: Quota, pauses: &[(u64, bool)]) -> Vec<u64> {
    let (mut counter, mut elapsed, mut allowed) = (Tries::default(), 0, Vec::new());
    for (pause, _) in pauses {
        elapsed += pause;
        let (after, verdict) = quota.take(counter, at(elapsed));
        counter = after;
        if verdict == Verdict::Allowed {
            allowed.push(elapsed);
        }
    }
    allowed
}

/// A counter after tries some of which turned out right, and the moment it is.
fn worn(quota: Quota, tries: &[(u64, bool)]) -> (Tries, u64) {
    let (mut counter, mut elapsed) = (Tries::default(), 0);
    for (pause, right) in tries {
        elapsed += pause;
        let (after, verdict) = quota.take(counter, at(elapsed));
        counter = after;
        if *right && verdict == Verdict::Allowed {
            counter = quota.give_back(counter);
        }
    }
    (counter, elapsed)
}

proptest! {
    #![proptest_config(cases(600))]

    #[test]
    fn no_window_holds_more_tries_than_the_rate((quota, pauses) in (rate(), tries())) {
        let Quota::Rate { burst, per } = quota else { return Ok(()) };
        let allowed = allowed(quota, &pauses);
        for (first, from) in allowed.iter().enumerate() {
            for (last, to) in allowed.iter().enumerate().skip(first) {
                let grown = (to - from) * u64::from(burst) / per.as_millis();
                let most = u64::from(burst) + grown;
                prop_assert!(u64::try_from(last - first + 1)? <= most, "{from} to {to}: more than {most}");
            }
        }
    }

    #[test]
    fn after_the_free_tries_every_wait_doubles((quota, pauses) in (lockout(), tries())) {
        let Quota::Lockout { free, wait, max_wait, forget, .. } = quota else { return Ok(()) };
        let mut since_quiet = 0;
        let allowed = allowed(quota, &pauses);
        for pair in allowed.windows(2) {
            let gap = Lifetime::from_millis(pair[1] - pair[0]);
            since_quiet = if gap >= forget { 0 } else { since_quiet + 1 };
            if since_quiet >= free && since_quiet > 0 {
                let due = wait.doubled(since_quiet - free).min(max_wait);
                prop_assert!(gap >= due, "{gap:?} after {since_quiet} tries");
            }
        }
    }

    #[test]
    fn whatever_was_given_back_no_instant_holds_more_than_the_full_quota((quota, tries) in (quota(), tries())) {
        let (mut counter, elapsed) = worn(quota, &tries);
        let full = match quota {
            Quota::Rate { burst, .. } => burst,
            Quota::Lockout { free, .. } => free.max(1),
        };
        let mut at_once = 0;
        while let (after, Verdict::Allowed) = quota.take(counter, at(elapsed)) {
            counter = after;
            at_once += 1;
            prop_assert!(at_once <= full);
        }
    }

    #[test]
    fn a_right_try_leaves_the_wrong_ones_counted((quota, wrong) in (quota(), 1_usize..10)) {
        let mut counter = Tries::default();
        for _ in 0..wrong {
            counter = quota.take(counter, at(0)).0;
        }
        let (after, verdict) = quota.take(counter, at(0));
        if verdict == Verdict::Allowed {
            prop_assert_eq!(quota.give_back(after), counter);
        }
    }

    #[test]
    fn a_denial_tells_the_truth_about_its_wait((quota, tries) in (quota(), tries())) {
        let (counter, elapsed) = worn(quota, &tries);
        if let (after, Verdict::Denied { retry_after, .. }) = quota.take(counter, at(elapsed)) {
            prop_assert_eq!(after, counter, "a denied try counts nothing");
            prop_assert!(retry_after > Lifetime::ZERO);
            let then = elapsed + retry_after.as_millis();
            prop_assert_eq!(quota.take(counter, at(then)).1, Verdict::Allowed);
            prop_assert_ne!(quota.take(counter, at(then - 1)).1, Verdict::Allowed);
        }
    }

    #[test]
    fn waiting_never_turns_a_yes_into_a_no((quota, tries, longer) in (quota(), tries(), 0_u64..200_000)) {
        let (counter, elapsed) = worn(quota, &tries);
        if quota.take(counter, at(elapsed)).1 == Verdict::Allowed {
            prop_assert_eq!(quota.take(counter, at(elapsed + longer)).1, Verdict::Allowed);
        }
    }

    #[test]
    fn a_forgotten_counter_is_as_good_as_none((quota, tries) in (quota(), tries())) {
        let (counter, _) = worn(quota, &tries);
        let then = quota.forgotten_at(counter);
        prop_assert_eq!(quota.take(counter, then), quota.take(Tries::default(), then));
    }
}

/// Limits so tight that most runs meet them.
fn tight() -> impl Strategy<Value = Limits> {
    let quota = || {
        prop_oneof![
            (1_u32..5, 1_u64..120).prop_map(|(burst, seconds)| Quota::Rate {
                burst,
                per: Lifetime::from_secs(seconds),
            }),
            (1_u32..5, 1_u64..60).prop_map(|(free, wait)| Quota::Lockout {
                free,
                wait: Lifetime::from_secs(wait),
                max_wait: Lifetime::from_secs(600),
                forget: Lifetime::from_secs(86_400),
                pardons: false,
            }),
        ]
    };
    prop::collection::vec(quota(), 16).prop_map(|quotas| Limits {
        enabled: true,
        login_per_address: quotas[0],
        login_per_account_and_address: quotas[1],
        login_per_account: quotas[2],
        sign_up_per_address: Quota::Rate {
            burst: 20,
            per: Lifetime::from_secs(60),
        },
        code_sends_per_account: quotas[3],
        code_sends_per_address: quotas[4],
        code_tries_per_account: quotas[5],
        code_tries_per_address: quotas[6],
        mail_per_account: quotas[7],
        mail_per_address: quotas[8],
        token_tries_per_address: quotas[9],
        authorizations_per_address: quotas[10],
        calls_per_application: quotas[15],
        code_sends_per_number: quotas[11],
        code_sends_per_country: quotas[12],
        code_sends_per_day: quotas[13],
        login_per_pool: Some(quotas[14]),
    })
}

/// The same move, one try at a time.
fn one_by_one(made: Made) -> Vec<Made> {
    let Made { mut what, from } = made;
    let repeats = match &mut what {
        Move::TypeCode { times, .. } | Move::TypeNumberCode { times, .. } => std::mem::replace(times, 1),
        _ => 1,
    };
    vec![Made { what, from }; repeats]
}

proptest! {
    #![proptest_config(cases(200))]

    /// A limit refuses a move before anything comes of it; a move it lets through comes to what was proven, as ever.
    #[test]
    fn a_limit_only_ever_takes_away(
        (mut model, moves, counter) in Reference::sequential_strategy(1..50),
        limits in tight(),
    ) {
        let mut system = System::new(&model.rules, limits);
        let moves = moves.into_iter().inspect(|_| seen(counter.as_ref()));
        for made in moves.flat_map(one_by_one) {
            let before = system.world.contents().clone();
            let outcome = system.make(&made);
            let after = system.world.contents().clone();
            if outcome == Outcome::Denied("Limited") {
                prop_assert_eq!(after.users, before.users);
                prop_assert_eq!(after.flows, before.flows);
                prop_assert_eq!(after.sms, before.sms);
                prop_assert_eq!(after.mails, before.mails);
            } else {
                model.make(&made, after.mails.len() > before.mails.len());
                prop_assert_eq!(outcome, model.expected, "{:?}", made);
            }
            assert_agreement(&system, &model);
        }
    }

    /// Two strangers guess, the owner and a stranger log in to their own accounts in between: the guesses that are judged stay
    /// within the quotas.
    #[test]
    fn nobodys_success_gives_anybody_more_guesses(
        moves in prop::collection::vec((0_usize..3, prop::bool::weighted(0.3)), 1..120),
        rules in strategies::rules(),
    ) {
        let rules = properties::moves::Rules { verification: false, second_factor: domain::policy::SecondFactor::Off, ..rules };
        let mut system = System::new(&rules, Limits::default());
        for email in [0, 1] {
            let what = Move::SignUp { email, username: None, password: email, phone: None };
            prop_assert_eq!(system.make(&Made { what, from: 4 }), Outcome::Done);
        }
        let mut judged = [0_u32; 3];
        for (from, own) in moves {
            let (email, password) = if own { (1, 1) } else { (0, 3) };
            let what = Move::LogIn { name: Name::Email(email), password, want: Want::Session(60) };
            let outcome = system.make(&Made { what, from });
            if outcome == Outcome::Denied("LoginFailed") {
                judged[from] += 1;
            }
        }
        let from_one_place = 8;
        prop_assert!(judged.iter().all(|guesses| *guesses <= from_one_place), "{judged:?}");
        prop_assert!(judged.iter().sum::<u32>() <= 50);
    }
}
