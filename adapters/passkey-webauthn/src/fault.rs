//! What the library says, in the port's words.

use domain::ports::PasskeyFault;
use webauthn_rs_core::error::WebauthnError;

/// The fault that an error means.
pub fn of(error: &WebauthnError) -> PasskeyFault {
    match error {
        WebauthnError::MismatchedChallenge => PasskeyFault::Challenge,
        WebauthnError::InvalidRPOrigin
        | WebauthnError::InvalidRPIDHash
        | WebauthnError::CredentialCrossOrigin => PasskeyFault::Origin,
        WebauthnError::AuthenticationFailure
        | WebauthnError::SignatureInvalid
        | WebauthnError::AttestationStatementSigInvalid => PasskeyFault::Signature,
        WebauthnError::UserNotVerified => PasskeyFault::UserVerification,
        WebauthnError::CredentialNotFound => PasskeyFault::UnknownKey,
        WebauthnError::ParseBase64Failure(_)
        | WebauthnError::ParseCBORFailure(_)
        | WebauthnError::ParseJSONFailure(_)
        | WebauthnError::ParseNOMFailure
        | WebauthnError::ParseInsufficientBytesAvailable
        | WebauthnError::MissingAttestationCredentialData
        | WebauthnError::COSEKeyInvalidCBORValue => PasskeyFault::Malformed,
        _ => PasskeyFault::Refused,
    }
}
