//! Sealing and opening what providers grant, and whose client is used for it.

use super::Services;
use crate::error::{Denial, DomainError};
use crate::flow::link::{LinkDraft, credential_binding, same_grant};
use crate::id::{ApplicationId, ProviderName, UserKey};
use crate::identity::{CredentialStatus, Identity, ProviderClient, ProviderTokens, UserCredential};
use crate::ports::{PortError, ProviderBinding, SealBinding};
use crate::secret::Sealed;
use crate::user::User;

/// To what an application's secret at a provider is bound.
pub(super) fn application_binding(id: &ApplicationId, provider: &ProviderName) -> SealBinding {
    SealBinding {
        kind: "application-credential",
        owner: vec![id.to_string(), provider.to_string()],
    }
}

impl Services {
    /// Seals a link's tokens for a user. Where the provider sends no refresh token this time, the one of the same grant lives on.
    pub(super) async fn seal_grant(
        &self,
        user: &User,
        draft: &LinkDraft,
    ) -> Result<Option<Sealed>, PortError> {
        let Some(grant) = &draft.grant else {
            return Ok(None);
        };
        let key = &draft.identity.key;
        let mut tokens = grant.tokens.clone();
        let before = same_grant(user, key, &grant.entry, &grant.client_id)
            .filter(|before| before.status != CredentialStatus::Revoked);
        if let (None, Some(before)) = (&tokens.refresh_token, before) {
            // What cannot be opened any more is no reason to refuse a log-in.
            let kept = self.open_grant(&user.key, &draft.identity, before).await;
            tokens.refresh_token = kept.ok().and_then(|kept| kept.refresh_token);
        }
        let binding = credential_binding(&user.key, key, &grant.entry, &grant.client_id);
        self.ports
            .sealer
            .seal(&tokens.to_secret(), &binding)
            .await
            .map(Some)
    }

    /// The tokens of a stored grant.
    pub(super) async fn open_grant(
        &self,
        user: &UserKey,
        identity: &Identity,
        credential: &UserCredential,
    ) -> Result<ProviderTokens, PortError> {
        let binding = credential_binding(user, &identity.key, &credential.entry, &credential.client_id);
        let secret = self.ports.sealer.open(&credential.tokens, &binding).await?;
        ProviderTokens::from_secret(&secret).ok_or_else(|| PortError::corrupt("the tokens of a grant"))
    }

    /// The client to use at a provider, and where it sends people back to: the application's own where it has one, else the
    /// entry's.
    pub(super) async fn client_of(
        &self,
        binding: &ProviderBinding,
        application: Option<&ApplicationId>,
    ) -> Result<(Option<ProviderClient>, String), DomainError> {
        let entry = &binding.entry;
        let Some(id) = application else {
            return Ok((None, entry.callback_url.clone()));
        };
        let application = self.ports.applications.find_application(id).await?;
        let application = application.ok_or(Denial::ApplicationRefused)?;
        let Some(own) = application.credential(&entry.provider) else {
            return Ok((None, entry.callback_url.clone()));
        };
        let client_secret = match &own.client_secret {
            Some(sealed) => {
                let bound = application_binding(id, &entry.provider);
                Some(self.ports.sealer.open(sealed, &bound).await?)
            }
            None => None,
        };
        let client = ProviderClient {
            client_id: own.client_id.clone(),
            client_secret,
        };
        let redirect_uri = own
            .callback_url
            .clone()
            .unwrap_or_else(|| entry.callback_url.clone());
        Ok((Some(client), redirect_uri))
    }
}
