//! The pages people see: server-rendered, complete without JavaScript.

pub mod render;
pub mod view;

use crate::App;
use crate::problem::Problem;
use crate::reply::Reply;

/// Every page with its verb.
pub const ROUTES: &[(&str, &str, crate::routes::Handler)] = &[];

/// A problem as a page for people.
pub fn problem_page(_: &App, problem: &Problem, request_id: &str) -> Reply {
    problem.clone().into_reply(request_id)
}
