//! The adapter against OpenID providers on this machine.
#![cfg(test)]

mod dialects;
mod faults;
mod idp;
mod login;
mod provider;
mod rotation;
