//! A fresh token of a linked account.

use std::sync::Arc;

use domain::error::Denial;
use domain::flow::authorize::Failure;
use domain::flow::refresh_credential::{Chosen, FRESH_MARGIN, Freshen, FreshenEvent, step};
use domain::flow::{Advanced, Effect, Step};
use domain::id::CredentialId;
use domain::identity::{CredentialStatus, ProviderTokens, UserCredential};
use domain::ports::ProviderFault;
use domain::time::{Lifetime, Timestamp};
use domain::user::User;

use crate::support::{
    NOON, Scene, ann, assert_refused, committed, grant, linked, refusal, sealed, story, tokens,
};

/// Ann with one linked account and these grants.
fn with(change: impl Fn(&mut Vec<UserCredential>)) -> User {
    let mut user = linked(ann(), &["7"]);
    let mut grants = vec![grant(&user.identities[0], "google-link")];
    change(&mut grants);
    user.credentials = Arc::new(grants);
    user
}

fn ask(user: &User, which: &str) -> Step<Freshen> {
    let event = FreshenEvent::Asked {
        user: Box::new(user.clone()),
        which: which.to_owned(),
    };
    step(Freshen::Start, event, &mut Scene::new().cx())
}

fn open(user: &User, which: &str) -> CredentialId {
    match ask(user, which) {
        Ok(Advanced {
            next: Freshen::Open(chosen),
            effects,
        }) if effects.is_empty() => chosen.credential.id,
        other => panic!("not open: {other:?}"),
    }
}

fn stale(user: &User) -> Box<Chosen> {
    match ask(user, "google") {
        Ok(Advanced {
            next: Freshen::Refresh(chosen),
            effects,
        }) if effects.is_empty() => chosen,
        other => panic!("not to be refreshed: {other:?}"),
    }
}

fn expired() -> User {
    with(|grants| grants[0].expires = Some(NOON))
}

fn refreshed(chosen: Box<Chosen>, bought: ProviderTokens) -> (Chosen, Vec<Effect>) {
    let event = FreshenEvent::Refreshed {
        tokens: Box::new(bought),
        sealed: sealed("new"),
    };
    match step(Freshen::Refresh(chosen), event, &mut Scene::new().cx()) {
        Ok(Advanced {
            next: Freshen::Done(chosen),
            effects,
        }) => (*chosen, effects),
        other => panic!("not refreshed: {other:?}"),
    }
}

fn fail(failure: Failure) -> Step<Freshen> {
    let state = Freshen::Refresh(stale(&expired()));
    step(state, FreshenEvent::Failed(failure), &mut Scene::new().cx())
}

#[test]
fn a_token_that_lives_is_handed_out_as_it_is() {
    let user = with(|_| {});
    for which in ["grant-google-link", "google-link", "google"] {
        assert_eq!(open(&user, which).as_str(), "grant-google-link");
    }
}

#[test]
fn a_token_that_never_dies_is_never_bought_anew() {
    open(&with(|grants| grants[0].expires = None), "google");
}

#[test]
fn a_token_about_to_die_is_bought_anew() {
    let at = |millis: i64| {
        let margin = i64::try_from(FRESH_MARGIN.as_millis()).expect("small");
        with(|grants| grants[0].expires = Some(Timestamp::from_millis(NOON.as_millis() + margin + millis)))
    };
    open(&at(1), "google");
    stale(&at(0));
    stale(&at(-1));
    stale(&expired());
}

#[test]
fn what_was_never_granted_is_not_there() {
    for which in ["facebook", "", "grant-google-login", "GOOGLE"] {
        assert_refused(ask(&with(|_| {}), which), &Denial::LinkUnknown, &[]);
    }
    assert_refused(ask(&linked(ann(), &["7"]), "google"), &Denial::LinkUnknown, &[]);
}

#[test]
fn a_linking_entry_goes_before_a_login_and_the_newest_before_the_older() {
    let identity = linked(ann(), &["7"]).identities[0].clone();
    let login = grant(&identity, "google-login");
    let newer = UserCredential {
        id: CredentialId::new("newer"),
        client_id: "another".to_owned(),
        modified: NOON,
        ..grant(&identity, "google-link")
    };
    let user = with(|grants| {
        grants.insert(0, login.clone());
        grants.push(newer.clone());
    });
    assert_eq!(open(&user, "google").as_str(), "newer");
    assert_eq!(open(&user, "google-link").as_str(), "newer");
    assert_eq!(open(&user, "google-login").as_str(), "grant-google-login");
}

