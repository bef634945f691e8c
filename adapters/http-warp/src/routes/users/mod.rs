//! LoopBack's user methods, for every pool: the table, and the way every call takes.

mod administer;
pub mod caller;
mod change;
mod code;
mod create;
mod credentials;
mod exchange;
mod factors;
mod identities;
mod impersonate;
pub(crate) mod input;
mod join;
mod login;
mod magic_link;
pub(crate) mod output;
mod passkeys;
mod password;
mod phone;
mod read;
mod refresh;
mod sessions;
mod sign_token;
mod step_up;
mod totp;
mod verify;

use domain::access::{AccessType, Request as AccessRequest, Subject, permits};
use domain::flow::impersonate::Doing;
use domain::id::PoolName;
use domain::policy::{AclErrorStatus, PoolPolicy, SecondFactor};
use domain::service::{Authenticated, Services};
use http::StatusCode;

use super::{Answer, Matched};
use crate::extract::Request;
use crate::problem::Problem;
use crate::reply::Reply;

/// A user method: its place, LoopBack's name for it, and what it does.
pub struct Method {
    /// HTTP method.
    pub verb: &'static str,
    /// Path below the pool, in lower case as the router compares it.
    pub path: &'static str,
    /// The whole path's pattern, for logs.
    pub pattern: &'static str,
    /// LoopBack's name: what access rules speak of.
    pub property: &'static str,
    /// What kind of access it is.
    pub access: AccessType,
    /// What it does.
    pub run: fn(Call) -> Answer,
}

/// One call of a user method, let in by the access rules.
pub struct Call {
    /// The request, body still unread.
    pub request: Request,
    /// The pool it is about.
    pub pool_name: PoolName,
    /// Who calls, if they are logged in.
    pub caller: Option<Box<Authenticated>>,
    /// Whether they have the role `admin` themselves.
    pub is_admin: bool,
    /// The `{id}` of the path; `me` already replaced.
    pub id: Option<String>,
    /// The `{fk}` of the path: what is named below the user.
    pub fk: Option<String>,
}

impl Call {
    /// The services.
    pub fn services(&self) -> &Services {
        &self.request.app.services
    }

    /// The pool's rules.
    pub fn pool(&self) -> Result<&PoolPolicy, Problem> {
        self.services()
            .pool(&self.pool_name)
            .ok_or_else(|| Problem::internal("a route of a pool that is not there"))
    }

    /// The logged-in caller, for methods that only owners and the authenticated reach.
    pub fn authenticated(&self) -> Result<&Authenticated, Problem> {
        self.caller.as_deref().ok_or_else(Problem::authorization_required)
    }

    /// The caller, if they administer the pool: rules may close to administrators what is theirs, but open it to nobody else.
    pub fn admin(&self) -> Result<&Authenticated, Problem> {
        let caller = self.authenticated()?;
        let admin = self.is_admin.then_some(caller);
        admin.ok_or_else(Problem::authorization_required)
    }

    /// Whether an administrator asks for somebody else's record: what they may do about it is [`administer`]'s.
    pub fn is_about_another(&self) -> bool {
        self.admin().is_ok() && self.owner().is_err()
    }

    /// The caller, if the record asked for is their own. Access rules may open a call to others than the owner; what acts on
    /// the caller's own record must not then act on it in place of the one that was named.
    pub fn owner(&self) -> Result<&Authenticated, Problem> {
        let caller = self.authenticated()?;
        let own = self.id.as_deref() == Some(caller.user.key.id.as_str());
        own.then_some(caller).ok_or_else(Problem::authorization_required)
    }
}

macro_rules! methods {
    ($($verb:literal $path:literal $property:ident $access:ident $run:path;)+) => {
        /// Every user method, open or closed.
        pub const METHODS: &[Method] = &[$(Method {
            verb: $verb,
            path: $path,
            pattern: concat!("/api/{pool}", $path),
            property: stringify!($property),
            access: AccessType::$access,
            run: |call| Box::pin($run(call)),
        }),+];
    };
}

