//! Linking while logged in, and unlinking.

use std::sync::Arc;

use domain::error::Denial;
use domain::flow::link::attach::{Attach, AttachEvent, Attaching, step};
use domain::flow::link::detach::{Detach, DetachEvent, has_another_way_in, step as detach};
use domain::flow::link::{Proven, credential_binding, same_grant};
use domain::flow::{Advanced, Effect, Step};
use domain::flow_record::FlowKind;
use domain::id::{CredentialId, EntryName, IdentityId, ProviderName, SessionId};
use domain::identity::{CredentialStatus, MAX_LINKS, Profile};
use domain::secret::Sealed;
use domain::user::User;

use crate::support::{
    NOON, Scene, ann, assert_refused, bob, committed, grant, identity, key, linked, profile, proven, sealed,
    session, story, subjects,
};

fn arrived(user: User, proven: Proven, holder: Option<User>) -> AttachEvent {
    AttachEvent::Arrived {
        user: Box::new(user),
        proven: Box::new(proven),
        holder: holder.map(Box::new),
    }
}

fn attaching(scene: &mut Scene, user: User, proven: Proven, holder: Option<User>) -> Box<Attaching> {
    match step(Attach::Start, arrived(user, proven, holder), &mut scene.cx()) {
        Ok(Advanced {
            next: Attach::Seal(attaching),
            effects,
        }) if effects.is_empty() => attaching,
        other => panic!("not to be linked: {other:?}"),
    }
}

fn link(scene: &mut Scene, user: User, proven: Proven, holder: Option<User>) -> Step<Attach> {
    let state = Attach::Seal(attaching(scene, user, proven, holder));
    step(state, AttachEvent::Sealed(Some(sealed("fresh"))), &mut scene.cx())
}

fn linked_to(step: Step<Attach>) -> (User, IdentityId, Vec<Effect>) {
    match step {
        Ok(Advanced {
            next: Attach::Linked { user, identity },
            effects,
        }) => (*user, identity, effects),
        other => panic!("not linked: {other:?}"),
    }
}

fn by_link(subject: &str) -> Proven {
    proven("google-link", subject, profile("ann@example.com", true))
}

#[test]
fn a_proven_account_becomes_an_identity_with_its_grant_in_one_commit() {
    let (user, id, effects) = linked_to(link(&mut Scene::new(), ann(), by_link("7"), None));
    assert_eq!(story(&effects), ["commit", "identity.linked"]);
    assert_eq!(committed(&effects), &user);
    assert_eq!(subjects(&user), ["7"]);
    let credential = &user.credentials[0];
    assert_eq!(credential.identity, id);
    assert_eq!(credential.tokens, sealed("fresh"));
    assert_eq!(
        (credential.linked, credential.status),
        (true, CredentialStatus::Active)
    );
    assert_eq!(credential.scopes, ["email"]);
    assert_eq!(
        (user.email, user.password, user.session_epoch),
        (ann().email, ann().password, ann().session_epoch)
    );
}

#[test]
fn an_account_of_somebody_else_is_refused_without_saying_whose() {
    let event = arrived(ann(), by_link("7"), Some(linked(bob(), &["7"])));
    let step = step(Attach::Start, event, &mut Scene::new().cx());
    assert_refused(step, &Denial::IdentityTaken, &["identity.link_refused"]);
    assert!(!Denial::IdentityTaken.to_string().contains("bob"));
}

#[test]
fn linking_again_refreshes_profile_and_tokens_and_keeps_the_ids() {
    let mut before = linked(ann(), &["7"]);
    before.credentials = Arc::new(vec![grant(&before.identities[0], "google-link")]);
    let step = link(
        &mut Scene::new(),
        before.clone(),
        by_link("7"),
        Some(before.clone()),
    );
    let (user, id, _) = linked_to(step);
    assert_eq!(id, before.identities[0].id);
    assert_eq!((user.identities.len(), user.credentials.len()), (1, 1));
    assert_eq!(user.identities[0].profile, profile("ann@example.com", true));
    assert_eq!(
        (user.identities[0].created, user.identities[0].modified),
        (before.identities[0].created, NOON)
    );
    assert_eq!(user.credentials[0].id, before.credentials[0].id);
    assert_eq!(user.credentials[0].tokens, sealed("fresh"));
}

