//! Fetching a session that waits for its client.

use domain::error::Denial;
use domain::flow::login::Sending;
use domain::flow::login::external::{Exchanged, External, ExternalEvent, is_code_challenge, step};
use domain::flow::{Advanced, Effect, Step};
use domain::flow_record::{Exchange, FlowBody, FlowRecord};
use domain::limits::Verdict;
use domain::time::Lifetime;
use domain::user::User;

use crate::login_external::{VERIFIER, awaiting, challenge, logged_in};
use crate::support::{
    LIMIT, NO, Scene, ann, ann_with_factor, assert_refused, bob, limited, sending, story, taken,
};

fn exchange_of(scene: &Scene, user: &User) -> FlowRecord {
    let body = FlowBody::Exchange(Exchange {
        epoch: user.session_epoch,
        code_challenge: challenge(VERIFIER),
        link: None,
    });
    scene.record(user, "code", Lifetime::from_secs(60), body)
}

fn exchanged(flow: Option<FlowRecord>, user: Option<User>, verifier: &str) -> Exchanged {
    Exchanged {
        flow,
        user,
        code_verifier: verifier.to_owned(),
        verdict: Verdict::Allowed,
        taken: taken(),
    }
}

fn exchange(scene: &mut Scene, facts: Exchanged, sending: Sending) -> Step<External> {
    let event = ExternalEvent::Exchanged(Box::new(facts));
    let Advanced { next, effects } = step(External::Start, event, &mut scene.cx())?;
    assert!(effects.is_empty());
    step(next, ExternalEvent::Ready(sending), &mut scene.cx())
}

#[test]
fn a_code_and_its_verifier_open_the_session_once() {
    let mut scene = Scene::new();
    let flow = exchange_of(&scene, &ann());
    let facts = exchanged(Some(flow.clone()), Some(ann()), VERIFIER);
    let (token, effects) = logged_in(exchange(&mut scene, facts, sending()));
    assert_eq!(
        story(&effects),
        ["spend", "open session", "login.succeeded", "give back"]
    );
    assert_eq!(effects[0], Effect::Spend(flow.id));
    assert_eq!(token.user, ann());
}

#[test]
fn a_waiting_session_asks_for_a_due_factor_when_it_is_fetched() {
    let mut scene = Scene::new();
    let user = ann_with_factor();
    let facts = exchanged(Some(exchange_of(&scene, &user)), Some(user), VERIFIER);
    let (_, effects) = awaiting(exchange(&mut scene, facts, sending()));
    assert_eq!(
        story(&effects),
        ["spend", "put flow", "send sms", "give back", "code.sent"]
    );
}

#[test]
fn a_code_is_worth_nothing_without_its_own_verifier() {
    let mut scene = Scene::new();
    let long = "a".repeat(129);
    let other = VERIFIER.replace('d', "e");
    for verifier in ["", "short", &other, &long, &challenge(VERIFIER)] {
        let facts = exchanged(Some(exchange_of(&scene, &ann())), Some(ann()), verifier);
        let step = exchange(&mut scene, facts, sending());
        assert_refused(step, &Denial::ExchangeRefused, &["token.refused"]);
    }
}

#[test]
fn a_verifier_of_forbidden_characters_is_none_even_if_it_fits() {
    let mut scene = Scene::new();
    let odd = format!("{}é", "a".repeat(43));
    let mut flow = exchange_of(&scene, &ann());
    flow.body = FlowBody::Exchange(Exchange {
        epoch: ann().session_epoch,
        code_challenge: challenge(&odd),
        link: None,
    });
    let step = exchange(&mut scene, exchanged(Some(flow), Some(ann()), &odd), sending());
    assert_refused(step, &Denial::ExchangeRefused, &["token.refused"]);
}

#[test]
fn a_code_that_is_spent_old_or_somebody_elses_is_refused() {
    let mut scene = Scene::new();
    let good = exchange_of(&scene, &ann());
    let mut ended = ann();
    ended.end_sessions(None);
    let (pending, _) = scene.pending(&ann(), "pending");
    let cases = [
        exchanged(None, None, VERIFIER),
        exchanged(Some(good.clone()), None, VERIFIER),
        exchanged(Some(good.clone()), Some(bob()), VERIFIER),
        exchanged(Some(good.clone()), Some(ended), VERIFIER),
        exchanged(Some(pending), Some(ann()), VERIFIER),
    ];
    for facts in cases {
        assert_refused(
            exchange(&mut scene, facts, sending()),
            &Denial::ExchangeRefused,
            &["token.refused"],
        );
    }
    scene.wait(60);
    let late = exchanged(Some(good), Some(ann()), VERIFIER);
    assert_refused(
        exchange(&mut scene, late, sending()),
        &Denial::ExchangeRefused,
        &["token.refused"],
    );
}

#[test]
fn over_the_limit_no_code_is_judged() {
    let mut scene = Scene::new();
    let facts = Exchanged {
        verdict: NO,
        ..exchanged(Some(exchange_of(&scene, &ann())), Some(ann()), VERIFIER)
    };
    assert_refused(exchange(&mut scene, facts, sending()), &limited(), &[LIMIT]);
}

#[test]
fn a_challenge_is_43_characters_of_base64url() {
    assert!(is_code_challenge(&challenge(VERIFIER)));
    for bad in ["", "short", &"a".repeat(44), &"=".repeat(43), &"é".repeat(43)] {
        assert!(!is_code_challenge(bad));
    }
}
