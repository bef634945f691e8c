//! Who may call what: roles, who has them, and LoopBack's access rules, as pure functions.

mod decide;
mod defaults;
mod role;
mod row;
mod state;

pub use decide::{AccessType, AclRule, Caller, Permission, PrincipalType, Request, decide};
pub use defaults::{ADMIN, default_rules, server_rules};
pub use role::{Held, Principal, Role, RoleMapping};
pub use row::AclRow;
pub use state::{AccessState, MAX_ROLES, MAX_ROWS};
