//! Signed access tokens, and the keys they are checked by.

use super::{Authenticated, Services};
use crate::error::{Denial, DomainError};
use crate::id::SignedTokenId;
use crate::ports::{PortError, VerifyingKey};
use crate::signed_token::{SignedToken, Wanted, claims};

impl Services {
    /// Makes an access token that one service checks by itself, of a session that is alive. `audience` names the service; none for the
    /// first that is configured.
    ///
    /// # Errors
    /// [`Denial::Unexpected`] where no tokens are signed, [`Denial::Invalid`] for a service that is not configured; ports that do not
    /// answer.
    pub async fn sign_token(
        &self,
        holder: &Authenticated,
        audience: Option<&str>,
    ) -> Result<SignedToken, DomainError> {
        let policy = self.policy.access.signed_tokens.as_ref();
        let (Some(policy), Some(signer)) = (policy, &self.ports.signer) else {
            return Err(Denial::Unexpected.into());
        };
        let roles = self.roles_of(&holder.user).await?;
        let now = self.ports.clock.now();
        let wanted = Wanted {
            holder,
            roles: &roles,
            audience,
            id: &SignedTokenId::draw(now, self.ports.entropy.open().as_mut()),
        };
        let claims = claims(wanted, policy, &self.policy.public_url, now)?;
        let life = claims.left(now);
        let token = signer.sign(&claims).await?;
        Ok(SignedToken { token, life })
    }

    /// The public keys that signed tokens are checked by, the newest first; none where no tokens are signed.
    ///
    /// # Errors
    /// A signer that does not answer.
    pub async fn verifying_keys(&self) -> Result<Option<Vec<VerifyingKey>>, PortError> {
        match &self.ports.signer {
            Some(signer) => signer.keys().await.map(Some),
            None => Ok(None),
        }
    }
}
