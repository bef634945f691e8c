//! "Log out".

use domain::error::Denial;
use domain::flow::Effect;
use domain::flow::log_out::{LogOutEvent, LoggedOut, step};
use domain::id::{RefreshId, SessionId};
use domain::session::Session;

use crate::support::{Scene, ann, assert_refused, committed, session, story};

#[test]
fn without_a_live_session_there_is_nothing_to_log_out_of() {
    let event = LogOutEvent::Asked { session: None };
    assert_refused(
        step(event, &mut Scene::new().cx()),
        &Denial::AccessTokenRequired,
        &[],
    );
}

#[test]
fn logging_out_ends_the_session_of_the_token_and_no_other() {
    let session = Box::new(session(&ann(), 60));
    let token = session.token;
    let event = LogOutEvent::Asked {
        session: Some(session),
    };
    let advanced = step(event, &mut Scene::new().cx()).expect("logged out");
    assert_eq!(advanced.next, LoggedOut);
    assert_eq!(story(&advanced.effects), ["end session", "session.ended"]);
    assert_eq!(advanced.effects[0], Effect::EndSession(token));
}

#[test]
fn logging_out_of_a_login_with_refresh_tokens_ends_them_first() {
    let session = Session {
        refresh: Some(RefreshId::new("chain")),
        ..session(&ann(), 60)
    };
    let end = Effect::EndChain {
        user: session.user.clone(),
        session: session.id.clone(),
        asked_by: session.token,
    };
    let event = LogOutEvent::Asked {
        session: Some(Box::new(session)),
    };
    let advanced = step(event, &mut Scene::new().cx()).expect("logged out");
    assert_eq!(
        story(&advanced.effects),
        ["end chain", "end session", "session.ended"]
    );
    assert_eq!(advanced.effects[0], end);
}

#[test]
fn ending_the_others_starts_an_epoch_that_spares_the_one_that_asked() {
    let (user, mine) = (ann(), session(&ann(), 60));
    let event = LogOutEvent::OthersEnded {
        user: Box::new(user.clone()),
        session: Box::new(mine.clone()),
    };
    let advanced = step(event, &mut Scene::new().cx()).expect("ended");
    assert_eq!(
        story(&advanced.effects),
        ["commit", "clear sessions", "session.all_ended"]
    );
    let next = committed(&advanced.effects);
    assert!(next.honours(user.session_epoch, &mine.id));
    assert!(!next.honours(user.session_epoch, &SessionId::new("another")));
    assert_eq!(next.password, user.password, "nothing else changes");
    let cleared = Effect::ClearSessions {
        user: user.key,
        spare: Some(mine.id),
    };
    assert!(advanced.effects.contains(&cleared));
}
