//! `/account/confirm`: proving once more that it is you, before something that decides who can open the account.

use domain::credential::Password;
use domain::error::{Denial, DomainError};
use domain::flow::step_up;
use domain::secret::{Secret, Token};
use domain::service::StepUpProof;
use domain::user::FactorKind;
use http::StatusCode;

use super::super::form::Form;
use super::super::view::{ConfirmView, FieldErrors};
use super::super::{passkey, place, session, words};
use super::owner::Owner;
use super::security;
use crate::extract::Request;
use crate::extract::query::Query;
use crate::problem::Problem;
use crate::reply::Reply;
use crate::routes::Matched;

/// Where this page stands.
const PATH: &str = "/account/confirm";

/// What people hear first.
const NOTICES: &[(&str, &str)] = &[("sent", "A code is on its way. Type it below.")];

/// The field of a password.
const PASSWORD: &str = "current_password";

/// Where somebody is sent who must prove themselves before a form of the page at `path` works.
pub fn instead_of(path: &str) -> Reply {
    let back = if path.starts_with(security::PATH) {
        security::PATH
    } else {
        place::HOME
    };
    Reply::see_other(&place::url(PATH, &[("return_to", Some(back))]))
}

/// `GET /account/confirm`.
pub async fn show(request: Request, _: Matched) -> Result<Reply, Problem> {
    let Some(owner) = Owner::of(&request).await? else {
        return Ok(session::log_in_first(&request));
    };
    let query = Query::parse(&request.query);
    let owner = owner.leading_to(query.one("return_to"));
    answer(&owner, StatusCode::OK, FieldErrors::none()).await
}

/// `POST /account/confirm`: by the password, or by a code.
pub async fn submit(mut request: Request, _: Matched) -> Result<Reply, Problem> {
    let fields = [PASSWORD, "method", "sms", "totp", "recovery", "return_to"];
    let form = Form::read(&mut request, &fields).await?;
    let Some(owner) = Owner::of(&request).await? else {
        return Ok(session::log_in_first(&request));
    };
    let owner = owner.leading_to(form.filled("return_to"));
    let (field, proof) = match FactorKind::named(form.text("method")) {
        Some(method) => (
            method.name(),
            StepUpProof::Code {
                typed: Secret::new(form.text(method.name())),
                method,
            },
        ),
        None => (
            PASSWORD,
            StepUpProof::Password(Password::typed(form.raw(PASSWORD))),
        ),
    };
    settle(&owner, field, proof).await
}

/// `POST /account/confirm/passkey`: by what an authenticator answered.
pub async fn with_passkey(mut request: Request, _: Matched) -> Result<Reply, Problem> {
    let form = Form::read(&mut request, &["ceremony", "credential", "return_to"]).await?;
    let Some(owner) = Owner::of(&request).await? else {
        return Ok(session::log_in_first(&request));
    };
    let owner = owner.leading_to(form.filled("return_to"));
    let proof = StepUpProof::Passkey {
        ceremony: Token::presented(form.text("ceremony")),
        answer: passkey::answer(&form),
    };
    settle(&owner, FieldErrors::FORM, proof).await
}

/// `POST /account/confirm/code`: a code to the confirmed number.
pub async fn send_code(mut request: Request, _: Matched) -> Result<Reply, Problem> {
    let form = Form::read(&mut request, &["return_to"]).await?;
    let Some(owner) = Owner::of(&request).await? else {
        return Ok(session::log_in_first(&request));
    };
    let owner = owner.leading_to(form.filled("return_to"));
    let sent = owner
        .services()
        .request_step_up_code(owner.pool(), &owner.caller, request.origin());
    match sent.await {
        Ok(_) => {
            let pairs = [
                ("sent", Some("1")),
                ("return_to", owner.visit.return_to.as_deref()),
            ];
            Ok(Reply::see_other(&place::url(PATH, &pairs)))
        }
        Err(error) => {
            let refusal = words::refusal(error, owner.pool(), PASSWORD)?;
            answer(&owner, refusal.status, refusal.errors).await
        }
    }
}

/// The session goes on under a new token; its owner is led back.
async fn settle(owner: &Owner<'_>, field: &'static str, proof: StepUpProof) -> Result<Reply, Problem> {
    let (visit, caller) = (&owner.visit, &owner.caller);
    let proven = owner
        .services()
        .step_up(visit.pool, caller, proof, visit.request.origin());
    match proven.await {
        Ok(token) => {
            let back = visit.return_to.as_deref().unwrap_or(place::HOME);
            let path = back.split(['?', '#']).next().unwrap_or(back);
            Ok(session::renew(
                visit,
                &token,
                &place::url(path, &[("proven", Some("1"))]),
            ))
        }
        Err(DomainError::Denied(Denial::LoginFailed)) => {
            let sentence = match field {
                PASSWORD => "That is not your password.",
                FieldErrors::FORM => "That passkey did not work. Try again, or choose another way.",
                _ => "That code is wrong, was used before, or is too old.",
            };
            let errors = FieldErrors::none().with(field, sentence);
            answer(owner, StatusCode::UNAUTHORIZED, errors).await
        }
        Err(error) => Err(Problem::of(error, visit.pool)),
    }
}

async fn answer(owner: &Owner<'_>, status: StatusCode, errors: FieldErrors) -> Result<Reply, Problem> {
    let (visit, caller) = (&owner.visit, &owner.caller);
    let request = visit.request;
    let methods = step_up::methods(&caller.user);
    let passkey = if methods.contains(&FactorKind::Passkey.name()) {
        let asked = owner
            .services()
            .begin_passkey_step_up(visit.pool, caller, request.origin());
        // Where passkeys are not spoken any more the other ways are left.
        asked.await.ok().as_ref().map(passkey::view)
    } else {
        None
    };
    let sms_sent = visit.notice(NOTICES).is_some() || errors.has(FactorKind::Sms.name());
    let scripted = passkey.is_some();
    let view = ConfirmView {
        csrf: visit.csrf(),
        pool: visit.pool_name(),
        return_to: visit.return_to.clone(),
        fields: fields(&methods, sms_sent),
        methods,
        passkey,
        sms_sent,
        email: caller
            .user
            .email
            .as_ref()
            .map(ToString::to_string)
            .unwrap_or_default(),
        notice: visit.notice(NOTICES).filter(|_| errors.is_empty()),
        errors,
    };
    let html = request.pages.confirm(&view);
    if scripted {
        visit.scripted(status, html)
    } else {
        visit.page(status, html)
    }
}

/// The fields that the page has for these ways.
fn fields(methods: &[&'static str], sms_sent: bool) -> Vec<&'static str> {
    let field = |method: &&'static str| match *method {
        "password" => Some(PASSWORD),
        "sms" => sms_sent.then_some("sms"),
        "totp" | "recovery" => Some(*method),
        _ => None,
    };
    methods.iter().filter_map(field).collect()
}
