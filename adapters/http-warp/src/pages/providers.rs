//! Providers as pages name them, and the doors that lead to them.

use domain::id::ProviderName;
use domain::time::Timestamp;
use domain::user::User;

use super::place;
use super::view::{GrantView, LinkedView, ProviderLink};
use super::visit::Visit;
use crate::entries::{EntryKind, WebEntry};

/// Months, as people write them.
const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

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
    let here = |entry: &&WebEntry| {
        entry.kind == EntryKind::Provider && entry.link == link && entry.pool == visit.pool.name
    };
    let entries = table.all().iter().map(AsRef::as_ref).filter(here);
    let shown = entries.map(|entry| ProviderLink {
        label: entry.label.clone(),
        url: place::url(&entry.auth_path, &[("returnTo", visit.return_to.as_deref())]),
    });
    shown.collect()
}

/// What pages call a provider: as its entry does, else by its name.
pub fn label_of(visit: &Visit<'_>, provider: &ProviderName) -> String {
    let app = &visit.request.app;
    let table = app.entries.current();
    let bindings = app.services.providers();
    let of_provider = bindings
        .iter()
        .filter(|binding| binding.entry.provider == *provider);
    let mut labels = of_provider.filter_map(|binding| {
        let same = |entry: &&std::sync::Arc<WebEntry>| entry.name == binding.entry.name;
        table.all().iter().find(same).map(|entry| entry.label.clone())
    });
    labels.next().unwrap_or_else(|| provider.to_string())
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

/// The day of a moment, in UTC: `22 November 2026`.
fn day(moment: Timestamp) -> String {
    let iso = moment.to_iso8601();
    let date = iso.split_once('T').map_or(iso.as_str(), |(date, _)| date);
    let mut parts = date.rsplitn(3, '-');
    let (day, month, year) = (parts.next(), parts.next(), parts.next());
    let month = month.and_then(|month| month.parse::<usize>().ok()?.checked_sub(1));
    let month = month.and_then(|month| MONTHS.get(month));
    match (day, month, year) {
        (Some(day), Some(month), Some(year)) => format!("{} {month} {year}", day.trim_start_matches('0')),
        _ => date.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_told_as_people_write_it() {
        assert_eq!(day(Timestamp::from_millis(1_795_287_972_795)), "21 November 2026");
        assert_eq!(day(Timestamp::from_millis(0)), "1 January 1970");
    }
}
