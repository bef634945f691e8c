//! `/join`: somebody proved an account elsewhere, and a user here has its address or name. Proof of both makes them one.

use domain::error::{Denial, DomainError};
use domain::flow::login::external::JOIN_LIFE;
use domain::id::{PoolName, ProviderName};
use domain::policy::PoolPolicy;
use domain::secret::{TOKEN_LENGTH, Token};
use domain::service::{Finished, JoinOffer, Outcome};
use http::StatusCode;

use super::super::form::Form;
use super::super::pending::{Awaited, Pending};
use super::super::providers;
use super::super::view::{FieldErrors, JoinView};
use super::super::visit::Visit;
use super::{let_in, onward};
use crate::extract::Request;
use crate::extract::cookies::{Cookie, Jar};
use crate::problem::Problem;
use crate::reply::Reply;
use crate::routes::Matched;
use crate::routes::external::place;

const NOTICES: &[(&str, &str)] = &[("sent", "A code is on its way to the address of that account.")];

/// Keeps an offered join in mind, as long as it can stand, and leads to its page.
pub fn offer_join(request: &Request, pool: &PoolPolicy, join: &Token) -> Reply {
    let jar = Jar::new(request.app.settings.is_https());
    let value = format!("{}.{}", join.expose(), pool.name);
    let life = JOIN_LIFE.as_secs_ceil();
    Reply::found("/join").cookie(&jar.set(Cookie::Join, &value, Some(life)))
}

/// The join this browser was offered, and its pool.
fn offered_join(request: &Request) -> Option<(Token, PoolName)> {
    let jar = Jar::new(request.app.settings.is_https());
    let (token, pool) = jar.read(&request.headers, Cookie::Join)?.split_once('.')?;
    let sound = token.len() == TOKEN_LENGTH && pool.len() <= 64;
    sound.then(|| (Token::presented(token), PoolName::new(pool)))
}

/// `GET /join`.
pub async fn show(request: Request, _: Matched) -> Result<Reply, Problem> {
    let Some(offered) = Offered::of(&request)? else {
        return Ok(over(&request));
    };
    let notice = offered.visit.notice(NOTICES);
    offered.page(StatusCode::OK, FieldErrors::none(), notice).await
}

/// `POST /join`: the password of the account here.
pub async fn with_password(mut request: Request, _: Matched) -> Result<Reply, Problem> {
    let form = Form::read(&mut request, &["password"]).await?;
    let Some(offered) = Offered::of(&request)? else {
        return Ok(over(&request));
    };
    let (visit, password) = (&offered.visit, form.password("password"));
    let services = &request.app.services;
    let finished = services.join_with_password(visit.pool, &offered.join, &password, request.origin());
    let finished = finished.await;
    let wrong = FieldErrors::none().with("password", "That is not the password of the account here.");
    offered.end(finished, wrong).await
}

/// `POST /join/code`: a code to the address of the account here.
pub async fn send_code(mut request: Request, _: Matched) -> Result<Reply, Problem> {
    Form::read(&mut request, &[]).await?;
    let Some(offered) = Offered::of(&request)? else {
        return Ok(over(&request));
    };
    let visit = &offered.visit;
    let services = &request.app.services;
    match services
        .send_join_code(visit.pool, &offered.join, request.origin())
        .await
    {
        Ok(()) => Ok(Reply::see_other("/join?sent=1")),
        Err(DomainError::Denied(Denial::LoginFailed)) => Ok(over(&request)),
        Err(error) => Err(Problem::of(error, visit.pool)),
    }
}

/// `POST /join/confirm`: the mailed code.
pub async fn with_code(mut request: Request, _: Matched) -> Result<Reply, Problem> {
    let form = Form::read(&mut request, &["code"]).await?;
    let Some(offered) = Offered::of(&request)? else {
        return Ok(over(&request));
    };
    let (visit, code) = (&offered.visit, form.code());
    let services = &request.app.services;
    let finished = services.join_with_code(visit.pool, &offered.join, &code, request.origin());
    let finished = finished.await;
    let wrong = FieldErrors::none().with("code", "That code is wrong, was used before, or is too old.");
    offered.end(finished, wrong).await
}

