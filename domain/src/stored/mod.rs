//! The stored form of aggregates: plain data that reads and writes as JSON, for adapters that keep documents and for moving
//! everything from one store to another.
//!
//! Fields are only ever added, each with a default, and what is absent is left out: a record of an older server always reads, and
//! one of a newer server reads without what it added. Nothing here is in clear that was hashed or sealed before.

mod access;
mod application;
mod audit_event;
mod flow;
mod session;
mod tombstone;
mod user;

pub use access::StoredAccess;
pub use application::StoredApplication;
pub use audit_event::StoredAuditEvent;
pub use flow::StoredFlow;
pub use session::StoredSession;
pub use tombstone::StoredTombstone;
pub use user::{StoredName, StoredUser};
