//! The world outside: two providers where the code says who comes back, and the doors that lead to them.

#[path = "outside/direct.rs"]
mod direct;

use std::sync::{Arc, RwLock};

use async_trait::async_trait;
use domain::id::{EntryName, PoolName, ProviderName, RoleName};
use domain::identity::{
    Profile, ProfileEmail, ProviderClient, ProviderEntry, ProviderTokens, RoleRule, RoleSource, SubjectScope,
};
use domain::ports::{
    Arrival, AuthorizationRequest, AuthorizationResponse, AuthorizationStart, IdentityProvider,
    ProviderAdapter, ProviderBinding, ProviderDirectory, ProviderError, ProviderFault,
};
use domain::secret::Secret;
use domain::time::{Lifetime, Timestamp};
use http_warp::{CredentialFields, EntryKind, EntrySource, EntryTable, WebEntry};
use serde_json::json;

use direct::{FakeDirectory, FakePoster, FakeRealm};

/// Somebody comes back with `code=NAME`: an account NAME without an address; `NAME@` has a vouched one, `NAME~` an unvouched one
/// (both `NAME@example.com`); `nobody` has no id; `refused` is refused; `down` meets silence; `slow` waits.
pub struct FakeProvider {
    issuer: String,
    client_id: String,
    scopes: Vec<String>,
}

#[async_trait]
impl IdentityProvider for FakeProvider {
    async fn begin(&self, request: &AuthorizationRequest) -> Result<AuthorizationStart, ProviderError> {
        let client = request
            .client
            .as_ref()
            .map_or(&self.client_id, |client| &client.client_id);
        let pairs = [
            ("client_id", client.as_str()),
            ("redirect_uri", &request.redirect_uri),
            ("state", request.state.expose()),
            ("nonce", request.nonce.expose()),
        ];
        let url = reqwest::Url::parse_with_params(&format!("{}/authorize", self.issuer), pairs).unwrap();
        Ok(AuthorizationStart {
            url: url.into(),
            form: None,
            handle: None,
            carry: None,
        })
    }

    async fn complete(&self, response: &AuthorizationResponse) -> Result<Arrival, ProviderError> {
        if response.param("error").is_some() {
            return Err(ProviderError::refused(ProviderFault::AccessDenied, "denied"));
        }
        let code = response.param("code").unwrap_or("refused");
        let name = code.trim_end_matches(['@', '~']);
        match name {
            "refused" => {
                return Err(ProviderError::refused(
                    ProviderFault::TokenRefused,
                    "no such code",
                ));
            }
            "slow" => tokio::time::sleep(std::time::Duration::from_millis(600)).await,
            "down" => return Err(ProviderError::Unavailable("connection refused".to_owned())),
            _ => {}
        }
        let email = (name != code).then(|| ProfileEmail {
            value: format!("{name}@example.com"),
            verified: code.ends_with('@'),
        });
        let profile = Profile {
            username: Some(name.to_owned()),
            emails: email.into_iter().collect(),
            ..Profile::default()
        };
        let subject = if name == "nobody" { "" } else { name };
        Ok(Arrival {
            raw: json!({"id": name, "private": "internals of the provider"}),
            tokens: Some(self.tokens(&format!("first-{name}"), name, response.now)),
            ..Arrival::new(&self.issuer, subject, profile)
        })
    }

    async fn refresh(
        &self,
        tokens: &ProviderTokens,
        _: Option<ProviderClient>,
        now: Timestamp,
    ) -> Result<ProviderTokens, ProviderError> {
        let refresh = tokens.refresh_token.as_ref().map_or("", Secret::expose);
        let name = refresh.trim_start_matches("refresh-");
        if name == "revoker" {
            return Err(ProviderError::refused(
                ProviderFault::GrantRevoked,
                "invalid_grant",
            ));
        }
        Ok(self.tokens(&format!("second-{name}"), name, now))
    }
}

impl FakeProvider {
    fn tokens(&self, access: &str, name: &str, now: Timestamp) -> ProviderTokens {
        ProviderTokens {
            access_token: Secret::new(access),
            token_secret: None,
            refresh_token: Some(Secret::new(format!("refresh-{name}"))),
            token_type: "Bearer".to_owned(),
            expires: Some(now.plus(Lifetime::from_secs(3600))),
            scopes: Some(self.scopes.clone()),
        }
    }
}

/// The providers of the site, one adapter per entry.
pub struct Directory(Vec<Arc<ProviderBinding>>);

impl ProviderDirectory for Directory {
    fn find(&self, name: &EntryName) -> Option<Arc<ProviderBinding>> {
        self.0.iter().find(|binding| binding.entry.name == *name).cloned()
    }

    fn all(&self) -> Vec<Arc<ProviderBinding>> {
        self.0.clone()
    }
}

/// The doors of the site; a test may hang others.
pub struct Doors(RwLock<Arc<EntryTable>>);

impl EntrySource for Doors {
    fn current(&self) -> Arc<EntryTable> {
        Arc::clone(&self.0.read().unwrap())
    }
}

impl Doors {
    pub fn hang(&self, entries: Vec<WebEntry>) {
        *self.0.write().unwrap() = Arc::new(EntryTable::new(entries).unwrap());
    }
}

/// What the site begins with.
pub fn doors() -> Doors {
    Doors(RwLock::new(Arc::new(EntryTable::new(entries()).unwrap())))
}

