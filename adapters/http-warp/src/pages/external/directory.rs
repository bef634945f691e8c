//! The form of an entry whose names and passwords somebody else judges.

use http::StatusCode;
use http::header::CONTENT_SECURITY_POLICY;

use super::super::place;
use super::super::view::{DirectoryView, FieldErrors};
use super::super::visit::Visit;
use super::confirm::POLICY;
use crate::entries::{EntryKind, WebEntry};
use crate::extract::Request;
use crate::problem::Problem;
use crate::reply::Reply;

/// The form, empty; or with the name that was typed, and that it was refused. Without fields (Kerberos by tickets alone) it says
/// what the browser lacks. It posts to the very address of this request, query included.
///
/// # Errors
/// 404 for a pool that is gone; 500 when the template failed.
pub fn show(
    request: &Request,
    entry: &WebEntry,
    status: StatusCode,
    typed: Option<&str>,
) -> Result<Reply, Problem> {
    let (fields, tickets) = match &entry.kind {
        EntryKind::Directory(fields) => (Some(fields), false),
        EntryKind::Tickets { passwords } => (passwords.as_ref(), true),
        EntryKind::Provider | EntryKind::Local { .. } => (None, false),
    };
    let visit = Visit::within(request, &entry.pool)?;
    let errors = match typed.map(str::trim) {
        None => FieldErrors::none(),
        Some("") => FieldErrors::none().with("name", "Enter your name."),
        Some(_) => FieldErrors::form("That name and password do not fit together."),
    };
    let pool = Some(entry.pool.as_str()).filter(|_| entry.pool != request.app.settings.default_pool);
    let view = DirectoryView {
        csrf: visit.csrf(),
        provider: entry.label.clone(),
        link: entry.link,
        action: entry.begins_at(&request.query),
        username_field: fields.map(|fields| fields.username.clone()),
        password_field: fields.map(|fields| fields.password.clone()),
        name: typed.unwrap_or_default().to_owned(),
        tickets,
        other: if entry.link {
            place::LINKED.to_owned()
        } else {
            place::url("/login", &[("pool", pool)])
        },
        errors,
    };
    let reply = visit.page(status, request.pages.directory(&view))?;
    Ok(reply.header(CONTENT_SECURITY_POLICY, POLICY))
}
