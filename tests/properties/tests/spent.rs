//! What opens once opens once: the same proof from many hands at the same moment, and in the middle of its own first use.
#![cfg(test)]

use domain::error::{Denial, DomainError};
use domain::policy::SecondFactor;
use domain::secret::{Secret, Token};
use domain::service::StepUpProof;
use domain::session::AccessToken;
use domain::user::FactorKind;
use properties::factors::authenticator::Authenticator;
use properties::factors::otp::{code as code_of, step_at};
use properties::factors::{App, House, PASSWORD, from};
use properties::system::unlimited;
use properties::world::run;
use serde_json::Value;

/// More port calls than any login makes.
const CALLS: usize = 40;

/// A way to use something that is good once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Good {
    Sms,
    Totp,
    Recovery,
    Passkey,
}

const ALL: [Good; 4] = [Good::Sms, Good::Totp, Good::Recovery, Good::Passkey];

struct Ann {
    house: House,
    app: App,
    codes: Vec<String>,
    key: Authenticator,
    first: AccessToken,
}

/// A proof that somebody is about to present.
#[derive(Clone)]
enum Proof {
    Code(Token, String, FactorKind),
    Answer(Token, Value),
}

impl Ann {
    fn new() -> Self {
        let house = House::new(9, unlimited(), |_| ());
        let home = from([192, 0, 2, 1], None);
        let asked = house.begin(None, &home).expect("asked");
        let (challenge, code) = (asked.challenge.expect("a challenge"), house.last_sms());
        let first = house.type_code(&challenge, &code, FactorKind::Sms, false, &home);
        let first = first.expect("the number is hers");
        let caller = |house: &House| house.caller(&first.secret).expect("logged in");
        let app = house.enrol(&caller(&house)).expect("added");
        let codes = house.recovery_codes(&caller(&house)).expect("made");
        let mut key = Authenticator::new(1, false, false);
        house.add_passkey(&caller(&house), &mut key).expect("added");
        Self {
            house,
            app,
            codes,
            key,
            first,
        }
    }

    /// A login that waits at a place, and what completes it.
    fn proof(&mut self, good: Good, place: u8) -> Proof {
        let origin = from([192, 0, 2, place], None);
        let method = match good {
            Good::Sms => FactorKind::Sms,
            Good::Totp => FactorKind::Totp,
            Good::Recovery => FactorKind::Recovery,
            Good::Passkey => FactorKind::Passkey,
        };
        let asked = self.house.begin(Some(method), &origin).expect("asked");
        let challenge = asked.challenge.expect("a challenge");
        let code = match good {
            Good::Sms => self.house.last_sms(),
            Good::Totp => self.house.shown(&self.app, 0),
            Good::Recovery => self.codes.first().expect("a code").clone(),
            Good::Passkey => {
                let (services, pool) = (&self.house.services, &self.house.pool);
                let call = run(services.begin_passkey_login(pool, Some(&challenge), &origin)).expect("asked");
                let answer = self.key.sign(&call.options);
                return Proof::Answer(call.ceremony, answer);
            }
        };
        Proof::Code(challenge, code, method)
    }
}

fn present(house: &House, proof: &Proof, place: u8) -> Result<AccessToken, DomainError> {
    let origin = from([192, 0, 2, place], None);
    match proof {
        Proof::Code(challenge, code, kind) => house.type_code(challenge, code, *kind, false, &origin),
        Proof::Answer(ceremony, answer) => house.answer(ceremony, answer.clone(), &origin),
    }
}

/// Refused like anything wrong; or not judged at all, because others changed the user all the while.
fn is_no_entry<T>(answer: &Result<T, DomainError>) -> bool {
    matches!(
        answer,
        Err(DomainError::Denied(Denial::LoginFailed) | DomainError::Port(_))
    )
}

fn live_sessions(house: &House) -> usize {
    house.world.contents().sessions.len()
}

