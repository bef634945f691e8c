//! What every source of entropy must do.

use std::sync::Arc;

use conformance::Fixture;
use domain::ports::EntropySource;
use system::SystemEntropy;

async fn fresh() -> Fixture<dyn EntropySource> {
    Fixture::new(Arc::new(SystemEntropy))
}

conformance::entropy_source!(fresh);
