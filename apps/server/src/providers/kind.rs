//! What kind of entry it is: from `module`, `strategy` and `authScheme`, as far as each is there.

use std::collections::BTreeMap;

use super::fields::Fields;
use super::modules::{DEAD, Kind, MODULES, Module, Scheme};
use super::remote::Dialect;
use crate::config::nearest_key;

/// A kind, and `authScheme` as it is stored.
pub struct Identified {
    /// What it is.
    pub kind: Kind,
    /// As written, or guessed as the component guesses.
    pub auth_scheme: String,
}

/// Finds out what an entry is; `None` after a fault was noted.
pub fn identify(fields: &mut Fields<'_>) -> Option<Identified> {
    let module = fields.text(&["module"]);
    let strategy = fields.text(&["strategy"]);
    let written = fields.text(&["authScheme"]);
    let auth_scheme = written.clone().unwrap_or_else(|| guess(fields).to_owned());
    let scheme = Scheme::parse(&auth_scheme);
    if scheme.is_none() {
        fields.refuse(
            "authScheme",
            format!(
                "is `{auth_scheme}`, which is no protocol: write `local`, `oAuth 2.0`, `OpenID Connect`, `oAuth`, `ldap`, \
                 `saml`, `kerberos` or `openid`, or leave it out"
            ),
        );
    }
    let kind = match &module {
        Some(module) => of_module(fields, module, strategy.as_deref(), scheme)?,
        None if scheme == Some(Scheme::Local) && written.is_some() => Kind::Local,
        None => Kind::Remote(by_its_keys(fields).or_else(|| {
            fields.refuse(
                "module",
                "is missing: name the Passport module, such as `passport-google-oauth20`, or give `issuer`",
            );
            None
        })?),
    };
    if written.is_some() && scheme.is_some_and(|scheme| scheme != kind.scheme()) {
        let module = module.as_deref().unwrap_or("what the entry describes");
        let speaks = kind.scheme().title();
        fields.refuse(
            "authScheme",
            format!("is `{auth_scheme}`, but {module} speaks {speaks}: change it, or leave it out"),
        );
    }
    // The component's guess knows four words; what it could not know is stored by its own.
    let auth_scheme = match kind.scheme() {
        Scheme::Ldap if written.is_none() => "ldap".to_owned(),
        Scheme::Saml if written.is_none() => "saml".to_owned(),
        Scheme::Kerberos if written.is_none() => "kerberos".to_owned(),
        Scheme::OpenId2 if written.is_none() => "OpenID".to_owned(),
        _ => auth_scheme,
    };
    Some(Identified {
        kind: Kind::with_own_addresses(kind, fields),
        auth_scheme,
    })
}

/// As the component guesses, word by word: it is stored with every identity.
fn guess(fields: &Fields<'_>) -> &'static str {
    if fields.has("consumerKey") {
        "oAuth1"
    } else if fields.has("realm") {
        "OpenID"
    } else if fields.has("clientID") {
        "oAuth 2.0"
    } else {
        "local"
    }
}

fn of_module(
    fields: &mut Fields<'_>,
    module: &str,
    strategy: Option<&str>,
    scheme: Option<Scheme>,
) -> Option<Kind> {
    let export = strategy.unwrap_or("Strategy");
    let fits = |known: &&Module| known.strategies.is_empty() || known.strategies.contains(&export);
    let named: Vec<&Module> = MODULES
        .iter()
        .filter(|known| known.name == module)
        .filter(fits)
        .collect();
    let best = named.iter().find(|known| Some(known.kind.scheme()) == scheme);
    if let Some(known) = best.or(named.first()) {
        return Some(known.kind);
    }
    if let Some((_, _, why)) = DEAD.iter().find(|(dead, _, _)| *dead == module) {
        fields.refuse("module", format!("is `{module}`: {why}"));
        return None;
    }
    if let Some(dialect) = by_its_keys(fields) {
        let title = dialect.title();
        fields.warn(
            "module",
            format!("is `{module}`, which is unknown here: the entry is taken for plain {title}, by the addresses it gives"),
        );
        return Some(Kind::Remote(dialect));
    }
    let known: BTreeMap<_, _> = MODULES
        .iter()
        .map(|known| (known.name.to_owned(), String::new()))
        .collect();
    let hint = nearest_key(module, module, &known).map_or_else(
        || "give".to_owned(),
        |near| format!("did you mean `{near}`? Otherwise give"),
    );
    fields.refuse(
        "module",
        format!("is `{module}`, which is unknown here: {hint} `issuer`, or `authorizationURL`, `tokenURL` and `userProfileURL`"),
    );
    None
}

/// A provider without a known module can be told by the addresses it gives.
fn by_its_keys(fields: &Fields<'_>) -> Option<Dialect> {
    let all = |keys: &[&str]| keys.iter().all(|key| fields.has(key));
    let any = |keys: &[&str]| keys.iter().any(|key| fields.has(key));
    if all(&[
        "consumerKey",
        "requestTokenURL",
        "accessTokenURL",
        "userAuthorizationURL",
    ]) {
        Some(Dialect::OAuth1)
    } else if all(&["clientID", "issuer"]) || all(&["clientID", "discovery"]) {
        Some(Dialect::OpenIdConnect)
    } else if all(&["clientID", "authorizationURL", "tokenURL"]) {
        Some(Dialect::OAuth2)
    } else if fields.has("server") {
        Some(Dialect::Ldap)
    } else if any(&[
        "entryPoint",
        "metadata",
        "metadataFile",
        "metadata_file",
        "metadataUrl",
    ]) {
        Some(Dialect::Saml)
    } else if fields.has("keytab") {
        Some(Dialect::Kerberos)
    } else if any(&["providerURL", "identifier"]) {
        Some(Dialect::OpenId2)
    } else {
        None
    }
}

impl Kind {
    /// The old modules of providers that speak OpenID Connect today could be sent to other addresses, which say nothing of an
    /// issuer: there the old dialect is spoken.
    fn with_own_addresses(self, fields: &Fields<'_>) -> Self {
        let any = |keys: &[&str]| keys.iter().any(|key| fields.has(key));
        let own = any(&[
            "authorizationURL",
            "tokenURL",
            "userProfileURL",
            "userInfoURL",
            "profileURL",
        ]);
        if !own || any(&["issuer", "discovery", "identityMetadata"]) {
            return self;
        }
        match self {
            Self::Remote(Dialect::Google) => Self::Remote(Dialect::GoogleLegacy),
            Self::Remote(Dialect::LinkedIn) => Self::Remote(Dialect::LinkedInLegacy),
            other => other,
        }
    }
}
