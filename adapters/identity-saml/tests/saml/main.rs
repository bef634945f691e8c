//! The provider port against an identity provider of our own making, which says whatever a test wants it to say.
#![cfg(test)]

mod accepted;
mod cost;
mod encrypted;
mod entry;
mod logout;
mod messages;
mod metadata;
mod mutated;
mod names;
mod parsing;
mod requests;
mod rules;
mod samlp;
mod signatures;
mod support;
mod wrapping;