methods! {
    "POST"   ""                          create            Write   create::create;
    "POST"   "/login"                    login             Execute login::login;
    "POST"   "/logout"                   logout            Execute login::logout;
    "POST"   "/requestcode"              requestCode       Execute code::request_code;
    "POST"   "/loginwithcode"            loginWithCode     Execute code::login_with_code;
    "POST"   "/resendcode"               resendCode        Execute code::resend_code;
    "POST"   "/enroltotp"                enrolTotp         Execute totp::enrol_at_login;
    "POST"   "/passkey/options"          passkeyOptions    Execute passkeys::options;
    "POST"   "/loginwithpasskey"         loginWithPasskey  Execute passkeys::login;
    "POST"   "/requestlink"              requestLink       Execute magic_link::request;
    "POST"   "/loginwithlink"            loginWithLink     Execute magic_link::login;
    "POST"   "/refresh"                  refresh           Execute refresh::refresh;
    "POST"   "/revertemail"              revertEmail       Execute verify::revert_email;
    "GET"    "/{id}/factors"             getFactors        Read    factors::list;
    "POST"   "/{id}/factors/totp"        addTotp           Write   totp::begin;
    "POST"   "/{id}/factors/totp/confirm" confirmTotp      Write   totp::confirm;
    "POST"   "/{id}/factors/recovery"    makeRecoveryCodes Write   factors::recovery_codes;
    "POST"   "/{id}/factors/passkey/options" newPasskeyOptions Write passkeys::creation_options;
    "POST"   "/{id}/factors/passkey"     addPasskey        Write   passkeys::add;
    "PATCH"  "/{id}/factors/{fk}"        renameFactor      Write   factors::rename;
    "DELETE" "/{id}/factors/{fk}"        removeFactor      Write   factors::remove;
    "DELETE" "/{id}/devices"             forgetDevices     Write   factors::forget_devices;
    "POST"   "/{id}/stepup"              stepUp            Execute step_up::step_up;
    "POST"   "/{id}/stepup/code"         sendStepUpCode    Execute step_up::send_code;
    "POST"   "/{id}/stepup/options"      stepUpOptions     Execute step_up::options;
    "POST"   "/invite"                   invite            Write   administer::invite;
    "POST"   "/{id}/password-link"       mailPasswordLink  Execute administer::mail_password_link;
    "POST"   "/{id}/unlock"              unlock            Execute administer::unlock;
    "GET"    "/{id}/sessions"            getSessions       Read    sessions::list;
    "DELETE" "/{id}/sessions"            endOtherSessions  Write   sessions::end_others;
    "DELETE" "/{id}/sessions/{fk}"       endSession        Write   sessions::end;
    "POST"   "/{id}/impersonate"         impersonate       Execute impersonate::begin;
    "GET"    "/{id}"                     findById          Read    read::find_by_id;
    "PATCH"  "/{id}"                     patchAttributes   Write   change::patch;
    "PUT"    "/{id}"                     replaceById       Write   change::replace;
    "POST"   "/{id}/replace"             replaceById       Write   change::replace;
    "DELETE" "/{id}"                     deleteById        Write   change::delete;
    "POST"   "/{id}/verify"              verify            Execute verify::verify;
    "GET"    "/confirm"                  confirm           Execute verify::confirm;
    "POST"   "/reset"                    resetPassword     Execute password::reset;
    "POST"   "/change-password"          changePassword    Execute password::change_password;
    "POST"   "/reset-password"           setPassword       Execute password::reset_password;
    "POST"   "/{id}/phone/send-code"     sendPhoneCode     Execute phone::send_code;
    "POST"   "/{id}/phone/confirm"       confirmPhone      Execute phone::confirm;
    "POST"   "/signtoken"                signToken         Execute sign_token::sign_token;
    "POST"   "/exchange"                 exchange          Execute exchange::exchange;
    "POST"   "/join"                     join              Execute join::join;
    "POST"   "/join/send-code"           sendJoinCode      Execute join::send_code;
    "POST"   "/join/decline"             declineJoin       Execute join::decline;
    "GET"    "/{id}/identities"          __get__identities          Read  identities::list;
    "GET"    "/{id}/identities/count"    __count__identities        Read  identities::count;
    "GET"    "/{id}/identities/{fk}"     __findById__identities     Read  identities::find;
    "DELETE" "/{id}/identities/{fk}"     __destroyById__identities  Write identities::unlink;
    "POST"   "/{id}/identities"          __create__identities       Write closed;
    "DELETE" "/{id}/identities"          __delete__identities       Write closed;
    "PUT"    "/{id}/identities/{fk}"     __updateById__identities   Write closed;
    "GET"    "/{id}/credentials"         __get__credentials         Read  credentials::list;
    "GET"    "/{id}/credentials/count"   __count__credentials       Read  credentials::count;
    "GET"    "/{id}/credentials/{fk}"    __findById__credentials    Read  credentials::find;
    "DELETE" "/{id}/credentials/{fk}"    __destroyById__credentials Write credentials::forget;
    "POST"   "/{id}/credentials/{fk}/token" freshToken              Execute credentials::fresh_token;
    "POST"   "/{id}/credentials"         __create__credentials      Write closed;
    "DELETE" "/{id}/credentials"         __delete__credentials      Write closed;
    "PUT"    "/{id}/credentials/{fk}"    __updateById__credentials  Write closed;
    "GET"    ""                          find              Read    administer::find;
    "PUT"    ""                          upsert            Write   closed;
    "PATCH"  ""                          upsert            Write   closed;
    "GET"    "/findone"                  findOne           Read    administer::find_one;
    "GET"    "/count"                    count             Read    administer::count;
    "POST"   "/replaceorcreate"          replaceOrCreate   Write   closed;
    "POST"   "/update"                   updateAll         Write   closed;
    "POST"   "/upsertwithwhere"          upsertWithWhere   Write   closed;
    "GET"    "/change-stream"            createChangeStream Read   closed;
    "POST"   "/change-stream"            createChangeStream Read   closed;
    "HEAD"   "/{id}"                     exists            Read    administer::exists;
    "GET"    "/{id}/exists"              exists            Read    administer::exists;
    "GET"    "/{id}/accesstokens"        __get__accessTokens        Read  closed;
    "POST"   "/{id}/accesstokens"        __create__accessTokens     Write closed;
    "DELETE" "/{id}/accesstokens"        __delete__accessTokens     Write closed;
    "GET"    "/{id}/accesstokens/count"  __count__accessTokens      Read  closed;
    "GET"    "/{id}/accesstokens/{fk}"   __findById__accessTokens   Read  closed;
    "PUT"    "/{id}/accesstokens/{fk}"   __updateById__accessTokens Write closed;
    "DELETE" "/{id}/accesstokens/{fk}"   __destroyById__accessTokens Write closed;
}