/// `POST /join/decline`: an account of their own.
pub async fn decline(mut request: Request, _: Matched) -> Result<Reply, Problem> {
    Form::read(&mut request, &[]).await?;
    let Some(offered) = Offered::of(&request)? else {
        return Ok(over(&request));
    };
    let visit = &offered.visit;
    let services = &request.app.services;
    let finished = services
        .decline_join(visit.pool, &offered.join, request.origin())
        .await;
    let wrong = FieldErrors::form("That did not work. Please prove that the account here is yours.");
    offered.end(finished, wrong).await
}

/// The offer that this browser holds.
struct Offered<'a> {
    visit: Visit<'a>,
    join: Token,
}

impl<'a> Offered<'a> {
    fn of(request: &'a Request) -> Result<Option<Self>, Problem> {
        let Some((join, pool)) = offered_join(request) else {
            return Ok(None);
        };
        let visit = Visit::within(request, &pool)?;
        Ok(Some(Self { visit, join }))
    }

    /// The page, as long as the offer stands.
    async fn page(
        &self,
        status: StatusCode,
        errors: FieldErrors,
        notice: Option<String>,
    ) -> Result<Reply, Problem> {
        let Visit { request, pool, .. } = &self.visit;
        let found = request.app.services.find_join(pool, &self.join).await;
        let Some(offer) = found.map_err(|error| Problem::of(error, pool))? else {
            return Ok(over(request));
        };
        let view = JoinView {
            errors,
            notice,
            ..self.view(offer)
        };
        self.visit.page(status, request.pages.join(&view))
    }

    fn view(&self, offer: JoinOffer) -> JoinView {
        let provider = ProviderName::new(offer.provider);
        JoinView {
            csrf: self.visit.csrf(),
            pool: self.visit.pool_name(),
            provider: providers::label_of(&self.visit, &provider),
            account: offer.account,
            password: offer.methods.contains(&"password"),
            email: offer.methods.contains(&"email"),
            code_sent: offer.code_sent,
            ..JoinView::default()
        }
    }

    /// What a proof led to; `wrong` is what the page says of one that was none.
    async fn end(
        self,
        finished: Result<Finished, DomainError>,
        wrong: FieldErrors,
    ) -> Result<Reply, Problem> {
        let Finished {
            outcome,
            return_to,
            entry,
        } = match finished {
            Ok(finished) => finished,
            Err(DomainError::Denied(Denial::LoginFailed)) => {
                return self.page(StatusCode::UNAUTHORIZED, wrong, None).await;
            }
            Err(error) => return Err(Problem::of(error, self.visit.pool)),
        };
        let Visit { request, pool, .. } = self.visit;
        let jar = self.visit.jar();
        let visit = self.visit.leading_on_to(return_to);
        let table = request.app.entries.current();
        let entry = entry.and_then(|name| table.named(&name));
        let entry = entry.as_deref();
        let reply = match outcome {
            Outcome::LoggedIn(token) => let_in(visit, entry, &token).await?,
            Outcome::AwaitingCode(requested) => {
                let challenge = requested
                    .challenge
                    .ok_or_else(|| Problem::internal("a first code without a challenge"))?;
                let sent_to = requested.sent_to.as_deref();
                let pending = Pending::new(Awaited::Login, pool, challenge, sent_to);
                let pending = pending.begun_by(entry.map(|entry| entry.name.clone()));
                pending.keep(Reply::see_other(&visit.url("/two-factor", None)), pool, jar)
            }
            Outcome::Exchange(code) => {
                let visit = visit.ending_at(entry);
                onward(&visit, &place::with_code(visit.destination(), &code))?
            }
            Outcome::Linked { .. } | Outcome::AccountExists { .. } => {
                return Err(Problem::internal("a join that ended as none can"));
            }
        };
        Ok(reply.cookie(&jar.clear(Cookie::Join)))
    }
}

/// An offer that stands no more, or never did: the way starts again.
fn over(request: &Request) -> Reply {
    let jar = Jar::new(request.app.settings.is_https());
    Reply::see_other("/login?again=1").cookie(&jar.clear(Cookie::Join))
}
