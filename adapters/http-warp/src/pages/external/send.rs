//! A form that a browser brings to another site, or back to ours: it sends itself, or waits for its button.

use http::StatusCode;
use http::header::CONTENT_SECURITY_POLICY;

use super::super::view::SendView;
use crate::extract::Request;
use crate::problem::Problem;
use crate::reply::Reply;

/// The policy of this one page: its script is ours, and its form leads to where a provider lives, and wherever that leads on to
/// (browsers hold redirects after a form against `form-action`, Content Security Policy level 3 section 6.4.2).
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
     form-action 'self' https: http://localhost:* http://127.0.0.1:*; base-uri 'none'; frame-ancestors 'none'";

/// A page whose form posts these fields there.
///
/// # Errors
/// 500 when the template failed.
pub fn send(request: &Request, action: &str, fields: &[(String, String)]) -> Result<Reply, Problem> {
    let view = SendView {
        action: action.to_owned(),
        fields: fields.to_vec(),
    };
    let html = request.pages.send(&view);
    let html = html.map_err(|error| Problem::internal(error.to_string()))?;
    Ok(Reply::page(StatusCode::OK, html).header(CONTENT_SECURITY_POLICY, POLICY))
}
