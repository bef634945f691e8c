//! "Link your account?": asked of whoever may have been led to `/link/…` by another site.

use http::StatusCode;
use http::header::CONTENT_SECURITY_POLICY;

use super::super::form::Form;
use super::super::session;
use super::super::view::ConfirmLinkView;
use super::super::visit::Visit;
use crate::entries::WebEntry;
use crate::extract::Request;
use crate::problem::Problem;
use crate::reply::Reply;

/// The policy of the pages whose forms may end elsewhere: browsers hold every redirect after a form against `form-action`
/// (Content Security Policy level 3, section 6.4.2), and where a provider lives is known only once it was asked.
pub(super) const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self' data:; \
     form-action 'self' https: http://localhost:* http://127.0.0.1:*; base-uri 'none'; frame-ancestors 'none'";

/// A page with one form that posts `csrf` to the very address of this request, query included. Whoever is not logged in logs in
/// first, and finds the way to link on their account page.
///
/// # Errors
/// When a store does not answer, or the template failed.
pub async fn confirm_link(request: &Request, entry: &WebEntry) -> Result<Reply, Problem> {
    let caller = session::current(request).await?;
    let Some(caller) = caller.filter(|caller| caller.user.key.pool == entry.pool) else {
        return Ok(session::log_in_first(request));
    };
    let visit = Visit::within(request, &entry.pool)?;
    let user = &caller.user;
    let account = user.email.as_ref().map(ToString::to_string);
    let account = account.or_else(|| user.username.as_ref().map(ToString::to_string));
    let view = ConfirmLinkView {
        csrf: visit.csrf(),
        provider: entry.label.clone(),
        account,
        action: entry.begins_at(&request.query),
    };
    let reply = visit.page(StatusCode::OK, request.pages.confirm_link(&view))?;
    Ok(reply.header(CONTENT_SECURITY_POLICY, POLICY))
}

/// Whether the form of that page was sent, by this browser.
///
/// # Errors
/// As [`Form::read`].
pub async fn confirmed(request: &mut Request) -> Result<(), Problem> {
    Form::read(request, &[]).await.map(drop)
}
