//! Rules for requests that somebody else serves: what a proxy asks in its query, what a service asks in bulk.

use domain::access::{AccessState, AccessType, Request as AccessRequest, Subject, permits};
use domain::id::PoolName;

use crate::App;
use crate::extract::query::Query;
use crate::problem::Problem;

/// Longest name of a model or method, in bytes.
const LONGEST: usize = 200;

/// What is asked about one request: may they do this?
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// The model.
    pub model: String,
    /// The method.
    pub property: String,
    /// The kind of access.
    pub access: AccessType,
}

impl Asked {
    /// From LoopBack's three words.
    pub fn of(model: &str, property: &str, access: &str) -> Option<Self> {
        let sound = |name: &str| {
            !name.is_empty() && name != "*" && name.len() <= LONGEST && !name.chars().any(char::is_control)
        };
        let access = AccessType::parse(access)?;
        (sound(model) && sound(property)).then(|| Self {
            model: model.to_owned(),
            property: property.to_owned(),
            access,
        })
    }

    /// `Model:property:ACCESS`.
    fn parse(text: &str) -> Option<Self> {
        let (model, rest) = text.split_once(':')?;
        let (property, access) = rest.split_once(':')?;
        Self::of(model, property, access)
    }

    /// Whether the rules let somebody do it.
    pub fn is_permitted(
        &self,
        app: &App,
        access: &AccessState,
        subject: &Subject,
        record: &Record<'_>,
    ) -> bool {
        let policy = app.services.policy();
        let wants = AccessRequest {
            model: &self.model,
            property: &self.property,
            access: self.access,
        };
        let caller = subject.caller(record.owner, record.related);
        let rules = app.rules.about(policy, &self.model, record.pool);
        permits(rules, access, wants, caller)
    }
}

/// The record that is asked about.
#[derive(Clone, Copy, Debug, Default)]
pub struct Record<'a> {
    /// The user who owns it.
    pub owner: Option<&'a str>,
    /// A user whom it names.
    pub related: Option<&'a str>,
    /// The pool whose ids those are.
    pub pool: Option<&'a PoolName>,
}

/// What a proxy's query asks beyond a live session. Everything it names must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Guard {
    /// One of these roles, for each time that `role` stands there.
    roles: Vec<Vec<String>>,
    /// May do all of this.
    asked: Vec<Asked>,
    owner: Option<String>,
    related: Option<String>,
    /// A session of this pool.
    pub pool: Option<PoolName>,
    /// A signed token for this service is to come along.
    pub jwt: Option<String>,
}

impl Guard {
    /// Reads a query. What cannot be read is refused: a rule that says less than it means would open the wrong door.
    ///
    /// # Errors
    /// 400 for parameters that are unknown, doubled or say nothing.
    pub fn of(query: &Query, pools: impl Fn(&str) -> Option<PoolName>) -> Result<Self, Problem> {
        let mut guard = Self::default();
        for (name, value) in query.pairs() {
            let refused = || Problem::bad_request(format!("{name} cannot be read"));
            let once = |place: &mut Option<String>| {
                if value.is_empty() || place.replace(value.clone()).is_some() {
                    return Err(refused());
                }
                Ok(())
            };
            match name.as_str() {
                "role" => guard.roles.push(names(value).ok_or_else(refused)?),
                "acl" => guard.asked.push(Asked::parse(value).ok_or_else(refused)?),
                "owner" => once(&mut guard.owner)?,
                "related" => once(&mut guard.related)?,
                "jwt" => once(&mut guard.jwt)?,
                "pool" if guard.pool.is_none() => guard.pool = Some(pools(value).ok_or_else(refused)?),
                // A token may come along, where the settings let it.
                "access_token" => {}
                _ => {
                    return Err(Problem::bad_request(
                        "the rule cannot be read: unknown or doubled name",
                    ));
                }
            }
        }
        let about_record = guard.owner.is_some() || guard.related.is_some();
        if about_record && guard.asked.is_empty() {
            return Err(Problem::bad_request(
                "owner and related say whose record acl is about",
            ));
        }
        Ok(guard)
    }

