//! What a client sent, read by name: known properties are strict in their type, `null` means absent, the rest is kept as it came.

use domain::credential::Password;
use domain::flow::change_profile::Field;
use domain::flow::login::Terms;
use domain::policy::PoolPolicy;
use domain::secret::{Secret, Token};
use domain::service::{Credentials, LoginName};
use domain::user::FactorKind;
use http::StatusCode;
use serde_json::{Map, Value};

use crate::extract::Request;
use crate::extract::body::{self, Body};
use crate::problem::Problem;

/// Digits of a code; what a JSON number lost of its leading zeros is put back.
const CODE_DIGITS: usize = 6;

/// The properties of one object; reading one takes it out.
#[derive(Debug)]
pub struct Input(Map<String, Value>);

impl Input {
    /// Reads a body that must be an object.
    pub async fn read(request: &mut Request) -> Result<Self, Problem> {
        Ok(Self(body::read(request).await?.object()?))
    }

    /// Takes an object that was read already.
    pub fn of(properties: Map<String, Value>) -> Self {
        Self(properties)
    }

    /// A text. Query objects, lists, numbers and booleans are refused: LoopBack hands them on to the database, and
    /// `{"email":{"inq":[…]}}` opens somebody else's account.
    pub fn text(&mut self, name: &'static str) -> Result<Option<String>, Problem> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(not_text(name)),
        }
    }

    /// A text; a number is one, too: LoopBack's ids are.
    pub fn text_or_number(&mut self, name: &'static str) -> Result<Option<String>, Problem> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(Value::Number(number)) => Ok(Some(number.to_string())),
            Some(_) => Err(not_text(name)),
        }
    }

    /// Whether a property was sent, and not as `null`.
    pub fn has(&self, name: &str) -> bool {
        self.0.get(name).is_some_and(|value| !value.is_null())
    }

    /// Whether a property was sent as `null`.
    pub fn clears(&self, name: &str) -> bool {
        self.0.get(name).is_some_and(Value::is_null)
    }

    /// A text that must be there; an empty one is none, as in LoopBack.
    pub fn required(&mut self, name: &'static str) -> Result<String, Problem> {
        let text = self.text(name)?.filter(|text| !text.is_empty());
        text.ok_or_else(|| required_argument(name))
    }

    /// The number for codes: `phone`, or `mobile` as the two-factor article's clients call it.
    pub fn phone(&mut self) -> Result<Option<String>, Problem> {
        let (phone, mobile) = (self.text("phone")?, self.text("mobile")?);
        Ok(phone.or(mobile))
    }

    /// A password somebody wants to have.
    pub fn new_password(&mut self) -> Result<Option<Password>, Problem> {
        match self.take("password") {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(Password::typed(&text))),
            Some(_) => {
                let problem = Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "Invalid password.");
                Err(problem.coded("INVALID_PASSWORD"))
            }
        }
    }

    /// What becomes of a property in a partial change: absent stays, `null` vanishes.
    pub fn patch(&mut self, name: &'static str) -> Result<Field, Problem> {
        let known = self.0.contains_key(name);
        Ok(match self.text(name)? {
            Some(text) => Field::Set(text),
            None if known => Field::Clear,
            None => Field::Keep,
        })
    }

    /// What becomes of a property in a replacement: absent vanishes.
    pub fn replacement(&mut self, name: &'static str) -> Result<Field, Problem> {
        Ok(self.text(name)?.map_or(Field::Clear, Field::Set))
    }

    /// Name, realm and password of a login.
    pub fn credentials(&mut self) -> Result<Credentials, Problem> {
        let realm = self.text("realm")?;
        let name = self.login_name()?.ok_or_else(name_required)?;
        // A missing password is a wrong one: it costs and counts the same.
        let password = self.text("password")?.unwrap_or_default();
        Ok(Credentials {
            realm,
            name,
            password: Password::typed(&password),
        })
    }

    /// The name of a login; `email` wins over `username`.
    pub fn login_name(&mut self) -> Result<Option<LoginName>, Problem> {
        let (email, username) = (self.text("email")?, self.text("username")?);
        let given = |text: &String| !text.is_empty();
        let email = email.filter(given).map(LoginName::Email);
        Ok(email.or(username.filter(given).map(LoginName::Username)))
    }

    /// A typed code: `twofactor` as in the two-factor article, else `code`; text or number.
    pub fn code(&mut self) -> Result<Secret, Problem> {
        let (twofactor, code) = (self.take("twofactor"), self.take("code"));
        match twofactor.or(code) {
            None => Ok(Secret::new("")),
            Some(Value::String(text)) => Ok(Secret::new(text)),
            Some(Value::Number(number)) => Ok(Secret::new(format!("{:0>CODE_DIGITS$}", number.to_string()))),
            Some(_) => Err(Problem::bad_request("twofactor must be a string or a number")),
        }
    }

    /// What `requestCode` answered, if the client kept it.
    pub fn challenge(&mut self) -> Result<Option<Token>, Problem> {
        let text = self.text("challenge")?.filter(|text| !text.is_empty());
        Ok(text.map(Token::presented))
    }

    /// Yes or no; absent is no.
    pub fn flag(&mut self, name: &'static str) -> Result<bool, Problem> {
        match self.take(name) {
            None => Ok(false),
            Some(Value::Bool(flag)) => Ok(flag),
            Some(_) => Err(Problem::bad_request(format!("{name} must be true or false"))),
        }
    }

    /// A kind of second factor, by its name.
    pub fn method(&mut self) -> Result<Option<FactorKind>, Problem> {
        let Some(name) = self.text("method")?.filter(|name| !name.is_empty()) else {
            return Ok(None);
        };
        let unknown = || Problem::bad_request("method must be sms, totp, recovery or passkey");
        FactorKind::named(&name).map(Some).ok_or_else(unknown)
    }

    /// The token of an unfinished flow; it must be there.
    pub fn token(&mut self, name: &'static str) -> Result<Token, Problem> {
        self.required(name).map(Token::presented)
    }

    /// What an authenticator answered; only an object can be that.
    pub fn credential(&mut self) -> Result<Value, Problem> {
        match self.take("credential") {
            None => Err(required_argument("credential")),
            Some(answer @ Value::Object(_)) => Ok(answer),
            Some(_) => Err(Problem::bad_request("credential must be an object")),
        }
    }

    /// What a login asks of its session: its life, and whether it is renewed by refresh tokens.
    pub fn terms(&mut self, pool: &PoolPolicy) -> Result<Terms, Problem> {
        let (seconds, refresh) = (self.ttl()?, self.flag("refresh")?);
        let life = pool.session_life(seconds);
        let life = life.map_err(|denial| Problem::of_denial(&denial, &pool.model))?;
        Ok(Terms { life, refresh })
    }

    /// The life a login asks for, in seconds; none for the pool's own.
    pub fn ttl(&mut self) -> Result<Option<f64>, Problem> {
        let seconds = match self.take("ttl") {
            None => return Ok(None),
            Some(Value::Number(number)) => number.as_f64(),
            Some(Value::String(text)) if text.is_empty() => return Ok(None),
            Some(Value::String(text)) => decimal(&text),
            Some(_) => None,
        };
        seconds
            .map(Some)
            .ok_or_else(|| Problem::bad_request("ttl must be a number of seconds").coded("INVALID_TTL"))
    }

    /// The id a client sent, as text; only texts and numbers can be one.
    pub fn id(&mut self) -> Result<Option<String>, Problem> {
        self.text_or_number("id")
    }

    /// Everything that was not read.
    pub fn rest(self) -> Map<String, Value> {
        self.0
    }

    fn take(&mut self, name: &str) -> Option<Value> {
        self.0.remove(name).filter(|value| !value.is_null())
    }
}

