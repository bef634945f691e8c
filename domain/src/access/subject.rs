//! Who asks, as rules name them: a user, an application, or one in the name of the other.

use super::{ADMIN, AccessState, Caller};
use crate::application::Application;
use crate::id::{PoolName, RoleName};
use crate::user::User;

/// Who asks. Where an application asks for a user, both count, as in LoopBack: a rule fits if it names either, and the roles of both are
/// theirs together. To administer users is more than a rule opens, and takes a person who may ([`Subject::is_admin`]).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Subject {
    user: Option<String>,
    application: Option<String>,
    roles: Vec<RoleName>,
    is_admin: bool,
}

impl Subject {
    /// Whoever asks for something of one pool; of none where rules name nobody by an id. The user is called by their id if they are of
    /// that pool; of any other, by its name before it (`Employees/7`): two people may share an id.
    pub fn of(
        user: Option<&User>,
        application: Option<&Application>,
        asked: Option<&PoolName>,
        access: &AccessState,
    ) -> Self {
        let own = user.map(|user| access.roles_of(user)).unwrap_or_default();
        let is_admin = own.iter().any(|role| role.as_str() == ADMIN);
        let mut roles = own;
        roles.extend(
            application
                .into_iter()
                .flat_map(|application| access.names(&application.mappings)),
        );
        roles.sort();
        roles.dedup();
        Self {
            user: user.map(|user| called(user, asked)),
            application: application.map(|application| application.id.to_string()),
            roles,
            is_admin,
        }
    }

    /// Whoever asks for something of the server's own models. They are for the users of one pool, the one that administers: what others
    /// are given in their pool is theirs there, and counts for nothing here. Applications belong to no pool.
    pub fn of_server(
        user: Option<&User>,
        application: Option<&Application>,
        admins: Option<&PoolName>,
        access: &AccessState,
    ) -> Self {
        let is_of_them = user.is_some_and(|user| admins == Some(&user.key.pool));
        if is_of_them {
            return Self::of(user, application, admins, access);
        }
        Self {
            user: user.map(|user| called(user, admins)),
            ..Self::of(None, application, admins, access)
        }
    }

    /// Every role that counts, each once, in order.
    pub fn roles(&self) -> &[RoleName] {
        &self.roles
    }

    /// Whether the user has the role `admin` themselves: an application that has it lends it to nobody.
    pub const fn is_admin(&self) -> bool {
        self.is_admin
    }

    /// Whether that is the user's id.
    fn is(&self, id: Option<&str>) -> bool {
        id.is_some() && self.user.as_deref() == id
    }

    /// As [`super::permits`] takes them: whether they own the record, and whether it names them. Records belong to people: an application
    /// owns none.
    pub fn caller(&self, owner: Option<&str>, related: Option<&str>) -> Caller<'_> {
        Caller {
            user: self.user.as_deref(),
            application: self.application.as_deref(),
            owner: self.is(owner),
            related: self.is(related),
            roles: &self.roles,
        }
    }
}

