//! The figures, a file each.

mod callback;
mod growth;
mod login;
mod start;
mod storm;
mod token;

use crate::Fault;
use crate::lab::Lab;
use crate::options::Subject;
use crate::report::Report;

/// How a subject is measured.
pub type Measure = fn(&Lab, &mut Report) -> Result<(), Fault>;

/// Every subject, in the order they are measured.
pub const ALL: &[(Subject, Measure)] = &[
    (Subject::Start, start::measure),
    (Subject::Token, token::measure),
    (Subject::Login, login::measure),
    (Subject::Storm, storm::measure),
    (Subject::Callback, callback::measure),
    (Subject::Growth, growth::measure),
];
