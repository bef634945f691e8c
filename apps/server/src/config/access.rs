//! `[access]`: who administers the server, and rules that belong to no pool.

use super::acl::Acl;
use super::read::Reader;

/// Settings of access beyond the pools.
#[derive(Clone, Debug)]
pub struct Access {
    /// The pool whose users may administer, if they have the role `admin`; none for `Users`, else the first.
    pub admin_pool: Option<String>,
    /// Rules about the server's own models and those of guarded services.
    pub acls: Vec<ModelAcl>,
}

/// A rule with the model it is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelAcl {
    /// The model's name; `*` is every one.
    pub model: String,
    /// What it says.
    pub acl: Acl,
}

impl Access {
    pub(super) fn read(reader: &mut Reader) -> Self {
        Self {
            admin_pool: reader.maybe_parsed("admin_pool", "none", |text| Ok(text.to_owned())),
            acls: reader.sections("acls", ModelAcl::read),
        }
    }
}

impl ModelAcl {
    fn read(reader: &mut Reader) -> Self {
        Self {
            model: reader.required_id("model"),
            acl: Acl::read(reader),
        }
    }
}
