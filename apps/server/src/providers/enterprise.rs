//! The keys of an entry that speaks LDAP, SAML 2.0, Kerberos or OpenID 2.0.

use domain::id::ProviderName;
use domain::identity::{ProviderEntry, SubjectScope};
use http_warp::{EntryKind, WebEntry};

use super::entry::Surroundings;
use super::fields::Fields;
use super::modules::Scheme;
use super::provider::{callback_url, email_verified};
use super::remote::{Dialect, Remote};
use super::settings::{Key, Settings, Shape, filed, key};
use super::{mapping, roles};

/// LDAP, beside `server`.
const LDAP: &[Key] = &[
    key(&["profileAttributesFromLDAP"], Shape::Pairs),
    key(&["subjectAttribute"], Shape::Text),
    key(&["issuer"], Shape::Text),
];

/// LDAP: what stands in `server`.
const SERVER: &[Key] = &[
    key(&["url"], Shape::Texts),
    key(&["bindDn", "bindDN", "adminDn"], Shape::Text),
    filed(
        &["bindCredentials", "adminPassword"],
        &["bindCredentials_file", "adminPassword_file"],
        Shape::Secret,
    ),
    key(&["principal"], Shape::Text),
    key(&["searchBase"], Shape::Text),
    key(&["searchScope"], Shape::Text),
    key(&["searchFilter"], Shape::Text),
    key(&["searchAttributes"], Shape::Texts),
    key(&["groupSearchBase"], Shape::Text),
    key(&["groupSearchScope"], Shape::Text),
    key(&["groupSearchFilter"], Shape::Text),
    key(&["groupSearchAttributes"], Shape::Texts),
    key(&["groupDnProperty"], Shape::Text),
    key(&["nestedGroups"], Shape::Text),
    key(&["starttls"], Shape::Flag),
    key(&["allowPlaintext"], Shape::Flag),
    key(&["connectTimeout"], Shape::Number),
    key(&["timeout"], Shape::Number),
    key(&["idleTimeout"], Shape::Number),
    key(&["poolSize"], Shape::Number),
];

/// LDAP: what stands in `server.tlsOptions`.
const TLS: &[Key] = &[filed(&["ca"], &["ca_file", "caFile"], Shape::Pems)];

/// LDAP: what old files carry and changes nothing.
const IDLE_SERVER: &[(&str, &str)] = &[
    ("reconnect", "connections are always made anew"),
    (
        "queueSize",
        "`poolSize` says how many log-ins are asked for at once",
    ),
    ("queueTimeout", "`timeout` bounds a whole log-in"),
    ("cache", "nothing about a password is kept"),
    ("includeRaw", "binary attributes are read as what they are"),
    ("bindProperty", "the entry's own name is bound"),
    ("strictDN", "names are always escaped"),
    ("log", "`log.level` in portcullis.toml says what is logged"),
];

/// SAML 2.0.
const SAML: &[Key] = &[
    key(&["issuer"], Shape::Text),
    key(&["audience"], Shape::Text),
    key(&["entryPoint"], Shape::Text),
    filed(&["cert", "idpCert"], &["certPath", "idpCertPath"], Shape::Pems),
    key(&["idpIssuer"], Shape::Text),
    filed(&["metadata"], &["metadataFile", "metadata_file"], Shape::Document),
    key(&["metadataUrl"], Shape::Text),
    filed(&["metadataCert"], &["metadataCertPath"], Shape::Pems),
    key(&["logoutUrl"], Shape::Text),
    filed(
        &["privateCert", "privateKey"],
        &["privateCertPath", "privateKeyPath", "privateKey_file"],
        Shape::Secret,
    ),
    filed(
        &["signingCert", "publicCert"],
        &["signingCertPath"],
        Shape::Document,
    ),
    filed(
        &["decryptionPvk"],
        &["decryptionPvkPath", "decryptionPvk_file"],
        Shape::Secret,
    ),
    filed(&["decryptionCert"], &["decryptionCertPath"], Shape::Document),
    key(&["identifierFormat"], Shape::Text),
    key(&["signatureAlgorithm"], Shape::Text),
    key(&["digestAlgorithm"], Shape::Text),
    key(&["acceptedClockSkewMs"], Shape::Number),
    key(&["maxAssertionAgeMs"], Shape::Number),
    key(&["authnContext"], Shape::Texts),
    key(&["racComparison"], Shape::Text),
    key(&["disableRequestedAuthnContext"], Shape::Flag),
    key(&["forceAuthn"], Shape::Flag),
    key(&["providerName"], Shape::Text),
    key(&["skipRequestCompression"], Shape::Flag),
    key(&["authnRequestBinding"], Shape::Text),
    key(&["validateInResponseTo"], Shape::Text),
    key(&["wantAssertionsSigned"], Shape::Flag),
    key(&["wantAuthnResponseSigned"], Shape::Flag),
    key(&["groupAttributes"], Shape::Texts),
    key(&["subjectAttribute"], Shape::Text),
];

