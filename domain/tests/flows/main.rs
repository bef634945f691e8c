//! Every arm of every step table, one file per flow, one sentence per test.
#![cfg(test)]

mod administer;
mod authorize;
mod change_password;
mod change_profile;
mod devices;
mod end_session;
mod factors_manage;
mod factors_passkey;
mod factors_totp;
mod impersonate;
mod join;
mod link;
mod log_out;
mod login_enrol;
mod login_exchange;
mod login_external;
mod login_passkey;
mod login_password;
mod login_recovery;
mod login_sms_code;
mod login_totp;
mod magic_link;
mod prove;
mod recover;
mod refresh_credential;
mod refresh_session;
mod revert_email;
mod roles;
mod set_up;
mod sign_up;
mod single_logout;
mod step_up;
mod support;
mod verify_contact;
