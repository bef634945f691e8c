//! Who may call what: roles, who has them, and LoopBack's access rules, as pure functions.

mod decide;
mod defaults;
mod role;
mod row;
mod rules;
mod state;
mod subject;

pub use decide::{AccessType, AclRule, Caller, Permission, PrincipalType, Request, decide};
pub use defaults::{ADMIN, default_rules, server_rules};
pub use role::{Held, Principal, Role, RoleMapping};
pub use row::AclRow;
pub use rules::{Rules, SERVER_MODELS, permits};
pub use state::{AccessState, MAX_ROLES, MAX_ROWS};
pub use subject::Subject;
