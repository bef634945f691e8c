//! All roles and stored rules, as one record: whoever changes any of it changes the whole, so no two changes miss each other.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{AclRow, Role, RoleMapping};
use crate::error::{Denial, Fault};
use crate::id::{AclId, RoleId, RoleMappingId, RoleName};
use crate::time::Timestamp;
use crate::user::{Revision, User};

/// Most roles there can be.
pub const MAX_ROLES: usize = 1_000;
/// Most stored rules there can be.
pub const MAX_ROWS: usize = 10_000;
/// Longest name of a role, in characters.
const MAX_NAME: usize = 100;

/// Every role and every stored rule.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccessState {
    /// Which change of this record it is.
    pub revision: Revision,
    /// The roles, in the order they were made.
    pub roles: Arc<Vec<Role>>,
    /// The rules, in the order they were made.
    pub rows: Arc<Vec<AclRow>>,
}

impl AccessState {
    /// The role of an id.
    pub fn role(&self, id: &RoleId) -> Option<&Role> {
        self.roles.iter().find(|role| role.id == *id)
    }

    /// The role of a name.
    pub fn role_named(&self, name: &RoleName) -> Option<&Role> {
        self.roles.iter().find(|role| role.name == *name)
    }

    /// The names of the roles that these mappings give, those that roles give included, each once, in order. Mappings of roles that are
    /// gone give nothing; roles may name each other in circles.
    pub fn names<'m>(&self, mappings: impl IntoIterator<Item = &'m RoleMapping>) -> Vec<RoleName> {
        let mut open: Vec<&RoleId> = mappings.into_iter().map(|mapping| &mapping.role).collect();
        let mut seen = BTreeSet::new();
        let mut names = BTreeSet::new();
        while let Some(id) = open.pop() {
            if !seen.insert(id.clone()) {
                continue;
            }
            if let Some(role) = self.role(id) {
                names.insert(role.name.clone());
                open.extend(role.mappings.iter().map(|mapping| &mapping.role));
            }
        }
        names.into_iter().collect()
    }

    /// The names of all roles of a user: those that accounts elsewhere give, those given by hand, and those that roles give.
    pub fn roles_of(&self, user: &User) -> Vec<RoleName> {
        let mut roles = user.roles();
        roles.extend(self.names(user.mappings.iter()));
        roles.sort();
        roles.dedup();
        roles
    }

    /// The same with one role more.
    ///
    /// # Errors
    /// [`Denial::Invalid`] for a name that is blank, too long, taken, or begins with `$` (those follow from the request); where there are
    /// [`MAX_ROLES`].
    pub fn with_role(&self, role: Role) -> Result<Self, Denial> {
        self.judge_name(&role.name, None)?;
        if self.roles.len() >= MAX_ROLES {
            return Err(invalid("name", "limit", "is one role too many", None));
        }
        let mut next = self.next();
        Arc::make_mut(&mut next.roles).push(role);
        Ok(next)
    }

    /// The same with a role renamed or described anew; none where there is no such role.
    ///
    /// # Errors
    /// As [`AccessState::with_role`].
    pub fn with_role_changed(
        &self,
        id: &RoleId,
        name: RoleName,
        description: Option<String>,
        now: Timestamp,
    ) -> Result<Option<Self>, Denial> {
        self.judge_name(&name, Some(id))?;
        Ok(self.changed(id, |role| {
            role.name = name;
            role.description = description;
            role.modified = now;
        }))
    }

    /// The same with another role given to whoever has this one; none where there is no such role, or it is given already.
    pub fn with_mapping(&self, principal: &RoleId, mapping: RoleMapping) -> Option<Self> {
        let holder = self.role(principal)?;
        self.role(&mapping.role)?;
        if holder.mappings.iter().any(|given| given.role == mapping.role) {
            return None;
        }
        self.changed(principal, |role| role.mappings.push(mapping))
    }

    /// The role that has another by a mapping, and the mapping.
    pub fn holder_of(&self, mapping: &RoleMappingId) -> Option<(&Role, &RoleMapping)> {
        self.roles.iter().find_map(|role| {
            let mut held = role.mappings.iter();
            Some((role, held.find(|held| held.id == *mapping)?))
        })
    }

    /// The same with a role not given to another any more; none where no role has one by that mapping.
    pub fn without_mapping(&self, mapping: &RoleMappingId) -> Option<Self> {
        let holder = self.holder_of(mapping)?.0.id.clone();
        self.changed(&holder, |role| role.mappings.retain(|held| held.id != *mapping))
    }

    /// The same without a role, and without its being given by others; none where there is none. What users and applications have of it
    /// gives nothing any more: ids are never used again.
    pub fn without_role(&self, id: &RoleId) -> Option<Self> {
        self.role(id)?;
        let mut next = self.next();
        let roles = Arc::make_mut(&mut next.roles);
        roles.retain(|role| role.id != *id);
        for role in roles {
            role.mappings.retain(|mapping| mapping.role != *id);
        }
        Some(next)
    }

    /// The same with a rule more, or with the rule of this id in its place.
    ///
    /// # Errors
    /// [`Denial::Invalid`] where there are [`MAX_ROWS`].
    pub fn with_row(&self, row: AclRow) -> Result<Self, Denial> {
        let mut next = self.next();
        let room = next.rows.len() < MAX_ROWS;
        let rows = Arc::make_mut(&mut next.rows);
        match rows.iter_mut().find(|known| known.id == row.id) {
            Some(known) => *known = row,
            None if room => rows.push(row),
            None => return Err(invalid("model", "limit", "is one rule too many", None)),
        }
        Ok(next)
    }

    /// The same without a rule; none where there is none.
    pub fn without_row(&self, id: &AclId) -> Option<Self> {
        let mut next = self.next();
        Arc::make_mut(&mut next.rows).retain(|row| row.id != *id);
        (next.rows.len() < self.rows.len()).then_some(next)
    }

    fn next(&self) -> Self {
        Self {
            revision: self.revision.next(),
            ..self.clone()
        }
    }

    fn changed(&self, id: &RoleId, change: impl FnOnce(&mut Role)) -> Option<Self> {
        let mut next = self.next();
        let roles = Arc::make_mut(&mut next.roles);
        change(roles.iter_mut().find(|role| role.id == *id)?);
        Some(next)
    }

    fn judge_name(&self, name: &RoleName, own: Option<&RoleId>) -> Result<(), Denial> {
        let text = name.as_str();
        let value = Some(text);
        if text.trim().is_empty() {
            return Err(invalid("name", "presence", "can't be blank", value));
        }
        let odd = text.chars().any(char::is_control) || text.trim() != text;
        if text.starts_with('$') || odd || text.chars().count() > MAX_NAME {
            return Err(invalid("name", "custom.name", "is invalid", value));
        }
        match self.role_named(name) {
            Some(taken) if Some(&taken.id) != own => {
                Err(invalid("name", "uniqueness", "already exists", value))
            }
            _ => Ok(()),
        }
    }
}

