//! A provider tells us that somebody left there.

use domain::error::Denial;
use domain::flow::single_logout::{Ended, SingleLogoutEvent, Wish, step};
use domain::flow::{Advanced, Effect, Step};
use domain::id::EntryName;
use domain::identity::{FederatedSession, ProviderSession};
use domain::limits::Verdict;
use domain::ports::{LogoutRequested, Once, ProviderFault};
use domain::secret::Token;
use domain::session::Session;
use domain::user::User;

use crate::support::{ISSUER, NO, NOON, Scene, ann, assert_refused, entry, identity, linked, session, story};

fn requested(indexes: &[&str]) -> LogoutRequested {
    LogoutRequested {
        issuer: ISSUER.to_owned(),
        subject: "7".to_owned(),
        indexes: indexes.iter().map(|index| (*index).to_owned()).collect(),
        once: Once {
            id: "request-1".to_owned(),
            until: NOON,
        },
        request_id: "request-1".to_owned(),
        relay_state: None,
    }
}

/// A session under a token of that text, on a session at the provider, or on none.
fn on(user: &User, text: &str, account: &str, index: Option<&str>) -> Session {
    let federated = index.map(|index| {
        Box::new(FederatedSession {
            entry: EntryName::new("google"),
            identity: identity(account).id,
            session: ProviderSession {
                index: index.to_owned(),
                subject: "them".to_owned(),
            },
        })
    });
    Session {
        token: Token::presented(text).hash(),
        federated,
        ..session(user, 10)
    }
}

fn hear(indexes: &[&str], once: Verdict, user: Option<(User, Vec<Session>)>) -> Step<Ended> {
    let wish = Wish {
        entry: entry("google"),
        requested: requested(indexes),
        once,
        user,
    };
    let mut scene = Scene::new();
    step(SingleLogoutEvent::Requested(Box::new(wish)), &mut scene.cx())
}

fn ended(step: Step<Ended>) -> Vec<Token> {
    let Ok(Advanced { next, effects }) = step else {
        panic!("refused: {step:?}");
    };
    let names = ["one", "two", "password", "other"].map(Token::presented);
    let gone: Vec<Token> = names
        .into_iter()
        .filter(|token| effects.contains(&Effect::EndSession(token.hash())))
        .collect();
    assert_eq!(next.sessions, gone.len());
    gone
}

fn ann_with_sessions() -> (User, Vec<Session>) {
    let user = linked(ann(), &["7", "8"]);
    let sessions = vec![
        on(&user, "one", "7", Some("a")),
        on(&user, "two", "7", Some("b")),
        on(&user, "password", "7", None),
        on(&user, "other", "8", Some("a")),
    ];
    (user, sessions)
}

fn names(tokens: &[Token]) -> Vec<&str> {
    tokens.iter().map(Token::expose).collect()
}

#[test]
fn all_sessions_of_the_account_end_and_no_others() {
    let gone = ended(hear(&[], Verdict::Allowed, Some(ann_with_sessions())));
    assert_eq!(names(&gone), ["one", "two"]);
}

#[test]
fn a_named_session_ends_alone() {
    let gone = ended(hear(&["b", "z"], Verdict::Allowed, Some(ann_with_sessions())));
    assert_eq!(names(&gone), ["two"]);
}

#[test]
fn every_end_is_written_down_with_the_entry() {
    let step = hear(&["a"], Verdict::Allowed, Some(ann_with_sessions()));
    let Ok(Advanced { effects, .. }) = step else {
        panic!("refused");
    };
    assert_eq!(story(&effects), ["end session", "session.ended"]);
}

#[test]
fn nobodys_wish_ends_nothing() {
    assert_eq!(ended(hear(&[], Verdict::Allowed, None)), Vec::<Token>::new());
    let (user, sessions) = ann_with_sessions();
    let unlinked = User {
        identities: std::sync::Arc::default(),
        ..user
    };
    let gone = ended(hear(&[], Verdict::Allowed, Some((unlinked, sessions))));
    assert_eq!(gone, Vec::<Token>::new());
}

#[test]
fn a_wish_counts_once() {
    let denial = Denial::ProviderRefused {
        fault: ProviderFault::Replayed,
    };
    assert_refused(
        hear(&[], NO, Some(ann_with_sessions())),
        &denial,
        &["provider.refused"],
    );
}
