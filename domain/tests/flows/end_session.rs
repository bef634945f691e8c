//! "End one of my sessions".

use domain::error::Denial;
use domain::flow::Effect;
use domain::flow::end_session::{EndSessionEvent, SessionEnded, step};
use domain::id::SessionId;
use domain::secret::Token;

use crate::support::{Scene, ann, assert_refused, story};

fn asked(is_theirs: bool) -> EndSessionEvent {
    EndSessionEvent::Asked {
        user: ann().key,
        session: SessionId::new("the phone's"),
        is_theirs,
        asked_by: Token::presented("my token").hash(),
    }
}

#[test]
fn a_session_is_ended_with_everything_that_renews_it() {
    let advanced = step(asked(true), &mut Scene::new().cx()).expect("ended");
    assert_eq!(advanced.next, SessionEnded);
    assert_eq!(story(&advanced.effects), ["end chain", "session.ended"]);
    let end = Effect::EndChain {
        user: ann().key,
        session: SessionId::new("the phone's"),
        asked_by: Token::presented("my token").hash(),
    };
    assert_eq!(advanced.effects[0], end);
}

#[test]
fn a_session_of_nobody_or_somebody_else_is_unknown() {
    assert_refused(
        step(asked(false), &mut Scene::new().cx()),
        &Denial::SessionUnknown,
        &[],
    );
}
