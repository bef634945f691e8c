//! Refusals and faults as LoopBack's error body: the one table from domain error to HTTP status.

use domain::error::{Denial, DomainError, Fault};
use domain::policy::PoolPolicy;
use domain::ports::PortError;
use domain::time::Lifetime;
use http::StatusCode;
use serde_json::{Map, Value, json};

use crate::reply::Reply;
use crate::serve::BodyError;
use crate::wire_id::WireId;

/// The code of a refusal that a fresh proof lifts.
pub const STEP_UP_REQUIRED: &str = "STEP_UP_REQUIRED";

/// What goes wrong between a request and its answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Problem {
    /// Status.
    pub status: StatusCode,
    /// LoopBack's error name.
    pub name: &'static str,
    /// For the client.
    pub message: String,
    /// Stable code.
    pub code: Option<&'static str>,
    /// More, for machines.
    pub details: Option<Box<Value>>,
    /// When to come back.
    pub retry_after: Option<Lifetime>,
    /// For the operator's log alone.
    pub cause: Option<String>,
}

impl Problem {
    /// A problem with a message and nothing else.
    pub fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self {
            status,
            name: "Error",
            message: message.into(),
            code: None,
            details: None,
            retry_after: None,
            cause: None,
        }
    }

    /// The same with a code.
    #[must_use]
    pub fn coded(mut self, code: &'static str) -> Self {
        self.code = Some(code);
        self
    }

    /// 400 with a sentence.
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    /// 400 for JSON that cannot be read; `why` holds positions, not the text.
    pub fn malformed_json(why: &str) -> Self {
        Self {
            name: "SyntaxError",
            ..Self::bad_request(format!("The body is not valid JSON: {why}"))
        }
    }

    /// 415.
    pub fn unsupported_media_type() -> Self {
        let sentence = "Send the body as application/json or application/x-www-form-urlencoded, in UTF-8.";
        Self {
            name: "UnsupportedMediaTypeError",
            ..Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, sentence)
        }
    }

    /// 401 as LoopBack says it.
    pub fn authorization_required() -> Self {
        Self::of_denial(&Denial::AuthorizationRequired, "")
    }

    /// 401 for a token whose life is over.
    pub fn expired_token() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "Invalid Access Token").coded("INVALID_TOKEN")
    }

    /// 404 with a sentence.
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, message)
    }

    /// 500; the cause goes to the log, the client gets the request's id.
    pub fn internal(cause: impl Into<String>) -> Self {
        let cause = Some(cause.into());
        Self {
            cause,
            ..Self::new(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error")
        }
    }

    /// 503; the cause goes to the log, the client hears when to come back.
    pub fn unavailable(retry_after: Lifetime, cause: String) -> Self {
        Self {
            retry_after: Some(retry_after),
            cause: Some(cause),
            ..Self::new(StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable")
        }
    }

    /// What a service said, in the words of a pool's model.
    pub fn of(error: DomainError, pool: &PoolPolicy) -> Self {
        match error {
            DomainError::Denied(denial) => Self::of_denial(&denial, &pool.model),
            DomainError::Port(error) => Self::of_port(&error),
        }
    }

    /// A decision of the domain.
    pub fn of_denial(denial: &Denial, model: &str) -> Self {
        let mut problem = Self::new(status_of(denial), denial.to_string());
        problem.code = denial.code();
        match denial {
            Denial::Invalid(faults) => {
                problem.name = "ValidationError";
                problem.message = validation_message(model, faults);
                problem.details = Some(Box::new(validation_details(model, faults)));
            }
            Denial::EmailNotVerified { user } => {
                problem.details = Some(Box::new(json!({ "userId": WireId(user.as_str()) })));
            }
            Denial::SecondFactorRequired {
                methods,
                enrols,
                challenge,
            } => {
                let mut details = Map::from_iter([("methods".to_owned(), json!(methods))]);
                if !enrols.is_empty() {
                    details.insert("enrols".to_owned(), json!(enrols));
                }
                if let Some(challenge) = challenge {
                    details.insert("challenge".to_owned(), json!(challenge.expose()));
                }
                problem.details = Some(Box::new(details.into()));
            }
            Denial::StepUpRequired { methods } => {
                problem.details = Some(Box::new(json!({ "methods": methods })));
            }
            Denial::AccountExists { join, methods } => {
                let details = json!({ "join": join.expose(), "methods": methods });
                problem.details = Some(Box::new(details));
            }
            Denial::Limited { retry_after } => problem.retry_after = Some(*retry_after),
            _ => {}
        }
        problem
    }

    /// Something outside did not work: busy and unavailable are 503, what we should never meet is 500.
    pub fn of_port(error: &PortError) -> Self {
        let unavailable = |retry_after| Self::unavailable(retry_after, error.to_string());
        match error {
            PortError::Busy { retry_after } => unavailable(*retry_after),
            PortError::Unavailable { .. } => unavailable(Lifetime::from_secs(1)),
            PortError::Stale | PortError::Duplicate(_) => {
                Self::new(StatusCode::CONFLICT, "Changed meanwhile, please try again")
            }
            PortError::Corrupt { .. } => Self::internal(error.to_string()),
        }
    }

    /// The answer: LoopBack's body; an internal fault says only the request's id.
    pub fn into_reply(self, request_id: &str) -> Reply {
        let mut error = Map::new();
        error.insert("statusCode".to_owned(), json!(self.status.as_u16()));
        if self.status.is_server_error() {
            error.insert("message".to_owned(), json!(self.message));
            if let Some(code) = self.code {
                error.insert("code".to_owned(), json!(code));
            }
            error.insert("requestId".to_owned(), json!(request_id));
        } else {
            error.insert("name".to_owned(), json!(self.name));
            error.insert("message".to_owned(), json!(self.message));
            if let Some(code) = self.code {
                error.insert("code".to_owned(), json!(code));
            }
            if let Some(details) = self.details {
                error.insert("details".to_owned(), *details);
            }
        }
        let reply = Reply::json(self.status, &json!({ "error": error }));
        match self.retry_after {
            Some(wait) => reply.header(http::header::RETRY_AFTER, &wait.as_secs_ceil().max(1).to_string()),
            None => reply,
        }
    }

    /// The `error` object alone, for lists of errors.
    pub fn to_value(&self) -> Value {
        let mut error =
            json!({ "statusCode": self.status.as_u16(), "name": self.name, "message": self.message });
        if let (Some(object), Some(code)) = (error.as_object_mut(), self.code) {
            object.insert("code".to_owned(), json!(code));
        }
        if let (Some(object), Some(details)) = (error.as_object_mut(), &self.details) {
            object.insert("details".to_owned(), details.as_ref().clone());
        }
        error
    }
}

/// Which denial is which status.
fn status_of(denial: &Denial) -> StatusCode {
    match denial {
        Denial::LoginFailed
        | Denial::EmailNotVerified { .. }
        | Denial::SecondFactorRequired { .. }
        | Denial::PasswordChangeNotAllowed
        | Denial::ProofRequired
        | Denial::CurrentPasswordRequired
        | Denial::AuthorizationRequired
        | Denial::ProviderRefused { .. }
        | Denial::AuthorizationUnknown
        | Denial::ApplicationRefused
        | Denial::RefreshRefused
        | Denial::AccessTokenRequired => StatusCode::UNAUTHORIZED,
        Denial::StepUpRequired { .. }
        | Denial::UserUnknown
        | Denial::Impersonation
        | Denial::ImpersonationRefused => StatusCode::FORBIDDEN,
        Denial::UsernameOrEmailRequired
        | Denial::RealmRequired
        | Denial::InvalidTtl
        | Denial::CurrentPasswordWrong
        | Denial::ReturnNotAllowed
        | Denial::CodeChallengeRequired
        | Denial::ExchangeRefused
        | Denial::TokenRefused => StatusCode::BAD_REQUEST,
        Denial::PhoneRequired
        | Denial::ProviderEmailRequired
        | Denial::PasswordRefused { .. }
        | Denial::FactorNotOffered
        | Denial::TooManyFactors
        | Denial::LastFactor
        | Denial::CodeRefused
        | Denial::PasskeyRefused
        | Denial::PhoneUnreachable
        | Denial::Invalid(_) => StatusCode::UNPROCESSABLE_ENTITY,
        Denial::ProviderUnknown | Denial::LinkUnknown | Denial::FactorUnknown | Denial::SessionUnknown => {
            StatusCode::NOT_FOUND
        }
        Denial::IdentityTaken
        | Denial::TooManyLinks
        | Denial::LastWayIn
        | Denial::AccountExists { .. }
        | Denial::CredentialRevoked => StatusCode::CONFLICT,
        Denial::ProviderUnavailable => StatusCode::BAD_GATEWAY,
        Denial::Limited { .. } => StatusCode::TOO_MANY_REQUESTS,
        Denial::Unexpected => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

fn validation_message(model: &str, faults: &[Fault]) -> String {
    let details: Vec<String> = faults
        .iter()
        .map(|fault| {
            let value = fault
                .value
                .as_ref()
                .map_or_else(|| "undefined".to_owned(), |value| quoted(value));
            format!("`{}` {} (value: {value})", fault.property, fault.message)
        })
        .collect();
    format!(
        "The `{model}` instance is not valid. Details: {}.",
        details.join("; ")
    )
}

/// A value as LoopBack quotes it: as JSON text, long ones shortened.
fn quoted(value: &str) -> String {
    const SHOWN: usize = 32;
    let shown: String = value.chars().take(SHOWN).collect();
    let shown = if shown.len() < value.len() {
        format!("{shown}...")
    } else {
        shown
    };
    Value::String(shown).to_string()
}

fn validation_details(model: &str, faults: &[Fault]) -> Value {
    let (mut codes, mut messages) = (Map::new(), Map::new());
    for fault in faults {
        push(&mut codes, fault.property, fault.code);
        push(&mut messages, fault.property, fault.message);
    }
    json!({ "context": model, "codes": codes, "messages": messages })
}

fn push(map: &mut Map<String, Value>, property: &str, text: &str) {
    let list = map
        .entry(property.to_owned())
        .or_insert_with(|| Value::Array(Vec::new()));
    if let Value::Array(list) = list {
        list.push(Value::String(text.to_owned()));
    }
}

impl From<BodyError> for Problem {
    fn from(error: BodyError) -> Self {
        match error {
            BodyError::TooLarge => Self {
                name: "PayloadTooLargeError",
                ..Self::new(StatusCode::PAYLOAD_TOO_LARGE, "request entity too large")
            },
            BodyError::TimedOut => Self::new(StatusCode::REQUEST_TIMEOUT, "The body took too long to arrive"),
            BodyError::Broken => Self::bad_request("The body ended early"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken() -> Denial {
        let value = Some("a@b.c".to_owned());
        Denial::Invalid(vec![Fault {
            property: "email",
            code: "uniqueness",
            message: "Email already exists",
            value,
        }])
    }

    #[test]
    fn a_validation_error_reads_as_loopbacks() {
        let problem = Problem::of_denial(&taken(), "User");
        assert_eq!(problem.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(
            problem.message,
            "The `User` instance is not valid. Details: `email` Email already exists (value: \"a@b.c\")."
        );
        let details = problem.details.unwrap();
        assert_eq!(details["codes"]["email"][0], "uniqueness");
        assert_eq!(details["context"], "User");
    }

    #[test]
    fn an_outage_says_nothing_of_its_cause_to_the_client() {
        let problem = Problem::of_port(&PortError::unavailable("disk full at /secret/path"));
        assert_eq!(problem.status, StatusCode::SERVICE_UNAVAILABLE);
        assert!(!problem.message.contains("secret"));
        assert!(problem.cause.unwrap().contains("disk full"));
    }
}
