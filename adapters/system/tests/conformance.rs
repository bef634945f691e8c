//! What every source of entropy and every timer must do.

use std::sync::Arc;

use conformance::Fixture;
use domain::ports::{EntropySource, Timer};
use system::{SystemEntropy, SystemTimer};

async fn fresh() -> Fixture<dyn EntropySource> {
    Fixture::new(Arc::new(SystemEntropy))
}

async fn timers() -> Fixture<dyn Timer> {
    Fixture::new(Arc::new(SystemTimer))
}

conformance::entropy_source!(fresh);
conformance::timer!(timers);
