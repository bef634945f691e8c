//! Signing up: check what was sent, look its keys up, hash the password, make the user.
//!
//! ```text
//! Start ──Submitted──▶ CheckKeys ──KeysLookedUp──▶ HashPassword ──PasswordHashed──▶ Created ──KeyTaken──▶ (refused, or Created where takings are hidden)
//! ```

use serde_json::{Map, Value};

use super::verify_contact::verification_mail;
use super::{Advanced, Ctx, Effect, Refused, Step};
use crate::audit::AuditKind;
use crate::credential::{Password, PasswordHash};
use crate::error::{Denial, Fault};
use crate::id::{UserId, UserKey};
use crate::limits::Verdict;
use crate::message::MailKind;
use crate::ports::UniqueKey;
use crate::user::{Attributes, Email, Phone, User, Username, is_realm};

/// What somebody sends to become a user; texts as they came.
#[derive(Clone, Debug, Default)]
pub struct NewUser {
    /// Kept only where the pool has realms.
    pub realm: Option<String>,
    /// Optional name to log in with.
    pub username: Option<String>,
    /// Required.
    pub email: Option<String>,
    /// Optional number for codes.
    pub phone: Option<String>,
    /// Required.
    pub password: Option<Password>,
    /// Everything else.
    pub attributes: Map<String, Value>,
}

/// Where a sign-up stands.
#[derive(Clone, Debug)]
pub enum SignUp {
    /// Nothing was sent yet.
    Start,
    /// What was sent is sound; whether its keys are free is to be looked up.
    CheckKeys(Box<Draft>),
    /// The password is to be hashed.
    HashPassword(Box<Draft>),
    /// The user is made, or (where sign-up hides takings) looks made.
    Created(Box<User>),
}

/// A sound user without its hash.
#[derive(Clone, Debug)]
pub struct Draft {
    /// The user to be.
    pub user: User,
    /// The password to hash.
    pub password: Password,
    /// Who already holds the address, where that must not show.
    holder: Option<User>,
}

/// What happened.
#[derive(Clone, Debug)]
pub enum SignUpEvent {
    /// Somebody sent their data, and the counter said this.
    Submitted {
        /// The data.
        form: Box<NewUser>,
        /// What the counter said.
        verdict: Verdict,
    },
    /// Who holds the keys of the draft.
    KeysLookedUp {
        /// The user with this e-mail key.
        email_holder: Option<Box<User>>,
        /// Whether the username is taken.
        username_taken: bool,
    },
    /// The password was hashed.
    PasswordHashed {
        /// The hash.
        hash: PasswordHash,
        /// Whether a mail to the address may be sent now.
        mail: Verdict,
    },
    /// Somebody else was faster: the store refused the key.
    KeyTaken(UniqueKey),
}

/// One step of a sign-up.
pub fn step(state: SignUp, event: SignUpEvent, cx: &mut Ctx<'_>) -> Step<SignUp> {
    match (state, event) {
        (SignUp::Start, SignUpEvent::Submitted { form, verdict }) => admit(*form, verdict, cx),
        (
            SignUp::CheckKeys(draft),
            SignUpEvent::KeysLookedUp {
                email_holder,
                username_taken,
            },
        ) => judge_keys(draft, email_holder, username_taken, cx),
        (SignUp::HashPassword(draft), SignUpEvent::PasswordHashed { hash, mail }) => {
            Ok(create(*draft, hash, mail, cx))
        }
        (SignUp::Created(user), SignUpEvent::KeyTaken(key)) => lose_race(user, key, cx),
        _ => Err(Refused::unexpected()),
    }
}

fn admit(form: NewUser, verdict: Verdict, cx: &mut Ctx<'_>) -> Step<SignUp> {
    if let Some(refused) = Refused::limited(verdict, None, cx) {
        return Err(refused);
    }
    let draft = sound(form, cx).map_err(|denial| Refused::new(denial, Vec::new()))?;
    Ok(Advanced {
        next: SignUp::CheckKeys(Box::new(draft)),
        effects: Vec::new(),
    })
}

