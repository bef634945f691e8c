//! `/setup`: the first administrator, by the link that the server prints when it starts and nobody is there.

use domain::error::{Denial, DomainError};
use domain::flow::sign_up::NewUser;
use domain::secret::Token;
use http::StatusCode;

use super::form::Form;
use super::view::{FieldErrors, SetupView};
use super::visit::Visit;
use super::{keep, session, words};
use crate::extract::Request;
use crate::extract::query::Query;
use crate::problem::Problem;
use crate::reply::Reply;
use crate::routes::Matched;

/// `GET /setup?token=…`: who they want to be. Opening the link spends nothing.
pub async fn show(request: Request, _: Matched) -> Result<Reply, Problem> {
    let visit = visit(&request)?;
    let query = Query::parse(&request.query);
    let token = query.one("token").unwrap_or_default();
    let services = &request.app.services;
    let presented = Token::presented(token);
    let good = services.check_set_up(&presented, request.origin()).await;
    good.map_err(|error| refused(error, &visit))?;
    visit.page(StatusCode::OK, request.pages.setup(&blank(&visit, token)))
}

/// `POST /setup`: the administrator is made, and logged in.
pub async fn submit(mut request: Request, _: Matched) -> Result<Reply, Problem> {
    let fields = ["token", "email", "username", "password", "realm"];
    let form = Form::read(&mut request, &fields).await?;
    let visit = visit(&request)?;
    let text = |name| form.filled(name).map(str::to_owned);
    let new = NewUser {
        realm: text("realm"),
        username: text("username"),
        email: text("email"),
        password: Some(form.password("password")),
        ..NewUser::default()
    };
    let token = form.text("token");
    let terms = keep::terms(visit.pool, &form);
    let services = &request.app.services;
    let presented = Token::presented(token);
    let made = services.set_up(&presented, new, terms, request.origin());
    match made.await {
        Ok(made) => match &made.token {
            Some(opened) => session::open(&visit, opened).await,
            None => Ok(Reply::see_other(&visit.url("/login", Some("created")))),
        },
        Err(error @ DomainError::Denied(Denial::TokenRefused)) => Err(refused(error, &visit)),
        Err(error) => {
            let refusal = words::refusal(error, visit.pool, "password")?;
            let view = SetupView {
                email: form.text("email").to_owned(),
                username: form.text("username").to_owned(),
                realm: visit.pool.realm_required.then(|| form.text("realm").to_owned()),
                errors: refusal.errors,
                ..blank(&visit, token)
            };
            visit.page(refusal.status, request.pages.setup(&view))
        }
    }
}

/// The pool that administers, whatever the query says.
fn visit(request: &Request) -> Result<Visit<'_>, Problem> {
    let pool = request.app.services.administering_pool();
    let pool = pool.map_err(|denial| Problem::of_denial(&denial, ""))?;
    Visit::within(request, &pool.name)
}

/// One answer for every link that is not good.
fn refused(error: DomainError, visit: &Visit<'_>) -> Problem {
    match error {
        DomainError::Denied(Denial::TokenRefused) => {
            let sentence = "This link is over, or was used. Start the server again for a new one.";
            Problem::new(StatusCode::GONE, sentence)
        }
        other => Problem::of(other, visit.pool),
    }
}

fn blank(visit: &Visit<'_>, token: &str) -> SetupView {
    SetupView {
        csrf: visit.csrf(),
        pool: visit.pool_name(),
        token: token.to_owned(),
        realm: visit.pool.realm_required.then(String::new),
        email: String::new(),
        username: String::new(),
        shortest_password: visit.pool.password.min,
        errors: FieldErrors::none(),
    }
}
