//! What is not there, in LoopBack's words.

use super::{Matched, models};
use crate::extract::Request;
use crate::problem::Problem;
use crate::reply::Reply;

/// A path below `/api` that is no route: an unknown method of a known model, or an unknown model.
pub async fn unknown(request: Request, _: Matched) -> Result<Reply, Problem> {
    let below = request.path.get(4..).unwrap_or_default();
    let mut segments = below.split('/').filter(|segment| !segment.is_empty());
    let first = segments.next().unwrap_or_default();
    let pools = &request.app.services.policy().pools;
    let pool = pools
        .values()
        .find(|pool| pool.name.as_str().eq_ignore_ascii_case(first));
    let method = &request.method;
    let own = models::METHODS
        .iter()
        .find(|own| own.collection().eq_ignore_ascii_case(first));
    let model = pool.map(|pool| pool.model.as_str()).or(own.map(|own| own.model));
    Err(Problem::not_found(match model {
        Some(model) => {
            let rest: String = segments.flat_map(|segment| ["/", segment]).collect();
            format!(
                "Shared class \"{}\" has no method handling {method} {}",
                model,
                shown(&rest)
            )
        }
        None => format!("There is no method to handle {method} {}", shown(below)),
    }))
}

/// A path for a message: bounded, and only if it holds nothing but what plain paths hold.
fn shown(path: &str) -> &str {
    let plain = path.len() <= 100
        && path
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"/-_.".contains(&b));
    if plain && !path.is_empty() { path } else { "/" }
}
