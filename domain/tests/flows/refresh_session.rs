//! "Renew a session by its refresh token".

use domain::audit::AuditKind;
use domain::error::Denial;
use domain::flow::refresh_session::{
    Answered, Kept, Presented, RefreshSession, RefreshSessionEvent, arrived, login_behind, refresh_record,
    step, successor,
};
use domain::flow::{Effect, Step};
use domain::flow_record::{FlowBody, FlowRecord, RefreshRecord};
use domain::id::{PoolName, RefreshId, SessionId};
use domain::limits::Verdict;
use domain::secret::Token;
use domain::session::{AccessToken, Factor, Session, TokenLife};
use domain::time::{Lifetime, Timestamp};
use domain::user::User;

use crate::support::{NO, Scene, WAIT, ann, assert_refused, story};

/// A refresh token of Ann's, begun now and not used yet.
fn begun(scene: &Scene) -> (Token, FlowRecord) {
    let token = Token::presented("the first refresh token");
    let record = RefreshRecord {
        chain: RefreshId::new("chain"),
        session: SessionId::new("login"),
        epoch: ann().session_epoch,
        began: scene.now,
        factors: vec![Factor::Password, Factor::Totp],
        proven: scene.now,
        agent: None,
        access: Token::presented("the first access token").hash(),
        salt: Token::presented("salt").hash(),
        used: None,
        arrived: None,
    };
    let life = scene.pool.refresh_token_ttl;
    let flow = scene.record(&ann(), token.expose(), life, FlowBody::Refresh(Box::new(record)));
    (token, flow)
}

fn presented(
    token: &Token,
    record: Option<&FlowRecord>,
    user: Option<User>,
    answered: Answered,
) -> Presented {
    Presented {
        token: token.clone(),
        record: record.cloned(),
        user,
        answered,
        verdict: Verdict::Allowed,
        taken: Vec::new(),
    }
}

fn present(facts: Presented, scene: &mut Scene) -> Step<RefreshSession> {
    let event = RefreshSessionEvent::Presented(Box::new(facts));
    step(RefreshSession::Start, event, &mut scene.cx())
}

/// What is kept for an answer: the next record, the session, and the state.
fn kept(answer: Step<RefreshSession>) -> (FlowRecord, Session, Box<Kept>) {
    let advanced = answer.expect("answered");
    let RefreshSession::Kept(kept) = advanced.next else {
        panic!("{:?}", advanced.next)
    };
    let [Effect::OpenSession(session), Effect::PutFlow(next)] = &advanced.effects[..] else {
        panic!("{:?}", advanced.effects)
    };
    (*next.clone(), *session.clone(), kept)
}

fn give(kept: Box<Kept>, session: Option<Session>, scene: &mut Scene) -> (AccessToken, FlowRecord) {
    let event = RefreshSessionEvent::SuccessorKept {
        session: session.map(Box::new),
    };
    let advanced = step(RefreshSession::Kept(kept), event, &mut scene.cx()).expect("given");
    assert_eq!(
        story(&advanced.effects)[0],
        "replace flow",
        "the mark is what the answer hangs on"
    );
    let (RefreshSession::Done(answer), Effect::ReplaceFlow(mark)) = (advanced.next, &advanced.effects[0])
    else {
        panic!("no answer")
    };
    (*answer, *mark.clone())
}

fn of(flow: &FlowRecord) -> &RefreshRecord {
    refresh_record(flow).expect("a refresh token")
}

/// A whole renewal: the answer, the presented record as it is marked, the next one.
fn renewed(token: &Token, flow: &FlowRecord, scene: &mut Scene) -> (AccessToken, FlowRecord, FlowRecord) {
    let facts = presented(token, Some(flow), Some(ann()), Answered::default());
    let (next, session, kept) = kept(present(facts, scene));
    let (answer, mark) = give(kept, Some(session), scene);
    (answer, mark, next)
}

