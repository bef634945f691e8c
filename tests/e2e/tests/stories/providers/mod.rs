//! Logging in and linking by other services, against real servers of each protocol: `tests/counterparties`.

mod abuse;
mod applications;
mod article;
mod crash;
mod dialects;
pub mod entries;
mod faults;
mod file;
mod grants;
mod heritage;
mod joining;
mod linking;
mod oauth1;
mod openid;
mod programs;
mod readme;
