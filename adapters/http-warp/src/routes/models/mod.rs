//! The server's own models, as LoopBack has them: roles, who has them, access rules, client applications. The table, and the way every call takes.

mod acl;
mod application;
mod audit_event;
pub mod filter;
mod role;
mod role_mapping;

use domain::access::{AccessType, Request as AccessRequest, Subject, permits};
use domain::application::Application;
use domain::audit::Actor;
use domain::error::{Denial, DomainError, Fault};
use domain::flow::impersonate::Doing;
use domain::service::{Authenticated, Services};
use http::StatusCode;
use serde_json::{Value, json};

use super::users::caller;
use super::users::input::Input;
use super::users::output;
use super::{Answer, Matched};
use crate::extract::Request;
use crate::extract::query::Query;
use crate::problem::Problem;
use crate::reply::Reply;
use filter::{Filter, Where};

/// Longest text of a property, in bytes.
const LONGEST: usize = 1000;

/// A method of one of these models.
pub struct Method {
    /// The model, as access rules name it.
    pub model: &'static str,
    /// HTTP method.
    pub verb: &'static str,
    /// The whole path, in lower case as the router compares it.
    pub path: &'static str,
    /// LoopBack's name.
    pub property: &'static str,
    /// What kind of access it is.
    pub access: AccessType,
    /// What it does.
    pub run: fn(Call) -> Answer,
}

impl Method {
    /// The collection in its path.
    pub fn collection(&self) -> &'static str {
        self.path.split('/').nth(2).unwrap_or_default()
    }
}

/// One call, let in by the access rules.
pub struct Call {
    /// The request, body still unread.
    pub request: Request,
    /// What is called.
    pub method: &'static Method,
    /// Who calls, if they are logged in.
    pub caller: Option<Box<Authenticated>>,
    /// The application that calls, if one proved itself.
    pub application: Option<Application>,
    /// The `{id}` of the path.
    pub id: String,
    /// The `{fk}` of the path.
    pub fk: String,
}

impl Call {
    /// The services.
    pub fn services(&self) -> &Services {
        &self.request.app.services
    }

    /// Who is written down to have done it.
    pub fn actor(&self) -> Actor {
        let (caller, application) = (self.caller.as_ref(), self.application.as_ref());
        let person = caller.map(|caller| Actor::User(caller.user.key.clone()));
        let program = || application.map(|application| Actor::Application(application.id.clone()));
        person.or_else(program).unwrap_or_default()
    }

    /// What the query says.
    pub fn query(&self) -> Query {
        Query::parse(&self.request.query)
    }

    /// The body; an id in it must be the path's, where the path has one.
    pub async fn input(&mut self) -> Result<Input, Problem> {
        let mut input = Input::read(&mut self.request).await?;
        match input.id()? {
            None => {}
            Some(other) if self.id.is_empty() => {
                let fault = fault("id", "absence", "can't be set", Some(other));
                return Err(self.problem(Denial::Invalid(vec![fault]).into()));
            }
            Some(other) if other == self.id => {}
            Some(_) => {
                let sentence = "id cannot be updated when forceId is set to true";
                return Err(Problem::bad_request(sentence));
            }
        }
        Ok(input)
    }

    /// A service's error, in the words of the model.
    pub fn problem(&self, error: DomainError) -> Problem {
        match error {
            DomainError::Denied(denial) => Problem::of_denial(&denial, self.method.model),
            DomainError::Port(error) => Problem::of_port(&error),
        }
    }

    /// 422 for one property.
    pub fn invalid(&self, property: &'static str, code: &'static str, message: &'static str) -> Problem {
        let fault = fault(property, code, message, None);
        self.problem(Denial::Invalid(vec![fault]).into())
    }

    /// 404 for an id that names nothing.
    pub fn unknown(&self) -> Problem {
        unknown(self.method.model, &self.id)
    }

    /// 200 with the records that the filter asks for.
    pub fn found(&self, records: Vec<Value>) -> Result<Reply, Problem> {
        let filter = Filter::of(&self.query())?;
        Ok(Reply::json(StatusCode::OK, &filter.apply(records)))
    }