#[test]
fn a_new_token_leads_to_the_next_and_to_a_short_session_of_the_same_login() {
    let mut scene = Scene::new();
    let (token, flow) = begun(&scene);
    scene.wait(600);
    let (answer, mark, next) = renewed(&token, &flow, &mut scene);
    assert_eq!(answer.session.id, SessionId::new("login"));
    assert_eq!(answer.session.factors, [Factor::Password, Factor::Totp]);
    assert_eq!(
        answer.session.proven, flow.created,
        "a renewal proves nothing anew"
    );
    assert_eq!(
        answer.session.life,
        TokenLife::Finite(scene.pool.access_token_ttl)
    );
    assert_eq!(answer.session.token, answer.secret.hash());
    assert_eq!(of(&next).access, answer.session.token);
    assert_eq!(next.id, answer.refresh.expect("the next token").hash());
    assert_eq!(next.expires, scene.now.plus(scene.pool.refresh_token_ttl));
    assert_eq!((of(&mark).used, mark.id), (Some(scene.now), token.hash()));
    assert_eq!(
        mark.expires, next.expires,
        "it is remembered as long as what it led to is good"
    );
}

#[test]
fn what_is_wrong_with_a_token_is_told_to_the_operator_alone() {
    let mut scene = Scene::new();
    let (token, flow) = begun(&scene);
    let other_pool = FlowRecord {
        pool: PoolName::new("Employees"),
        ..flow.clone()
    };
    let other_kind = FlowRecord {
        body: FlowBody::ConfirmEmail {
            address: "ann@example.com".to_owned(),
        },
        ..flow.clone()
    };
    let mut others = ann();
    others.end_sessions(None);
    let stranger = User {
        key: domain::id::UserKey::new(flow.pool.clone(), domain::id::UserId::new("somebody else")),
        ..ann()
    };
    let old = FlowRecord {
        expires: scene.now,
        ..flow.clone()
    };
    let ancient = FlowRecord {
        body: FlowBody::Refresh(Box::new(RefreshRecord {
            began: scene.now.minus(scene.pool.refresh_token_max_ttl),
            ..of(&flow).clone()
        })),
        ..flow.clone()
    };
    let cases = [
        (None, Some(ann()), "refresh_unknown"),
        (Some(other_pool), Some(ann()), "refresh_unknown"),
        (Some(other_kind), Some(ann()), "refresh_unknown"),
        (Some(old), Some(ann()), "refresh_expired"),
        (Some(ancient), Some(ann()), "refresh_expired"),
        (Some(flow.clone()), None, "refresh_user_gone"),
        (Some(flow.clone()), Some(stranger), "refresh_user_gone"),
        (Some(flow), Some(others), "refresh_session_ended"),
    ];
    for (record, user, rule) in cases {
        let facts = presented(&token, record.as_ref(), user, Answered::default());
        let refused = present(facts, &mut scene).expect_err(rule);
        assert_eq!(refused.denial, Denial::RefreshRefused, "{rule}");
        let [Effect::Audit(event)] = &refused.effects[..] else {
            panic!("{rule}: {:?}", refused.effects)
        };
        assert_eq!(event.kind, AuditKind::TokenRefused);
        assert_eq!(event.detail.as_deref(), Some(rule));
    }
}

#[test]
fn over_the_limit_nothing_is_judged() {
    let mut scene = Scene::new();
    let (token, flow) = begun(&scene);
    let facts = Presented {
        verdict: NO,
        ..presented(&token, Some(&flow), Some(ann()), Answered::default())
    };
    let denial = Denial::Limited { retry_after: WAIT };
    assert_refused(present(facts, &mut scene), &denial, &["limit.reached"]);
}

#[test]
fn an_answer_that_never_arrived_is_given_again() {
    let mut scene = Scene::new();
    let (token, flow) = begun(&scene);
    let (first, mark, next) = renewed(&token, &flow, &mut scene);
    scene.wait(300);
    let answered = Answered {
        record: Some(next),
        is_followed: false,
        accesses: vec![Some(first.session.clone())],
    };
    let facts = presented(&token, Some(&mark), Some(ann()), answered);
    let advanced = present(facts, &mut scene).expect("answered");
    assert!(advanced.effects.is_empty(), "everything is there");
    let RefreshSession::Kept(kept) = advanced.next else {
        panic!("{:?}", advanced.next)
    };
    let (again, mark) = give(kept, Some(first.session.clone()), &mut scene);
    assert_eq!((again.secret, again.refresh), (first.secret, first.refresh));
    assert_eq!(
        of(&mark).used,
        Some(scene.now),
        "from now on it may be asked for once more"
    );
}