/// An adapter for every entry that leads to a provider.
pub fn directory() -> Directory {
    let entries = entries();
    let abroad = entries
        .iter()
        .filter(|entry| !matches!(entry.kind, EntryKind::Local { .. }));
    Directory(abroad.map(|entry| Arc::new(binding(entry))).collect())
}

fn binding(entry: &WebEntry) -> ProviderBinding {
    let provider = entry.name.as_str().split('-').next().unwrap();
    let client_id = format!("client-of-{}", entry.name);
    let scopes = vec!["email".to_owned()];
    let callback = entry.callback_path.as_deref().unwrap_or_default();
    let adapter = match &entry.kind {
        EntryKind::Directory(_) => ProviderAdapter::Directory(Arc::new(FakeDirectory)),
        EntryKind::Tickets { .. } => ProviderAdapter::Tickets {
            negotiator: Arc::new(FakeRealm),
            passwords: Some(Arc::new(FakeDirectory)),
        },
        _ if provider == "poster" => ProviderAdapter::Redirect {
            provider: Arc::new(FakePoster),
            logout: Some(Arc::new(FakePoster)),
        },
        _ => ProviderAdapter::redirect(Arc::new(FakeProvider {
            issuer: format!("https://{provider}.example"),
            client_id: client_id.clone(),
            scopes: scopes.clone(),
        })),
    };
    ProviderBinding {
        entry: ProviderEntry {
            name: entry.name.clone(),
            provider: ProviderName::new(provider),
            auth_scheme: "oAuth 2.0".to_owned(),
            pool: entry.pool.clone(),
            link: entry.link,
            client_id,
            subjects: SubjectScope::Issuer,
            callback_url: format!("http://localhost:3000{callback}"),
            scopes,
            mapping: Vec::new(),
            email_optional: true,
            roles: vec![RoleRule {
                source: RoleSource::Group("admins".to_owned()),
                role: RoleName::new("admin, of all"),
            }],
            only_known_users: false,
            unsolicited: entry.name.as_str() == "poster-open",
        },
        adapter,
    }
}

/// An entry below `/auth/` or `/link/`, with Passport's defaults.
pub fn entry(name: &str, path: &str) -> WebEntry {
    WebEntry {
        name: EntryName::new(name),
        pool: PoolName::new("Users"),
        kind: EntryKind::Provider,
        label: name.to_owned(),
        link: path.starts_with("/link/"),
        session: true,
        json: false,
        auto_login: true,
        auth_path: path.to_owned(),
        callback_path: Some(format!("{path}/callback")),
        logout_path: None,
        metadata_path: None,
        success_redirect: None,
        failure_redirect: None,
        failure_query_string: false,
        stray_fragment: false,
    }
}

fn local(name: &str, path: &str) -> WebEntry {
    WebEntry {
        kind: EntryKind::Local {
            username_field: "login".to_owned(),
            password_field: "pass".to_owned(),
            set_access_token: true,
        },
        callback_path: None,
        ..entry(name, path)
    }
}

/// All entries of the site.
pub fn entries() -> Vec<WebEntry> {
    vec![
        entry("facebook-login", "/auth/facebook"),
        WebEntry {
            success_redirect: Some("/welcome".to_owned()),
            failure_redirect: Some("/failed?from=google".to_owned()),
            failure_query_string: true,
            ..entry("google-login", "/auth/google")
        },
        entry("google-link", "/link/google"),
        entry("facebook-link", "/link/facebook"),
        WebEntry {
            json: true,
            ..entry("google-json", "/auth/json")
        },
        WebEntry {
            json: true,
            ..entry("facebook-linkjson", "/link/json")
        },
        WebEntry {
            session: false,
            success_redirect: Some("https://app.example.org/in?x=1".to_owned()),
            ..entry("google-app", "/auth/app")
        },
        WebEntry {
            pool: PoolName::new("Employees"),
            ..entry("google-staff", "/auth/staff")
        },
        WebEntry {
            pool: PoolName::new("Employees"),
            json: true,
            ..entry("google-staffjson", "/auth/staffjson")
        },
        WebEntry {
            failure_redirect: Some("/login.html".to_owned()),
            ..local("local", "/auth/local")
        },
        WebEntry {
            json: true,
            ..local("local-json", "/auth/token")
        },
        judged("corp-login", "/auth/ldap"),
        judged("corp-link", "/link/ldap"),
        WebEntry {
            json: true,
            ..judged("corp-json", "/auth/ldapjson")
        },
        tickets("realm-login", "/auth/tickets"),
        tickets("realm-link", "/link/tickets"),
        WebEntry {
            pool: PoolName::new("Employees"),
            ..tickets("branch-login", "/auth/branch")
        },
        poster("poster-login", "/auth/poster"),
        poster("poster-open", "/auth/open"),
    ]
}

fn fields() -> CredentialFields {
    CredentialFields {
        username: "uid".to_owned(),
        password: "pass".to_owned(),
    }
}

fn judged(name: &str, path: &str) -> WebEntry {
    WebEntry {
        kind: EntryKind::Directory(fields()),
        callback_path: None,
        ..entry(name, path)
    }
}

fn tickets(name: &str, path: &str) -> WebEntry {
    WebEntry {
        kind: EntryKind::Tickets {
            passwords: Some(fields()),
        },
        callback_path: None,
        ..entry(name, path)
    }
}

fn poster(name: &str, path: &str) -> WebEntry {
    WebEntry {
        logout_path: Some(format!("{path}/logout")),
        metadata_path: Some(format!("{path}/metadata")),
        ..entry(name, path)
    }
}
