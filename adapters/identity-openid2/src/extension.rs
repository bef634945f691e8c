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

#[cfg(test)]
mod tests {
    use domain::ports::AuthorizationResponse;
    use domain::secret::Secret;
    use domain::time::{Lifetime, Timestamp};

    use super::*;
    use crate::message::NS;

    const NEEDED: &str = "op_endpoint,return_to,response_nonce,assoc_handle,claimed_id,identity";
    const EMAIL: &str = "http://axschema.org/contact/email";

    /// What is read of an answer with these fields, of which those are signed.
    fn told(fields: &[(&str, &str)], signed: &str) -> Told {
        let signed = format!("{NEEDED},{signed}");
        let needed = [
            ("state", "s"),
            ("nonce", "n"),
            ("openid.ns", NS),
            ("openid.mode", "id_res"),
            ("openid.op_endpoint", "https://op.example/"),
            (
                "openid.return_to",
                "https://www.example.com/callback?state=s&nonce=n",
            ),
            ("openid.response_nonce", "1970-01-01T00:00:00Zx"),
            ("openid.assoc_handle", "h"),
            ("openid.claimed_id", "https://op.example/ann"),
            ("openid.identity", "https://op.example/ann"),
            ("openid.signed", &signed),
            ("openid.sig", "s"),
        ];
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let response = AuthorizationResponse {
            params: needed.iter().chain(fields).map(owned).collect(),
            redirect_uri: "https://www.example.com/callback".to_owned(),
            nonce: Secret::new("n"),
            code_verifier: Secret::new("v"),
            carry: None,
            client: None,
            now: Timestamp::from_millis(0),
        };
        let config = OpenId2Config {
            attributes: vec![("teams".to_owned(), "http://example.com/teams".to_owned())],
            ..OpenId2Config::discovered("https://op.example/")
        };
        Told::read(
            &config,
            &Assertion::judge(&response, Lifetime::from_secs(300)).unwrap(),
        )
    }

    const EXCHANGED: [(&str, &str); 4] = [
        ("openid.ns.e", AX),
        ("openid.e.mode", "fetch_response"),
        ("openid.e.type.m", EMAIL),
        ("openid.e.value.m", "ann@example.com"),
    ];

    #[test]
    fn an_attribute_counts_where_each_part_of_it_is_signed() {
        let whole = "ns.e,e.mode,e.type.m,e.value.m";
        assert_eq!(told(&EXCHANGED, whole).values("email"), ["ann@example.com"]);
        for missing in whole.split(',') {
            let rest: Vec<&str> = whole.split(',').filter(|name| *name != missing).collect();
            let told = told(&EXCHANGED, &rest.join(","));
            assert_eq!(told.profile(true).emails, [], "without {missing}");
        }
    }

    #[test]
    fn a_registration_counts_where_value_and_namespace_are_signed() {
        for space in [SREG, SREG_1_0] {
            let fields = [
                ("openid.ns.r", space),
                ("openid.r.email", "ann@example.com"),
                ("openid.r.role", "admin"),
            ];
            let read = told(&fields, "ns.r,r.email,r.role");
            assert_eq!(read.profile(false).emails[0].value, "ann@example.com");
            assert!(!read.profile(false).emails[0].verified && read.profile(true).emails[0].verified);
            assert_eq!(read.registration.len(), 1, "only fields of the extension");
            assert!(told(&fields, "ns.r,r.role").profile(true).emails.is_empty());
            assert!(told(&fields, "r.email").profile(true).emails.is_empty());
        }
        // The alias of old, undeclared.
        let bare = told(&[("openid.sreg.email", "ann@example.com")], "sreg.email");
        assert!(bare.profile(true).emails.is_empty());
    }

    #[test]
    fn a_list_is_read_as_long_as_it_is_said_to_be() {
        let fields = [
            ("openid.ns.e", AX),
            ("openid.e.mode", "fetch_response"),
            ("openid.e.type.t", "http://example.com/teams"),
            ("openid.e.count.t", "2"),
            ("openid.e.value.t.1", "red"),
            ("openid.e.value.t.2", "blue"),
            ("openid.e.value.t.3", "admins"),
        ];
        let read = told(
            &fields,
            "ns.e,e.mode,e.type.t,e.count.t,e.value.t.1,e.value.t.2,e.value.t.3",
        );
        assert_eq!(read.values("teams"), ["red", "blue"]);
        let none = told(&fields, "ns.e,e.mode,e.type.t,e.count.t,e.value.t.2");
        assert_eq!(none.values("teams"), ["blue"]);
        assert_eq!(none.values("others"), [""; 0]);
    }

    #[test]
    fn an_older_name_of_a_type_is_the_same_attribute() {
        let mut fields = EXCHANGED;
        fields[2].1 = "http://schema.openid.net/contact/email";
        assert_eq!(
            told(&fields, "ns.e,e.mode,e.type.m,e.value.m").values("email"),
            ["ann@example.com"]
        );
        fields[2].1 = "http://example.com/other";
        let read = told(&fields, "ns.e,e.mode,e.type.m,e.value.m");
        assert_eq!(read.values("http://example.com/other"), ["ann@example.com"]);
    }
}
