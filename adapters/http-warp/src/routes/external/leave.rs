//! Off to another site.

use crate::extract::Request;
use crate::pages;
use crate::problem::Problem;
use crate::reply::Reply;

use super::place;

/// By a redirect, or by a form that posts these fields there.
///
/// # Errors
/// 500 when the template failed.
pub fn leave(request: &Request, url: &str, form: Option<&[(String, String)]>) -> Result<Reply, Problem> {
    match form {
        None => Ok(Reply::found(&place::in_location(url))),
        Some(form) => pages::external::send(request, url, form),
    }
}
