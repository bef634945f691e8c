//! Who may call what: LoopBack's access rules as a pure function.

mod rules;

pub use rules::{AccessType, AclRule, Caller, Permission, PrincipalType, Request, decide, default_rules};
