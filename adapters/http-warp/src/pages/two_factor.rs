//! `/two-factor`: the second step of a log-in.

use domain::error::{Denial, DomainError};
use domain::secret::Token;
use domain::service::{CodeLogin, PasskeyLogin, Services};
use domain::session::AccessToken;
use domain::user::FactorKind;
use http::StatusCode;

use super::form::Form;
use super::pending::{Awaited, Pending};
use super::view::{FieldErrors, TotpEnrolView, TwoFactorView};
use super::visit::Visit;
use super::{external, passkey, place, totp};
use crate::extract::Request;
use crate::extract::cookies::{Cookie, Jar};
use crate::extract::query::Query;
use crate::problem::Problem;
use crate::reply::Reply;
use crate::routes::Matched;

const NOTICES: &[(&str, &str)] = &[("sent", "A new code is on its way. The one before is void.")];

/// What nobody is asked for first: it is for the day when all else is lost.
const LAST: FactorKind = FactorKind::Recovery;

/// The way of who has none: the page's word for adding an authenticator app.
const ENROL: &str = "enrol";

/// `GET /two-factor`: asks for the way that `method` names, else for the one that was begun.
pub async fn show(request: Request, _: Matched) -> Result<Reply, Problem> {
    let Some(pending) = Pending::of(&request, Awaited::Login) else {
        return Ok(Reply::see_other("/login"));
    };
    let query = Query::parse(&request.query);
    let visit = Visit::within(&request, &pending.pool)?.leading_to(query.one("return_to"));
    let asked = query.one("method").and_then(FactorKind::named);
    let notice = visit.notice(NOTICES);
    answer(
        &visit,
        &pending,
        asked,
        FieldErrors::none(),
        notice,
        StatusCode::OK,
    )
    .await
}

/// `POST /two-factor`: in, by a code.
pub async fn submit(mut request: Request, _: Matched) -> Result<Reply, Problem> {
    let form = Form::read(&mut request, &["code", "method", "trust", "return_to"]).await?;
    let Some(pending) = Pending::of(&request, Awaited::Login) else {
        return Ok(Reply::see_other("/login"));
    };
    let visit = Visit::within(&request, &pending.pool)?.leading_to(form.filled("return_to"));
    let method = FactorKind::named(form.text("method"));
    let code = CodeLogin {
        name: None,
        realm: None,
        code: form.code(),
        challenge: Some(pending.token.clone()),
        method,
        trust_device: form.filled("trust").is_some(),
    };
    let services = &request.app.services;
    let done = services.login_with_code(visit.pool, code, request.origin()).await;
    settle(visit, &pending, method, done).await
}

/// `POST /two-factor/passkey`: in, by what an authenticator answered.
pub async fn with_passkey(mut request: Request, _: Matched) -> Result<Reply, Problem> {
    let form = Form::read(&mut request, &["ceremony", "credential", "trust", "return_to"]).await?;
    let Some(pending) = Pending::of(&request, Awaited::Login) else {
        return Ok(Reply::see_other("/login"));
    };
    let visit = Visit::within(&request, &pending.pool)?.leading_to(form.filled("return_to"));
    let login = PasskeyLogin {
        ceremony: Token::presented(form.text("ceremony")),
        answer: passkey::answer(&form),
        // The log-in has its own, from its first step.
        terms: Services::page_terms(visit.pool, false),
        trust_device: form.filled("trust").is_some(),
    };
    let services = &request.app.services;
    let done = services
        .login_with_passkey(visit.pool, login, request.origin())
        .await;
    settle(visit, &pending, Some(FactorKind::Passkey), done).await
}

async fn settle(
    visit: Visit<'_>,
    pending: &Pending,
    method: Option<FactorKind>,
    done: Result<AccessToken, DomainError>,
) -> Result<Reply, Problem> {
    match done {
        Ok(token) => {
            let entry = pending.entry(visit.request);
            external::let_in(visit, entry.as_deref(), &token).await
        }
        Err(DomainError::Denied(Denial::LoginFailed)) => {
            let errors = match method {
                Some(FactorKind::Passkey) => {
                    FieldErrors::form("That passkey did not work. Try again, or choose another way.")
                }
                _ => FieldErrors::none().with("code", "That code is wrong, was used before, or is too old."),
            };
            answer(&visit, pending, method, errors, None, StatusCode::UNAUTHORIZED).await
        }
        Err(error) => Err(Problem::of(error, visit.pool)),
    }
}

