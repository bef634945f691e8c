//! `POST /api/{pool}/exchange`: a program fetches the session that its person earned in a browser.

use domain::secret::Token;
use domain::service::LoggedIn;

use super::input::Input;
use super::login::includes_user;
use super::{Call, output};
use crate::extract::query::Query;
use crate::problem::Problem;
use crate::reply::Reply;
use crate::routes::external;

/// 200 with the token, for the code and the verifier whose challenge began it; 401 where a second factor is due.
pub async fn exchange(mut call: Call) -> Result<Reply, Problem> {
    output::acceptable(&call.request)?;
    let mut input = Input::read(&mut call.request).await?;
    let (code, verifier) = (input.required("code")?, input.required("code_verifier")?);
    let pool = call.pool()?;
    let code = Token::presented(code);
    let exchanged = call
        .services()
        .exchange(pool, &code, &verifier, call.request.origin())
        .await;
    match exchanged.map_err(|error| Problem::of(error, pool))? {
        LoggedIn::Opened(token) => {
            let with_user = includes_user(&Query::parse(&call.request.query));
            Ok(output::opened(&call.request, pool, &token, with_user))
        }
        LoggedIn::AwaitingCode(requested) => Err(external::awaiting_code(requested)),
    }
}
