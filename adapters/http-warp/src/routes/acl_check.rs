//! `POST /api/acl/check`: a service asks what its caller may do, many things at once.

use domain::access::{AccessState, Subject};
use domain::flow::impersonate::Doing;
use domain::id::PoolName;
use http::StatusCode;
use serde_json::{Map, Value, json};

use super::Matched;
use super::guard::{Asked, Record};
use super::users::caller::{self, Called};
use super::users::input::Input;
use crate::App;
use crate::extract::Request;
use crate::extract::body::{self, Body};
use crate::problem::Problem;
use crate::reply::Reply;

/// Most questions of one call.
const MOST: usize = 100;

/// 200 with one decision for each question, in their order, for whoever's token came along and the application whose key did; without
/// either, for somebody who is not logged in.
pub async fn check(mut request: Request, _: Matched) -> Result<Reply, Problem> {
    let caller = match caller::of(&request, None, Doing::Look).await? {
        Called::Anonymously => None,
        Called::TooLate => return Err(Problem::expired_token()),
        Called::By(caller) => Some(caller),
    };
    let application = caller::application(&request).await?;
    let Body::List(questions) = body::read(&mut request).await? else {
        return Err(Problem::bad_request("send a list of questions"));
    };
    if questions.len() > MOST {
        return Err(Problem::bad_request(format!(
            "ask at most {MOST} questions at once"
        )));
    }
    let app = &request.app;
    let access = app.services.access().await;
    let access = access.map_err(|error| Problem::of_port(&error))?;
    let decide = |question: Value| {
        let question = Question::of(app, question)?;
        let pool = question
            .pool
            .as_ref()
            .or_else(|| app.services.policy().admin_pool());
        let user = caller.as_deref().map(|caller| &caller.user);
        let subject = Subject::of(user, application.as_ref(), pool, &access);
        Ok(question.decided(app, &access, &subject))
    };
    let decisions: Result<Vec<Value>, Problem> = questions.into_iter().map(decide).collect();
    Ok(Reply::json(StatusCode::OK, &decisions?))
}

/// One of them.
struct Question {
    asked: Asked,
    owner: Option<String>,
    related: Option<String>,
    pool: Option<PoolName>,
}

impl Question {
    fn of(app: &App, question: Value) -> Result<Self, Problem> {
        let Value::Object(fields) = question else {
            return Err(Problem::bad_request("Value is not an object."));
        };
        let mut input = Input::of(textual(fields));
        let (model, property) = (input.required("model")?, input.required("property")?);
        let access = input.required("accessType")?;
        let asked = Asked::of(&model, &property, &access)
            .ok_or_else(|| Problem::bad_request("model, property or accessType cannot be read"))?;
        let pools = &app.services.policy().pools;
        let pool = match input.text("pool")?.map(PoolName::new) {
            None => None,
            Some(named) if pools.contains_key(&named) => Some(named),
            Some(_) => return Err(Problem::bad_request("there is no pool of that name")),
        };
        // Users own themselves; of any other record its service knows the owner.
        let (id, owner) = (input.text("id")?, input.text("owner")?);
        let is_users = pools.values().any(|pool| pool.model == asked.model);
        Ok(Self {
            owner: if is_users { id.or(owner) } else { owner },
            related: input.text("related")?,
            asked,
            pool,
        })
    }

    fn decided(&self, app: &App, access: &AccessState, subject: &Subject) -> Value {
        let record = Record {
            owner: self.owner.as_deref(),
            related: self.related.as_deref(),
            pool: self.pool.as_ref(),
        };
        let permitted = self.asked.is_permitted(app, access, subject, &record);
        json!({
            "model": self.asked.model,
            "property": self.asked.property,
            "accessType": self.asked.access.word(),
            "permission": if permitted { "ALLOW" } else { "DENY" },
        })
    }
}

/// Ids may be numbers: LoopBack's are.
fn textual(fields: Map<String, Value>) -> Map<String, Value> {
    let text = |(name, value): (String, Value)| match value {
        Value::Number(number) => (name, Value::String(number.to_string())),
        value => (name, value),
    };
    fields.into_iter().map(text).collect()
}