#[test]
fn a_revoked_grant_is_active_again_when_its_account_is_linked_again() {
    let mut before = linked(ann(), &["7"]);
    let mut revoked = grant(&before.identities[0], "google-link");
    revoked.status = CredentialStatus::Revoked;
    before.credentials = Arc::new(vec![revoked]);
    let step = link(&mut Scene::new(), before.clone(), by_link("7"), Some(before));
    let (user, ..) = linked_to(step);
    assert_eq!(user.credentials[0].status, CredentialStatus::Active);
}

#[test]
fn another_entry_or_client_of_the_same_account_has_a_grant_of_its_own() {
    let mut before = linked(ann(), &["7"]);
    before.credentials = Arc::new(vec![grant(&before.identities[0], "google-login")]);
    let (user, ..) = linked_to(link(
        &mut Scene::new(),
        before.clone(),
        by_link("7"),
        Some(before),
    ));
    assert_eq!((user.identities.len(), user.credentials.len()), (1, 2));
    let mut other_client = by_link("7");
    other_client.client_id = "the shop's".to_owned();
    let (user, ..) = linked_to(link(&mut Scene::new(), user.clone(), other_client, Some(user)));
    assert_eq!((user.identities.len(), user.credentials.len()), (1, 3));
}

#[test]
fn further_accounts_stand_beside_the_first() {
    let before = linked(ann(), &["7"]);
    let (user, ..) = linked_to(link(&mut Scene::new(), before, by_link("8"), None));
    assert_eq!(subjects(&user), ["7", "8"]);
}

#[test]
fn an_account_without_a_grant_is_linked_all_the_same() {
    let mut scene = Scene::new();
    let mut without = by_link("7");
    without.tokens = None;
    let state = Attach::Seal(attaching(&mut scene, ann(), without, None));
    let (user, ..) = linked_to(step(state, AttachEvent::Sealed(None), &mut scene.cx()));
    assert_eq!((user.identities.len(), user.credentials.len()), (1, 0));
}

#[test]
fn what_a_provider_does_not_say_was_granted_is_what_was_asked_for() {
    let mut silent = by_link("7");
    silent.tokens.as_mut().expect("tokens").scopes = None;
    let (user, ..) = linked_to(link(&mut Scene::new(), ann(), silent, None));
    assert_eq!(user.credentials[0].scopes, ["email"]);
}

#[test]
fn nobody_has_more_accounts_than_can_be_kept() {
    let many: Vec<String> = (0..MAX_LINKS).map(|number| number.to_string()).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let step = link(&mut Scene::new(), linked(ann(), &many), by_link("one more"), None);
    assert_refused(step, &Denial::TooManyLinks, &["identity.link_refused"]);
    let again = linked(ann(), &many);
    linked_to(link(&mut Scene::new(), again.clone(), by_link("3"), Some(again)));
}

#[test]
fn whoever_loses_the_race_for_an_account_hears_that_it_is_taken() {
    let mut scene = Scene::new();
    let (user, identity, _) = linked_to(link(&mut scene, ann(), by_link("7"), None));
    let state = Attach::Linked {
        user: Box::new(user),
        identity,
    };
    let step = step(state, AttachEvent::KeyTaken, &mut scene.cx());
    assert_refused(step, &Denial::IdentityTaken, &["identity.link_refused"]);
}

#[test]
fn a_grant_is_sealed_for_its_user_account_entry_and_client() {
    let base = credential_binding(&ann().key, &key("7"), &EntryName::new("a"), "c");
    let others = [
        credential_binding(&bob().key, &key("7"), &EntryName::new("a"), "c"),
        credential_binding(&ann().key, &key("8"), &EntryName::new("a"), "c"),
        credential_binding(&ann().key, &key("7"), &EntryName::new("b"), "c"),
        credential_binding(&ann().key, &key("7"), &EntryName::new("a"), "d"),
    ];
    assert!(others.iter().all(|other| *other != base));
}

#[test]
fn the_same_grant_is_found_by_account_entry_and_client() {
    let mut user = linked(ann(), &["7", "8"]);
    let first = grant(&user.identities[0], "google-link");
    user.credentials = Arc::new(vec![first.clone()]);
    let entry = EntryName::new("google-link");
    assert_eq!(same_grant(&user, &key("7"), &entry, "our-client"), Some(&first));
    assert_eq!(same_grant(&user, &key("8"), &entry, "our-client"), None);
    assert_eq!(same_grant(&user, &key("9"), &entry, "our-client"), None);
    assert_eq!(same_grant(&user, &key("7"), &entry, "another"), None);
    assert_eq!(
        same_grant(&user, &key("7"), &EntryName::new("google-login"), "our-client"),
        None
    );
}

