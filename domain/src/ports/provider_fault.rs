//! The stable codes of what may be wrong with what came from a provider.

macro_rules! faults {
    ($($(#[$doc:meta])* $variant:ident = $code:literal),+ $(,)?) => {
        /// What was wrong with what came from a provider. Each has a stable code; none says what was received.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum ProviderFault { $($(#[$doc])* $variant),+ }

        impl ProviderFault {
            /// Every fault there is.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The stable code.
            pub const fn code(self) -> &'static str {
                match self { $(Self::$variant => $code),+ }
            }
        }
    };
}

faults! {
    /// The person, or the provider for them, said no (`error=access_denied`, OAuth 1.0a's `denied`).
    AccessDenied = "ACCESS_DENIED",
    /// The provider answered the authorization with another error (RFC 6749 section 4.1.2.1).
    AuthorizationError = "PROVIDER_ERROR",
    /// A parameter is missing, twice there or makes no sense.
    CallbackInvalid = "CALLBACK_INVALID",
    /// The answer comes from another issuer than the one that was asked (RFC 9207).
    ResponseIssuer = "RESPONSE_ISSUER_MISMATCH",
    /// The token endpoint refused the code, the verifier or the client.
    TokenRefused = "TOKEN_REQUEST_REFUSED",
    /// The token endpoint's answer is not one (RFC 6749 section 5.1).
    TokenResponseInvalid = "TOKEN_RESPONSE_INVALID",
    /// The provider sent more than we read, or redirected us.
    ResponseInvalid = "PROVIDER_RESPONSE_INVALID",
    /// Discovery speaks for another issuer, or lacks what is needed.
    DiscoveryInvalid = "DISCOVERY_INVALID",
    /// There is no ID token.
    IdTokenMissing = "ID_TOKEN_MISSING",
    /// The ID token cannot be read.
    IdTokenMalformed = "ID_TOKEN_MALFORMED",
    /// Signed by an algorithm that is not allowed, or not at all.
    IdTokenAlgorithm = "ID_TOKEN_ALGORITHM",
    /// Signed by a key the issuer does not publish.
    IdTokenKey = "ID_TOKEN_KEY_UNKNOWN",
    /// The signature is wrong.
    IdTokenSignature = "ID_TOKEN_SIGNATURE",
    /// From another issuer.
    IdTokenIssuer = "ID_TOKEN_ISSUER",
    /// For somebody else.
    IdTokenAudience = "ID_TOKEN_AUDIENCE",
    /// For several, and not authorized for us (`azp`).
    IdTokenAuthorizedParty = "ID_TOKEN_AUTHORIZED_PARTY",
    /// Expired, or without an end.
    IdTokenExpired = "ID_TOKEN_EXPIRED",
    /// Not valid yet (`nbf`), or issued in the future or too long ago (`iat`).
    IdTokenTime = "ID_TOKEN_TIME",
    /// Not for this authorization (`nonce`).
    IdTokenNonce = "ID_TOKEN_NONCE",
    /// For another access token (`at_hash`).
    IdTokenAccessTokenHash = "ID_TOKEN_ACCESS_TOKEN_HASH",
    /// The userinfo endpoint refused, or its answer is not one.
    UserInfoInvalid = "USERINFO_INVALID",
    /// The userinfo endpoint speaks of somebody else.
    UserInfoSubject = "USERINFO_SUBJECT",
    /// The account has no id.
    SubjectMissing = "SUBJECT_MISSING",
    /// A tenant that may not log in here.
    TenantRefused = "TENANT_REFUSED",
    /// OAuth 1.0a: the request token was refused.
    RequestTokenRefused = "REQUEST_TOKEN_REFUSED",
    /// OAuth 1.0a: the callback was not confirmed (RFC 5849 section 2.1).
    CallbackUnconfirmed = "CALLBACK_UNCONFIRMED",
    /// The grant is revoked or spent (`invalid_grant`).
    GrantRevoked = "GRANT_REVOKED",
    /// The provider does not know our client, or its secret is wrong.
    ClientRefused = "PROVIDER_CLIENT_REFUSED",
    /// There is no way to refresh this grant.
    NotRefreshable = "NOT_REFRESHABLE",
    /// The same proof was shown before.
    Replayed = "ANSWER_REPLAYED",
    /// An answer nobody asked for, at an entry that takes none.
    Unsolicited = "UNSOLICITED_ANSWER",
    /// OpenID 2.0: the identifier or the provider could not be discovered (section 7.3).
    OpenIdDiscovery = "OPENID_DISCOVERY",
    /// OpenID 2.0: the answer was made for another address (section 11.1).
    OpenIdReturnTo = "OPENID_RETURN_TO",
    /// OpenID 2.0: the provider may not speak for the claimed identifier (section 11.2).
    OpenIdClaim = "OPENID_CLAIM",
    /// OpenID 2.0: the nonce is no time, too old or too new (section 11.3).
    OpenIdNonce = "OPENID_NONCE",
    /// OpenID 2.0: something is not signed that has to be, or the signature is wrong (section 11.4).
    OpenIdSignature = "OPENID_SIGNATURE",
    /// SAML: what came is no response as we take them: no XML, a DTD in it, too large, too deep, parts missing or doubled.
    SamlMalformed = "SAML_MALFORMED",
    /// SAML: the provider answered that it will not (`Status`).
    SamlStatus = "SAML_STATUS",
    /// SAML: nothing that would say who it is has a signature over it.
    SamlSignatureMissing = "SAML_SIGNATURE_MISSING",
    /// SAML: the signature is wrong, by another key, or over something else than the element that bears it.
    SamlSignature = "SAML_SIGNATURE",
    /// SAML: signed, digested, transformed or encrypted by an algorithm that is not allowed.
    SamlAlgorithm = "SAML_ALGORITHM",
    /// SAML: it cannot be decrypted.
    SamlDecryption = "SAML_DECRYPTION",
    /// SAML: from another issuer.
    SamlIssuer = "SAML_ISSUER",
    /// SAML: sent to another address than ours (`Destination`).
    SamlDestination = "SAML_DESTINATION",
    /// SAML: the bearer may show it elsewhere, not here (`Recipient`).
    SamlRecipient = "SAML_RECIPIENT",
    /// SAML: no bearer's confirmation (`SubjectConfirmation`).
    SamlConfirmation = "SAML_CONFIRMATION",
    /// SAML: for another audience, or for none in particular.
    SamlAudience = "SAML_AUDIENCE",
    /// SAML: the answer to another request (`InResponseTo`).
    SamlInResponseTo = "SAML_IN_RESPONSE_TO",
    /// SAML: not valid any more, or without an end.
    SamlExpired = "SAML_EXPIRED",
    /// SAML: not valid yet, or made too long ago.
    SamlTime = "SAML_TIME",
    /// SAML: the name of the person is missing, empty or holds control characters.
    SamlNameId = "SAML_NAME_ID",
    /// SAML: the provider's metadata will not do.
    MetadataInvalid = "METADATA_INVALID",
    /// A directory: no such name, or a wrong password: the two are told to nobody apart.
    DirectoryPassword = "DIRECTORY_PASSWORD",
    /// A directory: the name fits several entries.
    DirectoryAmbiguous = "DIRECTORY_AMBIGUOUS",
    /// A directory: the account is locked. Told to the operator alone: it may be said without the right password.
    DirectoryLocked = "DIRECTORY_ACCOUNT_LOCKED",
    /// A directory: the password is right, and over.
    DirectoryPasswordExpired = "DIRECTORY_PASSWORD_EXPIRED",
    /// A directory: the password is right, and must be changed first.
    DirectoryMustChange = "DIRECTORY_PASSWORD_MUST_CHANGE",
    /// A directory: the account is disabled.
    DirectoryDisabled = "DIRECTORY_ACCOUNT_DISABLED",
    /// A directory: the account is over.
    DirectoryAccountExpired = "DIRECTORY_ACCOUNT_EXPIRED",
    /// A directory: not at this hour, or not from this machine.
    DirectoryRestricted = "DIRECTORY_ACCOUNT_RESTRICTED",
    /// A directory: it refuses our own account, our search or our connection.
    DirectoryRefused = "DIRECTORY_REFUSED",
    /// Kerberos: no ticket, but something else: another mechanism, or nothing that can be read.
    TicketMalformed = "TICKET_MALFORMED",
    /// Kerberos: the browser offered NTLM, which we do not speak.
    NtlmRefused = "NTLM_REFUSED",
    /// Kerberos: the ticket is for another service, over, or wrong.
    TicketRefused = "TICKET_REFUSED",
    /// Kerberos: a realm whose people may not log in here.
    RealmRefused = "REALM_REFUSED",
    /// Kerberos: the KDC let the password pass, but could not prove that it is the realm's.
    KdcUnproven = "KDC_UNPROVEN",
}

impl ProviderFault {
    /// Whether somebody whose name and password a directory judged may be told: it is said of those alone who gave the right password,
    /// or is nothing about the account. All else is told to the operator alone.
    pub const fn may_be_told(self) -> bool {
        matches!(
            self,
            Self::SubjectMissing
                | Self::RealmRefused
                | Self::KdcUnproven
                | Self::DirectoryPasswordExpired
                | Self::DirectoryMustChange
                | Self::DirectoryDisabled
                | Self::DirectoryAccountExpired
                | Self::DirectoryRestricted
        )
    }
}
