//! `PATCH`, `PUT` and `DELETE /api/{pool}/{id}`: changing and deleting one's own record.

use domain::credential::Password;
use domain::flow::change_profile::{Field, ProfileChange};
use http::StatusCode;
use serde_json::json;

use super::input::Input;
use super::output;
use super::{Call, administer};
use crate::problem::Problem;
use crate::reply::Reply;

/// 200 with the whole user; what was not sent stays.
pub async fn patch(call: Call) -> Result<Reply, Problem> {
    if call.is_about_another() {
        return administer::patch(call).await;
    }
    change(call, |mut input| {
        Ok(ProfileChange {
            replace: false,
            username: input.patch("username")?,
            email: input.patch("email")?,
            phone: first_said(input.patch("phone")?, input.patch("mobile")?),
            password: input.new_password()?,
            current_password: proof(&mut input)?,
            attributes: input.rest(),
        })
    })
    .await
}

/// 200 with the user; what was not sent is gone. Also `POST /api/{pool}/{id}/replace`.
pub async fn replace(call: Call) -> Result<Reply, Problem> {
    change(call, |mut input| {
        Ok(ProfileChange {
            replace: true,
            username: input.replacement("username")?,
            email: input.replacement("email")?,
            phone: first_said(input.patch("phone")?, input.patch("mobile")?),
            password: input.new_password()?,
            current_password: proof(&mut input)?,
            attributes: input.rest(),
        })
    })
    .await
}

/// 200 with the count, always one.
pub async fn delete(call: Call) -> Result<Reply, Problem> {
    if call.is_about_another() {
        return administer::delete(call).await;
    }
    output::acceptable(&call.request)?;
    let (pool, owner) = (call.pool()?, call.owner()?);
    let done = call
        .services()
        .delete_user(pool, owner, call.request.origin())
        .await;
    done.map_err(|error| Problem::of(error, pool))?;
    Ok(Reply::json(StatusCode::OK, &json!({ "count": 1 })))
}

async fn change(mut call: Call, read: fn(Input) -> Result<ProfileChange, Problem>) -> Result<Reply, Problem> {
    output::acceptable(&call.request)?;
    let mut input = Input::read(&mut call.request).await?;
    let (pool, owner) = (call.pool()?, call.owner()?);
    let id = owner.user.key.id.as_str();
    if let Some(other) = input.id()?.filter(|other| other != id) {
        let sentence = format!("id cannot be updated from {id} to {other} when forceId is set to true");
        return Err(Problem::bad_request(sentence));
    }
    // A realm never changes, but what is no text is no realm either.
    input.text("realm")?;
    let change = read(input)?;
    let user = call
        .services()
        .change_profile(pool, owner, &change, call.request.origin())
        .await;
    let user = user.map_err(|error| Problem::of(error, pool))?;
    Ok(Reply::json(StatusCode::OK, &output::user(&user)))
}

/// The current password, which changes of address, number and password need.
fn proof(input: &mut Input) -> Result<Option<Password>, Problem> {
    Ok(input.text("currentPassword")?.map(|text| Password::typed(&text)))
}

/// `phone`, or its alias where only that was sent.
fn first_said(phone: Field, mobile: Field) -> Field {
    if phone == Field::Keep { mobile } else { phone }
}
