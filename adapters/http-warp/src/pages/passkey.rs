//! Passkeys on the pages: what an authenticator is asked, what it answered, and the log-in by one alone.

use domain::error::{Denial, DomainError};
use domain::policy::PoolPolicy;
use domain::secret::Token;
use domain::service::{PasskeyAsked, PasskeyLogin};
use http::StatusCode;
use serde_json::Value;

use super::form::Form;
use super::view::{FieldErrors, PasskeyView};
use super::visit::Visit;
use super::{keep, login, session};
use crate::extract::Request;
use crate::extract::json;
use crate::problem::Problem;
use crate::reply::Reply;
use crate::routes::Matched;

/// What an authenticator is asked, for the page's script.
pub fn view(asked: &PasskeyAsked) -> PasskeyView {
    PasskeyView {
        ceremony: asked.ceremony.expose().to_owned(),
        options: asked.options.to_string(),
    }
}

/// What the script put into the form. What is no JSON proves nothing, as a wrong answer does.
pub fn answer(form: &Form) -> Value {
    json::parse(form.text("credential").as_bytes()).unwrap_or(Value::Null)
}

/// For how many days a device may be trusted; none where none is.
pub fn trust_days(pool: &PoolPolicy) -> Option<u64> {
    pool.trust_device
        .map(|life| life.as_secs_ceil().div_ceil(86_400).max(1))
}

/// `POST /login/passkey`: in, by a passkey and nothing else.
pub async fn log_in(mut request: Request, _: Matched) -> Result<Reply, Problem> {
    let fields = ["ceremony", "credential", "pool", "return_to", keep::FIELD];
    let form = Form::read(&mut request, &fields).await?;
    let visit = Visit::sent(&request, &form)?;
    let asked = PasskeyLogin {
        ceremony: Token::presented(form.text("ceremony")),
        answer: answer(&form),
        terms: keep::terms(visit.pool, &form),
        trust_device: false,
    };
    let services = &request.app.services;
    match services
        .login_with_passkey(visit.pool, asked, request.origin())
        .await
    {
        Ok(token) => session::open(&visit, &token).await,
        Err(DomainError::Denied(Denial::LoginFailed)) => {
            let sentence = "That passkey did not let you in: it may belong to no account here, or it took too long. \
                            Try again, or log in another way.";
            login::again(&visit, StatusCode::UNAUTHORIZED, FieldErrors::form(sentence))
        }
        Err(error) => login::refuse(&visit, &form, error),
    }
}
