//! Providers as pages name them, and the doors that lead to them.

use std::sync::Arc;

use domain::id::ProviderName;
use domain::user::User;

use super::moments::day;
use super::place;
use super::view::{GrantView, LinkedView, ProviderLink};
use super::visit::Visit;
use crate::entries::{EntryKind, WebEntry};

/// The ways to log in to the pool of a visit besides its own form; they keep the place to return to.
pub fn log_in_links(visit: &Visit<'_>) -> Vec<ProviderLink> {
    links(visit, false)
}

/// The accounts elsewhere that can be linked.
pub fn link_links(visit: &Visit<'_>) -> Vec<ProviderLink> {
    links(visit, true)
}

fn links(visit: &Visit<'_>, link: bool) -> Vec<ProviderLink> {
    let table = visit.request.app.entries.current();
    let fitting = table.all().iter().map(AsRef::as_ref);
    let fitting =
        fitting.filter(|entry| entry.link == link && is_for_people(entry) && entry.pool == visit.pool.name);
    let shown = fitting.map(|entry| ProviderLink {
        label: entry.label.clone(),
        url: place::url(&entry.auth_path, &[("returnTo", visit.return_to.as_deref())]),
    });
    shown.collect()
}

/// Whether a browser ends on a page: not where a program reads the answer or fetches the session.
fn is_for_people(entry: &WebEntry) -> bool {
    !matches!(entry.kind, EntryKind::Local { .. }) && !entry.json && (entry.session || entry.link)
}

/// What pages call a provider: as its entry for this pool does, else by its name.
pub fn label_of(visit: &Visit<'_>, provider: &ProviderName) -> String {
    let app = &visit.request.app;
    let table = app.entries.current();
    let bindings = app.services.providers();
    let leads_there = |entry: &&Arc<WebEntry>| {
        entry.pool == visit.pool.name
            && bindings
                .iter()
                .any(|binding| binding.entry.name == entry.name && binding.entry.provider == *provider)
    };
    let entry = table.all().iter().find(leads_there);
    entry.map_or_else(|| provider.to_string(), |entry| entry.label.clone())
}

/// The linked accounts of a user.
pub fn linked(visit: &Visit<'_>, user: &User) -> Vec<LinkedView> {
    let shown = user.identities.iter().map(|identity| {
        let profile = &identity.profile;
        let address = profile.emails.first().map(|email| &email.value);
        let names = [profile.display_name.as_ref(), profile.username.as_ref(), address];
        let mut names = names.into_iter().flatten().cloned();
        let account = names.next();
        LinkedView {
            id: identity.id.to_string(),
            provider: label_of(visit, &identity.key.provider),
            email: address
                .filter(|address| account.as_ref() != Some(*address))
                .cloned(),
            account,
            since: day(identity.created),
        }
    });
    shown.collect()
}

/// What we may do at those places.
pub fn grants(visit: &Visit<'_>, user: &User) -> Vec<GrantView> {
    let shown = user.credentials.iter().map(|credential| {
        let provider = user.identity(&credential.identity).map_or_else(
            || credential.entry.to_string(),
            |identity| label_of(visit, &identity.key.provider),
        );
        GrantView {
            id: credential.id.to_string(),
            provider,
            status: credential.status.name(),
            scopes: credential.scopes.join(", "),
            since: day(credential.created),
        }
    });
    shown.collect()
}
