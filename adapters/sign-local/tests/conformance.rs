//! What every signer must do.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use conformance::sealer::KeyKeeper;
use conformance::token_signer::TokenSignerFixture;
use sign_local::{LocalSigner, SigningSeed};

/// A key file, newest key first, on two nodes.
struct KeyFile {
    nodes: [Arc<LocalSigner>; 2],
    seeds: Mutex<Vec<SigningSeed>>,
}

fn seed(number: u8) -> SigningSeed {
    SigningSeed::new(&format!("{number:016x}"), [number; 32])
}

impl KeyFile {
    fn change(&self, change: impl FnOnce(&mut Vec<SigningSeed>)) {
        let mut seeds = self.seeds.lock().unwrap();
        change(&mut seeds);
        for node in &self.nodes {
            node.replace(&seeds).unwrap();
        }
    }
}

#[async_trait]
impl KeyKeeper for KeyFile {
    async fn rotate(&self) {
        self.change(|seeds| seeds.insert(0, seed(u8::try_from(seeds.len()).unwrap() + 1)));
    }

    async fn forget_older(&self) {
        self.change(|seeds| seeds.truncate(1));
    }
}

async fn fresh() -> TokenSignerFixture {
    let seeds = vec![seed(1)];
    let node = || Arc::new(LocalSigner::new(&seeds).unwrap());
    let nodes = [node(), node()];
    TokenSignerFixture {
        port: Arc::clone(&nodes[0]) as _,
        other_node: Arc::clone(&nodes[1]) as _,
        keys: Arc::new(KeyFile {
            nodes,
            seeds: Mutex::new(seeds),
        }),
    }
}

conformance::token_signer!(fresh);
