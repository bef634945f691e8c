//! Roles and stored access rules. Who has a role: `mappings`.

use super::{STALE_RETRIES, Services};
use crate::access::{AccessState, AclRow, Role};
use crate::audit::{Actor, AuditEvent, AuditKind};
use crate::error::{Denial, DomainError};
use crate::id::{AclId, RoleId, RoleName, UserKey};
use crate::ports::PortError;
use crate::user::User;

impl Services {
    /// The roles and rules as they are now: a change counts at once on every node.
    ///
    /// # Errors
    /// A store that does not answer: then nothing may be allowed by them.
    pub async fn access(&self) -> Result<AccessState, PortError> {
        Ok(self.ports.access.read_access(None).await?.unwrap_or_default())
    }

    /// The names of all roles of a user: those that accounts elsewhere give, those given by hand, and those that roles give.
    ///
    /// # Errors
    /// A store that does not answer.
    pub async fn roles_of(&self, user: &User) -> Result<Vec<RoleName>, PortError> {
        if user.mappings.is_empty() {
            return Ok(user.roles());
        }
        Ok(self.access().await?.roles_of(user))
    }

    /// Makes a role.
    ///
    /// # Errors
    /// Those of [`AccessState::with_role`]; ports that do not answer.
    pub async fn create_role(
        &self,
        name: &RoleName,
        description: Option<String>,
        by: Actor,
    ) -> Result<Role, DomainError> {
        let now = self.ports.clock.now();
        let role = Role {
            id: RoleId::draw(now, self.ports.entropy.open().as_mut()),
            name: name.clone(),
            description,
            mappings: Vec::new(),
            created: now,
            modified: now,
        };
        self.change_access(|state| state.with_role(role.clone()).map(Some))
            .await?;
        let detail = format!("{} {}", role.id, role.name);
        self.note_access(AuditKind::RoleCreated, None, by, detail).await?;
        Ok(role)
    }

    /// Renames a role, or describes it anew; none where there is none of that id.
    ///
    /// # Errors
    /// As [`Services::create_role`].
    pub async fn change_role(
        &self,
        id: &RoleId,
        name: &RoleName,
        description: Option<String>,
        by: Actor,
    ) -> Result<Option<Role>, DomainError> {
        let now = self.ports.clock.now();
        let change =
            |state: &AccessState| state.with_role_changed(id, name.clone(), description.clone(), now);
        let Some(state) = self.change_access(change).await? else {
            return Ok(None);
        };
        let detail = format!("{id} {name}");
        self.note_access(AuditKind::RoleChanged, None, by, detail).await?;
        Ok(state.role(id).cloned())
    }

    /// Deletes a role, and says whether there was one. What people have of it gives nothing from this moment on.
    ///
    /// # Errors
    /// Ports that do not answer.
    pub async fn delete_role(&self, id: &RoleId, by: Actor) -> Result<bool, DomainError> {
        let changed = self.change_access(|state| Ok(state.without_role(id))).await?;
        if changed.is_some() {
            self.note_access(AuditKind::RoleDeleted, None, by, id.to_string())
                .await?;
        }
        Ok(changed.is_some())
    }

    /// An id for a new rule.
    pub fn draw_rule_id(&self) -> AclId {
        AclId::draw(self.ports.clock.now(), self.ports.entropy.open().as_mut())
    }

    /// Stores a rule, in place of the one of its id if there is one.
    ///
    /// # Errors
    /// Those of [`AccessState::with_row`]; ports that do not answer.
    pub async fn put_rule(&self, row: &AclRow, by: Actor) -> Result<(), DomainError> {
        self.change_access(|state| state.with_row(row.clone()).map(Some))
            .await?;
        self.note_access(AuditKind::AclChanged, None, by, row.id.to_string())
            .await
    }

    /// Deletes a stored rule, and says whether there was one.
    ///
    /// # Errors
    /// Ports that do not answer.
    pub async fn delete_rule(&self, id: &AclId, by: Actor) -> Result<bool, DomainError> {
        let changed = self.change_access(|state| Ok(state.without_row(id))).await?;
        if changed.is_some() {
            self.note_access(AuditKind::AclChanged, None, by, id.to_string())
                .await?;
        }
        Ok(changed.is_some())
    }

    /// Every role there is, in the order they were made.
    ///
    /// # Errors
    /// A store that does not answer.
    pub async fn roles(&self) -> Result<Vec<Role>, DomainError> {
        Ok(self.access().await?.roles.to_vec())
    }

    /// Every stored rule, in the order they were made.
    ///
    /// # Errors
    /// A store that does not answer.
    pub async fn rules(&self) -> Result<Vec<AclRow>, DomainError> {
        Ok(self.access().await?.rows.to_vec())
    }

    /// Decides a change on what is stored now, again when somebody was faster; none where the change is none.
    pub(super) async fn change_access(
        &self,
        change: impl Fn(&AccessState) -> Result<Option<AccessState>, Denial> + Sync,
    ) -> Result<Option<AccessState>, DomainError> {
        for _ in 0..STALE_RETRIES {
            let state = self.access().await?;
            let Some(next) = change(&state)? else {
                return Ok(None);
            };
            match self.ports.access.commit_access(&next, state.revision).await {
                Ok(()) => return Ok(Some(next)),
                Err(PortError::Stale) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(PortError::Stale.into())
    }

    pub(super) async fn note_access(
        &self,
        kind: AuditKind,
        about: Option<UserKey>,
        by: Actor,
        detail: String,
    ) -> Result<(), DomainError> {
        let now = self.ports.clock.now();
        let event = AuditEvent::of_server(now, kind, about, by).about(detail);
        Ok(self.note(&event).await?)
    }
}