/// `POST /two-factor/resend`: a text message for the same log-in, whether one was sent before or not.
pub async fn resend(mut request: Request, _: Matched) -> Result<Reply, Problem> {
    let form = Form::read(&mut request, &["return_to"]).await?;
    let Some(pending) = Pending::of(&request, Awaited::Login) else {
        return Ok(Reply::see_other("/login"));
    };
    let visit = Visit::within(&request, &pending.pool)?.leading_to(form.filled("return_to"));
    let services = &request.app.services;
    let sent = services
        .resend_code(visit.pool, &pending.token, request.origin())
        .await;
    match sent {
        Ok(requested) => {
            let pairs = [
                ("sent", Some("1")),
                ("method", Some(FactorKind::Sms.name())),
                ("return_to", visit.return_to.as_deref()),
            ];
            let reply = Reply::see_other(&place::url("/two-factor", &pairs));
            let pending = pending.sent_on_to(requested.sent_to.as_deref());
            Ok(pending.keep(reply, visit.pool, visit.jar()))
        }
        Err(DomainError::Denied(Denial::LoginFailed)) => Ok(start_again(&visit, visit.jar())),
        Err(error) => Err(Problem::of(error, visit.pool)),
    }
}

/// `POST /two-factor/app`: the key of an authenticator app, shown once, for who has no second factor yet. Its first code is typed into
/// the form of [`submit`].
pub async fn enrol(mut request: Request, _: Matched) -> Result<Reply, Problem> {
    let form = Form::read(&mut request, &["return_to"]).await?;
    let Some(pending) = Pending::of(&request, Awaited::Login) else {
        return Ok(Reply::see_other("/login"));
    };
    let visit = Visit::within(&request, &pending.pool)?.leading_to(form.filled("return_to"));
    let services = &request.app.services;
    let begun = services
        .enrol_totp_at_login(visit.pool, &pending.token, None, request.origin())
        .await;
    match begun {
        Ok(begun) => {
            let view = TotpEnrolView {
                csrf: visit.csrf(),
                return_to: visit.return_to.clone(),
                trust_days: passkey::trust_days(visit.pool),
                ..totp::shown(&begun)
            };
            visit.page(StatusCode::OK, request.pages.totp_enrol(&view))
        }
        Err(DomainError::Denied(Denial::LoginFailed | Denial::FactorNotOffered)) => {
            Ok(start_again(&visit, visit.jar()))
        }
        Err(error) => Err(Problem::of(error, visit.pool)),
    }
}

fn start_again(visit: &Visit<'_>, jar: Jar) -> Reply {
    Reply::see_other(&visit.url("/login", Some("again"))).cookie(&jar.clear(Cookie::Pending))
}

/// The page; a log-in that is void by now begins anew.
async fn answer(
    visit: &Visit<'_>,
    pending: &Pending,
    asked: Option<FactorKind>,
    errors: FieldErrors,
    notice: Option<String>,
    status: StatusCode,
) -> Result<Reply, Problem> {
    let services = &visit.request.app.services;
    let ways = services.pending_ways(visit.pool, &pending.token).await;
    let Some(ways) = ways.map_err(|error| Problem::of(error, visit.pool))? else {
        return Ok(start_again(visit, visit.jar()));
    };
    let method = chosen(&ways.methods, asked, pending);
    let passkey = match method {
        Some(FactorKind::Passkey) => {
            let asked = services
                .begin_passkey_login(visit.pool, Some(&pending.token), visit.request.origin())
                .await;
            Some(passkey::view(
                &asked.map_err(|error| Problem::of(error, visit.pool))?,
            ))
        }
        _ => None,
    };
    let scripted = passkey.is_some();
    let mut all: Vec<&str> = ways.methods.iter().map(|way| way.name()).collect();
    all.extend(ways.enrols.first().map(|_| ENROL));
    let method = method.map_or(ENROL, FactorKind::name);
    let view = TwoFactorView {
        csrf: visit.csrf(),
        return_to: visit.return_to.clone(),
        method,
        others: all.into_iter().filter(|way| *way != method).collect(),
        passkey,
        sent_to: pending.sent_to(),
        lifetime_seconds: Some(visit.pool.code_life.as_secs_ceil()),
        trust_days: passkey::trust_days(visit.pool),
        errors,
        notice,
    };
    let html = visit.request.pages.two_factor(&view);
    if scripted {
        visit.scripted(status, html)
    } else {
        visit.page(status, html)
    }
}

/// The way to ask for: the one that was chosen; else a text message if one was sent; else the app, which costs nothing; else what
/// there is. None where one is to be added first.
fn chosen(ways: &[FactorKind], asked: Option<FactorKind>, pending: &Pending) -> Option<FactorKind> {
    let sent = pending.sent_to().map(|_| FactorKind::Sms);
    let wishes = [asked, sent, Some(FactorKind::Totp), Some(FactorKind::Sms)];
    let granted = wishes.into_iter().flatten().find(|wish| ways.contains(wish));
    let any = || ways.iter().find(|way| **way != LAST).or(ways.first()).copied();
    granted.or_else(any)
}