    /// 200 with the first of them.
    pub fn found_one(&self, records: Vec<Value>) -> Result<Reply, Problem> {
        let first = Filter::of(&self.query())?.apply(records).into_iter().next();
        let none = || unknown(self.method.model, "undefined");
        Ok(Reply::json(StatusCode::OK, &first.ok_or_else(none)?))
    }

    /// 200 with how many fit `where`.
    pub fn counted(&self, records: &[Value]) -> Result<Reply, Problem> {
        let condition = Where::alone(&self.query())?;
        let count = records.iter().filter(|record| condition.fits(record)).count();
        Ok(Reply::json(StatusCode::OK, &json!({ "count": count })))
    }

    /// 200 with one record, or 404.
    pub fn record(&self, record: Option<Value>) -> Result<Reply, Problem> {
        let record = record.ok_or_else(|| self.unknown())?;
        Ok(Reply::json(
            StatusCode::OK,
            &output::Selection::of(&self.query())?.pick(record),
        ))
    }

    /// Whether there is one: as a body, or by the status alone for `HEAD`.
    pub fn exists(&self, exists: bool) -> Result<Reply, Problem> {
        if self.request.method == http::Method::HEAD {
            return exists
                .then(|| Reply::empty(StatusCode::OK))
                .ok_or_else(|| self.unknown());
        }
        Ok(Reply::json(StatusCode::OK, &json!({ "exists": exists })))
    }

    /// LoopBack's answer to a deletion.
    pub fn deleted(was_there: bool) -> Reply {
        Reply::json(StatusCode::OK, &json!({ "count": u8::from(was_there) }))
    }
}

/// A text of a body that is short enough to keep; numbers are texts, for LoopBack's ids are.
pub fn short_text(input: &mut Input, name: &'static str) -> Result<Option<String>, Problem> {
    let text = input.text_or_number(name)?;
    if text.as_ref().is_some_and(|text| text.len() > LONGEST) {
        return Err(Problem::bad_request(format!("{name} is too long")));
    }
    Ok(text)
}

fn fault(property: &'static str, code: &'static str, message: &'static str, value: Option<String>) -> Fault {
    Fault {
        property,
        code,
        message,
        value,
    }
}

/// 404 as LoopBack says it; an id that is no plain word is not repeated.
fn unknown(model: &str, id: &str) -> Problem {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
    let shown = if id.len() <= 64 && id.bytes().all(plain) {
        id
    } else {
        ""
    };
    Problem::not_found(format!("Unknown \"{model}\" id \"{shown}\".")).coded("MODEL_NOT_FOUND")
}

macro_rules! methods {
    ($($model:ident { $($verb:literal $path:literal $property:ident $access:ident $run:path;)+ })+) => {
        /// Every method of the server's own models.
        pub const METHODS: &[Method] = &[$($(Method {
            model: stringify!($model),
            verb: $verb,
            path: $path,
            property: stringify!($property),
            access: AccessType::$access,
            run: |call| Box::pin($run(call)),
        }),+),+];
    };
}