/// A method of LoopBack's that stays closed to everybody: it would list or rewrite other people's records.
async fn closed(_: Call) -> Result<Reply, Problem> {
    Err(Problem::authorization_required())
}

/// The way every call takes: who calls, may they, then the method.
pub async fn call(request: Request, matched: Matched) -> Result<Reply, Problem> {
    let (Some(pool_name), Some(method)) = (matched.pool, matched.method) else {
        return Err(Problem::internal("a pool route without a pool"));
    };
    let pool = request
        .app
        .services
        .pool(&pool_name)
        .ok_or_else(|| Problem::internal("no such pool"))?;
    let of_codes = matches!(
        method.property,
        "requestCode" | "loginWithCode" | "resendCode" | "enrolTotp"
    );
    if pool.second_factor == SecondFactor::Off && of_codes {
        return super::api::unknown(request, Matched::default()).await;
    }
    let caller = match caller::of(&request, Some(&pool_name), Doing::Call(method.property)).await? {
        caller::Called::Anonymously => None,
        caller::Called::TooLate => return Err(Problem::expired_token()),
        caller::Called::By(caller) => Some(caller),
    };
    let application = caller::application(&request).await?;
    let own_id = caller.as_ref().map(|caller| caller.user.key.id.as_str());
    let id = match matched.id {
        Some(id) if id == "me" => Some(own_id.ok_or_else(Problem::authorization_required)?.to_owned()),
        other => other,
    };
    let services = &request.app.services;
    let access = services
        .access()
        .await
        .map_err(|error| Problem::of_port(&error))?;
    let subject = Subject::of(
        caller.as_deref().map(|caller| &caller.user),
        application.as_ref(),
        Some(&pool_name),
        &access,
    );
    let wants = AccessRequest {
        model: &pool.model,
        property: method.property,
        access: method.access,
    };
    let rules = request.app.rules.of_pool(&pool_name);
    if !permits(rules, &access, wants, subject.caller(id.as_deref(), None)) {
        return Err(refused(pool, caller.is_some(), id.as_deref()));
    }
    let is_admin = subject.is_admin();
    (method.run)(Call {
        request,
        pool_name,
        caller,
        is_admin,
        id,
        fk: matched.fk,
    })
    .await
}

/// What a caller hears whom the rules refuse; token holders as the pool's `acl_error_status` says.
fn refused(pool: &PoolPolicy, has_token: bool, id: Option<&str>) -> Problem {
    match pool.acl_error_status {
        AclErrorStatus::Forbidden if has_token => {
            Problem::new(StatusCode::FORBIDDEN, "Access Denied").coded("ACCESS_DENIED")
        }
        AclErrorStatus::NotFound if has_token => {
            let sentence = id.map_or_else(
                || format!("could not find {}", pool.model),
                |_| format!("could not find {} with that id", pool.model),
            );
            Problem::not_found(sentence).coded("MODEL_NOT_FOUND")
        }
        AclErrorStatus::Unauthorized | AclErrorStatus::Forbidden | AclErrorStatus::NotFound => {
            Problem::authorization_required()
        }
    }
}
