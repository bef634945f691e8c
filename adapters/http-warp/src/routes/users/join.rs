//! `POST /api/{pool}/join` and below: a proven account elsewhere and a user here become one, once that user is proven too.

use domain::credential::Password;
use domain::error::{Denial, DomainError};
use domain::secret::{Secret, Token};
use domain::service::{Finished, Outcome};
use http::StatusCode;
use serde_json::json;

use super::input::Input;
use super::login::includes_user;
use super::{Call, output};
use crate::extract::query::Query;
use crate::problem::Problem;
use crate::reply::Reply;
use crate::routes::external;

/// 200 with a token, for the user's password or the code that was mailed to them.
pub async fn join(mut call: Call) -> Result<Reply, Problem> {
    output::acceptable(&call.request)?;
    let mut input = Input::read(&mut call.request).await?;
    let join = token(&mut input)?;
    let (password, code) = (input.text("password")?, input.text("code")?);
    let pool = call.pool()?;
    let (services, origin) = (call.services(), call.request.origin());
    let finished = match (password, code) {
        (Some(password), None) => {
            let password = Password::typed(&password);
            services.join_with_password(pool, &join, &password, origin).await
        }
        (None, Some(code)) => {
            let code = Secret::new(code);
            services.join_with_code(pool, &join, &code, origin).await
        }
        _ => return Err(Problem::bad_request("send either password or code")),
    };
    ended(&call, finished)
}

/// 204; a code is on its way to the user's own address.
pub async fn send_code(mut call: Call) -> Result<Reply, Problem> {
    let join = token(&mut Input::read(&mut call.request).await?)?;
    let pool = call.pool()?;
    let sent = call
        .services()
        .send_join_code(pool, &join, call.request.origin())
        .await;
    sent.map(|()| Reply::no_content())
        .map_err(|error| Problem::of(error, pool))
}

/// 200 with a token of a new user: the two stay apart.
pub async fn decline(mut call: Call) -> Result<Reply, Problem> {
    output::acceptable(&call.request)?;
    let join = token(&mut Input::read(&mut call.request).await?)?;
    let pool = call.pool()?;
    let finished = call
        .services()
        .decline_join(pool, &join, call.request.origin())
        .await;
    ended(&call, finished)
}

fn token(input: &mut Input) -> Result<Token, Problem> {
    input.required("join").map(Token::presented)
}

/// What a proof led to: as from `login` and `exchange`.
fn ended(call: &Call, finished: Result<Finished, DomainError>) -> Result<Reply, Problem> {
    let pool = call.pool()?;
    let finished = finished.map_err(|error| Problem::of(error, pool))?;
    match finished.outcome {
        Outcome::LoggedIn(token) => {
            let with_user = includes_user(&Query::parse(&call.request.query));
            Ok(output::opened(&call.request, call.pool()?, &token, with_user))
        }
        Outcome::AwaitingCode(requested) => Err(external::awaiting_code(requested)),
        // Whoever began the way has the verifier of this code.
        Outcome::Exchange(code) => Ok(Reply::json(StatusCode::OK, &json!({ "code": code.expose() }))),
        Outcome::AccountExists { join, methods } => Err(Problem::of_denial(
            &Denial::AccountExists { join, methods },
            &pool.model,
        )),
        Outcome::Linked { .. } => Err(Problem::internal("a join that ended as a link")),
    }
}