/// People can log in by the one provider there is.
fn doors() -> Vec<ProviderName> {
    vec![ProviderName::new("google")]
}

fn unlink(user: &User, identity: &str) -> Step<Detach> {
    let event = DetachEvent::UnlinkAsked {
        user: Box::new(user.clone()),
        session: Box::new(session(user, 0)),
        identity: IdentityId::new(identity),
        doors: doors(),
    };
    detach(Detach::Start, event, &mut Scene::new().cx())
}

fn without_password(user: User) -> User {
    User {
        password: None,
        ..user
    }
}

#[test]
fn unlinking_takes_the_grants_along_and_ends_every_other_session() {
    let mut before = linked(ann(), &["7", "8"]);
    before.credentials = Arc::new(vec![
        grant(&before.identities[0], "google-link"),
        grant(&before.identities[1], "google-login"),
    ]);
    let Ok(Advanced {
        next: Detach::Done(user),
        effects,
    }) = unlink(&before, "identity-7")
    else {
        panic!("not unlinked")
    };
    assert_eq!(
        story(&effects),
        [
            "commit",
            "drop flows",
            "drop flows",
            "drop flows",
            "clear sessions",
            "identity.unlinked"
        ]
    );
    assert_eq!(committed(&effects), &*user);
    assert_eq!(subjects(&user), ["8"]);
    assert_eq!(user.credentials.len(), 1);
    assert_eq!(user.credentials[0].identity, before.identities[1].id);
    assert!(user.honours(before.session_epoch, &SessionId::new("mine")));
    assert!(!user.honours(before.session_epoch, &SessionId::new("another")));
    let dropped = effects.iter().filter_map(|effect| match effect {
        Effect::DropFlows(_, kind) => Some(*kind),
        _ => None,
    });
    assert_eq!(
        dropped.collect::<Vec<_>>(),
        [FlowKind::PendingLogin, FlowKind::Exchange, FlowKind::Join]
    );
}

#[test]
fn the_last_way_in_stays() {
    let only = without_password(linked(ann(), &["7"]));
    assert_refused(unlink(&only, "identity-7"), &Denial::LastWayIn, &[]);
    let seven = IdentityId::new("identity-7");
    assert!(!has_another_way_in(&only, &seven, &doors()));
    let two = without_password(linked(ann(), &["7", "8"]));
    assert!(unlink(&two, "identity-7").is_ok());
    // An account at a provider that is only for linking opens no door.
    assert!(!has_another_way_in(&two, &seven, &[]));
    assert!(unlink(&linked(ann(), &["7"]), "identity-7").is_ok());
}

#[test]
fn what_is_not_linked_cannot_be_unlinked() {
    assert_refused(
        unlink(&linked(ann(), &["7"]), "identity-8"),
        &Denial::LinkUnknown,
        &[],
    );
    assert_refused(unlink(&ann(), "identity-7"), &Denial::LinkUnknown, &[]);
}

fn forget(user: &User, credential: &str) -> Step<Detach> {
    let event = DetachEvent::ForgetAsked {
        user: Box::new(user.clone()),
        credential: CredentialId::new(credential),
    };
    detach(Detach::Start, event, &mut Scene::new().cx())
}

#[test]
fn a_forgotten_grant_leaves_its_account_linked_and_sessions_alone() {
    let mut before = without_password(linked(ann(), &["7"]));
    before.credentials = Arc::new(vec![grant(&before.identities[0], "google-link")]);
    let Ok(Advanced {
        next: Detach::Done(user),
        effects,
    }) = forget(&before, "grant-google-link")
    else {
        panic!("not forgotten")
    };
    assert_eq!(story(&effects), ["commit", "credential.forgotten"]);
    assert_eq!((subjects(&user), user.credentials.len()), (vec!["7"], 0));
    assert_eq!(user.session_epoch, before.session_epoch);
    assert_refused(forget(&user, "grant-google-link"), &Denial::LinkUnknown, &[]);
}

#[test]
fn what_is_done_is_done() {
    let state = Detach::Done(Box::new(ann()));
    let event = DetachEvent::ForgetAsked {
        user: Box::new(ann()),
        credential: CredentialId::new("x"),
    };
    assert_refused(
        detach(state, event, &mut Scene::new().cx()),
        &Denial::Unexpected,
        &[],
    );
    let event = AttachEvent::Sealed(None::<Sealed>);
    assert_refused(
        step(Attach::Start, event, &mut Scene::new().cx()),
        &Denial::Unexpected,
        &[],
    );
    assert_eq!(identity("7").profile, Profile::default());
}