fn invalid(property: &'static str, code: &'static str, message: &'static str, value: Option<&str>) -> Denial {
    Denial::Invalid(vec![Fault {
        property,
        code,
        message,
        value: value.map(str::to_owned),
    }])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::{Permission, PrincipalType};

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(seconds * 1000)
    }

    fn role(id: &str) -> Role {
        Role {
            id: RoleId::new(id),
            name: RoleName::new(format!("the {id}")),
            description: None,
            mappings: Vec::new(),
            created: at(1),
            modified: at(1),
        }
    }

    fn mapping(role: &str) -> RoleMapping {
        RoleMapping {
            id: RoleMappingId::new(format!("to {role}")),
            role: RoleId::new(role),
            created: at(1),
        }
    }

    fn of(roles: &[&str]) -> AccessState {
        roles.iter().fold(AccessState::default(), |state, id| {
            state.with_role(role(id)).expect("a good name")
        })
    }

    fn names(state: &AccessState, held: &[&str]) -> Vec<String> {
        let held: Vec<RoleMapping> = held.iter().map(|id| mapping(id)).collect();
        state.names(&held).into_iter().map(String::from).collect()
    }

    #[test]
    fn a_role_brings_the_roles_it_has_and_circles_end() {
        let state = of(&["a", "b", "c", "d"]);
        let given = |state: AccessState, principal: &str, role: &str| {
            state
                .with_mapping(&RoleId::new(principal), mapping(role))
                .expect("given")
        };
        let state = given(given(given(state, "a", "b"), "b", "c"), "c", "a");
        assert_eq!(names(&state, &["b"]), ["the a", "the b", "the c"]);
        assert_eq!(names(&state, &["d", "d"]), ["the d"]);
        assert!(names(&state, &["gone"]).is_empty());
    }

    #[test]
    fn a_role_that_goes_is_given_by_nobody_any_more() {
        let state = of(&["a", "b"])
            .with_mapping(&RoleId::new("a"), mapping("b"))
            .expect("given");
        let gone = state.without_role(&RoleId::new("b")).expect("there");
        assert_eq!(names(&gone, &["a", "b"]), ["the a"]);
        assert!(
            gone.role(&RoleId::new("a"))
                .is_some_and(|role| role.mappings.is_empty())
        );
        assert_eq!(gone.without_role(&RoleId::new("b")), None);
    }

    #[test]
    fn a_role_is_given_to_a_role_once_and_only_if_both_are_there() {
        let state = of(&["a", "b"]);
        let given = state
            .with_mapping(&RoleId::new("a"), mapping("b"))
            .expect("given");
        assert_eq!(given.with_mapping(&RoleId::new("a"), mapping("b")), None);
        assert_eq!(given.with_mapping(&RoleId::new("a"), mapping("gone")), None);
        assert_eq!(given.with_mapping(&RoleId::new("gone"), mapping("a")), None);
    }

    #[test]
    fn a_role_is_taken_from_a_role_by_the_mapping_and_once() {
        let state = of(&["a", "b", "c"]);
        let state = state
            .with_mapping(&RoleId::new("a"), mapping("b"))
            .and_then(|state| state.with_mapping(&RoleId::new("a"), mapping("c")))
            .expect("given");
        let id = mapping("b").id;
        let holder = state.holder_of(&id).map(|(role, held)| (&role.id, &held.role));
        assert_eq!(holder, Some((&RoleId::new("a"), &RoleId::new("b"))));
        let taken = state.without_mapping(&id).expect("held");
        assert_eq!(names(&taken, &["a"]), ["the a", "the c"]);
        assert_eq!(taken.holder_of(&id), None);
        assert_eq!(taken.without_mapping(&id), None);
    }

    #[test]
    fn names_are_unique_visible_and_not_loopbacks_own() {
        let state = of(&["a"]);
        for (name, code) in [
            ("", "presence"),
            ("  ", "presence"),
            ("$owner", "custom.name"),
            ("a\u{0}b", "custom.name"),
            (" a", "custom.name"),
            ("the a", "uniqueness"),
        ] {
            let named = Role {
                name: RoleName::new(name),
                ..role("b")
            };
            let Err(Denial::Invalid(faults)) = state.with_role(named) else {
                panic!("{name:?} is taken")
            };
            assert_eq!(faults.first().map(|fault| fault.code), Some(code), "{name:?}");
        }
        let own = RoleId::new("a");
        let renamed =
            state.with_role_changed(&own, RoleName::new("the a"), Some("as it was".to_owned()), at(2));
        let renamed = renamed.expect("its own name").expect("there");
        assert_eq!(renamed.revision, state.revision.next());
        assert_eq!(renamed.role(&own).map(|role| role.modified), Some(at(2)));
    }

    #[test]
    fn rules_are_added_replaced_and_taken_out_by_their_id() {
        let row = |permission| AclRow {
            id: AclId::new("1"),
            model: None,
            property: Some("find".to_owned()),
            access: None,
            permission,
            principal_type: PrincipalType::Role,
            principal: "$everyone".to_owned(),
        };
        let state = AccessState::default()
            .with_row(row(Permission::Allow))
            .expect("room");
        let state = state.with_row(row(Permission::Deny)).expect("room");
        assert_eq!(*state.rows, [row(Permission::Deny)]);
        let state = state.without_row(&AclId::new("1")).expect("there");
        assert!(state.rows.is_empty());
        assert_eq!(state.without_row(&AclId::new("1")), None);
        assert_eq!(state.revision.number(), 3);
    }
}
