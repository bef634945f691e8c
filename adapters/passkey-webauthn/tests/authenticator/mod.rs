//! An authenticator in software.

use async_trait::async_trait;
use passkey::authenticator::{
    Authenticator, CredentialStore, DiscoverabilitySupport, StoreInfo, UiHint, UserCheck,
    UserValidationMethod,
};
use passkey::crypto::rust_crypto::RustCryptoBackend;
use passkey::types::Passkey;
use passkey::types::ctap2::make_credential::{
    Options, PublicKeyCredentialRpEntity, PublicKeyCredentialUserEntity,
};
use passkey::types::ctap2::{Aaguid, Ctap2Error, StatusCode};
use passkey::types::webauthn::PublicKeyCredentialDescriptor;

/// The keys of a device, by site.
#[derive(Default)]
pub struct Keys(Vec<Passkey>);

#[async_trait]
impl CredentialStore for Keys {
    type PasskeyItem = Passkey;

    async fn find_credentials(
        &self,
        ids: Option<&[PublicKeyCredentialDescriptor]>,
        rp_id: &str,
        _user_handle: Option<&[u8]>,
    ) -> Result<Vec<Passkey>, StatusCode> {
        let named = |key: &Passkey| ids.is_none_or(|ids| ids.iter().any(|id| id.id == key.credential_id));
        let found = self.0.iter().filter(|key| key.rp_id == rp_id && named(key));
        Ok(found.cloned().collect())
    }

    async fn save_credential(
        &mut self,
        key: Passkey,
        _user: PublicKeyCredentialUserEntity,
        _rp: PublicKeyCredentialRpEntity,
        _options: Options,
    ) -> Result<(), StatusCode> {
        self.0.push(key);
        Ok(())
    }

    async fn update_credential(&mut self, key: &Passkey) -> Result<(), StatusCode> {
        let known = self
            .0
            .iter_mut()
            .find(|known| known.credential_id == key.credential_id);
        *known.ok_or(Ctap2Error::NoCredentials)? = key.clone();
        Ok(())
    }

    async fn get_info(&self) -> StoreInfo {
        StoreInfo {
            discoverability: DiscoverabilitySupport::Full,
        }
    }
}

/// Somebody who agrees to everything, and shows who they are when they are asked.
pub struct Agreeable;

#[async_trait]
impl UserValidationMethod for Agreeable {
    type PasskeyItem = Passkey;

    async fn check_user<'a>(
        &self,
        hint: UiHint<'a, Passkey>,
        presence: bool,
        verification: bool,
    ) -> Result<UserCheck, Ctap2Error> {
        if matches!(hint, UiHint::InformExcludedCredentialFound(_)) {
            return Err(Ctap2Error::CredentialExcluded);
        }
        Ok(UserCheck {
            presence,
            verification,
        })
    }

    fn is_presence_enabled(&self) -> bool {
        true
    }

    fn is_verification_enabled(&self) -> Option<bool> {
        Some(true)
    }
}

/// The authenticator of that person.
pub type OwnAuthenticator = Authenticator<Keys, Agreeable, RustCryptoBackend>;

pub fn authenticator() -> OwnAuthenticator {
    let mut authenticator =
        Authenticator::new(Aaguid::new_empty(), Keys::default(), Agreeable, RustCryptoBackend);
    authenticator.set_make_credentials_with_signature_counter(true);
    authenticator
}