/// What rules call a user, where those of a pool are asked.
fn called(user: &User, asked: Option<&PoolName>) -> String {
    let key = &user.key;
    if asked == Some(&key.pool) {
        key.id.to_string()
    } else {
        format!("{}/{}", key.pool, key.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::{Role, RoleMapping};
    use crate::application::ApplicationDetails;
    use crate::id::{ApplicationId, RoleId, RoleMappingId, UserId, UserKey};
    use crate::time::Timestamp;
    use crate::user::Revision;

    const NOW: Timestamp = Timestamp::from_millis(1);

    fn pool(name: &str) -> PoolName {
        PoolName::new(name)
    }

    fn access() -> AccessState {
        ["admin", "clerk", "reader"]
            .into_iter()
            .fold(AccessState::default(), |state, name| {
                let role = Role {
                    id: RoleId::new(name),
                    name: RoleName::new(name),
                    description: None,
                    mappings: Vec::new(),
                    created: NOW,
                    modified: NOW,
                };
                state.with_role(role).expect("a good name")
            })
    }

    fn given(role: &str) -> RoleMapping {
        RoleMapping {
            id: RoleMappingId::new(role),
            role: RoleId::new(role),
            created: NOW,
        }
    }

    fn user(of: &str, roles: &[&str]) -> User {
        let mut user = User::blank(UserKey::new(pool(of), UserId::new("7")), NOW);
        user.mappings = roles.iter().map(|role| given(role)).collect::<Vec<_>>().into();
        user
    }

    fn shop(roles: &[&str]) -> Application {
        Application {
            id: ApplicationId::new("shop"),
            revision: Revision::default(),
            name: "shop".to_owned(),
            keys: Vec::new(),
            credentials: Vec::new(),
            mappings: roles.iter().map(|role| given(role)).collect(),
            disabled: None,
            details: ApplicationDetails::default(),
            created: NOW,
            modified: NOW,
        }
    }

    fn names(subject: &Subject) -> Vec<&str> {
        subject.roles().iter().map(RoleName::as_str).collect()
    }

    #[test]
    fn nobody_is_nobody() {
        let nobody = Subject::of(None, None, Some(&pool("Users")), &access());
        assert_eq!(nobody, Subject::default());
        assert_eq!(nobody.caller(Some("7"), Some("7")), Caller::default());
        assert_eq!(
            nobody.caller(None, None),
            Caller::default(),
            "no id is not nobody's"
        );
    }

    #[test]
    fn a_user_is_called_by_the_id_in_their_own_pool_alone() {
        let ann = user("Users", &["clerk"]);
        let here = Subject::of(Some(&ann), None, Some(&pool("Users")), &access());
        assert_eq!(here.caller(None, None).user, Some("7"));
        assert!(here.caller(Some("7"), None).owner && here.caller(None, Some("7")).related);
        for asked in [Some(pool("Employees")), None] {
            let there = Subject::of(Some(&ann), None, asked.as_ref(), &access());
            assert_eq!(there.caller(None, None).user, Some("Users/7"));
            assert!(!there.caller(Some("7"), None).owner);
        }
    }

    #[test]
    fn an_application_counts_by_itself_and_owns_nothing() {
        let subject = Subject::of(
            None,
            Some(&shop(&["reader", "gone"])),
            Some(&pool("Users")),
            &access(),
        );
        let caller = subject.caller(Some("shop"), Some("shop"));
        assert_eq!((caller.user, caller.application), (None, Some("shop")));
        assert!(!caller.owner && !caller.related);
        assert_eq!(names(&subject), ["reader"]);
    }

    #[test]
    fn roles_of_user_and_application_are_theirs_together() {
        let ann = user("Users", &["clerk", "reader"]);
        let both = Subject::of(
            Some(&ann),
            Some(&shop(&["reader", "admin"])),
            Some(&pool("Users")),
            &access(),
        );
        assert_eq!(names(&both), ["admin", "clerk", "reader"]);
        assert!(!both.is_admin(), "an application lends nobody its office");
        let root = user("Users", &["admin"]);
        assert!(Subject::of(Some(&root), Some(&shop(&[])), None, &access()).is_admin());
    }

    #[test]
    fn the_servers_own_models_are_for_administrators_of_one_pool() {
        let admins = pool("Users");
        let of = |user: &User, application: Option<&Application>| {
            Subject::of_server(Some(user), application, Some(&admins), &access())
        };
        assert_eq!(names(&of(&user("Users", &["admin"]), None)), ["admin"]);
        let stranger = of(&user("Employees", &["admin"]), None);
        assert!(names(&stranger).is_empty() && !stranger.is_admin());
        assert_eq!(stranger.caller(None, None).user, Some("Employees/7"));
        let by_shop = of(&user("Employees", &["admin"]), Some(&shop(&["reader"])));
        assert_eq!(
            names(&by_shop),
            ["reader"],
            "the application's own count all the same"
        );
        let nowhere = Subject::of_server(Some(&user("Users", &["admin"])), None, None, &access());
        assert!(
            names(&nowhere).is_empty(),
            "where no pool administers, nobody does"
        );
    }
}
