//! What every hasher must do.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use std::sync::Arc;

use conformance::Fixture;
use domain::ports::PasswordHasher;
use hash_password::{HashConfig, Hasher};

async fn fresh() -> Fixture<dyn PasswordHasher> {
    Fixture::new(Arc::new(Hasher::new(HashConfig::default()).unwrap()))
}

conformance::password_hasher!(fresh);
