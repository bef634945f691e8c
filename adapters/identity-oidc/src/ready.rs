//! The ready profiles, from the providers' own documentation.

use crate::{
    Caching, ClientSecret, EmailRule, IssuerRule, OidcConfig, ResponseMode, SubjectRule, TokenAuth, UserInfo,
};

fn texts(words: &[&str]) -> Vec<String> {
    words.iter().map(|&word| word.to_owned()).collect()
}

impl OidcConfig {
    /// Any OpenID provider, by the letter of OpenID Connect Core.
    pub fn generic(issuer: impl Into<String>, client_id: impl Into<String>) -> Self {
        Self {
            issuer: issuer.into(),
            authorization_endpoint: None,
            token_endpoint: None,
            userinfo_endpoint: None,
            jwks_uri: None,
            client_id: client_id.into(),
            client_secret: ClientSecret::None,
            token_auth: TokenAuth::Announced,
            scopes: texts(&["profile", "email"]),
            authorization_params: Vec::new(),
            response_mode: ResponseMode::Query,
            pkce: true,
            nonce: true,
            token_type: true,
            userinfo: UserInfo::Always,
            issuer_rule: IssuerRule::Exact,
            subject_rule: SubjectRule::Sub,
            email_rule: EmailRule::Claim,
            caching: Caching::default(),
        }
    }

    /// Google: its ID token says it all, and names the issuer with or without the scheme.
    pub fn google(client_id: impl Into<String>) -> Self {
        Self {
            token_auth: TokenAuth::Post,
            userinfo: UserInfo::IfMissing,
            issuer_rule: IssuerRule::Aliases(texts(&["accounts.google.com"])),
            ..Self::generic("https://accounts.google.com", client_id)
        }
    }

    /// Microsoft Entra. `tenant` is `common`, `organizations`, `consumers`, a tenant's id or its domain. For another cloud change
    /// the host in [`OidcConfig::issuer`].
    pub fn microsoft(tenant: &str, client_id: impl Into<String>) -> Self {
        let issuer = format!("https://login.microsoftonline.com/{tenant}/v2.0");
        Self {
            token_auth: TokenAuth::Post,
            userinfo: UserInfo::Never,
            issuer_rule: IssuerRule::MicrosoftTenant,
            subject_rule: SubjectRule::TidOid,
            email_rule: EmailRule::DomainOwner,
            ..Self::generic(issuer, client_id)
        }
    }

    /// Apple: name and address come by a form alone, the name only the first time, and the secret is
    /// [`ClientSecret::Apple`].
    pub fn apple(client_id: impl Into<String>) -> Self {
        Self {
            token_auth: TokenAuth::Post,
            scopes: texts(&["name", "email"]),
            response_mode: ResponseMode::FormPost,
            userinfo: UserInfo::Never,
            issuer_rule: IssuerRule::Aliases(texts(&["https://account.apple.com"])),
            ..Self::generic("https://appleid.apple.com", client_id)
        }
    }

    /// LinkedIn: refuses a code verifier and returns no nonce, so that `state` alone binds the answer.
    pub fn linkedin(client_id: impl Into<String>) -> Self {
        Self {
            token_auth: TokenAuth::Post,
            pkce: false,
            nonce: false,
            token_type: false,
            userinfo: UserInfo::IfMissing,
            ..Self::generic("https://www.linkedin.com/oauth", client_id)
        }
    }
}
