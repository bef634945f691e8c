//! What a person proves themselves with.

mod password;
mod sms_code;

pub use password::{Password, PasswordFault, PasswordHash, PasswordRules};
pub use sms_code::{CODE_DIGITS, SmsCode};