#[test]
fn a_grant_that_may_be_used_goes_before_a_revoked_one() {
    let identity = linked(ann(), &["7"]).identities[0].clone();
    let user = with(|grants| {
        grants[0].status = CredentialStatus::Revoked;
        grants.push(grant(&identity, "google-login"));
    });
    assert_eq!(open(&user, "google").as_str(), "grant-google-login");
    assert_refused(ask(&user, "google-link"), &Denial::CredentialRevoked, &[]);
    assert_refused(ask(&user, "grant-google-link"), &Denial::CredentialRevoked, &[]);
}

#[test]
fn what_was_bought_is_committed_under_the_same_grant() {
    let (chosen, effects) = refreshed(stale(&expired()), tokens("new"));
    assert_eq!(story(&effects), ["commit", "credential.refreshed"]);
    let next = committed(&effects);
    assert_eq!(next, &chosen.user);
    let renewed = &next.credentials[0];
    assert_eq!(renewed, &chosen.credential);
    assert_eq!(
        (renewed.id.as_str(), &renewed.tokens),
        ("grant-google-link", &sealed("new"))
    );
    assert_eq!(renewed.expires, Some(NOON.plus(Lifetime::from_secs(3600))));
    assert_eq!(
        (renewed.status, renewed.modified),
        (CredentialStatus::Active, NOON)
    );
    assert_eq!(chosen.lease().as_str(), "grant-google-link");
}

#[test]
fn fewer_scopes_than_before_are_told_and_not_forgotten() {
    let narrower = ProviderTokens {
        scopes: Some(Vec::new()),
        ..tokens("new")
    };
    let (chosen, effects) = refreshed(stale(&expired()), narrower);
    assert_eq!(
        story(&effects),
        ["commit", "credential.refreshed", "credential.scope_lost"]
    );
    assert_eq!(chosen.credential.status, CredentialStatus::ScopeLost);
    let silent = ProviderTokens {
        scopes: None,
        ..tokens("newer")
    };
    let later = User {
        credentials: Arc::new(vec![UserCredential {
            expires: Some(NOON),
            ..chosen.credential
        }]),
        ..chosen.user
    };
    let (again, _) = refreshed(stale(&later), silent);
    assert_eq!(again.credential.status, CredentialStatus::ScopeLost);
}

#[test]
fn more_scopes_than_before_lose_none() {
    let wider = ProviderTokens {
        scopes: Some(vec!["email".to_owned(), "photos".to_owned()]),
        ..tokens("new")
    };
    let (chosen, effects) = refreshed(stale(&expired()), wider);
    assert_eq!(story(&effects), ["commit", "credential.refreshed"]);
    assert_eq!(chosen.credential.scopes, ["email", "photos"]);
}

#[test]
fn a_revoked_grant_is_marked_and_told() {
    for fault in [ProviderFault::GrantRevoked, ProviderFault::NotRefreshable] {
        let refused = refusal(fail(Failure::Refused(fault)));
        assert_eq!(refused.denial, Denial::CredentialRevoked);
        assert_eq!(story(&refused.effects), ["commit", "credential.revoked"]);
        let marked = &committed(&refused.effects).credentials[0];
        assert_eq!(marked.status, CredentialStatus::Revoked);
        assert_eq!(marked.tokens, sealed("old"));
    }
}

#[test]
fn any_other_failure_leaves_the_grant_as_it_is() {
    assert_refused(
        fail(Failure::Unavailable),
        &Denial::ProviderUnavailable,
        &["provider.unavailable"],
    );
    let fault = ProviderFault::ClientRefused;
    assert_refused(
        fail(Failure::Refused(fault)),
        &Denial::ProviderRefused { fault },
        &["provider.refused"],
    );
}

#[test]
fn answers_out_of_turn_mean_nothing() {
    let mut scene = Scene::new();
    let event = FreshenEvent::Failed(Failure::Unavailable);
    assert_refused(
        step(Freshen::Start, event, &mut scene.cx()),
        &Denial::Unexpected,
        &[],
    );
}