methods! {
    Role {
        "GET"    "/api/roles"                       find                      Read  role::find;
        "POST"   "/api/roles"                       create                    Write role::create;
        "GET"    "/api/roles/findone"               findOne                   Read  role::find_one;
        "GET"    "/api/roles/count"                 count                     Read  role::count;
        "GET"    "/api/roles/{id}"                  findById                  Read  role::find_by_id;
        "HEAD"   "/api/roles/{id}"                  exists                    Read  role::exists;
        "GET"    "/api/roles/{id}/exists"           exists                    Read  role::exists;
        "PATCH"  "/api/roles/{id}"                  patchAttributes           Write role::patch;
        "PUT"    "/api/roles/{id}"                  replaceById               Write role::replace;
        "POST"   "/api/roles/{id}/replace"          replaceById               Write role::replace;
        "DELETE" "/api/roles/{id}"                  deleteById                Write role::delete;
        "GET"    "/api/roles/{id}/principals"       __get__principals         Read  role::principals;
        "POST"   "/api/roles/{id}/principals"       __create__principals      Write role::give;
        "GET"    "/api/roles/{id}/principals/count" __count__principals       Read  role::count_principals;
        "GET"    "/api/roles/{id}/principals/{fk}"  __findById__principals    Read  role::principal;
        "DELETE" "/api/roles/{id}/principals/{fk}"  __destroyById__principals Write role::take;
    }
    RoleMapping {
        "GET"    "/api/rolemappings"             find        Read  role_mapping::find;
        "POST"   "/api/rolemappings"             create      Write role_mapping::create;
        "GET"    "/api/rolemappings/findone"     findOne     Read  role_mapping::find_one;
        "GET"    "/api/rolemappings/count"       count       Read  role_mapping::count;
        "GET"    "/api/rolemappings/{id}"        findById    Read  role_mapping::find_by_id;
        "HEAD"   "/api/rolemappings/{id}"        exists      Read  role_mapping::exists;
        "GET"    "/api/rolemappings/{id}/exists" exists      Read  role_mapping::exists;
        "DELETE" "/api/rolemappings/{id}"        deleteById  Write role_mapping::delete;
        "GET"    "/api/rolemappings/{id}/role"   __get__role Read  role_mapping::role;
    }
    ACL {
        "GET"    "/api/acls"              find            Read  acl::find;
        "POST"   "/api/acls"              create          Write acl::create;
        "GET"    "/api/acls/findone"      findOne         Read  acl::find_one;
        "GET"    "/api/acls/count"        count           Read  acl::count;
        "GET"    "/api/acls/{id}"         findById        Read  acl::find_by_id;
        "HEAD"   "/api/acls/{id}"         exists          Read  acl::exists;
        "GET"    "/api/acls/{id}/exists"  exists          Read  acl::exists;
        "PATCH"  "/api/acls/{id}"         patchAttributes Write acl::patch;
        "PUT"    "/api/acls/{id}"         replaceById     Write acl::replace;
        "POST"   "/api/acls/{id}/replace" replaceById     Write acl::replace;
        "DELETE" "/api/acls/{id}"         deleteById      Write acl::delete;
    }
    AuditEvent {
        "GET"    "/api/auditevents"       find            Read  audit_event::find;
    }
    Application {
        "GET"    "/api/applications"                find            Read    application::find;
        "POST"   "/api/applications"                create          Write   application::create;
        "POST"   "/api/applications/register"       register        Write   application::create;
        "POST"   "/api/applications/authenticate"   authenticate    Execute application::authenticate;
        "GET"    "/api/applications/findone"        findOne         Read    application::find_one;
        "GET"    "/api/applications/count"          count           Read    application::count;
        "GET"    "/api/applications/{id}"           findById        Read    application::find_by_id;
        "HEAD"   "/api/applications/{id}"           exists          Read    application::exists;
        "GET"    "/api/applications/{id}/exists"    exists          Read    application::exists;
        "PATCH"  "/api/applications/{id}"           patchAttributes Write   application::patch;
        "PUT"    "/api/applications/{id}"           replaceById     Write   application::replace;
        "POST"   "/api/applications/{id}/replace"   replaceById     Write   application::replace;
        "DELETE" "/api/applications/{id}"           deleteById      Write   application::delete;
        "POST"   "/api/applications/{id}/resetkeys" resetKeys       Write   application::reset_keys;
    }
}

/// The way every call takes: who calls, may they, then the method.
pub async fn call(request: Request, matched: Matched) -> Result<Reply, Problem> {
    let method = matched
        .model
        .ok_or_else(|| Problem::internal("a model route without a method"))?;
    let caller = match caller::of(&request, None, Doing::Act).await? {
        caller::Called::Anonymously => None,
        caller::Called::TooLate => return Err(Problem::expired_token()),
        caller::Called::By(caller) => Some(caller),
    };
    let application = caller::application(&request).await?;
    let app = &request.app;
    let access = app.services.access().await;
    let access = access.map_err(|error| Problem::of_port(&error))?;
    let policy = app.services.policy();
    let wants = AccessRequest {
        model: method.model,
        property: method.property,
        access: method.access,
    };
    let rules = app.rules.about(policy, method.model, None);
    let user = caller.as_deref().map(|caller| &caller.user);
    let subject = Subject::of_server(user, application.as_ref(), policy.admin_pool(), &access);
    if !permits(rules, &access, wants, subject.caller(None, None)) {
        return Err(Problem::authorization_required());
    }
    output::acceptable(&request)?;
    (method.run)(Call {
        request,
        method,
        caller,
        application,
        id: matched.id.unwrap_or_default(),
        fk: matched.fk.unwrap_or_default(),
    })
    .await
}
