//! `POST /api/{pool}`: signing up, one user or a list of them.

use domain::error::{Denial, Fault};
use domain::flow::sign_up::NewUser;
use http::StatusCode;
use serde_json::Value;

use super::Call;
use super::input::{Input, Items};
use super::output;
use crate::problem::Problem;
use crate::reply::Reply;

/// Most users of one call: each costs a password hash.
const MOST_AT_ONCE: usize = 20;

/// 200 with the user, or with the list of them.
pub async fn create(mut call: Call) -> Result<Reply, Problem> {
    output::acceptable(&call.request)?;
    let made = match Items::read(&mut call.request).await? {
        Items::One(input) => one(&call, input).await?,
        Items::Many(items) => many(&call, items).await?,
    };
    Ok(Reply::json(StatusCode::OK, &made))
}

async fn one(call: &Call, input: Input) -> Result<Value, Problem> {
    let pool = call.pool()?;
    let form = new_user(input, &pool.model)?;
    let user = call.services().sign_up(pool, form, call.request.origin()).await;
    user.map(|user| output::user(&user))
        .map_err(|error| Problem::of(error, pool))
}

/// Each item is judged on its own: those that are sound are made, whatever becomes of the others.
async fn many(call: &Call, items: Vec<Option<Input>>) -> Result<Value, Problem> {
    if items.len() > MOST_AT_ONCE {
        let sentence = format!("At most {MOST_AT_ONCE} users can be created in one call.");
        return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, sentence));
    }
    let (mut made, mut faults) = (Vec::new(), Vec::new());
    for item in items {
        let outcome = match item {
            Some(input) => one(call, input).await,
            None => Err(Problem::bad_request("Value is not an object.")),
        };
        match outcome {
            Ok(user) => {
                made.push(user);
                faults.push(None);
            }
            Err(problem) => faults.push(Some(problem)),
        }
    }
    if faults.iter().any(Option::is_some) {
        Err(several(&faults))
    } else {
        Ok(Value::Array(made))
    }
}

/// LoopBack's answer to a list with faults, but for its status: LoopBack says 500, which no input shall cause here.
fn several(faults: &[Option<Problem>]) -> Problem {
    let sentence = "Failed with multiple errors, see `details` for more information.";
    let details = faults
        .iter()
        .map(|fault| fault.as_ref().map_or(Value::Null, Problem::to_value))
        .collect();
    Problem {
        name: "ArrayOfErrors",
        details: Some(Box::new(details)),
        retry_after: faults.iter().flatten().find_map(|fault| fault.retry_after),
        ..Problem::new(StatusCode::UNPROCESSABLE_ENTITY, sentence)
    }
}

/// What was sent, by name. Names that are ours and stand in the rest are dropped by the domain.
fn new_user(mut input: Input, model: &str) -> Result<NewUser, Problem> {
    if let Some(id) = input.id()? {
        let fault = Fault {
            property: "id",
            code: "absence",
            message: "can't be set",
            value: Some(id),
        };
        return Err(Problem::of_denial(&Denial::Invalid(vec![fault]), model));
    }
    Ok(NewUser {
        realm: input.text("realm")?,
        username: input.text("username")?,
        email: input.text("email")?,
        phone: input.phone()?,
        password: input.new_password()?,
        attributes: input.rest(),
    })
}