#[test]
fn of_many_who_present_the_same_proof_at_once_one_is_let_in() {
    for good in ALL {
        for _ in 0..20 {
            let mut ann = Ann::new();
            let proof = ann.proof(good, 1);
            let before = live_sessions(&ann.house);
            let answers: Vec<_> = std::thread::scope(|scope| {
                let one = || present(&ann.house, &proof, 1);
                // No more than the five tries that a waiting login has.
                let threads: Vec<_> = (0..5).map(|_| scope.spawn(one)).collect();
                threads
                    .into_iter()
                    .map(|thread| thread.join().expect("an answer"))
                    .collect()
            });
            let let_in = answers.iter().filter(|answer| answer.is_ok()).count();
            assert_eq!(let_in, 1, "{good:?}");
            assert!(answers.iter().all(|answer| answer.is_ok() || is_no_entry(answer)));
            assert_eq!(live_sessions(&ann.house), before + 1, "{good:?}");
        }
    }
}

#[test]
fn who_is_overtaken_by_the_same_proof_is_not_let_in_as_well() {
    for good in ALL {
        let mut met = 0;
        for at in 0..CALLS {
            let mut ann = Ann::new();
            let proof = ann.proof(good, 1);
            let (other, same) = (ann.house.clone(), proof.clone());
            let (tell, heard) = std::sync::mpsc::channel();
            ann.house.world.intrude(at, move || {
                tell.send(present(&other, &same, 1).is_ok()).expect("heard");
            });
            let mine = present(&ann.house, &proof, 1);
            if ann.house.world.is_intruder_left() {
                assert!(mine.is_ok());
                continue;
            }
            met += 1;
            let theirs = heard.recv().expect("an answer");
            let let_in = usize::from(theirs) + usize::from(mine.is_ok());
            assert!(let_in <= 1, "{good:?} at {at}");
            // Neither may be let in only where both spent it at the same time; then Ann just logs in again.
            let again = present(&ann.house, &proof, 1);
            assert!(is_no_entry(&again), "{good:?} at {at}: {again:?}");
        }
        assert!(met > 5, "{good:?}: they met {met} times");
    }
}

#[test]
fn one_code_opens_one_of_two_logins_that_wait() {
    for good in [Good::Totp, Good::Recovery] {
        for at in 0..CALLS {
            let mut ann = Ann::new();
            let (mine, theirs) = (ann.proof(good, 1), ann.proof(good, 2));
            let other = ann.house.clone();
            let (tell, heard) = std::sync::mpsc::channel();
            ann.house.world.intrude(at, move || {
                tell.send(present(&other, &theirs, 2).is_ok()).expect("heard");
            });
            let mine = present(&ann.house, &mine, 1).is_ok();
            if ann.house.world.is_intruder_left() {
                assert!(mine);
                continue;
            }
            let theirs = heard.recv().expect("an answer");
            assert!(mine ^ theirs, "{good:?} at {at}: {mine} {theirs}");
        }
    }
}

#[test]
fn a_code_that_proved_somebody_anew_opens_no_login_and_the_other_way_round() {
    for good in [Good::Totp, Good::Recovery] {
        for at in 0..CALLS {
            let mut ann = Ann::new();
            let proof = ann.proof(good, 2);
            let Proof::Code(_, code, method) = proof.clone() else {
                unreachable!("a code")
            };
            let caller = ann.house.caller(&ann.first.secret).expect("logged in");
            let other = ann.house.clone();
            let (tell, heard) = std::sync::mpsc::channel();
            ann.house.world.intrude(at, move || {
                tell.send(present(&other, &proof, 2).is_ok()).expect("heard");
            });
            let typed = Secret::new(code);
            let mine = ann
                .house
                .step_up(&caller, StepUpProof::Code { typed, method })
                .is_ok();
            if ann.house.world.is_intruder_left() {
                assert!(mine);
                continue;
            }
            assert!(!(mine && heard.recv().expect("an answer")), "{good:?} at {at}");
        }
    }
}

