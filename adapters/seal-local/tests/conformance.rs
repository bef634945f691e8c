//! What every sealer must do.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use conformance::sealer::{KeyKeeper, SealerFixture};
use seal_local::{LocalSealer, SealKey};

/// A key file, newest key first.
struct KeyFile {
    sealer: Arc<LocalSealer>,
    keys: Mutex<Vec<SealKey>>,
}

fn key(number: u8) -> SealKey {
    SealKey::new(&format!("{number:016x}"), [number; 32])
}

impl KeyFile {
    fn change(&self, change: impl FnOnce(&mut Vec<SealKey>)) {
        let mut keys = self.keys.lock().unwrap();
        change(&mut keys);
        self.sealer.replace(keys.clone()).unwrap();
    }
}

#[async_trait]
impl KeyKeeper for KeyFile {
    async fn rotate(&self) {
        self.change(|keys| keys.insert(0, key(u8::try_from(keys.len()).unwrap() + 1)));
    }

    async fn forget_older(&self) {
        self.change(|keys| keys.truncate(1));
    }
}

async fn fresh() -> SealerFixture {
    let keys = vec![key(1)];
    let sealer = Arc::new(LocalSealer::new(keys.clone()).unwrap());
    SealerFixture {
        port: Arc::clone(&sealer) as _,
        keys: Arc::new(KeyFile {
            sealer,
            keys: Mutex::new(keys),
        }),
    }
}

conformance::sealer!(fresh);