/// Checks every property and reports all faults at once; the password's own rule comes last, in LoopBack's own shape.
fn sound(form: NewUser, cx: &mut Ctx<'_>) -> Result<Draft, Denial> {
    let mut faults = Vec::new();
    let password = form.password.clone();
    let user = record(form, &mut faults, cx);
    if cx.pool.hide_existing && user.username.is_some() {
        // A name that stays free although it was taken along would tell that nobody was made.
        faults.push(Fault {
            property: "username",
            code: "absence",
            message: "can't be set at sign-up",
            value: None,
        });
    }
    if password.is_none() {
        faults.push(blank("password"));
    }
    let password = password
        .filter(|_| faults.is_empty())
        .ok_or(Denial::Invalid(faults))?;
    let rules = cx.pool.password;
    rules
        .judge(&password)
        .map_err(|fault| Denial::PasswordRefused { fault, rules })?;
    Ok(Draft {
        user,
        password,
        holder: None,
    })
}

/// The user that a form speaks of, with a new id and without a password; every fault is noted.
pub(super) fn record(form: NewUser, faults: &mut Vec<Fault>, cx: &mut Ctx<'_>) -> User {
    let key = UserKey::new(cx.pool.name.clone(), UserId::draw(cx.now, cx.entropy));
    let mut user = User::blank(key, cx.now);
    user.realm = realm(
        form.realm.filter(|_| cx.pool.realm_required),
        cx.pool.realm_required,
        faults,
    );
    user.email = email(form.email.as_deref(), cx, faults);
    user.username = username(form.username.as_deref(), user.email.as_ref(), faults);
    user.phone = phone(form.phone.as_deref(), faults);
    user.attributes = attributes(Attributes::from_client(form.attributes), faults);
    user
}

fn judge_keys(
    mut draft: Box<Draft>,
    holder: Option<Box<User>>,
    username_taken: bool,
    cx: &Ctx<'_>,
) -> Step<SignUp> {
    let told = holder.is_some() && !cx.pool.hide_existing;
    let taken: Vec<UniqueKey> = [(told, UniqueKey::Email), (username_taken, UniqueKey::Username)]
        .into_iter()
        .filter_map(|(is, key)| is.then_some(key))
        .collect();
    if !taken.is_empty() {
        return Err(collide(&draft.user, &taken, cx));
    }
    draft.holder = holder.map(|holder| *holder);
    Ok(Advanced {
        next: SignUp::HashPassword(draft),
        effects: Vec::new(),
    })
}

fn create(draft: Draft, hash: PasswordHash, mail: Verdict, cx: &mut Ctx<'_>) -> Advanced<SignUp> {
    let Draft { mut user, holder, .. } = draft;
    if let Some(holder) = holder {
        return pretend(user, &holder, mail, cx);
    }
    user.password = Some(hash);
    let mut effects = vec![
        Effect::Create(Box::new(user.clone())),
        cx.audit(AuditKind::SignedUp, Some(&user.key)),
    ];
    if cx.pool.email_verification_required && mail == Verdict::Allowed {
        effects.extend(verification_mail(&user, cx));
    }
    Advanced {
        next: SignUp::Created(Box::new(user)),
        effects,
    }
}

/// The address is taken and that must not show: the answer looks like a new user, the owner of the address gets a mail.
fn pretend(user: User, holder: &User, mail: Verdict, cx: &Ctx<'_>) -> Advanced<SignUp> {
    let mut effects = vec![cx.audit(AuditKind::SignUpCollided, Some(&holder.key))];
    if let (Some(to), Verdict::Allowed) = (holder.email.clone(), mail) {
        effects.push(super::notice::mail(holder, to, MailKind::AlreadyRegistered, cx));
    }
    Advanced {
        next: SignUp::Created(Box::new(user)),
        effects,
    }
}

