//! What is told about the person: Simple Registration 1.1 and Attribute Exchange 1.0. Only what the provider signed is read.

use domain::identity::{PersonName, Profile, ProfileEmail};
use serde_json::{Map, Value, json};

use crate::OpenId2Config;
use crate::message::Assertion;

/// Simple Registration 1.1.
pub const SREG: &str = "http://openid.net/extensions/sreg/1.1";
/// The same in an older spelling that some providers answer with.
const SREG_1_0: &str = "http://openid.net/sreg/1.0";
/// Attribute Exchange 1.0.
pub const AX: &str = "http://openid.net/srv/ax/1.0";

/// Most values read of one attribute.
const MOST_VALUES: usize = 100;

const SREG_FIELDS: [&str; 9] = [
    "nickname", "email", "fullname", "dob", "gender", "postcode", "country", "language", "timezone",
];

/// What the profile is made of: our name, the type that is asked for, and others that mean the same.
const ATTRIBUTES: [(&str, &[&str]); 6] = [
    (
        "email",
        &[
            "http://axschema.org/contact/email",
            "http://schema.openid.net/contact/email",
            "http://openid.net/schema/contact/internet/email",
        ],
    ),
    (
        "fullname",
        &[
            "http://axschema.org/namePerson",
            "http://schema.openid.net/namePerson",
            "http://openid.net/schema/namePerson",
        ],
    ),
    (
        "firstname",
        &[
            "http://axschema.org/namePerson/first",
            "http://schema.openid.net/namePerson/first",
            "http://openid.net/schema/namePerson/first",
        ],
    ),
    (
        "lastname",
        &[
            "http://axschema.org/namePerson/last",
            "http://schema.openid.net/namePerson/last",
            "http://openid.net/schema/namePerson/last",
        ],
    ),
    (
        "nickname",
        &[
            "http://axschema.org/namePerson/friendly",
            "http://schema.openid.net/namePerson/friendly",
            "http://openid.net/schema/namePerson/friendly",
        ],
    ),
    (
        "language",
        &[
            "http://axschema.org/pref/language",
            "http://schema.openid.net/pref/language",
        ],
    ),
];

/// Whether that is a name of ours already.
pub fn is_taken(name: &str) -> bool {
    ATTRIBUTES.iter().any(|(ours, _)| *ours == name)
}

/// The parameters that ask for what the configuration wants to know.
pub fn request(config: &OpenId2Config) -> Vec<(String, String)> {
    let mut pairs: Vec<(String, String)> = Vec::new();
    let mut say = |name: &str, value: &str| pairs.push((format!("openid.{name}"), value.to_owned()));
    if config.profile {
        say("ns.sreg", SREG);
        say("sreg.required", "email");
        say("sreg.optional", "nickname,fullname,language");
    }
    let built_in = ATTRIBUTES.iter().filter(|_| config.profile);
    let built_in = built_in.filter_map(|(name, types)| Some((*name, *types.first()?)));
    let further = config
        .attributes
        .iter()
        .map(|(name, kind)| (name.as_str(), kind.as_str()));
    let wanted: Vec<(&str, &str)> = built_in.chain(further).collect();
    if wanted.is_empty() {
        return pairs;
    }
    say("ns.ax", AX);
    say("ax.mode", "fetch_request");
    let names: Vec<&str> = wanted.iter().map(|(name, _)| *name).collect();
    // Some providers answer to nothing but what is said to be required.
    say("ax.required", &names.join(","));
    for (name, kind) in wanted {
        say(&format!("ax.type.{name}"), kind);
        if config.groups_attribute.as_deref() == Some(name) {
            say(&format!("ax.count.{name}"), "unlimited");
        }
    }
    pairs
}

/// What a provider told about somebody, under its signature.
#[derive(Debug, Default)]
pub struct Told {
    registration: Vec<(&'static str, String)>,
    attributes: Vec<(String, Vec<String>)>,
}

impl Told {
    /// Reads both extensions.
    pub fn read(config: &OpenId2Config, assertion: &Assertion<'_>) -> Self {
        Self {
            registration: registration(assertion),
            attributes: attributes(config, assertion),
        }
    }

    fn attribute(&self, name: &str) -> Option<&str> {
        self.values(name).first().map(String::as_str)
    }