/// One object, or a list of them (bulk creation); `None` stands for an item that is no object.
pub enum Items {
    /// One object.
    One(Input),
    /// A list.
    Many(Vec<Option<Input>>),
}

impl Items {
    /// Reads a body that may be a list.
    pub async fn read(request: &mut Request) -> Result<Self, Problem> {
        Ok(match body::read(request).await? {
            Body::Object(properties) => Self::One(Input::of(properties)),
            Body::List(items) => Self::Many(items.into_iter().map(item).collect()),
        })
    }
}

fn item(value: Value) -> Option<Input> {
    match value {
        Value::Object(properties) => Some(Input::of(properties)),
        _ => None,
    }
}

fn not_text(name: &'static str) -> Problem {
    let problem = Problem::bad_request(format!("{name} must be a string"));
    match name {
        "email" => problem.coded("INVALID_EMAIL"),
        "username" => problem.coded("INVALID_USERNAME"),
        "realm" => problem.coded("INVALID_REALM"),
        _ => problem,
    }
}

/// 400 in LoopBack's words for an argument that is missing.
pub fn required_argument(name: &str) -> Problem {
    Problem::bad_request(format!("{name} is a required argument"))
}

/// 400 for a login without a name.
pub fn name_required() -> Problem {
    Problem::of_denial(&domain::error::Denial::UsernameOrEmailRequired, "")
}

