//! `POST /api/{pool}/login` and `/logout`.

use serde_json::Value;

use super::Call;
use super::input::Input;
use super::output;
use crate::extract::json;
use crate::extract::query::Query;
use crate::problem::Problem;
use crate::reply::Reply;

/// 200 with a token of the asked life; with `?include=user` the user beside it.
pub async fn login(mut call: Call) -> Result<Reply, Problem> {
    output::acceptable(&call.request)?;
    let mut input = Input::read(&mut call.request).await?;
    let credentials = input.credentials()?;
    let pool = call.pool()?;
    let terms = input.terms(pool)?;
    let token = call
        .services()
        .login(pool, &credentials, terms, call.request.origin())
        .await;
    let token = token.map_err(|error| Problem::of(error, pool))?;
    let with_user = includes_user(&Query::parse(&call.request.query));
    Ok(output::opened(&call.request, pool, &token, with_user))
}

/// 204; the session of the presented token is over.
pub async fn logout(call: Call) -> Result<Reply, Problem> {
    let pool = call.pool()?;
    let done = call
        .services()
        .log_out(pool, call.caller.as_deref(), call.request.origin())
        .await;
    done.map(|()| Reply::no_content())
        .map_err(|error| Problem::of(error, pool))
}

/// Whether `include` names the user: in any case of letters, alone, in a list, or as JSON; other names say nothing.
pub fn includes_user(query: &Query) -> bool {
    let asked = query
        .pairs()
        .iter()
        .filter(|(name, _)| name == "include" || name.starts_with("include["));
    asked
        .map(|(_, value)| value.as_str())
        .any(|value| match json::parse(value.as_bytes()) {
            Ok(Value::Array(names)) => names.iter().filter_map(Value::as_str).any(is_user),
            Ok(Value::String(name)) => is_user(&name),
            Ok(_) => false,
            Err(_) => is_user(value),
        })
}

fn is_user(name: &str) -> bool {
    name.eq_ignore_ascii_case("user")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_user_is_included_in_every_spelling_loopback_knows() {
        for asked in [
            "include=user",
            "include=USER",
            r#"include=["User"]"#,
            "include[]=user",
            "include=x&include=user",
        ] {
            assert!(includes_user(&Query::parse(asked)), "{asked}");
        }
        for other in [
            "",
            "include=",
            "include=roles",
            r#"include={"relation":"user"}"#,
            "includes=user",
        ] {
            assert!(!includes_user(&Query::parse(other)), "{other}");
        }
    }
}