#[test]
fn two_who_remove_a_factor_at_once_leave_the_last_where_one_is_required() {
    for at in 0..CALLS {
        let mut house = House::new(4, unlimited(), |_| ());
        let home = from([192, 0, 2, 1], None);
        let first = house.log_in(PASSWORD, &home).expect("logged in");
        let caller = |house: &House, token: &Token| house.caller(token).expect("logged in");
        let app = house.enrol(&caller(&house, &first.secret)).expect("added");
        house.world.wait(60_000);
        let typed = Secret::new(house.shown(&app, 0));
        let method = FactorKind::Totp;
        let proof = StepUpProof::Code { typed, method };
        let proven = house
            .step_up(&caller(&house, &first.secret), proof)
            .expect("proven");
        let second = house.enrol(&caller(&house, &proven.secret)).expect("added");
        house.pool.second_factor = SecondFactor::Required;
        let mine = caller(&house, &proven.secret);
        let (other, theirs) = (house.clone(), mine.clone());
        house.world.intrude(at, move || {
            let _ = other.remove(&theirs, &second.id);
        });
        let removed = house.remove(&mine, &app.id);
        if house.world.is_intruder_left() {
            removed.expect("one is left");
        }
        assert_eq!(house.ann().factors.totp.len(), 1, "at {at}");
        let entered = house.log_in(PASSWORD, &home);
        assert!(entered.is_err(), "a second factor is due as ever");
    }
}

/// Where a second factor is required and there is none: a login that waits for the first code of an app, and that code.
fn with_first_app(house: &House, place: u8) -> Proof {
    let origin = from([192, 0, 2, place], None);
    let asked = house.begin(Some(FactorKind::Totp), &origin).expect("asked");
    let challenge = asked.challenge.expect("a challenge");
    let begun = house
        .services
        .enrol_totp_at_login(&house.pool, &challenge, None, &origin);
    let secret = run(begun).expect("drawn").secret;
    let code = code_of(secret.expose().expose(), step_at(house.now()));
    Proof::Code(challenge, code, FactorKind::Totp)
}

#[test]
fn of_two_who_add_their_own_app_on_the_way_in_one_gets_in_and_one_app_is_there() {
    for at in 0..CALLS {
        let house = House::new(6, unlimited(), |pool| pool.second_factor = SecondFactor::Required);
        let (mine, theirs) = (with_first_app(&house, 1), with_first_app(&house, 2));
        let (other, other_hand) = (house.clone(), theirs.clone());
        house.world.intrude(at, move || {
            let _ = present(&other, &other_hand, 2);
        });
        let entered = present(&house, &mine, 1);
        if house.world.is_intruder_left() {
            entered.as_ref().expect("nobody else came");
        }
        assert!(entered.is_ok() || is_no_entry(&entered), "at {at}: {entered:?}");
        assert_eq!(house.ann().factors.totp.len(), 1, "at {at}");
        assert_eq!(live_sessions(&house), 1, "at {at}");
        for used in [mine, theirs] {
            assert!(is_no_entry(&present(&house, &used, 1)), "at {at}: spent");
        }
    }
}

#[test]
fn the_first_code_of_an_app_from_many_hands_at_once_opens_one_session() {
    for _ in 0..20 {
        let house = House::new(7, unlimited(), |pool| pool.second_factor = SecondFactor::Required);
        let proof = with_first_app(&house, 1);
        let entered: usize = std::thread::scope(|scope| {
            let one = || usize::from(present(&house, &proof, 1).is_ok());
            let threads: Vec<_> = (0..5).map(|_| scope.spawn(one)).collect();
            threads
                .into_iter()
                .map(|thread| thread.join().expect("an answer"))
                .sum()
        });
        assert_eq!((entered, live_sessions(&house)), (1, 1));
        assert_eq!(house.ann().factors.totp.len(), 1);
    }
}