#[test]
fn where_the_access_token_died_unused_the_same_refresh_token_comes_with_another() {
    let mut scene = Scene::new();
    let (token, flow) = begun(&scene);
    let (first, mark, next) = renewed(&token, &flow, &mut scene);
    scene.wait(86_400);
    for access in [Some(first.session.clone()), None] {
        let answered = Answered {
            record: Some(next.clone()),
            is_followed: false,
            accesses: vec![access],
        };
        let facts = presented(&token, Some(&mark), Some(ann()), answered);
        let advanced = present(facts, &mut scene).expect("answered");
        let (RefreshSession::Kept(kept), [Effect::OpenSession(session)]) =
            (advanced.next, &advanced.effects[..])
        else {
            panic!("no session")
        };
        assert_eq!(session.created, scene.now);
        let event = RefreshSessionEvent::SuccessorKept {
            session: Some(session.clone()),
        };
        let given = step(RefreshSession::Kept(kept), event, &mut scene.cx()).expect("given");
        let [Effect::ReplaceFlow(renamed), Effect::ReplaceFlow(_), ..] = &given.effects[..] else {
            panic!("{:?}", given.effects)
        };
        assert_eq!((renamed.id, renamed.created), (next.id, next.created));
        assert_eq!(of(renamed).access, session.token);
        let RefreshSession::Done(again) = given.next else {
            panic!("no answer")
        };
        assert_eq!(again.refresh, first.refresh);
        assert_ne!(again.secret, first.secret, "what is over stays over");
    }
}

#[test]
fn what_somebody_opened_who_was_stopped_is_given_out_or_passed_over() {
    let mut scene = Scene::new();
    let (token, flow) = begun(&scene);
    let (opened, ..) = renewed(&token, &flow, &mut scene);
    let answered = |accesses| Answered {
        accesses,
        ..Answered::default()
    };
    let alive = presented(
        &token,
        Some(&flow),
        Some(ann()),
        answered(vec![Some(opened.session.clone())]),
    );
    let advanced = present(alive, &mut scene).expect("answered");
    assert_eq!(story(&advanced.effects), ["put flow"], "the session is there");
    scene.wait(86_400);
    let over = presented(
        &token,
        Some(&flow),
        Some(ann()),
        answered(vec![Some(opened.session.clone())]),
    );
    let (next, session, _) = kept(present(over, &mut scene));
    assert_ne!(session.token, opened.session.token);
    assert_eq!(of(&next).access, session.token);
}

/// A used token, presented so much later with what became of its answer.
fn late(seconds: u64, change: impl FnOnce(&mut Answered, Timestamp)) -> Step<RefreshSession> {
    let mut scene = Scene::new();
    let (token, flow) = begun(&scene);
    let (first, mark, next) = renewed(&token, &flow, &mut scene);
    let mut answered = Answered {
        record: Some(next),
        is_followed: false,
        accesses: vec![Some(first.session)],
    };
    change(&mut answered, scene.now);
    scene.wait(seconds);
    present(presented(&token, Some(&mark), Some(ann()), answered), &mut scene)
}

fn signs_of_arrival() -> [fn(&mut Answered, Timestamp); 4] {
    fn noted(answered: &mut Answered, change: impl FnOnce(&mut RefreshRecord)) {
        let flow = answered.record.as_mut().expect("a record");
        if let FlowBody::Refresh(record) = &mut flow.body {
            change(record);
        }
    }
    [
        |answered, _| answered.is_followed = true,
        |answered, now| noted(answered, |record| record.used = Some(now)),
        |answered, now| noted(answered, |record| record.arrived = Some(now)),
        |answered, now| {
            let session = answered.accesses[0].as_mut().expect("a session");
            session.last_used = Some(now);
        },
    ]
}

