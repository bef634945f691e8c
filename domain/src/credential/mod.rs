//! What a person proves themselves with.

mod context_words;
mod passkey;
mod password;
mod recovery_code;
mod sms_code;
mod totp;

pub use context_words::ContextWords;
pub use passkey::{Passkey, user_handle, user_of_handle};
pub use password::{Password, PasswordFault, PasswordHash, PasswordRules};
pub use recovery_code::{RECOVERY_CODES, RecoveryCodes, looks_like_recovery_code};
pub use sms_code::{CODE_DIGITS, SmsCode};
pub use totp::{TOTP_SECRET_BYTES, TOTP_STEP_SECONDS, TotpApp, TotpSecret};
