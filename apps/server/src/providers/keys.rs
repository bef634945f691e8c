//! The keys an entry may have. What `docs/PROVIDERS.md` tells of each is compared with these lists by a test.

/// Keys that mean something, each to some kind of entry. Several names in one row are one key.
pub const READ: &[&[&str]] = &[
    // what it is
    &["module"],
    &["strategy"],
    &["provider"],
    &["authScheme"],
    &["link"],
    &["pool"],
    &["label"],
    // how it answers
    &["session"],
    &["json"],
    &["autoLogin"],
    &["authPath"],
    &["callbackPath"],
    &["callbackURL", "redirectUrl", "callbackUrl", "returnURL"],
    &["callbackHTTPMethod"],
    &["successRedirect", "successReturnToOrRedirect"],
    &["failureRedirect"],
    &["failureQueryString"],
    // the client
    &["clientID"],
    &["clientSecret", "clientSecret_file", "clientSecretFile"],
    &["consumerKey"],
    &["consumerSecret", "consumerSecret_file", "consumerSecretFile"],
    // what is asked
    &["scope"],
    &["scopeSeparator"],
    &["authOptions"],
    &["customHeaders"],
    &["state"],
    &["pkce"],
    // the person
    &["profileMapping"],
    &["emailOptional"],
    &["emailVerified"],
    &["profileFields"],
    &["includeEmail"],
    &["skipUserProfile"],
    // the provider
    &["authorizationURL"],
    &["tokenURL"],
    &["userProfileURL", "userInfoURL", "profileURL"],
    &["userEmailURL"],
    &["requestTokenURL"],
    &["accessTokenURL"],
    &["userAuthorizationURL"],
    &["signatureMethod"],
    &["issuer"],
    &["discovery", "identityMetadata"],
    &["jwksURL"],
    &["tenant"],
    &["graphAPIVersion"],
    &["enableProof"],
    &["validateIssuer"],
    &["teamID"],
    &["keyID"],
    &[
        "privateKey",
        "privateKeyString",
        "privateKey_file",
        "privateKeyFile",
        "privateKeyPath",
        "privateKeyLocation",
    ],
    // roles
    &["roleMapping"],
    &["onlyKnownUsers"],
    // LDAP
    &["server"],
    &["profileAttributesFromLDAP"],
    &["subjectAttribute"],
    // SAML
    &["entryPoint"],
    &["audience"],
    &["cert", "idpCert", "certPath", "idpCertPath"],
    &["idpIssuer"],
    &["metadata", "metadataFile", "metadata_file"],
    &["metadataUrl"],
    &["metadataCert", "metadataCertPath"],
    &["logoutUrl"],
    &["logoutPath"],
    &["privateCert", "privateCertPath"],
    &["signingCert", "publicCert", "signingCertPath"],
    &["decryptionPvk", "decryptionPvkPath", "decryptionPvk_file"],
    &["decryptionCert", "decryptionCertPath"],
    &["identifierFormat"],
    &["signatureAlgorithm"],
    &["digestAlgorithm"],
    &["acceptedClockSkewMs"],
    &["maxAssertionAgeMs"],
    &["authnContext"],
    &["racComparison"],
    &["disableRequestedAuthnContext"],
    &["forceAuthn"],
    &["providerName"],
    &["skipRequestCompression"],
    &["authnRequestBinding"],
    &["validateInResponseTo"],
    &["wantAssertionsSigned"],
    &["wantAuthnResponseSigned"],
    &["allowUnsolicited"],
    &["groupAttributes"],
    // Kerberos
    &["realm"],
    &["service"],
    &["keytab"],
    &["realms"],
    &["stripRealm"],
    &["foldCase"],
    &["instances"],
    &["passwords"],
    &["emailDomain"],
    &["krb5Conf"],
    &["maxConcurrent"],
    &["timeout"],
    // OpenID 2.0
    &["providerURL", "identifier"],
    &["profile"],
    &["attributes"],
    &["groupsAttribute"],
    &["identifierHosts"],
    &["apiKey", "apiKey_file"],
    &["apiBase"],
    // local
    &["usernameField"],
    &["passwordField"],
    &["setAccessToken"],
];

/// Keys that are refused, and why.
pub const REFUSED: &[(&str, &str)] = &[
    ("customCallback", CODE),
    ("loginCallback", CODE),
    (
        "profileToUser",
        "is a function, and this file holds none: use `profileMapping`",
    ),
    ("createAccessToken", CODE),
    ("fn", CODE),
    ("verify", CODE),
    (
        "domain",
        "would give the session to every host of that domain, the weakest of them included: leave it out, and let \
         other hosts ask `/auth/check`",
    ),
    (
        "proxy",
        "is for all providers here: set `outbound.proxy` in portcullis.toml",
    ),
    (
        "agent",
        "is for all providers here: set `outbound.proxy` in portcullis.toml",
    ),
    (
        "privateKeyPassphrase",
        "is not read: store the key without one, readable by this server alone",
    ),
];

const CODE: &str = "is a function, and this file holds none: leave it out";

/// Keys that change nothing, and why. Files that carry them are taken.
pub const IDLE: &[(&str, &str)] = &[
    ("failureFlash", "the page itself says what went wrong"),
    ("successFlash", "there are no flash messages"),
    ("failureMessage", "the page itself says what went wrong"),
    ("successMessage", "there are no flash messages"),
    ("passReqToCallback", "there is no callback function"),
    ("sessionKey", "each log-in has a cookie of its own"),
    ("store", "`state` is always kept, and spent once"),
    ("key", "each log-in has a cookie of its own"),
    ("nonce", "a nonce is drawn for every log-in"),
    ("userAgent", "our calls bear our own name"),
    (
        "allRawEmails",
        "addresses are kept with whether the provider vouches for them",
    ),
    ("responseType", "only codes are asked for"),
    ("responseMode", "it follows from the provider"),
    ("allowHttpForRedirectUrl", "http is for this machine alone"),
    (
        "loggingLevel",
        "`log.level` in portcullis.toml says what is logged",
    ),
    ("loggingNoPII", "nothing personal is logged"),
    ("clockSkew", "it is fixed"),
    ("stateless", "nothing is agreed with the provider beforehand"),
    ("cacheProvider", "the stores remember what counts once"),
    ("requestIdExpirationPeriodMs", "a log-in has ten minutes"),
    ("xmlSignatureTransforms", "they are fixed"),
    (
        "logoutCallbackUrl",
        "`logoutPath` says where single logout comes in",
    ),
    ("path", "`callbackPath` says it"),
    ("nonceLifetime", "a log-in has ten minutes"),
    ("nonceMaxAmount", "each log-in has a cookie of its own"),
    ("useCookieInsteadOfSession", "each log-in has a cookie of its own"),
    ("cookieEncryptionKeys", "the server's own key guards cookies"),
];

/// Names that are remarks.
pub fn is_remark(key: &str) -> bool {
    key.starts_with("//") || key.starts_with('_') || key.starts_with('#') || key == "comment"
}

/// Every key of any list, by its names.
pub fn all() -> impl Iterator<Item = &'static str> {
    let read = READ.iter().flat_map(|names| names.iter().copied());
    let others = REFUSED.iter().chain(IDLE).map(|(name, _)| *name);
    read.chain(others)
}
