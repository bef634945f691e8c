use std::sync::Arc;

use super::IdentityProvider;
use crate::id::EntryName;
use crate::identity::ProviderEntry;

/// A configured entry and the adapter that speaks to its provider.
#[derive(Clone)]
pub struct ProviderBinding {
    /// The entry.
    pub entry: ProviderEntry,
    /// Its adapter.
    pub provider: Arc<dyn IdentityProvider>,
}

/// Knows the configured entries, as the file has them now.
pub trait ProviderDirectory: Send + Sync {
    /// The entry of that name.
    fn find(&self, name: &EntryName) -> Option<Arc<ProviderBinding>>;

    /// All entries, in the order of the file.
    fn all(&self) -> Vec<Arc<ProviderBinding>>;
}