/// Somebody else took a key between the look-up and the store. Where sign-up hides takings, a lost address looks won.
fn lose_race(user: Box<User>, key: UniqueKey, cx: &Ctx<'_>) -> Step<SignUp> {
    if cx.pool.hide_existing && key == UniqueKey::Email {
        return Ok(Advanced {
            next: SignUp::Created(user),
            effects: vec![cx.audit(AuditKind::SignUpCollided, None)],
        });
    }
    Err(collide(&user, &[key], cx))
}

fn collide(user: &User, taken: &[UniqueKey], cx: &Ctx<'_>) -> Refused {
    Refused::new(
        taken_keys(user, taken),
        vec![cx.audit(AuditKind::SignUpCollided, None)],
    )
}

/// The validation error of keys somebody else holds.
pub(crate) fn taken_keys(user: &User, taken: &[UniqueKey]) -> Denial {
    let fault = |key: &UniqueKey| match key {
        UniqueKey::Email => Fault {
            property: "email",
            code: "uniqueness",
            message: "Email already exists",
            value: user.email.as_ref().map(ToString::to_string),
        },
        UniqueKey::Username => Fault {
            property: "username",
            code: "uniqueness",
            message: "User already exists",
            value: user.username.as_ref().map(ToString::to_string),
        },
        UniqueKey::Id | UniqueKey::Identity => Fault {
            property: "id",
            code: "uniqueness",
            message: "already exists",
            value: None,
        },
    };
    Denial::Invalid(taken.iter().map(fault).collect())
}

/// A required property that is missing.
pub(super) fn blank(property: &'static str) -> Fault {
    Fault {
        property,
        code: "presence",
        message: "can't be blank",
        value: None,
    }
}

fn invalid(property: &'static str, code: &'static str, value: &str) -> Fault {
    Fault {
        property,
        code,
        message: "is invalid",
        value: Some(value.to_owned()),
    }
}

fn realm(text: Option<String>, required: bool, faults: &mut Vec<Fault>) -> Option<String> {
    match text {
        None if required => faults.push(blank("realm")),
        Some(text) if !is_realm(&text) => faults.push(invalid("realm", "custom.realm", &text)),
        other => return other,
    }
    None
}

/// Parses a required address, noting its fault.
pub(super) fn email(text: Option<&str>, cx: &Ctx<'_>, faults: &mut Vec<Fault>) -> Option<Email> {
    let Some(text) = text.filter(|text| !text.is_empty()) else {
        faults.push(blank("email"));
        return None;
    };
    let email = Email::parse(text, cx.pool.case_sensitive_email);
    if email.is_none() {
        faults.push(invalid("email", "custom.email", text));
    }
    email
}

/// Parses an optional username, noting its fault. One that looks like an address must be the user's own: it would name somebody
/// else wherever one field takes both.
pub(super) fn username(
    text: Option<&str>,
    email: Option<&Email>,
    faults: &mut Vec<Fault>,
) -> Option<Username> {
    let text = text?;
    let username = Username::parse(text);
    let foreign = |name: &Username| {
        name.as_str().contains('@')
            && email.is_none_or(|email| !email.as_str().eq_ignore_ascii_case(name.as_str()))
    };
    if username.as_ref().is_none_or(foreign) {
        faults.push(invalid("username", "custom.username", text));
        return None;
    }
    username
}

/// Parses an optional number, noting its fault. An empty one is none, as an untouched form field is.
pub(super) fn phone(text: Option<&str>, faults: &mut Vec<Fault>) -> Option<Phone> {
    let text = text.filter(|text| !text.is_empty())?;
    let phone = Phone::parse(text);
    if phone.is_none() {
        faults.push(invalid("phone", "custom.phone", text));
    }
    phone
}

/// Takes attributes, noting their fault.
pub(super) fn attributes(
    given: Result<Attributes, crate::user::AttributesFault>,
    faults: &mut Vec<Fault>,
) -> Attributes {
    use crate::user::AttributesFault::{TooDeep, TooLarge};
    given.unwrap_or_else(|fault| {
        let message = match fault {
            TooDeep => "are nested too deeply",
            TooLarge => "are too large",
        };
        faults.push(Fault {
            property: "attributes",
            code: "custom.attributes",
            message,
            value: None,
        });
        Attributes::default()
    })
}