/// A plain decimal number: digits, perhaps a sign and a fraction. Neither `inf` nor `1e3` nor blanks.
fn decimal(text: &str) -> Option<f64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let plain = digits.bytes().all(|b| b.is_ascii_digit() || b == b'.')
        && digits.starts_with(|c: char| c.is_ascii_digit());
    plain.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn input(value: Value) -> Input {
        item(value).unwrap()
    }

    #[test]
    fn only_text_is_text_and_null_is_absent() {
        let mut given = input(json!({"email": "a@b.c", "username": null, "realm": {"neq": "x"}}));
        assert_eq!(given.text("email"), Ok(Some("a@b.c".to_owned())));
        assert_eq!(given.text("username"), Ok(None));
        assert_eq!(given.text("realm").unwrap_err().code, Some("INVALID_REALM"));
        for odd in [json!(1), json!(true), json!(["a"]), json!({"inq": ["a"]})] {
            let problem = input(json!({ "email": odd })).text("email").unwrap_err();
            assert_eq!(
                (problem.status, problem.code),
                (StatusCode::BAD_REQUEST, Some("INVALID_EMAIL"))
            );
        }
    }

    #[test]
    fn email_wins_over_username_but_both_must_be_text() {
        let name = input(json!({"email": "a@b.c", "username": "ann"})).login_name();
        assert_eq!(name, Ok(Some(LoginName::Email("a@b.c".to_owned()))));
        assert_eq!(input(json!({"email": "", "username": ""})).login_name(), Ok(None));
        assert!(
            input(json!({"email": "a@b.c", "username": ["ann"]}))
                .login_name()
                .is_err()
        );
    }

    #[test]
    fn a_code_as_number_gets_its_zeros_back() {
        for (sent, read) in [
            (json!(42), "000042"),
            (json!("000042"), "000042"),
            (json!(1_234_567), "1234567"),
        ] {
            assert_eq!(input(json!({ "twofactor": sent })).code().unwrap().expose(), read);
        }
        assert_eq!(
            input(json!({"code": "123456"})).code().unwrap().expose(),
            "123456"
        );
        assert!(input(json!({"twofactor": ["123456"]})).code().is_err());
    }

    #[test]
    fn a_life_is_a_plain_number() {
        let ttl = |value: Value| input(json!({ "ttl": value })).ttl();
        assert_eq!(ttl(json!(1.5)), Ok(Some(1.5)));
        assert_eq!(ttl(json!("20")), Ok(Some(20.0)));
        assert_eq!(ttl(json!("-1")), Ok(Some(-1.0)));
        assert_eq!(ttl(json!(null)), Ok(None));
        for bad in [
            json!("abc"),
            json!("inf"),
            json!("NaN"),
            json!("1e3"),
            json!(" 1"),
            json!([1]),
            json!({}),
            json!(true),
        ] {
            assert_eq!(ttl(bad).unwrap_err().code, Some("INVALID_TTL"));
        }
    }

    #[test]
    fn a_patch_tells_absent_from_null_and_a_replacement_does_not() {
        let mut patch = input(json!({"username": null, "phone": "+491701234567"}));
        assert_eq!(patch.patch("username"), Ok(Field::Clear));
        assert_eq!(patch.patch("phone"), Ok(Field::Set("+491701234567".to_owned())));
        assert_eq!(patch.patch("email"), Ok(Field::Keep));
        assert_eq!(input(json!({})).replacement("username"), Ok(Field::Clear));
    }
}