    /// Whether nothing but a live session is asked for.
    pub fn is_plain(&self) -> bool {
        *self == Self::default()
    }

    /// Whether somebody must be logged in: an application alone may have a role, and what the rules say, but is of no pool, and no token is
    /// signed for it.
    pub fn wants_a_session(&self) -> bool {
        self.jwt.is_some() || (self.asked.is_empty() && (self.roles.is_empty() || self.pool.is_some()))
    }

    /// Whether it lets somebody through.
    pub fn lets(&self, app: &App, access: &AccessState, subject: &Subject) -> bool {
        let has = |name: &String| subject.roles().iter().any(|role| role.as_str() == name);
        let record = Record {
            owner: self.owner.as_deref(),
            related: self.related.as_deref(),
            pool: self.pool.as_ref(),
        };
        self.roles.iter().all(|any| any.iter().any(has))
            && self
                .asked
                .iter()
                .all(|asked| asked.is_permitted(app, access, subject, &record))
    }
}

/// Names by commas; a comma within one is percent-encoded, as `X-User-Roles` writes it. What follows from the request is no role of theirs.
fn names(list: &str) -> Option<Vec<String>> {
    let names: Vec<String> = list
        .split(',')
        .map(|name| name.trim().replace("%2C", ",").replace("%25", "%"))
        .collect();
    let sound = |name: &String| !name.is_empty() && !name.starts_with('$') && name.len() <= LONGEST;
    names.iter().all(sound).then_some(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(query: &str) -> Option<Guard> {
        let pools = |name: &str| (name == "Users").then(|| PoolName::new(name));
        Guard::of(&Query::parse(query), pools).ok()
    }

    #[test]
    fn roles_are_any_of_a_list_and_all_of_several() {
        let guard = read("role=clerk,boss&role=admin").unwrap();
        assert_eq!(guard.roles, [vec!["clerk", "boss"], vec!["admin"]]);
        assert_eq!(
            read("role=a%252Cb%2525").unwrap().roles,
            [vec!["a,b%"]],
            "as X-User-Roles writes it"
        );
    }

    #[test]
    fn an_acl_is_three_words_and_may_be_about_a_record() {
        let guard = read("acl=Order:find:READ&owner=7&pool=Users").unwrap();
        assert_eq!(guard.asked, [Asked::of("Order", "find", "READ").unwrap()]);
        assert_eq!(guard.owner.as_deref(), Some("7"));
        assert!(!guard.is_plain());
        assert!(read("").unwrap().is_plain());
        assert!(read("access_token=x").unwrap().is_plain());
        for (query, wants) in [
            ("", true),
            ("pool=Users", true),
            ("role=a&pool=Users", true),
            ("role=a", false),
            ("acl=A:b:READ", false),
            ("acl=A:b:READ&pool=Users", false),
            ("acl=A:b:READ&jwt=orders", true),
        ] {
            assert_eq!(read(query).unwrap().wants_a_session(), wants, "{query}");
        }
        assert!(
            !read("jwt=orders").unwrap().is_plain(),
            "what is signed is read as it is now"
        );
    }

    #[test]
    fn what_cannot_be_read_is_refused_never_left_out() {
        for query in [
            "role=",
            "role=a,,b",
            "role=$everyone",
            "acl=",
            "acl=Order",
            "acl=Order:find",
            "acl=Order:find:read",
            "acl=Order:*:READ",
            "acl=*:find:READ",
            "acl=Order:find:READ:7",
            "acl=Order:find:READ&owner=",
            "acl=Order:find:READ&owner=1&owner=2",
            "owner=1",
            "related=1",
            "pool=Nobody",
            "pool=Users&pool=Users",
            "jwt=",
            "jwt=orders&jwt=mail",
            "rol=admin",
            "Role=admin",
        ] {
            assert_eq!(read(query), None, "{query}");
        }
    }
}