    /// All values of an attribute, by our name for it.
    pub fn values(&self, name: &str) -> &[String] {
        let mut found = self.attributes.iter().filter(|(given, _)| given == name);
        found.next().map_or(&[], |(_, values)| values.as_slice())
    }

    /// By Attribute Exchange, else by Simple Registration.
    fn text(&self, name: &str) -> Option<String> {
        let mut registered = self.registration.iter().filter(|(given, _)| *given == name);
        let told = self
            .attribute(name)
            .or_else(|| registered.next().map(|(_, value)| value.as_str()));
        told.filter(|text| !text.is_empty()).map(str::to_owned)
    }

    /// Who it is, normalised. Neither extension can say that an address is confirmed: the operator has to.
    pub fn profile(&self, email_trusted: bool) -> Profile {
        let email = self.text("email").map(|value| ProfileEmail {
            value,
            verified: email_trusted,
        });
        Profile {
            username: self.text("nickname"),
            display_name: self.text("fullname"),
            name: PersonName {
                family_name: self.text("lastname"),
                given_name: self.text("firstname"),
                middle_name: None,
            },
            emails: email.into_iter().collect(),
            ..Profile::default()
        }
    }

    /// All of it, for `profileMapping` and `roleMapping`: one value as a text, several as a list.
    pub fn raw(&self, assertion: &Assertion<'_>) -> Value {
        let registration = self
            .registration
            .iter()
            .map(|(name, value)| ((*name).to_owned(), json!(value)));
        let attributes = self.attributes.iter().map(|(name, values)| {
            let value = match values.as_slice() {
                [only] => json!(only),
                several => json!(several),
            };
            (name.clone(), value)
        });
        json!({
            "openid": assertion.claimed.as_str(),
            "identity": assertion.identity,
            "op_endpoint": assertion.endpoint.as_str(),
            "sreg": registration.collect::<Map<_, _>>(),
            "ax": attributes.collect::<Map<_, _>>(),
        })
    }
}

fn registration(assertion: &Assertion<'_>) -> Vec<(&'static str, String)> {
    let Some(alias) = assertion.alias(SREG).or_else(|| assertion.alias(SREG_1_0)) else {
        return Vec::new();
    };
    let value = |field| assertion.signed(&format!("{alias}.{field}"));
    let fields = SREG_FIELDS.into_iter();
    fields
        .filter_map(|field| Some((field, value(field)?.to_owned())))
        .collect()
}

fn attributes(config: &OpenId2Config, assertion: &Assertion<'_>) -> Vec<(String, Vec<String>)> {
    let Some(alias) = assertion.alias(AX) else {
        return Vec::new();
    };
    if assertion.signed(&format!("{alias}.mode")) != Some("fetch_response") {
        return Vec::new();
    }
    let mut found: Vec<(String, Vec<String>)> = Vec::new();
    let prefix = format!("{alias}.type.");
    for theirs in assertion
        .signed_names()
        .iter()
        .filter_map(|name| name.strip_prefix(&prefix))
    {
        let Some(kind) = assertion.signed(&format!("{prefix}{theirs}")) else {
            continue;
        };
        let (name, values) = (name_of(config, kind), values(assertion, alias, theirs));
        if !values.is_empty() && !found.iter().any(|(given, _)| *given == name) {
            found.push((name, values));
        }
    }
    found
}

/// Our name for a type, or the type itself.
fn name_of(config: &OpenId2Config, kind: &str) -> String {
    let built_in = ATTRIBUTES
        .iter()
        .find(|(_, types)| types.contains(&kind))
        .map(|(name, _)| *name);
    let mut further = config.attributes.iter().filter(|(_, wanted)| wanted == kind);
    let further = || further.next().map(|(name, _)| name.as_str());
    built_in.or_else(further).unwrap_or(kind).to_owned()
}

fn values(assertion: &Assertion<'_>, alias: &str, name: &str) -> Vec<String> {
    let own = |text: &str| text.to_owned();
    let count = assertion.signed(&format!("{alias}.count.{name}"));
    let Some(count) = count.and_then(|count| count.parse::<usize>().ok()) else {
        return assertion
            .signed(&format!("{alias}.value.{name}"))
            .map(own)
            .into_iter()
            .collect();
    };
    let numbers = 1..=count.min(MOST_VALUES);
    numbers
        .filter_map(|number| assertion.signed(&format!("{alias}.value.{name}.{number}")))
        .map(own)
        .collect()
}