/// Kerberos.
const KERBEROS: &[Key] = &[
    key(&["realm"], Shape::Text),
    key(&["service"], Shape::Texts),
    key(&["keytab"], Shape::Text),
    key(&["realms"], Shape::Texts),
    key(&["stripRealm"], Shape::Flag),
    key(&["foldCase"], Shape::Flag),
    key(&["instances"], Shape::Texts),
    key(&["emailDomain"], Shape::Text),
    key(&["krb5Conf"], Shape::Text),
    key(&["maxConcurrent"], Shape::Number),
    key(&["timeout"], Shape::Number),
];

/// OpenID 2.0.
const OPENID2: &[Key] = &[
    key(&["providerURL", "identifier"], Shape::Text),
    key(&["realm"], Shape::Text),
    key(&["profile"], Shape::Flag),
    key(&["attributes"], Shape::Pairs),
    key(&["groupsAttribute"], Shape::Text),
    key(&["identifierHosts"], Shape::Texts),
    key(&["issuer"], Shape::Text),
    filed(&["apiKey"], &["apiKey_file"], Shape::Secret),
    key(&["apiBase"], Shape::Text),
];

/// Reads the keys of such an entry; `None` when something is missing without which nothing can be said.
pub fn read(
    fields: &mut Fields<'_>,
    dialect: Dialect,
    auth_scheme: String,
    web: &WebEntry,
    around: &Surroundings<'_>,
) -> Option<(ProviderEntry, Remote)> {
    let name = fields.entry().to_owned();
    let provider = fields.text(&["provider"]).unwrap_or(name);
    // Nobody comes back where nobody is sent away.
    let callback = if dialect.is_direct() {
        Some(String::new())
    } else {
        callback_url(fields, web, around)
    };
    let email_optional = fields.flag("emailOptional").unwrap_or(true);
    let mapping = mapping::read(fields);
    let settings = match dialect.scheme() {
        Scheme::Ldap => ldap(fields)?,
        Scheme::Saml => saml(fields),
        Scheme::Kerberos => Settings::read(fields, KERBEROS),
        _ => Settings::read(fields, OPENID2),
    };
    let client_id = match dialect.scheme() {
        Scheme::Saml => settings.text("issuer").unwrap_or_default(),
        Scheme::OpenId2 => settings.text("realm").unwrap_or_default(),
        _ => String::new(),
    };
    let unsolicited = dialect == Dialect::Saml && fields.flag("allowUnsolicited").unwrap_or(false);
    let remote = Remote {
        passwords: matches!(web.kind, EntryKind::Tickets { passwords: Some(_) }),
        callback_url: callback.clone().unwrap_or_default(),
        logout_url: web
            .logout_path
            .as_ref()
            .map(|path| format!("{}{path}", around.public_url)),
        unsolicited,
        email_verified: email_verified(fields),
        settings,
        ..Remote::blank(dialect, client_id.clone())
    };
    let entry = ProviderEntry {
        name: web.name.clone(),
        provider: ProviderName::new(&provider),
        auth_scheme,
        pool: web.pool.clone(),
        link: web.link,
        client_id,
        subjects: SubjectScope::Issuer,
        callback_url: callback?,
        scopes: Vec::new(),
        mapping,
        email_optional,
        roles: roles::read(fields),
        only_known_users: fields.flag("onlyKnownUsers").unwrap_or(false),
        unsolicited,
    };
    Some((entry, remote))
}

fn ldap(fields: &mut Fields<'_>) -> Option<Settings> {
    let mut settings = Settings::read(fields, LDAP);
    if !fields.has("server") {
        fields.refuse(
            "server",
            "is missing: `{\"url\": \"ldaps://ldap.example.com\", \"searchBase\": …, \"searchFilter\": \"(uid={{username}})\"}`",
        );
        return None;
    }
    let mut server = fields.within("server", "server.")?;
    settings.add(&mut server, SERVER);
    if let Some(mut tls) = server.within("tlsOptions", "server.tlsOptions.") {
        settings.add(&mut tls, TLS);
        if tls.flag("rejectUnauthorized") == Some(false) {
            tls.refuse(
                "rejectUnauthorized",
                "cannot be false: whoever stands in between would read every password. Name the authority in `ca_file`",
            );
        }
        tls.finish_within(&["ca", "ca_file", "rejectUnauthorized"], &[]);
    }
    let names: Vec<&str> = SERVER
        .iter()
        .flat_map(|key| key.names.iter().chain(key.files))
        .copied()
        .collect();
    server.finish_within(&names, IDLE_SERVER);
    Some(settings)
}

fn saml(fields: &mut Fields<'_>) -> Settings {
    let settings = Settings::read(fields, SAML);
    if settings.text("issuer").is_none() && !fields.was_faulty("issuer") {
        fields.refuse(
            "issuer",
            "is missing: it is this server's own name (entity ID) at the provider, such as its public address",
        );
    }
    settings
}
