//! Each server starts, answers, survives what it shall survive, and leaves no process behind.
#![expect(clippy::unwrap_used, reason = "tests")]

mod balancer;
mod command;
mod mongo;
mod postgres;
mod processes;
mod redis;