#[test]
fn a_used_token_that_comes_back_after_its_answer_arrived_ends_the_chain() {
    for sign in signs_of_arrival() {
        let advanced = late(30, sign).expect("decided");
        assert!(matches!(advanced.next, RefreshSession::Reused));
        assert_eq!(
            story(&advanced.effects),
            ["replace flow", "end chain", "session.refresh_reused"]
        );
    }
}

#[test]
fn two_requests_of_one_client_that_cross_are_no_theft() {
    for sign in signs_of_arrival() {
        let advanced = late(29, sign).expect("answered");
        assert!(matches!(advanced.next, RefreshSession::Kept(_)));
        assert!(advanced.effects.is_empty());
    }
}

#[test]
fn crossing_requests_do_not_prolong_the_time_they_have() {
    let mut scene = Scene::new();
    let (token, flow) = begun(&scene);
    let (first, mark, next) = renewed(&token, &flow, &mut scene);
    scene.wait(20);
    let answered = Answered {
        record: Some(next),
        is_followed: true,
        accesses: vec![Some(first.session.clone())],
    };
    let advanced =
        present(presented(&token, Some(&mark), Some(ann()), answered), &mut scene).expect("answered");
    let RefreshSession::Kept(kept) = advanced.next else {
        panic!("{:?}", advanced.next)
    };
    let (_, again) = give(kept, Some(first.session), &mut scene);
    assert_eq!(again, mark);
}

#[test]
fn a_used_token_whose_answer_is_forgotten_belongs_to_a_chain_that_is_being_ended() {
    let advanced = late(5, |answered, _| *answered = Answered::default()).expect("decided");
    assert!(matches!(advanced.next, RefreshSession::Reused));
}

#[test]
fn no_answer_is_given_whose_session_was_ended_at_once() {
    let mut scene = Scene::new();
    let (token, flow) = begun(&scene);
    let facts = presented(&token, Some(&flow), Some(ann()), Answered::default());
    let (.., kept) = kept(present(facts, &mut scene));
    let event = RefreshSessionEvent::SuccessorKept { session: None };
    let answer = step(RefreshSession::Kept(kept), event, &mut scene.cx());
    assert_refused(answer, &Denial::RefreshRefused, &["token.refused"]);
}

#[test]
fn the_last_tokens_of_a_login_live_no_longer_than_the_login() {
    let mut scene = Scene::with(|pool| pool.refresh_token_max_ttl = Lifetime::from_secs(1000));
    let (token, flow) = begun(&scene);
    let end = scene.now.plus(Lifetime::from_secs(1000));
    scene.wait(900);
    let (answer, _, next) = renewed(&token, &flow, &mut scene);
    assert_eq!(answer.session.life.expires(answer.session.created), Some(end));
    assert_eq!(next.expires, end);
}

#[test]
fn a_successor_is_told_by_token_and_salt_together() {
    let scene = Scene::new();
    let (token, flow) = begun(&scene);
    let next = successor(&token, of(&flow));
    assert_eq!(next, successor(&token, of(&flow)));
    assert_ne!(next, successor(&Token::presented("another"), of(&flow)));
    let salted = RefreshRecord {
        salt: Token::presented("another salt").hash(),
        ..of(&flow).clone()
    };
    assert_ne!(next, successor(&token, &salted));
}

#[test]
fn a_login_is_known_by_its_refresh_token_when_its_access_token_is_over() {
    let scene = Scene::new();
    let (_, flow) = begun(&scene);
    let noted = arrived(flow.clone(), scene.now).expect("a refresh token");
    let login = login_behind(&noted, &scene.pool).expect("a login");
    assert_eq!((login.id, login.user), (SessionId::new("login"), ann().key));
    assert_eq!(login.last_used, Some(scene.now));
    assert_eq!(login.refresh, Some(RefreshId::new("chain")));
}
