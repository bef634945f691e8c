//! A directory, a realm with tickets, and a provider that is posted to, posts back, and tells of log-outs.

use async_trait::async_trait;
use domain::identity::{Profile, ProviderClient, ProviderSession, ProviderTokens};
use domain::ports::{
    Arrival, AuthorizationRequest, AuthorizationResponse, AuthorizationStart, Descriptor, DirectoryAttempt,
    IdentityProvider, LogoutHeard, LogoutMessage, LogoutRequested, Negotiated, Negotiator, Once,
    PasswordDirectory, ProviderError, ProviderFault, SingleLogout, UnsolicitedResponse,
};
use domain::secret::Secret;
use domain::time::{Lifetime, Timestamp};

/// Everybody's password is `right`; `expired` is right, and over; `locked` belongs to a locked account; at `down` nobody answers.
pub struct FakeDirectory;

#[async_trait]
impl PasswordDirectory for FakeDirectory {
    async fn check(&self, attempt: &DirectoryAttempt) -> Result<Arrival, ProviderError> {
        let refused = |fault| Err(ProviderError::refused(fault, "no"));
        match attempt.password.expose() {
            "right" => Ok(arrival("ldap", &attempt.name.to_lowercase())),
            "expired" => refused(ProviderFault::DirectoryPasswordExpired),
            "locked" => refused(ProviderFault::DirectoryLocked),
            "down" => Err(ProviderError::Unavailable("connection refused".to_owned())),
            _ => refused(ProviderFault::DirectoryPassword),
        }
    }
}

fn arrival(issuer: &str, name: &str) -> Arrival {
    let profile = Profile {
        username: Some(name.to_owned()),
        ..Profile::default()
    };
    Arrival {
        groups: vec!["Admins".to_owned()],
        ..Arrival::new(issuer, name, profile)
    }
}

/// A ticket is `ticket NAME NUMBER`.
pub struct FakeRealm;

#[async_trait]
impl Negotiator for FakeRealm {
    async fn accept(&self, token: &[u8], now: Timestamp) -> Result<Negotiated, ProviderError> {
        let text = String::from_utf8_lossy(token).into_owned();
        let mut words = text.split(' ');
        match (words.next(), words.next()) {
            (Some("ticket"), Some(name)) => Ok(Negotiated {
                arrival: Arrival {
                    once: Some(Once {
                        id: text.clone(),
                        until: now.plus(Lifetime::from_secs(600)),
                    }),
                    ..arrival("realm", name)
                },
                reply: Some(b"it is us".to_vec()),
            }),
            (Some("NTLMSSP"), _) => Err(ProviderError::refused(ProviderFault::NtlmRefused, "NTLM")),
            _ => Err(ProviderError::refused(ProviderFault::TicketMalformed, "garbage")),
        }
    }
}

/// Is posted to; says who it is by `SAMLResponse=NAME`, unasked by `SAMLResponse=unasked NAME`.
pub struct FakePoster;

fn posted(response: &str, name: &str) -> Arrival {
    Arrival {
        session: Some(ProviderSession {
            index: format!("at-{name}"),
            subject: name.to_owned(),
        }),
        once: Some(Once {
            id: response.to_owned(),
            until: Timestamp::from_millis(i64::MAX),
        }),
        ..arrival("poster", name)
    }
}

#[async_trait]
impl IdentityProvider for FakePoster {
    async fn begin(&self, request: &AuthorizationRequest) -> Result<AuthorizationStart, ProviderError> {
        let form = vec![
            ("SAMLRequest".to_owned(), "<asks \"who\">".to_owned()),
            ("RelayState".to_owned(), request.state.expose().to_owned()),
        ];
        Ok(AuthorizationStart {
            url: "https://poster.example/sso".to_owned(),
            form: Some(form),
            handle: None,
            carry: None,
        })
    }

    async fn complete(&self, response: &AuthorizationResponse) -> Result<Arrival, ProviderError> {
        match response.param("SAMLResponse") {
            Some(name) => Ok(posted(name, name)),
            None => Err(ProviderError::refused(
                ProviderFault::CallbackInvalid,
                "no response",
            )),
        }
    }

    async fn unsolicited(&self, response: &UnsolicitedResponse) -> Result<Arrival, ProviderError> {
        let said = response.params.iter().find(|(name, _)| name == "SAMLResponse");
        match said.and_then(|(_, said)| said.strip_prefix("unasked ").map(|name| (said, name))) {
            Some((said, name)) => Ok(posted(said, name)),
            None => Err(ProviderError::refused(
                ProviderFault::SamlInResponseTo,
                "it was asked for",
            )),
        }
    }

    fn descriptor(&self) -> Option<Descriptor> {
        Some(Descriptor {
            content_type: "application/samlmetadata+xml",
            body: "<EntityDescriptor/>".to_owned(),
        })
    }

    async fn refresh(
        &self,
        _: &ProviderTokens,
        _: Option<ProviderClient>,
        _: Timestamp,
    ) -> Result<ProviderTokens, ProviderError> {
        Err(ProviderError::refused(ProviderFault::NotRefreshable, "nothing"))
    }
}

#[async_trait]
impl SingleLogout for FakePoster {
    async fn begin(
        &self,
        session: &ProviderSession,
        _: &Secret,
        _: Timestamp,
    ) -> Result<Option<AuthorizationStart>, ProviderError> {
        Ok(Some(to(&format!(
            "https://poster.example/slo?leaves={}",
            session.subject
        ))))
    }

    async fn receive(&self, message: &LogoutMessage) -> Result<LogoutHeard, ProviderError> {
        let said = |wanted: &str| {
            let mut params = message.params.iter();
            params
                .find(|(name, _)| name == wanted)
                .map(|(_, value)| value.clone())
        };
        if said("SAMLResponse").is_some() {
            return Ok(LogoutHeard::Answered {
                relay: Secret::new(""),
                complete: true,
            });
        }
        let name = said("SAMLRequest").filter(|name| !name.is_empty());
        let name = name.ok_or_else(|| ProviderError::refused(ProviderFault::SamlSignature, "unsigned"))?;
        Ok(LogoutHeard::Requested(LogoutRequested {
            issuer: "poster".to_owned(),
            once: Once {
                id: format!("logout {:?}", message.params),
                until: message.now.plus(Lifetime::from_secs(600)),
            },
            subject: name,
            indexes: Vec::new(),
            request_id: "r1".to_owned(),
            relay_state: said("RelayState"),
        }))
    }

    async fn answer(
        &self,
        _: &LogoutRequested,
        done: bool,
        _: Timestamp,
    ) -> Result<Option<AuthorizationStart>, ProviderError> {
        Ok(Some(to(&format!("https://poster.example/slo?done={done}"))))
    }
}

fn to(url: &str) -> AuthorizationStart {
    AuthorizationStart {
        url: url.to_owned(),
        form: None,
        handle: None,
        carry: None,
    }
}
