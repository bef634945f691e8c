//! `metadataPath`: what the provider's operator is to know of an entry.

use domain::error::Denial;
use http::StatusCode;

use super::start;
use crate::entries::WebEntry;
use crate::extract::Request;
use crate::problem::Problem;
use crate::reply::Reply;

/// The document. It holds nothing secret, so everybody may read it.
pub fn show(request: &Request, entry: &WebEntry) -> Result<Reply, Problem> {
    let services = &request.app.services;
    let Some(document) = services.descriptor(&entry.name) else {
        let pool = start::pool_of(request, entry)?;
        return Err(Problem::of_denial(&Denial::ProviderUnknown, &pool.model));
    };
    Ok(Reply::bytes(StatusCode::OK, document.content_type, document.body))
}
