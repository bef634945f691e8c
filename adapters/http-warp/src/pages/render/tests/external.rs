//! The pages about providers.

use super::super::super::view::{ConfirmLinkView, FailedView, JoinView, OnwardView};
use super::*;

/// These pages in every state.
pub fn gallery(pages: &Pages, value: &str) -> Rendered {
    let refused = errors(&["code", "password"], value);
    vec![
        ("confirm link", pages.confirm_link(&confirm(value))),
        ("failed", pages.failed(&failed(value))),
        ("onward", pages.onward(&onward(value))),
        ("join", pages.join(&join(value, false, FieldErrors::none()))),
        (
            "join with a code",
            pages.join(&join(value, true, FieldErrors::none())),
        ),
        ("join refused", pages.join(&join(value, true, refused))),
    ]
}

fn confirm(value: &str) -> ConfirmLinkView {
    ConfirmLinkView {
        csrf: format!("csrf-{value}"),
        provider: value.to_owned(),
        account: Some(value.to_owned()),
        action: format!("/link/google?returnTo={value}"),
    }
}

fn failed(value: &str) -> FailedView {
    FailedView {
        status: 401,
        title: value.to_owned(),
        message: value.to_owned(),
        code: "ACCESS_DENIED",
        again: Some(value.to_owned()),
        other: value.to_owned(),
        other_label: "Log in another way",
    }
}

fn onward(value: &str) -> OnwardView {
    let destination = value.to_owned();
    OnwardView { destination }
}

fn join(value: &str, code_sent: bool, errors: FieldErrors) -> JoinView {
    JoinView {
        csrf: format!("csrf-{value}"),
        pool: "Users".to_owned(),
        provider: value.to_owned(),
        account: Some(value.to_owned()),
        password: true,
        email: true,
        code_sent,
        errors,
        notice: Some(value.to_owned()),
    }
}

#[test]
fn without_providers_nothing_speaks_of_them() {
    let plain = LoginView {
        providers: Vec::new(),
        ..login("alice", FieldErrors::none())
    };
    let page = pages().login(&plain).unwrap();
    assert!(!page.contains("Continue with"));
    let page = pages().login(&login("alice", FieldErrors::none())).unwrap();
    assert!(page.contains("Continue with alice"));
}

#[test]
fn a_join_offers_only_the_proofs_there_are() {
    let only_mail = JoinView {
        password: false,
        ..join("alice", false, FieldErrors::none())
    };
    let page = pages().join(&only_mail).unwrap();
    assert!(page.contains("action=\"/join/code\"") && !page.contains("action=\"/join\""));
    assert!(!page.contains("action=\"/join/confirm\""));
    let only_password = JoinView {
        email: false,
        ..join("alice", false, FieldErrors::none())
    };
    let page = pages().join(&only_password).unwrap();
    assert!(page.contains("action=\"/join\"") && !page.contains("action=\"/join/code\""));
}

#[test]
fn who_has_no_password_is_never_asked_for_it() {
    let view = AccountView {
        email: "a@example.com".to_owned(),
        ..guest("alice")
    };
    let page = pages().account(&view).unwrap();
    assert!(
        !page.contains("name=\"current_password\"") && !page.contains("href=\"#email-current_password\"")
    );
    assert!(page.contains("href=\"/reset\""));
}

#[test]
fn every_standing_of_a_grant_is_told() {
    let page = pages()
        .account(&account("alice", true, AccountErrors::default()))
        .unwrap();
    for told in ["Active", "Less than asked for", "Withdrawn"] {
        assert!(page.contains(told), "{told}");
    }
}

#[test]
fn a_second_account_at_one_provider_is_called_another() {
    let view = |linked| AccountView {
        csrf: "c".to_owned(),
        linkable: providers("Google"),
        linked,
        ..AccountView::default()
    };
    let page = pages().account(&view(Vec::new())).unwrap();
    assert!(page.contains(">Link Google<"));
    let page = pages().account(&view(vec![linked("Google")])).unwrap();
    assert!(page.contains(">Link another Google account<"));
}
